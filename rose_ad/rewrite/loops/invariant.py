"""Arrays that a loop over time makes at every step, though they are the same in all: they are made before it.

No more memory is needed: an array has its place whether it is made once or often. Numbers stand in the
outermost loop that has their operands from the start (ir/builder.py).
"""

from __future__ import annotations

from ...ir.builder import Builder
from ...ir.copying import Env, lookups
from ...ir.core import Instr, Var
from ...ir.ops import VALUES
from ...ir.prims import TABLE
from ...ir.queries import free_variables


def home_of(instr: Instr, b: Builder, env: Env) -> Builder:
    """Where to emit a copy of an instruction: before the loops over time for which it makes the same arrays."""
    if not _only_makes(instr):
        return b
    free = lookups(env, free_variables(instr.blocks[0]))
    blocks = {v.block for v in free if isinstance(v, Var)}
    while b.parent is not None and _is_over_time(b) and b.block not in blocks:
        b = b.parent
    return b


def _is_over_time(b: Builder) -> bool:
    return b.kind == "loop" and len(b.block.params) > 1


def _only_makes(instr: Instr) -> bool:
    """Whether an instruction is a loop that makes arrays and has no effect."""
    if instr.op != "build" or instr.args or instr.in_lanes or not instr.outs:
        return False
    return all(i.op in TABLE or i.op in VALUES or _only_makes(i) for i in instr.blocks[0].instrs)
