"""Linearisation: a function f becomes f.fwd, which computes y and what is to be remembered, and f.lin, linear
in the tangents.

One walk with two emitters (Frostig et al. 2021, "Decomposing reverse-mode automatic differentiation"): P gets
the primal program, T the linear one. What T uses of P is the residual, found by looking at T after dead code
is gone. Three decisions keep residuals small and the reverse pass fast:

- a loop's or branch's tangent body computes the primal values it needs again, in cache, from what the body
  captures: nothing is stacked for an iteration, and a branch that was not taken costs its test;
- a scan remembers its carries, one of each an iteration, and nothing else;
- a call stays a call: f(x) becomes f.fwd(x) in P and f.lin(residuals, dx) in T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .builder import Builder
from .copying import Copier, Env, enter_loop, is_dropped, lookup, lookups
from .dependence import depends, touches
from .ir import Atom, Block, Function, Instr, Var, free_variables
from .prims import TABLE
from .rewrite.pipeline import tidy
from .types import Ref, is_float


@dataclass(frozen=True)
class Linearized:
    """f.fwd: params -> (results, residuals); f.lin: (tangents, remembered) -> tangents of active results.

    `remembered` holds the parameters of f at `kept_params`, then the residuals that fwd returns.
    `tangents` are those of the parameters at `active_params`, references included.
    """

    fwd: Function
    lin: Function
    active_params: tuple[int, ...]
    active_results: tuple[int, ...]
    kept_params: tuple[int, ...]

    def remembered(
        self, args: Sequence[Atom | None], fwd_outs: Sequence[Atom], results: int
    ) -> list[Atom]:
        """The arguments that lin takes after the tangents: `args` are f's, None for those left out of
        fwd, `fwd_outs` are fwd's, of which the first `results` are f's."""
        kept = [args[k] for k in self.kept_params]
        return [*(a for a in kept if a is not None), *fwd_outs[results:]]


def linearize(
    function: Function, mask: tuple[bool, ...], gone: tuple[bool, ...] = ()
) -> Linearized:
    """The linearisation of a function in the parameters of `mask`, made once.

    Reference parameters in `gone` are left out of fwd (their primal is not wanted), though not of lin.
    """
    gone = gone or (False,) * len(mask)
    known: Linearized | None = function.derived.get(("linearize", mask, gone))
    if known is None:
        known = function.derived["linearize", mask, gone] = _linearize(function, mask, gone)
    return known


def active_parameters(
    function: Function, mask: tuple[bool, ...]
) -> tuple[tuple[int, ...], set[Var]]:
    """Positions of the parameters that get a tangent, and all active variables."""
    seeds = {
        p
        for p, m in zip(function.params, mask, strict=True)
        if m and is_float(p.type) and not isinstance(p.type, Ref)
    }
    active = depends(function.block, seeds)
    return tuple(k for k, p in enumerate(function.params) if p in active), active


def _linearize(function: Function, mask: tuple[bool, ...], gone: tuple[bool, ...]) -> Linearized:
    positions, active = active_parameters(function, mask)
    P, T = Builder(), Builder()
    walk = Linearizer(active)
    for p, g in zip(function.params, gone, strict=True):
        walk.env[p] = None if g else P.block.param(p.type)
    for k in positions:
        p = function.params[k]
        walk.tangents[p] = T.block.param(p.type)
    walk.block(function.block, P, T)
    results = tuple(k for k, r in enumerate(function.results) if r in walk.tangents)
    T.block.results = tuple(walk.tangent(function.results[k], T) for k in results)

    tangent_block = tidy(T.block)
    free = list(free_variables(tangent_block))
    kept = [v for v in free if v.block is P.block and v in P.block.params]
    residuals = [v for v in free if v not in kept]
    lin = _close(tangent_block, kept + residuals)

    P.block.results = lookups(walk.env, function.results) + tuple(residuals)
    fwd = tidy(P.block)
    return Linearized(
        Function(f"{function.name}.fwd", fwd, function.loc),
        Function(f"{function.name}.lin", lin, function.loc),
        positions,
        results,
        tuple(k for v in kept for k, p in enumerate(function.params) if walk.env[p] is v),
    )


def _close(block: Block, free: Sequence[Var]) -> Block:
    """The block as that of a closed function: its free variables become its last parameters."""
    b = Builder()
    env: Env = {p: b.block.param(p.type) for p in block.params}
    env.update((v, b.block.param(v.type)) for v in free)
    Copier(env).block(block, b)
    return b.block


class Linearizer:
    """The walk. `env` maps a variable to its primal, `tangents` an active one to its tangent."""

    def __init__(self, active: set[Var]) -> None:
        self.active = active
        self.env: Env = {}
        self.tangents: dict[Var, Atom] = {}
        self.copier = Copier(self.env)

    def tangent(self, a: Atom, T: Builder) -> Atom:
        """The tangent of an atom, a zero where it has none."""
        known = self.tangents.get(a) if isinstance(a, Var) else None
        return T.zeros(a.type) if known is None else known

    def block(self, block: Block, P: Builder, T: Builder) -> None:
        """Both programs of a block's instructions."""
        for instr in block.instrs:
            P.loc = T.loc = instr.loc
            if not touches(instr, self.active):
                self.copier.instr(instr, P)
            elif instr.op in TABLE:
                self._prim(instr, P, T)
            else:
                getattr(self, f"_{instr.op}")(instr, P, T)

    def _prim(self, instr: Instr, P: Builder, T: Builder) -> None:
        x = lookups(self.env, instr.args)
        dx = [self.tangents.get(a) if isinstance(a, Var) else None for a in instr.args]
        out = self.env[instr.outs[0]] = P.prim(instr.op, *x)
        rule = TABLE[instr.op].jvp
        assert rule is not None, instr.op
        d_out = rule(P, T, x, dx, out)
        if d_out is not None:
            self.tangents[instr.outs[0]] = d_out

    def _index(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        a, i = instr.args
        self.tangents[instr.outs[0]] = T.index(self.tangent(a, T), lookup(self.env, i))

    def _reshape(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        self.tangents[instr.outs[0]] = T.reshape(self.tangent(instr.args[0], T), instr.attr)

    def _pack(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        self.tangents[instr.outs[0]] = T.pack([self.tangent(a, T) for a in instr.args])

    def _accum(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        initial = [self.tangents[a] for a in instr.args if a in self.tangents]  # type: ignore[index]
        self.tangents[instr.outs[0]] = T.accum(instr.attr, *initial)

    def _addto(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        ref, value = instr.args
        if value in self.tangents:
            T.addto(self.tangents[ref], self.tangents[value])  # type: ignore[index]

    def _freeze(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        self.tangents[instr.outs[0]] = T.freeze(self.tangents[instr.args[0]])  # type: ignore[index]

    def _build(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        (body,) = instr.blocks
        inner = enter_loop(T, instr, self.env)
        kept = [k for k, o in enumerate(instr.outs) if o in self.active]
        self._tangent_body(body, inner, kept)
        outs = T.build(instr.attr, inner.block, lookups(self.env, instr.args))
        self.tangents.update(zip((instr.outs[k] for k in kept), outs, strict=True))

    def _scan(self, instr: Instr, P: Builder, T: Builder) -> None:
        (body,) = instr.blocks
        stacks = self._scan_remembering(instr, P)
        inner = enter_loop(T, instr, self.env)
        index = inner.block.params[0]
        for c, stack in zip(body.params[1:], stacks, strict=True):
            self.env[c] = inner.index(stack, index)
        moving = [k for k in range(len(instr.args)) if body.params[k + 1] in self.active]
        for k in moving:
            c = body.params[k + 1]
            self.tangents[c] = inner.block.param(c.type)
        ys = range(len(instr.args), len(instr.outs))
        kept = moving + [k for k in ys if instr.outs[k] in self.active]
        self._tangent_body(body, inner, kept)
        initial = [self.tangent(instr.args[k], T) for k in moving]
        n, reverse = instr.attr
        outs = T.scan(n, reverse, initial, inner.block)
        self.tangents.update(zip((instr.outs[k] for k in kept), outs, strict=True))

    def _scan_remembering(self, instr: Instr, P: Builder) -> tuple[Var, ...]:
        """The scan in P, with the carries at the start of each iteration as further results."""
        (body,) = instr.blocks
        inner = enter_loop(P, instr, self.env)
        carries = [inner.block.param(c.type) for c in body.params[1:]]
        self.env.update(zip(body.params[1:], carries, strict=True))
        self.copier.block(body, inner)
        inner.block.results += tuple(carries)
        n, reverse = instr.attr
        outs = P.scan(n, reverse, lookups(self.env, instr.args), inner.block)
        count = len(instr.outs)
        self.env.update(zip(instr.outs, outs[:count], strict=True))
        return outs[count:]

    def _cond(self, instr: Instr, P: Builder, T: Builder) -> None:
        self.copier.instr(instr, P)
        predicate = lookup(self.env, instr.args[0])
        kept = [k for k, o in enumerate(instr.outs) if o in self.active]
        sides = []
        for block in instr.blocks:
            inner = T.branch()
            self._tangent_body(block, inner, kept)
            sides.append(inner.block)
        outs = T.cond(predicate, sides[0], sides[1])
        self.tangents.update(zip((instr.outs[k] for k in kept), outs, strict=True))

    def _call(self, instr: Instr, P: Builder, T: Builder) -> None:
        mask = tuple(a in self.active for a in instr.args)
        gone = tuple(is_dropped(self.env, a) for a in instr.args)
        derivative = linearize(instr.attr, mask, gone)
        args = [None if g else lookup(self.env, a) for a, g in zip(instr.args, gone, strict=True)]
        outs = P.call(derivative.fwd, [a for a in args if a is not None])
        count = len(instr.outs)
        self.env.update(zip(instr.outs, outs[:count], strict=True))
        tangents = [self.tangent(instr.args[k], T) for k in derivative.active_params]
        d_outs = T.call(derivative.lin, tangents + derivative.remembered(args, outs, count))
        kept = derivative.active_results
        self.tangents.update(zip((instr.outs[k] for k in kept), d_outs, strict=True))

    def _tangent_body(self, body: Block, inner: Builder, keep: Sequence[int]) -> None:
        """The tangents of a body's results at `keep`, with the primal values they need computed again.

        What the primal body adds into references outside it has been added by P's copy already.
        """
        outside = [v for v in free_variables(body) if isinstance(v.type, Ref)]
        saved = {v: self.env.get(v) for v in outside}
        self.env.update(dict.fromkeys(outside))
        self.block(body, inner, inner)
        self.env.update(saved)
        inner.block.results = tuple(self.tangent(body.results[k], inner) for k in keep)


class Forward(Linearizer):
    """Forward mode: the same walk with P = T and every loop and branch computing both at once, so that
    nothing is remembered."""

    def _build(self, instr: Instr, P: Builder, T: Builder) -> None:
        (body,) = instr.blocks
        inner = enter_loop(P, instr, self.env)
        kept = self._both(body, inner, instr.outs)
        outs = P.build(instr.attr, inner.block, lookups(self.env, instr.args))
        self._bind(instr.outs, kept, outs)

    def _scan(self, instr: Instr, P: Builder, T: Builder) -> None:
        (body,) = instr.blocks
        count = len(instr.args)
        inner = enter_loop(P, instr, self.env)
        moving = [k for k in range(count) if body.params[k + 1] in self.active]
        for c in body.params[1:]:
            self.env[c] = inner.block.param(c.type)
        for k in moving:
            c = body.params[k + 1]
            self.tangents[c] = inner.block.param(c.type)
        kept = self._both(body, inner, instr.outs)
        results = inner.block.results
        primals, tangents = results[: len(instr.outs)], results[len(instr.outs) :]
        inner.block.results = (
            *primals[:count],
            *tangents[: len(moving)],
            *primals[count:],
            *tangents[len(moving) :],
        )
        initial = [lookup(self.env, a) for a in instr.args]
        initial += [self.tangent(instr.args[k], P) for k in moving]
        n, reverse = instr.attr
        outs = P.scan(n, reverse, initial, inner.block)
        ys = len(instr.outs) - count
        m = count + len(moving)
        ordered = (*outs[:count], *outs[m : m + ys], *outs[count:m], *outs[m + ys :])
        self._bind(instr.outs, kept, ordered)

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
        derivative, positions, kept = forward(instr.attr, mask)
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
        positions, active = active_parameters(function, mask)
        b = Builder()
        walk = Forward(active)
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
        jvp = Function(f"{function.name}.jvp", tidy(b.block), function.loc)
        known = function.derived["forward", mask] = jvp, positions, kept
    result: tuple[Function, tuple[int, ...], tuple[int, ...]] = known
    return result
