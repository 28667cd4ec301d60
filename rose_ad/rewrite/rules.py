"""Local rules: `rule(b, *operands)` answers with a simpler value, or None where it does not apply.

The builder tries the rules of a head operation, in order, whenever it emits one. Every rule here is exact:
the value is the same bit for bit, NaN and infinities included. Each makes the program smaller or moves a
constant to the right, so rewriting ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..ir import Atom, Const, Instr, Var, is_zero
from ..prims import TABLE, result_type
from ..types import F64, I64, Array, Bool, Ref, Scalar

if TYPE_CHECKING:
    from ..builder import Builder

Rule = Callable[..., "Atom | None"]
RULES: dict[str, list[Rule]] = {name: [] for name in (*TABLE, "index", "addto")}

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
}


def rule(*heads: str) -> Callable[[Rule], Rule]:
    """Register a rule for these head operations."""

    def register(f: Rule) -> Rule:
        for head in heads:
            RULES[head].append(f)
        return f

    return register


def _is(a: Atom, value: float) -> bool:
    """A literal of exactly this value; 0.0 does not match -0.0."""
    return (
        isinstance(a, Const)
        and isinstance(a.type, Scalar)
        and a.value == value
        and math.copysign(1.0, a.value) == math.copysign(1.0, value)
    )


def _made_by(a: Atom, op: str) -> Instr | None:
    return a.instr if isinstance(a, Var) and a.instr is not None and a.instr.op == op else None


def _fold(name: str) -> Rule:
    def fold(b: Builder, *args: Atom) -> Atom | None:
        for a in args:
            if type(a) is not Const:
                return None
        types: Any = [a.type for a in args]
        if any(t is not F64 and t is not I64 and t is not Bool for t in types):
            return None
        value = TABLE[name].evaluate(*(a.value for a in args if isinstance(a, Const)))
        t = result_type(TABLE[name], types)
        if t is I64 and not -(2**63) <= value < 2**63:
            return None
        return Const(value, t)

    return fold


for _name in sorted(_FOLDED):
    RULES[_name].append(_fold(_name))


def _commute(name: str) -> Rule:
    """c + x -> x + c, likewise for the other commutative operations, so that one order is known."""

    def constant_right(b: Builder, x: Atom, y: Atom) -> Atom | None:
        if isinstance(x, Const) and not isinstance(y, Const):
            return b.prim(name, y, x)
        return None

    return constant_right


for _name in ("add", "mul", "and", "or"):
    RULES[_name].append(_commute(_name))


@rule("add")
def add_nothing(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x + -0.0 -> x, and x + 0 -> x for integers (x + 0.0 changes -0.0)."""
    return x if _is(y, -0.0) or (_is(y, 0) and y.type is I64) else None


@rule("add")
def add_negated(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x + -y -> x - y."""
    neg = _made_by(y, "neg")
    return b.prim("sub", x, neg.args[0]) if neg else None


@rule("sub")
def subtract_nothing(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x - 0 -> x."""
    return x if _is(y, 0.0) or _is(y, 0) else None


@rule("sub")
def subtract_negated(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x - -y -> x + y."""
    neg = _made_by(y, "neg")
    return b.prim("add", x, neg.args[0]) if neg else None


@rule("mul", "div")
def times_one(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x * 1 -> x, x / 1 -> x."""
    return x if _is(y, 1) else None


@rule("mul")
def times_minus_one(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x * -1 -> -x."""
    return b.prim("neg", x) if _is(y, -1) else None


@rule("mul")
def product_of_negated(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """-x * -y -> x * y."""
    a, c = _made_by(x, "neg"), _made_by(y, "neg")
    return b.prim("mul", a.args[0], c.args[0]) if a and c else None


@rule("scale")
def scale_by_known(b: Builder, x: Atom, c: Atom) -> Atom | None:
    """A finite literal coefficient needs no guard, unless it changes the sign of a zero."""
    if isinstance(c, Const) and math.isfinite(c.value) and math.copysign(1.0, c.value) > 0:
        return b.prim("mul", x, c)
    return None


@rule("scale")
def scale_known(b: Builder, x: Atom, c: Atom) -> Atom | None:
    """scale(0, c) -> 0; a literal that is not zero needs no guard."""
    if not isinstance(x, Const):
        return None
    return x if x.value == 0 else b.prim("mul", x, c)


@rule("neg")
def twice_negated(b: Builder, x: Atom) -> Atom | None:
    """--x -> x."""
    neg = _made_by(x, "neg")
    return neg.args[0] if neg else None


@rule("not")
def twice_not(b: Builder, x: Atom) -> Atom | None:
    """not not x -> x."""
    inner = _made_by(x, "not")
    return inner.args[0] if inner else None


@rule("and")
def and_literal(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x and true -> x, x and false -> false, x and x -> x."""
    if x is y:
        return x
    return None if not isinstance(y, Const) else x if y.value else y


@rule("or")
def or_literal(b: Builder, x: Atom, y: Atom) -> Atom | None:
    """x or false -> x, x or true -> true, x or x -> x."""
    if x is y:
        return x
    return None if not isinstance(y, Const) else y if y.value else x


@rule("select")
def select_literal(b: Builder, c: Atom, x: Atom, y: Atom) -> Atom | None:
    """select(true, x, y) -> x, select(c, x, x) -> x."""
    if x == y:
        return x
    return None if not isinstance(c, Const) else x if c.value else y


@rule("index")
def index_of_pack(b: Builder, a: Atom, i: Atom) -> Atom | None:
    """pack(x0, x1, ...)[k] -> xk."""
    pack = _made_by(a, "pack")
    return pack.args[i.value] if pack and isinstance(i, Const) else None


@rule("index")
def index_of_literal(b: Builder, a: Atom, i: Atom) -> Atom | None:
    """An entry or row of a literal array is a literal."""
    if not (isinstance(a, Const) and isinstance(i, Const)):
        return None
    assert isinstance(a.type, Array)
    return Const(a.value[i.value], a.type.of)


@rule("addto")
def add_zero(b: Builder, ref: Atom, value: Atom) -> Atom | None:
    """Adding a literal zero does nothing."""
    return value if is_zero(value) else None


@rule("addto")
def add_pack(b: Builder, ref: Atom, value: Atom) -> Atom | None:
    """ref += pack(x0, x1, ...) -> ref[0] += x0; ref[1] += x1; ..."""
    pack = _made_by(value, "pack")
    if pack is None:
        return None
    assert isinstance(ref.type, Ref)
    for k, x in enumerate(pack.args):
        b.addto(b.index(ref, Const(k, I64)), x)
    return value
