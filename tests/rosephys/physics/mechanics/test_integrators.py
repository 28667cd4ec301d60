"""Integrators: their orders, their derivatives, and the energy of long runs."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.mechanics.integrators import METHODS
from rosephys.physics.mechanics.pendulum import pendulum_acceleration, pendulum_energy
from tests.support.motion import rolled

ORDERS = {
    "explicit-euler": 1,
    "semi-implicit-euler": 1,
    "verlet": 2,
    "implicit-midpoint": 2,
    "runge-kutta": 4,
}


def swung(method: str, angle: Any, time: Any, steps: int) -> Any:
    """A pendulum with g / l = 1 that starts at rest."""
    links = lambda x, v: pendulum_acceleration(x, v, 1.0)  # noqa: E731
    return rolled(method, links, ra.array([angle]), np.zeros(1), time, steps)


@pytest.mark.parametrize("method", METHODS)
def test_measured_order(method: str) -> None:
    exact = ra.fn(lambda a: swung("runge-kutta", a, 2.0, 20_000)[0][0])(1.0)
    counts = (40, 80, 160) if ORDERS[method] == 4 else (320, 640, 1280)
    ends = [ra.fn(lambda a, n=n: swung(method, a, 2.0, n)[0][0])(1.0) for n in counts]
    errors = np.abs(np.subtract(ends, exact))
    for coarse, fine in pairwise(errors):
        assert np.log2(coarse / fine) == pytest.approx(ORDERS[method], abs=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_derivative_through_a_method(method: str) -> None:
    @ra.fn
    def end(angle: ra.Real, time: ra.Real) -> Any:
        return swung(method, angle, time, 50)[0][0]

    slopes = ra.grad(end, (0, 1))(0.8, 3.0)
    h = 1e-5
    for slope, step in zip(slopes, ((h, 0), (0, h)), strict=True):
        ahead, behind = (end(0.8 + s * step[0], 3.0 + s * step[1]) for s in (1, -1))
        assert slope == pytest.approx((ahead - behind) / (2 * h), rel=1e-7)


@pytest.mark.parametrize(
    ("method", "drifts"),
    [("explicit-euler", True), ("verlet", False), ("implicit-midpoint", False)],
)
def test_energy_of_a_long_run(method: str, drifts: bool) -> None:
    @ra.fn
    def drift(angle: ra.Real) -> Any:
        x, v = swung(method, angle, 400.0, 8000)
        start = pendulum_energy(ra.array([angle]), np.zeros(1), 1.0, 1.0)
        return pendulum_energy(x, v, 1.0, 1.0) - start

    assert (abs(drift(1.0)) > 0.05) is drifts
    assert drifts or abs(drift(1.0)) < 1e-3
