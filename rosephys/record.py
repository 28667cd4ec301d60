"""Records a motion as a GIF, without a window: the same input gives the same file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rosephys.gif import write_gif
from rosephys.paint import backdrop, paint_shapes, paint_tracks
from rosephys.palette import colour, pygame, words
from rosephys.panel import number

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


def _frames(
    problem: Problem,
    values: Mapping[str, NDArray[np.float64]],
    size: tuple[int, int],
    fps: int,
) -> Iterator[NDArray[np.uint8]]:
    surface = pygame.Surface(size, 0, 32)
    unit = size[1] / 460
    caption = round(34 * unit)
    table = pygame.Rect(0, 0, size[0], size[1] - caption)
    trajectory = problem.trajectory(values)
    tracks = problem.tracks(values, trajectory)
    seconds = problem.steps * problem.dt
    speed = max(1.0, seconds / LONGEST_SECONDS)
    count = max(round(seconds / speed * fps), 1)
    surface.fill(colour("window"))
    _write_caption(surface, problem, problem.loss(values), speed, unit)
    for frame in range(count + 1):
        picture = problem.picture(trajectory, round(frame / count * problem.steps), values)
        surface.set_clip(table)
        at = backdrop(surface, picture, table, 0.62 * unit)
        paint_tracks(surface, tracks, at)
        paint_shapes(surface, picture, at)
        surface.set_clip(None)
        pixels = pygame.surfarray.array3d(surface).swapaxes(0, 1)
        yield pixels
    for _ in range(round(HOLD_SECONDS * fps)):
        yield pixels


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
