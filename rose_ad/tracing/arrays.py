"""Arrays: making, reshaping, joining and picking, with the names and meanings of the Array API standard.

Outside a traced function each is numpy's. A reshape costs nothing; the others copy entry by entry, in loops
that the consumer of the result often absorbs.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..base.errors import MemoryLimit, OutOfRange, TypeMismatch
from ..base.memory import memory_limit
from ..base.source import here
from ..base.tree import is_traced
from ..ir.core import Const
from ..ir.types import F32, I64, Bool, array_type
from .accumulator import Accumulator
from .control import build, cond, where
from .control import range as loop
from .indexing import Shape, as_shape, at, axis_of, broadcast_to, generate, index
from .numeric import astype
from .trace import current
from .values import common_scalar, convert, is_python_number, lift, located, promote, wrap
from .values import stack as packed

# ------------------------------------------------------------------------------------------ making


def _literal(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a literal array; MemoryLimit where it is traced and would not fit."""
    size, limit = 8 * math.prod(shape), memory_limit()
    if current() is not None and size > limit:
        raise MemoryLimit(
            f"a literal array of shape {shape} takes {size:,} bytes, more than the limit of {limit:,}",
            here(),
            "a smaller one, or raise the limit (ROSE_AD_MEMORY, in bytes)",
        )
    return shape


# `dtype` is float64, float32, int64 or bool, as numpy takes them; by default that of the values, else float64


def array(rows: Any, dtype: Any = None) -> Any:
    """An array of these rows; while tracing, a traced one, which traced Ints can index."""
    out = lift(rows) if current() is not None else np.asarray(rows)
    return out if dtype is None else astype(out, dtype)


def asarray(x: Any, dtype: Any = None, *, copy: bool | None = None) -> Any:
    """`array`; with `copy` never the same memory, which matters outside a trace alone."""
    out = array(x, dtype)
    return out.copy() if copy and isinstance(out, np.ndarray) else out


def full(shape: Shape, fill_value: Any, *, dtype: Any = None) -> Any:
    """An array of that shape with every entry `fill_value`."""
    if is_traced(fill_value):
        entry = fill_value if dtype is None else astype(fill_value, dtype)
        return broadcast_to(entry, as_shape(shape))
    return array(np.full(_literal(as_shape(shape)), fill_value, dtype))


def zeros(shape: Shape, *, dtype: Any = None) -> Any:
    """An array of zeros."""
    return array(np.zeros(_literal(as_shape(shape)), dtype or np.float64))


def ones(shape: Shape, *, dtype: Any = None) -> Any:
    """An array of ones."""
    return array(np.ones(_literal(as_shape(shape)), dtype or np.float64))


def zeros_like(x: Any, *, dtype: Any = None) -> Any:
    """Zeros of the shape of an array."""
    return full_like(x, 0, dtype=dtype)


def ones_like(x: Any, *, dtype: Any = None) -> Any:
    """Ones of the shape of an array."""
    return full_like(x, 1, dtype=dtype)


# there is no memory that is not set
empty, empty_like = zeros, zeros_like


def full_like(x: Any, fill_value: Any, *, dtype: Any = None) -> Any:
    """An array of the shape of another with every entry `fill_value`, and of its type."""
    if not is_traced((x, fill_value)):
        return array(np.full_like(x, fill_value, dtype))
    v = lift(x)
    entry = convert(fill_value, v.scalar) if dtype is None else astype(lift(fill_value), dtype)
    return full(v.shape, entry) if v.shape else entry


def arange(start: Any, stop: Any = None, step: Any = 1, *, dtype: Any = None) -> Any:
    """`start`, `start + step`, … up to and without `stop`; the three are Python numbers."""
    low, high = (0, start) if stop is None else (start, stop)
    if step:
        _literal((math.ceil((high - low) / step),))
    return array(np.arange(low, high, step, dtype=dtype))


def linspace(start: Any, stop: Any, num: int, *, endpoint: bool = True, dtype: Any = None) -> Any:
    """`num` evenly spaced values from `start` to `stop`, which is the last one, or would be the next."""
    if not is_traced((start, stop)):
        return array(np.linspace(start, stop, num, endpoint, dtype=dtype))
    part = np.linspace(0.0, 1.0, num, endpoint)
    if common_scalar(*(v if is_python_number(v) else lift(v) for v in (start, stop))) is F32:
        part = part.astype(np.float32)
    out = start * (1 - part) + stop * part
    return out if dtype is None else astype(out, dtype)


def eye(n: int, m: int | None = None, *, k: int = 0, dtype: Any = None) -> Any:
    """The identity matrix, n by n, or n by m with ones on its k-th diagonal."""
    rows, columns = _literal((n, n if m is None else m))
    return array(np.eye(rows, columns, k, dtype or np.float64))


def meshgrid(*axes: Any, indexing: str = "xy") -> list[Any]:
    """Coordinate arrays of a grid, as numpy's: of shape (ny, nx) with "xy", (nx, ny) with "ij"."""
    if not is_traced(axes):
        return list(np.meshgrid(*axes, indexing=indexing))  # type: ignore[call-overload]
    lifted: list[Any] = [lift(a) for a in axes]
    order = list(range(len(lifted)))
    if indexing == "xy" and len(order) > 1:
        order[0], order[1] = 1, 0
    shape = [lifted[k].shape[0] for k in order]
    return [
        generate(shape, lambda *i, a=a, k=k: a[i[order.index(k)]]) for k, a in enumerate(lifted)
    ]


# --------------------------------------------------------------------------------------- reshaping


def reshape(x: Any, shape: Shape) -> Any:
    """The same entries in the same order, with another shape; one length may be -1, what is left over."""
    if not is_traced(x):
        return np.reshape(x, as_shape(shape))
    v = lift(x)
    sizes, count = list(as_shape(shape)), math.prod(v.shape)
    if -1 in sizes:
        known = -math.prod(sizes)
        if sizes.count(-1) > 1 or known == 0 or count % known:
            raise TypeMismatch(
                f"an array of shape {v.shape} cannot take shape {tuple(sizes)}", here()
            )
        sizes[sizes.index(-1)] = count // known
    if math.prod(sizes) != count or any(n < 0 for n in sizes):
        raise TypeMismatch(f"an array of shape {v.shape} cannot take shape {tuple(sizes)}", here())
    if not v.shape:
        return (
            packed([v]) if not sizes[1:] and sizes else reshape(packed([v]), sizes) if sizes else v
        )
    if not sizes:
        out: Any = v
        while out.ndim:
            out = out[0]
        return out
    return wrap(located().reshape(v.atom, tuple(sizes)))


def ravel(x: Any) -> Any:
    """All entries in order."""
    return reshape(x, (-1,)) if not is_traced(x) or 0 not in lift(x).shape else reshape(x, (0,))


def permute_dims(x: Any, axes: Sequence[int] | None = None) -> Any:
    """The array with its axes in another order, reversed by default."""
    if not is_traced(x):
        return np.transpose(x, axes)
    v: Any = lift(x)
    order = (
        tuple(reversed(range(v.ndim))) if axes is None else tuple(axis_of(a, v.ndim) for a in axes)
    )
    if sorted(order) != list(range(v.ndim)):
        raise TypeMismatch(f"axes {axes} are not an order of the axes of {v.shape}", here())
    kept = v.ndim  # trailing axes that stay where they are move as blocks
    while kept and order[kept - 1] == kept - 1:
        kept -= 1
    if kept == 0:
        return v
    moved = order[:kept]

    def entry(*i: Any) -> Any:
        source = [i[moved.index(a)] for a in range(kept)]
        return v[tuple(source)]

    return generate([v.shape[a] for a in moved], entry)


transpose = permute_dims


def matrix_transpose(x: Any) -> Any:
    """The array with its last two axes exchanged."""
    return moveaxis(x, -1, -2)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """The array with some axes moved to other places, the rest in order."""
    if not is_traced(x):
        return np.moveaxis(x, source, destination)
    v = lift(x)
    sources = [axis_of(a, v.ndim) for a in as_shape(source)]
    places = [axis_of(a, v.ndim) for a in as_shape(destination)]
    order = [a for a in range(v.ndim) if a not in sources]
    for place, a in sorted(zip(places, sources, strict=True)):
        order.insert(place, a)
    return permute_dims(v, order)


def squeeze(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """The array without axes of length 1, all of them or those given."""
    if not is_traced(x):
        return np.squeeze(x, axis=axis if axis is None or isinstance(axis, int) else tuple(axis))
    v = lift(x)
    gone = [k for k, n in enumerate(v.shape) if n == 1] if axis is None else [
        axis_of(a, v.ndim) for a in as_shape(axis)]  # fmt: skip
    if any(v.shape[k] != 1 for k in gone):
        raise TypeMismatch(f"an axis of {v.shape} that is squeezed is not of length 1", here())
    return reshape(v, tuple(n for k, n in enumerate(v.shape) if k not in gone))


def expand_dims(x: Any, axis: int = 0) -> Any:
    """The array with a new axis of length 1."""
    if not is_traced(x):
        return np.expand_dims(x, axis)
    v = lift(x)
    place = axis_of(axis, v.ndim + 1)
    return reshape(v, (*v.shape[:place], 1, *v.shape[place:]))


# ----------------------------------------------------------------------------------------- joining


def concat(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """The arrays one after the other along an axis; all their entries in order without one."""
    if axis is None:
        return concat([ravel(a) for a in arrays])
    if not is_traced(arrays):
        return np.concatenate(arrays, axis=axis)
    parts: list[Any] = promote(*arrays)
    if parts[0].scalar is Bool:  # there is no adding up of conditions
        return concat([convert(p, I64) for p in parts], axis) != 0
    along = axis_of(axis, parts[0].ndim)
    if along:
        return moveaxis(concat([moveaxis(p, along, 0) for p in parts]), 0, along)
    if any(p.shape[1:] != parts[0].shape[1:] for p in parts):
        raise TypeMismatch(
            f"arrays of shapes {[p.shape for p in parts]} do not fit together", here()
        )
    n = sum(p.shape[0] for p in parts)
    b = located()
    out = Accumulator(b.accum(array_type((n, *parts[0].shape[1:]), parts[0].scalar)))
    start = 0
    for p in parts:
        for i in loop(p.shape[0]):
            out.add(index(out.ref, i + start), p[i])
        start += p.shape[0]
    return out.freeze()


concatenate = concat


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """The arrays as rows along a new axis."""
    if not is_traced(arrays):
        return np.stack(arrays, axis=axis)
    rows = packed(promote(*arrays))
    return moveaxis(rows, 0, axis_of(axis, rows.ndim))


# ----------------------------------------------------------------------------------------- picking


def take(x: Any, indices: Any, axis: int = 0) -> Any:
    """The rows (blocks along an axis) at these indices, of any shape; out of range is an IndexError."""
    if not is_traced((x, indices)):
        return np.take(x, indices, axis=axis)
    v: Any = lift(x)
    at: Any = lift(indices)
    along = axis_of(axis, v.ndim)
    if isinstance(at.atom, Const):  # known now: counted from the end where negative, and checked
        n, known = v.shape[along], np.asarray(at.atom.value)
        if (wrong := known[(known < -n) | (known >= n)]).size:
            raise OutOfRange(f"index {wrong[0]} is outside an axis of length {n}", here())
        at = lift(np.where(known < 0, known + n, known))
    if along:
        picked = take(moveaxis(v, along, 0), at)
        return moveaxis(picked, tuple(range(at.ndim)), tuple(range(along, along + at.ndim)))
    return generate(at.shape, lambda *i: v[at[i] if i else at])


def flip(x: Any, axis: int | Sequence[int] | None = None) -> Any:
    """The entries in reverse order along axes, all by default."""
    if not is_traced(x):
        return np.flip(x, axis=axis if axis is None or isinstance(axis, int) else tuple(axis))
    v: Any = lift(x)
    axes = range(v.ndim) if axis is None else [axis_of(a, v.ndim) for a in as_shape(axis)]
    return generate(v.shape, lambda *i: v[tuple(
        v.shape[k] - 1 - j if k in axes else j for k, j in enumerate(i))])  # fmt: skip


def roll(x: Any, shift: Shape, axis: int | Sequence[int] | None = None) -> Any:
    """The entries moved on by `shift` places along an axis, or several; those that fall off come in again."""
    if not is_traced(x):
        return np.roll(x, shift, axis=axis)
    if isinstance(axis, Sequence):
        shifts = (shift,) * len(axis) if isinstance(shift, int) else shift
        for by, along in zip(shifts, axis, strict=True):
            x = roll(x, by, along)
        return x
    if not isinstance(shift, int):
        raise TypeMismatch(f"a roll by {shift} along {axis}", here(), "as many axes as shifts")
    v: Any = lift(x)
    if axis is None:
        return reshape(roll(ravel(v), shift, 0), v.shape)
    along = axis_of(axis, v.ndim)
    n = v.shape[along]
    by = shift % n if n else 0
    if not by:
        return v

    def entry(*i: Any) -> Any:
        j = i[along]
        source = where(j < by, j + (n - by), j - by)
        return at(v, *i[:along], source)

    return generate(v.shape[: along + 1], entry)


def repeat(x: Any, repeats: int, *, axis: int | None = None) -> Any:
    """Each entry `repeats` times, along an axis; of all entries in order without one."""
    if not is_traced(x):
        return np.repeat(x, repeats, axis=axis)
    v: Any = lift(x) if axis is not None else ravel(x)
    along = axis_of(axis or 0, v.ndim)
    shape = [n * repeats if k == along else n for k, n in enumerate(v.shape[: along + 1])]
    return generate(shape, lambda *i: at(v, *i[:along], i[along] // repeats))


def tile(x: Any, repetitions: int | Sequence[int]) -> Any:
    """The array repeated side by side, so many times along each axis."""
    if not is_traced(x):
        return np.tile(x, repetitions)
    v: Any = lift(x)
    times = as_shape(repetitions)
    ndim = builtins.max(v.ndim, len(times))
    times = (1,) * (ndim - len(times)) + times
    v = reshape(v, (1,) * (ndim - v.ndim) + v.shape)
    shape = [n * t for n, t in zip(v.shape, times, strict=True)]
    return generate(shape, lambda *i: v[tuple(j % n for j, n in zip(i, v.shape, strict=True))])


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The rows along an axis, as a tuple."""
    rows = moveaxis(x, axis, 0)
    return tuple(rows[k] for k in range(rows.shape[0]))


def diff(x: Any, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """Each entry less the one before it, along an axis, n times; of x between `prepend` and `append`."""
    parts = [p for p in (prepend, x, append) if p is not None]
    if len(parts) > 1:
        x = concat(parts, axis)
    if not is_traced(x):
        return np.diff(x, n, axis=axis)
    rows = moveaxis(x, axis, 0)
    for _ in range(n):
        rows = rows[1:] != rows[:-1] if rows.scalar is Bool else rows[1:] - rows[:-1]
    return moveaxis(rows, 0, axis)


def diagonal(x: Any, offset: int = 0) -> Any:
    """The entries of a matrix at (i, i + offset); of more axes, those of the first two, along the last axis."""
    if not is_traced(x):
        return np.diagonal(x, offset)
    v: Any = lift(x)
    if v.ndim < 2:
        raise TypeMismatch(f"the diagonal of an array of {v.ndim} axes", here())
    down, right = builtins.max(-offset, 0), builtins.max(offset, 0)
    n = builtins.max(builtins.min(v.shape[0] - down, v.shape[1] - right), 0)
    return moveaxis(build(n, lambda i: v[i + down, i + right]), 0, -1)


def tril(x: Any, k: int = 0) -> Any:
    """Matrices (..., n, m) with zeros above the k-th diagonal."""
    return _triangle(x, lambda i, j: j <= i + k) if is_traced(x) else np.tril(x, k)


def triu(x: Any, k: int = 0) -> Any:
    """Matrices (..., n, m) with zeros below the k-th diagonal."""
    return _triangle(x, lambda i, j: j >= i + k) if is_traced(x) else np.triu(x, k)


def _triangle(x: Any, keep: Callable[[Any, Any], Any]) -> Any:
    v: Any = lift(x)
    if v.ndim < 2:
        raise TypeMismatch(f"a triangle of an array of {v.ndim} axes", here())
    none = convert(0, v.scalar)
    return generate(v.shape, lambda *i: where(keep(i[-2], i[-1]), v[i], none))


def pad(x: Any, width: int | Sequence[Any], value: float = 0) -> Any:
    """The array within a border of `value`: as wide as an int, or (before, after) for each axis."""
    if not is_traced(x):
        return np.pad(x, width, constant_values=value)
    v: Any = lift(x)
    widths = _widths(width, v.ndim)
    sizes = [n + before + after for n, (before, after) in zip(v.shape, widths, strict=True)]
    filler = convert(value, v.scalar)

    def entry(*i: Any) -> Any:
        inside: Any = None
        source = []
        for k, n, (before, _) in zip(i, v.shape, widths, strict=True):
            ok = (k >= before) & (k < n + before)
            inside = ok if inside is None else inside & ok
            source.append(where(ok, k - before, 0))
        return cond(inside, lambda: v[tuple(source)], lambda: filler)

    if math.prod(v.shape) == 0:
        return full(sizes, filler)
    return generate(sizes, entry)


def _widths(width: int | Sequence[Any], ndim: int) -> list[tuple[int, int]]:
    """The borders before and after each axis, of what numpy takes for them."""
    try:
        pairs = np.broadcast_to(np.asarray(width), (ndim, 2))
    except ValueError:
        pairs = np.array([-1])
    if pairs.dtype.kind not in "iu" or (pairs < 0).any():
        raise TypeMismatch(
            f"the widths of a border are whole numbers, (before, after) for each of {ndim} axes, not {width}",
            here(),
        )
    return [(int(a), int(b)) for a, b in pairs]
