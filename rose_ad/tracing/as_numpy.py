"""What numpy's functions, and the methods of its arrays, do to traced values: `np.sum(x, axis=0)`, `x.sum(0)`.

FUNCTIONS has each with numpy's own signature, as far as it has a meaning here; what is not in it is refused.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..ir.types import I64
from . import arrays, linalg, numeric, reduce, sorting
from .control import where
from .einsum import einsum
from .indexing import axis_of, broadcast_to
from .values import INSTALLED, lift


def _over_axes(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, axis=None, keepdims=False: f(a, axis=axis, keepdims=keepdims)


def _spread(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, axis=None, ddof=0, keepdims=False: f(
        a, axis=axis, correction=ddof, keepdims=keepdims
    )


def _along(f: Callable[..., Any], otherwise: int | None) -> Callable[..., Any]:
    return lambda a, axis=otherwise: f(a, axis=axis)


def _take(a: Any, indices: Any, axis: int | None = None) -> Any:
    return arrays.take(arrays.ravel(a), indices) if axis is None else arrays.take(a, indices, axis)


def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    return arrays.diff(a, axis=axis, n=n, prepend=prepend, append=append)


def _pad(array: Any, pad_width: Any, mode: str = "constant", constant_values: float = 0) -> Any:
    if mode != "constant":
        raise TypeMismatch(f"np.pad of a traced value with mode {mode!r}", here(), "a constant")
    return arrays.pad(array, pad_width, constant_values)


def _round(a: Any, decimals: int = 0) -> Any:
    x = lift(a)
    if decimals == 0 or (x.scalar is I64 and decimals > 0):
        return numeric.round(x)
    scale = 10.0**decimals
    out = numeric.round(x * scale) / scale
    return numeric.to_int(out) if x.scalar is I64 else out


def _clip(a: Any, a_min: Any = None, a_max: Any = None) -> Any:
    if a_min is not None:
        a = numeric.maximum(a, a_min)
    return a if a_max is None else numeric.minimum(a, a_max)


def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    v = lift(a)
    order = list(builtins.range(v.ndim))
    i, j = axis_of(axis1, v.ndim), axis_of(axis2, v.ndim)
    order[i], order[j] = order[j], order[i]
    return arrays.transpose(v, order)


def _dot(a: Any, b: Any) -> Any:
    x, y = lift(a), lift(b)
    if not x.shape or not y.shape:
        return numeric.UFUNCS["multiply"](x, y)
    if x.ndim > 2 or y.ndim > 2:
        raise TypeMismatch(
            f"np.dot of shapes {x.shape} and {y.shape}", here(), "ra.matmul, or ra.einsum"
        )
    return linalg.matmul(x, y)


def _hstack(tup: Sequence[Any]) -> Any:
    parts: list[Any] = [_at_least(1, x) for x in tup]
    return arrays.concatenate(parts, 0 if parts[0].ndim == 1 else 1)


def _vstack(tup: Sequence[Any]) -> Any:
    return arrays.concatenate([_at_least(2, x) for x in tup], 0)


def _at_least(ndim: int, x: Any) -> Any:
    v = lift(x)
    return v if v.ndim >= ndim else arrays.reshape(v, (1,) * (ndim - v.ndim) + v.shape)


def _identity(a: Any) -> Any:
    return lift(a)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _over_axes(reduce.sum),
    np.prod: _over_axes(reduce.prod),
    np.mean: _over_axes(reduce.mean),
    np.var: _spread(reduce.var),
    np.std: _spread(reduce.std),
    np.min: _over_axes(reduce.min),
    np.max: _over_axes(reduce.max),
    np.amin: _over_axes(reduce.min),
    np.amax: _over_axes(reduce.max),
    np.any: _over_axes(reduce.any),
    np.all: _over_axes(reduce.all),
    np.argmin: _over_axes(reduce.argmin),
    np.argmax: _over_axes(reduce.argmax),
    np.sort: _along(sorting.sort, -1),
    np.argsort: _along(sorting.argsort, -1),
    np.cumsum: _along(reduce.cumsum, None),
    np.cumprod: _along(reduce.cumprod, None),
    np.trace: lambda a: reduce.trace(a),
    np.reshape: lambda a, shape: arrays.reshape(a, shape),
    np.ravel: lambda a: arrays.ravel(a),
    np.transpose: lambda a, axes=None: arrays.transpose(a, axes),
    np.moveaxis: lambda a, source, destination: arrays.moveaxis(a, source, destination),
    np.swapaxes: _swapaxes,
    np.squeeze: lambda a, axis=None: arrays.squeeze(a, axis),
    np.expand_dims: lambda a, axis: arrays.expand_dims(a, axis),
    np.concatenate: lambda arrays_, axis=0: arrays.concatenate(arrays_, axis),
    np.stack: lambda arrays_, axis=0: arrays.stack(arrays_, axis),
    np.hstack: _hstack,
    np.vstack: _vstack,
    np.roll: lambda a, shift, axis=None: arrays.roll(a, shift, axis),
    np.pad: _pad,
    np.flip: lambda m, axis=None: arrays.flip(m, axis),
    np.tile: lambda A, reps: arrays.tile(A, reps),
    np.repeat: lambda a, repeats, axis=None: arrays.repeat(a, repeats, axis=axis),
    np.take: _take,
    np.diff: _diff,
    np.diagonal: lambda a, offset=0: arrays.diagonal(a, offset),
    np.tril: lambda m, k=0: arrays.tril(m, k),
    np.triu: lambda m, k=0: arrays.triu(m, k),
    np.broadcast_to: lambda array, shape: broadcast_to(array, shape),
    np.linspace: lambda start, stop, num=50: arrays.linspace(start, stop, num),
    np.zeros_like: lambda a: arrays.zeros_like(a),
    np.ones_like: lambda a: arrays.ones_like(a),
    np.full_like: lambda a, fill_value: arrays.full_like(a, fill_value),
    np.copy: _identity,
    np.round: _round,
    np.around: _round,
    np.clip: _clip,
    np.where: lambda condition, x, y: where(condition, x, y),
    np.dot: _dot,
    np.einsum: einsum,
    np.outer: lambda a, b: linalg.outer(a, b),
    np.cross: lambda a, b: linalg.cross(a, b),
    np.shape: lambda a: lift(a).shape,
    np.ndim: lambda a: lift(a).ndim,
    np.size: lambda a: lift(a).size,
}

_METHODS = (
    "sum prod mean var std min max any all argmin argmax argsort cumsum cumprod trace ravel swapaxes squeeze "
    "repeat take diagonal copy round clip dot"
).split()


def _spelled(a: Any) -> Any:
    """`x.reshape(2, 3)` for `x.reshape((2, 3))`."""
    return a[0] if len(a) == 1 and not isinstance(a[0], int) else a


def _whole(a: Any) -> Any:
    return numeric.to_int(numeric.round(a))


METHODS: dict[str, Callable[..., Any]] = {
    **{name: FUNCTIONS[getattr(np, name)] for name in _METHODS},
    "flatten": FUNCTIONS[np.ravel],
    "reshape": lambda a, *shape: arrays.reshape(a, _spelled(shape)),
    "transpose": lambda a, *axes: arrays.transpose(a, _spelled(axes) if axes else None),
    "astype": numeric.astype,
}
# what divmod, round, math.floor, math.ceil and math.trunc of Python ask of a number
OF_NUMBERS: dict[str, Callable[..., Any]] = {
    "__divmod__": lambda a, other: (a // other, a % other),
    "__rdivmod__": lambda a, other: (other // a, other % a),
    "__round__": lambda a, digits=None: _round(a, digits) if digits is not None else _whole(a),
    "__floor__": lambda a: numeric.to_int(numeric.floor(a)),
    "__ceil__": lambda a: numeric.to_int(numeric.ceil(a)),
    "__trunc__": lambda a: numeric.to_int(a),
}


_OF_UFUNCS = {
    "reduce": "ra.sum, ra.prod, ra.max or ra.min",
    "accumulate": "ra.cumsum, ra.cumprod, ra.cummax or ra.cummin",
    "at": "x.at[i].add(v), or an accumulator, ra.accum",
    "outer": "ra.outer, or x[:, None] and y[None, :]",
}
"""What is to be written for the methods of numpy's universal functions."""


def universal_function(
    ufunc: np.ufunc, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]
) -> Any:
    """What one of numpy's universal functions is for traced values; TypeMismatch where it is nothing."""
    f = numeric.UFUNCS.get(ufunc.__name__) or INSTALLED["late_function"](ufunc)
    name = f"np.{ufunc.__name__}"
    if method != "__call__":
        what = f"{name}.{method} does not know traced values"
        raise TypeMismatch(what, here(), _OF_UFUNCS.get(method, ""))
    if "out" in kwargs:
        what = f"{name} into an array of numpy, as in v += x, of a traced value"
        raise TypeMismatch(what, here(), "v = v + x, for an array of numpy cannot hold it")
    if f is None or kwargs:
        raise TypeMismatch(f"{name} does not know traced values", here(), INSTALLED["named"](name))
    return f(*inputs)


def array_function(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What one of numpy's functions is for traced values; TypeMismatch where it is nothing."""
    name = f"{func.__module__}.{func.__name__}".replace("numpy", "np", 1)
    f = FUNCTIONS.get(func) or INSTALLED["late_function"](func)
    if f is None:
        raise TypeMismatch(f"{name} does not know traced values", here(), INSTALLED["named"](name))
    try:
        inspect.signature(f).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeMismatch(f"{name} of traced values: {error}", here()) from None
    return f(*args, **kwargs)
