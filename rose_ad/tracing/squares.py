"""The square of a root of a sum of squares is that sum, which has derivatives where the root has none."""

from __future__ import annotations

import math
from typing import Any

from ..ir.core import Atom, Const, Var


def product(b: Any, x: Atom, y: Atom) -> Atom:
    """x times y."""
    square = _under_root(b, x) if x is y else None
    return b.prim("mul", x, y) if square is None else square


def _under_root(b: Any, x: Atom) -> Atom | None:
    """What a norm is the root of; also of one that is infinite where what it is of is."""
    instr = x.instr if isinstance(x, Var) else None
    if instr is None:
        return None
    if instr.op == "norm_sqrt":
        return instr.args[0]
    if (
        instr.op == "select"
        and isinstance(instr.args[1], Const)
        and instr.args[1].value == math.inf
    ):
        square = _under_root(b, instr.args[2])
        return square and b.prim("select", *instr.args[:2], square)
    return None
