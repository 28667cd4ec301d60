"""When something hits something, found from the motion alone."""

from __future__ import annotations

import numpy as np
import pytest

import rose_ad as ra
from rosephys.scene.finding import find_scene
from rosephys.scene.picture import Track
from rosephys.solve.problem import Problem
from rosephys.window.impact_marks import MOST, impacts


def found(name: str, settings: dict[str, str] | None = None) -> tuple[Problem, np.ndarray]:
    problem = Problem(find_scene(name, settings or {}))
    trajectory = problem.trajectory(problem.values)
    return problem, impacts(trajectory, problem.tracks(problem.values, trajectory))


def test_a_ball_bounces_when_it_has_fallen() -> None:
    problem, steps = found("bounce")
    v = {name: float(np.ravel(value)[-1]) for name, value in problem.values.items()}
    g, up = v["gravity"], v["velocity"]
    landing = (up + np.sqrt(up**2 + 2 * g * v["height"])) / g
    speed = v["restitution"] * (g * landing - up)
    times = [landing, landing + 2 * speed / g]
    np.testing.assert_allclose(steps * v["dt"], times, atol=v["dt"])


def test_balls_meet_when_velocities_change_and_friction_is_none() -> None:
    problem, steps = found("billiards")
    velocity = problem.trajectory(problem.values).velocity
    change = np.abs(np.diff(velocity, axis=0)).max(axis=(1, 2))
    true = np.flatnonzero(change > 0.05 * change.max())
    assert len(true) > 8
    apart = np.abs(steps[:, None] - true)
    assert (apart.min(axis=1) <= 1).all(), "each mark is an impact"
    assert (apart.min(axis=0) <= 6).all(), "each impact has a mark, or one close by"


def test_the_balls_of_a_cradle_meet_once() -> None:
    problem, steps = found("cradle", {"steps": "200"})
    first = problem.tracks(problem.values)[0].point
    speed = np.hypot(*np.diff(first, axis=0).T)
    assert len(steps) == 1 and speed[steps[0] - 1] > 50 * speed[steps[0] + 3]


def test_a_robot_touches_the_ground_with_its_feet() -> None:
    _, steps = found("rigid", {"steps": "400"})
    assert 1 <= len(steps) < 10 and (np.diff(steps) > 2).all()


@pytest.mark.parametrize("name", ["pendulum", "orbit", "cartpole", "gyroscope"])
def test_a_smooth_motion_has_none(name: str) -> None:
    assert not len(found(name)[1])


def test_a_force_that_is_switched_is_no_impact() -> None:
    problem = Problem(find_scene("cartpole", {}))
    force = 4.0 * np.random.default_rng(1).choice([-1.0, 1.0], problem.values["force"].shape)
    values = {**problem.values, "force": force}
    trajectory = problem.trajectory(values)
    change = np.diff(ra.flatten(trajectory)[0][2], axis=0)
    assert np.abs(np.diff(change, axis=0)).max() > 0.5 * np.abs(change).max(), "it is felt"
    assert not len(impacts(trajectory, problem.tracks(values, trajectory)))


def test_rounding_is_no_impact() -> None:
    rng = np.random.default_rng(0)
    time = np.linspace(0, 1, 200)
    still = 1.0 + 1e-16 * rng.standard_normal((200, 3))
    assert not len(impacts((np.sin(time), still), []))


def test_of_a_large_state_the_tracks_are_looked_at() -> None:
    time = np.linspace(0, 1, 200)
    wild = np.random.default_rng(0).standard_normal((200, MOST + 1))
    bent = np.stack([time, np.abs(time - 0.5)], axis=1)
    assert impacts(wild, [Track(bent, "white")]).tolist() == [99]
    assert not len(impacts(wild, []))
    assert not len(impacts(time[:5], []))
