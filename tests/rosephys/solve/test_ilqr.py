"""Sweeps of optimal control: Riccati's equation, the box, and motions that are no stages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys import Problem, SceneError, descend
from rosephys.solve.riccati import box_minimum, solved
from rosephys.solve.stages import Stages
from tests.support.control import Cart, SwingUp
from tests.support.regulator import END, START, STEPS, A, B, Q, R, Regulator


def riccati() -> tuple[np.ndarray, float]:
    """The best controls, and what they cost, by the equation of Riccati."""
    gains, p = [], END
    for _ in range(STEPS):
        gain = np.linalg.solve(R + B.T @ p @ B, B.T @ p @ A)
        p = Q + A.T @ p @ (A - B @ gain)
        gains.insert(0, gain)
    x, controls = START, []
    for gain in gains:
        controls.append(-gain @ x)
        x = (A - B @ gain) @ x
    return np.array(controls), float(START @ p @ START)


@pytest.mark.parametrize("optimizer", ["ilqr", "ddp"])
def test_a_linear_regulator_is_solved_in_one_sweep(optimizer: str) -> None:
    controls, cost = riccati()
    first, second, *_ = descend(Problem(Regulator()), optimizer=optimizer, iterations=5)
    np.testing.assert_allclose(second.values["push"], controls, rtol=0, atol=1e-9)
    assert second.loss == pytest.approx(cost, rel=1e-9) and first.loss > cost


def test_the_stages_add_up_to_the_gradient() -> None:
    problem = Problem(SwingUp())
    values = {"force": 3 * np.random.default_rng(0).standard_normal(100)}
    stages = Stages(problem)
    run = stages.first(problem.complete(values))
    constants = problem.split(values)[1]
    loss, gradient = problem.value_and_gradient(values)
    found = stages.gradient(stages.slopes(run, constants))
    np.testing.assert_allclose(found[:, 0], gradient["force"], rtol=1e-9, atol=1e-9)
    ahead, total = stages.ahead(run, constants)
    np.testing.assert_allclose(ahead, run.x[1:], rtol=1e-12)
    assert total == pytest.approx(loss, rel=1e-12) and run.loss == loss


def test_the_curvature_of_a_stage_is_the_derivative_of_its_slope() -> None:
    problem = Problem(SwingUp())
    stages, constants = Stages(problem), problem.split({})[1]
    run = stages.first(problem.complete({"force": np.linspace(-5, 5, 100)}))
    weights, t, h = np.array([0.3, -1.0, 2.0, 0.7]), 40, 1e-5

    def slope(k: int, by: float) -> np.ndarray:
        x, u = run.x.copy(), run.u.copy()
        (x if k < 4 else u)[t, k if k < 4 else 0] += by
        moved = type(run)(x, run.others, u, 0.0)
        slopes = stages.slopes(moved, constants)
        return slopes.l[t] + weights @ slopes.f[t]

    differences = np.array([(slope(k, h) - slope(k, -h)) / (2 * h) for k in range(5)])
    every = stages.curvatures(run, np.tile(weights, (100, 1)), constants)
    np.testing.assert_allclose(every[t], differences, rtol=1e-6, atol=1e-6)


class Looking(Cart):
    """A step that sees the force of the first one too."""

    def step(self, state: Any, t: Any) -> Any:
        moved = Cart.step(self, state, t)
        return type(moved)(moved.place + 0.01 * self.force[0], moved.speed)


class Paying(Cart):
    """A loss that sees the forces, which belongs into the cost."""

    def loss(self, final: Any) -> Any:
        return Cart.loss(self, final) + ra.sum(self.force * self.force)


@pytest.mark.parametrize("kind", [Looking, Paying])
@pytest.mark.parametrize("optimizer", ["ilqr", "ddp", "multiple-shooting"])
def test_what_is_not_made_of_stages_is_refused(kind: Any, optimizer: str) -> None:
    start = {"force": np.ones(20)}
    with pytest.raises(SceneError, match=f"{kind.__name__.lower()} is not made of stages"):
        next(descend(Problem(kind()), optimizer=optimizer, values=start))


IN_BOX = ra.fn(lambda *given: box_minimum(*given))
SOLVED = ra.fn(lambda matrix, right: solved(matrix, right))


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(0, 10_000))
def test_the_minimum_in_a_box_is_that_of_bounded_least_squares(size: int, seed: int) -> None:
    lsq = pytest.importorskip("scipy.optimize").lsq_linear
    draw = np.random.default_rng(seed)
    root, target = draw.standard_normal((size + 1, size)), draw.standard_normal(size + 1)
    root = np.concatenate([root, 0.3 * np.eye(size)])
    target = np.concatenate([target, np.zeros(size)])
    low, high = -draw.exponential(size=size), draw.exponential(size=size)
    curve, slope = root.T @ root, -root.T @ target
    found, free, positive = IN_BOX(curve, slope, low, high)
    known = lsq(root, target, (low, high), tol=1e-14, method="bvls").x
    np.testing.assert_allclose(found, known, atol=1e-7)
    gradient = slope + curve @ found  # Karush, Kuhn, Tucker
    held = free == 0
    assert positive and np.abs(gradient[~held]).max(initial=0.0) < 1e-9
    assert ((found == low) & (gradient > 0) | (found == high) & (gradient < 0))[held].all()


def test_a_box_has_no_minimum_where_the_curvature_of_what_is_free_is_not_positive() -> None:
    bent = np.diag([1.0, -1.0])
    assert not IN_BOX(bent, np.zeros(2), np.full(2, -1.0), np.ones(2))[2]
    held, free, positive = IN_BOX(
        bent, np.array([0.5, -5.0]), np.full(2, -1.0), np.array([1.0, 0.0])
    )
    assert positive and free.tolist() == [1.0, 0.0] and held.tolist() == [-0.5, 0.0]


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 10_000))
def test_elimination_solves_and_says_whether_a_matrix_is_positive(
    n: int, r: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    turn = np.linalg.qr(draw.standard_normal((n, n)))[0]
    values = draw.uniform(0.1, 5.0, n) * draw.choice([-1.0, 1.0], n, p=[0.2, 0.8])
    matrix, right = turn @ np.diag(values) @ turn.T, draw.standard_normal((n, r))
    found, positive = SOLVED(matrix, right)
    assert positive == (values > 0).all()
    if positive:
        np.testing.assert_allclose(matrix @ found, right, atol=1e-10)


@pytest.mark.parametrize("optimizer", ["ilqr", "ddp", "multiple-shooting"])
def test_a_loss_that_is_not_finite_has_words(optimizer: str) -> None:
    from rosephys import OptimizeError

    problem = Problem(Cart())
    with pytest.raises(OptimizeError, match="the loss is inf after 0 updates"):
        next(descend(problem, optimizer=optimizer, values={"miss": np.inf}))
