"""Words over a corner of the scene: a warning about the gradient, and what a view shows."""

from __future__ import annotations

from rosephys.drawing.palette import colour
from rosephys.drawing.stroke import stroke
from rosephys.drawing.words import text_width, words, wrapped
from rosephys.sdl import pygame
from rosephys.solve.trust import Verdict


def draw_badge(
    surface: pygame.Surface, canvas: pygame.Rect, verdict: Verdict, top: float, unit: float
) -> float:
    """Say why the gradient cannot be trusted, below `top`; the result is where that ends."""
    size, row = 11.5 * unit, 15 * unit
    title = verdict.title[0].upper() + verdict.title[1:]
    room = min(330 * unit, canvas.width - 80 * unit)
    lines = wrapped(verdict.words, size, room, "bold")
    widths = [text_width(title, 13 * unit, "bold"), *(text_width(t, size, "bold") for t in lines)]
    card = pygame.Rect(0, 0, round(max(widths) + 58 * unit), round(row * len(lines) + 42 * unit))
    card.topleft = (round(canvas.left + 14 * unit), round(top))
    pygame.draw.rect(surface, colour("panel"), card, border_radius=round(8 * unit))
    pygame.draw.rect(surface, colour("line"), card, max(round(unit), 1), round(8 * unit))
    _warning(surface, (card.left + 23 * unit, card.top + 20 * unit), unit)
    x, y = card.left + 43 * unit, card.top + 13 * unit
    words(surface, title, (x, y), 13 * unit, "accent", face="bold")
    for k, line in enumerate(lines):
        words(surface, line, (x, y + 20 * unit + k * row), size, "dim", face="bold")
    return float(card.bottom)


def _warning(surface: pygame.Surface, centre: tuple[float, float], unit: float) -> None:
    """A triangle with an exclamation mark."""
    x, y = centre
    corners = [(x, y - 9 * unit), (x + 10 * unit, y + 8 * unit), (x - 10 * unit, y + 8 * unit)]
    pygame.draw.polygon(surface, colour("accent"), corners)
    stroke(surface, corners, [*corners[1:], corners[0]], 3 * unit, "accent")
    marks = [(x, y - 3 * unit), (x, y + 6 * unit)], [(x, y + 2 * unit), (x, y + 6 * unit)]
    stroke(surface, *marks, 2.4 * unit, "panel")


def draw_legend(
    surface: pygame.Surface, canvas: pygame.Rect, text: str, top: float, unit: float
) -> float:
    """A line that says what is shown, below `top`; gives where it ends."""
    size = 11.5 * unit
    line = wrapped(text, size, max(canvas.width - 80 * unit, 1.0), "bold")[0]
    card = pygame.Rect(0, 0, round(text_width(line, size, "bold") + 24 * unit), round(24 * unit))
    card.topleft = (round(canvas.left + 14 * unit), round(top))
    pygame.draw.rect(surface, colour("panel"), card, border_radius=card.height // 2)
    pygame.draw.rect(surface, colour("line"), card, max(round(unit), 1), card.height // 2)
    words(surface, line, card.center, size, "dim", face="bold", align="center")
    return float(card.bottom)
