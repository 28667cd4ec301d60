"""Special functions: gamma and its relatives, Bessel's I0, and the exponentials that networks are made of.

Error of the value, in Real: gamma 10 units in the last place away from its poles, i0 4, sigmoid 3; lgamma,
and digamma away from its poles, 1e-14 of the greater of 1 and the value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..api.custom import stop_gradient
from ..base.tree import is_traced
from ..tracing.control import where
from ..tracing.numeric import abs as magnitude
from ..tracing.numeric import cos, exp, floor, isfinite, log, pow, sin, sqrt
from ..tracing.reduce import logsumexp
from ..tracing.reduce import max as largest
from ..tracing.reduce import sum as total
from .elementwise import elementwise, quiet

_SHIFT = 10  # where Stirling's series is exact to rounding
_BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798]


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """The sum of coefficients[k] x^k."""
    out: Any = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        out = out * x + c
    return out


def _raised(x: Any) -> tuple[Any, Any, Any]:
    """x moved up by whole numbers to y >= 10, the product of the numbers passed, and the sum of their
    inverses."""
    y, product, inverses = x, 1.0, 0.0
    for _ in range(_SHIFT):
        low = y < _SHIFT
        here = where(low, y, 1.0)
        product = product * here
        inverses = inverses + where(low, 1.0 / here, 0.0)
        y = where(low, y + 1.0, y)
    return y, product, inverses


_STIRLING = [b / ((2 * k + 2) * (2 * k + 1)) for k, b in enumerate(_BERNOULLI)]
_DIGAMMA = [b / (2 * k + 2) for k, b in enumerate(_BERNOULLI)]


def _correction(y: Any) -> Any:
    return polynomial(1.0 / (y * y), _STIRLING) / y


def _sine(x: Any) -> Any:
    """sin(pi x), exactly 0 for whole numbers, and cos(pi x)."""
    whole = floor(x + 0.5)
    off = (x - whole) * math.pi
    odd = whole - 2.0 * floor(whole * 0.5)
    sign = 1.0 - 2.0 * odd
    return sign * sin(off), sign * cos(off)


@elementwise(lambda x, value: (digamma(x),))
def lgamma(x: Any) -> Any:
    """The logarithm of |gamma(x)|."""
    mirrored = where(x < 0.5, 1.0 - x, x)
    y, product, _ = _raised(mirrored)
    above = (y - 0.5) * log(y) - y + 0.5 * math.log(2 * math.pi) + _correction(y) - log(product)
    above = where(isfinite(y), above, y)
    sine = magnitude(_sine(where(x < 0.5, x, 0.5))[0])
    return where(x < 0.5, math.log(math.pi) - log(sine) - above, above)


@elementwise(lambda x, value: (value * digamma(x),))
def gamma(x: Any) -> Any:
    """The gamma function, (n - 1)! of whole n > 0; NaN for whole n <= 0."""
    mirrored = where(x < 0.5, 1.0 - x, x)
    y, product, _ = _raised(mirrored)
    half = pow(y, 0.5 * y - 0.25) * exp(-0.5 * y)  # twice, for the whole may be infinite
    above = half * ((math.sqrt(2 * math.pi) * exp(_correction(y))) / product) * half
    above = where(mirrored > 180.0, math.inf, above)
    sine = _sine(where(x < 0.5, x, 0.5))[0]
    pole = sine == 0
    below = where(pole, math.nan, math.pi / (where(pole, 1.0, sine) * above))
    return where(x < 0.5, below, above)


@quiet
def digamma(x: Any) -> Any:
    """The derivative of lgamma. NaN for whole numbers up to 0."""
    mirrored = where(x < 0.5, 1.0 - x, x)
    y, _, inverses = _raised(mirrored)
    square = 1.0 / (y * y)
    above = log(y) - 0.5 / y - square * polynomial(square, _DIGAMMA) - inverses
    sine, cosine = _sine(where(x < 0.5, x, 0.5))
    pole = sine == 0
    tangent = where(pole, math.nan, math.pi * cosine / where(pole, 1.0, sine))
    return where(x < 0.5, above - tangent, above)


# the power series up to 20, and from there the asymptotic one, which is exact to rounding there
_SERIES = [1 / math.factorial(k) ** 2 for k in range(48)]
_ASYMPTOTIC = [
    math.prod((2 * j - 1) ** 2 for j in range(1, k + 1)) / (math.factorial(k) * 8**k)
    for k in range(30)
]


@quiet
def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind of order 0."""
    size = magnitude(x)
    large = size > 20.0
    quarter = where(large, 1.0, x * x * 0.25)
    far = where(large, size, 20.0)
    half = exp(0.5 * far)  # twice, for the whole may be infinite
    ratio = polynomial(1.0 / far, _ASYMPTOTIC) / sqrt(2 * math.pi * far)
    return where(large, half * ratio * half, polynomial(quarter, _SERIES))


@elementwise(lambda x, value: (value * sigmoid(-x),))
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow."""
    small = exp(-magnitude(x))
    return where(x >= 0, 1.0, small) / (1.0 + small)


@elementwise(lambda x, y, value: (log(y), x / y))
def xlogy(x: Any, y: Any) -> Any:
    """x log(y), and 0 where x is 0 and y is not NaN."""
    none = (x == 0) & (y == y)
    return where(none, 0.0, x * log(where(none, 1.0, y)))


def softmax(x: Any, *, axis: int | Sequence[int] | None = -1) -> Any:
    """exp(x) over the sum of that along axes, without overflow."""
    powers = exp(x - _top(x, axis))
    return powers / total(powers, axis=axis, keepdims=True)


def log_softmax(x: Any, *, axis: int | Sequence[int] | None = -1) -> Any:
    """The logarithm of softmax: x - logsumexp(x)."""
    return x - logsumexp(x, axis=axis, keepdims=True)


def _top(x: Any, axis: Any) -> Any:
    """The greatest entry; what is subtracted does not matter, so it has no derivative."""
    top = largest(x, axis=axis, keepdims=True)
    return stop_gradient(top) if is_traced(x) else top
