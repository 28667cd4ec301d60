"""The functions of the C library, for machines without one: straight-line arithmetic of our own.

Errors, in units of the last place of the result, are at most 1.25 of pow, 8 of erfc and 3 of the others. sin,
cos and tan are those of arguments from 10^6 on, the others being ours everywhere (ir/circular.py): they have an
absolute error of 10^-15 up to 2^40, and beyond 2^41, where neighbours are 10^-4 apart, one value. Limits, zeros
with their signs and NaNs are those of C. Tested in tests/rose_ad/export/test_libm.py against mpmath.

Arguments are reduced as Cody and Waite (1980) do, by constants in parts; kernels are Taylor series of
the reduced arguments. What must be better than a double is computed in two of them (Dekker 1971).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..ir.circular import HALF_PI, cosine, sine
from ..ir.exponential import LOG2_HIGH, LOG2_LOW, exp, expm1, reduced
from ..ir.logarithm import ARTANH, at_the_ends, log, log1p
from ..ir.straight_line import ROUND, Double, X, polynomial
from ..lower.elementary_text import Number
from .arithmetic import Arithmetic

_LOG10_2_HIGH = float.fromhex("0x1.34413509f7800p-2")  # log10 2 to 42 bits
_LOG10_2_LOW = float.fromhex("0x1.fef311f12b358p-46")
_HALF_PI_LOW = float.fromhex("0x1.1a62633145c07p-54")  # pi / 2 less its nearest double
_FARTHEST = 2.0**41  # multiples of pi / 2 have 40 bits to there
_ATAN = [(-1) ** n / (2 * n + 1) for n in range(1, 22)]
_TAN_EIGHTH = math.tan(math.pi / 8)
_STEP, _TERMS = 0.5, 13  # of the sum that erfc is
_ERF = [(-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(16)]


# ------------------------------------------------------------------------------------ logarithms


def _log_of_part(A: Arithmetic, f: Number) -> X:
    """log(1 + f) for f from -0.3 to 0.42: 2 artanh(s) of s = f / (2 + f), arranged so that f stands first."""
    s = f / (f + 2.0)
    z = s * s
    half = f * f * 0.5
    return f - (half - s * (half + z * polynomial(z, ARTANH)))


def log2(A: Arithmetic, x: Number) -> X:
    k, m = A.parts(x)
    return at_the_ends(A, x, 0.0, _log_of_part(A, m - 1.0) * (1 / math.log(2)) + k)


def log10(A: Arithmetic, x: Number) -> X:
    k, m = A.parts(x)
    low = _log_of_part(A, m - 1.0) * (1 / math.log(10)) + k * _LOG10_2_LOW
    return at_the_ends(A, x, 0.0, low + k * _LOG10_2_HIGH)


def _precise_log(A: Arithmetic, x: Number) -> Double:
    """log x to some 64 bits: the first two terms of the series of artanh in twice the precision."""
    k, m = A.parts(x)
    f = m - 1.0
    below = A.sum(A.number(2.0), f)
    s = f / below.high
    back = A.product(s, below.high)
    s1 = (((f - back.high) - back.low) - s * below.low) / below.high
    root = Double(s, s1)
    square = A.times(root, root)
    third = Double(A.number(2 / 3), A.number(float.fromhex("0x1.5555555555555p-55")))
    cube = A.times(A.times(square, root), third)
    rest = square.high * square.high * s * polynomial(square.high, ARTANH[1:])
    first = A.sum(k * LOG2_HIGH, s * 2.0)
    second = A.sum(first.high, cube.high)
    last = A.sum(second.high, k * LOG2_LOW)
    low = first.low + second.low + last.low + (s1 * 2.0 + cube.low + rest)
    return A.sum(last.high, low)


# ---------------------------------------------------------------------------------------- powers


def _exp(A: Arithmetic, x: Double) -> Number:
    """e^x in twice the precision of x."""
    beyond = A.greater(A.magnitude(x.high), 800.0)
    k, p = reduced(A.at_most(A.at_least(x.high, -746.0), 710.0))
    low = A.choose(beyond, 0.0, x.low)
    p = p + low * (p + 1.0)
    first = (k * 0.5 + ROUND) - ROUND
    out: Number = ((p + 1.0) * A.power_of_two(first)) * A.power_of_two(k - first)
    return out


def pow(A: Arithmetic, x: Number, y: Number) -> Number:
    """x^y = e^(y log x), log x and the product to twice the precision."""
    size = A.magnitude(x)
    far = A.at_most(A.at_least(y, -(2.0**66)), 2.0**66)  # far enough for any x but 1
    logarithm = _precise_log(A, size)
    product = A.product(far, logarithm.high)
    out = _exp(A, Double(product.high, product.low + far * logarithm.low))
    down = A.less(y, 0.0)
    out = A.choose(A.equal(size, 0.0), A.choose(down, math.inf, 0.0), out)
    out = A.choose(A.equal(size, math.inf), A.choose(down, 0.0, math.inf), out)
    whole = A.equal(A.floor(y), y)
    half = y * 0.5
    odd = A.both(whole, A.test("une", A.floor(half), half))
    root = A.both(A.less(x, 0.0), A.test("une", A.floor(y), y))
    root = A.both(root, A.less(size, math.inf))
    out = A.with_sign(out, A.choose(odd, x, 1.0))
    out = A.choose(root, math.nan, out)
    out = A.choose(A.test("uno", x, y), math.nan, out)
    return A.choose(A.either(A.equal(x, 1.0), A.equal(y, 0.0)), 1.0, out)


# -------------------------------------------------------------------------------------- hyperbolic


def sinh(A: Arithmetic, x: Number) -> Number:
    size = A.magnitude(x)
    e = expm1(A, size)
    half = exp(A, size * 0.5)
    near = (e + e / (e + 1.0)) * 0.5
    return A.with_sign(A.choose(A.greater(size, 40.0), half * 0.5 * half, near), x)


def cosh(A: Arithmetic, x: Number) -> Number:
    size = A.magnitude(x)
    e, half = exp(A, size), exp(A, size * 0.5)
    near = (e + A.number(1.0) / e) * 0.5
    return A.choose(A.greater(size, 40.0), half * 0.5 * half, near)


def asinh(A: Arithmetic, x: Number) -> Number:
    size = A.magnitude(x)
    square = size * size
    near = log1p(A, size + square / (A.root(square + 1.0) + 1.0))
    far = log(A, size) + math.log(2)
    return A.with_sign(A.choose(A.greater(size, 1e8), far, near), x)


def acosh(A: Arithmetic, x: Number) -> Number:
    above = x - 1.0
    near = log1p(A, above + A.root(above * 2.0 + above * above))
    found = A.choose(A.greater(x, 1e8), log(A, x) + math.log(2), near)
    return A.choose(A.less(x, 1.0), math.nan, found)


def atanh(A: Arithmetic, x: Number) -> Number:
    size = A.magnitude(x)
    found = log1p(A, size * 2.0 / (A.number(1.0) - size)) * 0.5
    return A.with_sign(A.choose(A.greater(size, 1.0), math.nan, found), x)


# -------------------------------------------------------------------------------------------- circles


def _far(A: Arithmetic, x: Number) -> tuple[Number, Double]:
    """k and r, x = k pi / 2 + r, for k of at most 40 bits, in two halves: each product with a part is exact."""
    x = x * 0.0 + A.at_most(A.at_least(x, -_FARTHEST), _FARTHEST)  # NaN where it has no end
    k = (x * (2 / math.pi) + ROUND) - ROUND
    upper = ((k * 2.0**-20 + ROUND) - ROUND) * 2.0**20
    lower = k - upper
    total = Double((x - upper * HALF_PI[0]) - lower * HALF_PI[0], A.number(0.0))
    for part in HALF_PI[1:3]:
        for multiple in (upper, lower):
            found = A.sum(total.high, multiple * -part)
            total = Double(found.high, total.low + found.low)
    return k, _in_order(total.high, total.low - k * HALF_PI[3])


def _in_order(high: Number, low: Number) -> Double:
    out = high + low
    return Double(out, (high - out) + low)


def sin(A: Arithmetic, x: Number) -> Number:
    k, r = _far(A, x)
    found = A.choose(A.bit(k, 0), cosine(r), sine(r))
    return A.choose(A.bit(k, 1), found * -1.0, found)


def cos(A: Arithmetic, x: Number) -> Number:
    k, r = _far(A, x)
    found = A.choose(A.bit(k, 0), sine(r), cosine(r))
    return A.choose(A.bit(k + 1.0, 1), found * -1.0, found)


def tan(A: Arithmetic, x: Number) -> Number:
    k, r = _far(A, x)
    up, along, odd = sine(r), cosine(r), A.bit(k, 0)
    return A.choose(odd, along * -1.0, up) / A.choose(odd, up, along)


def _angle(A: Arithmetic, above: Number, below: Number) -> Number:
    """atan(above / below), neither negative nor above the greater: from 0 to pi / 4.

    tan(a - pi / 4) = (tan a - 1) / (tan a + 1), for what is above pi / 8.
    """
    steep = A.greater(above, below * _TAN_EIGHTH)
    t = A.choose(steep, above - below, above) / A.choose(steep, above + below, below)
    z = t * t
    small = t * z * polynomial(z, _ATAN)
    low = small + _HALF_PI_LOW / 2
    return A.choose(steep, (t + low) + math.pi / 4, t + small)


def atan(A: Arithmetic, x: Number) -> Number:
    size = A.magnitude(x)
    large = A.greater(size, 1.0)
    found = _angle(A, A.choose(large, A.number(1.0) / size, size), A.number(1.0))
    return A.with_sign(A.choose(large, A.number(math.pi / 2) - (found - _HALF_PI_LOW), found), x)


def atan2(A: Arithmetic, y: Number, x: Number) -> Number:
    up, along = A.magnitude(y), A.magnitude(x)
    steep = A.greater(up, along)
    less, more = A.choose(steep, along, up), A.choose(steep, up, along)
    endless = A.equal(less, math.inf)  # both: 45 degrees
    less, more = A.choose(endless, 1.0, less), A.choose(endless, 1.0, more)
    scale = A.choose(
        A.greater(more, 2.0**1000), 2.0**-60, A.choose(A.less(more, 2.0**-900), 2.0**60, 1.0)
    )
    more = A.choose(A.equal(more, 0.0), 1.0, more)
    found = _angle(A, less * scale, more * scale)
    found = A.choose(steep, A.number(math.pi / 2) - (found - _HALF_PI_LOW), found)
    back = A.number(math.pi) - (found - 2 * _HALF_PI_LOW)
    found = A.with_sign(A.choose(A.is_negative(x), back, found), y)
    return A.choose(A.test("uno", x, y), math.nan, found)


def asin(A: Arithmetic, x: Number) -> Number:
    return atan2(A, x, A.root((A.number(1.0) - x) * (x + 1.0)))


def acos(A: Arithmetic, x: Number) -> Number:
    return atan2(A, A.root((A.number(1.0) - x) * (x + 1.0)), x)


# ------------------------------------------------------------------------------- the error function


def _bell(A: Arithmetic, x: Number) -> Number:
    """e^(-x²), x² in two parts."""
    square = A.product(x, x)
    return _exp(A, Double(square.high * -1.0, square.low * -1.0))


def _small_erf(x: Number) -> X:
    """By its Taylor series, for |x| up to 0.7."""
    z = x * x
    return x * (2 / math.sqrt(math.pi)) * polynomial(z, _ERF)


def _tail(A: Arithmetic, x: Number) -> Number:
    """erfc for x >= 0.5, by the trapezoidal rule (Matta and Reichel 1971).

    erfc x = (2 h x / pi) e^(-x²) (1 / 2x² + sum of e^(-k²h²) / (x² + k²h²)) - 2 / (e^(2 pi x / h) - 1)
    """
    x = A.at_least(A.at_most(x, 30.0), 0.5)
    z = x * x
    total = A.number(0.5) / z
    for k in range(1, _TERMS):
        square = (k * _STEP) ** 2
        total = total + A.number(math.exp(-square)) / (z + square)
    pole = A.number(2.0) / expm1(A, x * (2 * math.pi / _STEP))
    pole = A.choose(A.less(x, math.pi / _STEP), pole, 0.0)
    return x * (2 * _STEP / math.pi) * _bell(A, x) * total - pole


def erf(A: Arithmetic, x: Number) -> Number:
    size = A.magnitude(x)
    found = A.choose(A.less(size, 0.6), _small_erf(size), A.number(1.0) - _tail(A, size))
    return A.choose(A.test("uno", x, 0.0), x, A.with_sign(found, x))


def erfc(A: Arithmetic, x: Number) -> Number:
    size = A.magnitude(x)
    tail = _tail(A, size)
    far = A.choose(A.less(x, 0.0), A.number(2.0) - tail, tail)
    found = A.choose(A.less(size, 0.6), A.number(1.0) - _small_erf(x), far)
    return A.choose(A.test("uno", x, 0.0), x, found)


# ------------------------------------------------------------------------------------------ neighbours


def nextafter(A: Arithmetic, x: Number, y: Number) -> Number:
    bits = A.bits(x)
    away = A.assign(f"xor i1 {A.less(x, y)}, {A.less(x, 0.0)}").name  # from zero
    step = A.assign(f"select i1 {away}, i64 1, i64 -1").name
    moved = A.of_bits(A.assign(f"add i64 {bits}, {step}").name)
    moved = A.choose(A.equal(x, 0.0), A.with_sign(A.number(5e-324), y), moved)
    moved = A.choose(A.equal(x, y), y, moved)
    return A.choose(A.test("uno", x, y), math.nan, moved)


One = Callable[[Arithmetic, Number], Number]
Two = Callable[[Arithmetic, Number, Number], Number]
ONE: dict[str, One] = {
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "log2": log2,
    "log10": log10,
    "sinh": sinh,
    "cosh": cosh,
    "asinh": asinh,
    "acosh": acosh,
    "atanh": atanh,
    "asin": asin,
    "acos": acos,
    "atan": atan,
    "erf": erf,
    "erfc": erfc,
}
TWO: dict[str, Two] = {"pow": pow, "atan2": atan2, "nextafter": nextafter}
