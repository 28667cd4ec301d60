"""What a constant of a program is made of, so that a change of it is seen.

A program is traced for a constant as it was. An object with attributes is the same object after one of them was
set, but no longer the same constant: what it holds is compared as well.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import types
from collections.abc import Hashable
from typing import Any

import numpy as np


class Unchanging:
    """A base for objects whose attributes change nothing of what they mean."""

    __slots__ = ()


_UNCHANGING = (
    Unchanging,
    type,
    enum.Enum,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
)
_MOST = 1000  # values that are looked at; those behind are taken to be as they were
_LARGE = 4096  # bytes of an array that are kept as they are


class Held:
    """A number, or anything else, that is a constant because the parameter it is given for is static."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Held) or type(self.value) is not type(other.value):
            return False
        return bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


def can_change(x: Any) -> bool:
    """Whether an object has attributes that may be set and mean something."""
    return type(x).__dictoffset__ != 0 and not isinstance(x, _UNCHANGING)


def state(x: Any) -> Hashable:
    """What an object holds, to be compared with what it holds later; None where it cannot be changed."""
    if isinstance(x, Held):
        return state(x.value)
    return Looking().at(x) if can_change(x) or isinstance(x, types.MethodType) else None


class Same:
    """Stands for an object of which only that it is the same can be seen. Keeps it, so that no other takes its
    place in memory."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.x is other.x

    def __hash__(self) -> int:
        return id(self.x)


class Looking:
    """A walk through all that a value holds."""

    def __init__(self) -> None:
        self.seen: dict[int, tuple[int, Any]] = {}  # what was met, numbered

    def at(self, x: Any) -> Hashable:
        """What stands for a value: equal for two that hold the same."""
        if isinstance(x, float | complex):
            return repr(x)
        if isinstance(x, np.ndarray):
            return self.at_array(x)
        if x is None or isinstance(x, int | str | bytes | np.generic):
            return type(x), x
        known = self.seen.get(id(x))
        if known is not None:
            return known[0]
        if len(self.seen) >= _MOST:
            return self.beyond()
        self.seen[id(x)] = len(self.seen), x
        if isinstance(x, dict):
            return type(x), tuple((self.at(k), self.at(v)) for k, v in x.items())
        if isinstance(x, list | tuple | set | frozenset):
            return type(x), tuple(map(self.at, x))
        if isinstance(x, types.MethodType):
            return self.at(x.__func__), self.at(x.__self__)
        if isinstance(x, functools.partial):
            return self.at(x.func), self.at(x.args), self.at(x.keywords)
        if can_change(x):
            return self.at_object(x)
        return self.at_other(x)

    def at_array(self, a: np.ndarray[Any, Any]) -> Hashable:
        if a.dtype.hasobject:
            return self.at_other(a)
        data = a.tobytes() if a.nbytes <= _LARGE else hashlib.sha256(a.tobytes()).digest()
        return a.shape, a.dtype.str, data

    def at_object(self, x: Any) -> Hashable:
        return type(x), self.at(vars(x))

    def at_other(self, x: Any) -> Hashable:
        return Same(x)

    def beyond(self) -> Hashable:
        """Of more than can be looked at."""
        return None
