"""What is added to in one branch only is settled in that branch.

    r = accum a; cond p { ...; r += x } else { }; b = freeze r

becomes

    b = cond p { r = accum a; ...; r += x; return freeze r } else { return a }

so that where the branch is not taken nothing is copied.
"""

from __future__ import annotations

from ...ir.copying import Env, substitute
from ...ir.core import Block, Instr, Var
from ...ir.queries import block_uses, users_of
from ...ir.types import Array, Ref


def settle(block: Block) -> Block | None:
    """Settle such accumulators of a block and the blocks inside it, in place; None where there were none."""
    changed = False
    for instr in block.instrs:
        for inner in instr.blocks:
            changed |= settle(inner) is not None
    accums = [
        i for i in block.instrs if i.op == "accum" and i.args and isinstance(i.content, Array)
    ]
    users = users_of({i.outs[0] for i in accums}, block)
    gone: set[Instr] = set()
    renamed: Env = {}
    for accum in accums:
        found = _branch_and_end(accum, users[accum.outs[0]])
        if found is not None:
            cond, end = found
            renamed[end.outs[0]] = _move(block, accum, cond)
            gone |= {accum, end}
    if gone:
        block.instrs = [i for i in block.instrs if i not in gone]
        substitute(block, renamed)
    return block if changed or gone else None


def _branch_and_end(accum: Instr, users: list[Instr]) -> tuple[Instr, Instr] | None:
    """The branch that adds to an accumulator, in one side, and what freezes it, if nothing else uses it."""
    (ref,) = accum.outs
    if len(users) != 2 or users[0].op != "cond" or users[1].op != "freeze":
        return None
    sides = [b for b in users[0].blocks if ref in block_uses(b)]
    return (users[0], users[1]) if len(sides) == 1 else None


def _move(block: Block, accum: Instr, cond: Instr) -> Var:
    """Move an accumulator into the side of a branch that adds to it; its value, a result of the branch."""
    (ref,), (initial,), t = accum.outs, accum.args, accum.content
    for side in cond.blocks:
        if ref not in block_uses(side):
            side.results = (*side.results, initial)
            continue
        inner, total = Var(Ref(t), side), Var(t, side)
        inner.instr = Instr("accum", (initial,), t, (), (inner,), accum.loc)
        total.instr = Instr("freeze", (inner,), None, (), (total,), accum.loc)
        substitute(side, {ref: inner})
        side.instrs = [inner.instr, *side.instrs, total.instr]
        side.results = (*side.results, total)
    out = Var(t, block)
    out.instr = cond
    cond.outs = (*cond.outs, out)
    return out
