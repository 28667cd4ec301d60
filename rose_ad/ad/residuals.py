"""Which values are dear: to be remembered for the reverse pass rather than computed again.

An elementary function takes some ten nanoseconds, storing a number and loading it about one; arithmetic is
cheaper than both. What such a function gives, and arrays of it, are dear. So is the list of the iterations of a
loop that did anything.
"""

from __future__ import annotations

from ..ir.core import Atom, Block, Steps, Var
from ..ir.types import is_float, value_type

_FUNCTIONS = frozenset({
    "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh",
    "tanh", "pow",
})  # fmt: skip
_DEAR = _FUNCTIONS | {"filter"}
_SHARE = 4  # the memory for a step's dear values is at most so many times that for its carries
_LISTS = 16  # likewise for lists, of which only the beginning is ever touched


def is_dear(a: Atom) -> bool:
    """Whether a value is an elementary function's, a list, or an array that a loop makes of such."""
    made_of = _made_of(a)
    return isinstance(made_of, Var) and made_of.instr is not None and made_of.instr.op in _DEAR


def _made_of(a: Atom) -> Atom:
    """What a loop makes an array of, or the value itself."""
    while isinstance(a, Var) and a.instr is not None and a.instr.op in {"build", "filter"}:
        at = a.instr.outs.index(a)
        if a.instr.op == "filter":
            if at < 2:
                return a
            at -= 1
        a = a.instr.blocks[0].results[at]
    return a


def remembered_values(body: Block, steps: Steps) -> list[Var]:
    """The dear values of a loop's step that are remembered besides its carries, as far as memory allows."""
    carries = carry_bytes(body)
    in_all = (
        steps.budget // max(steps.n, 1) - carries if steps.budget else (_SHARE + _LISTS) * carries
    )
    left = {True: _SHARE * carries, False: _LISTS * carries}
    out = []
    for instr in body.instrs:
        for v in instr.outs:
            size, kind = value_type(v.type).size, is_float(v.type)
            if is_dear(v) and size <= min(left[kind], in_all):
                left[kind] -= size
                in_all -= size
                out.append(v)
    return out


def carry_bytes(body: Block) -> int:
    """The memory for the carries of a loop."""
    return sum(value_type(c.type).size for c in body.params[1:])
