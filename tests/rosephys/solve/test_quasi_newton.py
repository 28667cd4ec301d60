"""Our own L-BFGS: minima that are known, bounds, losses that are not finite, and losses that never fall."""

from __future__ import annotations

import math
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest

from rosephys.solve.quasi_newton import quasi_newton
from tests.support.valleys import START, bounded, rosenbrock


def test_it_finds_the_end_of_a_curved_valley() -> None:
    points = list(quasi_newton(rosenbrock, START, *bounded(-np.inf, np.inf, 10)))
    np.testing.assert_allclose(points[-1].x, 1.0, atol=1e-7)
    assert len(points) < 300
    assert all(b.loss < a.loss for a, b in pairwise(points))


@pytest.mark.parametrize("seed", range(8))
def test_of_a_bounded_bowl_it_finds_the_lowest_point(seed: int) -> None:
    """The minimum has no slope where it is free, and one outward where it is held."""
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((6, 6))
    hessian, middle = a @ a.T + 0.1 * np.eye(6), rng.standard_normal(6)

    def bowl(x: Any) -> tuple[float, Any]:
        return float(0.5 * (x - middle) @ hessian @ (x - middle)), hessian @ (x - middle)

    *_, last = quasi_newton(bowl, np.zeros(6), *bounded(-0.3, 0.4, 6))
    assert last.x.min() >= -0.3 and last.x.max() <= 0.4
    free = (last.x > -0.3) & (last.x < 0.4)
    np.testing.assert_allclose(last.gradient[free], 0.0, atol=1e-5)
    assert (last.gradient[last.x == -0.3] >= -1e-12).all()
    assert (last.gradient[last.x == 0.4] <= 1e-12).all()


@pytest.mark.parametrize("beyond", [math.nan, math.inf])
def test_a_step_to_where_the_loss_is_not_finite_is_shortened(beyond: float) -> None:
    def loss(x: Any) -> tuple[float, Any]:
        if x[0] > 0.9:
            return beyond, np.full(1, math.nan)
        return float((x[0] - 0.8) ** 2), 2 * (x - 0.8)

    *_, last = quasi_newton(loss, np.zeros(1), *bounded(-np.inf, np.inf, 1))
    assert last.x[0] == pytest.approx(0.8, abs=1e-7)


def test_the_first_step_is_of_length_one_at_most() -> None:
    start, after = islice(quasi_newton(rosenbrock, START, *bounded(-np.inf, np.inf, 10)), 2)
    assert np.linalg.norm(after.x - start.x) <= 1 + 1e-12


def test_it_ends_where_nothing_is_lower() -> None:
    wrong = [(1.0, np.ones(2)), (1.0, np.zeros(2)), (1.0, np.full(2, math.nan))]
    for told in wrong:
        points = list(quasi_newton(lambda x, told=told: told, np.zeros(2), *bounded(-1, 1, 2)))
        assert len(points) == 1
    free = bounded(-np.inf, np.inf, 0)
    assert len(list(quasi_newton(lambda x: (0.0, x), np.zeros(0), *free))) == 1
