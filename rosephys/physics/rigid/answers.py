r"""Pairs of bodies that touch, when joints lead from each to others: an impulse moves all that hangs on it.

With W the inverse masses and J the rows of all joints, impulses P along the rows G of a pair change all
motions by

    Δv = W' Gᵀ P        W' = W - W Jᵀ (J W Jᵀ)⁻¹ J W

which leaves the speeds J v along the joints as they were. So a pair is solved as one of free bodies is, with
the response G W' Gᵀ: a box that rests on a light plank of a bridge feels the bridge. Pairs are gone through
one after the other, and joints hold all the time.

Source: Featherstone, *Rigid Body Dynamics Algorithms*, 2008, chapter 11.
"""

from __future__ import annotations

import numpy as np

import rose_ad as ra

from ..quantities import Array, Index, Matrix, Scalar, Sums
from .bodies import Twists, World
from .pairs import Pairs, divided, resolved, row_matrix, speeds, sweep


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

    return divided(ra.build(10, entry))


def yielding(world: World, pairs: Pairs, inverse: Array) -> Array:
    """How far the points (p, 2) of near pairs give way, as a share of what they would without joints."""
    bodies, n = ra.array(world.contacts.pairs), len(world.bodies)
    found = ra.accum((len(world.contacts.pairs), 2))
    for p in ra.range(len(world.contacts.pairs)):
        with ra.when(pairs.near[p] > 0):
            i, j = bodies[p, 0], bodies[p, 1]
            rows, free = row_matrix(pairs.row(p)), pairs.response[p]
            changed = spread(rows, inverse[i], inverse[j])
            k = response(rows, ra.reshape(changed, (4, n, 3)), i, j)
            found[p] += ra.array([k[0] / free[0], k[5] / free[5]])
    return found.freeze()


def answered(
    world: World,
    pairs: Pairs,
    inverse: Array,
    motion: Twists,
    touch: Array,
    aim: Array,
    sweeps: int,
) -> tuple[Twists, Array]:
    """Motion (n, 3) and impulses (p, 4), found from `touch` by so many visits to each pair in turn, where `aim`
    (p, 2) are the least speeds; `inverse` (n, 3, 3 n) is W'."""
    n = motion.shape[0]
    one_by_one = np.arange(len(world.contacts.pairs))[:, None] + np.array([0, 1])

    def once(now: tuple[Twists, Array]) -> tuple[Twists, Array]:
        motion, touch = now
        added = ra.accum(touch.shape)

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            rows = row_matrix(pairs.row(p))
            changed = spread(rows, inverse[i], inverse[j])
            k = response(rows, ra.reshape(changed, (4, n, 3)), i, j)
            u = speeds(pairs.row(p), motions)
            more = resolved(k, pairs.friction[p], u, touch[p], aim[p]) - touch[p]
            moved = ra.reshape(more @ changed, (n, 3))
            for body in ra.range(n):
                change[body] += moved[body]
            added[p] += more

        motion = sweep(world, pairs.near, motion, visit, one_by_one)
        return motion, touch + added.freeze()

    return ra.fori_loop(0, sweeps, lambda _, now: once(now), (motion, touch))
