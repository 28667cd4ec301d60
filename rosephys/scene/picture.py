"""What a scene looks like, as plain data.

A scene's `picture(state)` returns a `Picture`: shapes in world coordinates (y points up) whose
numbers may be traced values. No shape knows how it is drawn, so the window, the recording and
any later painter show the same thing.

Numeric fields hold numbers or arrays, and their types say of which shape; every other field is a
string, an int or a float that is fixed when the scene is traced. Nothing is checked or converted
here: `drawable.py` compares what came with these types. A colour is "#rrggbb", a common colour
name, or a name of `colours.py` ("felt", "accent", ...). Line widths and marker sizes are in
pixels of a window 720 pixels high.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias


@dataclass(frozen=True)
class Shaped:
    """Numbers of Python, numpy or traced, of one of these shapes. A letter stands for a length, the same one
    in all fields of a shape; of points there are the `least` or more."""

    shapes: tuple[tuple[int | str, ...], ...]
    least: int = 0


COLOUR = "a colour"

Number: TypeAlias = Annotated[Any, Shaped(((),))]
Point: TypeAlias = Annotated[Any, Shaped(((2,),))]
Points: TypeAlias = Annotated[Any, Shaped((("n", 2),))]
Each: TypeAlias = Annotated[Any, Shaped(((), ("n",)))]
"""A number that serves all, or one for each."""
Levels: TypeAlias = Annotated[Any, Shaped(((0,), ("n",)))]
"""A number for each, or none at all."""
Box: TypeAlias = Annotated[tuple[float, float, float, float], Shaped(((4,),))]
"""(xmin, ymin, xmax, ymax)."""
Walls: TypeAlias = Annotated[Any, Shaped(((0,), (4,)))]
"""The same, or none at all."""
Colour: TypeAlias = Annotated[str, COLOUR]
Colours: TypeAlias = Annotated[tuple[str, ...], COLOUR]
ColourMap: TypeAlias = Literal["smoke", "heat", "water", "waves"]

SIZE, FPS, END = (720, 460), 30, 1.0  # of a film or picture: pixels, frames a second, the moment


@dataclass(frozen=True)
class Circles:
    """`n` circles. One colour serves all of them, or there is one for each.

    `style` is "ball" (a shaded sphere with its label on it), "disc" or "ring".
    """

    centres: Points
    radii: Each
    colours: Colours
    labels: tuple[str, ...] = ()
    style: Literal["ball", "disc", "ring"] = "ball"


@dataclass(frozen=True)
class Ellipses:
    """`n` ellipses with axes along x and y; `radii` has one along each.

    `colour` fills them, `opacity` from 0 to 1 of it; `outline` is a colour. Either is empty for none.
    """

    centres: Points
    radii: Points
    colour: Annotated[str, COLOUR, ""]
    outline: Annotated[str, COLOUR, ""] = ""
    width: float = 2.0
    opacity: float = 1.0


@dataclass(frozen=True)
class Fluid:
    """The body of a liquid that `n` points are in, with a smooth surface.

    `radius` is half of what neighbours are apart where the liquid is at rest. One colour serves all, or there
    is one for each point; they mix. Walls, if there are any, are filled to their corners.
    """

    points: Points
    radius: Number
    colours: Colours
    walls: Walls = ()


@dataclass(frozen=True)
class Lines:
    """`n` separate straight lines, such as springs or walls.

    `levels`, if there are any, shade each line: from `low` at -1 through `colour` at 0 to `high` at 1.
    """

    starts: Points
    ends: Points
    colour: Colour
    width: float = 2.0
    levels: Levels = ()
    low: Colour = "low"
    high: Colour = "high"


@dataclass(frozen=True)
class Polyline:
    """One line through `n` points."""

    points: Points
    colour: Colour
    width: float = 2.0
    dashed: bool = False


@dataclass(frozen=True)
class Polygon:
    """One filled polygon, `opacity` from 0 to 1 of the colour; `outline` is a colour, or empty for none."""

    points: Annotated[Any, Shaped((("n", 2),), least=3)]
    colour: Colour
    outline: Annotated[str, COLOUR, ""] = ""
    width: float = 2.0
    opacity: float = 1.0


@dataclass(frozen=True)
class Polygons:
    """`n` filled polygons of k corners each, drawn in order: the faces of something solid.

    `levels` shade each: from `low` at -1 through `colour` at 0 to `high` at 1.
    """

    points: Annotated[Any, Shaped((("n", "k", 2),), least=3)]
    levels: Annotated[Any, Shaped((("n",),))]
    colour: Colour
    low: Colour = "low"
    high: Colour = "high"


@dataclass(frozen=True)
class Arrow:
    """An arrow from `start` to `start + vector`."""

    start: Point
    vector: Point
    colour: Colour
    width: float = 2.0


@dataclass(frozen=True)
class Cross:
    """A marker in a thin ring, for instance where something should end."""

    position: Point
    colour: Colour
    size: float = 9.0


@dataclass(frozen=True)
class Text:
    """A word centred at a position. Its size is in pixels like others, or, where it is `scaled`, in units of
    the world."""

    position: Point
    text: str
    colour: Colour
    size: float = 14.0
    scaled: bool = False


@dataclass(frozen=True)
class Image:
    """A field as an image that fills `box` (xmin, ymin, xmax, ymax): entry [i, j] colours the cell i to the
    right and j up.

    `colours` is a map of colourmap.py: "smoke", "heat" and "water" run from dark at `low` to bright at `high`,
    "waves" from blue through dark to orange. In the light theme dark and bright change places.
    """

    values: Annotated[Any, Shaped((("n", "m"),))]
    box: Box
    colours: ColourMap = "heat"
    low: Number = 0.0
    high: Number = 1.0


Shape: TypeAlias = (
    Circles
    | Ellipses
    | Fluid
    | Lines
    | Polyline
    | Polygon
    | Polygons
    | Arrow
    | Cross
    | Text
    | Image
)


@dataclass(frozen=True)
class Picture:
    """Shapes, drawn in order, and the part of the world that must be visible.

    `view` is (xmin, ymin, xmax, ymax). `background` is a colour; "felt" is a billiard table,
    "felt edge" its cloth alone.
    """

    shapes: tuple[Shape, ...]
    view: Box
    background: Colour = "canvas"


@dataclass(frozen=True)
class Track:
    """A point whose path over time is drawn, with the name shown beside it."""

    point: Point
    colour: Colour
    label: str = ""
