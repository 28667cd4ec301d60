"""A scene as something to be computed: its loss, gradient, trajectory and pictures, compiled.

The program is traced from the scene's methods once. The live fields are its arguments.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

import rose_ad as ra

from ..constraint import Constraint
from ..errors import ArgumentError, SceneError
from ..given import told
from ..limit import Limit
from ..scene.contract import Contract, check_scene
from ..scene.fields import near
from ..scene.picture import Picture, Track
from ..scene.scene import Scene, constrained, unknown
from .probes import difference

Values = Mapping[str, Any]
Arrays = dict[str, np.ndarray[Any, Any]]

FEW = 8  # numbers in all controls; the tracks' ends are differentiated in so many by forward mode

Stated = tuple[tuple[Constraint, ...], tuple[Constraint, ...]]
"""Constraints along the way, of arrays (steps + 1, k), and at the end, of arrays (k,)."""


class Problem:
    """What can be asked of a scene.

    `values` holds the live fields, float64; every method takes such values, or some of them (`complete`), and
    none changes them. Compiling is done when it is first needed. Methods raise rose_ad.RoseError for a scene
    that cannot be compiled, SceneError for values that it has not and for what its methods must not return.
    """

    def __init__(self, scene: Scene) -> None:
        check_scene(scene)
        self.scene = scene
        self.values: Arrays = scene.live
        self.controls = scene.controls
        self.steps: int = scene.steps
        self.derived: dict[str, Any] = {}  # what optimisers have made of it, to be made once
        # which states are kept; see ra.scan
        self.rollout: dict[str, Any] = {"checkpoint": "auto", "budget": scene.memory}
        self._loss = ra.fn(self.traced_loss)
        threads = os.cpu_count() or 1
        self._losses = ra.vmap(self._loss, in_axes=(0, None), threads=threads)
        self._gradient = ra.value_and_grad(self._loss)
        self._gradients = ra.vmap(self._gradient, in_axes=(0, None), threads=threads)
        self._state_gradient = ra.grad(ra.fn(self._trace_rest))
        self._initial = ra.fn(self._trace_initial)
        self._trajectory = ra.fn(self._trace_trajectory)
        self._tracks = ra.fn(self._trace_tracks)
        self._picture = ra.fn(self._trace_picture)
        self._invariants = ra.fn(self._trace_invariants)
        self._slope = ra.fn(self._trace_slope)
        self._curvature = ra.fn(self._trace_curvature)
        self._constraint_curvature = ra.fn(self._trace_constraint_curvature)
        self._costs = ra.fn(self._trace_costs)
        self._constraints = ra.fn(self._trace_constraints)
        self._residuals = ra.fn(self._trace_residuals)
        self._first_limits = ra.fn(self._trace_first_limits)
        self._limits = ra.fn(self._trace_limits)
        self._shown = ra.fn(self._trace_shown)
        self._drawn = ra.fn(self._trace_drawn)
        numbers = sum(self.values[n].size for n in self.controls)
        jacobian = ra.jacfwd if numbers <= FEW else ra.jacrev
        self._ends = jacobian(ra.fn(self._trace_ends))
        self._residual_slopes = jacobian(self._residuals)
        self._compiled: ra.Lowered | None = None
        self.compile_seconds = 0.0

    @cached_property
    def _constraint_slopes(self) -> ra.Fn:
        """The derivative of all constraints, by the mode that is shorter."""
        sizes = sum(np.size(c.value) for stated in self.constraints({}) for c in stated)
        numbers = sum(self.values[n].size for n in self.controls)
        jacobian = ra.jacrev if sizes < numbers else ra.jacfwd
        return jacobian(ra.fn(self._trace_constraint_values))

    def __reduce__(self) -> tuple[type[Problem], tuple[Scene]]:
        """It is pickled as its scene; what was compiled stays behind, on disk (see `rose_ad`)."""
        return type(self), (self.scene,)

    @property
    def dt(self) -> float:
        """The scene's time step, in seconds."""
        return float(self.values["dt"])

    @property
    def loss_function(self) -> ra.Fn:
        """The loss as a function of controls and constants, as `split` gives them, to be transformed."""
        return self._loss

    @property
    def trajectory_function(self) -> ra.Fn:
        """The same of all states; see `trajectory`."""
        return self._trajectory

    # ------------------------------------------------------------------------------- what is traced

    def bound(self, controls: Values, constants: Values) -> Contract:
        """The scene's methods at these values of its fields, traced ones or arrays; for who traces more of
        it."""
        return Contract(self.scene.bound({**constants, **controls}))

    @property
    def _times(self) -> np.ndarray[Any, Any]:
        """The number of each step, and one step more than is used, so that the last state is seen before it. It
        has the number of the last, so that controls of each step have one for it."""
        return np.minimum(np.arange(self.steps + 1), max(self.steps - 1, 0))

    def after(self, scene: Contract, state: Any, steps: Any) -> Any:
        """The state so many steps after a state, no more than there are; for who traces more of it."""
        step = scene.stepping(state)
        return ra.fori_loop(0, steps, lambda t, s: step(s, t), state, **self.rollout)

    def traced_loss(self, controls: Values, constants: Values) -> Any:
        """The loss, traced; for who differentiates it otherwise."""
        scene = self.bound(controls, constants)
        return self._total(scene, scene.initial())

    def traced_motion(self, controls: Values, constants: Values) -> tuple[Any, Any]:
        """The loss, and the states that lead to it, the last included: as `traced_loss`."""
        scene = self.bound(controls, constants)
        first = scene.initial()
        count = self._counted(scene, first)

        def seen(carry: Any, t: Any) -> Any:
            return count(t, carry), carry[0]

        (final, total), states = ra.scan(seen, (first, 0.0), self._times[:-1], **self.rollout)
        loss = scene.loss(final) + scene.dt * total if scene.costed else scene.loss(final)
        return loss, ra.map_leaves(followed, states, final)

    def _total(self, scene: Contract, first: Any) -> Any:
        return self.run(scene, first, self.steps)[1]

    def run(self, scene: Contract, first: Any, steps: Any) -> tuple[Any, Any]:
        """The state so many steps after the first, and the loss if the motion ends there: that of the state,
        and the integral of the cost on the way; for who traces more of it."""
        if not scene.costed:
            final = self.after(scene, first, steps)
            return final, scene.loss(final)
        counted, start = self._counted(scene, first), (first, 0.0)
        final, total = ra.fori_loop(0, steps, counted, start, **self.rollout)
        return final, scene.loss(final) + scene.dt * total

    def _counted(self, scene: Contract, first: Any) -> Callable[[Any, Any], Any]:
        """A step of a state and what it has cost."""
        step = scene.stepping(first)

        def counted(t: Any, carry: Any) -> Any:
            state, total = carry
            return step(state, t), total + scene.cost(state, t) if scene.costed else total

        return counted

    def _trace_rest(self, state: Any, controls: Values, constants: Values) -> Any:
        return self._total(self.bound(controls, constants), state)

    def _trace_costs(self, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        first = scene.initial()
        step = scene.stepping(first)
        return ra.scan(lambda s, t: (step(s, t), scene.cost(s, t)), first, self._times[:-1])[1]

    def _trace_residuals(self, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        return scene.residuals(self.after(scene, scene.initial(), self.steps))

    def _trace_constraints(self, controls: Values, constants: Values) -> Stated:
        scene = self.bound(controls, constants)
        first = scene.initial()
        step = scene.stepping(first)

        def seen(state: Any, t: Any) -> Any:
            return step(state, t), scene.constraints(state, t)

        final, along = ra.scan(seen, first, self._times[:-1], **self.rollout)
        last = scene.constraints(final, self._times[-1])
        whole = (ra.map_leaves(followed, a, b) for a, b in zip(along, last, strict=True))
        return tuple(whole), scene.end_constraints(final)

    def _trace_constraint_values(self, controls: Values, constants: Values) -> Any:
        along, end = self._trace_constraints(controls, constants)
        rows = [ra.ravel(constraint.value) for constraint in (*along, *end)]
        return ra.concat(rows) if rows else ra.zeros(0)

    def _trace_initial(self, controls: Values, constants: Values) -> Any:
        return self.bound(controls, constants).initial()

    def _trace_trajectory(self, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        first = scene.initial()
        step = scene.stepping(first)
        return ra.scan(lambda s, t: (step(s, t), s), first, self._times)[1]

    def _trace_tracks(self, trajectory: Any, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        return ra.build(self.steps + 1, lambda t: scene.tracks(_at(trajectory, t)))

    def _trace_ends(self, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        return ra.stack(
            [track.point for track in scene.tracks(self.after(scene, scene.initial(), self.steps))]
        )

    def _trace_picture(self, state: Any, controls: Values, constants: Values) -> Any:
        return self.bound(controls, constants).picture(state)

    def _trace_invariants(self, trajectory: Any, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        return ra.build(self.steps + 1, lambda t: scene.invariants(_at(trajectory, t)))

    def _trace_slope(self, controls: Values, direction: Values, constants: Values) -> Any:
        return ra.jvp(lambda c: self.traced_loss(c, constants), (controls,), (direction,))[1]

    def _trace_curvature(self, controls: Values, direction: Values, constants: Values) -> Any:
        return ra.hvp(lambda c: self.traced_loss(c, constants), (controls,), (direction,))[0]

    def _trace_constraint_curvature(
        self, controls: Values, direction: Values, weights: Any, constants: Values
    ) -> Any:
        def weighed(c: Values) -> Any:
            return ra.dot(weights, self._trace_constraint_values(c, constants))

        return ra.hvp(weighed, (controls,), (direction,))[0]

    def _trace_first_limits(self, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        return scene.limits(scene.initial())

    def _trace_limits(self, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        first = scene.initial()
        step = scene.stepping(first)

        def watched(carry: Any, t: Any) -> Any:
            state, holds = carry
            limits = scene.limits(state)
            for limit in limits:
                holds = holds & (limit.value <= limit.bound)
            moved = ra.cond(holds, lambda: step(state, t), lambda: state)
            return (moved, holds), limits

        return ra.scan(watched, (first, True), self._times)[1]

    def _trace_shown(self, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        first = ra.map_leaves(ra.array, scene.initial())
        stated = scene.constraints(first, self._times[0]), scene.end_constraints(first)
        return scene.limits(first), scene.invariants(first), stated

    def _trace_drawn(self, controls: Values, constants: Values) -> Any:
        scene = self.bound(controls, constants)
        first = ra.map_leaves(ra.array, scene.initial())
        picture = scene.picture(first) if self.scene.pictured else None
        return picture, scene.tracks(first)

    # --------------------------------------------------------------------------------- what is asked

    def suspect(self, values: Values) -> tuple[str, Problem, Values]:
        """The problem and the values whose motion is to be looked at where a loss is not finite, and which they
        are in words, if there are several."""
        return "", self, values

    def inspect(self, drawn: bool = True) -> None:
        """Call what a scene says beside its motion, on its first state, and compile nothing.

        So a picture that cannot be drawn is found before the solving, not after it; unless nothing is to be
        `drawn`. Raises Slip.
        """
        self._shown.trace(*self.split(self.values))
        if drawn:
            self._drawn.trace(*self.split(self.values))

    def within(self, values: Arrays) -> Arrays:
        """Values of some fields, brought within the bounds of these."""
        bounds = {n: self.scene.fields[n].bounds or (-np.inf, np.inf) for n in values}
        return {n: np.clip(v, *bounds[n]) for n, v in values.items()}

    def complete(self, values: Values) -> Arrays:
        """The values of all live fields: these, and the scene's own where there are none.

        Raises SceneError for a name that is no live field, and for a value that is not of its shape.
        """
        if not values.keys() <= self.values.keys():
            name = min(values.keys() - self.values.keys())
            if name in self.scene.fields:
                raise SceneError(
                    f"{name} is fixed when {self.scene.name} is made: a setting of find_scene, no value"
                )
            raise SceneError(unknown(self.scene, name, self.values))
        return {n: _of_shape(n, values.get(n, own), own.shape) for n, own in self.values.items()}

    def split(self, values: Values) -> tuple[Arrays, Arrays]:
        """The controls and the constants among the values, which are completed; see `complete`."""
        constants = self.complete(values)
        return {n: constants.pop(n) for n in self.controls}, constants

    def compile(self) -> None:
        """Trace and compile the gradient, if that has not been done."""
        if self._compiled is None:
            start = time.perf_counter()
            self._compiled = self._gradient.lower(*self.split(self.values))
            self.compile_seconds = time.perf_counter() - start

    @property
    def scratch_bytes(self) -> int:
        """The scratch memory of one gradient, in bytes; compiles it if need be."""
        self.compile()
        assert self._compiled is not None
        return self._compiled.memory

    @property
    def from_cache(self) -> bool:
        """Whether the gradient's machine code came from the cache; compiles it if need be."""
        self.compile()
        assert self._compiled is not None
        return self._compiled.program.from_cache

    def loss(self, values: Values) -> float:
        """The loss: that of the last state and, of a scene that has one, the integral of the cost."""
        return float(self._loss(*self.split(values)))

    def losses(self, values: Values, batch: Values) -> np.ndarray[Any, Any]:
        """The losses (n,) of n choices of controls, run side by side, on all processors.

        Each control in `batch` has n values along its first axis; the others are those of `values`. Each n is
        compiled for itself.
        """
        return np.asarray(self._losses(*self._many(values, batch)))

    def guesses(self, values: Values) -> Arrays:
        """Controls that the scene knows to be worth beginning from, (n, ...) each, within their bounds."""
        return self.within(Contract(self.scene.bound(self.complete(values))).guesses())

    def _many(self, values: Values, batch: Values) -> tuple[Arrays, Arrays]:
        """n choices of the controls, each (n, ...), and the constants."""
        controls, constants = self.split(values)
        n = len(next(iter(batch.values())))
        for name in batch.keys() - controls.keys():
            raise SceneError(f"{self.scene.name} has no control {name!r}{near(name, controls)}")
        many = {name: np.broadcast_to(v, (n, *v.shape)) for name, v in controls.items()}
        return many | {name: np.asarray(v, float) for name, v in batch.items()}, constants

    def value_and_gradient(self, values: Values) -> tuple[float, Arrays]:
        """The loss, and its gradient in each control."""
        self.compile()
        value, gradient = self._gradient(*self.split(values))
        return float(value), {n: np.asarray(g) for n, g in gradient.items()}

    def along(self, direction: Values) -> Arrays:
        """A direction of all controls: zero in those that it does not name."""
        controls = self.split({})[0]
        return {
            n: _of_shape(n, direction[n], v.shape) if n in direction else np.zeros(v.shape)
            for n, v in controls.items()
        }

    def gradients(self, values: Values, batch: Values) -> tuple[np.ndarray[Any, Any], Arrays]:
        """The losses (n,) and the gradients (n, ...) in each control of n choices of controls; as `losses`."""
        many, constants = self._many(values, batch)
        losses, gradients = self._gradients(many, constants)
        return np.asarray(losses), {name: np.asarray(g) for name, g in gradients.items()}

    def slope(self, values: Values, direction: Values) -> float:
        """The derivative of the loss along a direction of the controls, by forward mode."""
        controls, constants = self.split(values)
        return float(self._slope(controls, self.along(direction), constants))

    def hessian_product(self, values: Values, direction: Values) -> Arrays:
        """The second derivatives of the loss in the controls times a direction of them, exact."""
        controls, constants = self.split(values)
        found = self._curvature(controls, self.along(direction), constants)
        return {n: np.asarray(part) for n, part in found.items()}

    def costs(self, values: Values) -> np.ndarray[Any, Any]:
        """The cost along the way before each step, (steps,), per unit of time."""
        return np.asarray(self._costs(*self.split(values)), float)

    def residuals(self, values: Values) -> np.ndarray[Any, Any]:
        """The residuals (m,); of a scene that has them."""
        return np.asarray(self._residuals(*self.split(values)))

    def residual_derivatives(self, values: Values) -> Arrays:
        """The derivative of the residuals in each control, shape (m, *control's)."""
        found = self._residual_slopes(*self.split(values))
        return {n: np.asarray(part) for n, part in found.items()}

    def constraints(self, values: Values) -> Stated:
        """The constraints with their numbers: along the way, arrays (steps + 1, k), and at the end, (k,)."""
        if not constrained(self.scene):
            return (), ()
        stated: Stated = self._constraints(*self.split(values))
        return stated

    def constraint_derivatives(self, values: Values) -> Arrays:
        """The derivative of all m numbers of all constraints, in their order and C order, in each control,
        shape (m, *control's)."""
        found = self._constraint_slopes(*self.split(values))
        return {n: np.asarray(part) for n, part in found.items()}

    def constraint_hessian_product(self, values: Values, weights: Any, direction: Values) -> Arrays:
        """The second derivatives of the sum of those m numbers, weighed by (m,), times a direction."""
        controls, constants = self.split(values)
        along = self.along(direction)
        found = self._constraint_curvature(controls, along, np.asarray(weights, float), constants)
        return {n: np.asarray(part) for n, part in found.items()}

    def initial(self, values: Values) -> Any:
        """The state before the first step."""
        return self._initial(*self.split(values))

    def state_gradient(self, values: Values) -> Any:
        """The gradient of the loss in every number of the initial state, as such a state."""
        return self._state_gradient(self.initial(values), *self.split(values))

    def trajectory(self, values: Values) -> Any:
        """All states, from the initial one to the last: a state whose arrays have a leading axis of length
        steps + 1."""
        return self._trajectory(*self.split(values))

    def tracks(self, values: Values, trajectory: Any = None) -> list[Track]:
        """The scene's tracks, whose points have become paths of shape (steps + 1, 2)."""
        if trajectory is None:
            trajectory = self.trajectory(values)
        return list(self._tracks(trajectory, *self.split(values)))

    def end_derivatives(self, values: Values) -> Arrays:
        """The derivative of where the k tracks end in each control, shape (k, 2, *control's); of a scene
        that has tracks."""
        found = self._ends(*self.split(values))
        return {name: np.asarray(part, float) for name, part in found.items()}

    def invariants(self, values: Values, trajectory: Any = None) -> Arrays:
        """The scene's invariants after each step, of shape (steps + 1,), by name."""
        if trajectory is None:
            trajectory = self.trajectory(values)
        found = self._invariants(trajectory, *self.split(values))
        return {name: np.asarray(value, float) for name, value in found.items()}

    def first_limits(self, values: Values) -> tuple[Limit, ...]:
        """The scene's limits on its first state."""
        return tuple(self._first_limits(*self.split(values))) if self.scene.limited else ()

    def limits(self, values: Values) -> tuple[Limit, ...]:
        """The scene's limits, with numbers of shape (steps + 1,), one for each state; no states are kept. The
        motion stops where a limit is exceeded."""
        return tuple(self._limits(*self.split(values))) if self.scene.limited else ()

    def picture(self, trajectory: Any, index: int, values: Values) -> Picture:
        """The picture of a state of a trajectory."""
        picture: Picture = self._picture(_at(trajectory, index), *self.split(values))
        return picture

    def central_differences(self, values: Values, step: float = 1e-6) -> Arrays:
        """The gradient in each control by central differences of the loss; of one with very many numbers the
        slopes along a few directions (`probes.py`)."""
        return {n: difference(self.loss, n, values, step) for n in self.controls}


def check_problem(problem: Problem) -> Problem:
    """The problem, or what does as one. Raises ArgumentError for what is none."""
    if isinstance(problem, type) or not hasattr(problem, "scene"):
        raise ArgumentError(f"wanted a problem, as Problem(scene), not {told(problem)}")
    return problem


def followed(rows: Any, row: Any) -> Any:
    """Rows, and one more."""
    return ra.concat([rows, ra.stack([row])])


def _of_shape(name: str, value: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    try:
        found = np.asarray(value, float)
    except (TypeError, ValueError):
        raise SceneError(f"{name} takes numbers of shape {shape}, not {told(value)}") from None
    if found.shape != shape:
        raise SceneError(f"{name} has the shape {shape}, not {found.shape}")
    return found


def _at(trajectory: Any, index: Any) -> Any:
    return ra.map_leaves(lambda leaf: leaf[index], trajectory)
