"""When something hits something: the moments at which a motion's velocity jumps, and marks for them.

Nothing is asked of the scene. Between impacts the second difference of every number of the state changes
slowly; at an impact it is an outlier among those shortly before and after (Hampel, "The influence curve and its
role in robust estimation", JASA 1974).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import rose_ad as ra
from rosephys.drawing.palette import pygame
from rosephys.drawing.stroke import stroke
from rosephys.picture import Track
from rosephys.window.timeline import span

MOST = 1024  # numbers of a state; of a larger one only the tracks are looked at
ABOUT = 8  # steps on either side that are compared with
EDGE = 3  # steps at either end that are not judged
UNUSUAL = 12.0  # times their spread is an outlier
FAINT = 0.02  # of the largest change of its like in a step: a smaller jump is none
ROUNDING = 1e-6  # of the largest change of all: what changes by less is taken for constant
BATCH = 64  # numbers that are looked at together


def impacts(trajectory: Any, tracks: list[Track]) -> NDArray[np.intp]:
    """The steps at which something hits something, in order; of those that follow each other the first."""
    leaves = [np.asarray(leaf, float) for leaf in ra.flatten(trajectory)[0]]
    series = [leaf.reshape(len(leaf), -1) for leaf in leaves if leaf.ndim]
    if sum(s.shape[1] for s in series) > MOST:
        series = [np.asarray(track.point, float).reshape(-1, 2) for track in tracks]
    if not series or len(series[0]) < 4 * ABOUT:
        return np.zeros(0, np.intp)
    hit = np.zeros(len(series[0]), bool)
    largest = [float(np.max(np.abs(np.diff(s, axis=0)), initial=0.0)) for s in series]
    for numbers, change in zip(series, largest, strict=True):
        least = max(FAINT * change, ROUNDING * max(largest))
        for start in range(0, numbers.shape[1], BATCH):
            hit[1:-1] |= _outliers(numbers[:, start : start + BATCH], least).any(axis=1)
    steps = np.flatnonzero(hit)
    # at the ends there is nothing to compare with, and the first state may hold what no step has made
    steps = steps[(steps >= EDGE) & (steps < len(hit) - EDGE)]
    return steps[np.diff(steps, prepend=-ABOUT) > 2]


def _outliers(numbers: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Which second differences (steps - 1, n) of numbers (steps + 1, n) are unlike those about them, by
    `least` or more."""
    bend = np.diff(numbers, 2, axis=0)
    padded = np.pad(bend, ((ABOUT, ABOUT), (0, 0)), mode="reflect")
    about = np.lib.stride_tricks.sliding_window_view(padded, 2 * ABOUT + 1, axis=0)
    usual = np.median(about, axis=2)
    spread = np.median(np.abs(about - usual[:, :, None]), axis=2)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(bend - usual) > np.maximum(UNUSUAL * spread, least))


def draw_impacts(
    surface: pygame.Surface, canvas: pygame.Rect, shares: NDArray[np.float64], unit: float
) -> None:
    """A small mark above the time line at each of these shares of the motion."""
    left, right, y = span(canvas, unit)
    x = np.unique(np.rint(left + (right - left) * shares))
    starts = np.stack([x, np.full(len(x), y - 8 * unit)], axis=1)
    ends = starts + np.array([0, 4 * unit])
    stroke(surface, starts, ends, 1.6 * unit, "accent", 0.9)
