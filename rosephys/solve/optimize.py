"""Finding controls: `descend`, by any of the optimisers of rosephys/scene/optimizers.py."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from itertools import islice
from time import perf_counter
from typing import Any

from ..asked import above_zero, named, whole
from ..errors import ArgumentError, OptimizeError, SceneError
from ..scene.fields import near
from ..scene.optimizers import OPTIMIZERS
from ..scene.scene import constrained, costed, squared
from . import first_order, lbfgs
from .augmented_lagrangian import where_constrained
from .cma_es import cma_es, cma_gradient
from .constraints import violation
from .ensemble import Ensemble
from .gauss_newton import gauss_newton
from .ilqr import sweeping
from .iterate import STARTS, Iterate, Solver, Task, check, evaluated
from .levenberg_marquardt import levenberg_marquardt
from .multi_start import multi_start
from .multiple_shooting import multiple_shooting
from .newton_cg import newton_cg
from .problem import Problem, check_problem
from .schedules import scheduled
from .slsqp import slsqp
from .smoothing import smoothed_adam
from .together import check_together
from .trust_constr import trust_constr

SOLVERS: dict[str, Solver] = {
    "gd": first_order.along(first_order.gradient_descent),
    "momentum": first_order.along(first_order.momentum),
    "normalized": first_order.along(first_order.normalized),
    "adam": first_order.along(first_order.adam),
    "lbfgs": lbfgs.iterates,
    "newton-cg": newton_cg,
    "slsqp": slsqp,
    "trust-constr": trust_constr,
    "augmented-lagrangian": where_constrained(lbfgs.iterates),
    "gauss-newton": gauss_newton,
    "levenberg-marquardt": levenberg_marquardt,
    "ilqr": where_constrained(sweeping(exact=False)),
    "ddp": where_constrained(sweeping(exact=True)),
    "multiple-shooting": where_constrained(multiple_shooting),
    "smoothed": smoothed_adam,
    "multi-start": multi_start,
    "cma-es": cma_es,
    "cma-gradient": cma_gradient,
}
PACKAGES = {"scipy": "SciPy", "cma": "the package cma"}  # extras by the names of their modules


def descend(
    problem: Problem,
    *,
    iterations: int | None = None,
    rate: float | None = None,
    optimizer: str | None = None,
    clip: float | None = None,
    schedule: str = "constant",
    budget_ms: float = math.inf,
    seed: int = 0,
    starts: int = STARTS,
    values: Mapping[str, Any] | None = None,
) -> Iterator[Iterate]:
    """Iterates from `values` (the problem's own, where there are none): the start, then one after each update.

    What is None is as the scene prefers. Controls are brought and kept within their bounds; what `rate` is to
    each optimiser is in docs/solving.md, and a control's own rate scales it. Gradients are clipped to the
    length `clip` by those that go along them; it is infinite for no clipping. Those have a `schedule` of their
    rate, too: one of solve/schedules.py. Within `budget_ms` milliseconds, as a frame has, no update is begun
    that would end later, if it took as long as the one before; the first is made whatever it takes. `starts`
    are those of multi-start, from 1 on. Others may end before `iterations`, where no step helps.

    Raises OptimizeError where the loss or the gradient is not finite or a package is missing, ArgumentError for
    an unknown optimiser, and for a number that cannot be what it is asked for as, SceneError for values that
    the scene has not, for what an optimiser needs of it, and for a schedule that it does not take.
    """
    scene = check_problem(problem).scene
    optimizer = scene.optimizer if optimizer is None else optimizer
    check_optimizer(problem, optimizer)
    iterations = whole("iterations", scene.iterations if iterations is None else iterations)
    check_schedule(optimizer, schedule)
    start = problem.complete(named("values", {} if values is None else values))
    task = Task(
        problem,
        start | problem.within({name: start[name] for name in problem.controls}),
        above_zero("rate", scene.rate if rate is None else rate, most=sys.float_info.max),
        above_zero("clip", scene.clip if clip is None else clip),
        whole("seed", seed),
        scheduled(schedule, iterations),
        whole("starts", starts, least=1),
    )
    solver = SOLVERS[optimizer] if problem.controls else _nothing_to_find
    budget_ms = above_zero("budget_ms", budget_ms)
    last = perf_counter()
    end = last + budget_ms / 1000
    for iterate in islice(solver(task), iterations + 1):
        yield iterate
        if iterate.iteration:
            now = perf_counter()
            if now + (now - last) > end:
                return
            last = now


def _nothing_to_find(task: Task) -> Iterator[Iterate]:
    """The start alone: of a scene without controls."""
    loss, gradient = evaluated(task.problem, 0, task.start)
    check(task.problem, 0, task.start, loss, gradient)
    yield Iterate(0, loss, task.start, gradient, violation(task.problem, task.start))


def check_schedule(optimizer: str, schedule: str) -> None:
    """Raise SceneError for a schedule that there is not, and for one of an optimiser that has no use for it."""
    try:
        scheduled(schedule, 1)
    except ValueError as error:
        raise SceneError(str(error)) from None
    if schedule != "constant" and not OPTIMIZERS[optimizer].scheduled:
        known = ", ".join(n for n, o in OPTIMIZERS.items() if o.scheduled)
        raise SceneError(f"{optimizer} chooses how far its steps go: a schedule is of {known}")


def check_optimizer(problem: Problem, name: str) -> None:
    """Raise what `descend` does for an optimiser that is unknown, missing, or of no use for this scene."""
    if name not in OPTIMIZERS:
        close = near(name, OPTIMIZERS) if isinstance(name, str) else ""
        raise ArgumentError(f"{name!r} is not one of {', '.join(OPTIMIZERS)}{close}")
    optimizer, scene = OPTIMIZERS[name], problem.scene
    if constrained(scene) and not optimizer.constraints:
        many = isinstance(problem, Ensemble)
        keep = [n for n, o in OPTIMIZERS.items() if o.constraints and (o.extra or not many)]
        known = ", ".join(keep)
        raise SceneError(f"{scene.name} has constraints, and {name} keeps none: take {known}")
    if optimizer.needs == "residuals" and not (squared(scene) and not costed(scene)):
        raise SceneError(
            f"{name} needs a loss that is residuals alone: {scene.name} has a method"
            f" {'cost' if costed(scene) else 'loss'}; docs/solving.md"
        )
    if isinstance(problem, Ensemble):
        _check_many(problem, name)
    if optimizer.extra and find_spec(optimizer.extra) is None:
        other = "augmented-lagrangian" if constrained(scene) else "adam"
        raise OptimizeError(
            f'the optimizer "{name}" needs {PACKAGES[optimizer.extra]}, which is not installed:'
            f' pip install "rosephys[{optimizer.extra}]"; "{other}" needs no further package'
        )


def _check_many(problem: Ensemble, name: str) -> None:
    """Raise SceneError for an optimiser of an ensemble that cannot solve one, or not this."""
    if constrained(problem.scene) and not OPTIMIZERS[name].extra:
        raise SceneError(
            f"{name} keeps the constraints of one motion: slsqp and trust-constr keep those of an ensemble"
        )
    if OPTIMIZERS[name].needs == "stages":
        check_together(problem, name)
    if OPTIMIZERS[name].needs == "residuals" and problem.risk != "mean":
        raise SceneError(
            f"{name} takes the mean of an ensemble, which is a sum of squares, not {problem.risk}:"
            " for that take adam or lbfgs"
        )
