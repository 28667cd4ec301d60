"""Local rules: `f(b, *operands)` answers with a simpler value, or None where it does not apply.

The builder tries the rules of a head operation, in order, whenever it emits one. Every rule here is exact:
the value is the same bit for bit, NaN and infinities included. Each makes the program smaller or moves a
constant to the right, so rewriting ends. `RULES` has them all, by name.

The operands are those of the instruction, and more for some heads: a check has (index, length), a reshape
(array, shape). For a `row`, a result of a build's body, they are (row, body, length), and the value is the
array that the build would make.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.errors import RoseError
from ..base.source import UNKNOWN, of_function
from ..ir.builder import Builder
from ..ir.core import Atom, Block, Const, Instr, Span, Unset, Var
from ..ir.intervals import interval
from ..ir.ops import length_of
from ..ir.prim_bits import BITS
from ..ir.prims import HEADS, TABLE, made_types, result_type
from ..ir.queries import is_zero
from ..ir.types import (
    F64,
    I64,
    Array,
    Bool,
    Ref,
    Scalar,
    Type,
    array_type,
    scalar_of,
    shape_of,
    value_type,
)
from .strategy import Apply, Rule

RULES: dict[str, Rule] = {}

# what libm and Python could round differently is left to the machine
_FOLDED = {
    "add",
    "sub",
    "mul",
    "div",
    "neg",
    "abs",
    "sign",
    "min",
    "max",
    "floor",
    "ceil",
    "sqrt",
    "floordiv",
    "mod",
    "lt",
    "le",
    "eq",
    "ne",
    "and",
    "or",
    "not",
    "select",
    "to_f64",
    "to_i64",
    "bool_to_i64",
    *BITS,
}


def rule(*heads: str) -> Callable[[Apply], Rule]:
    """Make a function a rule for these head operations; its docstring is the equation. A decorator.

    RoseError for a head that is not an operation with rules; when the rule is applied, for a value of another
    type than the instruction's, and for a rule that does not end.
    """
    for head in heads:
        if head not in HEADS:
            raise RoseError(f"{head!r} is not an operation that has rules", instead=_nearest(head))

    def make(f: Apply) -> Rule:
        by_head = {h: _checked(f, h) for h in heads}
        return Rule(f.__name__, _equation(f), by_head)

    return make


def _built_in(*heads: str) -> Callable[[Apply], Apply]:
    """Register one of the rules here, which need no checks."""

    def register(f: Apply) -> Apply:
        RULES[f.__name__] = Rule(f.__name__, _equation(f), dict.fromkeys(heads, f))
        return f

    return register


def _for_each(*heads: str) -> Callable[[Callable[[str], Apply]], Callable[[str], Apply]]:
    """Register one of the rules here that depends on its head operation."""

    def register(make: Callable[[str], Apply]) -> Callable[[str], Apply]:
        RULES[make.__name__] = Rule(make.__name__, _equation(make), {h: make(h) for h in heads})
        return make

    return register


def _equation(f: Any) -> str:
    return " ".join((f.__doc__ or "").split())


def _nearest(head: str) -> str:
    near = difflib.get_close_matches(head, HEADS, 3)
    return ", ".join(near or HEADS)


def _checked(f: Apply, head: str) -> Apply:
    """A user's rule, watched: what it answers with has the right type, and it ends."""

    def apply(b: Builder, *operands: Any) -> Atom | None:
        try:
            found = f(b, *operands)
        except RecursionError as error:
            raise RoseError(
                f"the rule {f.__name__} does not end: what it makes is rewritten by it again",
                of_function(f.__code__),
                "a value that is simpler than the instruction by some measure",
            ) from error
        if found is not None and head != "addto":
            wanted = _type_of(head, operands)
            if getattr(found, "type", None) is not wanted:
                raise RoseError(
                    f"the rule {f.__name__} answers with {found!r} for a {head} whose type is {wanted!r}",
                    of_function(f.__code__),
                    "a value of that type, or None where the rule does not apply",
                )
        return found

    return apply


def _type_of(head: str, operands: Any) -> Type:
    """The type of what an instruction with these operands gives."""
    if head == "row":
        return Array(operands[2], operands[0].type)
    args = tuple(a for a in operands if isinstance(a, Var | Const))
    attr = next((a for a in operands if not isinstance(a, Var | Const)), None)
    return made_types(Instr(head, args, attr, (), (), UNKNOWN))[0]


def is_literal(a: Atom, value: float) -> bool:
    """A literal of exactly this value; 0.0 does not match -0.0."""
    return (
        isinstance(a, Const)
        and isinstance(a.type, Scalar)
        and a.value == value
        and math.copysign(1.0, a.value) == math.copysign(1.0, value)
    )


def made_by(a: Atom, op: str) -> Instr | None:
    """The instruction that made a value, if it is of that operation."""
    return a.instr if isinstance(a, Var) and a.instr is not None and a.instr.op == op else None


@_for_each(*sorted(_FOLDED))
def fold(name: str) -> Apply:
    """An operation on literals is a literal."""
    row = TABLE[name]

    def apply(b: Builder, *args: Atom) -> Atom | None:
        for a in args:
            if type(a) is not Const:
                return None
        types: Any = [a.type for a in args]
        if any(t is not F64 and t is not I64 and t is not Bool for t in types):
            return None
        value = row.evaluate(*(a.value for a in args if isinstance(a, Const)))
        t = result_type(row, types)
        if t is I64 and not -(2**63) <= value < 2**63:
            return None
        return Const(value, t)

    return apply


@_for_each("add", "mul", "and", "or")
def constant_right(name: str) -> Apply:
    """c + x -> x + c, likewise for the other commutative operations, so that one order is known."""

    def apply(b: Builder, x: Atom, y: Atom) -> Atom | None:
        if isinstance(x, Const) and not isinstance(y, Const):
            return b.prim(name, y, x)
        return None

    return apply


@_built_in("add")
def add_nothing(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x + -0.0 -> x, and x + 0 -> x for integers (x + 0.0 changes -0.0)."""
    return x if is_literal(y, -0.0) or (is_literal(y, 0) and y.type is I64) else None


@_built_in("add")
def add_negated(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x + -y -> x - y."""
    neg = made_by(y, "neg")
    return b.prim("sub", x, neg.args[0]) if neg else None


@_built_in("sub")
def subtract_nothing(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x - 0 -> x."""
    return x if is_literal(y, 0.0) or is_literal(y, 0) else None


@_built_in("sub")
def subtract_negated(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x - -y -> x + y."""
    neg = made_by(y, "neg")
    return b.prim("add", x, neg.args[0]) if neg else None


@_built_in("mul", "div")
def times_one(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x * 1 -> x, x / 1 -> x."""
    return x if is_literal(y, 1) else None


@_built_in("mul")
def times_minus_one(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x * -1 -> -x."""
    return b.prim("neg", x) if is_literal(y, -1) else None


@_built_in("mul")
def product_of_negated(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """-x * -y -> x * y."""
    a, c = made_by(x, "neg"), made_by(y, "neg")
    return b.prim("mul", a.args[0], c.args[0]) if a and c else None


@_built_in("scale")
def scale_by_known(b: Builder, x: Atom, c: Atom) -> Atom | None:
    """A finite literal coefficient needs no guard, unless it changes the sign of a zero."""
    if isinstance(c, Const) and math.isfinite(c.value) and math.copysign(1.0, c.value) > 0:
        return b.prim("mul", x, c)
    return None


@_built_in("scale")
def scale_known(b: Builder, x: Atom, c: Atom) -> Atom | None:
    """scale(0, c) -> 0; a literal that is not zero needs no guard."""
    if not isinstance(x, Const):
        return None
    return x if x.value == 0 else b.prim("mul", x, c)


@_built_in("neg")
def twice_negated(b: Builder, x: Atom) -> Atom | None:
    """--x -> x."""
    neg = made_by(x, "neg")
    return neg.args[0] if neg else None


@_built_in("not")
def twice_not(b: Builder, x: Atom) -> Atom | None:
    """not not x -> x."""
    inner = made_by(x, "not")
    return inner.args[0] if inner else None


@_built_in("and")
def and_literal(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x and true -> x, x and false -> false, x and x -> x."""
    if x is y:
        return x
    return None if not isinstance(y, Const) else x if y.value else y


@_built_in("or")
def or_literal(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x or false -> x, x or true -> true, x or x -> x."""
    if x is y:
        return x
    return None if not isinstance(y, Const) else y if y.value else x


@_built_in("select")
def select_literal(b: Builder, c: Atom, x: Atom, y: Atom) -> Atom | None:
    """select(true, x, y) -> x, select(c, x, x) -> x."""
    if x == y:
        return x
    return None if not isinstance(c, Const) else x if c.value else y


@_built_in("index")
def index_of_pack(b: Builder, a: Atom, i: Atom) -> Atom | None:
    """pack(x0, x1, ...)[k] -> xk."""
    pack = made_by(a, "pack")
    return pack.args[i.value] if pack and isinstance(i, Const) else None


@_built_in("index")
def index_of_literal(b: Builder, a: Atom, i: Atom) -> Atom | None:
    """An entry or row of a literal array is a literal."""
    if not (isinstance(a, Const) and isinstance(i, Const)):
        return None
    assert isinstance(a.type, Array)
    return Const(a.value[i.value], a.type.of)


@_built_in("addto")
def add_zero(b: Builder, ref: Atom, value: Atom) -> Atom | None:
    """Adding a literal zero does nothing."""
    return value if is_zero(value) else None


@_built_in("addto")
def add_pack(b: Builder, ref: Atom, value: Atom) -> Atom | None:
    """ref += pack(x0, x1, ...) -> ref[0] += x0; ref[1] += x1; ..."""
    pack = made_by(value, "pack")
    if pack is None:
        return None
    assert isinstance(ref.type, Ref)
    for k, x in enumerate(pack.args):
        b.addto(b.index(ref, Const(k, I64)), x)
    return value


@_built_in("pack")
def pack_of_entries(b: Builder, *elements: Atom) -> Atom | None:
    """pack(a[0], a[1], ...) -> a, where these are all entries of a."""
    rows = set()
    for k, e in enumerate(elements):
        index = made_by(e, "index")
        if index is None or index.args[1] != Const(k, I64):
            return None
        rows.add(index.args[0])
    (row, *others) = rows
    whole = isinstance(row.type, Array) and row.type.n == len(elements)
    return row if whole and not others else None


@_built_in("row")
def row_of_array(b: Builder, row: Atom, body: Block, n: int) -> Atom | None:
    """build n (i) { return a[i] } -> a, where a has n rows."""
    index = made_by(row, "index")
    if index is None or index.args[1] is not body.params[0]:
        return None
    a = index.args[0]
    outside = isinstance(a, Const) or a.block is not body
    return a if outside and isinstance(a.type, Array) and a.type.n == n else None


@_built_in("check")
def check_proved(b: Builder, i: Atom, n: int) -> Atom | None:
    """check i < n -> i, where the bounds of i say so; see `intervals`."""
    low, high = interval(i)
    return i if 0 <= low and high < n else None


@_built_in("reshape")
def reshape_to_own_shape(b: Builder, a: Atom, shape: tuple[int, ...]) -> Atom | None:
    """reshape(a, shape of a) -> a."""
    return a if shape_of(value_type(a.type)) == shape else None


@_built_in("reshape")
def reshape_of_literal(b: Builder, a: Atom, shape: tuple[int, ...]) -> Atom | None:
    """A literal array with another shape is a literal."""
    if not isinstance(a, Const):
        return None
    return Const(np.reshape(a.value, shape), array_type(shape, scalar_of(value_type(a.type))))


@_built_in("reshape")
def reshape_of_reshape(b: Builder, a: Atom, shape: tuple[int, ...]) -> Atom | None:
    """reshape(reshape(a, ...), shape) -> reshape(a, shape)."""
    inner = made_by(a, "reshape")
    return b.reshape(inner.args[0], shape) if inner else None


@_built_in("join")
def join_of_one(b: Builder, *pieces: Atom) -> Atom | None:
    """join(array) -> array."""
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0].type, Array) else None


@_built_in("slice")
def slice_of_all(b: Builder, a: Atom, span: Span) -> Atom | None:
    """slice(a, all of a) -> a."""
    return a if span == Span(0, shape_of(value_type(a.type))[0]) else None


@_built_in("slice")
def slice_of_literal(b: Builder, a: Atom, span: Span) -> Atom | None:
    """Part of a literal array is a literal."""
    if not isinstance(a, Const) or isinstance(a, Unset):
        return None
    part = a.value[span.start : span.start + span.length]
    return Const(part, Array(span.length, scalar_of(a.type)))


@_built_in("slice")
def slice_of_slice(b: Builder, a: Atom, span: Span) -> Atom | None:
    """slice(slice(a, i, m), j, n) -> slice(a, i + j, n)."""
    inner = made_by(a, "slice")
    if inner is None:
        return None
    return b.slice(inner.args[0], Span(inner.span.start + span.start, span.length))


@_built_in("slice")
def slice_of_join(b: Builder, a: Atom, span: Span) -> Atom | None:
    """slice(join(..., x, ...), where x is) -> x."""
    joined, start = made_by(a, "join"), 0
    for piece in joined.args if joined else ():
        if Span(start, length_of(piece)) == span and isinstance(piece.type, Array):
            return piece
        start += length_of(piece)
    return None
