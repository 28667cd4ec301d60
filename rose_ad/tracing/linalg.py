"""Small linear algebra: products and norms."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from .accumulator import total
from .arrays import array, ravel
from .control import build
from .indexing import at, generate
from .numeric import root_of_square
from .reduce import sum
from .values import SHORT, broadcast_shape, lift, promote


def dot(x: Any, y: Any) -> Any:
    """The inner product of two vectors of one length."""
    if not is_traced((x, y)):
        return np.dot(x, y)
    a, b = lift(x), lift(y)
    if a.ndim != 1 or a.shape != b.shape:
        raise TypeMismatch(
            f"dot takes two vectors of one length, not {a.shape} and {b.shape}",
            here(),
            "ra.matmul for matrices",
        )
    return sum(a * b)


def matmul(x: Any, y: Any) -> Any:
    """The product of matrices (n, k) and (k, m), of a matrix and a vector, or of a vector and a matrix.

    Leading axes, (..., n, k) and (..., k, m), are stacks of matrices and broadcast.
    """
    if not is_traced((x, y)):
        return np.matmul(x, y)
    a: Any
    b: Any
    a, b = promote(x, y)
    if a.ndim == 1 and b.ndim == 1:
        return dot(a, b)
    if a.ndim < 1 or b.ndim < 1 or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        raise TypeMismatch(f"shapes {a.shape} and {b.shape} cannot be multiplied", here())
    if b.ndim > 2:
        if a.ndim > 1:
            return over_stacks(matmul, a, b)
        return stacked(b.shape[:-2], lambda *i: matmul(a, at(b, *i)))
    k = a.shape[-1]
    # of a matrix b rows are added up, so that the innermost loop runs along memory
    return generate(a.shape[:-1], lambda *i: _total(k, lambda j: at(a, *i, j) * b[j]))


def over_stacks(f: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """`f` of the matrices of two stacks, (..., n, m), whose leading axes broadcast."""

    def member(x: Any, i: Sequence[Any]) -> Any:
        own = i[len(i) - (x.ndim - 2) :]
        return at(x, *(0 if n == 1 else k for n, k in zip(x.shape, own, strict=False)))

    batch = broadcast_shape(a.shape[:-2], b.shape[:-2])
    return stacked(batch, lambda *i: f(member(a, i), member(b, i)))


def stacked(batch: Sequence[int], f: Callable[..., Any]) -> Any:
    """The arrays `f(i, j, ...)` stacked over the indices of a shape, by loops; of a structure, a structure."""
    if not batch:
        return f()
    return build(batch[0], lambda i: stacked(batch[1:], lambda *j: f(i, *j)))


def _total(n: int, f: Callable[[Any], Any]) -> Any:
    """The sum of f(0) to f(n - 1), written out where it is SHORT."""
    if not 0 < n <= SHORT:
        return total(n, f)
    return reduce(operator.add, [f(k) for k in range(n)])


def outer(x: Any, y: Any) -> Any:
    """The matrix of products of the entries of two vectors; other arrays are taken as the vectors of all their
    entries."""
    if not is_traced((x, y)):
        return np.outer(x, y)
    a, b = (v if v.ndim == 1 else ravel(v) for v in map(_lifted, (x, y)))
    return generate((a.shape[0], b.shape[0]), lambda i, j: a[i] * b[j])


def norm(x: Any) -> Any:
    """The Euclidean length of a vector (of all entries of an array), with gradient 0 at the zero vector."""
    if not is_traced(x):
        return np.linalg.norm(np.ravel(x))
    v: Any = lift(x)
    return root_of_square(sum(v * v))


def _lifted(x: Any) -> Any:
    return lift(x)


def cross(x: Any, y: Any) -> Any:
    """The cross product: a number for vectors of 2, a vector for vectors of 3."""
    shapes = [_lifted(v).shape if is_traced(v) else np.shape(v) for v in (x, y)]
    if shapes[0] != shapes[1] or shapes[0] not in ((2,), (3,)):
        raise TypeMismatch(
            f"cross takes two vectors of 2 or of 3, not arrays of shapes {shapes[0]} and {shapes[1]}",
            here(),
            "ra.build(n, lambda i: ra.cross(x[i], y[i])) for rows",
        )
    if shapes[0] == (2,):
        return x[0] * y[1] - x[1] * y[0]
    return array([
        x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0],
    ])  # fmt: skip
