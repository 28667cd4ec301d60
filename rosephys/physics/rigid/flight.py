r"""Pairs as they lie at a time of a step, if their bodies have moved freely until then:

    x(τ) = x + τ v + τ² g / 2,      θ(τ) = θ + τ ω.

How a pair lies at τ is `collide`'s answer for x(τ) and θ(τ); a gap closes at the speed at which the points of
the two bodies there approach, along the normal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Vector, Vectors
from .bodies import Bodies, Poses, Twists, World
from .collide import NEVER, Outlines, manifold

ALIGNED = 0.999
"""The cosine of the angle up to which normals are one."""
YES: Scalar = 1.0
"""What is added to count something."""


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
class Flight:
    """Bodies in free flight: x (n, 3) and `motion` (n, 3) are those at the start, `gravity` (2,) pulls; see is
    `seer(shapes)`."""

    shapes: Outlines
    x: Poses
    motion: Twists
    gravity: Vector
    see: Callable[[Index, Scalar, Poses, Twists, Vector], Look]

    def at(self, b: Index, t: Scalar) -> tuple[Vector, Vector]:
        """Position and angle (3,) of body b at the time t, and its motion (3,)."""
        return _flown(self.shapes, b, t, self.x, self.motion, self.gravity)

    def look(self, k: Index, t: Scalar) -> Look:
        """Pair k at the time t."""
        return self.see(k, t, self.x, self.motion, self.gravity)

    def comes_near(self, k: Index, seen: Look, dt: Scalar) -> Condition:
        """Whether a pair may be near within dt, however its bodies turn."""
        shapes, g = self.shapes, self.gravity
        i, j = ra.array(shapes.world.contacts.pairs)[k]
        a, b = ra.array(shapes.world.touching)[k]
        arm, gap = ra.array(shapes.arm), ra.min(seen.gap)
        turned = abs(self.motion[i, 2]) * arm[a] + abs(self.motion[j, 2]) * arm[b]
        falls = 0.5 * dt * (abs(g[0]) + abs(g[1]))
        speed = ra.maximum(ra.max(seen.closing), 0.0) + turned + falls
        near = gap - dt * speed < shapes.reach
        if not len(shapes.seams.others):
            return near
        # what does not touch because of a seam may do so behind it, and where another face than the one that
        # separates most is the reference, a gap at its end closes faster than points do
        return near | (gap >= NEVER) | (ra.dot(seen.normal, seen.axis) < ALIGNED)


def seer(shapes: Outlines) -> Callable[[Index, Scalar, Poses, Twists, Vector], Look]:
    """How a pair lies at a time of a flight; a function of its own, as it compiles sooner."""
    return ra.fn(lambda k, t, x, motion, gravity: _seen(shapes, k, t, x, motion, gravity))


def moving(state: Bodies) -> tuple[Poses, Twists]:
    """Positions and angles (n, 3), velocities and spins (n, 3)."""
    p, v = ra.array(state.position), ra.array(state.velocity)
    angle, spin = ra.array(state.angle), ra.array(state.spin)
    return ra.build(
        len(state.spin),
        lambda k: (
            ra.array([p[k, 0], p[k, 1], angle[k]]),
            ra.array([v[k, 0], v[k, 1], spin[k]]),
        ),
    )


def find(world: World, state: Bodies, dt: Scalar) -> Contacts:
    """The contacts of a step of length dt that starts from this state, as they lie at its start."""
    shapes = Outlines(world)
    flight = Flight(shapes, *moving(state), ra.array(world.gravity), seer(shapes))
    return contacts(flight, crossing(flight, dt), dt, ra.array(np.zeros(len(world.bodies))))


def contacts(flight: Flight, among: Array, dt: Scalar, since: Array) -> Contacts:
    """The contacts of a step of length dt that are `among` (p,) those pairs, each as it lies at the later of
    its bodies' times in `since` (n,)."""
    pairs = flight.shapes.world.contacts.pairs
    p, pairs = len(pairs), ra.array(pairs)
    near, time = ra.accum(p), ra.accum(p)
    normal, arms = ra.accum((p, 2)), ra.accum((p, 2, 2, 2))
    gap, closing = ra.accum((p, 2)), ra.accum((p, 2))
    for k in ra.range(p):
        with ra.when(among[k] > 0):
            t = ra.maximum(since[pairs[k, 0]], since[pairs[k, 1]])
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


def crossing(flight: Flight, dt: Scalar) -> Array:
    """1 for each pair (p,) that may come near within dt: the boxes of what it sweeps over overlap."""
    pairs = flight.shapes.world.contacts.pairs
    parts, (lower, upper) = ra.array(flight.shapes.world.touching), _boxes(flight, dt)

    def overlap(k: Index) -> Scalar:
        a, b = parts[k, 0], parts[k, 1]
        return ra.where(ra.all((lower[a] < upper[b]) & (lower[b] < upper[a])), 1.0, 0.0)

    return ra.build(len(pairs), overlap)


def _flown(
    shapes: Outlines, b: Index, t: Scalar, x: Poses, motion: Twists, g: Vector
) -> tuple[Vector, Vector]:
    """Position and angle (3,) of body b at the time t, and its motion (3,)."""
    fall, v, at = ra.array(shapes.world.free)[b] * t, motion[b], x[b]
    v0, v1 = v[0] + fall * g[0], v[1] + fall * g[1]
    u0, u1 = v[0] + 0.5 * fall * g[0], v[1] + 0.5 * fall * g[1]
    place = ra.array([at[0] + t * u0, at[1] + t * u1, at[2] + t * v[2]])
    return place, ra.array([v0, v1, v[2]])


def _seen(shapes: Outlines, k: Index, t: Scalar, x: Poses, motion: Twists, g: Vector) -> Look:
    """Pair k at the time t."""
    i, j = ra.array(shapes.world.contacts.pairs)[k]
    places, motions = ra.build(2, lambda s: _flown(shapes, ra.where(s == 0, i, j), t, x, motion, g))
    a, b = ra.array(shapes.world.touching)[k]
    still = ra.stop_gradient((x, motion, t)) if len(shapes.seams.others) else None
    m = manifold(shapes, a, b, places[:, :2], places[:, 2], still)
    arms = ra.build(2, lambda c: ra.build(2, lambda side: m.points[c] - places[side, :2]))
    n = m.normal

    def speed(c: Index, side: int) -> Scalar:
        arm, v = arms[c, side], motions[side]
        return v[0] * n[0] + v[1] * n[1] + v[2] * (arm[0] * n[1] - arm[1] * n[0])

    return Look(n, arms, m.gap, ra.build(2, lambda c: speed(c, 0) - speed(c, 1)), m.axis)


def _boxes(flight: Flight, dt: Scalar) -> tuple[Vectors, Vectors]:
    """Boxes along the axes (m, 2) that hold each part during the step and what is near it."""
    shapes = flight.shapes
    local, v = ra.array(shapes.corners), shapes.count
    size, radius = ra.array(shapes.size), ra.array(shapes.radius)
    # nothing is differentiated here: this only says which pairs are looked at
    x, motion, gravity = ra.stop_gradient((flight.x, flight.motion, flight.gravity))
    falls = dt * dt * (abs(gravity[0]) + abs(gravity[1]))

    body = ra.array(shapes.body)

    def box(a: Index) -> tuple[Vector, Vector]:
        k = body[a]
        c, s = ra.cos(x[k, 2]), ra.sin(x[k, 2])

        def corner(e: Index) -> tuple[Scalar, Scalar]:
            p = local[a, e]
            return c * p[0] - s * p[1], s * p[0] + c * p[1]

        swept = ra.hypot(motion[k, 0], motion[k, 1]) + abs(motion[k, 2]) * size[a]
        reach = radius[a] + shapes.reach + 2 * dt * swept + falls
        us, vs = ra.build(v, corner)
        return (
            ra.array([x[k, 0] + ra.min(us) - reach, x[k, 1] + ra.min(vs) - reach]),
            ra.array([x[k, 0] + ra.max(us) + reach, x[k, 1] + ra.max(vs) + reach]),
        )

    return ra.build(len(shapes.corners), box)
