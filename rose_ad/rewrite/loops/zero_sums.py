"""Sums to which nothing was added are zero.

    r = accum; kept, count = filter n (i) { ...; r[j] += x }; s = freeze r
    w = build n (i) { return v[i] + s[i] }

becomes, in most steps of a table of balls without any work,

    w = cond count != 0 { return build n (i) { return v[i] + s[i] } } else { return v }

if v is known to have no entry -0.0, which adding 0.0 would change. A sum that starts at 0.0 has none, nor have
carries of a loop that such a sum is added to, in all steps but the first. Where it is not known, what is added
is 0.0, and the sums need not be read.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...ir.core import Atom, Block, Const, Instr, Var
from ...ir.queries import carried, is_plain_operation, users_of
from ...ir.types import Array, Scalar

_DEEP = 12  # operations that are looked through


def untouched(block: Block) -> dict[Var, list[Var]]:
    """The sums of a block that only filters add to, each with the numbers of iterations that these kept: it is
    zero where all are."""
    accums = [
        i for i in block.instrs if i.op == "accum" and not i.args and isinstance(i.content, Array)
    ]
    users = users_of({i.outs[0] for i in accums}, block)
    found: dict[Var, list[Var]] = {}
    for accum in accums:
        (ref,) = accum.outs
        *loops, last = users[ref] or [accum]
        if loops and last.op == "freeze" and all(_adds(loop, ref) for loop in loops):
            found[last.outs[0]] = [loop.outs[1] for loop in loops]
    return found


def _adds(loop: Instr, ref: Var) -> bool:
    return loop.op == "filter" and ref not in loop.args


def sums_read(loops: Sequence[Instr], sums: dict[Var, list[Var]]) -> list[Var]:
    """The sums that loops of plain operations read entry by entry, if they use them in no other way."""
    if not sums:
        return []
    bodies = [loop.blocks[0] for loop in loops]
    read: dict[Var, None] = {}
    parts: set[Var] = set()
    for instr in (i for body in bodies for i in body.instrs):
        for a in instr.args:
            if a in sums or a in parts:
                if instr.op != "index":
                    return []
                if a in sums:
                    read[a] = None  # type: ignore[index]
                parts.update(o for o in instr.outs if not isinstance(o.type, Scalar))
    whole = any(r in parts or r in sums for body in bodies for r in body.results)
    return [] if whole else list(read)


def carries_without_minus_zero(scan: Instr) -> set[Var]:
    """The carries of a loop that have no entry -0.0 in any step but the first."""
    (body,) = scan.blocks
    carries = body.params[1:]
    made = body.results[: len(carried(scan))]
    return {c for c, r in zip(carries, made, strict=True) if without_minus_zero(r, set())}


def without_minus_zero(a: Atom, known: set[Var], depth: int = _DEEP) -> bool:
    """Whether it is plain that a number, or any entry of an array, is not -0.0; `known` are those without."""
    if isinstance(a, Const) or a.instr is None or depth == 0:
        return a in known
    args = a.instr.args

    def without(x: Atom) -> bool:
        return without_minus_zero(x, known, depth - 1)

    match a.instr.op:
        case "index" | "reshape" | "slice":
            return without(args[0])
        case "add":
            return any(map(without, args))
        case "pack" | "join":
            return all(map(without, args))
        case "freeze":
            made = args[0].instr if isinstance(args[0], Var) else None
            return made is not None and made.op == "accum" and not made.args
        case "build":
            return without(a.instr.blocks[0].results[a.instr.outs.index(a)])
    return False


def numbered(body: Block, known: dict[tuple[object, ...], int]) -> list[int | None]:
    """Numbers for the rows that a loop's body makes, equal for rows that are equal entry by entry; None for
    what is made by more than plain operations. `known` are the numbers given so far."""
    found: dict[Atom, int | None] = {body.params[0]: _number(("index",), known)}
    for instr in body.instrs:
        args = [_operand(a, body, found, known) for a in instr.args]
        if is_plain_operation(instr) and None not in args:
            found[instr.outs[0]] = _number((instr.op, instr.attr, *args), known)
    return [_operand(r, body, found, known) for r in body.results]


def _operand(
    a: Atom, body: Block, found: dict[Atom, int | None], known: dict[tuple[object, ...], int]
) -> int | None:
    inside = isinstance(a, Var) and a.block is body
    return found.get(a) if inside else _number(("outside", a), known)


def _number(described: tuple[object, ...], known: dict[tuple[object, ...], int]) -> int:
    return known.setdefault(described, len(known))
