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

    `normal` (2,); `levers` (4, 2) are l by row and body; `response` (15,) is K, as `divided` has it;
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
    levers, response = ra.accum((count, 4, 2)), ra.accum((count, 15))
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
    """K, as `divided` has it."""
    rows, columns = np.tril_indices(4)
    together = np.where((rows - columns) % 2 == 0, 1.0, 0.0)  # rows along one direction
    r, s = ra.array(rows), ra.array(columns)

    def entry(k: Index) -> Scalar:
        a, b = levers[r[k], 0] * levers[s[k], 0], levers[r[k], 1] * levers[s[k], 1]
        heavy = ra.array(together)[k] * (weight[0] + weight[2])
        return heavy + weight[1] * a + weight[3] * b

    return divided(ra.build(10, entry))


def divided(k: Array) -> Array:
    """K with what every visit to a pair divides by, (15,): its lower triangle (10,) row by row; 1 over its
    diagonal; and 1 over the determinant of the normals' part, 0 where both points are one place."""
    det = k[0] * k[5] - k[3] * k[3]
    regular = det > 1e-6 * k[0] * k[5]
    over = ra.where(regular, 1 / ra.where(regular, det, 1.0), 0.0)
    return ra.array([*(k[r] for r in range(10)), *(1 / k[r] for r in (0, 2, 5, 9)), over])


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


def resolved(k: Array, friction: Scalar, u: Array, now: Array, aim: Array) -> Array:
    """The impulses (4,) of a pair that make good `aim` (2,), the least speeds along its normals.

    They are found from those `now`, which have led to the speeds u (4,); k (15,) is the pair's response.
    """
    n1, n2 = pressed(k, u, (now[0], now[2]), aim)
    more1, more2 = n1 - now[0], n2 - now[2]
    slip1 = u[1] + k[1] * more1 + k[4] * more2
    t1 = ra.clip(now[1] - slip1 * k[11], -friction * n1, friction * n1)
    slip2 = u[3] + k[6] * more1 + k[8] * more2 + k[7] * (t1 - now[1])
    t2 = ra.clip(now[3] - slip2 * k[13], -friction * n2, friction * n2)
    return ra.array([n1, t1, n2, t2])


def pressed(
    k: Array, u: Array, now: tuple[Scalar, Scalar] | Array, aim: Array
) -> tuple[Scalar, Scalar]:
    """The two impulses along the normals alone; `now` are those that have led to the speeds u (4,)."""
    b1 = u[0] - aim[0] - k[0] * now[0] - k[3] * now[1]
    b2 = u[2] - aim[1] - k[3] * now[0] - k[5] * now[1]
    # the P with 0 ≤ P ⟂ K P + b ≥ 0; where both are one place, the first takes all
    p1, p2 = k[14] * (k[3] * b2 - k[5] * b1), k[14] * (k[3] * b1 - k[0] * b2)
    both = (k[14] > 0) & (p1 >= 0) & (p2 >= 0)
    only1, only2 = ra.maximum(-b1 * k[10], 0.0), ra.maximum(-b2 * k[12], 0.0)
    first = k[3] * only1 + b2 >= -1e-12 * abs(b2)
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
