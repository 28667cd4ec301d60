"""The scalar primitives: one table, one row each.

A row holds everything that is known of a primitive: its types, its value (the interpreter's oracle), its
derivative, its transpose if it is linear, its LLVM form and where to test it. Reverse mode needs nothing else:
a derivative rule sends coefficients to the primal emitter P and linear operations to the tangent emitter T,
and only the linear rows have transposes (Frostig et al. 2021, Radul et al. 2022).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from . import prim_forms as form
from . import prim_libm
from .core import Instr, rounded
from .elementary import call as elementary_call
from .elementary import evaluate as elementary
from .ops import OPS
from .prim import Prim
from .prim_bits import BITS
from .prim_rules import (
    add_jvp,
    angle,
    choose_jvp,
    linear_jvp,
    literal,
    no_jvp,
    one_minus_square,
    partials,
    power_by_base,
    power_by_exponent,
    reciprocal,
    rem_jvp,
    root_of_one_plus_square,
    root_of_square_minus_one,
    safe_half_over,
    scale_jvp,
    scale_transpose,
    scaled_reciprocal,
    select_jvp,
    select_transpose,
    square,
    sub_jvp,
    sub_transpose,
    swap_linear,
)
from .prim_values import (
    atanh,
    divide,
    greatest,
    guarded,
    least,
    power,
    rounded_by,
    sign,
    to_int,
    with_pole,
)
from .types import F32, F64, I64, Bool, Scalar, Type

TABLE: dict[str, Prim] = {}


def _row(
    name: str,
    kinds: str,
    evaluate: Callable[..., Any],
    llvm: Callable[[Scalar], str] | str,
    **rest: Any,
) -> None:
    lower = (lambda _t, text=llvm: text) if isinstance(llvm, str) else llvm
    TABLE[name] = Prim(name, kinds, evaluate, lower, **rest)


# ---------------------------------------------------------------------------------------- table

_R = (-2.0, 2.0)
_POS = (0.2, 3.0)

_row(
    "add",
    "nn>n",
    lambda a, b: a + b,
    form.two("fadd", "add"),
    jvp=add_jvp,
    transpose=lambda E, x, k, ct: ct,
    linear=(0, 1),
    domain=(_R, _R),
)
_row(
    "sub",
    "nn>n",
    lambda a, b: a - b,
    form.two("fsub", "sub"),
    jvp=sub_jvp,
    transpose=sub_transpose,
    linear=(0, 1),
    domain=(_R, _R),
)
_row(
    "mul",
    "nn>n",
    lambda a, b: a * b,
    form.two("fmul", "mul"),
    jvp=partials(lambda P, x, o: x[1], lambda P, x, o: x[0]),
    transpose=swap_linear("mul"),
    linear=(0, 1),
    domain=(_R, _R),
    special=((0.0, 0.0),),
)
# of coefficients of which one may be infinite, and the other is then of no account where it is not wanted
_row(
    "factor",
    "ff>f",
    lambda a, b: a * b,
    form.two("fmul", "mul"),
    jvp=partials(lambda P, x, o: x[1], lambda P, x, o: x[0], singular=True),
    domain=(_R, _R),
)
_row(
    "scale",
    "ff>f",
    lambda a, c: a if a == 0 else a * c,
    form.SCALE,
    jvp=scale_jvp,
    transpose=scale_transpose,
    linear=(0,),
    domain=(_R, _R),
)
_row(
    "div",
    "ff>f",
    divide,
    "{r} = fdiv contract {t} {0}, {1}",
    jvp=partials(
        lambda P, x, o: reciprocal(P, x[1]),
        # divided, not times the reciprocal: at second order an infinite one would meet a zero in a product
        lambda P, x, o: P.prim("neg", P.prim("div", o, x[1])),
        singular=True,
    ),
    transpose=swap_linear("div"),
    linear=(0,),
    domain=(_R, _POS),
)
_row(
    "neg",
    "n>n",
    lambda a: -a,
    form.either("{r} = fneg {t} {0}", "{r} = sub i64 0, {0}"),
    jvp=linear_jvp("neg"),
    transpose=swap_linear("neg"),
    linear=(0,),
    domain=(_R,),
)
_row(
    "abs",
    "n>n",
    abs,
    form.either(form.function("llvm.fabs"), "{r} = call i64 @llvm.abs.i64(i64 {0}, i1 0)"),
    jvp=partials(lambda P, x, o: P.prim("sign", x[0])),
    domain=(_R,),
)
_row("sign", "n>n", sign, form.either(form.SIGN, form.SIGN_INT), jvp=no_jvp, domain=(_R,))
_row(
    "min",
    "nn>n",
    least,
    form.pick_or_nan("olt", "slt"),
    literal=(form.pick("olt", "slt"), form.pick("ult", "slt")),
    jvp=choose_jvp("lt"),
    domain=(_R, _R),
)
_row(
    "max",
    "nn>n",
    greatest,
    form.pick_or_nan("ogt", "sgt"),
    literal=(form.pick("ogt", "sgt"), form.pick("ugt", "sgt")),
    jvp=choose_jvp("gt"),
    domain=(_R, _R),
)
_row("floor", "f>f", rounded_by(math.floor), form.function("llvm.floor"), jvp=no_jvp, domain=(_R,))
_row("round", "f>f", rounded_by(round), form.function("llvm.roundeven"), jvp=no_jvp, domain=(_R,))
_row("ceil", "f>f", rounded_by(math.ceil), form.function("llvm.ceil"), jvp=no_jvp, domain=(_R,))
_row(
    "sqrt",
    "f>f",
    guarded(math.sqrt),
    form.function("llvm.sqrt"),
    jvp=partials(lambda P, x, o: P.prim("div", literal(P, o, 0.5), o), singular=True),
    domain=(_POS,),
)
# the root of a sum of squares: its derivative at zero is taken as zero, so that a norm has a gradient there
_row(
    "norm_sqrt",
    "f>f",
    guarded(math.sqrt),
    form.function("llvm.sqrt"),
    jvp=partials(safe_half_over),
    domain=(_POS,),
)
_row(
    "exp",
    "f>f",
    elementary("exp"),
    elementary_call("exp"),
    jvp=partials(lambda P, x, o: o, singular=True),
    domain=(_R,),
)
_row(
    "expm1",
    "f>f",
    elementary("expm1"),
    elementary_call("expm1"),
    jvp=partials(lambda P, x, o: P.prim("add", o, literal(P, o)), singular=True),
    domain=(_R,),
)
_row(
    "log",
    "f>f",
    elementary("log"),
    elementary_call("log"),
    jvp=partials(lambda P, x, o: reciprocal(P, x[0]), singular=True),
    domain=(_POS,),
)
for _base in (2, 10):
    _row(
        f"log{_base}",
        "f>f",
        with_pole(getattr(math, f"log{_base}"), 0),
        form.function(f"llvm.log{_base}"),
        jvp=partials(scaled_reciprocal(1 / math.log(_base)), singular=True),
        domain=(_POS,),
    )
_row(
    "log1p",
    "f>f",
    elementary("log1p"),
    elementary_call("log1p"),
    jvp=partials(lambda P, x, o: reciprocal(P, P.prim("add", x[0], literal(P, o))), singular=True),
    domain=((-0.8, 3.0),),
)
_row(
    "sin",
    "f>f",
    elementary("sin"),
    elementary_call("sin"),
    jvp=partials(lambda P, x, o: P.prim("cos", x[0])),
    domain=(_R,),
)
_row(
    "cos",
    "f>f",
    elementary("cos"),
    elementary_call("cos"),
    jvp=partials(lambda P, x, o: P.prim("neg", P.prim("sin", x[0]))),
    domain=(_R,),
)
_row(
    "tan",
    "f>f",
    elementary("tan"),
    elementary_call("tan"),
    jvp=partials(lambda P, x, o: P.prim("add", literal(P, o), square(P, o))),
    domain=((-1.2, 1.2),),
)
_row(
    "asin",
    "f>f",
    guarded(math.asin),
    form.function("asin"),
    jvp=partials(
        lambda P, x, o: reciprocal(P, P.prim("sqrt", one_minus_square(P, x[0]))), singular=True
    ),
    domain=((-0.9, 0.9),),
)
_row(
    "acos",
    "f>f",
    guarded(math.acos),
    form.function("acos"),
    jvp=partials(
        lambda P, x, o: P.prim("neg", reciprocal(P, P.prim("sqrt", one_minus_square(P, x[0])))),
        singular=True,
    ),
    domain=((-0.9, 0.9),),
)
_row(
    "atan",
    "f>f",
    guarded(math.atan),
    form.function("atan"),
    jvp=partials(lambda P, x, o: reciprocal(P, P.prim("add", literal(P, o), square(P, x[0])))),
    domain=(_R,),
)
_row(
    "atan2",
    "ff>f",
    guarded(math.atan2),
    form.function("atan2", 2),
    jvp=partials(angle(0), angle(1), singular=True),
    domain=(_R, _POS),
)
_row(
    "sinh",
    "f>f",
    guarded(math.sinh),
    form.function("sinh"),
    jvp=partials(lambda P, x, o: P.prim("cosh", x[0]), singular=True),
    domain=(_R,),
)
_row(
    "cosh",
    "f>f",
    guarded(math.cosh),
    form.function("cosh"),
    jvp=partials(lambda P, x, o: P.prim("sinh", x[0]), singular=True),
    domain=(_R,),
)
_row(
    "asinh",
    "f>f",
    guarded(math.asinh),
    form.function("asinh"),
    jvp=partials(lambda P, x, o: reciprocal(P, root_of_one_plus_square(P, x[0]))),
    domain=(_R,),
    special=((0.0,),),
)
_row(
    "acosh",
    "f>f",
    guarded(math.acosh),
    form.function("acosh"),
    jvp=partials(lambda P, x, o: reciprocal(P, root_of_square_minus_one(P, x[0])), singular=True),
    domain=((1.1, 3.0),),
)
_row(
    "atanh",
    "f>f",
    guarded(atanh),
    form.function("atanh"),
    jvp=partials(lambda P, x, o: reciprocal(P, one_minus_square(P, x[0])), singular=True),
    domain=((-0.9, 0.9),),
    special=((0.0,),),
)
_row(
    "softplus",
    "f>f",
    elementary("softplus"),
    elementary_call("softplus"),
    jvp=partials(
        lambda P, x, o: P.prim("exp", P.prim("neg", P.prim("softplus", P.prim("neg", x[0]))))
    ),
    domain=(_R,),
    special=((0.0,),),
)
_row(
    "tanh",
    "f>f",
    elementary("tanh"),
    elementary_call("tanh"),
    jvp=partials(lambda P, x, o: one_minus_square(P, o)),
    domain=(_R,),
)
for _name, _fields in prim_libm.ROWS.items():
    _row(_name, **_fields)
_row(
    "pow",
    "ff>f",
    guarded(power),
    form.function("llvm.pow", 2),
    jvp=partials(power_by_base, power_by_exponent, singular=True),
    domain=(_POS, _R),
)

_row(
    "rem",
    "ff>f",
    guarded(math.fmod),
    "{r} = frem {t} {0}, {1}",
    jvp=rem_jvp,
    domain=(_R, _POS),
)
_row("floordiv", "ii>i", lambda a, b: a // b if b else 0, form.FLOORDIV, domain=((-9, 9), (-4, 4)))
_row("mod", "ii>i", lambda a, b: a % b if b else 0, form.MOD, domain=((-9, 9), (-4, 4)))
for _name, (_value, _text) in BITS.items():
    _row(_name, "ii>i", _value, _text, domain=((-99, 99), (-4, 70)))

_row("lt", "nn>b", lambda a, b: a < b, form.compare("olt", "slt"), domain=(_R, _R))
_row("le", "nn>b", lambda a, b: a <= b, form.compare("ole", "sle"), domain=(_R, _R))
_row("eq", "nn>b", lambda a, b: a == b, form.compare("oeq", "eq"), domain=(_R, _R))
_row("ne", "nn>b", lambda a, b: a != b, form.compare("une", "ne"), domain=(_R, _R))
_row("and", "bb>b", lambda a, b: a and b, "{r} = and i1 {0}, {1}", domain=((0, 1), (0, 1)))
_row("or", "bb>b", lambda a, b: a or b, "{r} = or i1 {0}, {1}", domain=((0, 1), (0, 1)))
_row("not", "b>b", lambda a: not a, "{r} = xor i1 {0}, true", domain=((0, 1),))
_row(
    "select",
    "btt>t",
    lambda c, a, b: a if c else b,
    "{r} = select i1 {0}, {t} {1}, {t} {2}",
    jvp=select_jvp,
    transpose=select_transpose,
    linear=(1, 2),
    domain=((0, 1), _R, _R),
)

_row("to_f64", "i>F", float, "{r} = sitofp i64 {0} to double", domain=((-9, 9),))
_row(
    "to_i64",
    "f>i",
    to_int,
    "{r} = call i64 @llvm.fptosi.sat.i64{s}({t} {0})",
    domain=(_R,),
)
_row("bool_to_i64", "b>i", int, "{r} = zext i1 {0} to i64", domain=((0, 1),))


_row(
    "widen",
    "f>F",
    float,
    "{r} = fpext float {0} to double",
    jvp=linear_jvp("widen"),
    transpose=lambda E, x, k, ct: E.prim("narrow", ct),
    linear=(0,),
    domain=(_R,),
)
_row(
    "narrow",
    "F>f",
    rounded,
    "{r} = fptrunc double {0} to float",
    jvp=linear_jvp("narrow"),
    transpose=lambda E, x, k, ct: E.prim("widen", ct),
    linear=(0,),
    domain=(_R,),
)


def result_type(prim: Prim, operands: Sequence[Type]) -> Scalar:
    """The result's type; TypeError where the operands do not fit the row."""
    return _result_type(prim, tuple(operands))


@functools.cache
def _result_type(prim: Prim, operands: tuple[Type, ...]) -> Scalar:
    wanted, result = prim.kinds.split(">")
    bound: dict[str, Scalar] = {}
    fits = len(wanted) == len(operands)
    for letter, t in zip(wanted, operands, strict=False):
        allowed: tuple[Scalar, ...] = {
            "f": (F64, F32),
            "i": (I64,),
            "b": (Bool,),
            "n": (F64, F32, I64),
            "t": (F64, F32, I64, Bool),
            "F": (F64,),
        }[letter]
        fits = fits and t in allowed and bound.setdefault(letter, t) is t
    if not fits:
        given = ", ".join(map(repr, operands))
        raise TypeError(f"{prim.name} takes ({', '.join(wanted)}), not ({given})")
    if result == "f" and "f" not in bound:
        return F32  # narrow
    fixed = {"b": Bool, "i": I64, "F": F64}
    return bound.get(result) or fixed[result]


HEADS = (*TABLE, "index", "addto", "check", "pack", "reshape", "join", "slice", "row")


def made_types(instr: Instr) -> list[Type]:
    """The types of an instruction's results; TypeError where there are no such."""
    row = TABLE.get(instr.op)
    if row is None:
        return OPS[instr.op].results(instr)
    return [result_type(row, [a.type for a in instr.args])]
