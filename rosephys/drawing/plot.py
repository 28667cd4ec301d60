"""Curves on axes: plots one below the other, as a picture of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rosephys.drawing.landscape_chart import words_upright
from rosephys.drawing.numerals import short
from rosephys.drawing.palette import Floats, colour
from rosephys.drawing.stroke import polyline, stroke
from rosephys.drawing.words import words
from rosephys.sdl import pygame
from rosephys.solve.curves import LOSS, Curves

SHADES = ("curve", "accent", "good", "second", "bad", "third", "dim", "text")
WIDE, HIGH, EDGE = 900, 340, 30  # pixels of a plot, and between plots
LEFT, BOTTOM = 96, 62  # pixels beside and below its axes
TICKS = 6  # at most, along an axis


def plot_picture(name: str, plots: Sequence[Curves]) -> pygame.Surface:
    """The plots of a scene, each with its axes, its title and a word for each curve."""
    surface = pygame.Surface((WIDE, EDGE + HIGH * len(plots)), 0, 32)
    surface.fill(colour("canvas"))
    words(surface, name, (LEFT, 12), 19, "text", face="bold")
    for k, plot in enumerate(plots):
        top = EDGE + HIGH * k + 14
        area = pygame.Rect(LEFT, top + 18, WIDE - LEFT - EDGE, HIGH - 32 - BOTTOM)
        _draw(surface, area, plot)
    return surface


def _draw(surface: pygame.Surface, area: pygame.Rect, plot: Curves) -> None:
    logarithmic = plot.title == LOSS and bool((plot.ys > 0).all()) and np.ptp(np.log10(plot.ys)) > 2
    ys = np.log10(plot.ys) if logarithmic else plot.ys
    low, high = _span(ys)
    first, last = _span(plot.xs)
    for at in ticks(low, high, least=1.0 if logarithmic else 0.0):
        y = area.bottom - (at - low) / (high - low) * area.height
        surface.fill(colour("line"), (area.left, round(y), area.width, 1))
        text = short(float(f"{10**at if logarithmic else at:.3g}"))
        words(surface, text, (area.left - 9, y), 13, "dim", "bold", "midright")
    for at in ticks(first, last):
        x = area.left + (at - first) / (last - first) * area.width
        text = short(float(f"{at:.3g}"))
        words(surface, text, (x, area.bottom + 8), 13, "dim", "bold", "midtop")
    words(surface, plot.over, (area.centerx, area.bottom + 30), 14, "dim", "bold", "midtop")
    words_upright(surface, plot.title, (area.left - 76, area.centery), 14)
    for k, (row, label) in enumerate(zip(ys.T, plot.labels, strict=True)):
        shade = SHADES[k % len(SHADES)]
        across = area.left + (plot.xs - first) / (last - first) * area.width
        up = area.bottom - (row - low) / (high - low) * area.height
        points = np.stack([across, up], axis=1)
        polyline(surface, points[np.isfinite(points).all(axis=1)], 2.2, shade)
        if len(plot.labels) > 1:
            x, y = area.left + 12.0 + 110 * k, area.top - 8.0
            stroke(surface, np.array([[x, y]]), np.array([[x + 14.0, y]]), 3.0, shade)
            words(surface, label, (x + 20, y), 13, "text", "bold", "midleft")


def ticks(low: float, high: float, least: float = 0.0) -> Floats:
    """Round numbers from `low` to `high`, TICKS at most, `least` apart or more."""
    power = 10.0 ** math.floor(math.log10((high - low) / TICKS))
    step = next(m * power for m in (1, 2, 5, 10, 20) if (high - low) / (m * power) <= TICKS - 1)
    step = max(step, least)
    return np.asarray(step * np.arange(math.ceil(low / step), math.floor(high / step) + 1))


def _span(values: Floats) -> tuple[float, float]:
    """From the least to the greatest finite number, apart from each other."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    least = 1e-9 * max(abs(low), abs(high), 1e-9)
    return (low, high) if high - low > least else (low - 0.5, high + 0.5)
