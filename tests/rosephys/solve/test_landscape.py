"""The loss over two controls: what is computed, where, and in which steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosephys.drawing.relief import relief
from rosephys.errors import SceneError
from rosephys.scene.finding import find_scene
from rosephys.solve.landscape import (
    GRIDS,
    Axis,
    Component,
    Landscape,
    component,
    explored,
    framed,
    pairs,
    title,
)
from rosephys.solve.problem import Problem
from tests.support.scenes import Lob


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem(Lob())


X, Y, LIFT = Component("velocity", 0), Component("velocity", 1), Component("lift")


def last(problem: Problem, axes: tuple[Axis, ...], grids: tuple[int, ...] = GRIDS) -> Landscape:
    *_, found = filter(None, explored(problem, problem.values, axes, grids))
    return found


def test_losses_side_by_side_are_those_one_by_one(problem: Problem) -> None:
    rng = np.random.default_rng(0)
    batch = {"velocity": rng.standard_normal((5, 2))}
    one = [problem.loss({**problem.values, "velocity": v}) for v in batch["velocity"]]
    np.testing.assert_allclose(problem.losses(problem.values, batch), one, rtol=1e-14)
    both = {**batch, "lift": rng.standard_normal(5)}
    one = [problem.loss({**problem.values, **{n: v[k] for n, v in both.items()}}) for k in range(5)]
    np.testing.assert_allclose(problem.losses(problem.values, both), one, rtol=1e-14)


def test_losses_of_contacts_side_by_side_are_those_one_by_one() -> None:
    billiards = Problem(find_scene("billiards", {"layers": "2", "steps": "300", "dt": "0.01"}))
    speeds = np.stack([np.linspace(0.1, 0.9, 7), np.linspace(-0.1, 0.1, 7)], axis=1)
    found = billiards.losses(billiards.values, {"cue_velocity": speeds})
    one = [billiards.loss({**billiards.values, "cue_velocity": v}) for v in speeds]
    assert np.ptp(one) > 1e-3
    np.testing.assert_allclose(found, one, rtol=1e-9)


@pytest.mark.parametrize("parts", [(X, Y), (LIFT, Y)])
def test_each_grid_holds_the_losses_at_its_points(
    problem: Problem, parts: tuple[Component, ...]
) -> None:
    axes = (Axis(parts[0], 0.1, 0.3), Axis(parts[1], -1.0, 1.0))
    grids = [g for g in explored(problem, problem.values, axes) if g]
    assert [g.losses.shape for g in grids] == [(n, n) for n in GRIDS]
    for g in grids:
        places = np.linspace(0, 1, len(g.losses))
        v, lift = problem.values["velocity"], float(problem.values["lift"])
        first, second = np.meshgrid(axes[0].at(places), axes[1].at(places), indexing="ij")
        x, y = (first, lift + second) if parts[0] is X else (v[0], first + second)
        np.testing.assert_allclose(g.losses, (x - 0.5) ** 2 + (y - 0.7) ** 2, atol=1e-14)


def test_it_comes_in_small_steps_and_computes_no_point_twice(problem: Problem) -> None:
    axes = (Axis(X, 0.0, 1.0), Axis(Y, 0.0, 1.0))
    steps, points = [], []

    class Counting:
        def losses(self, values: Any, batch: Any) -> Any:
            points.extend(map(tuple, batch["velocity"]))
            return problem.losses(values, batch)

    for found in explored(Counting(), problem.values, axes, (9, 17)):  # type: ignore[arg-type]
        steps.append(found is not None)
    assert steps.count(True) == 2 and len(steps) > 15
    spare = 2 * 16  # the last batch of each grid is filled up with copies
    assert 17 * 17 <= len(points) < 17 * 17 + spare and len(set(points)) == 17 * 17


def test_one_control_gives_a_curve(problem: Problem) -> None:
    found = last(problem, (Axis(LIFT, 0.0, 0.4),))
    lifts = np.linspace(0, 0.4, GRIDS[-1])
    np.testing.assert_allclose(found.losses, 0.25 + (lifts + 0.5 - 0.7) ** 2, atol=1e-14)
    assert not relief(found).pixels.size


def test_the_steepest_numbers_are_offered_in_pairs(problem: Problem) -> None:
    gradient = {"lift": np.array(0.5), "velocity": np.array([3.0, -4.0])}
    assert pairs(problem, gradient) == [(X, Y), (LIFT, Y), (LIFT, X)]
    assert pairs(problem, {})[0] == (LIFT, X), "the first two where no gradient is known"
    cradle = Problem(find_scene("cradle"))
    assert pairs(cradle, {}) == [(Component("pull"),)]


def test_the_frame_holds_the_descent_and_keeps_to_bounds(problem: Problem) -> None:
    path = [problem.values, {**problem.values, "velocity": np.array([9.0, 0.5])}]
    x, y = framed(problem, (X, Y), path)
    assert x.low < 1.0 < 9.0 < x.high and y.low < 0.5 < y.high
    (far,) = framed(problem, (Y,), path[:1], zoom=4.0)
    (near,) = framed(problem, (Y,), path[:1])
    assert far.high - far.low == pytest.approx(4 * (near.high - near.low))
    (lift,) = framed(problem, (LIFT,), path)
    assert lift.high == 0.3 and lift.low > 0


def test_components_are_named_as_people_type_them(problem: Problem) -> None:
    assert component(problem, "velocity.1") == Y and component(problem, "lift") == LIFT
    assert title(problem, Y) == "velocity y [m/s]" and title(problem, LIFT) == "lift [m]"
    for name, says in (
        ("speed", "there are lift, velocity"),
        ("velocity", "say which, velocity.0"),
        ("velocity.2", "velocity.0 to velocity.1"),
        ("velocity.x", "velocity.0 to velocity.1"),
        ("goal.0", "no control"),
    ):
        with pytest.raises(SceneError, match=says):
            component(problem, name)
