r"""Where bodies touch: for each pair the normal, up to two points, and how far they are apart there.

Two shapes with corners are separated most along the normal of one face, of either shape: the reference face.
The other shape's face that looks most against it is cut to the reference face's width, and its two ends are the
points, each with its gap: the distance along the normal, negative inside. Where that face lies beside the
reference face, its nearest corner and the nearest corner of the reference are the closest features and the
normal joins them; so it is where only its lowest corner lies beside and corners are round, and for two circles,
which have only a corner each. Radii are taken off the gaps. The
normal points from the first body to the second. The points come in the order of n⊥ = (-n_y, n_x), whichever
body has the reference face, so that the impulse of each is found again in the next step.

A pair may be looked at at any time τ of a step, as it lies if it has moved freely until then,

    x(τ) = x + τ v + τ² g / 2,      θ(τ) = θ + τ ω.

`meetings` finds the times at which pairs meet, `impacts` what happens there.

Sources: Gottschalk, Lin, Manocha, *OBBTree*, SIGGRAPH 1996 (separating axes); Sutherland, Hodgman, CACM 17,
1974 (clipping).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, NumpyArray, Scalar, Vector, Vectors
from .bodies import Bodies, Poses, Twists, World

NEVER = 1e30
"""A gap that no step closes: of a point that is none."""

ASLANT = 0.03
"""Faces that are turned by more than this, in radians, touch in one point."""
YES: Scalar = 1.0
"""What is added to count something."""


@ra.struct
class Manifold:
    """How two shapes lie: the normal (2,) from the first to the second, points (2, 2) half way between
    them, gaps (2,). Where they touch in one point only, the second has the gap NEVER. `axis` (2,) is the normal
    of the face that separates them most, or the normal where there is none."""

    normal: ra.Vec
    points: ra.Vec
    gap: ra.Vec
    axis: ra.Vec


@ra.struct
class Contacts:
    """The contacts of p pairs, each with two points.

    `near` (p,) is 1 for a pair that may touch within the step; all else of the others is 0. `time` (p,) is
    when a pair was looked at, counted from the step's start. `normal` (p, 2), `arms` (p, 2, 2, 2) by point and
    body, from its centre of mass, `gap` (p, 2), and how fast that closes (p, 2), are those of that time.
    """

    near: ra.Vec
    time: ra.Vec
    normal: ra.Vec
    arms: ra.Vec
    gap: ra.Vec
    closing: ra.Vec


@ra.struct
class Look:
    """A pair as it lies at some time: normal (2,), arms (2, 2, 2), gaps (2,), how fast these close (2,),
    and the normal of the face that separates it most (2,)."""

    normal: ra.Vec
    arms: ra.Vec
    gap: ra.Vec
    closing: ra.Vec
    axis: ra.Vec


@dataclass(frozen=True)
class Outlines:
    """The shapes of a world as tables, padded to the most corners that one has.

    A padded row of `corners` (n, v, 2) holds the first corner again. `normals` (n, v, 2) are those of the faces
    from one corner to the next, of which the first `faces` (n,) exist; a circle has none.
    """

    world: World

    @cached_property
    def count(self) -> int:
        """The most corners of one shape."""
        return max(len(b.shape.corners) for b in self.world.bodies)

    @cached_property
    def corners(self) -> NumpyArray:
        """Of each body about its centre of mass."""
        rows = []
        for b in self.world.bodies:
            p = b.shape.corners
            rows.append(np.concatenate([p, np.repeat(p[:1], self.count - len(p), axis=0)]))
        return np.array(rows)

    @cached_property
    def normals(self) -> NumpyArray:
        """Outward, of length 1; zero where there is no face."""
        side = np.roll(self.corners, -1, axis=1) - self.corners
        length = np.hypot(side[..., 0], side[..., 1])[..., None]
        outward = np.stack([side[..., 1], -side[..., 0]], axis=-1)
        return np.asarray(outward / np.where(length > 0, length, 1.0))

    @cached_property
    def faces(self) -> NumpyArray:
        """How many faces each body has."""
        return np.asarray(
            np.where(self.round, 0, [len(b.shape.corners) for b in self.world.bodies])
        )

    @cached_property
    def round(self) -> NumpyArray:
        """Whether each body is a circle."""
        return np.array([len(b.shape.corners) == 1 for b in self.world.bodies], bool)

    @cached_property
    def radius(self) -> NumpyArray:
        """Of each body."""
        return np.array([b.shape.radius for b in self.world.bodies])

    @cached_property
    def size(self) -> NumpyArray:
        """The radius of the circle about each body's centre of mass that holds it."""
        return np.asarray(np.hypot(*np.moveaxis(self.corners, -1, 0)).max(axis=1) + self.radius)

    @cached_property
    def arm(self) -> NumpyArray:
        """How far each body's farthest corner is from its centre of mass."""
        return np.asarray(self.size - self.radius)

    @cached_property
    def look(self) -> Callable[[Index, Array, Array], Look]:
        """How a pair lies; a function of its own, as it compiles sooner."""
        return ra.fn(lambda k, places, motions: _seen(self, k, places, motions))

    @cached_property
    def reach(self) -> float:
        """Pairs with a smaller gap are near: a fiftieth of the smallest body that can move."""
        free = self.size[np.array(self.world.movable)]
        return 0.02 * float(free.min(initial=np.inf)) if len(free) else 0.0


# ---------------------------------------------------------------------------------- two shapes


def manifold(shapes: Outlines, i: Index, j: Index, x: Vectors, angle: Array) -> Manifold:
    """How bodies i and j lie with their positions (2, 2) and angles (2,)."""
    pairs = shapes.world.contacts.pairs
    both = shapes.round[pairs[:, 0]] & shapes.round[pairs[:, 1]]
    if both.all():
        return _corners_meet(shapes, i, j, x)
    if not both.any():
        return _faces_meet(shapes, i, j, x, angle)
    return ra.cond(
        ra.array(shapes.faces)[i] > 0,
        lambda: _faces_meet(shapes, i, j, x, angle),
        lambda: _corners_meet(shapes, i, j, x),
    )


def _corners_meet(shapes: Outlines, i: Index, j: Index, x: Vectors) -> Manifold:
    radius = ra.array(shapes.radius)
    return _between(x[0], x[1], radius[i], radius[j])


def _faces_meet(shapes: Outlines, i: Index, j: Index, x: Vectors, angle: Array) -> Manifold:
    """The other body's face, cut to the reference face; or the closest corners of the two."""
    v, body = shapes.count, ra.array([i, j])
    faces, radius = ra.array(shapes.faces), ra.array(shapes.radius)
    corner, normal = _in_place(shapes, body, x, angle)

    # the reference face f, of body r
    r, f, gaps, axis = _reference_face(shapes, body, corner, normal)
    o = 1 - r
    n, start, end = normal[r, f], corner[r, f], corner[r, _after(f, v)]
    along = ra.array([-n[1], n[0]])
    width = _dot(along, end) - _dot(along, start)
    clear = gaps[r, f] > 0

    # the face against it, and where its ends lie along the reference
    flat = faces[body[o]]
    a, b = _face_against(n, r, flat, corner, normal)
    u, w = _dot(along, a) - _dot(along, start), _dot(along, b) - _dot(along, start)
    sign = ra.where(r == 0, 1.0, -1.0)
    before, beyond = ra.maximum(u, w) < 0, ra.minimum(u, w) > width
    thick, other = radius[body[r]] + radius[body[o]], radius[body[o]]

    # of round corners the lowest, beside the reference, is nearer to its end than what lies over it
    rise, lowest = _dot(n, b - a), ra.where(_dot(n, b) < _dot(n, a), w, u)
    aslant = (thick > 0) & (abs(rise) > ASLANT * abs(w - u))
    outside = aslant & ((lowest < 0) | (lowest > width))

    def beside() -> Manifold:
        first = ra.where(outside, lowest < 0, before)
        nearer = ra.where(outside, lowest == w, (u < w) == before)
        m = _between(ra.where(first, start, end), ra.where(nearer, b, a), radius[body[r]], other)
        return Manifold(sign * m.normal, m.points, m.gap, axis)

    def opposite() -> Manifold:
        level = abs(w - u) < 1e-9  # one corner, or a face that stands upright on the reference
        run = ra.where(level, 1.0, w - u)

        def point(k: Index) -> tuple[Vector, Scalar]:
            place = ra.where(k == 0, u, w)
            share = (ra.clip(place, 0.0, width) - u) / run
            p = a + ra.where(level, ra.where(k == 0, 0.0, 1.0), share) * (b - a)
            gap = _dot(n, p) - _dot(n, start) - thick
            return p - (other + 0.5 * gap) * n, ra.where((flat == 0) & (k == 1), NEVER, gap)

        points, gap = ra.build(2, point)
        return Manifold(sign * n, points, gap, axis)

    return ra.cond(clear & (before | beyond | outside), beside, opposite)


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


def _reference_face(
    shapes: Outlines, body: Array, corner: Array, normal: Array
) -> tuple[Index, Index, Array, Vector]:
    """The body, 0 or 1, and the face along whose normal the two are separated most, and how far they are along
    all of them (2, v); the first unless the second's is clearly the better; and the best normal in any case."""
    v, faces = shapes.count, ra.array(shapes.faces)

    def apart(k: Index, e: Index) -> Scalar:
        """How far the other body is in front of the face e of body k."""
        n, at = normal[k, e], corner[k, e]
        depth = ra.min(ra.build(v, lambda o: _dot(n, corner[1 - k, o]))) - _dot(n, at)
        return ra.where(e < faces[body[k]], depth, -NEVER)

    gaps = ra.build(2, lambda k: ra.build(v, lambda e: apart(k, e)))
    best = ra.build(2, lambda k: ra.argmax(gaps[k]))
    # the first body's face unless the second's is clearly the better: equal ones must not take turns
    r = ra.where(gaps[1, best[1]] > gaps[0, best[0]] + 0.1 * shapes.reach, 1, 0)
    axis = ra.where(gaps[1, best[1]] > gaps[0, best[0]], -normal[1, best[1]], normal[0, best[0]])
    return r, best[r], gaps, axis


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


# ------------------------------------------------------------------------------------- a world


def find(
    world: World,
    state: Bodies,
    dt: Scalar,
    since: Array | None = None,
    shapes: Outlines | None = None,
) -> Contacts:
    """The contacts of a step of length dt that starts from this state.

    Each pair is looked at as it lies at the later of its bodies' times in `since` (n,), in free flight until
    then; at the start unless given.
    """
    shapes, p = shapes or Outlines(world), len(world.contacts.pairs)
    x, motion = moving(state)
    flight = Flight(shapes, x, motion, ra.array(world.gravity))
    near, time = ra.accum(p), ra.accum(p)
    normal, arms = ra.accum((p, 2)), ra.accum((p, 2, 2, 2))
    gap, closing = ra.accum((p, 2)), ra.accum((p, 2))
    pairs = ra.array(world.contacts.pairs)
    lower, upper = _boxes(shapes, state, dt, ra.array(world.gravity))
    for k in ra.range(p):
        i, j = pairs[k, 0], pairs[k, 1]
        with ra.when(ra.all((lower[i] < upper[j]) & (lower[j] < upper[i]))):
            t: Scalar = 0.0 if since is None else ra.maximum(since[i], since[j])
            seen = flight.look(k, t)
            with ra.when(flight.comes_near(k, seen, dt)):
                near[k] += YES
                time[k] += t
                normal[k] += seen.normal
                arms[k] += seen.arms
                gap[k] += seen.gap
                closing[k] += seen.closing
    found = (near, time, normal, arms, gap, closing)
    return Contacts(*(a.freeze() for a in found))


@dataclass(frozen=True)
class Flight:
    """Bodies in free flight: x (n, 3) and `motion` (n, 3) are those at the start, `gravity` (2,) pulls."""

    shapes: Outlines
    x: Poses
    motion: Twists
    gravity: Vector

    def at(self, b: Index, t: Scalar) -> tuple[Vector, Vector]:
        """Position and angle (3,) of body b at the time t, and its motion (3,)."""
        g, free = self.gravity, ra.array(self.shapes.world.free)
        down = free[b] * t * ra.array([g[0], g[1], 0.0])
        v = self.motion[b] + down
        return self.x[b] + t * (v - 0.5 * down), v

    def look(self, k: Index, t: Scalar) -> Look:
        """Pair k at the time t."""
        pairs = ra.array(self.shapes.world.contacts.pairs)
        places, motions = ra.build(2, lambda side: self.at(pairs[k, side], t))
        return self.shapes.look(k, places, motions)

    def comes_near(self, k: Index, seen: Look, dt: Scalar) -> Condition:
        """Whether a pair may be near within dt, however its bodies turn."""
        shapes, g = self.shapes, self.gravity
        i, j = ra.array(shapes.world.contacts.pairs)[k]
        arm = ra.array(shapes.arm)
        turned = abs(self.motion[i, 2]) * arm[i] + abs(self.motion[j, 2]) * arm[j]
        falls = 0.5 * dt * (abs(g[0]) + abs(g[1]))
        speed = ra.maximum(ra.max(seen.closing), 0.0) + turned + falls
        return ra.min(seen.gap) - dt * speed < shapes.reach


def moving(state: Bodies) -> tuple[Poses, Twists]:
    """Positions and angles (n, 3), velocities and spins (n, 3)."""

    n = len(state.spin)
    x = ra.concat([state.position, ra.reshape(state.angle, (n, 1))], axis=1)
    motion = ra.concat([state.velocity, ra.reshape(state.spin, (n, 1))], axis=1)
    return ra.array(x), ra.array(motion)


def _seen(shapes: Outlines, k: Index, places: Array, motions: Array) -> Look:
    """Pair k with its bodies at `places` (2, 3), which move with `motions` (2, 3)."""
    i, j = ra.array(shapes.world.contacts.pairs)[k]
    x = ra.build(2, lambda side: ra.array([places[side, 0], places[side, 1]]))
    m = manifold(shapes, i, j, x, ra.build(2, lambda side: places[side, 2]))
    arms = ra.build(2, lambda c: ra.build(2, lambda side: m.points[c] - x[side]))
    n = m.normal

    def speed(c: Index, side: int) -> Scalar:
        arm, v = arms[c, side], motions[side]
        return v[0] * n[0] + v[1] * n[1] + v[2] * (arm[0] * n[1] - arm[1] * n[0])

    return Look(n, arms, m.gap, ra.build(2, lambda c: speed(c, 0) - speed(c, 1)), m.axis)


def _boxes(shapes: Outlines, state: Bodies, dt: Scalar, gravity: Vector) -> tuple[Vectors, Vectors]:
    """Boxes along the axes (n, 2) that hold each body during the step and what is near it."""
    local, v = ra.array(shapes.corners), shapes.count
    size, radius = ra.array(shapes.size), ra.array(shapes.radius)
    # nothing is differentiated here: this only says which pairs are looked at
    x, angle, velocity, spin = ra.stop_gradient(
        (state.position, state.angle, state.velocity, state.spin)
    )
    falls = dt * dt * (abs(gravity[0]) + abs(gravity[1]))

    def box(k: Index) -> tuple[Vector, Vector]:
        c, s = ra.cos(angle[k]), ra.sin(angle[k])

        def corner(e: Index) -> tuple[Scalar, Scalar]:
            p = local[k, e]
            return c * p[0] - s * p[1], s * p[0] + c * p[1]

        swept = ra.hypot(velocity[k, 0], velocity[k, 1]) + abs(spin[k]) * size[k]
        reach = radius[k] + shapes.reach + 2 * dt * swept + falls
        us, vs = ra.build(v, corner)
        return (
            ra.array([x[k, 0] + ra.min(us) - reach, x[k, 1] + ra.min(vs) - reach]),
            ra.array([x[k, 0] + ra.max(us) + reach, x[k, 1] + ra.max(vs) + reach]),
        )

    return ra.build(len(shapes.corners), box)
