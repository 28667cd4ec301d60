"""Determinants, by Gaussian elimination with row pivoting."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..api.custom import custom_jvp, stop_gradient
from ..api.implicit import solve
from ..tracing.arrays import full_like
from ..tracing.control import build, cond, fori_loop, where
from ..tracing.linalg import cross, dot, matmul
from ..tracing.numeric import log, sign
from ..tracing.reduce import argmax, trace
from ..tracing.reduce import sum as total
from ..tracing.values import convert
from .matrices import each, eager, matrices


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its size."""

    sign: Any
    logabsdet: Any


@eager(np.linalg.det)
def det(x: Any) -> Any:
    """The determinants of matrices (..., n, n), of shape (...).

    Derivatives of every order are those of the polynomial that it is, of singular matrices too.
    """
    return each(_det, matrices(x, "det", square=True))


def _det(a: Any) -> Any:
    n = a.shape[0]
    if n == 0:
        return convert(1, a.scalar)
    if n == 1:
        return a[0, 0]
    if n == 2:
        return a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
    if n == 3:
        return dot(a[0], cross(a[1], a[2]))
    product, singular = _eliminated(
        a, lambda s, p: (s[0] * p, s[1] | (p == 0)), (convert(1, a.scalar), False)
    )
    return cond(singular, lambda: _zero_like_a_determinant(a), lambda: product)


def _zero_like_a_determinant(a: Any) -> Any:
    """0, with the derivatives of the determinant, in n^4 operations (Bird: A simple division-free algorithm for
    computing determinants, 2011). Elimination, which cannot divide by a pivot of 0, has not seen the columns
    behind it."""
    n = a.shape[0]

    def entry(f: Any, i: Any, j: Any) -> Any:
        later = total(build(n, lambda k: where(k > i, f[k, k], 0.0)))
        return where(j > i, f[i, j], where(j == i, -later, 0.0))

    def step(_: Any, f: Any) -> Any:
        return matmul(build(n, lambda i: build(n, lambda j: entry(f, i, j))), a)

    d = fori_loop(0, n - 1, step, a)[0, 0]
    return (d - stop_gradient(d)) * (-1) ** (n - 1)


def _eliminated(a: Any, fold: Any, start: Any) -> Any:
    """`fold(folded, p)` over the pivots p, negative where rows changed places, from `start`."""
    n = a.shape[0]

    def step(k: Any, state: Any) -> Any:
        a, folded = state
        row = argmax(build(n, lambda i: where(i < k, -1.0, abs(a[i, k]))))
        head = a[row]
        pivot = head[k]
        safe = where(pivot == 0, 1.0, pivot)  # all below are 0 then too

        def entry(i: Any, j: Any) -> Any:
            source = where(i == row, k, i)
            reduced = a[source, j] - where(i > k, a[source, k] / safe, 0.0) * head[j]
            return where(i == k, head[j], reduced)

        rest = build(n, lambda i: build(n, lambda j: entry(i, j)))
        return rest, fold(folded, where(row == k, pivot, -pivot))

    return fori_loop(0, n, step, (a, start))[1]


@eager(np.linalg.slogdet)
def slogdet(x: Any) -> SlogdetResult:
    """The sign and the logarithm of the size of the determinants of matrices (..., n, n).

    0 and -inf for a singular matrix, where the derivative is infinite or NaN.
    """
    return SlogdetResult(*each(_slogdet, matrices(x, "slogdet", square=True)))


@custom_jvp
def _slogdet(a: Any) -> Any:
    one, none = (convert(v, a.scalar) for v in (1, 0))
    return _eliminated(a, lambda s, p: (s[0] * sign(p), s[1] + log(abs(p))), (one, none))


@_slogdet.defjvp
def _slogdet_jvp(primals: Any, tangents: Any) -> Any:
    """d log |det a| = tr(a^-1 da)."""
    (a,), (da,) = primals, tangents
    s, size = _slogdet(a)
    change = trace(solve(a, da)) if a.shape[0] else full_like(size, 0)
    return (s, size), (full_like(s, 0), change)
