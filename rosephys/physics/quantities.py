"""What physics computes with, as a reader, a type checker and `checked` see it.

    Quantity      a number or an array of numbers, of any shape
    Scalar        a number
    Index         a whole number
    Condition     true or false
    Array         numbers with a shape, which docstrings give: (n, 2)
    Vector        one of shape (d,), Vectors (n, d), Matrix (d, d), for d = 2 or 3 dimensions
    NumpyArray    an array that is known before anything is traced: a mesh, who is joined to whom
    Sums          what `ra.accum` gives: entries are added to, and read once all is added

The first five are what a value can do, not what it is: a float is a Scalar, so is a traced number; arrays of
numpy and traced ones are Arrays. So a checker finds an array given for a number, a tuple or None given for an
array, a number that is indexed, a float that is an index. Shapes it does not know, and what arithmetic and
rose_ad give may be anything to it: rose_ad checks these as it traces. To rose_ad these annotations say nothing,
so that they convert no argument of an `ra.fn`, as ra.Real would.

What a model asks of its arguments beyond that stands behind the type: `Annotated[Array, Axes("n", 2)]` has a
shape, with a size of its own that is the same all over a signature, and `Positive` is a Scalar above 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import EllipsisType
from typing import Annotated, Any, Protocol, TypeAlias

import numpy as np


class Quantity(Protocol):
    """A number or an array of numbers."""

    def __add__(self, other: Any, /) -> Any: ...
    def __radd__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __rsub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __rtruediv__(self, other: Any, /) -> Any: ...
    def __floordiv__(self, other: Any, /) -> Any: ...
    def __mod__(self, other: Any, /) -> Any: ...
    def __pow__(self, other: Any, /) -> Any: ...
    def __neg__(self) -> Any: ...
    def __abs__(self) -> Any: ...
    def __lt__(self, other: Any, /) -> Any: ...
    def __le__(self, other: Any, /) -> Any: ...
    def __gt__(self, other: Any, /) -> Any: ...
    def __ge__(self, other: Any, /) -> Any: ...


class Scalar(Quantity, Protocol):
    """A number."""

    def __float__(self) -> float: ...


class Index(Scalar, Protocol):
    """A whole number."""

    def __index__(self) -> int: ...


class Condition(Protocol):
    """True or false."""

    def __and__(self, other: Any, /) -> Any: ...
    def __or__(self, other: Any, /) -> Any: ...
    def __invert__(self) -> Any: ...


class Array(Quantity, Protocol):
    """Numbers with a shape."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def T(self) -> Any: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __getitem__(self, key: Any, /) -> Any: ...
    def __matmul__(self, other: Any, /) -> Any: ...
    def __rmatmul__(self, other: Any, /) -> Any: ...


class Sums(Protocol):
    """What `ra.accum` gives."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __setitem__(self, key: Any, value: Any, /) -> None: ...
    def __iadd__(self, value: Any, /) -> Any: ...
    def freeze(self) -> Any: ...


NumpyArray: TypeAlias = np.ndarray[Any, Any]

# ------------------------------------------------------- what is asked of an argument beyond its type


AxisSizes: TypeAlias = tuple[int | str | EllipsisType, ...]


class Axes:
    """The size of each axis: a number, or a name for one that is the same wherever it stands in a signature.

    The size named "d" is 2 or 3, the plane's or space's; "n+1" is one more than "n"; ... are any others.
    """

    def __init__(self, *sizes: int | str | EllipsisType) -> None:
        self.sizes = sizes


@dataclass(eq=False, repr=False)
class Between:
    """Every number is from `least` to `most`, or above `least` where that is `open`, as far as it is known."""

    least: float
    most: float = math.inf
    open: bool = False


@dataclass(eq=False, repr=False)
class NumberOf:
    """Every entry is the number of one of the things that are counted by that size: 0, ... size - 1."""

    size: str


@dataclass(eq=False, repr=False)
class OneOf:
    """A word that is one of these."""

    words: tuple[str, ...]


@dataclass(eq=False, repr=False)
class Truth:
    """True or False in every entry; or a number, unless `only` those."""

    only: bool = True


class Holes:
    """There may be entries that are not finite, for they have no meaning: those in walls."""


ABOVE_0 = Between(0.0, open=True)
FROM_0 = Between(0.0)

Positive: TypeAlias = Annotated[Scalar, ABOVE_0]
NotNegative: TypeAlias = Annotated[Scalar, FROM_0]
Share: TypeAlias = Annotated[Scalar, Between(0.0, 1.0)]
Count: TypeAlias = Annotated[int, Between(1)]  # known before anything is traced

# in the plane or in space: d is 2 or 3
Vector: TypeAlias = Annotated[Array, Axes("d")]
Vectors: TypeAlias = Annotated[Array, Axes("n", "d")]  # one of each point or body
Matrix: TypeAlias = Annotated[Array, Axes("d", "d")]

PlaneVector: TypeAlias = Annotated[Array, Axes(2)]
PlaneVectors: TypeAlias = Annotated[Array, Axes("n", 2)]
SpaceVector: TypeAlias = Annotated[Array, Axes(3)]
OneEach: TypeAlias = Annotated[Array, Axes("n")]  # one number of each point or body
