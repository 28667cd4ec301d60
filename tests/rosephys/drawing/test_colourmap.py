"""Fields as colours and as images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosephys.drawing.colourmap import LEVELS, colour_table, coloured
from rosephys.drawing.paint import Transform, paint_shapes
from rosephys.errors import SceneError
from rosephys.scene.picture import Image, Picture
from rosephys.sdl import pygame

Array = np.ndarray[Any, Any]


def lightness(name: str) -> Array:
    """The luminance (256,) of a map's colours (ITU-R BT.709)."""
    return np.asarray((colour_table(name) / 255.0) ** 2.2 @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("name", ["smoke", "heat", "water"])
def test_lightness_rises_through_a_sequential_map(name: str) -> None:
    light = lightness(name)
    assert (np.diff(light) >= -1e-3).all() and light[-1] > 0.8 > 0.02 > light[0]


def test_lightness_of_a_diverging_map_rises_to_both_ends() -> None:
    light = lightness("waves")
    middle = LEVELS // 2
    assert (np.diff(light[:middle]) <= 1e-3).all() and (np.diff(light[middle:]) >= -1e-3).all()
    blue, orange = colour_table("waves")[[48, -48]].astype(int)
    assert blue[2] > blue[0] + 60 and orange[0] > orange[2] + 60


def test_numbers_become_colours() -> None:
    table = colour_table("heat")
    values = [-9.0, 0.0, 0.999999, 1.0, 9.0, np.nan]
    np.testing.assert_array_equal(
        coloured(values, "heat", 0, 1), table[[0, 0, LEVELS - 1, LEVELS - 1, LEVELS - 1, 0]]
    )
    with pytest.raises(SceneError, match="there is heat"):
        coloured(values, "haet", 0, 1)


def painted(image: Image) -> Array:
    surface = pygame.Surface((200, 120), 0, 32)
    paint_shapes(surface, Picture((image,), (0, 0, 2, 1)), Transform(80, 20, 100))
    return np.asarray(pygame.surfarray.array3d(surface), int)  # (x, y, 3)


def test_an_image_fills_its_box_with_its_cells_upright() -> None:
    values = np.zeros((4, 2))
    values[3, 1] = 1.0  # the cell to the right at the top
    pixels = painted(Image(values, (0.0, 0.0, 2.0, 1.0), "smoke"))
    low, high = colour_table("smoke")[[0, -1]].astype(int)
    assert (pixels[179, 20] > high - 8).all()  # x 20 .. 180, y 20 .. 100
    assert (pixels[25, 95] == low).all() and (pixels[25, 25] == low).all()
    assert not pixels[:20].any() and not pixels[180:].any() and not pixels[:, :20].any()


def test_an_image_far_away_or_thin_does_no_harm() -> None:
    far = painted(Image(np.ones((3, 3)), (1e9, 0.0, 2e9, 1.0)))
    nan = painted(Image(np.ones((3, 3)), (float("nan"), 0.0, 1.0, 1.0)))
    assert not far.any() and not nan.any()
    assert painted(Image(np.ones((3, 3)), (0.5, 0.5, 0.5, 0.5))).any()
