"""An interior point within bounds and under constraints, with exact second derivatives, by SciPy's
trust-constr.

Sources: Byrd, Hribar, Nocedal, SIAM J. Optim. 9, 1999; Lalee, Nocedal, Plantenga, SIAM J. Optim. 8, 1998.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..scene.scene import constrained
from .coordinates import Coordinates, Floats, Point
from .inverted import Ask, inverted
from .iterate import Iterate, Task

OPTIONS = {
    "maxiter": 2**31 - 1,
    "xtol": 1e-12,
    "gtol": 1e-10,
    "barrier_tol": 1e-10,
    "initial_tr_radius": 1.0,
}


def trust_constr(task: Task) -> Iterator[Iterate]:
    """The iterates, until no step helps."""
    at = Coordinates(task)

    def search(ask: Ask, reached: Callable[[Point], None]) -> None:
        from scipy.optimize import Bounds, minimize
        from scipy.sparse.linalg import LinearOperator

        def product(question: Callable[[Floats], Floats]) -> Any:
            return LinearOperator(
                (at.x.size,) * 2, matvec=lambda p: ask(lambda: question(np.ravel(p)))
            )

        def arrive(x: Floats, _: object) -> None:
            inside = np.clip(x, at.low, at.high)  # where it is in the end, if not on its way
            reached(ask(lambda: at.point(inside)))

        start = np.clip(at.x, at.low, at.high)
        reached(ask(lambda: at.point(start)))
        bounded = np.isfinite(at.low).any() or np.isfinite(at.high).any()
        with (
            warnings.catch_warnings()
        ):  # of constraints that contradict each other, which is told by what is off
            warnings.filterwarnings("ignore", "Singular Jacobian matrix")
            minimize(
                lambda x: ask(lambda: at.evaluate(x.copy())),
                start,
                jac=True,
                hess=lambda x: product(lambda p: at.hessian_product(x, p)),
                method="trust-constr",
                bounds=Bounds(at.low, at.high) if bounded else None,
                constraints=_conditions(at, ask, product),
                callback=arrive,
                options=OPTIONS,
            )

    yield from at.iterates(inverted(search, "trust-constr"))


def _conditions(at: Coordinates, ask: Ask, product: Any) -> list[Any]:
    from scipy.optimize import NonlinearConstraint

    if not constrained(at.problem.scene):
        return []
    _, low, high = ask(lambda: at.constraints(at.x))
    stated = (low > -math.inf) | (high < math.inf)
    if not stated.any():
        return []

    def weighed(weights: Floats) -> Floats:
        every = np.zeros(stated.size)
        every[stated] = weights
        return every

    return [
        NonlinearConstraint(
            lambda x: ask(lambda: at.constraints(x.copy()))[0][stated],
            low[stated],
            high[stated],
            jac=lambda x: ask(lambda: at.constraint_derivatives(x.copy()))[stated],
            hess=lambda x, v: product(lambda p: at.constraint_hessian_product(x, weighed(v), p)),
        )
    ]
