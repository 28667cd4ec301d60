"""The points of a sweep: values on a grid, values that are drawn, and starts of the controls.

A point is a row of the sweep. Its number says all of it: the grid's axes turn slowest, in their order, then
the samples, then the starts; so no process needs more than numbers to know which points are its own. What is
drawn is a Latin hypercube (McKay, Beckman, Conover, Technometrics 21, 1979): each of n samples lies in
another n-th of every range. Start 0 is the controls as they are, the others lie around them at distances of
all sizes, as `solve/scout.py` throws them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..asked import named, whole
from ..errors import SceneError
from ..given import told
from ..scene.scene import Scene, unknown
from ..solve.scout import FARTHEST, NEAREST

Floats: TypeAlias = NDArray[np.float64]
Range: TypeAlias = tuple[float, float]

BLOCK = 256  # starts that are drawn at once
MOST = 1 << 40  # points


@dataclass(frozen=True)
class Points:
    """Numbers of fields by name, "mass" or "goal.0": each of `grid` with its values (n,), each of `between`
    with the ends of its range, in which `samples` are drawn; all of it from `starts` starts."""

    grid: Mapping[str, Floats] = field(default_factory=dict)
    between: Mapping[str, Range] = field(default_factory=dict)
    samples: int = 1
    starts: int = 1
    seed: int = 0

    @property
    def names(self) -> list[str]:
        """What is varied."""
        return [*self.grid, *self.between]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many values each axis has, then how many samples, then starts."""
        return (*(len(values) for values in self.grid.values()), self.samples, self.starts)

    @property
    def size(self) -> int:
        """How many points there are."""
        return prod(self.shape)

    def at(self, rows: NDArray[np.int64]) -> dict[str, Floats]:
        """The varied numbers of these rows, each (len(rows),)."""
        *places, sample, _ = np.unravel_index(rows, self.shape)
        found = {n: v[k] for (n, v), k in zip(self.grid.items(), places, strict=True)}
        drawn = _hypercube(tuple(self.between.values()), self.samples, self.seed)
        return found | {n: v[sample] for n, v in zip(self.between, drawn, strict=True)}

    def start(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the start of each of these rows."""
        return np.asarray(rows % self.starts)

    def controls(
        self, own: Mapping[str, Floats], bounds: Mapping[str, Range], starts: NDArray[np.int64]
    ) -> dict[str, Floats]:
        """The controls of starts by number, (len(starts), ...) each, `own` being those of start 0."""
        out = {n: np.empty((len(starts), *value.shape)) for n, value in own.items()}
        for block in np.unique(starts // BLOCK):
            inside = starts // BLOCK == block
            thrown = self._thrown(own, bounds, int(block))
            for name, values in thrown.items():
                out[name][inside] = values[starts[inside] % BLOCK]
        return out

    def _thrown(
        self, own: Mapping[str, Floats], bounds: Mapping[str, Range], block: int
    ) -> dict[str, Floats]:
        """The controls of a block of starts."""
        draw = np.random.default_rng([self.seed, 2, block])
        reach = np.exp(draw.uniform(np.log(NEAREST), np.log(FARTHEST), BLOCK))
        out = {}
        for name, value in own.items():
            size = float(np.linalg.norm(value)) or 1.0
            far = size * reach.reshape(-1, *[1] * value.ndim)
            thrown = value + far * draw.normal(size=(BLOCK, *value.shape))
            out[name] = np.clip(thrown, *bounds[name])
            if block == 0:
                out[name][0] = value
        return out


@lru_cache(8)
def _hypercube(ranges: tuple[Range, ...], samples: int, seed: int) -> list[Floats]:
    """The samples of each range."""
    draw, found = np.random.default_rng([seed, 1]), []
    for low, high in ranges:
        place = (draw.permutation(samples) + draw.random(samples)) / samples
        found.append(low + (high - low) * place)
    return found


def points(
    scene: Scene,
    vary: Mapping[str, Any],
    between: Mapping[str, Range],
    samples: int | None,
    starts: int,
    seed: int,
) -> Points:
    """The points of a sweep of a scene. Raises SceneError for what cannot be varied so."""
    for name in (*named("vary", vary), *named("between", between)):
        check_name(scene, name)
    twice = set(vary) & set(between)
    if twice:
        raise SceneError(f"{min(twice)} is varied twice: on a grid, and in a range")
    grid = {n: _values(scene, n, values) for n, values in vary.items()}
    ranges = {n: _range(scene, n, ends) for n, ends in between.items()}
    if ranges and samples is None:
        raise SceneError(
            f"{min(ranges)} has a range to be sampled: how many samples? A third number, as in"
            f" {min(ranges)}={ranges[min(ranges)][0]:g}:{ranges[min(ranges)][1]:g}:10, is a grid instead"
        )
    if samples is not None and not ranges:
        raise SceneError("there are samples to be drawn, but no range, NAME=LOW:HIGH, to draw from")
    for what, count in (("samples", 1 if samples is None else samples), ("starts", starts)):
        whole(what, count, least=1)
    if starts > 1 and not scene.controls:
        raise SceneError(f"{scene.name} has no controls, and so one start, not {starts}")
    made = Points(grid, ranges, samples or 1, starts, whole("seed", seed))
    if made.size > MOST:
        raise SceneError(f"a sweep has {MOST:,} points at most, not {made.size:,}")
    return made


def check_name(scene: Scene, name: str) -> None:
    """Raise SceneError for what is no number of a live field: "mass", "goal.0", "wind.3.4"."""
    place_of(scene, name)


def place_of(scene: Scene, name: str) -> tuple[str, tuple[int, ...]]:
    """The field that a number belongs to, and its place there."""
    base, *rest = name.split(".")
    if base not in scene.fields:
        raise SceneError(unknown(scene, base, scene.live))
    if not scene.fields[base].live:
        raise SceneError(
            f"{base} shapes the program of {scene.name}, and so it has one value in a sweep:"
            f" --set {base}=VALUE, a sweep for each"
        )
    shape = np.shape(getattr(scene, base))
    good = len(rest) == len(shape) and all(k.isdecimal() for k in rest)
    if not good or any(int(k) >= n for k, n in zip(rest, shape, strict=True)):
        wanted = ".".join([base, *("0" for _ in shape)])
        raise SceneError(f"{name} is no number of {base}, of shape {shape}: {wanted} is one")
    return base, tuple(map(int, rest))


def _values(scene: Scene, name: str, given: Sequence[float]) -> Floats:
    try:
        values = np.asarray(given, float)
    except (TypeError, ValueError):
        raise SceneError(f"{name} takes a row of values, not {told(given)}") from None
    if values.ndim != 1 or not values.size:
        raise SceneError(f"{name} takes a row of values, not an array of shape {values.shape}")
    _check_inside(scene, name, values)
    return values


def _range(scene: Scene, name: str, ends: Range) -> Range:
    try:
        low, high = map(float, ends)
    except (TypeError, ValueError):
        raise SceneError(f"{name} takes the two ends of a range, not {ends!r}") from None
    if not low < high:
        raise SceneError(f"the range of {name} goes from {low:g} to {high:g}: the lower end first")
    _check_inside(scene, name, np.array([low, high]))
    return low, high


def _check_inside(scene: Scene, name: str, values: Floats) -> None:
    if not np.isfinite(values).all():
        raise SceneError(f"{name} is to be varied among finite numbers")
    low, high = scene.fields[place_of(scene, name)[0]].bounds or (-np.inf, np.inf)
    for value in (values.min(), values.max()):
        if not low <= value <= high:
            raise SceneError(f"{name} lies between {low:g} and {high:g}, not at {value:g}")
