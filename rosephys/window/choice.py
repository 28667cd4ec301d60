"""A row of words of which one is chosen, such as the optimiser."""

from __future__ import annotations

from collections.abc import Sequence

from rosephys.drawing.palette import colour
from rosephys.drawing.words import text_width, words
from rosephys.sdl import pygame

HEIGHT = 24  # design pixels


def segments(
    area: pygame.Rect, options: Sequence[str], unit: float
) -> list[tuple[str, pygame.Rect]]:
    """Each word with the part of `area` that it has: as much room about each as about the others."""
    widths = [text_width(option, 12 * unit, "bold") for option in options]
    spare = (area.width - sum(widths)) / len(options)
    out, left = [], float(area.left)
    for option, width in zip(options, widths, strict=True):
        right = left + width + spare
        out.append(
            (option, pygame.Rect(round(left), area.top, round(right) - round(left), area.height))
        )
        left = right
    return out


def draw_choice(
    surface: pygame.Surface, area: pygame.Rect, options: Sequence[str], chosen: str, unit: float
) -> None:
    """Draw the words in `area`, the chosen one on a ground of its own."""
    radius, thin = round(6 * unit), max(round(unit), 1)
    pygame.draw.rect(surface, colour("line"), area, thin, border_radius=radius)
    for option, part in segments(area, options, unit):
        if option == chosen:
            pygame.draw.rect(surface, colour("line"), part, border_radius=radius)
        shade = "text" if option == chosen else "dim"
        words(surface, option, part.center, 12 * unit, shade, face="bold", align="center")
