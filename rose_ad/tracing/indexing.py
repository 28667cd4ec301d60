"""`a[...]`: numbers, slices, None, `...` and arrays of Ints, with the meaning they have in numpy.

Static indices are checked while tracing, others when running.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, TypeAlias

import numpy as np

from ..base.errors import OutOfRange, TraceError, TypeMismatch
from ..base.source import here
from ..base.tree import Leaf, is_traced
from ..ir.core import Atom, Const
from ..ir.types import I64, Array, Bool, Ref
from .control import build
from .values import SHORT, Traced, broadcast_shape, lift, located, stack, wrap

Keys = tuple[Any, ...]
Shape: TypeAlias = "int | Sequence[int]"
_ALL = slice(None)


def index(a: Atom, i: Any) -> Atom:
    """`a[i]` for an array or a reference, and one index."""
    b = located()
    t = a.type.of if isinstance(a.type, Ref) else a.type
    if not isinstance(t, Array):
        raise TypeMismatch("a number cannot be indexed", here())
    return b.index(a, position(i, t.n))  # type: ignore[no-any-return]


def position(i: Any, n: int) -> Atom:
    """An index of an axis of length n, counted from its start, checked now or by the run."""
    b = located()
    if isinstance(i, Leaf):
        v = lift(i)
        if v.type is not I64:
            raise TypeMismatch(f"an index must be an Int, not {v.type!r}", here(), "ra.to_int(x)")
        if not isinstance(v.atom, Const):
            if n == 0 and not b.never_runs:
                raise OutOfRange("an array of length 0 has no elements", here())
            return b.check(v.atom, n)  # type: ignore[no-any-return]
        i = v.atom.value
    try:
        k = operator.index(i)
    except TypeError:
        raise TypeMismatch(f"an index must be an integer, not {type(i).__name__}", here()) from None
    if n == 0 and b.never_runs:
        return b.check(Const(k, I64), 0)  # type: ignore[no-any-return]
    if not -n <= k < n:
        raise OutOfRange(f"index {k} is outside an array of length {n}", here())
    return Const(k % n, I64)


def is_array_key(key: Any) -> bool:
    """Whether an index is an array or list of them."""
    if isinstance(key, Leaf):
        return bool(lift(key).shape)
    return isinstance(key, list) or (isinstance(key, np.ndarray) and key.ndim > 0)


def getitem(a: Any, key: Any) -> Any:
    """`a[key]` for a traced array."""
    keys = key if isinstance(key, tuple) else (key,)
    if all(isinstance(k, slice) or not _is_special(k) for k in keys):
        if len(keys) > a.ndim:
            raise TypeMismatch(f"{len(keys)} indices for an array of {a.ndim} axes", here())
        if not any(isinstance(k, slice) for k in keys):
            atom = a.as_traced().atom
            for k in keys:
                atom = index(atom, k)
            return wrap(atom)
        return _sliced(a, keys)
    picked = Picked(a.shape, keys)
    return generate(picked.shape, lambda *i: a[picked.source(i)])


def _is_special(key: Any) -> bool:
    return key is None or key is Ellipsis or isinstance(key, bool | np.bool_) or is_array_key(key)


def _sliced(a: Any, keys: Keys) -> Any:
    """`a[keys]` with static slices among the keys: a loop over rows for each slice."""
    if not keys:
        return a
    key, rest = keys[0], keys[1:]
    if not isinstance(key, slice):
        return _rest(a[key], rest)
    picked = slice_range(key, len(a))
    start, step = picked.start, picked.step
    if 0 < len(picked) <= SHORT:
        return stack([lift(_rest(a[k], rest)) for k in picked])
    return build(len(picked), lambda k: _rest(a[start + step * k], rest))


def _rest(row: Any, keys: Keys) -> Any:
    return row[keys] if keys else row


def slice_range(key: slice, n: int) -> range:
    """The indices a slice picks of an axis of length n."""
    if any(isinstance(s, Leaf) for s in (key.start, key.stop, key.step)):
        raise TraceError(
            "the bounds of a slice must be known while tracing",
            here(),
            "ra.build(n, lambda k: a[start + k])",
        )
    return range(*key.indices(n))


def _spelled_out(lengths: Sequence[int], keys: Keys) -> list[Any]:
    """The keys with `...` replaced by the slices it stands for, arrays lifted, masks that are known replaced by
    the indices they pick, and a slice for each axis that is left."""
    if sum(k is Ellipsis for k in keys) > 1:
        raise TypeMismatch("an index has more than one `...`", here())
    masks = [known_mask(k) for k in keys]
    axes = [
        m.ndim if m is not None else int(k is not None and k is not Ellipsis)
        for k, m in zip(keys, masks, strict=True)
    ]
    ndim, used = len(lengths), sum(axes)
    if used > ndim:
        raise TypeMismatch(f"{used} indices for an array of {ndim} axes", here())
    out: list[Any] = []
    axis = 0
    for k, m, n in zip(keys, masks, axes, strict=True):
        if k is Ellipsis:
            n = ndim - used
            out += [_ALL] * n
        elif m is not None:
            out += _picked_by(m, lengths[axis : axis + n])
        else:
            is_array = is_array_key(k) or isinstance(k, bool | np.bool_)
            out.append(array_key(k) if is_array else k)
        axis += n
    return [*out, *[_ALL] * (ndim - axis)]


def known_mask(key: Any) -> np.ndarray[Any, Any] | None:
    """An array or list of Bools that is known while tracing; None for any other index."""
    if not is_array_key(key) or is_traced(key):
        return None
    mask = np.asarray(key)
    return mask if mask.dtype == bool else None


def _picked_by(mask: np.ndarray[Any, Any], lengths: Sequence[int]) -> list[Traced]:
    """The indices, along each of its axes, of what a mask picks."""
    if mask.shape != tuple(lengths):
        raise OutOfRange(
            f"a mask of shape {mask.shape} for axes of lengths {tuple(lengths)}", here()
        )
    return [lift(i) for i in np.nonzero(mask)]


def array_key(key: Any) -> Traced:
    """An index array, of Ints; TypeMismatch for anything else."""
    v = lift(key if is_traced(key) else np.asarray(key))
    if v.scalar is Bool:
        raise TypeMismatch(
            "a mask picks a number of entries that is not known while tracing",
            here(),
            "ra.where(mask, a, 0), or ra.where(mask, v, a) for a[mask] = v",
        )
    if v.scalar is not I64:
        raise TypeMismatch(f"an index must be an Int, not {v.type!r}", here(), "ra.to_int(x)")
    return v


class Picked:
    """What keys pick of an array of a shape: the shape of that, without axes that are picked whole at the end,
    and where each of its entries lies."""

    def __init__(self, lengths: Sequence[int], keys: Keys | Sequence[Any]) -> None:
        spelled = _spelled_out(lengths, tuple(keys))
        arrays = [k for k in spelled if isinstance(k, Traced) and k.shape]
        joint = broadcast_shape(*(k.shape for k in arrays)) if arrays else ()
        # where the axes of index arrays go: in their place if they stand together, else in front
        fancy = [
            p
            for p, k in enumerate(spelled)
            if arrays and k is not None and not isinstance(k, slice)
        ]
        together = bool(fancy) and fancy == list(range(fancy[0], fancy[-1] + 1))
        place = (fancy[0] if together else 0) if fancy else -1

        shape: list[int] = []
        # for each axis: its key, and where its index is among the result's
        self.axes: list[tuple[Any, int]] = []
        first = 0
        for p, k in enumerate(spelled):
            if p == place:
                first = len(shape)
                shape += joint
            if k is None:
                shape.append(1)
                continue
            n = lengths[len(self.axes)]
            if isinstance(k, slice):
                k = slice_range(k, n)
                self.axes.append((k, len(shape)))
                shape.append(len(k))
            else:
                is_array = isinstance(k, Traced) and bool(k.shape)
                self.axes.append((counted_from_start(k, n) if is_array else k, -1))
        self.shape, self._joint = tuple(shape), slice(first, first + len(joint))

    def block(self, lengths: Sequence[int]) -> int:
        """How many axes at the end of an array of these lengths are picked whole, and end the result."""
        triples = zip(self.axes[::-1], lengths[::-1], range(len(self.shape))[::-1], strict=False)
        whole = (
            isinstance(key, range) and key == range(n) and at == last
            for (key, at), n, last in triples
        )
        return sum(1 for _ in takewhile(bool, whole))

    def source(self, i: Keys) -> Keys:
        """The indices, in the array, of the entry at `i`."""

        def of(key: Any, at: int) -> Any:
            if isinstance(key, range):
                return key.start + key.step * i[at]
            if isinstance(key, Traced) and key.shape:
                return entry(key, i[self._joint])
            return key

        return tuple(of(key, at) for key, at in self.axes)


def entry(key: Traced, i: Sequence[Any]) -> Any:
    """The entry of an index array at the indices of the shape it broadcasts to."""
    own = i[len(i) - key.ndim :]
    return key[tuple(0 if n == 1 else j for n, j in zip(key.shape, own, strict=True))]  # type: ignore[index]


def counted_from_start(key: Traced, n: int) -> Traced:
    """A literal index array without negative entries; OutOfRange where it leaves the axis."""
    if not isinstance(key.atom, Const):
        return key
    known = np.asarray(key.atom.value)
    if (wrong := known[(known < -n) | (known >= n)]).size:
        raise OutOfRange(f"index {wrong.flat[0]} is outside an axis of length {n}", here())
    return lift(np.where(known < 0, known + n, known))


def axis_of(axis: int, ndim: int) -> int:
    """A non-negative axis; TypeMismatch where an array of `ndim` axes has no such one."""
    if not -ndim <= axis < ndim:
        raise TypeMismatch(f"axis {axis} of an array of {ndim} axes", here())
    return axis % ndim


def as_shape(shape: Shape) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, int) else tuple(shape)


def at(a: Any, *index: Any) -> Any:
    """The entry, or block, of an array at these indices; the array itself for none."""
    return a[index] if index else a


def generate(shape: Sequence[int], f: Callable[..., Any]) -> Any:
    """The array whose entry (or block) at i, j, ... is `f(i, j, ...)`; a SHORT matrix is written out."""

    def rows(left: tuple[int, ...], index: tuple[Any, ...]) -> Any:
        if not left:
            return f(*index)
        if len(left) <= 2 and all(0 < n <= SHORT for n in left):
            return stack([lift(rows(left[1:], (*index, k))) for k in range(left[0])])
        return build(left[0], lambda i: rows(left[1:], (*index, i)))

    return rows(tuple(shape), ())


def broadcast_to(x: Any, shape: Shape) -> Any:
    """The array repeated along axes, to a shape that it broadcasts to."""
    if not is_traced(x):
        return np.broadcast_to(x, as_shape(shape))
    v: Any = lift(x)
    sizes = as_shape(shape)
    skip = len(sizes) - v.ndim
    if skip < 0 or any(a not in (1, b) for a, b in zip(v.shape, sizes[skip:], strict=True)):
        raise TypeMismatch(f"an array of shape {v.shape} does not broadcast to {sizes}", here())
    return generate(
        sizes, lambda *i: v[tuple(0 if n == 1 else k for n, k in zip(v.shape, i[skip:], strict=True))]
        if v.ndim else v,
    )  # fmt: skip
