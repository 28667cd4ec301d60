"""Powers and the exponential of a matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..api.custom import stop_gradient
from ..api.implicit import inv, solve
from ..api.python_function import fn
from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..tracing.control import while_loop
from ..tracing.linalg import matmul
from ..tracing.numeric import ceil, log2, maximum, minimum
from ..tracing.reduce import max as largest
from ..tracing.reduce import sum as total
from ..tracing.values import convert
from .matrices import each, eager, matrices


@eager(lambda x, n: np.linalg.matrix_power(x, n))
def matrix_power(x: Any, n: int) -> Any:
    """Square matrices (..., n, n) multiplied n times with themselves, by squaring; of the inverse for
    negative n."""
    if not isinstance(n, int):
        raise TypeMismatch(f"the power of a matrix is a Python int, not {n!r}", here())
    return each(lambda a: _power(a, n), matrices(x, "matrix_power", square=True))


def _power(a: Any, n: int) -> Any:
    if n < 0:
        return _power(inv(a), -n)
    out: Any = None
    while n:
        if n & 1:
            out = a if out is None else matmul(out, a)
        a, n = (matmul(a, a), n >> 1) if n > 1 else (a, 0)
    return convert(np.eye(a.shape[0]), a.scalar) if out is None else out


_DEGREE = 13
_LARGEST = 5.371920351148152  # norm up to which the approximant is exact to rounding
_MOST = 32  # squarings
_COEFFICIENTS = [
    math.comb(_DEGREE, k) * math.factorial(2 * _DEGREE - k) / math.factorial(2 * _DEGREE)
    for k in range(_DEGREE + 1)
]


def expm(x: Any) -> Any:
    """The exponential of square matrices (..., n, n).

    Padé approximants of degree 13, scaling and squaring: Higham 2005. The derivative is that of this
    computation, with the number of squarings constant. For norms up to 2e10.
    """
    if not is_traced(x):
        return _compiled(np.asarray(x))
    return each(_expm, matrices(x, "expm", square=True))


def _expm(a: Any) -> Any:
    n = a.shape[0]
    if n == 0:
        return a
    one: Any = convert(np.eye(n), a.scalar)
    size = stop_gradient(largest(total(abs(a), axis=0)))
    least: Any = convert(_LARGEST, a.scalar)
    squarings = minimum(ceil(log2(maximum(size, least) / least)), float(_MOST))
    a = a * 0.5**squarings
    square = matmul(a, a)
    even, odd = (_polynomial(square, one, _COEFFICIENTS[k::2]) for k in (0, 1))
    odd = matmul(a, odd)
    ratio = solve(even - odd, even + odd)

    def double(state: Any) -> Any:
        k, r = state
        return k + 1.0, matmul(r, r)

    zero = convert(0, a.scalar)
    return while_loop(lambda s: s[0] < squarings, double, (zero, ratio), max_steps=_MOST)[1]


def _polynomial(x: Any, one: Any, coefficients: Sequence[float]) -> Any:
    """By Horner's rule; `one` is the identity."""
    out = one * coefficients[-1]
    for c in reversed(coefficients[:-1]):
        out = matmul(x, out) + one * c
    return out


_compiled = fn(expm)
