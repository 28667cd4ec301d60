"""Sinking: what only one side of a branch uses is computed there, so that a branch not taken costs its test.

Applied to a linear function before it is transposed, this also moves what the reverse pass adds for an untaken
branch into that branch.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ir.core import Block, Instr, Var
from ...ir.ops import VALUES
from ...ir.prims import TABLE


def sink(block: Block) -> Block | None:
    """Sink what can be sunk in a block and the blocks inside it, in place; None where there was nothing."""
    return block if _Sinking().block(block) else None


class _Sinking:
    """What is known of the blocks inside: each is looked through once, however deep it lies."""

    def __init__(self) -> None:
        self.free: dict[Block, dict[Var, None]] = {}  # what a block reads from outside
        self.pure: dict[Block, bool] = {}

    def block(self, block: Block) -> bool:
        changed = any(instr.op == "cond" for instr in block.instrs) and self._here(block)
        for instr in block.instrs:
            for inner in instr.blocks:
                changed |= self.block(inner)
        return changed

    def _here(self, block: Block) -> bool:
        # where each variable is used: a side of a branch of this block, or None for anywhere else
        places: dict[Var, set[Block | None]] = {}
        for r in block.results:
            if isinstance(r, Var):
                places.setdefault(r, set()).add(None)
        kept: list[Instr] = []
        sunk: dict[Block, list[Instr]] = {}
        for instr in reversed(block.instrs):
            side = self._side(instr, places)
            for v, place in self._uses(instr):
                places.setdefault(v, set()).add(side or place)
            if side is None:
                kept.append(instr)
                continue
            sunk.setdefault(side, []).append(instr)
            for o in instr.outs:
                o.block = side
            self._move(instr, side)
        block.instrs = kept[::-1]
        for side, instrs in sunk.items():
            side.instrs = instrs[::-1] + side.instrs
        return bool(sunk)

    def _side(self, instr: Instr, places: dict[Var, set[Block | None]]) -> Block | None:
        """The only side of a branch that uses the results of a pure instruction, if that is so."""
        used: set[Block | None] = set()
        for out in instr.outs:
            used |= places.get(out, set())
        return next(iter(used)) if len(used) == 1 and self._is_pure(instr) else None

    def _is_pure(self, instr: Instr) -> bool:
        if instr.op in TABLE or instr.op in VALUES:
            return True
        if instr.op not in {"build", "scan", "cond"}:
            return False
        return all(map(self._is_pure_block, instr.blocks))

    def _is_pure_block(self, block: Block) -> bool:
        if block not in self.pure:
            self.pure[block] = all(map(self._is_pure, block.instrs))
        return self.pure[block]

    def _uses(self, instr: Instr) -> Iterator[tuple[Var, Block | None]]:
        """What an instruction reads, and the side of a branch that does, if it is one."""
        for a in instr.args:
            if isinstance(a, Var):
                yield a, None
        for inner in instr.blocks:
            place = inner if instr.op == "cond" else None
            for v in self._free(inner):
                yield v, place

    def _free(self, block: Block) -> dict[Var, None]:
        known = self.free.get(block)
        if known is None:
            known = self.free[block] = {}
            own = set(block.params)
            for instr in block.instrs:
                known.update((v, None) for v, _ in self._uses(instr) if v not in own)
                own.update(instr.outs)
            known.update((r, None) for r in block.results if isinstance(r, Var) and r not in own)
        return known

    def _move(self, instr: Instr, side: Block) -> None:
        """Note that an instruction stands at the beginning of a side from now on."""
        free = self._free(side)
        for o in instr.outs:
            free.pop(o, None)
        free.update((v, None) for v, _ in self._uses(instr))
