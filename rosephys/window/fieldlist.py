"""The list of a scene's fields in the panel: a slider for each number that a hand may move.

Controls come first, each with where the gradient pushes it; of one of many numbers it says the
least and the greatest. A list that is longer than its room scrolls.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rosephys.drawing.numerals import short, vector
from rosephys.drawing.palette import colour, theme
from rosephys.drawing.sprite import disc, stamp
from rosephys.drawing.words import words
from rosephys.sdl import pygame
from rosephys.window.scroll import Scroll
from rosephys.window.session import Session
from rosephys.window.slider import Slider, sliders_of

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem

CONTROL_SHADES = ("first", "second", "third")  # of each control's sliders and gradient arrow
TITLE, LINE, PUSH, GAP = 18, 22, 17, 12  # heights of a field's parts, in design pixels
INSET = 10  # design pixels beside the list, into which knobs reach
BESIDE = 20  # design pixels on its right, for the scroll bar
NUMERAL = 66  # design pixels for a number
LETTER = 16  # design pixels for what tells a vector's numbers apart
KNOB, HELD_KNOB = 6.0, 7.5  # radii, in design pixels
NOTCH = 54  # design pixels that a notch of the wheel scrolls
CLICKS = 100  # notches of the wheel from one end of a slider to the other
FINE = 10  # times as many with Shift
WHEEL_SECONDS = 0.5  # without a notch, after which the next is a new gesture
FADE = 14  # design pixels over which the list fades where it goes on
REDRAW_SECONDS = 0.05  # nobody reads numbers that change more often


Knob: TypeAlias = tuple[tuple[float, float], float, str]  # its middle, its radius, its colour


@dataclass(frozen=True)
class Row:
    """A field's place in the list, from `top` down, in pixels."""

    field: str
    top: float
    height: float
    shade: str  # of a control; empty for other fields
    sliders: tuple[Slider, ...]


class FieldList:
    """The list as it was last drawn, and what a hand holds of it."""

    def __init__(self) -> None:
        self.area = pygame.Rect(0, 0, 0, 0)  # of the window, as it was last drawn
        self.scroll = Scroll()
        self.held: Slider | None = None
        self.hovered: Slider | None = None
        self._unit = 1.0
        self._rows: list[Row] = []
        self.sliders: dict[str, tuple[Slider, ...]] = {}
        self._problem: Problem | None = None
        self._held_at = 0.0  # from the hand to the middle of the knob it holds, in pixels
        self._grip: float | None = (
            None  # from the start of the bar's thumb to the hand that holds it
        )
        self._wheel_left = 0.0  # seconds that the wheel's gesture still lasts
        self._drawn: tuple[object, ...] = ()
        self._age = 0.0

    # ---- What a hand does ----

    def press(self, pixel: tuple[int, int], session: Session) -> bool:
        """Take hold of what is at a pixel of the window, if that lies in the list."""
        self.end_wheel(session)
        if not self.area.collidepoint(pixel):
            return False
        if self.scroll.needed and pixel[0] >= self.area.right - BESIDE * self._unit:
            start, long = self.scroll.thumb
            grip = pixel[1] - self.area.top - start
            self._grip = grip if 0 <= grip <= long else long / 2
            return self.move(pixel, session)
        found = self._slider_at(pixel)
        if found is not None:
            self._take(found, pixel, session)
        return True

    def move(self, pixel: tuple[int, int], session: Session) -> bool:
        """Follow the hand; whether it holds or is over something of the list."""
        if self._grip is not None:
            self.scroll.bring(pixel[1] - self.area.top - self._grip)
        elif self.held is not None and not self._wheel_left:
            left, right = self._track(self.held)
            share = (pixel[0] + self._held_at - left) / max(right - left, 1.0)
            self._put(self.held.value(share), session)
        else:
            self.hovered = self._slider_at(pixel)
        return self._grip is not None or self.held is not None or self.hovered is not None

    def release(self, session: Session) -> None:
        """Let go of what the hand holds."""
        self._grip = None
        if self.held is not None:
            self.held, self._wheel_left = None, 0.0
            session.release()

    def wheel(self, pixel: tuple[int, int], notches: float, fine: bool, session: Session) -> None:
        """Turn the wheel over a pixel: a slider's number grows, or else the list scrolls.

        Notches in quick succession are one gesture, and do what the first of them did: a slider that
        comes to lie under the hand while the list scrolls stays as it is.
        """
        if not self.area.collidepoint(pixel) or (session.dragging and not self._wheel_left):
            return
        if not self._wheel_left:
            self.held = self._slider_at(pixel)
            if self.held is not None:
                session.hold(self.held.field)
        self._wheel_left = WHEEL_SECONDS
        if self.held is None:
            self.scroll.move(-notches * NOTCH * self._unit)
            return
        step = (self.held.high - self.held.low) / CLICKS / (FINE if fine else 1)
        now = float(session.values[self.held.field].reshape(-1)[self.held.index])
        self._put(self.held.rounded(now + notches * step), session)

    def advance(self, session: Session, elapsed: float) -> None:
        """End what the wheel did, once it rests."""
        self._age += elapsed
        if 0 < self._wheel_left <= elapsed:
            self.end_wheel(session)
        self._wheel_left = max(self._wheel_left - elapsed, 0.0)

    def drop(self) -> None:
        """Forget what is held: its session is gone."""
        self.held = self.hovered = self._grip = None
        self._wheel_left = 0.0

    def end_wheel(self, session: Session) -> None:
        """End what the wheel did: the hand does something else."""
        if self._wheel_left:
            self._wheel_left = 0.0
            self.release(session)

    def _take(self, slider: Slider, pixel: tuple[int, int], session: Session) -> None:
        """Hold a slider by its knob; one that is not at the hand comes there."""
        self.held = slider
        session.hold(slider.field)
        left, right = self._track(slider)
        value = float(session.values[slider.field].reshape(-1)[slider.index])
        off = left + slider.share(value) * (right - left) - pixel[0]
        at_knob = abs(off) <= HELD_KNOB * self._unit
        self._held_at = off if at_knob else 0.0
        if not at_knob:
            self.move(pixel, session)

    def _put(self, value: float, session: Session) -> None:
        if self.held is not None:
            session.put(self.held.put(session.values[self.held.field], value))

    # ---- Where things are ----

    def _slider_at(self, pixel: tuple[int, int]) -> Slider | None:
        """The slider whose track is at a pixel of the window."""
        if not self.area.collidepoint(pixel):
            return None
        height = pixel[1] - self.area.top + self.scroll.offset
        for row in self._rows:
            line = int((height - row.top - TITLE * self._unit) // (LINE * self._unit))
            if 0 <= line < len(row.sliders):
                left, right = self._track(row.sliders[line])
                reach = INSET * self._unit
                if left - reach <= pixel[0] <= right + reach:
                    return row.sliders[line]
        return None

    def place(self, field: str, index: int, share: float) -> tuple[float, float]:
        """The pixel of the window at this share of the slider of a field's number."""
        row = next(row for row in self._rows if row.field == field)
        left, right = self._track(row.sliders[index])
        top = self.area.top - self.scroll.offset + row.top
        return left + share * (right - left), top + (TITLE + (index + 0.5) * LINE) * self._unit

    def _track(self, slider: Slider) -> tuple[float, float]:
        """The ends of a slider's track, in pixels of the window."""
        unit = self._unit
        left = self.area.left + (INSET + (LETTER if slider.label else 0)) * unit
        return left, self.area.right - (BESIDE + NUMERAL) * unit

    def _lay_out(self, session: Session, area: pygame.Rect, unit: float) -> None:
        if session.problem is not self._problem:
            self._problem, scene = session.problem, session.problem.scene
            self.sliders = {name: sliders_of(scene, name) for name in ordered(session)}
        self.area, self._unit, self._rows, top = area, unit, [], 0.0
        shades = cycle(CONTROL_SHADES)
        for name, sliders in self.sliders.items():
            control = name in session.problem.controls
            if not sliders and not control:
                continue
            parts = TITLE + LINE * max(len(sliders), 1) + PUSH * control
            shade = next(shades) if control else ""
            self._rows.append(Row(name, top, parts * unit, shade, sliders))
            top += (parts + GAP) * unit
            for slider in sliders:
                if slider is not self.held:
                    slider.hold(float(session.values[name].reshape(-1)[slider.index]))
        self.scroll.fit(max(top - GAP * unit, 0.0), area.height)

    # ---- Drawing ----

    def draw(
        self, surface: pygame.Surface, area: pygame.Rect, session: Session, unit: float, anew: bool
    ) -> None:
        """Draw the list on a surface that is shown in `area` of the window.

        It is drawn if it is to be drawn `anew`, at once where a hand has changed something, and else now
        and then.
        """
        self._lay_out(session, area, unit)
        hand = (theme(), self.scroll.offset, self.held, self.hovered, self._grip, session.phase)
        seen = (id(session.problem), area.size, unit, *hand, *self._by_hand(session))
        now = (*seen, session.iteration, len(session.losses))
        late = self._age > REDRAW_SECONDS and now != self._drawn
        if area and (anew or late or self._drawn[: len(seen)] != seen):
            self._draw_rows(surface, session)
            self._drawn, self._age = now, 0.0

    def _by_hand(self, session: Session) -> list[bytes]:
        """The values that only a hand changes."""
        found = set(session.problem.controls) - {self.held.field if self.held else ""}
        names = [row.field for row in self._rows if row.field not in found]
        return [session.values[name].tobytes() for name in names]

    def _draw_rows(self, surface: pygame.Surface, session: Session) -> None:
        surface.fill(colour("panel"))
        knobs: list[Knob] = []
        for row in self._rows:
            top = row.top - self.scroll.offset
            if -row.height < top < surface.get_height():
                knobs += self._draw_row(surface, row, top, session)
        if knobs:
            centres, radii, shades = zip(*knobs, strict=True)
            stamp(surface, disc, np.array(centres), np.array(radii), shades, [""] * len(knobs))
        self._draw_edges(surface)

    def _draw_row(
        self, surface: pygame.Surface, row: Row, top: float, session: Session
    ) -> list[Knob]:
        """Draw a field but for its knobs, which are the result."""
        unit, left = self._unit, INSET * self._unit
        field, value = session.problem.scene.fields[row.field], session.values[row.field]
        title = row.field.replace("_", " ").upper() + (f"  [{field.unit}]" if field.unit else "")
        words(surface, title, (left, top), 11 * unit, "faint", face="bold")
        y = top + TITLE * unit
        if not row.sliders:
            words(surface, vector(value), (left, y), 13 * unit, face="bold")
        knobs = []
        for slider in row.sliders:
            at = float(value.reshape(-1)[slider.index])
            knobs.append(self._draw_slider(surface, slider, at, y + LINE * unit / 2, row.shade))
            y += LINE * unit
        if row.field in session.gradient:
            push = vector(-session.gradient[row.field])
            y = top + row.height - PUSH * unit
            words(surface, f"\N{MINUS SIGN}gradient  {push}", (left, y), 12 * unit, row.shade)
        return knobs

    def _draw_slider(
        self, surface: pygame.Surface, slider: Slider, value: float, y: float, shade: str
    ) -> Knob:
        unit, edge = self._unit, self.area.left
        left, right = (end - edge for end in self._track(slider))
        knob = left + slider.share(value) * (right - left)
        thick = max(round(3 * unit), 2)
        for end, tint in ((right, "line"), (knob, shade or "dim")):
            bar = (round(left), round(y - thick / 2), round(end - left), thick)
            surface.fill(colour(tint), bar)
        if slider.label:
            place = (INSET * unit, y)
            words(surface, slider.label, place, 11 * unit, "dim", face="bold", align="midleft")
        place = (surface.get_width() - BESIDE * unit, y)
        words(surface, short(value), place, 12.5 * unit, face="bold", align="midright")
        active = slider in (self.held, self.hovered)
        return (knob, y), (HELD_KNOB if active else KNOB) * unit, shade or "text"

    def _draw_edges(self, surface: pygame.Surface) -> None:
        """Show that the list goes on: it fades there, and there is a bar."""
        if not self.scroll.needed:
            return
        width, height = surface.get_size()
        unit, deep = self._unit, round(FADE * self._unit)
        fade = _fade(width, deep, colour("panel"))
        if self.scroll.offset > 0.5:
            surface.blit(fade, (0, 0))
        if self.scroll.offset < self.scroll.length - self.scroll.room - 0.5:
            surface.blit(pygame.transform.flip(fade, False, True), (0, height - deep))
        start, long = self.scroll.thumb
        bar = pygame.Rect(0, round(start), max(round(4 * unit), 3), round(long))
        bar.centerx = round(width - BESIDE * unit / 2)
        shade = colour("dim" if self._grip is not None else "line")
        pygame.draw.rect(surface, shade, bar, border_radius=bar.width // 2)


def ordered(session: Session) -> list[str]:
    """The live fields: controls first, the time step last."""
    names = list(session.values)
    controls = session.problem.controls
    return sorted(names, key=lambda name: (name not in controls, name == "dt"))


@lru_cache(maxsize=4)
def _fade(width: int, height: int, shade: tuple[int, int, int]) -> pygame.Surface:
    """A strip of this colour that gives way to nothing downwards."""
    strip = pygame.Surface((width, height), pygame.SRCALPHA)
    for y in range(height):
        strip.fill((*shade, round(255 * (1 - y / height))), (0, y, width, 1))
    return strip
