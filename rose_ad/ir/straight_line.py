"""Straight-line arithmetic: what our elementary functions are written over.

A function is written once, over the arithmetic `A`, and read twice: by the interpreter, with Python's floats
(`Floats`), and in `lower/elementary_text.py` as LLVM text, of a number and of vectors. Both round alike where
products and sums are not contracted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

X: TypeAlias = Any  # a number of the arithmetic: it has + - * / with its own kind and with floats
Bit: TypeAlias = Any  # whether something holds

ROUND = 1.5 * 2.0**52  # adding it rounds to an integer, which is in the lowest bits then


class Double(NamedTuple):
    """A number in twice the precision: a double, and what is left of it (Dekker 1971)."""

    high: X
    low: X


class Arithmetic(Protocol):
    """What is needed besides + - * /."""

    def at_least(self, x: X, bound: float) -> X:
        """`x`, or the bound if that is greater; a NaN stays."""

    def at_most(self, x: X, bound: float) -> X:
        """`x`, or the bound if that is less; a NaN stays."""

    def power_of_two(self, k: X) -> X:
        """2^k for integers from -1022 to 1023; any number for a NaN."""

    def parts(self, x: X) -> tuple[X, X]:
        """k and m for positive, finite x: x = 2^k m, m from the root of 1/2 to that of 2; else any numbers."""

    def magnitude(self, x: X) -> X:
        """|x|."""

    def with_sign(self, size: X, x: X) -> X:
        """`size`, with the sign of x."""

    def less(self, x: X, y: X) -> Bit:
        """Whether x < y."""

    def greater(self, x: X, y: X) -> Bit:
        """Whether x > y."""

    def equal(self, x: X, y: X) -> Bit:
        """Whether x = y."""

    def bit(self, k: X, n: int) -> Bit:
        """The bit 2^n of an integer, of size below 2^51."""

    def choose(self, bit: Bit, x: X, y: X) -> X:
        """x where the bit is set, else y."""


def polynomial(x: X, coefficients: Sequence[X]) -> X:
    """That of the lowest coefficient first: two of x², which are computed side by side (Estrin 1960)."""
    if len(coefficients) == 1:
        return coefficients[0]
    pairs = [x * b + a for a, b in zip(coefficients[::2], coefficients[1::2], strict=False)]
    return polynomial(x * x, pairs + list(coefficients[len(pairs) * 2 :]))


def exact_sum(x: X, y: X) -> Double:
    """x + y, exactly (Knuth 1969), also where y is a product without rounding and contracted."""
    high = x + y
    part = high - x
    return Double(high, (x - (high - part)) + (y - part))


class Floats:
    """The arithmetic of Python's floats."""

    def at_least(self, x: float, bound: float) -> float:
        return bound if x < bound else x

    def at_most(self, x: float, bound: float) -> float:
        return bound if x > bound else x

    def power_of_two(self, k: float) -> float:
        return k if math.isnan(k) else math.ldexp(1.0, int(k))

    def parts(self, x: float) -> tuple[float, float]:
        m, k = math.frexp(x) if 0.0 < x < math.inf else (0.5, 1)
        return (k - 1.0, 2 * m) if m < math.sqrt(0.5) else (float(k), m)

    def magnitude(self, x: float) -> float:
        return abs(x)

    def with_sign(self, size: float, x: float) -> float:
        return math.copysign(size, x)

    def less(self, x: float, y: float) -> bool:
        return x < y

    def greater(self, x: float, y: float) -> bool:
        return x > y

    def equal(self, x: float, y: float) -> bool:
        return x == y

    def bit(self, k: float, n: int) -> bool:
        return bool(int(k) >> n & 1)

    def choose(self, bit: bool, x: float, y: float) -> float:
        return x if bit else y
