"""Remainders and quotients of floats, as Python and NumPy have them."""

from __future__ import annotations

from typing import Any

from ..ir.core import Atom, Const


def float_mod(b: Any, x: Atom, y: Atom) -> Atom:
    """Python's remainder: exact, and of the sign of y, also where it is zero."""
    rest, none = b.prim("rem", x, y), Const(0, y.type)
    below = b.prim("lt", y, none)
    as_y = b.prim(
        "select",
        below,
        b.prim("neg", b.prim("add", b.prim("neg", rest), none)),
        b.prim("add", rest, none),
    )
    other = _of_other_sign(b, rest, below)
    return b.prim("select", other, b.prim("add", rest, y), as_y)  # type: ignore[no-any-return]


def _of_other_sign(b: Any, rest: Atom, below: Atom) -> Atom:
    """Whether a remainder is not zero, and not of the sign of the divisor."""
    none = Const(0, rest.type)
    wrong = b.prim("select", below, b.prim("lt", none, rest), b.prim("lt", rest, none))
    return wrong  # type: ignore[no-any-return]


def float_floordiv(b: Any, x: Atom, y: Atom) -> Atom:
    """Python's quotient, rounded down from what it is, not from what it rounds to; as NumPy's of a zero."""
    none, half, one = (Const(v, y.type) for v in (0, 0.5, 1))
    rest, quotient = b.prim("rem", x, y), b.prim("div", x, y)
    whole = b.prim("div", b.prim("sub", x, rest), y)  # but for its rounding
    other = _of_other_sign(b, rest, b.prim("lt", y, none))
    whole = b.prim("select", other, b.prim("sub", whole, one), whole)
    down = b.prim("floor", whole)
    off = b.prim("lt", half, b.prim("sub", whole, down))
    down = b.prim("select", off, b.prim("add", down, one), down)
    signed = b.prim("floor", b.prim("mul", quotient, none))  # a zero of the quotient's sign
    down = b.prim("select", b.prim("eq", whole, none), signed, down)
    by_zero = b.prim("eq", y, none)
    return b.prim("select", by_zero, b.prim("floor", quotient), down)  # type: ignore[no-any-return]
