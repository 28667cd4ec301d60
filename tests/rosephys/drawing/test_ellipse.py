"""Ellipses: how much they cover, where, and what is seen through them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rosephys.drawing.ellipse import paint_ellipses
from rosephys.drawing.pixels import pixels
from rosephys.sdl import pygame


def painted(a: float, b: float, fill: str, outline: str, opacity: float = 1.0) -> np.ndarray:
    surface = pygame.Surface((120, 100), 0, 32)
    places, radii = np.array([(60.25, 49.5)]), np.array([(a, b)])
    paint_ellipses(surface, places, radii, fill, outline, 2.0, opacity)
    return pixels(surface).astype(float)[..., 0] / 255


@pytest.mark.parametrize(("a", "b"), [(40.0, 20.0), (10.0, 10.0), (5.0, 30.0)])
def test_it_covers_its_area(a: float, b: float) -> None:
    assert painted(a, b, "#ffffff", "").sum() == pytest.approx(math.pi * a * b, rel=0.02)


def test_its_middle_is_where_it_should() -> None:
    cover = painted(30.0, 12.0, "#ffffff", "")
    rows, columns = np.indices(cover.shape)
    assert (columns * cover).sum() / cover.sum() + 0.5 == pytest.approx(60.25, abs=0.1)
    assert (rows * cover).sum() / cover.sum() + 0.5 == pytest.approx(49.5, abs=0.1)


def test_what_is_below_is_seen_through_it() -> None:
    assert painted(30.0, 20.0, "#ffffff", "", 0.4)[50, 60] == pytest.approx(0.4, abs=0.01)


def test_an_outline_alone_is_hollow() -> None:
    ring = painted(30.0, 20.0, "", "#ffffff")
    assert ring[50, 60] == 0 and ring[50, 90] > 0.5


def test_what_is_far_or_nothing_is_not_drawn() -> None:
    surface = pygame.Surface((20, 20), 0, 32)
    places = np.array([(np.nan, 5.0), (1e9, 5.0), (5.0, 5.0)])
    paint_ellipses(
        surface, places, np.array([(3.0, 3.0), (3.0, 3.0), (0.0, 3.0)]), "#ffffff", "", 1.0, 1.0
    )
    assert not pixels(surface).any()
