"""A scene that is controlled while it moves, in a window: a hand pushes it, and the plans make up for that.

Left and right push, space holds it, R begins again, Escape ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys.drawing.paint import backdrop, lamp, paint_shapes
from rosephys.drawing.palette import colour, use_theme
from rosephys.drawing.words import words
from rosephys.errors import OptimizeError, SceneError
from rosephys.sdl import pygame
from rosephys.solve.closed_loop import ClosedLoop, Frame

KEYS = "left, right: push   space: hold   R: again   Esc: end"


class Live:
    """The loop as events and frames; `push` is what the arrow keys add to parts of the state, by name."""

    def __init__(self, loop: ClosedLoop, push: Mapping[str, float]) -> None:
        self.loop, self.push = loop, dict(push)
        self.open, self.held = True, False
        self.last: Frame | None = None
        self.late = 0  # frames whose plan took longer than its budget
        self.message = ""

    def handle(self, event: pygame.event.Event) -> None:
        """React to one event of the window."""
        if event.type == pygame.QUIT:
            self.open = False
        if event.type != pygame.KEYDOWN:
            return
        actions: dict[int, Callable[[], None]] = {
            pygame.K_ESCAPE: lambda: setattr(self, "open", False),
            pygame.K_SPACE: lambda: setattr(self, "held", not self.held),
            pygame.K_r: self._again,
            pygame.K_LEFT: lambda: self._shove(-1.0),
            pygame.K_RIGHT: lambda: self._shove(1.0),
        }
        if event.key in actions:
            actions[event.key]()

    def frame(self, surface: pygame.Surface) -> None:
        """Move on by a step, unless it is held, and draw it."""
        if not self.held and not self.message:
            try:
                self.last = self.loop.frame()
                self.late += self.last.seconds > self.loop.mpc.budget
            except OptimizeError as error:
                self.message = str(error)
        self._draw(surface)

    def _again(self) -> None:
        problem = self.loop.problem
        self.loop.state, self.message = problem.initial(problem.values), ""

    def _shove(self, sign: float) -> None:
        for part, size in self.push.items():
            self.loop.push(part, sign * size)

    def _draw(self, surface: pygame.Surface) -> None:
        problem, area = self.loop.problem, surface.get_rect()
        unit = min(area.width / 1200, area.height / 720)
        alone = ra.map_leaves(lambda leaf: np.asarray(leaf)[None], self.loop.state)
        picture = problem.picture(alone, 0, problem.values)
        surface.fill(colour("window"))
        view = backdrop(surface, picture, area, unit)
        with lamp(picture):
            paint_shapes(surface, picture, view)
        words(surface, self.message or KEYS, (24 * unit, 20 * unit), 15 * unit, "dim")
        if self.last is not None:
            took, budget = 1000 * self.last.seconds, 1000 * self.loop.mpc.budget
            text = f"plan {took:.1f} of {budget:g} ms, {self.last.sweeps} sweeps, {self.late} late"
            words(surface, text, (24 * unit, 44 * unit), 15 * unit, "dim")


def drive(
    loop: ClosedLoop,
    push: Mapping[str, float],
    *,
    theme: str = "dark",
    size: tuple[int, int] = (1200, 720),
    between: Callable[[int], Any] = lambda frame: None,
) -> None:
    """Open a window and control the scene in it, a frame each step of its time, until it is closed. `between`
    is called before each frame with its number. Raises SceneError for a scene that has no picture."""
    problem = loop.problem
    if not problem.scene.pictured:
        raise SceneError(f"{problem.scene.name} has no picture to show")
    pygame.display.init()
    try:
        use_theme(theme)
        pygame.display.set_caption(f"{problem.scene.name.capitalize()} · Rosephys")
        pygame.display.set_mode(size, pygame.RESIZABLE)
        live, clock, count = Live(loop, push), pygame.time.Clock(), 0
        while live.open:
            for event in pygame.event.get():
                live.handle(event)
            between(count)
            live.frame(pygame.display.get_surface())
            pygame.display.flip()
            clock.tick(round(1 / problem.dt))
            count += 1
    finally:
        pygame.display.quit()
