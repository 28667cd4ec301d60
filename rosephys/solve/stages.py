"""A motion as stages, for optimal control: in each a state x (n,), a control u (m,), what follows, what it
costs.

    x[t + 1] = f(x[t], u[t], t)        loss = Σ l(x[t], u[t], t) + L(x[steps])

x is every float of the scene's state, u the row of every control that belongs to the step; l is dt times the
scene's cost. Whole numbers and truth values of a state go with the motion and have no derivative. All stages
are differentiated side by side, in SIMD lanes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rose_ad as ra

from ..errors import OptimizeError, SceneError
from ..scene.contract import Contract
from .problem import Arrays, Problem, Values, followed
from .riccati import sweep
from .row import Row

Floats = NDArray[np.float64]

AGREE = 1e-6  # relative difference of the two gradients of a motion in stages


@dataclass(frozen=True)
class Run:
    """A motion: states (steps + 1, n), what else is in them, controls (steps, m), and its loss."""

    x: Floats
    others: Any
    u: Floats
    loss: float


@dataclass(frozen=True)
class Slopes:
    """Derivatives of a run, in z = (x, u) of each stage, k = n + m numbers: of what follows (steps, n, k), of
    the costs (steps, k) and (steps, k, k), and of the last state's loss (n,) and (n, n)."""

    f: Floats
    l: Floats
    ll: Floats
    end: Floats
    ends: Floats


@dataclass(frozen=True)
class Sweep:
    """What a sweep finds: changes of the controls (steps, m), feedback (steps, m, n), the slope (steps, n) and
    the curvature (steps, n, n) of the cost to go after each stage, and by how much all that lowers the loss."""

    change: Floats
    feedback: Floats
    slope: Floats
    curve: Floats
    promised: float
    good: bool  # whether it is a minimum; else it takes more damping


class Stages:
    """The stages of a problem. Raises SceneError for controls without a row for each step, and for a state that
    has no floats."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        for name in problem.controls:
            shape = problem.values[name].shape
            if shape[:1] != (problem.steps,):
                raise SceneError(
                    f"this optimiser needs controls with a row for each step, as ({problem.steps}, ...):"
                    f" {name} has the shape {shape}"
                )
        self._shapes = {n: problem.values[n].shape[1:] for n in problem.controls}
        fields = problem.scene.fields
        bounds = [fields[n].bounds or (-math.inf, math.inf) for n in problem.controls]
        sizes = [math.prod(shape) for shape in self._shapes.values()]
        self.low, self.high = (np.repeat([float(b[k]) for b in bounds], sizes) for k in (0, 1))
        self._row = Row(problem.initial(problem.values))
        self.n = self._row.n
        self.m = sum(sizes)
        if not self.n:
            raise SceneError(f"the state of {problem.scene.name} has no floats")
        self._compile()

    def _compile(self) -> None:
        follows, costs = ra.fn(self._trace_follows), ra.fn(self._trace_cost)
        jacobian, slope, curve = ra.jacfwd(follows), ra.grad(costs), ra.hessian(costs)
        curvature = ra.hessian(ra.fn(self._trace_weighed))
        end, ends = ra.grad(ra.fn(self._trace_end)), ra.hessian(ra.fn(self._trace_end))

        def both(*stage: Any) -> Any:
            return follows(*stage), costs(*stage)

        def slopes(*stage: Any) -> Any:
            return jacobian(*stage), slope(*stage), curve(*stage)

        rows = (0, 0, 0, None)
        self._stages = ra.vmap(ra.fn(both), rows)
        self._slopes = ra.vmap(ra.fn(slopes), rows)
        self._curvatures = ra.vmap(curvature, (0, *rows))
        self._end = ra.fn(lambda *last: (end(*last), ends(*last)))
        self._last = ra.fn(self._trace_end)
        self._runs = ra.vmap(ra.fn(self._trace_run), (0, *(None,) * 6))
        self._sweep = ra.fn(_plain_sweep)

        def exact(stages: Any, end: Any, limits: Any, damping: Any, constants: Values) -> Any:
            def own(stage: Any, slope: Any) -> Any:
                z, others, t = stage
                return curvature(z, slope, others, t, constants)

            return sweep(stages, end, limits, damping, own)

        self._exact_sweep = ra.fn(exact)

    # ------------------------------------------------------------------------------- what is traced

    def _rows(self, u: Any) -> dict[str, Any]:
        """The controls of this row, as arrays that have it in every step."""
        found, at = {}, 0
        for name, shape in self._shapes.items():
            size = math.prod(shape)
            row = ra.reshape(u[at : at + size], shape) if shape else u[at]
            found[name] = ra.broadcast_to(row, (self._problem.steps, *shape))
            at += size
        return found

    def _stage(self, z: Any, others: Any, constants: Values) -> tuple[Contract, Any]:
        scene = self._problem.bound(self._rows(z[self.n :]), constants)
        return scene, self._row.state(z[: self.n], others)

    def _trace_follows(self, z: Any, others: Any, t: Any, constants: Values) -> Any:
        scene, state = self._stage(z, others, constants)
        return self._row.split(scene.stepping(state)(state, t))[0]

    def _trace_cost(self, z: Any, others: Any, t: Any, constants: Values) -> Any:
        scene, state = self._stage(z, others, constants)
        return self._cost(scene, state, t)

    def _cost(self, scene: Contract, state: Any, t: Any) -> Any:
        return scene.dt * scene.cost(state, t) if scene.costed else ra.to_real(0)

    def _trace_weighed(self, z: Any, weights: Any, others: Any, t: Any, constants: Values) -> Any:
        ahead = self._trace_follows(z, others, t, constants)
        return self._trace_cost(z, others, t, constants) + ra.dot(weights, ahead)

    def _trace_end(self, x: Any, others: Any, u: Any, constants: Values) -> Any:
        scene = self._problem.bound(self._controls(u), constants)
        return scene.loss(self._row.state(x, others))

    def _trace_run(
        self, share: Any, x: Any, others: Any, u: Any, change: Any, feedback: Any, constants: Values
    ) -> Any:
        def on(state: Any, t: Any) -> Any:
            now, rest = self._row.split(state)
            row = u[t] + share * change[t] + ra.matmul(feedback[t], now - x[t])
            row = ra.minimum(ra.maximum(row, self.low), self.high)
            scene = self._problem.bound(self._rows(row), constants)
            after = scene.stepping(state)(state, t)
            return after, (now, rest, row, self._cost(scene, state, t))

        start = self._row.state(x[0], [leaf[0] for leaf in others])
        final, (xs, rest, us, costs) = ra.scan(on, start, np.arange(self._problem.steps))
        last, beyond = self._row.split(final)
        end = self._problem.bound(self._controls(us), constants).loss(final)
        whole = [followed(a, b) for a, b in zip(rest, beyond, strict=True)]
        return followed(xs, last), whole, us, ra.sum(costs) + end

    def _controls(self, u: Any) -> dict[str, Any]:
        """The controls of rows (steps, m)."""
        found, at = {}, 0
        for name, shape in self._shapes.items():
            size = math.prod(shape)
            part = u[:, at : at + size]
            found[name] = ra.reshape(part, (self._problem.steps, *shape))
            at += size
        return found

    # --------------------------------------------------------------------------------- what is asked

    def controls(self, u: Floats) -> Arrays:
        """The controls of rows (steps, m), by name."""
        ends = np.cumsum([math.prod(shape) for shape in self._shapes.values()])
        parts = np.split(u, ends[:-1], axis=1)
        rows = zip(self._shapes.items(), parts, strict=True)
        return {name: part.reshape(len(u), *shape) for (name, shape), part in rows}

    def rows(self, controls: Values) -> Floats:
        """The rows (steps, m) of controls."""
        parts = [np.reshape(controls[n], (self._problem.steps, -1)) for n in self._shapes]
        return np.concatenate(parts, axis=1)

    def first(self, values: Values) -> Run:
        """The run under these values, whose controls are brought within their bounds."""
        u = np.clip(self.rows(values), self.low, self.high)
        values = {**values, **self.controls(u)}
        x, others = self._row.split_all(self._problem.trajectory(values))
        return Run(x, others, u, self._problem.loss(values))

    def start(self, state: Any) -> tuple[Floats, Any]:
        """The floats (n,) of a state of the scene, and its other leaves. Raises SceneError for another's."""
        if not self._row.fits(state):
            raise SceneError(f"that is no state of {self._problem.scene.name}")
        x, others = self._row.split(state)
        return np.asarray(x), [np.asarray(leaf) for leaf in others]

    def begun(self, state: Any, u: Floats, constants: Values) -> Run:
        """The run from a state of the scene under controls (steps, m)."""
        x, others = self.start(state)
        still = Run(np.tile(x, (len(u) + 1, 1)), [leaf[None] for leaf in others], u, math.nan)
        nothing = np.zeros_like(u), np.zeros((*u.shape, self.n))
        return self.runs(still, *nothing, np.zeros(1), constants)[0]

    def runs(
        self, about: Run, change: Floats, feedback: Floats, shares: Floats, constants: Values
    ) -> list[Run]:
        """Runs with the controls u + share * change + feedback (x - those of the run about which it is),
        within bounds: one for each share, side by side."""
        x, others, u, losses = self._runs(
            shares, about.x, about.others, about.u, change, feedback, constants
        )
        many = range(len(shares))
        return [Run(x[k], [leaf[k] for leaf in others], u[k], float(losses[k])) for k in many]

    def slopes(self, run: Run, constants: Values) -> Slopes:
        """The derivatives along a run. Raises OptimizeError where one is not finite."""
        f, l, ll = self._slopes(*self._along(run), constants)
        end, ends = self._end(*_last_of(run), constants)
        found = Slopes(*(np.asarray(part) for part in (f, l, ll, end, ends)))
        _check_finite(found)
        return found

    def ahead(self, run: Run, constants: Values) -> tuple[Floats, float]:
        """What follows on each stage (steps, n), and the loss of all, of states that need not follow."""
        f, costs = self._stages(*self._along(run), constants)
        last = self._last(*_last_of(run), constants)
        return np.asarray(f), float(np.sum(costs)) + float(last)

    def sweep(
        self,
        run: Run,
        slopes: Slopes,
        curves: Floats,
        damping: float,
        defects: Floats | None = None,
    ) -> Sweep:
        """What is best about a run for stages of these curvatures (steps, k, k); see riccati.py."""
        d = np.zeros((len(run.u), self.n)) if defects is None else defects
        stages = slopes.f, slopes.l, d, curves
        return _swept(self._sweep(stages, (slopes.end, slopes.ends), self._limits(run), damping))

    def exact_sweep(self, run: Run, slopes: Slopes, damping: float, constants: Values) -> Sweep:
        """The same with the curvatures of l + V_x f, as the sweep finds V_x."""
        stages = slopes.f, slopes.l, np.zeros((len(run.u), self.n)), self._along(run)
        end, limits = (slopes.end, slopes.ends), self._limits(run)
        return _swept(self._exact_sweep(stages, end, limits, damping, constants))

    def _limits(self, run: Run) -> tuple[Floats, Floats]:
        return self.low - run.u, self.high - run.u

    def curvatures(self, run: Run, weights: Floats, constants: Values) -> Floats:
        """The second derivatives (steps, k, k) of l + weights f at all stages, by weights (steps, n)."""
        z, others, t = self._along(run)
        return np.asarray(self._curvatures(z, weights, others, t, constants))

    def gradient(self, slopes: Slopes) -> Floats:
        """The gradient of the loss in the controls (steps, m), by the adjoint equation."""
        price, found = slopes.end, np.empty((len(slopes.l), self.m))
        for t in reversed(range(len(found))):
            both = slopes.l[t] + price @ slopes.f[t]
            price, found[t] = both[: self.n], both[self.n :]
        return found

    def check(self, gradient: Floats, values: Values) -> None:
        """Raise SceneError where a gradient in stages is not that of the loss: a control reaches it otherwise
        than by its own step."""
        whole = self.rows(self._problem.value_and_gradient(values)[1])
        size = max(float(np.abs(whole).max(initial=0.0)), float(np.abs(gradient).max(initial=0.0)))
        apart = float(np.abs(whole - gradient).max(initial=0.0))
        if not apart <= AGREE * size:
            raise SceneError(
                f"{self._problem.scene.name} is not made of stages, which this optimiser needs: the row of a"
                " control for a step may be seen by that step and by cost(state, t) alone, not by loss,"
                f" initial or another step (the gradient is off by {apart / size:.2g} of its size)"
            )

    def _along(self, run: Run) -> tuple[Floats, Any, Any]:
        z = np.concatenate([run.x[:-1], run.u], axis=1)
        return z, [leaf[:-1] for leaf in run.others], np.arange(len(run.u))


def _check_finite(slopes: Slopes) -> None:
    """Raise OptimizeError for derivatives that are not finite: no sweep would help, and none says why."""
    along = (slopes.f, "step"), (slopes.l, "cost"), (slopes.ll, "cost")
    for order, (part, what) in zip(("", "", "second "), along, strict=True):
        if not np.isfinite(part).all():
            t = int(np.argmin(np.isfinite(part.reshape(len(part), -1)).all(axis=1)))
            raise OptimizeError(f"the {order}derivative of `{what}` is not finite at step {t}")
    for order, part in ("", slopes.end), ("second ", slopes.ends):
        if not np.isfinite(part).all():
            raise OptimizeError(f"the {order}derivative of `loss` is not finite")


def _last_of(run: Run) -> tuple[Floats, Any, Floats]:
    """The last state and all controls; its numbers as arrays, which are handed over sooner than numbers."""
    return run.x[-1], [leaf[-1, ...] for leaf in run.others], run.u


def _plain_sweep(stages: Any, end: Any, limits: Any, damping: Any) -> Any:
    return sweep(stages, end, limits, damping, lambda curve, slope: curve)


def _swept(found: dict[str, Any]) -> Sweep:
    k, feedback, slope, curve = (np.asarray(found[n]) for n in ("k", "feedback", "slope", "curve"))
    promised = float(found["promised"])
    good = bool(found["good"]) and math.isfinite(promised)
    return Sweep(k, feedback, slope, curve, promised, good)
