r"""The body of a liquid that is known by points in it: a level set, painted with a smooth edge.

Points that are 2 r apart have one in each area of 4 r². With a Gaussian of width s = W r for each, their
density relative to that is

    F(x) = 4 r² / (2 π s²) Σ_i exp(-|x - x_i|² / 2 s²),

which is 1 inside and falls through 1/2 at r beyond the last of the points. The surface is drawn where it is
1/3, another r farther: so what has been drawn apart, to twice the distance, still is one body. A drop that is
too small for this is a disc about each of its points. At walls the points are mirrored, so that the liquid
fills corners.

Source: Blinn, *A generalization of algebraic surface drawing*, ACM Trans. Graph. 1, 1982.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rosephys.sdl import pygame

Floats = NDArray[np.floating]

WIDTH = 2.4  # W
REACH = 3.0  # widths that a Gaussian reaches
EDGE = 1 / 3  # of the density at rest, where the surface is drawn
DROP = 0.7  # radii, of the Gaussian that makes the disc about a point
CELL = 0.8  # radii, of the grid on which densities are computed
SMALLEST = 1.5  # pixels of a cell at least
LEVELS = 8.0  # to a pixel, of how far it is to the surface
_FAR = np.arange(-128, 128) / LEVELS
COVER = np.asarray(255 * np.clip(0.5 - _FAR, 0, 1), np.uint8)
RIM = np.asarray(128 * np.exp(-np.abs(_FAR + 1.5) / 1.5), np.uint8)  # white on the surface


def paint_fluid(
    surface: pygame.Surface,
    points: Floats,
    radius: float,
    colours: Floats,
    box: pygame.Rect | None = None,
) -> None:
    """Paint the liquid around points (n, 2), in pixels, of these colours (n, 3) from 0 to 255, inside a box."""
    cell = max(CELL * radius, SMALLEST)
    margin = REACH * WIDTH * radius
    area = surface.get_clip()
    if box is not None:
        points, colours = _mirrored(points, colours, box, margin)
        area = area.clip(box)
    ends = np.array([area.topleft, area.bottomright])
    near = ((points > ends[0] - margin) & (points < ends[1] + margin)).all(axis=1)
    if not near.any() or not area.width or not area.height:
        return
    points, colours = points[near], colours[near]
    corner = np.floor(points.min(axis=0) - margin)
    counts = np.ceil((points.max(axis=0) + margin - corner) / cell).astype(int)
    size = np.rint(counts * cell).astype(int)
    area = area.clip(pygame.Rect(corner, size))
    if not area.width or not area.height:
        return
    level, shades = _level(points - corner, radius, colours, cell, counts)
    for axis in (0, 1):
        pixels = np.arange(area.size[axis]) + area.topleft[axis] - corner[axis]
        level = _between(level, (pixels + 0.5) / cell - 0.5).T
    level = np.clip(LEVELS * level + 128, 0, 255).astype(np.uint8)
    body = pygame.transform.smoothscale(pygame.surfarray.make_surface(shades), size.tolist())
    image = pygame.Surface(area.size, pygame.SRCALPHA, 32)
    image.blit(body, corner - area.topleft)
    gloss = pygame.Surface(area.size, pygame.SRCALPHA, 32)
    gloss.fill("white")
    pygame.surfarray.pixels_alpha(gloss)[:] = RIM[level]
    image.blit(gloss, (0, 0))
    pygame.surfarray.pixels_alpha(image)[:] = COVER[level]
    surface.blit(image, area)


def _mirrored(
    points: Floats, colours: Floats, box: pygame.Rect, margin: float
) -> tuple[Floats, Floats]:
    """The same points, and their images in the sides of a box that they are near."""
    for axis, sides in ((0, (box.left, box.right)), (1, (box.top, box.bottom))):
        inside = points
        for side in sides:
            near = np.abs(inside[:, axis] - side) < margin
            images = inside[near]
            images[:, axis] = 2 * side - images[:, axis]
            points = np.concatenate([points, images])
            colours = np.concatenate([colours, colours[: len(inside)][near]])
    return points, colours


def _level(
    points: Floats, radius: float, colours: Floats, cell: float, counts: NDArray[np.int_]
) -> tuple[Floats, NDArray[np.uint8]]:
    """How far it is from the middles of cells to the surface, about, in pixels, negative inside (w, h); and the
    colour there (w, h, 3)."""
    sums = _shared(points / cell - 0.5, np.column_stack([np.ones(len(points)), colours]), counts)
    wide, narrow = WIDTH * radius / cell, DROP * radius / cell
    spread = _blurred(sums, wide)
    density = 4 * radius**2 / (2 * math.pi * (WIDTH * radius) ** 2) * spread[0]
    slope = 0.36 / (WIDTH * radius)  # of a flat surface, where 1 - Φ is 1/3
    drops = np.clip(2 * _blurred(sums[:1], narrow)[0], 1e-30, 1.0)  # one point among cells has 1/2
    apart = np.sqrt(-2 * np.log(drops)) - 1
    level = np.minimum((EDGE - density) / slope, DROP * radius * apart)
    shades = spread[1:] / np.maximum(spread[0], 1e-9)
    return level, np.clip(shades, 0, 255).transpose(1, 2, 0).astype(np.uint8)


def _shared(at: Floats, what: Floats, counts: NDArray[np.int_]) -> Floats:
    """What points at (n, 2), in cells, bring (n, k), each shared among the four nearest cells: (k, w, h)."""
    low = np.floor(at).astype(int)
    sums = np.zeros((what.shape[1], counts.prod()))
    for beside in np.ndindex(2, 2):
        place = np.clip(low + np.array(beside), 0, counts - 1)
        share = np.prod(1 - np.abs(at - low - beside), axis=1)
        index = place[:, 0] * counts[1] + place[:, 1]
        sums += [np.bincount(index, share * column, counts.prod()) for column in what.T]
    return sums.reshape(-1, *counts).astype(np.float32)


def _blurred(sums: Floats, width: float) -> Floats:
    """What is in cells (k, w, h), spread by a Gaussian; `width` is in cells."""
    for axis in (1, 2):
        whole, sums = sums, sums.copy()
        after, before = ([slice(None)] * 3 for _ in range(2))
        for k in range(1, min(math.ceil(REACH * width), sums.shape[axis] - 1) + 1):
            after[axis], before[axis] = slice(k, None), slice(None, -k)
            weight = np.float32(math.exp(-0.5 * (k / width) ** 2))
            sums[tuple(after)] += weight * whole[tuple(before)]
            sums[tuple(before)] += weight * whole[tuple(after)]
    return sums


def _between(values: Floats, at: Floats) -> Floats:
    """Rows of values (n, m) at places between them, linearly."""
    at = np.clip(at, 0, len(values) - 1)
    low = at.astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    share = (at - low)[:, None].astype(np.float32)
    return np.asarray(values[low] * (1 - share) + values[high] * share)
