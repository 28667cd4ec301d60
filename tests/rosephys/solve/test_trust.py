"""Whether a gradient can be trusted: true alarms on what jumps, is chaotic or is wrong, and no false ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.command.check import Run, distance
from rosephys.command.cli import main
from rosephys.scene.fields import control, parameter
from rosephys.scene.finding import find_scene
from rosephys.scene.scene import Scene
from rosephys.solve.problem import Problem
from rosephys.solve.trust import POINTS, Verdict, judge, judged
from rosephys.window.session import Phase, Session
from rosephys.window.views import Views


@ra.struct
class Number:
    """One number."""

    x: ra.Real


def verdict(problem: Any, values: Any = None) -> Verdict:
    return judge(problem, values or problem.values)


def made(
    step: Callable[[Any], Any], loss: Callable[[Any], Any], first: float, count: int = 1
) -> Any:
    """A problem whose state is one number, which is the control at the start."""

    class Made(Scene):
        """A number."""

        steps: int = parameter(count, "number of time steps")
        x: float = control(first, "the number")

        def initial(self) -> Number:
            return Number(self.x)

        def step(self, state: Number, t: Any) -> Number:
            return Number(step(state.x))

        def loss(self, final: Number) -> Any:
            return loss(final.x)

    return Problem(Made())


def same(x: Any) -> Any:
    return x


@pytest.mark.parametrize(
    ("loss", "x"),
    [
        (lambda x: x**2, 0.7),
        (lambda x: (x - 0.7) ** 2, 0.7),  # the gradient is zero
        (lambda x: (x - 0.7) ** 2, 0.7 + 1e-9),
        (lambda x: 1e9 + ra.sin(x), 0.3),
        (lambda x: 1e-12 * ra.exp(3 * x), 1.0),
        (lambda x: ra.sin(40 * x), 1.0),
        (lambda x: ra.norm(ra.array([x - 0.699, 0.0])), 0.7),  # a kink is no jump
        (lambda x: 0.0 * x + 3.0, 0.7),
        (lambda x: x**4, 0.0),
    ],
)
def test_what_is_smooth_is_trusted(loss: Callable[[Any], Any], x: float) -> None:
    assert verdict(made(same, loss, x)).trusted


def test_a_jump_is_found_and_where_it_is() -> None:
    found = verdict(made(same, lambda x: x + ra.where(x > 1.003, 0.5, 0.0), 1.0))
    assert found.reason == "jump"
    assert "from 1 to 1.5" in found.words and "0.30%" in found.words
    assert verdict(made(same, lambda x: x + ra.where(x > 1.02, 0.5, 0.0), 1.0)).trusted
    small = verdict(made(same, lambda x: x + ra.where(x > 1.003, 1e-4, 0.0), 1.0))
    assert small.trusted, "one that hardly matters beside the slope is none"


def test_a_saw_whose_gradient_leads_astray_jumps() -> None:
    saw = verdict(made(same, lambda x: x - 3 * ra.floor(x / 0.003) * 0.003, 1.0))
    assert saw.reason == "jump"


def test_chaos_is_found_though_the_gradient_is_exact() -> None:
    def logistic(x: Any) -> Any:
        return 3.99 * x * (1 - x)

    assert verdict(made(logistic, same, 0.3, count=3)).trusted
    found = verdict(made(logistic, same, 0.3, count=60))
    assert found.reason == "chaos" and "chaotic" in found.words


def test_a_gradient_that_is_not_that_of_the_loss_is_found() -> None:
    found = verdict(made(same, lambda x: x + ra.stop_gradient(3 * x), 1.0))
    assert found.reason == "disagreement"
    assert "0.02" in found.words and "0.08" in found.words


def test_what_is_not_finite_is_told() -> None:
    assert verdict(made(same, lambda x: ra.log(x), -1.0)).reason == "not finite"
    assert verdict(made(same, lambda x: ra.sqrt(x), 0.0)).reason == "not finite"
    found = verdict(made(same, lambda x: ra.sqrt(x - 0.995), 1.0))
    assert found.reason == "not finite" and "within 1%" in found.words


def test_it_takes_few_evaluations_one_at_a_time() -> None:
    problem = made(same, lambda x: x + ra.where(x > 1.003, 0.5, 0.0), 1.0)
    calls = []

    class Counting:
        def value_and_gradient(self, values: Any) -> Any:
            calls.append(values)
            return problem.value_and_gradient(values)

        def limits(self, values: Any) -> Any:
            return problem.limits(values)

    question = judged(Counting(), problem.values)  # type: ignore[arg-type]
    next(question)
    assert len(calls) <= 2
    list(question)
    assert len(calls) <= POINTS + 15


@pytest.mark.parametrize(
    "name", ["billiards", "bounce", "pendulum", "orbit", "cartpole", "gyroscope", "heat"]
)
def test_scenes_that_are_smooth_are_trusted_at_their_defaults(name: str) -> None:
    assert verdict(Problem(find_scene(name))).trusted


def test_scenes_that_are_not_are_not() -> None:
    falling = Problem(find_scene("pendulum", {"links": "2", "steps": "4000", "push": "9,-9"}))
    assert verdict(falling).reason == "chaos"
    assert verdict(Problem(find_scene("billiards", {"contact": "naive"}))).reason is not None


def test_the_jump_of_a_robot_that_touches_the_ground_is_one() -> None:
    """What the badge says is so by losses alone, across a billionth of the controls."""
    problem = Problem(find_scene("robot"))
    assert verdict(problem).reason == "jump"
    _, gradient = problem.value_and_gradient(problem.values)
    sizes = {n: float(np.max(np.abs(problem.values[n]))) or 1.0 for n in gradient}
    down = {n: -sizes[n] * g for n, g in gradient.items()}
    length = np.sqrt(sum(float(np.vdot(d, d)) for d in down.values()))

    def loss(at: float) -> float:
        moved = {n: problem.values[n] + at * sizes[n] * d / length for n, d in down.items()}
        return problem.loss({**problem.values, **moved})

    low, high = -0.01, 0.01
    places = np.linspace(low, high, 65)
    losses = np.array([loss(at) for at in places])
    k = int(np.argmax(np.abs(np.diff(losses))))
    low, high = places[k], places[k + 1]
    jump = abs(loss(high) - loss(low))
    for _ in range(30):
        middle = (low + high) / 2
        nearer = abs(loss(middle) - loss(low)) > abs(loss(high) - loss(middle))
        low, high = (low, middle) if nearer else (middle, high)
    assert high - low < 1e-9 and abs(loss(high) - loss(low)) > 0.5 * jump


def asked_by_the_window(problem: Problem) -> Verdict:
    """What the badge would say of the problem's own values."""
    session, views = Session(problem, 0, 1.0, "gd"), Views()
    try:
        while session.phase is not Phase.PLAYING:
            assert session.settle(60.0) and not session.message
            session.advance(1 / 60)
        while views.verdict is None:
            views.advance(session)
            assert views.settle(60.0)
        return views.verdict
    finally:
        session.close()
        views.close()


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("billiards", {}, None),
        ("billiards", {"contact": "naive"}, "disagreement"),
        ("throw", {}, "jump"),
        ("pendulum", {"links": "2", "steps": "4000", "push": "9,-9"}, "chaos"),
        ("rigid", {"robot": "0"}, "chaos"),
    ],
)
def test_all_who_ask_hear_the_same(
    name: str, settings: dict[str, str], reason: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = Problem(find_scene(name, settings))
    found = judge(problem, problem.values)
    assert found.reason == reason and found == asked_by_the_window(problem)
    (checked,) = distance(Run(problem))
    assert checked.verdict == ("ok" if found.trusted else "note")
    assert found.words in checked.advice and bool(checked.advice) is not found.trusted
    chosen = [argument for pair in settings.items() for argument in ("--set", "=".join(pair))]
    for command in (["gradient"], ["optimize", "--iterations", "0"]):
        assert main([*command, name, *chosen]) == 0
        told = capsys.readouterr().err
        assert told == "" if found.trusted else f"cannot be trusted: {found.words}" in told
