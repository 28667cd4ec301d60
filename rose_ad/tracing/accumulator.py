"""Accumulators as users see them: places to add into, read once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ..base.errors import TraceError, TypeMismatch
from ..base.source import UNKNOWN, here, show
from ..base.tree import Leaf
from ..ir.core import Atom, Const, Var
from ..ir.types import (
    F32,
    F64,
    I64,
    Array,
    Bool,
    Ref,
    Scalar,
    array_type,
    is_float,
    scalar_of,
    shape_of,
    value_type,
)
from .annotations import value_type_of
from .control import range as loop
from .control import static_length
from .indexing import Picked, broadcast_to, index, is_array_key
from .trace import required
from .values import (
    Traced,
    TracedArray,
    broadcast_shape,
    convert,
    elementwise,
    lift,
    located,
    wrap,
)


class _Added:
    """What `acc[i] += v` assigns back; nothing is left to do."""


_ADDED = _Added()


class Accumulator(Leaf):
    """A place to add into: `acc[i] += v`, `acc -= v`. Its value is read once, by `freeze`, or when it is
    returned or used; nothing is added afterwards."""

    __slots__ = ("_added", "_any_width", "_frozen", "_read", "ref")

    def __init__(self, ref: Var, any_width: bool = False) -> None:
        self.ref = ref
        self._any_width = any_width  # whether it is as wide as what is added
        self._added: set[Scalar] = set()  # the floats that were
        self._frozen: Any = None
        self._read = UNKNOWN  # where it was read

    def as_traced(self) -> Traced:
        """The value, which is thereby read."""
        value: Traced = self.freeze()
        return value

    def __repr__(self) -> str:
        return f"<accumulator {self.ref.type!r}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value, () for a scalar."""
        assert isinstance(self.ref.type, Ref)
        return shape_of(self.ref.type.of)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Part | Parts:
        return Part(self, self.ref)[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        _only_added(value)

    def __iadd__(self, value: Any) -> Accumulator:
        self.add(self.ref, value)
        return self

    def __isub__(self, value: Any) -> Accumulator:
        self.add(self.ref, -lift(value))
        return self

    def add(self, ref: Atom, value: Any) -> None:
        """Add to the whole or to a part; arrays and numbers broadcast to its shape."""
        if self._frozen is not None:
            raise TraceError(
                "an accumulator is added into after its value was read",
                here(),
                "make a new accumulator, or read this one later; a function that is called is given the value, "
                f"and returns what is to be added. It was read here:\n{show(self._read)}",
            )
        trace = required("an accumulator")
        trace.resolve(self.ref)
        assert isinstance(ref.type, Ref)
        wanted = ref.type.of
        shape = shape_of(wanted)
        scalar = wanted.scalar if isinstance(wanted, Array) else wanted
        v = lift(value)
        if scalar is I64 and is_float(v.type):
            raise TypeMismatch(
                "a Real is added into an accumulator of Ints",
                here(),
                "make it an accumulator of Reals, or add ra.to_int(x)",
            )
        if is_float(v.type) and not v.weak:
            self._added.add(v.scalar)
        v = convert(v, scalar)
        if broadcast_shape(v.shape, shape) != shape:
            raise TypeMismatch(
                f"a value of shape {v.shape} is added to one of shape {shape}", here()
            )
        if v.shape != shape:
            v = elementwise(
                lambda b, x, _: x, v, TracedArray(Const(np.zeros(shape), array_type(shape, F64)))
            )
        located().addto(ref, v.atom)

    def freeze(self) -> Any:
        """The sum of all that was added, which is then fixed."""
        if self._frozen is None:
            trace = required("an accumulator")
            trace.resolve(self.ref)
            if trace.builder.block is not self.ref.block:
                raise TraceError(
                    "an accumulator is read inside a loop or branch that it was made outside of",
                    here(),
                    "read it after the loop, or make it inside",
                )
            total: Any = wrap(located().freeze(self.ref))
            self._frozen = convert(total, F32) if self._narrow() else total
            self._read = here()
        return self._frozen

    def _narrow(self) -> bool:
        """Whether the sum, which is made in double precision, is one of single precision."""
        return self._any_width and self._added == {F32}

    __array_ufunc__ = Traced.__array_ufunc__
    __array_function__ = Traced.__array_function__
    __hash__ = object.__hash__


class Part:
    """Part of an accumulator: `acc[i]`, which takes += and -= only."""

    __slots__ = ("_whole", "ref")

    def __init__(self, whole: Accumulator, ref: Atom) -> None:
        self._whole, self.ref = whole, ref

    def __getitem__(self, key: Any) -> Part | Parts:
        keys = key if isinstance(key, tuple) else (key,)
        required("an accumulator").resolve(self._whole.ref)
        if any(k is None or k is Ellipsis or isinstance(k, slice) or is_array_key(k) for k in keys):
            return Parts(self._whole, self.ref, keys)
        part = self.ref
        for k in keys:
            part = index(part, k)
        return Part(self._whole, part)

    def __setitem__(self, key: Any, value: Any) -> None:
        _only_added(value)

    def __iadd__(self, value: Any) -> _Added:
        self._whole.add(self.ref, value)
        return _ADDED

    def __isub__(self, value: Any) -> _Added:
        self._whole.add(self.ref, -lift(value))
        return _ADDED

    def __getattr__(self, name: str) -> Any:
        unread()

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        unread()


class Parts:
    """Parts of an accumulator: `acc[1:5]`, `acc[:, 0]`, `acc[indices]` with arrays of Ints, as in numpy. They
    take += and -= only. An entry that is named twice is added to twice."""

    def __init__(self, whole: Accumulator, ref: Atom, keys: tuple[Any, ...]) -> None:
        self._whole, self.ref = whole, ref
        lengths = shape_of(value_type(ref.type))
        self.picked = Picked(lengths, keys)
        self.block = self.picked.block(lengths)  # axes that are added to at once

    def __iadd__(self, value: Any) -> _Added:
        self._over((), broadcast_to(lift(value), self.picked.shape))
        return _ADDED

    def __isub__(self, value: Any) -> _Added:
        return self.__iadd__(-lift(value))

    def __setitem__(self, key: Any, value: Any) -> None:
        _only_added(value)

    def __getattr__(self, name: str) -> Any:
        unread()

    def _over(self, at: tuple[Any, ...], value: Any) -> None:
        if len(at) < len(self.picked.shape) - self.block:
            for i in loop(self.picked.shape[len(at)]):
                self._over((*at, i), value[i])
            return
        part = self.ref
        source = self.picked.source((*at, *(0,) * self.block))
        for k in source[: len(source) - self.block]:
            part = index(part, k)
        self._whole.add(part, value)


def unread() -> NoReturn:
    raise TraceError(
        "an accumulator can only be added into until it is read",
        here(),
        "acc[i] += v; then value = acc.freeze(); then value[i]",
    )


def _only_added(value: Any) -> None:
    if not isinstance(value, _Added):
        raise TraceError("an accumulator cannot be assigned to", here(), "acc[i] += v")


def total(n: Any, f: Callable[[Any], Any]) -> Any:
    """The sum of `f(i)` for i from 0 to n - 1, in an order that the machine chooses, always the same."""
    trace = required("ra.sum")
    acc: Accumulator | None = None
    outer = trace.builder
    for i in loop(n):
        value = lift(f(i))
        if value.type is Bool or (isinstance(value.type, Array) and value.type.scalar is Bool):
            value = convert(value, I64)
        acc = Accumulator(outer.accum(value.type))
        acc.add(acc.ref, value)
    assert acc is not None
    return acc.freeze()


def accum(of: Any = None) -> Accumulator:
    """A new accumulator, zero: of a Real by default, of a type such as `Vec[n, Real]`, or of a shape such as
    `n` or `(n, 2)`, which holds Reals.

    Where no type is given and all that is added is of single precision, so is the sum; it is made in double.
    """
    b = required("ra.accum").builder
    b.loc = here()
    given = () if of is None else (of,) if isinstance(of, int) else of
    any_width = isinstance(given, tuple)
    if any_width:
        t = array_type(tuple(static_length(n, "an axis's length") for n in given), F64)
    else:
        t = value_type_of(of)
    if scalar_of(t) is Bool:
        raise TypeMismatch("Bools cannot be added", here(), "an accumulator of Ints counts them")
    return Accumulator(b.accum(t), any_width)
