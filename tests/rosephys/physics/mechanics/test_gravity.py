"""Orbits: the figure eight of three bodies, and Kepler's laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.mechanics.gravity import gravity_acceleration, gravity_energy
from tests.support.motion import rolled

EIGHT_X = np.array([[0.97000436, -0.24308753], [-0.97000436, 0.24308753], [0.0, 0.0]])


EIGHT_V = np.array([-0.93240737, -0.86473146]) * np.array([[-0.5], [-0.5], [1.0]])


EIGHT_PERIOD, EIGHT_ENERGY = 6.32591398, -1.2871419918


def fallen(x: Any, v: Any, masses: Any, time: float, steps: int) -> Any:
    """Positions and velocities of bodies under gravity."""
    a = lambda x, v: gravity_acceleration(x, masses)  # noqa: E731
    return ra.fn(lambda x, v: rolled("runge-kutta", a, x, v, time, steps))(x, v)


def test_three_bodies_return_along_the_eight() -> None:
    masses = np.ones(3)
    energy = ra.fn(lambda x, v: gravity_energy(x, v, masses))
    assert energy(EIGHT_X, EIGHT_V) == pytest.approx(EIGHT_ENERGY, abs=1e-10)
    x, v = fallen(EIGHT_X, EIGHT_V, masses, EIGHT_PERIOD, 4000)
    np.testing.assert_allclose(x, EIGHT_X, atol=1e-6)
    np.testing.assert_allclose(v, EIGHT_V, atol=1e-6)
    assert energy(x, v) == pytest.approx(EIGHT_ENERGY, abs=1e-10)
    x, _ = fallen(EIGHT_X, EIGHT_V, masses, EIGHT_PERIOD / 3, 4000)
    apart = np.linalg.norm(x[:, None] - EIGHT_X, axis=2)  # each has taken the place of another
    assert sorted(apart.argmin(1)) == [0, 1, 2] and (apart.argmin(1) != np.arange(3)).all()
    assert apart.min(1).max() < 1e-6


@pytest.mark.parametrize("speed", [1.0, 1.1, 0.8])
def test_a_planet_obeys_keplers_laws(speed: float) -> None:
    masses = np.array([0.0, 1.0])
    x0, v0 = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.0, speed], [0.0, 0.0]])
    axis = 1 / (2 - speed**2)
    period = 2 * np.pi * axis**1.5
    x, v = fallen(x0, v0, masses, period, 4000)
    np.testing.assert_allclose(x, x0, atol=1e-9)
    np.testing.assert_allclose(v, v0, atol=1e-9)
    x, v = fallen(x0, v0, masses, period / 2, 4000)
    np.testing.assert_allclose(x[0], (1 - 2 * axis, 0.0), atol=1e-9)
    assert x[0, 0] * v[0, 1] - x[0, 1] * v[0, 0] == pytest.approx(speed, abs=1e-11)
