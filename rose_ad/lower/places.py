"""Where the arrays of a block are made: where their consumers want them, if nothing else is in the way."""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.core import Atom, Block, Const, Instr, Var
from ..ir.ops import VIEWS, length_of
from ..ir.queries import carried, uses
from ..ir.types import Array
from .writer import Writer


def choose_places(f: Writer, block: Block, places: Sequence[str | None]) -> None:
    """Find the places for arrays of a block, whose results are wanted at `places`."""
    for r, place in zip(block.results, places, strict=True):
        maker = _maker(r, block)
        if place is not None and maker is not None and maker not in f.wanted:
            f.wanted[maker] = place
    for instr in block.instrs:
        if instr.op == "cond" and f.is_branch(instr):
            _make_where_unchanged(f, instr, block)
    for instr in block.instrs:
        if instr.op == "accum" and instr.args:
            _start_in_place(f, instr, block)
        elif instr.op == "join":
            _make_joined(f, instr, block)


def _make_where_unchanged(f: Writer, cond: Instr, block: Block) -> None:
    """Have what a side passes on unchanged made where the branch's result is wanted, if it is not used
    after the branch."""
    for k, o in enumerate(cond.outs):
        place = f.wanted.get(o)
        if place is None:
            continue
        for side in cond.blocks:
            r = side.results[k]
            maker = _maker(r, block)
            if (
                maker is not None
                and maker not in f.wanted
                and f.made_in_place(r, o)
                and not _used_after(r, cond, block)
                and not _lies_in_another(r, k, cond)
            ):
                f.wanted[maker] = place
                break


def _lies_in_another(r: Atom, k: int, cond: Instr) -> bool:
    """Whether another result of a branch than the k-th may lie in the memory of `r`."""
    return any(
        _may_lie_in(other, r)
        for side in cond.blocks
        for j, other in enumerate(side.results)
        if j != k
    )


def _start_in_place(f: Writer, accum: Instr, block: Block) -> None:
    """Have the initial value of an accumulator made where the accumulator will be, if nothing else reads it."""
    (initial,) = accum.args
    maker = _maker(initial, block)
    if (
        maker is not None
        and isinstance(initial, Var)
        and f.uses[initial] == 1
        and maker not in f.wanted
        and f.made_in_place(initial, accum.outs[0])
    ):
        f.wanted[maker] = f.wanted[accum.outs[0]] = f.place(accum.outs[0], accum.loc)


def _make_joined(f: Writer, join: Instr, block: Block) -> None:
    """Have the arrays that are joined made where they will be."""
    (out,) = join.outs
    makers = [_maker(a, block) for a in join.args]
    if not any(m is not None and m not in f.wanted for m in makers):
        return
    whole = f.values[out] = f.place(out, join.loc)
    start = 0
    for a, maker in zip(join.args, makers, strict=True):
        if maker is not None and maker not in f.wanted and f.made_in_place(a, out):
            f.wanted[maker] = f.pieces[join, start] = f.row(out, whole, str(start))
        start += length_of(a)


def _maker(r: Atom, block: Block) -> Var | None:
    """The variable whose place decides where the array `r` lies, if this block makes it."""
    if not isinstance(r, Var) or not isinstance(r.type, Array) or r.block is not block:
        return None
    if r.instr is None or r.instr.op in VIEWS | {"rewind"}:
        return None
    if r.instr.op in {"scan", "while"} and r in r.instr.outs[: len(carried(r.instr))]:
        return None  # a carry moves between buffers
    if r.instr.op == "freeze":
        ref = r.instr.args[0]
        assert isinstance(ref, Var)
        return ref if ref.block is block and ref.instr is not None else None
    return r


def _may_lie_in(a: Atom, r: Atom) -> bool:
    """Whether an array may be, or be part of, the memory of another."""
    seen, waiting = set[Atom](), [a]
    while waiting:
        v = waiting.pop()
        if v is r:
            return True
        if v in seen or isinstance(v, Const) or v.instr is None or not isinstance(v.type, Array):
            continue
        seen.add(v)
        if v.instr.op in VIEWS:
            waiting.append(v.instr.args[0])
        elif v.instr.op in {"scan", "while", "rewind", "cond", "call"}:
            waiting.extend(set(uses(v.instr)))
    return False


def _used_after(a: Atom, instr: Instr, block: Block) -> bool:
    """Whether a value is used after an instruction of a block, or is a result of it."""
    following = block.instrs[block.instrs.index(instr) + 1 :]
    return a in block.results or any(a in set(uses(i)) for i in following)
