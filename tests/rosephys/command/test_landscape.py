"""`landscape`: the picture it writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys.command.cli import main
from rosephys.sdl import pygame


def shown(path: Path) -> np.ndarray:
    return np.asarray(pygame.surfarray.array3d(pygame.image.load(path)), int)


def test_the_command_writes_a_picture_that_is_the_same_every_time(
    tmp_path: Path, capsys: Any
) -> None:
    for name in ("one.png", "two.png"):
        line = ["landscape", "bounce", "--iterations", "40", "--out", str(tmp_path / name)]
        assert main(line) == 0
    told = capsys.readouterr()
    assert "bounce: 40 iterations" in told.out and "two.png" in told.err
    one = (tmp_path / "one.png").read_bytes()
    assert one == (tmp_path / "two.png").read_bytes()
    asked = ["--controls", "velocity.0,velocity.1", "--span", "0.2", "--iterations", "0"]
    assert main(["landscape", "bounce", *asked, "--out", str(tmp_path)]) == 0
    other = shown(tmp_path / "bounce-landscape.png")
    assert other.shape == shown(tmp_path / "one.png").shape
    assert (other != shown(tmp_path / "one.png")).any(axis=2).mean() > 0.2


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["--controls", "velocity.0,velocity.0"], "two different ones"),
        (["--controls", "velocity.0,velocity.1,height"], "two different ones"),
        (["--controls", "goal.0"], "no control"),
        (["--span", "-1"], "above 0"),
    ],
)
def test_the_command_says_what_it_cannot_do(asked: list[str], says: str, capsys: Any) -> None:
    assert main(["landscape", "bounce", *asked]) == 2
    assert says in capsys.readouterr().err
