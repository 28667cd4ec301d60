"""Numbers and messages, cut to their room."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys.drawing.numerals import number, vector
from rosephys.drawing.words import wrapped


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.0453761, "0.0454"),
        (-0.5, "\N{MINUS SIGN}0.5000"),
        (1234.5678, "1234.56"),
        (2.171e-5, "2.17e\N{MINUS SIGN}05"),
        (-3e9, "\N{MINUS SIGN}3.00e+09"),
        (float("nan"), "nan"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_vectors_and_messages_are_cut_to_their_room() -> None:
    assert vector(np.array([1.0, 2.0])) == "1.0000, 2.0000"
    assert vector(np.full((3, 3), 2.0)) == "9 numbers, 2.0000 to 2.0000"
    lines = wrapped("scene.py:3:\n    return x / 0\n           ^\n" + "word " * 50, 14, 300, "code")
    assert lines[:3] == ["scene.py:3:", "    return x / 0", "           ^"]
    assert all(len(line) < 60 for line in lines) and len(lines) > 8
