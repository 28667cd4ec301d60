"""The types of the IR: four scalars, arrays of static length, and write-only references.

    t ::= F64 | F32 | I64 | Bool | Array(n, t) | Ref(t)

Types are interned, so ``is`` and ``==`` agree and comparing two types costs nothing.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import numpy as np


class Scalar:
    """A scalar type; `size` is its width in bytes where it lies in memory."""

    __slots__ = ("dtype", "llvm", "name", "size")

    def __init__(self, name: str, size: int, llvm: str, dtype: type[np.generic]) -> None:
        self.name, self.size, self.llvm = name, size, llvm
        self.dtype: np.dtype[np.generic] = np.dtype(dtype)

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> str:
        return self.name


F64 = Scalar("F64", 8, "double", np.float64)
F32 = Scalar("F32", 4, "float", np.float32)
I64 = Scalar("I64", 8, "i64", np.int64)
Bool = Scalar("Bool", 1, "i1", np.bool_)


class Array:
    """`n` values of type `of`, contiguous, row-major."""

    __slots__ = ("n", "of", "scalar", "shape", "size")
    _interned: ClassVar[dict[tuple[int, Type], Array]] = {}

    n: int
    of: Type
    scalar: Scalar  # the type of the innermost entries
    shape: tuple[int, ...]
    size: int  # in bytes

    def __new__(cls, n: int, of: Type) -> Array:
        n = int(n)  # a length that is marked (ir.Lanes) makes the same type as any other
        known = cls._interned.get((n, of))
        if known is not None:
            return known
        if isinstance(of, Ref):
            raise TypeError("an array cannot hold references")
        self = super().__new__(cls)
        self.n, self.of, self.size = n, of, n * of.size
        self.scalar = of.scalar if isinstance(of, Array) else of
        self.shape = (n, *of.shape) if isinstance(of, Array) else (n,)
        return cls._interned.setdefault((n, of), self)

    def __repr__(self) -> str:
        return f"[{self.n}]{self.of!r}"

    def __reduce__(self) -> tuple[type[Array], tuple[int, Type]]:
        return Array, (self.n, self.of)


class Ref:
    """An accumulator of type `of`: may be added into, is read once, when frozen."""

    __slots__ = ("of",)
    _interned: ClassVar[dict[Scalar | Array, Ref]] = {}

    of: Scalar | Array

    def __new__(cls, of: Scalar | Array) -> Ref:
        known = cls._interned.get(of)
        if known is not None:
            return known
        self = super().__new__(cls)
        self.of = of
        return cls._interned.setdefault(of, self)

    def __repr__(self) -> str:
        return f"&{self.of!r}"

    def __reduce__(self) -> tuple[type[Ref], tuple[Scalar | Array]]:
        return Ref, (self.of,)


Type: TypeAlias = "Scalar | Array | Ref"
Value: TypeAlias = "Scalar | Array"  # what a reference may refer to


def scalar_of(t: Type) -> Scalar:
    """The innermost scalar type of `t`."""
    if isinstance(t, Ref):
        return scalar_of(t.of)
    return t.scalar if isinstance(t, Array) else t


def is_float(t: Type) -> bool:
    """Whether values of type `t` carry derivatives."""
    s = scalar_of(t)
    return s is F64 or s is F32


def value_type(t: Type) -> Value:
    """`t` without the reference around it, if there is one."""
    return t.of if isinstance(t, Ref) else t


def array_type(shape: tuple[int, ...], scalar: Scalar) -> Value:
    """The type of an array of that shape; the scalar itself for shape ()."""
    t: Value = scalar
    for n in reversed(shape):
        t = Array(n, t)
    return t


def shape_of(t: Type) -> tuple[int, ...]:
    """The shape of a value of type `t`, () for scalars."""
    return t.shape if isinstance(t, Array) else ()


def element(t: Type) -> Type:
    """The type of `a[i]` for `a` of type `t`: a row, or a reference to a row."""
    if isinstance(t, Array):
        return t.of
    if isinstance(t, Ref) and isinstance(t.of, Array):
        return Ref(value_type(t.of.of))
    raise TypeError(f"{t!r} has no elements")
