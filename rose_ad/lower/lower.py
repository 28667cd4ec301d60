"""A function and all it calls as a program in LLVM, with an entry that C and Python can call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ..ir.core import Function, Instr
from ..ir.host import Host
from ..ir.prims import TABLE
from ..ir.queries import callees, instructions
from ..ir.types import Bool, Ref, Scalar, value_type
from . import elementary_text
from .failures import Check
from .interrupts import POLL
from .lowering import Lowering
from .memory_layout import memory_type
from .module import Module, Written
from .work import Work

ENTRY = "rose_entry"
IN_PLACE = 60
"""The most instructions of a function that is written out where it is called, if that is one place. LLVM takes
much longer for one long function than for two of half the length."""
TINY = 3
"""The most instructions of a function that is written out wherever it is called."""


@dataclass(frozen=True)
class LoweredProgram:
    """A program as LLVM text, the bytes of scratch it needs, and what a status word means."""

    text: str
    scratch_bytes: int
    checks: tuple[Check, ...]  # the one that failed is at status - 1
    arrays: tuple[tuple[int, int], ...]  # (bytes, location) of the largest arrays in scratch
    hosts: tuple[Host, ...] = ()  # called as @rose_host0, ...
    signals: bool = False  # whether it calls `rose_poll`
    kept: Mapping[str, Any] = field(
        default_factory=dict
    )  # arrays it reads where they lie, by their symbols


def lower(function: Function, nans: bool = False, here: bool = False) -> LoweredProgram:
    """A function and all it calls, with an entry that takes pointers to arguments and results.

    With `nans`, an operation in which a NaN begins fails a check. `here` is whether it is for this process:
    then long loops call `rose_poll` (see interrupts.py), and large literals are not in the text but read where
    they lie, so that programs which differ in these alone are one object in the cache. Elsewhere programs are
    to be small: what is called from one place is written there however long it is."""
    functions = callees(function)
    calls = Counter(i.callee for f in functions for i in instructions(f.block) if i.op == "call")
    called_once = [f for f in functions if f is not function and calls[f] == 1]
    alike = [f for f in called_once if f.schedule.contract == function.schedule.contract]
    once = {f for f in alike if _is_short(f) or not here}
    once |= {
        f for f in functions if f.schedule.contract == function.schedule.contract and _is_tiny(f)
    }
    module = Module(nans, once, _scalar_code, Work(functions) if here else None)
    entry = _entry(module, function)
    declarations = [f"declare {d}" for d in sorted(module.declarations)]
    parts = ["\n".join(module.globals), *module.functions, entry]
    parts += [*elementary_text.definitions(module.elementary), "\n".join(declarations)]
    text = "\n\n".join(parts)
    scratch = module.function(function).frame
    largest = sorted(module.arrays, key=lambda array: -array[0])[:8]
    hosts = tuple(module.hosts)
    return LoweredProgram(
        text + "\n",
        scratch,
        tuple(module.checks),
        tuple(largest),
        hosts,
        f"@{POLL}(" in text,
        module.kept,
    )


def _is_short(f: Function) -> bool:
    return next(islice(instructions(f.block), IN_PLACE, None), None) is None


def _is_tiny(f: Function) -> bool:
    """Whether a call of a function would be longer than what it does."""
    return len(f.block.instrs) <= TINY and all(i.op in TABLE for i in f.block.instrs)


def _scalar_code(module: Module, f: Function) -> Written:
    """A function as it is run once at a time."""
    return Lowering(module, _in_groups).run(f)


def _in_groups(f: Lowering, instr: Instr) -> None:
    from .lanes.groups import run_in_groups  # few programs have such loops: it is loaded for these

    run_in_groups(f, instr)


def _entry(module: Module, f: Function) -> str:
    """`i64 entry(ptr pointers, ptr scratch)`: pointers to each argument, then to each result."""
    lines = [
        f"define i64 @{ENTRY}(ptr %pointers, ptr noalias %scratch) {{",
        "  %status = alloca i64",
        "  store i64 0, ptr %status",
    ]
    args: list[str] = []
    types = [*(p.type for p in f.params), *(Ref(value_type(r.type)) for r in f.results)]
    for k, t in enumerate(types):
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
        f"  call void {module.function(f).name}({', '.join(args)}) noinline",
        "  %failed = load i64, ptr %status",
        "  ret i64 %failed",
        "}",
    ]
    return "\n".join(lines)
