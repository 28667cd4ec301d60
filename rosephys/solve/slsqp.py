"""Sequential quadratic programming within bounds and under constraints, by SciPy's SLSQP.

Source: Kraft, A software package for sequential quadratic programming, DFVLR-FB 88-28, 1988.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..scene.scene import constrained
from .coordinates import Coordinates, Floats, Point
from .inverted import Ask, inverted
from .iterate import Iterate, Task

OPTIONS = {"maxiter": 2**31 - 1, "ftol": 1e-14}


def slsqp(task: Task) -> Iterator[Iterate]:
    """The iterates, until no step helps."""
    at = Coordinates(task)

    def search(ask: Ask, reached: Callable[[Point], None]) -> None:
        from scipy.optimize import minimize

        start = np.clip(at.x, at.low, at.high)
        reached(ask(lambda: at.point(start)))
        minimize(
            lambda x: ask(lambda: at.evaluate(x.copy())),
            start,
            jac=True,
            method="SLSQP",
            bounds=np.stack([at.low, at.high], axis=1),
            constraints=_conditions(at, ask),
            callback=lambda x: reached(ask(lambda: at.point(x.copy()))),
            options=OPTIONS,
        )

    yield from at.iterates(inverted(search, "SLSQP"))


def _conditions(at: Coordinates, ask: Ask) -> list[dict[str, Any]]:
    """The constraints as SLSQP wants them: what is to be zero, and what is not to be negative."""
    if not constrained(at.problem.scene):
        return []
    _, low, high = ask(lambda: at.constraints(at.x))
    rows = (
        ("eq", low == high, 1.0, low),
        ("ineq", np.isfinite(low) & (low < high), 1.0, low),
        ("ineq", np.isfinite(high) & (low < high), -1.0, high),
    )
    return [_condition(at, ask, *row) for row in rows if row[1].any()]


def _condition(
    at: Coordinates, ask: Ask, kind: str, which: Any, sign: float, bound: Floats
) -> dict[str, Any]:
    def value(x: Floats) -> Floats:
        found = ask(lambda: at.constraints(x.copy()))[0]
        return np.asarray(sign * (found - bound)[which])

    def slopes(x: Floats) -> Floats:
        return np.asarray(sign * ask(lambda: at.constraint_derivatives(x.copy()))[which])

    return {"type": kind, "fun": value, "jac": slopes}
