"""Paints a `Picture` on a pygame surface, and says where on it the world lies.

Nothing here opens a window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle, islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rosephys.drawing.colourmap import coloured
from rosephys.drawing.ellipse import paint_ellipses
from rosephys.drawing.fluid import paint_fluid
from rosephys.drawing.palette import FAR, Floats, blend, colour, rgb, themed
from rosephys.drawing.sprite import ball, disc, shadow, stamp
from rosephys.drawing.stroke import arrow, dashes, polyline, ring, stroke
from rosephys.drawing.within import polygon_within
from rosephys.drawing.words import BOLD_SIZE, words
from rosephys.scene.picture import (
    Arrow,
    Circles,
    Cross,
    Ellipses,
    Fluid,
    Image,
    Lines,
    Picture,
    Polygon,
    Polygons,
    Polyline,
    Text,
    Track,
)
from rosephys.sdl import pygame

RGB: TypeAlias = tuple[int, int, int]

SHADES = 8  # of a line on either side of its own colour
FACE_SHADES = 32  # of a polygon
CUSHION, RAIL = 9, 34  # design pixels from a table's bed to where cushion and wood end


@dataclass(frozen=True)
class Transform:
    """World to screen: `scale` pixels a world unit, the origin's pixel, y turned over.

    `unit` is the size of one design pixel: 1 in a window 720 pixels high.
    """

    scale: float
    left: float
    top: float
    unit: float = 1.0

    def to_screen(self, points: Any) -> Floats:
        """World points (..., 2) to pixels (..., 2)."""
        world = np.asarray(points, float)
        return np.asarray(world * (self.scale, -self.scale) + (self.left, self.top))

    def to_world(self, points: Any) -> Floats:
        """Pixels (..., 2) to world points (..., 2)."""
        pixels = np.asarray(points, float)
        return np.asarray((pixels - (self.left, self.top)) / (self.scale, -self.scale))


def fit(
    view: tuple[float, float, float, float], area: pygame.Rect, *, margin: float, unit: float
) -> Transform:
    """The largest picture of `view` inside `area` less `margin` pixels, centred."""
    x0, y0, x1, y1 = view
    width, height = max(x1 - x0, 1e-9), max(y1 - y0, 1e-9)
    scale = min(
        max(area.width - 2 * margin, 1.0) / width, max(area.height - 2 * margin, 1.0) / height
    )
    left = area.centerx - scale * (x0 + x1) / 2
    top = area.centery + scale * (y0 + y1) / 2
    return Transform(scale, left, top, unit)


# ---- The backdrop --------------------------------------------------------------------------


def backdrop(
    surface: pygame.Surface, picture: Picture, area: pygame.Rect, unit: float
) -> Transform:
    """Fill `area` with the picture's background, and say where the world lies on it."""
    if picture.background != "felt":
        surface.fill(colour(picture.background), area)
        return fit(picture.view, area, margin=24 * unit, unit=unit)
    transform = fit(picture.view, area, margin=52 * unit, unit=unit)
    x0, y0, x1, y1 = picture.view
    half = (transform.scale * (x1 - x0) / 2, transform.scale * (y1 - y0) / 2)
    room, dusk = colour("window"), colour("shade")
    with lamp(picture):
        surface.blit(_table(area.size, half, unit, room, dusk), area)
    return transform


def lamp(picture: Picture) -> AbstractContextManager[None]:
    """A `with` in which the picture's shapes have their colours: those on dark felt are always bright."""
    return themed("dark") if picture.background.startswith("felt") else nullcontext()


@lru_cache(maxsize=2)
def _table(
    size: tuple[int, int], half: tuple[float, float], unit: float, room: RGB, dusk: RGB
) -> pygame.Surface:
    """A billiard table, its bed `2 half` pixels wide and high in the middle of `size`.

    `room` is the colour about it, `dusk` that of its shadow there.
    """
    wide, high = size
    quarter = _table_corner(
        np.abs(np.arange((wide + 1) // 2, dtype=np.float32) + 0.5 - wide / 2)[:, None],
        np.abs(np.arange((high + 1) // 2, dtype=np.float32) + 0.5 - high / 2)[None, :],
        half,
        unit,
        room,
        dusk,
    )
    side = np.concatenate([quarter, quarter[::-1][wide % 2 :]], axis=0)
    whole = np.concatenate([side, side[:, ::-1][:, high % 2 :]], axis=1)
    table = pygame.Surface(size, 0, 32)
    pygame.surfarray.blit_array(table, whole)
    _sights(table, np.array(size) / 2, half, unit)
    return table


def _table_corner(
    x: Any, y: Any, half: tuple[float, float], unit: float, room: RGB, dusk: RGB
) -> NDArray[np.uint8]:
    """One quarter of the table, (w, h, 3): x (w, 1) and y (1, h) count from its middle."""

    def outside(grow: float, radius: float) -> NDArray[np.float32]:
        """Distance from the bed grown by `grow`, with rounded corners; negative inside."""
        qx, qy = x - (half[0] + grow - radius), y - (half[1] + grow - radius)
        corner = np.hypot(np.maximum(qx, 0), np.maximum(qy, 0))
        return np.asarray(corner + np.minimum(np.maximum(qx, qy), 0) - radius, np.float32)

    image = np.empty((x.shape[0], y.shape[1], 3), np.float32)
    image[:] = room

    def lay(cover: Any, shade: Any) -> None:
        image[:] += np.clip(cover, 0, 1)[..., None] * (shade - image)

    frame, bed = outside(RAIL * unit, 16 * unit), outside(0, 3 * unit)
    lay(0.55 * np.exp(-np.maximum(frame - 4 * unit, 0) / (7 * unit)), np.array(dusk, np.float32))
    inward = np.clip(-frame / ((RAIL - CUSHION) * unit), 0, 1)[..., None]
    wood = rgb("wood edge") + np.sqrt(inward) * (rgb("wood") - rgb("wood edge"))
    lay(0.5 - frame, wood * (0.75 + 0.5 * np.sin(np.pi * inward)))
    lay(0.5 - outside(CUSHION * unit, 5 * unit), 0.72 * rgb("cushion"))
    lay(0.5 - outside((CUSHION - 1.5) * unit, 5 * unit), rgb("cushion"))
    lamp = np.clip((x / half[0]) ** 2 + (y / half[1]) ** 2, 0, 1.6)[..., None] / 1.6
    lay(0.5 - bed, rgb("felt") + lamp * (rgb("felt edge") - rgb("felt")))
    lay((bed < 0) * 0.4 * np.exp(np.minimum(bed, 0) / (5 * unit)), rgb("shade"))
    return np.asarray(image + 0.5, np.uint8)


def _sights(table: pygame.Surface, middle: Floats, half: tuple[float, float], unit: float) -> None:
    """The inlaid dots that players aim by: seven along a long rail, three along a short one."""
    longer = int(half[0] < half[1])
    dots = []
    for axis, parts in ((longer, 8), (1 - longer, 4)):
        for mark in range(1, parts):
            for side in (-1, 1):
                dot = middle.copy()
                dot[axis] += half[axis] * (2 * mark / parts - 1)
                dot[1 - axis] += side * (half[1 - axis] + (CUSHION + RAIL) * unit / 2)
                dots.append(dot)
    radii, blank = np.full(len(dots), 2.4 * unit), [""] * len(dots)
    stamp(table, disc, np.array(dots), radii, ["sight"] * len(dots), blank)


# ---- Shapes --------------------------------------------------------------------------------


def _paint_circles(surface: pygame.Surface, shape: Circles, at: Transform) -> None:
    centres = at.to_screen(shape.centres).reshape(-1, 2)
    count = len(centres)
    radii = np.broadcast_to(np.asarray(shape.radii, float) * at.scale, count)
    shades = list(islice(cycle(shape.colours), count))
    labels = list(shape.labels) or [""] * count
    if shape.style == "ring":
        for centre, radius, shade in zip(centres, radii, shades, strict=True):
            ring(surface, centre, float(radius), 2 * at.unit, shade)
        return
    if shape.style == "ball":
        stamp(surface, shadow, centres, radii, [""] * count, [""] * count)
    stamp(surface, ball if shape.style == "ball" else disc, centres, radii, shades, labels)


def _paint_ellipses(surface: pygame.Surface, shape: Ellipses, at: Transform) -> None:
    centres, radii = at.to_screen(shape.centres), at.scale * np.asarray(shape.radii, float)
    look = (shape.colour, shape.outline, shape.width * at.unit, shape.opacity)
    paint_ellipses(surface, centres.reshape(-1, 2), radii.reshape(-1, 2), *look)


def _paint_fluid(surface: pygame.Surface, shape: Fluid, at: Transform) -> None:
    points = at.to_screen(shape.points).reshape(-1, 2)
    colours = np.array([rgb(shade) for shade in islice(cycle(shape.colours), len(points))])
    shown = (np.abs(np.nan_to_num(points, nan=FAR)) < FAR).all(axis=1)
    radius = float(shape.radius) * at.scale
    if shown.any() and 0 < radius < FAR:
        box = _box(at, shape.walls) if np.size(shape.walls) else None
        paint_fluid(surface, points[shown], radius, colours[shown], box)


def _rounded(levels: Any, shades: int) -> Floats:
    """Levels in -1 .. 1, rounded to those that are drawn."""
    return np.asarray(np.rint(shades * np.clip(np.nan_to_num(levels), -1, 1)) / shades)


def _shade(shape: Lines | Polygons, level: float) -> str:
    """The colour of what lies at a level between low and high."""
    return blend(shape.colour, shape.high if level > 0 else shape.low, abs(level))


def _paint_lines(surface: pygame.Surface, shape: Lines, at: Transform) -> None:
    starts, ends = (at.to_screen(side).reshape(-1, 2) for side in (shape.starts, shape.ends))
    levels = np.asarray(shape.levels, float)
    if not levels.size:
        stroke(surface, starts, ends, shape.width * at.unit, shape.colour)
        return
    levels = _rounded(levels, SHADES)
    for level in np.unique(levels):
        shade = _shade(shape, level)
        these = levels == level
        stroke(surface, starts[these], ends[these], shape.width * at.unit, shade)


def _paint_polyline(surface: pygame.Surface, shape: Polyline, at: Transform) -> None:
    points, width = at.to_screen(shape.points), shape.width * at.unit
    if shape.dashed:
        dashes(surface, points, width, shape.colour, dash=4 * width, gap=3 * width)
    else:
        polyline(surface, points, width, shape.colour)


def _paint_polygon(surface: pygame.Surface, shape: Polygon, at: Transform) -> None:
    points = polygon_within(at.to_screen(shape.points).reshape(-1, 2))
    if len(points) < 3:
        return
    if shape.opacity < 1:
        _fill_thinly(surface, points, (*colour(shape.colour), round(255 * shape.opacity)))
        if shape.outline:
            around = np.vstack([points, points[:1]])
            polyline(surface, around, shape.width * at.unit, shape.outline)
        return
    pygame.draw.polygon(surface, colour(shape.colour), points.tolist())
    # The fill has hard edges; a stroke of its own colour, or the outline, makes them smooth.
    width = shape.width * at.unit if shape.outline else 1.0
    polyline(surface, np.vstack([points, points[:1]]), width, shape.outline or shape.colour)


def _fill_thinly(surface: pygame.Surface, points: Floats, shade: tuple[int, int, int, int]) -> None:
    """Fill a polygon with a colour through which one sees, as far as it is on the surface."""
    low, high = np.floor(points.min(axis=0)) - 1, np.ceil(points.max(axis=0)) + 1
    area = pygame.Rect(*low.astype(int).tolist(), *(high - low).astype(int).tolist())
    area = area.clip(surface.get_clip())
    if area:
        page = pygame.Surface(area.size, pygame.SRCALPHA)
        pygame.draw.polygon(page, shade, (points - area.topleft).tolist())
        surface.blit(page, area)


def _paint_polygons(surface: pygame.Surface, shape: Polygons, at: Transform) -> None:
    levels = _rounded(shape.levels, FACE_SHADES)
    shades = {level: colour(_shade(shape, level)) for level in np.unique(levels)}
    faces = at.to_screen(shape.points)
    near = np.abs(np.nan_to_num(faces, nan=FAR)).max(axis=(1, 2), initial=0.0) < FAR
    for face, level, whole in zip(faces, levels, near.tolist(), strict=True):
        points = (face if whole else polygon_within(face)).tolist()
        if len(points) < 3:
            continue
        pygame.draw.polygon(surface, shades[level], points)
        pygame.draw.aalines(surface, shades[level], True, points)  # the fill has hard edges


def _paint_arrow(surface: pygame.Surface, shape: Arrow, at: Transform) -> None:
    start = np.asarray(shape.start, float)
    end = at.to_screen(start + np.asarray(shape.vector, float))
    arrow(surface, at.to_screen(start), end, shape.width * at.unit, shape.colour)


def _paint_cross(surface: pygame.Surface, shape: Cross, at: Transform) -> None:
    centre, size = at.to_screen(shape.position), shape.size * at.unit
    arm = 0.62 * size * np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]]) / math.sqrt(2)
    stroke(surface, centre + arm[::2], centre + arm[1::2], 2.4 * at.unit, shape.colour)
    ring(surface, centre, 1.35 * size, 1.8 * at.unit, shape.colour, 0.9)


def _paint_text(surface: pygame.Surface, shape: Text, at: Transform) -> None:
    x, y = at.to_screen(shape.position)
    if abs(x) < FAR and abs(y) < FAR:
        size = shape.size * (at.scale / BOLD_SIZE if shape.scaled else at.unit)
        least = {"least": 1.0} if shape.scaled else {}
        words(surface, shape.text, (x, y), size, shape.colour, face="bold", align="center", **least)


def _box(at: Transform, box: Any) -> pygame.Rect:
    """Where a box (xmin, ymin, xmax, ymax) is on the screen, or as much of it as is near."""
    x0, y0, x1, y1 = np.asarray(box, float)
    corners = np.clip(np.rint(at.to_screen(((x0, y1), (x1, y0)))), -FAR, FAR)
    (left, top), (right, bottom) = corners.astype(int).tolist()
    return pygame.Rect(left, top, max(right - left, 1), max(bottom - top, 1))


def _paint_image(surface: pygame.Surface, shape: Image, at: Transform) -> None:
    x0, y0, x1, y1 = shape.box
    if not (np.abs(at.to_screen(((x0, y1), (x1, y0)))) < FAR).all():
        return
    box = _box(at, shape.box)
    cells = coloured(shape.values, shape.colours, shape.low, shape.high)[:, ::-1]
    small = pygame.surfarray.make_surface(cells)
    surface.blit(pygame.transform.smoothscale(small, box.size), box)


_PAINTERS: dict[type, Callable[..., None]] = {
    Circles: _paint_circles,
    Ellipses: _paint_ellipses,
    Fluid: _paint_fluid,
    Lines: _paint_lines,
    Polyline: _paint_polyline,
    Polygon: _paint_polygon,
    Polygons: _paint_polygons,
    Arrow: _paint_arrow,
    Cross: _paint_cross,
    Text: _paint_text,
    Image: _paint_image,
}


def paint_shapes(surface: pygame.Surface, picture: Picture, at: Transform) -> None:
    """Draw the picture's shapes in order, leaving out what has no finite position."""
    for shape in picture.shapes:
        _PAINTERS[type(shape)](surface, shape, at)


def paint_tracks(
    surface: pygame.Surface,
    tracks: Sequence[Track],
    at: Transform,
    alpha: float = 1.0,
) -> None:
    """Draw tracks whose points are paths (n, 2): dashed, fading, ringed where they end."""
    unit = at.unit
    for track in tracks:
        pixels, shade = at.to_screen(track.point).reshape(-1, 2), track.colour
        if not len(pixels):
            continue
        fade = (0.85 * alpha, 0.5 * alpha)
        gaps = {"dash": 9 * unit, "gap": 7 * unit}
        dashes(surface, pixels, 2 * unit, shade, alpha=fade, **gaps)
        ring(surface, pixels[-1], 5 * unit, 1.6 * unit, shade, 0.8 * alpha)
