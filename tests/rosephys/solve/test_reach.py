"""A circle that is drawn at some step is brought to where a hand is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.scene.circles import circle, count
from rosephys.scene.fields import control, parameter
from rosephys.scene.finding import find_scene, scene_names
from rosephys.scene.picture import Circles, Picture
from rosephys.scene.scene import Scene
from rosephys.solve.problem import Problem
from rosephys.solve.reach import Aim, Reacher
from tests.support.scenes import Place

STEPS = 40  # of the scenes, so that none takes long


class Stones(Scene):
    """Two stones, one thrown, one that lies; and what can go wrong, chosen by `kind`."""

    steps: int = parameter(10, "number of time steps")
    dt: float = parameter(0.1, "time step", unit="s")
    kind: str = parameter("plain", "what is drawn", choices=("plain", "nan", "steep"))
    start: Any = control((0.0, 0.0), "thrown from", bounds=(-0.2, 0.2))
    velocity: Any = control((1.0, 0.5), "how fast", rate=4.0)

    def initial(self) -> Place:
        return Place(ra.array([self.start[0], self.start[1]]))

    def step(self, state: Place, t: Any) -> Place:
        return Place(state.at + self.dt * self.velocity)

    def loss(self, final: Place) -> Any:
        return ra.dot(final.at, final.at)

    def picture(self, state: Place) -> Picture:
        x = state.at[0]
        far = {"nan": lambda: ra.sqrt(0.65 - x), "steep": lambda: 1e200 * x}.get(self.kind)
        at = ra.array([far(), state.at[1]]) if far else state.at
        lying = Circles(np.array([[2.0, 2.0]]), 0.1, ("red",))
        return Picture((lying, Circles(ra.array([at]), 0.1, ("red",))), (0, 0, 3, 3))


def reached(scene: Scene, aim: Aim, iterations: int = 50) -> tuple[Reacher, list[Any]]:
    problem = Problem(scene)
    reacher = Reacher(problem)
    return reacher, list(reacher.reach(problem.values, aim, iterations))


@pytest.mark.parametrize(
    "name",
    [
        n if n in ("billiards", "pendulum", "bounce") else pytest.param(n, marks=pytest.mark.slow)
        for n in scene_names()
    ],
)
def test_places_are_those_that_are_drawn_and_their_derivative_is_that_of_differences(
    name: str,
) -> None:
    problem = Problem(find_scene(name, {"steps": STEPS}))
    states = problem.trajectory(problem.values)
    n = count(problem.picture(states, 0, problem.values)) if problem.scene.pictured else 0
    if not n or not problem.controls:
        pytest.skip("nothing is round here, or nothing moves it")
    reacher, draw = Reacher(problem), np.random.default_rng(0)
    for step in (0, STEPS // 2, STEPS):
        drawn = problem.picture(states, step, problem.values)
        shown = [
            i for i in range(n) if np.isfinite(circle(drawn, i)[0]).all()
        ]  # a hand takes these
        which = int(draw.choice(shown))
        there = circle(drawn, which)[0]
        place, slopes = reacher.place(problem.values, which, step)
        size = np.abs(there).max() + 1.0
        np.testing.assert_allclose(place, there, rtol=0, atol=1e-9 * size)
        along = {k: draw.standard_normal(v.shape[1:]) for k, v in slopes.items()}
        small = 1e-6
        ends = [
            reacher.place(
                {**problem.values, **{k: problem.values[k] + s * d for k, d in along.items()}},
                which,
                step,
            )[0]
            for s in (-small, small)
        ]
        slope = sum(np.tensordot(rows, along[k], along[k].ndim) for k, rows in slopes.items())
        np.testing.assert_allclose(slope, (ends[1] - ends[0]) / (2 * small), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("step", [1, 5, 10, 99])
def test_the_goal_of_any_moment_is_met_and_nothing_moves_more_than_it_must(step: int) -> None:
    aim = Aim(1, step, (0.9, -0.3))
    reacher, found = reached(Stones(), aim)
    last = found[-1]
    assert last.loss < 1e-14
    place, _ = reacher.place(last.values, 1, step)
    np.testing.assert_allclose(place, aim.goal, atol=1e-7)
    if step == 5 and not (np.abs(last.values["start"]) == 0.2).any():
        # the least move in units of the roots of the rates: start by J^T λ, velocity by 4 J^T λ
        pull = last.values["start"]
        np.testing.assert_allclose(
            last.values["velocity"] - (1.0, 0.5), 4 * 0.5 * pull, rtol=1e-4, atol=1e-8
        )


def test_losses_fall_and_bounds_hold() -> None:
    _, found = reached(Stones(velocity=(0.0, 0.0)), Aim(1, 10, (3.0, 3.0)))
    losses = [i.loss for i in found]
    assert losses == sorted(losses, reverse=True) and losses[-1] < 1e-14
    assert all((np.abs(i.values["start"]) <= 0.2).all() for i in found)


def test_where_bounds_leave_no_way_the_nearest_is_found() -> None:
    _, found = reached(Stones(), Aim(1, 0, (1.0, 0.1)))
    np.testing.assert_allclose(found[-1].values["start"], (0.2, 0.1), atol=1e-6)
    assert found[-1].loss == pytest.approx(0.64, rel=1e-6)


@pytest.mark.parametrize(
    ("scene", "aim"),
    [
        (Stones(), Aim(0, 5, (0.0, 0.0))),  # nothing moves it
        (Stones(), Aim(1, 10, (1.0, 0.5))),  # it is there
        (Stones(), Aim(1, 10, (np.inf, 0.5))),
        (Stones(kind="nan"), Aim(1, 10, (0.5, 0.5))),  # not a number where it begins
        (Stones(kind="steep"), Aim(1, 5, (1e300, 0.5))),
    ],
    ids=["fixed", "there", "nowhere", "no number", "too steep"],
)
def test_what_cannot_be_brought_anywhere_stays(scene: Scene, aim: Aim) -> None:
    _, found = reached(scene, aim)
    assert len(found) <= 2
    values = found[-1].values
    assert all(np.isfinite(v).all() for v in values.values())
    np.testing.assert_allclose(values["velocity"], (1.0, 0.5), atol=1e-9)


def test_a_step_into_what_is_not_a_number_is_not_taken() -> None:
    _, found = reached(Stones(kind="nan"), Aim(1, 5, (0.0, 0.25)))
    assert np.isfinite([i.loss for i in found]).all() and found[-1].loss < found[0].loss


def test_no_more_steps_are_made_than_allowed() -> None:
    _, found = reached(Stones(), Aim(1, 10, (3.0, 3.0)), iterations=2)
    assert len(found) <= 3


@pytest.mark.parametrize("push", [1.0, -1.0])  # to the other side, and not
def test_a_circle_that_passes_behind_another_is_followed(push: float) -> None:
    problem = Problem(find_scene("gyroscope", {"steps": 90}))

    def ends(values: Any) -> list[tuple[Any, float, str]]:
        """The end of the axle, before the wheel and behind it: one of them is drawn."""
        drawn = problem.picture(problem.trajectory(values), 90, values)
        return [circle(drawn, which) for which in (1, 2)]

    other = {**problem.values, "push": np.array([push, 0.0])}
    which = next(i for i, (_, radius, _) in enumerate(ends(problem.values)) if radius > 0)
    goal = ends(other)[which][0]
    *_, last = Reacher(problem).reach(problem.values, Aim(1 + which, 90, tuple(goal.tolist())), 60)
    assert last.loss < 1e-8
