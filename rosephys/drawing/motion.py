"""A motion, to be drawn moment by moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rosephys.drawing.numerals import number
from rosephys.drawing.paint import backdrop, lamp, paint_shapes, paint_tracks
from rosephys.drawing.palette import colour
from rosephys.drawing.words import words
from rosephys.scene.picture import SIZE, Picture
from rosephys.sdl import pygame

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem, Values


class MotionPicture:
    """The motion of a scene under `values`, to be drawn."""

    def __init__(self, problem: Problem, values: Values) -> None:
        self.problem, self.values = problem, values
        self.trajectory = problem.trajectory(values)
        self.tracks = problem.tracks(values, self.trajectory)

    def draw(self, surface: pygame.Surface, area: pygame.Rect, at: float, unit: float) -> None:
        """Draw the moment `at`, from 0 to 1, into an area; `unit` is the size of one design pixel."""
        step = round(at * self.problem.steps)
        picture = self.problem.picture(self.trajectory, step, self.values)
        surface.set_clip(area)
        view = backdrop(surface, picture, area, unit)
        with lamp(picture):
            paint_tracks(surface, self.tracks, view)
            paint_shapes(surface, picture, view)
        surface.set_clip(None)

    def captioned(
        self, at: float, size: tuple[int, int], loss: float, note: str = ""
    ) -> pygame.Surface:
        """The moment `at` over a line with the scene's name, a note and the loss."""
        surface = pygame.Surface(size, 0, 32)
        unit = min(size[0] / SIZE[0], size[1] / SIZE[1])
        surface.fill(colour("window"))
        _write_caption(surface, self.problem, loss, note, unit)
        table = pygame.Rect(0, 0, size[0], size[1] - round(34 * unit))
        self.draw(surface, table, at, 0.62 * unit)
        return surface


def still(picture: Picture, size: tuple[int, int]) -> pygame.Surface:
    """A picture alone, in so many pixels."""
    surface = pygame.Surface(size, 0, 32)
    unit = min(size[0] / SIZE[0], size[1] / SIZE[1])
    view = backdrop(surface, picture, surface.get_rect(), 0.62 * unit)
    with lamp(picture):
        paint_shapes(surface, picture, view)
    return surface


def _write_caption(
    surface: pygame.Surface, problem: Problem, loss: float, note: str, unit: float
) -> None:
    # The bold face comes with pygame, so the letters are the same on every machine.
    wide, high = surface.get_size()
    y, edge, size = high - 19 * unit, 24 * unit, 14 * unit
    name = problem.scene.name.capitalize()
    words(surface, name, (edge, y), size, "text", face="bold", align="midleft")
    if note:
        words(surface, note, (wide / 2, y), size, "dim", face="bold", align="center")
    text = f"loss {number(loss)}"
    words(surface, text, (wide - edge, y), size, "accent", face="bold", align="midright")
