"""A descent from each of several starts: from the controls as they are, and from the best of those around them.

A local minimum is left so, and a contact found that is missed at first (multi-start: Rinnooy Kan and Timmer,
Mathematical Programming 39, 1987; the starts are screened by one evaluation each, see scout.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import OptimizeError
from .iterate import Iterate
from .optimize import descend
from .scout import BATCH, Scout

if TYPE_CHECKING:
    from .problem import Problem, Values


def descend_from(
    problem: Problem,
    *,
    starts: int,
    seed: int = 0,
    values: Values | None = None,
    **how: Any,
) -> Iterator[tuple[int, Iterate]]:
    """The iterates of `starts` descents, one after the other, each with the number of its descent.

    `how` is what `descend` takes. Raises what that raises of the first descent, of which one at least is asked
    for, and BATCH + 1 at most; a later one ends where its loss is not finite. Those of multi-start go on side
    by side, as one descent.
    """
    if not 1 <= starts <= BATCH + 1:
        raise ValueError(f"starts are 1 to {BATCH + 1}, not {starts}")
    first = problem.complete(values or {})
    together = goes_on_from_many(problem, how.get("optimizer"))
    if together and starts > 1:
        how["starts"] = starts
    for iterate in descend(problem, values=first, seed=seed, **how):
        yield 0, iterate
    if together or starts == 1 or not problem.controls:
        return
    for k, other in enumerate(Scout(problem, seed).starts(first, starts - 1)):
        with suppress(OptimizeError):
            for iterate in descend(problem, values=other, seed=seed, **how):
                yield k + 1, iterate


def goes_on_from_many(problem: Problem, optimizer: str | None) -> bool:
    """Whether an optimiser, the scene's own if it is None, makes one descent of all starts."""
    return (optimizer or problem.scene.optimizer) == "multi-start"
