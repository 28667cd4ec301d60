"""Transposition: a function l linear in some parameters becomes l.T, linear in the cotangents of its results.

The nonlinear instructions are copied, then the linear ones are walked backwards. Only operations that are
linear have a rule: the primitives say theirs in their row, and for the rest

    a[i]            adds its cotangent into the accumulator of a, at i: it costs what it touches
    build           a build for effects
    scan            a scan the other way, whose carries are cotangents
    cond            a cond on the same predicate
    call l          call l.T
    accum, freeze   change places: the cotangent of a frozen array is what each addto reads
    addto(r, v)     the cotangent of v is that of r

A scalar's cotangent is a sum of SSA values while it is used at its own level. An array's, or one that a loop
adds to, is an accumulator. Signatures are dual: an array parameter of l is a reference parameter of l.T, a
reference an array, a scalar a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from ..base.garbage import uncollected
from ..ir.builder import Builder
from ..ir.copying import Copier, Env, enter_loop, is_dropped, lookup, lookups
from ..ir.core import Atom, Block, Const, Function, Instr, Span, Var
from ..ir.in_force import under
from ..ir.ops import VIEWS, Visitor, length_of
from ..ir.prims import TABLE
from ..ir.queries import carried, counts, root_of, uses
from ..ir.shown import silent
from ..ir.types import I64, Array, Ref, Scalar, shape_of
from .dependence import depends, differentiable, flow, touches


def transpose(function: Function, mask: tuple[bool, ...]) -> Function:
    """l.T of a function linear in the parameters of `mask`, made once.

    Its parameters: the nonlinear ones; a cotangent for each linear result; then for each linear parameter
    a reference if it is an array, an array if it is a reference. Its results: the cotangents of the linear
    parameters that are scalars.
    """
    known: Function | None = function.derived.get(("transpose", mask))
    if known is None:
        with under(function.schedule), uncollected():
            if function.rule is not None:
                known = function.rule.transpose(function, mask)
            known = known or _transpose(silent(differentiable(function)), mask)
        function.derived["transpose", mask] = known
    return known


def _transpose(function: Function, mask: tuple[bool, ...]) -> Function:
    seeds = {
        p for p, m in zip(function.params, mask, strict=True) if m and not isinstance(p.type, Ref)
    }
    walk = Transposer(depends(function.block, seeds))
    E = Builder()
    E.root_first = function.order == 1
    for p, m in zip(function.params, mask, strict=True):
        if not m:
            walk.env[p] = E.block.param(p.type)
    cotangents = [(r, E.block.param(r.type)) for r in function.results if r in walk.linear]
    for p, m in zip(function.params, mask, strict=True):
        walk.home[p] = E
        if m and isinstance(p.type, Array):
            walk.refs[p] = E.block.param(Ref(p.type))
        elif m and isinstance(p.type, Ref):
            walk.values[p] = E.block.param(p.type.of)
            walk.env[p] = None
    walk.block(function.block, E, cotangents)
    scalars = [
        p for p, m in zip(function.params, mask, strict=True) if m and isinstance(p.type, Scalar)
    ]
    totals = [(p, walk.total(p, E)) for p in scalars]
    E.block.results = tuple(E.zeros(p.type) if t is None else t for p, t in totals)
    name = f"{function.name}.T"
    block = function.schedule.run("transposed", name, E.block)
    return Function(name, block, function.loc)


class Transposer(Visitor):
    """The backward walk.

    `env` holds the nonlinear values, `home` the builder at whose level a linear variable lives, `sums` and
    `refs` its cotangent so far, `values` the cotangents of linear references.
    """

    never: ClassVar[Mapping[str, str]] = {
        "check": "an index is not linear",
        "host": "a Python function is not linear",
        "filter": "linear programs have builds in its place",
        "while": "linear programs have scans in its place",
        "rewind": "linear programs have scans in its place",
    }

    def __init__(self, linear: set[Var]) -> None:
        self.linear = linear
        self.env: Env = {}
        self.home: dict[Var, Builder] = {}
        self.sums: dict[Var, Atom] = {}
        self.refs: dict[Var, Atom] = {}
        self.values: dict[Var, Atom] = {}
        self.pending: dict[Builder, dict[Var, Atom]] = {}
        self.copier = Copier(self.env)

    # -------------------------------------------------------------------------------- cotangents

    def add(self, E: Builder, to: Atom, ct: Atom) -> None:
        """Add to a cotangent, from inside the level of `E`."""
        if not isinstance(to, Var) or to not in self.linear:
            return
        scalar = isinstance(to.type, Scalar)
        if self.home[to] is E and to not in self.refs:
            if to not in self.sums:
                self.sums[to] = ct
                return
            if scalar:
                self.sums[to] = E.prim("add", self.sums[to], ct)
                return
        elif scalar and to not in self.refs and self._only_branches(E, self.home[to]):
            sums = self.pending[E]  # becomes a result of the branch
            sums[to] = E.prim("add", sums[to], ct) if to in sums else ct
            return
        E.addto(self.ref(to), ct)

    def _only_branches(self, E: Builder, home: Builder) -> bool:
        """Whether branches alone, no loop, lead from `home` into `E`."""
        scope: Builder | None = E
        while scope is not None and scope is not home:
            if scope.kind != "branch":
                return False
            scope = scope.parent
        return True

    def ref(self, v: Var) -> Atom:
        """The accumulator of a cotangent, made at the level where the variable lives."""
        known = self.refs.get(v)
        if known is None:
            home = self.home[v]
            view = v.instr if v.instr is not None and v.instr.op in VIEWS else None
            if view is not None and not isinstance(v.type, Scalar):
                # the cotangent of a part of an array is that part of the array's
                known = self.refs[v] = self._part(view, self.ref(view.args[0]), home)  # type: ignore[arg-type]
                if v in self.sums:
                    home.addto(known, self.sums.pop(v))
            else:
                known = self.refs[v] = home.accum(v.type, self.sums.pop(v, None))
        return known

    def total(self, v: Atom, E: Builder) -> Atom | None:
        """The whole cotangent of a variable, when all its uses have been visited; None for zero."""
        if not isinstance(v, Var):
            return None
        if v in self.refs:
            return E.freeze(self.refs[v])
        return self.sums.get(v)

    def value(self, ref: Atom, E: Builder) -> Atom | None:
        """The cotangent of a linear reference, or of the part of it that `ref` is."""
        assert isinstance(ref, Var)
        if ref in self.values:
            return self.values[ref]
        if root_of(ref) is ref:
            return None
        assert ref.instr is not None
        whole = self.value(ref.instr.args[0], E)
        return None if whole is None else self._part(ref.instr, whole, E)

    def _part(self, view: Instr, whole: Atom, E: Builder) -> Atom:
        """The part of a cotangent that an index or reshape takes of a primal."""
        if view.op == "reshape":
            return E.reshape(whole, view.shape)
        if view.op == "slice":
            return E.slice(whole, view.span)
        return E.index(whole, lookup(self.env, view.args[1]))

    # ---------------------------------------------------------------------------------- the walk

    def block(self, block: Block, E: Builder, cotangents: Sequence[tuple[Atom, Atom]]) -> None:
        """A block's transpose, given the cotangents of its results."""
        loc = E.loc
        for instr in block.instrs:
            if touches(instr, self.linear):
                for o in instr.outs:
                    self.home[o] = E
                    if isinstance(o.type, Ref):
                        self.env[o] = None  # what is added into it unseen is zero
                    elif o not in self.linear:
                        self.env[o] = E.zeros(o.type)  # made linearly of nothing linear
            else:
                self._copy(instr, E)
        for r, ct in cotangents:
            self.add(E, r, ct)
        for instr in reversed(block.instrs):
            if touches(instr, self.linear):
                E.loc = instr.loc
                if instr.op in TABLE:
                    self._prim(instr, E)
                else:
                    self.rows[instr.op](self, instr, E)
        E.loc = loc  # again that of what the block is part of

    def _copy(self, instr: Instr, E: Builder) -> list[Var]:
        """A nonlinear instruction into E. Its results do not depend on linear values that it is given: in
        their place it gets zeros. Those that it got in E itself."""
        read = dict.fromkeys(uses(instr))
        made = [v for v in read if v in self.linear and v not in self.env]
        for v in made:
            self.env[v] = self.home.get(v, E).zeros(v.type)
        self.copier.instr(instr, E)
        return [v for v in made if v not in self.home]

    def _prim(self, instr: Instr, E: Builder) -> None:
        ct = self.total(instr.outs[0], E)
        if ct is None:
            return
        row = TABLE[instr.op]
        linear = [k for k, a in enumerate(instr.args) if a in self.linear]
        x = [a if k in linear else lookup(self.env, a) for k, a in enumerate(instr.args)]
        for k in linear:
            assert row.transpose is not None and k in row.linear, f"{instr.op} is not linear"
            self.add(E, instr.args[k], row.transpose(E, x, k, ct))

    def _index(self, instr: Instr, E: Builder) -> None:
        (out,) = instr.outs
        if isinstance(out.type, Ref):
            return
        if isinstance(out.type, Array) and out in self.refs:
            return  # it has been added in place
        ct = self.total(out, E)
        if ct is not None:
            a, i = instr.args
            assert isinstance(a, Var)
            E.addto(E.index(self.ref(a), lookup(self.env, i)), ct)

    def _reshape(self, instr: Instr, E: Builder) -> None:
        (out,) = instr.outs
        if isinstance(out.type, Ref) or out in self.refs:
            return  # nothing to do, or added in place
        ct = self.total(out, E)
        if ct is not None:
            self.add(E, instr.args[0], E.reshape(ct, shape_of(instr.args[0].type)))

    def _slice(self, instr: Instr, E: Builder) -> None:
        (out,), (a,) = instr.outs, instr.args
        if isinstance(out.type, Ref) or out in self.refs:
            return  # nothing to do, or added in place
        ct = self.total(out, E)
        if ct is not None:
            E.addto(E.slice(self.ref(a), instr.span), ct)  # type: ignore[arg-type]

    def _join(self, instr: Instr, E: Builder) -> None:
        ct, start = self.total(instr.outs[0], E), 0
        for a in instr.args:
            length = length_of(a)
            if ct is not None and a in self.linear:
                scalar = isinstance(a.type, Scalar)
                part = (
                    E.index(ct, Const(start, I64)) if scalar else E.slice(ct, Span(start, length))
                )
                self.add(E, a, part)
            start += length

    def _pack(self, instr: Instr, E: Builder) -> None:
        ct = self.total(instr.outs[0], E)
        if ct is not None:
            for k, a in enumerate(instr.args):
                if a in self.linear:
                    self.add(E, a, E.index(ct, Const(k, I64)))

    def _freeze(self, instr: Instr, E: Builder) -> None:
        ct = self.total(instr.outs[0], E)
        ref = instr.args[0]
        assert isinstance(ref, Var)
        if ct is not None:
            self.values[ref] = ct

    def _addto(self, instr: Instr, E: Builder) -> None:
        ref, value = instr.args
        ct = self.value(ref, E)
        if ct is not None:
            self.add(E, value, ct)

    def _accum(self, instr: Instr, E: Builder) -> None:
        ct = self.value(instr.outs[0], E)
        if ct is not None and instr.args:
            self.add(E, instr.args[0], ct)

    def _build(self, instr: Instr, E: Builder) -> None:
        (body,) = instr.blocks
        inner = enter_loop(E, instr, self.env)
        index = inner.block.params[0]
        rows = self._rows(inner, index, body.results, instr.outs, E)
        self.block(body, inner, rows)
        E.build(instr.length, inner.block, lookups(self.env, instr.args))

    def _rows(
        self, inner: Builder, index: Var, results: Sequence[Atom], outs: Sequence[Var], E: Builder
    ) -> list[tuple[Atom, Atom]]:
        """The cotangents of a body's results, as rows of those of the arrays they became."""
        totals = [(r, self.total(o, E)) for r, o in zip(results, outs, strict=True)]
        return [(r, inner.index(ct, index)) for r, ct in totals if ct is not None]

    def _scan(self, instr: Instr, E: Builder) -> None:
        (body,) = instr.blocks
        carries, initial = body.params[1:], carried(instr)
        moving = [k for k, c in enumerate(carries) if c in self.linear]
        other = [k for k in range(len(carries)) if k not in moving]
        starts = [self.total(instr.outs[k], E) or E.zeros(carries[k].type) for k in moving]
        step = self._primal_step(instr, other, E) if other else None
        inner = enter_loop(E, instr, self.env)
        for k in other:
            self.env[carries[k]] = inner.block.param(carries[k].type)
        self.home.update((carries[k], inner) for k in moving)
        count = len(carries)
        rows = self._rows(inner, inner.block.params[0], body.results[count:], instr.outs[count:], E)
        cts: list[tuple[Atom, Atom]] = [
            (body.results[k], inner.block.param(carries[k].type)) for k in moving
        ]
        self.block(body, inner, cts + rows)
        inner.block.results = tuple(
            self.total(carries[k], inner) or inner.zeros(carries[k].type) for k in moving
        )
        steps = instr.steps
        number = lookups(self.env, counts(instr))
        if step is None:
            outs = E.scan(replace(steps, reverse=not steps.reverse), starts, inner.block, number)
        else:
            args = [*number, *(lookup(self.env, initial[k]) for k in other), *starts]
            slots = steps.slots or steps.n
            outs = E.rewind(replace(steps, slots=slots), args, step.block, inner.block)
        for k, ct in zip(moving, outs, strict=True):
            self.add(E, initial[k], ct)

    def _primal_step(self, instr: Instr, carries: Sequence[int], E: Builder) -> Builder:
        """The part of a scan's body that its nonlinear carries need of each other."""
        (body,) = instr.blocks
        step = enter_loop(E, instr, self.env)
        for k in carries:
            self.env[body.params[k + 1]] = step.block.param(body.params[k + 1].type)
        zeros: list[Var] = []
        for inner in body.instrs:
            if not touches(inner, self.linear):
                zeros += self._copy(inner, step)
                continue
            for o in inner.outs:
                if isinstance(o.type, Ref):
                    self.env[o] = None  # as in `block`
                    zeros.append(o)
                elif o not in self.linear:
                    self.env[o] = step.zeros(o.type)  # made linearly of nothing linear
                    zeros.append(o)
        step.block.results = lookups(self.env, (body.results[k] for k in carries))
        for v in zeros:  # they are of this step only
            del self.env[v]
        return step

    def _cond(self, instr: Instr, E: Builder) -> None:
        predicate = lookup(self.env, instr.args[0])
        totals = [self.total(o, E) for o in instr.outs]
        sides: list[Builder] = []
        for block in instr.blocks:
            inner = E.branch()
            self.pending[inner] = {}
            cts = [(r, ct) for r, ct in zip(block.results, totals, strict=True) if ct is not None]
            self.block(block, inner, cts)
            sides.append(inner)
        sums = [self.pending.pop(side) for side in sides]
        captured = list(dict.fromkeys([*sums[0], *sums[1]]))
        for side, found in zip(sides, sums, strict=True):
            side.block.results = tuple(found.get(v, side.zeros(v.type)) for v in captured)
        outs = E.cond(predicate, sides[0].block, sides[1].block)
        for v, ct in zip(captured, outs, strict=True):
            self.add(E, v, ct)

    def _call(self, instr: Instr, E: Builder) -> None:
        function = instr.callee
        # a linear reference that nothing linear is added into is not among the linear values
        mask = tuple(a in self.linear or is_dropped(self.env, a) for a in instr.args)
        reached, _ = flow(function, mask)
        totals = [self.total(o, E) for o in instr.outs]
        args: list[Atom] = [
            lookup(self.env, a) for a, m in zip(instr.args, mask, strict=True) if not m
        ]
        args += [
            E.zeros(o.type) if ct is None else ct
            for o, ct, r in zip(instr.outs, totals, reached, strict=True)
            if r
        ]
        scalars: list[Atom] = []
        for a, m in zip(instr.args, mask, strict=True):
            if not m:
                continue
            assert isinstance(a, Var)
            if isinstance(a.type, Ref):
                args.append(self.value(a, E) or E.zeros(a.type.of))
            elif isinstance(a.type, Array):
                args.append(self.ref(a))
            else:
                scalars.append(a)
        for a, ct in zip(scalars, E.call(transpose(function, mask), args), strict=True):
            self.add(E, a, ct)
