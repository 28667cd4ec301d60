"""What was measured of a motion, and what a scene says should have been measured.

A `Measurement` has times and, for each, numbers by the names of the state's parts: position.0, angle. Between
two steps of the motion the prediction is linear in time, which is exact at the steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rose_ad as ra

from ..errors import SceneError
from ..given import leaves, told
from ..scene.fields import near
from .curves import dotted
from .problem import Arrays, Problem, Values

Floats = NDArray[np.float64]

EDGE = 1e-9  # of a step, by which a time may be rounded


@dataclass(frozen=True)
class Measurement:
    """Times (n,), in the unit of the scene's `dt` and from its beginning, and columns (n,) by name; NaN where
    nothing was measured.

    `settings` are live fields that were other in this one, as the throw was. `source` says of errors where it
    comes from. `passed_over` are the lengths of arrays that were found beside, without a number for each time.
    """

    times: Any
    columns: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    source: str = "the measurement"
    passed_over: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises SceneError for times that are not finite or not in order, and for columns of other lengths."""
        times = _row(self.times, f"{self.source}: times")
        columns = {n: _row(c, f"{self.source}: {n}") for n, c in self.columns.items()}
        _check_times(times, self.source)
        for name, column in columns.items():
            if column.shape != times.shape:
                raise SceneError(
                    f"{self.source}: {name} has {column.size} numbers for {times.size} times"
                )
            if np.isinf(column).any():
                raise SceneError(
                    f"{self.source}: {name} has an infinite number; what was not measured is NaN"
                )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "columns", columns)

    def parted(self, share: float) -> tuple[Measurement, Measurement | None]:
        """The first of it, and the last `share` of its times; None where that is none of them.
        Raises SceneError where it is all."""
        cut = len(self.times) - round(share * len(self.times))
        if cut == len(self.times):
            return self, None
        if not cut:
            raise SceneError(
                f"{self.source} has {len(self.times)} times, and to hold out {share:g} of them leaves none to"
                " fit"
            )
        return self._rows(slice(None, cut)), self._rows(slice(cut, None))

    def _rows(self, rows: slice) -> Measurement:
        columns = {n: c[rows] for n, c in self.columns.items()}
        return Measurement(self.times[rows], columns, self.settings, self.source)


class Prediction:
    """What a problem says of some of the state's numbers, after each step, and its derivatives.

    Raises SceneError for a name that the state has not.
    """

    def __init__(self, problem: Problem, names: Sequence[str], fit: Sequence[str]) -> None:
        self._problem, self.names, self._fit = problem, tuple(names), tuple(fit)
        known = numbers_of(problem)
        for name in names:
            if name not in known:
                raise SceneError(
                    f"the state of {problem.scene.name} has no {name!r}{near(name, known)}"
                )
        self._places = [known[name] for name in names]
        traced = ra.fn(self._trace)
        self._values, self._slopes = traced, ra.jacfwd(traced)

    def _trace(self, fitted: Values, others: Values) -> Any:
        scene = self._problem.bound(fitted, others)
        first = scene.initial()
        step = scene.stepping(first)

        def seen(state: Any, t: Any) -> Any:
            parts = [leaf for _, leaf in leaves(state, "")]
            return step(state, t), ra.array([1.0 * parts[k][at] for k, at in self._places])

        times = np.minimum(np.arange(self._problem.steps + 1), max(self._problem.steps - 1, 0))
        return ra.scan(seen, first, times)[1]

    def at(self, values: Values, measurement: Measurement) -> Floats:
        """What should have been measured, (n, k)."""
        rows = np.asarray(self._values(*self._split(values, measurement)))
        return self._between(rows, self._times(values, measurement))

    def derivatives(self, values: Values, measurement: Measurement) -> Arrays:
        """Its derivative (n, k, ...) in each field that is fitted."""
        found = self._slopes(*self._split(values, measurement))
        times = self._times(values, measurement)
        return {n: self._between(np.asarray(rows), times) for n, rows in found.items()}

    def check(self, values: Values, measurement: Measurement) -> None:
        """Raise SceneError for what was measured before or after the motion, and for settings that the scene
        has not."""
        whole = self._whole(values, measurement)
        end = self._problem.steps * float(whole["dt"])
        first, last = measurement.times[0], measurement.times[-1]
        rounding = EDGE * float(whole["dt"])
        if first < -rounding:
            raise SceneError(
                f"{measurement.source} begins at {first:g}, and the motion at 0: times are counted from there"
            )
        if last > end + rounding:
            later = f", or subtract {first:g} if the motion begins there" if first > 0 else ""
            raise SceneError(
                f"{measurement.source} goes from {first:g} to {last:g}, and the motion from 0 to {end:g}:"
                f" --set steps={int(np.ceil(last / float(whole['dt'])))}{later}"
            )

    def _split(self, values: Values, measurement: Measurement) -> tuple[Arrays, Arrays]:
        whole = self._whole(values, measurement)
        return {n: whole.pop(n) for n in self._fit}, whole

    def _whole(self, values: Values, measurement: Measurement) -> Arrays:
        """All values, with what was other in this measurement; but what is fitted is as in the values."""
        other = {n: v for n, v in measurement.settings.items() if n not in self._fit}
        return self._problem.complete({**values, **other})

    def _times(self, values: Values, measurement: Measurement) -> Floats:
        """The times in steps."""
        dt = float(self._whole(values, measurement)["dt"])
        return np.asarray(np.clip(measurement.times / dt, 0.0, self._problem.steps))

    def _between(self, rows: NDArray[Any], times: Floats) -> Floats:
        """Rows for each step (steps + 1, ...) at times in steps (n,)."""
        near = np.round(times)
        times = np.where(abs(times - near) < EDGE, near, times)
        before = np.minimum(times.astype(int), max(self._problem.steps - 1, 0))
        share = (times - before).reshape(-1, *[1] * (rows.ndim - 1))
        return np.asarray(
            np.where(
                share == 0, rows[before], rows[before] * (1 - share) + rows[before + 1] * share
            )
        )


def numbers_of(problem: Problem) -> dict[str, tuple[int, Any]]:
    """Every float and whole number of a state by its name, with the leaf that it is in and its place there."""
    found: dict[str, tuple[int, Any]] = {}
    for k, (name, leaf) in enumerate(leaves(problem.initial(problem.values), "")):
        array = np.asarray(leaf)
        if array.dtype.kind in "if":
            for at in np.ndindex(array.shape):
                found[".".join(map(str, (dotted(name), *at)))] = k, at or ...
    return found


def _check_times(times: Floats, source: str) -> None:
    """Raise SceneError for the first time that is not finite, or is before the one before it."""
    if not times.size:
        raise SceneError(f"{source}: there are no times; wanted one or more")
    lost = np.flatnonzero(~np.isfinite(times))
    if lost.size:
        raise SceneError(f"{source}: time {lost[0]} is {times[lost[0]]}; wanted finite numbers")
    back = np.flatnonzero(np.diff(times) < 0)
    if back.size:
        before, after = times[back[0] : back[0] + 2]
        raise SceneError(
            f"{source}: times go up, and time {back[0] + 1} is {after:g}, after {before:g}: sort the rows, or"
            " make a file of each recording"
        )


def _row(given: Any, name: str) -> Floats:
    try:
        found = np.asarray(np.zeros((0, 0)) if np.iscomplexobj(given) else given, float)
    except (TypeError, ValueError):
        found = np.zeros((0, 0))
    if found.ndim != 1:
        raise SceneError(f"{name} are numbers in a row, not {told(given)}")
    return found
