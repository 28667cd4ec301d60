"""Long loops become functions, of which equal ones are one.

LLVM takes longer for a long function than for two of half the length. And what a reverse pass runs again is in
a program twice: as it was run first, and as it is run again. A loop of some hundred instructions that is the
same in both is written once, and is called.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ir.alike import form
from ...ir.core import Atom, Block, Function, Instr, Var
from ...ir.in_force import in_force
from ...ir.queries import carried, free_variables, instructions
from ...ir.types import Array

_SHORT, _LONG = 150, 400
"""Instructions of loops that become functions: at least so many, since a call has its price; and at most, as
far as the loops inside allow."""
_COPIED = 4096  # bytes of carries that may be copied once more, at the end of the loop
_LOOPS = {"build", "scan", "while"}


class Outliner:
    """What becomes functions in the functions of a program, each of which is given to it once."""

    def __init__(self) -> None:
        self._known: dict[object, list[Function]] = {}  # functions by some of what equal ones share

    def function(self, name: str, block: Block, loc: int) -> Function:
        """The function of a block that nobody else has; the loops in it are moved out where that pays."""
        return self._one_of(name, self._block(name, block), block, loc)

    def know(self, function: Function) -> None:
        """Note a function, and those that its loops have become, of which equal ones may follow."""
        moved = (i.callee for i in instructions(function.block) if i.op == "call")
        for f in dict.fromkeys((function, *moved)):
            alike = self._alike(f.name, _length(f.block), f.block, f.loc)
            if f not in alike:
                alike.append(f)

    def _block(self, name: str, block: Block) -> int:
        """Move loops out of a block; the number of instructions that it has then."""
        total = 0
        for k, instr in enumerate(block.instrs):
            size = _size(instr)
            if size > _LONG:
                size = 1 + sum(self._block(name, b) for b in instr.blocks)
            if size >= _SHORT and _can_be_called(instr):
                block.instrs[k] = self._moved(name.partition(".")[0], instr)
                size = 1
            total += size
        return total

    def _moved(self, name: str, loop: Instr) -> Instr:
        """The call of a function that a loop has become."""
        holder = Block()
        holder.instrs.append(loop)
        outs, loop.outs = loop.outs, tuple(Var(v.type, holder) for v in loop.outs)
        for v in loop.outs:
            v.instr = loop
        holder.results = loop.outs
        captured = tuple(free_variables(holder))
        params: dict[Atom, Atom] = {}
        for v in captured:
            p = params[v] = holder.param(v.type)
            p.range = v.range
        for block in _blocks(holder):
            for instr in block.instrs:
                instr.args = tuple([params.get(a, a) for a in instr.args])
            block.results = tuple([params.get(r, r) for r in block.results])
        function = self._one_of(name, _length(holder), holder, loop.loc)
        call = Instr("call", captured, function, (), outs, loop.loc)
        for v in outs:
            v.instr = call
        return call

    def _one_of(self, name: str, size: int, block: Block, loc: int) -> Function:
        """The first function of that name with such a block."""
        alike = self._alike(name, size, block, loc)
        if alike:
            wanted = _form(block)
            for f in alike:
                if _form(f.block) == wanted:
                    return f
        function = Function(name, block, loc)
        alike.append(function)
        return function

    def _alike(self, name: str, size: int, block: Block, loc: int) -> list[Function]:
        return self._known.setdefault((name, size, loc, len(block.params), in_force()), [])


def _form(block: Block) -> object:
    return form(block), tuple(p.range for p in block.params)


def _size(instr: Instr) -> int:
    return 1 + sum(map(_length, instr.blocks))


def _length(block: Block) -> int:
    return sum(map(_size, block.instrs))


def _can_be_called(loop: Instr) -> bool:
    """Whether a loop can be a function that costs little to call."""
    if loop.op not in _LOOPS or loop.in_lanes:
        return False
    arrays = (
        [a.type for a in carried(loop) if isinstance(a.type, Array)] if loop.op != "build" else []
    )
    return sum(t.size for t in arrays) <= _COPIED


def _blocks(block: Block) -> Iterator[Block]:
    """A block, and all inside it."""
    yield block
    for instr in block.instrs:
        for inner in instr.blocks:
            yield from _blocks(inner)
