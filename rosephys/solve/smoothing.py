"""The gradient of a loss that normal noise of the controls smooths: of use where the loss jumps, or is flat.

With x + σ z, z normal, in place of the controls x, the expected loss is smooth, and its gradient is the mean of

    first     ∇f(x + σ z), which knows slopes and no jumps
    zeroth    (f(x + σ z) - f(x - σ z)) z / 2σ, which knows both, and varies much more

The result is α times the first and 1 - α times the second, of which the first is off by what it knows not, b,
and the second varies by V: α = V / (V + b²) has the least mean square error, and the square of how far the two
are apart is V + b² in the mean. So jumps are found out, and where there are none the slopes count most.

Sources: Spall, IEEE Trans. Automatic Control 37, 1992; Duchi, Bartlett, Wainwright, SIAM J. Optim. 22, 2012;
Suh, Simchowitz, Zhang, Tedrake, "Do differentiable simulators give better policy gradients?", ICML 2022, for
mixing the two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizeError
from .first_order import adam, clipped, stepped
from .iterate import Iterate, Task, check, evaluated
from .problem import Arrays, Problem, Values

SAMPLES = 64  # draws for a gradient of `smoothed_adam`, half of them the others' opposites
NOISE = 3.0  # rates: the noise of `smoothed_adam`


@dataclass(frozen=True)
class Smoothed:
    """An expected loss and its gradient; `error` is the standard error of every number of the gradient, and
    `first` and `zeroth` are the two estimates that it is made of, by the `share` of the first."""

    loss: float
    gradient: Arrays
    error: Arrays
    first: Arrays
    zeroth: Arrays
    share: float


def smoothed_gradient(
    problem: Problem,
    values: Values,
    noise: float | Mapping[str, float],
    *,
    samples: int = 256,
    seed: int = 0,
) -> Smoothed:
    """The gradient of the loss where normal noise is added to the controls, of this standard deviation, in
    units of each control's own rate or, by name, in its own unit.

    The draws, `samples` of them, are brought within the bounds of controls. Raises ValueError for noise that is
    not above 0 and for fewer than 4 samples, OptimizeError where a loss or a gradient is not finite.
    """
    fields = problem.scene.fields
    of = {
        n: noise[n] if isinstance(noise, Mapping) else noise * fields[n].rate
        for n in problem.controls
    }
    if samples < 4 or not all(0 < size < math.inf for size in of.values()):
        raise ValueError(f"noise is above 0, of 4 samples or more, not {noise}, {samples}")
    whole = problem.complete(values)
    random = np.random.default_rng(seed)
    half = samples // 2
    drawn = {n: random.standard_normal((half, *whole[n].shape)) for n in of}
    batch, inside = {}, {}
    for n, z in drawn.items():
        moved = whole[n] + of[n] * np.concatenate([z, -z])
        batch[n] = np.clip(moved, *(fields[n].bounds or (-np.inf, np.inf)))
        inside[n] = moved == batch[n]
    losses, gradients = problem.gradients(whole, batch)
    if not np.isfinite(losses).all() or not all(np.isfinite(g).all() for g in gradients.values()):
        bad = int(np.sum(~np.isfinite(losses)))
        raise OptimizeError(
            f"of {2 * half} losses about these controls {bad} are not finite: less noise"
        )
    slope = (losses[:half] - losses[half:]) / 2
    zeroth = {n: (slope.reshape(-1, *[1] * (z.ndim - 1)) * z) / of[n] for n, z in drawn.items()}
    moving = {n: np.where(inside[n], g, 0.0) for n, g in gradients.items()}
    first = {n: (g[:half] + g[half:]) / 2 for n, g in moving.items()}
    return _mixed(float(losses.mean()), first, zeroth)


def _mixed(loss: float, first: Arrays, zeroth: Arrays) -> Smoothed:
    """The estimate of both kinds' rows, (samples / 2, ...) by name."""
    a, b = ({n: rows.mean(axis=0) for n, rows in kind.items()} for kind in (first, zeroth))
    apart = _square({n: a[n] - b[n] for n in first})
    varies = _square({n: _error(rows) for n, rows in zeroth.items()})
    share = 1.0 if apart <= varies else varies / apart
    rows = {n: share * first[n] + (1 - share) * zeroth[n] for n in first}
    gradient = {n: row.mean(axis=0) for n, row in rows.items()}
    return Smoothed(loss, gradient, {n: _error(row) for n, row in rows.items()}, a, b, share)


def smoothed_adam(task: Task) -> Iterator[Iterate]:
    """Adam along smoothed gradients, of other draws in each iteration; the loss of an iterate is the plain one,
    its gradient the smoothed."""
    problem, direction, now = task.problem, adam(), task.start
    for iteration in count():
        loss, plain = evaluated(problem, iteration, now)
        check(problem, iteration, now, loss, plain)
        rate = task.rate * task.factor(iteration)
        noise = max(NOISE * rate, 1e-12)
        seed = int(np.random.SeedSequence([task.seed, iteration]).generate_state(1)[0])
        found = smoothed_gradient(problem, now, noise, samples=SAMPLES, seed=seed)
        yield Iterate(iteration, loss, now, found.gradient)
        way = direction(iteration, clipped(found.gradient, task.clip))
        now = stepped(problem.scene, now, way, rate)


def _error(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard error of the mean of rows."""
    return np.asarray(rows.std(axis=0, ddof=1) / math.sqrt(len(rows)))


def _square(parts: Arrays) -> float:
    return sum(float(np.vdot(p, p)) for p in parts.values())
