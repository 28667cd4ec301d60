"""What is sent to whoever computes a part of a sweep: the loss's gradient as IR, and the points as numbers.

A job pickles to its own bytes, in which the program is the text that was traced, so that it can be run where
neither the scene's file nor its modules are; it is unpacked once in each process, and compiled there, for the
processor that is there. A task is a job and a number: that of a chunk of rows.
"""

from __future__ import annotations

import pickle
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import numpy as np

import rose_ad as ra

from ..asked import above_zero, whole
from ..errors import SceneError
from ..scene.scene import constrained
from ..solve.optimize import check_optimizer
from ..solve.problem import Arrays, Problem
from .descent import RULES, Batch, Floats, How, descended
from .points import Points, place_of

# numbers of states that the rollouts of a chunk go through: neither too little to send, nor too much to lose
WORK = 1 << 27
ROOM = 1 << 20  # numbers of controls in a chunk
FEWEST, MOST = 16, 2048  # rows of a chunk
KEPT = 64  # numbers of controls, up to which a row has them all


@dataclass(frozen=True)
class Job:
    """A sweep as something to be computed: `job(k)` gives the rows of chunk k, (rows, len(columns))."""

    gradient: ra.Fn
    values: Arrays
    controls: tuple[str, ...]
    points: Points
    places: Mapping[
        str, tuple[str, tuple[int, ...]]
    ]  # of varied numbers: the field, and where in it
    how: How
    chunk: int

    def __call__(self, k: int) -> Floats:
        rows = np.arange(k * self.chunk, min((k + 1) * self.chunk, self.points.size))
        found = self._found(rows)
        return np.column_stack(list(found.values()))

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.points.size // self.chunk)

    @property
    def columns(self) -> list[str]:
        """The names of a row's numbers."""
        kept = self._numbers if self.keeps else []
        return ["start", *self.points.names, "loss", "gradient", "outcome", *kept]

    @property
    def keeps(self) -> bool:
        """Whether rows have the controls."""
        return len(self._numbers) <= KEPT

    @cached_property
    def _numbers(self) -> list[str]:
        """The numbers of all controls: "controls.angle", "controls.push.0", "controls.push.1"."""
        return [
            ".".join(["controls", n, *map(str, k)])
            for n in self.controls
            for k in np.ndindex(self.values[n].shape)
        ]

    def _found(self, rows: np.ndarray[Any, Any]) -> dict[str, Floats]:
        """The columns of some rows. There are as many members in each call, that one program do."""
        whole = np.resize(rows, self.chunk) if len(rows) < self.chunk else rows
        varied = self.points.at(whole)
        start, constants = self._set(whole, varied)
        found = descended(partial(self._evaluate, constants), start, self.how)
        out = {"start": self.points.start(whole).astype(float)} | varied
        out |= {"loss": found.loss, "gradient": found.gradient}
        out["outcome"] = found.outcome.astype(float)
        if self.keeps:
            flat = [found.controls[n].reshape(len(whole), -1) for n in self.controls]
            out |= zip(self._numbers, np.concatenate(flat, axis=1).T, strict=True)
        return {name: column[: len(rows)] for name, column in out.items()}

    def _set(self, rows: np.ndarray[Any, Any], varied: Batch) -> tuple[Batch, Arrays]:
        """The controls that the rows start from, and their constants, with the varied numbers set."""
        own = {n: self.values[n] for n in self.controls}
        starts = self.points.start(rows)
        start = self.points.controls(own, self.how.bounds, starts)
        constants = {n: v for n, v in self.values.items() if n not in own}
        for name in self._varied:
            constants[name] = np.broadcast_to(constants[name], (len(rows), *constants[name].shape))
            constants[name] = constants[name].copy()
        for name, column in varied.items():
            base, place = self.places[name]
            entry: tuple[Any, ...] = (slice(None), *place)
            (start if base in own else constants)[base][entry] = column
        return start, constants

    @cached_property
    def _varied(self) -> list[str]:
        """The constants that vary."""
        bases = dict.fromkeys(base for base, _ in self.places.values())
        return [name for name in bases if name not in self.controls]

    @cached_property
    def _batched(self) -> ra.Fn:
        axes = {n: 0 if n in self._varied else None for n in self.values if n not in self.controls}
        return ra.vmap(self.gradient, in_axes=({n: 0 for n in self.controls}, axes))

    def _evaluate(self, constants: Arrays, controls: Batch) -> tuple[Floats, Batch]:
        try:
            loss, gradient = self._batched(controls, constants)
        except IndexError:  # of a member that has left its model: the others have not
            return self._one_by_one(constants, controls)
        return np.asarray(loss), {n: np.asarray(g) for n, g in gradient.items()}

    def _one_by_one(self, constants: Arrays, controls: Batch) -> tuple[Floats, Batch]:
        """The same, with NaN for members that leave what their model has room for."""
        loss = np.full(self.chunk, np.nan)
        gradient = {n: np.full_like(v, np.nan) for n, v in controls.items()}
        for k in range(self.chunk):
            own = {n: v[k] if n in self._varied else v for n, v in constants.items()}
            try:
                loss[k], slopes = self.gradient({n: v[k] for n, v in controls.items()}, own)
            except IndexError:
                continue
            for n, slope in slopes.items():
                gradient[n][k] = slope
        return loss, gradient

    @cached_property
    def packed(self) -> bytes:
        """All of it, in bytes."""
        parts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return zlib.compress(pickle.dumps(parts, protocol=pickle.HIGHEST_PROTOCOL))

    def __reduce__(self) -> Any:
        return unpacked, (self.packed,)


@lru_cache(8)
def unpacked(packed: bytes) -> Job:
    """The job of these bytes, the same for the same bytes."""
    return Job(**pickle.loads(zlib.decompress(packed)))


def job(
    problem: Problem,
    points: Points,
    *,
    iterations: int = 0,
    optimizer: str | None = None,
    rate: float | None = None,
    chunk: int | None = None,
) -> Job:
    """The job of a sweep. What is None is as the scene prefers. Raises SceneError for what cannot be swept, and
    what the scene raises while it is traced."""
    scene = problem.scene
    if not problem.controls:
        raise SceneError(f"{scene.name} has no controls, and so no gradient to be swept")
    how = _how(problem, whole("iterations", iterations), optimizer, rate)
    if iterations:
        _check_rule(problem, how.optimizer)
    rows = usual_chunk(problem) if chunk is None else whole("chunk", chunk, least=1)
    gradient = ra.value_and_grad(problem.loss_function)
    gradient.trace(*problem.split(problem.values))  # for another process, which has no Python of it
    places = {name: place_of(scene, name) for name in points.names}
    return Job(
        gradient,
        dict(problem.values),
        problem.controls,
        points,
        places,
        how,
        min(rows, points.size),
    )


def usual_chunk(problem: Problem) -> int:
    """How many rows a chunk has where nobody says it, the same whoever computes it."""
    floats = sum(np.size(leaf) for leaf in ra.flatten(problem.initial(problem.values))[0])
    numbers = sum(problem.values[n].size for n in problem.controls)
    most = min(MOST, WORK // (problem.steps * max(floats, 1)), ROOM // max(numbers, 1))
    return max(FEWEST, most)


def _how(problem: Problem, iterations: int, optimizer: str | None, rate: float | None) -> How:
    scene = problem.scene
    fields = {n: scene.fields[n] for n in problem.controls}
    return How(
        iterations,
        optimizer or (scene.optimizer if scene.optimizer in RULES else "adam"),
        above_zero("rate", scene.rate if rate is None else rate, most=sys.float_info.max),
        scene.clip,
        {n: f.rate for n, f in fields.items()},
        {n: f.bounds or (-np.inf, np.inf) for n, f in fields.items()},
    )


def _check_rule(problem: Problem, name: str) -> None:
    if name not in RULES:
        raise SceneError(
            f"a sweep descends along gradients, many at once: by {', '.join(RULES)}, not by {name}"
        )
    if constrained(problem.scene):
        check_optimizer(problem, name)
