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
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from ..base.errors import ParseError, RoseError
from ..base.source import UNKNOWN
from ..base.tree import flatten
from .core import (
    Atom,
    Attribute,
    Block,
    Const,
    DerivativeRule,
    Function,
    Instr,
    Lanes,
    Linearized,
    Span,
    Steps,
    Unset,
    Var,
)
from .host import Host
from .intervals import loop_range
from .ops import OPS, Visitor
from .prims import TABLE, made_types
from .text import unique_name
from .tokens import Tokens
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
    scalar_of,
    shape_of,
    value_type,
)
from .verify import Invalid, verify_alone

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


class _Parser(Tokens, Visitor):
    """Has a method for each instruction: from behind its name on, to the end of its last block."""

    def __init__(
        self, text: str, functions: dict[str, Function], table: Sequence[int | Host]
    ) -> None:
        super().__init__(text)
        self.table = table
        self.functions = dict(functions)
        self.lines_of: dict[Instr | None, int] = {}

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
            instr = self.right_side(scope)
            types = made_types(instr)
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
                v.range = (0, instr.length)
            self.define(scope, name, v)
        block.instrs.append(instr)
        self.lines_of[instr] = number

    def right_side(self, scope: _Scope) -> Instr:
        """An instruction without its results."""
        if self.kind() in {"word", "string"} and self.text(1) == "(":
            return self._call(scope)
        if self.kind() == "variable" and self.text(1) == "+=":
            return self._addto(scope)
        if self.kind() == "variable" or self.text() == "[":
            return self._index(scope)
        op = self.take("word", "an instruction")
        if op in TABLE:
            return self.plain(op, self.atoms(scope))
        if op not in OPS or op in _BY_SIGN:
            self.fail(f"{op} is not an instruction")
        out: Instr = self.rows[op](self, scope)
        return out

    def plain(self, op: str, args: Sequence[Atom], attr: Attribute = None) -> Instr:
        """An instruction without blocks, whose line ends here."""
        return Instr(op, tuple(args), attr, (), (), self.end())

    # -------------------------------------------------------------------- the kinds of instruction

    def _call(self, scope: _Scope) -> Instr:
        name = self.name()
        if name not in self.functions:
            self.fail(f"there is no function {name} before this one")
        function = self.functions[name]
        return self.plain("call", self.listed("(", ")", lambda: self.atom(scope)), function)

    def _host(self, scope: _Scope) -> Instr:
        name = self.name()
        known = self.entry(Host)
        args = tuple(self.listed("(", ")", lambda: self.atom(scope)))
        self.expect("->")
        results = self.listed("(", ")", self.value_type)
        params = [_value(a) for a in args]
        host = known or _lost_host(name, params, results)
        if (host.params, host.results) != (tuple(params), tuple(results)):
            self.fail(f"{name} takes {host.params} and returns {host.results}")
        return self.plain("host", args, host)

    def _addto(self, scope: _Scope) -> Instr:
        ref = self.atom(scope)
        self.expect("+=")
        return self.plain("addto", (ref, self.atom(scope)))

    def _index(self, scope: _Scope) -> Instr:
        a = self.atom(scope)
        self.expect("[")
        i = self.atom(scope)
        self.expect("]")
        shape = shape_of(value_type(a.type))
        if isinstance(i, Const) and shape and not 0 <= i.value < shape[0]:
            self.fail(f"{i.value!r} is not an index of {a.type!r}")
        return self.plain("index", (a, i))

    def _pack(self, scope: _Scope) -> Instr:
        return self.plain("pack", self.elements(scope))

    def _check(self, scope: _Scope) -> Instr:
        i = self.atom(scope)
        self.expect("<")
        return self.plain("check", (i,), self.length())

    def _reshape(self, scope: _Scope) -> Instr:
        a = self.atom(scope)
        self.expect("to")
        return self.plain("reshape", (a,), tuple(self.listed("[", "]", self.length)))

    def _join(self, scope: _Scope) -> Instr:
        return self.plain("join", self.elements(scope))

    def elements(self, scope: _Scope) -> tuple[Atom, ...]:
        """One atom or more, to the end of the line."""
        found = self.atoms(scope)
        if not found:
            self.unexpected("a variable or a literal")
        return found

    def _slice(self, scope: _Scope) -> Instr:
        a = self.atom(scope)
        self.expect("from")
        start = self.length()
        self.expect("for")
        return self.plain("slice", (a,), Span(start, self.length()))

    def _accum(self, scope: _Scope) -> Instr:
        t = self.value_type()
        return self.plain("accum", self.atoms(scope), t)

    def _freeze(self, scope: _Scope) -> Instr:
        return self.plain("freeze", (self.atom(scope),))

    def _build(self, scope: _Scope) -> Instr:
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
        return self.loop("build", bounds, Lanes(n) if in_lanes else n, scope)

    def _filter(self, scope: _Scope) -> Instr:
        n = self.length()
        bounds = self.listed("(", ")", lambda: self.atom(scope)) if self.accept("from") else ()
        return self.loop("filter", bounds, n, scope)

    def _scan(self, scope: _Scope) -> Instr:
        args, steps = self.steps(scope)
        return self.loop("scan", args, steps, scope)

    def loop(self, op: str, args: Sequence[Atom], attr: Attribute, scope: _Scope) -> Instr:
        """A loop with one block."""
        instr = Instr(op, tuple(args), attr, (Block(),), (), UNKNOWN)
        instr.loc = self.loop_block(instr, 0, scope)
        self.end()
        return instr

    def _rewind(self, scope: _Scope) -> Instr:
        args, steps = self.steps(scope)
        instr = Instr("rewind", args, steps, (Block(), Block()), (), UNKNOWN)
        instr.loc = self.loop_block(instr, 0, scope)
        self.expect("back")
        self.loop_block(instr, 1, scope)
        self.end()
        return instr

    def steps(self, scope: _Scope) -> tuple[tuple[Atom, ...], Steps]:
        """The operands of a scan or rewind, and how it runs."""
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
        self.expect("from")
        start = self.listed("(", ")", lambda: self.atom(scope))
        return (*[first] * counted, *start), Steps(n, reverse, counted, slots, budget)

    def _while(self, scope: _Scope) -> Instr:
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
        return instr

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

    def _cond(self, scope: _Scope) -> Instr:
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
        return Instr("cond", (predicate,), None, (then, otherwise), (), loc)


_BY_SIGN = frozenset({"call", "addto", "index"})  # which have no name in the text


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
