"""When a distance first falls through zero, against the roots of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.pool.falls import falls_to_circle, falls_to_line

line = ra.fn(lambda c, b, a, h: falls_to_line(c, b, a, h))
circle = ra.fn(lambda x, v, a, d, h: falls_to_circle(x, v, a, d, h))


def first_fall(p: Any, horizon: float) -> float:
    """By the companion matrix; p has its highest power first."""
    roots = np.roots(p)
    real = np.sort(roots[abs(roots.imag) < 1e-7].real)
    slope = np.polyder(p)
    falling = [t for t in real if 0 <= t <= horizon and np.polyval(slope, t) < 0]
    return falling[0] if falling else np.inf


@pytest.mark.parametrize("seed", range(10))
def test_of_a_line(seed: int) -> None:
    random = np.random.default_rng(seed)
    for _ in range(200):
        b, a = random.normal(size=2) * 10.0 ** random.uniform(-3, 1, 2)
        c, horizon = random.uniform(0, 1), random.uniform(0, 5)
        expected = first_fall([a, b, c], horizon)
        assert line(c, b, a, horizon) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_of_a_circle(seed: int) -> None:
    random = np.random.default_rng(seed)
    met = 0
    for k in range(200):
        gap, v, a = random.normal(size=(3, 2)) * 10.0 ** random.uniform(-1, 1, (3, 1))
        a = [a, 0 * a, -0.3 * v, -0.4 * gap][k % 4]
        distance = random.uniform(0, 1) * np.linalg.norm(gap)
        half, horizon = a / 2, random.uniform(0, 5)
        p = [
            half @ half,
            2 * v @ half,
            v @ v + 2 * gap @ half,
            2 * gap @ v,
            gap @ gap - distance**2,
        ]
        while p and p[0] == 0:
            p = p[1:]
        expected = first_fall(p, horizon)
        met += np.isfinite(expected)
        found = circle(gap, v, a, distance, horizon)
        if np.isfinite(expected) and abs(expected - horizon) > 1e-6:
            assert found == pytest.approx(expected, rel=1e-7)
            place = gap + found * v + found**2 * half
            assert abs(place @ place - distance**2) < 1e-12 * (1 + gap @ gap + found**2 * (v @ v))
        elif not np.isfinite(expected):
            assert found == np.inf
    assert met > 20


ONE, NONE, LEFT = np.array([1.0, 0.0]), np.zeros(2), np.array([-1.0, 0.0])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((ONE, LEFT, NONE, 1.0, 5.0), 0.0),  # touches, and comes nearer
        ((ONE, ONE, NONE, 1.0, 5.0), np.inf),  # touches, and leaves
        ((ONE, ONE, 2 * LEFT, 1.0, 5.0), 1.0),  # leaves, and is back after a second
        ((ONE, NONE, NONE, 1.0, 5.0), np.inf),  # rests there
        ((3 * ONE, LEFT, NONE, 1.0, 1.9), np.inf),  # is there too late
        ((3 * ONE, LEFT, NONE, 1.0, 2.1), 2.0),
        ((np.array([3.0, 1.0]), LEFT, NONE, 1.0, 9.0), np.inf),  # is touched and no more
    ],
)
def test_what_touches_now(arguments: Any, expected: float) -> None:
    assert circle(*arguments) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_near_miss_and_a_graze(scale: float) -> None:
    # past a circle of radius 1 at the distance 1 ± δ, straight: the graze is at 3 - √(2δ) to the last digits
    for delta in (1e-3, 1e-6, 1e-9):
        v = LEFT * scale
        graze = circle(np.array([3.0, 1.0 - delta]), v, NONE, 1.0, 9.0 / scale)
        exact = (3.0 - np.sqrt(1.0 - (1.0 - delta) ** 2)) / scale
        assert graze == pytest.approx(exact, rel=1e-15 / delta**0.5)
        assert circle(np.array([3.0, 1.0 + delta]), v, NONE, 1.0, 9.0 / scale) == np.inf
