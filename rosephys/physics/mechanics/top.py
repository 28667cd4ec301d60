r"""A heavy symmetric top on a fixed pivot.

The top has the mass m (kg), the moments A, A, C (kg m²) about the pivot, and its centre of mass at the distance
l (m) along its axis a, the body's z. Gravity g (m/s²) pulls it over with the torque

    T = m g l e_z × a.

Energy, L_z and L · a are kept. With the spin s = ω · a and the inclination θ from the vertical, the axis goes
round without nodding at the rate Ω where

    A Ω² cos θ - C s Ω + m g l = 0.

Source: Goldstein, *Classical mechanics*, §5.7.
"""

from __future__ import annotations

import numpy as np

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import Positive, Scalar, SpaceVector
from ..rigid.body3d import Moments, Quaternion, kick_turn_kick, rotated, rotational_energy


@checked
def top_axis(q: Quaternion) -> SpaceVector:
    """The axis (3,) of a top with the orientation q (4,)."""
    return rotated(q, np.array([0.0, 0.0, 1.0]))


@checked
def top_step(
    q: Quaternion, momentum: SpaceVector, moments: Moments, weight: Scalar, dt: Scalar
) -> tuple[Quaternion, SpaceVector]:
    """Orientation and angular momentum a time dt later, for `weight` m g l (N m)."""

    def torque(q: Quaternion) -> SpaceVector:
        x, y, _ = top_axis(q)
        return weight * ra.array([-y, x, 0.0])

    return kick_turn_kick(torque, q, momentum, moments, dt)


@checked
def top_limit(momentum: SpaceVector, moments: Moments, weight: Scalar, dt: Positive) -> Limit:
    """Where a step follows the axis, which nods at the rate |L| / A and swings at √(m g l / A).

    It may do a radian of both in a step, with which the energy is off by some percent.
    """
    nods = ra.norm(momentum) / moments[0]
    fastest = ra.maximum(nods + ra.sqrt(ra.abs(weight) / moments[0]), 1e-300)
    return Limit(
        "what the axis allows, which turns at {} rad/s", dt, 1 / fastest, numbers=[fastest]
    )


@checked
def top_energy(q: Quaternion, momentum: SpaceVector, moments: Moments, weight: Scalar) -> Scalar:
    """Kinetic and potential energy (J)."""
    return rotational_energy(q, momentum, moments) + weight * top_axis(q)[2]


@checked
def steady_precession(
    moments: Moments, weight: Scalar, spin: Scalar, inclination: Scalar
) -> Scalar:
    """The smaller rate Ω (rad/s) at which the axis goes round without nodding; NaN for too small a spin."""
    along = moments[2] * spin
    root = ra.sqrt(along**2 - 4 * moments[0] * weight * ra.cos(inclination))
    return 2 * weight / (along + root)
