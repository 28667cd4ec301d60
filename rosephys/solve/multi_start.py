"""A search from many places at once, which go on side by side: in the lanes of vectors, and in threads.

A cycle is of four parts, of which each begins with what the one before has left:

    draws        of DRAWN controls for each start, about the present ones at distances of all sizes, and alike
                 within bounds, the best `starts` are kept
    generations  each of those gets CHILDREN, at distances of all sizes; of parents and children the best are
                 kept, an evolution strategy (μ + λ). A contact that is missed has no slope, so this finds it
    descents     all go down by Adam, at a rate that falls to nothing
    a finish     from the best by L-BFGS

The next cycle draws others. Noise in a control of many rows is half of the time smooth along them, for what
changes at random from step to step moves little.

Sources: Rinnooy Kan, Timmer, Mathematical Programming 39, 1987, for multi-start; Beyer, Schwefel, Natural
Computing 1, 2002, for evolution strategies; Pinneri et al., CoRL 2020, for noise over time.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizeError
from .coordinates import Coordinates
from .first_order import adam
from .iterate import Iterate, Task, check, evaluated
from .problem import Arrays, Problem
from .quasi_newton import quasi_newton

Floats = NDArray[np.float64]

DRAWN, CHILDREN = 32, 16  # for each start: controls at first, and in each generation
GENERATIONS, DESCENT, FINISH = 4, 60, 30  # iterations of each part
AWAY = -2.5, 1.0  # how far draws go: powers of ten, times the size of the control
NEAR = -3.0, 0.0  # how far children go, times the deviation among their parents
ROOM = 1 << 22  # numbers in what is computed at once


@dataclass(frozen=True)
class Crowd:
    """Controls (n, ...) by name, and their losses (n,), infinite where they are no numbers."""

    controls: Arrays
    losses: Floats

    def best(self, count: int) -> Crowd:
        """The best of them, in order."""
        order = np.argsort(self.losses, kind="stable")[:count]
        return Crowd({n: v[order] for n, v in self.controls.items()}, self.losses[order])

    def __add__(self, other: Crowd) -> Crowd:
        both = {n: np.concatenate([v, other.controls[n]]) for n, v in self.controls.items()}
        return Crowd(both, np.concatenate([self.losses, other.losses]))


def multi_start(task: Task) -> Iterator[Iterate]:
    """Iterates, each the best so far, without end. Of `task.starts`; what is drawn depends on `task.seed`."""
    problem, random = task.problem, np.random.default_rng(task.seed)
    loss, gradient = evaluated(problem, 0, task.start)
    check(problem, 0, task.start, loss, gradient)
    best = Iterate(0, loss, task.start, gradient)
    yield best
    while True:
        for crowd in _cycle(task, random):
            best = _better(problem, replace(best, iteration=best.iteration + 1), crowd)
            yield best
        with suppress(OptimizeError):  # where a gradient is not finite it has come to its end
            for found in _finished(task, best):
                best = replace(found, iteration=best.iteration + 1)
                yield best


def _better(problem: Problem, best: Iterate, crowd: Crowd) -> Iterate:
    """The best of a crowd, if it is better than what is known; computed alone, as everything else is."""
    first = crowd.best(1)
    if not first.losses[0] < best.loss:
        return best
    values = {**best.values, **{n: v[0] for n, v in first.controls.items()}}
    with suppress(OptimizeError):
        loss, gradient = evaluated(problem, best.iteration, values)
        check(problem, best.iteration, values, loss, gradient)
        if loss < best.loss:
            return Iterate(best.iteration, loss, values, gradient)
    return best


def _cycle(task: Task, random: np.random.Generator) -> Iterator[Crowd]:
    """What is found in each iteration of a cycle but for its finish."""
    numbers = sum(task.start[n].size for n in task.problem.controls)
    rows = max(min(CHILDREN * task.starts, ROOM // max(numbers, 1)), 1)
    crowd = _drawn(task, random, rows)
    for _ in range(-(-DRAWN * task.starts // rows) - 1):
        crowd = (crowd + _drawn(task, random, rows)).best(task.starts)
    crowd = crowd.best(task.starts)
    yield crowd
    for _ in range(GENERATIONS):
        crowd = (crowd + _children(task, random, crowd, rows)).best(task.starts)
        yield crowd
    yield from _descents(task, crowd)


def _drawn(task: Task, random: np.random.Generator, count: int) -> Crowd:
    """The controls of the start, and others about them, and alike within bounds where there are two."""
    controls = {}
    for name in task.problem.controls:
        value = task.start[name]
        size = float(np.sqrt(np.mean(value**2))) if value.size else 1.0
        reach = _reach(random, AWAY, count, value.ndim)
        found = value + (size or 1.0) * reach * _noise(random, count, value.shape)
        low, high = task.problem.scene.fields[name].bounds or (-math.inf, math.inf)
        if math.isfinite(high - low):
            # of normal numbers the signs are kept, and the sizes become alike
            anywhere = 0.5 * (1 + np.tanh(0.8 * _noise(random, count, value.shape)))
            inside = random.random((count, *[1] * value.ndim)) < 0.5
            found = np.where(inside, low + (high - low) * anywhere, found)
        found[0] = value
        controls[name] = found
    return _weighed(task, controls)


def _children(task: Task, random: np.random.Generator, parents: Crowd, count: int) -> Crowd:
    """Controls about those of the parents, in turn."""
    controls = {}
    for name, value in parents.controls.items():
        apart = float(np.std(value - value.mean(axis=0))) if value.size else 0.0
        size = apart or float(np.sqrt(np.mean(value**2))) or 1.0
        reach = _reach(random, NEAR, count, value.ndim - 1)
        noise = _noise(random, count, value.shape[1:])
        controls[name] = np.resize(value, noise.shape) + size * reach * noise
    return _weighed(task, controls)


def _descents(task: Task, crowd: Crowd) -> Iterator[Crowd]:
    """Where all of a crowd are on their ways down, each time."""
    rule, fields, now = adam(beta2=0.99), task.problem.scene.fields, crowd.controls
    for k in range(DESCENT + 1):
        losses, slopes = _slopes(task, now)
        yield Crowd(now, losses)
        way = rule(k, slopes)
        rate = task.rate * 0.5 * (1 + math.cos(math.pi * k / DESCENT))
        now = task.problem.within({n: v - rate * fields[n].rate * way[n] for n, v in now.items()})


def _finished(task: Task, best: Iterate) -> Generator[Iterate]:
    """Where the best goes to from where it is."""
    at = Coordinates(replace(task, start=best.values))
    points = quasi_newton(at.evaluate, at.x, at.low, at.high)
    yield from islice(at.iterates(points), 1, FINISH + 1)


# ---- What is random ----


def _reach(
    random: np.random.Generator, powers: tuple[float, float], count: int, axes: int
) -> Floats:
    """Distances of all sizes, (count, 1, ...)."""
    return np.asarray(10.0 ** random.uniform(*powers, (count, *[1] * axes)))


def _noise(random: np.random.Generator, count: int, shape: tuple[int, ...]) -> Floats:
    """Normal numbers (count, *shape), half of them smooth along the first axis: between as many knots as may
    be, from one on."""
    noise = random.standard_normal((count, *shape))
    rows = shape[0] if shape else 0
    if rows > 2:
        knots = np.exp(random.uniform(0.0, math.log(rows), count)).astype(int)
        for k in range(0, count, 2):
            place = np.linspace(0.0, knots[k] - 1, rows)
            before = place.astype(int)
            share = (place - before).reshape(-1, *[1] * (len(shape) - 1))
            after = np.minimum(before + 1, knots[k] - 1)
            noise[k] = (1 - share) * noise[k][before] + share * noise[k][after]
    return noise


# ---- What is computed side by side ----


def _weighed(task: Task, controls: Arrays) -> Crowd:
    """The crowd of these controls, within bounds."""
    controls = task.problem.within(controls)
    try:
        losses = task.problem.losses(task.start, controls)
    except IndexError:  # of one that has left its model: the others have not
        losses = np.array([_alone(task, controls, k)[0] for k in range(_many(controls))])
    return Crowd(controls, np.where(np.isfinite(losses), losses, math.inf))


def _slopes(task: Task, controls: Arrays) -> tuple[Floats, Arrays]:
    """The losses and the gradients, which are zero where they are no numbers."""
    try:
        losses, slopes = task.problem.gradients(task.start, controls)
    except IndexError:
        found = [_alone(task, controls, k) for k in range(_many(controls))]
        losses = np.array([loss for loss, _ in found])
        slopes = {n: np.stack([slope[n] for _, slope in found]) for n in controls}
    slopes = {n: np.nan_to_num(slope, posinf=0.0, neginf=0.0) for n, slope in slopes.items()}
    return np.where(np.isfinite(losses), losses, math.inf), slopes


def _alone(task: Task, controls: Arrays, k: int) -> tuple[float, Arrays]:
    own = {n: v[k] for n, v in controls.items()}
    try:
        return task.problem.value_and_gradient({**task.start, **own})
    except IndexError:
        return math.inf, {n: np.zeros_like(v) for n, v in own.items()}


def _many(controls: Arrays) -> int:
    return len(next(iter(controls.values())))
