"""A motion as a film, or a moment of it as a picture, in a file. The same input gives the same file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rosephys.files.destination import kind
from rosephys.files.gif import Bytes, gif, write_gif
from rosephys.files.mp4 import write_mp4
from rosephys.files.png import write_png
from rosephys.scene.picture import END, FPS, SIZE

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem, Values

LONGEST_SECONDS = 12.0  # a longer motion is shown faster than it is
HOLD_SECONDS = 1.6  # how long the last moment stays

Progress = Callable[[str, int, int], object]  # is told what is done, how much of it, of how much


@dataclass(frozen=True)
class Film:
    """The motion of a problem under some values, and how it is to be shown."""

    problem: Problem
    values: Values
    size: tuple[int, int] = SIZE  # in pixels
    fps: int = FPS  # frames a second
    at: float = END  # the moment of a still, from 0 (the start) to 1 (the end)
    theme: str | None = None  # None for the scene's own

    @property
    def seconds(self) -> float:
        """How long the motion itself lasts."""
        return self.problem.steps * self.problem.dt

    @property
    def speed(self) -> float:
        """How many times as fast as it is the motion is shown."""
        return max(1.0, self.seconds / LONGEST_SECONDS)

    @property
    def moments(self) -> list[float]:
        """Of the motion, from 0 to 1: one for each frame."""
        count = max(round(self.seconds / self.speed * self.fps), 1)
        return [frame / count for frame in range(count + 1)]


def record(film: Film, path: str | Path, progress: Progress = lambda *_: None) -> None:
    """Write a film to `path`, a .gif or .mp4, at real speed if it is short.

    Raises `OSError` if the file cannot be written, `FilmError` if it cannot be encoded, `ValueError` for a GIF
    of more than 100 frames a second, and whatever the scene raises.
    """
    path, frames = Path(path), _frames(film, progress)
    if kind(path) == ".mp4":
        write_mp4(path, frames, film.fps)
    else:
        write_gif(path, frames, 1 / film.fps, lambda *done: progress("packing", *done))


def recorded(film: Film) -> bytes:
    """The bytes of the GIF that `record` writes."""
    return gif(_frames(film), 1 / film.fps)


def still(film: Film, path: str | Path) -> None:
    """Write the moment of a film to `path`, a PNG. Raises as `record` does."""
    (frame,) = _drawn(film, [film.at])
    write_png(path, frame)


def before_and_after(film: Film, path: str | Path) -> None:
    """Write how motions end to `path`, a PNG: that under the problem's own values, and beside it the film's.

    Raises as `record` does.
    """
    before = replace(film, values=film.problem.values)
    ends = [*_drawn(before, [END], "before"), *_drawn(film, [END], "after")]
    write_png(path, np.concatenate(ends, axis=1))


def _frames(film: Film, progress: Progress = lambda *_: None) -> Iterator[Bytes]:
    moments = film.moments
    note = f"{film.speed:.2g} times as fast" if film.speed > 1 else ""
    for done, frame in enumerate(_drawn(film, moments, note)):
        progress("drawing", done, len(moments) - 1)
        yield frame
    for _ in range(round(HOLD_SECONDS * film.fps)):
        yield frame


def _drawn(film: Film, moments: list[float], note: str = "") -> Iterator[Bytes]:
    """Moments of the motion as pixels (h, w, 3)."""
    # here, since they need pygame, which what only keeps numbers does without
    from rosephys.drawing.motion import MotionPicture
    from rosephys.drawing.palette import themed
    from rosephys.drawing.pixels import pixels

    motion, loss = MotionPicture(film.problem, film.values), film.problem.loss(film.values)
    for at in moments:
        with themed(film.theme or film.problem.scene.theme):
            surface = motion.captioned(at, film.size, loss, note)
        yield pixels(surface)
