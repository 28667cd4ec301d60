"""Constraints and costs along the way: their numbers, their derivatives, and what is said of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Constraint, Problem, Scene, control, descend, parameter
from rosephys.command.check import check
from rosephys.command.cli import main
from rosephys.solve.constraints import FEASIBLE, excesses, flat, violation, worst
from rosephys.solve.curves import curves
from rosephys.solve.iterate import Iterate
from rosephys.solve.outcome import under_constraints
from tests.support.control import Cart, Rest, Slow, SwingUp, best_force

SEED = np.random.default_rng(7)


class Both(Slow):
    """A constraint of two numbers along the way as well, one side of each."""

    steps: int = parameter(6, "number of time steps")

    def constraints(self, state: Any, t: Any) -> Any:
        pair = ra.array([state.place, self.force[t] * state.speed])
        return (
            *Slow.constraints(self, state, t),
            Constraint("pair", pair, [-1.0, -np.inf], [np.inf, 2.0]),
        )


class Unbound(Cart):
    """Constraints that are none, as a setting may make them."""

    optimizer = "slsqp"
    steps: int = parameter(6, "number of time steps")

    def constraints(self, state: Any, t: Any) -> Any:
        return ()


@pytest.mark.parametrize("optimizer", ["slsqp", "trust-constr", "augmented-lagrangian"])
def test_no_constraints_are_constraints(optimizer: str) -> None:
    problem = Problem(Unbound())
    first, *_, last = descend(problem, iterations=5, optimizer=optimizer)
    assert last.loss < first.loss
    assert all(found.verdict != "FAILED" for found in check(problem))


class Endless(Unbound):
    """A constraint of a number that is not finite, which is seen when it is computed."""

    def constraints(self, state: Any, t: Any) -> Any:
        return (Constraint("endless", ra.exp(1000.0 + self.force[t] ** 2), 0.0),)


def test_a_number_that_is_not_finite_is_off() -> None:
    problem = Problem(Endless())
    (found,) = excesses(problem, problem.values)
    assert found.off == np.inf and not found.kept and violation(problem, problem.values) == np.inf


def test_the_cost_is_added_up_over_the_steps() -> None:
    problem = Problem(Cart())
    values = {"force": SEED.standard_normal(20)}
    states = problem.trajectory(values)
    effort = 0.05 * np.sum(values["force"] ** 2)
    end = 1e4 * ((states.place[-1] - 1) ** 2 + states.speed[-1] ** 2)
    assert problem.loss(values) == pytest.approx(effort + end, rel=1e-13)
    np.testing.assert_allclose(problem.costs(values), values["force"] ** 2, rtol=1e-14)
    batch = {"force": np.stack([values["force"], np.zeros(20)])}
    assert problem.losses({}, batch) == pytest.approx([effort + end, 1e4], rel=1e-13)


@pytest.mark.parametrize("kind", [Cart, SwingUp])
def test_a_cost_has_its_gradient_and_curvature(kind: Any) -> None:
    problem = Problem(kind())
    n = problem.steps
    values, along = {"force": SEED.standard_normal(n)}, {"force": SEED.standard_normal(n)}
    _, gradient = problem.value_and_gradient(values)
    h = 1e-5
    sides = [{"force": values["force"] + s * h * along["force"]} for s in (1, -1)]
    slope = (problem.loss(sides[0]) - problem.loss(sides[1])) / (2 * h)
    assert gradient["force"] @ along["force"] == pytest.approx(slope, rel=1e-6)
    assert problem.slope(values, along) == pytest.approx(slope, rel=1e-6)
    ahead, behind = (problem.value_and_gradient(side)[1]["force"] for side in sides)
    np.testing.assert_allclose(
        problem.hessian_product(values, along)["force"],
        (ahead - behind) / (2 * h),
        rtol=1e-5,
        atol=1e-4,
    )


def test_a_cost_is_seen_by_the_first_state() -> None:
    """The gradient in the initial state has that of the cost on the way."""

    class Far(Cart):
        def cost(self, state: Any, t: Any) -> Any:
            return state.place * (t + 1)

        def loss(self, final: Any) -> Any:
            return 0.0

    problem = Problem(Far())
    found = problem.state_gradient(problem.values)
    assert found.place == pytest.approx(0.05 * np.sum(np.arange(1, 21)))


def test_fields_of_a_scene_may_have_the_names_of_what_is_optional() -> None:
    class Named(Cart):
        cost: float = parameter(0.5, "weight")  # type: ignore[assignment]
        constraints: float = parameter(0.1, "another")
        residuals: float = parameter(0.2, "a third")

    problem = Problem(Named())
    assert problem.loss({}) == pytest.approx(1e4) and problem.constraints({}) == ((), ())
    assert set(problem.values) >= {"cost", "constraints", "residuals"}


def test_the_numbers_of_constraints_are_those_of_the_states() -> None:
    problem = Problem(Both())
    values = {"force": SEED.standard_normal(6)}
    (speed, pair), (end,) = problem.constraints(values)
    states = problem.trajectory(values)
    assert speed.value.shape == (7, 1) and pair.value.shape == (7, 2) and end.value.shape == (2,)
    np.testing.assert_allclose(speed.value[:, 0], states.speed, atol=1e-15)
    force = np.append(values["force"], values["force"][-1])
    np.testing.assert_allclose(pair.value[:, 1], force * states.speed, atol=1e-15)
    assert (pair.low == [-1, -np.inf]).all() and (pair.high == [np.inf, 2]).all()
    np.testing.assert_allclose(end.value, [states.place[-1], states.speed[-1]], atol=1e-15)
    value, low, high = flat(problem, values)
    assert value.shape == low.shape == high.shape == (7 + 14 + 2,)


@pytest.mark.parametrize("kind", [Both, Rest])  # by forward mode, and by reverse mode
def test_constraints_have_their_derivatives_and_curvature(kind: Any) -> None:
    problem = Problem(kind(steps=6))
    values, along = {"force": SEED.standard_normal(6)}, {"force": SEED.standard_normal(6)}
    h = 1e-6
    sides = [{"force": values["force"] + s * h * along["force"]} for s in (1, -1)]
    slope = (flat(problem, sides[0])[0] - flat(problem, sides[1])[0]) / (2 * h)
    slopes = problem.constraint_derivatives(values)["force"]
    np.testing.assert_allclose(slopes @ along["force"], slope, atol=1e-8)
    weights = SEED.standard_normal(len(slopes))
    ahead, behind = (weights @ problem.constraint_derivatives(s)["force"] for s in sides)
    found = problem.constraint_hessian_product(values, weights, along)["force"]
    np.testing.assert_allclose(found, (ahead - behind) / (2 * h), atol=1e-7)


def test_what_is_farthest_off_is_told() -> None:
    problem = Problem(Slow())
    values = {"force": best_force(20)}
    speed, end = excesses(problem, values)
    assert speed.name == "speed" and speed.step == 10 and not speed.kept and end.kept
    assert (
        speed.words.startswith("the constraint 'speed' is off by 0.30")
        and "above 1.2" in speed.words
    )
    assert worst(problem, values) == speed and violation(problem, values) == speed.off
    still = worst(problem, {})
    assert still is not None and still.words.endswith("at the end: 0 is not 1")
    lost = worst(problem, {"force": np.full(20, np.nan)})
    assert lost is not None and lost.off == np.inf and not lost.kept
    assert worst(Problem(Cart()), {}) is None and violation(Problem(Cart()), {}) == 0.0


def test_what_keeps_constraints_is_better_than_what_does_not() -> None:
    def iterate(loss: float, off: float) -> Iterate:
        return Iterate(0, loss, {}, {}, off)

    kept, better, off = iterate(2.0, FEASIBLE / 2), iterate(1.0, 0.0), iterate(-5.0, 0.1)
    assert sorted([off, kept, better], key=lambda i: i.rank) == [better, kept, off]


@pytest.mark.parametrize(
    ("losses", "off", "state", "option"),
    [
        ([3.0, 12.0, 12.0], 0.0, "arrived", None),
        ([3.0, 12.0, 11.0], 0.0, "not there yet", "iterations"),
        ([3.0, 12.0, 12.0], 0.5, "constraints are not kept", "optimizer"),
    ],
)
def test_what_a_solve_under_constraints_came_to(
    losses: list[float], off: float, state: str, option: str | None
) -> None:
    excess = worst(Problem(Rest()), {"force": (1 - off) * best_force(20)})
    for optimizer in ("slsqp", "augmented-lagrangian"):
        found = under_constraints(losses, excess, optimizer)
        assert found is not None and found.state == state
        assert (found.help.option if found.help else None) == option
        assert found.help is None or found.help.value != optimizer
    assert under_constraints([1.0], excess, "slsqp") is None


def test_a_check_knows_of_constraints() -> None:
    findings = {f.check: f for f in check(Problem(Slow()))}
    assert findings["constraint: speed"].verdict == "ok"
    assert findings["constraint: at rest at 1"].verdict == "note"
    assert findings["derivatives of constraints"].verdict == "ok"

    class Wrong(Rest):
        def end_constraints(self, final: Any) -> Any:
            return (Constraint("there", ra.stop_gradient(final.place) + final.speed, 1.0, 1.0),)

    wrong = {f.check: f for f in check(Problem(Wrong()))}["derivatives of constraints"]
    assert wrong.verdict == "FAILED"


def test_a_cost_is_plotted_by_its_name() -> None:
    problem = Problem(Cart())
    (found,) = curves(problem, {**problem.values, "force": best_force(20)}, [1.0], ["cost"])
    np.testing.assert_allclose(found.ys[:, 0], best_force(20) ** 2, rtol=1e-12)
    assert found.xs[1] == pytest.approx(0.05) and found.over == "time, s"


REST = """\
from tests.support.control import Slow

class Here(Slow):
    \"\"\"Come to rest at 1.\"\"\"
"""


def test_the_command_line_tells_of_constraints(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "here.py"
    file.write_text(REST)
    assert main(["optimize", str(file), "--rate", "1"]) == 0
    told = capsys.readouterr().out
    assert "at rest at 1  kept" in told and "speed         kept" in told
    assert (
        "arrived: every constraint is kept, and the loss does not change any more: it is 15.5"
        in told
    )
    assert main(["optimize", str(file), "--rate", "1", "--iterations", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["violation"] == 1.0 and [e["name"] for e in found["constraints"]] == [
        "speed",
        "at rest at 1",
    ]
    assert main(["optimize", str(file), "--optimizer", "adam"]) == 2
    assert (
        "error: here has constraints, and adam keeps none: take slsqp, " in capsys.readouterr().err
    )


def test_a_window_follows_a_hand_by_what_keeps_constraints() -> None:
    from rosephys import Circles, Picture
    from rosephys.window.session import Session

    class Seen(Slow):
        def picture(self, state: Any) -> Picture:
            cart = Circles(ra.array([[state.place, 0.0]]), 0.1, ("accent",))
            return Picture((cart,), (-1.0, -1.0, 2.0, 1.0))

    session = Session(Problem(Seen()), 50, 1.0, "slsqp")

    def settled() -> None:
        for _ in range(200):
            session.advance(1 / 30)
            session.settle(5.0)
        assert session.message == ""

    try:
        assert session.optimizers == ("slsqp", "trust-constr", "augmented-lagrangian")
        settled()
        assert 0.05 * np.cumsum(session.values["force"]).max() == pytest.approx(1.2, abs=1e-4)
        session.hold("fastest")
        session.put(1.1)
        session.release()
        settled()
        assert 0.05 * np.cumsum(session.values["force"]).max() == pytest.approx(1.1, abs=1e-4)
    finally:
        session.close()


def test_scenes_that_have_none_are_solved_as_ever() -> None:
    class Plain(Scene):
        optimizer, rate = "adam", 0.1
        steps: int = parameter(2, "n")
        push: float = control(0.0, "push")

        def initial(self) -> Any:
            return 0.0 * self.push

        def step(self, state: Any, t: Any) -> Any:
            return state + self.push

        def loss(self, final: Any) -> Any:
            return (final - 1.0) ** 2

    *_, last = descend(Problem(Plain()), iterations=300)
    assert last.loss < 1e-3 and last.violation == 0.0
