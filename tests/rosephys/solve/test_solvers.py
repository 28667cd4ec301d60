"""Every optimiser, on problems of optimal control with known solutions, and what it refuses."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import (
    Constraint,
    OptimizeError,
    Problem,
    Scene,
    SceneError,
    control,
    descend,
    parameter,
)
from rosephys.scene.optimizers import COMMON, CONSTRAINED, OPTIMIZERS, offered
from rosephys.solve import optimize
from rosephys.solve.iterate import Iterate
from rosephys.solve.optimize import SOLVERS
from tests.support.control import Cart, Rest, Slow, best_force
from tests.support.scenes import Lob

optimize_of_scipy = pytest.importorskip("scipy.optimize", reason="the extra `test` has it")

SMOOTH = ["lbfgs", "newton-cg", "slsqp", "trust-constr", "ilqr", "ddp", "multiple-shooting"]
KEEPING = [name for name, row in OPTIMIZERS.items() if row.constraints]


class Weak(Cart):
    """The cart with a force of at most 4, which the best would exceed at both ends."""

    force: Any = control(lambda scene: np.zeros(scene.steps), "force", bounds=(-4.0, 4.0))


def best(scene: Any, optimizer: str, **how: Any) -> Iterate:
    found = descend(
        Problem(scene), optimizer=optimizer, iterations=how.pop("iterations", 200), **how
    )
    return min(found, key=lambda iterate: iterate.rank)


def squares(scene: Cart) -> tuple[np.ndarray, np.ndarray]:
    """The loss of a cart as |a u - b|², from its equations of motion alone."""
    n, dt = scene.steps, scene.dt
    left = n - np.arange(n) - 0.5  # steps from the middle of each
    rows = [np.sqrt(scene.miss) * dt * dt * left, np.sqrt(scene.miss) * dt * np.ones(n)]
    a = np.concatenate([rows, np.sqrt(dt) * np.eye(n)])
    return a, np.concatenate([[np.sqrt(scene.miss), 0.0], np.zeros(n)])


def test_the_table_has_every_solver_and_no_other() -> None:
    assert set(SOLVERS) == set(OPTIMIZERS)
    assert set(COMMON) | set(CONSTRAINED) <= set(OPTIMIZERS)
    assert set(CONSTRAINED) <= set(KEEPING)
    for row in OPTIMIZERS.values():
        assert row.step and row.suits and row.source
        assert row.needs in ("", "residuals", "stages") and row.extra in ("", "scipy", "cma")


def test_what_is_offered_has_what_is_preferred() -> None:
    assert offered("gd", False) == COMMON and offered("ddp", False) == (*COMMON, "ddp")
    assert offered("slsqp", True) == CONSTRAINED and offered("ilqr", True)[-1] == "ilqr"


@pytest.mark.parametrize("optimizer", SMOOTH)
@pytest.mark.parametrize("kind", [Cart, Weak])
def test_a_quadratic_problem_has_the_solution_of_linear_algebra(kind: Any, optimizer: str) -> None:
    scene = kind()
    bounds = scene.fields["force"].bounds or (-np.inf, np.inf)
    known = optimize_of_scipy.lsq_linear(*squares(scene), bounds, tol=1e-14)
    found = best(scene, optimizer, rate=1.0)
    assert found.loss == pytest.approx(2 * known.cost, rel=1e-6)
    np.testing.assert_allclose(found.values["force"], known.x, atol=2e-3)
    assert (np.abs(found.values["force"]) <= bounds[1]).all()


@pytest.mark.parametrize(
    ("optimizer", "rate", "iterations"),
    [
        ("gd", 1e-2, 1500),
        ("momentum", 1e-3, 300),
        ("adam", 0.3, 500),
        ("cma-es", 1.0, 400),
        ("cma-gradient", 1.0, 30),
    ],
)
def test_so_it_has_for_those_that_take_longer(optimizer: str, rate: float, iterations: int) -> None:
    scene = Cart(steps=4, dt=0.25, miss=100.0)
    known = optimize_of_scipy.lsq_linear(*squares(scene))
    found = best(scene, optimizer, rate=rate, iterations=iterations)
    assert found.loss == pytest.approx(2 * known.cost, rel=2e-3)


@pytest.mark.parametrize("optimizer", KEEPING)
@pytest.mark.parametrize("steps", [10, 20])
def test_the_least_effort_to_come_to_rest(optimizer: str, steps: int) -> None:
    """u = 6 - 12 t costs 12, as far as steps can follow it."""
    found = best(Rest(steps=steps, dt=1 / steps), optimizer, rate=1.0)
    np.testing.assert_allclose(found.values["force"], best_force(steps), atol=1e-4)
    assert found.loss == pytest.approx(12 / (1 - 1 / steps**2), rel=1e-5)
    assert found.violation <= 1e-6


@pytest.mark.parametrize("optimizer", KEEPING)
def test_a_limit_along_the_way_is_kept_and_costs_least(optimizer: str) -> None:
    scene = Slow()
    n, dt = scene.steps, scene.dt
    found = best(scene, optimizer, rate=1.0)
    force = found.values["force"]
    speeds = dt * np.cumsum(force)
    assert speeds.max() <= 1.2 + 1e-6 and found.violation <= 1e-6
    held = np.flatnonzero(speeds > 1.2 - 1e-4)
    assert len(held) > 3
    # the conditions of Karush, Kuhn and Tucker, with those steps at the limit
    ends = [dt * dt * (n - np.arange(n) - 0.5), np.full(n, dt)]
    rows = np.array([*ends, *(dt * (np.arange(n) <= k) for k in held)])
    matrix = np.block([[2 * dt * np.eye(n), rows.T], [rows, np.zeros((len(rows),) * 2)]])
    solved = np.linalg.solve(
        matrix, np.concatenate([np.zeros(n), [1.0, 0.0], np.full(len(held), 1.2)])
    )
    np.testing.assert_allclose(force, solved[:n], atol=5e-3)
    assert (solved[n + 2 :] > 0).all()
    assert found.loss == pytest.approx(dt * np.sum(solved[:n] ** 2), rel=1e-5)


@pytest.mark.parametrize("optimizer", KEEPING)
def test_what_cannot_be_kept_is_told_by_what_is_off(optimizer: str) -> None:
    """A force of at most 1 cannot bring the cart there in time."""

    class Feeble(Rest):
        force: Any = control(lambda scene: np.zeros(scene.steps), "force", bounds=(-1.0, 1.0))

    found = list(descend(Problem(Feeble()), optimizer=optimizer, iterations=12, rate=1.0))
    assert all(iterate.violation > 0.1 for iterate in found)
    assert all(np.abs(iterate.values["force"]).max() <= 1 + 1e-9 for iterate in found)


@pytest.mark.parametrize("optimizer", [n for n in OPTIMIZERS if n not in KEEPING])
def test_constraints_are_refused_by_those_that_keep_none(optimizer: str) -> None:
    said = f"rest has constraints, and {optimizer} keeps none: take slsqp, "
    with pytest.raises(SceneError, match=said):
        next(descend(Problem(Rest()), optimizer=optimizer))


@pytest.mark.parametrize("optimizer", ["gauss-newton", "levenberg-marquardt"])
def test_residuals_are_asked_for(optimizer: str) -> None:
    with pytest.raises(
        SceneError, match=f"{optimizer} needs a loss that is residuals alone: lob has"
    ):
        next(descend(Problem(Lob()), optimizer=optimizer))


@pytest.mark.parametrize("optimizer", [n for n, row in OPTIMIZERS.items() if row.needs == "stages"])
def test_a_row_of_controls_for_each_step_is_asked_for(optimizer: str) -> None:
    with pytest.raises(SceneError, match=r"needs controls with a row for each step, as \("):
        next(descend(Problem(Lob()), optimizer=optimizer))


@pytest.mark.parametrize("name", [n for n, row in OPTIMIZERS.items() if row.extra])
def test_a_missing_package_is_named_with_how_to_get_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimize, "find_spec", lambda module: None)
    for scene in (Rest(), Cart()) if OPTIMIZERS[name].constraints else (Cart(),):
        problem = Problem(scene)
        with pytest.raises(
            OptimizeError, match=rf'"{name}" needs .* pip install "rosephys\['
        ) as caught:
            next(descend(problem, optimizer=name))
        told = str(caught.value)
        assert f"rosephys[{OPTIMIZERS[name].extra}]" in told
        (other,) = re.findall(r'"([\w-]+)" needs no further package', told)
        next(descend(problem, optimizer=other))  # the advice can be taken


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'sgd' is not one of gd, "):
        next(descend(Problem(Cart()), optimizer="sgd"))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_again_gives_the_same_bits(optimizer: str) -> None:
    if OPTIMIZERS[optimizer].needs == "residuals":
        pytest.skip("see test_least_squares.py")
    kind = Rest if OPTIMIZERS[optimizer].constraints else Cart
    how: Any = {"optimizer": optimizer, "iterations": 5, "rate": 1e-4, "seed": 3}
    once, again = ([i.loss for i in descend(Problem(kind()), **how)] for _ in range(2))
    assert once == again and len(once) > 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_it_ends_where_it_is_told_and_begins_at_the_start(optimizer: str) -> None:
    if OPTIMIZERS[optimizer].needs == "residuals":
        pytest.skip("see test_least_squares.py")
    problem = Problem(Slow() if OPTIMIZERS[optimizer].constraints else Cart())
    start = np.linspace(0.0, 0.1, 20)
    found = list(
        descend(problem, optimizer=optimizer, iterations=1, values={"force": start}, rate=1e-4)
    )
    assert [i.iteration for i in found] == [0, 1]
    np.testing.assert_allclose(found[0].values["force"], start, atol=1e-15)
    assert found[0].loss == pytest.approx(problem.loss({"force": start}), rel=1e-12)
    assert found[0].gradient.keys() == {"force"}


class Bound(Scene):
    """Nothing can be chosen: no controls; what is to be kept is kept by itself."""

    optimizer = "slsqp"
    steps: int = parameter(3, "number of time steps")

    def initial(self) -> Any:
        return ra.array([0.0])

    def step(self, state: Any, t: Any) -> Any:
        return state + 1.0

    def residuals(self, final: Any) -> Any:
        return final

    def end_constraints(self, final: Any) -> Any:
        return (Constraint("inside", final, 0.0, 5.0),)


class Loose(Bound):
    end_constraints = None  # type: ignore[assignment]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_scene_without_controls_has_its_start(optimizer: str) -> None:
    scene = Bound() if OPTIMIZERS[optimizer].constraints else Loose()
    (found,) = descend(Problem(scene), optimizer=optimizer, iterations=9)
    assert (found.loss, found.gradient, found.violation) == (9.0, {}, 0.0)


class One(Scene):
    """A single number is to be 0.3, at a loss of 1."""

    steps: int = parameter(1, "number of time steps")
    push: float = control(0.5, "a number", bounds=(-1.0, 2.0))

    def initial(self) -> Any:
        return 1.0 * self.push

    def step(self, state: Any, t: Any) -> Any:
        return state

    def loss(self, final: Any) -> Any:
        return (final - 0.3) ** 2 + 1.0


@pytest.mark.parametrize(
    "optimizer", [n for n, row in OPTIMIZERS.items() if not row.needs and n != "normalized"]
)
def test_a_single_number_is_found(optimizer: str) -> None:
    found = best(One(), optimizer, rate=0.1, iterations=300)
    assert found.values["push"] == pytest.approx(0.3, abs=1e-3)


EVERYWHERE = [n for n, row in OPTIMIZERS.items() if not row.needs]


class Narrow(One):
    """The same between bounds that are close, at both of which the slope is infinite."""

    push: float = control(0.6, "a number", bounds=(0.0, 1.0))

    def loss(self, final: Any) -> Any:
        return (final - 0.3) ** 2 - 1e-3 * ra.sqrt(final) - 1e-3 * ra.sqrt(1.0 - final)


@pytest.mark.parametrize("optimizer", [n for n in EVERYWHERE if n != "smoothed"])
def test_what_is_told_is_so_within_close_bounds(optimizer: str) -> None:
    """A loss is that of its values; whatever a rate is, nothing lies outside."""
    problem = Problem(Narrow())
    try:
        for iterate in descend(problem, optimizer=optimizer, iterations=40, rate=0.3):
            assert 0.0 <= iterate.values["push"] <= 1.0
            assert iterate.loss == problem.loss(iterate.values)
    except OptimizeError as error:
        assert "the gradient in push is not finite" in str(error)
        assert optimizer not in ("cma-es", "cma-gradient", "multi-start")


class Corner(One):
    """Two numbers of which one begins at its bound."""

    push: Any = control((0.0, 0.5), "two numbers", bounds=(0.0, 1.0))

    def initial(self) -> Any:
        return ra.array(self.push)

    def loss(self, final: Any) -> Any:
        return ra.sum((final - ra.array([0.5, 0.25])) ** 2)


@pytest.mark.parametrize("optimizer", [n for n in EVERYWHERE if n != "normalized"])
def test_a_start_at_a_bound_is_left(optimizer: str) -> None:
    found = best(Corner(), optimizer, rate=0.05, iterations=200)
    np.testing.assert_allclose(found.values["push"], [0.5, 0.25], atol=0.05)


@pytest.mark.parametrize("optimizer", ["cma-es", "cma-gradient", "smoothed", "multi-start"])
def test_random_numbers_are_a_solvers_own(optimizer: str) -> None:
    """Neither does it draw from numpy's generator, nor does who does change what it finds."""

    def losses(drawing: bool) -> list[float]:
        found = []
        for iterate in descend(
            Problem(Corner()), optimizer=optimizer, iterations=4, rate=0.1, seed=0
        ):
            found.append(iterate.loss)
            if drawing:
                np.random.rand(3)
        return found

    before = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    quiet = losses(False)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # type: ignore[index]
    assert quiet == losses(True)


class Contradiction(One):
    """What cannot be kept: it is to be above 1 and below 0."""

    optimizer = "slsqp"
    push: float = control(0.7, "a number", bounds=(-5.0, 5.0))

    def end_constraints(self, final: Any) -> Any:
        return (Constraint("above", final, low=1.0), Constraint("below", final, high=0.0))


class Undefined(Contradiction):
    """A constraint that is no number about the start."""

    def end_constraints(self, final: Any) -> Any:
        return (Constraint("known", ra.where(abs(final - 0.7) < 0.1, np.nan, final), low=1.0),)


FREE = ["slsqp", "trust-constr", "augmented-lagrangian"]


@pytest.mark.parametrize("optimizer", FREE)
def test_constraints_that_contradict_each_other_are_off(optimizer: str) -> None:
    found = best(Contradiction(), optimizer, rate=0.1, iterations=40)
    assert (
        0.5 - 1e-6 <= found.violation <= 0.7 + 1e-6
    )  # no place is off by less, nor the start by more


@pytest.mark.parametrize("optimizer", FREE)
def test_a_constraint_that_is_no_number_is_told(optimizer: str) -> None:
    said = "the constraint 'known' is nan at the end|the loss is nan"
    with pytest.raises(OptimizeError, match=said):
        list(descend(Problem(Undefined()), optimizer=optimizer, iterations=5, rate=0.1))


@pytest.mark.parametrize(
    "optimizer", [name for name, row in OPTIMIZERS.items() if row.needs != "residuals"]
)
def test_controls_that_begin_outside_are_brought_within_their_bounds(optimizer: str) -> None:
    """The start is an iterate, too, and may be the best: of a cost that falls outwards it would be."""

    class Outwards(Weak):
        def cost(self, state: Any, t: Any) -> Any:
            return -self.force[t]

        def loss(self, final: Any) -> Any:
            return 0.0

    scene = Outwards(steps=4)
    outside = {"force": np.full(4, 9.0)}
    found = list(descend(Problem(scene), optimizer=optimizer, values=outside, iterations=2))
    assert max(float(np.abs(i.values["force"]).max()) for i in found) <= 4.0
    assert found[0].loss == pytest.approx(-4.0 * 4 * scene.dt)


class Rooted(Cart):
    """Where a number of it has no derivative: of first order in |u| by its root, of second in u**1.5."""

    force: Any = control(lambda scene: np.zeros(scene.steps), "force", bounds=(0.0, 4.0))


class CostOnce(Rooted):
    def cost(self, state: Any, t: Any) -> Any:
        return ra.sqrt(self.force[t] ** 2)


class CostTwice(Rooted):
    def cost(self, state: Any, t: Any) -> Any:
        return self.force[t] ** 1.5


class StepOnce(Rooted):
    def step(self, state: Any, t: Any) -> Any:
        push = ra.sqrt(self.force[t] ** 2)
        return type(state)(state.place + self.dt * state.speed, state.speed + self.dt * push)


class StepTwice(Rooted):
    def step(self, state: Any, t: Any) -> Any:
        push = self.force[t] ** 1.5
        return type(state)(state.place + self.dt * state.speed, state.speed + self.dt * push)


class LossTwice(Rooted):
    def loss(self, final: Any) -> Any:
        return final.place**1.5


class KeptOnce(Rest):
    def constraints(self, state: Any, t: Any) -> Any:
        return (Constraint("pace", ra.sqrt(state.speed**2), high=1.2),)


class KeptAtTheEnd(Rest):
    """Under two constraints of one name, of which the second is lost."""

    def constraints(self, state: Any, t: Any) -> Any:
        return (Constraint("pace", state.speed, high=1.2),)

    def end_constraints(self, final: Any) -> Any:
        return (Constraint("pace", ra.sqrt(final.speed**2), high=1.2),)


LOST = [
    *((kind, name) for kind in (CostOnce, StepOnce) for name in (*SMOOTH, "adam")),
    *((CostTwice, n) for n in ("newton-cg", "trust-constr", "ilqr", "ddp", "multiple-shooting")),
    (StepTwice, "ddp"),
    (StepTwice, "trust-constr"),
    (LossTwice, "ilqr"),
    (LossTwice, "multiple-shooting"),
    *((KeptOnce, name) for name in ("slsqp", "trust-constr", "multiple-shooting")),
]


@pytest.mark.parametrize(("kind", "optimizer"), LOST)
def test_a_derivative_that_is_not_finite_is_told(kind: Any, optimizer: str) -> None:
    """It ends no solve in silence, as if nothing could be better."""
    with pytest.raises(OptimizeError, match=r"(gradient|derivative) .*not finite"):
        list(descend(Problem(kind()), optimizer=optimizer, iterations=4))


def test_it_is_told_of_what_and_where() -> None:
    with pytest.raises(OptimizeError, match="the constraint 'pace' at step 1 is not finite"):
        list(descend(Problem(KeptOnce()), optimizer="slsqp", iterations=4))
    with pytest.raises(OptimizeError, match="the constraint 'pace' at the end is not finite"):
        list(descend(Problem(KeptAtTheEnd()), optimizer="slsqp", iterations=4))
    with pytest.raises(OptimizeError, match=r"the second derivative of `cost` .* at step 0"):
        list(descend(Problem(CostTwice()), optimizer="ilqr", iterations=4))
