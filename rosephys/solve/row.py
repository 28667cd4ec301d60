"""States of a scene as rows of their floats, for who needs numbers and not a structure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import rose_ad as ra


class Row:
    """The structure of a state: its n floats are a row, and what else it has, as Ints, is beside them."""

    def __init__(self, first: Any) -> None:
        leaves, self._structure = ra.flatten(first)
        arrays = [np.asarray(leaf) for leaf in leaves]
        self._shapes = [a.shape if a.dtype.kind == "f" else None for a in arrays]
        self.n = sum(a.size for a in arrays if a.dtype.kind == "f")

    def split(self, state: Any) -> tuple[Any, list[Any]]:
        """The floats (n,) of a state, traced or not, and its other leaves."""
        floats, others = self._sorted(ra.flatten(state)[0])
        return ra.concat([ra.ravel(1.0 * ra.array(leaf)) for leaf in floats]), others

    def split_all(self, states: Any) -> tuple[Any, list[Any]]:
        """The floats (steps, n) of all states of a motion, and the other leaves."""
        leaves = [np.asarray(leaf) for leaf in ra.flatten(states)[0]]
        floats, others = self._sorted(leaves)
        return np.concatenate([a.reshape(len(a), -1) for a in floats], axis=1), others

    def state(self, x: Any, others: Sequence[Any]) -> Any:
        """The state of these floats, traced or not, and other leaves."""
        leaves, at, rest = [], 0, iter(others)
        for shape in self._shapes:
            if shape is None:
                leaves.append(next(rest))
                continue
            size = math.prod(shape)
            leaves.append(ra.reshape(x[at : at + size], shape) if shape else x[at])
            at += size
        return ra.unflatten(self._structure, leaves)

    def fits(self, state: Any) -> bool:
        """Whether a state has this structure, and floats of these shapes."""
        leaves, structure = ra.flatten(state)
        if structure != self._structure or len(leaves) != len(self._shapes):
            return False
        pairs = zip(self._shapes, leaves, strict=True)
        return all(shape is None or shape == np.shape(leaf) for shape, leaf in pairs)

    def _sorted(self, leaves: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The leaves of floats, and the others."""
        pairs = list(zip(leaves, self._shapes, strict=True))
        return [a for a, s in pairs if s is not None], [a for a, s in pairs if s is None]
