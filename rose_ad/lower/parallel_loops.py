"""Loops whose iterations may run side by side, and how LLVM is told so.

A build makes each row from what was there before it, so no iteration reads what another one writes. From the
code alone that cannot be seen where places of carries change from step to step: LLVM would ask at run time
whether they overlap, or make no vector instructions. So the loads and stores of such a loop form an access
group, and the loop is said to be parallel in it; that holds only if all of its loads and stores are in the
group. What a body makes for itself lies in one place for all iterations, and stays out of it.
"""

from __future__ import annotations

from ..ir.core import Atom, Block, Const
from ..ir.ops import VIEWS
from .module import Module


class Parallel:
    """A loop being written, with `body` run in each iteration: what is appended to its loads and stores, and
    which accesses are parallel."""

    def __init__(self, module: Module, body: Block | None) -> None:
        self.body = body
        group = module.metadata("distinct !{}")
        self.accesses = module.metadata(f'!{{!"llvm.loop.parallel_accesses", {group}}}')
        self.access = f", !llvm.access.group {group}"
        self.rows: set[str] = set()  # the places of what this iteration makes for the loop

    def reading(self, a: Atom) -> str:
        """What is appended to a load from the array `a`."""
        while not isinstance(a, Const) and a.instr is not None and a.block is self.body:
            if a.instr.op not in VIEWS:
                return ""
            a = a.instr.args[0]
        return self.access

    def writing(self, place: str) -> str:
        """What is appended to a store into the array at a place."""
        return self.access if place in self.rows else ""
