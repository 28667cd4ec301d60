r"""The rows of a joint between two places of its bodies, and how they bend.

While a body turns by Δ = h ω, a point that is at r from its centre of mass goes from R r to R' r. With z = Δ /
2 and R̄ the rotation half-way, that is along the normal of an arm r̄ at the middle, exactly:

    R' r - R r = Δ (-r̄_y, r̄_x),      r̄ = S(z) R̄ r,      S(z) = sin z / z

So with the arms ā, b̄ of the anchors the ends of a joint, d apart, move apart by d' - d = h P u along

    P = ( -1   0    ā_y   1   0  -b̄_y )
        (  0  -1   -ā_x   0   1   b̄_x )

A pin has the rows P, a rod e P with e = (d + d') / (|d| + |d'|), for which |d'| - |d| = e (d' - d). The
turning of welds and motors is a row of constants. With h = 0 these are the rows of the velocities, J.

Rows G(u) and impulses p give bodies the momenta Gᵀp, and these change with u where arms turn and where rods do:

    ∂(Gᵀp)/∂u = h p_e Pᵀ (1 - e e'ᵀ) / (|d| + |d'|) P'      e' = d' / |d'|, P' with the arms at the end
    on the diagonal, at the two spins:  ∓ h/2 (S' R̄ r + S R̄ r^⊥) × f,      f the force, p or e p_e

Anchors are about a body's centre of mass; metres, radians, seconds, N s.

Source: Gonzalez, *Mechanical systems subject to holonomic constraints: differential-algebraic formulations and
conservative integration*, Physica D 132, 1999 (discrete derivatives).
"""

from __future__ import annotations

import rose_ad as ra

from ..quantities import Array, Index, Matrix, Scalar, Vector, Vectors
from .joints import DISTANCE, MOTOR, WELD

SMALL = 0.25
"""Angles below this, in radians, are summed as series."""


@ra.fn
def chord(
    kind: Index, anchors: Vectors, x: Array, u: Array, p: Array, h: Scalar
) -> tuple[Matrix, Matrix, Matrix]:
    """Of a joint of two bodies at x (6,) that move with u (6,) for h seconds: the rows G (3, 6) of the chord,
    the rows J (3, 6) at its end, and ∂(Gᵀp)/∂u (6, 6) for impulses p (3,)."""
    rod = kind == DISTANCE
    pin = ra.where(rod | (kind == MOTOR), 0.0, 1.0)
    turn = ra.where((kind == WELD) | (kind == MOTOR), 1.0, 0.0)
    a, b = (_Arm(anchors[s], x[3 * s + 2], 0.5 * h * u[3 * s + 2]) for s in (0, 1))

    # the ends, before and after
    before = x[3:5] + b.start - x[:2] - a.start
    after = before + h * (u[3:5] - u[:2]) + b.end - b.start - a.end + a.start
    length, long = (ra.where(rod, ra.hypot(d[0], d[1]), 1.0) for d in (before, after))
    e = ra.where(rod, (before + after) / (length + long), 0.0)
    end = ra.where(rod, after / long, 0.0)

    # the rows
    mean, last = _ends(a.mean, b.mean), _ends(a.end, b.end)
    turning = turn * ra.array([0.0, 0.0, -1.0, 0.0, 0.0, 1.0])
    rows, ends = (
        ra.array([d[0] * m[0] + d[1] * m[1] + pin * m[0], pin * m[1], turning])
        for d, m in ((e, mean), (end, last))
    )

    # how they bend
    force = ra.where(rod, p[0] * e, pin * p[:2])
    stiff = ra.where(rod, h * p[0] / (length + long), 0.0)
    swing = [[stiff * ((r == s) - e[r] * end[s]) for s in (0, 1)] for r in (0, 1)]
    across = [swing[r][0] * last[0] + swing[r][1] * last[1] for r in (0, 1)]
    spins = -0.5 * h * _cross(a.bend, force), 0.5 * h * _cross(b.bend, force)

    def bent(r: Index) -> Array:
        row = mean[0, r] * across[0] + mean[1, r] * across[1]
        return row + ra.build(
            6,
            lambda s: ra.where(
                r == s, ra.where(s == 2, spins[0], ra.where(s == 5, spins[1], 0.0)), 0.0
            ),
        )

    return rows, ends, ra.build(6, bent)


class _Arm:
    """The arm of an anchor while its body turns by twice z from an angle: at the start, at the end, the mean
    that makes the chord, and how that changes with z."""

    def __init__(self, anchor: Vector, angle: Scalar, z: Scalar) -> None:
        c, s, cz, sz = ra.cos(angle + z), ra.sin(angle + z), ra.cos(z), ra.sin(z)
        x, y = c * anchor[0] - s * anchor[1], s * anchor[0] + c * anchor[1]
        self.start = ra.array([cz * x + sz * y, cz * y - sz * x])
        self.end = ra.array([cz * x - sz * y, cz * y + sz * x])
        # S and its derivative
        large = abs(z) > SMALL
        by, q = ra.where(large, z, 1.0), z * z
        short = 1 - q / 6 * (1 - q / 20 * (1 - q / 42 * (1 - q / 72)))
        share = ra.where(large, sz / by, short)
        slope = ra.where(large, (cz - sz / by) / by, -z / 3 * (1 - q / 10 * (1 - q / 28)))
        self.mean = share * ra.array([x, y])
        self.bend = slope * ra.array([x, y]) + share * ra.array([-y, x])


def _ends(a: Vector, b: Vector) -> Matrix:
    """P (2, 6): how the ends of arms a and b part with the motions of their bodies."""
    return ra.array([[-1.0, 0.0, a[1], 1.0, 0.0, -b[1]], [0.0, -1.0, -a[0], 0.0, 1.0, b[0]]])


def _cross(a: Vector, b: Vector) -> Scalar:
    return a[0] * b[1] - a[1] * b[0]
