"""What a cue gives a ball: closed forms, mirror images, energy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.pool.strike import struck
from rosephys.physics.pool.table import POOL

CUE = POOL.cue
blow = ra.fn(lambda v, phi, a, b, theta: struck(CUE, v, phi, a, b, theta))


def test_a_blow_in_the_middle_is_an_elastic_impact() -> None:
    velocity, spin = blow(2.0, 0.3, 0.0, 0.0, 0.0)
    m, big = float(CUE.ball_mass), float(CUE.mass)
    speed = 2 * big / (m + big) * 2.0
    np.testing.assert_allclose(
        velocity, speed * np.array([math.cos(0.3), math.sin(0.3)]), atol=1e-15
    )
    np.testing.assert_array_equal(spin, 0.0)


def test_a_ball_that_is_struck_at_seven_fifths_of_its_radius_rolls_at_once() -> None:
    velocity, spin = blow(1.0, 0.0, 0.0, 0.4, 0.0)
    assert spin[1] * float(CUE.radius) == pytest.approx(velocity[0], rel=1e-14)


@pytest.mark.parametrize("seed", range(10))
def test_energy_and_momentum_of_cue_and_ball(seed: int) -> None:
    # the tip neither slips nor loses energy: what is lost is the part that would make the ball jump
    random = np.random.default_rng(seed)
    a, b = random.uniform(-0.35, 0.35, 2)
    velocity, spin = blow(1.0, 0.0, a, b, 0.0)
    m, big, r = (float(x) for x in (CUE.ball_mass, CUE.mass, CUE.radius))
    speed = np.linalg.norm(velocity)
    cue = 1.0 - m * speed / big
    energy = 0.5 * m * (speed**2 + 0.4 * r * r * spin @ spin) + 0.5 * big * cue**2
    assert energy == pytest.approx(0.5 * big, rel=1e-14)


@pytest.mark.parametrize("seed", range(10))
def test_the_other_side_is_the_mirror_image(seed: int) -> None:
    random = np.random.default_rng(seed)
    phi, a, b, theta = random.uniform(-0.35, 0.35, 4)
    velocity, spin = blow(1.5, phi, a, b, theta)
    other, turned = blow(1.5, -phi, -a, b, theta)
    np.testing.assert_allclose(other, velocity * (1, -1), atol=1e-15)
    np.testing.assert_allclose(turned, spin * (-1, 1, -1), atol=1e-12)


def test_english_and_squirt_go_apart() -> None:
    velocity, spin = blow(1.0, 0.0, 0.3, 0.0, 0.0)
    assert (
        spin[2] > 0 and velocity[1] > 0
    )  # struck on the right it turns left, and goes off to the left


@pytest.mark.parametrize("seed", range(5))
def test_gradients(seed: int) -> None:
    random = np.random.default_rng(seed)

    @ra.fn
    def total(x: Any) -> Any:
        velocity, spin = struck(CUE, x[0], x[1], x[2], x[3], x[4])
        return velocity[0] - 2 * velocity[1] + 0.01 * ra.sum(spin)

    ra.check_grads(total, (random.uniform(0.1, 0.4, 5),), atol=1e-5)
