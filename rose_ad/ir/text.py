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
from .core import Atom, Block, Function, Instr, Unset, Var
from .host import Host
from .intervals import loop_range
from .ops import Visitor
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


class _Printer(Visitor):
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
        row = self.rows.get(instr.op, _Printer._plain)
        return str(row(self, instr))

    def _plain(self, instr: Instr) -> str:
        return f"{instr.op} {self.atoms(instr.args)}"

    _pack = _join = _freeze = _plain

    def _index(self, instr: Instr) -> str:
        return f"{self.atom(instr.args[0])}[{self.atom(instr.args[1])}]"

    def _check(self, instr: Instr) -> str:
        return f"check {self.atoms(instr.args)} < {instr.length}"

    def _reshape(self, instr: Instr) -> str:
        return f"reshape {self.atoms(instr.args)} to {list(instr.shape)}"

    def _slice(self, instr: Instr) -> str:
        span = instr.span
        return f"slice {self.atoms(instr.args)} from {span.start} for {span.length}"

    def _accum(self, instr: Instr) -> str:
        return f"accum {instr.content!r} {self.atoms(instr.args)}".rstrip()

    def _addto(self, instr: Instr) -> str:
        return f"{self.atom(instr.args[0])} += {self.atom(instr.args[1])}"

    def _build(self, instr: Instr) -> str:
        return f"{instr.op} {self.over(instr)} ({self.loop_params(instr)}) {{"

    _filter = _build

    def _scan(self, instr: Instr) -> str:
        how = instr.steps
        steps = f"{self.atom(instr.args[0])} of {how.n}" if how.counted else str(how.n)
        way = " reverse" * how.reverse + f" slots {how.slots}" * bool(how.slots)
        way += f" budget {how.budget}" * bool(how.budget)
        start = self.atoms(carried(instr))
        return f"{instr.op} {steps}{way} from ({start}) ({self.loop_params(instr)}) {{"

    _rewind = _scan

    def _while(self, instr: Instr) -> str:
        start, taken = self.atoms(instr.args), self.params(instr.blocks[1].params)
        return f"while {instr.length} from ({start}) ({taken}) {{"

    def _cond(self, instr: Instr) -> str:
        return f"cond {self.atoms(instr.args)} {{"

    def _call(self, instr: Instr) -> str:
        return f"{_quoted(self.functions[instr.callee])}({self.atoms(instr.args)})"

    def _host(self, instr: Instr) -> str:
        f = instr.host
        types = ", ".join(map(repr, f.results))
        return f"host {_quoted(f.name)}{self.entry(f)}({self.atoms(instr.args)}) -> ({types})"

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
            return "lanes " * instr.in_lanes + str(int(instr.length))
        bounds = self.atoms(instr.args)
        return bounds if instr.op == "build" else f"{instr.length} from ({bounds})"

    def loop_params(self, instr: Instr, which: int = 0) -> str:
        """A loop's index, with its range where that does not follow from the bounds, and its carries."""
        index, *carries = instr.blocks[which].params
        shown = self.params([index])
        if index.range is not None and index.range != loop_range(instr):
            shown += " in {} to {}".format(*index.range)
        return ", ".join([shown, *map(self.params, ([c] for c in carries))])


Function.__str__ = show_program  # type: ignore[method-assign,assignment]  # printing is above what it prints
