"""Reductions along axes, with the names and meanings of numpy and the Array API standard.

Sums run in an order that the machine chooses. Outside a traced function each is numpy's.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..ir.types import I64, Bool, array_type
from .accumulator import Accumulator, total
from .arrays import diagonal, full_like, moveaxis, reshape
from .control import fori_loop, scan, where
from .control import range as loop
from .indexing import axis_of
from .numeric import astype, exp, isfinite, log, maximum, minimum, root_of_square, to_real
from .values import SHORT, convert, lift, located

Axis: TypeAlias = "int | Sequence[int] | None"


def _front(x: Any, axis: Axis) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """The array with the reduced axes flattened into one at the front, which axes, and the shape left."""
    v: Any = lift(x)
    given = range(v.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = tuple(sorted(axis_of(a, v.ndim) for a in given))
    rest = tuple(n for k, n in enumerate(v.shape) if k not in axes)
    if not axes:
        return reshape(v, (1, *v.shape)), axes, rest
    count = math.prod(v.shape[a] for a in axes)
    return reshape(moveaxis(v, axes, tuple(range(len(axes)))), (count, *rest)), axes, rest


def _kept(out: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if not keepdims:
        return out
    return reshape(out, tuple(1 if k in axes else n for k, n in enumerate(lift(x).shape)))


def sum(
    x: Any,
    f: Callable[[Any], Any] | None = None,
    *,
    axis: Axis = None,
    dtype: Any = None,
    keepdims: bool = False,
) -> Any:
    """`sum(a)`: the sum of an array's entries, over all axes or those given.

    `sum(n, f)`: the sum of f(i) for i in 0 .. n - 1.
    """
    if f is not None:
        return total(x, f)
    if not is_traced(x):
        return np.sum(x, axis=_numpy_axis(axis), dtype=dtype, keepdims=keepdims)
    if dtype is not None:
        x = astype(x, dtype)
    if lift(x).scalar is Bool:
        x = convert(x, I64)
    rows, axes, _ = _front(x, axis)
    return _kept(_sum_rows(rows), x, axes, keepdims)


def _sum_rows(rows: Any) -> Any:
    n = rows.shape[0]
    if 0 < n <= SHORT:
        out = rows[0]
        for k in builtins.range(1, n):
            out = out + rows[k]
        return out
    if rows.ndim == 1:
        return total(n, lambda k: rows[k])
    # an accumulator of the result's shape, so that rows are read in order of memory
    b = located()
    acc = Accumulator(b.accum(array_type(rows.shape[1:], rows.scalar)))
    for k in loop(n):
        acc.add(acc.ref, rows[k])
    return acc.freeze()


def _numpy_axis(axis: Axis) -> Any:
    return tuple(axis) if isinstance(axis, Sequence) else axis


def mean(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean of an array's entries, over all axes or those given."""
    if not is_traced(x):
        return np.mean(x, axis=_numpy_axis(axis), keepdims=keepdims)
    rows, axes, _ = _front(to_real(x) if lift(x).scalar in (I64, Bool) else x, axis)
    return _kept(_sum_rows(rows) / float(rows.shape[0]), x, axes, keepdims)


def var(x: Any, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The variance of an array's entries: the mean square of their distances from their mean.

    The sum is divided by the number of entries less `correction`.
    """
    if not is_traced(x):
        return np.var(x, axis=_numpy_axis(axis), ddof=correction, keepdims=keepdims)
    off = lift(x) - mean(x, axis=axis, keepdims=True)
    squares = sum(off * off, axis=axis, keepdims=keepdims)
    count = math.prod(off.shape) / builtins.max(math.prod(lift(squares).shape), 1)
    return squares / (count - correction)


def std(x: Any, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Any:
    """The standard deviation: the root of the variance, with gradient 0 where that is 0."""
    if not is_traced(x):
        return np.std(x, axis=_numpy_axis(axis), ddof=correction, keepdims=keepdims)
    return root_of_square(var(x, axis=axis, correction=correction, keepdims=keepdims))


def logsumexp(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The logarithm of the sum of exponentials, without overflow."""
    if not is_traced(x):
        x = np.asarray(x)
    top = max(x, axis=axis, keepdims=True)
    top = where(isfinite(top), top, full_like(top, 0))  # -inf - -inf is NaN
    out = log(sum(exp(x - top), axis=axis, keepdims=True)) + top
    return out if keepdims else sum(out, axis=axis)


def trace(x: Any) -> Any:
    """The sum of the diagonal of a matrix; of more axes, of that of the first two."""
    return sum(diagonal(x), axis=-1) if is_traced(x) else np.trace(x)


def _folding(
    name: str, start: Callable[[Any], Any], step: Callable[[Any, Any], Any], plain: Any, doc: str
) -> Callable[..., Any]:
    def f(x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
        if not is_traced(x):
            return plain(x, axis=_numpy_axis(axis), keepdims=keepdims)
        if name in {"all", "any"}:
            x = lift(x) if lift(x).scalar is Bool else lift(x) != 0
        elif name == "prod" and lift(x).scalar is Bool:
            x = convert(x, I64)
        rows, axes, _ = _front(x, axis)
        if rows.shape[0] == 0 and name in {"min", "max"}:
            raise TypeMismatch(f"the {name} of no entries", here())
        first = start(rows)
        if rows.shape[0] == 0:
            return _kept(first, x, axes, keepdims)
        skip = int(name not in {"all", "any"})
        out = fori_loop(skip, rows.shape[0], lambda k, so_far: step(so_far, rows[k]), first)
        return _kept(out, x, axes, keepdims)

    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


_product = _folding(
    "prod", lambda rows: rows[0] if rows.shape[0] else np.ones(rows.shape[1:], rows.scalar.dtype)[()],
    lambda a, b: a * b, np.prod, "",
)  # fmt: skip


def prod(x: Any, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The product of an array's entries, over all axes or those given."""
    if dtype is not None:
        x = astype(x, dtype)
    return _product(x, axis=axis, keepdims=keepdims)


all = _folding(
    "all", lambda rows: np.ones(rows.shape[1:], bool)[()], lambda a, b: a & b, np.all,
    "Whether all entries hold, over all axes or those given.",
)  # fmt: skip
any = _folding(
    "any", lambda rows: np.zeros(rows.shape[1:], bool)[()], lambda a, b: a | b, np.any,
    "Whether any entry holds, over all axes or those given.",
)  # fmt: skip
_least = _folding("min", lambda rows: rows[0], minimum, np.min, "")
_greatest = _folding("max", lambda rows: rows[0], maximum, np.max, "")


def min(x: Any, *others: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The least entry of an array, over all axes or those given; or the least of several numbers."""
    return _pairwise(minimum, x, others) if others else _least(x, axis=axis, keepdims=keepdims)


def max(x: Any, *others: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The greatest entry of an array, over all axes or those given; or the greatest of several numbers."""
    return _pairwise(maximum, x, others) if others else _greatest(x, axis=axis, keepdims=keepdims)


def _pairwise(pick: Callable[[Any, Any], Any], x: Any, others: Sequence[Any]) -> Any:
    for y in others:
        if lift(x).ndim or lift(y).ndim:
            raise TypeMismatch(
                "of several values, these are to be numbers",
                here(),
                "ra.minimum or ra.maximum, elementwise; axis=, the extremes of one array",
            )
        x = pick(x, y)
    return x


def _first_where(better: Callable[[Any, Any], Any], plain: Any, name: str) -> Callable[..., Any]:
    def f(x: Any, *, axis: int | None = None, keepdims: bool = False) -> Any:
        if not is_traced(x):
            return plain(x, axis=axis, keepdims=keepdims)
        rows, axes, rest = _front(x, axis)
        if rows.shape[0] == 0:
            raise TypeMismatch(f"the {name} of no entries", here())

        def step(k: Any, so_far: Any) -> Any:
            best, where_best = so_far
            found = better(rows[k], best)
            return where(found, rows[k], best), where(found, k, where_best)

        start = (rows[0], np.zeros(rest, np.int64) if rest else 0)
        return _kept(fori_loop(1, rows.shape[0], step, start)[1], x, axes, keepdims)

    f.__name__ = f.__qualname__ = name
    f.__doc__ = f"The index of the first {name[3:]}imum, of all entries in order or along an axis."
    return f


def _beyond(less: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Whether a is better than b, where `less` says it is no better: a NaN is better than any number."""
    return lambda a, b: ~less(a, b) & (b == b)


argmin = _first_where(_beyond(lambda a, b: a >= b), np.argmin, "argmin")
argmax = _first_where(_beyond(lambda a, b: a <= b), np.argmax, "argmax")


def _running(
    step: Callable[[Any, Any], Any], plain: Any, name: str, doc: str
) -> Callable[..., Any]:
    def f(x: Any, *, axis: int | None = None) -> Any:
        if not is_traced(x):
            return plain(x, axis=axis)
        v: Any = lift(x)
        if v.scalar is Bool:
            v = convert(v, I64)
        if axis is None:
            v, axis = reshape(v, (math.prod(v.shape),)), 0
        along = axis_of(axis, v.ndim)
        rows: Any = moveaxis(v, along, 0)
        start = (
            np.zeros(rows.shape[1:], v.scalar.dtype)[()]
            if name == "cumsum"
            else (np.ones(rows.shape[1:], v.scalar.dtype)[()])
        )

        def one(so_far: Any, row: Any) -> Any:
            so_far = step(so_far, row)
            return so_far, so_far

        return moveaxis(scan(one, start, rows)[1], 0, along)

    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


cumsum = _running(lambda a, b: a + b, np.cumsum, "cumsum",
                  "Running sums along an axis; of all entries in order without one.")  # fmt: skip
cumprod = _running(lambda a, b: a * b, np.cumprod, "cumprod",
                   "Running products along an axis; of all entries in order without one.")  # fmt: skip
