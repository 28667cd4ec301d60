r"""Balls on rods that have nothing else to hold them: the step of `linkage` in closed form.

A rod that leads from the centre of mass of a body, to a place on a fixed one or to the centre of another,
turns nothing. Where no two rods share a body that can move, with d the rod, δ what it would change by in a
step of length h without its tension, and w the inverse masses of its ends, the equations of `linkage` are

    d' = d + δ + s (d + d'),  |d'| = |d|,     so     s = -(2 d·δ + δ²) / (4 d² + 2 d·δ)

and the impulse is (d' - d - δ) / (h w). Energy is kept as there, at any step in which an end does not fly past
the other.

The derivative is that of these formulas, which is that of the solution.

Source: that of `linkage`; for one rod its equation is linear in s.
"""

from __future__ import annotations

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums, Vector
from .bodies import Poses, Twists, World
from .joints import Table
from .pairs import Pairs, changes, resolved, speeds, sweep

LEAST = 1e-6
"""The denominator of s in 4 d², at least: that of an end that flies past the other."""


def are_strings(world: World) -> bool:
    """Whether each joint is such a rod, and no two share a body that can move."""
    held: list[int] = []
    for joint in world.joints:
        ends = zip(joint.bodies, joint.anchors, strict=True)
        loose = [(b, p) for b, p in ends if world.movable[b]]
        if joint.kind != "distance" or not all(
            _is_centre(p[0]) and _is_centre(p[1]) for _, p in loose
        ):
            return False
        held += [b for b, _ in loose]
    return len(held) == len(set(held))


def _is_centre(v: Scalar) -> bool:
    return isinstance(v, int | float) and v == 0


class Strings:
    """Bodies of a world, each held by one rod at most."""

    longest, passes, yields = 1.0, 1, False

    def __init__(self, world: World) -> None:
        self.world, self.table = world, Table(world)
        # as functions of their own they compile sooner
        self.held, self.once = ra.fn(self._held), ra.fn(self._once)

    def moved(
        self,
        x: Poses,
        v: Twists,
        pushed: Twists,
        hold: Array,
        dt: Scalar,
        before: Array,
        whole: Scalar,
    ) -> tuple[Poses, Twists, Array, Condition]:
        """x and v (n, 3) after `dt` seconds under accelerations `pushed` (n, 3), the impulses (j, 3) of each
        half of them, and True: they are always found."""
        free, weights = v + 0.5 * dt * pushed, ra.array(self.world.inverse)
        change, table = ra.accum(v.shape), self.table
        found = ra.accum(hold.shape)
        for k in ra.range(len(self.world.joints)):
            i, j = table.pairs[k, 0], table.pairs[k, 1]
            now, motion = ra.concat([x[i], x[j]]), ra.concat([free[i], free[j]])
            d = table.apart(k, now)
            delta = table.apart(k, now + dt * motion) - d
            along, square = ra.dot(d, delta), ra.dot(d, d)
            s = -(2 * along + ra.dot(delta, delta)) / ra.maximum(
                4 * square + 2 * along, 4 * LEAST * square
            )
            after = ((1 + s) * d + delta) / (1 - s)
            push = (after - d - delta) / (dt * (weights[i, 0] + weights[j, 0]))
            change[i] += -weights[i, 0] * _motion(push)
            change[j] += weights[j, 0] * _motion(push)
            found[k, 0] += ra.dot(push, after + d) / ra.norm(after + d)
        u = free + change.freeze()
        return x + dt * u, 2 * u - v, found.freeze(), True

    def settled(
        self, x: Poses, v: Twists, hold: Array, yielded: Array, dt: Scalar, whole: Scalar
    ) -> tuple[Poses, Twists]:
        """x and v (n, 3), changed least so that rods hold; nothing else matters to these."""
        return self.held(x, v)

    def _held(self, x: Poses, v: Twists) -> tuple[Poses, Twists]:
        weights, table = ra.array(self.world.inverse), self.table
        change, shift = ra.accum(v.shape), ra.accum(x.shape)
        for k in ra.range(len(self.world.joints)):
            i, j = table.pairs[k, 0], table.pairs[k, 1]
            rows, off = table.look(k, ra.concat([x[i], x[j]]))
            given = rows[0] * ra.concat([weights[i], weights[j]])
            yields = ra.dot(rows[0], given)
            speed = ra.dot(rows[0], ra.concat([v[i], v[j]]))
            for total, by in ((change, -speed / yields), (shift, -off[0] / yields)):
                total[i] += by * given[:3]
                total[j] += by * given[3:]
        return x + shift.freeze(), v + change.freeze()

    def yielding(self, pairs: Pairs, x: Poses) -> Array:
        """How far the points (p, 2) of pairs give way; a string lets its body go aside."""
        return ra.ones((len(pairs.near), 2))

    def visited(
        self,
        pairs: Pairs,
        x: Poses,
        u: Twists,
        hold: Array,
        h: Scalar,
        motion: Twists,
        touch: Array,
        aim: Array,
        sweeps: int,
    ) -> tuple[Twists, Array]:
        """Motion (n, 3) and impulses (p, 4), found from `touch` by so many visits to each pair, where `aim`
        (p, 2) are the least speeds, and to each rod in turn."""

        def once(_: Index, now: tuple[Twists, Array]) -> tuple[Twists, Array]:
            return self.once(pairs, x, aim, *now)

        return ra.fori_loop(0, sweeps, once, (motion, touch))

    def _once(
        self, pairs: Pairs, x: Poses, aim: Array, motion: Twists, touch: Array
    ) -> tuple[Twists, Array]:
        """Motion and impulses after one visit to each."""
        added = ra.accum(touch.shape)

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            pair, now = pairs.row(p), touch[p]
            u = speeds(pair, motions)
            more = resolved(pair.response, pair.friction, u, now, aim[p]) - now
            moved = changes(pair, more)
            change[i] += moved[:3]
            change[j] += moved[3:]
            added[p] += more

        motion = sweep(self.world, pairs.near, motion, visit)
        return self.held(x, motion)[1], touch + added.freeze()


def _motion(push: Vector) -> Array:
    """A change (2,) of a velocity as one of a motion (3,)."""
    return ra.concat([push, np.zeros(1)])
