"""Which values are dear: to be remembered for the reverse pass rather than computed again.

An elementary function takes some ten nanoseconds, storing a number and loading it about one; arithmetic is
cheaper than both. What such a function gives, and arrays of it, are dear.
"""

from __future__ import annotations

from .ir import Atom, Block, Var
from .types import value_type

_FUNCTIONS = frozenset({
    "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh",
    "tanh", "pow",
})  # fmt: skip
_SHARE = 4  # the memory for a step's dear values is at most so many times that for its carries


def is_dear(a: Atom) -> bool:
    """Whether a value is the result of an elementary function, or an array that a loop makes of such."""
    if not isinstance(a, Var) or a.instr is None:
        return False
    if a.instr.op == "build":
        return is_dear(a.instr.blocks[0].results[a.instr.outs.index(a)])
    return a.instr.op in _FUNCTIONS


def remembered_values(body: Block) -> list[Var]:
    """The dear values of a loop's step that are remembered besides its carries, as far as memory allows."""
    left = _SHARE * sum(value_type(c.type).size for c in body.params[1:])
    out = []
    for instr in body.instrs:
        for v in instr.outs:
            if is_dear(v) and value_type(v.type).size <= left:
                left -= value_type(v.type).size
                out.append(v)
    return out
