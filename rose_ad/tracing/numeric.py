"""Elementary functions, elementwise, of traced values and of plain numpy ones alike.

Outside a traced function each is numpy's, so that code written with them runs either way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..ir.core import Atom, Const
from ..ir.types import F32, F64, I64, Bool, is_float
from .values import Traced, convert, elementwise, lift, numbers, promote, wrap


def floating(*values: Any) -> list[Traced]:
    """The values as traced Reals of one width."""
    out = promote(*values)
    return out if is_float(out[0].type) else [convert(v, F64) for v in out]


def _unary(name: str, plain: Any, doc: str) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        if not is_traced(x):
            return plain(x)
        return elementwise(lambda b, a: b.prim(name, a), *floating(x))

    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


def _rounding(name: str, plain: Any, doc: str) -> Callable[[Any], Any]:
    """As `_unary`; what is whole already is left as it is."""
    real = _unary(name, plain, doc)

    def f(x: Any) -> Any:
        return lift(x) if is_traced(x) and not is_float(lift(x).scalar) else real(x)

    f.__name__ = f.__qualname__ = name
    f.__doc__ = doc
    return f


sqrt = _unary("sqrt", np.sqrt, "The square root. Its derivative at 0 is infinite; see `norm`.")
exp = _unary("exp", np.exp, "e to the x.")
expm1 = _unary("expm1", np.expm1, "exp(x) - 1, exact near 0.")
log = _unary("log", np.log, "The natural logarithm.")
log1p = _unary("log1p", np.log1p, "log(1 + x), exact near 0.")
sin = _unary("sin", np.sin, "The sine of an angle in radians.")
cos = _unary("cos", np.cos, "The cosine of an angle in radians.")
tan = _unary("tan", np.tan, "The tangent of an angle in radians.")
asin = _unary("asin", np.arcsin, "The angle in [-pi/2, pi/2] with that sine.")
acos = _unary("acos", np.arccos, "The angle in [0, pi] with that cosine.")
atan = _unary("atan", np.arctan, "The angle in (-pi/2, pi/2) with that tangent.")
sinh = _unary("sinh", np.sinh, "The hyperbolic sine.")
cosh = _unary("cosh", np.cosh, "The hyperbolic cosine.")
tanh = _unary("tanh", np.tanh, "The hyperbolic tangent.")
softplus = _unary("softplus", lambda x: np.logaddexp(x, 0.0), "log(1 + exp(x)), without overflow.")
asinh = _unary("asinh", np.arcsinh, "The inverse of sinh.")
acosh = _unary("acosh", np.arccosh, "The inverse of cosh, for x >= 1.")
atanh = _unary("atanh", np.arctanh, "The inverse of tanh.")
log2 = _unary("log2", np.log2, "The logarithm to base 2, exact for its powers.")
log10 = _unary("log10", np.log10, "The logarithm to base 10, exact for its powers.")
floor = _rounding("floor", np.floor, "The greatest whole number not above x. Its derivative is 0.")
round = _rounding(
    "round", np.round, "The nearest whole number, the even one of two. Its derivative is 0."
)
ceil = _rounding("ceil", np.ceil, "The least whole number not below x. Its derivative is 0.")


def _error_function(
    name: str, of_number: Callable[[float], float], doc: str
) -> Callable[[Any], Any]:
    return _unary(name, np.vectorize(of_number, otypes=[float]), doc)


erf = _error_function("erf", math.erf, "2/sqrt(pi) times the integral of exp(-t²) from 0 to x.")
erfc = _error_function("erfc", math.erfc, "1 - erf(x), exact for large x.")


def square(x: Any) -> Any:
    """x times x."""
    return x * x


def logaddexp(x: Any, y: Any) -> Any:
    """log(exp(x) + exp(y)), without overflow."""
    if not is_traced((x, y)):
        return np.logaddexp(x, y)
    return elementwise(_logaddexp, *floating(x, y))


def _logaddexp(b: Any, x: Atom, y: Atom) -> Atom:
    """The greater, and softplus of how much less the other is: smooth where they are equal."""
    greater = b.prim("lt", y, x)
    high, low = b.prim("select", greater, x, y), b.prim("select", greater, y, x)
    endless = b.prim("and", b.prim("eq", x, y), _is_infinite(b, x))  # and inf - inf is NaN
    less = b.prim("select", endless, Const(0, x.type), b.prim("sub", low, high))
    return b.prim("add", high, b.prim("softplus", less))  # type: ignore[no-any-return]


def _is_infinite(b: Any, x: Atom) -> Atom:
    return b.prim("eq", b.prim("abs", x), Const(math.inf, x.type))  # type: ignore[no-any-return]


def trunc(x: Any) -> Any:
    """x without its fraction. Its derivative is 0."""
    if not is_traced(x):
        return np.trunc(x)
    return sign(x) * floor(abs(x)) if is_float(lift(x).scalar) else lift(x)


def isnan(x: Any) -> Any:
    """Whether x is not a number."""
    return lift(x) != x if is_traced(x) else np.isnan(x)


def isinf(x: Any) -> Any:
    """Whether x is an infinity."""
    return abs(x) == math.inf if is_traced(x) else np.isinf(x)


def isfinite(x: Any) -> Any:
    """Whether x is neither an infinity nor not a number."""
    return abs(x) < math.inf if is_traced(x) else np.isfinite(x)


def abs(x: Any) -> Any:
    """The absolute value. Its derivative at 0 is taken as 0."""
    return lift(x).__abs__() if is_traced(x) else np.abs(x)


def sign(x: Any) -> Any:
    """-1, 0 or 1. Its derivative is 0."""
    if not is_traced(x):
        return np.sign(x)
    return elementwise(lambda b, a: b.prim("sign", a), numbers(x, "the sign"))


def atan2(y: Any, x: Any) -> Any:
    """The angle of the point (x, y) from the x axis, in radians."""
    if not is_traced((y, x)):
        return np.arctan2(y, x)
    return elementwise(lambda b, p, q: b.prim("atan2", p, q), *floating(y, x))


def pow(x: Any, y: Any) -> Any:
    """x to the y, as `x ** y`."""
    return lift(x) ** y if is_traced((x, y)) else np.power(x, y)


def minimum(x: Any, y: Any) -> Any:
    """The lesser of two values, elementwise; the second on a tie, NaN where one is."""
    if not is_traced((x, y)):
        return np.minimum(x, y)
    return _picked("min", "and", x, y)


def maximum(x: Any, y: Any) -> Any:
    """The greater of two values, elementwise; the second on a tie, NaN where one is."""
    if not is_traced((x, y)):
        return np.maximum(x, y)
    return _picked("max", "or", x, y)


def _picked(number: str, condition: str, x: Any, y: Any) -> Any:
    """By a primitive of numbers, or by one of conditions."""
    a, c = promote(x, y)
    name = condition if a.scalar is Bool else number
    return elementwise(lambda b, p, q: b.prim(name, p, q), a, c)


def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """x, or the bound it is beyond; None is no bound."""
    if min is not None:
        x = maximum(x, min)
    return x if max is None else minimum(x, max)


def hypot(x: Any, y: Any) -> Any:
    """sqrt(x² + y²), with gradient 0 at the origin."""
    if not is_traced((x, y)):
        return np.hypot(x, y)
    return elementwise(_hypot, *floating(x, y))


def _hypot(b: Any, x: Atom, y: Atom) -> Atom:
    """The root, or what is infinite, whatever the other is."""
    root = b.prim("norm_sqrt", b.prim("add", b.prim("mul", x, x), b.prim("mul", y, y)))
    endless = b.prim("or", _is_infinite(b, x), _is_infinite(b, y))
    return b.prim("select", endless, Const(math.inf, x.type), root)  # type: ignore[no-any-return]


def root_of_square(square: Any) -> Any:
    """The root of a sum of squares, whose derivative at 0 is taken as 0."""
    return elementwise(lambda b, a: b.prim("norm_sqrt", a), *floating(square))


def to_int(x: Any) -> Any:
    """x rounded toward zero, as an Int, and beyond 64 bits the nearest Int; 0 for a NaN, 1 or 0 for a Bool."""
    return convert(x, I64) if is_traced(x) else _to_int(np.asarray(x))[()]


def _to_int(x: Any) -> Any:
    if x.dtype.kind != "f":
        return x.astype(np.int64)
    inside = np.abs(x) < 2.0**63
    bounds = np.iinfo(np.int64)
    beyond = np.where(np.isnan(x), 0, np.where(x > 0, bounds.max, bounds.min))
    return np.where(inside, np.where(inside, x, 0).astype(np.int64), beyond)


def to_real(x: Any) -> Any:
    """x as a Real."""
    return wrap(convert(x, F64).atom) if is_traced(x) else np.asarray(x, np.float64)[()]


def astype(x: Any, dtype: Any) -> Any:
    """x with entries of another type: float64, float32, int64 or bool, as numpy names them.

    A Real becomes an Int as by `to_int`, and a number becomes a Bool by whether it is not 0.
    """
    wanted = _BY_DTYPE.get(np.dtype(dtype))
    if wanted is None:
        raise TypeMismatch(
            f"there are no values of type {np.dtype(dtype)}",
            here(),
            "float64, float32, int64 or bool",
        )
    if not is_traced(x):
        return to_int(x) if wanted is I64 else np.asarray(x).astype(dtype)[()]
    if wanted is Bool and lift(x).scalar is not Bool:
        return lift(x) != 0
    return wrap(convert(x, wanted).atom)


_BY_DTYPE = {t.dtype: t for t in (F64, F32, I64, Bool)}


def _nextafter(x: Any, y: Any) -> Any:
    a, c = floating(x, y)
    if a.scalar is F32:
        raise TypeMismatch("there is no nextafter of Real32", here(), "ra.to_real(x)")
    return elementwise(lambda b, p, q: b.prim("nextafter", p, q), a, c)


UFUNCS: dict[str, Callable[..., Any]] = {
    "sqrt": sqrt,
    "exp": exp,
    "expm1": expm1,
    "log": log,
    "log1p": log1p,
    "sin": sin,
    "cos": cos,
    "tan": tan,
    "arcsin": asin,
    "arccos": acos,
    "arctan": atan,
    "arctan2": atan2,
    "sinh": sinh,
    "cosh": cosh,
    "tanh": tanh,
    "floor": floor,
    "ceil": ceil,
    "absolute": abs,
    "sign": sign,
    "minimum": minimum,
    "maximum": maximum,
    "hypot": hypot,
    "power": pow,
    "add": lambda x, y: lift(x) + y,
    "subtract": lambda x, y: lift(x) - y,
    "multiply": lambda x, y: lift(x) * y,
    "divide": lambda x, y: lift(x) / y,
    "floor_divide": lambda x, y: lift(x) // y,
    "remainder": lambda x, y: lift(x) % y,
    "matmul": lambda x, y: lift(x) @ y,
    "negative": lambda x: -x,
    "square": square,
    "log2": log2,
    "log10": log10,
    "arcsinh": asinh,
    "arccosh": acosh,
    "arctanh": atanh,
    "logaddexp": logaddexp,
    "rint": round,
    "trunc": trunc,
    "isnan": isnan,
    "isinf": isinf,
    "isfinite": isfinite,
    "reciprocal": lambda x: 1.0 / x,
    "bitwise_and": lambda x, y: lift(x) & y,
    "bitwise_or": lambda x, y: lift(x) | y,
    "bitwise_xor": lambda x, y: lift(x) ^ y,
    "invert": lambda x: ~lift(x),
    "left_shift": lambda x, y: lift(x) << y,
    "right_shift": lambda x, y: lift(x) >> y,
    "logical_xor": lambda x, y: lift(x) ^ y,
    "logical_and": lambda x, y: lift(x) & y,
    "logical_or": lambda x, y: lift(x) | y,
    "copysign": lambda x, y: elementwise(lambda b, p, q: b.prim("copysign", p, q), *floating(x, y)),
    "signbit": lambda x: UFUNCS["copysign"](1.0, x) < 0,
    "nextafter": _nextafter,
    "positive": lift,
    "logical_not": lambda x: ~lift(x),
    "less": lambda x, y: lift(x) < y,
    "greater": lambda x, y: lift(x) > y,
    "less_equal": lambda x, y: lift(x) <= y,
    "greater_equal": lambda x, y: lift(x) >= y,
    "equal": lambda x, y: lift(x) == y,
    "not_equal": lambda x, y: lift(x) != y,
}
