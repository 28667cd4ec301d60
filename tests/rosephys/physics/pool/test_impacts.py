"""Impacts: what is known of balls and cushions in closed form, and what is true of any."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.pool.ball import energy, sliding
from rosephys.physics.pool.impacts import balls_meet, cushion_rebound
from tests.support.shots import RADIUS, constants, plain

X = np.array([1.0, 0.0])


def meet(c: Any, n: Any, velocities: Any, spins: Any) -> Any:
    @ra.fn
    def after() -> Any:
        places = np.zeros(2), 2 * RADIUS * np.asarray(n)
        balls = [sliding(0.0, *row, c) for row in zip(places, velocities, spins, strict=True)]
        pair = balls_meet(*balls, 0.0, c)
        loss = [energy(b, c.radius) for b in (*balls, *pair)]
        return [(b.velocity, b.spin) for b in pair], loss[0] + loss[1] - loss[2] - loss[3]

    return after()


def rebound(c: Any, velocity: Any, spin: Any, normal: Any = (-1.0, 0.0)) -> Any:
    @ra.fn
    def after() -> Any:
        ball = sliding(0.0, np.zeros(2), np.array(velocity), np.array(spin), c)
        back = cushion_rebound(ball, np.array(normal), 0.0, c)
        return back.velocity, back.spin, energy(ball, c.radius) - energy(back, c.radius)

    return after()


def test_a_stop_shot_gives_all_its_speed() -> None:
    (cue, ball), _ = meet(plain(), X, [2 * X, 0 * X], np.zeros((2, 3)))
    np.testing.assert_allclose(cue[0], 0.0, atol=1e-15)
    np.testing.assert_allclose(ball[0], 2 * X, atol=1e-15)


@pytest.mark.parametrize("degrees", [1, 10, 30, 45, 60, 80, 89])
def test_a_sliding_ball_leaves_at_right_angles(degrees: float) -> None:
    cut = math.radians(degrees)
    n = np.array([math.cos(cut), math.sin(cut)])
    (cue, ball), _ = meet(plain(), n, [X, 0 * X], np.zeros((2, 3)))
    assert abs(cue[0] @ ball[0]) < 1e-15
    np.testing.assert_allclose(ball[0], math.cos(cut) * n, atol=1e-15)


@pytest.mark.parametrize("seed", range(30))
def test_restitution_momentum_and_energy(seed: int) -> None:
    random = np.random.default_rng(seed)
    e, turn = random.uniform(0, 1), random.uniform(0, 2 * np.pi)
    n = np.array([math.cos(turn), math.sin(turn)])
    velocities, spins = random.normal(size=(2, 2)), 30 * random.normal(size=(2, 3))
    if n @ (velocities[0] - velocities[1]) < 0:
        velocities = velocities[::-1]
    c = constants(restitution=e, friction=random.uniform(0, 0.2, 3))
    pair, lost = meet(c, n, velocities, spins)
    closing = n @ (velocities[0] - velocities[1])
    assert abs(n @ (pair[1][0] - pair[0][0]) - e * closing) < 1e-10
    np.testing.assert_allclose(pair[0][0] + pair[1][0], velocities.sum(axis=0), atol=1e-14)
    assert lost > -1e-14
    # what a push along the surface turns one ball, it turns the other
    np.testing.assert_allclose(pair[0][1] - spins[0], pair[1][1] - spins[1], atol=1e-11)


def test_a_sticking_contact_ends_the_slip() -> None:
    c = constants(friction=np.array([1e3, 0.0, 0.0]))
    spins = np.array([[0.0, 0.0, 40.0], [0.0, 0.0, 10.0]])
    (cue, ball), _ = meet(c, X, [X, 0 * X], spins)
    slip = cue[0][1] - ball[0][1] + RADIUS * (cue[1][2] + ball[1][2])
    assert abs(slip) < 1e-15


def test_throw_is_the_coefficient_of_friction() -> None:
    # a full hit with English far from sticking: the ball leaves at the angle arctan μ to the line of centres
    c = constants(friction=np.array([0.06, 0.0, 0.0]))
    (_, ball), _ = meet(c, X, [X, 0 * X], np.array([[0.0, 0.0, 60.0], [0.0, 0.0, 0.0]]))
    assert ball[0][1] / ball[0][0] == pytest.approx(0.06, rel=1e-12)


@pytest.mark.parametrize("seed", range(30))
def test_a_cushion_takes_energy_and_mirrors(seed: int) -> None:
    random = np.random.default_rng(seed)
    c = constants(grip=random.uniform(0, 0.6), rebound=random.uniform(0, 1))
    velocity, spin = (
        np.abs(random.normal(size=2)) * (1, random.choice([-1, 1])),
        random.normal(size=3),
    )
    spin = 60 * spin
    v, w, lost = rebound(c, velocity, spin)
    assert lost > -1e-14
    mirror, turned = np.array([1, -1]), np.array([-1, 1, -1])
    v2, w2, _ = rebound(c, velocity * mirror, spin * turned)
    np.testing.assert_allclose(v2, v * mirror, atol=1e-13)
    np.testing.assert_allclose(w2, w * turned, atol=1e-11)


def test_a_cushion_at_the_height_of_the_middle_returns_e() -> None:
    c = constants(nose=RADIUS)
    v, _, _ = rebound(c, (2.0, 0.0), (0.0, 0.0, 0.0))
    np.testing.assert_allclose(v, (-0.85 * 2.0, 0.0), atol=1e-15)


def test_english_opens_the_angle() -> None:
    # against the cushion at x, a ball that turns left about z is driven to -y there
    still = rebound(constants(), (1.0, 0.0), (0.0, 0.0, 0.0))[0]
    left = rebound(constants(), (1.0, 0.0), (0.0, 0.0, 30.0))[0]
    right = rebound(constants(), (1.0, 0.0), (0.0, 0.0, -30.0))[0]
    assert still[1] == 0 and left[1] < -0.1 and right[1] == pytest.approx(-left[1], rel=1e-14)


@pytest.mark.parametrize("grip", [0.0, 0.05, 10.0])
def test_gradients_of_both(grip: float) -> None:
    c = constants(grip=grip, friction=np.array([grip, 0.0, 0.0]))

    @ra.fn
    def both(v: Any, w: Any) -> Any:
        ball = sliding(0.0, np.zeros(2), v, w, c)
        other = sliding(0.0, 2 * RADIUS * X, 0 * X, np.zeros(3), c)
        pair = balls_meet(ball, other, 0.0, c)
        back = cushion_rebound(ball, np.array([-1.0, 0.0]), 0.0, c)
        return ra.sum(back.velocity) + pair[0].velocity[1] + 0.1 * ra.sum(pair[1].spin + back.spin)

    ra.check_grads(both, (np.array([1.0, 0.3]), np.array([3.0, 12.0, 20.0])), atol=1e-5)
