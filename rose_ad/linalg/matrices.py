"""Functions of one matrix as functions of stacks of them: the leading axes of an array are a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..ir.types import F32, F64, is_float
from ..tracing.arrays import matrix_transpose
from ..tracing.control import build, where
from ..tracing.indexing import at
from ..tracing.linalg import stacked
from ..tracing.reduce import max as largest
from ..tracing.values import convert, lift

SMALL = 16  # matrices of up to so many rows are written out: their rows stay in registers


def floating(x: Any) -> Any:
    """A traced array of Reals; Ints become Reals."""
    v = lift(x)
    return v if is_float(v.scalar) else convert(v, F64)


def matrices(x: Any, what: str, square: bool = False) -> Any:
    """A traced stack of matrices; TypeMismatch where it is none, or where they are not square and are to be."""
    v = floating(x)
    if v.ndim < 2 or (square and v.shape[-1] != v.shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise TypeMismatch(f"{what} of an array of shape {v.shape}: it takes {kind}", here())
    return v


def each(f: Callable[[Any], Any], x: Any) -> Any:
    """`f` of each matrix of a stack; f may give a tuple."""
    v: Any = lift(x)
    return stacked(v.shape[:-2], lambda *i: f(at(v, *i)))


def eager(plain: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: outside a traced function, of plain arrays, it is `plain`, numpy's."""

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(f)
        def g(x: Any, *args: Any, **options: Any) -> Any:
            return (f if is_traced((x, *args)) else plain)(x, *args, **options)

        return g

    return decorate


def symmetric(x: Any) -> Any:
    """The symmetric part of matrices, (x + x^T) / 2."""
    return (x + matrix_transpose(x)) * 0.5


def precision(x: Any) -> float:
    """The distance from 1 to the next number of the width of an array's entries."""
    single = lift(x).scalar is F32 if is_traced(x) else np.asarray(x).dtype == np.float32
    return float(np.finfo(np.float32 if single else np.float64).eps)


def over_gaps(change: Any, x: Any, gap: Callable[[Any, Any], Any]) -> Any:
    """change_ij / gap(x_i, x_j), infinite where two of x are equal but for rounding; 0 on the diagonal."""
    n = x.shape[0]
    least = largest(abs(x)) * (n * precision(x)) if n else 0.0

    def entry(i: Any, j: Any) -> Any:
        same = abs(x[j] - x[i]) <= least
        size = where(i == j, 1.0, where(same, 0.0, gap(x[i], x[j])))
        return where(i == j, 0.0, change[i, j] / size)

    return build(n, lambda i: build(n, lambda j: entry(i, j)))
