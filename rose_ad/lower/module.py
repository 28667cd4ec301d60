"""The program being written: its functions, each lowered when it is first called, and what they share."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from ..ir.core import Const, Function
from ..ir.host import Host
from . import elementary_text
from .failures import Check
from .memory_layout import ALIGN
from .work import Work

RETURN = "ret void"
NAME = "@NAME@"  # where the name of a function being written will stand
_LARGE = 4096  # bytes of a literal: as text, and in an object, such take milliseconds
_TYPE = r"<[^>]*>|[^\s<>]+"  # of LLVM values


class Written(NamedTuple):
    """A function as text, and the bytes of scratch it and what it calls use."""

    text: str
    frame: int


class Callee(NamedTuple):
    """A function in the program: its name, the bytes of scratch it and what it calls use, and whether it may
    return before its end."""

    name: str
    frame: int
    leaves: bool


class Module:
    """The program being written; `lowering` writes a function of it, and asks it for those that one calls."""

    def __init__(
        self,
        nans: bool,
        once: set[Function],
        lowering: Callable[[Module, Function], Written],
        work: Work | None,
    ) -> None:
        self.nans = nans
        self.work = work  # if it is to be run in this process, where signals are to be answered
        self.kept: dict[str, Any] = {}  # large literals, by their names, which stay where they are
        self.once = once  # functions called from one place, which are written out there
        self.lowering = lowering
        self.globals: list[str] = []
        self.functions: list[str] = []
        self.declarations: set[str] = set()
        self.elementary: set[str] = set()
        self.checks: dict[Check, int] = {}  # and their numbers, from 1: equal ones have the same
        self.hosts: list[Host] = []
        self._callees: dict[Hashable, Callee] = {}
        self.arrays: list[tuple[int, int]] = []
        self._literals: dict[Const, str] = {}
        self._metadata: dict[str, str] = {}  # nodes by what is in them
        self._nodes = 0
        self._domain = ""

    def function(self, f: Function) -> Callee:
        """The function, lowered."""
        return self.lowered(f, lambda: self.lowering(self, f))

    def lowered(self, key: Hashable, write: Callable[[], Written]) -> Callee:
        """The function that `write` writes; `key` tells what has been lowered already."""
        known = self._callees.get(key)
        if known is None:
            written = write()
            name = f"@f{len(self.functions)}"
            self.functions.append(written.text.replace(NAME, name, 1))
            leaves = written.text.count(RETURN) > 1
            known = self._callees[key] = Callee(name, written.frame, leaves)
        return known

    def literal(self, c: Const) -> str:
        """A global that holds a literal array."""
        known = self._literals.get(c)
        if known is None:
            stays = (
                self.work is not None and c.value.nbytes >= _LARGE and c.value.flags.c_contiguous
            )
            known = self._literals[c] = self._kept(c) if stays else self._written(c)
        return known

    def _written(self, c: Const) -> str:
        name, size = f"@c{len(self._literals)}", c.value.nbytes
        data = "\\" + c.value.tobytes().hex("\\").upper() if size else ""
        self.globals.append(
            f'{name} = private unnamed_addr constant [{size} x i8] c"{data}", align {ALIGN}'
        )
        return name

    def _kept(self, c: Const) -> str:
        name, size = f"rose_array{len(self.kept)}", c.value.nbytes
        self.kept[name] = c.value
        align = c.value.dtype.alignment
        self.globals.append(f"@{name} = external constant [{size} x i8], align {align}")
        return f"@{name}"

    def metadata(self, node: str) -> str:
        """A node of metadata, in which @SELF is itself; one for equal nodes unless they are distinct."""
        known = self._metadata.get(node)
        if known is None:
            known = f"!{self._nodes}"
            self._nodes += 1
            self.globals.append(f"{known} = {node.replace('@SELF', known)}")
            if not node.startswith("distinct"):
                self._metadata[node] = known
        return known

    def alias_domain(self) -> str:
        """The node that all alias scopes of the program belong to."""
        if not self._domain:
            self._domain = self.metadata("distinct !{@SELF}")
        return self._domain

    def declare(self, line: str) -> None:
        """Declare, or define, what a primitive's template calls."""
        name = elementary_text.called(line)
        if name is not None:
            self.elementary.add(name)
            return
        found = re.search(rf"call (?:(?:contract|reassoc) )?({_TYPE}) (@[\w.]+)\((.*)\)", line)
        if found:
            result, name, args = found.groups()
            types = ", ".join(re.findall(rf"(?:^|, )({_TYPE}) ", args))
            self.declarations.add(f"{result} {name}({types})")
