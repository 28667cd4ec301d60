"""Where a scene's models stop to hold, and where a number stops to be one.

The limits that a scene states are tested on its first state, before it runs, and on those of its motion, which
stops at the first that is exceeded: what comes after has no meaning, and may not even have a place in an array.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

import rose_ad as ra

from ..errors import NotFiniteError
from ..limit import Limit

if TYPE_CHECKING:
    from .problem import Arrays, Problem, Values


@dataclass(frozen=True)
class Breach:
    """A limit that is exceeded by a state, which has the number `step`."""

    limit: Limit
    step: int

    @property
    def words(self) -> str:
        """For people."""
        when = f" (at step {self.step})" if self.step else ""
        return self.limit.words + when


def at_first(problem: Problem, values: Values) -> Breach | None:
    """The limit that the first state exceeds, if any; no step is made."""
    return _first(problem.first_limits(values))


def in_motion(problem: Problem, values: Values) -> Breach | None:
    """The limit that is exceeded first, if any is; takes a run of the motion as far as that."""
    return _first(problem.limits(values))


def _first(limits: tuple[Limit, ...]) -> Breach | None:
    """The limit that is exceeded at the earliest step, of limits whose numbers have an entry for each; what is
    not a number exceeds."""
    found = []
    for limit in limits:
        value, bound = np.atleast_1d(limit.value), np.atleast_1d(limit.bound)
        over = ~(value <= bound)
        if over.any():
            step = int(np.argmax(over))
            numbers = [np.atleast_1d(number)[step] for number in limit.numbers]
            at = replace(limit, value=value[step], bound=bound[step], numbers=numbers)
            found.append(Breach(at, step))
    return min(found, key=lambda breach: breach.step, default=None)


@dataclass(frozen=True)
class Lost:
    """The first state with a number that is not finite, and the array it is in."""

    name: str
    step: int

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.name} is not finite from step {self.step} on"


def lost(trajectory: Any) -> Lost | None:
    """Where a motion stops to be finite, if it does."""
    leaves, _ = ra.flatten(trajectory)
    arrays = [np.asarray(leaf, float).reshape(len(leaf), -1) for leaf in leaves]
    bad = np.array([~np.isfinite(a).all(axis=1) for a in arrays])
    if not bad.any():
        return None
    step = int(np.argmax(bad.any(axis=0)))
    name = next(n for n, b in zip(_names(trajectory), bad, strict=True) if b[step])
    return Lost(name, step)


def _names(x: Any, name: str = "the state") -> list[str]:
    """The names of the leaves of a state."""
    if is_dataclass(x):
        return [n for f in fields(x) for n in _names(getattr(x, f.name), f.name)]
    if isinstance(x, Mapping):
        return [n for key in x for n in _names(x[key], str(key))]
    if isinstance(x, (tuple, list)):
        return [n for k, part in enumerate(x) for n in _names(part, f"{name}[{k}]")]
    return [name]


def evaluate(problem: Problem, values: Values, when: str = "") -> tuple[float, Arrays]:
    """The loss and its gradient. Raises NotFiniteError where the motion leaves what its model has room for."""
    try:
        return problem.value_and_gradient(values)
    except IndexError as error:
        breach = in_motion(problem, values)
        if breach is None:
            raise
        raise NotFiniteError(f"there is no loss{when}: {breach.words}") from error


def check_finite(
    problem: Problem, values: Values, loss: float, gradient: Arrays, when: str = ""
) -> None:
    """Raise NotFiniteError, with what is to blame, if the loss or the gradient there is not finite."""
    bad = [name for name, g in gradient.items() if not np.isfinite(g).all()]
    if math.isfinite(loss) and not bad:
        return
    finite = math.isfinite(loss)
    what = f"the gradient in {bad[0]} is not finite" if finite else f"the loss is {loss}"
    raise NotFiniteError(f"{what}{when}: {cause(problem, values)}")


def cause(problem: Problem, values: Values) -> str:
    """Why a loss or a gradient there is not finite: the limit that is exceeded; the array and the step,
    and the line, where a number is the first that is not finite."""
    return "; ".join(_causes(problem, values)) or "a number grows beyond all others"


def _causes(problem: Problem, values: Values) -> Iterator[str]:
    whose, problem, values = problem.suspect(values)
    if whose:
        yield whose
    breach = in_motion(problem, values)
    if breach is not None:
        yield breach.words
    try:
        where = lost(problem.trajectory(values))
        if where is not None:
            yield where.words
        line = origin(problem, values)
        if line:
            yield line
    except IndexError:  # what is lost is then looked up with, which tells nothing new
        return


def origin(problem: Problem, values: Values) -> str:
    """The operation and the line where the first NaN of the loss or the gradient begins, in words; none if
    there is no NaN."""
    try:
        with ra.debug_nans():
            problem.value_and_gradient(values)
    except ra.NanFound as found:
        return str(found)
    return ""
