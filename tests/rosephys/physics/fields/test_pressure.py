"""Pressure: every solver against closed forms, and its derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, find_scene
from rosephys.physics.fields.pressure import SOLVERS, divergence, project
from tests.support.whirls import whirls

DRAW = np.random.default_rng(3)


def smoke(**settings: Any) -> Problem:
    return Problem(find_scene("smoke", settings))


def test_divergence_of_waves() -> None:
    n, k = 24, 2 * np.pi / 24
    u = np.sin(k * np.arange(n))[:, None].repeat(n, 1)
    d = ra.fn(lambda u, w: divergence(u, w, 1.0))(u, np.zeros((n, n)))
    np.testing.assert_allclose(
        d, np.cos(k * np.arange(n))[:, None].repeat(n, 1) * np.sin(k), atol=1e-13
    )
    d = ra.fn(lambda u, w: divergence(u, w, 1.0))(*whirls(n))
    np.testing.assert_allclose(d, 0, atol=1e-14)


@pytest.mark.parametrize("edges", ["periodic", "wall"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_finds_the_pressure(solver: str, edges: Any) -> None:
    n = 12 if solver == "gauss-seidel" else 13  # chess boards are even, and Jacobi blind to them
    d = DRAW.normal(size=(n, n))
    d -= d.mean()
    p = ra.fn(lambda d: SOLVERS[solver](d, 2000, edges))(d)
    mode = "wrap" if edges == "periodic" else "edge"
    wide = np.pad(p, 1, mode=mode)  # type: ignore[call-overload]
    near = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]
    np.testing.assert_allclose(near - 4 * p, d, atol=1e-7)


def test_sweeps_shrink_the_divergence_and_colours_faster() -> None:
    n = 16
    x = 2 * np.pi * np.arange(n) / n
    u, w = np.sin(x)[:, None] * np.ones(n), np.zeros((n, n))

    def left(solver: str, sweeps: int) -> float:
        out = ra.fn(lambda u, w: divergence(*project(u, w, 1.0, solver, sweeps), 1.0))(u, w)
        return float(np.abs(out).max())

    before = float(np.abs(ra.fn(lambda u, w: divergence(u, w, 1.0))(u, w)).max())
    jacobi = [left("jacobi", k) for k in (5, 20, 80)]
    coloured = [left("gauss-seidel", k) for k in (5, 20, 80)]
    assert before > jacobi[0] > jacobi[1] > jacobi[2]
    assert all(g < j for g, j in zip(coloured[:2], jacobi[:2], strict=True))


def test_the_derivative_of_conjugate_gradients_is_that_of_the_solution() -> None:
    d = DRAW.normal(size=(8, 10))
    along = DRAW.normal(size=d.shape)
    weights = DRAW.normal(size=d.shape)
    f = ra.fn(lambda d: ra.sum(weights * SOLVERS["conjugate-gradient"](d, 200, "periodic")))
    slope = np.vdot(ra.grad(f)(d), along)  # f is linear
    assert slope == pytest.approx(f(d + along) - f(d), rel=1e-8)


def test_whirls_decay_at_the_order_of_the_scheme() -> None:
    """Whirls of Taylor and Green stand still without viscosity; all that they lose is the scheme's error.

    A step mixes neighbours, which is a viscosity in proportion to the cell's width: over one time the loss
    halves with the width.
    """
    losses = []
    for n in (24, 48, 96):
        problem = smoke(cells=n, steps=n // 8, solver="conjugate-gradient")
        u, w = whirls(n)
        trajectory = problem.trajectory({**problem.values, "u": u, "w": w})
        energy = np.sum(trajectory.u**2 + trajectory.w**2, axis=(1, 2))
        assert (np.diff(energy) < 0).all()
        losses.append(1 - energy[-1] / energy[0])
    np.testing.assert_allclose(np.log2(np.divide(losses[:-1], losses[1:])), 1, atol=0.35)
