r"""Seams: where fixed bodies lie against each other, and are one body to all that moves.

A ball that touches a body at q from along n lies beyond the line through q across n. It can touch a union of
bodies so only if none of those that q belongs to reaches over that line: n is a normal of the union where it
is one of each,

    n · c + r ≤ n · q        for the corners c of every part of radius r that has q in it.

So the side of a tile that lies against another tile has no normal, the edge between two that are level has only
the one that they share, and that of a ridge all from the one side's to the other's. What has no normal pushes
nothing; there is always another part that is nearer. A normal of several parts at one corner is that of the
first of them.

Where a face ends at a seam and another goes on level, its end is no point of contact either: what lies across
has its own points on the other, and it does not matter how many bodies a floor is made of.

All this is seen afresh wherever a pair is looked at, so fixed bodies may be anywhere, and may move. What is
flush to FLUSH, a share of what counts as near, belongs together; higher than LEVEL is an edge.

Sources: Clarke, Ledyaev, Stern, Wolenski, *Nonsmooth Analysis and Control Theory*, 1998, chapter 1 (proximal
normals); Catto, *Ghost collisions*, box2d.org, 2020 (what goes wrong without).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, NumpyArray, Scalar, Vector
from .bodies import Poses, Twists
from .parts import Parts

FLUSH = 0.01
"""The share of what counts as near up to which parts lie against each other."""
LEVEL = 1e-7
"""That share up to which faces are level."""
YES: Scalar = 1.0
"""What is added to count something."""

NONE = -1e29
"""A separation below this is that of no face."""

UNSEEN, FITS, COVERED = range(3)

Choice: TypeAlias = tuple[Index, Index]
"""A body of two, and a face of it."""
_Chosen: TypeAlias = tuple[Index, Index, Index, Index, Array]
"""How often it was looked, the last choice, what of it, and the separations of all faces that are left."""
Still: TypeAlias = tuple[Poses, Twists, Scalar]
"""x (n, 3) and motion (n, 3) of all bodies at the step's start, and a time: fixed bodies move steadily."""


@dataclass(frozen=True)
class Seams:
    """Which fixed parts may lie against each other: those of other bodies, and those of one body that do."""

    parts: Parts

    @cached_property
    def beside(self) -> list[list[int]]:
        """Of each part the others."""
        body, fixed = self.parts.body, self.parts.fixed
        met = np.isin(np.arange(len(self.parts.world.bodies)), self.parts.world.contacts.pairs)

        def may(a: int, b: int) -> bool:
            if a == b or not (fixed[a] and fixed[b] and met[body[a]] and met[body[b]]):
                return False
            return bool(body[a] != body[b]) or self._touch(a, b)

        count = range(len(body))
        return [[b for b in count if may(a, b)] for a in count]

    def _touch(self, a: int, b: int) -> bool:
        """Whether two parts of one body lie against each other."""
        one, other = (self.parts.world.parts[k][1] for k in (a, b))
        p, q = np.asarray(one.corners), np.asarray(other.corners)  # of terrain, and known
        # what is traced is the size of bodies that move: pieces of terrain lie flush to rounding
        flush = FLUSH * self.parts.reach if self.parts.sized else 1e-9 * _length(p)
        near = flush + one.radius + other.radius
        return min(_apart(p, q), _apart(q, p)) <= near

    @cached_property
    def bounds(self) -> NumpyArray:
        """Where those beside each part begin and end in `others`, (m, 2)."""
        ends = np.cumsum([len(row) for row in self.beside])
        return np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1)

    @cached_property
    def others(self) -> NumpyArray:
        """Those beside each part, one part after the other."""
        return np.array([b for row in self.beside for b in row], int)

    @cached_property
    def meets(self) -> NumpyArray:
        """Which bodies are a pair, (n, n)."""
        n, pairs = len(self.parts.world.bodies), self.parts.world.contacts.pairs
        table = np.zeros((n, n), bool)
        table[pairs[:, 0], pairs[:, 1]] = table[pairs[:, 1], pairs[:, 0]] = True
        return table

    @cached_property
    def tally(self) -> ra.Fn:
        """Of the parts beside a, at q along n: how many are in the way, how many have q in them, and how
        many of these come first."""
        return ra.fn(lambda a, j, q, n, *still: _tally(self, a, j, q, n, still))


def _length(corners: NumpyArray) -> float:
    """The longest way along an axis from corner to corner (v, 2)."""
    return float(np.ptp(corners, axis=0).max())


def _apart(points: NumpyArray, corners: NumpyArray) -> float:
    """The least distance of points (k, 2) from the outline of corners (v, 2)."""
    side = np.roll(corners, -1, axis=0) - corners
    way = points[:, None] - corners
    square = np.maximum((side * side).sum(-1), 1e-300)
    share = np.clip((way * side).sum(-1) / square, 0, 1)
    return float(np.hypot(*np.moveaxis(way - share[..., None] * side, -1, 0)).min())


def _tally(seams: Seams, a: Index, j: Index, q: Vector, n: Vector, still: Still) -> Array:
    parts, (x, motion, t) = seams.parts, still
    bounds, others, meets = map(ra.array, (seams.bounds, seams.others, seams.meets))
    of, size = ra.array(parts.body), ra.array(parts.size)
    near, level, counts = FLUSH * parts.reach, LEVEL * parts.reach, ra.accum(3)
    for m in ra.range(bounds[a, 0], bounds[a, 1]):
        b = others[m]
        body = of[b]
        at = x[body] + t * motion[body]
        u, v = q[0] - at[0], q[1] - at[1]
        reach = size[b] + near
        with ra.when((u * u + v * v < reach * reach) & meets[body, j]):
            c, s = ra.cos(at[2]), ra.sin(at[2])
            p = ra.array([c * u + s * v, c * v - s * u])
            e = ra.array([c * n[0] + s * n[1], c * n[1] - s * n[0]])
            apart, higher = _lies(parts, b, p, e)
            counts[0] += ra.where((apart < near) & (higher > level), YES, 0.0)
            counts[1] += ra.where(apart < level, YES, 0.0)
            counts[2] += ra.where((apart < level) & (b < a), YES, 0.0)
    return counts.freeze()


def _lies(parts: Parts, b: Index, p: Vector, n: Vector) -> tuple[Scalar, Scalar]:
    """How far part b is from p, as its body sees it, 0 inside, and how far it reaches beyond p along n."""
    corner, normal = ra.array(parts.corners), ra.array(parts.normals)
    faces, radius, v = ra.array(parts.faces), ra.array(parts.radius), parts.count

    def ahead(e: Index) -> Scalar:
        """How far p is in front of a face."""
        out = normal[b, e] @ (p - corner[b, e])
        return ra.where(e < faces[b], out, -np.inf)

    def distance(e: Index) -> Scalar:
        """How far p is from an edge, squared."""
        start = corner[b, e]
        side, way = corner[b, ra.where(e == v - 1, 0, e + 1)] - start, p - start
        share = ra.clip((side @ way) / ra.maximum(side @ side, 1e-300), 0.0, 1.0)
        off = way - share * side
        return off @ off

    inside = (faces[b] > 2) & (ra.max(ra.build(v, ahead)) <= 0)
    outside = ra.sqrt(ra.min(ra.build(v, distance))) - radius[b]
    higher = ra.max(ra.build(v, lambda e: n @ (corner[b, e] - p))) + radius[b]
    return ra.where(inside, 0.0, outside), higher


@dataclass(frozen=True)
class Seam:
    """Two parts, `pair` (2,), that meet where other fixed ones may lie beside the one that is fixed. Nothing of
    this is differentiated."""

    seams: Seams
    pair: Array
    still: Still

    @property
    def side(self) -> Index:
        """Which of the two is fixed, 0 or 1."""
        return ra.where(ra.array(self.seams.parts.fixed)[self.pair[0]], 0, 1)

    def _tally(self, at: Vector, n: Vector, way: Vector | None = None) -> Array:
        """`_tally` at the surface in front of `at` along n, or a little further along `way`."""
        parts, a, b = self.seams.parts, self.pair[self.side], self.pair[1 - self.side]
        q = at + ra.array(parts.radius)[a] * n
        if way is not None:
            q += 2 * FLUSH * parts.reach * way
        q, n = ra.stop_gradient((q, n))
        return self.seams.tally(a, ra.array(parts.body)[b], q, n, *self.still)

    def owns(self, corner: Vector, n: Vector) -> Condition:
        """Whether two that meet along n (2,), from the first to the second, at this corner (2,) of the fixed
        one do so for all that is fixed, and no part before this one has the same corner."""
        found = self._tally(corner, ra.where(self.side == 0, n, -n))
        return (found[0] == 0) & (found[2] == 0)

    def ends(
        self,
        r: Index,
        n: Vector,
        place: Scalar,
        width: Scalar,
        p: Vector,
        height: Scalar,
        way: Vector,
        single: Condition,
    ) -> Condition:
        """Whether a point of contact is only where the face of the fixed part ends and another goes on, level,
        or is that of an earlier part.

        It is p (2,), `height` in front of the reference face of body r, which has the normal n (2,) and that
        width, and at `place` along it; an end of the face against it, to which the `way` (2,) is from its other
        end, but for a `single` corner.
        """
        room, mine = LEVEL * self.seams.parts.reach, r == self.side
        over, along = ra.maximum(-place, place - width), ra.array([-n[1], n[0]])
        cut = over > room  # an end of the reference; else it is one of the face against it
        shared = mine & ~cut & (over > -0.5 * room)
        end, out = ra.where(mine, p - height * n, p), ra.where(mine, n, -n)
        way = ra.where(mine, ra.where(2 * place < width, -along, along), way)
        found = self._tally(end, out, way)
        goes_on = (found[0] == 0) & (ra.where(shared, found[2], found[1]) > 0)
        return (shared | ~single & (cut == mine)) & goes_on

    def reference(
        self, corner: Array, normal: Array, gaps: Array, best: Callable[[Array], Choice]
    ) -> tuple[Index, Index, Condition]:
        """Of the faces with `corner` and `normal` (2, v, 2) and separations `gaps` (2, v) the `best` one that
        has a normal, and whether there is any. Where the best of all lies beside the other body it is taken:
        then corners meet."""
        corner, normal, gaps = ra.stop_gradient((corner, normal, gaps))

        def next(now: _Chosen) -> _Chosen:
            looks, _, _, _, gaps = now
            r, f = best(gaps)
            left = gaps[r, f] > deepest
            fits = left & self._fits(corner, normal, r, f, looks == 0)
            chosen = ra.where(fits, FITS, ra.where(left, UNSEEN, COVERED))
            rest = ra.build(
                2,
                lambda k: ra.build(
                    v, lambda e: ra.where((k == r) & (e == f), 2 * NONE, gaps[k, e])
                ),
            )
            return looks + 1, r, f, chosen, rest

        v, reach = corner.shape[1], self.seams.parts.reach
        # of two that are apart, or about to be, none goes deep
        deepest = ra.where(ra.max(gaps) > -reach, -2 * reach, NONE)
        first = (0, 0, 0, UNSEEN, gaps)
        _, r, f, chosen, _ = ra.while_loop(
            lambda now: now[3] == UNSEEN, next, first, max_steps=2 * v + 1
        )
        fits, (r0, f0) = chosen == FITS, best(gaps)
        return ra.where(fits, r, r0), ra.where(fits, f, f0), fits

    def _fits(
        self, corner: Array, normal: Array, r: Index, f: Index, first: Condition
    ) -> Condition:
        """Whether the face f of body r has a normal where the other body is over it, or that is not at all."""
        v, s = corner.shape[1], self.side
        n, start, end = normal[r, f], corner[r, f], corner[r, ra.where(f == v - 1, 0, f + 1)]
        along = ra.array([-n[1], n[0]])
        others = ra.build(v, lambda e: corner[1 - r, e] - start)
        spots, heights = others @ along, others @ n
        width, lowest = (end - start) @ along, ra.argmin(heights)
        mine = r == s
        low = ra.where(mine, ra.maximum(ra.min(spots), 0.0), spots[lowest])
        high = ra.where(mine, ra.minimum(ra.max(spots), width), spots[lowest])
        room = LEVEL * self.seams.parts.reach
        over = ra.where(mine, low <= high + room, (low >= 0) & (low <= width))
        level, out = ra.where(mine, 0.0, heights[lowest]), ra.where(mine, n, -n)

        def open(place: Scalar) -> Condition:
            return self._tally(start + place * along + level * n, out)[0] == 0

        return ra.cond(over, lambda: open(low) | open(high), lambda: first)
