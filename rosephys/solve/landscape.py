"""The loss over two numbers of the controls, or over one, with all else as it is: a slice through them.

It is found on a coarse grid first and then on ever finer ones, whose points run side by side
(`Problem.losses`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rosephys.errors import SceneError

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem

Floats = NDArray[np.float64]

GRIDS = (9, 17, 33, 65)  # points along each side; each grid holds every point of the one before
BATCH = 16  # losses that are computed side by side
PATIENCE = 20.0  # seconds; a grid that would take longer is not begun
NAMED = 4  # the steepest numbers, whose pairs are offered
SPAN = 0.5  # half a side, relative to the size of its control
ROOM = 1.5  # times the extent of the descent that a side has at least
DECADES = 4.0  # of the loss that are told apart, from the largest one down


@dataclass(frozen=True)
class Component:
    """One number of the controls: entry `index` of a control's numbers in order."""

    name: str
    index: int = 0

    def of(self, values: Mapping[str, Any]) -> float:
        """Its value."""
        return float(np.ravel(values[self.name])[self.index])

    def put(self, values: Mapping[str, Any], numbers: Any) -> Floats:
        """Its control with these numbers (n,) in its place, (n, *control's)."""
        base = np.asarray(values[self.name], float)
        many = np.repeat(base.reshape(1, -1), len(numbers), axis=0)
        many[:, self.index] = numbers
        return many.reshape(len(numbers), *base.shape)


@dataclass(frozen=True)
class Axis:
    """A component and the range of it that is looked at."""

    component: Component
    low: float
    high: float

    def at(self, share: Any) -> Any:
        """The value that lies that share of the way from low to high."""
        return self.low + np.asarray(share, float) * (self.high - self.low)

    def share(self, value: Any) -> Any:
        """How much of the way a value lies at; 0 and 1 are the ends."""
        return (np.asarray(value, float) - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Landscape:
    """The losses of an even grid on one axis, (n,), or on two, (n, n): entry [i, j] lies i along the first."""

    axes: tuple[Axis, ...]
    values: Arrays  # through which it goes
    losses: Floats

    @property
    def logarithmic(self) -> bool:
        """Whether the losses are told apart by their logarithms: all are positive, and their sizes differ."""
        found = self.losses[np.isfinite(self.losses)]
        return bool(found.size and found.min() >= 0 and found.max() > 20 * found.min())

    def level(self, losses: Any) -> Any:
        """How high losses lie in the picture: themselves or, in decades, their logarithms."""
        if not self.logarithmic:
            return np.asarray(losses, float)
        least = self.losses[np.isfinite(self.losses)].max() * 10**-DECADES
        return np.log10(np.maximum(losses, least))

    def loss(self, level: float) -> float:
        """The loss that lies at this level."""
        return 10**level if self.logarithmic else level


# ---- What is looked at ----


def component(problem: Problem, name: str) -> Component:
    """The component that is called so: "push", or "velocity.1" for the second number of an array.

    Raises SceneError for none.
    """
    control, _, place = name.partition(".")
    if control not in problem.controls:
        known = ", ".join(problem.controls) or "none"
        raise SceneError(f"{control!r} is no control of {problem.scene.name}; there are {known}")
    size = problem.values[control].size
    if place and not (place.isdecimal() and int(place) < size):
        raise SceneError(
            f"{name}: the numbers of {control} are {control}.0 to {control}.{size - 1}"
        )
    if not place and size > 1:
        raise SceneError(f"{control} has {size} numbers: say which, {control}.0 for the first")
    return Component(control, int(place or 0))


def title(problem: Problem, part: Component) -> str:
    """A component in words, with its unit."""
    field, shape = problem.scene.fields[part.name], problem.values[part.name].shape
    place = np.unravel_index(part.index, shape)
    entry = " xy"[1 + part.index] if shape == (2,) else f"[{', '.join(map(str, place))}]"
    words = part.name.replace("_", " ") + (f" {entry}" if shape else "")
    return f"{words} [{field.unit}]" if field.unit else words


def pairs(problem: Problem, gradient: Mapping[str, Any]) -> list[tuple[Component, ...]]:
    """The pairs of the components with the steepest gradient, the steepest pair first.

    One component where the controls are one number, none where there are none. Without a gradient they are
    the first ones.
    """
    all_of_them, slopes = [], []
    for name in problem.controls:
        value = problem.values[name]
        all_of_them += [Component(name, k) for k in range(value.size)]
        slopes.append(np.abs(np.ravel(gradient.get(name, np.zeros(value.size)))))
    if len(all_of_them) < 2:
        return [(part,) for part in all_of_them]
    steepest = np.argsort(-np.concatenate(slopes), kind="stable")[:NAMED].tolist()
    return [tuple(all_of_them[k] for k in sorted(two)) for two in combinations(steepest, 2)]


def framed(
    problem: Problem,
    parts: Sequence[Component],
    path: Sequence[Mapping[str, Any]],
    zoom: float = 1.0,
) -> tuple[Axis, ...]:
    """Axes about the way that a descent went, `zoom` times as far as would suit it, within bounds."""
    axes = []
    for part in parts:
        way = [part.of(values) for values in path]
        size = float(np.max(np.abs(path[-1][part.name]), initial=0.0)) or 1.0
        half = zoom * max(SPAN * size, ROOM * (max(way) - min(way)) / 2)
        middle = (min(way) + max(way)) / 2
        axes.append(bounded(problem, Axis(part, middle - half, middle + half)))
    return tuple(axes)


def bounded(problem: Problem, axis: Axis) -> Axis:
    """The part of an axis that its control's bounds allow; all of it where they allow none."""
    low, high = problem.scene.fields[axis.component.name].bounds or (-math.inf, math.inf)
    low, high = max(low, axis.low), min(high, axis.high)
    return Axis(axis.component, low, high) if low < high else axis


# ---- How it is found ----


def explored(
    problem: Problem, values: Arrays, axes: tuple[Axis, ...], grids: Sequence[int] = GRIDS
) -> Iterator[Landscape | None]:
    """The landscape on each grid, and None after every few losses between.

    Grids that would take too long are left out, but for the first.
    """
    known: Floats | None = None
    for n in grids:
        begin = perf_counter()
        losses, new = np.full((n,) * len(axes), np.nan), np.ones((n,) * len(axes), bool)
        if known is not None:
            inner = (slice(None, None, 2),) * len(axes)
            losses[inner], new[inner] = known, False
        places = np.argwhere(new)
        for start in range(0, len(places), BATCH):
            some = places[start : start + BATCH]
            losses[tuple(some.T)] = _losses(problem, values, axes, some / (n - 1))
            yield None
        known = losses
        yield Landscape(axes, values, losses)
        if 2 ** len(axes) * (perf_counter() - begin) > PATIENCE:
            return


def _losses(problem: Problem, values: Arrays, axes: tuple[Axis, ...], shares: Floats) -> Floats:
    """The losses at shares (n, axes) of the way along the axes; always BATCH of them are computed."""
    full = shares[np.minimum(np.arange(BATCH), len(shares) - 1)]
    batch: Arrays = {}
    for axis, share in zip(axes, full.T, strict=True):
        part, numbers = axis.component, axis.at(share)
        if part.name in batch:  # the other axis is a number of the same control
            batch[part.name].reshape(BATCH, -1)[:, part.index] = numbers
        else:
            batch[part.name] = part.put(values, numbers)
    return problem.losses(values, batch)[: len(shares)]
