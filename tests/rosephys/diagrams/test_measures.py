"""Gaps and depths against closed forms and against polygons that shapes are made into; derivatives against
differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.diagrams.measures import Outline, apart_along_an_axis, depth, gap

ROWS = {  # centre, half-sizes of the box, radii, half of the line
    "disc": (0.0, 0.0, 0.0, 0.0, 20.0, 20.0, 0.0, 0.0),
    "ellipse": (0.0, 0.0, 0.0, 0.0, 30.0, 12.0, 0.0, 0.0),
    "box": (0.0, 0.0, 25.0, 10.0, 0.0, 0.0, 0.0, 0.0),
    "rounded": (0.0, 0.0, 15.0, 8.0, 6.0, 6.0, 0.0, 0.0),
    "line": (0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 30.0, 18.0),
    "point": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}

both = ra.fn(lambda a, b: (gap(Outline(*a), Outline(*b)), depth(Outline(*a), Outline(*b))))
gaps = ra.fn(lambda a, b: gap(Outline(*a), Outline(*b)))
depths = ra.fn(lambda a, b: depth(Outline(*a), Outline(*b)))


def reach(shape: Any, n: np.ndarray) -> np.ndarray:
    """The support function in directions (k, 2), as the docstring says it."""
    _, _, w, h, a, b, dx, dy = shape
    x, y = n.T
    oval = np.sqrt((dx * x + dy * y) ** 2 + (a * x) ** 2 + (b * y) ** 2)
    return np.asarray(w * abs(x) + h * abs(y) + oval)


def by_many_directions(one: Any, other: Any) -> tuple[float, float]:
    """The gap and the depth from a hundred thousand directions."""
    turn = np.linspace(0, 2 * math.pi, 100_000, endpoint=False)
    n = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    between = n @ (np.array(other[:2]) - np.array(one[:2]))
    a, b = reach(one, n), reach(other, n)
    return -float((a + b - between).min()), float((a - b - between).min())


def placed(name: str, x: float, y: float) -> np.ndarray:
    return np.array([x, y, *ROWS[name][2:]])


@pytest.mark.parametrize("one", ROWS)
@pytest.mark.parametrize("other", ROWS)
def test_gap_and_depth_are_those_of_many_directions(one: str, other: str) -> None:
    random = np.random.default_rng(0)
    for distance in (3.0, 25.0, 60.0, 140.0):
        turn = random.uniform(0, 2 * math.pi)
        a, b = (
            placed(one, 5.0, -3.0),
            placed(other, distance * math.cos(turn), distance * math.sin(turn)),
        )
        found = both(a, b)
        assert np.allclose(found, by_many_directions(a, b), atol=2e-3)
        assert (
            float(ra.fn(lambda p, q: apart_along_an_axis(Outline(*p), Outline(*q)))(a, b))
            <= found[0] + 1e-9
        )


def test_discs_and_boxes_in_closed_form() -> None:
    disc, box = placed("disc", 0.0, 0.0), placed("box", 100.0, 0.0)
    assert gaps(disc, placed("disc", 30.0, 40.0)) == pytest.approx(10.0, abs=1e-6)
    assert gaps(disc, box) == pytest.approx(100 - 20 - 25, abs=1e-5)
    assert gaps(box, placed("box", 100.0, 15.0)) == pytest.approx(-5.0, abs=1e-5)
    corner = math.hypot(60 - 25, 50 - 10) - 20  # the disc is beyond a corner of the box
    assert gaps(placed("box", 0.0, 0.0), placed("disc", 60.0, 50.0)) == pytest.approx(
        corner, abs=1e-4
    )
    assert depths(disc, placed("point", 0.0, 5.0)) == pytest.approx(15.0, abs=1e-5)
    inner = 20 - math.hypot(3 + 8, 4 + 6)  # the farthest corner of a box in a disc
    small = np.array([3.0, 4.0, 8.0, 6.0, 0.0, 0.0, 0.0, 0.0])
    assert depths(disc, small) == pytest.approx(inner, abs=1e-4)


@pytest.mark.parametrize("measure", [gaps, depths], ids=["gap", "depth"])
@pytest.mark.parametrize("one", ["disc", "ellipse", "box", "line"])
@pytest.mark.parametrize("other", ["ellipse", "rounded", "line", "point"])
def test_derivatives_are_those_of_differences(measure: Any, one: str, other: str) -> None:
    a, b = placed(one, 0.0, 0.0), placed(other, 47.0, 33.0)
    slopes = ra.grad(measure, argnums=(0, 1))(a, b)
    for which, slope in enumerate(slopes):
        for k in range(8):
            if not (a, b)[which][k] and k >= 2:  # at 0 sizes have a corner
                continue
            step = np.zeros((2, 8))
            step[which, k] = 1e-3
            up, down = (measure(a + s * step[0], b + s * step[1]) for s in (1, -1))
            assert float(slope[k]) == pytest.approx((up - down) / 2e-3, abs=5e-3)
