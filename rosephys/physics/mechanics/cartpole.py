r"""A cart on a rail that carries a pole: a point mass m on a massless rod of length l, without friction.

The cart of mass M is at x (m) and is pushed along the rail by F (N); the pole's angle θ (rad) is measured from
the downward vertical, so that it is upright at π, and the pole's end is at (x + l sin θ, -l cos θ):

    (M + m sin²θ) x'' = F + m sin θ (l θ'² + g cos θ)
                l θ'' = -x'' cos θ - g sin θ

Source: Lagrange's equations; Tedrake, *Underactuated Robotics*, §3.2; Florian, *Correct equations for the
dynamics of the cart-pole system*, 2007, for a uniform pole.
"""

from __future__ import annotations

import rose_ad as ra

from ..checked import checked
from ..quantities import NotNegative, PlaneVector, Positive, Scalar


@checked
@ra.struct
class CartPole:
    """Masses of the cart and of the pole's end (kg), the pole's length (m), gravity (m/s²)."""

    cart: Positive
    pole: NotNegative
    length: Positive
    gravity: Scalar


@checked
def cartpole_acceleration(
    body: CartPole, place: PlaneVector, rate: PlaneVector, force: Scalar
) -> PlaneVector:
    """(x'', θ''), (2,), at `place` (x, θ) and `rate` (x', θ') under the force F."""
    c, s = ra.cos(place[1]), ra.sin(place[1])
    push = force + body.pole * s * (body.length * rate[1] ** 2 + body.gravity * c)
    along = push / (body.cart + body.pole * s * s)
    return ra.array([along, -(along * c + body.gravity * s) / body.length])


@checked
def cartpole_fastest(body: CartPole, rate: PlaneVector) -> Scalar:
    """The frequency (rad/s) that a step has to follow, at `rate` (x', θ'): that of the hanging pole on a cart
    that is free, ω² = g (M + m) / (M l), and the pole's turning."""
    square = ra.abs(body.gravity) * (body.cart + body.pole) / (body.cart * body.length)
    return ra.sqrt(square) + ra.abs(rate[1])


@checked
def cartpole_energy(body: CartPole, place: PlaneVector, rate: PlaneVector) -> Scalar:
    """Kinetic and potential energy (J), zero at rest with the pole level."""
    turning = body.length * rate[1]
    c = ra.cos(place[1])
    kinetic = 0.5 * (body.cart + body.pole) * rate[0] ** 2
    kinetic += body.pole * (0.5 * turning**2 + rate[0] * turning * c)
    return kinetic - body.pole * body.gravity * body.length * c
