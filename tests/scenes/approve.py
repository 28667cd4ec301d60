"""The approved picture of each scene: `python -m tests.scenes.approve NAME ...` makes today's the approved one.

Look at what it writes, tests/scenes/approved/NAME.png, before it is committed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rosephys.drawing.motion import MotionPicture
from rosephys.drawing.pixels import pixels
from rosephys.files.png import write_png
from rosephys.scene.finding import find_scene, scene_names
from rosephys.sdl import pygame
from rosephys.solve.problem import Problem

APPROVED = Path(__file__).parent / "approved"
SIZE = (240, 150)
STEPS = 60  # of the motion, or as many as the scene has
LEVELS = 64  # of each colour: the file is a third smaller, and the eye sees no difference
BLUR = 5  # pixels: a shift of a small part of one is forgiven

Pixels = NDArray[np.uint8]


def draw(name: str) -> Pixels:
    """The scene after a few steps of its default motion, (h, w, 3)."""
    steps = min(find_scene(name).steps, STEPS)
    problem = Problem(find_scene(name, {"steps": steps}))
    surface = pygame.Surface(SIZE, 0, 32)
    MotionPicture(problem, problem.values).draw(surface, surface.get_rect(), 1.0, 0.5)
    return pixels(surface)


def write(path: Path, picture: Pixels) -> None:
    """Keep a picture, in few colours."""
    step = 256 // LEVELS
    coarse = picture // step * step + step // 2
    write_png(path, coarse)


def read(path: Path) -> Pixels:
    """A picture that was kept."""
    return pixels(pygame.image.load(path))


def difference(one: Pixels, other: Pixels) -> float:
    """How far two pictures differ: of the means over squares of BLUR pixels, the largest difference, 0 .. 255.

    What moves a little or is shaded otherwise by a level or two counts for little, as that differs from
    machine to machine; what is missing, elsewhere or of another colour counts, however small.
    """
    off = one.astype(float) - other
    for axis in (0, 1):
        whole = np.cumsum(np.insert(off, 0, 0.0, axis), axis)
        high = whole.shape[axis]
        ends, begins = (np.arange(k, high - BLUR + k) for k in (BLUR, 0))
        off = (whole.take(ends, axis) - whole.take(begins, axis)) / BLUR
    return float(np.abs(off).max())


def main(names: list[str]) -> int:
    """Approve the pictures of these scenes; the result is the exit code."""
    unknown = set(names) - set(scene_names())
    if unknown or not names:
        known = f"there are {', '.join(scene_names())}"
        print(f"usage: python -m tests.scenes.approve NAME ...; {known}", file=sys.stderr)
        return 2
    APPROVED.mkdir(exist_ok=True)
    for name in names:
        path = APPROVED / f"{name}.png"
        write(path, draw(name))
        print(f"wrote {path}: look at it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
