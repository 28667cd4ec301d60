"""What a scene looks like, as plain data.

A scene's `picture(state)` returns a `Picture`: shapes in world coordinates (y points up) whose
numbers may be traced values. No shape knows how it is drawn, so the window, the recording and
any later painter show the same thing.

Numeric fields hold numbers or arrays and are never checked or converted here; every other
field is a string, an int or a float that is fixed when the scene is traced. A colour is
"#rrggbb", a common colour name, or a name from the painter's palette ("felt", "accent", ...).
Line widths and marker sizes are in pixels of a window 720 pixels high.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

Numbers: TypeAlias = Any
"""A number or an array of numbers: Python, numpy or traced."""

SIZE, FPS, END = (720, 460), 30, 1.0  # of a film or picture: pixels, frames a second, the moment


@dataclass(frozen=True)
class Circles:
    """`n` circles. One colour serves all of them, or there is one for each.

    `style` is "ball" (a shaded sphere with its label on it), "disc" or "ring".
    """

    centres: Numbers  # (n, 2)
    radii: Numbers  # scalar or (n,)
    colours: tuple[str, ...]
    labels: tuple[str, ...] = ()
    style: str = "ball"


@dataclass(frozen=True)
class Lines:
    """`n` separate straight lines, such as springs or walls.

    `levels`, if there are any, shade each line: from `low` at -1 through `colour` at 0 to `high` at 1.
    """

    starts: Numbers  # (n, 2)
    ends: Numbers  # (n, 2)
    colour: str
    width: float = 2.0
    levels: Numbers = ()  # (n,)
    low: str = "low"
    high: str = "high"


@dataclass(frozen=True)
class Polyline:
    """One line through `n` points."""

    points: Numbers  # (n, 2)
    colour: str
    width: float = 2.0
    dashed: bool = False


@dataclass(frozen=True)
class Polygon:
    """One filled polygon; `outline` is a colour, or empty for none."""

    points: Numbers  # (n, 2)
    colour: str
    outline: str = ""
    width: float = 2.0


@dataclass(frozen=True)
class Polygons:
    """`n` filled polygons of k corners each, drawn in order: the faces of something solid.

    `levels` shade each: from `low` at -1 through `colour` at 0 to `high` at 1.
    """

    points: Numbers  # (n, k, 2)
    levels: Numbers  # (n,)
    colour: str
    low: str = "low"
    high: str = "high"


@dataclass(frozen=True)
class Arrow:
    """An arrow from `start` to `start + vector`."""

    start: Numbers  # (2,)
    vector: Numbers  # (2,)
    colour: str
    width: float = 2.0


@dataclass(frozen=True)
class Cross:
    """A marker in a thin ring, for instance where something should end."""

    position: Numbers  # (2,)
    colour: str
    size: float = 9.0


@dataclass(frozen=True)
class Text:
    """A word centred at a position."""

    position: Numbers  # (2,)
    text: str
    colour: str
    size: float = 14.0


@dataclass(frozen=True)
class Image:
    """A field as an image that fills `box` (xmin, ymin, xmax, ymax): entry [i, j] colours the cell i to the
    right and j up.

    `colours` is a map of colourmap.py: "smoke", "heat" and "water" run from dark at `low` to bright at `high`,
    "waves" from blue through dark to orange. In the light theme dark and bright change places.
    """

    values: Numbers  # (n, m)
    box: tuple[float, float, float, float]
    colours: str = "heat"
    low: float = 0.0
    high: float = 1.0


Shape: TypeAlias = Circles | Lines | Polyline | Polygon | Polygons | Arrow | Cross | Text | Image


@dataclass(frozen=True)
class Picture:
    """Shapes, drawn in order, and the part of the world that must be visible.

    `view` is (xmin, ymin, xmax, ymax). `background` is a colour; "felt" is a billiard table.
    """

    shapes: tuple[Shape, ...]
    view: tuple[float, float, float, float]
    background: str = "canvas"


@dataclass(frozen=True)
class Track:
    """A point whose path over time is drawn, with the name shown beside it."""

    point: Numbers  # (2,)
    colour: str
    label: str = ""
