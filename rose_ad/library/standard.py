"""The elementwise functions of the Array API standard that Python has operators for, and those about signs
and bits."""

from __future__ import annotations

import operator
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


def _as_numpy(name: str, doc: str) -> Callable[..., Any]:
    """numpy's function outside a trace, and what it is in one."""
    plain, traced = getattr(np, name), UFUNCS[name]

    def f(*args: Any) -> Any:
        return traced(*args) if is_traced(args) else plain(*args)

    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


add = _as_numpy("add", "x + y.")
subtract = _as_numpy("subtract", "x - y.")
multiply = _as_numpy("multiply", "x times y.")
divide = _as_numpy("divide", "x over y, a Real.")
floor_divide = _as_numpy("floor_divide", "x // y, the quotient rounded down; of Ints by 0 it is 0.")
remainder = _as_numpy("remainder", "x % y, with the sign of y; of Ints by 0 it is 0.")
negative = _as_numpy("negative", "-x.")
positive = _as_numpy("positive", "x.")
reciprocal = _as_numpy("reciprocal", "1 / x.")
equal = _as_numpy("equal", "Whether x is y.")
not_equal = _as_numpy("not_equal", "Whether x is not y.")
less = _as_numpy("less", "Whether x is below y.")
less_equal = _as_numpy("less_equal", "Whether x is below y or equal.")
greater = _as_numpy("greater", "Whether x is above y.")
greater_equal = _as_numpy("greater_equal", "Whether x is above y or equal.")
bitwise_and = _as_numpy("bitwise_and", "x & y, bit by bit of Ints.")
bitwise_or = _as_numpy("bitwise_or", "x | y, bit by bit of Ints.")
bitwise_xor = _as_numpy("bitwise_xor", "x ^ y, bit by bit of Ints.")


def _of_conditions(name: str, doc: str) -> Callable[..., Any]:
    f = _as_numpy(name, doc)

    def g(*args: Any) -> Any:
        if is_traced(args) and any(lift(x).scalar is not Bool for x in args):
            raise TypeMismatch(f"{name} takes Bools", here(), "compare: x != 0")
        return f(*args)

    g.__name__ = g.__qualname__ = name
    g.__doc__ = doc
    return g


logical_and = _of_conditions("logical_and", "Whether both hold.")
logical_or = _of_conditions("logical_or", "Whether one of two holds, or both.")
logical_xor = _of_conditions("logical_xor", "Whether one of two holds, not both.")
logical_not = _of_conditions("logical_not", "Whether it does not hold.")


def bitwise_invert(x: Any) -> Any:
    """~x, each bit of an Int turned."""
    return ~x if is_traced(x) else np.invert(x)


def bitwise_left_shift(x: Any, y: Any) -> Any:
    """x << y, the bits of an Int moved up."""
    return _shift(operator.lshift, np.left_shift, x, y)


def bitwise_right_shift(x: Any, y: Any) -> Any:
    """x >> y, the bits of an Int moved down, its sign staying."""
    return _shift(operator.rshift, np.right_shift, x, y)


def _shift(f: Any, plain: Any, x: Any, y: Any) -> Any:
    return f(lift(x), y) if is_traced((x, y)) else plain(x, y)


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
