"""Smoke: advection and pressure against closed forms, a second program, and differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.fields.advection import advect
from rosephys.physics.fields.pressure import SOLVERS, divergence, project

Array = np.ndarray[Any, Any]
DRAW = np.random.default_rng(3)


def smoke(**settings: Any) -> Problem:
    return Problem(find_scene("smoke", settings))


def whirls(n: int, speed: float = 0.5) -> tuple[Array, Array]:
    """A velocity without divergence, in cells a step: Taylor and Green's."""
    x = 2 * np.pi * np.arange(n) / n
    return (
        speed * np.cos(x)[:, None] * np.sin(x),
        -speed * np.sin(x)[:, None] * np.cos(x),
    )


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


# -------------------------------------------------------------------------------- advection


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


@pytest.mark.parametrize("edges", ["periodic", "wall"])
def test_the_transpose_of_advection(edges: Any) -> None:
    q, ct, u, w = DRAW.normal(size=(4, 20, 19))
    forward = ra.fn(lambda q: advect((q,), u, w, edges)[0])
    back = ra.fn(lambda ct: ra.vjp(lambda q: advect((q,), u, w, edges)[0], q)[1](ct)[0])
    assert np.vdot(ct, forward(q)) == pytest.approx(np.vdot(back(ct), q), rel=1e-12)


# --------------------------------------------------------------------------------- pressure


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


# -------------------------------------------------------------------------------- the gradient


@pytest.mark.parametrize("solver", SOLVERS)
def test_gradient_agrees_with_differences_along_directions(solver: str) -> None:
    n = 22
    problem = smoke(cells=n, steps=8, solver=solver)
    u, w = whirls(n, 0.7)
    values = {**problem.values, "u": u + 0.03, "w": w - 0.07}
    _, gradient = problem.value_and_gradient(values)
    loose = solver == "conjugate-gradient"  # which ends at ten digits
    h, near = (1e-5, 1e-5) if loose else (1e-7, 1e-6)
    for _ in range(3):
        along = {name: DRAW.normal(size=(n, n)) for name in ("u", "w")}
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
