"""Loops that compute and add to computed places, in two.

    build n (i) { ...; r[p[i]] += x }      becomes      a = build n (i) { ...; return x }
                                                        build n (i) { r[p[i]] += a[i] }

Two iterations may add to the same place, so such a loop cannot be run by vector instructions; the first of the
two can. It is done where that computes divisions, roots or elementary functions, which take most of the time,
and where what it makes fits into the first cache (loop distribution, Kuck et al. 1981).
"""

from __future__ import annotations

from ...ir.builder import Builder
from ...ir.copying import Copier, Env, lookup
from ...ir.core import Atom, Block, Instr, Var
from ...ir.prims import TABLE
from ...ir.types import Scalar, scalar_of
from ..passes.dead import remove_dead

DEAR = frozenset({"div", "sqrt", "norm_sqrt", "exp", "expm1", "tanh"})  # and have vector forms
LEAST_DEAR = 2
MOST_BYTES = 16384
_SIMPLE = TABLE.keys() | {"index", "check", "reshape", "addto"}


def in_two(loop: Instr) -> Block | None:
    """A block that does what a build does, in two loops, if that is worth it; its results are the build's."""
    (body,) = loop.blocks
    if loop.args or loop.in_lanes or not _is_worth_it(body):
        return None
    made = _added(body)
    if not made or sum(scalar_of(v.type).size for v in made) * loop.length > MOST_BYTES:
        return None
    b = Builder()
    b.loc = loop.loc
    rows = _compute(b, loop, made)
    _add(b, loop, dict(zip(made, rows[len(body.results) :], strict=True)))
    b.block.results = rows[: len(body.results)]
    remove_dead(b.block)
    return b.block


def _is_worth_it(body: Block) -> bool:
    dear = sum(i.op in DEAR for i in body.instrs)
    return dear >= LEAST_DEAR and all(i.op in _SIMPLE for i in body.instrs)


def _added(body: Block) -> list[Var]:
    """What the loop makes to add it, or its negative, somewhere."""
    values = dict.fromkeys(_size(i.args[1]) for i in body.instrs if i.op == "addto")
    made = (v for v in values if isinstance(v, Var) and v.block is body and v.instr is not None)
    return [v for v in made if isinstance(v.type, Scalar) and v.instr.op != "index"]  # type: ignore[union-attr]


def _size(x: Atom) -> Atom:
    """What is negated, or the atom itself."""
    negated = isinstance(x, Var) and x.instr is not None and x.instr.op == "neg"
    return x.instr.args[0] if negated else x  # type: ignore[union-attr]


class _Computing(Copier):
    """Copies everything but adds."""

    def _addto(self, instr: Instr, b: Builder) -> None:
        pass


class _Adding(Copier):
    """Copies adds, of values that are found in arrays."""

    def __init__(self, env: Env, rows: dict[Var, Atom], i: Var) -> None:
        super().__init__(env)
        self.made, self.i = rows, i

    def _addto(self, instr: Instr, b: Builder) -> None:
        ref, value = instr.args
        size = _size(value)
        if size in self.made:
            entry = b.index(self.made[size], self.i)  # type: ignore[index]
            b.addto(lookup(self.env, ref), entry if size is value else b.prim("neg", entry))
        else:
            super()._addto(instr, b)


def _compute(b: Builder, loop: Instr, made: list[Var]) -> tuple[Atom, ...]:
    (body,) = loop.blocks
    inner = b.loop(0, loop.length - 1)
    env: Env = {body.params[0]: inner.block.params[0]}
    _Computing(env).block(body, inner)
    inner.block.results += tuple(lookup(env, v) for v in made)
    return b.build(loop.length, inner.block)


def _add(b: Builder, loop: Instr, rows: dict[Var, Atom]) -> None:
    (body,) = loop.blocks
    inner = b.loop(0, loop.length - 1)
    (i,) = inner.block.params
    _Adding({body.params[0]: i}, rows, i).block(body, inner, keep=())
    b.build(loop.length, inner.block)
