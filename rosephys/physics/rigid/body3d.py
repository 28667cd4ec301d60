r"""A rigid body in three dimensions.

A unit quaternion q = (w, x, y, z) takes vectors of the body to the world, by the rotation R(q). With the
principal moments I (kg m²) about the body's axes, the angular momentum L of the world (kg m²/s) and the torque
T (N m),

    ω = R I⁻¹ Rᵀ L,    q' = ½ (0, ω) q,    L' = T.

`turn` is a step without torque. It is the implicit midpoint rule in the body's frame, where ℓ = Rᵀ L:

    (ℓ₁ - ℓ₀) / h = ½ (ℓ₀ + ℓ₁) × w,    w = I⁻¹ ½ (ℓ₀ + ℓ₁),    q₁ = q₀ cay(h w).

cay(a) = (1, a/2) / |(1, a/2)| is the very rotation that takes ℓ₁ to ℓ₀. So L, the energy and |q| are those of
before, whatever h, and the order is 2. `kick_turn_kick` adds a torque that depends on q alone, by Strang's
splitting.

Sources: Austin, Krishnaprasad, Wang, *Almost Poisson integration of rigid body systems*, J. Comput. Phys. 107,
1993; Goldstein, *Classical mechanics*, chapter 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import ABOVE_0, Array, Axes, Positive, Scalar, SpaceVector

Quaternion: TypeAlias = Annotated[Array, Axes(4)]
"""(4,), w first, of length 1."""
Rotation: TypeAlias = Annotated[Array, Axes(3, 3)]
Moments: TypeAlias = Annotated[Array, Axes(3), ABOVE_0]
"""(3,), principal moments in kg m²."""
Torque: TypeAlias = Callable[[Quaternion], SpaceVector]

BOX_CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
"""The corners (8, 3) of a box with half extents 1."""

BOX_FACES = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)
"""The corners of its faces (6, 4), anticlockwise as seen from outside."""


@checked
def product(p: Quaternion, q: Quaternion) -> Quaternion:
    """The quaternion (4,) of the rotation q followed by p."""
    a, b, c, d = p
    w, x, y, z = q
    return ra.array(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ]
    )


@checked
def rotation_matrix(q: Quaternion) -> Rotation:
    """R(q), (3, 3), for a unit quaternion."""
    w, x, y, z = q
    return ra.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


@checked
def cayley(a: SpaceVector) -> Quaternion:
    """The unit quaternion of a rotation by nearly the vector a (3,), in radians."""
    half = 0.5 * a
    w = 1 / ra.sqrt(1 + ra.dot(half, half))
    return ra.array([w, w * half[0], w * half[1], w * half[2]])


@checked
def rotated(q: Quaternion, points: Annotated[Array, Axes(..., 3)]) -> Array:
    """Points (..., 3) of the body, turned as it is."""
    return points @ rotation_matrix(q).T


@checked
def angular_velocity(q: Quaternion, momentum: SpaceVector, moments: Moments) -> SpaceVector:
    """ω (3,) in the world (rad/s)."""
    r = rotation_matrix(q)
    return r @ ((momentum @ r) / moments)


@checked
def angular_momentum(q: Quaternion, velocity: SpaceVector, moments: Moments) -> SpaceVector:
    """L (3,) of the world, for ω (3,) in the world."""
    r = rotation_matrix(q)
    return r @ (moments * (velocity @ r))


@checked
def rotational_energy(q: Quaternion, momentum: SpaceVector, moments: Moments) -> Scalar:
    """½ L · ω (J)."""
    return 0.5 * ra.dot(momentum, angular_velocity(q, momentum, moments))


@checked
@ra.fn
def turn(q: Quaternion, momentum: SpaceVector, moments: Moments, dt: Scalar) -> Quaternion:
    """The quaternion (4,) a time dt later, without torque."""
    free = dt * (momentum @ rotation_matrix(q)) / moments

    def residual(turned: SpaceVector) -> SpaceVector:  # the vector h w
        return turned - free - 0.5 * ra.cross(moments * turned, turned) / moments

    return product(q, cayley(ra.newton(residual, free, tolerance=1e-14)))


@checked
def kick_turn_kick(
    torque: Torque, q: Quaternion, momentum: SpaceVector, moments: Moments, dt: Scalar
) -> tuple[Quaternion, SpaceVector]:
    """Quaternion and angular momentum a time dt later, under `torque(q)` (3,) of the world."""
    momentum = momentum + 0.5 * dt * torque(q)
    q = turn(q, momentum, moments, dt)
    return q, momentum + 0.5 * dt * torque(q)


@checked
def box_moments(mass: Positive, half: Moments) -> SpaceVector:
    """The principal moments (3,) of a box with half extents (3,) in metres."""
    x, y, z = half
    return mass / 3 * ra.array([y * y + z * z, x * x + z * z, x * x + y * y])
