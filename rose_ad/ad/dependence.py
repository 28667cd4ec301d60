"""Which values depend on given ones: the active values of differentiation, the linear values of a transpose.

Only floating-point values carry dependence. A reference depends on what is added into it, a scan's carry on
its initial value and on what the body makes of it; the walk is repeated until nothing more is found.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..base.errors import RoseError
from ..ir.core import Atom, Block, Function, Instr, Var
from ..ir.in_force import default, under
from ..ir.ops import Visitor
from ..ir.prims import TABLE
from ..ir.queries import carried, instructions, root_of
from ..ir.types import Ref, is_float


def depends(block: Block, on: set[Var]) -> set[Var]:
    """`on` and every variable in the block, or in blocks inside it, that depends on it."""
    walk = _Dependence(set(on))
    before = -1
    while len(walk.found) != before:
        before = len(walk.found)
        walk.block(block)
    return walk.found


class _Dependence(Visitor):
    def __init__(self, found: set[Var]) -> None:
        self.found = found

    def block(self, block: Block) -> None:
        found = self.found
        for instr in block.instrs:
            if instr.op not in TABLE:
                self.rows[instr.op](self, instr)
            elif is_float(instr.outs[0].type):
                for a in instr.args:
                    if type(a) is Var and a in found:
                        found.add(instr.outs[0])

    def _plain(self, instr: Instr) -> None:
        """What its results are made of is among its operands."""
        if any(a in self.found for a in instr.args):
            self.found.update(o for o in instr.outs if is_float(o.type))

    _index = _check = _pack = _reshape = _join = _slice = _accum = _freeze = _host = _rewind = (
        _plain
    )

    def _addto(self, instr: Instr) -> None:
        if instr.args[1] in self.found:
            self._reach(instr.args[0])

    def _reach(self, ref: Atom) -> None:
        assert isinstance(ref, Var)
        self.found.update((root_of(ref), ref))

    def _build(self, instr: Instr) -> None:
        for block in instr.blocks:
            self.block(block)
            self._pass_on(block.results, instr.outs)

    _cond = _build

    def _pass_on(self, results: Sequence[Atom], outs: Sequence[Var]) -> None:
        self.found.update(o for o, r in zip(outs, results, strict=False) if r in self.found)

    def _filter(self, instr: Instr) -> None:
        self.block(instr.blocks[0])  # its rows are what is remembered, not differentiated

    def _scan(self, instr: Instr) -> None:
        body = instr.blocks[0]
        carries = body.params[1:]
        self._pass_on(carried(instr), carries)
        self.block(body)
        self._pass_on(body.results, instr.outs)
        self._pass_on(body.results, carries)
        self._pass_on(carries, instr.outs)

    _while = _scan

    def _call(self, instr: Instr) -> None:
        outs, refs = flow(instr.callee, tuple(a in self.found for a in instr.args))
        self.found.update(o for o, reached in zip(instr.outs, outs, strict=True) if reached)
        for a, reached in zip(instr.args, refs, strict=True):
            if reached:
                self._reach(a)


def flow(function: Function, mask: tuple[bool, ...]) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """Which results, and which reference parameters, depend on the parameters in `mask`."""
    # what is in a reference never flows into a function: references are write-only
    on = tuple(
        m and not isinstance(p.type, Ref) for m, p in zip(mask, function.params, strict=True)
    )
    known: tuple[tuple[bool, ...], tuple[bool, ...]] | None = function.derived.get(("flow", on))
    if known is None:
        known = function.derived["flow", on] = _flow(function, on)
    return known


def _flow(function: Function, on: tuple[bool, ...]) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    if function.rule is not None:
        return function.rule.flow(function, on), (False,) * len(on)
    function = differentiable(function)
    seeds = {p for p, m in zip(function.params, on, strict=True) if m}
    found = depends(function.block, seeds)
    outs = tuple(r in found for r in function.results)
    refs = tuple(isinstance(p.type, Ref) and p in found for p in function.params)
    return outs, refs


def touches(instr: Instr, found: set[Var]) -> bool:
    """Whether an instruction makes a dependent value or adds one into a reference."""
    for o in instr.outs:
        if o in found:
            return True
    if instr.op == "addto":
        return instr.args[1] in found
    if instr.op == "call":
        return any(flow(instr.callee, tuple(a in found for a in instr.args))[1])
    return any(touches(inner, found) for block in instr.blocks for inner in block.instrs)


def differentiable(function: Function) -> Function:
    """The function as its derivatives are made of it, made once."""
    known: Function | None = function.derived.get("differentiable")
    if known is None:
        known = function
        if function.rule is None:
            with under(function.schedule):
                block = function.schedule.run("differentiated", function.name, function.block)
                if block is not function.block:
                    known = Function(function.name, block, function.loc)
                if function.schedule is not default():
                    _check_unwound(known)
        function.derived["differentiable"] = known
    return known


def _check_unwound(function: Function) -> None:
    rewind = next((i for i in instructions(function.block) if i.op == "rewind"), None)
    if rewind is not None:
        raise RoseError(
            "a derivative is taken of a loop that runs backwards, which the schedule has not written out",
            rewind.loc,
            "a schedule whose stage `differentiated` has `unwind` in it",
        )
