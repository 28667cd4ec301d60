"""What is drawn of shapes that are larger than the page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rosephys import Lines, Picture, Polygon, Polygons, Polyline
from rosephys.drawing.paint import backdrop, paint_shapes
from rosephys.drawing.palette import FAR
from rosephys.drawing.pixels import pixels
from rosephys.drawing.within import polygon_within, segments_within
from rosephys.sdl import pygame

coordinate = st.floats(-20 * FAR, 20 * FAR)
point = st.tuples(coordinate, coordinate)


def ground(kind: str, half: float) -> Any:
    """What fills the lower half of a picture, and is so wide."""
    corners = np.array([[-half, -half], [half, -half], [half, 0.0], [-half, 0.0]])
    if kind == "polygon":
        return Polygon(corners, "#ff0000")
    if kind == "thin":
        return Polygon(corners, "#ff0000", opacity=0.5)
    if kind == "polygons":
        return Polygons(corners[None], np.zeros(1), "#ff0000")
    ends = np.array([[-half, -0.5], [half, -0.5]])
    return (
        Lines(ends[:1], ends[1:], "#ff0000", 40.0)
        if kind == "lines"
        else Polyline(ends, "#ff0000", 40.0)
    )


def drawn(shape: Any) -> Any:
    """The pixels (80, 120, 3) of one shape."""
    surface, picture = pygame.Surface((120, 80), 0, 32), Picture((shape,), (-1.0, -1.0, 1.0, 1.0))
    paint_shapes(surface, picture, backdrop(surface, picture, surface.get_rect(), 1.0))
    return pixels(surface)


@pytest.mark.parametrize("half", [1e3, 1e6, 1e12])
@pytest.mark.parametrize("kind", ["polygon", "thin", "polygons", "lines", "polyline"])
def test_what_is_much_larger_than_the_page_is_drawn_on_it(kind: str, half: float) -> None:
    small, large = (drawn(ground(kind, h)) for h in (20.0, half))
    assert (small[60, 60] != small[20, 60]).any()
    np.testing.assert_allclose(large.astype(int), small, atol=2)


def turns(points: Any, corners: Any) -> Any:
    """Of each point (n, 2) how far it is to the left of each side of a polygon, in pixels: (n, k)."""
    way = np.roll(corners, -1, axis=0) - corners
    off = points[:, None] - corners
    length = np.maximum(np.hypot(*way.T), 1e-9)
    return (way[:, 0] * off[..., 1] - way[:, 1] * off[..., 0]) / length


@given(st.lists(point, min_size=3, max_size=3))
def test_a_polygon_within_is_what_of_it_is_there(corners: list[tuple[float, float]]) -> None:
    whole = np.array(corners)
    (a, b), (c, d) = whole[1:] - whole[0]
    if a * d < b * c:
        whole = whole[::-1]
    part = polygon_within(whole)
    assert np.abs(part).max(initial=0.0) <= FAR + 1e-6
    assert turns(part, whole).min(initial=0.0) > -1e-3
    grid = np.stack(np.meshgrid(*[np.linspace(-0.99, 0.99, 12) * FAR] * 2), -1).reshape(-1, 2)
    covered = grid[turns(grid, whole).min(axis=1) > 1.0]
    if len(covered):
        assert turns(covered, part).min() > -1e-3


@given(point, point)
def test_a_segment_within_is_what_of_it_is_there(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    starts, ends, which = segments_within(np.array([a]), np.array([b]))
    way = np.linspace(0.0, 1.0, 4001)[:, None]
    points = np.array(a) + way * (np.array(b) - np.array(a))
    seen = (np.abs(points) < FAR * (1 - 1e-9)).all(axis=1)
    if not len(which):
        assert not seen.any()
        return
    assert max(np.abs(starts).max(), np.abs(ends).max()) <= FAR * (1 + 1e-9)
    if seen.any():
        step = np.hypot(*(np.array(b) - np.array(a))) / 4000
        assert np.hypot(*(points[seen][0] - starts[0])) <= step + 1e-6 * FAR
        assert np.hypot(*(points[seen][-1] - ends[0])) <= step + 1e-6 * FAR


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_left_out(bad: float) -> None:
    assert len(polygon_within(np.array([[0.0, 0.0], [1.0, bad], [1.0, 0.0]]))) == 0
    starts, _, which = segments_within(np.array([[0.0, 0.0], [bad, 0.0]]), np.ones((2, 2)))
    assert which.tolist() == [0] and len(starts) == 1
