"""Sums of rows, some rows at a time.

    build n (i) { s = accum; build m (j) { s += w[i][j] * x[j] }; ...; return freeze s }

is a matrix times a vector, where each sum waits for its last add and each row reads all of x again. So four
rows are summed side by side, and x is read once for them (register blocking, as of the BLAS' level 2). In a
product of matrices the sums are short arrays, rows of the product: of these, as many are summed side by side as
fit into registers. Each sum is added up in the same order as before.
"""

from __future__ import annotations

from ...ir.builder import Builder
from ...ir.copying import Copier, lookup
from ...ir.core import Block, Const, Instr, Var
from ...ir.prims import TABLE
from ...ir.queries import is_plain
from ...ir.types import I64, Array, Scalar, Type, shape_of, value_type

ROWS = 4
LEAST_COLUMNS = 16
SHORT_ROW = 16  # entries
REGISTER_BYTES = 384  # of sums: twelve of sixteen registers of 32 bytes
_CHEAP = frozenset({"index", "reshape", "neg", "add", "sub", "mul"})
_AROUND = TABLE.keys() | {"index", "reshape", "accum", "freeze", "addto"}


def in_row_blocks(loop: Instr) -> Block | None:
    """A block that does what a build of such sums does, some rows at a time, if it is one; its results are the
    build's."""
    inner = _sum(loop)
    together = 0 if inner is None else _rows_together(loop, inner)
    if inner is None or not together:
        return None
    (body,) = loop.blocks
    number = loop.length // together
    b = Builder()
    b.loc = loop.loc
    blocks = b.loop(0, number - 1)
    (k,) = blocks.block.params
    first = blocks.prim("mul", k, Const(together, I64))
    rows: list[Copier] = []
    for r in range(together):
        rows.append(Copier({body.params[0]: blocks.prim("add", first, Const(r, I64))}))
    cut = body.instrs.index(inner)
    _copy(rows, body.instrs[:cut], blocks)
    columns = blocks.loop(0, inner.length - 1)
    for row in rows:
        row.env[inner.blocks[0].params[0]] = columns.block.params[0]
    _copy(rows, inner.blocks[0].instrs, columns)
    blocks.build(inner.length, columns.block)
    _copy(rows, body.instrs[cut + 1 :], blocks)
    blocks.block.results = tuple(
        blocks.pack([lookup(row.env, result) for row in rows]) for result in body.results
    )
    outs = b.build(number, blocks.block)
    b.block.results = tuple(
        b.reshape(o, (loop.length, *shape_of(r.type)))
        for o, r in zip(outs, body.results, strict=True)
    )
    return b.block


def _copy(rows: list[Copier], instrs: list[Instr], b: Builder) -> None:
    for instr in instrs:
        for row in rows:
            row.instr(instr, b)


def _rows_together(loop: Instr, inner: Instr) -> int:
    """How many rows to sum side by side, 0 for none."""
    sum = _added(inner).type
    row = value_type(sum)
    if isinstance(row, Scalar):
        fits = inner.length >= LEAST_COLUMNS and loop.length >= 2 * ROWS
        return ROWS if fits and not loop.length % ROWS else 0
    return next((n for n in (4, 3, 2) if not loop.length % n and n * row.size <= REGISTER_BYTES), 0)


def _added(inner: Instr) -> Var:
    """What the loop over columns adds to."""
    s = inner.blocks[0].instrs[-1].args[0]
    assert isinstance(s, Var)
    return s


def _sum(loop: Instr) -> Instr | None:
    """The loop over columns, if a build makes such sums."""
    (body,) = loop.blocks
    if loop.args or loop.in_lanes:
        return None
    if not all(isinstance(r.type, Scalar) or _is_short(r.type) for r in body.results):
        return None
    inners = [i for i in body.instrs if i.op == "build"]
    others = [i for i in body.instrs if i.op != "build"]
    if len(inners) != 1 or not all(i.op in _AROUND for i in others):
        return None
    if not body.results and not any(i.op == "addto" for i in others):
        return None
    (inner,) = inners
    if inner.args or inner.in_lanes or inner.outs or not inner.blocks[0].instrs:
        return None
    (row,) = inner.blocks
    *before, add = row.instrs
    if add.op != "addto" or not all(_is_cheap(i) for i in before):
        return None
    s = add.args[0]
    if not isinstance(s, Var) or s.block is not body:
        return None
    if not (isinstance(value_type(s.type), Scalar) or _is_short(value_type(s.type))):
        return None
    return inner if any(_is_shared(i, row, body) for i in before) else None


def _is_short(t: Type) -> bool:
    """Whether it is an array of one axis that a few registers hold."""
    return isinstance(t, Array) and isinstance(t.of, Scalar) and t.n <= SHORT_ROW


def _is_cheap(instr: Instr) -> bool:
    if instr.op == "build":
        return is_plain(instr) and all(i.op in _CHEAP for i in instr.blocks[0].instrs)
    return instr.op in _CHEAP


def _is_shared(index: Instr, row: Block, body: Block) -> bool:
    """Whether this is x[j] for the same x in all rows."""
    if index.op != "index":
        return False
    a, j = index.args
    return j is row.params[0] and isinstance(a, Var) and a.block not in {row, body}
