"""L-BFGS within bounds, by SciPy, as an iterator: it goes on only while the next point is asked for.

SciPy runs in a thread of its own and asks for every loss that it needs; the loss is evaluated where the
iterator is advanced. So the two never run at once, and what the loss raises is raised there.

Source: Byrd, Lu, Nocedal, Zhu, SIAM J. Sci. Comput. 16, 1995; scipy.optimize.minimize, L-BFGS-B.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Evaluate = Callable[[Floats], tuple[float, Floats]]

UNLIMITED = {"maxiter": math.inf, "maxfun": math.inf, "ftol": 0.0, "gtol": 0.0}


class Point(NamedTuple):
    """An x (n,), the loss there, and its gradient (n,)."""

    x: Floats
    loss: float
    gradient: Floats


class _Closed(Exception):
    """Ends SciPy's thread: nobody asks for further points."""


def lbfgs(evaluate: Evaluate, x: Floats, low: Floats, high: Floats) -> Generator[Point]:
    """Points of ever smaller loss, the start first, until no step makes it smaller.

    `evaluate(x)` gives the loss and its gradient; `low` and `high` (n,) bound x, perhaps infinitely. The first
    step that is tried is at most of length 1: x should be scaled so that this is a sensible one. A step to
    where the loss is not finite is shortened. Raises ImportError where SciPy is not installed.
    """
    from scipy.optimize import minimize

    now = last = _evaluated(evaluate, np.clip(x, low, high))
    yield now
    # where every variable is bounded, SciPy's first step is as long as the gradient
    scale = 1.0 / max(1.0, float(np.linalg.norm(now.gradient)))
    questions: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    answers: SimpleQueue[Any] = SimpleQueue()

    def ask(kind: str, x: Floats) -> Any:
        questions.put((kind, x))
        answer = answers.get()
        if answer is None:
            raise _Closed
        return answer

    def search() -> None:
        try:
            minimize(
                lambda x: ask("evaluate", x.copy()),
                now.x,
                jac=True,
                method="L-BFGS-B",
                bounds=np.stack([low, high], axis=1),
                callback=lambda x: ask("reached", x) and None,
                options=UNLIMITED,
            )
            questions.put(("ended", None))
        except Exception as error:
            questions.put(("ended", error))

    Thread(target=search, name="L-BFGS-B", daemon=True).start()
    try:
        while True:
            kind, found = questions.get()
            if kind == "evaluate":
                last = last if np.array_equal(last.x, found) else _evaluated(evaluate, found)
                loss, gradient = _seen(now, last)
                answers.put((scale * loss, scale * gradient))
            elif kind == "reached":  # which is where it was evaluated last
                now = last
                yield now
                answers.put(True)
            elif found is not None:
                raise found
            else:
                return
    finally:
        answers.put(None)


def _evaluated(evaluate: Evaluate, x: Floats) -> Point:
    return Point(x, *evaluate(x))


def _seen(now: Point, trial: Point) -> tuple[float, Floats]:
    """The loss and gradient that SciPy is told: the trial's, or, if that loss is not finite, those of a cone
    that rises from `now` as steeply as the loss falls, so that interpolation shortens the step."""
    if math.isfinite(trial.loss):
        return trial.loss, trial.gradient
    steepness = float(np.linalg.norm(now.gradient))
    away = trial.x - now.x
    distance = float(np.linalg.norm(away))
    return now.loss + steepness * distance, steepness / distance * away
