"""Ellipses by their exact pixel coverage, drawn once for each size and quarter of a pixel, and kept."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from rosephys.drawing.palette import FAR, Floats, colour
from rosephys.sdl import pygame

QUARTER = 4  # sizes and places are multiples of 1 / QUARTER of a pixel

RGB = tuple[int, int, int]


def paint_ellipses(
    surface: pygame.Surface,
    centres: Floats,
    radii: Floats,
    fill: str,
    outline: str,
    width: float,
    opacity: float,
) -> None:
    """Draw ellipses (n, 2) of radii (n, 2), in pixels; `fill` and `outline` are colours, or empty for none."""
    shades = (colour(fill) if fill else None, colour(outline) if outline else None)
    numbers = np.hstack([centres, radii])
    shown = (np.abs(np.nan_to_num(numbers, nan=FAR)) < FAR).all(axis=1) & (radii > 0).all(axis=1)
    fine = np.rint(numbers[shown] * QUARTER).astype(int)
    for x, y, a, b in fine.tolist():
        (left, dx), (top, dy) = divmod(x, QUARTER), divmod(y, QUARTER)
        size = (max(a, 1) / QUARTER, max(b, 1) / QUARTER)
        image, half = _sprite(size, (dx, dy), shades, round(max(width, 1.0) * 8) / 8, opacity)
        surface.blit(image, (left - half[0], top - half[1]))


@lru_cache(maxsize=2048)
def _sprite(
    radii: tuple[float, float],
    part: tuple[int, int],
    shades: tuple[RGB | None, RGB | None],
    width: float,
    opacity: float,
) -> tuple[pygame.Surface, tuple[int, int]]:
    """An ellipse whose centre is `part` quarters of a pixel beyond a corner of pixels, and where that corner
    is."""
    a, b = radii
    half = tuple(math.ceil(r + width / 2) + 2 for r in radii)
    x, y = (np.arange(2 * h) - h + 0.5 - p / QUARTER for h, p in zip(half, part, strict=True))
    u, v = (x / a)[:, None], (y / b)[None, :]
    away = np.sqrt(u * u + v * v)
    slope = np.hypot(u / a, v / b) / np.maximum(away, 1e-9)
    distance = (away - 1) / np.maximum(slope, 1e-9)  # to first order, where it is small
    fill, outline = shades
    inner = opacity * np.clip(0.5 - distance, 0, 1) if fill else np.zeros_like(distance)
    ring = np.clip(width / 2 + 0.5 - abs(distance), 0, 1) if outline else np.zeros_like(distance)
    below = inner * (1 - ring)
    cover = ring + below
    share = (ring / np.maximum(cover, 1e-9))[..., None]
    shade = share * np.array(outline or (0, 0, 0)) + (1 - share) * np.array(fill or (0, 0, 0))
    image = pygame.Surface((2 * half[0], 2 * half[1]), pygame.SRCALPHA)
    pygame.surfarray.pixels3d(image)[:] = np.clip(shade + 0.5, 0, 255).astype(np.uint8)
    pygame.surfarray.pixels_alpha(image)[:] = np.clip(255 * cover + 0.5, 0, 255).astype(np.uint8)
    return image, (half[0], half[1])
