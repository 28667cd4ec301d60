"""Springs: conservation laws, one mass in closed form, and the ground."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys.physics.robots.ground import advance_over_ground
from rosephys.physics.robots.springs import (
    damping,
    rest_lengths,
    spring_energy,
    spring_forces,
    springs_limit,
    stiffest,
)


def net(softening: float = 0.0) -> Any:
    """A small net of springs, stretched, and energies and momenta of its motion by velocity Verlet."""
    x0 = np.array([[0.0, 0.0], [1.0, 0.1], [0.4, 0.9], [1.3, 1.2]])
    v0 = np.array([[0.3, 0.0], [-0.2, 0.4], [0.0, -0.5], [0.1, 0.2]])
    ends = np.array([[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]])
    rest = 0.9 * rest_lengths(x0, ends)

    def force(x: Any) -> Any:
        return spring_forces(x, ends, rest, 40.0, softening)

    def energy(x: Any, v: Any) -> Any:
        return spring_energy(x, ends, rest, 40.0, softening) + 0.5 * ra.sum(v * v)

    def steps(n: int) -> Any:
        @ra.fn
        def run(dt: ra.Real) -> Any:
            def step(state: Any, _: Any) -> Any:
                x, v = state
                half = v + 0.5 * dt * force(x)
                x = x + dt * half
                v = half + 0.5 * dt * force(x)
                turning = ra.sum(x[:, 0] * v[:, 1] - x[:, 1] * v[:, 0])
                return (x, v), (energy(x, v), ra.sum(v, axis=0), turning)

            return energy(x0, v0), ra.scan(step, (x0, v0), None, n)[1]

        return run(2.0 / n)

    return x0, force, energy, steps


@pytest.mark.parametrize("softening", [0.0, 0.05])
def test_force_is_the_gradient_of_the_energy(softening: float) -> None:
    x0, force, energy, _ = net(softening)
    still = np.zeros_like(x0)
    slope = ra.grad(ra.fn(lambda x: energy(x, still)))(x0)
    np.testing.assert_allclose(ra.fn(force)(x0), -slope, rtol=1e-12, atol=1e-12)


def test_energy_is_kept_to_the_order_of_the_integrator() -> None:
    _, _, _, steps = net()
    errors = []
    for n in (200, 400, 800):
        start, (energy, _, _) = steps(n)
        errors.append(np.abs(energy - start).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, 2.0, atol=0.1)


def test_momentum_and_angular_momentum_are_kept() -> None:
    _, _, _, steps = net()
    _, (_, momentum, turning) = steps(400)
    np.testing.assert_allclose(momentum, np.broadcast_to((0.2, 0.1), momentum.shape), atol=1e-13)
    np.testing.assert_allclose(turning, turning[0], atol=1e-12)


def test_one_spring_swings_at_its_frequency() -> None:
    k, dt = 7.0, 1e-4
    ends = np.array([[0, 1]])

    @ra.fn
    def extension(rest: ra.Real) -> Any:
        def step(_: Any, state: Any) -> Any:
            x, v = state
            v = v + dt * spring_forces(x, ends, ra.array([rest]), k)
            return x + dt * v, v

        x0 = np.array([[0.0, 0.0], [1.0, 0.0]])
        x, _ = ra.fori_loop(0, 10_000, step, (x0, np.zeros((2, 2))))
        return x[1, 0] - x[0, 0]

    exact = 0.8 + 0.2 * np.cos(np.sqrt(2 * k))  # two masses of 1 have the reduced mass 1/2
    assert extension(0.8) == pytest.approx(exact, abs=1e-4)
    assert ra.grad(extension)(0.8) == pytest.approx(1 - np.cos(np.sqrt(2 * k)), abs=1e-3)


def test_damping_is_exact() -> None:
    v = ra.fn(lambda rate: ra.fori_loop(0, 50, lambda _, v: damping(rate, 0.02) * v, 1.0))
    assert v(3.0) == pytest.approx(np.exp(-3.0), rel=1e-12)


@ra.fn
def landing(height: ra.Real, speed: ra.Real) -> Any:
    """Where a point lands that flies down from a height over ground at 0.3, and that it stays there."""
    x, v = ra.array([[0.0, height]]), ra.array([[2.0, speed]])
    return ra.fori_loop(0, 40, lambda _, s: advance_over_ground(*s, 0.3, 0.05), (x, v))


def test_a_point_lands_where_its_line_meets_the_ground() -> None:
    h, speed = 1.2, -0.7
    (x, v), (dx, _) = ra.jvp(landing, (h, speed), (1.0, 0.0))
    np.testing.assert_allclose(x[0], (2.0 * (h - 0.3) / -speed, 0.3), atol=1e-12)
    np.testing.assert_array_equal(v, 0.0)
    np.testing.assert_allclose(dx[0], (2.0 / -speed, 0.0), atol=1e-12)
    _, (dx, _) = ra.jvp(landing, (h, speed), (0.0, 1.0))
    np.testing.assert_allclose(dx[0], (2.0 * (h - 0.3) / speed**2, 0.0), atol=1e-12)


def test_a_point_that_rises_or_starts_below_the_ground() -> None:
    (x, v) = landing(0.3, 0.5)
    np.testing.assert_allclose(x[0], (4.0, 1.3), atol=1e-12)
    (x, v) = landing(0.2, -0.5)
    np.testing.assert_allclose(x[0, 1], 0.3, atol=1e-12)
    np.testing.assert_array_equal(v, 0.0)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(3, 12), st.sampled_from([2, 3]))
def test_the_limit_of_a_net_is_where_its_motion_explodes(seed: int, n: int, d: int) -> None:
    draw = np.random.default_rng(seed)
    x = draw.random((n, d))
    ends = np.array(
        [(i, j) for i in range(n) for j in range(i) if j == i - 1 or draw.random() < 0.4]
    )
    rest, nudge = rest_lengths(x, ends), 1e-9 * draw.standard_normal((n, d))

    # the matrix of the net, by the derivative of its forces
    pull = np.asarray(ra.jacrev(ra.fn(lambda x: spring_forces(x, ends, rest, 1.0)))(x))
    square = np.linalg.eigvalsh(-pull.reshape(n * d, n * d)).max()
    assert stiffest(x, ends) == pytest.approx(square, rel=0.05)
    assert stiffest(x, ends) <= square * (1 + 1e-9)

    def grown(share: float) -> float:
        dt = share * 2 / np.sqrt(square)

        def step(_: Any, s: Any) -> Any:
            v = s[1] + dt * spring_forces(s[0], ends, rest, 1.0)
            return s[0] + dt * v, v

        end = ra.fn(lambda x: ra.fori_loop(0, 100, step, (x, 0 * x))[0])(x + nudge)
        return float(np.abs(end - x).max() / np.abs(nudge).max())

    limit = ra.fn(lambda k: springs_limit(k, 0.0, 1.0).bound)(square)
    assert limit == pytest.approx(2 / np.sqrt(square))
    assert grown(0.9) < 100 < 1e4 < grown(1.1)


def test_dampers_shorten_the_step() -> None:
    limit = ra.fn(lambda k, c: springs_limit(k, c, 1.0).bound)
    k, c = 50.0, 8.0
    for share, stable in ((0.99, True), (1.01, False)):
        dt = share * limit(k, c)
        kick = np.array([[1 - dt * c, -dt * k], [dt * (1 - dt * c), 1 - dt * dt * k]])  # of v and x
        assert bool(np.abs(np.linalg.eigvals(kick)).max() < 1) is stable
    assert limit(0.0, 0.0) > 1e100
