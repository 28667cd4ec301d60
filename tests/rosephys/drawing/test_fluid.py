"""Liquids: where their surface lies, what walls do to it, and what may be painted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosephys.drawing.fluid import paint_fluid
from rosephys.sdl import pygame

WIDE, HIGH = 300, 200
RED = np.array([255.0, 0.0, 0.0])


def painted(points: Any, radius: float = 5.0, box: pygame.Rect | None = None) -> np.ndarray:
    """The share of red (w, h) after a liquid was painted on black."""
    surface = pygame.Surface((WIDE, HIGH), 0, 32)
    points = np.asarray(points, float).reshape(-1, 2)
    paint_fluid(surface, points, radius, np.tile(RED, (len(points), 1)), box)
    return pygame.surfarray.array3d(surface)[..., 0] / 255


def rows(left: float, right: float, top: float, bottom: float, apart: float = 10.0) -> np.ndarray:
    grid = np.meshgrid(np.arange(left, right + 1, apart), np.arange(top, bottom + 1, apart))
    return np.stack(grid, -1).reshape(-1, 2)


@pytest.mark.parametrize("radius", [3.0, 5.0, 8.0])
def test_the_surface_is_flat_and_a_spacing_beyond_the_last_points(radius: float) -> None:
    image = painted(rows(50, 250, 100, 180, 2 * radius), radius)
    heights = image[110:190, :130].sum(axis=1)  # of red above the middle
    np.testing.assert_allclose(heights, 30 + 2 * radius, atol=1.0)
    assert np.ptp(heights) < 0.6


@pytest.mark.parametrize("stretch", [1.0, 1.5, 2.0])
def test_what_is_drawn_apart_a_little_has_no_holes(stretch: float) -> None:
    """Rows that tear apart, as a stretched liquid's do, are still one body."""
    points = rows(50, 250, 60, 160) * (stretch, 1.0) - (50 * (stretch - 1), 0)
    inside = painted(points)[70:220, 70:150]
    assert inside.min() > 0.99


def test_walls_are_filled_to_their_corners_and_not_passed() -> None:
    box = pygame.Rect(40, 20, 200, 150)
    image = painted(rows(45, 235, 115, 165), box=box)
    assert image[40, 169] > 0.9 and image[239, 169] > 0.9
    assert image[39].max() == image[240].max() == image[:, 170:].max() == 0
    free = painted(rows(45, 235, 115, 165))
    assert free[40, 169] < 0.5, "without walls it is round there"


def test_a_drop_is_seen() -> None:
    image = painted([(150.0, 100.0)])
    assert image[150, 100] > 0.9 and 40 < image.sum() < np.pi * 49


def test_colours_are_those_of_the_points_nearby() -> None:
    surface = pygame.Surface((WIDE, HIGH), 0, 32)
    points = rows(50, 250, 60, 160)
    colours = np.where(points[:, :1] < 150, (200.0, 0.0, 0.0), (0.0, 0.0, 200.0))
    paint_fluid(surface, points, 5.0, colours)
    assert surface.get_at((70, 110))[:3] == (200, 0, 0)
    assert surface.get_at((230, 110))[:3] == (0, 0, 200)
    between = surface.get_at((145, 110))
    assert between[0] > 30 and between[2] > 30


@pytest.mark.parametrize("radius", [0.01, 1.0, 400.0])
@pytest.mark.parametrize("count", [1, 2, 50])
def test_anything_can_be_painted_anywhere(count: int, radius: float) -> None:
    rng = np.random.default_rng(count)
    for spread in (0.0, 1.0, 5000.0):
        painted(spread * rng.standard_normal((count, 2)), radius)
        painted(spread * rng.standard_normal((count, 2)), radius, pygame.Rect(-50, -50, 60, 60))
