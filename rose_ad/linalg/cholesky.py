"""The Cholesky factor of a symmetric positive definite matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api.custom import custom_jvp
from ..tracing.arrays import matrix_transpose, stack
from ..tracing.control import build, scan, where
from ..tracing.linalg import matmul
from ..tracing.numeric import sqrt
from .matrices import SMALL, each, eager, matrices, symmetric
from .triangular import lower_solve


def _plain(x: Any, *, upper: bool = False) -> Any:
    factor = np.linalg.cholesky(symmetric(np.asarray(x)))
    return np.swapaxes(factor, -1, -2) if upper else factor


@eager(_plain)
def cholesky(x: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with L L^T = x, or U = L^T with `upper`, of shape (..., n, n).

    Of x the symmetric part is taken, (x + x^T) / 2. Where that is not positive definite, the factor holds
    NaN, and numpy raises where nothing is traced. Murray 2016, Differentiation of the Cholesky decomposition.
    """
    factor = each(_factor, symmetric(matrices(x, "cholesky", square=True)))
    return matrix_transpose(factor) if upper else factor


@custom_jvp
def _factor(a: Any) -> Any:
    """Row after row of L^T, each taken from those below it."""
    n = a.shape[0]
    rows = _written_out(a) if n <= SMALL else _in_loops(a)
    return build(n, lambda i: build(n, lambda j: where(j <= i, rows[j, i], 0.0)))


def _written_out(a: Any) -> Any:
    n = a.shape[0]
    rows = [a[i] for i in range(n)]
    for k in range(n):
        rows[k] = rows[k] * (1.0 / sqrt(rows[k][k]))
        for i in range(k + 1, n):
            rows[i] = rows[i] - rows[k][i] * rows[k]
    return stack(rows) if rows else a


def _in_loops(a: Any) -> Any:
    n = a.shape[0]

    def step(a: Any, k: Any) -> Any:
        scale = 1.0 / sqrt(a[k, k])
        row = build(n, lambda j: a[k, j] * scale)
        return build(n, lambda i: build(n, lambda j: a[i, j] - row[i] * row[j])), row

    return scan(step, a, np.arange(n))[1]


@_factor.defjvp
def _factor_jvp(primals: Any, tangents: Any) -> Any:
    """dL = L Φ(L^-1 dA L^-T), Φ the lower triangle with half the diagonal."""
    (a,), (da,) = primals, tangents
    factor = _factor(a)
    n = a.shape[0]
    left = lower_solve(factor, da)
    both = lower_solve(factor, left.T)

    def half(i: Any, j: Any) -> Any:
        return where(j < i, both[i, j], where(i == j, 0.5 * both[i, j], 0.0))

    return factor, matmul(factor, build(n, lambda i: build(n, lambda j: half(i, j))))
