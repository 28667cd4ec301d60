"""Picking, counting and running sums, with the names of the Array API standard."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.arrays import concat, full, moveaxis, ravel
from ..tracing.indexing import axis_of, broadcast_to, generate
from ..tracing.numeric import astype, to_int
from ..tracing.reduce import any as holds
from ..tracing.reduce import cumprod, cumsum
from ..tracing.reduce import sum as total
from ..tracing.values import broadcast_shape, lift, promote


def broadcast_arrays(*arrays: Any) -> list[Any]:
    """The arrays repeated to the shape that they broadcast to."""
    if not is_traced(arrays):
        return list(np.broadcast_arrays(*arrays))
    values = [lift(a) for a in arrays]
    shape = broadcast_shape(*(v.shape for v in values))
    return [broadcast_to(v, shape) for v in values]


def take_along_axis(x: Any, indices: Any, *, axis: int = -1) -> Any:
    """The entries of x at these places along an axis; other axes of the two broadcast."""
    if not is_traced((x, indices)):
        return np.take_along_axis(x, indices, axis)
    v: Any = lift(x)
    at: Any = lift(indices)
    if at.ndim != v.ndim:
        raise TypeMismatch(f"places of shape {at.shape} in an array of shape {v.shape}", here())
    along = axis_of(axis, v.ndim)
    n = v.shape[along]

    def joint(own: tuple[int, ...], length: int) -> tuple[int, ...]:
        return (*own[:along], length, *own[along + 1 :])

    shape = broadcast_shape(joint(v.shape, at.shape[along]), at.shape)
    at = broadcast_to(at, shape)
    v = broadcast_to(v, joint(shape, n))
    place = generate(shape, lambda *i: _counted(at[i], n))

    def entry(*i: Any) -> Any:
        source = list(i)
        source[along] = place[i]
        return v[tuple(source)]

    return generate(shape, entry)


def _counted(k: Any, n: int) -> Any:
    """A place counted from the end where it is negative."""
    return k + to_int(k < 0) * n


def cumulative_sum(
    x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Running sums along an axis, from 0 with `include_initial`; a vector needs no axis."""
    return _running(cumsum, 0, x if dtype is None else astype(x, dtype), axis, include_initial)


def cumulative_prod(
    x: Any, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """Running products along an axis, from 1 with `include_initial`; a vector needs no axis."""
    return _running(cumprod, 1, x if dtype is None else astype(x, dtype), axis, include_initial)


def _running(f: Any, start: int, x: Any, axis: int | None, include_initial: bool) -> Any:
    v: Any = lift(x) if is_traced(x) else np.asarray(x)
    if axis is None:
        if v.ndim != 1:
            raise TypeMismatch(f"running sums of an array of {v.ndim} axes", here(), "axis=")
        axis = 0
    out = f(v, axis=axis)
    if not include_initial:
        return out
    rows = moveaxis(out, axis, 0)
    first = full((1, *rows.shape[1:]), start * lift(1)) if is_traced(x) else np.full(
        (1, *rows.shape[1:]), start, out.dtype)  # fmt: skip
    return moveaxis(concat([first, rows]), 0, axis)


def count_nonzero(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """How many entries are not 0, over all axes or those given."""
    if not is_traced(x):
        return np.count_nonzero(x, axis=axis, keepdims=keepdims)
    return total(to_int(lift(x) != 0), axis=axis, keepdims=keepdims)


def isin(x1: Any, x2: Any, *, invert: bool = False) -> Any:
    """Whether each entry of x1 is among those of x2."""
    if not is_traced((x1, x2)):
        return np.isin(x1, x2, invert=invert)

    a: Any
    b: Any
    a, b = promote(x1, x2)
    among = ravel(b)
    found = generate(a.shape, lambda *i: holds(among == (a[i] if i else a)))
    return ~found if invert else found
