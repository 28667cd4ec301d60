"""Systems with a triangular matrix, by substitution."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api.implicit import custom_linear_solve
from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.arrays import expand_dims
from ..tracing.control import build, fori_loop, where
from ..tracing.linalg import matmul, over_stacks
from ..tracing.values import promote
from .matrices import floating, matrices


def solve_triangular(
    a: Any, b: Any, *, lower: bool = False, trans: int = 0, unit_diagonal: bool = False
) -> Any:
    """x with a x = b, or a^T x = b with `trans`=1, for triangular matrices a of shape (..., n, n).

    b is a vector (n,) or a stack of matrices (..., n, m). The other triangle of `a` is not read, nor its
    diagonal where it is a `unit_diagonal`; their derivatives are zero. A zero on the diagonal gives
    infinities or NaN.
    """
    if not is_traced((a, b)):
        return _plain(np.asarray(a), np.asarray(b), lower, trans, unit_diagonal)
    left: Any
    right: Any
    left, right = promote(matrices(a, "solve_triangular", square=True), floating(b))
    n = left.shape[-1]
    vector = right.ndim == 1
    columns = expand_dims(right, 1) if vector else right
    if columns.shape[-2] != n:
        raise TypeMismatch(f"shapes {left.shape} and {right.shape} are no linear system", here())

    def one(m: Any, c: Any) -> Any:
        m, low = (m.T, not lower) if trans else (m, lower)
        return _solve(m, c, low, unit_diagonal)

    out = over_stacks(one, left, columns)
    return out[..., 0] if vector else out


def _plain(a: Any, b: Any, lower: bool, trans: int, unit: bool) -> Any:
    kept = np.tril(a) if lower else np.triu(a)
    if unit:
        n = a.shape[-1]
        kept = np.where(np.eye(n, dtype=bool), np.ones((), a.dtype), kept)
    return np.linalg.solve(np.swapaxes(kept, -1, -2) if trans else kept, b)


def lower_solve(a: Any, b: Any) -> Any:
    """a^-1 b for a lower triangular matrix (n, n), and b of shape (n, m)."""
    return _solve(a, b, True, False)


def upper_solve(a: Any, b: Any) -> Any:
    """a^-1 b for an upper triangular matrix (n, n), and b of shape (n, m)."""
    return _solve(a, b, False, False)


def _solve(a: Any, b: Any, lower: bool, unit: bool) -> Any:
    n = a.shape[0]
    if n == 0:
        return b

    def entry(i: Any, j: Any) -> Any:
        inside = where((j < i) if lower else (j > i), a[i, j], 0.0)
        return where(i == j, 1.0 if unit else a[i, j], inside)

    def product(x: Any) -> Any:
        return matmul(build(n, lambda i: build(n, lambda j: entry(i, j))), x)

    return custom_linear_solve(
        product,
        b,
        lambda _, v: _substitute(a, v, lower, unit),
        lambda _, v: _substitute(a.T, v, not lower, unit),
    )


def _substitute(a: Any, b: Any, lower: bool, unit: bool) -> Any:
    """Unknown after unknown, each taken from the equations that are left."""
    n, m = b.shape

    def step(s: Any, x: Any) -> Any:
        k = s if lower else n - 1 - s
        found = x[k] if unit else x[k] * (1.0 / a[k, k])

        def row(i: Any) -> Any:
            left = (i > k) if lower else (i < k)
            factor = where(left, a[i, k], 0.0)
            return build(m, lambda j: where(i == k, found[j], x[i, j] - factor * found[j]))

        return build(n, row)

    return fori_loop(0, n, step, b)
