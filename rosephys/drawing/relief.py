"""A landscape as an image: its losses as colours, with level lines. It takes a while, and so is made beside the
window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rosephys.drawing.colourmap import coloured
from rosephys.drawing.palette import rgb
from rosephys.solve.landscape import Floats, Landscape

SIDE = 320  # pixels
COLOURS = "water"
STEPS = 10  # from one level line to the next
DARK = 0.45  # share of the colours that are dark
WIDTH = 1.1  # pixels, of a level line
FAINT = 0.4  # its opacity


@dataclass(frozen=True)
class Relief:
    """A landscape and its image, (SIDE, SIDE, 3), as numpy has them in pygame: [x, y], y downwards.

    A landscape over one number has no pixels.
    """

    landscape: Landscape
    low: float  # the level of the colours' low end, and of the high one
    high: float
    pixels: NDArray[np.uint8]


def relief(landscape: Landscape) -> Relief:
    """The image of a landscape; what is not finite is grey."""
    levels = np.asarray(landscape.level(landscape.losses), float)
    levels = np.where(np.isfinite(levels), levels, np.nan)
    finite = levels[np.isfinite(levels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    if levels.ndim == 1:
        return Relief(landscape, low, high, np.zeros((0, 0, 3), np.uint8))
    heights = _interpolated((levels - low) / (high - low))
    pixels = coloured(heights, COLOURS, 0, 1).astype(np.float32)
    cover = (FAINT * _level_lines(heights)).astype(np.float32)[:, :, None]
    pixels += cover * (np.where(heights[:, :, None] < DARK, rgb("ivory"), rgb("shade")) - pixels)
    pixels[~np.isfinite(heights)] = rgb("faint")
    return Relief(landscape, low, high, pixels[:, ::-1].astype(np.uint8))


def _interpolated(levels: Floats) -> Floats:
    """Levels on a grid (n, n) at each pixel, by bilinear interpolation."""
    at = np.linspace(0, len(levels) - 1, SIDE)
    below = np.minimum(at.astype(int), len(levels) - 2)
    share = at - below
    rows = levels[below] + share[:, None] * (levels[below + 1] - levels[below])
    return np.asarray(rows[:, below] + share * (rows[:, below + 1] - rows[:, below]))


def _level_lines(heights: Floats) -> Floats:
    """How much of each pixel a level line covers, of heights from 0 to 1.

    The distance to the nearest line is that in height over the slope. Where lines would touch, or the ground
    is flat, there are none.
    """
    steps = STEPS * heights
    nearest = np.rint(steps)
    slope = np.hypot(*np.gradient(steps))
    distance = np.abs(steps - nearest) / np.maximum(slope, 1e-6)
    cover = np.clip(0.5 + WIDTH / 2 - distance, 0, 1) * np.clip(1.5 - 3 * slope, 0, 1)
    return np.where((nearest > 0) & (nearest < STEPS) & (slope > 1e-6), np.nan_to_num(cover), 0.0)
