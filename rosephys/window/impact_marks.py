"""When something hits something: the moments at which a motion's velocity jumps, and marks for them.

Nothing is asked of the scene: a velocity is what in its state is the rate of change of something else there.
From step to step it changes slowly, and where a force is switched it begins to change in another way; at an
impact the change is an outlier among those shortly before and after (Hampel, "The influence curve and its
role in robust estimation", JASA 1974). So is, of the places along a track, the second difference.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import rose_ad as ra
from rosephys.drawing.stroke import stroke
from rosephys.scene.picture import Track
from rosephys.sdl import pygame
from rosephys.window.timeline import span

MOST = 1024  # numbers of a state; of a larger one only the tracks are looked at
ABOUT = 8  # steps on either side that are compared with
EDGE = 3  # steps at either end that are not judged
UNUSUAL = 12.0  # times their spread is an outlier
FAINT = 0.02  # of the largest change of its like in a step: a smaller jump is none
UNLIKE = 0.2  # of what a velocity leads to, another change of place that it may go with
ROUNDING = 1e-6  # of the largest change of all: what changes by less is taken for constant
BATCH = 64  # numbers that are looked at together


def impacts(trajectory: Any, tracks: list[Track]) -> NDArray[np.intp]:
    """The steps at which something hits something, in order; of those that follow each other the first."""
    leaves = [np.asarray(leaf, float) for leaf in ra.flatten(trajectory)[0]]
    if not leaves or len(leaves[0]) < 4 * ABOUT:
        return np.zeros(0, np.intp)
    numbers = [leaf.reshape(len(leaf), -1) for leaf in leaves]
    velocities = _velocities(numbers) if sum(s.shape[1] for s in numbers) <= MOST else []
    places = [np.asarray(track.point, float).reshape(-1, 2) for track in tracks]
    hit = np.zeros(len(leaves[0]), bool)
    for order, numbers in ((1, velocities), (2, places)):
        largest = [float(np.max(np.abs(np.diff(s, axis=0)), initial=0.0)) for s in numbers]
        for s, change in zip(numbers, largest, strict=True):
            least = max(FAINT * change, ROUNDING * max(largest))
            for start in range(0, s.shape[1], BATCH):
                differences = np.diff(s[:, start : start + BATCH], order, axis=0)
                hit[1 : 1 + len(differences)] |= _outliers(differences, least).any(axis=1)
    steps = np.flatnonzero(hit)
    # at the ends there is nothing to compare with, and the first state may hold what no step has made
    steps = steps[(steps >= EDGE) & (steps < len(hit) - EDGE)]
    return steps[np.diff(steps, prepend=-ABOUT) > 2]


def _velocities(numbers: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Those of the numbers (steps + 1, n) that are the rates of change of others."""
    return [v for v in numbers if any(p.shape == v.shape and _is_rate(v, p) for p in numbers)]


def _is_rate(v: NDArray[np.float64], p: NDArray[np.float64]) -> bool:
    """Whether p goes on by a multiple of v, as it is before or after the step, nearly always."""
    change = np.diff(p, axis=0)
    for given in (v[1:], v[:-1]):
        dt = np.vdot(change, given) / max(np.vdot(given, given), 1e-300)
        if np.abs(change - dt * given).sum() < UNLIKE * np.abs(change).sum():
            return True
    return False


def _outliers(numbers: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Which numbers (steps, n) are unlike those about them, by `least` or more."""
    padded = np.pad(numbers, ((ABOUT, ABOUT), (0, 0)), mode="reflect")
    about = np.lib.stride_tricks.sliding_window_view(padded, 2 * ABOUT + 1, axis=0)
    usual = np.median(about, axis=2)
    spread = np.median(np.abs(about - usual[:, :, None]), axis=2)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(numbers - usual) > np.maximum(UNUSUAL * spread, least))


def draw_impacts(
    surface: pygame.Surface, canvas: pygame.Rect, shares: NDArray[np.float64], unit: float
) -> None:
    """A small mark above the time line at each of these shares of the motion."""
    left, right, y = span(canvas, unit)
    x = np.unique(np.rint(left + (right - left) * shares))
    starts = np.stack([x, np.full(len(x), y - 8 * unit)], axis=1)
    ends = starts + np.array([0, 4 * unit])
    stroke(surface, starts, ends, 1.6 * unit, "accent", 0.9)
