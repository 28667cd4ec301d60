"""Systems with a triangular matrix, by substitution."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api.implicit import custom_linear_solve
from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.arrays import expand_dims, flip, stack
from ..tracing.control import build, scan, where
from ..tracing.linalg import matmul, over_stacks
from ..tracing.values import promote
from .matrices import SMALL, floating, matrices


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
    """Unknown after unknown, each from the equations before."""
    n = b.shape[0]
    order = range(n) if lower else range(n - 1, -1, -1)
    if n > SMALL:
        return _in_loops(a, b, order, unit)
    found: dict[int, Any] = {}
    for k in order:
        left = b[k]
        for i in found:
            left = left - a[k, i] * found[i]
        found[k] = left if unit else left * (1.0 / a[k, k])
    return stack([found[k] for k in range(n)])


def _in_loops(a: Any, b: Any, order: range, unit: bool) -> Any:
    """The same, what is found taken from all that is left."""
    n, m = b.shape

    def step(left: Any, k: Any) -> Any:
        row = left[k] if unit else left[k] * (1.0 / a[k, k])
        return build(n, lambda i: build(m, lambda j: left[i, j] - a[i, k] * row[j])), row

    found = scan(step, b, np.array(order))[1]
    return found if order.step > 0 else flip(found, 0)
