"""Rewinds as scans: what a derivative of a reverse pass is taken of.

A rewind is what transposition makes of a scan that keeps few of its carries. To be differentiated again it is
written out: the carries are stacked by one scan and read by another that runs the other way. Where no number of
steps is known that there are at most, none are stacked, and each step runs those before it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...ir.builder import Builder
from ...ir.copying import Copier, enter_loop, lookups
from ...ir.core import UNBOUNDED, Atom, Block, Const, Instr, Steps
from ...ir.queries import carried, counts, instructions
from ...ir.types import I64


def unwind(block: Block) -> Block | None:
    """A copy of a function's block with scans in place of its rewinds; None where it has none."""
    if not any(i.op == "rewind" for i in instructions(block)):
        return None
    b = Builder()
    _Unwinder({p: b.block.param(p.type) for p in block.params}).block(block, b)
    return b.block


class _Unwinder(Copier):
    def _rewind(self, instr: Instr, b: Builder) -> None:
        step, back = instr.blocks
        once = replace(instr.steps, slots=0, budget=0)
        count = lookups(self.env, counts(instr))
        args = lookups(self.env, carried(instr))
        k = len(step.results)
        endless = once.n == UNBOUNDED
        stacks = () if endless else self._stacks(instr, once, args[:k], count, b)
        backward = enter_loop(b, instr, self.env)
        index = backward.block.params[0]
        if endless:
            found = self._found_again(instr, args[:k], count[0], backward)
        else:
            found = [backward.index(stack, index) for stack in stacks]
        self.env.update(zip(back.params, (index, *found), strict=False))
        for p in back.params[1 + k :]:
            self.env[p] = backward.block.param(p.type)
        self.block(back, backward)
        outs = b.scan(replace(once, reverse=not once.reverse), args[k:], backward.block, count)
        self.env.update(zip(instr.outs, outs, strict=True))

    def _stacks(
        self, instr: Instr, steps: Steps, initial: Sequence[Atom], count: Sequence[Atom], b: Builder
    ) -> Sequence[Atom]:
        """The carries at the start of each step, stacked."""
        step, _ = instr.blocks
        forward = enter_loop(b, instr, self.env)
        params = [forward.block.param(p.type) for p in step.params[1:]]
        self.env.update(zip(step.params[1:], params, strict=True))
        self.block(step, forward)
        forward.block.results += tuple(params)
        return b.scan(steps, initial, forward.block, count)[len(params) :]

    def _found_again(
        self, instr: Instr, initial: Sequence[Atom], count: Atom, inner: Builder
    ) -> Sequence[Atom]:
        """The carries that a step started with, by running those before it."""
        step, _ = instr.blocks
        steps = instr.steps
        index: Atom = inner.block.params[0]
        last = inner.prim("sub", count, Const(1, I64))
        before = inner.prim("sub", last, index) if steps.reverse else index
        again = inner.loop(0, steps.n - 1)
        self.env[step.params[0]] = (
            again.prim("sub", last, again.block.params[0])
            if steps.reverse
            else again.block.params[0]
        )
        for p in step.params[1:]:
            self.env[p] = again.block.param(p.type)
        self.block(step, again)
        return inner.scan(Steps(steps.n, counted=True), initial, again.block, [before])
