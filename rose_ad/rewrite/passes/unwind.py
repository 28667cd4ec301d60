"""Rewinds as scans: what a derivative of a reverse pass is taken of.

A rewind is what transposition makes of a scan that keeps few of its carries. To be differentiated again it is
written out: the carries are stacked by one scan and read by another that runs the other way.
"""

from __future__ import annotations

from dataclasses import replace

from ...ir.builder import Builder
from ...ir.copying import Copier, enter_loop, lookups
from ...ir.core import Block, Instr
from ...ir.queries import carried, counts, instructions


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

        forward = enter_loop(b, instr, self.env)
        params = [forward.block.param(p.type) for p in step.params[1:]]
        self.env.update(zip(step.params[1:], params, strict=True))
        self.block(step, forward)
        forward.block.results += tuple(params)
        stacks = b.scan(once, args[:k], forward.block, count)[k:]

        backward = enter_loop(b, instr, self.env)
        index = self.env[back.params[0]] = backward.block.params[0]
        for p, stack in zip(back.params[1:], stacks, strict=False):
            self.env[p] = backward.index(stack, index)
        for p in back.params[1 + k :]:
            self.env[p] = backward.block.param(p.type)
        self.block(back, backward)
        outs = b.scan(replace(once, reverse=not once.reverse), args[k:], backward.block, count)
        self.env.update(zip(instr.outs, outs, strict=True))
