"""Divergence: which values differ between iterations of a loop that are run side by side.

What depends on a varying value varies, in every type. So does what a branch on a varying condition gives, and
an accumulator that such a branch adds into. A reference from outside the iterations is shared by them: it is
one place, and does not vary. (Karrenberg, Hack: Whole-function vectorization, CGO 2011.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ...ir.core import Atom, Block, Function, Instr, Var
from ...ir.ops import Visitor
from ...ir.queries import carried, counts, root_of
from ...ir.types import Ref

Flags = tuple[bool, ...]


def divergence(function: Function, flags: Flags) -> frozenset[Var]:
    """The varying variables of a function whose parameters vary as `flags` says.

    A reference parameter varies if each iteration has its own, and does not if they share one.
    """
    known: frozenset[Var] | None = function.derived.get(("divergence", flags))
    if known is None:
        walk = _Walk({p for p, f in zip(function.params, flags, strict=True) if f}, function)
        before = -1
        while len(walk.varying) != before:
            before = len(walk.varying)
            walk.block(function.block, 0)
        known = function.derived["divergence", flags] = frozenset(walk.varying)
    return known


def argument_flags(instr: Instr, varying: frozenset[Var] | set[Var], shared: set[Var]) -> Flags:
    """Which arguments of a call vary; a reference does unless the iterations share it."""
    return tuple(
        root_of(a) not in shared if isinstance(a.type, Ref) else a in varying for a in instr.args
    )


def shared_references(function: Function, flags: Flags) -> set[Var]:
    """The reference parameters that all iterations share."""
    return {
        p for p, f in zip(function.params, flags, strict=True) if isinstance(p.type, Ref) and not f
    }


class _Walk(Visitor):
    """`depth` counts the varying conditions around an instruction."""

    def __init__(self, varying: set[Var], function: Function) -> None:
        self.varying = varying
        self.shared = shared_references(function, tuple(p in varying for p in function.params))
        self.made_at: dict[Var, int] = dict.fromkeys(function.params, 0)

    def block(self, block: Block, depth: int) -> None:
        for instr in block.instrs:
            row = self.rows.get(instr.op, _Walk._plain)
            row(self, instr, depth)

    def _plain(self, instr: Instr, depth: int) -> None:
        self._spread(instr.args, instr.outs)

    _index = _check = _reshape = _pack = _join = _slice = _freeze = _host = _plain

    def _accum(self, instr: Instr, depth: int) -> None:
        self.made_at[instr.outs[0]] = depth
        self._spread(instr.args, instr.outs)

    def _vary(self, a: Atom) -> bool:
        return a in self.varying

    def _spread(self, sources: Sequence[Atom], to: Sequence[Var]) -> None:
        if any(self._vary(a) for a in sources):
            self.varying.update(to)

    def _each(self, results: Sequence[Atom], outs: Sequence[Var]) -> None:
        self.varying.update(o for o, r in zip(outs, results, strict=False) if self._vary(r))

    def _addto(self, instr: Instr, depth: int) -> None:
        root = root_of(instr.args[0])
        if root in self.shared:
            return
        if depth > self.made_at[root] or any(self._vary(a) for a in instr.args):
            self.varying.update((root, instr.args[0]))  # type: ignore[arg-type]

    def _cond(self, instr: Instr, depth: int) -> None:
        diverges = self._vary(instr.args[0])
        for side in instr.blocks:
            self.block(side, depth + diverges)
            self._each(side.results, instr.outs)
        if diverges:
            self.varying.update(instr.outs)

    def _build(self, instr: Instr, depth: int) -> None:
        (body,) = instr.blocks
        if instr.args and self._vary(instr.args[0]):
            self.varying.add(body.params[0])  # each has an index of its own
        self.block(body, depth + any(self._vary(a) for a in instr.args))
        self._each(body.results, instr.outs)

    def _filter(self, instr: Instr, depth: int) -> None:
        """As a build. The list is of what any iteration keeps, the same for all, unless each goes through
        indices of its own."""
        (body,) = instr.blocks
        if instr.args and self._vary(instr.args[0]):
            self.varying.update((body.params[0], *instr.outs[:2]))
        self.block(body, depth + any(self._vary(a) for a in instr.args))
        self._each(body.results[1:], instr.outs[2:])

    def _scan(self, instr: Instr, depth: int) -> None:
        (body,) = instr.blocks
        diverges = any(map(self._vary, counts(instr)))
        carries = body.params[1:]
        self._loop(body, carries, carried(instr), body.results, diverges, depth)
        self._each(carries, instr.outs)
        self._each(body.results[len(carries) :], instr.outs[len(carries) :])

    def _while(self, instr: Instr, depth: int) -> None:
        body, test = instr.blocks
        carries = body.params[1:]
        self._each(carries, test.params)
        self.block(test, depth + 1)
        diverges = self._vary(test.results[0])
        self._loop(body, carries, instr.args, body.results, diverges, depth)
        self._each(carries, instr.outs)
        self._each(body.results[len(carries) :], instr.outs[len(carries) :])
        if diverges:
            self.varying.add(instr.outs[-1])

    def _rewind(self, instr: Instr, depth: int) -> None:
        step, back = instr.blocks
        k = len(step.results)
        diverges = any(map(self._vary, counts(instr)))
        initial = carried(instr)
        state, cotangents = step.params[1:], back.params[1 + k :]
        self._loop(step, state, initial[:k], step.results, diverges, depth)
        self._each(state, back.params[1:])
        self._loop(back, cotangents, initial[k:], back.results, diverges, depth)
        self._each(cotangents, instr.outs)

    def _loop(
        self,
        body: Block,
        carries: Sequence[Var],
        initial: Sequence[Atom],
        results: Sequence[Atom],
        diverges: bool,
        depth: int,
    ) -> None:
        """Carries vary if what they start with or become does, or the number of steps."""
        self._each(initial, carries)
        self.block(body, depth + diverges)
        self._each(results, carries)
        if diverges:
            self.varying.update(carries)

    def _call(self, instr: Instr, depth: int) -> None:
        if not any(self._vary(a) or isinstance(a.type, Ref) for a in instr.args):
            return  # it is done once for all
        flags = argument_flags(instr, self.varying, self.shared)
        self.varying.update(
            root_of(a)
            for a, f in zip(instr.args, flags, strict=True)
            if f and isinstance(a.type, Ref)
        )
        inner = divergence(instr.callee, flags)
        self.varying.update(
            o for o, r in zip(instr.outs, instr.callee.results, strict=True) if r in inner
        )
