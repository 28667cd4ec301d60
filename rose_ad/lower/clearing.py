"""Accumulators that need not be cleared at every step of a loop.

One that only filters of a step add to is still clear at the end of it if they kept nothing, as they do in most
steps of a table of balls. It is cleared once before all, and after the steps in which they did.
"""

from __future__ import annotations

from ..ir.core import Atom, Block, Instr, Var
from ..ir.ops import VIEWS
from ..ir.queries import block_uses
from ..ir.types import Array, Value

_WORTH_IT = 64  # bytes


def kept_clean(block: Block) -> dict[Instr, list[Instr]]:
    """The accumulators of a loop's body that only filters in it add to, with these."""
    if not block.params or block.params[0].range is None:
        return {}
    out: dict[Instr, list[Instr]] = {}
    for accum in block.instrs:
        if accum.op != "accum" or accum.args or not _is_worth_it(accum.content):
            continue
        (ref,) = accum.outs
        users = [
            i
            for i in block.instrs
            if ref in i.args or any(ref in set(block_uses(b)) for b in i.blocks)
        ]
        *loops, last = users or [accum]
        frozen = last.outs[0] if last.op == "freeze" else None
        if loops and frozen and all(i.op == "filter" and ref not in i.args for i in loops):
            if not any(_part_of(r) is frozen for r in block.results):
                out[accum] = loops
    return out


def _part_of(a: Atom) -> Atom:
    """The array that a view is of."""
    while isinstance(a, Var) and a.instr is not None and a.instr.op in VIEWS:
        a = a.instr.args[0]
    return a


def _is_worth_it(t: Value) -> bool:
    return isinstance(t, Array) and t.size >= _WORTH_IT
