"""What a run shows: calls of Python functions that give nothing back, as `ra.debug.print` makes them.

Besides adding they are the only effect. None is left out or moved, so they are run in the order of the
program. A derivative shows what its function does, once: linear programs, which compute primal values again,
show nothing.
"""

from __future__ import annotations

from .copying import copied
from .core import Block, DerivativeRule, Function, Instr, Linearized
from .in_force import under
from .queries import instructions


def is_shown(instr: Instr) -> bool:
    """Whether an instruction itself shows something."""
    return instr.op == "host" and not instr.outs


def shows(function: Function) -> bool:
    """Whether a function, or one that it calls, shows something."""
    known: bool | None = function.derived.get("shows")
    if known is None:
        known = any(
            is_shown(i) or (i.op == "call" and shows(i.callee))
            for i in instructions(function.block)
        )
        function.derived["shows"] = known
    return known


def silent(function: Function) -> Function:
    """The function without what it shows, made once; itself where that is nothing."""
    if not shows(function):
        return function
    known: Function | None = function.derived.get("silent")
    if known is None:
        with under(function.schedule):
            block = copied(function.block)
            silence(block)
            rule = function.rule and _Silent(function.rule)
            known = function.derived["silent"] = Function(function.name, block, function.loc, rule)
    return known


def silence(block: Block) -> None:
    """Take what is shown out of a block and those inside it, in place."""
    block.instrs = [i for i in block.instrs if not is_shown(i)]
    for instr in block.instrs:
        if instr.op == "call":
            instr.attr = silent(instr.callee)
        for inner in instr.blocks:
            silence(inner)


class _Silent(DerivativeRule):
    """The rule of a function of which a copy shows nothing."""

    def __init__(self, of: DerivativeRule) -> None:
        self.of, self.refusal = of, of.refusal

    def flow(self, function: Function, mask: tuple[bool, ...]) -> tuple[bool, ...]:
        return self.of.flow(function, mask)

    def linearize(self, function: Function, mask: tuple[bool, ...]) -> Linearized:
        d = self.of.linearize(function, mask)
        return Linearized(
            silent(d.fwd), silent(d.lin), d.active_params, d.active_results, d.kept_params
        )

    def transpose(self, function: Function, mask: tuple[bool, ...]) -> Function | None:
        made = self.of.transpose(function, mask)
        return made and silent(made)

    def is_linear(self, function: Function, mask: tuple[bool, ...]) -> bool | None:
        return self.of.is_linear(function, mask)
