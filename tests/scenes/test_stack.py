"""The scenes of rigid bodies: what they do, what they find, and their gradients."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, descend, find_scene


@cache
def problem(name: str) -> Problem:
    return Problem(find_scene(name))


def agreement(p: Problem, values: Any) -> float:
    """How far the gradient is from differences of fourth order, relative to its size.

    The better of two step sizes: a kink that only the longer one reaches is no error of the gradient here.
    """
    _, gradient = p.value_and_gradient(values)
    size = max(np.abs(g).max() for g in gradient.values())
    found = []
    for step in (1e-6, 1e-7):
        near, far = (p.central_differences(values, k * step) for k in (1, 2))
        found.append(max(np.abs((4 * near[n] - far[n]) / 3 - g).max() for n, g in gradient.items()))
    return float(min(found) / size)


def test_ten_boxes_stand_for_ten_seconds() -> None:
    p = Problem(find_scene("stack", {"steps": 2400, "ball_velocity": "0,0", "ball": "-9,0.3"}))
    states = p.trajectory(p.values)
    drift = states.position[:, 1:-1] - states.position[0, 1:-1]
    side = 0.5
    assert np.abs(drift).max() < 1e-3 * side
    assert np.abs(drift[-1]).max() < 1e-4 * side
    assert np.abs(states.angle[:, 1:-1]).max() < 1e-10
    assert np.abs(states.velocity[-1, 1:-1]).max() < 1e-12


def test_a_leaning_stack_falls() -> None:
    offsets = 0.14 * np.arange(10)  # its centre of mass is beyond the lowest box
    p = Problem(
        find_scene(
            "stack", {"steps": 480, "ball_velocity": "0,0", "ball": "-9,0.3", "offsets": offsets}
        )
    )
    assert p.trajectory(p.values).position[-1, 10, 1] < 2.0


@pytest.mark.parametrize(
    ("scene", "moved"),
    [
        ("stack", {}),
        ("stack", {"ball_velocity": (5.5, 2.8)}),
        ("throw", {}),
        ("throw", {"spin": 0.5, "friction": 0.3}),
        ("cradle", {}),
        ("cradle", {"gap": 0.002, "pull": 0.5}),
    ],
)
def test_gradients_agree_with_differences(scene: str, moved: dict[str, Any]) -> None:
    p = problem(scene)
    changed = {n: np.array(v, float) for n, v in moved.items()}
    assert agreement(p, {**p.values, **changed}) < 1e-6


@pytest.mark.parametrize(("scene", "least"), [("throw", 1e-4), ("cradle", 1e-4), ("stack", 0.005)])
def test_the_goal_is_found_from_a_cold_start(scene: str, least: float) -> None:
    p, s = problem(scene), problem(scene).scene
    iterates = list(descend(p, iterations=s.iterations, rate=s.rate, optimizer=s.optimizer))
    # the best of all is what is kept
    assert min(i.loss for i in iterates) < least < 0.2 * iterates[0].loss


@pytest.mark.parametrize("gap", [0.0, 0.003])
def test_a_cradle_passes_the_swing_to_the_last_ball_and_back(gap: float) -> None:
    p = Problem(find_scene("cradle", {"steps": 480}))
    states = p.trajectory({**p.values, "gap": np.array(gap)})
    height = states.position[:, 1:, 1] + 1.0
    first = height[0, 0]
    assert height[200:300, 4].max() == pytest.approx(first, rel=0.02)
    assert height[100:300, 1:4].max() < 0.02 * first  # those between stay
    assert height[400:, 0].max() == pytest.approx(first, rel=0.02)  # and back


def test_a_picture_has_every_body() -> None:
    for name, bodies in (("stack", 11), ("throw", 2), ("cradle", 1)):
        p = problem(name)
        picture = p.picture(p.trajectory(p.values), 10, p.values)
        assert sum(type(s).__name__ == "Polygon" for s in picture.shapes) == bodies
