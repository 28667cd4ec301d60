"""A scene as moves: an observation and an action give the next observation, and a reward.

Controls may be held: a move is then so many steps, in which an action is every row of them, and its reward is
minus the cost on the way, and at the end minus the loss as well. Where every control has a row for each step,
which acts in that step alone, all are held for a step. Of any other scene an action is all the controls and a
move the whole motion, whose reward is minus the loss. So the rewards of an episode sum to minus the loss, and
their derivatives, move by move, chain to its gradient.

An observation is every float of the state, (n,), and then the context, (c,): the numbers that differ from one
episode to the next. Whole numbers and truth values of a state go along and have no derivative.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import rose_ad as ra

from ..errors import SceneError
from ..scene.contract import Contract
from ..solve.problem import Arrays, Problem
from ..solve.row import Row
from ..sweeps.points import place_of

Floats: TypeAlias = NDArray[np.float64]


ALIKE = 1e-9  # relative difference of a loss whose controls are those of their own step alone


def stepwise(problem: Problem) -> bool:
    """Whether a control has a row for each step and acts in that step alone, as far as one motion tells, whose
    rows are drawn: a loss that reads all of them, for example, does not come out of its last row."""
    shapes = {n: problem.values[n].shape for n in problem.controls}
    if not shapes or any(s[:1] != (problem.steps,) for s in shapes.values()):
        return False
    draw = np.random.default_rng(0)
    rows = {n: problem.values[n] + 0.1 * draw.normal(size=s) for n, s in shapes.items()}
    for name, value in rows.items():
        low, high = problem.scene.fields[name].bounds or (-np.inf, np.inf)
        rows[name] = np.clip(value, low, high)
    loss = problem.loss({**problem.values, **rows})
    alone = float(ra.fn(lambda *v: _row_by_row(problem, *v))(rows, problem.split({})[1]))
    return bool(np.isclose(loss, alone, rtol=ALIKE, atol=1e-12))


def _row_by_row(problem: Problem, rows: Any, constants: Any) -> Any:
    """The loss where each step, its cost and the end have their own row in place of all."""

    def at(t: Any) -> Contract:
        alike = {n: ra.broadcast_to(r[t], r.shape) for n, r in rows.items()}
        return problem.bound(alike, constants)

    def stepped(t: Any, carry: Any) -> Any:
        state, cost = carry
        scene = at(t)
        return scene.stepping(state)(state, t), cost + (scene.cost(state, t) if costed else 0.0)

    first = at(0).initial()
    costed = at(0).costed
    final, cost = ra.fori_loop(0, problem.steps, stepped, (first, 0.0))
    return at(problem.steps - 1).loss(final) + at(0).dt * cost


class Moves:
    """The moves of a problem, whose `context` are numbers of fields by name, "goal.0".

    `held` names controls that are held for `every` steps; the others are as they are. `steps` is how many moves
    an episode has; `low` and `high` (m,) bound an action. Raises SceneError for what cannot be held so.
    """

    def __init__(
        self,
        problem: Problem,
        context: Sequence[str] = (),
        held: Sequence[str] = (),
        every: int = 1,
    ) -> None:
        self.problem = problem
        self._places = [place_of(problem.scene, name) for name in context]
        self.context = len(self._places)
        self._held = tuple(held) or (problem.controls if stepwise(problem) else ())
        self._check(every)
        self._every = every if self._held else problem.steps
        self.steps = problem.steps // self._every
        names = self._held or problem.controls
        shapes = {n: problem.values[n].shape for n in names}
        self._shapes = {n: s[1:] if self._held else s for n, s in shapes.items()}
        fields = problem.scene.fields
        sizes = [math.prod(s) for s in self._shapes.values()]
        bounds = [fields[n].bounds or (-math.inf, math.inf) for n in names]
        self.low, self.high = (np.repeat([float(b[k]) for b in bounds], sizes) for k in (0, 1))
        self._row = Row(problem.initial(problem.values))
        self.floats = self._row.n
        self._move = ra.fn(self._trace_move)
        self._moves = ra.vmap(self._move, (0, 0, 0, 0))
        self._back = ra.fn(self._trace_back)
        self._backs = ra.vmap(self._back, (0, 0, 0, 0, 0, 0))

    def _check(self, every: int) -> None:
        for name in self._held:
            if name not in self.problem.controls:
                known = ", ".join(self.problem.controls)
                raise SceneError(f"{name} cannot be held: it is none of the controls, {known}")
            if not self.problem.values[name].shape:
                raise SceneError(f"{name} cannot be held: it is one number, without rows over time")
        if every != 1 and not self._held:
            raise SceneError(
                f"nothing is held for {every} steps: name controls in `held`, or leave `every` out"
            )
        if every < 1 or self.problem.steps % every:
            raise SceneError(f"{self.problem.steps} steps are no moves of {every} steps")

    # ------------------------------------------------------------------------------- what is traced

    def _constants(self, context: Any) -> dict[str, Any]:
        """The constants, with the context in them."""
        found: dict[str, Any] = self.problem.split(self.problem.values)[1]
        for k, (name, place) in enumerate(self._places):
            if name in found:
                found[name] = (
                    ra.array(found[name]).at[place].set(context[k]) if place else context[k]
                )
        return found

    def _controls(self, action: Any) -> dict[str, Any]:
        """The controls that an action stands for."""
        found, at = dict(self.problem.split(self.problem.values)[0]), 0
        for name, shape in self._shapes.items():
            size = math.prod(shape)
            part = ra.reshape(action[at : at + size], shape) if shape else action[at]
            at += size
            found[name] = ra.broadcast_to(part, found[name].shape)
        return found

    def _parts(self, state: Any, context: Any) -> tuple[Any, Any]:
        floats, others = self._row.split(state)
        return ra.concat([floats, context]), others

    def _trace_move(self, x: Any, others: Any, action: Any, t: Any) -> Any:
        """The observation after a move, what else the state has, and the reward."""
        context = x[self.floats :]
        scene = self.problem.bound(self._controls(action), self._constants(context))
        if not self._held:
            final, loss = self.problem.run(scene, scene.initial(), self.problem.steps)
            return *self._parts(final, context), -loss
        first = self._row.state(x[: self.floats], others)
        step = scene.stepping(first)

        def stepped(k: Any, carry: Any) -> Any:
            state, cost = carry
            at = t * self._every + k
            return step(state, at), cost + (scene.cost(state, at) if scene.costed else 0.0)

        after, cost = ra.fori_loop(0, self._every, stepped, (first, 0.0))
        end = ra.cond(t == self.steps - 1, lambda: scene.loss(after), lambda: 0.0)
        return *self._parts(after, context), -(end + scene.dt * cost)

    def _trace_back(
        self, x: Any, others: Any, action: Any, t: Any, observed: Any, rewarded: Any
    ) -> Any:
        def floats(x: Any, action: Any) -> Any:
            after, _, reward = self._move(x, others, action, t)
            return after, reward

        return ra.vjp(floats, x, action)[1]((observed, rewarded))

    # --------------------------------------------------------------------------------- what is asked

    def values(self, context: Mapping[str, float]) -> Arrays:
        """The values of all live fields, with a context."""
        found = {n: v.copy() for n, v in self.problem.values.items()}
        for (name, place), number in zip(self._places, context.values(), strict=True):
            found[name][place] = number
        return found

    def first(self, values: Arrays) -> tuple[Floats, list[Any]]:
        """The observation under these values before the first move, and what else the state has."""
        floats, others = self._row.split(self.problem.initial(values))
        context = np.array([values[name][place] for name, place in self._places], float)
        return np.concatenate([floats, context]), others

    def state(self, x: Floats, others: Sequence[Any]) -> Any:
        """The scene's state of an observation, as a trajectory of one."""
        return ra.map_leaves(lambda leaf: np.asarray(leaf)[None], self._row.state(x, others))

    def move(self, x: Floats, others: Any, action: Floats, t: int) -> tuple[Floats, Any, float]:
        """The observation after an action in step t, what else the state has, and the reward."""
        after, rest, reward = self._move(x, others, action, t)
        return np.asarray(after), rest, float(reward)

    def moves(self, x: Floats, others: Any, action: Floats, t: Any) -> tuple[Floats, Any, Floats]:
        """The same for many, (k, ...) each, side by side in lanes."""
        after, rest, reward = self._moves(x, others, action, t)
        return np.asarray(after), rest, np.asarray(reward)

    def back(self, *move: Any) -> tuple[Floats, Floats]:
        """The cotangents of the observation before and of the action, of a move (x, others, action, t) and the
        cotangents of the observation after and of the reward."""
        x, action = self._back(*move)
        return np.asarray(x), np.asarray(action)

    def backs(self, *moves: Any) -> tuple[Floats, Floats]:
        """The same for many."""
        x, action = self._backs(*moves)
        return np.asarray(x), np.asarray(action)
