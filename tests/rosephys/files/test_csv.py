"""Curves as text: which can be written side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rosephys import SceneError
from rosephys.files.csv import write_csv
from rosephys.solve.curves import Curves


def curve(title: str, over: str, rows: int) -> Curves:
    return Curves(title, over, np.arange(float(rows)), np.ones((rows, 1)), (title,))


def test_curves_over_the_same_numbers(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [curve("angle", "time, s", 2), curve("push", "time, s", 2)])
    assert (tmp_path / "a.csv").read_text() == "time,angle,push\n0.0,1.0,1.0\n1.0,1.0,1.0\n"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (curve("loss", "iteration", 3), "one first column, not iteration and time, s"),
        (curve("push", "time, s", 2), "one number of rows, not 2 of push and 3 of angle"),
    ],
)
def test_curves_over_different_numbers(other: Curves, said: str, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=f"a .csv has {said}; write two files"):
        write_csv(tmp_path / "a.csv", [curve("angle", "time, s", 3), other])
    assert not (tmp_path / "a.csv").exists()
