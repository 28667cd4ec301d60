"""A picture as pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..drawing.paint import fit, paint_shapes
from ..drawing.palette import colour, themed
from ..drawing.pixels import pixels
from ..scene.picture import Picture
from ..sdl import pygame


def raster(
    picture: Picture, size: tuple[float, float], scale: float, theme: str
) -> NDArray[np.uint8]:
    """A picture of this size, `scale` pixels to one of it, (h, w, 3) of 0 .. 255."""
    wide, high = (round(scale * side) for side in size)
    with themed(theme):
        surface = pygame.Surface((wide, high), 0, 32)
        surface.fill(colour(picture.background))
        at = fit(picture.view, surface.get_rect(), margin=0.0, unit=scale)
        paint_shapes(surface, picture, at)
        return pixels(surface)
