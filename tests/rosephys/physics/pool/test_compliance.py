"""Cushions that give along their surface, against a spring and a slider that are integrated in small steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.pool import shot
from rosephys.physics.pool.ball import energy, sliding
from rosephys.physics.pool.compliance import SPEED_RATIO, slip_after
from rosephys.physics.pool.impacts import cushion_rebound
from rosephys.physics.pool.table import CAROM, with_cushions
from tests.support.shots import constants, strikes, struck

after = ra.fn(lambda s, c, mu, e: slip_after(s, c, mu, e))
BETA = 3.5


def integrated(slip: float, closing: float, mu: float, e: float, steps: int = 40_000) -> float:
    """The spring's force is what friction allows at most: then its end slips."""
    eta2 = BETA / SPEED_RATIO**2
    h = 0.5 * math.pi * (1 + e) / steps
    v, drawn = slip, 0.0
    for k in range(steps):
        theta = (k + 0.5) * h
        phase = theta if theta < 0.5 * math.pi else 0.5 * math.pi + (theta - 0.5 * math.pi) / e
        limit = mu * closing * math.sin(phase)
        drawn = min(max(drawn + h * v, -eta2 * limit), eta2 * limit)
        v -= h * BETA * drawn / eta2
    return v


CASES = [  # slip, closing speed, friction, restitution
    (3.0, 1.0, 0.1, 0.8),  # slips throughout
    (0.1, 1.0, 0.2, 0.85),  # sticks at once
    (0.5, 1.0, 0.2, 0.85),  # slips, then sticks while it is pressed
    (0.9, 1.0, 0.2, 0.85),  # slips, then sticks on the way back
    (0.0, 1.0, 0.2, 0.85),
    (0.7, 2.0, 0.5, 0.95),
]


@pytest.mark.parametrize("case", CASES)
def test_against_small_steps(case: Any) -> None:
    assert after(*case) == pytest.approx(integrated(*case), abs=2e-4)


@pytest.mark.parametrize("case", CASES[:4])
def test_derivatives(case: Any) -> None:
    ra.check_grads(after, tuple(map(np.array, case)), atol=1e-5)


def test_slipping_throughout_is_coulombs() -> None:
    assert after(3.0, 1.0, 0.1, 0.8) == pytest.approx(3.0 - 3.5 * 0.1 * 1.8, abs=1e-15)


def test_nothing_jumps_from_one_way_to_the_next() -> None:
    slips = np.linspace(0.0, 2.5, 20001)
    found = ra.vmap(after, in_axes=(0, None, None, None))(slips, 1.0, 0.2, 0.85)
    assert np.abs(np.diff(found)).max() < 1e-3


@pytest.mark.parametrize("seed", range(20))
def test_energy_is_not_gained(seed: int) -> None:
    random = np.random.default_rng(seed)
    c = constants(grip=random.uniform(0, 0.6), rebound=random.uniform(0.3, 1))
    velocity, spin = np.abs(random.normal(size=2)), 60 * random.normal(size=3)

    @ra.fn
    def lost() -> Any:
        ball = sliding(0.0, np.zeros(2), velocity, spin, c)
        back = cushion_rebound(ball, np.array([-1.0, 0.0]), 0.0, c, "stronge")
        return energy(ball, c.radius) - energy(back, c.radius)

    assert lost() > -1e-14


def test_a_shot_with_such_cushions_and_its_gradient() -> None:
    table, c = with_cushions(CAROM.table, "stronge"), CAROM.constants
    assert table is with_cushions(CAROM.table, "stronge")
    places, strike = strikes(CAROM, 5)

    @ra.fn
    def end(strike: Any) -> Any:
        return ra.sum(shot.play(table, struck(CAROM, places, strike), c).balls.position)

    _, gradient = ra.value_and_grad(end)(strike)
    h = 1e-6
    for k, e in enumerate(np.eye(5)):
        difference = (end(strike + h * e) - end(strike - h * e)) / (2 * h)
        assert gradient[k] == pytest.approx(difference, rel=1e-5, abs=1e-6)
