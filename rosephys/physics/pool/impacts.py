r"""What an impact changes: of two balls, and of a ball with a cushion.

A ball of mass 1 has the velocity v, without a vertical part, and the angular velocity ω. Where it is touched,
at R n from its centre, its surface moves with w = v + ω × R n. An impulse J there changes it by

    Δv = J,    Δω = 5/(2R) n × J,

so that of a push along the surface w changes by 7/2 of it. What would make a ball jump, the vertical part of
Δv, is left out: the cloth takes it.

**Two balls** of equal mass, n from the first to the second. Along n the first gets -(1 + e)/2 n·(v₁ - v₂) n.
With the slip s = w₁ - w₂ across n it gets -min(μ (1 + e)/2 n·(v₁ - v₂), |s|/7) ŝ as well, Coulomb's friction
that ends with the slip; the second gets the opposite. So a ball is thrown off the line of centres and takes
some of the other's spin (Alciatore, TP A.5, A.6 and A.14).

**A cushion** whose nose is at the height h touches at an angle θ above the middle, sin θ = h/R - 1. With n
there, c = n·w = v·n and the slip s = w - c n:

    J = -(1 + e) c n - min(μ (1 + e) c, 2/7 |s|) ŝ

(Han, *Dynamics in carom and three cushion billiards*, J. Mech. Sci. Tech. 19, 2005).

**Derivative:** exact, also across the change from sliding to sticking, where it jumps.
"""

from __future__ import annotations

import rose_ad as ra

from ..quantities import PlaneVector, Scalar, SpaceVector
from .ball import Ball, Constants, sliding


def balls_meet(first: Ball, second: Ball, time: Scalar, constants: Constants) -> tuple[Ball, Ball]:
    """Two balls that touch, after their impact."""
    r, e = constants.radius, constants.restitution
    n = _flat(_unit(second.position - first.position))
    relative = _flat(first.velocity - second.velocity)
    closing = ra.dot(n, relative)
    turning = ra.cross(first.spin + second.spin, n)
    slip = relative - closing * n + r * turning
    a, b, c = constants.friction
    speed = ra.norm(slip)
    pressed = 0.5 * (1 + e) * closing
    across = _friction(slip, (a + b * ra.exp(-c * speed)) * pressed, 1 / 7)
    twist = 2.5 / r * ra.cross(n, across)
    along = pressed * n
    return (
        _pushed(first, across - along, twist, time, constants),
        _pushed(second, along - across, twist, time, constants),
    )


def cushion_rebound(ball: Ball, normal: PlaneVector, time: Scalar, constants: Constants) -> Ball:
    """A ball that touches a cushion, after its impact; `normal` (2,) is of length 1, into the table."""
    r, e = constants.radius, constants.rebound
    up = constants.nose / r - 1.0
    level = ra.sqrt(1 - up * up)
    n = ra.array([-level * normal[0], -level * normal[1], up])
    moving = _flat(ball.velocity) + r * ra.cross(ball.spin, n)
    into = ra.dot(n, moving)
    along = _friction(moving - into * n, constants.grip * (1 + e) * into, 2 / 7)
    twist = 2.5 / r * ra.cross(n, along)
    return _pushed(ball, along - (1 + e) * into * n, twist, time, constants)


def _friction(slip: SpaceVector, most: Scalar, stops: float) -> SpaceVector:
    """The impulse against a slip that `stops` times the slip would end, and that is `most` at most."""
    speed = ra.norm(slip)
    share = ra.where(most < stops * speed, most / ra.where(speed > 0, speed, 1.0), stops)
    return -share * slip


def _pushed(
    ball: Ball, impulse: SpaceVector, twist: SpaceVector, time: Scalar, constants: Constants
) -> Ball:
    velocity = ball.velocity + impulse[:2]
    return sliding(time, ball.position, velocity, ball.spin + twist, constants)


def _unit(vector: PlaneVector) -> PlaneVector:
    return vector / ra.norm(vector)


def _flat(vector: PlaneVector) -> SpaceVector:
    return ra.array([vector[0], vector[1], 0.0])
