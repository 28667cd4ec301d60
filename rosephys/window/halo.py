"""How far a nudge of the controls moves the ends of the tracks: a halo about each end.

With J the derivative of an end in the controls and S their sizes (the largest number of each), nudges whose
relative length is at most h take the end, to first order, to the ellipse of all points e + u with
u^T (h^2 J S S J^T)^-1 u <= 1.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rosephys.drawing.paint import Transform
from rosephys.drawing.palette import FAR, Floats, colour
from rosephys.drawing.stroke import polyline
from rosephys.scene.picture import Track
from rosephys.scene.scene import Scene
from rosephys.sdl import pygame

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem

NUDGE = 0.01  # relative length of the nudge
THIN = 5.0  # design pixels; the soft part of a halo is no thinner
WIDE = 500.0  # design pixels; the soft part of a halo is no wider
SPRITE = 96  # pixels across the soft disc from which all halos are made


def spreads(problem: Problem, values: Arrays) -> Floats:
    """The matrices h^2 J S S J^T of the k tracks' ends, (k, 2, 2), in the world's unit squared.

    A scene without tracks has none.
    """
    if type(problem.scene).tracks is Scene.tracks or not problem.controls:
        return np.zeros((0, 2, 2))
    total: Floats = np.zeros((1, 2, 2))
    for name, slope in problem.end_derivatives(values).items():
        size = float(np.max(np.abs(values[name]), initial=0.0)) or 1.0
        moved = NUDGE * size * slope.reshape(*slope.shape[:2], -1)
        total = total + moved @ np.swapaxes(moved, 1, 2)
    return total


def draw_halos(surface: pygame.Surface, tracks: list[Track], found: Floats, at: Transform) -> None:
    """Draw the halo of each track at its end; what is not finite has none."""
    for track, spread in zip(tracks, found, strict=False):
        end = at.to_screen(np.reshape(track.point, (-1, 2))[-1])
        if not (np.isfinite(spread).all() and (np.abs(np.nan_to_num(end, nan=FAR)) < FAR).all()):
            continue
        squares, axes = np.linalg.eigh(spread)
        radii = at.scale * np.sqrt(np.maximum(squares[::-1], 0.0))  # the longer one first
        along = axes[:, 1] * (1, -1)  # on the screen, where y points down
        _soft(surface, end, np.clip(radii, THIN * at.unit, WIDE * at.unit), along, track.colour)
        if radii[0] < FAR:
            across = np.array([-along[1], along[0]])
            turn = np.linspace(0, 2 * np.pi, 73)[:, None]
            circle = radii[0] * np.cos(turn) * along + radii[1] * np.sin(turn) * across
            polyline(surface, end + circle, 1.4 * at.unit, track.colour, 0.75)


def _soft(
    surface: pygame.Surface, centre: Floats, radii: Floats, along: Floats, shade: str
) -> None:
    """Lay a soft ellipse on the surface, its longer axis along a direction."""
    size = tuple(max(round(2 * float(r)), 1) for r in radii)
    turned = -math.degrees(math.atan2(along[1], along[0]))
    image = pygame.transform.rotate(
        pygame.transform.smoothscale(_disc(colour(shade)), size), turned
    )
    surface.blit(image, image.get_rect(center=(round(centre[0]), round(centre[1]))))


@lru_cache(maxsize=8)
def _disc(shade: tuple[int, int, int]) -> pygame.Surface:
    """A disc whose opacity falls from its middle to its edge."""
    across = (np.arange(SPRITE) + 0.5) / SPRITE * 2 - 1
    square = across[:, None] ** 2 + across**2
    disc = pygame.Surface((SPRITE, SPRITE), pygame.SRCALPHA, 32)
    disc.fill((*shade, 0))
    pygame.surfarray.pixels_alpha(disc)[:] = 150 * np.clip(1 - square, 0, 1) ** 1.5
    return disc
