"""Numbers over time, or over the iterations of a descent, to be plotted or written down."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..given import leaves
from ..scene.fields import near
from ..scene.scene import costed

if TYPE_CHECKING:
    from .problem import Problem

LOSS = "loss"  # the curve that is over iterations; all others are over time
COST = "cost"  # the curve of the cost along the way
MOST = 8  # curves in one plot


@dataclass(frozen=True)
class Curves:
    """One plot: `ys` (n, k) over `xs` (n,), with a label for each of the k; `over` names the xs."""

    title: str
    over: str
    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    labels: tuple[str, ...]


def curves(
    problem: Problem, values: Any, losses: Sequence[float], names: Sequence[str]
) -> list[Curves]:
    """A plot for each name: "loss", "cost" of a scene that has one, a part of the state, such as position or
    position.0, or a field with a row for each step, such as the thrust.

    Raises SceneError for a name that is none of these, with what there is, and for a part with more than MOST
    numbers.
    """
    made = []
    trajectory = None
    for name in names:
        if name == LOSS:
            count = np.arange(len(losses), dtype=float)
            made.append(Curves("loss", "iteration", count, np.array(losses)[:, None], ("loss",)))
            continue
        if name == COST and costed(problem.scene):
            ys = np.asarray(problem.costs(values), np.float64)[:, None]
            times = np.arange(len(ys), dtype=np.float64) * float(values["dt"])
            made.append(Curves("cost", _time(problem), times, ys, (COST,)))
            continue
        trajectory = problem.trajectory(values) if trajectory is None else trajectory
        known = _rows(problem, values) | _rows_of_state(trajectory)
        made.append(_over_time(problem, known, name, float(values["dt"])))
    return made


def _rows_of_state(trajectory: Any) -> dict[str, NDArray[Any]]:
    """The numbers of all states, by the names of the parts."""
    known = {dotted(full): np.asarray(leaf) for full, leaf in leaves(trajectory, "")}
    return {full: array for full, array in known.items() if array.dtype.kind in "bif"}


def _rows(problem: Problem, values: Any) -> dict[str, NDArray[Any]]:
    """The fields with a row for each step."""
    arrays = {name: np.asarray(value) for name, value in problem.complete(values).items()}
    return {name: a for name, a in arrays.items() if a.shape[:1] == (problem.steps,)}


def _over_time(problem: Problem, known: dict[str, NDArray[Any]], name: str, dt: float) -> Curves:
    found = next((full for full in known if name == full or name.startswith(f"{full}.")), None)
    index = name[len(found) + 1 :].split(".") if found and name != found else []
    try:
        entry: tuple[Any, ...] = (slice(None), *(int(k) for k in index))
        part = known[found or name][entry]
    except (KeyError, ValueError, IndexError):
        others = [LOSS, *[COST] * costed(problem.scene), *known]
        raise SceneError(
            f"{problem.scene.name} has no {name!r} to be plotted{near(name, others)}"
        ) from None
    ys = np.asarray(part.reshape(len(part), -1), np.float64)
    if ys.shape[1] > MOST:
        which = ".".join([name, *("0" for _ in part.shape[1:])])
        raise SceneError(f"{name} has {ys.shape[1]} numbers: say which, such as {which}")
    entries = [".".join(map(str, (name, *k))) for k in np.ndindex(part.shape[1:])]
    return Curves(
        name, _time(problem), dt * np.arange(len(ys), dtype=np.float64), ys, tuple(entries)
    )


def _time(problem: Problem) -> str:
    return ", ".join(filter(None, ("time", problem.scene.fields["dt"].unit)))


def dotted(name: str) -> str:
    """arms.0.angle for .arms[0].angle"""
    return re.sub(r"\[['\"]?(.*?)['\"]?\]", r".\1", name).lstrip(".") or "state"
