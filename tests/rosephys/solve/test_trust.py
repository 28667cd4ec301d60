"""Whether a gradient can be trusted: true alarms on what jumps, is chaotic or is wrong, and no false ones.

Each verdict is asked of a loss whose answer is known, and of scenes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.command.check import distance
from rosephys.command.cli import main
from rosephys.command.finding import Run
from rosephys.scene.fields import control, parameter
from rosephys.scene.finding import find_scene
from rosephys.scene.scene import Scene
from rosephys.solve.problem import Problem
from rosephys.solve.trust import MOST, PLACES, Verdict, judge, judged
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
        (lambda x: x**4, 0.0),
        (lambda x: ra.sqrt((x - 0.7) ** 2 + 1e-3), 0.7),
        (lambda x: x + 1e-3 * ra.abs(x - 0.702), 0.7),  # a kink that hardly matters
        (lambda x: x**2 + ra.stop_gradient(1e-10 * ra.sin(1e9 * x)), 0.7),  # noise, as rounding is
        (lambda x: x**2 + ra.stop_gradient(1e-6 * ra.sin(1e7 * x)), 0.7),
    ],
)
def test_what_is_smooth_is_trusted(loss: Callable[[Any], Any], x: float) -> None:
    found = verdict(made(same, loss, x))
    assert found.trusted and found.sentence == ""


@pytest.mark.parametrize(
    ("loss", "x", "within"),
    [
        (lambda x: ra.abs(x - 0.699), 0.7, 0.001 / 0.7),
        (lambda x: ra.abs(x - 0.6935), 0.7, 0.0065 / 0.7),
        (lambda x: ra.abs(x - 0.7), 0.7, 0.0),
        (lambda x: ra.norm(ra.array([x - 0.699, 0.0])), 0.7, 0.001 / 0.7),
        (lambda x: ra.maximum(x - 0.702, 0.0), 0.704, 0.002 / 0.704),
        (lambda x: ra.maximum(0.704 - x, x - 0.704) + x**2, 0.703, 0.001 / 0.703),
    ],
)
def test_a_kink_is_found_and_where_it_is(
    loss: Callable[[Any], Any], x: float, within: float
) -> None:
    found = verdict(made(same, loss, x))
    assert found.reason == "kink" and "slope of the loss jumps" in found.sentence
    assert abs(found.within - within) < 1e-4


@pytest.mark.parametrize("period", [1e-7, 1e-5, 1e-3])
def test_an_exact_gradient_of_no_use_says_how_far_it_holds(period: float) -> None:
    """A ripple whose slope is 3 times that of what it lies on: exact in a tenth of a period or less."""
    waves = 2 * np.pi / period
    found = verdict(made(same, lambda x: x + 3 / waves * ra.sin(waves * x), 1.0))
    assert found.reason == "narrow" and "is right" in found.words
    assert 0.01 * period <= found.within <= 0.3 * period
    assert found.advice in found.sentence and "differences are" in found.words


def test_ever_faster_waves_hold_nearby_only() -> None:
    x = 5e-4  # the waves are 2 pi x² long here, a 300th of x
    found = verdict(made(same, lambda x: x * ra.sin(1 / x), x))
    assert found.reason == "narrow" and 1e-4 <= found.within <= 1e-3


@pytest.mark.parametrize(
    ("loss", "near"),
    [
        (lambda x: 0.0 * x + 3.0, False),
        (lambda x: ra.stop_gradient(x) * 0.0 + 3.0, False),
        (lambda x: ra.maximum(x - 1.0, 0.0), False),
        (lambda x: ra.maximum(x - 0.75, 0.0), True),
    ],
)
def test_nothing_touched_is_said(loss: Callable[[Any], Any], near: bool) -> None:
    found = verdict(made(same, loss, 0.4 if not near else 0.7))
    assert found.reason == "flat" and "nothing that they move reaches" in found.words
    assert ("changed by 10 % they do" in found.words) is near
    assert "--starts" in found.advice


def test_a_miss_in_billiards_is_said_to_be_one() -> None:
    found = verdict(Problem(find_scene("billiards", {"cue_velocity": "0,1"})))
    assert found.reason == "flat" and "the loss stays" in found.words


def test_what_is_not_given_is_the_scenes_own() -> None:
    problem = Problem(find_scene("billiards"))
    miss = {"cue_velocity": np.array([0.0, 1.0])}
    assert judge(problem, miss) == judge(problem, problem.complete(miss))
    assert judge(problem, miss).reason == "flat"


def test_no_control_is_said() -> None:
    class Still(Scene):
        """Nothing to find."""

        steps: int = 2
        x: float = parameter(1.0, "the number")

        def initial(self) -> Number:
            return Number(self.x)

        def step(self, state: Number, t: Any) -> Number:
            return state

        def loss(self, final: Number) -> Any:
            return final.x

    assert verdict(Problem(Still())).reason == "no controls"


def test_a_jump_is_found_and_where_it_is() -> None:
    found = verdict(made(same, lambda x: x + ra.where(x > 1.003, 0.5, 0.0), 1.0))
    assert found.reason == "jump"
    assert "from 1 to 1.5" in found.words and "0.3 %" in found.words
    assert verdict(made(same, lambda x: x + ra.where(x > 1.02, 0.5, 0.0), 1.0)).trusted
    small = verdict(made(same, lambda x: x + ra.where(x > 1.003, 1e-4, 0.0), 1.0))
    assert small.trusted, "one that hardly matters beside the slope is none"


@pytest.mark.parametrize("side", [1, -1])
def test_a_place_at_the_very_edge_of_a_jump_is_said_to_be_one(side: int) -> None:
    """Beside ramps so steep that they hide the jump; the gradient is right, on one side."""

    def edged(x: Any) -> Any:
        off = side * (x - 1.0)
        ramps = ra.tanh((off - 0.005) / 2e-5) - ra.tanh((off + 0.005) / 2e-5)
        return x + 3 * ramps + ra.where(off < 0.0, 0.5, 0.0)

    found = verdict(made(same, edged, 1.0))
    assert found.reason == "jump" and "knows that one only" in found.words


def test_a_saw_whose_gradient_leads_astray_holds_on_one_tooth() -> None:
    saw = verdict(made(same, lambda x: x - 3 * ra.floor(x / 0.003) * 0.003, 1.0))
    assert saw.reason == "narrow" and 1e-4 <= saw.within <= 3e-3 and "jumps" in saw.words


def test_chaos_is_found_though_the_gradient_is_exact() -> None:
    def logistic(x: Any) -> Any:
        return 3.99 * x * (1 - x)

    assert verdict(made(logistic, same, 0.3, count=3)).trusted
    found = verdict(made(logistic, same, 0.3, count=60))
    assert found.reason == "chaos" and "chaotic" in found.words


def test_a_gradient_that_is_not_that_of_the_loss_is_found() -> None:
    found = verdict(made(same, lambda x: x + ra.stop_gradient(3 * x), 1.0))
    assert found.reason == "disagreement" and found.within == 0.0
    assert "by -0.01," in found.words and "by -0.04;" in found.words
    assert verdict(made(same, lambda x: 3 * ra.stop_gradient(x), 1.0)).reason == "disagreement"


def test_what_is_not_finite_is_told() -> None:
    assert verdict(made(same, lambda x: ra.log(x), -1.0)).reason == "not finite"
    assert verdict(made(same, lambda x: ra.sqrt(x), 0.0)).reason == "not finite"
    found = verdict(made(same, lambda x: ra.sqrt(x - 0.995), 1.0))
    assert found.reason == "not finite" and "within 1 %" in found.words


class Counting:
    """A problem that counts its gradients."""

    def __init__(self, problem: Problem) -> None:
        self._problem, self.calls = problem, 0

    def value_and_gradient(self, values: Any) -> Any:
        self.calls += 1
        return self._problem.value_and_gradient(values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)


@pytest.mark.parametrize(
    ("loss", "most"),
    [
        (lambda x: x**2, len(PLACES)),
        (lambda x: ra.abs(x - 0.95), len(PLACES)),
        (lambda x: x + ra.where(x > 1.003, 0.5, 0.0), MOST),
        (lambda x: x + 1e-4 * ra.sin(1e5 * x), MOST),
    ],
)
def test_it_takes_few_evaluations_one_at_a_time(loss: Callable[[Any], Any], most: int) -> None:
    problem = Counting(made(same, loss, 1.0))
    known = problem.value_and_gradient(problem.values)
    problem.calls = 0
    question = judged(problem, problem.values, known=known)  # type: ignore[arg-type]
    next(question)
    assert problem.calls == 1
    list(question)
    assert problem.calls <= most


def test_a_thorough_verdict_looks_along_more_lines() -> None:
    """A jump that the line of steepest descent does not cross."""

    class Plane(Scene):
        """Two numbers."""

        steps: int = 1
        x: Any = control((1.0, 1.0), "the numbers")

        def initial(self) -> Number:
            return Number(self.x[0] + ra.where(self.x[1] > 1.003, 0.5, 0.0))

        def step(self, state: Number, t: Any) -> Number:
            return state

        def loss(self, final: Number) -> Any:
            return final.x

    problem = Problem(Plane())
    assert judge(problem, problem.values).trusted
    assert judge(problem, problem.values, thorough=True).reason == "jump"


@pytest.mark.parametrize(
    "name", ["billiards", "bounce", "pendulum", "orbit", "cartpole", "gyroscope", "heat"]
)
def test_scenes_that_are_smooth_are_trusted_at_their_defaults(name: str) -> None:
    assert verdict(Problem(find_scene(name))).trusted


def test_scenes_that_are_not_are_not() -> None:
    falling = Problem(find_scene("pendulum", {"links": "2", "steps": "4000", "push": "9,-9"}))
    assert verdict(falling).reason == "chaos"
    assert verdict(Problem(find_scene("billiards", {"contact": "naive"}))).reason is not None


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("robot", {}, "narrow"),
        ("stack", {"ball_velocity": "6.040321,1.594736"}, "narrow"),
    ],
)
def test_how_far_it_holds_is_so_by_losses_alone(
    name: str, settings: dict[str, str], reason: str
) -> None:
    """Within a tenth of the distance that is told differences agree to a thousandth; at ten times that distance
    they do not to a tenth."""
    problem = Problem(find_scene(name, settings))
    found = verdict(problem)
    assert found.reason == reason and 0 < found.within <= 1e-3
    loss, gradient = problem.value_and_gradient(problem.values)
    sizes = {n: float(np.max(np.abs(problem.values[n]))) or 1.0 for n in gradient}
    down = {n: -sizes[n] * g for n, g in gradient.items()}
    length = np.sqrt(sum(float(np.vdot(d, d)) for d in down.values()))

    def difference(at: float) -> float:
        moved = {n: problem.values[n] + at * sizes[n] * d / length for n, d in down.items()}
        return (problem.loss({**problem.values, **moved}) - loss) / at

    for side in (1, -1):
        assert abs(difference(side * 0.1 * found.within) / -length - 1) < 1e-3
    assert max(abs(difference(s * 10 * found.within) / -length - 1) for s in (1, -1)) > 0.1


def test_the_shot_at_the_stack_is_told_with_its_numbers() -> None:
    problem = Problem(find_scene("stack", {"ball_velocity": "6.040321,1.594736"}))
    found = verdict(problem)
    assert found.within == pytest.approx(1e-7)
    # so steep and so near a jump that the last bits of the motion decide the numbers themselves
    told = re.search(
        r"the slope, (\S+) for 100 % of the controls, is right.* differences are (\S+) and (\S+), one to",
        found.words,
    )
    assert told, found.words
    slope, *sides = map(float, told.groups())
    assert slope in sides and max(map(abs, sides)) > 100 * abs(slope)


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
        ("billiards", {"contact": "naive"}, "narrow"),
        ("billiards", {"cue_velocity": "0,1"}, "flat"),
        ("stack", {"ball_velocity": "6.040321,1.594736"}, "narrow"),
        ("throw", {}, None),
        ("throw", {"spin": "4"}, "narrow"),
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
    assert checked.advice == found.sentence and bool(found.sentence) is not found.trusted
    chosen = [argument for pair in settings.items() for argument in ("--set", "=".join(pair))]
    for command in (["gradient"], ["optimize", "--iterations", "0"]):
        assert main([*command, name, *chosen]) == 0
        told = capsys.readouterr()
        if found.trusted:
            assert told.err == ""
        elif command[0] == "optimize" and found.reason == "flat":
            assert f"nothing to find: {found.words}" in told.out
        else:
            assert f"warning: {found.sentence}" in told.err
