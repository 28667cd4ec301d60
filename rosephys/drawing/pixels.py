"""What was drawn as an array, which is what files are written from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rosephys.sdl import pygame


def pixels(surface: pygame.Surface) -> NDArray[np.uint8]:
    """A surface as (h, w, 3) of 0 .. 255, the upper row first."""
    wide, high = surface.get_size()
    return np.frombuffer(pygame.image.tobytes(surface, "RGB"), np.uint8).reshape(high, wide, 3)
