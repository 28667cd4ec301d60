"""The scene of smoke: a second program, its gradient against differences, its picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.fields.pressure import SOLVERS
from tests.support.whirls import whirls

Array = np.ndarray[Any, Any]
DRAW = np.random.default_rng(3)


def smoke(**settings: Any) -> Problem:
    return Problem(find_scene("smoke", settings))


# --------------------------------------------------------------------------- a second program


def carried(q: Array, u: Array, w: Array) -> Array:
    n, m = q.shape
    x, y = np.arange(n)[:, None] - u, np.arange(m) - w
    i, j = np.floor(x), np.floor(y)
    fx, fy = x - i, y - j
    out = np.zeros_like(q)
    for a, share_x in ((0, 1 - fx), (1, fx)):
        for b, share_y in ((0, 1 - fy), (1, fy)):
            out += share_x * share_y * q[(i.astype(int) + a) % n, (j.astype(int) + b) % m]
    return out


def blown(u: Array, w: Array, s: Array, steps: int, sweeps: int) -> Array:
    """The smoke at the end, by the published rules in numpy."""
    h = 1 / len(u)
    for _ in range(steps):
        u, w = carried(u, u, w), carried(w, u, w)
        d = np.roll(u, -1, 0) - np.roll(u, 1, 0) + np.roll(w, -1, 1) - np.roll(w, 1, 1)
        p = np.zeros_like(u)
        for _ in range(sweeps):
            near = sum(np.roll(p, by, axis) for by in (1, -1) for axis in (0, 1))
            p = (-0.5 * h * d + near) / 4
        u = u - 0.5 / h * (np.roll(p, -1, 0) - np.roll(p, 1, 0))
        w = w - 0.5 / h * (np.roll(p, -1, 1) - np.roll(p, 1, 1))
        s = carried(s, u, w)
    return s


def test_descent_agrees_with_a_second_program() -> None:
    n = 44
    i, j = np.ogrid[:n, :n]
    target = 0.5 + 0.5 * np.sin(0.3 * i) * np.cos(0.21 * j)
    bands = np.zeros((n, n))
    for begin in (4, 20, 36):
        bands[begin : begin + 10] = 1
    problem = smoke(cells=n, steps=40, target=target, start="calm")
    for found in descend(problem, iterations=3, rate=20.0):
        u, w = found.values["u"], found.values["w"]
        expected = np.mean((target - blown(u, w, bands, 40, 6)) ** 2)
        assert found.loss == pytest.approx(expected, abs=1e-12)
    assert np.abs(u).max() > 0.01


# -------------------------------------------------------------------------------- the gradient


@pytest.mark.parametrize("solver", SOLVERS)
def test_gradient_agrees_with_differences_along_directions(solver: str) -> None:
    n = 22
    problem = smoke(cells=n, steps=8, solver=solver)
    u, w = whirls(n, 0.7)
    values = {**problem.values, "u": u + 0.03, "w": w - 0.07}
    _, gradient = problem.value_and_gradient(values)
    loose = solver == "conjugate-gradient"  # which ends at ten digits
    h, near = (1e-5, 1e-5) if loose else (1e-6, 1e-6)
    draw = np.random.default_rng(3)  # the same directions, whichever tests ran before
    for _ in range(3):
        along = {name: draw.normal(size=(n, n)) for name in ("u", "w")}
        sides = [
            problem.loss({**values, **{k: values[k] + s * h * along[k] for k in along}})
            for s in (1, -1)
        ]
        slope = sum(float(np.vdot(gradient[k], along[k])) for k in along)
        assert (sides[0] - sides[1]) / (2 * h) == pytest.approx(slope, rel=near, abs=1e-9)


def test_forward_and_reverse_mode_agree() -> None:
    n = 22
    problem = smoke(cells=n, steps=9)
    controls, constants = problem.split(problem.values)
    u, w = whirls(n)
    controls = {"u": u + 0.01, "w": w + 0.02}
    along = {name: DRAW.normal(size=(n, n)) for name in controls}
    still = {name: np.zeros_like(v) for name, v in constants.items()}
    _, slope = ra.jvp(problem._loss, (controls, constants), (along, still))
    gradient = ra.grad(problem._loss)(controls, constants)
    assert sum(np.vdot(gradient[k], along[k]) for k in along) == pytest.approx(slope, rel=1e-10)


def test_smoke_is_blown_into_the_picture() -> None:
    problem = smoke(cells=44, steps=40)
    losses = [found.loss for found in descend(problem, iterations=60, rate=40.0)]
    assert losses[-1] < 0.2 * losses[0]


def test_picture_shows_the_smoke() -> None:
    problem = smoke(cells=22, steps=4)
    trajectory = problem.trajectory(problem.values)
    image = problem.picture(trajectory, 0, problem.values).shapes[0]
    bands = image.values.max(axis=1)  # type: ignore[union-attr]
    assert image.values.shape == (22, 22) and bands[2:12].min() == 1 and bands[:2].max() == 0  # type: ignore[union-attr]
