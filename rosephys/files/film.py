"""Draws a motion without a window: as a film, or a moment of it. The same input gives the same file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rosephys.drawing.numerals import number
from rosephys.drawing.paint import backdrop, lamp, paint_shapes, paint_tracks
from rosephys.drawing.palette import colour, pygame, words
from rosephys.files.atomic import replacing
from rosephys.files.gif import Bytes, gif, write_gif
from rosephys.files.keep import FPS, SIZE
from rosephys.files.mp4 import write_mp4

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem

LONGEST_SECONDS = 12.0  # a longer motion is shown faster than it is
HOLD_SECONDS = 1.6  # how long the last moment stays

Values = Mapping[str, NDArray[np.float64]]


def _silent(what: str, done: int, total: int) -> None:
    pass


def record(
    problem: Problem,
    values: Values,
    path: str | Path,
    size: tuple[int, int] = SIZE,
    fps: int = FPS,
    progress: Callable[[str, int, int], object] = _silent,
) -> None:
    """Write the motion under `values` to `path`, a .gif or .mp4, at real speed if it is short.

    `size` is in pixels. `progress` is told what is done, how much of it and of how much. Raises
    `OSError` if the file cannot be written, `FilmError` if it cannot be encoded, `ValueError` for a GIF
    of more than 100 frames a second, and whatever the scene raises.
    """
    path = Path(path)
    film = _frames(problem, values, size, fps, progress)
    if path.suffix == ".mp4":
        write_mp4(path, film, fps)
    else:
        write_gif(path, film, 1 / fps, lambda done, total: progress("packing", done, total))


def film(problem: Problem, values: Values, size: tuple[int, int] = SIZE, fps: int = FPS) -> bytes:
    """The bytes of the GIF that `record` writes."""
    return gif(_frames(problem, values, size, fps, _silent), 1 / fps)


def still(
    problem: Problem,
    values: Values,
    path: str | Path,
    at: float = 1.0,
    size: tuple[int, int] = SIZE,
) -> None:
    """Write the moment `at`, from 0 (the start) to 1 (the end), of the motion under `values` to `path`, a PNG.

    Raises as `record` does.
    """
    motion = MotionPicture(problem, values)
    write_png(path, motion.captioned(at, size, problem.loss(values)))


def write_png(path: str | Path, surface: pygame.Surface) -> None:
    """Write a surface as a PNG that appears complete or not at all. Raises `OSError` if it cannot be."""
    with replacing(path) as beside:
        try:
            pygame.image.save(surface, str(beside))
        except pygame.error as error:
            raise OSError(f"{path} cannot be written: {error}") from None


def before_and_after(
    problem: Problem,
    before: Values,
    after: Values,
    path: str | Path,
    size: tuple[int, int] = (720, 460),
) -> None:
    """Write how the motions under two sets of values end to `path`, a PNG, side by side, `size` pixels each.

    Raises as `record` does.
    """
    both = pygame.Surface((2 * size[0], size[1]), 0, 32)
    for k, (values, note) in enumerate(((before, "before"), (after, "after"))):
        motion = MotionPicture(problem, values)
        both.blit(motion.captioned(1.0, size, problem.loss(values), note), (k * size[0], 0))
    write_png(path, both)


def _frames(
    problem: Problem,
    values: Values,
    size: tuple[int, int],
    fps: int,
    progress: Callable[[str, int, int], object],
) -> Iterator[Bytes]:
    seconds = problem.steps * problem.dt
    speed = max(1.0, seconds / LONGEST_SECONDS)
    count = max(round(seconds / speed * fps), 1)
    motion, loss = MotionPicture(problem, values), problem.loss(values)
    note = f"{speed:.2g} times as fast" if speed > 1 else ""
    for frame in range(count + 1):
        progress("drawing", frame, count)
        surface = motion.captioned(frame / count, size, loss, note)
        pixels = np.frombuffer(pygame.image.tobytes(surface, "RGB"), np.uint8)
        pixels = pixels.reshape(size[1], size[0], 3)
        yield pixels
    for _ in range(round(HOLD_SECONDS * fps)):
        yield pixels


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
