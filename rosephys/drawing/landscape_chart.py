"""Draws a landscape: the loss in colours with level lines, the way of the descent and where it is now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rosephys.drawing.colourmap import coloured
from rosephys.drawing.palette import Floats, colour
from rosephys.drawing.relief import COLOURS, Relief
from rosephys.drawing.stroke import polyline, ring, stroke
from rosephys.drawing.words import words
from rosephys.sdl import pygame
from rosephys.solve.landscape import Landscape, title

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem


class Chart:
    """Where the picture of a landscape lies, and how it was last drawn."""

    def __init__(self) -> None:
        self.plot = pygame.Rect(0, 0, 0, 0)  # in pixels of the window
        self._ground = self._image = pygame.Surface((0, 0))
        self._shown: tuple[object, ...] = ()  # of which ground and
        self._way = b""  # way the image is

    def draw(
        self,
        surface: pygame.Surface,
        area: pygame.Rect,
        problem: Problem,
        relief: Relief,
        path: Sequence[Mapping[str, Any]],
        unit: float,
    ) -> None:
        """Draw it into an area, with the way through the controls of the path, whose last are the present."""
        self.plot = plot_within(area, unit)
        now = (id(relief), area.size, unit, colour("panel"), colour("text"))
        here = pygame.Rect((0, 0), area.size)
        if now != self._shown:
            self._ground = pygame.Surface(area.size, 0, 32)
            draw_ground(self._ground, here, problem, relief, unit)
            self._shown, self._way = now, b""
            self._kept = relief  # so that no other has its id
        way = way_through(plot_within(here, unit), relief, path)
        if way.tobytes() != self._way:
            self._image = self._ground.copy()
            draw_way(self._image, plot_within(here, unit), way, unit)
            self._way = way.tobytes()
        surface.blit(self._image, area)

    def shares(self, pixel: tuple[int, int]) -> Floats | None:
        """How far along the axes a pixel lies, each 0 to 1; None beside the plot."""
        if not self.plot.collidepoint(pixel):
            return None
        x, y = pixel
        left, bottom = self.plot.left, self.plot.bottom - 1
        across = max(self.plot.width - 1, 1), max(self.plot.height - 1, 1)
        return np.clip([(x - left) / across[0], (bottom - y) / across[1]], 0, 1)


def plot_within(area: pygame.Rect, unit: float) -> pygame.Rect:
    """The plot within the area of a chart: the rest is for its axes and its scale."""
    side = max(min(area.width - 78 * unit, area.height - 132 * unit), 1.0)
    return pygame.Rect(
        round(area.left + 58 * unit), round(area.top + 8 * unit), *(2 * [round(side)])
    )


# ---- The ground ----


def draw_ground(
    surface: pygame.Surface, area: pygame.Rect, problem: Problem, relief: Relief, unit: float
) -> None:
    """Draw the losses, the axes and the scale."""
    surface.fill(colour("panel"), area)
    plot = plot_within(area, unit)
    two = len(relief.landscape.axes) == 2
    if two:
        image = pygame.surfarray.make_surface(relief.pixels)
        surface.blit(pygame.transform.smoothscale(image, plot.size), plot)
    else:
        _draw_curve(surface, plot, relief, unit)
    pygame.draw.rect(surface, colour("line"), plot.inflate(2, 2), 1)
    _draw_axes(surface, plot, problem, relief.landscape, unit)
    if two:
        bar = pygame.Rect(plot.left, plot.bottom + 62 * unit, plot.width, 9 * unit)
        _draw_scale(surface, bar, relief, unit)


def _draw_curve(surface: pygame.Surface, plot: pygame.Rect, relief: Relief, unit: float) -> None:
    """The losses over one number."""
    landscape = relief.landscape
    surface.fill(colour("canvas"), plot)
    for share in (0.25, 0.5, 0.75):
        y = plot.bottom - share * plot.height
        surface.fill(colour("line"), (plot.left, round(y), plot.width, 1))
    points = _on_curve(plot, relief, np.linspace(0, 1, len(landscape.losses)), landscape.losses)
    polyline(surface, points, 2 * unit, "curve")
    edges = ((relief.low, plot.bottom, "bottomright"), (relief.high, plot.top, "topright"))
    for level, y, align in edges:
        place = (plot.left - 8 * unit, y)
        words(surface, _short(landscape.loss(level)), place, 10 * unit, "faint", "bold", align)


def _on_curve(plot: pygame.Rect, relief: Relief, shares: Any, losses: Any) -> Floats:
    """Pixels (n, 2) of losses at shares of the way along the one axis."""
    levels = np.asarray(relief.landscape.level(losses), float)
    height = (levels - relief.low) / (relief.high - relief.low)
    x = plot.left + np.asarray(shares) * plot.width
    return np.stack([x, plot.bottom - (0.04 + 0.92 * height) * plot.height], axis=1)


def _draw_axes(
    surface: pygame.Surface, plot: pygame.Rect, problem: Problem, landscape: Landscape, unit: float
) -> None:
    """What the axes are called and from where to where they go."""
    size = 10 * unit
    across = landscape.axes[0]
    for share, align in ((0.0, "topleft"), (0.5, "midtop"), (1.0, "topright")):
        place = (plot.left + share * plot.width, plot.bottom + 7 * unit)
        words(surface, _short(across.at(share)), place, size, "faint", "bold", align)
    below = (plot.centerx, plot.bottom + 24 * unit)
    words(surface, title(problem, across.component), below, 12 * unit, "dim", "bold", "midtop")
    if len(landscape.axes) < 2:
        words_upright(surface, "loss", (plot.left - 44 * unit, plot.centery), 12 * unit)
        return
    up = landscape.axes[1]
    for share, align in ((0.0, "bottomright"), (0.5, "midright"), (1.0, "topright")):
        place = (plot.left - 7 * unit, plot.bottom - share * plot.height)
        words(surface, _short(up.at(share)), place, size, "faint", "bold", align)
    beside = (plot.left - 48 * unit, plot.centery)
    words_upright(surface, title(problem, up.component), beside, 12 * unit)


def _short(value: Any) -> str:
    """A number for an axis, in three digits."""
    return f"{float(value):.3g}".replace("-", "\N{MINUS SIGN}")


def words_upright(
    surface: pygame.Surface, text: str, centre: tuple[float, float], size: float
) -> None:
    """Write words from below to above."""
    paper = pygame.Surface((round(40 * size), round(3 * size)), pygame.SRCALPHA, 32)
    box = words(paper, text, (0, size / 2), size, "dim", "bold")
    turned = pygame.transform.rotate(paper.subsurface(box.clip(paper.get_rect())), 90)
    surface.blit(turned, turned.get_rect(center=(round(centre[0]), round(centre[1]))))


def _draw_scale(surface: pygame.Surface, bar: pygame.Rect, relief: Relief, unit: float) -> None:
    """Which colour is which loss."""
    ramp = coloured(np.linspace(0, 1, bar.width), COLOURS, 0, 1)
    image = pygame.surfarray.make_surface(np.repeat(ramp[:, None], bar.height, axis=1))
    surface.blit(image, bar)
    for share, align in ((0.0, "topleft"), (0.5, "midtop"), (1.0, "topright")):
        loss = _short(relief.landscape.loss(relief.low + share * (relief.high - relief.low)))
        text = f"loss {loss}" if share == 0 else loss
        place = (bar.left + share * bar.width, bar.bottom + 5 * unit)
        words(surface, text, place, 10 * unit, "faint", "bold", align)


# ---- The descent ----


def way_through(plot: pygame.Rect, relief: Relief, path: Sequence[Mapping[str, Any]]) -> Floats:
    """The pixels (n, 2) of some controls."""
    landscape = relief.landscape
    shares = [np.array([a.share(a.component.of(v)) for v in path]) for a in landscape.axes]
    if len(shares) == 1:
        known = np.linspace(0, 1, len(landscape.losses))
        return _on_curve(plot, relief, shares[0], np.interp(shares[0], known, landscape.losses))
    x, y = plot.left + shares[0] * plot.width, plot.bottom - shares[1] * plot.height
    return np.stack([x, y], axis=1)


def draw_way(surface: pygame.Surface, plot: pygame.Rect, points: Floats, unit: float) -> None:
    """Draw a way, a ring where it began and a dot where it is now."""
    before = surface.get_clip()
    surface.set_clip(plot.clip(before))
    line = _thinned(points, unit)
    for width, shade, alpha in ((4.5, "shade", 0.55), (2.0, "accent", 1.0)):
        polyline(surface, line, width * unit, shade, alpha)
    for width, shade in ((4.0, "shade"), (1.8, "accent")):
        ring(surface, points[0], 5 * unit, width * unit, shade, 0.9)
    last = points[-1:]
    for width, shade in ((15, "shade"), (12, "ivory"), (8, "accent")):
        stroke(surface, last, last, width * unit, shade)
    surface.set_clip(before)


def _thinned(points: Floats, least: float) -> Floats:
    """A way (n, 2) by points that are so far apart at least, but for the last: near its end a descent hardly
    moves."""
    kept = [0]
    for k in range(1, len(points) - 1):
        if np.abs(points[k] - points[kept[-1]]).max() >= least:
            kept.append(k)
    return np.asarray(points[[*kept, len(points) - 1]])
