"""Loops that read each other's rows, each at its own index, as one loop.

    a = build n (i) { ...; return x }; b = build n (i) { y = a[i]; ... }

becomes a loop that makes x and goes on with it for y; it makes `a` too where that is read elsewhere (loop
fusion; deforestation, Wadler 1990). Only loops of plain operations are joined: what branches, loops or adds
somewhere would keep the rest from vector instructions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...ir.core import Block, Instr, Var
from ...ir.queries import is_plain, uses


@dataclass(eq=False)
class Group:
    """Loops that are to be one, in order; it stands where the last of them does."""

    loops: list[Instr]
    outs: set[Var] = field(default_factory=set)  # what they make
    kept: list[Var] = field(default_factory=list)  # those that are read by others too

    @property
    def last(self) -> Instr:
        return self.loops[-1]


def groups(block: Block) -> list[Group]:
    """The groups of two and more of a block's loops that can be joined."""
    found: dict[Instr, Group] = {}
    for loop in block.instrs:
        if is_plain(loop):
            found[loop] = Group([loop], set(loop.outs))
            for other in _makers(loop, found):
                if other is not found[loop] and _can_join(block, other, loop):
                    joined = Group(
                        _in_order(block, other, found[loop]), other.outs | found[loop].outs
                    )
                    found.update(dict.fromkeys(joined.loops, joined))
    several = [g for g in dict.fromkeys(found.values()) if len(g.loops) > 1]
    for group in several:
        group.kept = _read_elsewhere(block, group)
    return several


def _makers(loop: Instr, found: dict[Instr, Group]) -> list[Group]:
    """The groups whose rows a loop reads."""
    made = [a.instr for i in loop.blocks[0].instrs for a in i.args[:1] if isinstance(a, Var)]
    return list(dict.fromkeys(found[m] for m in made if m in found and m is not loop))


def _can_join(block: Block, group: Group, loop: Instr) -> bool:
    """Whether the group may wait for a loop, and that reads its rows at its own index only."""
    if group.last.length != loop.length:
        return False
    between = block.instrs[block.instrs.index(group.last) + 1 : block.instrs.index(loop)]
    if any(v in group.outs for i in between for v in uses(i)):
        return False
    return _reads_own_rows(loop, group.outs)


def _reads_own_rows(loop: Instr, outs: set[Var]) -> bool:
    (body,) = loop.blocks
    for i in body.instrs:
        if any(a in outs for a in i.args) and (
            i.op != "index" or i.args[1] is not body.params[0] or i.args[0] not in outs
        ):
            return False
    return not any(r in outs for r in body.results)


def _in_order(block: Block, a: Group, b: Group) -> list[Instr]:
    both = {*a.loops, *b.loops}
    return [i for i in block.instrs if i in both]


def _read_elsewhere(block: Block, group: Group) -> list[Var]:
    others = {v for i in block.instrs if i not in group.loops for v in uses(i)}
    others.update(r for r in block.results if isinstance(r, Var))
    return [o for loop in group.loops for o in loop.outs if o in others]
