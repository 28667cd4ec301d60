"""Sinking: what only one side of a branch uses is computed there, so that a branch not taken costs its test.

Applied to a linear function before it is transposed, this also moves what the reverse pass adds for an untaken
branch into that branch.
"""

from __future__ import annotations

from ...ir.core import Block, Instr, Var
from ...ir.ops import VALUES
from ...ir.prims import TABLE
from ...ir.queries import block_uses, uses


def sink(block: Block) -> Block | None:
    """Sink what can be sunk in a block and the blocks inside it, in place; None where there was nothing."""
    changed = any(instr.op == "cond" for instr in block.instrs) and _sink_here(block)
    for instr in block.instrs:
        for inner in instr.blocks:
            changed |= sink(inner) is not None
    return block if changed else None


def _sink_here(block: Block) -> bool:
    # where each variable is used: a side of a branch of this block, or None for anywhere else
    places: dict[Var, set[Block | None]] = {}

    def use(v: object, place: Block | None) -> None:
        if isinstance(v, Var):
            places.setdefault(v, set()).add(place)

    for r in block.results:
        use(r, None)
    kept: list[Instr] = []
    sunk: dict[Block, list[Instr]] = {}
    for instr in reversed(block.instrs):
        side = _side(instr, places)
        if side is None:
            kept.append(instr)
            _note_uses(instr, use)
            continue
        sunk.setdefault(side, []).append(instr)
        for o in instr.outs:
            o.block = side
        for v in uses(instr):
            use(v, side)
    block.instrs = kept[::-1]
    for side, instrs in sunk.items():
        side.instrs = instrs[::-1] + side.instrs
    return bool(sunk)


def _side(instr: Instr, places: dict[Var, set[Block | None]]) -> Block | None:
    """The only side of a branch that uses the results of a pure instruction, if that is so."""
    if not instr.outs or not _is_pure(instr):
        return None
    used: set[Block | None] = set()
    for out in instr.outs:
        used |= places.get(out, set())
    return next(iter(used)) if len(used) == 1 else None


def _is_pure(instr: Instr) -> bool:
    if instr.op in TABLE or instr.op in VALUES:
        return True
    if instr.op not in {"build", "scan", "cond"}:
        return False
    return all(_is_pure(inner) for block in instr.blocks for inner in block.instrs)


def _note_uses(instr: Instr, use: object) -> None:
    assert callable(use)
    for a in instr.args:
        use(a, None)
    for inner in instr.blocks:
        place = inner if instr.op == "cond" else None
        for v in block_uses(inner):
            use(v, place)
