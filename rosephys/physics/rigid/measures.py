r"""What is measured between two bodies: how far points of them are apart, and how far they have turned.

With p and q the places of an anchor on the first body and on the second, d = q - p, e an axis that turns with
the first body and e^⊥ = (-e_y, e_x), a measure C is

    x, y        d_x, d_y            distance    |d|
    along       d · e               across      d · e^⊥            angle     θ_b - θ_a

less a zero of its own. Each grows at the rate J u with the motions u (6,) of the two bodies, velocity and spin
of the first, then of the second; the row J is

    ( -f,  -(a + w d) × f - s,   f,   b × f + s )        a, b the arms of the anchors, a × f = a_x f_y - a_y f_x

with f the direction of the measure (0 for an angle), w = 1 where it turns with the first body, else 0, and s =
1 for an angle, else 0. What is done with a measure, to hold it or to bound, drive or spring it, is said in
`rows`.

Metres and radians. Source: Featherstone, *Rigid Body Dynamics Algorithms*, 2008, chapter 3 (joints as rows).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

import rose_ad as ra

from ..quantities import Array, Index, Scalar, Vector, Vectors

Measure: TypeAlias = Literal["x", "y", "distance", "along", "across", "angle"]
MEASURES: tuple[Measure, ...] = ("x", "y", "distance", "along", "across", "angle")
"""By their numbers."""
X, Y, DISTANCE, ALONG, ACROSS, ANGLE = range(len(MEASURES))


@ra.fn
def measured(
    kind: Index, anchors: Vectors, axis: Vector, zero: Scalar, x: Array
) -> tuple[Scalar, Array]:
    """C, and its row J (6,), for the poses x (6,) of two bodies; `anchors` (2, 2) and `axis` (2,) are those of
    the bodies."""
    a, b, e = (_turned(v, x[k]) for v, k in ((anchors[0], 2), (anchors[1], 5), (axis, 2)))
    d = ra.array([x[3] + b[0] - x[0] - a[0], x[4] + b[1] - x[1] - a[1]])
    length = ra.norm(d)
    long = ra.where(kind == DISTANCE, ra.maximum(length, 1e-12), 1.0)
    carried, turn = (kind == ALONG) | (kind == ACROSS), ra.where(kind == ANGLE, 1.0, 0.0)
    f = ra.where(kind == X, np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    f = ra.where(kind == DISTANCE, d / long, f)
    f = ra.where(kind == ALONG, e, ra.where(kind == ACROSS, ra.array([-e[1], e[0]]), f))
    f = (1 - turn) * f
    with_d = ra.where(carried, 1.0, 0.0)
    g = a + with_d * d
    row = [-f[0], -f[1], g[1] * f[0] - g[0] * f[1] - turn]
    row += [f[0], f[1], b[0] * f[1] - b[1] * f[0] + turn]
    value = ra.where(kind == DISTANCE, length, d[0] * f[0] + d[1] * f[1])
    return value + turn * (x[5] - x[2]) - zero, ra.array(row)


def _turned(v: Vector, angle: Scalar) -> Vector:
    c, s = ra.cos(angle), ra.sin(angle)
    return ra.array([c * v[0] - s * v[1], s * v[0] + c * v[1]])
