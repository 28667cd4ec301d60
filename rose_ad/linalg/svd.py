"""Singular values and vectors, by one-sided Jacobi rotations, and what is made of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..api.custom import custom_jvp
from ..base.tree import is_traced
from ..tracing.arrays import diagonal, matrix_transpose, reshape
from ..tracing.control import build, fori_loop, where, while_loop
from ..tracing.linalg import matmul
from ..tracing.numeric import maximum, sqrt, to_int
from ..tracing.reduce import max as largest
from ..tracing.reduce import sum as total
from ..tracing.sorting import argsort
from ..tracing.values import convert, lift
from .jacobi import SWEEPS, rotation, rounds
from .matrices import each, eager, matrices, over_gaps, precision
from .qr import reflected


class SVDResult(NamedTuple):
    """The factors U, S and Vh of U diag(S) Vh."""

    U: Any
    S: Any
    Vh: Any


@eager(lambda x, *, full_matrices=True: np.linalg.svd(x, full_matrices=full_matrices))
def svd(x: Any, *, full_matrices: bool = True) -> SVDResult:
    """U, S and Vh with U diag(S) Vh = x, for matrices (..., m, n), S descending.

    With k = min(m, n): U is (..., m, k), S (..., k), Vh (..., k, n); the square ones with `full_matrices`,
    whose further columns are those that reflections choose. The signs of vectors are not determined. Where
    singular values are equal (as in `eigh`), or 0, their vectors have no derivative: it is infinite or NaN,
    also in a function that does not depend on their choice. Townsend 2016.
    """
    v = matrices(x, "svd")
    if v.shape[-2] < v.shape[-1]:
        u, s, vh = svd(matrix_transpose(v), full_matrices=full_matrices)
        return SVDResult(matrix_transpose(vh), s, matrix_transpose(u))
    return SVDResult(*each(lambda a: _whole(a) if full_matrices else _tall(a), v))


@eager(lambda x: np.linalg.svd(x, compute_uv=False))
def svdvals(x: Any) -> Any:
    """The singular values of matrices (..., m, n), descending, (..., min(m, n))."""
    return svd(x, full_matrices=False).S


@eager(np.linalg.cond)
def cond(x: Any) -> Any:
    """The condition number of matrices (..., m, n): the largest singular value over the smallest."""
    s = svdvals(x)
    return s[..., 0] / s[..., -1]


def matrix_rank(x: Any, *, rtol: Any = None) -> Any:
    """How many singular values are above `rtol` times the largest; max(m, n) units of rounding by default."""
    s = svdvals(x)
    shape = lift(x).shape if is_traced(x) else np.shape(x)
    relative: Any = max(shape[-2:]) * precision(s) if rtol is None else rtol
    if (lift(relative) if is_traced(relative) else np.asarray(relative)).ndim:
        relative = relative[..., None]  # one for each matrix
    return total(to_int(s > s[..., :1] * relative), axis=-1)


def _whole(a: Any) -> Any:
    u, s, vh = _tall(a)
    m, n = a.shape
    if m == n:
        return u, s, vh
    more = reflected(u, m)[0]  # its first columns are those of u but for their signs
    return build(m, lambda i: build(m, lambda j: where(
        j < n, u[i, where(j < n, j, 0)], more[i, j]))), s, vh  # fmt: skip


@custom_jvp
def _tall(a: Any) -> Any:
    m, n = a.shape
    if n == 0:
        none = convert(np.zeros((0, 0)), a.scalar)
        return a, reshape(none, (0,)), none
    size = largest(abs(a))
    unit = where(size > 0, size, 1.0)
    one: Any = convert(1, a.scalar)
    start: Any = (a / unit, convert(np.eye(n), a.scalar), one)
    partners: Any = lift(rounds(n))
    enough = m * precision(a)

    def sweep(state: Any) -> Any:
        first = (*state[:2], one * 0.0)
        return fori_loop(0, len(partners), lambda r, s: _round(partners[r], *s), first)

    if n > 1:
        start = while_loop(lambda s: s[2] > enough, sweep, start, max_steps=SWEEPS)
    columns, v, _ = start
    sizes: Any = build(n, lambda j: sqrt(total(m, lambda i: columns[i, j] * columns[i, j])))
    order: Any = argsort(-sizes)
    s = sizes[order]
    in_order = build(m, lambda i: build(n, lambda j: columns[i, order[j]]))
    # orthonormal also where columns are zero
    q, r = reflected(in_order, n)
    u = build(m, lambda i: build(n, lambda j: where(r[j, j] < 0, -q[i, j], q[i, j])))
    return u, s * unit, build(n, lambda j: build(n, lambda i: v[i, order[j]]))


def _round(partner: Any, b: Any, v: Any, worst: Any) -> tuple[Any, Any, Any]:
    """All pairs of a round made orthogonal: b and v become b J and v J; and the largest cosine there was."""
    m, n = b.shape
    squares: Any = build(n, lambda j: total(m, lambda k: b[k, j] * b[k, j]))
    joint: Any = build(n, lambda j: where(
        partner[j] == j, 0.0, total(m, lambda k: b[k, j] * b[k, partner[j]])))  # fmt: skip

    def cosine(j: Any) -> Any:
        both = sqrt(squares[j]) * sqrt(squares[partner[j]])
        return where(both > 0, abs(joint[j]) / where(both > 0, both, 1.0), 0.0)

    c, s = build(n, lambda j: rotation(j, partner[j], squares[j], squares[partner[j]], joint[j]))

    def along(x: Any) -> Any:
        rows = x.shape[0]
        return build(rows, lambda i: build(n, lambda j: c[j] * x[i, j] + s[j] * x[i, partner[j]]))

    return along(b), along(v), maximum(worst, largest(build(n, cosine)))


@_tall.defjvp
def _tall_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    u, s, vh = _tall(a)
    m, n = a.shape
    right = matmul(da, vh.T)
    p = matmul(u.T, right)
    ps, sp = p * s, (p.T * s).T
    du, dv = (
        matmul(basis, over_gaps(x + x.T, s, lambda a, b: (b - a) * (b + a)))
        for basis, x in ((u, ps), (vh.T, sp))
    )
    if m > n:
        du = du + (right - matmul(u, p)) / s
    return (u, s, vh), (du, diagonal(p), dv.T)
