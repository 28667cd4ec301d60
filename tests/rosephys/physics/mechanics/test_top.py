"""Tops: steady precession, and what a top keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.mechanics.top import steady_precession, top_axis, top_energy, top_step
from rosephys.physics.rigid.body3d import (
    angular_momentum,
    rotated,
)


def spun(spin: float, inclination: float, rate: float, time: float, steps: int) -> Any:
    """Axis and energy of a top at each step, whose axis first goes round at `rate`."""
    moments, weight = np.array([0.03, 0.03, 0.011]), 1.5
    half = 0.5 * inclination

    @ra.fn
    def run() -> Any:
        q = np.array([np.cos(half), 0.0, np.sin(half), 0.0])
        turning = rotated(q, ra.array([-rate * np.sin(inclination), 0.0, spin]))
        start = (ra.array(q), angular_momentum(q, turning, moments))

        def step(state: Any, _: Any) -> Any:
            state = top_step(*state, moments, weight, time / steps)
            q, momentum = state
            kept = (top_energy(q, momentum, moments, weight), momentum[2])
            return state, (top_axis(q), *kept, ra.dot(momentum, top_axis(q)))

        return ra.scan(step, start, None, steps)[1]

    return run()


@pytest.mark.parametrize(("spin", "inclination"), [(50.0, 1.1), (80.0, 0.4), (45.0, 2.0)])
def test_a_gyroscope_precesses_at_the_rate_of_theory(spin: float, inclination: float) -> None:
    rate = float(steady_precession(np.array([0.03, 0.03, 0.011]), 1.5, spin, inclination))
    axis, *_ = spun(spin, inclination, rate, 1.0, 8000)
    np.testing.assert_allclose(axis[:, 2], np.cos(inclination), atol=1e-5)  # it does not nod
    turned_by = np.unwrap(np.arctan2(axis[:, 1], axis[:, 0]))
    assert turned_by[-1] == pytest.approx(rate, rel=1e-5)
    assert rate == pytest.approx(1.5 / (0.011 * spin), rel=0.25)  # the rule of thumb m g l / L


def test_a_top_that_is_let_go_nods_and_keeps_its_integrals() -> None:
    axis, energy, upright, along = spun(50.0, 1.1, 0.0, 20.0, 20_000)
    assert axis[:, 2].min() < np.cos(1.1) - 0.1
    assert axis[:, 2].max() < np.cos(1.1) + 1e-4
    np.testing.assert_allclose(upright, upright[0], rtol=1e-10)
    np.testing.assert_allclose(along, along[0], rtol=1e-10)
    np.testing.assert_allclose(energy, energy[0], rtol=1e-3)
    assert np.ptp(energy[-5000:]) < 1.1 * np.ptp(energy[:5000])  # it does not drift
