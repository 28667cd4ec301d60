"""What three kinds of contact make of one bounce, and of its derivative.

    python docs/examples/choosing.py docs/choosing.png

A ball is let go at the height h over a floor, e = 0.8; its height after a second is drawn over h. Short lines
are the gradients.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from contact_gradients import Case, G, above_ground, bounced, height, rule_step

import rose_ad as ra
from rosephys import Lines, Picture, Polyline, Text

TIME = 1.0
FALLS, MARKS = np.linspace(1.6, 2.4, 401), np.linspace(1.65, 2.35, 8)
CASE = Case(
    "a ball is let go",
    2.0,
    TIME,
    lambda h: above_ground(h, 0.0, G, 0.8),
    height,
    lambda h: bounced(h, 0.0, G, 0.8, TIME),
    True,
)
KINDS = {
    "naive": ("turned round at the end of a step", 0.01),
    "compliant": ("pushed back by a spring", 0.0005),
    "toi-velocity": ("at the instant of impact", 0.01),
}  # what it does, and its time step
WIDE, HIGH, GAP, SLOPE = 1.0, 0.8, 0.12, 0.05


def after(rule: str, falls: Any) -> tuple[Any, Any]:
    """The heights at the end and their derivatives, each of shape (n,), of falls (n,)."""
    step, dt = rule_step(rule), KINDS[rule][1]

    @ra.fn
    def end(h: ra.Real) -> Any:
        x, v, a, e = CASE.start(h)
        steps = round(TIME / dt)
        return CASE.end(ra.fori_loop(0, steps, lambda _, s: step(*s, a, e, dt), (x, v))[0])

    return ra.vmap(ra.value_and_grad(end))(falls)  # type: ignore[no-any-return]


def panel(left: float, rule: str) -> list[Any]:
    """A rule's heights over h with gradients, and the closed form."""

    def at(h: Any, y: Any) -> Any:
        x = left + WIDE * (np.asarray(h) - FALLS[0]) / (FALLS[-1] - FALLS[0])
        return np.stack([x, HIGH * (np.asarray(y) - 0.7) / 0.8], axis=-1)

    heights, slopes = after(rule, MARKS)
    ends = [at(MARKS + s * SLOPE, heights + s * SLOPE * slopes) for s in (-1, 1)]
    shapes: list[Any] = [
        Text((left + WIDE / 2, HIGH + 0.07), KINDS[rule][0], "text", 17.0),
        Text((left + WIDE / 2, HIGH + 0.02), f"{rule}, {1000 * KINDS[rule][1]:g} ms", "dim", 14.0),
        Lines(at(FALLS[:1], [0.7]), at(FALLS[-1:], [0.7]), "faint", 1.5),
        Polyline(at(FALLS, [CASE.exact(h) for h in FALLS]), "dim", 2.0, dashed=True),
        Polyline(at(FALLS, after(rule, FALLS)[0]), "accent", 2.5),
        Lines(*ends, "good", 4.0),
    ]
    for h in (1.6, 2.0, 2.4):
        shapes.append(Text(at(h, 0.7) - (0.0, 0.04), f"{h:g} m", "dim", 14.0))
    return shapes


def main(path: str) -> None:
    from rosephys.drawing.paint import backdrop, paint_shapes
    from rosephys.sdl import pygame

    shapes = [s for k, rule in enumerate(KINDS) for s in panel(k * (WIDE + GAP), rule)]
    picture = Picture(tuple(shapes), (-0.06, -0.1, 3 * WIDE + 2 * GAP + 0.06, HIGH + 0.12))
    surface = pygame.Surface((1320, 430), 0, 32)
    paint_shapes(surface, picture, backdrop(surface, picture, surface.get_rect(), 1.2))
    pygame.image.save(surface, str(Path(path)))


if __name__ == "__main__":
    main(*sys.argv[1:] or ["docs/choosing.png"])
