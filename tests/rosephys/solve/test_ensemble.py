"""Ensembles: risks against closed forms, gradients against differences, and what cannot be."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import (
    Constraint,
    Ensemble,
    OptimizeError,
    Problem,
    Scene,
    SceneError,
    control,
    descend,
    log_uniform,
    normal,
    parameter,
    uniform,
)
from rosephys.scene.optimizers import OPTIMIZERS
from rosephys.solve.constraints import flat, violation
from tests.rosephys.solve.test_least_squares import Spring, measured
from tests.support.control import Rest, Slow
from tests.support.scenes import Lob, Place

RISKS = ["mean", "worst", "cvar:0", "cvar:0.5", "cvar:0.9", "cvar:0.97"]
GOAL = {"goal": normal(0.2)}


def risk_of(risk: str, losses: np.ndarray) -> float:
    """The definition of Rockafellar and Uryasev: the least of t + E[(l - t)+] / (1 - α), at one of the l."""
    if risk in ("mean", "worst"):
        return float(losses.mean() if risk == "mean" else losses.max())
    level = float(risk.partition(":")[2])
    return min(t + np.maximum(losses - t, 0).mean() / (1 - level) for t in losses)


@pytest.mark.parametrize("risk", RISKS)
def test_a_risk_is_that_of_its_definition(risk: str) -> None:
    problem = Ensemble(Lob(), 37, risk=risk, spread=GOAL, seed=3)
    end = np.array([0.0, 0.25]) + np.array([1.0, 0.5])
    goals = problem.draws({})["goal"]
    losses = np.sum((end - goals) ** 2, axis=1)
    np.testing.assert_allclose(problem.member_losses({}), losses, rtol=1e-12)
    assert problem.loss({}) == pytest.approx(risk_of(risk, losses), rel=1e-12)


@pytest.mark.parametrize("risk", RISKS)
def test_a_gradient_is_that_of_differences_in_both_modes(risk: str) -> None:
    problem = Ensemble(Lob(), 37, risk=risk, spread=GOAL, seed=3)
    loss, gradient = problem.value_and_gradient({})
    assert loss == pytest.approx(problem.loss({}), rel=1e-14)
    for name, found in problem.central_differences(problem.values).items():
        np.testing.assert_allclose(gradient[name], found, rtol=1e-6)
        way = {name: np.ones(found.shape)}
        assert problem.slope({}, way) == pytest.approx(gradient[name].sum(), rel=1e-10)
        np.testing.assert_allclose(problem.hessian_product({}, way)[name], 2.0, rtol=1e-9)


def test_an_expected_square_is_that_of_the_mean_and_the_variance() -> None:
    count, deviation = 20_000, 0.2
    problem = Ensemble(Lob(), count, spread={"goal": normal(deviation)})
    off = np.array([1.0, 0.75]) - np.array([0.5, 0.7])
    expected = off @ off + 2 * deviation**2
    error = math.sqrt(4 * deviation**2 * (off @ off) + 4 * deviation**4) / math.sqrt(count)
    loss, gradient = problem.value_and_gradient({})
    assert loss == pytest.approx(expected, abs=4 * error)
    np.testing.assert_allclose(gradient["velocity"], 2 * off, atol=8 * deviation / math.sqrt(count))


def test_the_best_of_the_mean_is_at_the_mean_and_of_the_worst_in_the_middle() -> None:
    at = {}
    for risk in ("mean", "worst"):
        problem = Ensemble(Lob(), 15, risk=risk, spread={"goal": uniform([0.5, 1e-9])}, seed=1)
        how = {"optimizer": "adam", "rate": 0.01, "iterations": 600}
        best = min(descend(problem, **how), key=lambda iterate: iterate.loss)
        at[risk] = best.values["velocity"][0]
    goals = problem.draws({})["goal"][:, 0]
    assert at["mean"] == pytest.approx(goals.mean(), abs=1e-3)
    assert at["worst"] == pytest.approx((goals.min() + goals.max()) / 2, abs=1e-2)


def test_members_are_the_same_with_a_seed_and_those_of_a_smaller_ensemble_come_first() -> None:
    few, many, other = (
        Ensemble(Lob(), n, spread=GOAL, seed=s).draws({})["goal"]
        for n, s in ((4, 0), (9, 0), (4, 1))
    )
    np.testing.assert_array_equal(few, many[:4])
    assert not np.any(few == other)


def test_members_are_drawn_about_the_values_that_are_asked_for() -> None:
    problem = Ensemble(Lob(), 5, spread=GOAL)
    here, there = (problem.draws({"goal": g})["goal"] for g in ([0.0, 0.0], [3.0, 1.0]))
    np.testing.assert_allclose(there - here, np.broadcast_to([3.0, 1.0], (5, 2)), atol=1e-12)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_nothing(threads: int) -> None:
    problem = Ensemble(Lob(), 37, risk="cvar:0.5", spread=GOAL, threads=threads)
    known = Ensemble(Lob(), 37, risk="cvar:0.5", spread=GOAL, threads=2)
    assert problem.value_and_gradient({})[0] == known.value_and_gradient({})[0]


def test_a_choice_of_controls_has_the_risk_it_has_alone() -> None:
    problem = Ensemble(Lob(), 6, risk="cvar:0.5", spread=GOAL)
    speeds = np.array([[1.0, 0.5], [0.2, 0.1], [0.5, 0.4]])
    alone = [problem.loss({"velocity": v}) for v in speeds]
    np.testing.assert_allclose(problem.losses({}, {"velocity": speeds}), alone, rtol=1e-14)


class Heavy(Scene):
    """A push that moves a mass, which is known but for a factor of two; its place is never below zero."""

    steps: int = 4
    mass: float = parameter(2.0, "mass", unit="kg", bounds=(1.5, 9.0), spread=log_uniform(2.0))
    noise: Any = parameter(
        lambda s: np.zeros(s.steps), "of each step", spread=lambda random, v: v + random.normal()
    )
    push: float = control(1.0, "push")

    def initial(self) -> Place:
        return Place(ra.array([0.0, 0.0]))

    def step(self, state: Place, t: Any) -> Place:
        return Place(state.at + ra.array([self.push / self.mass, self.noise[t]]))

    def loss(self, final: Place) -> Any:
        return ra.dot(final.at, final.at)


def test_a_scene_says_what_varies_and_draws_keep_to_bounds() -> None:
    problem = Ensemble(Heavy(), 200)
    draws = problem.draws({})
    assert draws["mass"].min() == 1.5 and 3.9 < draws["mass"].max() <= 4.0
    assert draws["noise"].shape == (200, 4) and np.all(draws["noise"][:, :1] == draws["noise"])
    expected = np.mean(16 / draws["mass"] ** 2 + 16 * draws["noise"][:, 0] ** 2)
    assert problem.loss({}) == pytest.approx(expected, rel=1e-12)
    assert Problem(Heavy()).loss({}) == 4.0  # one scene is what it was


def test_least_squares_see_every_member() -> None:
    known = {"seen": normal(0.05)}
    problem = Ensemble(measured().scene, 12, spread=known)
    seen = problem.draws({})["seen"].mean(axis=0)
    for optimizer in ("gauss-newton", "levenberg-marquardt"):
        *_, last = descend(problem, optimizer=optimizer, iterations=40)
        *_, mean = descend(Problem(Spring(seen=seen)), optimizer=optimizer, iterations=40)
        np.testing.assert_allclose(last.values["spring"], mean.values["spring"], atol=1e-6)
    with pytest.raises(SceneError, match="those of its mean, not of worst"):
        Ensemble(measured().scene, 3, risk="worst", spread=known).residuals({})


@cache
def lopsided(risk: str) -> Ensemble:
    """Of three goals, whose mean and whose middle are both far from the scene's own."""
    return Ensemble(Lob(), 3, risk=risk, spread={"goal": uniform([1.5, 1e-9])}, seed=4)


@pytest.mark.parametrize("risk", ["mean", "worst"])
@pytest.mark.parametrize("optimizer", [n for n, o in OPTIMIZERS.items() if not o.needs])
def test_what_every_optimiser_finds_is_least_for_the_members_and_not_for_the_scene_alone(
    optimizer: str, risk: str
) -> None:
    if extra := OPTIMIZERS[optimizer].extra:
        pytest.importorskip("scipy.optimize" if extra == "scipy" else extra)
    problem = lopsided(risk)
    goals = problem.draws({})["goal"][:, 0]
    least = goals.var() if risk == "mean" else (np.ptp(goals) / 2) ** 2
    alone = risk_of(risk, (goals - 0.5) ** 2)
    found = descend(problem, optimizer=optimizer, rate=0.05, iterations=60, starts=4)
    best = min(found, key=lambda iterate: iterate.loss)
    assert best.loss == pytest.approx(problem.loss(best.values), rel=1e-9)
    assert least * (1 - 1e-9) <= best.loss < least + 0.3 * (alone - least)


def test_a_member_that_is_lost_is_named() -> None:
    def wild(random: Any, value: Any) -> Any:
        return value * 1e308 if random.random() < 0.3 else value

    problem = Ensemble(Lob(), 8, spread={"goal": wild})
    with pytest.raises(OptimizeError, match=r"the loss is inf after 0 updates: member \d of the"):
        next(descend(problem, optimizer="adam"))


def test_a_pickled_ensemble_is_the_same() -> None:
    problem = Ensemble(Lob(), 6, risk="cvar:0.5", spread=GOAL, seed=4)
    again = pickle.loads(pickle.dumps(problem))
    assert again.loss({}) == problem.loss({})


class Dragged(Slow):
    """A cart whose drag is not known: it comes near 1, and is never fast."""

    drag: float = parameter(0.2, "drag", unit="1/s", spread=normal(0.05))

    def step(self, state: Any, t: Any) -> Any:
        after = Slow.step(self, state, t)
        return type(after)(after.place, after.speed * (1 - self.dt * self.drag))

    def end_constraints(self, final: Any) -> Any:
        return (
            Constraint("near", ra.array([final.place, final.speed]), [0.95, -0.1], [1.05, 0.1]),
        )


def test_constraints_are_those_of_every_member() -> None:
    problem = Ensemble(Dragged(), 3)
    values, along = {"force": np.linspace(2, -2, 20)}, {"force": np.cos(np.arange(20.0))}
    numbers = flat(problem, values)[0]
    for k in range(3):
        alone = flat(Problem(Dragged()), problem.member(values, k))[0]
        np.testing.assert_allclose(numbers[:63].reshape(21, 3)[:, k], alone[:21], atol=1e-14)
        np.testing.assert_allclose(numbers[63:].reshape(3, 2)[k], alone[21:], atol=1e-14)
    ahead, behind = ({"force": values["force"] + h * along["force"]} for h in (1e-6, -1e-6))
    slopes = problem.constraint_derivatives(values)["force"] @ along["force"]
    differences = (flat(problem, ahead)[0] - flat(problem, behind)[0]) / 2e-6
    np.testing.assert_allclose(slopes, differences, atol=1e-8)
    weights = np.sin(np.arange(len(numbers)))
    found = problem.constraint_hessian_product(values, weights, along)["force"]
    np.testing.assert_allclose(found, 0.0, atol=1e-9)  # the motion is linear in the force


@pytest.mark.parametrize("optimizer", ["slsqp", "trust-constr"])
def test_every_member_keeps_them(optimizer: str) -> None:
    pytest.importorskip("scipy", reason="the extra `test` has it")
    problem = Ensemble(Dragged(), 4, risk="worst")
    best = min(descend(problem, optimizer=optimizer, iterations=80), key=lambda i: i.rank)
    assert best.violation <= 1e-6
    for k in range(4):
        assert violation(Problem(Dragged()), problem.member(best.values, k)) <= 2e-6
    alone = min(descend(Problem(Dragged()), optimizer=optimizer), key=lambda i: i.rank)
    assert (
        max(violation(Problem(Dragged()), {**problem.member(alone.values, k)}) for k in range(4))
        > 1e-4
    )
    assert best.loss >= alone.loss


SEEN = {"seen": normal(0.1)}
WRONG: dict[str, Callable[[], Any]] = {
    "an ensemble has 1 to 1000000 members, not 0": lambda: Ensemble(Lob(), 0, spread=GOAL),
    "members, not -3": lambda: Ensemble(Lob(), -3, spread=GOAL),
    "members, not 2.5": lambda: Ensemble(Lob(), 2.5, spread=GOAL),  # type: ignore[arg-type]
    "members, not True": lambda: Ensemble(Lob(), True, spread=GOAL),
    'a risk is "mean", "worst" or "cvar:0.9"': lambda: Ensemble(Lob(), 2, risk="bad", spread=GOAL),
    "of a level from 0 to 1, not 'cvar:1'": lambda: Ensemble(Lob(), 2, risk="cvar:1", spread=GOAL),
    "not 'cvar:much'": lambda: Ensemble(Lob(), 2, risk="cvar:much", spread=GOAL),
    "nothing varies in lob": lambda: Ensemble(Lob(), 2),
    "steps is the int 10: only floats": lambda: Ensemble(Lob(), 2, spread={"steps": normal(1)}),
    "lift is a control": lambda: Ensemble(Lob(), 2, spread={"lift": normal(1)}),
    "lob has no field 'gaol'; did you mean goal": lambda: Ensemble(
        Lob(), 2, spread={"gaol": normal(1)}
    ),
    "the spread of goal is 0.1": lambda: Ensemble(Lob(), 2, spread={"goal": 0.1}),  # type: ignore[dict-item]
    "the spread of goal gave": lambda: Ensemble(
        Lob(), 2, spread={"goal": lambda random, value: np.zeros(3)}
    ).loss({}),
    "goal gave numbers that are not finite": lambda: Ensemble(
        Lob(), 2, spread={"goal": lambda random, value: value * np.nan}
    ).loss({}),
    "augmented-lagrangian keeps the constraints of one motion": lambda: next(
        descend(Ensemble(Rest(), 2, spread={"miss": normal(1)}), optimizer="augmented-lagrangian")
    ),
    "adam keeps none: take slsqp, trust-constr": lambda: next(
        descend(Ensemble(Rest(), 2, spread={"miss": normal(1)}), optimizer="adam")
    ),
    "gauss-newton takes the mean of an ensemble, which is a sum of squares, not worst": lambda: (
        next(descend(Ensemble(Spring(), 2, risk="worst", spread=SEEN), optimizer="gauss-newton"))
    ),
    "levenberg-marquardt takes the mean of an ensemble": lambda: next(
        descend(
            Ensemble(Spring(), 2, risk="cvar:0.5", spread=SEEN), optimizer="levenberg-marquardt"
        )
    ),
    "ilqr keeps the constraints of one motion": lambda: next(
        descend(Ensemble(Rest(), 2, spread={"miss": normal(1)}), optimizer="ilqr")
    ),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_is_told(words: str) -> None:
    with pytest.raises(SceneError) as told:
        WRONG[words]()
    assert words in str(told.value)
