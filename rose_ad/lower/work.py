"""How much work a loop is, roughly: which loops may take long."""

from __future__ import annotations

from collections.abc import Iterable

from ..ir.core import Block, Function, Instr, Steps
from ..ir.intervals import loop_range
from ..ir.prims import TABLE
from ..ir.queries import counts
from ..ir.types import Array, Ref

_LONG = (
    1_000_000_000  # operations: a second at most, for nearly all programs do fewer than they might
)
_OFTEN = 1_000_000
_AS_A_RULE = 16  # times that a loop runs whose length is not known


class Work:
    """How many operations blocks take, roughly."""

    def __init__(self, functions: Iterable[Function]) -> None:
        self._known: dict[Block, int] = {}
        for f in functions:  # callees first
            self.of(f.block)

    def of(self, block: Block) -> int:
        known = self._known.get(block)
        if known is None:
            known = self._known[block] = 1 + sum(map(self._instruction, block.instrs))
        return known

    def once(self, loop: Instr) -> int:
        """Of one iteration of a loop."""
        return sum(map(self.of, loop.blocks))

    def every(self, loop: Instr) -> int:
        """How many iterations of a loop, a power of two, take some milliseconds; 0 where it is not long."""
        once = self.once(loop)
        if _times(loop) * once < _LONG:
            return 0
        return 1 << (max(_OFTEN // once, 1).bit_length() - 1)

    def _instruction(self, instr: Instr) -> int:
        if instr.op in TABLE:
            return 1
        if instr.op == "call":
            return self.of(instr.callee.block)
        if instr.op == "cond":
            return self.once(instr) // 2
        if instr.blocks:
            times = _times(instr)  # which, where many are possible, asks for itself
            return (times if _is_fixed(instr) else min(times, _AS_A_RULE)) * self.once(instr)
        return sum(_size(o.type) for o in instr.outs) if instr.op in _COPYING else 1


_COPYING = {"pack", "join", "accum"}


def _size(t: object) -> int:
    whole = t.of if isinstance(t, Ref) else t
    return whole.size // 8 if isinstance(whole, Array) else 1


def _is_fixed(loop: Instr) -> bool:
    """Whether a loop runs as often as it can."""
    return loop.op != "while" and not counts(loop) and (loop.op == "scan" or not loop.args)


def _times(loop: Instr) -> int:
    """How often a loop runs at most."""
    if loop.op == "rewind":
        return loop.steps.n * 4  # and steps once more, to reach those that were not kept
    if isinstance(loop.attr, Steps):
        return loop.steps.n
    if loop.op == "while" or not loop.args:
        return loop.length
    index = loop.blocks[0].params[0].range
    low, high = index or loop_range(loop)
    return max(high - low + 1, 0)
