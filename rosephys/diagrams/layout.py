"""Where the shapes of a diagram are: the least energy, from several starts.

Each start is a few descents by L-BFGS, between which the penalty of what must hold grows against what is
wanted, an exterior-point method (Fiacco, McCormick 1968). Labels join after the first. The last descent is of
what must hold alone, so that it does hold; its energy is the sum of the squares of what that is off by.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .crossings import crossings
from .description import Description
from .energy import Places, Tables, energy, excesses
from .errors import DiagramError
from .minimise import descend
from .relations import Relation
from .shapes import Shape
from .tables import Floats, check, relations, start, tables

if TYPE_CHECKING:
    from ..scene.picture import Picture

ROUNDS = ((1e-3, 1.0, True), (1e-2, 1.0, False), (1.0, 1.0, False), (1.0, 0.0, False))
"""The penalty of what must hold, the weight of what is wanted, and whether labels wait."""
UPDATES = 400  # of a descent at most
HOLDS = 1e-3  # pixels by which it may be off
TRIES = 24  # starts at most, where the first ones find none that holds


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the shapes of a diagram are. `violation` bounds by how many pixels anything that must hold is off;
    `cost` is what is wanted and not so."""

    diagram: Description
    places: Places
    violation: float
    cost: float
    crossings: int  # of lines
    said: tuple[Relation, ...] = field(repr=False)

    def centre(self, shape: Shape) -> Floats:
        """The centre (2,) of a shape, in pixels from the middle of the canvas, y upwards."""
        ends = [corner.start for corner in shape.corners] or [shape.start, shape.end]
        return np.asarray(np.asarray(self.places.points)[ends].mean(axis=0))

    def extent(self, shape: Shape) -> Floats:
        """Half of its width and of its height (2,)."""
        if shape.corners:
            ends = np.asarray(self.places.points)[[corner.start for corner in shape.corners]]
            return np.asarray((ends.max(axis=0) - ends.min(axis=0)) / 2)
        w, h, a, b = (float(np.asarray(self.places.sizes)[k]) for k in shape.sizes)
        return np.array([w + a, h + b])

    @cached_property
    def picture(self) -> Picture:
        """What it looks like."""
        from .marks import drawn

        return drawn(self.diagram, self.places.points, self.places.sizes, np)

    def off(self) -> dict[str, float]:
        """What must hold and does not, and by how much it is off."""
        return dict(_off(self.places, tables(self.diagram, self.said), self.said))

    def svg(self, path: str | Path, theme: str = "light") -> None:
        """Write it to a file as SVG. Raises OSError if that cannot be written."""
        from ..files.svg import write_svg

        write_svg(path, self.picture, (self.diagram.width, self.diagram.height), theme)

    def png(self, path: str | Path, scale: float = 2.0, theme: str = "light") -> None:
        """Write it to a file as PNG, of so many pixels to one of the canvas. Raises OSError if that cannot be
        written."""
        from ..files.png import write_png
        from .raster import raster

        write_png(
            path, raster(self.picture, (self.diagram.width, self.diagram.height), scale, theme)
        )


def layouts(diagram: Description, count: int, seed: int, starts: int) -> list[Layout]:
    """See `Diagram.layouts`."""
    check(diagram)
    said = tuple(relations(diagram))
    full, early = tables(diagram, said), tables(diagram, said, early=True)
    found: list[Layout] = []
    for tried, layout in enumerate(_descents(diagram, said, full, early, seed)):
        found.append(layout)
        good = [one for one in found if one.violation < HOLDS]
        plain = sum(not one.crossings for one in good) >= count
        if tried + 1 >= starts and (plain or tried + 1 >= max(TRIES, starts)):
            break
        if len(good) >= count and tried + 1 >= 2 * starts:
            break
    found.sort(key=lambda layout: (max(layout.violation, HOLDS), layout.crossings, layout.cost))
    if found[0].violation >= HOLDS:
        raise DiagramError(_contradiction(found[0], full))
    return [layout for layout in found if layout.violation < HOLDS][:count]


def _descents(
    diagram: Description, said: tuple[Relation, ...], full: Tables, early: Tables, seed: int
) -> Iterator[Layout]:
    for k in itertools.count():
        places = start(diagram, np.random.default_rng((seed, k)))
        for hard, soft, first in ROUNDS:
            places, off = descend(places, early if first else full, hard, soft, UPDATES)
        cost = float(energy(places, full, 0.0, 1.0))
        crossed = crossings(diagram, np.asarray(places.points))
        yield Layout(diagram, places, float(np.sqrt(off)), cost, crossed, said)


def _off(places: Places, full: Tables, said: tuple[Relation, ...]) -> Iterator[tuple[str, float]]:
    found = np.abs(np.asarray(excesses(places, full)))[: len(said)]
    for relation, excess in zip(said, found, strict=True):
        if relation.weight is None and excess >= HOLDS:
            yield (
                (f"{relation.words}, {relation.where}" if relation.where else relation.words),
                float(excess),
            )


def _contradiction(layout: Layout, full: Tables) -> str:
    off = sorted(_off(layout.places, full, layout.said), key=lambda one: -one[1])
    named = [f"  {words}: off by {by:.3g}" for words, by in off[:6]]
    more = [f"  and {len(off) - 6} more"] if len(off) > 6 else []
    return "\n".join(["these cannot all hold; take one back, or give one a weight:", *named, *more])
