"""Elementary functions, reductions and small vector algebra, of traced values and of plain numpy ones alike.

Outside a traced function each is numpy's, so that code written with them runs either way.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .accumulator import Accumulator
from .control import build, total
from .source import TypeMismatch, here
from .trace import current
from .tree import flatten
from .types import F32, F64, I64, Array, Bool, Scalar, Type
from .values import Traced, convert, elementwise, lift, promote


def _traced(*values: Any) -> bool:
    return any(isinstance(leaf, Traced | Accumulator) for leaf in flatten(values)[0])


def _is_float(x: Traced) -> bool:
    return _scalar(x.type) in (F64, F32)


def _scalar(t: Type) -> Scalar:
    return t.scalar if isinstance(t, Array) else t  # type: ignore[return-value]


def _floating(*values: Any) -> list[Traced]:
    out = promote(*values)
    return out if _is_float(out[0]) else [convert(v, F64) for v in out]


def _unary(name: str, plain: Any, doc: str) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        if not _traced(x):
            return plain(x)
        return elementwise(lambda b, a: b.prim(name, a), *_floating(x))

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
floor = _unary("floor", np.floor, "The greatest whole number not above x. Its derivative is 0.")
ceil = _unary("ceil", np.ceil, "The least whole number not below x. Its derivative is 0.")


def abs(x: Any) -> Any:
    """The absolute value. Its derivative at 0 is taken as 0."""
    return elementwise(lambda b, a: b.prim("abs", a), x) if _traced(x) else np.abs(x)


def sign(x: Any) -> Any:
    """-1, 0 or 1. Its derivative is 0."""
    return elementwise(lambda b, a: b.prim("sign", a), x) if _traced(x) else np.sign(x)


def atan2(y: Any, x: Any) -> Any:
    """The angle of the point (x, y) from the x axis, in radians."""
    if not _traced(y, x):
        return np.arctan2(y, x)
    return elementwise(lambda b, p, q: b.prim("atan2", p, q), *_floating(y, x))


def pow(x: Any, y: Any) -> Any:
    """x to the y, as `x ** y`."""
    return x**y if _traced(x, y) else np.power(x, y)


def minimum(x: Any, y: Any) -> Any:
    """The lesser of two values, elementwise; the second on a tie or where one is NaN."""
    if not _traced(x, y):
        return np.minimum(x, y)
    return elementwise(lambda b, p, q: b.prim("min", p, q), *promote(x, y))


def maximum(x: Any, y: Any) -> Any:
    """The greater of two values, elementwise; the second on a tie or where one is NaN."""
    if not _traced(x, y):
        return np.maximum(x, y)
    return elementwise(lambda b, p, q: b.prim("max", p, q), *promote(x, y))


def clip(x: Any, low: Any, high: Any) -> Any:
    """x, or the bound it is beyond."""
    return minimum(maximum(x, low), high)


def hypot(x: Any, y: Any) -> Any:
    """sqrt(x² + y²), with gradient 0 at the origin."""
    return _root(x * x + y * y) if _traced(x, y) else np.hypot(x, y)


def _root(square: Any) -> Any:
    return elementwise(lambda b, a: b.prim("norm_sqrt", a), *_floating(square))


def to_int(x: Any) -> Any:
    """x rounded toward zero, as an Int; 1 or 0 for a Bool."""
    return convert(x, I64) if _traced(x) else np.trunc(x).astype(np.int64)


def to_real(x: Any) -> Any:
    """x as a Real."""
    return convert(x, F64) if _traced(x) else np.asarray(x, np.float64)[()]


# ------------------------------------------------------------------------------------- reductions


def sum(x: Any, f: Callable[[Any], Any] | None = None) -> Any:
    """`sum(a)`: the sum of all entries of an array. `sum(n, f)`: the sum of f(i) for i in 0 .. n - 1."""
    if f is not None:
        return total(x, f)
    return np.sum(x) if not _traced(x) else _reduced(lift(x))


def _reduced(x: Traced) -> Any:
    if _scalar(x.type) is Bool:
        x = convert(x, I64)
    if not x.shape:
        return x
    if 0 < x.shape[0] <= 4:
        rows = [_reduced(x[k]) for k in builtins.range(x.shape[0])]  # type: ignore[index]
        out = rows[0]
        for row in rows[1:]:
            out = out + row
        return out
    return total(x.shape[0], lambda i: _reduced(x[i]))  # type: ignore[index]


def mean(x: Any) -> Any:
    """The mean of all entries of an array."""
    if not _traced(x):
        return np.mean(x)
    v = lift(x)
    return sum(v) / float(math.prod(v.shape))


def _extreme(name: str, pick: Callable[[Any, Any], Any], plain: Any) -> Callable[..., Any]:
    def f(x: Any, *others: Any) -> Any:
        if not _traced(x, *others):
            return plain(x) if not others else plain((x, *others))
        if others:
            out = x
            for y in others:
                out = pick(out, y)
            return out
        return _fold(lift(x), pick)

    f.__name__ = f.__qualname__ = name
    f.__doc__ = f"The {name}imum of several values, or of all entries of an array."
    return f


def _fold(x: Traced, pick: Callable[[Any, Any], Any]) -> Any:
    from .control import fori_loop

    if not x.shape:
        return x
    n = x.shape[0]
    if n == 0:
        raise TypeMismatch("the extreme of an array without entries", here())
    first = _fold(x[0], pick)  # type: ignore[index]
    return fori_loop(1, n, lambda i, best: pick(best, _fold(x[i], pick)), first)  # type: ignore[index]


min = _extreme("min", minimum, np.min)
max = _extreme("max", maximum, np.max)


# ------------------------------------------------------------------------------------ linear algebra


def dot(x: Any, y: Any) -> Any:
    """The inner product of two vectors of one length."""
    if not _traced(x, y):
        return np.dot(x, y)
    a, b = lift(x), lift(y)
    if a.ndim != 1 or a.shape != b.shape:
        raise TypeMismatch(
            f"dot takes two vectors of one length, not {a.shape} and {b.shape}",
            here(),
            "ra.matmul for matrices",
        )
    return sum(a * b)


def matmul(x: Any, y: Any) -> Any:
    """The product of matrices (n, k) and (k, m), or of a matrix and a vector (k,)."""
    if not _traced(x, y):
        return np.matmul(x, y)
    a, b = promote(x, y)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[1] != b.shape[0]:
        raise TypeMismatch(f"shapes {a.shape} and {b.shape} cannot be multiplied", here())
    n, k = a.shape
    left: Any = a
    right: Any = b
    if b.ndim == 1:
        return build(n, lambda i: total(k, lambda j: left[i, j] * right[j]))
    return build(
        n, lambda i: build(b.shape[1], lambda m: total(k, lambda j: left[i, j] * right[j, m]))
    )


def norm(x: Any) -> Any:
    """The Euclidean length of a vector (of all entries of an array), with gradient 0 at the zero vector."""
    if not _traced(x):
        return np.linalg.norm(np.ravel(x))
    v: Any = lift(x)
    return _root(sum(v * v))


def cross(x: Any, y: Any) -> Any:
    """The cross product: a number for vectors of 2, a vector for vectors of 3."""
    if len(x) == 2:
        return x[0] * y[1] - x[1] * y[0]
    parts = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]]
    return array(parts) if _traced(x, y) else np.array(parts)


def array(rows: Any) -> Any:
    """An array of these rows; while tracing, a traced one, which traced Ints can index."""
    return lift(rows) if current() is not None else np.asarray(rows)


def full(shape: int | tuple[int, ...], value: Any) -> Any:
    """An array of that shape with every entry `value`."""
    if not _traced(value):
        return np.full(shape, value)
    sizes = (shape,) if isinstance(shape, int) else shape
    out = value
    for n in reversed(sizes):
        out = _repeated(n, out)
    return out


def _repeated(n: int, row: Any) -> Any:
    return build(n, lambda _: row)


def zeros(shape: int | tuple[int, ...]) -> Any:
    """A literal array of zeros."""
    return np.zeros(shape)


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
    "negative": lambda x: -x,
    "less": lambda x, y: lift(x) < y,
    "greater": lambda x, y: lift(x) > y,
    "less_equal": lambda x, y: lift(x) <= y,
    "greater_equal": lambda x, y: lift(x) >= y,
    "equal": lambda x, y: lift(x) == y,
    "not_equal": lambda x, y: lift(x) != y,
}
