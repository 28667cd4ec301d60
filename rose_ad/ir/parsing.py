"""Reading IR that the module `text` has printed.

Types are computed again, as for any instruction, and the whole is verified. An index that is not checked is
believed to be in range, as everywhere in the IR: text is a program, and runs only if its origin is trusted.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections import ChainMap
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from ..base.errors import ParseError, RoseError
from ..base.source import UNKNOWN
from ..base.tree import flatten
from .core import (
    Atom,
    Block,
    Const,
    DerivativeRule,
    Function,
    Instr,
    Lanes,
    Linearized,
    Steps,
    Unset,
    Var,
)
from .host import Host
from .intervals import loop_range
from .prims import TABLE, result_type
from .queries import carried
from .text import unique_name
from .types import (
    F32,
    F64,
    I64,
    Array,
    Bool,
    Ref,
    Scalar,
    Type,
    Value,
    array_type,
    element,
    scalar_of,
    shape_of,
    value_type,
)
from .verify import Invalid, verify_alone

_TOKEN = re.compile(
    r"""\s*(?: (?P<variable> %\w+)
      | (?P<number> -?(?: (?:inf|nan(?:\#[0-9a-f]{16})?) (?![\w.<(\#])
                        | \d+ (?:\.\d*)? (?:e[+-]?\d+)? (?!\w) ))
      | (?P<string> "(?:[^"\\]|\\.)*")
      | (?P<sign> -> | \+= | [=()\[\]{},:&@])
      | (?P<word> (?!\d)[\w<>.]+ (?:\#\d+)?) )""",
    re.VERBOSE,
)
_INTEGER = re.compile(r"-?\d{1,19}")
_SCALARS: dict[str, Scalar] = {t.name: t for t in (F64, F32, I64, Bool)}
_LITERALS: dict[Scalar, type] = {F64: float, F32: float, I64: int, Bool: bool}
_Scope = ChainMap[str, Var]


def parse(text: str) -> Function:
    """The last function of a program that `str(function)` has printed; ParseError where it is not one.

    `interpret` runs it. Where the program had a derivative of its own, or called Python back, the derivative
    or the call raises RoseError: these are not in its text.
    """
    return parse_with(text, {}, ())


def parse_with(text: str, functions: dict[str, Function], table: Sequence[int | Host]) -> Function:
    """As `parse`, of a text that calls these functions, and names what is in the table by `@k`."""
    parser = _Parser(text, functions, table)
    while parser.more():
        parser.function()
    if len(parser.functions) == len(functions):
        parser.fail("expected a function")
    parsed = list(parser.functions.values())[len(functions) :]
    try:
        for f in parsed:
            verify_alone(f)
    except Invalid as error:
        line = parser.lines_of.get(error.instr, len(parser.lines))
        raise ParseError(error.what, line) from None
    return parsed[-1]


class _Parser:
    def __init__(
        self, text: str, functions: dict[str, Function], table: Sequence[int | Host]
    ) -> None:
        self.lines = text.splitlines()
        self.number = 0  # of the current line, from 1
        self.tokens: list[tuple[str, str]] = []  # of the current line
        self.at = 0  # the next token
        self.table = table
        self.functions = dict(functions)
        self.lines_of: dict[Instr | None, int] = {}

    def fail(self, what: str) -> NoReturn:
        raise ParseError(what, max(self.number, 1))

    # ------------------------------------------------------------------------------------ tokens

    def more(self) -> bool:
        """Go on to the next line that is not blank; False where there is none."""
        for number in range(self.number, len(self.lines)):
            if self.lines[number].strip():
                self.number = number + 1
                self.tokens, self.at = self.split(self.lines[number].rstrip()), 0
                return True
        return False

    def split(self, line: str) -> list[tuple[str, str]]:
        tokens, position = [], 0
        while position < len(line):
            found = _TOKEN.match(line, position)
            if found is None:
                self.fail(f"{line[position:].strip()[:20]!r} is not understood")
            kind = str(found.lastgroup)
            tokens.append((kind, found[kind]))
            position = found.end()
        return tokens

    def next_line(self) -> None:
        if not self.more():
            self.fail("expected '}', found the end of the text")

    def kind(self, ahead: int = 0) -> str:
        k = self.at + ahead
        return self.tokens[k][0] if k < len(self.tokens) else "end"

    def text(self, ahead: int = 0) -> str:
        k = self.at + ahead
        return self.tokens[k][1] if k < len(self.tokens) else ""

    def accept(self, *texts: str) -> bool:
        """Pass over these tokens if they are the next."""
        found = all(self.text(k) == t for k, t in enumerate(texts))
        self.at += len(texts) if found else 0
        return found

    def expect(self, text: str) -> None:
        if not self.accept(text):
            self.unexpected(f"'{text}'")

    def unexpected(self, wanted: str) -> NoReturn:
        self.fail(f"expected {wanted}, found {self.text() or 'the end of the line'}")

    def take(self, kind: str, wanted: str) -> str:
        if self.kind() != kind:
            self.unexpected(wanted)
        self.at += 1
        return self.text(-1)

    def listed(self, open: str, close: str, item: Callable[[], Any]) -> list[Any]:
        """`open item, item, ... close`"""
        self.expect(open)
        items: list[Any] = []
        while not self.accept(close):
            if items:
                self.expect(",")
            items.append(item())
        return items

    def entry(self, kind: type) -> Any:
        """What `@k` says, None where there is none."""
        if not self.accept("@"):
            return None
        k = self.integer()
        if not 0 <= k < len(self.table) or not isinstance(self.table[k], kind):
            self.fail(f"there is no @{k}")
        return self.table[k]

    def end(self) -> int:
        """The end of a line, and the location that it gives."""
        location: int = self.entry(int) or UNKNOWN
        if self.kind() != "end":
            self.unexpected("the end of the line")
        return location

    # ----------------------------------------------------------------- names, types and literals

    def name(self) -> str:
        if self.kind() != "string":
            return self.take("word", "a name")
        try:
            return str(json.loads(self.take("string", "a name")))
        except ValueError:
            self.fail("a name in quotes is written as in JSON")

    def type(self) -> Type:
        return Ref(self.value_type()) if self.accept("&") else self.value_type()

    def value_type(self) -> Value:
        if self.accept("["):
            n = self.length()
            self.expect("]")
            return Array(n, self.value_type())
        if self.text() not in _SCALARS:
            self.unexpected("a type")
        return _SCALARS[self.take("word", "a type")]

    def integer(self) -> int:
        text = self.take("number", "an integer")
        if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
            self.fail(f"expected an integer of 64 bits, found {text[:30]}")
        return int(text)

    def length(self) -> int:
        n = self.integer()
        if n < 0:
            self.fail(f"expected a length, found {n}")
        return n

    def literal(self) -> bool | int | float:
        if self.text() in {"true", "false"}:
            return self.take("word", "a bool") == "true"
        text = self.text()
        if self.kind() == "number" and text.lstrip("-").isdigit():
            return self.integer()
        text = self.take("number", "a variable or a literal")
        bits = text.partition("#")[2]
        return struct.unpack(">d", bytes.fromhex(bits))[0] if bits else float(text)

    def literals(self) -> Const:
        """An array of literals."""
        t = self.value_type()
        entries = self.listed("[", "]", self.literal)
        wanted, count = _LITERALS[scalar_of(t)], math.prod(shape_of(t))
        if len(entries) != count:
            self.fail(f"expected {count} entries, found {len(entries)}")
        if any(type(x) is not wanted for x in entries):
            self.fail(f"expected entries of type {scalar_of(t)!r}")
        return Const(np.array(entries, scalar_of(t).dtype).reshape(shape_of(t)), t)

    def unset(self) -> Unset:
        """An array of which no entry is read."""
        t = self.value_type()
        if not isinstance(t, Array):
            self.fail(f"expected the type of an array, found {t!r}")
        return Unset(t)

    def atom(self, scope: _Scope) -> Atom:
        if self.kind() == "variable":
            name = self.take("variable", "a variable")
            if name not in scope:
                self.fail(f"{name} is not defined here")
            return scope[name]
        if self.text() == "[":
            return self.literals()
        if self.accept("unset"):
            return self.unset()
        value = self.literal()
        own = next(t for t, python in _LITERALS.items() if type(value) is python)
        t = self.value_type() if self.accept(":") else own
        if not isinstance(t, Scalar) or _LITERALS[t] is not type(value):
            self.fail(f"{value!r} is not of type {t!r}")
        return Const(value, t)

    def atoms(self, scope: _Scope) -> tuple[Atom, ...]:
        """The atoms of a line, to its end."""
        out: list[Atom] = []
        while self.kind() != "end" and self.text() != "@":
            if out:
                self.expect(",")
            out.append(self.atom(scope))
        return tuple(out)

    def variables(self) -> list[str]:
        """The names before `=`, if there is one."""
        names: list[str] = []
        if self.kind() == "variable" and self.text(1) in {",", "="}:
            while not self.accept("="):
                if names:
                    self.expect(",")
                names.append(self.take("variable", "a variable"))
        return names

    # --------------------------------------------------------------------- functions and blocks

    def function(self) -> None:
        self.expect("fn")
        name = self.name()
        if name in self.functions:
            self.fail(f"{name} is defined twice")
        block, scope = Block(), _Scope()
        self.parameters(block, scope)
        self.expect("->")
        types = self.listed("(", ")", self.type)
        rule = _LostRule(name) if self.accept("rule") else None
        self.expect("{")
        loc = self.end()
        self.body(block, scope)
        self.end()
        found = [r.type for r in block.results]
        if found != types:
            self.fail(f"{name} returns {found}, not {types}")
        if any(isinstance(t, Ref) for t in found):
            self.fail(f"{name} returns a reference")
        base = re.sub(r"#\d+$", "", name)  # as it was before printing made it unique
        plain = base if unique_name(base, self.functions) == name else name
        self.functions[name] = Function(plain, block, loc, rule)

    def parameters(self, block: Block, scope: _Scope) -> None:
        def parameter() -> None:
            name = self.take("variable", "a variable")
            self.expect(":")
            self.define(scope, name, block.param(self.type()))
            if self.accept("in"):
                low = self.integer()
                self.expect("to")
                block.params[-1].range = (low, self.integer())

        self.listed("(", ")", parameter)

    def define(self, scope: _Scope, name: str, v: Var) -> None:
        if name in scope:
            self.fail(f"{name} is defined twice")
        scope[name] = v

    def body(self, block: Block, scope: _Scope) -> None:
        """A block's lines, and the brace that closes it."""
        self.next_line()
        while not self.accept("}"):
            if self.text() == "return" and self.text(1) != "(":
                self.expect("return")
                block.results = self.atoms(scope)
                self.end()
                self.next_line()
                if self.text() != "}":
                    self.unexpected("'}' after return")
            else:
                self.instruction(block, scope)
                self.next_line()

    def instruction(self, block: Block, scope: _Scope) -> None:
        number = self.number
        names = self.variables()
        try:
            instr, types = self.right_side(scope)
        except TypeError as error:
            self.number = number
            self.fail(str(error))
        if len(names) != len(types):
            self.number = number
            self.fail(f"expected names for {len(types)} results, found {len(names)}")
        instr.outs = tuple(Var(t, block) for t in types)
        for name, v in zip(names, instr.outs, strict=True):
            v.instr = instr
            if instr.op == "while" and v is instr.outs[-1]:
                v.range = (0, instr.attr)
            self.define(scope, name, v)
        block.instrs.append(instr)
        self.lines_of[instr] = number

    def right_side(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        """An instruction without its results, and their types."""
        if self.kind() in {"word", "string"} and self.text(1) == "(":
            return self.call(scope)
        if self.kind() == "variable" and self.text(1) == "+=":
            ref = self.atom(scope)
            self.expect("+=")
            return self.plain("addto", (ref, self.atom(scope)), None, [])
        if self.kind() == "variable" or self.text() == "[":
            return self.index(scope)
        op = self.take("word", "an instruction")
        if op in TABLE:
            args = self.atoms(scope)
            return self.plain(op, args, None, [result_type(TABLE[op], _scalars(args))])
        rule = getattr(self, f"{op}_", None) if op in _OPERATIONS else None
        if rule is None:
            self.fail(f"{op} is not an instruction")
        out: tuple[Instr, Sequence[Type]] = rule(scope)
        return out

    def plain(
        self, op: str, args: tuple[Atom, ...], attr: Any, types: Sequence[Type]
    ) -> tuple[Instr, Sequence[Type]]:
        """An instruction without blocks, whose line ends here."""
        return Instr(op, args, attr, (), (), self.end()), types

    # -------------------------------------------------------------------- the kinds of instruction

    def call(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        name = self.name()
        if name not in self.functions:
            self.fail(f"there is no function {name} before this one")
        function = self.functions[name]
        args = self.listed("(", ")", lambda: self.atom(scope))
        return self.plain("call", tuple(args), function, [r.type for r in function.results])

    def host_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        name = self.name()
        known = self.entry(Host)
        args = tuple(self.listed("(", ")", lambda: self.atom(scope)))
        self.expect("->")
        results = self.listed("(", ")", self.value_type)
        params = [_value(a) for a in args]
        host = known or _lost_host(name, params, results)
        if (host.params, host.results) != (tuple(params), tuple(results)):
            self.fail(f"{name} takes {host.params} and returns {host.results}")
        return self.plain("host", args, host, results)

    def index(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        a = self.atom(scope)
        self.expect("[")
        i = self.atom(scope)
        self.expect("]")
        row = element(a.type)
        if isinstance(i, Const) and not 0 <= i.value < shape_of(value_type(a.type))[0]:
            self.fail(f"{i.value!r} is not an index of {a.type!r}")
        return self.plain("index", (a, i), None, [row])

    def pack_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        elements = self.atoms(scope)
        if not elements:
            self.unexpected("a variable or a literal")
        return self.plain("pack", elements, None, [Array(len(elements), _value(elements[0]))])

    def check_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        i = self.atom(scope)
        self.expect("<")
        return self.plain("check", (i,), self.length(), [I64])

    def reshape_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        a = self.atom(scope)
        self.expect("to")
        shape = tuple(self.listed("[", "]", self.length))
        t = array_type(shape, scalar_of(a.type))
        return self.plain("reshape", (a,), shape, [Ref(t) if isinstance(a.type, Ref) else t])

    def accum_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        t = self.value_type()
        return self.plain("accum", self.atoms(scope), t, [Ref(t)])

    def freeze_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        ref = self.atom(scope)
        if not isinstance(ref.type, Ref):
            self.fail(f"only a reference can be frozen, not {ref.type!r}")
        return self.plain("freeze", (ref,), None, [ref.type.of])

    def build_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        in_lanes = self.accept("lanes")
        first = self.atom(scope)
        bounds = (first, self.atom(scope)) if self.accept(",") else ()
        if any(a.type is not I64 for a in (first, *bounds)):
            self.fail("a length and the bounds of a loop are I64")
        if (bounds and in_lanes) or (
            not bounds and not (isinstance(first, Const) and first.value >= 0)
        ):
            self.fail("expected a length, or two bounds")
        n = first.value if isinstance(first, Const) and not bounds else 0
        n = Lanes(n) if in_lanes else n
        instr = Instr("build", bounds, n, (Block(),), (), UNKNOWN)
        instr.loc = self.loop_block(instr, 0, scope)
        self.end()
        return instr, [Array(n, _value(r)) for r in instr.blocks[0].results]

    def filter_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        n = self.length()
        bounds = self.listed("(", ")", lambda: self.atom(scope)) if self.accept("from") else ()
        instr = Instr("filter", tuple(bounds), n, (Block(),), (), UNKNOWN)
        instr.loc = self.loop_block(instr, 0, scope)
        self.end()
        rows = instr.blocks[0].results[1:]
        return instr, [Array(n, I64), I64, *(Array(n, _value(r)) for r in rows)]

    def scan_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        instr = self.steps("scan", (Block(),), scope)
        instr.loc = self.loop_block(instr, 0, scope)
        self.end()
        return instr, self.stepped(instr, instr.attr.n)

    def rewind_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        instr = self.steps("rewind", (Block(), Block()), scope)
        instr.loc = self.loop_block(instr, 0, scope)
        self.expect("back")
        self.loop_block(instr, 1, scope)
        self.end()
        return instr, [r.type for r in instr.blocks[1].results]

    def steps(self, op: str, blocks: tuple[Block, ...], scope: _Scope) -> Instr:
        """A scan or rewind without its blocks."""
        first = self.atom(scope)
        counted = self.accept("of")
        if not counted and not isinstance(first, Const):
            self.unexpected("'of'")
        n = self.length() if counted else first.value  # type: ignore[union-attr]
        if type(n) is not int or n < 0:
            self.fail(f"expected a length, found {n!r}")
        reverse = self.accept("reverse")
        slots = self.length() if self.accept("slots") else 0
        budget = self.length() if self.accept("budget") else 0
        steps = Steps(n, reverse, counted, slots, budget)
        self.expect("from")
        start = self.listed("(", ")", lambda: self.atom(scope))
        return Instr(op, (*[first] * counted, *start), steps, blocks, (), UNKNOWN)

    def stepped(self, instr: Instr, n: int) -> list[Type]:
        """The types of the last carries and of what was yielded."""
        carries = [a.type for a in carried(instr)]
        return [*carries, *(Array(n, _value(y)) for y in instr.blocks[0].results[len(carries) :])]

    def while_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        n = self.length()
        self.expect("from")
        start = tuple(self.listed("(", ")", lambda: self.atom(scope)))
        test = Block()
        instr = Instr("while", start, n, (Block(), test), (), UNKNOWN)
        inner = scope.new_child()
        self.parameters(test, inner)
        self.expect("{")
        instr.loc = self.end()
        self.body(test, inner)
        self.expect("do")
        self.loop_block(instr, 0, scope)
        self.end()
        return instr, [*self.stepped(instr, n), I64]

    def loop_block(self, instr: Instr, which: int, scope: _Scope) -> int:
        """A block of a loop, from its parameters on; its first line's location."""
        body, inner = instr.blocks[which], scope.new_child()
        self.parameters(body, inner)
        if not body.params or body.params[0].type is not I64:
            self.fail("the first parameter of a loop is its index, an I64")
        if body.params[0].range is None:
            body.params[0].range = loop_range(instr)
        self.expect("{")
        loc = self.end()
        self.body(body, inner)
        return loc

    def cond_(self, scope: _Scope) -> tuple[Instr, Sequence[Type]]:
        then, otherwise = Block(), Block()
        predicate = self.atom(scope)
        self.expect("{")
        loc = self.end()
        self.body(then, scope.new_child())
        self.expect("else")
        self.expect("{")
        self.end()
        self.body(otherwise, scope.new_child())
        self.end()
        instr = Instr("cond", (predicate,), None, (then, otherwise), (), loc)
        return instr, [r.type for r in then.results]


_OPERATIONS = frozenset(
    "pack check reshape accum freeze build filter scan rewind while cond host".split()
)


def _scalars(atoms: Sequence[Atom]) -> list[Scalar]:
    types = [a.type for a in atoms]
    if not all(isinstance(t, Scalar) for t in types):
        raise TypeError(f"a primitive takes scalars, not {types}")
    return types  # type: ignore[return-value]


def _value(a: Atom) -> Value:
    if isinstance(a.type, Ref):
        raise TypeError("an array cannot hold references")
    return a.type


class _LostRule(DerivativeRule):
    """In place of a rule that is not in the text."""

    def __init__(self, name: str) -> None:
        self.name = name

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        raise RoseError(
            f"{self.name} has a derivative of its own, which its text does not hold",
            function.loc,
            "pickle the function: its derivative goes with it",
        )


def _lost_host(name: str, params: Sequence[Value], results: Sequence[Value]) -> Host:
    """In place of a Python function that is not in the text."""

    def lost(*_: Any) -> NoReturn:
        raise RoseError(
            f"the Python function {name} is called back, which is not in the text that was parsed",
            instead="pickle the function: what it calls goes with it",
        )

    lost.__name__ = name
    marks: Any = tuple(range(len(params))), {}
    return Host(lost, flatten(marks)[1], params, results, flatten(0)[1], UNKNOWN)
