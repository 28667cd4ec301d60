"""Model-predictive control: a pole stays upright under pushes, plans are warm, and a budget is kept to."""

from __future__ import annotations

import math
from itertools import count
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Mpc, OptimizeError, Problem, SceneError, descend
from tests.support.control import Cart, Rest, Swinging, SwingUp
from tests.support.scenes import Lob


class Balance(SwingUp):
    """The pole is to stay upright, over a horizon of 40 steps."""

    steps = 40

    def cost(self, state: Swinging, t: Any) -> Any:
        (x, angle), (speed, turning) = state.place, state.rate
        off = (angle - math.pi) ** 2 + 0.1 * turning**2 + 0.2 * x**2 + 0.1 * speed**2
        return 10 * off + 1e-2 * self.force[t] ** 2


@pytest.fixture(scope="module")
def balance() -> Problem:
    return Problem(Balance())


def stepping(problem: Problem) -> Any:
    """The scene's own step from a state under a force, compiled."""

    @ra.fn
    def step(state: Any, force: Any) -> Any:
        scene = problem.bound({"force": ra.broadcast_to(force, (40,))}, problem.split({})[1])
        return scene.stepping(state)(state, 0)

    return step


@pytest.mark.parametrize("exact", [False, True])
def test_a_pole_stays_upright_under_pushes(balance: Problem, exact: bool) -> None:
    step, draw = stepping(balance), np.random.default_rng(2)
    controller = Mpc(balance, 1000.0, sweeps=3, exact=exact)
    state = Swinging(np.array([0.0, math.pi - 0.2]), np.zeros(2))
    for frame in range(300):
        force = controller.plan(state)["force"][0]
        assert abs(force) <= 10.0
        state = step(state, force)
        if frame % 50 == 25 and frame < 200:
            state = Swinging(state.place, state.rate + 0.8 * draw.standard_normal(2))
        assert abs(state.place[1] - math.pi) < 0.6
    assert abs(state.place[1] - math.pi) < 0.02 and abs(state.place[0]) < 0.3


def test_a_plan_is_the_optimum_from_its_state(balance: Problem) -> None:
    state = balance.initial(balance.values)
    planned = Mpc(balance, 1e6, exact=True, sweeps=1000)
    force = planned.plan(state)["force"]
    *_, last = descend(balance, optimizer="ddp", iterations=1000)
    np.testing.assert_allclose(force, last.values["force"], atol=1e-6)
    assert planned.loss == pytest.approx(last.loss, rel=1e-9)


def test_a_plan_goes_on_from_the_last(balance: Problem) -> None:
    step = stepping(balance)
    controller = Mpc(balance, 1e6, sweeps=200)
    state = Swinging(np.array([0.0, math.pi - 0.3]), np.zeros(2))
    force = controller.plan(state)["force"][0]
    cold = controller.made
    state = step(state, force)
    controller.plan(state)
    assert controller.made < cold


@pytest.mark.parametrize("milliseconds", [1.0, 3.5, 10.0])
def test_no_sweep_begins_that_would_end_too_late(balance: Problem, milliseconds: float) -> None:
    """By a clock that goes on by a millisecond whenever it is looked at."""
    ticks = count()
    state = Swinging(np.array([0.0, 0.0]), np.zeros(2))
    controller = Mpc(balance, milliseconds, clock=lambda: next(ticks) / 1000)
    controller.plan(state)
    passed = next(ticks) - 1
    assert controller.made == 1 or passed <= milliseconds
    assert controller.made >= milliseconds / 3


def test_fields_may_change_from_plan_to_plan() -> None:
    problem = Problem(Cart())
    start = problem.initial(problem.values)
    near, far = (Mpc(problem, 1e6).plan(start, {"miss": m})["force"] for m in (1e4, 1e-6))
    assert np.abs(near).max() > 5 and np.abs(far).max() < 1e-3


def test_what_cannot_be_is_told(balance: Problem) -> None:
    with pytest.raises(SceneError, match="that is no state of balance"):
        Mpc(balance).plan(Swinging(np.zeros(3), np.zeros(2)))
    with pytest.raises(SceneError, match="that is no state of balance"):
        Mpc(balance).plan(3.0)
    with pytest.raises(OptimizeError, match="the loss is nan from this state on"):
        Mpc(balance).plan(Swinging(np.array([0.0, np.nan]), np.zeros(2)))
    with pytest.raises(SceneError, match="rest has constraints, which a plan would not keep"):
        Mpc(Problem(Rest()))
    with pytest.raises(SceneError, match="needs controls with a row for each step"):
        Mpc(Problem(Lob()))
    for wrong in ({"milliseconds": 0.0}, {"milliseconds": math.nan}, {"sweeps": 0}):
        with pytest.raises(
            ValueError,
            match=r"wanted a (number above 0|whole number from 1 on)",
        ):
            Mpc(balance, **wrong)  # type: ignore[arg-type]
