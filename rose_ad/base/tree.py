"""Nested values: tuples, lists, dicts and dataclasses of numbers and arrays, as leaves and a structure.

Numbers, arrays and traced values are leaves. Everything else (strings, None, functions) is static: part of
the structure, compared by equality and by what it holds, so that a function is traced anew when it changes.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from .static import state

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_):
        """What typing has from Python 3.11 on; it says something to type checkers only."""
        return lambda f: f


T = TypeVar("T")


class Leaf:
    """A base for traced values, which are leaves."""

    __slots__ = ()

    def as_traced(self) -> Any:
        """What it is as an operand; an error where it cannot be one."""
        raise NotImplementedError


_PLAIN = frozenset({float, int, bool, np.ndarray, np.float64})  # the common ones, found at once
_LEAVES = (Leaf, numbers.Number, np.ndarray, np.generic)


def is_leaf(x: Any) -> bool:
    """Whether a value is a number, an array or a traced value."""
    return type(x) in _PLAIN or isinstance(x, _LEAVES)


class Structure(NamedTuple):
    """A structure without its leaves: `kind` is a container's type, None for a leaf, Static for a
    constant. A leaf has the key WEAK where a number of Python takes its width from what it meets."""

    kind: Any
    keys: tuple[Any, ...] = ()
    children: tuple[Structure, ...] = ()


class Static:
    """The kind of a constant: the structure's keys are the constant and, where it can change, what it holds."""


WEAK = "weak"
_LEAF = Structure(None)
_WEAK_LEAF = Structure(None, (WEAK,))


def _fields(x: Any) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(x))


def flatten(x: Any) -> tuple[list[Any], Structure]:
    """The leaves of a value, in order, and its structure."""
    leaves: list[Any] = []
    return leaves, _flatten(x, leaves)


def _flatten(x: Any, leaves: list[Any]) -> Structure:
    if is_leaf(x):
        leaves.append(x)
        return _LEAF
    keys: tuple[Any, ...]
    if isinstance(x, dict):
        keys = tuple(x)
        children = [x[k] for k in keys]
    elif isinstance(x, tuple | list):
        keys, children = (), list(x)
    elif dataclasses.is_dataclass(x) and not isinstance(x, type):
        keys = _fields(x)
        children = [getattr(x, k) for k in keys]
    else:
        holds = state(x)
        return Structure(Static, (x,) if holds is None else (x, holds))
    return Structure(type(x), keys, tuple(_flatten(c, leaves) for c in children))


def leaves_as(x: Any, structure: Structure) -> list[Any] | None:
    """The leaves of a value in the order of a structure which it has, whatever the order of keys in its dicts;
    None where it has another."""
    leaves, own = flatten(x)
    if own == structure:
        return leaves
    return _in_order(iter(leaves), own, structure)


def _in_order(leaves: Iterator[Any], own: Structure, wanted: Structure) -> list[Any] | None:
    if own.kind is None and wanted.kind is None:
        return [next(leaves)]
    named = _is_dict(own) and _is_dict(wanted) and set(own.keys) == set(wanted.keys)
    same = own[:2] == wanted[:2] and len(own.children) == len(wanted.children)
    if not (named or same):
        return None
    places = [wanted.keys.index(k) for k in own.keys] if named else range(len(own.children))
    parts: list[list[Any]] = [[] for _ in places]
    for child, k in zip(own.children, places, strict=True):
        part = _in_order(leaves, child, wanted.children[k])
        if part is None:
            return None
        parts[k] = part
    return [leaf for part in parts for leaf in part]


def _is_dict(s: Structure) -> bool:
    return isinstance(s.kind, type) and issubclass(s.kind, dict)


def weakened(structure: Structure, weak: Iterator[bool]) -> Structure:
    """The structure with those leaves marked that are weak."""
    if structure.kind is None:
        return _WEAK_LEAF if next(weak) else _LEAF
    return structure._replace(children=tuple(weakened(c, weak) for c in structure.children))


def weak_leaves(structure: Structure) -> Iterator[bool]:
    """Of each leaf, in order, whether it is marked as weak."""
    if structure.kind is None:
        yield bool(structure.keys)
    for child in structure.children:
        yield from weak_leaves(child)


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The value of that structure with these leaves."""
    it = iter(leaves)
    out = _unflatten(structure, it)
    assert next(it, None) is None, "too many leaves"
    return out


def _unflatten(s: Structure, leaves: Iterator[Any]) -> Any:
    if s.kind is None:
        return next(leaves)
    if s.kind is Static:
        return s.keys[0]
    children = [_unflatten(c, leaves) for c in s.children]
    if issubclass(s.kind, dict):
        return dict_kind(s.kind)(zip(s.keys, children, strict=True))
    if issubclass(s.kind, list):
        return children
    if issubclass(s.kind, tuple):
        return s.kind(*children) if hasattr(s.kind, "_fields") else tuple(children)
    out = object.__new__(s.kind)
    for k, c in zip(s.keys, children, strict=True):
        object.__setattr__(out, k, c)
    return out


def dict_kind(kind: type) -> type[dict[Any, Any]]:
    """The class of which a dict of some class is made again."""
    return OrderedDict if issubclass(kind, OrderedDict) else dict


def paths(structure: Structure) -> list[str]:
    """Where each leaf is, as one writes it after a name: "[0]", ".position", "['mass']"."""
    if structure.kind is None:
        return [""]
    if structure.kind is Static:
        return []
    named = dataclasses.is_dataclass(structure.kind)
    keys = structure.keys or range(len(structure.children))
    return [
        (f".{key}" if named else f"[{key!r}]") + rest
        for key, child in zip(keys, structure.children, strict=True)
        for rest in paths(child)
    ]


def is_traced(x: Any) -> bool:
    """Whether a value is traced, or holds traced values."""
    return any(isinstance(leaf, Leaf) for leaf in flatten(x)[0])


def map_leaves(f: Callable[..., Any], x: Any, *more: Any) -> Any:
    """`f` over the leaves of values of one structure."""
    leaves, structure = flatten(x)
    others = [flatten(y)[0] for y in more]
    return unflatten(structure, [f(*group) for group in zip(leaves, *others, strict=True)])


@dataclass_transform(frozen_default=True)
def struct(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass whose values can be traced, and whose arrays can be indexed.

    A `Vec[n, S]` of a struct S is an S whose fields have a leading axis of length n; `balls[i]` is the S of
    the fields at i, `len(balls)` is n. A class that says itself what its index means keeps that.
    """
    made: Any = dataclasses.dataclass(frozen=True)(cls)
    if "__getitem__" not in vars(cls):
        made.__getitem__ = lambda self, i: map_leaves(lambda leaf: leaf[i], self)
    made.__len__ = lambda self: len(flatten(self)[0][0])
    out: type[T] = made
    return out
