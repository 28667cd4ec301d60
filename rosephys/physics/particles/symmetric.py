r"""Functions of symmetric matrices, with derivatives that hold where eigenvalues are equal.

With the eigenvalues λ_i and the orthonormal eigenvectors u_i of S, the columns of U,

    f(S) = Σ_i f(λ_i) u_i u_iᵀ,    f'(S)[dS] = U (D ∘ (Uᵀ dS U)) Uᵀ,
    D_ij = (f(λ_i) - f(λ_j)) / (λ_i - λ_j),  f'(λ_i) where they are equal.

Eigenvectors turn without bound as eigenvalues meet, f(S) does not: so its derivative is given here and not
derived, and the quotients D are written without cancellation. Sources: Daleckii, Krein, 1965 (the derivative);
Jacobi, 1846, and Golub, Van Loan, *Matrix Computations*, 8.5 (the eigenvalues). First derivatives only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import combinations
from typing import TypeAlias

import rose_ad as ra

from ..quantities import Matrix, Scalar

# of rotations, by dimension: one is exact in the plane, and convergence is quadratic in space
SWEEPS = {2: 1, 3: 4}
TINY = 1e-300  # keeps 0 / 0 from being
CLOSE = 0.1  # below it quotients are taken from a series, to rounding


def eigen(s: Matrix) -> tuple[list[Scalar], Matrix]:
    """The eigenvalues of a symmetric (d, d) matrix, d = 2 or 3, in no order, and as columns the eigenvectors.

    Not to be differentiated.
    """
    d = len(s)
    rows: list[list[Scalar]] = [[s[i, j] for j in range(d)] for i in range(d)]
    u: list[list[Scalar]] = [[float(i == j) for j in range(d)] for i in range(d)]
    for _ in range(SWEEPS[d]):
        for p, q in combinations(range(d), 2):
            _annihilate(rows, u, p, q)
    return [rows[i][i] for i in range(d)], ra.array(u)


def _annihilate(s: list[list[Scalar]], u: list[list[Scalar]], p: int, q: int) -> None:
    """Rotate axes p and q so that s[p][q] becomes 0, by at most 45 degrees."""
    gap, twice = s[q][q] - s[p][p], 2 * s[p][q]
    size = abs(gap) + ra.sqrt(gap * gap + twice * twice) + TINY
    tangent = ra.where(gap < 0, -twice, twice) / size
    c = 1 / ra.sqrt(1 + tangent * tangent)
    sine = tangent * c
    s[p][p], s[q][q] = s[p][p] - tangent * s[p][q], s[q][q] + tangent * s[p][q]
    s[p][q] = s[q][p] = 0.0
    for k in range(len(s)):
        if k not in (p, q):
            a, b = s[k][p], s[k][q]
            s[k][p] = s[p][k] = c * a - sine * b
            s[k][q] = s[q][k] = sine * a + c * b
        a, b = u[k][p], u[k][q]
        u[k][p], u[k][q] = c * a - sine * b, sine * a + c * b


Function: TypeAlias = Callable[[Scalar], Scalar]
Quotient: TypeAlias = Callable[[Scalar, Scalar, Scalar, Scalar], Scalar]
"""`quotient(a, b, f(a), f(b))` is (f(a) - f(b)) / (a - b), f'(a) for a = b."""


def _spectral(f: Function, slope: Function, quotient: Quotient) -> Callable[[Matrix], Matrix]:
    """f of symmetric matrices; `slope` is f'."""

    @ra.custom_jvp
    def apply(s: Matrix) -> Matrix:
        values, u = eigen(s)
        return (u * ra.array([f(a) for a in values])) @ u.T

    @apply.defjvp
    def apply_jvp(primals: tuple[Matrix], tangents: tuple[Matrix]) -> tuple[Matrix, Matrix]:
        (s,), (ds,) = primals, tangents
        values, u = eigen(s)
        found = [f(a) for a in values]
        quotients = [[slope(a)] * len(values) for a in values]
        for i, j in combinations(range(len(values)), 2):
            q = quotient(values[i], values[j], found[i], found[j])
            quotients[i][j] = quotients[j][i] = q
        return (u * ra.array(found)) @ u.T, u @ (ra.array(quotients) * (u.T @ ds @ u)) @ u.T

    return apply


def _log_quotient(a: Scalar, b: Scalar, log_a: Scalar, log_b: Scalar) -> Scalar:
    """2 artanh(r) / (r (a + b)) with r = (a - b) / (a + b)."""
    r = (a - b) / (a + b)
    close = abs(r) < CLOSE
    near = 2 / (a + b) * polynomial(r * r, [1 / (2 * k + 1) for k in range(8)])
    return ra.where(close, near, (log_a - log_b) / ra.where(close, 1.0, a - b))


def _exp_quotient(a: Scalar, b: Scalar, exp_a: Scalar, exp_b: Scalar) -> Scalar:
    """√(exp a exp b) sinh(h) / h with h = (a - b) / 2."""
    h = 0.5 * (a - b)
    close = abs(h) < CLOSE
    near = ra.sqrt(exp_a * exp_b) * polynomial(
        h * h, [1 / math.factorial(2 * k + 1) for k in range(6)]
    )
    return ra.where(close, near, (exp_a - exp_b) / ra.where(close, 1.0, a - b))


def _root_quotient(a: Scalar, b: Scalar, root_a: Scalar, root_b: Scalar) -> Scalar:
    return -root_a * root_b / (ra.sqrt(a) + ra.sqrt(b))


def polynomial(x: Scalar, coefficients: Sequence[float]) -> Scalar:
    """Σ c_k x^k."""
    return reduce(lambda rest, c: c + x * rest, reversed(coefficients))


log = _spectral(ra.log, lambda a: 1 / a, _log_quotient)
"""log S (d, d) of a symmetric positive definite matrix."""

exp = _spectral(ra.exp, ra.exp, _exp_quotient)
"""exp S (d, d) of a symmetric matrix."""

inverse_root = _spectral(
    lambda a: 1 / ra.sqrt(a), lambda a: -0.5 / (a * ra.sqrt(a)), _root_quotient
)
"""S^(-1/2) (d, d) of a symmetric positive definite matrix."""
