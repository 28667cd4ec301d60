"""Anti-aliased lines on a pygame surface, at sub-pixel positions and of any width.

`stroke` lays down round-capped segments by their exact pixel coverage; a path, an arrow and a chart are
all made of segments, and a ring is drawn like one. Every position and length here is in pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosephys.drawing.palette import FAR, Floats, rgb
from rosephys.drawing.within import segments_within
from rosephys.sdl import pygame

LONGEST = 10.0  # pixels; a longer segment is cut, since each is drawn in a square of its own


def stroke(
    surface: pygame.Surface,
    starts: Any,
    ends: Any,
    width: float,
    shade: str,
    alpha: float | Floats = 1.0,
) -> None:
    """Draw `n` round-capped segments (n, 2)-(n, 2), in pixels, as one shape.

    Where segments overlap the stronger one counts, so a half-transparent path has no beads.
    `alpha` is one opacity or one for each segment.
    """
    starts, ends, fade = _cut(starts, ends, alpha)
    if not len(starts):
        return
    x, y, cover = _coverage(starts, ends, max(width, 1.0) / 2)
    cover *= np.float32(min(width, 1.0)) * fade.astype(np.float32)[:, None, None]
    clip = surface.get_clip()
    inside = cover > 0.004
    inside &= ((x >= clip.left) & (x < clip.right))[:, :, None]
    inside &= ((y >= clip.top) & (y < clip.bottom))[:, None, :]
    segment, column, row = np.nonzero(inside)
    at = x[segment, column], y[segment, row]
    level = _strongest(*at, cover[inside], surface.get_size())[:, None]
    pixels = pygame.surfarray.pixels3d(surface)
    below = pixels[at].astype(np.float32)
    pixels[at] = below + level * (rgb(shade) - below) + np.float32(0.5)


def _cut(starts: Any, ends: Any, alpha: float | Floats) -> tuple[Floats, Floats, Floats]:
    """Drop what is not finite or far away, and cut long segments into short pieces."""
    starts = np.asarray(starts, float).reshape(-1, 2)
    fade = np.broadcast_to(np.asarray(alpha, float), len(starts))
    starts, ends, which = segments_within(starts, np.asarray(ends, float).reshape(-1, 2))
    fade = fade[which]
    length = np.hypot(*(ends - starts).T)
    if (length <= LONGEST).all():
        return starts, ends, fade
    pieces = np.maximum(np.ceil(length / LONGEST), 1).astype(int)
    owner = np.repeat(np.arange(len(starts)), pieces)
    order = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    step = (ends - starts)[owner] / pieces[owner, None]
    first = starts[owner] + order[:, None] * step
    return first, first + step, fade[owner]


def _coverage(starts: Floats, ends: Floats, half: float) -> tuple[Any, Any, Any]:
    """The x and y (n, k) of the k x k pixels about each segment, and its cover (n, k, k)."""
    corner = np.floor(np.minimum(starts, ends) - half - 1)
    side = int(np.ceil(np.abs(ends - starts).max() + 2 * half + 3))
    grid = np.arange(side, dtype=np.float32)
    x, y = corner.T.astype(np.intp)[:, :, None] + np.arange(side)
    # Distances are taken relative to the start, where single precision is ample.
    from_x, from_y = (corner - starts + 0.5).T.astype(np.float32)[:, :, None] + grid
    along = (ends - starts).T.astype(np.float32)
    square = np.maximum(along[0] ** 2 + along[1] ** 2, np.float32(1e-12))
    dx, dy = along[:, :, None]
    share_x, share_y = from_x * dx / square[:, None], from_y * dy / square[:, None]
    where = np.clip(share_x[:, :, None] + share_y[:, None, :], 0, 1)
    off_x = from_x[:, :, None] - where * dx[:, :, None]
    off_y = from_y[:, None, :] - where * dy[:, :, None]
    distance = np.sqrt(off_x * off_x + off_y * off_y)
    return x, y, np.clip(np.float32(half + 0.5) - distance, 0, 1)


_buffers: dict[tuple[int, int], NDArray[np.float32]] = {}


def _strongest(at_x: Any, at_y: Any, cover: Any, size: tuple[int, int]) -> NDArray[np.float32]:
    """For each entry, the largest cover of any entry at the same pixel."""
    if size not in _buffers:
        _buffers.clear()
        _buffers[size] = np.zeros(size[0] * size[1], np.float32)
    buffer = _buffers[size]
    flat = at_x * size[1] + at_y
    np.maximum.at(buffer, flat, cover)
    level = np.asarray(buffer[flat])
    buffer[flat] = 0
    return level


def polyline(
    surface: pygame.Surface, points: Any, width: float, shade: str, alpha: float = 1.0
) -> None:
    """Draw one line through pixels (n, 2)."""
    points = np.asarray(points, float).reshape(-1, 2)
    stroke(surface, points[:-1], points[1:], width, shade, alpha)


def dashes(
    surface: pygame.Surface,
    points: Any,
    width: float,
    shade: str,
    *,
    dash: float,
    gap: float,
    alpha: tuple[float, float] = (1.0, 1.0),
) -> None:
    """Draw a dashed line through pixels (n, 2) whose opacity goes from `alpha[0]` to `[1]`."""
    points = np.asarray(points, float).reshape(-1, 2)
    points = points[(np.abs(np.nan_to_num(points, nan=FAR)) < FAR).all(axis=1)]
    if len(points) < 2:
        return
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    total = float(along[-1])
    piece = dash / 2  # two straight pieces a dash follow any curve closely enough
    begin = np.arange(0.0, total, dash + gap)
    begin = np.concatenate([begin, begin + piece])
    begin = begin[begin < total]
    finish = np.minimum(begin + piece, total)
    fade = alpha[0] + (alpha[1] - alpha[0]) * begin / max(total, 1e-9)
    starts, ends = (
        np.stack([np.interp(where, along, axis) for axis in points.T], axis=1)
        for where in (begin, finish)
    )
    stroke(surface, starts, ends, width, shade, fade)


def ring(
    surface: pygame.Surface,
    centre: Any,
    radius: float,
    width: float,
    shade: str,
    alpha: float = 1.0,
) -> None:
    """Draw the outline of one circle, in pixels."""
    middle = np.asarray(centre, float)
    half = max(width, 1.0) / 2
    if not (np.abs(middle) < FAR).all() or not 0 <= radius < FAR:
        return
    reach = radius + half + 1
    corner = np.floor(middle - reach).astype(int)
    sides = np.ceil(middle + reach).astype(int) - corner
    area = pygame.Rect(*corner.tolist(), *sides.tolist()).clip(surface.get_clip())
    if not area:
        return
    x, y = (
        np.arange(low, high, dtype=np.float32) + np.float32(0.5 - at)
        for low, high, at in zip(area.topleft, area.bottomright, middle.tolist(), strict=True)
    )
    off = np.abs(np.hypot(x[:, None], y[None, :]) - np.float32(radius))
    cover = np.clip(np.float32(half + 0.5) - off, 0, 1) * np.float32(min(width, 1.0) * alpha)
    pixels = pygame.surfarray.pixels3d(surface)[area.left : area.right, area.top : area.bottom]
    pixels[:] = pixels + cover[:, :, None] * (rgb(shade) - pixels) + np.float32(0.5)


def arrow(
    surface: pygame.Surface,
    start: Any,
    end: Any,
    width: float,
    shade: str,
    alpha: float = 1.0,
) -> None:
    """Draw an arrow from pixel to pixel; one shorter than its head is only a head."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    length = float(np.hypot(*(end - start)))
    if not 1.0 <= length < FAR:
        return
    ahead = (end - start) / length
    aside = np.array([-ahead[1], ahead[0]])
    head = min(4.2 * width, length)
    neck = end - head * ahead
    wing = 0.45 * head * aside
    starts = np.stack([start, end, end, neck + wing])
    ends = np.stack([neck, neck + wing, neck - wing, neck - wing])
    fill = [neck + f * wing for f in (-0.6, -0.2, 0.2, 0.6)]  # lines closer than their width
    starts = np.concatenate([starts, np.broadcast_to(end, (4, 2))])
    ends = np.concatenate([ends, fill])
    stroke(surface, starts, ends, width, shade, alpha)
