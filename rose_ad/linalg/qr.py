"""An orthogonal and a triangular factor, by Householder reflections."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..api.custom import custom_jvp
from ..base.errors import TypeMismatch
from ..base.source import here
from ..tracing.arrays import concat
from ..tracing.control import build, scan, where
from ..tracing.linalg import matmul
from ..tracing.numeric import sqrt
from ..tracing.reduce import max as largest
from ..tracing.reduce import sum as total
from ..tracing.values import convert
from .matrices import each, eager, matrices
from .triangular import lower_solve


class QRResult(NamedTuple):
    """The factors Q and R."""

    Q: Any
    R: Any


@eager(np.linalg.qr)
def qr(x: Any, *, mode: str = "reduced") -> QRResult:
    """Q with orthonormal columns and upper triangular R with Q R = x, for matrices (..., m, n).

    With k = min(m, n), Q is (..., m, k) and R (..., k, n); (..., m, m) and (..., m, n) with mode "complete".
    Signs are LAPACK's. Where the first k columns depend on each other the derivative is infinite or NaN; for
    m > n the "complete" one is that of the reflections, which choose the columns that are left. Walter,
    Lehmann, Lamour 2012.
    """
    if mode not in ("reduced", "complete"):
        raise TypeMismatch(f"qr with mode {mode!r}", here(), "reduced or complete")
    v = matrices(x, "qr")
    m, n = v.shape[-2:]
    if m > n and mode == "complete":
        return QRResult(*each(lambda a: reflected(a, m), v))
    return QRResult(*each(_reduced if m >= n else _wide, v))


def _wide(a: Any) -> Any:
    """Of a wide matrix: the factors of its first columns, and the others in that basis."""
    m = a.shape[0]
    q, r = _reduced(a[:, :m])
    return q, concat([r, matmul(q.T, a[:, m:])], axis=1)


@custom_jvp
def _reduced(a: Any) -> Any:
    q, r = reflected(a, a.shape[1])
    return q, r[: a.shape[1]]


@_reduced.defjvp
def _reduced_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    q, r = _reduced(a)
    n = a.shape[1]
    x = lower_solve(r.T, da.T).T
    w = matmul(q.T, x)
    turn = build(n, lambda i: build(n, lambda j: where(
        j < i, w[i, j], where(j > i, -w[j, i], 0.0))))  # fmt: skip
    return (q, r), (matmul(q, turn - w) + x, matmul(w - turn, r))


def reflected(a: Any, columns: int) -> Any:
    """The first columns of Q, and R of the shape of a (Golub and Van Loan, 5.2)."""
    m, n = a.shape
    start = convert(np.eye(m, columns), a.scalar)
    if 0 in a.shape:
        return start, a

    def reflect(r: Any, k: Any) -> Any:
        size = largest(build(m, lambda i: where(i < k, 0.0, abs(r[i, k]))))
        unit = where(size > 0, size, 1.0)  # squares of what is very small would be 0
        column: Any = build(m, lambda i: r[i, k] / unit)
        head = column[k]
        tail = total(m, lambda i: where(i > k, column[i] * column[i], 0.0))
        flat = tail == 0  # nothing is to be made zero
        root = sqrt(where(flat, 1.0, head * head + tail))
        end = where(head > 0, -root, root)
        scale = 1.0 / where(flat, 1.0, head - end)
        v = build(m, lambda i: where(i == k, 1.0, where((i > k) & ~flat, column[i] * scale, 0.0)))
        by = where(flat, 0.0, (end - head) / end)
        return _reflection(r, v, by), (v, by)

    steps = np.arange(min(m, n))
    r, reflections = scan(reflect, a, steps)
    q = scan(lambda q, h: (_reflection(q, *h), None), start, reflections, reverse=True)[0]
    clean = build(m, lambda i: build(n, lambda j: where(j < i, 0.0, r[i, j])))
    return q, clean


def _reflection(x: Any, v: Any, by: Any) -> Any:
    """x - by v (v^T x)."""
    m, n = x.shape
    along = matmul(v, x)
    return build(m, lambda i: build(n, lambda j: x[i, j] - by * v[i] * along[j]))
