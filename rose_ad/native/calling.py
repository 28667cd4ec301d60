"""Calling a native function with values of one structure, seen before.

The call is written as Python for that structure, as dataclasses write theirs: it compares classes, lengths,
keys and constants with what it knows, takes the leaves, and puts those of the result together. Anything else
is a MISS, and goes the general way through `tree`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..base.static import state
from ..base.tree import Static, Structure, dict_kind
from .caller import MISS


def fitted(
    native: Callable[..., Any], args: Structure, result: Structure, single: bool
) -> Callable[..., Any]:
    """`native`, which takes leaves, as a function of arguments of the structure `args`.

    Its value has the structure `result`, or is MISS for arguments of other structures and types. Where some
    are `single`, of 32 bits, a float of Python is not what an np.float64 is.
    """
    if result.kind is None and all(child.kind is None for child in args.children) and not single:
        return native
    return _Writer(native, single).call(args, result)


class _Writer:
    def __init__(self, native: Callable[..., Any], single: bool) -> None:
        self.single = single
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
            yield name
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
