"""How far off the aim of a shot may be: from the gradient, and by playing it many times side by side.

python docs/examples/pool_cone.py docs      writes pool_cone.png there and prints both
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Picture, Polyline, Problem, descend, find_scene
from rosephys.drawing.paint import backdrop, paint_shapes
from rosephys.drawing.palette import themed
from rosephys.drawing.pixels import pixels
from rosephys.files.png import write_png
from rosephys.physics.pool import shot
from rosephys.physics.pool.ball import POCKETED
from rosephys.sdl import pygame

MOUTH = 0.118  # m, of a corner pocket
DRAWN = np.linspace(-0.008, 0.008, 33)  # rad


def main(folder: Path) -> None:
    problem = Problem(find_scene("pool"))
    *_, best = descend(problem)
    values = problem.complete(best.values)
    low, high = by_lanes(problem, values)
    margin = by_gradient(problem, values)
    print(f"from the gradient: ± {1e3 * margin:.2f} mrad")
    print(f"by playing it:     {1e3 * low:.2f} to {1e3 * high:.2f} mrad")
    draw(problem, values, (low, high), folder / "pool_cone.png")


def by_gradient(problem: Problem, values: Any) -> float:
    """Half of the room that the ball has in the mouth, by how far from its middle an error of the aim takes it.

    The square of how far its way is from the middle is 0 at the best aim, and its second derivative there is
    twice the square of what is looked for.
    """

    @ra.fn
    def missed(off: Any) -> Any:
        scene: Any = problem.scene.bound({**values, "wobble": off})
        first = scene.initial()
        seen = shot.finish(scene.table, first.shot, scene.cloth, scene.watch, first.seen)[1]
        return seen[0]

    sensitivity = math.sqrt(0.5 * ra.grad(ra.grad(missed))(0.0))  # m/rad
    scene: Any = problem.scene
    return (MOUTH / 2 - scene.radius) / sensitivity


def by_lanes(problem: Problem, values: Any) -> tuple[float, float]:
    """The least and the greatest error about the best aim with which the ball is potted."""
    scene: Any = problem.scene

    @ra.fn
    def end(off: Any) -> Any:
        bound: Any = scene.bound({**values, "wobble": off})
        return shot.play(bound.table, bound.initial().shot.balls, bound.cloth).balls.phase[1]

    errors = np.linspace(-0.03, 0.03, 6001)
    potted = ra.vmap(end)(errors) == POCKETED
    middle = len(errors) // 2
    low = middle - int(np.argmin(potted[middle::-1])) + 1
    high = middle + int(np.argmin(potted[middle:])) - 1
    return float(errors[low]), float(errors[high])


def draw(problem: Problem, values: Any, room: tuple[float, float], path: Path) -> None:
    """The ways of the ball for errors of the aim, those that pot it bright."""
    states = problem.trajectory(values)
    table = problem.picture(states, 0, values)
    ways = []
    for off in DRAWN:
        way = problem.trajectory({**values, "wobble": np.array(off)}).places[:80, 1]
        good = room[0] <= off <= room[1]
        ways.append(Polyline(way, "#f7d774" if good else "#b5483c", 1.5 if good else 1.0))
    shapes = (*table.shapes[:-1], *ways, table.shapes[-1])
    picture = Picture(shapes, table.view)
    with themed("dark"):
        surface = pygame.Surface((1080, 600), 0, 32)
        paint_shapes(surface, picture, backdrop(surface, picture, surface.get_rect(), 1.0))
    write_png(path, pixels(surface))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs"))
