"""Derivatives and transposes of the scalar primitives: what the rows of the table in `prims` are made of.

A derivative rule is given two emitters: coefficients go to the primal one, P, linear operations to the tangent
one, T.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from .core import Atom, Const, Var, zero
from .types import Scalar


class Emitter(Protocol):
    """What a rule needs of a builder."""

    @property
    def first(self) -> bool:
        """Whether what is emitted is the first derivative of a function that is none itself."""

    def prim(self, name: str, *args: Atom) -> Atom:
        """A scalar primitive of these operands."""


Jvp: TypeAlias = (
    "Callable[[Emitter, Emitter, Sequence[Atom], Sequence[Atom | None], Atom], Atom | None]"
)
Transpose: TypeAlias = "Callable[[Emitter, Sequence[Atom], int, Atom], Atom]"


# ------------------------------------------------------------------------------- derivative rules


# what a coefficient may well be that is meant to be used elsewhere only: log(x) in where(x > 0, x * log(x), 0)
_OFTEN_INFINITE = frozenset({"log", "log1p", "pow"})


_DEPTH = 4  # products that are looked through


def scaled(T: Emitter, dx: Atom, coefficient: Atom, singular: bool = False) -> Atom | None:
    if isinstance(coefficient, Const):
        if coefficient.value == 0:
            return None
        if coefficient.value == 1:
            return dx
        if coefficient.value == -1:
            return T.prim("neg", dx)
        singular = not math.isfinite(coefficient.value)
    elif coefficient.instr is not None:
        singular = singular or coefficient.instr.op in _OFTEN_INFINITE
    return scale(T, dx, coefficient) if singular else T.prim("mul", dx, coefficient)


def scale(E: Emitter, x: Atom, coefficient: Atom) -> Atom:
    """x times a coefficient that may be infinite: 0 where x is 0, since nothing is wanted then.

    A zero that another coefficient made of x is no such: of their product nothing is known, and it is NaN. So
    coefficients are multiplied first; in a first derivative, for in later ones what is not wanted has become a
    coefficient itself.
    """
    root, factor = _factored(E, x, _DEPTH) if E.first else (x, None)
    by = coefficient if factor is None else E.prim("factor", factor, coefficient)
    return E.prim("scale", root, by)


def _factored(E: Emitter, x: Atom, depth: int) -> tuple[Atom, Atom | None]:
    """A linear value as another times a coefficient, None for 1, as far as it was made by such products."""
    instr = x.instr if isinstance(x, Var) else None
    if depth == 0 or instr is None or instr.op not in {"mul", "scale", "neg", "add"}:
        return x, None
    root, factor = _factored(E, instr.args[0], depth - 1)
    if instr.op == "add":
        other, more = _factored(E, instr.args[1], depth - 1)
        one = literal(E, x)
        return (root, E.prim("add", factor or one, more or one)) if other is root else (x, None)
    by = literal(E, x, -1.0) if instr.op == "neg" else instr.args[1]
    return root, by if factor is None else E.prim("factor", factor, by)


def plus(T: Emitter, a: Atom | None, b: Atom | None) -> Atom | None:
    if a is None:
        return b
    return a if b is None else T.prim("add", a, b)


def partials(
    *rules: Callable[[Emitter, Sequence[Atom], Atom], Atom], singular: bool = False
) -> Jvp:
    """The chain rule from one coefficient an operand. `singular` coefficients can be infinite: an exact
    zero is then scaled to zero, so that an untaken `where` stays clean (0 * inf would be NaN)."""

    def jvp(
        P: Emitter, T: Emitter, x: Sequence[Atom], dx: Sequence[Atom | None], out: Atom
    ) -> Atom | None:
        total: Atom | None = None
        for rule, tangent in zip(rules, dx, strict=True):
            if tangent is not None:
                total = plus(T, total, scaled(T, tangent, rule(P, x, out), singular))
        return total

    return jvp


def literal(P: Emitter, like: Atom, value: float = 1.0) -> Const:
    return Const(value, like.type)


def add_jvp(
    P: Emitter, T: Emitter, x: Sequence[Atom], dx: Sequence[Atom | None], out: Atom
) -> Atom | None:
    return plus(T, dx[0], dx[1])


def sub_jvp(
    P: Emitter, T: Emitter, x: Sequence[Atom], dx: Sequence[Atom | None], out: Atom
) -> Atom | None:
    if dx[1] is None:
        return dx[0]
    return T.prim("neg", dx[1]) if dx[0] is None else T.prim("sub", dx[0], dx[1])


def linear_jvp(name: str) -> Jvp:
    def jvp(
        P: Emitter, T: Emitter, x: Sequence[Atom], dx: Sequence[Atom | None], out: Atom
    ) -> Atom | None:
        return None if dx[0] is None else T.prim(name, dx[0])

    return jvp


def select_jvp(
    P: Emitter, T: Emitter, x: Sequence[Atom], dx: Sequence[Atom | None], out: Atom
) -> Atom | None:
    sides = [zero_like(out) if d is None else d for d in dx[1:]]
    return T.prim("select", x[0], *sides)


def scale_jvp(
    P: Emitter, T: Emitter, x: Sequence[Atom], dx: Sequence[Atom | None], out: Atom
) -> Atom | None:
    """As of a product, but a factor of zero stays zero whatever the other and its tangent are."""
    by_factor = None if dx[0] is None else T.prim("scale", dx[0], x[1])
    if dx[1] is None:
        return by_factor
    none = P.prim("eq", x[0], zero_like(x[0]))
    by_coefficient = T.prim("select", none, zero_like(out), T.prim("mul", dx[1], x[0]))
    return plus(T, by_factor, by_coefficient)


def choose_jvp(compare: str) -> Jvp:
    """min and max: the tangent of the operand that was taken (the second on a tie)."""

    def jvp(
        P: Emitter, T: Emitter, x: Sequence[Atom], dx: Sequence[Atom | None], out: Atom
    ) -> Atom | None:
        first = P.prim("lt", *(x if compare == "lt" else (x[1], x[0])))
        sides = [zero_like(out) if d is None else d for d in dx]
        return T.prim("select", first, *sides)

    return jvp


def rem_jvp(
    P: Emitter, T: Emitter, x: Sequence[Atom], dx: Sequence[Atom | None], out: Atom
) -> Atom | None:
    """x less a whole number of times y."""
    if dx[1] is None:
        return dx[0]
    times = P.prim("div", P.prim("sub", out, x[0]), x[1])
    return plus(T, dx[0], scaled(T, dx[1], times, singular=True))


def no_jvp(P: Emitter, T: Emitter, x: Sequence[Atom], dx: Sequence[Atom | None], out: Atom) -> None:
    """Piecewise constant: the derivative is zero wherever it exists."""


def zero_like(a: Atom) -> Const:
    """The zero of an atom's scalar type."""
    assert isinstance(a.type, Scalar)
    return zero(a.type)


def reciprocal(P: Emitter, x: Atom) -> Atom:
    return P.prim("div", literal(P, x), x)


def scaled_reciprocal(by: float) -> Callable[[Emitter, Sequence[Atom], Atom], Atom]:
    return lambda P, x, o: P.prim("div", literal(P, o, by), x[0])


def root_of_one_plus_square(P: Emitter, x: Atom) -> Atom:
    """sqrt(1 + x²), which is |x| where the square would be infinite."""
    size, one = P.prim("abs", x), literal(P, x)
    moderate = P.prim("lt", size, literal(P, x, 1e18))
    inside = P.prim("select", moderate, x, one)
    return P.prim("select", moderate, P.prim("sqrt", P.prim("add", one, square(P, inside))), size)


def root_of_square_minus_one(P: Emitter, x: Atom) -> Atom:
    """sqrt(x² - 1), accurate near 1."""
    less, more = (P.prim("sqrt", P.prim(op, x, literal(P, x))) for op in ("sub", "add"))
    return P.prim("mul", less, more)


def square(P: Emitter, x: Atom) -> Atom:
    return P.prim("mul", x, x)


def power_by_exponent(P: Emitter, x: Sequence[Atom], out: Atom) -> Atom:
    # zero where x is not positive, and no NaN on the way there, which `debug_nans` would find
    positive = P.prim("lt", zero_like(x[0]), x[0])
    log = P.prim("log", P.prim("select", positive, x[0], literal(P, x[0])))
    return P.prim("scale", log, out)


def power_by_base(P: Emitter, x: Sequence[Atom], out: Atom) -> Atom:
    return P.prim("scale", x[1], P.prim("pow", x[0], P.prim("sub", x[1], literal(P, x[1]))))


def safe_half_over(P: Emitter, x: Sequence[Atom], out: Atom) -> Atom:
    positive = P.prim("lt", zero_like(out), out)
    return P.prim("select", positive, P.prim("div", literal(P, out, 0.5), out), zero_like(out))


def angle(which: int) -> Callable[[Emitter, Sequence[Atom], Atom], Atom]:
    def coefficient(P: Emitter, x: Sequence[Atom], out: Atom) -> Atom:
        radius = P.prim("add", square(P, x[0]), square(P, x[1]))
        numerator = x[1] if which == 0 else P.prim("neg", x[0])
        return P.prim("div", numerator, radius)

    return coefficient


def one_minus_square(P: Emitter, x: Atom) -> Atom:
    return P.prim("sub", literal(P, x), square(P, x))


# ------------------------------------------------------------------------------- transpose rules


def swap_linear(name: str) -> Transpose:
    """For an operation that is linear in its first operand with the others fixed: apply it to the cotangent."""

    def transpose(E: Emitter, x: Sequence[Atom], k: int, ct: Atom) -> Atom:
        return E.prim(name, ct, *(a for j, a in enumerate(x) if j != k))

    return transpose


def scale_transpose(E: Emitter, x: Sequence[Atom], k: int, ct: Atom) -> Atom:
    return scale(E, ct, x[1])


def sub_transpose(E: Emitter, x: Sequence[Atom], k: int, ct: Atom) -> Atom:
    return ct if k == 0 else E.prim("neg", ct)


def select_transpose(E: Emitter, x: Sequence[Atom], k: int, ct: Atom) -> Atom:
    none = zero_like(ct)
    return E.prim("select", x[0], ct, none) if k == 1 else E.prim("select", x[0], none, ct)
