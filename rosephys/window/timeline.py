"""The time line below the scene: how far the motion has been played, and where a hand takes it."""

from __future__ import annotations

from rosephys.drawing.palette import colour
from rosephys.drawing.stroke import stroke
from rosephys.drawing.words import words
from rosephys.sdl import pygame
from rosephys.window.session import Session

MARGIN = 62  # design pixels beside the line
BAND = 26  # design pixels at the bottom of the scene within which a hand takes hold of it


def span(canvas: pygame.Rect, unit: float) -> tuple[float, float, float]:
    """The left and the right end of the line and its height, in pixels."""
    return canvas.left + MARGIN * unit, canvas.right - MARGIN * unit, canvas.bottom - 14 * unit


def holds(canvas: pygame.Rect, unit: float, pixel: tuple[int, int]) -> bool:
    """Whether a hand at this pixel takes hold of the line."""
    left, right, _ = span(canvas, unit)
    reach = 10 * unit
    return (
        left - reach <= pixel[0] <= right + reach
        and canvas.bottom - BAND * unit <= pixel[1] < canvas.bottom
    )


def share_at(canvas: pygame.Rect, unit: float, pixel: tuple[int, int]) -> float:
    """How much of the motion lies before this pixel, 0 to 1."""
    left, right, _ = span(canvas, unit)
    return min(max((pixel[0] - left) / max(right - left, 1.0), 0.0), 1.0)


def draw_timeline(
    surface: pygame.Surface, canvas: pygame.Rect, session: Session, unit: float, held: bool
) -> None:
    """Draw the line, a knob at the present moment, and the seconds of it and of the whole."""
    left, right, y = span(canvas, unit)
    now = left + (right - left) * session.progress
    for end, shade in ((right, "line"), (now, "good")):
        surface.fill(colour(shade), (left, y - 1.5 * unit, end - left, 3 * unit))
    stroke(surface, [(now, y)], [(now, y)], (15 if held else 11) * unit, "good")
    dt = session.dt
    for seconds, x, align, shade in (
        (session.index * dt, left - 14 * unit, "midright", "text"),
        (session.problem.steps * dt, right + 14 * unit, "midleft", "dim"),
    ):
        words(surface, f"{seconds:.2f} s", (x, y), 11 * unit, shade, face="bold", align=align)
