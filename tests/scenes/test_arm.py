"""The arm that throws: its ball flies as thrown, and the instant of opening is exact."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys import Problem, descend, find_scene

G, RADIUS = 9.81, 0.06


def test_the_ball_flies_in_a_parabola_to_the_floor_and_stays() -> None:
    problem = Problem(find_scene("arm"))
    motion = problem.trajectory(problem.values)
    dt, release = float(problem.values["dt"]), float(problem.values["release"])
    first = int(np.ceil(release / dt))  # the first state in flight
    x, v = motion.ball[first], motion.velocity[first]
    lands = (v[2] + np.sqrt(v[2] ** 2 + 2 * G * (x[2] - RADIUS))) / G
    time = dt * np.arange(len(motion.ball) - first)
    flies = time < lands
    way = x + time[:, None] * v - 0.5 * G * time[:, None] ** 2 * np.array([0.0, 0.0, 1.0])
    np.testing.assert_allclose(motion.ball[first:][flies], way[flies], atol=1e-12)
    landed = np.array([*(x + lands * v)[:2], RADIUS])
    np.testing.assert_allclose(motion.ball[-1], landed, atol=1e-12)
    assert flies.sum() > 50 and (~flies).sum() > 50


@pytest.mark.parametrize("release", [0.44, 0.4401, 0.4439, 0.444])
def test_the_derivative_by_the_instant_of_opening_is_right_within_a_step_and_at_its_edge(
    release: float,
) -> None:
    """At an edge the slopes of both sides differ by the order of a step, and it is one of them."""
    problem = Problem(find_scene("arm"))

    def loss(at: float) -> float:
        return problem.loss({**problem.values, "release": np.array(at)})

    h, here = 1e-7, loss(release)
    sides = (loss(release + h) - here) / h, (here - loss(release - h)) / h
    values = {**problem.values, "release": np.array(release)}
    slope = float(problem.value_and_gradient(values)[1]["release"])
    assert min(abs(slope - side) for side in sides) < 1e-4 * abs(slope)
    assert max(abs(slope - side) for side in sides) < 0.15 * abs(slope)


@pytest.mark.parametrize(("name", "bound"), [("arm", 0.002), ("hopper", 0.01), ("quadruped", 0.02)])
def test_it_learns_by_itself(name: str, bound: float) -> None:
    problem = Problem(find_scene(name))
    assert min(iterate.loss for iterate in descend(problem)) < bound
