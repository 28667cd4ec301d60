"""Records a motion as a GIF, or a moment as a PNG, without a window: the same input gives the same file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rosephys.gif import write_gif
from rosephys.numerals import number
from rosephys.paint import backdrop, lamp, paint_shapes, paint_tracks
from rosephys.palette import colour, pygame, words

if TYPE_CHECKING:
    from rosephys.problem import Problem

LONGEST_SECONDS = 12.0  # a longer motion is shown faster than it is
HOLD_SECONDS = 1.6  # how long the last moment stays


def record(
    problem: Problem,
    values: Mapping[str, NDArray[np.float64]],
    path: str | Path,
    size: tuple[int, int] = (720, 460),
    fps: int = 30,
) -> None:
    """Write the motion under `values` to `path`, `size` pixels, at real speed if it is short.

    Raises `OSError` if the file cannot be written, and whatever the scene raises.
    """
    write_gif(path, _frames(problem, values, size, fps), 1 / fps)


def still(
    problem: Problem,
    values: Mapping[str, NDArray[np.float64]],
    path: str | Path,
    at: float = 1.0,
    size: tuple[int, int] = (720, 460),
) -> None:
    """Write the moment `at`, from 0 (the start) to 1 (the end), of the motion under `values` to `path`, a PNG.

    Raises as `record` does.
    """
    canvas = _Canvas(problem, values, size, 1.0)
    canvas.draw(at)
    pygame.image.save(canvas.surface, str(path))


def _frames(
    problem: Problem,
    values: Mapping[str, NDArray[np.float64]],
    size: tuple[int, int],
    fps: int,
) -> Iterator[NDArray[np.uint8]]:
    seconds = problem.steps * problem.dt
    speed = max(1.0, seconds / LONGEST_SECONDS)
    count = max(round(seconds / speed * fps), 1)
    canvas = _Canvas(problem, values, size, speed)
    for frame in range(count + 1):
        canvas.draw(frame / count)
        pixels = pygame.surfarray.array3d(canvas.surface).swapaxes(0, 1)
        yield pixels
    for _ in range(round(HOLD_SECONDS * fps)):
        yield pixels


class _Canvas:
    """A motion and the surface that its moments are drawn on, over a caption."""

    def __init__(
        self,
        problem: Problem,
        values: Mapping[str, NDArray[np.float64]],
        size: tuple[int, int],
        speed: float,
    ) -> None:
        self.problem, self.values = problem, values
        self.trajectory = problem.trajectory(values)
        self.tracks = problem.tracks(values, self.trajectory)
        self.surface = pygame.Surface(size, 0, 32)
        self.unit = size[1] / 460
        self.table = pygame.Rect(0, 0, size[0], size[1] - round(34 * self.unit))
        self.surface.fill(colour("window"))
        _write_caption(self.surface, problem, problem.loss(values), speed, self.unit)

    def draw(self, at: float) -> None:
        """Draw the moment `at`, from 0 to 1."""
        step = round(at * self.problem.steps)
        picture = self.problem.picture(self.trajectory, step, self.values)
        self.surface.set_clip(self.table)
        view = backdrop(self.surface, picture, self.table, 0.62 * self.unit)
        with lamp(picture):
            paint_tracks(self.surface, self.tracks, view)
            paint_shapes(self.surface, picture, view)
        self.surface.set_clip(None)


def _write_caption(
    surface: pygame.Surface, problem: Problem, loss: float, speed: float, unit: float
) -> None:
    # The bold face comes with pygame, so the letters are the same on every machine.
    wide, high = surface.get_size()
    y, edge, size = high - 19 * unit, 24 * unit, 14 * unit
    name = problem.scene.name.capitalize()
    words(surface, name, (edge, y), size, "text", face="bold", align="midleft")
    if speed > 1:
        note = f"{speed:.2g} times as fast"
        words(surface, note, (wide / 2, y), size, "dim", face="bold", align="center")
    text = f"loss {number(loss)}"
    words(surface, text, (wide - edge, y), size, "accent", face="bold", align="midright")
