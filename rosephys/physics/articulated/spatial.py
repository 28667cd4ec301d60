r"""Spatial vectors: motions and forces of rigid bodies, of six numbers each.

A motion is (ω, v), the angular velocity and the velocity of the body's point at the origin; a force is (n, f),
the moment about the origin and the force. All are of axes that stand still. With × that of space,

    (ω, v) × (ω', v') = (ω × ω', ω × v' + v × ω')          `cross_motion`
    (ω, v) ×* (n, f)  = (ω × n + v × f, ω × f)             `cross_force`

A body of mass m, whose centre is at c, with the inertia I (3, 3) about it, has the momentum (I₆ v), where

    I₆ = ( I + m (c·c 1 - c cᵀ)   m [c] )
         (       -m [c]             m 1 )

Source: Featherstone, *Rigid body dynamics algorithms*, 2008, chapter 2: (2.31), (2.32), (2.63).
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import rose_ad as ra

from ..quantities import Array, Axes, Scalar, SpaceVector

Spatial: TypeAlias = Annotated[Array, Axes(6)]
"""(6,), a motion or a force."""
SpatialMatrix: TypeAlias = Annotated[Array, Axes(6, 6)]
Rotation: TypeAlias = Annotated[Array, Axes(3, 3)]
Motions: TypeAlias = Annotated[Array, Axes("k", 6)]
"""(k, 6), the motion of each of k degrees of freedom at unit speed."""


def cross_motion(v: Spatial, m: Spatial) -> Spatial:
    """How a motion m (6,) changes that is carried along by v (6,)."""
    a, b, c, d, e, f = v
    x, y, z, p, q, r = m
    return ra.array(
        [
            *(b * z - c * y, c * x - a * z, a * y - b * x),
            *(b * r - c * q + e * z - f * y, c * p - a * r + f * x - d * z),
            a * q - b * p + d * y - e * x,
        ]
    )


def cross_force(v: Spatial, g: Spatial) -> Spatial:
    """How a force g (6,) changes that is carried along by v (6,)."""
    a, b, c, d, e, f = v
    x, y, z, p, q, r = g
    return ra.array(
        [
            *(b * z - c * y + e * r - f * q, c * x - a * z + f * p - d * r),
            a * y - b * x + d * q - e * p,
            *(b * r - c * q, c * p - a * r, a * q - b * p),
        ]
    )


def _skew(a: SpaceVector) -> list[list[Scalar]]:
    """[a], with [a] b = a × b."""
    x, y, z = a
    return [[0.0 * x, -z, y], [z, 0.0 * x, -x], [-y, x, 0.0 * x]]


def _blocks(a: list[list[Scalar]], b: list[list[Scalar]], c: list[list[Scalar]]) -> SpatialMatrix:
    """( a b ; c a ), each (3, 3)."""
    return ra.array([[*a[i], *b[i]] for i in range(3)] + [[*c[i], *a[i]] for i in range(3)])


def motion_matrix(v: Spatial) -> SpatialMatrix:
    """The matrix of v ×; that of v ×* is minus its transpose."""
    turn = _skew(v[:3])
    return _blocks(turn, [[0.0 * v[0]] * 3] * 3, _skew(v[3:]))


def swapped_matrix(g: Spatial) -> SpatialMatrix:
    """The matrix that takes v to v ×* g, for a force g (6,)."""
    moment, force = _skew(-g[:3]), _skew(-g[3:])
    none = [0.0 * g[0]] * 3
    rows = [[*moment[i], *force[i]] for i in range(3)] + [[*force[i], *none] for i in range(3)]
    return ra.array(rows)


@ra.fn
def body_inertia(
    rotation: Rotation, origin: SpaceVector, mass: Scalar, centre: SpaceVector, inertia: Rotation
) -> SpatialMatrix:
    """I₆ (6, 6) of a body whose frame stands at `origin` (3,), turned by `rotation` (3, 3)."""
    c = origin + rotation @ centre
    turned = rotation @ inertia @ rotation.T
    square = ra.dot(c, c)
    top = [
        [turned[i, j] + mass * ((square if i == j else 0.0) - c[i] * c[j]) for j in range(3)]
        for i in range(3)
    ]
    lever = _skew(mass * c)
    own = [[mass if i == j else 0.0 for j in range(3)] for i in range(3)]
    rows = [[*top[i], *lever[i]] for i in range(3)]
    return ra.array(rows + [[*(lever[j][i] for j in range(3)), *own[i]] for i in range(3)])
