"""The panel beside the scene: what is solved, how the loss falls, which keys there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np

from rosephys.palette import colour, pygame, rgb, text_width, words
from rosephys.session import Phase, Session
from rosephys.stroke import polyline, stroke

CONTROL_SHADES = ("first", "second", "third")  # of each control's swatch and gradient arrow
KEYS = (("Space", "pause and go on"), ("R", "solve again"), ("H", "all keys"), ("Esc", "leave"))
PHASE_SHADES = {
    Phase.COMPILING: "dim",
    Phase.SOLVING: "accent",
    Phase.PLAYING: "good",
    Phase.FAILED: "bad",
}


def number(value: float) -> str:
    """A number in four digits, the way a person would write it; a true minus sign."""
    if not math.isfinite(value):
        return str(value)
    plain = 1e-3 <= abs(value) < 1e4
    text = f"{value:.4f}"[:7] if plain else f"{value:.2e}" if value else "0"
    return text.rstrip(".").replace("-", "\N{MINUS SIGN}")


def vector(values: Sequence[float] | np.ndarray) -> str:
    """Numbers separated by commas; of a long vector, how many there are and its length."""
    flat = np.ravel(values)
    if len(flat) > 3:
        return f"{len(flat)} numbers, norm {number(float(np.linalg.norm(flat)))}"
    return ", ".join(number(float(v)) for v in flat)


def wrapped(text: str, size: float, width: float, face: str = "plain") -> list[str]:
    """`text` in lines of at most about `width` pixels; its own breaks and indents are kept."""
    letter = text_width("abcdefghijklmnopqrstuvwxyz", size, face) / 26
    columns = max(int(width / letter), 8)
    parts = (wrap(line, columns, replace_whitespace=False) for line in text.splitlines())
    return [line for lines in parts for line in lines or [""]]


class Panel:
    """The panel as it was last drawn; while it changes, it is drawn anew 20 times a second."""

    def __init__(self) -> None:
        self._image = pygame.Surface((0, 0))
        self._shown: tuple[object, ...] = ()
        self._age = 0.0

    def draw(
        self,
        surface: pygame.Surface,
        area: pygame.Rect,
        session: Session,
        unit: float,
        elapsed: float,
    ) -> None:
        """Draw the panel into `area`, `elapsed` seconds after the frame before."""
        self._age += elapsed
        state = (session.phase, session.paused, session.message, area.size, unit)
        now = (*state, session.iteration, len(session.losses))
        # Nobody reads numbers that change 60 times a second, but a key is answered at once.
        if now != self._shown and (self._age > 0.05 or self._shown[: len(state)] != state):
            self._image = pygame.Surface(area.size, 0, 32)
            draw_panel(self._image, session, unit)
            self._shown, self._age = now, 0.0
        surface.blit(self._image, area)


def draw_panel(surface: pygame.Surface, session: Session, unit: float) -> None:
    """Fill the surface with the panel of a session."""
    area = surface.get_rect()
    surface.fill(colour("panel"))
    surface.fill(colour("line"), (0, 0, max(round(unit), 1), area.height))
    inner = area.inflate(-44 * unit, -44 * unit)
    y = _title(surface, inner, session, unit)
    y = _loss(surface, inner, y + 22 * unit, session, unit)
    keys_top = _keys(surface, inner, session, unit)
    room = keys_top - 26 * unit - y
    chart = pygame.Rect(inner.left, y + 16 * unit, inner.width, min(150 * unit, room))
    if chart.height >= 60 * unit:
        draw_curve(surface, chart, session, unit)
        y = chart.bottom
    _controls(surface, inner, y + 24 * unit, keys_top - 12 * unit, session, unit)


def _title(surface: pygame.Surface, inner: pygame.Rect, session: Session, unit: float) -> float:
    scene = session.problem.scene
    box = words(surface, scene.name.capitalize(), inner.topleft, 25 * unit, face="bold")
    y = box.bottom + 6 * unit
    summary = (type(scene).__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    for line in wrapped(" ".join(summary.split()), 13 * unit, inner.width)[:3]:
        y = words(surface, line, (inner.left, y), 13 * unit, "dim").bottom + unit
    y += 14 * unit
    paused = session.paused and session.phase is not Phase.FAILED
    shade = "dim" if paused else PHASE_SHADES[session.phase]
    state = "paused" if paused else session.phase.value
    dot = (inner.left + 4.5 * unit, y + 7 * unit)
    stroke(surface, [dot], [dot], 9 * unit, shade)
    words(surface, state.upper(), (inner.left + 17 * unit, y), 13 * unit, shade, face="bold")
    if session.phase is Phase.SOLVING:
        count = f"{session.iteration} / {session.iterations}"
        words(surface, count, (inner.right, y), 13 * unit, "dim", face="bold", align="topright")
    return y + 16 * unit


def _loss(
    surface: pygame.Surface, inner: pygame.Rect, y: float, session: Session, unit: float
) -> float:
    words(surface, "LOSS", (inner.left, y), 11 * unit, "faint", face="bold")
    text = number(session.losses[-1]) if session.losses else "…"
    return words(surface, text, (inner.left, y + 16 * unit), 34 * unit, face="bold").bottom


def draw_curve(surface: pygame.Surface, area: pygame.Rect, session: Session, unit: float) -> None:
    """Draw the losses so far against iterations: on a logarithmic scale, or a plain one if any is negative."""
    losses = np.array(session.losses, float)
    losses = losses[np.isfinite(losses)]
    logarithmic = not (losses < 0).any()
    levels, ticks = (_decades if logarithmic else _round_numbers)(losses)
    low, high = ticks[0], ticks[-1]
    plot = pygame.Rect(area)
    plot.left += round(34 * unit)
    plot.width -= round(34 * unit)

    def height(level: Any) -> Any:
        return plot.bottom - (level - low) / (high - low) * plot.height

    for tick in ticks:
        y = height(tick)
        surface.fill(colour("line"), (plot.left, round(y), plot.width, 1))
        place = (plot.left - 8 * unit, y)
        text = f"1e{tick:.0f}" if logarithmic else f"{tick:.4g}".replace("-", "\N{MINUS SIGN}")
        words(surface, text, place, 10 * unit, "faint", face="bold", align="midright")
    if len(losses) < 2:
        return
    span = max(session.iterations, len(losses) - 1)
    shown = np.unique(np.linspace(0, len(losses) - 1, min(len(losses), plot.width)).astype(int))
    x = plot.left + shown / span * plot.width
    points = np.stack([x, height(levels[shown])], axis=1)
    below = [*points.tolist(), (x[-1], plot.bottom), (x[0], plot.bottom)]
    tint = rgb("panel") + 0.13 * (rgb("curve") - rgb("panel"))
    pygame.draw.polygon(surface, tint.astype(int).tolist(), below)
    polyline(surface, points, 2 * unit, "curve")
    stroke(surface, points[-1:], points[-1:], 7 * unit, "curve")


def _decades(losses: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """The logarithms of the losses, and those of the decades to mark, from below them to above."""
    levels = np.log10(np.maximum(losses, 1e-16))
    low, high = (levels.min(), levels.max()) if len(levels) else (-1.0, 0.0)
    first, last = math.floor(low - 1e-9), math.ceil(high + 1e-9)
    ticks = list(range(first, last, max(1, math.ceil((last - first) / 6))))
    return levels, [*ticks, last]


def _round_numbers(losses: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """The losses, and the round numbers to mark, from below them to above."""
    low, high = float(losses.min()), float(losses.max())
    rough = max(high - low, 1e-3 * abs(low)) / 4
    decade = 10.0 ** math.floor(math.log10(rough))
    step = decade * next(m for m in (1, 2, 5, 10) if m * decade >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return losses, [k * step for k in range(first, max(last, first + 1) + 1)]


def _controls(
    surface: pygame.Surface,
    inner: pygame.Rect,
    y: float,
    bottom: float,
    session: Session,
    unit: float,
) -> None:
    """Each control with its value and, in the colour of its arrow, where it is pushed."""
    for name, shade in zip(session.problem.controls, _shades(session), strict=True):
        if y + 52 * unit > bottom:
            return
        unit_name = session.problem.scene.fields[name].unit
        title = name.replace("_", " ") + (f"  [{unit_name}]" if unit_name else "")
        words(surface, title.upper(), (inner.left, y), 11 * unit, "faint", face="bold")
        value = vector(session.values[name])
        words(surface, value, (inner.left, y + 17 * unit), 15 * unit, face="bold")
        if name in session.gradient:
            push = vector(-session.gradient[name])
            place = (inner.left, y + 37 * unit)
            words(surface, f"\N{MINUS SIGN}gradient  {push}", place, 12 * unit, shade)
        y += 66 * unit


def _shades(session: Session) -> list[str]:
    count = len(session.problem.controls)
    return [CONTROL_SHADES[i % len(CONTROL_SHADES)] for i in range(count)]


def _keys(surface: pygame.Surface, inner: pygame.Rect, session: Session, unit: float) -> float:
    """List the keys along the bottom; the result is where the list begins."""
    handles = " or ".join(name.replace("_", " ") for name in session.handles)
    keys = (*KEYS[:2], ("Drag", f"move {handles}"), *KEYS[2:]) if handles else KEYS
    row = 25 * unit
    top = inner.bottom - row * len(keys)
    for i, (key, meaning) in enumerate(keys):
        middle = top + row * (i + 0.5)
        key_cap(surface, key, (inner.left, middle), unit)
        place = (inner.left + 62 * unit, middle)
        words(surface, meaning, place, 12.5 * unit, "dim", align="midleft")
    return top


def key_cap(surface: pygame.Surface, key: str, place: tuple[float, float], unit: float) -> None:
    """Draw the cap of a key, from the middle of its left edge."""
    width = text_width(key, 11 * unit, "bold") + 14 * unit
    cap = pygame.Rect(0, 0, round(width), round(18 * unit))
    cap.midleft = (round(place[0]), round(place[1]))
    pygame.draw.rect(surface, colour("line"), cap, border_radius=round(4 * unit))
    words(surface, key, cap.center, 11 * unit, "text", face="bold", align="center")
