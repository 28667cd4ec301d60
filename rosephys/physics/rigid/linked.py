"""The rows of a world in one step: what they answer to each other, and visits to them, as `rows` says."""

from __future__ import annotations

import numpy as np

import rose_ad as ra

from ..quantities import Array, Index, Scalar, Vector
from .bodies import Poses, Twists, World
from .rows import LIMIT, MOTOR, SPRING, Rows

YIELD = 1e-9
"""What a row that is held yields as a share of what it would alone."""


@ra.struct
class Held:
    """The rows of a step as they are where it begins: measures (r,), J (r, 6), W Jᵀ (r, 6); for the held ones B
    (m, m); for each of the others what it does to all motions, W' Jᵀ (q, n, 3), to the held impulses (q, m),
    and its response (q,)."""

    value: ra.Vec
    row: ra.Vec
    moved: ra.Vec
    inverse: ra.Vec
    answer: ra.Vec
    passed: ra.Vec
    response: ra.Vec


class Linked:
    """The rows of a world in a step of `h` seconds from x (n, 3), after one with the motions `before` (n,
    3)."""

    def __init__(self, world: World, rows: Rows, x: Poses, before: Twists, h: Scalar) -> None:
        self.world, self.rows, self.x, self.before, self.h = world, rows, x, before, h
        # as functions of their own they compile sooner
        self.at = ra.fn(self._at)(x)
        self.visited, self.held = ra.fn(self._visited), ra.fn(self._held)

    def started(self, u: Twists, impulses: Array) -> Twists:
        """The motions (n, 3) after `impulses` (r,)."""
        bodies, change = ra.array(self.rows.bodies), ra.accum(u.shape)
        for k in ra.range(self.rows.count):
            change[bodies[k, 0]] += impulses[k] * self.at.moved[k, :3]
            change[bodies[k, 1]] += impulses[k] * self.at.moved[k, 3:]
        return u + change.freeze()

    def solved(self, u: Twists, impulses: Array) -> tuple[Twists, Array]:
        """Motions (n, 3) and impulses (r,) after a visit to each of the other rows, and then to all that are
        held."""
        if self.rows.held < self.rows.count:
            u, impulses = self.visited(self.at, u, impulses)
        return self.held(self.at, u, impulses) if self.rows.held else (u, impulses)

    def _at(self, x: Poses) -> Held:
        rows, m, n = self.rows, self.rows.held, len(self.world.bodies)
        bodies, weight = ra.array(rows.bodies), ra.array(self.world.inverse)

        def look(k: Index) -> tuple[Scalar, Array, Array]:
            value, row = rows.look(k, x)
            return value, row, row * ra.concat([weight[bodies[k, 0]], weight[bodies[k, 1]]])

        value, row, moved = ra.build(rows.count, look)

        def together(r: Index, s: Index) -> Scalar:
            """J W Jᵀ of two rows."""
            share: Scalar = 0.0
            for a in (0, 1):
                for b in (0, 1):
                    one, other = row[r, 3 * a : 3 * a + 3], moved[s, 3 * b : 3 * b + 3]
                    share += ra.where(bodies[r, a] == bodies[s, b], ra.dot(one, other), 0.0)
            return share * ra.where(r == s, 1 + YIELD, 1.0)

        inverse = (
            ra.inv(ra.build(m, lambda r: ra.build(m, lambda s: together(r, s))))
            if m
            else ra.zeros((0, 0))
        )

        def other(k: Index) -> tuple[Array, Array, Scalar]:
            q, answer = m + k, ra.accum((n, 3))
            passed = -(inverse @ ra.build(m, lambda r: together(r, q))) if m else ra.zeros(0)
            for side in (0, 1):
                answer[bodies[q, side]] += moved[q, 3 * side : 3 * side + 3]
                for r in ra.range(m):
                    answer[bodies[r, side]] += passed[r] * moved[r, 3 * side : 3 * side + 3]
            found = answer.freeze()
            return found, passed, _rate(row[q], found, bodies[q])

        several = rows.count - m
        answer, passed, response = (
            ra.build(several, other)
            if several
            else (ra.zeros((0, n, 3)), ra.zeros((0, m)), ra.zeros(0))
        )
        return Held(value, row, moved, inverse, answer, passed, response)

    def _visited(self, at: Held, u: Twists, impulses: Array) -> tuple[Twists, Array]:
        rows, m = self.rows, self.rows.held
        pairs = ra.array(rows.bodies)
        numbers = ra.arange(rows.count)

        def visit(now: tuple[Twists, Array], k: Index) -> tuple[tuple[Twists, Array], None]:
            u, impulses = now
            q = m + k
            rate, was = (_rate(at.row[q], v, pairs[q]) for v in (u, self.before))
            p, yields = impulses[q], at.response[k] > 0
            wanted = self._wanted(q, at.value[q], p, at.response[k], rate, was)
            more = ra.where(yields, wanted - p, 0.0)
            own = ra.where(numbers == q, more, 0.0)
            if m:
                of_held = ra.build(rows.count, lambda r: at.passed[k, ra.minimum(r, m - 1)])
                own += ra.where(numbers < m, more * of_held, 0.0)
            return (u + more * at.answer[k], impulses + own), None

        return ra.scan(visit, (u, impulses), np.arange(rows.count - m))[0]

    def _wanted(
        self, q: Index, value: Scalar, p: Scalar, response: Scalar, rate: Scalar, was: Scalar
    ) -> Scalar:
        """The impulse that the law of row q asks for, where `p` has led to `rate`, and it was `was` before."""
        rows, h = self.rows, self.h
        law, side = ra.array(rows.law)[q], ra.array(rows.side)[q]
        k, c = ra.array(rows.stiffness)[q], ra.array(rows.damping)[q]
        speed, most = ra.array(rows.speed)[q], h * ra.array(rows.strength)[q]
        w = ra.where(response > 0, response, 1.0)
        hard = p - (rate + ra.where(law == MOTOR, -speed, value / h)) / w
        z = 0.25 * h * h * k * w
        s = z**4 / (1 + z**4)
        soft = h * (0.5 * c + 0.25 * (1 + 3 * s) * h * k)
        start = h * (k * value + (0.5 * c - 0.25 * (1 - s) * h * k) * was)
        sprung = -(start + soft * (rate - w * p)) / (1 + soft * w)
        gives = (law == SPRING) | (law == LIMIT) & (k > 0)
        low = ra.where((law == LIMIT) & (side > 0), 0.0, -most)
        high = ra.where((law == LIMIT) & (side < 0), 0.0, most)
        return ra.clip(ra.where(gives, sprung, hard), low, high)

    def _held(self, at: Held, u: Twists, impulses: Array) -> tuple[Twists, Array]:
        rows, m, h = self.rows, self.rows.held, self.h
        there = self.x + h * u
        off = ra.build(m, lambda k: rows.look(k, there)[0]) / h
        less = at.inverse @ off
        more = ra.build(rows.count, lambda k: ra.where(k < m, -less[ra.minimum(k, m - 1)], 0.0))
        bodies, change = ra.array(rows.bodies), ra.accum(u.shape)
        for k in ra.range(m):
            change[bodies[k, 0]] += more[k] * at.moved[k, :3]
            change[bodies[k, 1]] += more[k] * at.moved[k, 3:]
        return u + change.freeze(), impulses + more


def _rate(row: Array, u: Twists, pair: Vector) -> Scalar:
    """How fast a measure grows with motions (n, 3)."""
    return ra.dot(row[:3], u[pair[0]]) + ra.dot(row[3:], u[pair[1]])
