"""Products of the rows of two matrices, by columns.

    build n (i) { build m (j) { s = accum; build l (k) { s += a[i][k] * b[j][k] }; ...; return freeze s } }

is a matrix times the transpose of one, as the derivative of a product of matrices is. Vectors would have to be
added up entry by entry for each number. So b is turned once, and rows of the result are sums of its rows:

    t = build l (k) { build m (j) { b[j][k] } }
    build n (i) { r = accum [m]; build l (k) { r += a[i][k] * t[k] }; return freeze r }

which row_blocks.py sums side by side. What the innermost loop adds elsewhere besides is left to a loop of its
own. Each sum is added up in the same order as before.
"""

from __future__ import annotations

from typing import NamedTuple

from ...ir.builder import Builder
from ...ir.copying import Copier, Env, lookup
from ...ir.core import Atom, Block, Instr, Var
from ...ir.types import Array, Scalar, scalar_of
from .row_blocks import SHORT_ROW

LEAST = 4  # rows, and entries of one
_CHEAP = frozenset({"index", "reshape"})


class _Products(NamedTuple):
    """The loop over j and that over k; s, and f that it becomes; a[i] and b; where f is added, if it is not
    returned; the adds of the innermost loop that are not to s."""

    mid: Instr
    inner: Instr
    s: Var
    f: Var
    a: Atom
    b: Atom
    place: Instr | None
    others: list[Instr]


def in_row_products(loop: Instr) -> Block | None:
    """A block that does what a build of such products does; its results are the build's."""
    found = _products(loop)
    if found is None:
        return None
    b = Builder()
    b.loc = loop.loc
    m, l = found.mid.length, found.inner.length
    turned = b.loop(0, l - 1)
    columns = turned.loop(0, m - 1)
    (k,), (j,) = turned.block.params, columns.block.params
    columns.block.results = (columns.index(columns.index(found.b, j), k),)
    turned.block.results = turned.build(m, columns.block)
    (whole,) = b.build(l, turned.block)
    results = _rows(b, loop, found, whole)
    if found.others:
        _others(b, loop, found)
    b.block.results = results
    return b.block


def _rows(b: Builder, loop: Instr, found: _Products, turned: Atom) -> tuple[Atom, ...]:
    """Emit the rows of the result as sums of those of the matrix that is turned."""
    (body,) = loop.blocks
    rows = b.loop(0, loop.length - 1)
    env: Env = {body.params[0]: rows.block.params[0]}
    copy = Copier(env)
    for instr in body.instrs:
        if instr is not found.mid:
            copy.instr(instr, rows)
    m, l = found.mid.length, found.inner.length
    sums = rows.accum(Array(m, scalar_of(found.f.type)))
    terms = rows.loop(0, l - 1)
    (k,) = terms.block.params
    factor, row = terms.index(lookup(env, found.a), k), terms.index(turned, k)
    entries = terms.loop(0, m - 1)
    (j,) = entries.block.params
    entries.block.results = (entries.prim("mul", factor, entries.index(row, j)),)
    (products,) = terms.build(m, entries.block)
    terms.addto(sums, products)
    rows.build(l, terms.block)
    total = rows.freeze(sums)
    if found.place is None:
        rows.block.results = (total,)
    else:
        rows.addto(lookup(env, found.place.args[0]), total)
    return tuple(b.build(loop.length, rows.block))


def _others(b: Builder, loop: Instr, found: _Products) -> None:
    """Emit what the innermost loop adds elsewhere."""
    (body,), (mid,), (inner,) = loop.blocks, found.mid.blocks, found.inner.blocks
    rows = b.loop(0, loop.length - 1)
    copy = Copier({body.params[0]: rows.block.params[0]})
    for instr in body.instrs:
        if instr is not found.mid:
            copy.instr(instr, rows)
    columns = rows.loop(0, found.mid.length - 1)
    copy.env[mid.params[0]] = columns.block.params[0]
    for instr in mid.instrs[: mid.instrs.index(found.inner)]:
        if instr.op in _CHEAP:
            copy.instr(instr, columns)
    terms = columns.loop(0, found.inner.length - 1)
    copy.env[inner.params[0]] = terms.block.params[0]
    for instr in inner.instrs:
        if instr.op != "addto" or instr in found.others:
            copy.instr(instr, terms)
    columns.build(found.inner.length, terms.block)
    rows.build(found.mid.length, columns.block)
    b.build(loop.length, rows.block)


def _products(loop: Instr) -> _Products | None:
    """What a build is made of, if it is one of such products."""
    mid = _only_loop(loop)
    inner = None if mid is None else _only_loop(mid)
    if mid is None or inner is None or inner.outs or loop.length < LEAST or inner.length < LEAST:
        return None
    if not LEAST < mid.length <= SHORT_ROW:
        return None
    (body,), (row,), (column,) = loop.blocks, mid.blocks, inner.blocks
    adds = [i for i in column.instrs if i.op == "addto"]
    (accum, freeze), place = _frame(mid)
    if (
        accum is None
        or freeze is None
        or not all(i.op in {*_CHEAP, "mul", "addto"} for i in column.instrs)
    ):
        return None
    (s,), (f,) = accum.outs, freeze.outs
    own = [i for i in adds if i.args[0] is s]
    if len(own) != 1 or not _gives(loop, mid, f, place):
        return None
    factors = _factors(own[0].args[1], column, row, body)
    if factors is None:
        return None
    a, b = factors
    return _Products(mid, inner, s, f, a, b, place, [i for i in adds if i is not own[0]])


def _only_loop(loop: Instr) -> Instr | None:
    """The one loop in the body of a build; all else there reads, or is the frame of a sum."""
    if loop.op != "build" or loop.args or loop.in_lanes:
        return None
    (body,) = loop.blocks
    loops = [i for i in body.instrs if i.op == "build"]
    others = [i for i in body.instrs if i.op != "build"]
    simple = all(i.op in {*_CHEAP, "accum", "freeze", "addto"} for i in others)
    return loops[0] if len(loops) == 1 and simple else None


def _frame(mid: Instr) -> tuple[tuple[Instr | None, Instr | None], Instr | None]:
    """What makes the sum and what reads it, and the place r[j] that it is added to, if there is one."""
    (row,) = mid.blocks
    by_op = {op: [i for i in row.instrs if i.op == op] for op in ("accum", "freeze", "addto")}
    accums, freezes, adds = by_op.values()
    if len(accums) != 1 or len(freezes) != 1 or accums[0].args or len(adds) > 1:
        return (None, None), None
    if freezes[0].args[0] is not accums[0].outs[0]:
        return (None, None), None
    if not adds:
        return (accums[0], freezes[0]), None
    place = adds[0].args[0].instr if isinstance(adds[0].args[0], Var) else None
    f = freezes[0].outs[0]
    if place is None or place.op != "index" or place.args[1] is not row.params[0]:
        return (None, None), None
    known = (
        isinstance(place.args[0], Var) and place.args[0].block is not row and adds[0].args[1] is f
    )
    return ((accums[0], freezes[0]), place) if known else ((None, None), None)


def _gives(loop: Instr, mid: Instr, f: Var, place: Instr | None) -> bool:
    """Whether the loops give the sums, and nothing else, or add them to a row and give nothing."""
    (body,), (row,) = loop.blocks, mid.blocks
    if any(i.op in {"accum", "freeze", "addto"} for i in body.instrs):
        return False
    if place is not None:
        return not body.results and not row.results
    return row.results == (f,) and body.results == mid.outs


def _factors(product: Atom, column: Block, row: Block, body: Block) -> tuple[Atom, Atom] | None:
    """The row a[i], the same for all j, and the matrix b, the same for all i, of a[i][k] * b[j][k]."""
    mul = product.instr if isinstance(product, Var) else None
    if mul is None or mul.op != "mul" or not isinstance(product.type, Scalar):
        return None
    for x, y in (mul.args, mul.args[::-1]):
        a, other = _row_of(x, column), _row_of(y, column)
        of = other.instr if isinstance(other, Var) and other.block is row else None
        if a is None or of is None or of.op != "index" or of.args[1] is not row.params[0]:
            continue
        b = of.args[0]
        if _outside(a, {row}) and _outside(b, {row, body}):
            return a, b
    return None


def _row_of(x: Atom, column: Block) -> Atom | None:
    """The row of which x is the entry k."""
    instr = x.instr if isinstance(x, Var) and x.block is column else None
    if instr is None or instr.op != "index" or instr.args[1] is not column.params[0]:
        return None
    return None if _inside(instr.args[0], column) else instr.args[0]


def _inside(a: Atom, block: Block) -> bool:
    return isinstance(a, Var) and a.block is block


def _outside(a: Atom, blocks: set[Block]) -> bool:
    return not (isinstance(a, Var) and a.block in blocks)
