"""Quantiles and counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..ir.types import I64, array_type
from ..tracing.accumulator import Accumulator
from ..tracing.arrays import concat, linspace, moveaxis, ravel, reshape
from ..tracing.control import range as loop
from ..tracing.control import scan, when, where
from ..tracing.indexing import axis_of, index
from ..tracing.numeric import floor, to_int
from ..tracing.numeric import maximum as greater
from ..tracing.numeric import minimum as lesser
from ..tracing.reduce import any as holds
from ..tracing.reduce import max as largest
from ..tracing.reduce import min as least
from ..tracing.reduce import sum as total
from ..tracing.sorting import sort
from ..tracing.values import convert, lift, located
from .samples import searchsorted


def quantile(x: Any, q: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The number below which a share q, from 0 to 1, of the entries lies, by straight lines between them, as
    numpy's.

    For q of shape (m,) the result has m rows. NaN where an entry is. The derivative is that of the entries
    that are met.
    """
    if not is_traced((x, q)):
        return np.quantile(x, q, axis=axis, keepdims=keepdims)
    v: Any = lift(x) * 1.0
    rows = ravel(v) if axis is None else moveaxis(v, axis, -1)
    n = rows.shape[-1]
    if n == 0:
        raise TypeMismatch("a quantile of no entries", here())
    in_order = sort(rows, axis=-1)
    missing = holds(rows != rows, axis=-1)

    def one(share: Any) -> Any:
        place: Any = convert(share, v.scalar) * float(n - 1)
        low = floor(place)
        k = lesser(to_int(low), n - 1)
        a, b = in_order[..., k], in_order[..., lesser(k + 1, n - 1)]
        return where(missing, math.nan, a + (b - a) * (place - low))

    shares: Any = lift(q)
    if shares.ndim > 1:
        raise TypeMismatch(f"shares of shape {shares.shape}", here(), "a number or a vector")
    parts = [one(shares[k]) for k in range(shares.shape[0])] if shares.ndim else [one(shares)]
    if keepdims:
        shape = [1 if axis in (None, k, k - v.ndim) else m for k, m in enumerate(v.shape)]
        parts = [reshape(p, shape) for p in parts]
    return lift(parts) if shares.ndim else parts[0]


def percentile(x: Any, q: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """`quantile`, of shares in hundredths."""
    if not is_traced((x, q)):
        return np.percentile(x, q, axis=axis, keepdims=keepdims)
    return quantile(x, lift(q) / 100.0, axis=axis, keepdims=keepdims)


def median(x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
    """The middle entry in order, or the mean of the two in the middle."""
    if not is_traced(x):
        return np.median(x, axis=axis, keepdims=keepdims)
    return quantile(x, 0.5, axis=axis, keepdims=keepdims)


def bincount(x: Any, weights: Any = None, *, length: int | None = None) -> Any:
    """How often each of 0 to length - 1 is among Ints x (n,), or the sum of its weights (n,). Others are not
    counted.

    A traced x needs the length.
    """
    if not is_traced((x, weights)):
        found = np.bincount(x, weights, minlength=length or 0)
        return found if length is None else found[:length]
    if length is None:
        raise TypeMismatch("bincount needs the number of bins where x is traced", here(), "length=")
    places: Any = lift(x)
    given: Any = None if weights is None else lift(weights) * 1.0
    scalar = I64 if given is None else given.scalar
    counts = Accumulator(located().accum(array_type((length,), scalar)))
    for k in loop(places.shape[0]):
        at = places[k]
        with when((at >= 0) & (at < length)):
            counts.add(index(counts.ref, at), 1 if given is None else given[k])
    return counts.freeze()


def histogram(
    x: Any, bins: Any = 10, *, range: Any = None, weights: Any = None, density: bool = False
) -> Any:
    """(counts (n,), edges (n + 1,)): how many entries lie between edges, the last edge included.

    `bins` is their number n, between the least entry and the greatest or within `range`; or the edges,
    ascending.
    """
    if not is_traced((x, bins, range, weights)):
        return np.histogram(x, bins, range=range, weights=weights, density=density)
    v: Any = ravel(lift(x) * 1.0)
    edges: Any
    if isinstance(bins, int):
        low, high = (least(v), largest(v)) if range is None else range
        flat = lift(low) == high
        edges = linspace(where(flat, low - 0.5, low), where(flat, high + 0.5, high), bins + 1)
    else:
        edges = lift(bins)
    n = edges.shape[0] - 1
    place = searchsorted(edges, v, side="right") - 1
    place = where(v == edges[n], n - 1, place)
    place = where((v < edges[0]) | (v > edges[n]) | (v != v), n, place)
    counts = bincount(place, None if weights is None else ravel(weights), length=n)
    if density:
        counts = counts / total(counts) / (edges[1:] - edges[:-1])
    return counts, edges


def cummax(x: Any, *, axis: int = 0) -> Any:
    """The greatest entry so far along an axis."""
    return _running(np.maximum, greater, x, axis)


def cummin(x: Any, *, axis: int = 0) -> Any:
    """The least entry so far along an axis."""
    return _running(np.minimum, lesser, x, axis)


def _running(plain: Any, pick: Any, x: Any, axis: int) -> Any:
    if not is_traced(x):
        return plain.accumulate(x, axis=axis)
    v: Any = lift(x)
    rows = moveaxis(v, axis_of(axis, v.ndim), 0)
    if rows.shape[0] == 0:
        return v

    def step(best: Any, row: Any) -> Any:
        best = pick(row, best)  # on a tie the earlier one
        return best, best

    later = scan(step, rows[0], rows[1:])[1]
    return moveaxis(concat([rows[:1], later]), 0, axis)
