"""Dead code: what no result and no live effect needs, found backwards, then taken out.

Results of loops and branches go one by one, carries that only feed themselves too, and an accumulator that
is never read takes everything added into it with it. What is shown (`ir/shown.py`) stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ...ir.core import Atom, Block, Instr, Var
from ...ir.prims import TABLE
from ...ir.queries import carried, counts, instructions, root_of
from ...ir.shown import is_shown, shows
from ...ir.types import Ref

T = TypeVar("T")


def live_variables(block: Block) -> set[Var]:
    """The variables needed for the block's results and for adding into references from outside it."""
    live: set[Var] = set()
    live.update(p for p in block.params if isinstance(p.type, Ref))
    own = _own_references(block)
    known = -1
    while len(live) != known:
        known = len(live)
        _block(block, range(len(block.results)), live, own)
        if not _passes_on(block, own):
            break
        # a call that is needed for its results adds to what it is given: then what is added later is wanted too
    return live


def _passes_on(block: Block, own: set[Var]) -> bool:
    """Whether a call is given a reference of the block's own."""
    return bool(own) and any(
        i.op == "call" and any(isinstance(a.type, Ref) and root_of(a) in own for a in i.args)
        for i in instructions(block)
    )


def _own_references(block: Block) -> set[Var]:
    own: set[Var] = set()
    for instr in block.instrs:
        if instr.op == "accum":
            own.update(instr.outs)
        for inner in instr.blocks:
            own |= _own_references(inner)
    return own


def _block(block: Block, keep: range | list[int], live: set[Var], own: set[Var]) -> bool:
    """Mark what the results at `keep` and the live effects need; whether there are any such effects."""
    _mark((block.results[k] for k in keep), live)
    effects = False
    for instr in reversed(block.instrs):
        if instr.op not in TABLE:
            effects |= _instr(instr, live, own)
        elif instr.outs[0] in live:
            _mark(instr.args, live)
    return effects


def _mark(atoms: Iterable[Atom], live: set[Var]) -> None:
    for a in atoms:
        if type(a) is Var:
            live.add(a)


def _adds(ref: Atom, live: set[Var], own: set[Var]) -> bool:
    root = root_of(ref)
    return root in live or root not in own


def _instr(instr: Instr, live: set[Var], own: set[Var]) -> bool:
    kept = [k for k, o in enumerate(instr.outs) if o in live]
    match instr.op:
        case "addto":
            effect = _adds(instr.args[0], live, own)
            needed = effect
        case "call":
            effect = shows(instr.callee) or any(
                isinstance(a.type, Ref) and _adds(a, live, own) for a in instr.args
            )
            needed = effect or bool(kept)
        case "scan" | "while":
            return _loop(instr, kept, live, own)
        case "rewind" | "filter":
            effect = any([_block(b, [], live, own) for b in instr.blocks])
            needed = effect or bool(kept)
            if needed:  # all of it
                for block in instr.blocks:
                    _block(block, range(len(block.results)), live, own)
        case "build" | "cond":
            effects = [_block(block, kept, live, own) for block in instr.blocks]
            effect = any(effects)
            needed = effect or bool(kept)
        case _:
            effect = is_shown(instr)
            needed = effect or bool(kept)
    if needed:
        _mark(instr.args, live)
    return effect


def _loop(instr: Instr, kept: list[int], live: set[Var], own: set[Var]) -> bool:
    body, *tests = instr.blocks
    carries = carried(instr)
    needed = {k for k in kept if k < len(body.results)}  # the count of a while is made in any case
    needs_test = False
    while True:
        effect = _block(body, sorted(needed), live, own)
        needs_test = needs_test or effect or bool(kept)
        if needs_test:
            for test in tests:
                _block(test, range(1), live, own)
        more = needed | {
            k
            for k in range(len(carries))
            if body.params[k + 1] in live or any(t.params[k] in live for t in tests)
        }
        if more == needed:
            break
        needed = more
    # a test may need a carry alone
    _mark((body.params[k + 1] for k in needed if k < len(carries)), live)
    _mark((carries[k] for k in needed if k < len(carries)), live)
    if effect or needed or kept:
        _mark(counts(instr), live)
    return effect


def remove_dead(block: Block) -> Block | None:
    """Take dead code out of a function's block (or of a block with free variables), in place; None where
    there was none."""
    return block if _drop(block, live_variables(block)) else None


def _drop(block: Block, live: set[Var]) -> bool:
    """Take out what is not live; whether there was any."""
    before = len(block.instrs)
    block.instrs = [instr for instr in block.instrs if _is_live(instr, live)]
    changed = len(block.instrs) < before
    for instr in block.instrs:
        if instr.blocks:
            changed |= _trim(instr, live)
    return changed


def _is_live(instr: Instr, live: set[Var]) -> bool:
    """Whether an instruction makes a live value, adds into a live reference or shows something."""
    if is_shown(instr):
        return True
    if instr.op == "addto":
        return instr.args[0] in live
    for o in instr.outs:
        if o in live:
            return True
    if instr.op == "call":
        adds = any(isinstance(a.type, Ref) and a in live for a in instr.args)
        return adds or shows(instr.callee)
    return any(_is_live(inner, live) for block in instr.blocks for inner in block.instrs)


def _trim(instr: Instr, live: set[Var]) -> bool:
    """Take the dead results of a structured instruction away, with what is dead inside it; whether
    there was any."""
    before = len(instr.outs), len(instr.args)
    kept = [k for k, o in enumerate(instr.outs) if o in live]
    match instr.op:
        case "scan" | "while":
            _trim_loop(instr, live)
        case "build" | "cond" if len(kept) < len(instr.outs):
            instr.outs = _picked(instr.outs, kept)
            for block in instr.blocks:
                block.results = _picked(block.results, kept)
    changed = before != (len(instr.outs), len(instr.args))
    for block in instr.blocks:
        changed |= _drop(block, live)
    return changed


def _trim_loop(instr: Instr, live: set[Var]) -> None:
    body, *tests = instr.blocks
    carries = carried(instr)
    count = len(carries)
    moving = [k for k in range(count) if instr.outs[k] in live or body.params[k + 1] in live]
    kept = moving + [k for k in range(count, len(body.results)) if instr.outs[k] in live]
    instr.args = (*counts(instr), *_picked(carries, moving))
    instr.outs = (*_picked(instr.outs, kept), *instr.outs[len(body.results) :])
    body.params = [body.params[0], *(body.params[k + 1] for k in moving)]
    body.results = _picked(body.results, kept)
    for test in tests:
        test.params = [test.params[k] for k in moving]


def _picked(items: tuple[T, ...], kept: list[int]) -> tuple[T, ...]:
    return tuple([items[k] for k in kept])
