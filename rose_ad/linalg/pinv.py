"""The pseudoinverse, and least squares with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api.custom import custom_jvp
from ..base.tree import is_traced
from ..tracing.control import where
from ..tracing.linalg import matmul
from ..tracing.reduce import sum as total
from ..tracing.values import lift, promote
from .matrices import each, floating, matrices, precision
from .svd import matrix_rank, svd, svdvals


def pinv(x: Any, *, rtol: float | None = None) -> Any:
    """The pseudoinverse (..., n, m) of matrices (..., m, n).

    Singular values up to `rtol` times the largest count as zero; max(m, n) units of rounding by default. The
    derivative is that at constant rank (Golub and Pereyra 1973).
    """
    shape = lift(x).shape if is_traced(x) else np.shape(x)
    relative = max(shape[-2:]) * precision(x) if rtol is None else rtol
    if not is_traced(x):
        return np.linalg.pinv(x, relative)
    v = matrices(x, "pinv")
    return each(_pseudoinverse(relative), v)


def _pseudoinverse(rtol: float) -> Any:
    @custom_jvp
    def inverse(a: Any) -> Any:
        if 0 in a.shape:
            return a.T
        u, s, vh = svd(a, full_matrices=False)
        kept = s > rtol * s[:1]
        by = where(kept, 1.0 / where(kept, s, 1.0), 0.0)
        return matmul(vh.T * by, u.T)

    @inverse.defjvp
    def derivative(primals: Any, tangents: Any) -> Any:
        """dP = -P dA P + P P^T dA^T (1 - A P) + (1 - P A) dA^T P^T P."""
        (a,), (da,) = primals, tangents
        p = inverse(a)
        pt, dat = p.T, da.T
        left, right = matmul(p, pt), matmul(pt, p)
        change = matmul(left, dat) - matmul(matmul(matmul(left, dat), a), p)
        change = change + matmul(dat, right) - matmul(p, matmul(a, matmul(dat, right)))
        return p, change - matmul(p, matmul(da, p))

    return inverse


def lstsq(a: Any, b: Any, *, rtol: float | None = None) -> tuple[Any, Any, Any, Any]:
    """The x of least |a x - b|, and of these the shortest: (x, residuals, rank, singular values), as numpy's.

    For a of shape (m, n) and b (m,) or (m, k). The residuals are sums of squares, (1,) or (k,), also where
    the rank is below n, for which numpy gives none. `rtol` is that of `pinv`, which is x's derivative.
    """
    if not is_traced((a, b)):
        relative = max(np.shape(a)) * precision(a) if rtol is None else rtol
        x, _, rank, s = np.linalg.lstsq(a, b, rcond=relative)
        off = np.asarray(a) @ x - b
        return x, np.atleast_1d(np.sum(off * off, axis=0)), rank, s
    left, right = promote(matrices(a, "lstsq"), floating(b))
    x = matmul(pinv(left, rtol=rtol), right)
    off = matmul(left, x) - right
    squares = total(off * off, axis=0, keepdims=right.ndim == 1)
    return x, squares, matrix_rank(left, rtol=rtol), svdvals(left)
