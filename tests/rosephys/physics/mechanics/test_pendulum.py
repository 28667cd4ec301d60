"""Pendulums against what is known of them in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.mechanics.pendulum import pendulum_acceleration, pendulum_energy
from tests.rosephys.physics.mechanics.test_integrators import swung
from tests.support.motion import rolled


@pytest.mark.parametrize(
    ("degrees", "ratio"),
    [(10, 1.0019071881), (45, 1.0399733432), (90, 1.1803405990), (150, 1.7622037295)],
)
def test_period_of_a_pendulum(degrees: float, ratio: float) -> None:
    quarter = ratio * np.pi / 2  # at this time it hangs straight down

    @ra.fn
    def fall(angle: ra.Real) -> Any:
        x, v = swung("runge-kutta", angle, quarter, 2000)
        return x[0], v[0]

    x, v = fall(np.radians(degrees))
    assert abs(x / v) / (np.pi / 2) < 1e-10  # how long before or after it does, of the small period


@pytest.mark.parametrize("sign", [-1, 1])
def test_small_oscillations_of_a_double_pendulum(sign: int) -> None:
    stiffness = 3.0
    frequency = np.sqrt((2 + sign * np.sqrt(2)) * stiffness)
    mode = 1e-5 * np.array([1.0, -sign * np.sqrt(2)])

    @ra.fn
    def swing(start: Any) -> Any:
        a = lambda x, v: pendulum_acceleration(x, v, stiffness)  # noqa: E731
        return rolled("runge-kutta", a, start, np.zeros(2), 2.0, 2000)[0]

    np.testing.assert_allclose(swing(mode), np.cos(2.0 * frequency) * mode, atol=1e-13)


@pytest.mark.parametrize("links", [2, 3, 7])
def test_frequencies_of_a_chain_are_the_roots_of_a_laguerre_polynomial(links: int) -> None:
    still = np.zeros(links)
    pull = ra.jacfwd(ra.fn(lambda x: pendulum_acceleration(x, still, 3.0)))(still)
    squares = np.sort(np.linalg.eigvals(-pull).real)
    laguerre = np.polynomial.laguerre.lagroots([0.0] * links + [1.0])
    np.testing.assert_allclose(squares, 3.0 * laguerre, rtol=1e-9)


def test_two_links_obey_the_equations_of_the_double_pendulum() -> None:
    angle, rate, k = np.array([0.7, -2.1]), np.array([1.3, -0.8]), 4.0
    first, second = ra.fn(lambda x, v: pendulum_acceleration(x, v, k))(angle, rate)
    c, s = np.cos(angle[0] - angle[1]), np.sin(angle[0] - angle[1])
    left = 2 * first + c * second + s * rate[1] ** 2 + 2 * k * np.sin(angle[0])
    right = c * first + second - s * rate[0] ** 2 + k * np.sin(angle[1])
    np.testing.assert_allclose((left, right), 0.0, atol=1e-13)


@pytest.mark.parametrize("links", [2, 4])
def test_energy_of_a_pendulum_of_links(links: int) -> None:
    rate = np.resize([1.0, -2.0], links)

    @ra.fn
    def change(start: Any) -> Any:
        a = lambda x, v: pendulum_acceleration(x, v, 9.81 / 0.7)  # noqa: E731
        x, v = rolled("runge-kutta", a, start, rate, 3.0, 6000)
        first = pendulum_energy(start, rate, 9.81, 0.7)
        return pendulum_energy(x, v, 9.81, 0.7) - first

    assert abs(change(np.resize([2.0, -1.0], links))) < 1e-7 * links**2
