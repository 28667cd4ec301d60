"""What a gradient costs, and how far it is from differences."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem

TIMING_SECONDS = 0.15  # how long calls are repeated for their median, unless --repeat says it


def costs(problem: Problem, repeat: int | None = None) -> dict[str, Any]:
    """What the problem takes: time to compile, for a gradient and for a loss; and memory."""
    values = problem.values
    return {
        "steps": problem.steps,
        "compile_seconds": problem.compile_seconds,
        "from_cache": problem.from_cache,
        "gradient_seconds": _median_seconds(lambda: problem.value_and_gradient(values), repeat),
        "forward_seconds": _median_seconds(lambda: problem.loss(values), repeat),
        "scratch_bytes": problem.scratch_bytes,
    }


def _median_seconds(call: Callable[[], object], repeat: int | None) -> float:
    """The median time of `repeat` calls, or of as many as fit in a moment, after one that may compile."""
    call()
    times: list[float] = []
    begin = perf_counter()
    while len(times) < (repeat or 25):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
        if repeat is None and perf_counter() - begin > TIMING_SECONDS:
            break
    return statistics.median(times)


def disagreement(gradient: Mapping[str, Any], other: Mapping[str, Any], loss: float) -> float:
    """The largest difference of any control, relative to the larger of its two gradients.

    Differences of a loss cannot resolve less than its rounding, whence the floor.
    """
    worst = 0.0
    for name, value in gradient.items():
        size = max(float(np.max(np.abs(v), initial=0.0)) for v in (value, other[name]))
        apart = float(np.max(np.abs(np.subtract(value, other[name])), initial=0.0))
        relative = apart / max(size, 1e-6 * max(1.0, abs(loss)))
        worst = max(worst, relative) if math.isfinite(relative) else math.inf
    return worst
