"""The program as LLVM text: its functions, each lowered when it is first called, and what they share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from ..ir.core import Const, Function
from ..ir.host import Host
from ..ir.in_force import under
from ..ir.queries import callees, instructions
from ..ir.types import Bool, Ref, Scalar, value_type
from ..rewrite.loops.arrange import arranged
from . import elementary
from .checks import Check
from .lowering import ALIGN, NAME, Lowering, memory_type

ENTRY = "rose_entry"
_TYPE = r"<[^>]*>|[^\s<>]+"  # of LLVM values


@dataclass(frozen=True)
class Lowered:
    """A program as LLVM text, the bytes of scratch it needs, and what a status word means."""

    text: str
    scratch_bytes: int
    checks: tuple[Check, ...]  # the one that failed is at status - 1
    arrays: tuple[tuple[int, int], ...]  # (bytes, location) of the largest arrays in scratch
    hosts: tuple[Host, ...] = ()  # called as @rose_host0, ...


def lower(function: Function, nans: bool = False) -> Lowered:
    """A function and all it calls, with an entry that takes pointers to arguments and results.

    With `nans`, an operation in which a NaN begins fails a check."""
    for f in callees(function):
        if f.rule is not None and f.rule.refusal is not None:
            raise f.rule.refusal
    with under(function.schedule):
        return _lower(arranged(function), nans)


def _lower(function: Function, nans: bool) -> Lowered:
    functions = callees(function)
    calls = Counter(i.callee for f in functions for i in instructions(f.block) if i.op == "call")
    module = Module(nans, {f for f in functions if f is not function and calls[f] == 1})
    entry = module.entry(function)
    declarations = [f"declare {d}" for d in sorted(module.declarations)]
    parts = ["\n".join(module.globals), *module.functions, entry]
    parts += [*elementary.definitions(module.elementary), "\n".join(declarations)]
    text = "\n\n".join(parts)
    scratch = module.function(function).frame
    largest = sorted(module.arrays, key=lambda array: -array[0])[:8]
    hosts = tuple(module.hosts)
    return Lowered(text + "\n", scratch, tuple(module.checks), tuple(largest), hosts)


@dataclass(frozen=True)
class Callee:
    """A function in LLVM: its name, and the bytes of scratch it and what it calls use."""

    name: str
    frame: int


class Module:
    """The program being written: functions are lowered when they are first called."""

    def __init__(self, nans: bool, once: set[Function]) -> None:
        self.nans = nans
        self.once = once  # functions called from one place, which are written out there
        self.globals: list[str] = []
        self.functions: list[str] = []
        self.declarations: set[str] = set()
        self.elementary: set[str] = set()
        self.checks: list[Check] = []
        self.hosts: list[Host] = []
        self._callees: dict[Hashable, Callee] = {}
        self.arrays: list[tuple[int, int]] = []
        self._literals: dict[Const, str] = {}
        self._metadata: dict[str, str] = {}  # nodes by what is in them
        self._nodes = 0
        self._domain = ""

    def function(self, f: Function) -> Callee:
        """The function, lowered."""
        return self.lowered(f, f, lambda: Lowering(self))

    def lowered(self, key: Hashable, f: Function, make: Callable[[], Lowering]) -> Callee:
        """The function as `make` lowers it; `key` tells what has been lowered already."""
        known = self._callees.get(key)
        if known is None:
            lowering = make()
            text = lowering.run(f)
            name = f"@f{len(self.functions)}"
            self.functions.append(text.replace(NAME, name, 1))
            known = self._callees[key] = Callee(name, lowering.frame_bytes())
        return known

    def entry(self, f: Function) -> str:
        """`i64 entry(ptr pointers, ptr scratch)`: pointers to each argument, then to each result."""
        lines = [
            f"define i64 @{ENTRY}(ptr %pointers, ptr noalias %scratch) {{",
            "  %status = alloca i64",
            "  store i64 0, ptr %status",
        ]
        args: list[str] = []
        for k, t in enumerate(
            [p.type for p in f.params] + [Ref(value_type(r.type)) for r in f.results]
        ):
            lines.append(f"  %a{k} = getelementptr ptr, ptr %pointers, i64 {k}")
            lines.append(f"  %p{k} = load ptr, ptr %a{k}")
            if isinstance(t, Scalar):
                lines.append(f"  %m{k} = load {memory_type(t)}, ptr %p{k}")
                if t is Bool:
                    lines.append(f"  %v{k} = icmp ne i8 %m{k}, 0")
                args.append(f"{t.llvm} %{'v' if t is Bool else 'm'}{k}")
            else:
                args.append(f"ptr %p{k}")
        args += ["ptr %scratch", "ptr %status"]
        lines += [
            # written in here, it would be optimised all over again
            f"  call void {self.function(f).name}({', '.join(args)}) noinline",
            "  %failed = load i64, ptr %status",
            "  ret i64 %failed",
            "}",
        ]
        return "\n".join(lines)

    def literal(self, c: Const) -> str:
        """A global that holds a literal array."""
        known = self._literals.get(c)
        if known is None:
            known = self._literals[c] = f"@c{len(self._literals)}"
            data = "".join(f"\\{byte:02X}" for byte in c.value.tobytes())
            size = c.value.nbytes
            self.globals.append(
                f'{known} = private unnamed_addr constant [{size} x i8] c"{data}", align {ALIGN}'
            )
        return known

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
        name = elementary.called(line)
        if name is not None:
            self.elementary.add(name)
            return
        found = re.search(rf"call (?:(?:contract|reassoc) )?({_TYPE}) (@[\w.]+)\((.*)\)", line)
        if found:
            result, name, args = found.groups()
            types = ", ".join(re.findall(rf"(?:^|, )({_TYPE}) ", args))
            self.declarations.add(f"{result} {name}({types})")
