r"""Where bodies touch: for each pair the normal, up to two points, and how far they are apart there.

Two shapes with corners are separated most along the normal of one face, of either shape: the reference face.
The other shape's face that looks most against it is cut to the reference face's width, and its two ends are the
points, each with its gap: the distance along the normal, negative inside. Where that face lies beside the
reference face, its nearest corner and the nearest corner of the reference are the closest features and the
normal joins them; so it is where only its lowest corner lies beside and corners are round, and for two circles,
which have only a corner each. Radii are taken off the gaps. The normal points from the first body to the
second. The points come in the order of n⊥ = (-n_y, n_x), whichever body has the reference face, so that the
impulse of each is found again in the next step. Where fixed bodies adjoin, `seams` says which faces, corners
and ends of faces are none.

Sources: Gottschalk, Lin, Manocha, *OBBTree*, SIGGRAPH 1996 (separating axes); Sutherland, Hodgman, CACM 17,
1974 (clipping).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Vector, Vectors
from .parts import Parts
from .seams import LEVEL, Seam, Seams, Still

NEVER = 1e30
"""A gap that no step closes: of a point that is none."""

ASLANT = 0.03
"""Faces that are turned by more than this, in radians, touch in one point."""
EQUAL = 1e-6
"""Separations that differ by less than this share of what counts as near are equal."""
FIXED = 0.1
"""The same where fixed bodies adjoin, whose faces go on beyond a seam."""


@ra.struct
class Manifold:
    """How two shapes lie: the normal (2,) from the first to the second, points (2, 2) half way between
    them, gaps (2,). Where they touch in one point only, the second has the gap NEVER. `axis` (2,) is the normal
    of the face that separates them most, or the normal where there is none."""

    normal: ra.Vec
    points: ra.Vec
    gap: ra.Vec
    axis: ra.Vec

    def only_if(self, touching: Condition) -> Manifold:
        """The same, or with no point."""
        return Manifold(self.normal, self.points, ra.where(touching, self.gap, NEVER), self.axis)


@dataclass(frozen=True)
class Outlines(Parts):
    """The parts of a world, and how two of them lie."""

    @cached_property
    def seams(self) -> Seams:
        """Where those that are fixed lie against each other."""
        return Seams(self)


# ---------------------------------------------------------------------------------- two shapes


def manifold(
    shapes: Outlines, i: Index, j: Index, x: Vectors, angle: Array, still: Still | None = None
) -> Manifold:
    """How parts i and j lie with their bodies' positions (2, 2) and angles (2,).

    Without `still`, which says where fixed bodies are, it does not matter what lies beside them.
    """
    both = shapes.round[shapes.world.touching].all(axis=1)
    seam = None if still is None else Seam(shapes.seams, ra.array([i, j]), still)
    if both.all():
        return _corners_meet(shapes, i, j, x, seam)
    if not both.any():
        return _faces_meet(shapes, i, j, x, angle, seam)
    return ra.cond(
        ra.array(shapes.faces)[i] > 0,
        lambda: _faces_meet(shapes, i, j, x, angle, seam),
        lambda: _corners_meet(shapes, i, j, x, seam),
    )


def _corners_meet(shapes: Outlines, i: Index, j: Index, x: Vectors, seam: Seam | None) -> Manifold:
    radius = ra.array(shapes.radius)
    m = _between(x[0], x[1], radius[i], radius[j])
    return m.only_if(seam.owns(x[seam.side], m.normal)) if seam else m


def _faces_meet(
    shapes: Outlines, i: Index, j: Index, x: Vectors, angle: Array, seam: Seam | None
) -> Manifold:
    """The other body's face, cut to the reference face; or the closest corners of the two."""
    v, body = shapes.count, ra.array([i, j])
    faces, radius = ra.array(shapes.faces), ra.array(shapes.radius)
    corner, normal = _in_place(shapes, body, x, angle)

    # the reference face f, of body r
    gaps = _separations(shapes, body, corner, normal)
    r, f, bare = _reference_face(shapes, corner, normal, gaps, seam)
    o, axis = 1 - r, _axis(gaps, normal)
    n, start, end = normal[r, f], corner[r, f], corner[r, _after(f, v)]
    along = ra.array([-n[1], n[0]])
    width = _dot(along, end) - _dot(along, start)
    clear = gaps[r, f] > 0

    # the face against it, and where its ends lie along the reference
    flat = faces[body[o]]
    a, b = _face_against(n, r, flat, corner, normal)
    u, w = _dot(along, a) - _dot(along, start), _dot(along, b) - _dot(along, start)
    sign = ra.where(r == 0, 1.0, -1.0)
    room = LEVEL * shapes.reach if seam else 0.0
    before, beyond = ra.maximum(u, w) < -room, ra.minimum(u, w) > width + room
    thick, other = radius[body[r]] + radius[body[o]], radius[body[o]]

    # of round corners the lowest, beside the reference, is nearer to its end than what lies over it
    rise, lowest = _dot(n, b - a), ra.where(_dot(n, b) < _dot(n, a), w, u)
    aslant = (thick > 0) & (abs(rise) > ASLANT * abs(w - u))
    outside = aslant & ((lowest < 0) | (lowest > width))

    def beside() -> Manifold:
        first = ra.where(outside, lowest < 0, before)
        nearer = ra.where(outside, lowest == w, (u < w) == before)
        p, q = ra.where(first, start, end), ra.where(nearer, b, a)
        m = _between(p, q, radius[body[r]], other)
        m = Manifold(sign * m.normal, m.points, m.gap, axis)
        return m.only_if(seam.owns(ra.where(r == seam.side, p, q), m.normal)) if seam else m

    def opposite() -> Manifold:
        level = abs(w - u) < 1e-9  # one corner, or a face that stands upright on the reference
        run = ra.where(level, 1.0, w - u)

        def point(k: Index) -> tuple[Vector, Scalar]:
            place = ra.where(k == 0, u, w)
            share = (ra.clip(place, 0.0, width) - u) / run
            p = a + ra.where(level, ra.where(k == 0, 0.0, 1.0), share) * (b - a)
            gap = _dot(n, p) - _dot(n, start) - thick
            none = (flat == 0) & (k == 1)
            if seam:
                way = ra.where(k == 0, a - b, b - a) / ra.maximum(ra.norm(b - a), 1e-300)
                single = (flat == 0) | level
                none |= seam.ends(r, n, place, width, p, gap + thick, way, single)
            return p - (other + 0.5 * gap) * n, ra.where(none, NEVER, gap)

        points, gap = ra.build(2, point)
        return Manifold(sign * n, points, gap, axis)

    m = ra.cond(clear & (before | beyond | outside), beside, opposite)
    return m.only_if(bare) if seam else m


def _in_place(shapes: Outlines, body: Array, x: Vectors, angle: Array) -> tuple[Array, Array]:
    """The corners and the normals (2, v, 2) of two bodies where they are."""
    local, outward = ra.array(shapes.corners), ra.array(shapes.normals)

    def placed(k: Index) -> tuple[Vectors, Vectors]:
        c, s = ra.cos(angle[k]), ra.sin(angle[k])

        def row(e: Index) -> tuple[Vector, Vector]:
            p, n = local[body[k], e], outward[body[k], e]
            return (
                ra.array([x[k, 0] + c * p[0] - s * p[1], x[k, 1] + s * p[0] + c * p[1]]),
                ra.array([c * n[0] - s * n[1], s * n[0] + c * n[1]]),
            )

        return ra.build(shapes.count, row)

    return ra.build(2, placed)


def _separations(shapes: Outlines, body: Array, corner: Array, normal: Array) -> Array:
    """How far the two bodies are apart along the normals of all faces, (2, v)."""
    v, faces = shapes.count, ra.array(shapes.faces)

    def apart(k: Index, e: Index) -> Scalar:
        """How far the other body is in front of the face e of body k."""
        n, at = normal[k, e], corner[k, e]
        depth = ra.min(ra.build(v, lambda o: _dot(n, corner[1 - k, o]))) - _dot(n, at)
        return ra.where(e < faces[body[k]], depth, -NEVER)

    return ra.build(2, lambda k: ra.build(v, lambda e: apart(k, e)))


def _reference_face(
    shapes: Outlines, corner: Array, normal: Array, gaps: Array, seam: Seam | None
) -> tuple[Index, Index, Condition]:
    """The body and its face that is the reference, and whether there is one."""
    if seam is None:
        return *_best(gaps, EQUAL * shapes.reach), True
    first = seam.side
    return seam.reference(corner, normal, gaps, lambda g: _best(g, FIXED * shapes.reach, first))


def _best(gaps: Array, margin: Scalar, first: Index = 0) -> tuple[Index, Index]:
    """The body, 0 or 1, and its face along whose normal the two are separated most: that of the `first` unless
    the other's is clearly the better, as equal ones must not take turns."""
    best = ra.build(2, lambda k: ra.argmax(gaps[k]))
    o = 1 - first
    r = ra.where(gaps[o, best[o]] > gaps[first, best[first]] + margin, o, first)
    return r, best[r]


def _axis(gaps: Array, normal: Array) -> Vector:
    """The best of all normals, from the first body to the second."""
    best = ra.build(2, lambda k: ra.argmax(gaps[k]))
    return ra.where(gaps[1, best[1]] > gaps[0, best[0]], -normal[1, best[1]], normal[0, best[0]])


def _face_against(
    n: Vector, r: Index, faces: Index, corner: Array, normal: Array
) -> tuple[Vector, Vector]:
    """The ends of the other body's face that looks most against n, body r's, in the order of the first body's
    n⊥; of a body without `faces` its corner, twice."""
    o, v = 1 - r, corner.shape[1]
    g = ra.argmin(ra.build(v, lambda e: ra.where(e < faces, _dot(normal[o, e], n), NEVER)))
    g, h = ra.where(r == 0, _after(g, v), g), ra.where(r == 0, g, _after(g, v))
    return corner[o, ra.where(faces > 0, g, 0)], corner[o, ra.where(faces > 0, h, 0)]


def _after(e: Index, count: int) -> Index:
    return ra.where(e == count - 1, 0, e + 1)


def _dot(a: Vector, b: Vector) -> Scalar:
    return a[0] * b[0] + a[1] * b[1]


def _between(a: Vector, b: Vector, radius_a: Scalar, radius_b: Scalar) -> Manifold:
    """Two discs, or the discs about two corners; those of one centre part upwards."""
    apart = b - a
    distance = ra.norm(apart)
    n = ra.where(distance > 0, apart / ra.maximum(distance, 1e-300), np.array([0.0, 1.0]))
    gap = distance - radius_a - radius_b
    point = a + (radius_a + 0.5 * gap) * n
    return Manifold(n, ra.array([point, point]), ra.array([gap, NEVER]), n)
