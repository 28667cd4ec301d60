"""Advection in closed form, and its transpose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.fields.advection import advect

DRAW = np.random.default_rng(3)


@pytest.mark.parametrize("by", [(0, 0), (3, -5), (-17, 40)])
def test_whole_cells_are_carried_exactly(by: tuple[int, int]) -> None:
    q = DRAW.normal(size=(9, 12))
    u, w = (np.full(q.shape, float(k)) for k in by)
    (out,) = ra.fn(lambda q, u, w: advect((q,), u, w))(q, u, w)
    np.testing.assert_allclose(out, np.roll(q, by, (0, 1)), atol=1e-14)


def test_a_wall_keeps_what_is_beside_it() -> None:
    q = DRAW.normal(size=(6, 8))
    (out,) = ra.fn(lambda q: advect((q,), np.full(q.shape, 2.5), np.zeros(q.shape), "wall"))(q)
    np.testing.assert_allclose(out[:3], q[:1].repeat(3, axis=0), atol=1e-14)
    np.testing.assert_allclose(out[3:], (q[:3] + q[1:4]) / 2, atol=1e-14)


def test_advection_is_of_second_order_in_space_for_one_step() -> None:
    errors = []
    for n in (32, 64, 128):
        x = 2 * np.pi * np.arange(n) / n
        q = np.sin(x)[:, None] * np.cos(2 * x)
        u, w = np.full((n, n), 0.3), np.full((n, n), -0.6)
        (out,) = ra.fn(lambda q, u, w: advect((q,), u, w))(q, u, w)
        h = 2 * np.pi / n
        exact = np.sin(x - 0.3 * h)[:, None] * np.cos(2 * (x + 0.6 * h))
        errors.append(np.abs(out - exact).max())
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.1)


@pytest.mark.parametrize("edges", ["periodic", "wall", "zero"])
def test_the_transpose_of_advection(edges: Any) -> None:
    q, ct, u, w = DRAW.normal(size=(4, 20, 19))
    forward = ra.fn(lambda q: advect((q,), u, w, edges)[0])
    back = ra.fn(lambda ct: ra.vjp(lambda q: advect((q,), u, w, edges)[0], q)[1](ct)[0])
    assert np.vdot(ct, forward(q)) == pytest.approx(np.vdot(back(ct), q), rel=1e-12)


@pytest.mark.parametrize("by", [(3.0, 0.0), (-2.5, 0.0), (0.5, 1.0), (40.0, 0.0), (0.0, -1e12)])
def test_nothing_comes_from_beyond_an_edge_of_zeros(by: tuple[float, float]) -> None:
    q = DRAW.normal(size=(7, 9))
    u, w = (np.full(q.shape, b) for b in by)
    (out,) = ra.fn(lambda q, u, w: advect((q,), u, w, "zero"))(q, u, w)
    padded = {(i, j): q[i, j] for i in range(7) for j in range(9)}
    for (i, j), found in np.ndenumerate(out):
        x, y = i - by[0], j - by[1]
        a, b = np.floor([x, y])
        expected = sum(
            (1 - abs(x - c)) * (1 - abs(y - d)) * padded.get((c, d), 0.0)
            for c in (a, a + 1)
            for d in (b, b + 1)
        )
        assert found == pytest.approx(expected, abs=1e-12)


def test_ones_carried_by_three_from_an_edge_of_zeros() -> None:
    q = np.ones((8, 2))
    (out,) = ra.fn(lambda q: advect((q,), 3.0 * q, 0.0 * q, "zero"))(q)
    assert out[:, 0].tolist() == [0, 0, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize("edges", ["periodic", "wall", "zero"])
def test_a_velocity_that_is_no_number_makes_none(edges: Any) -> None:
    q, u = np.ones((5, 6)), np.zeros((5, 6))
    u[2, 3] = np.nan
    for pair in ((u, 0 * q), (0 * q, u)):
        (out,) = ra.fn(lambda q, u, w: advect((q,), u, w, edges))(q, *pair)
        assert np.isnan(out[2, 3]) and np.isfinite(out).sum() == 29
