"""Where a loop's tests on its index change their answer: there it is cut into loops.

The cells at the edge of a grid have other neighbours than those inside, so a stencil's loop tests its index, or
takes a remainder. Of a loop over the inside alone the tests have one answer, and LLVM makes vector code of it.
It would find that by peeling off iterations itself, but one a round of its optimiser.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..ir.core import Atom, Const, Instr, Var
from ..ir.types import I64

# how far past a literal, on the right and on the left, an instruction on it turns
_TURNS = {"lt": ((0,), (1,)), "le": ((1,), (0,)), "eq": ((0, 1),) * 2, "ne": ((0, 1),) * 2}
_TURNS |= dict.fromkeys(("min", "max"), ((0,), (0,)))
_MOST = 4  # cuts of a loop
_LONG = 8  # iterations below which a loop is left as it is
_LARGE = 120  # instructions of a body above which its loop is


def pieces(loop: Instr) -> list[tuple[int, int]]:
    """The ranges, from one index up to the next, in which a counted loop's tests have one answer each."""
    (body,) = loop.blocks
    n = loop.length
    if n < _LONG or len(body.instrs) > _LARGE or any(map(_branches, body.instrs)):
        return [(0, n)]
    found = {c for i in body.instrs for c in _turns(i, body.params[0], n) if 0 < c < n}
    parts = list(pairwise([0, *sorted(found), n]))
    worth_it = len(found) <= _MOST and 2 * max(high - low for low, high in parts) > n
    return parts if worth_it else [(0, n)]


def _branches(instr: Instr) -> bool:
    """Whether it keeps a loop from becoming vector instructions."""
    return bool(instr.blocks) or instr.op == "check"


def _turns(instr: Instr, index: Var, n: int) -> Iterator[int]:
    """The values of a loop's index from which on an instruction on it and a literal behaves in another way."""
    if instr.op not in _TURNS and instr.op != "mod":
        return
    for k, (x, literal) in enumerate((instr.args, instr.args[::-1])):
        offset = _offset(x, index)
        if offset is None or not isinstance(literal, Const):
            continue
        at = int(literal.value)
        if instr.op in _TURNS:
            yield from (at + past - offset for past in _TURNS[instr.op][k])
        elif k == 0 and at > 1:
            yield from range(-offset % at, n, at)


def _offset(a: Atom, index: Var) -> int | None:
    """What is added to the index to make `a`, if that is all."""
    if a is index:
        return 0
    if isinstance(a, Const) or a.type is not I64 or a.instr is None:
        return None
    if a.instr.op not in {"add", "sub"}:
        return None
    x, y = a.instr.args
    if a.instr.op == "add" and isinstance(x, Const):
        x, y = y, x
    inner = _offset(x, index) if isinstance(y, Const) else None
    if inner is None or not isinstance(y, Const):
        return None
    return inner + (int(y.value) if a.instr.op == "add" else -int(y.value))
