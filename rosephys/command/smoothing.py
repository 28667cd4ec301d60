"""What `gradient --smooth` prints: the gradient of the smoothed loss, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rosephys.command.report import print_table

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem
    from rosephys.solve.smoothing import Smoothed

SHOWN = 6  # numbers of a control


def smoothed(problem: Problem, noise: float, seed: int) -> Smoothed:
    """The smoothed gradient at the problem's values."""
    from rosephys.solve.smoothing import smoothed_gradient

    return smoothed_gradient(problem, problem.values, noise, seed=seed)


def print_smoothed(problem: Problem, found: Smoothed | None) -> None:
    """Print it, number by number, with the standard errors."""
    if found is None:
        return
    rows: list[Sequence[str]] = [
        ["control", "smoothed", "standard error", "by slopes", "by values"]
    ]
    for name in problem.controls:
        for at in list(np.ndindex(found.gradient[name].shape))[:SHOWN]:
            parts = (found.gradient, found.error, found.first, found.zeroth)
            cells = [f"{float(part[name][at]):.6g}" for part in parts]
            rows.append([".".join(map(str, (name, *at))), *cells])
    print(f"\nsmoothed: the loss is {found.loss:.6g}; slopes count {100 * found.share:.3g} %\n")
    print_table(rows)
    size = math.sqrt(sum(float(np.vdot(g, g)) for g in found.gradient.values()))
    error = math.sqrt(sum(float(np.vdot(e, e)) for e in found.error.values()))
    if error > size:
        print(
            "\nthe errors are larger than the gradient: it needs more noise, or says nothing here"
        )
