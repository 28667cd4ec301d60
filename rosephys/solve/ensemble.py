"""A scene of which something is not known, as many scenes at once: members, each with its own draw.

The loss is a risk of the members' losses l_i, i = 1 … N:

    mean      Σ l_i / N
    worst     max l_i
    cvar:α    the mean of the worst (1 - α) N of them, a part of a member counting for as much (conditional
              value at risk)

Each is Σ w_i l_i, with weights that depend on the order of the losses alone, so its gradient is Σ w_i ∇l_i
(Danskin's theorem) wherever no two losses change places. The draws stay the same from evaluation to evaluation,
so what is minimised is a plain function (sample average approximation). Members run in SIMD lanes and threads.

Sources: Rockafellar, Uryasev, Journal of Risk 2, 2000, for cvar; Shapiro, Dentcheva, Ruszczyński, Lectures on
stochastic programming, 2009, ch. 5.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

import rose_ad as ra

from ..asked import named, whole
from ..errors import SceneError
from ..given import told
from ..scene.scene import Scene, constrained, unknown
from ..scene.spread import Spread
from .problem import Arrays, Problem, Stated, Values

Floats = NDArray[np.float64]

MOST = 1_000_000  # members
EACH = 8  # members that a thread of its own is worth


class Ensemble(Problem):
    """A problem whose loss is the risk of `members` draws of the fields that have a spread.

    `spread` gives fields a spread, or another than the scene does, by name. `risk` is "mean", "worst" or
    "cvar:0.9". What is drawn from `seed` is drawn about the values that are asked for, within the fields'
    bounds; the first members of a larger ensemble are those of a smaller. `threads` is as many as there are
    processors, unless it is given.

    Trajectories, pictures and limits are those of the values themselves; constraints are of every member, whose
    numbers stand side by side. Raises SceneError for a number of members below 1, an unknown risk, a scene in
    which nothing varies, and a spread of what cannot vary.
    """

    def __init__(
        self,
        scene: Scene,
        members: int,
        *,
        risk: str = "mean",
        seed: int = 0,
        spread: Mapping[str, Spread] | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(scene)
        if isinstance(members, bool) or not isinstance(members, int) or not 1 <= members <= MOST:
            raise SceneError(f"an ensemble has 1 to {MOST} members, not {told(members)}")
        self.members, self.risk, self.seed = members, risk, whole("seed", seed)
        self.spread = spreads(self, named("spread", {} if spread is None else spread))
        self.weighed = weights_of(risk, members)
        self._axes = axes = None, {n: 0 if n in self.spread else None for n in self.constants}
        usual = max(1, min(os.cpu_count() or 1, members // EACH))
        count = usual if threads is None else whole("threads", threads, least=1)
        self._each = ra.vmap(self._loss, axes, threads=count)
        self._each_slope = ra.vmap(self._slope, in_axes=(None, None, axes[1]), threads=count)
        self._each_curvature = ra.vmap(
            self._curvature, in_axes=(None, None, axes[1]), threads=count
        )
        self._each_residual = ra.vmap(self._residuals, axes, threads=count)
        self._each_residual_slope = ra.vmap(self._residual_slopes, axes, threads=count)
        self._gradient = ra.vmap(self._gradient, axes, threads=count)
        self._losses = ra.vmap(self._loss, in_axes=(0, axes[1]), threads=count)
        self._drawn_about: tuple[Arrays, Arrays] | None = None

    def __reduce__(self) -> Any:
        return _made_again, (
            type(self),
            self.scene,
            self.members,
            self.risk,
            self.seed,
            self.spread,
        )

    @property
    def constants(self) -> tuple[str, ...]:
        """The live fields that are no controls."""
        return tuple(n for n in self.values if n not in self.controls)

    def draws(self, values: Values) -> Arrays:
        """What varies, for every member: (members, ...) by name. Raises SceneError for a spread that gives
        something else than finite numbers of the field's shape."""
        whole = self.complete(values)
        about = {n: whole[n] for n in self.spread}
        if self._drawn_about is not None:
            before, known = self._drawn_about
            if all(np.array_equal(before[n], about[n]) for n in about):
                return known
        found = {n: self._drawn_of(n, value) for n, value in about.items()}
        self._drawn_about = about, found
        return found

    def _drawn_of(self, name: str, value: Floats) -> Floats:
        random = np.random.default_rng([self.seed, crc32(name.encode())])
        out = np.empty((self.members, *value.shape))
        for row in range(self.members):
            drawn = self.spread[name](random, value.copy())
            try:
                out[row] = np.broadcast_to(np.asarray(drawn, float), value.shape)
            except (TypeError, ValueError):
                raise SceneError(
                    f"the spread of {name} gave {told(drawn)}; wanted numbers of shape {value.shape}"
                ) from None
        if not np.isfinite(out).all():
            raise SceneError(f"the spread of {name} gave numbers that are not finite")
        bounds = self.scene.fields[name].bounds
        return out if bounds is None else np.clip(out, *bounds)

    def member(self, values: Values, index: int) -> Arrays:
        """The values of one member, for a plain `Problem` of the scene."""
        return {**self.complete(values), **{n: d[index] for n, d in self.draws(values).items()}}

    def member_losses(self, values: Values) -> Floats:
        """The losses of all members, (members,)."""
        return np.asarray(self._each(*self._split(values)), float)

    def suspect(self, values: Values) -> tuple[str, Problem, Values]:
        """The first member whose loss is not finite, if there is one; see `Problem`."""
        bad = np.flatnonzero(~np.isfinite(self.member_losses(values)))
        if not bad.size:
            return super().suspect(values)
        member = self.member(values, int(bad[0]))
        varied = ", ".join(f"{n} {told(member[n])}" for n in self.spread)
        return f"member {bad[0]} of the ensemble, {varied}", Problem(self.scene), member

    # ------------------------------------------------------------------------ what a problem is asked

    def compile(self) -> None:
        """Trace and compile the gradient of the members, if that has not been done."""
        if self._compiled is None:
            start = time.perf_counter()
            some = np.flatnonzero(self.weighed) if self.risk != "mean" else None
            self._compiled = self._gradient.lower(*self._split(self.values, some))
            self.compile_seconds = time.perf_counter() - start

    def loss(self, values: Values) -> float:
        """The risk of the members' losses."""
        losses = self.member_losses(values)
        return self._risk(losses)

    def losses(self, values: Values, batch: Values) -> Floats:
        """The risks (n,) of n choices of controls; as `Problem` has it."""
        many, constants = self._many(values, batch)
        n = len(next(iter(many.values())))
        each = {name: np.repeat(v, self.members, axis=0) for name, v in many.items()}
        constants |= {m: np.concatenate([d] * n) for m, d in self.draws(values).items()}
        found = np.asarray(self._losses(each, constants)).reshape(n, self.members)
        return np.array([self._risk(row) for row in found])

    def value_and_gradient(self, values: Values) -> tuple[float, Arrays]:
        """The risk, and its gradient in each control."""
        self.compile()
        if self.risk == "mean":
            losses, slopes = self._gradient(*self._split(values))
            return self._risk(np.asarray(losses)), self._mean(slopes, self.weighed)
        losses = self.member_losses(values)
        some, weights = self._chosen(losses)
        _, slopes = self._gradient(*self._split(values, some))
        return self._risk(losses), self._mean(slopes, weights)

    def gradients(self, values: Values, batch: Values) -> tuple[Floats, Arrays]:
        """The risks (n,) and their gradients (n, ...) of n choices of controls, one after the other."""
        many, _ = self._many(values, batch)
        rows = [{n: v[k] for n, v in many.items()} for k in range(len(next(iter(many.values()))))]
        found = [self.value_and_gradient({**values, **row}) for row in rows]
        slopes = {n: np.stack([gradient[n] for _, gradient in found]) for n in many}
        return np.array([loss for loss, _ in found]), slopes

    def slope(self, values: Values, direction: Values) -> float:
        """The derivative of the risk along a direction of the controls."""
        each = np.asarray(self._each_slope(*self._along(values, direction)))
        some, weights = self._chosen(self.member_losses(values))
        return float(weights @ each[some])

    def hessian_product(self, values: Values, direction: Values) -> Arrays:
        """The second derivatives of the risk times a direction, while no two losses change places."""
        some, weights = self._chosen(self.member_losses(values))
        each = self._each_curvature(*self._along(values, direction))
        return self._mean({n: np.asarray(part)[some] for n, part in each.items()}, weights)

    def residuals(self, values: Values) -> Floats:
        """The residuals (members m,) whose squares add up to the mean. Raises SceneError for another risk."""
        self._only_mean()
        found = np.asarray(self._each_residual(*self._split(values)))
        return np.asarray(found.ravel() / math.sqrt(self.members))

    def residual_derivatives(self, values: Values) -> Arrays:
        """Their derivatives (members m, *control's); see `residuals`."""
        self._only_mean()
        found = self._each_residual_slope(*self._split(values))
        scale = math.sqrt(self.members)
        return {n: np.concatenate(list(np.asarray(part))) / scale for n, part in found.items()}

    def constraints(self, values: Values) -> Stated:
        """The constraints of all members: arrays (steps + 1, members k) along the way, then (members k,)."""
        if not constrained(self.scene):
            return (), ()
        stated: Stated = self._constraints(*self._split(values))
        return stated

    def constraint_derivatives(self, values: Values) -> Arrays:
        """As `Problem` has it, of the constraints of all members."""
        found = self._constraint_slopes(*self._split(values))
        return {n: np.asarray(part) for n, part in found.items()}

    def constraint_hessian_product(self, values: Values, weights: Any, direction: Values) -> Arrays:
        """As `Problem` has it, of the constraints of all members."""
        controls, along, constants = self._along(values, direction)
        weights = np.asarray(weights, float)
        found = self._constraint_curvature(controls, along, weights, constants)
        return {n: np.asarray(part) for n, part in found.items()}

    def _trace_constraints(self, controls: Values, constants: Values) -> Stated:
        each = ra.vmap(ra.fn(super()._trace_constraints), self._axes)
        along, end = each(controls, constants)
        beside = ra.map_leaves(
            lambda x: ra.reshape(ra.moveaxis(x, 1, 0), (self.steps + 1, -1)), along
        )
        return beside, ra.map_leaves(ra.ravel, end)

    # --------------------------------------------------------------------------------------- the risk

    def _split(
        self, values: Values, some: NDArray[np.int64] | None = None
    ) -> tuple[Arrays, Arrays]:
        """The controls, and the constants with those that vary for all members, or for some."""
        controls, constants = self.split(values)
        drawn = self.draws(values)
        return controls, constants | (
            drawn if some is None else {n: d[some] for n, d in drawn.items()}
        )

    def _along(self, values: Values, direction: Values) -> tuple[Arrays, Arrays, Arrays]:
        controls, constants = self._split(values)
        return controls, self.along(direction), constants

    def _chosen(self, losses: Floats) -> tuple[NDArray[np.int64], Floats]:
        """The members that count, in their order, and what for."""
        worst_first = np.argsort(-losses, kind="stable")
        weights = np.zeros(self.members)
        weights[worst_first] = self.weighed
        some = np.flatnonzero(weights)
        return some, weights[some]

    def _risk(self, losses: Floats) -> float:
        if np.isnan(losses).any():
            return math.nan
        some, weights = self._chosen(losses)
        return float(weights @ losses[some])

    def _mean(self, each: Mapping[str, Any], weights: Floats) -> Arrays:
        return {n: np.tensordot(weights, np.asarray(part), 1) for n, part in each.items()}

    def _only_mean(self) -> None:
        if self.risk != "mean":
            raise SceneError(
                f"the residuals of an ensemble are those of its mean, not of {self.risk}"
            )


def spreads(problem: Problem, given: Mapping[str, Spread]) -> dict[str, Spread]:
    """The spread of each field that varies: as its scene says, or as is given. Raises SceneError where none
    does, or one cannot."""
    scene = problem.scene
    for name, spread in given.items():
        if name not in scene.fields:
            raise SceneError(unknown(scene, name, scene.fields))
        if name not in problem.values:
            raise SceneError(
                f"{name} is the {scene.fields[name].type} {getattr(scene, name)!r}: only floats and arrays"
                " may vary in an ensemble"
            )
        if name in problem.controls:
            raise SceneError(
                f"{name} is a control, which is sought: spread a parameter added to it"
            )
        if not callable(spread):
            raise SceneError(
                f"the spread of {name} is {told(spread)}; wanted normal(0.1), or a function"
            )
    own = {n: f.spread for n, f in scene.fields.items() if f.spread is not None}
    found = {**own, **given}
    if not found:
        raise SceneError(
            f"nothing varies in {scene.name}: give a parameter a spread, such as spread=normal(0.1)"
        )
    return found


def weights_of(risk: str, members: int) -> Floats:
    """What the members count for (members,), from the worst on. Raises SceneError for an unknown risk."""
    if risk == "mean":
        return np.full(members, 1.0 / members)
    if risk == "worst":
        return np.asarray(np.eye(members)[0])
    share = max((1.0 - _level(risk)) * members, 1e-9)
    return np.asarray(np.clip(share - np.arange(members), 0.0, 1.0) / share)


def _level(risk: str) -> float:
    name, _, level = str(risk).partition(":")
    try:
        found = float(level)
    except ValueError:
        found = math.nan
    if name != "cvar" or not 0 <= found < 1:
        raise SceneError(
            f'a risk is "mean", "worst" or "cvar:0.9", of a level from 0 to 1, not {told(risk)}'
        )
    return found


def _made_again(kind: Any, scene: Scene, members: int, risk: str, seed: int, spread: Any) -> Any:
    return kind(scene, members, risk=risk, seed=seed, spread=spread)
