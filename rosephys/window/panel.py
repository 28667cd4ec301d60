"""The panel beside the scene: what is solved, how the loss falls, which keys there are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rosephys.drawing.numerals import number
from rosephys.drawing.palette import colour, rgb, theme
from rosephys.drawing.stroke import polyline, stroke
from rosephys.drawing.words import key_cap, text_width, words, wrapped
from rosephys.sdl import pygame
from rosephys.window.choice import HEIGHT, draw_choice, segments
from rosephys.window.ending import OUTCOME_SHADES, draw_outcome
from rosephys.window.fieldlist import BESIDE, INSET, FieldList
from rosephys.window.session import Phase, Session

INDENT, KEY_SIZE = 52, 12.5  # what a key does: how far in, and how large, for 1 pixel a unit
KEYS = (("Space", "pause"), ("R", "solve again"), ("H", "all keys"), ("Esc", "leave"))
MARGIN = 22  # design pixels about what the panel shows
SHORTEST = 30  # design pixels; with less room there is no list of fields
PHASE_SHADES = {
    Phase.COMPILING: "dim",
    Phase.SOLVING: "accent",
    Phase.PLAYING: "good",
    Phase.FAILED: "bad",
}


@dataclass(frozen=True)
class Layout:
    """Where things are in the panel, in its own pixels; what there is no room for has none."""

    optimizers: pygame.Rect
    fields: pygame.Rect
    keys: pygame.Rect
    help: pygame.Rect


NOWHERE = Layout(*(pygame.Rect(0, 0, 0, 0) for _ in range(4)))


class Panel:
    """The panel as it was last drawn; while it changes, it is drawn anew 20 times a second."""

    def __init__(self) -> None:
        self.fields = FieldList()
        self._image = pygame.Surface((0, 0))
        self._area = pygame.Rect(0, 0, 0, 0)
        self._layout = NOWHERE
        self._unit = 1.0
        self._at = (0, 0)  # where the hand is
        self._shown: tuple[object, ...] = ()
        self._age = 0.0
        self._names: tuple[str, ...] = ()  # of the optimisers

    # ---- What a hand does ----

    def press(self, pixel: tuple[int, int], session: Session) -> bool:
        """Take hold of what is at a pixel of the window, or choose it; whether that is the panel."""
        self._at = pixel
        if not self.fields.press(pixel, session):
            chosen = next((name for name, at in self.options if at.collidepoint(pixel)), None)
            if chosen:
                session.choose(chosen)
            elif self.help.collidepoint(pixel):
                session.take_help()
        return bool(self._area.collidepoint(pixel))

    def move(self, pixel: tuple[int, int], session: Session) -> bool:
        """Follow the hand; whether it holds or is over something of the panel."""
        self._at = pixel
        over = any(at.collidepoint(pixel) for at in (self.help, *(at for _, at in self.options)))
        return self.fields.move(pixel, session) or over

    def release(self, session: Session) -> None:
        """Let go of what the hand holds."""
        self.fields.release(session)

    def wheel(self, notches: float, session: Session) -> None:
        """Turn the wheel where the hand is."""
        fine = bool(pygame.key.get_mods() & pygame.KMOD_SHIFT)
        self.fields.wheel(self._at, notches, fine, session)

    def end_wheel(self, session: Session) -> None:
        """End what the wheel did: the hand does something else."""
        self.fields.end_wheel(session)

    def advance(self, session: Session, elapsed: float) -> None:
        """Go on by one frame."""
        self._age += elapsed
        self.fields.advance(session, elapsed)

    def drop(self) -> None:
        """Forget what is held: its session is gone."""
        self.fields.drop()

    @property
    def keys(self) -> pygame.Rect:
        """Where in the window the keys are listed."""
        return self._layout.keys.move(self._area.topleft)

    @property
    def help(self) -> pygame.Rect:
        """Where in the window the button is that may help after a solve has failed."""
        return self._layout.help.move(self._area.topleft)

    @property
    def options(self) -> list[tuple[str, pygame.Rect]]:
        """The optimisers, and where each is in the window."""
        area = self._layout.optimizers
        return segments(area.move(self._area.topleft), self._names, self._unit) if area else []

    # ---- Drawing ----

    def draw(
        self,
        surface: pygame.Surface,
        area: pygame.Rect,
        session: Session,
        unit: float,
    ) -> None:
        """Draw the panel into `area`; there is none in an area without any width."""
        look = (area.size, unit, theme(), session.optimizer, session.speed)
        stands = (session.phase, session.paused, session.message, session.outcome)
        state = (*look, *stands, session.aim is None, session.pulling, session.has_circles)
        now = (*state, session.iteration, len(session.losses))
        # Nobody reads numbers that change 60 times a second, but a key is answered at once.
        anew = now != self._shown and (self._age > 0.05 or self._shown[: len(state)] != state)
        if anew:
            self._image = pygame.Surface(area.size, 0, 32)
            self._layout, self._names = draw_panel(self._image, session, unit), session.optimizers
            self._shown, self._age = now, 0.0
        self._area, self._unit = pygame.Rect(area), unit
        fields = self._layout.fields
        image = self._image.subsurface(fields)
        self.fields.draw(image, fields.move(area.topleft), session, unit, anew)
        surface.blit(self._image, area)


def draw_panel(surface: pygame.Surface, session: Session, unit: float) -> Layout:
    """Fill the surface with the panel of a session, but for the list of fields, for which room is left."""
    area = surface.get_rect()
    if not area.width:
        return NOWHERE
    surface.fill(colour("panel"))
    surface.fill(colour("line"), (0, 0, max(round(unit), 1), area.height))
    inner = area.inflate(-2 * MARGIN * unit, -2 * MARGIN * unit)
    y = _title(surface, inner, session, unit)
    y = _loss(surface, inner, y + 20 * unit, session, unit)
    keys = _keys(surface, inner, session, unit)
    room = keys.top - 20 * unit - y
    chart = pygame.Rect(inner.left, y + 12 * unit, inner.width, min(112 * unit, room))
    if chart.height >= 60 * unit:
        draw_curve(surface, chart, session, unit)
        y = chart.bottom
    optimizers = pygame.Rect(0, 0, 0, 0)
    if y + (14 + HEIGHT + 14) * unit < keys.top:
        optimizers = pygame.Rect(inner.left, y + 14 * unit, inner.width, HEIGHT * unit)
        draw_choice(surface, optimizers, session.optimizers, session.optimizer, unit)
        y = optimizers.bottom
    y += 16 * unit
    below = pygame.Rect(inner.left, round(y), inner.width, round(keys.top - 14 * unit - y))
    end, help_button = draw_outcome(surface, below, session, unit)
    fields = pygame.Rect(inner.left - INSET * unit, y, 0, 0)
    room = end - fields.top - (10 * unit if end < below.bottom else 0)
    if room >= SHORTEST * unit:
        fields.width = min(round(inner.width + (INSET + BESIDE) * unit), area.right - fields.left)
        fields.height = round(room)
    return Layout(optimizers, fields, keys, help_button)


def _title(surface: pygame.Surface, inner: pygame.Rect, session: Session, unit: float) -> float:
    scene = session.problem.scene
    box = words(surface, scene.name.capitalize(), inner.topleft, 25 * unit, face="bold")
    y = box.bottom + 6 * unit
    summary = (type(scene).__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    for line in wrapped(" ".join(summary.split()), 13 * unit, inner.width)[:3]:
        y = words(surface, line, (inner.left, y), 13 * unit, "dim").bottom + unit
    y += 14 * unit
    paused = session.paused and session.phase is not Phase.FAILED and not session.pulling
    came_to = session.outcome
    shade = OUTCOME_SHADES[came_to.state] if came_to else PHASE_SHADES[session.phase]
    state = came_to.state if came_to else session.phase.value
    if paused:
        shade, state = "dim", "paused"
    dot = (inner.left + 4.5 * unit, y + 7 * unit)
    stroke(surface, [dot], [dot], 9 * unit, shade)
    words(surface, state.upper(), (inner.left + 17 * unit, y), 13 * unit, shade, face="bold")
    if session.phase is Phase.SOLVING:
        count = f"{session.iteration} / {session.asked}"
        words(surface, count, (inner.right, y), 13 * unit, "dim", face="bold", align="topright")
    elif session.speed != 1:
        speed = f"speed × {session.speed:g}"
        words(surface, speed, (inner.right, y), 13 * unit, "dim", face="bold", align="topright")
    return y + 16 * unit


def _loss(
    surface: pygame.Surface, inner: pygame.Rect, y: float, session: Session, unit: float
) -> float:
    title = "DISTANCE²" if session.aim else "LOSS"
    words(surface, title, (inner.left, y), 11 * unit, "faint", face="bold")
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
    span = max(session.asked, len(losses) - 1)
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


def _keys(
    surface: pygame.Surface, inner: pygame.Rect, session: Session, unit: float
) -> pygame.Rect:
    """List the keys along the bottom, two in a row; the result is where."""
    handles = _movable(session, inner.width - INDENT * unit, unit)
    row, column = 25 * unit, inner.width / 2
    rows = len(KEYS) // 2 + bool(handles)
    top = inner.bottom - row * rows
    for i, (key, meaning) in enumerate(KEYS):
        place = (inner.left + column * (i % 2), top + row * (i // 2 + 0.5))
        _key(surface, key, meaning, place, unit)
    if handles:
        place = (inner.left, inner.bottom - row / 2)
        _key(surface, "Drag", f"move {handles}", place, unit)
    return pygame.Rect(inner.left, round(top), inner.width, round(row * rows))


def _movable(session: Session, room: float, unit: float) -> str:
    """What a hand may drag, by name where there is room for the names; "" for nothing."""
    circles = ["circles"] * session.has_circles
    names = ", ".join([*(name.replace("_", " ") for name in session.handles), *circles])
    if text_width(f"move {names}", KEY_SIZE * unit) <= room:
        return names
    return " or ".join(["handles", *circles])


def _key(
    surface: pygame.Surface,
    key: str,
    meaning: str,
    place: tuple[float, float],
    unit: float,
) -> None:
    """A key's cap, and beside it what the key does."""
    key_cap(surface, key, place, unit)
    beside = (place[0] + INDENT * unit, place[1])
    words(surface, meaning, beside, KEY_SIZE * unit, "dim", align="midleft")
