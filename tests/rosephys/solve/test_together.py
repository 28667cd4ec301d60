"""Ensembles in stages: the same optimum as without, of members that differ in anything, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Ensemble, Mpc, Problem, Scene, SceneError, control, descend, normal, parameter
from rosephys.solve.together import Together, one_motion
from tests.support.control import Cart, Swinging, SwingUp
from tests.support.scenes import Lob

VARIED = {
    "a weight of the loss": {"miss": normal(2000.0)},
    "the time step": {"dt": normal(0.004)},
    "both": {"miss": normal(2000.0), "dt": normal(0.004)},
}
STAGED = ("ilqr", "ddp", "multiple-shooting")


class Windy(Cart):
    """A cart with a mass, a start, and a wind of each step, which may vary; all costs are squares."""

    mass: float = parameter(1.0, "mass", unit="kg", spread=normal(0.1))
    start: float = parameter(0.0, "where it starts", unit="m", spread=normal(0.2))
    wind: Any = parameter(lambda s: np.zeros(s.steps), "force of the wind", spread=normal(0.5))

    def initial(self) -> Any:
        return {"place": self.start, "speed": 0.0, "gone": 0}

    def step(self, state: Any, t: Any) -> Any:
        push = (self.force[t] + self.wind[t]) / self.mass
        return {
            "place": state["place"] + self.dt * (state["speed"] + 0.5 * self.dt * push),
            "speed": state["speed"] + self.dt * push,
            "gone": state["gone"] + 1,
        }

    def cost(self, state: Any, t: Any) -> Any:
        return self.force[t] ** 2 + 0.1 * state["speed"] ** 2

    def loss(self, final: Any) -> Any:
        return self.miss * ((final["place"] - 1.0) ** 2 + final["speed"] ** 2)


def last_of(problem: Problem, optimizer: str) -> Any:
    *_, last = descend(problem, optimizer=optimizer, iterations=50)
    return last


@cache
def cart(what: str) -> Ensemble:
    return Ensemble(Cart(), 5, spread=VARIED[what], seed=1)


@pytest.mark.parametrize("optimizer", STAGED)
@pytest.mark.parametrize("what", VARIED)
def test_a_quadratic_ensemble_is_solved_in_one_sweep(what: str, optimizer: str) -> None:
    """To the optimum that Newton's method finds, which knows of no stages."""
    problem = cart(what)
    found, known = last_of(problem, optimizer), last_of(problem, "newton-cg")
    assert found.iteration == 1
    assert found.loss == pytest.approx(known.loss, rel=1e-9)
    assert problem.loss(found.values) == pytest.approx(found.loss, rel=1e-12)
    np.testing.assert_allclose(found.values["force"], known.values["force"], atol=1e-4)


@pytest.mark.parametrize("optimizer", ["ilqr", "ddp"])
def test_members_may_differ_in_their_mass_their_start_and_the_noise_of_each_step(
    optimizer: str,
) -> None:
    problem = Ensemble(Windy(), 6)
    found, known = last_of(problem, optimizer), last_of(problem, "newton-cg")
    assert found.loss == pytest.approx(known.loss, rel=1e-9)


@pytest.mark.parametrize("what", VARIED)
def test_members_together_have_the_loss_and_the_gradient_of_the_mean(what: str) -> None:
    problem = cart(what)
    values = {"force": np.linspace(3.0, -3.0, 20)}
    one = problem.value_and_gradient(values)
    other = one_motion(problem).value_and_gradient(values)
    assert other[0] == pytest.approx(one[0], rel=1e-12)
    np.testing.assert_allclose(other[1]["force"], one[1]["force"], rtol=1e-9, atol=1e-9)


class Tilted(SwingUp):
    """A pole that is to stay upright on a cart whose gravity is not known."""

    steps = 30
    gravity: float = parameter(9.81, "gravity", unit="m/s²", spread=normal(0.5))

    def step(self, state: Swinging, t: Any) -> Swinging:
        angle = state.place[1]
        rate = state.rate + self.dt * ra.array(
            [self.force[t], -self.gravity * ra.sin(angle) / 0.5 - self.force[t] * ra.cos(angle)]
        )
        return Swinging(state.place + self.dt * rate, rate)

    def cost(self, state: Swinging, t: Any) -> Any:
        x, angle = state.place
        return 10 * ((angle - np.pi) ** 2 + 0.1 * x**2) + 1e-2 * self.force[t] ** 2


def test_a_plan_for_an_ensemble_is_its_optimum_from_that_state() -> None:
    problem = Ensemble(Tilted(), 4)
    state = Swinging(np.array([0.0, np.pi - 0.1]), np.zeros(2))
    controller = Mpc(problem, 1e6, sweeps=200)
    force = controller.plan(state)["force"]
    losses, own = [], Mpc(Problem(Tilted()), 1e6, sweeps=200)
    for gravity in problem.draws({})["gravity"]:
        own.plan(state, {"gravity": gravity})
        losses.append(own.loss)
    assert force.shape == (30,)
    assert controller.loss > np.mean(losses)  # one plan for all is no better than each its own


class Long(Scene):
    """A state of 50 numbers."""

    steps: int = parameter(3, "number of time steps")
    pull: float = parameter(1.0, "a number", spread=normal(0.1))
    push: Any = control(lambda s: np.zeros(s.steps), "push in each step")

    def initial(self) -> Any:
        return ra.zeros(50)

    def step(self, state: Any, t: Any) -> Any:
        return state + self.pull * self.push[t]

    def loss(self, final: Any) -> Any:
        return ra.sum(final**2)


MISS = {"miss": normal(1.0)}
WRONG: dict[str, Callable[[], Any]] = {
    "ilqr takes the mean of an ensemble, which is a sum of costs, not worst": lambda: next(
        descend(Ensemble(Cart(), 2, risk="worst", spread=MISS), optimizer="ilqr")
    ),
    "ddp takes the mean of an ensemble, which is a sum of costs, not cvar:0.9": lambda: next(
        descend(Ensemble(Cart(), 2, risk="cvar:0.9", spread=MISS), optimizer="ddp")
    ),
    "a motion in stages takes the mean": lambda: Mpc(
        Ensemble(Cart(), 2, risk="worst", spread=MISS)
    ),
    "3 members of 50 floats are a state of 150, and 128 is the most that is solved in stages: take 2 members or"
    " fewer": lambda: next(descend(Ensemble(Long(), 3), optimizer="ilqr")),
    "needs controls with a row for each step": lambda: next(
        descend(Ensemble(Lob(), 2, spread={"goal": normal(0.2)}), optimizer="ddp")
    ),
    "that is no state of tilted": lambda: Mpc(Ensemble(Tilted(), 2)).plan(
        Swinging(np.zeros(3), np.zeros(2))
    ),
    "that is no state of  tilted": lambda: Mpc(Ensemble(Tilted(), 2)).plan(3.0),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_is_told(words: str) -> None:
    with pytest.raises(SceneError) as told:
        WRONG[words]()
    assert " ".join(words.split()) in str(told.value)


def test_what_is_compiled_is_compiled_once() -> None:
    problem = Ensemble(Cart(), 3, spread=MISS)
    assert one_motion(problem) is one_motion(problem)
    assert isinstance(one_motion(problem), Together)
    plain = Problem(Cart())
    assert one_motion(plain) is plain
