r"""Where bodies touch: for each pair the normal, up to two points, and how far they are apart there.

Two shapes with corners are separated most along the normal of one face, of either shape: the reference face.
The other shape's face that looks most against it is cut to the reference face's width, and its two ends are the
points, each with its gap: the distance along the normal, negative inside. Where that face lies beside the
reference face, its nearest corner and the nearest corner of the reference are the closest features and the
normal joins them; so it is for two circles, which have only a corner each. Radii are taken off the gaps. The
normal points from the first body to the second. The points come in the order of n⊥ = (-n_y, n_x), whichever
body has the reference face, so that the impulse of each is found again in the next step.

A pair that is apart and would meet within the step is looked at where it is when it meets, at the time τ after
the step's start that solves gap(τ) = 0 by Newton's method; it moves freely until then,

    x(τ) = x + τ v + τ² g / 2,      θ(τ) = θ + τ ω.

So the normal and the arms of an impact, and their derivatives, are those of the instant of impact. With any
other instant the derivative of a collision's outcome is wrong, in places by sign; see `contact`.

Sources: Gottschalk, Lin, Manocha, *OBBTree*, SIGGRAPH 1996 (separating axes); Sutherland, Hodgman, CACM 17,
1974 (clipping); Zhong, Han, Dey, Brikis, L4DC 2023 (the instant of impact).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import rose_ad as ra

from .bodies import Bodies, World

NEVER = 1e30
"""A gap that no step closes: of a point that is none."""

YES: Any = 1.0
"""What is added to count something."""
SLOW = 1e-9
"""The least speed that a meeting is looked for with, in m/s."""
LOOKS = 4
"""How often a pair that meets is looked at: at the start, and by Newton's method."""


@ra.struct
class Manifold:
    """How two shapes lie: the normal (2,) from the first to the second, points (2, 2) half way between
    them, gaps (2,). Where they touch in one point only, the second has the gap NEVER."""

    normal: ra.Vec
    points: ra.Vec
    gap: ra.Vec


@ra.struct
class Contacts:
    """The contacts of p pairs, each with two points.

    `near` (p,) is 1 for a pair that may touch within the step; all else of the others is 0. `time` (p,) is
    when a pair meets, counted from the step's start. `normal` (p, 2), `arms` (p, 2, 2, 2) by point and body,
    from its centre of mass, and `gap` (p, 2) are those of that time.
    """

    near: ra.Vec
    time: ra.Vec
    normal: ra.Vec
    arms: ra.Vec
    gap: ra.Vec


@ra.struct
class _Look:
    """A pair as it lies at some time: normal (2,), arms (2, 2, 2), gaps (2,), and how fast these close (2,)."""

    normal: ra.Vec
    arms: ra.Vec
    gap: ra.Vec
    closing: ra.Vec


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
    def corners(self) -> np.ndarray[Any, Any]:
        """Of each body about its centre of mass."""
        rows = []
        for b in self.world.bodies:
            p = b.shape.corners
            rows.append(np.concatenate([p, np.repeat(p[:1], self.count - len(p), axis=0)]))
        return np.array(rows)

    @cached_property
    def normals(self) -> np.ndarray[Any, Any]:
        """Outward, of length 1; zero where there is no face."""
        side = np.roll(self.corners, -1, axis=1) - self.corners
        length = np.hypot(side[..., 0], side[..., 1])[..., None]
        outward = np.stack([side[..., 1], -side[..., 0]], axis=-1)
        return np.asarray(outward / np.where(length > 0, length, 1.0))

    @cached_property
    def faces(self) -> np.ndarray[Any, Any]:
        """How many faces each body has."""
        return np.asarray(
            np.where(self.round, 0, [len(b.shape.corners) for b in self.world.bodies])
        )

    @cached_property
    def round(self) -> np.ndarray[Any, Any]:
        """Whether each body is a circle."""
        return np.array([len(b.shape.corners) == 1 for b in self.world.bodies], bool)

    @cached_property
    def radius(self) -> np.ndarray[Any, Any]:
        """Of each body."""
        return np.array([b.shape.radius for b in self.world.bodies])

    @cached_property
    def size(self) -> np.ndarray[Any, Any]:
        """The radius of the circle about each body's centre of mass that holds it."""
        return np.asarray(np.hypot(*np.moveaxis(self.corners, -1, 0)).max(axis=1) + self.radius)

    @cached_property
    def reach(self) -> float:
        """Pairs with a smaller gap are near: a fiftieth of the smallest body that can move."""
        free = self.size[np.array(self.world.movable)]
        return 0.02 * float(free.min(initial=np.inf)) if len(free) else 0.0


# ---------------------------------------------------------------------------------- two shapes


def manifold(shapes: Outlines, i: Any, j: Any, x: Any, angle: Any) -> Manifold:
    """How bodies i and j lie with their positions (2, 2) and angles (2,)."""
    pairs = shapes.world.contacts.pairs
    both = shapes.round[pairs[:, 0]] & shapes.round[pairs[:, 1]]
    if both.all():
        return _corners_meet(shapes, i, j, x)
    if not both.any():
        return _faces_meet(shapes, i, j, x, angle)
    met: Manifold = ra.cond(
        ra.array(shapes.faces)[i] > 0,
        lambda: _faces_meet(shapes, i, j, x, angle),
        lambda: _corners_meet(shapes, i, j, x),
    )
    return met


def _corners_meet(shapes: Outlines, i: Any, j: Any, x: Any) -> Manifold:
    radius = ra.array(shapes.radius)
    return _between(x[0], x[1], radius[i], radius[j])


def _faces_meet(shapes: Outlines, i: Any, j: Any, x: Any, angle: Any) -> Manifold:
    v, body = shapes.count, ra.array([i, j])
    local, outward = ra.array(shapes.corners), ra.array(shapes.normals)
    faces, radius = ra.array(shapes.faces), ra.array(shapes.radius)

    def placed(k: Any) -> Any:
        c, s = ra.cos(angle[k]), ra.sin(angle[k])

        def row(e: Any) -> Any:
            p, n = local[body[k], e], outward[body[k], e]
            return (
                ra.array([x[k, 0] + c * p[0] - s * p[1], x[k, 1] + s * p[0] + c * p[1]]),
                ra.array([c * n[0] - s * n[1], s * n[0] + c * n[1]]),
            )

        return ra.build(v, row)

    corner, normal = ra.build(2, placed)

    def apart(k: Any, e: Any) -> Any:
        """How far the other body is in front of the face e of body k."""
        n, at = normal[k, e], corner[k, e]
        depth = ra.min(ra.build(v, lambda o: _dot(n, corner[1 - k, o]))) - _dot(n, at)
        return ra.where(e < faces[body[k]], depth, -NEVER)

    gaps = ra.build(2, lambda k: ra.build(v, lambda e: apart(k, e)))
    best = ra.build(2, lambda k: ra.argmax(gaps[k]))
    # the first body's face unless the second's is clearly the better: equal ones must not take turns
    r = ra.where(gaps[1, best[1]] > gaps[0, best[0]] + 0.1 * shapes.reach, 1, 0)
    f, o = best[r], 1 - r
    n, start, end = normal[r, f], corner[r, f], corner[r, _after(f, v)]
    along = ra.array([-n[1], n[0]])
    width = _dot(along, end) - _dot(along, start)
    clear = gaps[r, f] > 0

    flat = faces[body[o]]
    g = ra.argmin(ra.build(v, lambda e: ra.where(e < flat, _dot(normal[o, e], n), NEVER)))
    # the other face runs against the reference; its ends, in the order of the first body's n⊥
    g, h = ra.where(r == 0, _after(g, v), g), ra.where(r == 0, g, _after(g, v))
    a, b = corner[o, ra.where(flat > 0, g, 0)], corner[o, ra.where(flat > 0, h, 0)]
    u, w = _dot(along, a) - _dot(along, start), _dot(along, b) - _dot(along, start)
    sign = ra.where(r == 0, 1.0, -1.0)
    before, beyond = ra.maximum(u, w) < 0, ra.minimum(u, w) > width
    thick, other = radius[body[r]] + radius[body[o]], radius[body[o]]

    def beside() -> Manifold:
        at = ra.where(before, start, end)
        m = _between(at, ra.where((u < w) == before, b, a), radius[body[r]], other)
        return Manifold(sign * m.normal, m.points, m.gap)

    def opposite() -> Manifold:
        level = abs(w - u) < 1e-9  # one corner, or a face that stands upright on the reference
        run = ra.where(level, 1.0, w - u)

        def point(k: Any) -> Any:
            place = ra.where(k == 0, u, w)
            share = (ra.clip(place, 0.0, width) - u) / run
            p = a + ra.where(level, ra.where(k == 0, 0.0, 1.0), share) * (b - a)
            gap = _dot(n, p) - _dot(n, start) - thick
            return p - (other + 0.5 * gap) * n, ra.where((flat == 0) & (k == 1), NEVER, gap)

        points, gap = ra.build(2, point)
        return Manifold(sign * n, points, gap)

    met: Manifold = ra.cond(clear & (before | beyond), beside, opposite)
    return met


def _after(e: Any, count: int) -> Any:
    return ra.where(e == count - 1, 0, e + 1)


def _dot(a: Any, b: Any) -> Any:
    return a[0] * b[0] + a[1] * b[1]


def _between(a: Any, b: Any, radius_a: Any, radius_b: Any) -> Manifold:
    """Two discs, or the discs about two corners; those of one centre part upwards."""
    apart = b - a
    distance = ra.norm(apart)
    n = ra.where(distance > 0, apart / ra.maximum(distance, 1e-300), np.array([0.0, 1.0]))
    gap = distance - radius_a - radius_b
    point = a + (radius_a + 0.5 * gap) * n
    return Manifold(n, ra.array([point, point]), ra.array([gap, NEVER]))


# ------------------------------------------------------------------------------------- a world


def find(world: World, state: Bodies, dt: Any, meeting: bool = True) -> Contacts:
    """The contacts of a step of length dt that starts from this state.

    Without `meeting` all are those of the start, and times are 0.
    """
    shapes = Outlines(world)
    p = len(world.contacts.pairs)
    near, time = ra.accum(p), ra.accum(p)
    normal, arms, gap = ra.accum((p, 2)), ra.accum((p, 2, 2, 2)), ra.accum((p, 2))
    pairs, g = ra.array(world.contacts.pairs), ra.array(world.gravity)
    lower, upper = _boxes(shapes, state, dt)

    @ra.fn
    def look(k: Any, t: Any, state: Bodies, g: Any) -> _Look:
        """A pair at the time t, in free flight."""
        pairs, free = ra.array(world.contacts.pairs), ra.array(world.free)

        def flown(side: Any) -> Any:
            b = pairs[k, side]
            down = free[b] * t * g
            v = state.velocity[b] + down
            return state.position[b] + t * (v - 0.5 * down), state.angle[b] + t * state.spin[b], v

        x, angle, v = ra.build(2, flown)
        m = manifold(shapes, pairs[k, 0], pairs[k, 1], x, angle)
        arms = ra.build(2, lambda c: ra.build(2, lambda side: m.points[c] - x[side]))
        n = m.normal

        def speed(c: Any, side: Any) -> Any:
            arm, w = arms[c, side], state.spin[pairs[k, side]]
            return _dot(v[side], n) + w * (arm[0] * n[1] - arm[1] * n[0])

        return _Look(m.normal, arms, m.gap, ra.build(2, lambda c: speed(c, 0) - speed(c, 1)))

    def nearer(k: Any, now: Any) -> Any:
        """A pair at the start, then by Newton's method at its meeting, if it has one."""
        looks, t, near, meets, seen = now
        first = ra.argmin(seen.gap)
        t += seen.gap[first] / ra.maximum(seen.closing[first], SLOW)
        t = ra.where(looks == 0, 0.0, ra.clip(t, 0.0, dt))
        seen = look(k, t, state, g)
        within = ra.min(seen.gap - dt * ra.maximum(seen.closing, 0.0)) < shapes.reach
        comes = ra.any((seen.gap > 0) & (seen.gap < dt * seen.closing))
        near, meets = (
            ra.where(looks == 0, *both) for both in ((within, near), (within & comes, meets))
        )
        return looks + 1, t, near, meets, seen

    unseen = _Look(np.zeros(2), np.zeros((2, 2, 2)), np.zeros(2), np.zeros(2))
    start = (0, 0.0, False, False, unseen)
    for k in ra.range(p):
        i, j = pairs[k, 0], pairs[k, 1]
        with ra.when(ra.all((lower[i] < upper[j]) & (lower[j] < upper[i]))):
            _, t, close, _, seen = ra.while_loop(
                lambda now: (now[0] == 0) | now[3],
                lambda now: nearer(k, now),  # noqa: B023
                start,
                max_steps=LOOKS if meeting else 1,
            )
            with ra.when(close):
                near[k] += YES
                time[k] += t
                normal[k] += seen.normal
                arms[k] += seen.arms
                gap[k] += seen.gap
    return Contacts(*(a.freeze() for a in (near, time, normal, arms, gap)))


def _boxes(shapes: Outlines, state: Bodies, dt: Any) -> tuple[Any, Any]:
    """Boxes along the axes (n, 2) that hold each body during the step and what is near it."""
    local, v = ra.array(shapes.corners), shapes.count
    size, radius = ra.array(shapes.size), ra.array(shapes.radius)
    # nothing is differentiated here: this only says which pairs are looked at
    x, angle, velocity, spin = ra.stop_gradient(
        (state.position, state.angle, state.velocity, state.spin)
    )

    def box(k: Any) -> tuple[Any, Any]:
        c, s = ra.cos(angle[k]), ra.sin(angle[k])

        def corner(e: Any) -> tuple[Any, Any]:
            p = local[k, e]
            return c * p[0] - s * p[1], s * p[0] + c * p[1]

        swept = ra.hypot(velocity[k, 0], velocity[k, 1]) + abs(spin[k]) * size[k]
        reach = radius[k] + shapes.reach + 2 * dt * swept
        us, vs = ra.build(v, corner)
        return (
            ra.array([x[k, 0] + ra.min(us) - reach, x[k, 1] + ra.min(vs) - reach]),
            ra.array([x[k, 0] + ra.max(us) + reach, x[k, 1] + ra.max(vs) + reach]),
        )

    boxes: tuple[Any, Any] = ra.build(len(shapes.corners), box)
    return boxes
