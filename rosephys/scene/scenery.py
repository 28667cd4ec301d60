"""What several scenes draw around their physics."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra

from .picture import Arrow, Lines, Polygon, Text

SOLID = "solid"  # the fill of a solid body


def as_far_as_it_can(middle: tuple[float, float], length: float) -> tuple[Arrow, Text]:
    """An arrow to the right under words: what walkers are to do."""
    x, y = middle
    arrow = Arrow((x - length / 2, y), (length, 0.0), "good", 3.0)
    return arrow, Text((x, y + 0.1 * length), "as far as it can", "good")


def level_ground(height: Any) -> tuple[Polygon, Lines, Lines]:
    """The ground, marks a tenth apart, and its surface."""
    left, right, deep = -2.0, 4.0, -2.0
    soil = ra.array([[left, deep], [right, deep], [right, height], [left, height]])
    marks = np.arange(left, right, 0.1)[:, None] * (1.0, 0.0) + ra.array([0.0, height])
    return (
        Polygon(soil, "earth"),
        Lines(marks, marks - np.array([0.0, 0.012]), "line", 1.5),
        Lines(soil[3:], soil[2:3], "faint", 2.0),
    )
