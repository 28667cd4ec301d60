r"""What hangs on what: the structure of an articulated model, which is known before anything is traced.

A link hangs on its parent by one joint. The kinds of joints, with the numbers in q and in v that each has:

    fixed       0  0
    revolute    1  1    turns about its axis, by an angle in radians
    prismatic   1  1    slides along its axis, by metres
    ball        4  3    a unit quaternion (w, x, y, z); v is ω in the link's axes
    planar      3  3    x, y and the angle about z, in the frame where the joint is
    free        7  6    position and quaternion; v is the velocity of the link's origin in the axes of the
                        frame where the joint is, then ω in the link's axes

So are those of MuJoCo. Planar and free joints are two each, of which the first carries nothing: a shift, then a
turn. So a model is a list of `Node`s, each of one kind of motion whose axes stand still in its parent or in
itself, and Featherstone's algorithms need no case of their own for any.

Source: Featherstone, *Rigid body dynamics algorithms*, 2008, §4.1 to 4.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from ..quantities import NumpyArray

Kind: TypeAlias = Literal["fixed", "revolute", "prismatic", "ball", "planar", "free"]
SIZES: dict[Kind, tuple[int, int]] = {
    "fixed": (0, 0),
    "revolute": (1, 1),
    "prismatic": (1, 1),
    "ball": (4, 3),
    "planar": (3, 3),
    "free": (7, 6),
}
"""How many numbers each kind of joint has in q and in v."""
PARTS: dict[Kind, tuple[tuple[str, int, int], ...]] = {
    "fixed": (("still", 0, 0),),
    "revolute": (("turn", 1, 1),),
    "prismatic": (("shift", 1, 1),),
    "ball": (("ball", 4, 3),),
    "planar": (("shift", 2, 2), ("turn", 1, 1)),
    "free": (("shift", 3, 3), ("ball", 4, 3)),
}
"""The motions that a joint is made of, each with its numbers in q and in v."""


class Node(NamedTuple):
    """One motion: of which node, from the frame of which link's joint, and which link moves with it."""

    motion: str  # "still", "turn", "shift" or "ball"
    parent: int  # the number of another node; -1 for the world
    frame: int  # the link in whose joint's frame it begins; -1 for where the parent is
    link: int  # the link that it carries; -1 for none
    axes: NumpyArray  # (k, 3), in the frame where it begins
    q: slice
    v: slice


class Tree:
    """The links of a model by name, and the nodes that they make.

    `names`, `parents` (-1 for the world) and `kinds` are of the links, `axes` (links, 3) of their joints.
    `q` and `v` are where each link's joint has its numbers, and `nq`, `nv` how many there are.
    """

    def __init__(
        self, names: Sequence[str], parents: Sequence[int], kinds: Sequence[Kind], axes: NumpyArray
    ) -> None:
        self.names, self.parents, self.kinds = tuple(names), tuple(parents), tuple(kinds)
        self.axes = axes
        self.q, self.v = (tuple(_slices([SIZES[k][s] for k in kinds])) for s in (0, 1))
        self.nq, self.nv = (sum(SIZES[k][s] for k in kinds) for s in (0, 1))
        self.nodes: list[Node] = []
        self.carried: list[int] = []  # the node that moves each link
        for link, parent in enumerate(self.parents):
            self.nodes += self._nodes(link, self.carried[parent] if parent >= 0 else -1)
            self.carried.append(len(self.nodes) - 1)
        self._key = repr((self.names, self.parents, self.kinds, axes.tolist()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def _nodes(self, link: int, parent: int) -> list[Node]:
        kind, before, made = self.kinds[link], len(self.nodes), []
        q, v = self.q[link].start, self.v[link].start
        parts = PARTS[kind]
        for k, (motion, nq, nv) in enumerate(parts):
            axes = np.eye(3)[:nv] if motion in ("ball", "shift") else np.eye(3)[2:]
            if kind in ("revolute", "prismatic"):
                axes = self.axes[link : link + 1]
            last = k == len(parts) - 1
            of, frame = (parent, link) if k == 0 else (before + k - 1, -1)
            carries = link if last else -1
            made.append(Node(motion, of, frame, carries, axes, slice(q, q + nq), slice(v, v + nv)))
            q, v = q + nq, v + nv
        return made

    def above(self) -> tuple[NumpyArray, NumpyArray]:
        """Which degree of freedom j (columns) moves what i (rows) moves: (nv, nv) of 0 and 1, with those of i's
        own node, and without."""
        own, strict = np.zeros((2, self.nv, self.nv))
        for node in self.nodes:
            own[node.v, node.v] = 1.0
            if node.parent >= 0:
                for k in self.chain(node.parent):
                    strict[node.v, self.nodes[k].v] = 1.0
        return own + strict, strict

    def chain(self, node: int) -> Iterator[int]:
        """That node, and those above it."""
        while node >= 0:
            yield node
            node = self.nodes[node].parent


def _slices(sizes: Sequence[int]) -> Iterator[slice]:
    ends = np.cumsum([0, *sizes]).tolist()
    for a, b in pairwise(ends):
        yield slice(a, b)
