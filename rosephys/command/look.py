"""Whether the picture of a scene can be drawn, shows something, and holds what moves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .finding import Finding, Run

SIZE = (720, 460)  # of the picture, in pixels
FRAMES = 9  # of the motion that are looked at


def pictures(run: Run) -> Iterator[Finding]:
    """Whether the picture can be drawn, shows something, and holds what moves."""
    problem = run.problem
    if not problem.scene.pictured:
        yield Finding("picture", "note", "the scene has none")
        return
    times = np.unique(np.linspace(0, problem.steps, FRAMES).astype(int)).tolist()
    try:
        shown = [problem.picture(run.trajectory, t, run.values) for t in times]
        drawn = [_drawn_pixels(shown[k]) for k in (0, len(shown) // 2, -1)]
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        yield Finding(
            "picture", "FAILED", what, "rosephys/scene/picture.py says what each shape takes"
        )
        return
    if min(drawn) == 0:
        which = ("the first", "the middle", "the last")[drawn.index(0)]
        advice = "compare the view of the picture with the positions of its shapes; look for NaN"
        yield Finding("picture", "FAILED", f"{which} picture is blank", advice)
        return
    yield Finding("picture", "ok", f"{min(drawn)} to {max(drawn)} pixels drawn")
    yield _in_view(shown, times)


def _drawn_pixels(picture: Any) -> int:
    """How many pixels differ from an empty picture's."""
    from ..drawing.paint import backdrop, paint_shapes
    from ..sdl import pygame

    surface = pygame.Surface(SIZE, 0, 32)
    at = backdrop(surface, picture, surface.get_rect(), 0.62)
    empty = pygame.surfarray.array3d(surface)
    paint_shapes(surface, picture, at)
    return int((pygame.surfarray.array3d(surface) != empty).any(axis=2).sum())


def _in_view(shown: list[Any], times: list[int]) -> Finding:
    """Whether what moves stays in the view; what stands still, such as the ground, may reach beyond."""
    first = _points(shown[0])
    moving = np.zeros(len(first), bool)
    for picture in shown[1:]:
        moving |= np.abs(_points(picture) - first).max(axis=1) > 1e-9
    x0, y0, x1, y1 = shown[0].view
    for t, picture in zip(times, shown, strict=True):
        at = _points(picture)[moving]
        beyond = ((at < (x0, y0)) | (at > (x1, y1))).any(axis=1)  # NaN hides a shape
        if beyond.any():
            where = ", ".join(f"{c:.3g}" for c in at[np.argmax(beyond)])
            return Finding(
                "in view",
                "note",
                f"{beyond.sum()} of {len(at)} moving points are outside at step {t}: ({where})",
                "widen the picture's view, if that is not meant",
            )
    return Finding("in view", "ok", f"{int(moving.sum())} moving points")


def _points(picture: Any) -> np.ndarray[Any, Any]:
    """The positions (n, 2) of all shapes of a picture."""
    names = ("centres", "starts", "ends", "points", "position", "start")
    found = [getattr(s, name) for s in picture.shapes for name in names if hasattr(s, name)]
    return np.concatenate([np.zeros((0, 2)), *(np.asarray(p, float).reshape(-1, 2) for p in found)])
