"""Calling a native function with values of one structure, seen before.

The call is written as Python for that structure, as dataclasses write theirs: it compares classes, lengths,
keys and constants with what it knows, takes the leaves, converts numbers of another type than declared, and
puts those of the result together. Anything else is a MISS, and goes the general way through `tree`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..base.static import state
from ..base.tree import Static, Structure, dict_kind
from ..ir.types import F32, F64, I64, Bool, Scalar, Type, scalar_of
from .caller import MISS

_CLASSES: dict[Scalar, tuple[type, ...]] = {
    F64: (float, np.float64),
    F32: (np.float32,),
    I64: (int, np.int64),
    Bool: (bool, np.bool_),
}
_MADE: dict[Scalar, type] = {F64: float, F32: np.float32, I64: int}
_LEAST, _MOST = -(2**63), 2**63 - 1  # of an Int


def fitted(
    native: Callable[..., Any],
    args: Structure,
    result: Structure,
    given: Sequence[Type],
    wanted: Sequence[Type],
) -> Callable[..., Any] | None:
    """`native`, which takes leaves of the types `wanted`, as a function of arguments of the structure `args`
    whose leaves have the types `given`; None where arrays would have to be converted.

    Its value has the structure `result`, or is MISS for arguments of other structures and types. Where some
    have 32 bits, a float of Python is not what an np.float64 is.
    """
    single = any(scalar_of(t) is F32 for t in given)
    converted = [(g, w) if g != w else None for g, w in zip(given, wanted, strict=True)]
    if any(pair and not isinstance(pair[0], Scalar) for pair in converted):
        return None
    plain = result.kind is None and all(child.kind is None for child in args.children)
    if plain and not single and not any(converted):
        return native
    return _Writer(native, single, converted).call(args, result)


class _Writer:
    def __init__(
        self,
        native: Callable[..., Any],
        single: bool,
        converted: Sequence[tuple[Any, Any] | None],
    ) -> None:
        self.single = single
        self.converted = iter(converted)  # of each leaf, from which scalar to which
        self.lines = ["def call(*args):"]
        self.known: dict[str, Any] = {
            "native": native,
            "MISS": MISS,
            "new": object.__new__,
            "put": object.__setattr__,
        }
        self.count = 0

    def call(self, args: Structure, result: Structure) -> Callable[..., Any]:
        leaves = list(self.take("args", args))
        self.line(f"out = native({', '.join(leaves)})")
        self.unless("out is not MISS")
        count = _count(result)
        found = [self.fresh() for _ in range(count)] if count > 1 else ["out"][:count]
        if count > 1:
            self.line(f"{', '.join(found)} = out")
        self.line(f"return {self.put(result, iter(found))}")
        # as part of this file, so that errors point beyond it
        exec(compile("\n".join(self.lines), __file__, "exec"), self.known)
        # taken out, so that the function does not hold itself through its globals
        made: Callable[..., Any] = self.known.pop("call")
        return made

    def line(self, text: str) -> None:
        self.lines.append("  " + text)

    def unless(self, test: str) -> None:
        self.line(f"if not ({test}): return MISS")

    def fresh(self) -> str:
        self.count += 1
        return f"v{self.count}"

    def constant(self, value: Any) -> str:
        name = self.fresh()
        self.known[name] = value
        return name

    def take(self, name: str, s: Structure) -> Iterator[str]:
        """Write what checks that the value `name` has the structure; the names of its leaves."""
        if s.kind is None:
            if self.single:
                self.unless(f"type({name}) {'is' if s.keys else 'is not'} float")
            pair = next(self.converted)
            yield self.convert(name, *pair) if pair else name
            return
        if s.kind is Static:
            c, *holds = map(self.constant, s.keys)
            self.unless(f"type({name}) is type({c}) and ({name} is {c} or {name} == {c})")
            for what in holds:
                self.unless(f"{self.constant(state)}({name}) == {what}")
            return
        self.unless(f"type({name}) is {self.constant(s.kind)}")
        children = [self.fresh() for _ in s.children]
        if issubclass(s.kind, tuple | list):
            self.unless(f"len({name}) == {len(children)}")
            parts = [f"{name}[{k}]" for k in range(len(children))]
        elif issubclass(s.kind, dict):
            self.unless(f"tuple({name}) == {self.constant(s.keys)}")
            parts = [f"{name}[{self.constant(k)}]" for k in s.keys]
        else:
            parts = [f"getattr({name}, {k!r})" for k in s.keys]
        for child, part, inner in zip(children, parts, s.children, strict=True):
            self.line(f"{child} = {part}")
            yield from self.take(child, inner)

    def convert(self, name: str, given: Scalar, wanted: Scalar) -> str:
        """Write what checks that a number is of a type; an expression for it as one of another type."""
        self.unless(f"type({name}) in {self.constant(_CLASSES[given])}")
        if given is I64:
            self.unless(f"{_LEAST} <= {name} <= {_MOST}")
        return f"{self.constant(_MADE[wanted])}({name})"

    def put(self, s: Structure, leaves: Iterator[str]) -> str:
        """Write what makes a value of the structure; an expression for it."""
        if s.kind is None:
            return next(leaves)
        if s.kind is Static:
            return self.constant(s.keys[0])
        children = [self.put(child, leaves) for child in s.children]
        if issubclass(s.kind, dict):
            items = zip(map(self.constant, s.keys), children, strict=True)
            plain = "{" + ", ".join(f"{k}: {v}" for k, v in items) + "}"
            kind = dict_kind(s.kind)
            return plain if kind is dict else f"{self.constant(kind)}({plain})"
        if issubclass(s.kind, list):
            return "[" + ", ".join(children) + "]"
        if issubclass(s.kind, tuple):
            named = self.constant(s.kind) if hasattr(s.kind, "_fields") else None
            return (
                f"{named}({', '.join(children)})"
                if named
                else f"({''.join(c + ', ' for c in children)})"
            )
        out = self.fresh()
        self.line(f"{out} = new({self.constant(s.kind)})")
        for key, child in zip(s.keys, children, strict=True):
            self.line(f"put({out}, {key!r}, {child})")
        return out


def _count(s: Structure) -> int:
    return 1 if s.kind is None else sum(map(_count, s.children))
