"""exp, expm1, softplus and tanh as straight-line arithmetic: loops that call them become vector instructions.

    e^x = 2^k e^r      k the integer nearest to x / log 2, so that |r| <= log(2) / 2

(Cody and Waite 1980), and e^r - 1 by its Taylor series, whose remainder is far below a unit in the last place.
exp is within 1 such unit, expm1 within 2, tanh within 2.5 and softplus, log(1 + e^x), within 3. Each has the
limits and the zeros, with their signs, that C's has. A function is written once, over the arithmetic `A`, and
read twice: by the interpreter, with Python's floats, and in `lower/elementary_text.py` as LLVM text. Both round
alike where products and sums are not contracted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

X: TypeAlias = Any  # a number of the arithmetic: it has + - * / with its own kind and with floats

_INVERSE = 1 / math.log(2)
_HIGH = float.fromhex("0x1.62e42fee00000p-1")  # log 2 to 33 bits: its product with k is exact
_LOW = float.fromhex("0x1.a39ef35793c76p-33")  # the rest
ROUND = 1.5 * 2.0**52  # adding it rounds to an integer, which is in the lowest bits then
PREFIX = "rose_"  # of the functions' names in LLVM
_ARTANH = [2 / (2 * n + 1) for n in range(17)]  # in the square of what is at most 1/3
_SERIES = [1 / math.factorial(n) for n in range(2, 14)]


class Arithmetic(Protocol):
    """What is needed besides + - * /."""

    def at_least(self, x: X, bound: float) -> X:
        """`x`, or the bound if that is greater; a NaN stays."""

    def at_most(self, x: X, bound: float) -> X:
        """`x`, or the bound if that is less; a NaN stays."""

    def power_of_two(self, k: X) -> X:
        """2^k for integers from -1022 to 1023; any number for a NaN."""

    def magnitude(self, x: X) -> X:
        """|x|."""

    def with_sign(self, size: X, x: X) -> X:
        """`size`, with the sign of x."""


def reduced(x: X) -> tuple[X, X]:
    """k, and e^r - 1."""
    k = (x * _INVERSE + ROUND) - ROUND
    r = (x - k * _HIGH) - k * _LOW
    rr = r * r
    even, odd = _polynomial(rr, _SERIES[::2]), _polynomial(rr, _SERIES[1::2])
    return k, r + rr * (even + r * odd)


def _polynomial(x: X, coefficients: list[float]) -> X:
    out: X = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        out = x * out + c
    return out


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
    return A.at_least(x, 0.0) + s * _polynomial(s * s, _ARTANH)


FUNCTIONS: dict[str, Callable[[Arithmetic, X], X]] = {
    "exp": exp,
    "expm1": expm1,
    "tanh": tanh,
    "softplus": softplus,
}


class _Floats:
    """The arithmetic of Python's floats."""

    def at_least(self, x: float, bound: float) -> float:
        return bound if x < bound else x

    def at_most(self, x: float, bound: float) -> float:
        return bound if x > bound else x

    def power_of_two(self, k: float) -> float:
        return k if math.isnan(k) else math.ldexp(1.0, int(k))

    def magnitude(self, x: float) -> float:
        return abs(x)

    def with_sign(self, size: float, x: float) -> float:
        return math.copysign(size, x)


def evaluate(name: str) -> Callable[[float], float]:
    """A function of floats."""
    f, floats = FUNCTIONS[name], _Floats()
    return lambda x: float(f(floats, float(x)))


def call(name: str) -> str:
    """The template of a call in LLVM: {r} is the result's name, {0} the operand, {t} its type, {f} "f" for
    F32."""
    scalar = f"{PREFIX}{name}{{f}}"
    known = f'"vector-function-abi-variant"="_ZGV_LLVM_N4v_{scalar}({scalar}_v4)"'
    return f"{{r}} = call {{t}} @{scalar}({{t}} {{0}}) {known}"
