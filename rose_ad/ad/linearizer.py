"""The walk that linearises: each instruction gives one program P its primal and another, T, its tangent.

A walk knows how its callees are linearised by what it is given: those that it calls itself, whose residuals are
remembered, and those that are called in its loops and branches, where all is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from typing import ClassVar, TypeAlias

from ..ir.builder import Builder
from ..ir.checkpoints import kept_carries
from ..ir.copying import Copier, Env, enter_loop, is_dropped, lookup, lookups
from ..ir.core import UNBOUNDED, Atom, Block, Const, Function, Instr, Linearized, Steps, Var
from ..ir.ops import Visitor
from ..ir.prims import TABLE
from ..ir.queries import carried, counts, free_variables, uses
from ..ir.types import I64, Ref
from .dependence import touches
from .residuals import carry_bytes, is_dear, remembered_values

# a callee, which of its parameters are active, and which references are gone, to its linearisation
OfCall: TypeAlias = Callable[[Function, tuple[bool, ...], tuple[bool, ...]], Linearized]


class Linearizer(Visitor):
    """The walk. `env` maps a variable to its primal, `tangents` an active one to its tangent."""

    never: ClassVar[Mapping[str, str]] = {
        "check": "an index has no tangent",
        "host": "a Python function is differentiated by a rule",
        "rewind": "rewinds are written out before derivatives are taken",
    }

    def __init__(self, active: set[Var], of_call: OfCall, of_inner_call: OfCall) -> None:
        self.active = active
        self.of_call, self.of_inner_call = of_call, of_inner_call
        self.env: Env = {}
        self.tangents: dict[Var, Atom] = {}
        self.given: set[Var] = set()  # primal values that T reads instead of computing them again
        self.tangent_sides: set[Block] = (
            set()
        )  # of branches, of whose results only the tangents are wanted
        self.copier = Copier(self.env)

    def tangent(self, a: Atom, T: Builder) -> Atom:
        """The tangent of an atom, a zero where it has none."""
        known = self.tangents.get(a) if isinstance(a, Var) else None
        return T.zeros(a.type) if known is None else known

    def block(self, block: Block, P: Builder, T: Builder) -> None:
        """Both programs of a block's instructions."""
        locs = P.loc, T.loc
        for instr in block.instrs:
            P.loc = T.loc = instr.loc
            if not touches(instr, self.active):
                self._primal(instr, P)
            elif instr.op in TABLE:
                self._prim(instr, P, T)
            else:
                self.rows[instr.op](self, instr, P, T)
        P.loc, T.loc = locs  # again those of what the block is part of

    def _prim(self, instr: Instr, P: Builder, T: Builder) -> None:
        x = lookups(self.env, instr.args)
        dx = [self.tangents.get(a) if isinstance(a, Var) else None for a in instr.args]
        if instr.outs[0] not in self.given:
            self.env[instr.outs[0]] = P.prim(instr.op, *x)
        out = lookup(self.env, instr.outs[0])
        rule = TABLE[instr.op].jvp
        assert rule is not None, instr.op
        d_out = rule(P, T, x, dx, out)
        if d_out is not None:
            self.tangents[instr.outs[0]] = d_out

    def _primal(self, instr: Instr, P: Builder) -> None:
        """An instruction's primal in P, as far as it is not given. What it adds to is never given."""
        given = {o: self.env[o] for o in instr.outs if o in self.given}
        if not given or len(given) < len(instr.outs) or _may_add(instr):
            self.copier.instr(instr, P)
            self.env.update(given)

    def _index(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        a, i = instr.args
        self.tangents[instr.outs[0]] = T.index(self.tangent(a, T), lookup(self.env, i))

    def _reshape(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        self.tangents[instr.outs[0]] = T.reshape(self.tangent(instr.args[0], T), instr.shape)

    def _pack(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        self.tangents[instr.outs[0]] = T.pack([self.tangent(a, T) for a in instr.args])

    def _join(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        self.tangents[instr.outs[0]] = T.join([self.tangent(a, T) for a in instr.args])

    def _slice(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        self.tangents[instr.outs[0]] = T.slice(self.tangent(instr.args[0], T), instr.span)

    def _accum(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        initial = [self.tangents[a] for a in instr.args if a in self.tangents]  # type: ignore[index]
        self.tangents[instr.outs[0]] = T.accum(instr.content, *initial)

    def _addto(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        ref, value = instr.args
        if value in self.tangents:
            T.addto(self.tangents[ref], self.tangents[value])  # type: ignore[index]

    def _freeze(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        self.tangents[instr.outs[0]] = T.freeze(self.tangents[instr.args[0]])  # type: ignore[index]

    def _build(self, instr: Instr, P: Builder, T: Builder) -> None:
        self._primal(instr, P)
        (body,) = instr.blocks
        inner = enter_loop(T, instr, self.env)
        for r, o in zip(body.results, instr.outs, strict=True):
            if isinstance(r, Var) and r.block is body and is_dear(r):
                self.env[r] = inner.index(lookup(self.env, o), inner.block.params[0])
                self.given.add(r)
        kept = [k for k, o in enumerate(instr.outs) if o in self.active]
        self._tangent_body(body, inner, kept)
        outs = T.build(instr.length, inner.block, lookups(self.env, instr.args))
        self.tangents.update(zip((instr.outs[k] for k in kept), outs, strict=True))

    def _filter(self, instr: Instr, P: Builder, T: Builder) -> None:
        (body,) = instr.blocks
        kept, count, *outs = instr.outs
        if P is T and not {kept, count} <= self.given:
            # it was not remembered: every iteration is visited
            bounds = lookups(self.env, instr.args)
            primal = enter_loop(P, instr, self.env)
            self.copier.block(body, primal, [])
            P.build(instr.length, primal.block, bounds)
            inner = enter_loop(T, instr, self.env)
            self._tangent_body(body, inner, [])
            T.build(instr.length, inner.block, bounds)
            return
        self._primal(instr, P)
        number = lookup(self.env, count)
        some = T.branch()  # what only these iterations need is sunk into it
        inner = some.loop(0, instr.length - 1)
        index = inner.index(lookup(self.env, kept), inner.block.params[0])
        assert isinstance(index, Var)
        index.range = body.params[0].range
        self.env[body.params[0]] = index
        for r, o in zip(body.results[1:], outs, strict=True):
            if isinstance(r, Var) and r.block is body and is_dear(r):
                self.env[r] = inner.index(lookup(self.env, o), index)
                self.given.add(r)
        self._tangent_body(body, inner, [])
        some.build(0, inner.block, (Const(0, I64), number))
        T.cond(T.prim("ne", number, Const(0, I64)), some.block, T.branch().block)

    def _scan(self, instr: Instr, P: Builder, T: Builder) -> None:
        steps = instr.steps
        slots = kept_carries(steps, carry_bytes(instr.blocks[0]))
        if slots:
            self.copier.instr(instr, P)
            self._scan_again(instr, replace(steps, slots=slots), counts(instr), T)
            return
        inner = self._remembering_body(instr, steps, P)
        outs = P.scan(
            steps,
            lookups(self.env, carried(instr)),
            inner.block,
            lookups(self.env, counts(instr)),
        )
        self.env.update(zip(instr.outs, outs, strict=False))
        self._tangent_scan(instr, T, outs[len(instr.outs) :], steps, counts(instr))

    def _while(self, instr: Instr, P: Builder, T: Builder) -> None:
        steps = Steps(instr.length, counted=True)
        if instr.length == UNBOUNDED:
            self.copier.instr(instr, P)
            slots = kept_carries(steps, carry_bytes(instr.blocks[0]))
            self._scan_again(instr, replace(steps, slots=slots), instr.outs[-1:], T)
            return
        inner = self._remembering_body(instr, steps, P)
        test = P.test()
        for p in instr.blocks[1].params:
            self.env[p] = test.block.param(p.type)
        self.copier.block(instr.blocks[1], test)
        initial = lookups(self.env, instr.args)
        outs = P.loop_while(instr.length, initial, inner.block, test.block)
        made = len(instr.outs) - 1
        self.env.update(zip(instr.outs, outs, strict=False))
        self.env[instr.outs[-1]] = outs[-1]
        self._tangent_scan(instr, T, outs[made:-1], steps, instr.outs[-1:])

    def _remembering_body(self, instr: Instr, steps: Steps, P: Builder) -> Builder:
        """A loop's body in P, with what is remembered of each step as further results: the carries at its
        start, then dear values."""
        body = instr.blocks[0]
        inner = enter_loop(P, instr, self.env)
        carries = [inner.block.param(c.type) for c in body.params[1:]]
        self.env.update(zip(body.params[1:], carries, strict=True))
        self.copier.block(body, inner)
        inner.block.results += (*carries, *lookups(self.env, remembered_values(body, steps)))
        return inner

    def _tangent_scan(
        self,
        instr: Instr,
        T: Builder,
        stacks: Sequence[Atom],
        steps: Steps,
        count: Sequence[Atom],
    ) -> None:
        """The tangents of a loop, given the carries of each step."""
        body = instr.blocks[0]
        inner = enter_loop(T, instr, self.env)
        index = inner.block.params[0]
        known = [inner.index(stack, index) for stack in stacks]
        dear = remembered_values(body, steps)
        self.env.update(zip(dear, known[len(body.params) - 1 :], strict=True))
        self.given.update(dear)
        self._give_results(instr, inner, stacks, steps, lookups(self.env, count))
        self.env.update(zip(body.params[1:], known, strict=False))
        moving, kept = self._moving(instr, inner)
        self._tangent_body(body, inner, kept)
        initial = [self.tangent(carried(instr)[k], T) for k in moving]
        outs = T.scan(steps, initial, inner.block, lookups(self.env, count))
        self.tangents.update(zip((instr.outs[k] for k in kept), outs, strict=True))

    def _give_results(
        self,
        instr: Instr,
        inner: Builder,
        stacks: Sequence[Atom],
        steps: Steps,
        count: Sequence[Atom],
    ) -> None:
        """Arrays that a step makes for the next are read where that one finds them."""
        body, index = instr.blocks[0], inner.block.params[0]
        last: Atom = Const(0 if steps.reverse else steps.n - 1, I64)
        if count and not steps.reverse:
            last = inner.prim("sub", count[0], Const(1, I64))
        following = inner.prim("sub" if steps.reverse else "add", index, Const(1, I64))
        inside = inner.prim("min", following, Const(steps.n - 1, I64))
        inside = inner.prim("max", inside, Const(0, I64))
        carries = body.results[: len(body.params) - 1]
        for r, stack, o in zip(carries, stacks, instr.outs, strict=False):
            if not isinstance(r, Var) or r.block is not body or r.instr is None:
                continue
            if r.instr.op == "build" and o in self.env:
                at_end, before = inner.branch().block, inner.branch().block
                at_end.results = (lookup(self.env, o),)
                before.results = (inner.index(stack, inside),)
                (self.env[r],) = inner.cond(inner.prim("eq", index, last), at_end, before)
                self.given.add(r)

    def _moving(self, instr: Instr, inner: Builder) -> tuple[list[int], list[int]]:
        """The carries that have tangents, which become parameters of `inner`, and all results that do."""
        body = instr.blocks[0]
        carries = body.params[1:]
        moving = [k for k, c in enumerate(carries) if c in self.active]
        for k in moving:
            self.tangents[carries[k]] = inner.block.param(carries[k].type)
        ys = range(len(carries), len(body.results))
        return moving, moving + [k for k in ys if instr.outs[k] in self.active]

    def _scan_again(self, instr: Instr, steps: Steps, count: Sequence[Atom], T: Builder) -> None:
        """The tangents of a loop that keeps few of its carries: the tangent program runs the primal one
        alongside, and its transpose finds the carries again."""
        body = instr.blocks[0]
        carries = body.params[1:]
        inner = enter_loop(T, instr, self.env)
        for c in carries:
            self.env[c] = inner.block.param(c.type)
        moving, kept = self._moving(instr, inner)
        self._tangent_body(body, inner, kept)
        inner.block.results = (
            *lookups(self.env, body.results[: len(carries)]),
            *inner.block.results,
        )
        initial = [
            *lookups(self.env, carried(instr)),
            *(self.tangent(carried(instr)[k], T) for k in moving),
        ]
        outs = T.scan(steps, initial, inner.block, lookups(self.env, count))
        tangents = outs[len(carries) :]
        self.tangents.update(zip((instr.outs[k] for k in kept), tangents, strict=True))

    def _cond(self, instr: Instr, P: Builder, T: Builder) -> None:
        if not self._is_for_tangents(instr):
            self.copier.instr(instr, P)
        predicate = lookup(self.env, instr.args[0])
        kept = [k for k, o in enumerate(instr.outs) if o in self.active]
        sides = []
        for block in instr.blocks:
            inner = T.branch()
            self.tangent_sides.add(block)
            self._tangent_body(block, inner, kept)
            sides.append(inner.block)
        outs = T.cond(predicate, sides[0], sides[1])
        self.tangents.update(zip((instr.outs[k] for k in kept), outs, strict=True))

    def _call(self, instr: Instr, P: Builder, T: Builder) -> None:
        mask = tuple(a in self.active for a in instr.args)
        gone = tuple(is_dropped(self.env, a) for a in instr.args)
        # inside a loop or branch nothing is remembered beyond it
        derivative = (self.of_call if P is not T else self.of_inner_call)(instr.callee, mask, gone)
        args = [None if g else lookup(self.env, a) for a, g in zip(instr.args, gone, strict=True)]
        outs = P.call(derivative.fwd, [a for a in args if a is not None])
        count = len(instr.outs)
        self.env.update(zip(instr.outs, outs[:count], strict=True))
        tangents = [self.tangent(instr.args[k], T) for k in derivative.active_params]
        d_outs = T.call(derivative.lin, tangents + derivative.remembered(args, outs, count))
        kept = derivative.active_results
        self.tangents.update(zip((instr.outs[k] for k in kept), d_outs, strict=True))

    def _is_for_tangents(self, branch: Instr) -> bool:
        """Whether nothing reads the primal values of a branch in a side of another: they would be computed for
        each of those around it, and dropped."""
        if not branch.outs or _may_add(branch):
            return False
        block = branch.outs[0].block
        if block not in self.tangent_sides:
            return False
        later = takewhile(lambda instr: instr is not branch, reversed(block.instrs))
        return not any(v in branch.outs for instr in later for v in uses(instr))

    @contextmanager
    def _without_effects(self, body: Block) -> Iterator[None]:
        """What a body adds into references outside it is dropped for the duration of a `with`."""
        outside = [v for v in free_variables(body) if isinstance(v.type, Ref)]
        saved = {v: self.env.get(v) for v in outside}
        self.env.update(dict.fromkeys(outside))
        yield
        self.env.update(saved)

    def _tangent_body(self, body: Block, inner: Builder, keep: Sequence[int]) -> None:
        """The tangents of a body's results at `keep`, with the primal values they need computed again.

        What the primal body adds into references outside it has been added by P's copy already.
        """
        with self._without_effects(body):
            self.block(body, inner, inner)
        inner.block.results = tuple(self.tangent(body.results[k], inner) for k in keep)


def _may_add(instr: Instr) -> bool:
    """Whether an instruction may add into a reference."""
    if instr.op == "call":
        return any(isinstance(a.type, Ref) for a in instr.args)
    return instr.op == "addto" or any(_may_add(i) for block in instr.blocks for i in block.instrs)
