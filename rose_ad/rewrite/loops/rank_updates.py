"""Rank-one updates of a matrix, done for some steps of a loop at once.

    scan T (t, c) { ...; build n (i) { build m (j) { r[i][j] += a[i] * b[j] } }; ... }

is what the gradient of a matrix is that a loop multiplies by at every step. Each step reads and writes all of
r. So the loop is cut into chunks of K steps, which keep their a and b, and at the end of a chunk

    build n (i) { build m (j) { r[i][j] += a_0[i] * b_0[j]; ...; r[i][j] += a_K-1[i] * b_K-1[j] } }

reads and writes r once, and adds in the same order (a rank-K update, as of the BLAS' level 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...ir.builder import Builder
from ...ir.copying import Copier, Env
from ...ir.core import Atom, Block, Const, Instr, Steps, Var
from ...ir.queries import free_variables
from ...ir.types import I64, Ref, scalar_of
from ..passes.dead import remove_dead

CHUNK = 8  # steps; their a and b stay in the first cache
LEAST_BYTES = 4096  # of r: one that is smaller stays in the first cache anyhow
LEAST_CHUNKS = 4


class _Update(NamedTuple):
    """r[i][j] += a[i] * b[j] for all i and j."""

    r: Var
    a: Var
    b: Var
    add: Instr


def in_chunks(scan: Instr) -> Block | None:
    """A block that does what the scan does, in chunks, if that has such updates; its results are the scan's."""
    (body,) = scan.blocks
    steps = scan.steps
    carries = len(body.params) - 1
    if steps.counted or steps.n < LEAST_CHUNKS * CHUNK or len(body.results) > carries:
        return None
    found = list(_updates(body))
    if not found:
        return None
    b = Builder()
    b.loc = scan.loc
    number = -(-steps.n // CHUNK)
    chunk = b.loop(0, number - 1)
    params = [chunk.block.param(p.type) for p in body.params[1:]]
    outs, count, rows = _steps_of_chunk(chunk, scan, params, found)
    _add_up(chunk, found, rows, count, steps.reverse)
    chunk.block.results = outs
    b.block.results = b.scan(Steps(number, steps.reverse), scan.args, chunk.block)
    remove_dead(b.block)
    return b.block


def _updates(body: Block) -> Iterator[_Update]:
    """The updates of a loop's step that are worth it."""
    outside = free_variables(body)
    for outer in body.instrs:
        if outer.op == "build" and not outer.args:
            for inner in outer.blocks[0].instrs:
                if inner.op == "build" and not inner.args:
                    for add in inner.blocks[0].instrs:
                        update = _update(body, outer, inner, add)
                        if update is not None and update.r in outside:
                            yield update


def _update(body: Block, outer: Instr, inner: Instr, add: Instr) -> _Update | None:
    if add.op != "addto":
        return None
    i, j = outer.blocks[0].params[0], inner.blocks[0].params[0]
    row = _indexed(add.args[0], j)
    r = None if row is None else _indexed(row, i)
    value = add.args[1].instr if isinstance(add.args[1], Var) else None
    if r is None or value is None or value.op != "mul" or not isinstance(r.type, Ref):
        return None
    if outer.length * inner.length * scalar_of(r.type).size < LEAST_BYTES:
        return None
    for x, y in (value.args, value.args[::-1]):
        a, b = _indexed(x, i), _indexed(y, j)
        if a is not None and b is not None and a.block is b.block is body:
            return _Update(r, a, b, add)
    return None


def _indexed(x: Atom, i: Var) -> Var | None:
    """The variable `a` where x is a[i]."""
    instr = x.instr if isinstance(x, Var) else None
    if instr is None or instr.op != "index" or instr.args[1] is not i:
        return None
    return instr.args[0] if isinstance(instr.args[0], Var) else None


class _Without(Copier):
    """Copies all but some adds."""

    def __init__(self, env: Env, gone: set[Instr]) -> None:
        super().__init__(env)
        self.gone = gone

    def _addto(self, instr: Instr, b: Builder) -> None:
        if instr not in self.gone:
            super()._addto(instr, b)


def _steps_of_chunk(
    chunk: Builder, scan: Instr, params: list[Var], found: list[_Update]
) -> tuple[tuple[Var, ...], Atom, dict[Var, Var]]:
    """Emit the steps of a chunk without the updates: the carries after it, how many steps they are, and the
    values at each of them of what the updates need."""
    (body,) = scan.blocks
    steps = scan.steps
    size = Const(CHUNK, I64)
    first = chunk.prim("mul", chunk.block.params[0], size)
    count = chunk.prim("min", size, chunk.prim("sub", Const(steps.n, I64), first))
    whole = steps.n % CHUNK == 0
    inner = chunk.loop(0, CHUNK - 1)
    env: Env = {body.params[0]: inner.prim("add", first, inner.block.params[0])}
    env.update((p, inner.block.param(p.type)) for p in body.params[1:])
    _Without(env, {u.add for u in found}).block(body, inner)
    needed = list(dict.fromkeys(v for u in found for v in (u.a, u.b)))
    for v in needed:
        value = env[v]
        assert value is not None
        inner.block.results += (value,)
    counted = () if whole else (count,)
    outs = chunk.scan(Steps(CHUNK, steps.reverse, not whole), params, inner.block, counted)
    rows = dict(zip(needed, outs[len(params) :], strict=True))
    return outs[: len(params)], size if whole else count, rows


def _add_up(
    chunk: Builder, found: list[_Update], rows: dict[Var, Var], count: Atom, reverse: bool
) -> None:
    """Emit the updates of a chunk of `count` steps."""
    if isinstance(count, Const):
        _all_steps(chunk, found, rows, reverse)
        return
    full, rest = chunk.branch(), chunk.branch()
    _all_steps(full, found, rows, reverse)
    _some_steps(rest, found, rows, count, reverse)
    chunk.cond(chunk.prim("eq", count, Const(CHUNK, I64)), full.block, rest.block)


def _all_steps(b: Builder, found: list[_Update], rows: dict[Var, Var], reverse: bool) -> None:
    order = [Const(k, I64) for k in (reversed(range(CHUNK)) if reverse else range(CHUNK))]
    for update in found:
        n, m = _shape(update)
        b.loc = update.add.loc
        lines = b.loop(0, n - 1)
        (i,) = lines.block.params
        factors = [lines.index(lines.index(rows[update.a], k), i) for k in order]
        row = lines.index(update.r, i)
        entries = lines.loop(0, m - 1)
        (j,) = entries.block.params
        for k, factor in zip(order, factors, strict=True):
            entry = entries.index(entries.index(rows[update.b], k), j)
            entries.addto(entries.index(row, j), entries.prim("mul", factor, entry))
        lines.build(m, entries.block)
        b.build(n, lines.block)


def _some_steps(
    b: Builder, found: list[_Update], rows: dict[Var, Var], count: Atom, reverse: bool
) -> None:
    last = b.prim("sub", count, Const(1, I64))
    for update in found:
        n, m = _shape(update)
        b.loc = update.add.loc
        steps = b.loop(0, CHUNK - 1)
        (k,) = steps.block.params
        step = steps.prim("sub", last, k) if reverse else k
        a, row = (steps.index(rows[v], step) for v in (update.a, update.b))
        lines = steps.loop(0, n - 1)
        (i,) = lines.block.params
        entries = lines.loop(0, m - 1)
        (j,) = entries.block.params
        factor, entry = lines.index(a, i), entries.index(row, j)
        entries.addto(
            entries.index(lines.index(update.r, i), j), entries.prim("mul", factor, entry)
        )
        lines.build(m, entries.block)
        steps.build(n, lines.block)
        b.build(CHUNK, steps.block, (Const(0, I64), count))


def _shape(update: _Update) -> tuple[int, int]:
    n, m = (v.type.n for v in (update.a, update.b))  # type: ignore[union-attr]
    return n, m
