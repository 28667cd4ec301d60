"""Sums of scaled rows, some columns at a time.

    build n (i) { build m (j) { r[j] += a[i] * w[i][j] } }

is a matrix's transpose times a vector, and goes through all of r for each row. Done for one block of columns
after the other, each block of r stays in registers while the rows go by (register blocking, as of the BLAS'
level 2). Columns of r that nothing reads are left out. Each entry of r is added to in the same order as before.
"""

from __future__ import annotations

from typing import NamedTuple

from ...ir.builder import Builder
from ...ir.copying import Copier, Env
from ...ir.core import Atom, Block, Const, Instr, Var
from ...ir.intervals import interval
from ...ir.queries import block_uses, instructions, users_of
from ...ir.types import I64, scalar_of

REGISTER_BYTES = 384  # of r: twelve of sixteen registers of 32 bytes
LANE_BYTES = 32
LEAST_ROWS = 8
_CHEAP = frozenset({"index", "reshape", "neg", "add", "sub", "mul"})  # done again for each block


class _Sum(NamedTuple):
    """The loop over columns, its index, and what it adds to."""

    inner: Instr
    j: Var
    r: Var


def in_column_blocks(loop: Instr) -> Block | None:
    """A block that does what a build of such a sum does, in blocks of columns, if that is worth it."""
    found = _sum(loop)
    if found is None:
        return None
    size = scalar_of(found.r.type).size
    lanes, most = LANE_BYTES // size, REGISTER_BYTES // size
    first, end = _read_columns(found)
    first -= first % lanes
    if end - first <= most and (first, end) == (0, found.inner.length):
        return None
    count = -(-(end - first) // most)
    width = -(-(end - first) // (count * lanes)) * lanes
    b = Builder()
    b.loc = loop.loc
    whole = (end - first) // width
    if whole > 1:
        blocks = b.loop(0, whole - 1)
        (k,) = blocks.block.params
        behind = blocks.prim("mul", k, Const(width, I64))
        _rows(blocks, loop, found, blocks.prim("add", behind, Const(first, I64)), width)
        b.build(whole, blocks.block)
        first += whole * width
    for start in range(first, end, width):
        _rows(b, loop, found, Const(start, I64), min(width, end - start))
    return b.block


def _sum(loop: Instr) -> _Sum | None:
    """What a build adds up, if it is such a sum."""
    (body,) = loop.blocks
    if loop.args or loop.in_lanes or loop.outs or loop.length < LEAST_ROWS:
        return None
    inner = body.instrs[-1]
    if inner.op != "build" or inner.args or inner.in_lanes or inner.outs:
        return None
    (row,) = inner.blocks
    add = row.instrs[-1]
    before = [*body.instrs[:-1], *row.instrs[:-1]]
    if add.op != "addto" or not all(i.op in _CHEAP for i in before):
        return None
    place = add.args[0].instr if isinstance(add.args[0], Var) else None
    j = row.params[0]
    if place is None or place.op != "index" or place.args[1] is not j:
        return None
    r = place.args[0]
    if not isinstance(r, Var) or r.block is body or r.block is row:
        return None
    return _Sum(inner, j, r)


def _read_columns(found: _Sum) -> tuple[int, int]:
    """The first column that is read of what is added up, and the one behind the last, as far as is known."""
    every = (0, found.inner.length)
    block = found.r.block
    frozen = [i.outs[0] for i in users_of({found.r}, block)[found.r] if i.op == "freeze"]
    if found.r.instr is None or found.r.instr.op != "accum" or len(frozen) != 1:
        return every
    reads = [i for i in instructions(block) if i.op == "index" and i.args[0] is frozen[0]]
    if not reads or sum(v is frozen[0] for v in block_uses(block)) != len(reads):
        return every
    spans = [interval(i.args[1]) for i in reads]
    return max(0, min(low for low, _ in spans)), min(every[1], 1 + max(high for _, high in spans))


def _rows(b: Builder, loop: Instr, found: _Sum, start: Atom, width: int) -> None:
    """Emit the sum of `width` columns from `start`."""
    (body,) = loop.blocks
    rows = b.loop(0, loop.length - 1)
    env: Env = {body.params[0]: rows.block.params[0]}
    copy = Copier(env)
    for instr in body.instrs[:-1]:
        copy.instr(instr, rows)
    columns = rows.loop(0, width - 1)
    env[found.j] = columns.prim("add", start, columns.block.params[0])
    copy.block(found.inner.blocks[0], columns)
    rows.build(width, columns.block)
    b.build(loop.length, rows.block)
