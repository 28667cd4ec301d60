"""Which values depend on given ones: the active values of differentiation, the linear values of a transpose.

Only floating-point values carry dependence, unless `discrete` dependence is asked for too: that through
integers and conditions, as of a branch that is taken where a value is positive. A reference depends on what is
added into it, a scan's carry on its initial value and on what the body makes of it; the walk is repeated until
nothing more is found.
"""

from __future__ import annotations

from .ir import Block, Function, Instr, Var, carried, counts, instructions, root_of
from .prims import TABLE
from .rewrite.unwind import without_rewinds
from .types import Ref, is_float


def depends(block: Block, on: set[Var], discrete: bool = False) -> set[Var]:
    """`on` and every variable in the block, or in blocks inside it, that depends on it."""
    found = set(on)
    before = -1
    while len(found) != before:
        before = len(found)
        _walk(block, found, discrete)
    return found


def _walk(block: Block, found: set[Var], discrete: bool) -> None:
    for instr in block.instrs:
        if instr.op not in TABLE:
            _visit(instr, found, discrete)
            if discrete and instr.blocks and _decided(instr, found):
                inside = [i for b in instr.blocks for i in instructions(b)]
                found.update(instr.outs)
                found.update(root_of(i.args[0]) for i in inside if i.op == "addto")
        elif discrete or is_float(instr.outs[0].type):
            for a in instr.args:
                if type(a) is Var and a in found:
                    found.add(instr.outs[0])


def _decided(instr: Instr, found: set[Var]) -> bool:
    """Whether a dependent value decides which side of a branch runs, or how often a loop does."""
    match instr.op:
        case "cond":
            return instr.args[0] in found
        case "build":
            return any(a in found for a in instr.args)
        case "filter":
            return any(a in found for a in (*instr.args, instr.blocks[0].results[0]))
        case "while":
            body, test = instr.blocks
            carries = zip(body.params[1:], test.params, strict=True)
            found.update(p for c, p in carries if c in found)
            _walk(test, found, True)
            return test.results[0] in found
        case _:
            return any(a in found for a in counts(instr))


def _visit(instr: Instr, found: set[Var], discrete: bool) -> None:
    match instr.op:
        case "addto":
            if instr.args[1] in found:
                found.update((root_of(instr.args[0]), instr.args[0]))  # type: ignore[arg-type]
        case "build" | "cond":
            for block in instr.blocks:
                _walk(block, found, discrete)
                found.update(
                    o for o, r in zip(instr.outs, block.results, strict=True) if r in found
                )
        case "filter":
            (body,) = instr.blocks
            _walk(body, found, discrete)
            if discrete:  # its rows are what is remembered, not differentiated
                rows = zip(instr.outs[2:], body.results[1:], strict=True)
                found.update(o for o, r in rows if r in found)
        case "scan" | "while":
            _loop(instr, found, discrete)
        case "call":
            outs, refs = flow(instr.attr, tuple(a in found for a in instr.args), discrete)
            found.update(o for o, reached in zip(instr.outs, outs, strict=True) if reached)
            for a, reached in zip(instr.args, refs, strict=True):
                if reached:
                    found.update((root_of(a), a))  # type: ignore[arg-type]
        case _:
            if any(a in found for a in instr.args):
                found.update(o for o in instr.outs if discrete or is_float(o.type))


def _loop(instr: Instr, found: set[Var], discrete: bool) -> None:
    body = instr.blocks[0]
    carries = body.params[1:]
    found.update(c for c, initial in zip(carries, carried(instr), strict=True) if initial in found)
    _walk(body, found, discrete)
    found.update(o for o, r in zip(instr.outs, body.results, strict=False) if r in found)
    found.update(c for c, r in zip(carries, body.results, strict=False) if r in found)
    found.update(o for o, c in zip(instr.outs, carries, strict=False) if c in found)


def flow(
    function: Function, mask: tuple[bool, ...], discrete: bool = False
) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    """Which results, and which reference parameters, depend on the parameters in `mask`."""
    # what is in a reference never flows into a function: references are write-only
    on = tuple(
        m and not isinstance(p.type, Ref) for m, p in zip(mask, function.params, strict=True)
    )
    known: tuple[tuple[bool, ...], tuple[bool, ...]] | None = function.derived.get(
        ("flow", on, discrete)
    )
    if known is None:
        known = function.derived["flow", on, discrete] = _flow(function, on, discrete)
    return known


def _flow(
    function: Function, on: tuple[bool, ...], discrete: bool
) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
    if function.rule is not None:
        if discrete:
            return (any(on),) * len(function.results), (False,) * len(on)
        return function.rule.flow(function, on), (False,) * len(on)
    function = without_rewinds(function)
    seeds = {p for p, m in zip(function.params, on, strict=True) if m}
    found = depends(function.block, seeds, discrete)
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
    return any(touches(inner, found) for block in instr.blocks for inner in instructions(block))
