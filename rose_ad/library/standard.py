"""The elementwise functions of the Array API standard that Python has operators for, and those about signs
and bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..ir.types import F32, I64, Bool
from ..tracing.control import where
from ..tracing.numeric import UFUNCS
from ..tracing.values import lift


def _named(f: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


def _unary(name: str, doc: str) -> Callable[[Any], Any]:
    plain, traced = getattr(np, name), UFUNCS[name]
    return _named(lambda x, /: traced(x) if is_traced(x) else plain(x), name, doc)


def _binary(name: str, doc: str) -> Callable[[Any, Any], Any]:
    """numpy's function outside a trace, and what it is in one."""
    plain, traced = getattr(np, name), UFUNCS[name]

    def f(x1: Any, x2: Any, /) -> Any:
        return traced(x1, x2) if is_traced((x1, x2)) else plain(x1, x2)

    return _named(f, name, doc)


add = _binary("add", "x1 + x2.")
subtract = _binary("subtract", "x1 - x2.")
multiply = _binary("multiply", "x1 times x2.")
divide = _binary("divide", "x1 over x2, a Real.")
floor_divide = _binary("floor_divide", "x1 // x2, rounded down; of Ints by 0 it is 0.")
remainder = _binary("remainder", "x1 % x2, with the sign of x2; of Ints by 0 it is 0.")
negative = _unary("negative", "-x.")
positive = _unary("positive", "x.")
reciprocal = _unary("reciprocal", "1 / x.")
equal = _binary("equal", "Whether x1 is x2.")
not_equal = _binary("not_equal", "Whether x1 is not x2.")
less = _binary("less", "Whether x1 is below x2.")
less_equal = _binary("less_equal", "Whether x1 is below x2 or equal.")
greater = _binary("greater", "Whether x1 is above x2.")
greater_equal = _binary("greater_equal", "Whether x1 is above x2 or equal.")
bitwise_and = _binary("bitwise_and", "x1 & x2, bit by bit of Ints.")
bitwise_or = _binary("bitwise_or", "x1 | x2, bit by bit of Ints.")
bitwise_xor = _binary("bitwise_xor", "x1 ^ x2, bit by bit of Ints.")
bitwise_left_shift = _binary("left_shift", "x1 << x2, the bits of an Int moved up.")
bitwise_right_shift = _binary("right_shift", "x1 >> x2, its bits moved down, the sign staying.")
bitwise_invert = _unary("invert", "~x, each bit of an Int turned.")


def _conditions(*values: Any) -> None:
    if is_traced(values) and any(lift(x).scalar is not Bool for x in values):
        raise TypeMismatch("a logical function takes Bools", here(), "compare: x != 0")


def _logical(name: str, doc: str) -> Callable[[Any, Any], Any]:
    f = _binary(name, doc)

    def g(x1: Any, x2: Any, /) -> Any:
        _conditions(x1, x2)
        return f(x1, x2)

    return _named(g, name, doc)


logical_and = _logical("logical_and", "Whether both hold.")
logical_or = _logical("logical_or", "Whether one of two holds, or both.")
logical_xor = _logical("logical_xor", "Whether one of two holds, not both.")


def logical_not(x: Any, /) -> Any:
    """Whether it does not hold."""
    _conditions(x)
    return ~x if is_traced(x) else np.logical_not(x)


def signbit(x: Any) -> Any:
    """Whether a number has a minus, as -0.0 has and as NaN may have."""
    if not is_traced(x):
        return np.signbit(x)
    v = lift(x)
    return v < 0 if v.scalar is I64 else UFUNCS["signbit"](v)


def copysign(x: Any, y: Any) -> Any:
    """|x| with the sign of y. Its derivative in y is 0."""
    return UFUNCS["copysign"](x, y) if is_traced((x, y)) else np.copysign(x, y)


def nextafter(x: Any, y: Any) -> Any:
    """The number next to x towards y. Its derivative in x is 1."""
    return UFUNCS["nextafter"](x, y) if is_traced((x, y)) else np.nextafter(x, y)


def nan_to_num(x: Any, nan: float = 0.0) -> Any:
    """x with `nan` for NaN, and the largest finite numbers for infinities."""
    if not is_traced(x):
        return np.nan_to_num(x, nan=nan)
    v = lift(x)
    most = float(np.finfo(np.float32 if v.scalar is F32 else np.float64).max)
    bounded = where(v > most, most, where(v < -most, -most, v))
    return where(v == v, bounded, nan)
