"""exp, expm1, softplus and tanh, and e^x - 1 of what is reduced.

    e^x = 2^k e^r      k the integer nearest to x / log 2, so that |r| <= log(2) / 2

(Cody and Waite 1980), and e^r - 1 by its Taylor series, whose remainder is far below a unit in the last place.
"""

from __future__ import annotations

import math

from .straight_line import ROUND, Arithmetic, X, polynomial

_INVERSE = 1 / math.log(2)
LOG2_HIGH = float.fromhex("0x1.62e42fee00000p-1")  # log 2 to 33 bits: its product with k is exact
LOG2_LOW = float.fromhex("0x1.a39ef35793c76p-33")  # the rest
_ARTANH = [2 / (2 * n + 1) for n in range(1, 17)]  # in s², from the term s³ on; s <= 1/3
_SERIES = [1 / math.factorial(n) for n in range(2, 14)]


def reduced(x: X) -> tuple[X, X]:
    """k, and e^r - 1."""
    k = (x * _INVERSE + ROUND) - ROUND
    r = (x - k * LOG2_HIGH) - k * LOG2_LOW
    return k, r + r * r * polynomial(r, _SERIES)


def _less_one(A: Arithmetic, x: X) -> X:
    """e^x - 1 for x from -40 to 710."""
    k, p = reduced(x)
    half = A.power_of_two(k - 1.0)  # 2^k itself may be infinite
    return (half * p + (half - 0.5)) * 2.0


def exp(A: Arithmetic, x: X) -> X:
    """e^x."""
    k, p = reduced(A.at_most(A.at_least(x, -746.0), 710.0))
    first = (k * 0.5 + ROUND) - ROUND  # in two steps: 2^k itself may be infinite, or 0
    return ((p + 1.0) * A.power_of_two(first)) * A.power_of_two(k - first)


def expm1(A: Arithmetic, x: X) -> X:
    """e^x - 1, also for small x."""
    return A.with_sign(_less_one(A, A.at_most(A.at_least(x, -40.0), 710.0)), x)


def tanh(A: Arithmetic, x: X) -> X:
    """The hyperbolic tangent, (e^2x - 1) / (e^2x + 1)."""
    less_one = _less_one(A, A.at_most(A.magnitude(x) * 2.0, 44.0))
    return A.with_sign(less_one / (less_one + 2.0), x)


def softplus(A: Arithmetic, x: X) -> X:
    """log(1 + e^x): the greater of x and 0, and log(1 + u) = 2 artanh(u / (2 + u)) of u = e^-|x|."""
    u = exp(A, A.magnitude(x) * -1.0)
    s = u / (u + 2.0)
    z = s * s
    return A.at_least(x, 0.0) + (s * 2.0 + s * z * polynomial(z, _ARTANH))
