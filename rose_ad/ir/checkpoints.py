"""How many carries of a scan its reverse pass keeps, and what that costs.

With c carries kept, the first among them, and every step run again at most r times, the reverse of
binom(c + r, c) steps is possible and no schedule does better (Griewank 1992, "Achieving logarithmic growth of
temporal and spatial complexity in reverse automatic differentiation"; Griewank and Walther 2000, "revolve").
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from ..base.errors import TypeMismatch
from .core import UNBOUNDED, Steps

Checkpoint: TypeAlias = "int | Literal['all', 'sqrt', 'auto']"
BUDGET = 32 << 20  # bytes of carries that "auto" keeps at most
FEW = 256  # carries kept of a loop of any number of steps: no step of 2.8 million is run more than three times


class Plan(NamedTuple):
    """A schedule: carries kept, their bytes, and the steps that the reverse pass runs again in all."""

    slots: int
    memory: int
    recomputed: int


def with_checkpoints(
    steps: Steps, checkpoint: Checkpoint, budget: int, size: int, loc: int
) -> Steps:
    """How a scan with carries of `size` bytes runs under a setting of the user's."""
    if (
        checkpoint == "all"
    ):  # or, of a number of steps that is not known, as many as there is room for
        return replace(steps, budget=budget) if steps.counted else steps
    if checkpoint == "auto":
        if not 0 < size <= budget and size:
            raise TypeMismatch(f"one carry takes {size:,} bytes, the budget is {budget:,}", loc)
        return replace(steps, budget=budget)
    if checkpoint == "sqrt" and steps.n == UNBOUNDED:
        raise TypeMismatch(
            'checkpoint="sqrt" of a number of steps that is not bounded', loc, "a positive number"
        )
    if checkpoint == "sqrt":
        slots = math.isqrt(max(steps.n - 1, 0)) + 1
    elif isinstance(checkpoint, int) and not isinstance(checkpoint, bool) and checkpoint > 0:
        slots = checkpoint
    else:
        raise TypeMismatch(
            f"checkpoint={checkpoint!r}", loc, '"all", "sqrt", "auto" or a positive number'
        )
    return replace(steps, slots=0 if slots >= steps.n else slots)


def kept_carries(steps: Steps, size: int) -> int:
    """How many carries of `size` bytes the reverse pass of a scan keeps; 0 for all of them."""
    if steps.n == UNBOUNDED and not steps.slots:
        return max(min(FEW, (steps.budget or BUDGET) // max(size, 1)), 1)
    if not steps.budget or steps.n * size <= steps.budget:
        return steps.slots
    return max(steps.budget // size, 1)


def checkpoint_plan(steps: int, slots: int, carry_bytes: int = 0) -> Plan:
    """What the reverse of a scan costs that keeps `slots` carries of `carry_bytes` bytes each.

    With a carry kept of every step none is run again. With fewer, the least number of steps run again is
    r n - binom(c + r, c + 1), where r is the least number with binom(c + r, c) >= n (Griewank and Walther 2000,
    theorem 6.1).
    """
    if slots >= steps:
        return Plan(steps, steps * carry_bytes, 0)
    r = 0
    while math.comb(slots + r, slots) < steps:
        r += 1
    recomputed = r * steps - math.comb(slots + r, slots + 1)
    return Plan(slots, slots * carry_bytes, recomputed)
