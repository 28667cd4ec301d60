"""How a diagram looks, apart from what it says."""

from __future__ import annotations

from dataclasses import dataclass

from ..scene.colours import is_colour, near_colours
from .errors import DiagramError


@dataclass(frozen=True)
class Style:
    """Sizes are in pixels, colours are names of the palette or "#rrggbb"; `colours` are given to closed shapes
    in turn."""

    font: float = 16.0  # size of letters
    padding: float = 7.0  # between a shape and what is in it
    gap: float = 9.0  # between shapes that are apart
    label_gap: float = 3.0  # between a label and what it must not lie over
    margin: float = 8.0  # along the edge of the canvas
    line_width: float = 2.0
    dot: float = 3.5  # radius of a point
    smallest: float = 14.0  # radius or half-size that is left free
    opacity: float = 0.22  # of what fills closed shapes
    colours: tuple[str, ...] = ("curve", "first", "good", "second", "third", "bad")
    ink: str = "text"  # of letters
    lines: str = "dim"  # of lines and points

    def __post_init__(self) -> None:
        for name in (*self.colours, self.ink, self.lines):
            if not isinstance(name, str) or not is_colour(name):
                raise DiagramError(f"{name!r} is no colour{near_colours(str(name))}")
        for name in ("font", "dot", "smallest", "line_width"):
            if not 0 < getattr(self, name) < 1e4:
                raise DiagramError(f"Style.{name} is {getattr(self, name)}; wanted pixels above 0")
        if not self.colours:
            raise DiagramError(
                "Style.colours is empty; wanted a tuple of colours: (colour,) for one"
            )
