"""A picture of the scenes, each solved, at a moment of its motion: python docs/examples/scenes.py [FILE.png]"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rosephys import Problem, descend, find_scene
from rosephys.files.film import Film, still
from rosephys.sdl import pygame

# the moment of each, from 0 to 1, and the fields that are not its own
MOMENTS = {
    "billiards": (0.62, {}), "robot": (0.8, {"robot": 3, "steps": 1364}), "rigid": (0.5, {}),
    "stack": (0.55, {}), "cradle": (0.55, {}), "throw": (0.8, {}),
    "pool": (0.5, {}), "catapult": (0.55, {}), "arm": (0.45, {}),
    "cartpole": (0.6, {}), "gyroscope": (0.7, {}), "cloth": (0.7, {}),
    "smoke": (1.0, {}), "wave": (1.0, {}), "patterns": (0.9, {}),
    "sand": (0.45, {}), "blob": (0.52, {}), "liquid": (1.0, {}),
}  # fmt: skip
COLUMNS, SIZE = 3, (480, 307)


def picture(names: list[str]) -> pygame.Surface:
    """The scenes of these names side by side, in rows."""
    wide, high = SIZE
    rows = -(-len(names) // COLUMNS)
    sheet = pygame.Surface((COLUMNS * wide, rows * high))
    with tempfile.TemporaryDirectory() as folder:
        for k, name in enumerate(names):
            at, fields = MOMENTS[name]
            problem = Problem(find_scene(name, fields))
            scene = problem.scene
            how = {"iterations": scene.iterations, "rate": scene.rate}
            run = descend(problem, optimizer=scene.optimizer, clip=scene.clip, **how)
            best = min(run, key=lambda iterate: iterate.loss)
            path = Path(folder) / "scene.png"
            still(Film(problem, {**problem.values, **best.values}, SIZE, at=at), path)
            place = (k % COLUMNS * wide, k // COLUMNS * high)
            sheet.blit(pygame.image.load(path), place)
    return sheet


if __name__ == "__main__":
    out = sys.argv[1] if len(sys.argv) > 1 else "docs/scenes.png"
    pygame.image.save(picture(list(MOMENTS)), out)
