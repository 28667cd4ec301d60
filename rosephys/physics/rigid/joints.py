r"""What holds two bodies together: revolute and distance joints, welds and motors.

With p the anchors of a joint where they are, d = p_b - p_a, each joint asks for up to three things:

    revolute   d = 0
    weld       d = 0  and  θ_b - θ_a = angle
    distance   |d| = length
    motor      ω_b - ω_a = speed, with a torque of at most `torque`

They are rows of one matrix J. How they are held in a step is said in `linkage`, for `impulses`, and in
`implicit`. Anchors are about a body's centre of mass; metres, radians, seconds, N m.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Axes, Index, NotNegative, Positive, Scalar, Vector, Vectors
from .bodies import Poses, World
from .contradictions import FREE, BodyNumber, Joint, Point

REDUNDANT = 1e-9
"""A row of a joint that yields less than this share of what it would alone follows from the others."""


@checked
def revolute(a: BodyNumber, b: BodyNumber, at_a: Point, at_b: Point) -> Joint:
    """A pin through the points `at_a` of body a and `at_b` of body b, (2,) each."""
    return Joint("revolute", (a, b), (at_a, at_b))


@checked
def weld(a: BodyNumber, b: BodyNumber, at_a: Point, at_b: Point, angle: Scalar = 0.0) -> Joint:
    """A pin that does not turn: body b stays at `angle` to body a."""
    return Joint("weld", (a, b), (at_a, at_b), angle)


@checked
def distance(a: BodyNumber, b: BodyNumber, at_a: Point, at_b: Point, length: Positive) -> Joint:
    """A massless rod of that length between two points, which are never in one place."""
    return Joint("distance", (a, b), (at_a, at_b), length)


@checked
def motor(a: BodyNumber, b: BodyNumber, speed: Scalar, torque: NotNegative = FREE) -> Joint:
    """Body b turns at `speed` against body a, as far as that torque can make it."""
    return Joint("motor", (a, b), target=speed, torque=torque)


@checked
def inverse_mass(world: World, x: Annotated[Poses, Axes("bodies", 3)]) -> Array:
    """What impulses on each of n bodies change the motions of all by, joined as they are, (n, 3, 3 n).

    It is W' = W - W Jᵀ (J W Jᵀ)⁻¹ J W with W the inverse masses and J the rows of all joints, taken in one
    after the other; one that follows from the others is left out. x (n, 3) are positions and angles. A motor of
    finite torque does nothing in an instant.
    """
    x = ra.array(x)
    n, table, weights = len(world.bodies), Table(world), ra.array(world.inverse)

    def held(r: Index, inverse: Array) -> Array:
        k = r // 3
        i, j = table.pairs[k, 0], table.pairs[k, 1]
        row = table.look(k, ra.concat([x[i], x[j]]))[0][r % 3]
        row *= ra.where((table.kind[k] == MOTOR) & (table.torque[k] < FREE), 0.0, 1.0)
        moved = row[:3] @ inverse[i] + row[3:] @ inverse[j]
        parts = ra.reshape(moved, (n, 3))
        yields = ra.dot(row, ra.concat([parts[i], parts[j]]))
        new = yields > REDUNDANT * ra.sum(row * row * ra.concat([weights[i], weights[j]]))
        by = ra.where(new, 1 / ra.where(new, yields, 1.0), 0.0) * parts
        return ra.build(n, lambda b: ra.build(3, lambda c: inverse[b, c] - by[b, c] * moved))

    alone = ra.build(
        n,
        lambda b: ra.build(
            3, lambda c: ra.where(ra.arange(3 * n) == 3 * b + c, weights[b, c], 0.0)
        ),
    )
    return ra.fori_loop(0, 3 * len(world.joints), held, alone)


REVOLUTE, WELD, DISTANCE, MOTOR = range(4)
KINDS = {"revolute": REVOLUTE, "weld": WELD, "distance": DISTANCE, "motor": MOTOR}


@checked
class Table:
    """A world's joints as arrays, in the order of their rounds."""

    def __init__(self, world: World) -> None:
        joints = [world.joints[k] for k in world.links.order]
        self.pairs = ra.array(world.links.pairs)
        self.kind = ra.array(np.array([KINDS[j.kind] for j in joints]))
        self.anchors = ra.array([ra.array([ra.array(p) for p in j.anchors]) for j in joints])
        self.target = ra.array([j.target for j in joints])
        self.torque = ra.array([j.torque for j in joints])
        speeds = [j.target if j.kind == "motor" else 0.0 for j in joints]
        self.speed = ra.array([ra.array([0.0, 0.0, speed]) for speed in speeds])

    def look(self, k: Index, x: Array) -> tuple[Array, Vector]:
        """The rows (3, 6) of a joint, and how far it is off (3,), for positions and angles (6,)."""
        return _look(self.kind[k], self.anchors[k], self.target[k], x)

    def apart(self, k: Index, x: Array) -> Vector:
        """The way (2,) from the first end of a joint to the second, for positions and angles (6,)."""
        a, b = (_arm(self.anchors[k, s], x[3 * s + 2]) for s in (0, 1))
        return x[3:5] + b - x[:2] - a


def _arm(anchor: Vector, angle: Scalar) -> Vector:
    """Where an anchor is, from its body's centre."""
    c, s = ra.cos(angle), ra.sin(angle)
    return ra.array([c * anchor[0] - s * anchor[1], s * anchor[0] + c * anchor[1]])


@ra.fn
def _look(kind: Index, anchors: Vectors, target: Scalar, x: Array) -> tuple[Array, Vector]:
    a, b = _arm(anchors[0], x[2]), _arm(anchors[1], x[5])
    d = ra.array([x[3] + b[0] - x[0] - a[0], x[4] + b[1] - x[1] - a[1]])
    long = ra.norm(d)
    rod, turn = kind == DISTANCE, (kind == WELD) | (kind == MOTOR)
    pin = ra.where(kind == MOTOR, 0.0, 1.0)
    # the first row is along the rod, or along x; the second along y for a pin only
    e = ra.where(rod, d / ra.maximum(long, 1e-12), pin * np.array([1.0, 0.0]))
    f = ra.where(rod, 0.0, pin)
    w = ra.where(turn, 1.0, 0.0)
    along = [-e[0], -e[1], a[1] * e[0] - a[0] * e[1], e[0], e[1], b[0] * e[1] - b[1] * e[0]]
    rows = ra.array(
        [
            ra.array(along),
            ra.array([0.0, -f, -a[0] * f, 0.0, f, b[0] * f]),
            ra.array([0.0, 0.0, -w, 0.0, 0.0, w]),
        ]
    )
    apart = ra.where(rod, long - target, pin * d[0])
    angle = ra.where(kind == WELD, x[5] - x[2] - target, 0.0)
    return rows, ra.array([apart, f * d[1], angle])
