"""Arrays with some entries replaced: `x.at[key].set(v)`, `dynamic_slice`, `dynamic_update_slice`, as in JAX.

An array is a value, so each makes a new one, in time that goes with its length; where a loop only adds, an
accumulator does so in place. Keys mean what they mean in `x[key]`: an index out of range is an IndexError.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.errors import TypeMismatch
from ..base.source import here
from ..base.tree import is_traced
from ..ir.types import I64, Bool, array_type, is_float
from .accumulator import Accumulator
from .arrays import reshape
from .control import range as loop
from .control import scan, when, where
from .indexing import Picked, as_shape, at, broadcast_to, generate, position
from .numeric import maximum, minimum
from .sorting import argsort
from .values import Traced, broadcast_shape, convert, lift, located, wrap

Merge = Callable[[Any, Any], Any]


class At:
    """`x.at`, of which `x.at[key]` names entries that are to be updated."""

    def __init__(self, x: Any) -> None:
        self._x = x

    def __getitem__(self, key: Any) -> Places:
        return Places(self._x, key if isinstance(key, tuple) else (key,))


class Places:
    """Entries of an array, named by a key; each method gives the array with these changed.

    An entry that index arrays name twice is changed twice; of `set`, the last value holds.
    """

    def __init__(self, x: Any, keys: tuple[Any, ...]) -> None:
        self._x, self._keys = x, keys

    def get(self) -> Any:
        """The entries: `x[key]`."""
        return self._x[self._keys]

    def set(self, value: Any) -> Any:
        """They become `value`."""
        return self._merged(value, lambda _, new: new, None)

    def add(self, value: Any) -> Any:
        """`value` is added to them."""
        if self._x.scalar is Bool:
            raise TypeMismatch("a number is added to conditions", here(), "ra.astype(x, int)")
        sums = Accumulator(located().accum(self._x.type, self._x.as_traced().atom))
        sums[self._keys] += value
        return sums.freeze()

    def subtract(self, value: Any) -> Any:
        """`value` is subtracted from them."""
        return self.add(-lift(value))

    def multiply(self, value: Any) -> Any:
        """They are multiplied by `value`."""
        return self._merged(value, operator.mul, operator.mul)

    def divide(self, value: Any) -> Any:
        """They are divided by `value`."""
        return self._merged(value, operator.truediv, operator.mul)

    def min(self, value: Any) -> Any:
        """They become `value` where that is less."""
        return self._merged(value, minimum, minimum)

    def max(self, value: Any) -> Any:
        """They become `value` where that is greater."""
        return self._merged(value, maximum, maximum)

    def apply(self, f: Callable[[Any], Any]) -> Any:
        """They become what an elementwise function makes of them."""
        return self.set(f(self.get()))

    mul = multiply

    def _merged(self, value: Any, merge: Merge, fold: Merge | None) -> Any:
        """The array with `merge(entry, value)` for each entry that is named; of several values for one entry,
        `fold` makes one, or without it the last is taken."""
        x, picked = self._x, Picked(self._x.shape, self._keys)
        v = _entries(value, x, picked.shape)
        if 0 in picked.shape or 0 in x.shape:
            return x
        if any(isinstance(key, Traced) and key.shape for key, _ in picked.axes):
            return _Scatter(x, self._keys, picked, v).merged(merge, fold)
        block = picked.block(x.shape)
        runs = [
            _Run(key.start, key.step, len(key), place)
            if isinstance(key, range)
            else _Run(wrap(position(key, n)), 1, 1, None)
            for (key, place), n in zip(picked.axes, x.shape, strict=True)
        ]
        return _replaced(x, runs[: x.ndim - block], v, picked.shape, merge)


def _entries(value: Any, x: Any, shape: tuple[int, ...]) -> Traced:
    """A value as entries of an array, of a shape that it broadcasts to."""
    v = lift(value)
    fits = v.scalar is x.scalar or is_float(x.type) or (x.scalar is I64 and v.scalar is Bool)
    if not fits:
        raise TypeMismatch(
            f"a {v.scalar!r} is to be an entry of an array of {x.scalar!r}",
            here(),
            "ra.astype, of the array or of the value",
        )
    if broadcast_shape(v.shape, shape) != shape:
        raise TypeMismatch(f"a value of shape {v.shape} for entries of shape {shape}", here())
    return convert(v, x.scalar)


# ------------------------------------------------------------------------- entries at known distances


@dataclass(frozen=True)
class _Run:
    """Indices of an axis: the first, which may be traced, the step, how many, and which axis of the values
    goes through them, if one does."""

    start: Any
    step: int
    length: int
    place: int | None

    def offset(self, k: Any) -> tuple[Any, Any]:
        """Whether an index is one of them, and, where it is, the number of it."""
        if self.length == 1:
            return k == self.start, 0
        distance = k - self.start if self.step > 0 else self.start - k
        step = abs(self.step)
        inside = (distance >= 0) & (distance < self.length * step)
        if step > 1:
            inside, distance = inside & (distance % step == 0), distance // step
        return inside, minimum(maximum(distance, 0), self.length - 1)


def _replaced(x: Any, runs: Sequence[_Run], v: Any, shape: tuple[int, ...], merge: Merge) -> Any:
    """The array with `merge(entry, value)` where each index is in its run; `v` broadcasts to `shape`."""
    lead = len(shape) - (x.ndim - len(runs))

    def entry(*j: Any) -> Any:
        inside: Any = True
        source: list[Any] = [0] * lead
        for k, run in zip(j, runs, strict=True):
            here_too, number = run.offset(k)
            inside = here_too if inside is True else inside & here_too
            if run.place is not None:
                source[run.place] = number
        old = at(x, *j)
        own = source[max(len(shape) - v.ndim, 0) :]
        new = at(v, *(0 if n == 1 else k for n, k in zip(v.shape, own, strict=False)))
        return where(inside, merge(old, new), old)

    return generate(x.shape[: len(runs)], entry)


# ---------------------------------------------------------------------- entries that index arrays name


class _Scatter:
    """Values for entries, or rows, of an array: `targets` are the numbers of these, in order."""

    def __init__(self, x: Any, keys: tuple[Any, ...], picked: Picked, v: Any) -> None:
        self.x, block = x, picked.block(x.shape)
        outer, lead = x.shape[: x.ndim - block], picked.shape[: len(picked.shape) - block]
        self.length, self.count = math.prod(outer), math.prod(lead)
        rows = x.shape[len(outer) :]
        self.old: Any = reshape(x, (self.length, *rows))
        self.new: Any = reshape(broadcast_to(v, picked.shape), (self.count, *rows))
        self.known = not is_traced(keys)
        self.targets: Any
        if self.known:
            places = np.arange(self.length).reshape((*outer, *(1,) * block))
            every = np.broadcast_to(places, x.shape)[keys]
            self.targets = every.reshape((self.count, -1))[:, 0]
        else:
            self.targets = reshape(generate(lead, lambda *i: self._number(
                picked.source((*i, *(0,) * block)), outer)), (self.count,))  # fmt: skip

    def _number(self, source: Sequence[Any], outer: Sequence[int]) -> Any:
        out: Any = 0
        for k, n in zip(source, outer, strict=False):
            out = out * n + wrap(position(k, n))
        return out

    def merged(self, merge: Merge, fold: Merge | None) -> Any:
        """The array with the values merged into it."""
        values, which = self._by_entry(fold)

        def row(j: Any) -> Any:
            number = which[j]
            old = self.old[j]
            return where(number > 0, merge(old, values[maximum(number - 1, 0)]), old)

        return reshape(generate((self.length,), row), self.x.shape)

    def _by_entry(self, fold: Merge | None) -> tuple[Any, Any]:
        """Values, and for each entry which of them, counted from 1, is for it; 0 for none."""
        if self.known and (fold is None or len(np.unique(self.targets)) == self.count):
            numbers = np.zeros(self.length, np.int64)
            numbers[self.targets] = np.arange(1, self.count + 1)
            return self.new, lift(numbers)
        order = lift(argsort(self.targets))
        targets = lift(self.targets)
        ordered: Any = generate((self.count,), lambda k: targets[order[k]])  # type: ignore[index]
        values: Any = generate((self.count,), lambda k: self.new[order[k]])  # type: ignore[index]
        if fold is not None:
            values = self._folded(fold, ordered, values)
        which = Accumulator(located().accum(array_type((self.length,), I64)))
        for k in loop(self.count):
            following = minimum(k + 1, self.count - 1)
            with when((k == self.count - 1) | (ordered[k] != ordered[following])):
                which[ordered[k]] += k + 1
        return values, which.freeze()

    def _folded(self, fold: Merge, ordered: Any, values: Any) -> Any:
        """Of values in the order of their entries, each folded with those before it that are for the same."""

        def step(so_far: Any, k: Any) -> Any:
            again = (k > 0) & (ordered[k] == ordered[maximum(k - 1, 0)])
            so_far = where(again, fold(so_far, values[k]), values[k])
            return so_far, so_far

        return scan(step, values[0], lift(np.arange(self.count)))[1]


# ------------------------------------------------------------------------------------- dynamic slices


def dynamic_slice(x: Any, start_indices: Any, slice_sizes: Any) -> Any:
    """The block of that size that starts there, moved so that it lies within the array."""
    if not is_traced((x, start_indices)):
        x = np.asarray(x)
        starts = np.reshape(start_indices, (-1,))
        sizes = as_shape(slice_sizes)
        first = [min(max(int(s), 0), n - k) for s, n, k in zip(starts, x.shape, sizes, strict=True)]
        return x[tuple(slice(s, s + k) for s, k in zip(first, sizes, strict=True))]
    v: Any = lift(x)
    sizes = as_shape(slice_sizes)
    begin = _starts(start_indices, v.shape, sizes)
    return generate(sizes, lambda *k: v[tuple(s + j for s, j in zip(begin, k, strict=True))])


def dynamic_update_slice(x: Any, update: Any, start_indices: Any) -> Any:
    """The array with a block from there on replaced, moved so that it lies within the array."""
    if not is_traced((x, update, start_indices)):
        out = np.array(x)
        block = np.asarray(update)
        dynamic = dynamic_slice(out, start_indices, block.shape)
        dynamic[...] = block
        return out
    v, new = lift(x), lift(update)
    sizes = new.shape
    begin = _starts(start_indices, v.shape, sizes)
    if 0 in sizes:
        return v
    runs = [_Run(s, 1, k, axis) for axis, (s, k) in enumerate(zip(begin, sizes, strict=True))]
    return _replaced(v, runs, _entries(new, v, sizes), sizes, lambda _, new: new)


def _starts(given: Any, lengths: Sequence[int], sizes: Sequence[int]) -> list[Any]:
    """Where a block of these sizes starts, along each axis."""
    starts: Any = given if isinstance(given, list | tuple) else lift(given)
    if not isinstance(starts, list | tuple):
        starts = list(starts) if starts.shape else [starts]
    if not len(starts) == len(lengths) == len(sizes):
        raise TypeMismatch(
            f"{len(starts)} starts and {len(sizes)} sizes of a block of an array of {len(lengths)} axes",
            here(),
        )
    if any(k > n for k, n in zip(sizes, lengths, strict=True)):
        raise TypeMismatch(
            f"a block of sizes {tuple(sizes)} of an array of {tuple(lengths)}", here()
        )
    return [
        minimum(maximum(lift(s), 0), n - k) for s, n, k in zip(starts, lengths, sizes, strict=True)
    ]
