"""Printing IR as text: deterministic, one instruction a line, variables numbered in order of definition.

Nothing is lost: `parsing.parse` makes the same function of it. An integer without a point is an I64, a float
an F64 unless `:F32` follows, an array says its type. Only Python objects have no text: a function with a
derivative of its own says `rule`, and a Python function that is called back is a `host` with a name.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Container, Iterable
from typing import Any

import numpy as np

from ..base.source import UNKNOWN
from .core import Atom, Block, Function, Instr, Lanes, Unset, Var
from .host import Host
from .intervals import loop_range
from .queries import callees, carried
from .types import F32

_NAME = re.compile(r"(?!\d)[\w<>.]+(?:#\d+)?")


Table = dict["int | Host", int]

_WRITTEN = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "scale": "*",
    "div": "/",
    "pow": "**",
    "select": "where",
    "norm_sqrt": "norm",
    "to_f64": "to_real",
    "to_i64": "to_int",
    "bool_to_i64": "to_int",
}


def as_written(op: str) -> str:
    """The name of a primitive in the user's language."""
    return _WRITTEN.get(op, op)


def show_program(function: Function) -> str:
    """The function and all it calls, callees first."""
    functions = callees(function)
    names = function_names(functions)
    return "\n\n".join(_Printer(names).function(f) for f in functions)


def show_function(function: Function, table: Table | None = None) -> str:
    """The function alone, with what it calls by the names that it has there.

    With a table, a line ends in `@k` where it has a location and a host's name is followed by its `@k`: its
    number in the table, to which it is added.
    """
    return _Printer(function_names(callees(function)), table).function(function)


def function_names(functions: Iterable[Function]) -> dict[Function, str]:
    """A name for each function, made unique where two share one."""
    names: dict[Function, str] = {}
    taken: set[str] = set()
    for f in functions:
        names[f] = unique_name(f.name, taken)
        taken.add(names[f])
    return names


def unique_name(name: str, taken: Container[str]) -> str:
    """The name, or the first of name#2, name#3, ... that is not taken."""
    unique, k = name, 1
    while unique in taken:
        k += 1
        unique = f"{name}#{k}"
    return unique


def literal(x: Any) -> str:
    """A Python bool, int or float, with all its digits; a nan that is not the usual one with its bits."""
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, float) and math.isnan(x):
        bits = struct.pack(">d", x)
        return "nan" if bits == struct.pack(">d", math.nan) else f"nan#{bits.hex()}"
    return repr(x)


def _quoted(name: str) -> str:
    return name if _NAME.fullmatch(name) else json.dumps(name)


class _Printer:
    def __init__(self, names: dict[Function, str], table: Table | None = None) -> None:
        self.functions, self.table = names, table
        self.names: dict[Var, str] = {}
        self.lines: list[str] = []

    def atom(self, a: Atom) -> str:
        if isinstance(a, Var):
            return self.names.setdefault(a, f"%{len(self.names)}")
        if isinstance(a, Unset):
            return f"unset {a.type!r}"
        if isinstance(a.value, np.ndarray):
            return f"{a.type!r}[{','.join(map(literal, a.value.ravel().tolist()))}]"
        return literal(a.value) + (":F32" if a.type is F32 else "")

    def atoms(self, atoms: Iterable[Atom]) -> str:
        return ", ".join(self.atom(a) for a in atoms)

    def params(self, params: Iterable[Var]) -> str:
        return ", ".join(f"{self.atom(p)}: {p.type!r}" for p in params)

    def entry(self, of: int | Host) -> str:
        """The number in the table of a location or host."""
        if self.table is None or of == UNKNOWN:
            return ""
        return f" @{self.table.setdefault(of, len(self.table))}"

    def line(self, depth: int, text: str, loc: int = UNKNOWN) -> None:
        self.lines.append("  " * depth + text + self.entry(loc))

    def function(self, f: Function) -> str:
        name, results = _quoted(self.functions[f]), ", ".join(repr(r.type) for r in f.results)
        rule = " rule" if f.rule is not None else ""
        self.line(0, f"fn {name}({self.params(f.params)}) -> ({results}){rule} {{", f.loc)
        self.block(f.block, 1)
        self.line(0, "}")
        return "\n".join(self.lines)

    def block(self, block: Block, depth: int) -> None:
        for instr in block.instrs:
            self.instr(instr, depth)
        if block.results:
            self.line(depth, f"return {self.atoms(block.results)}")

    def instr(self, instr: Instr, depth: int) -> None:
        head = f"{self.atoms(instr.outs)} = " if instr.outs else ""
        self.line(depth, head + self.right_side(instr), instr.loc)
        if not instr.blocks:
            return
        first, *others = reversed(instr.blocks) if instr.op == "while" else instr.blocks
        self.block(first, depth + 1)
        for block in others:
            self.line(depth, self.between(instr))
            self.block(block, depth + 1)
        self.line(depth, "}")

    def right_side(self, instr: Instr) -> str:
        """The instruction without its results, up to the brace of its first block."""
        args = self.atoms(instr.args)
        match instr.op:
            case "build" | "filter":
                return f"{instr.op} {self.over(instr)} ({self.loop_params(instr)}) {{"
            case "scan" | "rewind":
                n, reverse, counted, slots, budget = instr.attr
                steps = f"{self.atom(instr.args[0])} of {n}" if counted else str(n)
                way = " reverse" * reverse + f" slots {slots}" * bool(slots)
                way += f" budget {budget}" * bool(budget)
                start = self.atoms(carried(instr))
                return f"{instr.op} {steps}{way} from ({start}) ({self.loop_params(instr)}) {{"
            case "while":
                return (
                    f"while {instr.attr} from ({args}) ({self.params(instr.blocks[1].params)}) {{"
                )
            case "cond":
                return f"cond {args} {{"
            case "call":
                return f"{_quoted(self.functions[instr.attr])}({args})"
            case "host":
                f: Host = instr.attr
                types = ", ".join(map(repr, f.results))
                return f"host {_quoted(f.name)}{self.entry(f)}({args}) -> ({types})"
            case "addto":
                return f"{self.atom(instr.args[0])} += {self.atom(instr.args[1])}"
            case "index":
                return f"{self.atom(instr.args[0])}[{self.atom(instr.args[1])}]"
            case "reshape":
                return f"reshape {args} to {list(instr.attr)}"
            case "check":
                return f"check {args} < {instr.attr}"
            case "accum":
                return f"accum {instr.attr!r} {args}".rstrip()
        return f"{instr.op} {args}"

    def between(self, instr: Instr) -> str:
        """The line between the two blocks of an instruction."""
        match instr.op:
            case "while":
                return f"}} do ({self.loop_params(instr)}) {{"
            case "rewind":
                return f"}} back ({self.loop_params(instr, 1)}) {{"
        return "} else {"

    def over(self, instr: Instr) -> str:
        """What a build or filter goes through."""
        if not instr.args:
            return "lanes " * isinstance(instr.attr, Lanes) + str(int(instr.attr))
        bounds = self.atoms(instr.args)
        return bounds if instr.op == "build" else f"{instr.attr} from ({bounds})"

    def loop_params(self, instr: Instr, which: int = 0) -> str:
        """A loop's index, with its range where that does not follow from the bounds, and its carries."""
        index, *carries = instr.blocks[which].params
        shown = self.params([index])
        if index.range is not None and index.range != loop_range(instr):
            shown += " in {} to {}".format(*index.range)
        return ", ".join([shown, *map(self.params, ([c] for c in carries))])


Function.__str__ = show_program  # type: ignore[method-assign,assignment]  # printing is above what it prints
