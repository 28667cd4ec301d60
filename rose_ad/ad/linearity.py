"""Which functions are affine in some of their parameters, as far as their instructions show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..ir.core import Block, Function, Instr, Var
from ..ir.prims import TABLE
from .dependence import depends, differentiable, flow
from .linearize import linearize

Trusted = Callable[[Function, tuple[bool, ...]], bool]


def is_linear(function: Function, mask: tuple[bool, ...]) -> bool:
    """Whether a function is affine in the parameters of `mask`: its derivative is the same everywhere."""
    if function.rule is not None:
        known = function.rule.is_linear(function, mask)
        return _remembers_nothing(function, mask) if known is None else known
    return first_nonlinear(function, mask, is_linear) is None


def _remembers_nothing(function: Function, mask: tuple[bool, ...]) -> bool:
    """Whether the derivative that a function's rule gives remembers nothing that depends on `mask`."""
    if not any(flow(function, mask)[0]):
        return not any(mask)  # not zero, but taken as a constant
    derivative = linearize(function, mask)
    if any(mask[k] for k in derivative.kept_params):
        return False
    reached, _ = flow(derivative.fwd, mask)
    return not any(reached[len(function.results) :])


def first_nonlinear(
    function: Function, mask: Sequence[bool], trusted: Trusted = lambda f, mask: False
) -> Instr | None:
    """The first instruction that is not affine in the parameters of `mask`, None if there is none.

    A branch, an index or a number of steps that depends on them is not affine either. `trusted` says of a
    function that has a rule whether it is linear, which its block need not show.
    """
    function = differentiable(function)
    seeds = {p for p, m in zip(function.params, mask, strict=True) if m}
    # what floats do not carry on (an Int, a Bool) is made by an instruction that is refused
    return _first(function.block, depends(function.block, seeds), trusted)


def _first(block: Block, found: set[Var], trusted: Trusted) -> Instr | None:
    for instr in block.instrs:
        on = tuple(a in found for a in instr.args)
        if (instr.op == "host" and instr.outs) or instr.op in TABLE:
            if any(on) and not _is_linear(instr, on):
                return instr
        elif instr.op == "call" and any(on):
            wrong = _in_call(instr, on, trusted)
            if wrong is not None:
                return wrong
        if instr.op == "while":
            body, test = instr.blocks
            carries = zip(body.params[1:], test.params, strict=True)
            found.update(p for c, p in carries if c in found)
        for inner in instr.blocks:
            wrong = _first(inner, found, trusted)
            if wrong is not None:
                return wrong
    return None


def _in_call(instr: Instr, on: tuple[bool, ...], trusted: Trusted) -> Instr | None:
    called = instr.callee
    if called.rule is not None:
        return None if trusted(called, on) else instr
    return first_nonlinear(called, on, trusted)


def _is_linear(instr: Instr, on: tuple[bool, ...]) -> bool:
    """Whether a primitive is linear in those operands together."""
    if instr.op == "host":
        return False
    linear = TABLE[instr.op].linear
    together = instr.op in {"add", "sub", "select"} or sum(on) == 1
    return together and all(k in linear for k, m in enumerate(on) if m)
