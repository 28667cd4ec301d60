"""Limits of models are tested before a scene runs and along its motion; NaNs are led back to their lines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Limit, OptimizeError, Problem, Scene, control, descend, find_scene, parameter
from rosephys.command.check import check
from rosephys.command.cli import main
from rosephys.errors import NotFiniteError
from rosephys.solve.guard import at_first, cause, check_finite, evaluate, in_motion
from rosephys.solve.trust import judge


@ra.struct
class State:
    place: ra.Real
    trail: ra.Vec


class Runner(Scene):
    """Runs ahead on a track of ten places, which it counts its visits of."""

    steps: int = parameter(4, "number of time steps")
    dt: float = parameter(0.5, "time step", unit="s")
    speed: float = control(1.0, "speed", unit="m/s")

    def initial(self) -> State:
        return State(0.0, np.zeros(10))

    def step(self, state: State, t: Any) -> State:
        at = ra.to_int(ra.floor(state.place))
        trail = ra.accum(10)
        trail += state.trail
        trail[at] += 1.0
        return State(state.place + self.dt * self.speed, trail.freeze())

    def loss(self, final: State) -> Any:
        return final.place + 0 * final.trail[0]

    def limits(self, state: State) -> tuple[Limit, ...]:
        return (
            Limit("the track's end", state.place, 9.5, "speed", "the place"),
            Limit("the fastest pace, at {} m/s", self.dt, 3.0 / self.speed, numbers=[self.speed]),
        )


def with_speed(speed: float, **settings: Any) -> Problem:
    return Problem(Runner(speed=speed, **settings))


def test_limits_that_hold_are_silent() -> None:
    problem = with_speed(1.0)
    assert at_first(problem, problem.values) is None and in_motion(problem, problem.values) is None
    assert judge(problem, problem.values).trusted
    assert evaluate(problem, problem.values)[0] == 2.0


def test_a_limit_of_the_settings_is_found_before_a_step_is_made() -> None:
    problem = with_speed(8.0)
    breach = at_first(problem, problem.values)
    assert breach is not None and breach.step == 0
    assert breach.words == (
        "dt 0.5 is over the fastest pace, at 8 m/s, 0.375: a smaller dt is needed"
    )
    assert judge(problem, problem.values).reason == "limit"


def test_a_limit_of_the_states_is_found_where_they_leave_the_arrays() -> None:
    problem = with_speed(4.0, steps=8)
    assert at_first(problem, problem.values) is None
    breach = in_motion(problem, problem.values)
    assert breach is not None and breach.step == 5  # the first state beyond 9.5
    assert "the place 10 is over the track's end, 9.5: a smaller speed is needed" in breach.words
    assert breach.words.endswith("(at step 5)")
    with pytest.raises(NotFiniteError, match="the track's end"):
        evaluate(problem, problem.values)
    with pytest.raises(OptimizeError, match="the track's end"):
        next(descend(problem, iterations=1, rate=0.1))
    (finding,) = check(problem)
    assert (finding.check, finding.verdict) == ("limits", "FAILED")


def test_an_index_error_without_a_limit_to_blame_stays_one() -> None:
    class Free(Runner):
        def limits(self, state: State) -> tuple[Limit, ...]:
            return ()

    problem = Problem(Free(speed=4.0, steps=8))
    with pytest.raises(IndexError):
        evaluate(problem, problem.values)


def test_what_is_not_a_number_is_over_any_limit() -> None:
    problem = with_speed(1.0)
    breach = in_motion(problem, {**problem.values, "speed": np.array(math.nan)})
    assert breach is not None


class Rooted(Scene):
    """Falls below the root's domain."""

    steps: int = parameter(6, "number of time steps")
    height: float = control(3.5, "height at the start")

    def initial(self) -> State:
        return State(self.height, np.zeros(2))

    def step(self, state: State, t: Any) -> State:
        return State(state.place - 1.0, state.trail + ra.sqrt(state.place))

    def loss(self, final: State) -> Any:
        return final.trail[0]


def test_a_nan_is_told_by_step_array_and_line() -> None:
    problem = Problem(Rooted())
    with pytest.raises(NotFiniteError) as found:
        check_finite(problem, problem.values, *problem.value_and_gradient(problem.values))
    words = str(found.value)
    assert "the loss is nan" in words
    assert "trail is not finite from step 5 on" in words
    assert "test_guard.py" in words and "ra.sqrt(state.place)" in words
    with pytest.raises(OptimizeError, match="trail is not finite from step 5 on") as ended:
        next(descend(problem, iterations=1, rate=0.1))
    assert "smaller rate" not in str(ended.value)


def test_a_gradient_that_is_not_finite_where_the_loss_is() -> None:
    class Edge(Rooted):
        height = 1.0
        steps = 2

    problem = Problem(Edge())
    loss, gradient = problem.value_and_gradient(problem.values)
    assert math.isfinite(loss)
    with pytest.raises(NotFiniteError, match="the gradient in height is not finite"):
        check_finite(problem, problem.values, loss, gradient)


def test_what_overflows_is_called_so() -> None:
    class Doubling(Rooted):
        steps = 2000
        height = 1.0

        def step(self, state: State, t: Any) -> State:
            return State(2 * state.place, state.trail)

        def loss(self, final: State) -> Any:
            return final.place

    problem = Problem(Doubling())
    assert "place is not finite from step 1024 on" in cause(problem, problem.values)


@pytest.mark.parametrize(
    ("scene", "settings", "limit"),
    [
        ("dam", "dt=0.1", "dt 0.1 is over the CFL limit of waves at 4.916"),
        ("boat", "dt=0.02", "dt 0.02 is over the CFL limit of waves of pressed water"),
        ("channel", "relaxation=0.5001,speed=0.2", "what a relaxation time of 0.5001 steps holds"),
        ("rope", "dt=0.002", "dt 0.002 is over what the stiffest motion of the springs allows"),
        ("robot", "dt=0.008", "dt 0.008 is over what the stiffest motion of the springs allows"),
        ("slosh", "dt=0.02", "dt 0.02 is over the CFL limit of sound at 20 m/s"),
        ("jelly", "dt=0.002", "dt 0.002 is over the CFL limit of waves and particles"),
        ("heat", "dt=0.05", "dt 0.05 is over what diffusion of 8"),
    ],
)
def test_built_in_scenes_state_their_limits(
    scene: str, settings: str, limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [part for s in settings.split(",") for part in ("--set", s)]
    problem = Problem(find_scene(scene, dict(s.split("=") for s in settings.split(","))))
    breach = at_first(problem, problem.values)
    assert breach is not None and limit in breach.words
    if scene == "boat":  # one of them as it is typed; each takes seconds
        assert main(["gradient", scene, *given]) == 1
        told = capsys.readouterr()
        assert not told.out
        assert told.err.index("warning: " + limit) < told.err.index("error: the loss is nan")
        assert "is not finite from step" in told.err and "floating.py" in told.err


@pytest.mark.parametrize("command", [["gradient"], ["optimize", "--iterations", "1"]])
def test_a_command_beyond_a_limit_ends_with_the_exit_code_1(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its loss and its gradient are numbers, and mean nothing."""
    small = ["--set", "cells=8", "--set", "steps=5"]
    name, *options = command
    assert main([name, "heat", *small, *options]) == 0
    capsys.readouterr()
    assert main([name, "heat", *small, "--set", "dt=1", *options]) == 1
    told = capsys.readouterr()
    assert "warning: dt 1 is over what diffusion of 8 cells² a second allows" in told.err
    assert "to try" not in told.out


@pytest.mark.parametrize(
    "name",
    [
        "boat",
        "channel",
        "cloth",
        "dam",
        "heat",
        "liquid",
        "patterns",
        "robot",
        "rope",
        "slosh",
        "wave",
    ],
)
def test_built_in_scenes_keep_their_limits_at_first(name: str) -> None:
    problem = Problem(find_scene(name))
    assert problem.first_limits(problem.values) and at_first(problem, problem.values) is None
