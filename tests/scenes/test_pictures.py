"""The picture of every scene against the one that was approved, and that the comparison is worth something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rosephys.drawing.paint import backdrop, paint_shapes
from rosephys.scene.finding import scene_names
from rosephys.scene.picture import Circles, Cross, Lines, Picture, Polygon, Text
from rosephys.sdl import pygame
from tests.scenes.approve import APPROVED, SIZE, Pixels, difference, draw, main, pixels, read, write

LIMIT = 12.0  # of 255


@pytest.mark.parametrize("name", scene_names())
def test_a_scene_looks_as_it_was_approved(name: str, tmp_path: Path) -> None:
    approved = APPROVED / f"{name}.png"
    if not approved.exists():
        pytest.fail(
            f"{name} has no approved picture: `python -m tests.scenes.approve {name}` makes one"
        )
    found = draw(name)
    off = difference(found, read(approved))
    if not off < LIMIT:
        new = tmp_path / f"{name}.png"
        write(new, found)
        pytest.fail(
            f"{name} looks different, by {off:.3g} of 255. The new picture is {new}, the approved one"
            f" {approved}. If the new one is right: `python -m tests.scenes.approve {name}`"
        )


def test_every_approved_picture_is_of_a_scene_and_small() -> None:
    files = sorted(APPROVED.iterdir())
    assert {file.stem for file in files} <= set(scene_names())
    assert sum(file.stat().st_size for file in files) < 400_000


# ---- The comparison ----


def painted(
    ball: tuple[float, float] = (80.0, 60.0),
    shade: str = "accent",
    radius: float = 3.0,
    label: str = "goal",
    lean: float = 0.0,
) -> Pixels:
    """A small picture whose units are about its pixels."""
    shapes = (
        Polygon(((0, 0), (240, 0), (240, 20), (0, 20)), "earth"),
        Lines(((20.0, 20.0),), ((20.0 + lean, 120.0),), "ivory"),
        Cross((170.0, 90.0), "good"),
        Text((170.0, 70.0), label, "dim", 14.0),
        Circles((ball,), radius, (shade,)),
    )
    surface = pygame.Surface(SIZE, 0, 32)
    at = backdrop(surface, Picture(shapes, (0, 0, *SIZE)), surface.get_rect(), 0.5)
    paint_shapes(surface, Picture(shapes, (0, 0, *SIZE)), at)
    return pixels(surface)


def test_what_is_wrong_is_seen() -> None:
    right = painted()
    wrong = {
        "moved by two pixels": painted(ball=(82.0, 60.0)),
        "moved down by two pixels": painted(ball=(80.0, 58.0)),
        "moved far": painted(ball=(200.0, 100.0)),
        "of another colour": painted(shade="good"),
        "of a colour not far from it": painted(shade="#d09b3c"),
        "too large": painted(radius=4.5),
        "too small": painted(radius=2.0),
        "without a word": painted(label=""),
        "with a crooked line": painted(lean=4.0),
    }
    for what, picture in wrong.items():
        assert difference(right, picture) > LIMIT, what
        assert difference(picture, right) == difference(right, picture)


def test_what_differs_from_machine_to_machine_is_not() -> None:
    right = painted()
    rng = np.random.default_rng(0)
    noise = rng.integers(-6, 7, right.shape)
    same = {
        "the same": right,
        "moved by a quarter of a pixel": painted(ball=(80.25, 60.0)),
        "some noise": np.clip(right.astype(int) + noise, 0, 255).astype(np.uint8),
        "a little brighter": np.clip(right.astype(int) + 4, 0, 255).astype(np.uint8),
    }
    for what, picture in same.items():
        assert difference(right, picture) < LIMIT, what


def test_a_moved_ball_of_a_real_scene_is_seen() -> None:
    right = read(APPROVED / "billiards.png")
    wrong = right.copy()
    y, x = np.argwhere((right > 200).all(axis=2) & (np.arange(150)[:, None] > 40))[0]
    ball = np.s_[y - 2 : y + 6, x - 4 : x + 6]
    wrong[ball] = np.roll(right[ball], 2, axis=1)
    assert difference(right, wrong) > LIMIT


def test_a_picture_that_was_kept_is_almost_the_same(tmp_path: Path) -> None:
    right = painted()
    write(tmp_path / "kept.png", right)
    assert difference(right, read(tmp_path / "kept.png")) < 3


def test_approving_names_what_it_writes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.scenes.approve.APPROVED", tmp_path / "approved")
    assert main(["bounce"]) == 0
    assert [p.name for p in (tmp_path / "approved").iterdir()] == ["bounce.png"]
    assert main([]) == main(["no-such-scene"]) == 2
