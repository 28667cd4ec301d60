"""Where links are, and how they move: closed forms, and the Jacobian against differences of the place."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys.errors import ArgumentError
from rosephys.physics.articulated import (
    Link,
    articulated,
    forward_kinematics,
    integrate,
    jacobian,
)
from tests.support.articulated import random_model, state


def test_an_arm_of_two_links() -> None:
    upper = Link("upper", joint="revolute", mass=1.0)
    lower = Link("lower", "upper", "revolute", at=(2.0, 0, 0), mass=1.0)
    hand = Link("hand", "lower", at=(1.0, 0, 0))
    found = forward_kinematics(articulated([upper, lower, hand]), np.array([0.3, 0.5]))
    at = [2 * np.cos(0.3) + np.cos(0.8), 2 * np.sin(0.3) + np.sin(0.8), 0.0]
    np.testing.assert_allclose(found.position[2], at, atol=1e-15)
    np.testing.assert_allclose(found.rotation[2][:, 0], [np.cos(0.8), np.sin(0.8), 0], atol=1e-15)


def test_the_jacobian_is_the_slope_of_the_place() -> None:
    model = random_model(4, ["free", "revolute", "ball", "fixed", "planar"], [-1, 0, 1, 2, 0])
    q, v, _ = state(model, 1)
    point = np.array([0.2, -0.1, 0.4])
    found = np.asarray(jacobian(model, q, "link3", point)) @ v

    def seen(by: float) -> tuple[np.ndarray, np.ndarray]:
        frames = forward_kinematics(model, np.asarray(integrate(model, q, by * v)))
        rotation = np.asarray(frames.rotation[3])
        return np.asarray(frames.position[3]) + rotation @ point, rotation

    (more, turned), (less, back) = seen(1e-6), seen(-1e-6)
    np.testing.assert_allclose(found[:3], (more - less) / 2e-6, atol=1e-8)
    spin = (turned - back) / 2e-6 @ seen(0.0)[1].T
    np.testing.assert_allclose(found[3:], [spin[2, 1], spin[0, 2], spin[1, 0]], atol=1e-8)
    assert not np.any(np.asarray(jacobian(model, q, "link3"))[:, -3:])  # another branch


def test_a_link_that_is_not_there_is_told() -> None:
    with pytest.raises(ArgumentError, match="no link 'hat'; wanted 'link0'"):
        jacobian(random_model(4, ["revolute"], [-1]), np.zeros(1), "hat")
