"""The column beside the scene that holds the landscape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rosephys.drawing.landscape_chart import Chart
from rosephys.drawing.palette import colour
from rosephys.drawing.relief import Relief
from rosephys.drawing.words import key_cap, words, wrapped
from rosephys.sdl import pygame
from rosephys.window.inquiry import Failure

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem

KEYS = (
    ("Click", "solve from there"),
    ("Wheel", "look from farther or nearer"),
    ("P", "other controls"),
    ("L", "close"),
)


def draw_column(
    surface: pygame.Surface,
    area: pygame.Rect,
    chart: Chart,
    problem: Problem,
    found: Relief | Failure | None,
    path: Sequence[Mapping[str, Any]],
    finding: bool,
    unit: float,
) -> None:
    """Draw the landscape, how far it has come and what a hand may do; or why there is none."""
    surface.fill(colour("panel"), area)
    left, y = area.left + 22 * unit, area.top + 22 * unit
    words(surface, "LOSS LANDSCAPE", (left, y), 11 * unit, "faint", face="bold")
    top = area.top + round(44 * unit)
    keys = 25 * unit * len(KEYS) + 30 * unit
    body = pygame.Rect(area.left, top, area.width, area.bottom - top - keys)
    if isinstance(found, Relief):
        grid = " × ".join(map(str, found.landscape.losses.shape))
        told = f"{grid} losses" + (" …" if finding else "")
        place = (area.right - 20 * unit, y)
        words(surface, told, place, 11 * unit, "faint", face="bold", align="topright")
        chart.draw(surface, body, problem, found, path, unit)
    else:
        text = found.words if found else "Compiling the losses …"
        for k, line in enumerate(wrapped(text, 12 * unit, area.width - 44 * unit)[:16]):
            words(surface, line, (left, top + k * 18 * unit), 12 * unit, "dim")
    first = area.bottom - keys + 8 * unit
    for k, (key, meaning) in enumerate(KEYS):
        middle = first + 25 * unit * (k + 0.5)
        key_cap(surface, key, (left, middle), unit)
        place = (left + 62 * unit, middle)
        words(surface, meaning, place, 12.5 * unit, "dim", align="midleft")
    surface.fill(colour("line"), (area.left, area.top, max(round(unit), 1), area.height))
