"""Functions that do the same are one: traced twice, they are differentiated and compiled once.

A function that takes values from around it is traced at each call, for these may be others each time. What
is found is mostly the same program with other arguments.
"""

from __future__ import annotations

from collections.abc import Hashable

from .core import Atom, Block, Function, Instr, Var


def one_of(function: Function, known: dict[Hashable, Function]) -> Function:
    """The first `known` function that does the same, said at the same places; else this one, now known."""
    if function.rule is not None:
        return function
    return known.setdefault((function.name, function.schedule, form(function.block)), function)


def form(block: Block) -> Hashable:
    """What is equal for blocks that do the same at the same places: their variables count in order."""
    return _Form().block(block)


class _Form:
    def __init__(self) -> None:
        self.numbers: dict[Var, int] = {}

    def block(self, block: Block) -> Hashable:
        params = self.made(block.params)
        instrs = tuple(self.instr(i) for i in block.instrs)
        return params, instrs, tuple(self.atom(r) for r in block.results)

    def instr(self, i: Instr) -> Hashable:
        args = tuple(self.atom(a) for a in i.args)
        blocks = tuple(self.block(b) for b in i.blocks)
        return i.op, i.attr, i.loc, args, blocks, self.made(i.outs)

    def made(self, variables: list[Var] | tuple[Var, ...]) -> Hashable:
        for v in variables:
            self.numbers[v] = len(self.numbers)
        return tuple((v.type, v.range) for v in variables)

    def atom(self, a: Atom) -> Hashable:
        return self.numbers[a] if isinstance(a, Var) else a
