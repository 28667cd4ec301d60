"""A landscape as a picture of its own, without a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rosephys.drawing.landscape_chart import draw_ground, draw_way, plot_within, way_through
from rosephys.drawing.numerals import number
from rosephys.drawing.palette import colour
from rosephys.drawing.relief import relief
from rosephys.drawing.words import words
from rosephys.sdl import pygame
from rosephys.solve.landscape import Landscape

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem

UNIT = 1.6  # pixels of a design pixel


def landscape_picture(
    problem: Problem,
    landscape: Landscape,
    path: Sequence[Mapping[str, Any]],
    loss: float,
    size: tuple[int, int] = (720, 880),
) -> pygame.Surface:
    """A landscape in `size` pixels, with the way through the controls of a path; its last have this loss."""
    surface = pygame.Surface(size, 0, 32)
    surface.fill(colour("panel"))
    edge, top = 22 * UNIT, round(48 * UNIT)
    area = pygame.Rect(0, top, size[0], size[1] - top)
    found, plot = relief(landscape), plot_within(area, UNIT)
    name = f"{problem.scene.name.capitalize()}: the loss"
    words(surface, name, (edge, 16 * UNIT), 16 * UNIT, "text", face="bold")
    place = (plot.right, 18 * UNIT)
    words(surface, number(loss), place, 14 * UNIT, "accent", face="bold", align="topright")
    draw_ground(surface, area, problem, found, UNIT)
    draw_way(surface, plot, way_through(plot, found, path), UNIT)
    return surface
