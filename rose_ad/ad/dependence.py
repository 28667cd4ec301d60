"""Which values depend on given ones: the active values of differentiation, the linear values of a transpose.

Only floating-point values carry dependence. A reference depends on what is added into it, a scan's carry on
its initial value and on what the body makes of it; the walk is repeated until nothing more is found.
"""

from __future__ import annotations

from ..base.errors import RoseError
from ..ir.core import Block, Function, Instr, Var
from ..ir.in_force import default, under
from ..ir.prims import TABLE
from ..ir.queries import carried, instructions, root_of
from ..ir.types import Ref, is_float


def depends(block: Block, on: set[Var]) -> set[Var]:
    """`on` and every variable in the block, or in blocks inside it, that depends on it."""
    found = set(on)
    before = -1
    while len(found) != before:
        before = len(found)
        _walk(block, found)
    return found


def _walk(block: Block, found: set[Var]) -> None:
    for instr in block.instrs:
        if instr.op not in TABLE:
            _visit(instr, found)
        elif is_float(instr.outs[0].type):
            for a in instr.args:
                if type(a) is Var and a in found:
                    found.add(instr.outs[0])


def _visit(instr: Instr, found: set[Var]) -> None:
    match instr.op:
        case "addto":
            if instr.args[1] in found:
                found.update((root_of(instr.args[0]), instr.args[0]))  # type: ignore[arg-type]
        case "build" | "cond":
            for block in instr.blocks:
                _walk(block, found)
                found.update(
                    o for o, r in zip(instr.outs, block.results, strict=True) if r in found
                )
        case "filter":
            _walk(instr.blocks[0], found)  # its rows are what is remembered, not differentiated
        case "scan" | "while":
            _loop(instr, found)
        case "call":
            outs, refs = flow(instr.attr, tuple(a in found for a in instr.args))
            found.update(o for o, reached in zip(instr.outs, outs, strict=True) if reached)
            for a, reached in zip(instr.args, refs, strict=True):
                if reached:
                    found.update((root_of(a), a))  # type: ignore[arg-type]
        case _:
            if any(a in found for a in instr.args):
                found.update(o for o in instr.outs if is_float(o.type))


def _loop(instr: Instr, found: set[Var]) -> None:
    body = instr.blocks[0]
    carries = body.params[1:]
    found.update(c for c, initial in zip(carries, carried(instr), strict=True) if initial in found)
    _walk(body, found)
    found.update(o for o, r in zip(instr.outs, body.results, strict=False) if r in found)
    found.update(c for c, r in zip(carries, body.results, strict=False) if r in found)
    found.update(o for o, c in zip(instr.outs, carries, strict=False) if c in found)


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
        return any(flow(instr.attr, tuple(a in found for a in instr.args))[1])
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
