"""Structures of arrays: functions over their leaves, all entries as one vector, and scans by pairs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import flatten, is_traced, map_leaves, unflatten
from ..tracing.arrays import concat, flip, moveaxis, reshape
from ..tracing.indexing import generate
from ..tracing.trace import required
from ..tracing.values import lift

tree_map = map_leaves


def ravel_tree(x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All entries of a structure as one vector (n,), and the function from such a vector to the structure."""
    leaves, structure = flatten(x)
    traced = is_traced(x)
    shapes = [lift(v).shape if traced else np.shape(v) for v in leaves]
    flat = [
        reshape(v, (-1,) if math.prod(s) else (0,)) for v, s in zip(leaves, shapes, strict=True)
    ]

    def unravel(vector: Any) -> Any:
        parts, start = [], 0
        for shape in shapes:
            end = start + math.prod(shape)
            parts.append(reshape(vector[start:end], shape))
            start = end
        return unflatten(structure, parts)

    return (concat(flat) if flat else np.zeros(0)), unravel


def associative_scan(
    f: Callable[[Any, Any], Any], x: Any, *, axis: int = 0, reverse: bool = False
) -> Any:
    """x[0], f(x[0], x[1]), f(f(x[0], x[1]), x[2]), … along an axis, for an associative f of whole arrays. As
    in JAX.

    In 2 log n applications to arrays of half the length, a quarter and so on (Blelloch 1990).
    """
    required("ra.associative_scan")
    leaves, structure = flatten(x)
    rows = [moveaxis(lift(v), axis, 0) for v in leaves]
    lengths = {v.shape[0] for v in rows}
    if len(lengths) != 1:
        raise TypeMismatch(f"a scan over axes of lengths {sorted(lengths)}", here())

    def joined(a: list[Any], b: list[Any]) -> list[Any]:
        one, other = (unflatten(structure, v) for v in ((b, a) if reverse else (a, b)))
        return flatten(f(one, other))[0]

    if reverse:
        rows = [flip(v, 0) for v in rows]
    out = _scanned(joined, rows)
    if reverse:
        out = [flip(v, 0) for v in out]
    return unflatten(structure, [moveaxis(v, 0, axis) for v in out])


def _scanned(f: Callable[[list[Any], list[Any]], list[Any]], x: list[Any]) -> list[Any]:
    """The results at odd places are those of a scan over pairs; those at even places are one step on."""
    n = x[0].shape[0]
    if n < 2:
        return x
    odd = _scanned(f, f([v[: n - 1 : 2] for v in x], [v[1::2] for v in x]))
    before = [v[: (n - 1) // 2] for v in odd]
    even = f(before, [v[2::2] for v in x]) if n > 2 else [v[2::2] for v in x]
    even = [concat([v[:1], w]) for v, w in zip(x, even, strict=True)]
    return [_interleaved(a, b, n) for a, b in zip(even, odd, strict=True)]


def _interleaved(even: Any, odd: Any, n: int) -> Any:
    if n % 2 == 0:
        both = generate((n // 2,), lambda i: lift([even[i], odd[i]]))
        return reshape(both, (n, *even.shape[1:]))
    whole = _interleaved(even[:-1], odd, n - 1)
    return concat([whole, even[-1:]])
