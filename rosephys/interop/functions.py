"""The functions of a scene that other programs call, by their parts: controls, and other live fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rose_ad as ra

from ..errors import SceneError
from ..scene.fields import near
from ..solve.problem import Problem


def loss_of(problem: Problem, many: bool = False) -> ra.Fn:
    """The loss as a function of live fields by name, those that are not given being the problem's own; of many
    choices, (n, ...) of each that is given, losses (n,), side by side in SIMD lanes."""
    return _by_name(problem, problem.loss_function, many)


def rollout_of(problem: Problem, many: bool = False) -> ra.Fn:
    """The same for all states, a state whose arrays have a leading axis of length steps + 1."""
    return _by_name(problem, problem.trajectory_function, many)


def checked(problem: Problem, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of values by name that raises SceneError for a name that is no live field."""

    def call(values: dict[str, Any] | None = None) -> Any:
        given = dict(values or {})
        for name in given:
            if name not in problem.values:
                known = near(name, problem.values)
                raise SceneError(f"{problem.scene.name} has no live field {name!r}{known}")
        return function(given)

    return call


def _by_name(problem: Problem, function: ra.Fn, many: bool) -> ra.Fn:
    def of_values(values: dict[str, Any]) -> Any:
        given = {n: ra.to_real(v) for n, v in values.items()}  # what came in single precision, too
        whole: dict[str, Any] = {**problem.values, **given}
        controls = {n: whole.pop(n) for n in problem.controls}
        return function(controls, whole)

    of_values.__name__ = problem.scene.name
    made = ra.fn(of_values)
    return ra.vmap(made) if many else made
