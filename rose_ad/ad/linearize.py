"""Linearisation: a function f becomes f.fwd, which computes y and what is to be remembered, and f.lin, linear
in the tangents.

One walk with two emitters (Frostig et al. 2021, "Decomposing reverse-mode automatic differentiation"): P gets
the primal program, T the linear one. What T uses of P is the residual, found by looking at T after dead code
is gone. Three decisions keep residuals small and the reverse pass fast:

- a loop's or branch's tangent body computes the primal values it needs again, in cache, from what the body
  captures: nothing is stacked for an iteration, and a branch that was not taken costs its test;
- a scan remembers its carries, one of each an iteration, or of those in which it matters (see `residuals`);
- values that are dear to compute again (see `residuals`) are read from the arrays that a build made of
  them, and a scan remembers them too, within bounds;
- a call stays a call: f(x) becomes f.fwd(x) in P and f.lin(residuals, dx) in T. What calls remember is
  handed on as few arrays (see `residuals`); where there is no room for it, it is computed again.
"""

from __future__ import annotations

from ..base.garbage import uncollected
from ..base.memory import memory_limit
from ..ir.builder import Builder
from ..ir.copying import (
    is_dropped,
    lookups,
    substitute,
    without_references,
)
from ..ir.core import Block, Function, Linearized, Var
from ..ir.in_force import under
from ..ir.queries import free_variables
from ..ir.shown import shows, silence, silent
from ..ir.types import Ref, is_float, value_type
from .dependence import depends, differentiable, touches
from .linearizer import Linearizer
from .residuals import joined_residuals, leave_unread_unset

_SHARE_OF_CALLS = 16  # what calls remember together is at most that part of the memory there may be


def linearize(
    function: Function, mask: tuple[bool, ...], gone: tuple[bool, ...] = ()
) -> Linearized:
    """The linearisation of a function in the parameters of `mask`, made once.

    Reference parameters in `gone` are left out of fwd (their primal is not wanted), though not of lin.
    """
    gone = gone or (False,) * len(mask)
    known: Linearized | None = function.derived.get(("linearize", mask, gone))
    if known is None:
        with under(function.schedule), uncollected():
            if function.rule is not None:
                known = function.rule.linearize(function, mask)
            else:
                known = _linearize(differentiable(function), mask, gone)
        function.derived["linearize", mask, gone] = known
    return known


def linearize_again(
    function: Function, mask: tuple[bool, ...], gone: tuple[bool, ...] = ()
) -> Linearized:
    """A linearisation that remembers the arguments only: lin runs fwd again. Made once."""
    gone = gone or (False,) * len(mask)
    known: Linearized | None = function.derived.get(("again", mask, gone))
    if known is None:
        with under(function.schedule), uncollected():
            known = _linearize_again(function, mask, gone)
        function.derived["again", mask, gone] = known
    return known


def _linearize_again(
    function: Function, mask: tuple[bool, ...], gone: tuple[bool, ...]
) -> Linearized:
    # what it adds into references has been added by the primal program
    inner = linearize(function, mask, tuple(isinstance(p.type, Ref) for p in function.params))
    T = Builder()
    tangents = [T.block.param(function.params[k].type) for k in inner.active_params]
    params = [None if isinstance(p.type, Ref) else T.block.param(p.type) for p in function.params]
    outs = T.call(silent(inner.fwd), [p for p in params if p is not None])
    remembered = inner.remembered(params, outs, len(function.results))
    T.block.results = T.call(inner.lin, [*tangents, *remembered])
    return Linearized(
        without_references(function, gone) if any(gone) else function,
        Function(f"{function.name}.lin", T.block, function.loc),
        inner.active_params,
        inner.active_results,
        tuple(k for k, p in enumerate(params) if p is not None),
    )


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
    run = function.schedule.run
    positions, active = active_parameters(function, mask)
    block = run("linearised", function.name, function.block, active)
    if block is not function.block:
        function = Function(function.name, block, function.loc)
        positions, active = active_parameters(function, mask)
    P, T = Builder(), Builder()
    T.root_first = function.order == 0
    walk = Linearizer(active, linearize, linearize)
    for p, g in zip(function.params, gone, strict=True):
        walk.env[p] = None if g else P.block.param(p.type)
    for k in positions:
        p = function.params[k]
        walk.tangents[p] = T.block.param(p.type)
    if not _is_room_for_calls(function.block, walk):
        walk.of_call = linearize_again
    walk.block(function.block, P, T)
    results = tuple(k for k, r in enumerate(function.results) if r in walk.tangents)
    T.block.results = tuple(walk.tangent(function.results[k], T) for k in results)

    if shows(function):
        silence(T.block)
    fwd_name, lin_name = f"{function.name}.fwd", f"{function.name}.lin"
    tangent_block = run("derived", lin_name, T.block)
    free = list(free_variables(tangent_block))
    kept = [v for v in free if v.block is P.block and v.instr is None]
    residuals = [v for v in free if v.block is not P.block or v.instr is not None]
    leave_unread_unset(residuals, tangent_block)
    P.loc = function.loc
    joined = joined_residuals(residuals, P, tangent_block)
    residuals = [v for v in residuals if v not in joined.parts]
    substitute(tangent_block, {v: tangent_block.param(v.type) for v in kept + residuals})
    tangent_block.params += joined.params

    places = {walk.env[p]: k for k, p in enumerate(function.params)}
    P.block.results = (*lookups(walk.env, function.results), *residuals, *joined.wholes)
    fwd = run("derived", fwd_name, P.block)
    return Linearized(
        Function(fwd_name, fwd, function.loc),
        Function(lin_name, tangent_block, function.loc),
        positions,
        results,
        tuple(places[v] for v in kept),
    )


def _is_room_for_calls(block: Block, walk: Linearizer) -> bool:
    """Whether there is room for what the calls of a block remember, all at the same time. To compute again what
    one of them remembers alone would need as much."""
    sizes = [0]
    for call in block.instrs:
        if call.op == "call" and touches(call, walk.active):
            function = call.callee
            mask = tuple(a in walk.active for a in call.args)
            gone = tuple(is_dropped(walk.env, a) for a in call.args)
            residuals = linearize(function, mask, gone).fwd.results[len(function.results) :]
            sizes.append(sum(value_type(r.type).size for r in residuals))
    return sum(sizes) - max(sizes) <= memory_limit() // _SHARE_OF_CALLS
