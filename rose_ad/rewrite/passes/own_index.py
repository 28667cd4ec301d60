"""Accumulating at one's own index is building.

    r = accum [n]t; build n (i) { ...; r[i] += x }       becomes     a = build n (i) { ...; return x }
                                                                     r = accum [n]t a

where that loop is the first to add into r and adds only there; if r starts as an array, its entries are added
to. What was cleared or copied, read and written again is written once, and an accumulator that nothing else is
added into becomes the array itself. Loops inside that add into parts of r[i] get an accumulator for that row,
to which the same applies.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...ir.copying import Env, substitute
from ...ir.core import Atom, Block, Const, Instr, Var
from ...ir.queries import block_uses, users_of
from ...ir.types import I64, Array, Ref, Scalar, Type, Value


def adds_to_builds(block: Block) -> Block | None:
    """Rewrite such accumulators in a block and the blocks inside it, in place; None where there were none."""
    changed = False
    for instr in block.instrs:
        for inner in instr.blocks:
            changed |= adds_to_builds(inner) is not None
    accums = [i for i in block.instrs if i.op == "accum"]
    if accums:
        changed |= _rewrite(block, [i for i in accums if isinstance(i.content, Array)])
        changed |= _drop_needless(block)
    return block if changed else None


def _rewrite(block: Block, accums: list[Instr]) -> bool:
    """Turn accumulators that are first used by a loop that adds its own row to them into results of it."""
    first: dict[Instr, list[Instr]] = {}  # for a loop, the accumulators it is the first to use
    users = users_of({i.outs[0] for i in accums}, block)
    remaining = {i: iter(users[i.outs[0]]) for i in accums}
    for accum in accums:
        _note_next(accum, remaining[accum], first)
    moved: dict[Instr, list[Instr]] = {}  # for a loop, those that start behind it
    for loop in block.instrs:
        for accum in first.get(loop, ()):
            if _take(block, loop, accum):
                moved.setdefault(loop, []).append(accum)
                _note_next(accum, remaining[accum], first)
    gone = {accum for taken in moved.values() for accum in taken}
    last = {accum: loop for loop, taken in moved.items() for accum in taken}
    order: list[Instr] = []
    for instr in block.instrs:
        if instr not in gone:
            order.append(instr)
            order += [a for a in moved.get(instr, ()) if last[a] is instr]
    block.instrs = order
    return bool(moved)


def _note_next(accum: Instr, users: Iterator[Instr], first: dict[Instr, list[Instr]]) -> None:
    """File an accumulator under the next instruction that uses it, if that is a loop of its length."""
    loop = next(users, None)
    if (
        loop is not None
        and loop.op == "build"
        and not loop.args
        and loop.length == _array(accum).n > 0
    ):
        first.setdefault(loop, []).append(accum)


def _take(block: Block, loop: Instr, accum: Instr) -> bool:
    """Turn an accumulator into a result of the loop, if that adds its own row to it and nothing else."""
    body, ref = loop.blocks[0], accum.outs[0]
    entries = _take_row(body, ref, whole=not accum.args)
    if entries is None and not accum.args and _give_row_its_own(body, accum):
        entries = _take_row(body, ref)
    if entries is not None:
        _append_result(block, loop, accum, entries)
    return entries is not None


def _give_row_its_own(body: Block, accum: Instr) -> bool:
    """Have the body add into an accumulator made in it for the row r[i], if that is an array and nothing else
    of r is used, and add that to the row at its end."""
    (ref,) = accum.outs
    t = _array(accum).of
    rows = [i for i in body.instrs if ref in i.args]
    if not isinstance(t, Array) or not rows:
        return False
    if any(i.op != "index" or i.args[1] is not body.params[0] for i in rows):
        return False
    if any(ref in block_uses(b) for i in body.instrs for b in i.blocks):
        return False
    own, total, row = Var(Ref(t), body), Var(t, body), Var(Ref(t), body)
    own.instr = Instr("accum", (), t, (), (own,), accum.loc)
    total.instr = Instr("freeze", (own,), None, (), (total,), accum.loc)
    row.instr = Instr("index", rows[0].args, None, (), (row,), accum.loc)
    body.instrs = [i for i in body.instrs if i not in rows]
    substitute(body, {i.outs[0]: own for i in rows})
    add = Instr("addto", (row, total), None, (), (), accum.loc)
    body.instrs = [own.instr, *body.instrs, total.instr, row.instr, add]
    adds_to_builds(body)
    return True


def _take_row(body: Block, ref: Var, whole: bool = True) -> list[list[Atom]] | None:
    """What the body adds to ref[i], by entry, or, if that is wanted, as a `whole` array, where it adds nothing
    else to it; those adds are removed."""
    index = body.params[0]
    t = ref.type.of if isinstance(ref.type, Ref) else None
    assert isinstance(t, Array)
    own: dict[Var, int] = {}  # references to the row (-1) or to an entry of it
    adds: list[tuple[Instr, int]] = []
    for instr in body.instrs:
        if instr.op == "index" and instr.args[0] is ref:
            if instr.args[1] is not index:
                return None
            own[instr.outs[0]] = -1
        elif instr.op == "index" and instr.args[0] in own:
            if not isinstance(instr.args[1], Const):
                return None
            own[instr.outs[0]] = instr.args[1].value
        elif instr.op == "addto" and instr.args[0] in own:
            adds.append((instr, own[instr.args[0]]))  # type: ignore[index]
        elif ref in instr.args or any(a in own for a in instr.args):
            return None
        elif any(v is ref or v in own for b in instr.blocks for v in block_uses(b)):
            return None
    if not whole and isinstance(t.of, Array) and any(k == -1 for _, k in adds):
        return None
    entries = _entries(t.of, adds)
    if entries is None:
        return None
    gone = {i for i, _ in adds} | {v.instr for v in own}
    body.instrs = [i for i in body.instrs if i not in gone]
    return entries


def _entries(row: Value | Ref, adds: list[tuple[Instr, int]]) -> list[list[Atom]] | None:
    """What is added to each entry of a row, if it is short, or the one array that is added to it."""
    values = [i.args[1] for i, _ in adds]
    if isinstance(row, Scalar):
        return [values] if adds else None
    assert isinstance(row, Array)
    if len(adds) == 1 and adds[0][1] == -1:
        return [values]
    if not isinstance(row.of, Scalar) or row.n > 8 or not adds or any(k == -1 for _, k in adds):
        return None
    by_entry: list[list[Atom]] = [[] for _ in range(row.n)]
    for value, (_, k) in zip(values, adds, strict=True):
        by_entry[k].append(value)
    return by_entry


def _append_result(block: Block, loop: Instr, accum: Instr, entries: list[list[Atom]]) -> None:
    body = loop.blocks[0]
    t = _array(accum)
    if accum.args:
        entries = _with_initial(body, accum, entries)
    sums = [_sum(body, values, t.scalar, accum.loc) for values in entries]
    value = sums[0]
    if value.type is not t.of:
        value = _emit(body, "pack", tuple(sums), t.of, accum.loc)
    body.results = (*body.results, value)
    out = Var(t, block)
    out.instr = loop
    loop.outs = (*loop.outs, out)
    accum.args = (out,)


def _with_initial(body: Block, accum: Instr, entries: list[list[Atom]]) -> list[list[Atom]]:
    """The entries with those that the accumulator starts with."""
    t = _array(accum)
    row: Atom = _emit(body, "index", (accum.args[0], body.params[0]), t.of, accum.loc)
    if isinstance(t.of, Scalar):
        return [[row, *entries[0]]]
    return [
        [_emit(body, "index", (row, Const(k, I64)), t.scalar, accum.loc), *values]
        for k, values in enumerate(entries)
    ]


def _sum(body: Block, values: list[Atom], scalar: Scalar, loc: int) -> Atom:
    if not values:
        return Const(0, scalar)
    total = values[0]
    for v in values[1:]:
        total = _emit(body, "add", (total, v), scalar, loc)
    return total


def _emit(body: Block, op: str, args: tuple[Atom, ...], t: Type, loc: int) -> Var:
    out = Var(t, body)
    out.instr = Instr(op, args, None, (), (out,), loc)
    body.instrs.append(out.instr)
    return out


def _drop_needless(block: Block) -> bool:
    """freeze(accum(a)) is a, where nothing is added in between."""
    accums = {i.outs[0]: i for i in block.instrs if i.op == "accum" and i.args}
    replaced: Env = {}
    gone: set[Instr] = set()
    for ref, users in users_of(set(accums), block).items():
        if len(users) == 1 and users[0].op == "freeze":
            replaced[users[0].outs[0]] = accums[ref].args[0]
            gone |= {users[0], accums[ref]}
    if gone:
        block.instrs = [i for i in block.instrs if i not in gone]
        for v, a in replaced.items():  # what stands for one may have been replaced itself
            while a in replaced:
                a = replaced[a]  # type: ignore[index]
            replaced[v] = a
        substitute(block, replaced)
    return bool(gone)


def _array(accum: Instr) -> Array:
    """The type of the array that an accumulator holds."""
    assert isinstance(accum.content, Array)
    return accum.content
