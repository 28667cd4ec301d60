"""sin, cos and tan of arguments up to 10^6.

    x = k pi / 2 + r      k the integer nearest to 2 x / pi, so that |r| <= pi / 4

with pi / 2 in parts whose products with k are exact (Cody and Waite 1980), r in twice the precision, and Taylor
series of r, whose remainders are far below a unit in the last place.
"""

from __future__ import annotations

import math

from .straight_line import ROUND, Arithmetic, Double, X, exact_sum, polynomial

NEAR = 1e6  # k has 20 bits then
# pi / 2 in parts of 33 bits, and the rest
HALF_PI = [
    float.fromhex(part)
    for part in (
        "0x1.921fb54400000p+0",
        "0x1.0b4611a600000p-34",
        "0x1.3198a2e000000p-69",
        "0x1.b839a252049c1p-104",
    )
]
_SIN = [(-1) ** n / math.factorial(2 * n + 1) for n in range(1, 9)]
_COS = [(-1) ** n / math.factorial(2 * n) for n in range(2, 10)]
_TINY = 2.0**-27  # below it tan x is x


def sine(r: Double) -> X:
    """sin(r.high + r.low) = sin r.high + r.low cos r.high, for |r| up to pi / 4."""
    z = r.high * r.high
    return r.high + (r.high * z * polynomial(z, _SIN) + _by_sine(r, z))


def cosine(r: Double) -> X:
    """cos(r.high + r.low) = cos r.high - r.low sin r.high, for |r| up to pi / 4."""
    z = r.high * r.high
    first, rest = _by_cosine(r, z)
    return first + (z * z * polynomial(z, _COS) + rest)


def _by_sine(r: Double, z: X) -> X:
    """r.low cos r.high."""
    return r.low * ((z * (1 / 24) - 0.5) * z) + r.low


def _by_cosine(r: Double, z: X) -> tuple[X, X]:
    """1 - z / 2, and what that loses with -r.low sin r.high."""
    half = z * 0.5
    first = half * -1.0 + 1.0
    return first, ((first * -1.0 + 1.0) - half) - r.low * (r.high * (z * (-1 / 6) + 1.0))


def _reduced(x: X) -> tuple[X, Double]:
    """k, and r in two parts that may overlap."""
    k = (x * (2 / math.pi) + ROUND) - ROUND
    r = exact_sum(x - k * HALF_PI[0], k * -HALF_PI[1])
    return k, Double(r.high, r.low - k * (HALF_PI[2] + HALF_PI[3]))


def _turned(A: Arithmetic, x: X, quarters: float) -> X:
    """The sine of x and so many right angles: that of r or its cosine, whose series are one with the
    coefficients of either, so that little is left to do when the sum is known."""
    k, r = _reduced(x)
    k = k + quarters
    odd, z = A.bit(k, 0), r.high * r.high
    first, rest = _by_cosine(r, z)
    first, rest = A.choose(odd, first, r.high), A.choose(odd, rest, _by_sine(r, z))
    series = [A.choose(odd, c, s) for c, s in zip(_COS, _SIN, strict=True)]
    size = first + (A.choose(odd, z, r.high) * z * polynomial(z, series) + rest)
    sign = A.choose(odd, 1.0, r.high)
    return A.with_sign(size, A.choose(A.bit(k, 1), sign * -1.0, sign))


def sin(A: Arithmetic, x: X) -> X:
    """The sine of x radians."""
    return _turned(A, x, 0.0)


def cos(A: Arithmetic, x: X) -> X:
    """The cosine of x radians."""
    return _turned(A, x, 1.0)


def sincos(A: Arithmetic, x: X) -> tuple[X, X]:
    """`sin` and `cos` of the same x, to the bit, for little more than one of them costs."""
    k, r = _reduced(x)
    odd, z = A.bit(k, 0), r.high * r.high
    first, rest = _by_cosine(r, z)
    up = r.high + (r.high * z * polynomial(z, _SIN) + _by_sine(r, z))
    along = first + (z * z * polynomial(z, _COS) + rest)
    turned, shifted = A.bit(k, 1), A.bit(k + 1.0, 1)
    sines, ones = A.choose(odd, 1.0, r.high), A.choose(odd, r.high, 1.0)
    return (
        A.with_sign(A.choose(odd, along, up), A.choose(turned, sines * -1.0, sines)),
        A.with_sign(A.choose(odd, up, along), A.choose(shifted, ones * -1.0, ones)),
    )


def tan(A: Arithmetic, x: X) -> X:
    """The tangent of x radians."""
    k, r = _reduced(x)
    up, along, odd = sine(r), cosine(r), A.bit(k, 0)
    found = A.choose(odd, along * -1.0, up) / A.choose(odd, up, along)
    return A.choose(A.less(A.magnitude(x), _TINY), x, found)
