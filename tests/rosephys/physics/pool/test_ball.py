"""One ball on the cloth: closed forms of how it slides, rolls and spins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.pool.ball import (
    ROLLING,
    SPINNING,
    STATIONARY,
    Constants,
    at,
    ends,
    energy,
    nearest,
    next_phase,
    sliding,
    slip,
)
from tests.support.shots import RADIUS, constants

ZERO = np.zeros(3)


def rolled(speed: Any, c: Constants) -> Any:
    """The ball that slid from this speed, as it begins to roll."""
    ball = sliding(0.0, np.zeros(2), ra.array([speed, 0.0]), ZERO, c)
    return next_phase(ball, ends(ball, c), c)


@ra.fn
def slide(speed: Any, friction: Any) -> Any:
    ball = rolled(speed, constants(sliding=friction))
    return ball.since, ball.velocity[0], ball.position[0], ball.phase


def test_a_ball_slides_until_it_rolls() -> None:
    since, speed, way, phase = slide(2.0, 0.2)
    assert abs(since - 0.29124800) < 5e-9
    assert abs(speed - 1.42857143) < 5e-9
    assert abs(way - 0.49928228) < 5e-9
    assert phase == ROLLING


def test_the_speed_that_is_left_depends_on_the_speed_alone() -> None:
    grad = ra.grad(ra.fn(lambda v, mu: slide(v, mu)[1]), argnums=(0, 1))(2.0, 0.2)
    np.testing.assert_allclose(grad, (5 / 7, 0.0), atol=1e-15)


def test_a_ball_rolls_to_rest() -> None:
    @ra.fn
    def roll(speed: Any) -> Any:
        c = constants()
        ball = rolled(speed, c)
        end = next_phase(ball, ends(ball, c), c)
        return end.since - ball.since, end.position[0] - ball.position[0], end.phase

    time, way, phase = roll(2.0)
    assert abs(time - 14.5624) < 5e-5 and abs(way - 10.4017) < 5e-5
    assert phase == STATIONARY
    v = 10 / 7
    assert time == pytest.approx(v / (0.01 * 9.81), rel=1e-14)
    assert way == pytest.approx(v * v / (2 * 0.01 * 9.81), rel=1e-14)


def test_a_ball_spins_on_the_spot_when_it_has_come_to_rest() -> None:
    @ra.fn
    def spin(turn: Any) -> Any:
        c = constants()
        ball = sliding(0.0, np.zeros(2), ra.array([0.01, 0.0]), ra.array([0.0, 0.0, turn]), c)
        times, phases = [], []
        for _ in range(3):
            ball = next_phase(ball, ends(ball, c), c)
            times.append(ball.since)
            phases.append(ball.phase)
        return ra.stack(times), ra.stack(phases)

    times, phases = spin(50.0)
    assert list(phases) == [ROLLING, SPINNING, STATIONARY]
    c = constants()
    assert times[2] == pytest.approx(2 * RADIUS * 50 / (5 * c.spinning * c.gravity), rel=1e-14)


@pytest.mark.parametrize("seed", range(20))
def test_sliding_keeps_what_friction_has_no_arm_for(seed: int) -> None:
    # v + 2/5 R² ω about the point of contact, from the moment of the struck ball on
    random = np.random.default_rng(seed)
    velocity, spin = random.normal(size=2), 30 * random.normal(size=3)

    @ra.fn
    def moments(share: Any) -> Any:
        c = constants()
        ball = sliding(0.0, np.zeros(2), velocity, spin, c)
        later = at(ball, share * ends(ball, c), c)
        arm = ra.array([later.spin[1], -later.spin[0]])
        return (
            later.velocity + 0.4 * RADIUS * arm,
            slip(later.velocity, later.spin, c.radius),
            energy(later, c.radius),
        )

    start, u, first = moments(0.0)
    middle, v, second = moments(0.6)
    end, w, third = moments(1.0)
    np.testing.assert_allclose((middle, end), (start, start), atol=1e-13)
    np.testing.assert_allclose(v, 0.4 * u, atol=1e-12)  # its direction stays
    np.testing.assert_allclose(w, 0.0, atol=1e-12)
    assert first > second > third


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_place_of_a_stretch(seed: int) -> None:
    random = np.random.default_rng(seed)
    velocity, spin, point = random.normal(size=2), 30 * random.normal(size=3), random.normal(size=2)

    @ra.fn
    def least(v: Any) -> Any:
        c = constants()
        ball = sliding(0.0, np.zeros(2), v, spin, c)
        return nearest(ball, 0.5 * ends(ball, c), point), ends(ball, c), ball.push

    found, lasts, push = least(velocity)
    times = np.linspace(0.0, 0.5 * lasts, 20001)[:, None]
    away = np.linalg.norm(times * velocity + 0.5 * times**2 * push - point, axis=1) ** 2
    if away.argmin() == len(times) - 1:
        assert found == np.inf  # the next stretch has it
    else:
        assert found == pytest.approx(away.min(), abs=1e-8)
        ra.check_grads(ra.fn(lambda v: least(v)[0]), (velocity,), atol=1e-6)
