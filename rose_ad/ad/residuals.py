"""What the reverse pass remembers, besides what it must.

Values that are dear to compute again are remembered. An elementary function takes some ten nanoseconds,
storing a number and loading it about one; arithmetic is cheaper than both. What such a function gives, and
arrays of it, are dear. So is the list of the iterations of a loop that did anything.

What the calls of a function remember is handed on as few arrays, one of each scalar type. If each value that
a callee remembers were a result of its caller's too, a function that calls g twice, which calls h twice, and so
on, would have twice as many results as g: 2^k of them at a depth of k.

Carries are remembered of the steps alone in which they are read. A loop's derivative remembers the carries of
every step. Where it reads them only if a filter of that step kept anything, as of a table of balls in the few
steps in which two of them meet, they are remembered of those steps:

    scan n (i, c) { kept, count = filter ...; return ..., c }

becomes

    scan n (i, c) {
      kept, count = filter ...
      r = cond count != 0 { return c } else { return unset }
      return ..., r
    }
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..ir.builder import Builder
from ..ir.copying import Env, substitute
from ..ir.core import Atom, Block, Const, Instr, Span, Steps, Unset, Var
from ..ir.ops import length_of
from ..ir.queries import carried
from ..ir.types import I64, Array, Bool, Scalar, is_float, scalar_of, shape_of, value_type

Reading = tuple[Var, Atom]  # a stack and where it is read

_FUNCTIONS = frozenset({
    "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh",
    "tanh", "pow", "asinh", "acosh", "atanh", "log2", "log10", "softplus", "rem",
    "erf", "erfc",
})  # fmt: skip
_DEAR = _FUNCTIONS | {"filter"}
_SHARE = 4  # the memory for a step's dear values is at most so many times that for its carries
_LISTS = 16  # likewise for lists, of which only the beginning is ever touched


def is_dear(a: Atom) -> bool:
    """Whether a value is an elementary function's, a list, or an array that a loop makes of such."""
    made_of = _made_of(a)
    return isinstance(made_of, Var) and made_of.instr is not None and made_of.instr.op in _DEAR


def _made_of(a: Atom) -> Atom:
    """What a loop makes an array of, or the value itself."""
    while isinstance(a, Var) and a.instr is not None and a.instr.op in {"build", "filter"}:
        at = a.instr.outs.index(a)
        if a.instr.op == "filter":
            if at < 2:
                return a
            at -= 1
        a = a.instr.blocks[0].results[at]
    return a


def remembered_values(body: Block, steps: Steps) -> list[Var]:
    """The dear values of a loop's step that are remembered besides its carries, as far as memory allows."""
    carries = carry_bytes(body)
    in_all = (
        steps.budget // max(steps.n, 1) - carries if steps.budget else (_SHARE + _LISTS) * carries
    )
    left = {True: _SHARE * carries, False: _LISTS * carries}
    out = []
    for instr in body.instrs:
        for v in instr.outs:
            size, kind = value_type(v.type).size, is_float(v.type)
            if is_dear(v) and size <= min(left[kind], in_all):
                left[kind] -= size
                in_all -= size
                out.append(v)
    return out


def carry_bytes(body: Block) -> int:
    """The memory for the carries of a loop."""
    return sum(value_type(c.type).size for c in body.params[1:])


# ---------------------------------------------------------------------- carries that are read in few steps


def leave_unread_unset(residuals: Iterable[Var], tangent: Block) -> None:
    """Change, in place, the scans that stack `residuals`, of which the linear program `tangent` reads rows."""
    stacks = {v for v in residuals if _is_stack(v)}
    rows = {v for v in stacks if _is_carry(v)}
    if not rows:
        return
    reads: dict[Var, set[Var]] = {}
    _visit(tangent, rows, stacks, frozenset(), reads)
    wanted: dict[tuple[Instr, Var], list[Var]] = {}
    for v, numbers in reads.items():
        of_its_scan = [n for n in numbers if n.instr is v.instr]
        if of_its_scan:
            assert v.instr is not None
            wanted.setdefault((v.instr, of_its_scan[0]), []).append(v)
    for (scan, number), vs in wanted.items():
        _remember_if(scan, number, vs)


def _is_stack(v: Var) -> bool:
    scan = v.instr
    return scan is not None and scan.op == "scan" and v not in scan.outs[: len(carried(scan))]


def _row(v: Var) -> Atom:
    """What a step gives for its row of a stack."""
    assert v.instr is not None
    return v.instr.blocks[0].results[v.instr.outs.index(v)]


def _is_carry(v: Var) -> bool:
    assert v.instr is not None
    r = _row(v)
    body = v.instr.blocks[0]
    return (
        isinstance(r, Var) and isinstance(r.type, Array) and is_float(r.type) and r in body.params
    )


def _visit(
    block: Block,
    rows: set[Var],
    stacks: set[Var],
    known: frozenset[Reading],
    reads: dict[Var, set[Var]],
) -> None:
    """Note for each of `rows` the stacks of numbers that are not 0 wherever it is read; `known` are those that
    are not 0 here."""
    for instr in block.instrs:
        for a in instr.args:
            if a in rows:
                at = instr.args[1] if instr.op == "index" and instr.args[0] is a else None
                guards = {w for w, i in known if i is at}
                reads[a] = reads.get(a, guards) & guards  # type: ignore[index, arg-type]
        for k, inner in enumerate(instr.blocks):
            taken = _number_read(instr.args[0], stacks) if instr.op == "cond" and k == 0 else None
            _visit(inner, rows, stacks, known | {taken} if taken else known, reads)
    for r in block.results:
        if r in rows:
            reads[r] = set()  # type: ignore[index]


def _number_read(predicate: Atom, stacks: set[Var]) -> Reading | None:
    """The number, a row of a stack, of which a predicate says that it is not 0."""
    test = predicate.instr if isinstance(predicate, Var) else None
    if test is None or test.op != "ne" or test.args[1] != Const(0, I64):
        return None
    read = test.args[0].instr if isinstance(test.args[0], Var) else None
    if read is None or read.op != "index" or read.args[0] not in stacks:
        return None
    return read.args[0], read.args[1]  # type: ignore[return-value]


def _remember_if(scan: Instr, number: Var, rows: list[Var]) -> None:
    """Have a scan remember these carries of the steps in which a number is not 0."""
    (body,) = scan.blocks
    some = Var(Bool, body)
    some.instr = Instr("ne", (_row(number), Const(0, I64)), None, (), (some,), scan.loc)
    sides = Block(), Block()
    sides[0].results = tuple(map(_row, rows))
    sides[1].results = tuple(Unset(r.type) for r in sides[0].results)  # type: ignore[arg-type]
    outs = tuple(Var(r.type, body) for r in sides[0].results)
    cond = Instr("cond", (some,), None, sides, outs, scan.loc)
    for o in outs:
        o.instr = cond
    body.instrs += [some.instr, cond]
    made = dict(zip(rows, outs, strict=True))
    body.results = tuple(made.get(o, r) for r, o in zip(body.results, scan.outs, strict=True))


# ------------------------------------------------------------------- what calls remember, as few arrays

_MOST = 16  # values of calls that are handed on one by one


@dataclass(frozen=True)
class Joined:
    """Arrays of residuals end to end, the parameters of the linear program that stand for these, and the
    residuals that are parts of them."""

    wholes: Sequence[Atom] = ()
    params: Sequence[Var] = ()
    parts: Env = field(default_factory=dict)


def joined_residuals(residuals: Sequence[Var], P: Builder, tangent: Block) -> Joined:
    """Join what calls remember, where that is many values: in the primal program, which P emits, they become
    arrays end to end, one of each scalar type, of which the linear program `tangent` reads parts."""
    of_calls = [v for v in residuals if v.instr is not None and v.instr.op == "call"]
    if len(of_calls) <= _MOST:
        return Joined()
    by_type: dict[Scalar, list[Var]] = {}
    for v in of_calls:
        by_type.setdefault(scalar_of(v.type), []).append(v)
    rest, tangent.instrs = tangent.instrs, []
    T = Builder(block=tangent)
    wholes, params = [], []
    parts: Env = {}
    for group in by_type.values():
        pieces = [_flat(v, P) for v in group]
        wholes.append(P.join(pieces))
        params.append(Var(wholes[-1].type, tangent))
        start = 0
        for v, piece in zip(group, pieces, strict=True):
            parts[v] = _part(v, T, params[-1], Span(start, length_of(piece)))
            start += length_of(piece)
    tangent.instrs += rest
    substitute(tangent, parts)
    return Joined(wholes, params, parts)


def _flat(v: Var, P: Builder) -> Atom:
    return v if isinstance(v.type, Scalar) else P.reshape(v, (math.prod(shape_of(v.type)),))


def _part(v: Var, T: Builder, whole: Var, span: Span) -> Atom:
    """A residual as part of a whole."""
    if isinstance(v.type, Scalar):
        return T.index(whole, Const(span.start, I64))
    return T.reshape(T.slice(whole, span), shape_of(v.type))
