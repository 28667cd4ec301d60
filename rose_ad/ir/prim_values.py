"""The values of scalar primitives for Python's floats and ints: those of IEEE 754 and C where Python raises."""

from __future__ import annotations

import math
from collections.abc import Callable


def guarded(f: Callable[..., float]) -> Callable[..., float]:
    """Python's math raises where IEEE 754 answers with nan or an infinity."""

    def evaluate(*args: float) -> float:
        try:
            return f(*args)
        except OverflowError:
            odd = f is math.sinh or (f is power and args[1] % 2 == 1)
            return math.copysign(math.inf, args[0]) if odd else math.inf
        except ValueError:
            return math.nan

    return evaluate


def divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def least(a: float, b: float) -> float:
    """The lesser, the second on a tie; NaN if either is."""
    return a if a < b or a != a else b


def greatest(a: float, b: float) -> float:
    """The greater, the second on a tie; NaN if either is."""
    return a if a > b or a != a else b


def with_pole(f: Callable[[float], float], at: float) -> Callable[[float], float]:
    """A logarithm: minus infinity at a point."""
    return guarded(lambda x: -math.inf if x == at else f(x))


def atanh(x: float) -> float:
    return math.copysign(math.inf, x) if abs(x) == 1 else math.atanh(x)


def power(x: float, y: float) -> float:
    if x == 0 and y < 0:
        return math.copysign(math.inf, x) if y % 2 == 1 else math.inf
    return math.pow(x, y)


def sign(x: float) -> float:
    return type(x)(1) if x > 0 else type(x)(-1) if x < 0 else x


def rounded_by(f: Callable[[float], float]) -> Callable[[float], float]:
    return lambda x: math.copysign(f(x), x) if math.isfinite(x) else x


def to_int(x: float) -> int:
    """Toward zero; what is beyond 64 bits becomes the nearest that is not, nan becomes 0."""
    if abs(x) < 2.0**63:
        return int(x)
    return 0 if math.isnan(x) else 2**63 - 1 if x > 0 else -(2**63)
