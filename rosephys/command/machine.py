"""Compiled steps of a scene against what the interpreter, which is slow and plain, says they mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

import rose_ad as ra

from ..solve.problem import Arrays
from .finding import Finding, Run

INTERPRETED = 1e-9  # a larger relative difference from the interpreter is called wrong
MOMENTS = 5  # of the motion whose steps are interpreted
INSTRUCTIONS = (
    3_000_000  # that the first may take, some seconds; all others together may take as many
)
MORE = 100_000_000  # the same for a thorough check
WHAT = "compiled against interpreted"


def interpreter(run: Run) -> Iterator[Finding]:
    """Whether compiled steps do what they mean.

    A step that takes too long to interpret is compared with that of a program made without the optimiser.
    """
    steps = max(run.problem.steps - 1, 0)
    moments = np.unique(np.linspace(0, steps, MOMENTS).astype(int)).tolist()
    found = _interpreted(run, moments)
    plainly = "" if found else "without the optimiser, for it is too large to interpret: "
    found = found or _without_optimiser(run, moments)
    worst = max(found)
    if worst <= INTERPRETED:
        steps_are = "1 step differs" if len(found) == 1 else f"{len(found)} steps differ"
        yield Finding(WHAT, "ok", f"{plainly}{steps_are} by {worst:.1g} at most")
    else:
        advice = "a bug in rose_ad, not in the scene: please report it with the scene's file"
        yield Finding(WHAT, "FAILED", f"{plainly}a step differs by {worst:.3g}", advice)


def _interpreted(run: Run, moments: list[int]) -> list[float]:
    """How far interpreted steps are off, at as many of the moments as are not too long."""
    function = ra.fn(_step(run)).lower(*_arguments(run, 0)).program.function
    most = MORE if run.thorough else INSTRUCTIONS
    found: list[float] = []
    for t in moments:
        try:
            told = ra.interpret(function, ra.flatten(_arguments(run, t))[0], most)
        except ra.TooLong:
            break
        found.append(_off(run, t, told))
        most = min(most, INSTRUCTIONS // MOMENTS) if not run.thorough else most
    return found


def _without_optimiser(run: Run, moments: list[int]) -> list[float]:
    """How far steps are off from those of a program that is compiled as it was traced."""
    as_traced = ra.SCHEDULE.mapped(
        lambda rule: rule,
        lambda p: p if p.name == "unwind" else replace(p, apply=lambda *_: None),
    )
    step = ra.scheduled(ra.fn(_step(run)), replace(as_traced, rules=()))
    return [_off(run, t, ra.flatten(step(*_arguments(run, t)))[0]) for t in moments]


def _step(run: Run) -> Any:
    def step(state: Any, t: Any, values: Any) -> Any:
        return run.problem.scene.bound(values).step(state, t)

    return step


def _arguments(run: Run, t: int) -> tuple[Any, int, Arrays]:
    return ra.map_leaves(lambda a: a[t], run.trajectory), t, dict(run.values)


def _off(run: Run, t: int, told: list[Any]) -> float:
    """How far the state after step t is from what is told of it, relative to the sizes of its arrays."""
    leaves = ra.flatten(run.trajectory)[0]
    sizes = [float(np.max(np.abs(leaf), initial=0.0)) for leaf in leaves]
    # what rests has velocities of rounding alone: a millionth of the state's size is their measure
    least = max(1e-6 * max(sizes, default=0.0), 1e-12)
    worst = 0.0
    for a, leaf, size in zip(told, leaves, sizes, strict=True):
        off = float(np.max(np.abs(np.subtract(a, leaf[t + 1], dtype=float)), initial=0.0))
        worst = max(worst, off / max(size, least))
    return worst
