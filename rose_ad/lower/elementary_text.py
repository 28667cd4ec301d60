"""The elementary functions as LLVM text: of a number, and of vectors of 256 bits.

A loop that calls one is vectorised by LLVM, which finds the vector's function by an attribute of the call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..ir.circular import sincos
from ..ir.elementary import BEYOND, FUNCTIONS, PAIRED, PREFIX
from ..ir.straight_line import ROUND
from .memory_layout import float_bits

Bit: TypeAlias = str
"""The name of an i1, or of a vector of them."""
Bits: TypeAlias = str
"""The name of an i64, or of a vector of them."""
_PAIR = "sincos"
_DOUBLES = {*FUNCTIONS, _PAIR}
_ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of the root of 1/2
_NORMAL, _LIFT = 2.0**-1022, 54
_SPACED = 0x4330000000000000  # the bits of 2^52, to which integers may be joined


def vector_call(template: str, width: int) -> str | None:
    """The template of the call for a vector of so many, if `template` calls an elementary function."""
    found = re.search(rf"@{PREFIX}(\w+){{f}}", template)
    if found is None:
        return None
    kind = f"<{width} x {{t}}>"
    if found[1] in PAIRED:
        return _of_pair(found[1], kind, f"_v{width}")
    return f"{{r}} = call {kind} {found.group()}_v{width}({kind} {{0}})"


def paired(template: str) -> str:
    """Where `template` calls the sine or the cosine, that of a call which gives both: of two such calls with
    one argument LLVM leaves one. It finds no form for vectors in a loop."""
    found = re.search(rf"@{PREFIX}(\w+){{f}}", template)
    return _of_pair(found[1], "{t}", "") if found and found[1] in PAIRED else template


def _of_pair(name: str, kind: str, suffix: str) -> str:
    both = f"{{{{{kind}, {kind}}}}}"
    call = f"{{r}}.pair = call {both} @{PREFIX}{_PAIR}{{f}}{suffix}({kind} {{0}})"
    return f"{call}\n{{r}} = extractvalue {both} {{r}}.pair, {PAIRED[name]}"


def called(line: str) -> str | None:
    """The elementary function that a line of LLVM calls, without its width."""
    found = re.search(rf"@{PREFIX}(\w+?)(_v\d+)?\(", line)
    return found[1] if found else None


def definitions(names: Iterable[str]) -> list[str]:
    """The functions of these names, with their vector forms, as text."""
    out, vectors = [], []
    for name in sorted(names):
        widths = (4,) if name in _DOUBLES else (4, 8)  # of F64, and of F32
        out += [_definition(name, width) for width in (1, *widths)]
        if not name.startswith(_PAIR):
            vectors += [f"ptr @{PREFIX}{name}_v{width}" for width in widths]
    if vectors:  # nothing calls them yet
        kept = f"[{len(vectors)} x ptr] [{', '.join(vectors)}]"
        out.append(f'@llvm.compiler.used = appending global {kept}, section "llvm.metadata"')
    return out


def _definition(name: str, width: int) -> str:
    single = name not in _DOUBLES
    double = name.removesuffix("f") if single else name
    body = Lines(width)
    kind = body.kind("float" if single else "double")
    whole = _returned(double, kind)
    x = Number(body, "%x")
    wide = body.assign(f"fpext {kind} %x to {body.floats}") if single else x

    def end(found: Sequence[Number]) -> None:
        if single:
            found = [body.assign(f"fptrunc {body.floats} {y.name} to {kind}") for y in found]
        body.text.append(f"  ret {whole} {_joined(body, found, kind, whole)}")

    if double in BEYOND:
        near = body.less(body.magnitude(wide), BEYOND[double])
        if width > 1:
            every = f"call i1 @llvm.vector.reduce.and.v{width}i1(<{width} x i1> {near})"
            near = body.assign(every).name
        body.text += [f"  br i1 {near}, label %near, label %beyond", "beyond:"]
        if width == 1:
            end(_by_library(body, wide, double))
        else:
            found = _one_by_one(body, name, "float" if single else "double")
            body.text.append(f"  ret {whole} {_joined(body, found, kind, whole)}")
        body.text.append("near:")
    end(sincos(body, wide) if double == _PAIR else [FUNCTIONS[double](body, wide)])
    suffix = f"_v{width}" if width > 1 else ""
    head = f"define internal {whole} @{PREFIX}{name}{suffix}({kind} %x)"
    return "\n".join([f"{head} noinline nounwind willreturn memory(none) {{", *body.text, "}"])


def _returned(double: str, kind: str) -> str:
    """The type of what a function returns: a number, or two."""
    return f"{{{kind}, {kind}}}" if double == _PAIR else kind


def _joined(body: Lines, found: Sequence[Number], kind: str, whole: str) -> str:
    if len(found) == 1:
        return found[0].name
    out = "poison"
    for k, y in enumerate(found):
        out = body.assign(f"insertvalue {whole} {out}, {kind} {y.name}, {k}").name
    return out


def _by_library(body: Lines, x: Number, double: str) -> list[Number]:
    """By the C library's functions."""
    names = PAIRED if double == _PAIR else (double,)
    return [body.assign(f"call double @llvm.{name}.f64(double {x.name})") for name in names]


def _one_by_one(body: Lines, name: str, scalar: str) -> list[Number]:
    """By the function of a number, lane by lane."""
    kind, count = body.kind(scalar), 2 if name.startswith(_PAIR) else 1
    whole = _returned(name if name in _DOUBLES else name.removesuffix("f"), scalar)
    lanes = [Number(body, "poison")] * count
    for k in range(body.width):
        lane = body.assign(f"extractelement {kind} %x, i64 {k}")
        y = body.assign(f"call {whole} @{PREFIX}{name}({scalar} {lane.name})")
        for n in range(count):
            one = body.assign(f"extractvalue {whole} {y.name}, {n}") if count > 1 else y
            insert = f"insertelement {kind} {lanes[n].name}, {scalar} {one.name}, i64 {k}"
            lanes[n] = body.assign(insert)
    return lanes


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
    """`Arithmetic` of a function of a number, or of a vector of `width`, that is being written."""

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
        return self.choose(self.test(beyond, x, bound), bound, x)

    def power_of_two(self, k: Number) -> Number:
        biased = self.whole("add", self.bits(k + ROUND), 1023)
        return self.of_bits(self.whole("shl", biased, 52))

    def parts(self, x: Number) -> tuple[Number, Number]:
        tiny = self.less(x, _NORMAL)
        bits = self.bits(self.choose(tiny, x * 2.0**_LIFT, x))
        above = self.whole(
            "sub", bits, _ROOT_HALF - (1023 << 52)
        )  # positive, so that shifts are plain
        biased = self.whole("lshr", above, 52)
        shift = self.whole("shl", self.whole("sub", biased, 1023), 52)
        exponent = self.of_bits(self.whole("or", biased, _SPACED)) - (2.0**52 + 1023)
        m = self.of_bits(self.assign(f"sub {self.integers} {bits}, {shift}").name)
        return self.choose(tiny, exponent - float(_LIFT), exponent), m

    def whole(self, op: str, bits: Bits, constant: int) -> Bits:
        """An operation on integers."""
        given = f"{self.integers} {bits}, {self.literal('i64', str(constant))}"
        return self.assign(f"{op} {given}").name

    def bits(self, x: Number) -> Bits:
        """The bits of a double, as the name of an i64."""
        return self.assign(f"bitcast {self.floats} {x.name} to {self.integers}").name

    def of_bits(self, bits: Bits) -> Number:
        """The double that has these bits."""
        return self.assign(f"bitcast {self.integers} {bits} to {self.floats}")

    def test(self, how: str, x: Number, y: Number | float) -> Bit:
        """A comparison, as LLVM calls it: olt, oeq, uno."""
        return self.assign(f"fcmp {how} {self.floats} {x.name}, {self.operand(y)}").name

    def less(self, x: Number, y: Number | float) -> Bit:
        return self.test("olt", x, y)

    def greater(self, x: Number, y: Number | float) -> Bit:
        return self.test("ogt", x, y)

    def equal(self, x: Number, y: Number | float) -> Bit:
        return self.test("oeq", x, y)

    def bit(self, k: Number, n: int) -> Bit:
        shifted = self.whole("lshr", self.bits(k + ROUND), n)
        return self.assign(f"trunc {self.integers} {shifted} to {self.kind('i1')}").name

    def choose(self, bit: Bit, x: Number | float, y: Number | float) -> Number:
        given = f"{self.floats} {self.operand(x)}, {self.floats} {self.operand(y)}"
        return self.assign(f"select {self.kind('i1')} {bit}, {given}")

    def magnitude(self, x: Number) -> Number:
        return self.assign(f"call {self.floats} @llvm.fabs{self.suffix}({self.floats} {x.name})")

    def with_sign(self, size: Number, x: Number) -> Number:
        given = f"{self.floats} {size.name}, {self.floats} {x.name}"
        return self.assign(f"call {self.floats} @llvm.copysign{self.suffix}({given})")
