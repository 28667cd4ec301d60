"""Orderings along an axis: `sort` and `argsort`, stable, NaNs last, with the meaning they have in numpy.

A long row is merged: runs of 1, of 2, of 4 … entries, in n log n steps. Of a short one each entry's place is
counted, which takes n² comparisons but no branch. The gradient of `sort` takes each entry back to its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..ir.types import I64, Bool, array_type, is_float
from .accumulator import Accumulator, total
from .arrays import moveaxis
from .control import fori_loop, scan, where
from .control import range as loop
from .indexing import axis_of, generate, index
from .numeric import minimum, to_int
from .values import Traced, convert, lift, located

COUNTED = 64  # rows up to this length are sorted by counting


def argsort(x: Any, *, axis: int = -1) -> Any:
    """The indices that sort along an axis, equal entries in order, NaNs last."""
    if not is_traced(x):
        return np.argsort(x, axis=axis, kind="stable")
    return _along_last(_order, lift(x), axis)


def sort(x: Any, *, axis: int = -1) -> Any:
    """The entries in ascending order along an axis, NaNs last."""
    if not is_traced(x):
        return np.sort(x, axis=axis)
    if lift(x).scalar is Bool:
        return sort(convert(x, I64), axis=axis) != 0

    def ordered(row: Any) -> Any:
        order = _order(row)
        return generate((len(row),), lambda k: row[order[k]])

    return _along_last(ordered, lift(x), axis)


def _along_last(f: Callable[[Any], Any], v: Any, axis: int) -> Any:
    if v.ndim == 0:
        raise TypeMismatch("a number cannot be sorted", here())
    along = axis_of(axis, v.ndim)
    rows = moveaxis(v, along, -1)
    out = generate(rows.shape[:-1], lambda *i: f(rows[i] if i else rows))
    return moveaxis(out, -1, along)


def _order(row: Any) -> Any:
    """The indices that sort a row."""
    if row.scalar is Bool:
        row = convert(row, I64)
    return _counted(row) if len(row) <= COUNTED else _merged(row)


def _less(a: Any, b: Any) -> Any:
    """Whether a comes before b, which a NaN does of nothing."""
    less = a < b
    return less | ((b != b) & (a == a)) if is_float(lift(a).type) else less


# ------------------------------------------------------------------------------------------ merging


def _merged(row: Any) -> Any:
    n = len(row)
    passes = (n - 1).bit_length()

    def one(_: Any, state: Any) -> Any:
        width, keys, order = state
        keys, order = _pass(keys, order, width, n)
        return 2 * width, keys, order

    start = (1, row, lift(np.arange(n)))
    return fori_loop(0, passes, one, start)[2]


def _pass(keys: Any, order: Any, width: Any, n: int) -> Any:
    """Each two runs of that width become one: the lesser of their first entries comes next, the left one of
    equal ones."""

    def step(state: Any, k: Any) -> Any:
        i, j, middle, end = state
        new = k == end  # of two runs
        i = where(new, end, i)
        middle = where(new, minimum(i + width, n), middle)
        j = where(new, middle, j)
        end = where(new, minimum(i + 2 * width, n), end)
        left, right = minimum(i, n - 1), minimum(j, n - 1)
        a, b = keys[left], keys[right]
        from_right = (i >= middle) | ((j < end) & _less(b, a))
        took = to_int(from_right)
        taken = where(from_right, b, a), where(from_right, order[right], order[left])
        return (i + 1 - took, j + took, middle, end), taken

    return scan(step, (0, 0, 0, 0), lift(np.arange(n)))[1]


# ----------------------------------------------------------------------------------------- counting


def _counted(row: Any) -> Any:
    n = len(row)

    def before(j: Any, i: Any) -> Any:
        a, b = row[j], row[i]
        return to_int(_less(a, b) | (~_less(b, a) & (j < i)))

    places = generate((n,), lambda i: total(n, lambda j: before(j, i)))
    if n == 0:
        return lift(np.zeros(0, np.int64))
    order = Accumulator(located().accum(array_type((n,), I64)))
    for i in loop(n):
        v: Traced = lift(i)
        order.add(index(order.ref, places[i]), v)
    return order.freeze()
