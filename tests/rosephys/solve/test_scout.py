"""Looking around for a place to descend from, and the following of a hand that uses it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rosephys.errors import SceneError
from rosephys.scene.finding import find_scene
from rosephys.solve import follow
from rosephys.solve.follow import Follower
from rosephys.solve.optimize import descend
from rosephys.solve.problem import Problem
from rosephys.solve.scout import BATCH, BEST, Scout

HOLLOWS = '''
from typing import Any

import rose_ad as ra
from rosephys import Picture, Scene, control, parameter


class Hollows(Scene):
    """Two hollows: a descent from the shallow one cannot leave it."""

    steps: int = parameter(1, "number of time steps")
    dt: float = parameter(1.0, "time step")
    deep: float = parameter(-0.2, "where the deep one is")
    x: Any = control(1.0, "where", bounds=(-3.0, 3.0))

    def initial(self) -> Any:
        return self.x

    def step(self, state: Any, t: Any) -> Any:
        return state

    def loss(self, final: Any) -> Any:
        return 1 - 0.5 * self.near(final, 1.0) - self.near(final, self.deep)

    def near(self, x: Any, centre: Any) -> Any:
        return ra.exp(-((x - centre) ** 2) / 0.1)

    def picture(self, state: Any) -> Picture:
        return Picture((), (-3.0, -1.0, 3.0, 1.0))
'''


def test_throws_are_sorted_and_within_bounds() -> None:
    problem = Problem(find_scene("billiards", {"steps": 64}))
    values = {**problem.values}
    starts = Scout(problem).starts(values)
    assert len(starts) == BEST < BATCH
    losses = [problem.loss(start) for start in starts]
    assert losses == sorted(losses)
    for start in starts:
        assert set(start) == set(values)
        for name, v in start.items():
            assert v.shape == values[name].shape
            if name not in problem.controls:
                assert np.array_equal(v, values[name])
            elif problem.scene.fields[name].bounds:
                low, high = problem.scene.fields[name].bounds
                assert ((low <= v) & (v <= high)).all()


def test_a_batch_of_losses() -> None:
    problem = Problem(find_scene("billiards", {"steps": 256}))
    speeds = problem.values["cue_velocity"] * np.linspace(0.5, 1.5, 5)[:, None]
    many = problem.losses(problem.values, {"cue_velocity": speeds})
    one_by_one = [problem.loss({**problem.values, "cue_velocity": v}) for v in speeds]
    np.testing.assert_allclose(many, one_by_one, rtol=1e-9)


@pytest.mark.parametrize(("quick", "expected"), [(np.inf, 0.0), (0.0, 0.5)])
def test_a_local_minimum_is_left_if_that_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: float, expected: float
) -> None:
    monkeypatch.setattr(follow, "QUICK", quick)
    path = tmp_path / "hollows.py"
    path.write_text(HOLLOWS, encoding="utf-8")
    problem = Problem(find_scene(str(path)))
    found = list(Follower(problem, 0.05).follow(problem.values, 100))
    losses = [i.loss for i in found]
    assert losses == sorted(losses, reverse=True)  # nothing flickers
    assert [i.iteration for i in found] == list(range(len(found)))
    assert found[-1].loss == pytest.approx(expected, abs=1e-3)


def test_a_goal_that_a_descent_does_not_reach() -> None:
    """The last ball has to be hit another way for a goal that is 6 cm off."""
    problem = Problem(find_scene("billiards"))
    scene = problem.scene
    how = {"rate": scene.rate, "optimizer": scene.optimizer}
    home = list(descend(problem, iterations=200, **how))[-1].values
    goal = home["goal"] + (-0.055, -0.058)
    assert problem.loss({**home, "goal": goal}) > 1e-3
    found = list(Follower(problem, scene.rate).follow({**home, "goal": goal}, 200))
    assert found[-1].loss < 1e-3


KNOWN = HOLLOWS.replace(
    "    def initial(",
    "    def guesses(self) -> Any:\n        return {starts}\n\n    def initial(",
)


def known(tmp_path: Path, starts: str) -> Problem:
    path = tmp_path / "known.py"
    path.write_text(KNOWN.replace("{starts}", starts))
    return Problem(find_scene(str(path)))


def test_what_a_scene_knows_is_tried(tmp_path: Path) -> None:
    problem = known(tmp_path, '{"x": [self.deep, 9.0]}')
    best = Scout(problem).starts({**problem.values}, BATCH)
    assert best[0]["x"] == -0.2
    assert problem.guesses(problem.values)["x"].tolist() == [-0.2, 3.0]  # within the bounds
    moved = problem.guesses({"deep": np.array(0.4)})
    assert moved["x"].tolist() == [0.4, 3.0]


@pytest.mark.parametrize(
    "starts", ["[1.0]", '{"deep": [0.0]}', '{"x": [[1.0, 2.0]]}', '{"x": 1.0}']
)
def test_guesses_that_are_none_are_refused(tmp_path: Path, starts: str) -> None:
    with pytest.raises(SceneError, match=r"Hollows\.guesses.*wanted rows of numbers"):
        Scout(known(tmp_path, starts)).starts({"x": np.array(1.0)})
