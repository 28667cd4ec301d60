"""Painting: where pixels go, how edges are smoothed, and that bad numbers do no harm."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rosephys.drawing.paint import Transform, backdrop, fit, paint_shapes, paint_tracks
from rosephys.drawing.palette import PALETTE, colour
from rosephys.drawing.sprite import _sprite
from rosephys.drawing.stroke import dashes, stroke
from rosephys.drawing.words import words
from rosephys.errors import SceneError
from rosephys.scene.picture import (
    Arrow,
    Circles,
    Cross,
    Fluid,
    Lines,
    Picture,
    Polygon,
    Polygons,
    Polyline,
    Shape,
    Text,
    Track,
)
from rosephys.sdl import pygame

VIEW = (0.0, 0.0, 2.0, 1.0)
COMMON = st.floats(-1e3, 1e3)


def blank(wide: int = 200, high: int = 120) -> pygame.Surface:
    surface = pygame.Surface((wide, high), 0, 32)
    surface.fill("black")
    return surface


def pixels(surface: pygame.Surface) -> np.ndarray:
    """The surface as (h, w, 3) floats."""
    return np.asarray(pygame.surfarray.array3d(surface).swapaxes(0, 1), float)


def painted(*shapes: Shape, background: str = "black") -> np.ndarray:
    """The shapes on a view of 2 x 1 that is 160 x 80 pixels, in a picture of 200 x 120."""
    surface = blank()
    at = Transform(80, 20, 100)
    paint_shapes(surface, Picture(shapes, VIEW, background), at)
    return pixels(surface)


def centroid(image: np.ndarray) -> tuple[float, float]:
    """The centre of brightness, in pixels."""
    light = image.sum(axis=2)
    y, x = np.mgrid[0 : light.shape[0], 0 : light.shape[1]] + 0.5
    return float((light * x).sum() / light.sum()), float((light * y).sum() / light.sum())


@given(COMMON, COMMON, st.floats(1e-3, 1e3), COMMON, COMMON)
def test_a_pixel_leads_back_to_its_point(
    x: float, y: float, scale: float, left: float, top: float
) -> None:
    at = Transform(scale, left, top)
    back = at.to_world(at.to_screen((x, y)))
    np.testing.assert_allclose(back, (x, y), atol=1e-6 * (1 + 1 / scale))


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (90, 60), (3, 2), (1, 1)])
def test_fit_shows_the_whole_view_in_the_middle(size: tuple[int, int]) -> None:
    area = pygame.Rect(10, 20, *size)
    at = fit(VIEW, area, margin=8, unit=1)
    (left, bottom), (right, top) = at.to_screen((VIEW[:2], VIEW[2:]))
    assert right - left == pytest.approx(2 * (bottom - top)), "a circle stays a circle"
    assert (left + right) / 2 == pytest.approx(area.centerx)
    if min(size) > 16:
        assert left >= area.left + 8 - 1e-9 and right <= area.right - 8 + 1e-9
        assert top >= area.top + 8 - 1e-9 and bottom <= area.bottom - 8 + 1e-9


def test_a_stroke_covers_exactly_its_pixels() -> None:
    surface = blank()
    stroke(surface, [(20, 50)], [(150, 50)], 4, "white")
    column = pixels(surface)[:, 100, 0]
    assert column[48:52].tolist() == [255] * 4
    assert column[:48].max() == column[52:].max() == 0

    surface = blank()
    stroke(surface, [(20, 50.25)], [(150, 50.25)], 2, "white")
    column = pixels(surface)[:, 100, 0]
    assert column[49:52] == pytest.approx([0.75 * 255, 255, 0.25 * 255], abs=1)


def test_overlapping_segments_have_no_beads() -> None:
    surface = blank()
    x = np.linspace(20, 150, 500)
    points = np.stack([x, np.full(500, 60.5)], axis=1)
    stroke(surface, points[:-1], points[1:], 3, "white", 0.5)
    row = pixels(surface)[60, 30:140, 0]
    assert row.min() == row.max() == pytest.approx(127, abs=1)


def test_strokes_ignore_what_cannot_be_drawn() -> None:
    surface = blank()
    surface.set_clip(pygame.Rect(50, 0, 20, 120))
    bad = [(np.nan, 5), (np.inf, 5), (1e300, 5), (-1e9, 5), (30, 60)]
    good = [(5, 5), (5, 5), (5, 5), (5, 5), (120, 60)]
    stroke(surface, bad, good, 2, "white")
    stroke(surface, np.zeros((0, 2)), np.zeros((0, 2)), 2, "white")
    lit = np.argwhere(pixels(surface).any(axis=2))
    assert set(lit[:, 1]) == set(range(50, 70)), "only inside the clip"
    assert set(lit[:, 0]) == {59, 60}


def test_dashes_leave_gaps_of_the_right_length() -> None:
    surface = blank()
    line = [(20.0, 60.5), (60.0, 60.5), (180.0, 60.5)]
    dashes(surface, line, 1, "white", dash=12, gap=8, alpha=(1.0, 0.5))
    row = pixels(surface)[60, :, 0]
    assert 0.6 < (row > 60).sum() / 160 < 0.72
    starts = np.flatnonzero((row[1:] > 60) & (row[:-1] <= 60))
    assert np.diff(starts).tolist() == [20] * 7
    assert row[25:30].mean() > 0.95 * 255
    assert row[165:170].mean() < 0.65 * 255, "the path fades"
    dashes(surface, np.full((5, 2), np.nan), 1, "white", dash=12, gap=8)
    dashes(surface, [(1.0, 1.0)], 1, "white", dash=12, gap=8)


@pytest.mark.parametrize("style", ["disc", "ring"])
@pytest.mark.parametrize("x", [1.0, 1.003, 1.0061, 1.012])
def test_circles_lie_at_fractions_of_a_pixel(style: str, x: float) -> None:
    circles = Circles([(x, 0.4)], 0.1, ("white",), style=style)
    assert centroid(painted(circles)) == pytest.approx((20 + 80 * x, 100 - 32), abs=0.13)


def test_up_is_up_and_the_last_shape_is_on_top() -> None:
    image = painted(
        Circles([(1.0, 0.9), (1.0, 0.1)], 0.05, ("red", "lime"), style="disc"),
        Circles([(1.0, 0.1)], [0.02], ("blue",), style="disc"),
    )
    assert image[28, 100].tolist() == [255, 0, 0]
    assert image[92, 100].tolist() == [0, 0, 255]
    assert image[89, 100].tolist() == [0, 255, 0]


def test_a_ball_is_round_shaded_and_labelled() -> None:
    plain = painted(Circles([(1.0, 0.5)], 0.4, ("#c03020",)))
    ball = plain[60 - 32 : 60 + 32, 100 - 32 : 100 + 32]
    y, x = np.mgrid[-31.5:32, -31.5:32]
    inside = np.hypot(x, y) < 31
    # The highlight is above and to the left; the lower right lies in the dark.
    light = np.where(inside, ball.sum(axis=2), 0)
    brightest = np.unravel_index(light.argmax(), light.shape)
    assert brightest[0] < 26 and brightest[1] < 26
    assert light[12:20, 12:20].mean() > 2 * light[48:54, 48:54].mean()
    labelled = painted(Circles([(1.0, 0.5)], 0.4, ("#c03020",), ("8",)))
    changed = np.argwhere(np.abs(labelled - plain).sum(axis=2) > 60)
    assert np.abs(changed.mean(axis=0) - (59.5, 99.5)).max() < 1, "the spot is in the middle"
    assert len(changed) > 300
    dark = np.argwhere(labelled[50:70, 90:110].sum(axis=2) < 250)
    assert len(dark) > 30, "the number can be read on it"


SHAPES: list[tuple[Shape, tuple[int, int]]] = [
    (Circles([(1.0, 0.5)], 0.1, ("#ff0000",), style="disc"), (100, 60)),
    (Circles([(1.0, 0.5)], 0.1, ("#ff0000",), style="ring"), (108, 60)),
    (Circles([(1.0, 0.5)], 0.1, ("#ff0000",)), (100, 60)),
    (Fluid([(1.0, 0.5)], 0.1, ("#ff0000",)), (100, 60)),
    (Lines([(0.5, 0.5)], [(1.5, 0.5)], "#ff0000", 4), (100, 60)),
    (Polyline([(0.5, 0.5), (1.0, 0.5), (1.0, 0.9)], "#ff0000", 4), (80, 60)),
    (Polyline([(0.5, 0.5), (1.0, 0.5)], "#ff0000", 4, dashed=True), (61, 60)),
    (Polygon([(0.5, 0.2), (1.5, 0.2), (1.0, 0.9)], "#ff0000"), (100, 60)),
    (Polygon([(0.5, 0.5), (1.5, 0.5), (1.0, 0.9)], "#000000", "#ff0000", 4), (100, 60)),
    (Polygons([[(0.5, 0.2), (1.5, 0.2), (1.0, 0.9)]], [0.0], "#ff0000"), (100, 60)),
    (Arrow((0.5, 0.5), (1.0, 0.0), "#ff0000", 3), (137, 60)),
    (Cross((1.0, 0.5), "#ff0000"), (100, 60)),
    (Text((1.0, 0.5), "MMM", "#ff0000", 30), (100, 58)),
]


def test_lines_are_shaded_by_their_levels() -> None:
    y = np.array([0.2, 0.4, 0.6, 0.8, 0.9])
    left, right = (np.stack([np.full(5, x), y], axis=1) for x in (0.5, 1.5))
    levels = np.array([-1.0, 0.0, 1.0, 0.5, 7.0])
    image = painted(Lines(left, right, "#000080", 4, levels, "#800000", "#008000"))
    rows = [round(100 - 80 * height) for height in y]
    seen = [image[row - 2 : row + 2, 100].max(axis=0).round() for row in rows]
    expected = [(128, 0, 0), (0, 0, 128), (0, 128, 0), (0, 64, 64), (0, 128, 0)]
    np.testing.assert_allclose(seen, expected, atol=2)


@pytest.mark.parametrize(("shape", "place"), SHAPES, ids=lambda v: type(v).__name__)
def test_every_shape_is_painted_where_it_lies(shape: Shape, place: tuple[int, int]) -> None:
    image = painted(shape)
    near = image[place[1] - 3 : place[1] + 3, place[0] - 3 : place[0] + 3]
    assert near[..., 0].max() > 150, "in its colour"
    lit = np.argwhere(image.any(axis=2))
    assert lit[:, 0].min() > 15 and lit[:, 0].max() < 105, "and nowhere else"


def test_only_a_dashed_polyline_has_gaps() -> None:
    line = [(0.2, 0.5), (1.8, 0.5)]
    solid, dashed = (
        painted(Polyline(line, "white", 3, dashed=d))[60, 40:160, 0] for d in (False, True)
    )
    assert solid.min() == 255
    assert dashed.min() == 0 and dashed.max() == 255


def unplaced(shape: Shape, number: float) -> Shape:
    """The same shape with every coordinate replaced."""
    names = {"centres", "starts", "ends", "points", "start", "vector", "position", "radii"}
    places = {k: np.full(np.shape(v), number) for k, v in vars(shape).items() if k in names}
    return type(shape)(**(vars(shape) | places))


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e300])
@pytest.mark.parametrize("shape", [shape for shape, _ in SHAPES], ids=lambda v: type(v).__name__)
def test_numbers_that_are_nowhere_are_left_out(shape: Shape, number: float) -> None:
    with np.errstate(all="ignore"):
        assert not painted(unplaced(shape, number)).any()


def test_an_arrow_points_the_right_way() -> None:
    image = painted(Arrow((1.0, 0.2), (0.0, 0.6), "white", 3))
    rows = (image[..., 0] > 100).sum(axis=1)
    head, shaft = rows[36:46].max(), rows[70:84].max()
    assert head > 2 * shaft, "the head is at the upper end"
    assert not painted(Arrow((1.0, 0.2), (0.0, 0.0), "white")).any()


def test_tracks_are_dashed_paths_with_a_ring_where_they_end() -> None:
    surface = blank()
    path = np.stack([np.linspace(0.2, 1.8, 300), np.full(300, 0.5)], axis=1)
    paths = [(path, "white"), (np.zeros((0, 2)), "red"), (path * np.nan, "red")]
    paint_tracks(surface, [Track(*p) for p in paths], Transform(80, 20, 100))
    image = pixels(surface)
    ends = 20 + 80 * 1.8
    assert image[58:62, 36:150].any(), "there is a path"
    assert (image[60, 36:150, 0] == 0).sum() > 30, "with gaps"
    assert image[52:56, int(ends) - 2 : int(ends) + 2].any(), "and a ring"
    assert not image[:, :, 0].max() < image[:, :, 1].max(), "nothing red"


def test_the_table_is_symmetric_and_framed() -> None:
    surface = blank(300, 201)
    at = backdrop(surface, Picture((), VIEW, "felt"), surface.get_rect(), 0.5)
    image = pixels(surface)
    np.testing.assert_array_equal(image, image[:, ::-1])
    np.testing.assert_array_equal(image, image[::-1])
    x, y = at.to_screen((1.0, 0.5)).astype(int)
    assert image[y, x] == pytest.approx(colour("felt"), abs=2)
    left = int(at.to_screen((0.0, 0.5))[0])
    wood = image[y, left - 11]
    assert wood[0] > wood[1] > wood[2], "the rail is of wood"
    assert image[0, 0] == pytest.approx(colour("window"), abs=6)


def test_a_plain_background_fills_its_area_only() -> None:
    surface = blank()
    backdrop(surface, Picture((), VIEW, "#102030"), pygame.Rect(0, 0, 100, 120), 1.0)
    image = pixels(surface)
    assert (image[:, :100] == (16, 32, 48)).all() and not image[:, 100:].any()


def test_words_stand_where_they_are_put() -> None:
    surface = blank()
    box = words(surface, "loss", (190, 60), 20, "white", face="bold", align="midright")
    assert box.right == 190 and abs(box.centery - 60) <= 1
    lit = np.argwhere(pixels(surface).any(axis=2))
    assert lit[:, 1].max() < 190 and lit[:, 1].min() > 130


def test_colours_have_names() -> None:
    assert colour("#010203") == (1, 2, 3)
    assert colour("red") == (255, 0, 0)
    assert all(len(colour(name)) == 3 for name in PALETTE)
    with pytest.raises(SceneError, match="did you mean accent"):
        colour("acent")


def test_a_picture_needs_no_painter() -> None:
    code = "import sys, rosephys.scene.picture; sys.exit('pygame' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_moving_balls_are_drawn_once_for_each_quarter_of_a_pixel() -> None:
    surface = blank(1000, 700)
    rng = np.random.default_rng(0)
    at = Transform(600, 0, 700)
    labels = tuple(str(i) for i in range(100))
    start = rng.uniform(0, 1, (100, 2))

    def sprites_made_at(shift: float) -> int:
        before = _sprite.cache_info().misses
        picture: Any = Picture((Circles(start + shift, 0.03, ("red",), labels),), VIEW, "black")
        paint_shapes(surface, picture, at)
        return _sprite.cache_info().misses - before

    assert sprites_made_at(0.0) > 0
    for k in range(1, 40):
        sprites_made_at(k / 2400)
    assert sum(sprites_made_at(k / 2400) for k in range(20)) == 0
