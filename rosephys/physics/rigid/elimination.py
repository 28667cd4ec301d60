r"""Systems of linear equations whose unknowns are joined as a graph: three numbers at each node.

A node k of the graph is an unknown x_k (3,), an edge two blocks A_ij and A_ji (3, 3) of the matrix. Gauss's
elimination takes a node k out of the equations of its neighbours i,

    A_ij ← A_ij - A_ik A_kk⁻¹ A_kj          b_i ← b_i - A_ik A_kk⁻¹ b_k          for all neighbours i, j of k,

which joins these among each other, and finds x_k from theirs in the end. A tree whose leaves go first gains no
edge, so that it is solved in a time proportional to its nodes, as articulated bodies are; a loop gains a few.

Which node goes when depends on the graph alone, and is found here before anything is traced: those go first
that have the fewest neighbours, and all that are not neighbours go at once, as one round. The numbers follow
as one loop over rounds, so the program does not grow with the graph.

The derivative is that of the solution: -A⁻¹ (dA) x + A⁻¹ db, and reverse mode solves with Aᵀ.

Sources: George, Liu, *The evolution of the minimum degree ordering algorithm*, SIAM Review 31, 1989; Baraff,
*Linear-time dynamics using Lagrange multipliers*, SIGGRAPH 1996.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

import rose_ad as ra

from ..quantities import Array, Matrix, NumpyArray

_Block = tuple[int, int]


class Elimination:
    """The order in which the nodes of a graph are eliminated, and the blocks that there are.

    A node whose own block is zero, as that of a constraint, needs one of its `supports`: it may go once one
    has gone that has let no other go, so that what is left of its block is regular, or once all nodes have
    gone that need none. `block[i, j]` is the number of a block (i, j); block k is (k, k).
    """

    def __init__(
        self,
        nodes: int,
        edges: Iterable[_Block],
        supports: Sequence[Sequence[int]] | None = None,
    ) -> None:
        self.nodes = nodes
        near: list[set[int]] = [set() for _ in range(nodes)]
        for i, j in edges:
            near[i].add(j)
            near[j].add(i)
        self.block: dict[_Block, int] = {(k, k): k for k in range(nodes)}
        for i in range(nodes):
            for j in sorted(near[i]):
                self._add(i, j)
        rounds = self._rounds(near, supports or [()] * nodes)
        self._tabulate(rounds)
        # as a function of its own it compiles once
        self.eliminated = ra.fn(self._eliminated)

    def _add(self, i: int, j: int) -> None:
        self.block.setdefault((i, j), len(self.block))

    def _rounds(
        self, near: list[set[int]], supports: Sequence[Sequence[int]]
    ) -> list[list[tuple[int, list[int]]]]:
        """The nodes of each round, each with its neighbours that are still there."""
        left, spare, rounds = set(range(self.nodes)), set[int](), []
        while left:
            chosen = self._round(left, spare, near, supports)
            rounds.append([(k, sorted(near[k])) for k in chosen])
            for k in chosen:
                for i in near[k]:
                    near[i] |= near[k] - {i}
                    near[i].discard(k)
                    for j in near[k] - {i}:
                        self._add(i, j)
            left -= set(chosen)
            spare |= {k for k in chosen if not supports[k]}
        return rounds

    @staticmethod
    def _round(
        left: set[int], spare: set[int], near: list[set[int]], supports: Sequence[Sequence[int]]
    ) -> list[int]:
        """Nodes that may go at once; the supports that they need are taken from the `spare` ones."""
        late = all(supports[k] for k in left)
        chosen: list[int] = []
        for k in sorted(left, key=lambda k: (len(near[k]), k)):
            own = spare & set(supports[k])
            if (supports[k] and not own and not late) or near[k] & set(chosen):
                continue
            if len(near[k]) > max(len(near[chosen[0]]) if chosen else 0, 2) and chosen:
                break
            spare -= {min(own)} if own else set()
            chosen.append(k)
        return chosen

    def _tabulate(self, rounds: list[list[tuple[int, list[int]]]]) -> None:
        """Rounds as tables of whole numbers.

        `pivots` (nodes, 3) are the nodes in order, each with where its row of `onward` (e, 2), the blocks
        (k, j) and the nodes j that stay, begins and ends; `updates` (e, 5) are the node i and the blocks
        (i, k) and (k, k), and where in `targets` (t, 2), the blocks (i, j) and (k, j), it begins and ends.
        """
        at = self.block
        pivots: list[tuple[int, ...]] = []
        onward: list[tuple[int, ...]] = []
        updates: list[tuple[int, ...]] = []
        targets: list[tuple[int, ...]] = []
        ends = [(0, 0)]
        for chosen in rounds:
            for k, there in chosen:
                pivots.append((k, len(onward), len(onward) + len(there)))
                onward += [(at[k, j], j) for j in there]
                for i in there:
                    updates.append((i, at[i, k], k, len(targets), len(targets) + len(there)))
                    targets += [(at[i, j], at[k, j]) for j in there]
            ends.append((len(pivots), len(updates)))
        self.pivots, self.onward = _table(pivots, 3), _table(onward, 2)
        self.updates, self.targets = _table(updates, 5), _table(targets, 2)
        bounds = np.array([[p, q, u, w] for (p, u), (q, w) in pairwise(ends)])
        self.bounds = bounds.reshape(-1, 4)
        # the last rounds leave nothing to update
        self.working = max((r + 1 for r, b in enumerate(bounds) if b[3] > b[2]), default=0)
        pairs = np.array(list(at), int).reshape(-1, 2)
        self.places, self.mirror = pairs, np.array([at[j, i] for i, j in at], int)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return len(self.block)

    def solved(self, blocks: Array, right: Array) -> Array:
        """x (nodes, 3) or (nodes, 3, m) with A x = `right`; `blocks` (b, 3, 3) are those of A."""

        def product(x: Array) -> Array:
            found, places = ra.accum(right.shape), ra.array(self.places)
            for q in ra.range(self.blocks):
                found[places[q, 0]] += blocks[q] @ x[places[q, 1]]
            return found.freeze()

        mirror = ra.array(self.mirror)

        def backward(_: object, b: Array) -> Array:
            return self.eliminated(ra.build(self.blocks, lambda q: blocks[mirror[q]].T), b)

        return ra.custom_linear_solve(
            product, right, lambda _, b: self.eliminated(blocks, b), backward
        )

    def _eliminated(self, blocks: Array, right: Array) -> Array:
        """The solution, by elimination."""
        pivots, onward = ra.array(self.pivots), ra.array(self.onward)
        updates, targets = ra.array(self.updates), ra.array(self.targets)

        def forward(now: tuple[Array, Array], bounds: Array) -> tuple[tuple[Array, Array], None]:
            blocks, right = now
            change, drop = ra.accum(blocks.shape), ra.accum(right.shape)
            for u in ra.range(bounds[2], bounds[3]):
                i, k = updates[u, 0], updates[u, 2]
                share = blocks[updates[u, 1]] @ inverse(blocks[k])
                drop[i] += -(share @ right[k])
                for t in ra.range(updates[u, 3], updates[u, 4]):
                    change[targets[t, 0]] += -(share @ blocks[targets[t, 1]])
            return (blocks + change.freeze(), right + drop.freeze()), None

        def backward(x: Array, bounds: Array) -> tuple[Array, None]:
            found = ra.accum(right.shape)
            for p in ra.range(bounds[0], bounds[1]):
                k, known = pivots[p, 0], ra.accum(right.shape[1:])
                for t in ra.range(pivots[p, 1], pivots[p, 2]):
                    known += blocks[onward[t, 0]] @ x[onward[t, 1]]
                found[k] += inverse(blocks[k]) @ (right[k] - known.freeze())
            return x + found.freeze(), None

        blocks, right = ra.scan(forward, (blocks, right), self.bounds[: self.working])[0]
        return ra.scan(backward, ra.zeros(right.shape), self.bounds, reverse=True)[0]


def _table(rows: Sequence[tuple[int, ...]], width: int) -> NumpyArray:
    """Rows of whole numbers; one that is never read where there are none."""
    return np.array(rows or [(0,) * width], int)


def inverse(m: Matrix) -> Matrix:
    """Of a matrix (3, 3), by L and U. Cofactors would lose a small pivot beside a large one, which is what a
    joint that repeats another leaves."""
    p = 1 / m[0, 0]
    l1, l2 = m[1, 0] * p, m[2, 0] * p
    q, u12 = 1 / (m[1, 1] - l1 * m[0, 1]), m[1, 2] - l1 * m[0, 2]
    l3 = (m[2, 1] - l2 * m[0, 1]) * q
    r = 1 / (m[2, 2] - l2 * m[0, 2] - l3 * u12)
    last = r * (l1 * l3 - l2), -r * l3, r
    middle = tuple(q * (y - u12 * z) for y, z in zip((-l1, 1.0, 0.0), last, strict=True))
    first = tuple(
        p * (x - m[0, 1] * y - m[0, 2] * z)
        for x, y, z in zip((1.0, 0.0, 0.0), middle, last, strict=True)
    )
    return ra.array([ra.array(v) for v in (first, middle, last)])
