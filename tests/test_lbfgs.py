"""L-BFGS within bounds against problems whose solutions are known."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, Scene, control, descend, parameter
from rosephys.lbfgs import lbfgs


def rosenbrock(x: Any) -> tuple[float, Any]:
    rise = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[1:] += 200 * rise
    gradient[:-1] -= 400 * x[:-1] * rise + 2 * (1 - x[:-1])
    return float(np.sum(100 * rise**2 + (1 - x[:-1]) ** 2)), gradient


def bounded(low: float, high: float, size: int) -> tuple[Any, Any]:
    return np.full(size, low), np.full(size, high)


def test_it_finds_the_end_of_a_curved_valley() -> None:
    points = list(lbfgs(rosenbrock, np.linspace(-1, 0.7, 10), *bounded(-np.inf, np.inf, 10)))
    np.testing.assert_allclose(points[-1].x, 1.0, atol=1e-10)
    assert len(points) < 150
    losses = [p.loss for p in points]
    assert all(b < a for a, b in pairwise(losses))


def test_a_bounded_minimum_has_no_slope_that_is_free() -> None:
    points = list(lbfgs(rosenbrock, np.linspace(-1, 0.7, 10), *bounded(-2.0, 0.8, 10)))
    last = points[-1]
    assert len(points) < 100 and all(p.x.max() <= 0.8 for p in points)
    held = last.x == 0.8
    assert held.any() and (last.gradient[held] < 0).all()
    np.testing.assert_allclose(last.gradient[~held], 0.0, atol=1e-5)


def test_a_quadratic_within_a_box_has_its_closed_form() -> None:
    target, weights = np.array([3.0, -0.2, -7.0, 0.5]), np.array([1.0, 100.0, 5.0, 2000.0])

    def loss(x: Any) -> tuple[float, Any]:
        return float(0.5 * weights @ (x - target) ** 2), weights * (x - target)

    *_, last = lbfgs(loss, np.zeros(4), *bounded(-1.0, 1.0, 4))
    np.testing.assert_allclose(last.x, np.clip(target, -1, 1), atol=1e-9)


def test_agrees_with_scipy() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    start = np.linspace(-1, 0.7, 10)
    found = optimize.minimize(
        rosenbrock, start, jac=True, method="L-BFGS-B", bounds=[(-2, 0.8)] * 10,
        options={"ftol": 1e-15, "gtol": 1e-10},
    )  # fmt: skip
    *_, last = lbfgs(rosenbrock, start, *bounded(-2.0, 0.8, 10))
    np.testing.assert_allclose(last.x, found.x, atol=1e-6)


class Valley(Scene):
    """Two controls of different shapes in a curved valley."""

    steps: int = parameter(1, "number of time steps")
    first: float = control(-1.2, "the first coordinate", bounds=(-2.0, 0.5))
    rest: Any = control((1.0, 0.3), "the others", rate=0.5)

    def initial(self) -> Any:
        return (self.first, self.rest)

    def step(self, state: Any, t: Any) -> Any:
        return state

    def loss(self, final: Any) -> Any:
        x, (y, z) = final
        return 100 * (y - x * x) ** 2 + (1 - x) ** 2 + 100 * (z - y * y) ** 2 + (1 - y) ** 2


def test_descend_parts_the_controls_and_ends_where_nothing_helps() -> None:
    iterates = list(descend(Problem(Valley()), iterations=500, rate=0.3, optimizer="lbfgs"))
    assert len(iterates) < 100
    assert [it.iteration for it in iterates] == list(range(len(iterates)))
    last = iterates[-1]
    assert last.values["first"] == pytest.approx(0.5, abs=1e-12)
    assert last.gradient["first"] < 0 and last.values["dt"] == 0.01
    np.testing.assert_allclose(last.gradient["rest"], 0.0, atol=1e-5)


def test_the_first_step_is_no_longer_than_the_rate() -> None:
    start, after = descend(Problem(Valley()), iterations=1, rate=0.01, optimizer="lbfgs")
    moved = np.append(after.values["rest"] / 0.5, after.values["first"])
    moved -= np.append(start.values["rest"] / 0.5, start.values["first"])
    assert 0 < np.linalg.norm(moved) <= 0.01 + 1e-12
