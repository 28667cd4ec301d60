"""System identification: the parameters of a scene from what was measured of its motion.

What is minimised is the sum of the squares of the residuals, measured less predicted, each over the noise of
its column. That is estimated too, from the residuals of the fit before (iteratively reweighted least squares),
where there is more than one column. With J the exact derivatives of the weighted residuals, s² their mean
square over n - p degrees of freedom, the covariance of the parameters is s² (JᵀJ)⁻¹ and an interval
± t(n - p) √diag: it holds for noise that is normal and independent, where the prediction is as good as linear
over the width of the interval. What lies in the null space of J has no interval; what does not keeps its own,
by the pseudo-inverse.

Source: Seber and Wild, Nonlinear regression, 1989, 2.1 and 5.1; Carroll and Ruppert, Transformation and
weighting in regression, 1988, 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..asked import whole
from ..errors import OptimizeError, SceneError
from ..given import told
from ..scene.contract import check_scene
from ..scene.scene import Scene, unknown
from .apart import Confounded, confounded, null_space
from .iterate import Iterate, Task
from .levenberg_marquardt import levenberg_marquardt
from .measurement import Measurement, Prediction, numbers_of
from .multi_start import draws
from .problem import Arrays, Problem, Values
from .student import student_quantile

Floats = NDArray[np.float64]

ROUNDS, SETTLED = 10, 1e-3  # of estimating the noise of columns, and its relative change at the end
ITERATIONS = 200  # of a fit
LEAST = 1e-9  # noise of a column, as a share of what it varies by, so that it can be divided by
SIGMAS = 4.0  # by which the correlation of noise with itself may be off zero
HARDLY = 0.99  # a correlation above which two parameters are hardly told apart


@dataclass(frozen=True)
class Estimate:
    """A number that was fitted, its standard deviation and its interval; these are infinite where `note` says
    why: "not told apart", or "at its bound", where they mean nothing."""

    name: str
    unit: str
    value: float
    deviation: float
    low: float
    high: float
    note: str = ""


@dataclass(frozen=True)
class Column:
    """What is left of a column: the deviation of its noise, the root mean square of the residuals that were
    fitted and of those that were held out (NaN if none were), and how many of each; and the correlation of each
    residual that was fitted with the next (NaN where rounding is all that is left)."""

    name: str
    noise: float
    fitted: float
    held_out: float
    counts: tuple[int, int]
    following: float

    @property
    def white(self) -> bool:
        """Whether what is left may be noise, each number its own: of noise the correlation is within a few
        1/√n (Ljung, System identification, 16.6). Where it is not, the intervals are of no use."""
        return not self.following > SIGMAS / math.sqrt(max(self.counts[0], 1))


@dataclass(frozen=True)
class Identified:
    """What was found: `values` are all live fields; `correlations` (p, p) those of the estimates.

    `residuals` are measured less predicted, (n, k) for each measurement, held-out ones included.
    """

    values: Arrays
    estimates: tuple[Estimate, ...]
    confounded: tuple[Confounded, ...]
    correlations: Floats
    columns: tuple[Column, ...]
    residuals: tuple[Floats, ...]
    iterations: int
    level: float

    @property
    def hardly(self) -> list[tuple[str, str, float]]:
        """Pairs that are hardly told apart, with their correlation."""
        names = [estimate.name for estimate in self.estimates]
        pairs = zip(*np.triu_indices(len(names), 1), strict=True)
        found = [(names[a], names[b], float(self.correlations[a, b])) for a, b in pairs]
        return [(a, b, c) for a, b, c in found if abs(c) > HARDLY]


class Fitting(Problem):
    """A problem whose controls are the fields to fit, and whose residuals are those of measurements that have
    these columns, each over the noise of its column (k,).

    It is compiled once, for as many `measurements` as are put to it. Raises SceneError for fields and columns
    that the scene has not.
    """

    def __init__(self, scene: Scene, columns: Sequence[str], fit: Sequence[str]) -> None:
        _check_fields(scene, fit)
        super().__init__(scene)
        self.controls = tuple(fit)
        self.columns = tuple(columns)
        self.measurements: list[Measurement] = []
        self.prediction = Prediction(self, self.columns, fit)
        self.noise = np.ones(len(self.columns))

    def check(self, measurements: Sequence[Measurement]) -> None:
        """Raise SceneError for measurements of other columns, and of what is not in the motion."""
        for measurement in measurements:
            if tuple(measurement.columns) != self.columns:
                raise SceneError(
                    f"{measurement.source} has the columns {', '.join(measurement.columns)}; wanted"
                    f" {', '.join(self.columns)}"
                )
            self.prediction.check(self.values, measurement)

    def left(self, values: Values, measurements: Sequence[Measurement]) -> list[Floats]:
        """Measured less predicted, (n, k) for each; NaN where nothing was measured."""
        found = []
        for m in measurements:
            measured = np.stack([m.columns[n] for n in self.columns], axis=1)
            found.append(measured - self.prediction.at(values, m))
        return found

    def residuals(self, values: Values) -> Floats:
        """The residuals over their noise, (m,)."""
        rows = np.concatenate(self.left(values, self.measurements)) / self.noise
        return np.asarray(rows[self.known])

    def residual_derivatives(self, values: Values) -> Arrays:
        """Their derivatives in what is fitted, (m, ...)."""
        each = [self.prediction.derivatives(values, m) for m in self.measurements]
        out = {}
        for name in self.controls:
            rows = np.concatenate([slopes[name] for slopes in each])
            shape = (1, len(self.noise), *[1] * (rows.ndim - 2))
            out[name] = -(rows / self.noise.reshape(shape))[self.known]
        return out

    def value_and_gradient(self, values: Values) -> tuple[float, Arrays]:
        """The sum of their squares, and its gradient."""
        residuals, slopes = self.residuals(values), self.residual_derivatives(values)
        gradient = {n: 2 * np.tensordot(residuals, rows, 1) for n, rows in slopes.items()}
        return float(residuals @ residuals), gradient

    def jacobian(self, values: Values) -> Floats:
        """The derivatives of the weighted residuals in every number that is fitted, (m, p)."""
        slopes = self.residual_derivatives(values)
        rows = [slopes[n].reshape(len(slopes[n]), -1) for n in self.controls]
        return np.asarray(np.concatenate(rows, axis=1))

    @property
    def sizes(self) -> Floats:
        """By how much each column varies, (k,)."""
        whole = [np.concatenate([m.columns[n] for m in self.measurements]) for n in self.columns]
        return np.array([float(np.nanstd(column)) or 1.0 for column in whole])

    @property
    def known(self) -> NDArray[np.bool_]:
        measured = [
            np.stack([m.columns[n] for n in self.columns], axis=1) for m in self.measurements
        ]
        return np.asarray(np.isfinite(np.concatenate(measured)))


def identify(
    scene: Scene,
    measurements: Measurement | Sequence[Measurement],
    fit: Sequence[str],
    *,
    hold_out: float = 0.0,
    level: float = 0.95,
    iterations: int = ITERATIONS,
    starts: int = 1,
    seed: int = 0,
) -> Identified:
    """The values of the fields `fit`, floats or arrays, with intervals of the given level.

    The search begins with the scene's own values and keeps the fields' bounds; with more than one of `starts`
    also with others, far and near, drawn from `seed`, and what fits best is taken. The last part `hold_out` of
    each measurement is not fitted, and compared with what is predicted. Raises SceneError for fields and
    columns that the scene has not, for fewer numbers than are to be fitted, and for what cannot be a level, a
    part or a number of starts; OptimizeError where the motion from there is not finite.
    """
    given = [measurements] if isinstance(measurements, Measurement) else measurements
    if not isinstance(given, (list, tuple)) or not all(isinstance(m, Measurement) for m in given):
        raise SceneError(f"wanted a Measurement, or several in a list, not {told(given)}")
    if not given or not given[0].columns:
        raise SceneError("nothing was measured: there is no column")
    problem = Fitting(scene, tuple(given[0].columns), fit)
    how: dict[str, Any] = {"level": level, "iterations": iterations, "starts": starts, "seed": seed}
    return fitted(problem, given, hold_out=hold_out, **how)


def fitted(
    problem: Fitting,
    measurements: Sequence[Measurement],
    *,
    hold_out: float = 0.0,
    level: float = 0.95,
    iterations: int = ITERATIONS,
    starts: int = 1,
    seed: int = 0,
) -> Identified:
    """What `identify` gives, by a problem that may be compiled already."""
    if not 0 <= hold_out < 1:
        raise SceneError(f"what is held out is a part from 0 to below 1, not {told(hold_out)}")
    if not 0 < level < 1:
        raise SceneError(f"the level of an interval lies between 0 and 1, not at {told(level)}")
    whole("starts", starts, least=1)
    whole("iterations", iterations)
    whole("seed", seed)
    problem.check(measurements)
    parted = [m.parted(hold_out) for m in measurements]
    problem.measurements = [first for first, _ in parted]
    held = [last for _, last in parted if last is not None]
    numbers = sum(problem.values[n].size for n in problem.controls)
    count = int(problem.known.sum())
    if count <= numbers:
        was = "number was" if count == 1 else "numbers were"
        raise SceneError(f"{count} {was} measured; to fit {numbers} takes more than as many")
    values, made = _fitted(problem, iterations, starts, seed)
    estimates, correlations, found = _estimated(problem, values, level)
    return Identified(
        values,
        estimates,
        tuple(found),
        correlations,
        _columns(problem, values, held),
        tuple(problem.left(values, measurements)),
        made,
        level,
    )


def measurable(scene: Scene) -> tuple[str, ...]:
    """The names of the numbers of a scene's state, of which columns of a measurement are."""
    return tuple(numbers_of(Problem(scene)))


def _check_fields(scene: Scene, fit: Sequence[str]) -> None:
    check_scene(scene)
    if not fit or not isinstance(fit, (list, tuple)):
        came = f", not {told(fit)}" if fit else ""
        raise SceneError(f"name a field or more to fit, as ['mass']{came}")
    for name in fit:
        if name not in scene.fields:
            raise SceneError(unknown(scene, name, scene.live))
        if name == "dt":
            raise SceneError("dt is what measured times are counted in, and cannot be fitted")
        if name not in scene.live:
            raise SceneError(
                f"{name} is the {scene.fields[name].type}: fields that are floats or arrays can be fitted"
            )
    if len(set(fit)) < len(fit):
        raise SceneError(f"a field is fitted twice: {', '.join(fit)}")


def _fitted(problem: Fitting, iterations: int, starts: int, seed: int) -> tuple[Arrays, int]:
    """The values at the least squares, and how many iterations that took."""
    problem.noise = problem.sizes
    first = _least_of(problem, iterations, starts, seed) if starts > 1 else None
    values, made = (first.values, first.iteration) if first else (dict(problem.values), 0)
    for _ in range(ROUNDS if len(problem.columns) > 1 else 1):
        last = _least(problem, values, iterations)
        values, made = last.values, made + last.iteration
        before, problem.noise = problem.noise, _noise(problem, values)
        if np.all(abs(problem.noise - before) <= SETTLED * before):
            break
    return values, made


def _least(problem: Fitting, values: Arrays, iterations: int) -> Iterate:
    steps: Iterator[Iterate] = levenberg_marquardt(Task(problem, values, 1.0))
    last = next(steps)
    for last in steps:
        if last.iteration >= iterations:
            break
    return last


def _least_of(problem: Fitting, iterations: int, starts: int, seed: int) -> Iterate:
    """The best of the fits from the problem's own values and from others. Raises what the first does that
    cannot go on, where none can."""
    drawn = draws(problem, problem.values, np.random.default_rng(seed), starts)
    found, failed = [], None
    for k in range(starts):
        begun = {**problem.values, **{n: rows[k] for n, rows in drawn.items()}}
        try:
            found.append(_least(problem, begun, iterations))
        except (OptimizeError, IndexError) as error:
            failed = failed or error
    if failed is not None and not found:
        raise failed
    return min(found, key=lambda iterate: iterate.loss)


def _noise(problem: Fitting, values: Arrays) -> Floats:
    """The deviation of the noise of each column, (k,); never quite zero."""
    left = np.concatenate(problem.left(values, problem.measurements))
    count = np.isfinite(left).sum()
    fitted = sum(problem.values[n].size for n in problem.controls)
    inflated = math.sqrt(count / max(count - fitted, 1))
    size = np.sqrt(np.nanmean(left**2, axis=0)) * inflated
    return np.asarray(np.maximum(size, LEAST * problem.sizes))


def _estimated(
    problem: Fitting, values: Arrays, level: float
) -> tuple[tuple[Estimate, ...], Floats, list[Confounded]]:
    names, units, x, low, high = _numbers(problem, values)
    slopes = problem.jacobian(values)
    residuals = problem.residuals(values)
    if not (np.isfinite(slopes).all() and np.isfinite(residuals).all()):
        raise OptimizeError(
            "the derivatives of what was measured are not finite where the fit ended"
        )
    held = (x <= low) | (x >= high)
    free = np.flatnonzero(~held)

    def predict(moved: Floats) -> Floats:
        whole = x.copy()
        whole[free] = moved
        return problem.residuals({**values, **_parted(problem, whole)})

    apart = confounded([names[k] for k in free], x[free], slopes[:, free], predict)
    lengths = np.linalg.norm(slopes[:, free], axis=0)
    lengths = np.where(lengths > 0, lengths, 1.0)
    null = null_space(slopes[:, free])
    freedom = len(residuals) - len(free) + null.shape[1]
    variance = float(residuals @ residuals) / freedom
    inverse = np.linalg.pinv(slopes[:, free] / lengths, rcond=1e-9)
    covariance = variance * (inverse @ inverse.T) / np.outer(lengths, lengths)
    deviations = np.full(len(x), math.inf)
    deviations[free] = np.sqrt(np.diag(covariance))
    lost = np.zeros(len(x), bool)
    lost[free] = np.linalg.norm(null, axis=1) > 1e-6
    deviations[lost] = math.inf
    t = student_quantile(0.5 + level / 2, freedom)
    notes = np.where(held, "at its bound", np.where(lost, "not told apart", ""))
    rows = zip(names, units, x, deviations, notes, strict=True)
    estimates = tuple(
        Estimate(n, u, float(v), float(d), float(v - t * d), float(v + t * d), str(note))
        for n, u, v, d, note in rows
    )
    correlations = np.eye(len(x))
    known = np.flatnonzero(~held & ~lost)
    places = np.searchsorted(free, known)
    part = covariance[np.ix_(places, places)]
    size = np.sqrt(np.outer(np.diag(part), np.diag(part)))
    correlations[np.ix_(known, known)] = part / np.where(size > 0, size, 1.0)
    return estimates, correlations, apart


def _numbers(
    problem: Fitting, values: Arrays
) -> tuple[list[str], list[str], Floats, Floats, Floats]:
    """Every number that is fitted: its name, unit, value and bounds."""
    names, units, bounds = [], [], []
    for name in problem.controls:
        f = problem.scene.fields[name]
        for at in np.ndindex(values[name].shape):
            names.append(".".join(map(str, (name, *at))))
            units.append(f.unit)
            bounds.append(f.bounds or (-math.inf, math.inf))
    x = np.concatenate([np.ravel(values[n]) for n in problem.controls])
    low, high = np.array(bounds, float).T
    return names, units, x, low, high


def _parted(problem: Fitting, x: Floats) -> Mapping[str, Floats]:
    out, at = {}, 0
    for name in problem.controls:
        value = problem.values[name]
        out[name] = x[at : at + value.size].reshape(value.shape)
        at += value.size
    return out


def _columns(problem: Fitting, values: Arrays, held: Sequence[Measurement]) -> tuple[Column, ...]:
    each = problem.left(values, problem.measurements)
    parts = [np.concatenate(each)]
    parts.append(np.concatenate([parts[0][:0], *problem.left(values, held)]))
    noise = _noise(problem, values)
    found = []
    for k, name in enumerate(problem.columns):
        rows = [part[np.isfinite(part[:, k]), k] for part in parts]
        size, apart = (math.sqrt(np.mean(row**2)) if row.size else math.nan for row in rows)
        counts = rows[0].size, rows[1].size
        following = _following([left[:, k] for left in each]) if noise[k] < 2 * size else math.nan
        found.append(Column(name, float(noise[k]), size, apart, counts, following))
    return tuple(found)


def _following(rows: Sequence[Floats]) -> float:
    """The correlation of each residual with the next of its measurement; those that are NaN do not count."""
    both = sum(float(np.nansum(row[1:] * row[:-1])) for row in rows)
    return both / sum(float(np.nansum(row**2)) for row in rows)
