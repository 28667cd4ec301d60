r"""Pairs of bodies that touch: how fast their points part, and what impulses at these do.

A pair has four rows, a point's normal and tangent and those of its other point. Along the direction d of row r,
with a and b the arms of the two bodies and l = arm × d, the bodies part at the speed, and impulses P change
their motions by

    u_r = d · (v_b - v_a) + l_b ω_b - l_a ω_a
    Δv_a = -Σ P_r d / m_a     Δω_a = -Σ P_r l_a / I_a     Δv_b = Σ P_r d / m_b     Δω_b = Σ P_r l_b / I_b

so that Δu = K P. Motions of two bodies are six numbers: velocity and spin of the first, then of the second.

Sources: Moreau, *Unilateral contact and dry friction in finite freedom dynamics*, 1988; Catto, *Iterative
dynamics with temporal coherence*, GDC 2005 (two points at once).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

import rose_ad as ra

from ..quantities import Array, Index, Matrix, NumpyArray, Scalar, Sums, Vector
from .bodies import Twists, World
from .flight import Contacts

Visit: TypeAlias = Callable[[Index, Index, Index, Array, Sums], None]

NORMALS = np.array([0, 2])
"""The rows of a pair that are its points' normals."""


@ra.struct
class Pair:
    """A pair as it touches: `near` is 1 if it may touch within the step.

    `normal` (2,); `levers` (4, 2) are l by row and body; `response` (10,) is K, its lower triangle row by row;
    `weight` (4,) are 1/m and 1/I of the first body and of the second; `friction` a number.
    """

    near: ra.Real
    normal: ra.Vec
    levers: ra.Vec
    response: ra.Vec
    weight: ra.Vec
    friction: ra.Real


@ra.struct
class Pairs:
    """The pairs of a world in one step: what a `Pair` is, (p, ...)."""

    near: ra.Vec
    normal: ra.Vec
    levers: ra.Vec
    response: ra.Vec
    weight: ra.Vec
    friction: ra.Vec

    def row(self, p: Index) -> Pair:
        """Pair p."""
        return Pair(
            self.near[p],
            self.normal[p],
            self.levers[p],
            self.response[p],
            self.weight[p],
            self.friction[p],
        )


def pairs_of(world: World, contacts: Contacts) -> Pairs:
    """The pairs as they touch."""
    count = len(world.contacts.pairs)
    levers, response = ra.accum((count, 4, 2)), ra.accum((count, 10))
    weight, friction = ra.accum((count, 4)), ra.accum(count)
    for p in ra.range(count):
        with ra.when(contacts.near[p] > 0):
            pair = pair_of(world, p, contacts.normal[p], contacts.arms[p])
            levers[p] += pair.levers
            response[p] += pair.response
            weight[p] += pair.weight
            friction[p] += pair.friction
    found = (levers, response, weight, friction)
    return Pairs(contacts.near, contacts.normal, *(a.freeze() for a in found))


def pair_of(world: World, p: Index, n: Vector, arms: Array) -> Pair:
    """Pair p, as it touches along n (2,) with these arms (2, 2, 2) by point and body."""
    inverse, friction = ra.array(world.inverse), ra.array(world.friction)
    i, j = ra.array(world.contacts.pairs)[p]

    def lever(r: Index, side: Index) -> Scalar:
        arm = arms[r // 2, side]
        along, across = arm[0] * n[1] - arm[1] * n[0], arm[0] * n[0] + arm[1] * n[1]
        return ra.where(r % 2 == 1, across, along)

    levers = ra.build(4, lambda r: ra.build(2, lambda side: lever(r, side)))
    weight = ra.array([inverse[i, 0], inverse[i, 2], inverse[j, 0], inverse[j, 2]])
    return Pair(
        1.0, n, levers, _response(levers, weight), weight, ra.sqrt(friction[i] * friction[j])
    )


def _response(levers: Array, weight: Array) -> Array:
    """The lower triangle (10,) of K."""
    rows, columns = np.tril_indices(4)
    together = np.where((rows - columns) % 2 == 0, 1.0, 0.0)  # rows along one direction
    r, s = ra.array(rows), ra.array(columns)

    def entry(k: Index) -> Scalar:
        a, b = levers[r[k], 0] * levers[s[k], 0], levers[r[k], 1] * levers[s[k], 1]
        heavy = ra.array(together)[k] * (weight[0] + weight[2])
        return heavy + weight[1] * a + weight[3] * b

    return ra.build(10, entry)


def speeds(pair: Pair, motions: Array) -> Array:
    """How fast a pair parts along its rows, (4,), with these motions (6,)."""
    n, levers = pair.normal, pair.levers
    x, y = motions[3] - motions[0], motions[4] - motions[1]
    along, across = n[0] * x + n[1] * y, n[0] * y - n[1] * x
    turned = [levers[r, 1] * motions[5] - levers[r, 0] * motions[2] for r in range(4)]
    return ra.array([(across if r % 2 else along) + turned[r] for r in range(4)])


def changes(pair: Pair, impulses: Sequence[Scalar] | Array) -> Array:
    """What impulses (4,) along a pair's rows change its motions by, (6,)."""
    n, levers, w = pair.normal, pair.levers, pair.weight
    along, across = impulses[0] + impulses[2], impulses[1] + impulses[3]
    x, y = along * n[0] - across * n[1], along * n[1] + across * n[0]
    a, b = (sum(impulses[r] * levers[r, side] for r in range(4)) for side in (0, 1))
    return ra.array([-w[0] * x, -w[0] * y, -w[1] * a, w[2] * x, w[2] * y, w[3] * b])


def row_matrix(pair: Pair) -> Matrix:
    """The rows of a pair (4, 6), whose products with its motions (6,) are its speeds."""
    n, levers = pair.normal, pair.levers

    def row(r: Index) -> Array:
        across = r % 2 == 1
        d0, d1 = ra.where(across, -n[1], n[0]), ra.where(across, n[0], n[1])
        return ra.array([-d0, -d1, -levers[r, 0], d0, d1, levers[r, 1]])

    return ra.build(4, row)


@ra.fn
def resolved(k: Array, friction: Scalar, u: Array, now: Array, aim: Array) -> Array:
    """The impulses (4,) of a pair that make good `aim` (2,), the least speeds along its normals.

    They are found from those `now`, which have led to the speeds u (4,); k (10,) is the pair's response.
    """
    _, k10, k11, _, k21, _, k30, k31, k32, k33 = (k[r] for r in range(10))
    n1, n2 = pressed(k, u, (now[0], now[2]), aim)
    more1, more2 = n1 - now[0], n2 - now[2]
    slip1 = u[1] + k10 * more1 + k21 * more2
    t1 = ra.clip(now[1] - slip1 / k11, -friction * n1, friction * n1)
    slip2 = u[3] + k30 * more1 + k32 * more2 + k31 * (t1 - now[1])
    t2 = ra.clip(now[3] - slip2 / k33, -friction * n2, friction * n2)
    return ra.array([n1, t1, n2, t2])


def pressed(
    k: Array, u: Array, now: tuple[Scalar, Scalar] | Array, aim: Array
) -> tuple[Scalar, Scalar]:
    """The two impulses along the normals alone; `now` are those that have led to the speeds u (4,)."""
    k00, k20, k22 = k[0], k[3], k[5]
    return _complementary(
        k00,
        k20,
        k22,
        u[0] - aim[0] - k00 * now[0] - k20 * now[1],
        u[2] - aim[1] - k20 * now[0] - k22 * now[1],
    )


def _complementary(
    k11: Scalar, k12: Scalar, k22: Scalar, b1: Scalar, b2: Scalar
) -> tuple[Scalar, Scalar]:
    """The P with 0 ≤ P ⟂ K P + b ≥ 0, for two points; where both are one place, the first takes all."""
    det = k11 * k22 - k12 * k12
    regular = det > 1e-6 * k11 * k22
    det = ra.where(regular, det, 1.0)
    p1, p2 = (k12 * b2 - k22 * b1) / det, (k12 * b1 - k11 * b2) / det
    both = regular & (p1 >= 0) & (p2 >= 0)
    only1, only2 = ra.maximum(-b1 / k11, 0.0), ra.maximum(-b2 / k22, 0.0)
    first = k12 * only1 + b2 >= -1e-12 * abs(b2)
    return (
        ra.where(both, p1, ra.where(first, only1, 0.0)),
        ra.where(both, p2, ra.where(first, 0.0, only2)),
    )


def sweep(
    world: World, near: Array, motion: Twists, visit: Visit, bounds: NumpyArray | None = None
) -> Twists:
    """The motion (n, 3) after a visit to each pair that is `near` (p,), round after round.

    A visit is given the pair's number, its two bodies, their motions (6,), and the change of all motions, to
    which it adds; that is made at the end of the round. `bounds` are the world's rounds unless given.
    """
    bodies = ra.array(world.contacts.pairs)

    def one(motion: Twists, bounds: Array) -> tuple[Twists, None]:
        change = ra.accum(motion.shape)
        for p in ra.range(bounds[0], bounds[1]):
            with ra.when(near[p] > 0):
                i, j = bodies[p, 0], bodies[p, 1]
                visit(p, i, j, ra.concat([motion[i], motion[j]]), change)
        return motion + change.freeze(), None

    return ra.scan(one, motion, world.contacts.bounds if bounds is None else bounds)[0]
