"""An ensemble as one motion, for what solves a motion in stages: the states of its members side by side, which
have their controls in common.

    x = (x_1 … x_N)        loss = Σ l_i / N

The mean is a sum of costs along the way and at the end, so it is in stages where its scene is; the worst and
cvar are not. With N members of n floats a stage has N n of them, and a sweep takes as long as their third
power, so there is a limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import rose_ad as ra

from ..errors import SceneError
from ..scene.contract import Contract
from .ensemble import Ensemble
from .problem import Arrays, Problem, Values
from .row import Row

LARGEST = 128  # floats of all members


class Together(Problem):
    """A problem whose state is that of all members of an ensemble: each leaf has an axis of members first.

    Raises SceneError for a risk that is not the mean, and for more floats than can be swept.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        check_together(ensemble, "a motion in stages")
        super().__init__(ensemble.scene)
        self._ensemble = ensemble
        n = Row(ensemble.initial(ensemble.values)).n
        if n * ensemble.members > LARGEST:
            raise SceneError(
                f"{ensemble.members} members of {n} floats are a state of {n * ensemble.members}, and {LARGEST}"
                f" is the most that is solved in stages: take {max(LARGEST // n, 1)} members or fewer, or an"
                " optimiser without stages, as adam or lbfgs"
            )

    def split(self, values: Values) -> tuple[Arrays, Arrays]:
        """The controls, and the constants, with those that vary for all members (members, ...)."""
        controls, constants = super().split(values)
        return controls, constants | self._ensemble.draws(values)

    def bound(self, controls: Values, constants: Values) -> Contract:
        return _Members(self._ensemble, controls, constants)

    def all_in(self, state: Any) -> Any:
        """All members in this state of the scene."""
        count = self._ensemble.members
        return ra.map_leaves(lambda leaf: np.broadcast_to(leaf, (count, *np.shape(leaf))), state)


def one_motion(problem: Problem) -> Problem:
    """The problem itself, or its members together, if it is an ensemble."""
    if not isinstance(problem, Ensemble):
        return problem
    if "together" not in problem.derived:  # compiled once
        problem.derived["together"] = Together(problem)
    found: Problem = problem.derived["together"]
    return found


def check_together(ensemble: Ensemble, what: str) -> None:
    """Raise SceneError for a risk that is no sum over the members."""
    if ensemble.risk != "mean":
        raise SceneError(
            f"{what} takes the mean of an ensemble, which is a sum of costs, not {ensemble.risk}: for that"
            " take an optimiser without stages, as adam or lbfgs"
        )


class _Members(Contract):
    """The scene of every member, as one. A cost has its member's own dt in it already, so `dt` is 1."""

    def __init__(self, ensemble: Ensemble, controls: Values, constants: Values) -> None:
        super().__init__(ensemble.scene)
        self._own = {name: constants[name] for name in ensemble.spread}
        self._shared = {**constants, **controls}

    def _each(self, ask: Callable[..., Any], *states: Any) -> Any:
        """What each member's scene says, of its own state if there is one."""

        def one(own: Any, *state: Any) -> Any:
            return ask(Contract(self.scene.bound({**self._shared, **own})), *state)

        return ra.vmap(ra.fn(one))(self._own, *states)

    @property
    def dt(self) -> Any:
        return 1.0

    def initial(self) -> Any:
        return self._each(lambda scene: scene.initial())

    def stepping(self, first: Any) -> Callable[[Any, Any], Any]:
        def step(state: Any, t: Any) -> Any:
            return self._each(lambda scene, own: scene.stepping(own)(own, t), state)

        return step

    def cost(self, state: Any, t: Any) -> Any:
        return ra.mean(self._each(lambda scene, own: scene.dt * scene.cost(own, t), state))

    def loss(self, final: Any) -> Any:
        return ra.mean(self._each(lambda scene, own: scene.loss(own), final))
