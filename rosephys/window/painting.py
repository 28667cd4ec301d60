"""The picture of a scene for the gallery: a moment of its motion, solved by so much work.

What is needed for it is loaded when it is made, for the gallery itself makes none.
"""

from __future__ import annotations

from contextlib import suppress
from time import process_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rosephys.sdl import pygame
    from rosephys.solve.problem import Arrays, Problem

SIZE = (528, 330)  # pixels, twice what is shown in a window 720 pixels high
SOLVE_SECONDS = 2.0  # of work that a scene is solved for its picture
MOMENT = 0.6  # of the motion, from 0 to 1, that is drawn; of a field it is the last one


def paint(typed: str, seconds: float = SOLVE_SECONDS) -> pygame.Surface:
    """The picture of a scene that has been solved by so much work, without words of ours."""
    from rosephys.drawing.motion import MotionPicture
    from rosephys.errors import SceneError
    from rosephys.scene.finding import find_scene
    from rosephys.scene.picture import Image
    from rosephys.sdl import pygame
    from rosephys.solve.problem import Problem

    problem = Problem(find_scene(typed))
    if not problem.scene.pictured:
        raise SceneError("the scene has no picture")
    values = _found(problem, seconds)
    motion = MotionPicture(problem, values)
    last = problem.picture(motion.trajectory, problem.steps, values)
    field = any(isinstance(shape, Image) for shape in last.shapes)
    surface = pygame.Surface(SIZE, 0, 32)
    motion.draw(surface, surface.get_rect(), 1.0 if field else MOMENT, 0.85)
    return surface


def _found(problem: Problem, seconds: float) -> Arrays:
    """The best values that are found by so much work."""
    from rosephys.errors import OptimizeError
    from rosephys.solve.optimize import descend

    scene = problem.scene
    best, values = float("inf"), problem.values
    begin = process_time()
    how: dict[str, Any] = {"rate": scene.rate, "optimizer": scene.optimizer}
    with suppress(OptimizeError):  # what was found before is good enough
        for iterate in descend(problem, iterations=scene.iterations, **how):
            if iterate.loss < best:
                best, values = iterate.loss, iterate.values
            if process_time() - begin > seconds:
                break
    return {**problem.values, **values}
