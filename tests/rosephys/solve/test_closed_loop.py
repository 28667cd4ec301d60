"""A scene that is controlled while it moves: a pole stays upright under pushes; frames, budgets, and errors."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, SceneError, find_scene
from rosephys.solve.closed_loop import ClosedLoop


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem(find_scene("balance"))


def test_a_pole_stays_upright_under_pushes(problem: Problem) -> None:
    """A push a second for ten seconds, of 0.6 rad/s and m/s, at 60 frames a second."""
    loop, random = ClosedLoop(problem, 1000.0, sweeps=4), np.random.default_rng(0)
    for frame in range(600):
        if frame % 60 == 30:
            loop.push("rate", 0.6 * random.standard_normal(2))
        found = loop.frame()
        assert abs(found.controls["force"]) <= 20.0 and abs(found.state.place[1]) < 1.0
    for _ in range(120):
        found = loop.frame()
    assert np.abs(found.state.place).max() < 0.05 and np.abs(found.state.rate).max() < 0.1


def test_without_plans_it_falls(problem: Problem) -> None:
    angle = problem.trajectory({}).place[:, 1]
    assert angle[-1] > 1.0


def test_a_frame_is_a_step_of_the_scene(problem: Problem) -> None:
    loop = ClosedLoop(problem, 1000.0, sweeps=2)
    found = loop.frame()
    plan = {"force": loop.mpc.planned["force"]}
    after = problem.trajectory(plan)
    np.testing.assert_allclose(found.state.place, after.place[1], atol=1e-12)
    assert found.state.force == found.controls["force"]


def test_a_goal_that_moves_is_followed(problem: Problem) -> None:
    loop = ClosedLoop(problem, 1000.0, sweeps=4)
    for _ in range(360):
        found = loop.frame({"middle": np.array(0.5)})
    assert found.state.place[0] == pytest.approx(0.5, abs=0.05)


def test_no_more_sweeps_are_begun_than_there_is_time_for(problem: Problem) -> None:
    """By a clock that goes on by a millisecond whenever it is looked at."""
    ticks = count()
    loop = ClosedLoop(problem, 4.0, clock=lambda: next(ticks) / 1000)
    loop.push("rate", [1.0, 1.0])
    found = loop.frame()
    assert found.sweeps <= 4 and found.seconds > 0.004


def test_a_push_changes_that_part_alone(problem: Problem) -> None:
    loop = ClosedLoop(problem, 1000.0, sweeps=1)
    before = loop.state
    loop.push("rate", [0.5, -1.0])
    np.testing.assert_allclose(loop.state.rate - before.rate, [0.5, -1.0])
    np.testing.assert_array_equal(loop.state.place, before.place)


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("rat", 1.0, "has no 'rat' to push; did you mean rate"),
        ("rate", [1.0, 2.0, 3.0], r"rate has the shape \(2,\), not \(3,\)"),
    ],
)
def test_what_cannot_be_is_told(problem: Problem, part: str, change: Any, words: str) -> None:
    loop = ClosedLoop(problem, 1000.0, sweeps=1)
    with pytest.raises(SceneError, match=words):
        loop.push(part, change)
