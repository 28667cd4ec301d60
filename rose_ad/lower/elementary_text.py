"""The elementary functions as LLVM text: of a number, and of vectors of 256 bits.

A loop that calls one is vectorised by LLVM, which finds the vector's function by an attribute of the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..ir.elementary import FUNCTIONS, PREFIX, ROUND
from .memory_layout import float_bits


def vector_call(template: str, width: int) -> str | None:
    """The template of the call for a vector of so many, if `template` calls an elementary function."""
    found = re.search(rf"@{PREFIX}\w+{{f}}", template)
    if found is None:
        return None
    kind = f"<{width} x {{t}}>"
    return f"{{r}} = call {kind} {found.group()}_v{width}({kind} {{0}})"


def called(line: str) -> str | None:
    """The elementary function that a line of LLVM calls, without its width."""
    found = re.search(rf"@{PREFIX}(\w+?)(_v\d+)?\(", line)
    return found[1] if found else None


def definitions(names: Iterable[str]) -> list[str]:
    """The functions of these names, with their vector forms, as text."""
    out, vectors = [], []
    for name in sorted(names):
        widths = (4,) if name in FUNCTIONS else (4, 8)  # of F64, and of F32
        out += [_definition(name, width) for width in (1, *widths)]
        vectors += [f"ptr @{PREFIX}{name}_v{width}" for width in widths]
    if vectors:  # nothing calls them yet
        kept = f"[{len(vectors)} x ptr] [{', '.join(vectors)}]"
        out.append(f'@llvm.compiler.used = appending global {kept}, section "llvm.metadata"')
    return out


def _definition(name: str, width: int) -> str:
    single = name not in FUNCTIONS
    body = Lines(width)
    x = Number(body, "%x")
    kind = body.kind("float" if single else "double")
    wide = body.assign(f"fpext {kind} %x to {body.floats}") if single else x
    y = FUNCTIONS[name.removesuffix("f") if single else name](body, wide)
    out = body.assign(f"fptrunc {body.floats} {y.name} to {kind}") if single else y
    suffix = f"_v{width}" if width > 1 else ""
    head = f"define internal {kind} @{PREFIX}{name}{suffix}({kind} %x)"
    lines = [*body.text, f"  ret {kind} {out.name}"]
    return "\n".join([f"{head} noinline nounwind willreturn memory(none) {{", *lines, "}"])


@dataclass(frozen=True)
class Number:
    """A value of the function being written."""

    lines: Lines
    name: str

    def __add__(self, other: Number | float) -> Number:
        return self.lines.two("fadd", self, other)

    def __sub__(self, other: Number | float) -> Number:
        return self.lines.two("fsub", self, other)

    def __mul__(self, other: Number | float) -> Number:
        return self.lines.two("fmul", self, other)

    def __truediv__(self, other: Number | float) -> Number:
        return self.lines.two("fdiv", self, other)


class Lines:
    """The arithmetic of a function of a number, or of a vector of `width`, that is being written."""

    def __init__(self, width: int) -> None:
        self.width, self.text = width, list[str]()
        self.floats, self.integers = self.kind("double"), self.kind("i64")
        self.suffix = f".v{width}f64" if width > 1 else ".f64"

    def kind(self, scalar: str) -> str:
        return f"<{self.width} x {scalar}>" if self.width > 1 else scalar

    def assign(self, text: str) -> Number:
        name = f"%v{len(self.text)}"
        self.text.append(f"  {name} = {text}")
        return Number(self, name)

    def literal(self, scalar: str, value: str) -> str:
        return f"splat ({scalar} {value})" if self.width > 1 else value

    def operand(self, x: Number | float) -> str:
        if isinstance(x, Number):
            return x.name
        return self.literal("double", float_bits(x))

    def two(self, op: str, x: Number, y: Number | float) -> Number:
        return self.assign(f"{op} contract {self.floats} {x.name}, {self.operand(y)}")

    def at_least(self, x: Number, bound: float) -> Number:
        return self._bounded(x, "olt", bound)

    def at_most(self, x: Number, bound: float) -> Number:
        return self._bounded(x, "ogt", bound)

    def _bounded(self, x: Number, beyond: str, bound: float) -> Number:
        limit = self.operand(bound)
        outside = self.assign(f"fcmp {beyond} {self.floats} {x.name}, {limit}").name
        sides = f"{self.floats} {limit}, {self.floats} {x.name}"
        return self.assign(f"select {self.kind('i1')} {outside}, {sides}")

    def power_of_two(self, k: Number) -> Number:
        bits = self.assign(f"bitcast {self.floats} {(k + ROUND).name} to {self.integers}")
        biased = self.assign(f"add {self.integers} {bits.name}, {self.literal('i64', '1023')}")
        power = self.assign(f"shl {self.integers} {biased.name}, {self.literal('i64', '52')}")
        return self.assign(f"bitcast {self.integers} {power.name} to {self.floats}")

    def magnitude(self, x: Number) -> Number:
        return self.assign(f"call {self.floats} @llvm.fabs{self.suffix}({self.floats} {x.name})")

    def with_sign(self, size: Number, x: Number) -> Number:
        given = f"{self.floats} {size.name}, {self.floats} {x.name}"
        return self.assign(f"call {self.floats} @llvm.copysign{self.suffix}({given})")
