"""A picture from a file as a field: how bright it is in each cell of a grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rosephys.errors import SceneError
from rosephys.sdl import pygame

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of red, green and blue (ITU-R BT.709)


def brightness(path: str | Path, shape: tuple[int, int]) -> NDArray[np.float64]:
    """The picture in a file, resized to a grid: 0 where it is black or clear, 1 where it is white.

    Entry [i, j] is the cell i to the right and j up. Raises SceneError if there is no such file, or no picture
    in it.
    """
    try:
        loaded = pygame.image.load(path)
    except FileNotFoundError:
        raise SceneError(f"there is no picture {path}") from None
    except (OSError, pygame.error) as error:
        raise SceneError(f"{path} is no picture that can be read: {error}") from None
    opaque = pygame.Surface(loaded.get_size(), 0, 32)
    opaque.blit(loaded, (0, 0))
    pixels = pygame.surfarray.array3d(pygame.transform.smoothscale(opaque, shape))
    return np.asarray(pixels[:, ::-1] @ np.array(LUMINANCE) / 255)
