"""The scene pool: what it finds, in every game, and what it fits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rosephys import Measurement, Problem, descend, find_scene, identify
from rosephys.physics.pool.ball import POCKETED
from rosephys.physics.pool.table import GAMES
from rosephys.solve.scout import Scout
from rosephys.solve.trust import judge


def found(problem: Problem, values: Any = None) -> Any:
    *_, best = descend(problem, values=values)
    return best


def end(problem: Problem, values: Any) -> Any:
    return problem.trajectory({**problem.values, **values}).shot.balls


def test_the_ball_is_potted_and_the_cue_ball_left_at_the_cross() -> None:
    problem = Problem(find_scene("pool"))
    best = found(problem)
    assert best.loss < 1e-12
    balls = end(problem, best.values)
    assert balls.phase[-1][1] == POCKETED
    assert balls.phase[-1][0] != POCKETED


@pytest.mark.slow
@pytest.mark.parametrize("pocket", range(6))
def test_a_shot_is_found_for_each_pocket_from_what_geometry_gives(pocket: int) -> None:
    problem = Problem(find_scene("pool", {"importance": 0.0}))
    values = problem.complete({"pocket": GAMES["pool"].table.pockets[pocket]})
    starts = Scout(problem).starts(values, 8)
    assert min(found(problem, start).loss for start in starts) < 0.5  # 1 is a miss


def test_a_carom_meets_both_balls() -> None:
    problem = Problem(find_scene("pool", {"game": "carom", "others": 1, "importance": 0.0}))
    start = Scout(problem).starts(problem.complete({}), 1)[0]
    assert found(problem, start).loss < 1e-6


def test_constants_are_fitted_to_a_shot_that_was_seen() -> None:
    played = {"speed": 2.4, "height": -0.2, "side": 0.2, "others": 1, "steps": 200}
    true = {"sliding": 0.23, "rolling": 0.012, "rebound": 0.8}
    problem = Problem(find_scene("pool", played | true))
    places = problem.trajectory(problem.values).places[:200]
    noise = 1e-3 * np.random.default_rng(0).normal(size=places.shape)
    columns = {f"places.{k}.{a}": (places + noise)[:, k, a] for k in (0, 1) for a in (0, 1)}
    measured = Measurement(np.arange(200) / 45, columns)
    fit = identify(find_scene("pool", played), measured, list(true))
    for estimate in fit.estimates:
        assert abs(estimate.value - true[estimate.name]) < 4 * estimate.deviation
        assert estimate.deviation < 1e-3


def thin(problem: Problem, side: int, by: float) -> float:
    """The direction in which the cue ball touches the target on one side, and by so many rad more than just."""
    scene: Any = problem.scene
    gap = scene.target_position - scene.cue_position
    just = math.asin(2 * scene.radius / np.linalg.norm(gap))
    return math.atan2(gap[1], gap[0]) + side * (just - by)


@pytest.mark.parametrize("by", [1e-8, 1e-6, 1e-5, 1e-4, 1e-3])
@pytest.mark.parametrize("speed", [1.2, 2.5])
@pytest.mark.parametrize("side", [1, -1])
def test_the_gradient_of_a_shot_that_grazes_is_said_not_to_be_trusted(
    side: int, speed: float, by: float
) -> None:
    problem = Problem(find_scene("pool"))
    values = {"direction": np.array(thin(problem, side, by)), "speed": np.array(speed)}
    assert problem.trajectory({**problem.values, **values}).shot.grazing[-1] < 0.2
    said = judge(problem, values)
    assert not said.trusted and said.within < 0.005
    assert "not trust" in said.sentence and "grazes" in said.sentence


def test_the_gradient_of_a_shot_that_does_not_graze_is_trusted() -> None:
    problem = Problem(find_scene("pool"))
    values = {"direction": np.array(thin(problem, 1, 0.02)), "speed": np.array(1.2)}
    assert judge(problem, values).trusted
