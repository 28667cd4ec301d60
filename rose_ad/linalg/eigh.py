"""Eigenvalues and eigenvectors of symmetric matrices, by Jacobi's method."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..api.custom import custom_jvp
from ..tracing.arrays import diagonal
from ..tracing.control import build, fori_loop, where, while_loop
from ..tracing.linalg import matmul
from ..tracing.numeric import maximum, minimum
from ..tracing.reduce import max as largest
from ..tracing.reduce import sum as total
from ..tracing.sorting import argsort
from ..tracing.values import convert, lift
from .jacobi import SWEEPS, rotation, rounds
from .matrices import each, eager, matrices, over_gaps, precision, symmetric


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


@eager(lambda x: np.linalg.eigh(symmetric(np.asarray(x))))
def eigh(x: Any) -> EighResult:
    """Of the symmetric part of matrices (..., n, n): eigenvalues (..., n), ascending, and eigenvectors (...,
    n, n).

    The sign of an eigenvector is not determined. Where eigenvalues are equal, that is within n units of
    rounding of the largest, their eigenvectors have no derivative: it is infinite or NaN, also in a function
    that does not depend on their choice. That of the sum, or another symmetric function, of eigenvalues is
    right everywhere. Giles 2008.
    """
    return EighResult(*each(_eigh, symmetric(matrices(x, "eigh", square=True))))


@eager(lambda x: np.linalg.eigvalsh(symmetric(np.asarray(x))))
def eigvalsh(x: Any) -> Any:
    """The eigenvalues of the symmetric part of matrices (..., n, n), ascending, (..., n)."""
    return eigh(x).eigenvalues


@custom_jvp
def _eigh(a: Any) -> Any:
    n = a.shape[0]
    vectors: Any = convert(np.eye(n), a.scalar)
    if n < 2:
        return a[:, 0], vectors
    size = largest(abs(a))
    unit = where(size > 0, size, 1.0)
    partners: Any = lift(rounds(n))
    enough = (n * precision(a)) ** 2

    def off(a: Any) -> Any:
        return total(n, lambda i: total(n, lambda j: where(i == j, 0.0, a[i, j] * a[i, j])))

    start = (a / unit, vectors, convert(1, a.scalar))

    def sweep(state: Any) -> Any:
        a, v = fori_loop(0, len(partners), lambda r, s: _round(partners[r], *s), state[:2])
        return a, v, off(a)

    a, vectors, _ = while_loop(lambda s: s[2] > enough, sweep, start, max_steps=SWEEPS)
    values = diagonal(a) * unit
    order = argsort(values)
    return values[order], build(n, lambda i: build(n, lambda j: vectors[i, order[j]]))


def _round(partner: Any, a: Any, v: Any) -> tuple[Any, Any]:
    """All pairs of a round: a becomes J^T a J, and v becomes v J."""
    n = a.shape[0]

    def turn(i: Any) -> Any:
        j = partner[i]
        joint = a[minimum(i, j), maximum(i, j)]  # of both the same
        return rotation(i, j, a[i, i], a[j, j], joint)

    c, s = build(n, turn)
    half = build(n, lambda i: build(n, lambda j: c[i] * a[i, j] + s[i] * a[partner[i], j]))

    def along(x: Any) -> Any:
        return build(n, lambda i: build(n, lambda j: c[j] * x[i, j] + s[j] * x[i, partner[j]]))

    return along(half), along(v)


@_eigh.defjvp
def _eigh_jvp(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    values, vectors = _eigh(a)
    change = matmul(vectors.T, matmul(da, vectors))
    turn = over_gaps(change, values, lambda a, b: b - a)
    return (values, vectors), (diagonal(change), matmul(vectors, turn))
