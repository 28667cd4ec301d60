r"""Pairs of bodies that touch, when joints lead from each to others: an impulse moves all that hangs on it.

With W the inverse masses and J the rows of all joints, impulses P along the rows G of a pair change all motions by

    Δv = W' Gᵀ P        W' = W - W Jᵀ (J W Jᵀ)⁻¹ J W

which leaves the speeds J v along the joints as they were. So a pair is solved as one of free bodies is, with the
response G W' Gᵀ: a box that rests on a light plank of a bridge feels the bridge. Pairs are gone through one after
the other, and joints hold all the time.

Source: Featherstone, *Rigid Body Dynamics Algorithms*, 2008, chapter 11.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import rose_ad as ra

from ..quantities import Array, Index, Matrix, Scalar, Sums
from . import joints
from .bodies import Poses, Twists, World
from .pairs import Pairs, pressed, resolved, row_matrix, speeds, sweep


def spread(rows: Matrix, first: Array, second: Array) -> Array:
    """The changes (4, m) of all motions by impulses along a pair's rows (4, 6), whose bodies' are (3, m)."""

    def change(r: Index, c: Index) -> Scalar:
        return sum(rows[r, k] * first[k, c] + rows[r, 3 + k] * second[k, c] for k in range(3))

    return ra.build(4, lambda r: ra.build(first.shape[1], lambda c: change(r, c)))


def response(rows: Matrix, parts: Array, i: Index, j: Index) -> Array:
    """The changes of a pair's speeds along its rows (4, 6), given those of all motions, `parts` (4, n, 3): of
    the symmetric matrix the lower triangle (10,), row by row."""
    above, below = map(ra.array, np.tril_indices(4))

    def entry(e: Index) -> Scalar:
        row, change = rows[below[e]], parts[above[e]]
        return sum(row[k] * change[i, k] + row[3 + k] * change[j, k] for k in range(3))

    return ra.build(10, entry)


class Answers:
    """The pairs of a world whose joints hold at x (n, 3)."""

    def __init__(self, world: World, pairs: Pairs, x: Poses) -> None:
        self.world, self.pairs = world, pairs
        self.inverse = joints.inverse_mass(world, x)

    def swept(self, motion: Twists, touch: Array, aim: Array) -> tuple[Twists, Array]:
        """Motion and impulses (p, 4) after a visit to each pair, where `aim` (p, 2) are the least speeds."""
        pairs = self.pairs

        def more(p: Index, u: Array, k: Array) -> Array:
            return resolved(k, pairs.friction[p], u, touch[p], aim[p]) - touch[p]

        return self._visited(motion, touch, more, lambda impulses: impulses)

    def opened(self, motion: Twists, push: Array, aim: Array) -> tuple[Twists, Array]:
        """The same without friction; `push` (p, 2) are impulses along the normals."""

        def more(p: Index, u: Array, k: Array) -> Array:
            return ra.array(pressed(k, u, push[p], aim[p])) - push[p]

        def rows(impulses: Array) -> Array:
            return ra.array([impulses[0], 0.0, impulses[1], 0.0])

        return self._visited(motion, push, more, rows)

    def _visited(
        self,
        motion: Twists,
        impulses: Array,
        found: Callable[[Index, Array, Array], Array],
        rows_of: Callable[[Array], Array],
    ) -> tuple[Twists, Array]:
        """Motion and impulses after each pair, one after the other, has been given the impulses that are `found`
        for its number, its speeds (4,) and its response (10,)."""
        added, n = ra.accum(impulses.shape), motion.shape[0]

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            rows = row_matrix(self.pairs, p)
            all_of = spread(rows, self.inverse[i], self.inverse[j])
            parts = ra.reshape(all_of, (4, n, 3))
            u = speeds(self.pairs, p, motions)
            more = found(p, u, response(rows, parts, i, j))
            moved = ra.reshape(rows_of(more) @ all_of, (n, 3))
            for body in ra.range(n):
                change[body] += moved[body]
            added[p] += more

        one_by_one = np.arange(len(self.pairs.near))[:, None] + np.array([0, 1])
        motion = sweep(self.world, self.pairs, motion, visit, one_by_one)
        return motion, impulses + added.freeze()
