"""Printing IR as text: deterministic, one instruction a line, variables numbered in order of definition."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .ir import Atom, Block, Function, Instr, Var, callees, carried

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


def function_names(functions: Iterable[Function]) -> dict[Function, str]:
    """A name for each function, made unique where two share one."""
    names: dict[Function, str] = {}
    taken: set[str] = set()
    for f in functions:
        name, k = f.name, 1
        while name in taken:
            k += 1
            name = f"{f.name}#{k}"
        taken.add(name)
        names[f] = name
    return names


class _Printer:
    def __init__(self, names: dict[Function, str]) -> None:
        self.functions = names
        self.names: dict[Var, str] = {}
        self.lines: list[str] = []

    def atom(self, a: Atom) -> str:
        if isinstance(a, Var):
            return self.names.setdefault(a, f"%{len(self.names)}")
        if isinstance(a.value, np.ndarray):
            return f"{a.type!r}{a.value.ravel().tolist()}".replace(" ", "")
        return repr(a.value).lower() if isinstance(a.value, bool) else repr(a.value)

    def atoms(self, atoms: Iterable[Atom]) -> str:
        return ", ".join(self.atom(a) for a in atoms)

    def params(self, params: Iterable[Var]) -> str:
        return ", ".join(f"{self.atom(p)}: {p.type!r}" for p in params)

    def function(self, f: Function) -> str:
        results = ", ".join(repr(r.type) for r in f.results)
        self.lines = [f"fn {self.functions[f]}({self.params(f.params)}) -> ({results}) {{"]
        self.block(f.block, 1)
        self.lines.append("}")
        return "\n".join(self.lines)

    def block(self, block: Block, depth: int) -> None:
        for instr in block.instrs:
            self.instr(instr, depth)
        if block.results:
            self.lines.append("  " * depth + f"return {self.atoms(block.results)}")

    def instr(self, instr: Instr, depth: int) -> None:
        pad = "  " * depth
        head = f"{self.atoms(instr.outs)} = " if instr.outs else ""
        args = self.atoms(instr.args)
        match instr.op:
            case "build" | "filter":
                over = args if instr.args else str(instr.attr)
                self.open(f"{pad}{head}{instr.op} {over}", instr.blocks[0], depth)
            case "scan":
                n, reverse, counted, slots = instr.attr
                way = " reverse" * reverse + f" slots {slots}" * bool(slots)
                steps = f"{self.atom(instr.args[0])} of {n}" if counted else str(n)
                start = self.atoms(carried(instr))
                self.open(f"{pad}{head}scan {steps}{way} from ({start})", instr.blocks[0], depth)
            case "rewind":
                n, reverse, counted, slots = instr.attr
                way = " reverse" * reverse + f" slots {slots}"
                steps = f"{self.atom(instr.args[0])} of {n}" if counted else str(n)
                start = self.atoms(carried(instr))
                step, back = instr.blocks
                self.open(f"{pad}{head}rewind {steps}{way} from ({start})", step, depth)
                self.lines[-1] = f"{pad}}} back ({self.params(back.params)}) {{"
                self.block(back, depth + 1)
                self.lines.append(pad + "}")
            case "while":
                body, test = instr.blocks
                self.open(f"{pad}{head}while {instr.attr} from ({args})", test, depth)
                self.lines[-1] = f"{pad}}} do ({self.params(body.params)}) {{"
                self.block(body, depth + 1)
                self.lines.append(pad + "}")
            case "cond":
                self.lines.append(f"{pad}{head}cond {args} {{")
                self.block(instr.blocks[0], depth + 1)
                self.lines.append(f"{pad}}} else {{")
                self.block(instr.blocks[1], depth + 1)
                self.lines.append(pad + "}")
            case "call" | "host":
                name = (
                    self.functions[instr.attr] if instr.op == "call" else f"host {instr.attr.name}"
                )
                self.lines.append(f"{pad}{head}{name}({args})")
            case "addto":
                self.lines.append(f"{pad}{self.atom(instr.args[0])} += {self.atom(instr.args[1])}")
            case "index":
                self.lines.append(
                    f"{pad}{head}{self.atom(instr.args[0])}[{self.atom(instr.args[1])}]"
                )
            case "reshape":
                self.lines.append(f"{pad}{head}reshape {args} to {list(instr.attr)}")
            case "check":
                self.lines.append(f"{pad}{head}check {args} < {instr.attr}")
            case "accum":
                self.lines.append(f"{pad}{head}accum {instr.attr!r} {args}".rstrip())
            case _:
                self.lines.append(f"{pad}{head}{instr.op} {args}")

    def open(self, head: str, body: Block, depth: int) -> None:
        self.lines.append(f"{head} ({self.params(body.params)}) {{")
        self.block(body, depth + 1)
        self.lines.append("  " * depth + "}")
