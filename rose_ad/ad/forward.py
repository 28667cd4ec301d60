"""Forward mode: values and tangents together, by the walk of linearisation with one emitter for both.

Every loop and branch computes both at once, so nothing is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..base.garbage import uncollected
from ..ir.builder import Builder
from ..ir.copying import enter_loop, lookup, lookups
from ..ir.core import Atom, Block, Function, Instr, Var
from ..ir.in_force import under
from ..ir.queries import carried, counts
from .dependence import differentiable
from .linearize import active_parameters, linearize
from .linearizer import Linearizer


class Forward(Linearizer):
    """Forward mode: the same walk with P = T and every loop and branch computing both at once, so that
    nothing is remembered."""

    def _build(self, instr: Instr, P: Builder, T: Builder) -> None:
        (body,) = instr.blocks
        inner = enter_loop(P, instr, self.env)
        kept = self._both(body, inner, instr.outs)
        outs = P.build(instr.length, inner.block, lookups(self.env, instr.args))
        self._bind(instr.outs, kept, outs)

    def _filter(self, instr: Instr, P: Builder, T: Builder) -> None:
        (body,) = instr.blocks
        inner = enter_loop(P, instr, self.env)
        self.block(body, inner, inner)
        inner.block.results = lookups(self.env, body.results)
        outs = P.filter(instr.length, inner.block, lookups(self.env, instr.args))
        self.env.update(zip(instr.outs, outs, strict=True))

    def _scan(self, instr: Instr, P: Builder, T: Builder) -> None:
        inner, initial, order, kept = self._loop_with_tangents(instr, P)
        outs = P.scan(instr.steps, initial, inner.block, lookups(self.env, counts(instr)))
        self._bind(instr.outs, kept, [outs[k] for k in order])

    def _while(self, instr: Instr, P: Builder, T: Builder) -> None:
        inner, initial, order, kept = self._loop_with_tangents(instr, P)
        test = P.test()
        for p in instr.blocks[1].params:
            self.env[p] = test.block.param(p.type)
        self.copier.block(instr.blocks[1], test)
        for a in initial[len(instr.args) :]:
            test.block.param(a.type)
        outs = P.loop_while(instr.length, initial, inner.block, test.block)
        self.env[instr.outs[-1]] = outs[-1]
        self._bind(instr.outs[:-1], kept, [outs[k] for k in order])

    def _loop_with_tangents(
        self, instr: Instr, P: Builder
    ) -> tuple[Builder, list[Atom], list[int], list[int]]:
        """A loop's body with tangents, its initial carries, and where among its results those of `instr` and
        then their tangents are; which of them have tangents."""
        body = instr.blocks[0]
        carries = body.params[1:]
        count, ends = len(carries), len(body.results)
        inner = enter_loop(P, instr, self.env)
        for c in carries:
            self.env[c] = inner.block.param(c.type)
        moving, _ = self._moving(instr, inner)
        kept = self._both(body, inner, instr.outs[:ends])
        m, ys = count + len(moving), ends - count
        order = [
            *range(count),
            *range(m, m + ys),
            *range(count, m),
            *range(m + ys, ends + len(kept)),
        ]
        results = inner.block.results
        inner.block.results = tuple(
            r for _, r in sorted(zip(order, results, strict=True), key=lambda pair: pair[0])
        )
        initial = [lookup(self.env, a) for a in carried(instr)]
        initial += [self.tangent(carried(instr)[k], P) for k in moving]
        return inner, initial, order, kept

    def _cond(self, instr: Instr, P: Builder, T: Builder) -> None:
        predicate = lookup(self.env, instr.args[0])
        sides = []
        kept: list[int] = []
        for block in instr.blocks:
            inner = P.branch()
            kept = self._both(block, inner, instr.outs)
            sides.append(inner.block)
        outs = P.cond(predicate, sides[0], sides[1])
        self._bind(instr.outs, kept, outs)

    def _call(self, instr: Instr, P: Builder, T: Builder) -> None:
        mask = tuple(a in self.active for a in instr.args)
        derivative, positions, kept = forward(instr.callee, mask)
        args = [
            *lookups(self.env, instr.args),
            *(self.tangent(instr.args[k], P) for k in positions),
        ]
        self._bind(instr.outs, list(kept), P.call(derivative, args))

    def _both(self, body: Block, inner: Builder, outs: Sequence[Var]) -> list[int]:
        self.block(body, inner, inner)
        kept = [k for k, o in enumerate(outs) if o in self.active]
        inner.block.results = (
            *lookups(self.env, body.results),
            *(self.tangent(body.results[k], inner) for k in kept),
        )
        return kept

    def _bind(self, outs: Sequence[Var], kept: Sequence[int], values: Sequence[Atom]) -> None:
        self.env.update(zip(outs, values, strict=False))
        self.tangents.update(zip((outs[k] for k in kept), values[len(outs) :], strict=True))


def forward(
    function: Function, mask: tuple[bool, ...]
) -> tuple[Function, tuple[int, ...], tuple[int, ...]]:
    """f.jvp: (params, tangents) -> (results, tangents), with the positions of the parameters and of the
    results that have tangents. Made once."""
    known = function.derived.get(("forward", mask))
    if known is None:
        make = _forward if function.rule is None else _forward_by_rule
        with under(function.schedule), uncollected():
            known = make(differentiable(function), mask)
        function.derived["forward", mask] = known
    result: tuple[Function, tuple[int, ...], tuple[int, ...]] = known
    return result


def _forward_by_rule(
    function: Function, mask: tuple[bool, ...]
) -> tuple[Function, tuple[int, ...], tuple[int, ...]]:
    derivative = linearize(function, mask)
    b = Builder()
    args = [b.block.param(p.type) for p in function.params]
    tangents = [b.block.param(function.params[k].type) for k in derivative.active_params]
    outs = b.call(derivative.fwd, args)
    count = len(function.results)
    remembered = derivative.remembered(args, outs, count)
    d_outs = b.call(derivative.lin, [*tangents, *remembered])
    b.block.results = (*outs[:count], *d_outs)
    jvp = Function(f"{function.name}.jvp", b.block, function.loc)
    return jvp, derivative.active_params, derivative.active_results


def _forward(
    function: Function, mask: tuple[bool, ...]
) -> tuple[Function, tuple[int, ...], tuple[int, ...]]:
    positions, active = active_parameters(function, mask)
    b = Builder()
    b.root_first = function.order == 0
    walk = Forward(active, linearize, linearize)
    for p in function.params:
        walk.env[p] = b.block.param(p.type)
    for k in positions:
        p = function.params[k]
        walk.tangents[p] = b.block.param(p.type)
    walk.block(function.block, b, b)
    kept = tuple(k for k, r in enumerate(function.results) if r in active)
    b.block.results = (
        *lookups(walk.env, function.results),
        *(walk.tangent(function.results[k], b) for k in kept),
    )
    name = f"{function.name}.jvp"
    jvp = Function(name, function.schedule.run("derived", name, b.block), function.loc)
    return jvp, positions, kept
