"""Every optimiser on one problem: the ways they go, as docs/solvers.png.

    python docs/examples/solvers.py [FILE.png]

The problem is Rosenbrock's valley in two steps: the first control sets x, the second y, and (1 - x)² +
10 (y - x²)² is to be small. It has residuals and stages, so that every optimiser can be used on it.
A way ends where the loss is below 1e-8, or after 300 iterations.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import rose_ad as ra
from rosephys import Problem, Scene, control, descend, parameter
from rosephys.drawing.landscape_chart import draw_way, way_through
from rosephys.drawing.palette import colour
from rosephys.drawing.relief import relief
from rosephys.drawing.words import words
from rosephys.scene.optimizers import OPTIMIZERS
from rosephys.sdl import pygame
from rosephys.solve.iterate import Iterate
from rosephys.solve.landscape import Axis, Component, explored

RATES = {
    "gd": 0.005,
    "momentum": 0.001,
    "normalized": 0.05,
    "adam": 0.1,
    "smoothed": 0.05,
    "multi-start": 0.05,
}
OTHERS = 0.5  # the rate of the rest
MOST, ENOUGH = 300, 1e-8  # iterations, and the loss that ends a way
SIDE, EDGE, HEAD = 204, 14, 54  # pixels of a panel, of what is round it, of what is above
ACROSS = 6  # panels in a row


class Valley(Scene):
    """Bring two numbers to (1, 1) along a curved valley."""

    steps: int = parameter(2, "number of time steps")
    push = control((-1.0, 1.2), "what each step sets")

    def initial(self) -> Any:
        return ra.array([0.0, 0.0])

    def step(self, state: Any, t: Any) -> Any:
        first = ra.array([self.push[t], 0.0])
        second = ra.array([state[0], self.push[t]])
        return ra.where(t == 0, first, second)

    def residuals(self, final: Any) -> Any:
        x, y = final
        return ra.array([1.0 - x, math.sqrt(10.0) * (y - x * x)])


def way(problem: Problem, optimizer: str) -> list[Iterate]:
    """The iterates of an optimiser."""
    found: list[Iterate] = []
    rate = RATES.get(optimizer, OTHERS)
    for iterate in descend(problem, optimizer=optimizer, iterations=MOST, rate=rate):
        found.append(iterate)
        if iterate.loss < ENOUGH:
            break
    return found


def draw(path: Path) -> None:
    """Write the picture: a panel for each optimiser."""
    problem = Problem(Valley())
    axes = tuple(
        Axis(Component("push", k), *ends) for k, ends in enumerate([(-1.8, 1.8), (-0.8, 2.2)])
    )
    *_, landscape = filter(None, explored(problem, problem.values, axes))
    ground = relief(landscape)
    image = pygame.transform.smoothscale(pygame.surfarray.make_surface(ground.pixels), (SIDE, SIDE))
    rows = -(-len(OPTIMIZERS) // ACROSS)
    size = ACROSS * (SIDE + EDGE) + EDGE, rows * (SIDE + HEAD) + EDGE
    surface = pygame.Surface(size, 0, 32)
    surface.fill(colour("panel"))
    for k, name in enumerate(OPTIMIZERS):
        left, top = EDGE + k % ACROSS * (SIDE + EDGE), HEAD + k // ACROSS * (SIDE + HEAD)
        plot = pygame.Rect(left, top, SIDE, SIDE)
        surface.blit(image, plot)
        found = way(problem, name)
        draw_way(surface, plot, way_through(plot, ground, [i.values for i in found]), 1.0)
        words(surface, name, (left, top - 42), 16, "text", face="bold")
        least = min(i.loss for i in found)
        told = f"{found[-1].iteration} iterations, " + (
            f"loss {least:.1e}" if least > ENOUGH else "there"
        )
        words(surface, told, (left, top - 21), 12, "dim")
    pygame.image.save(surface, str(path))


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "solvers.png")
