"""The live window: the solving is watched, the answer played, and the goal dragged by hand."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rosephys.paint import Transform, backdrop, paint_shapes, paint_tracks
from rosephys.palette import colour, pygame, words
from rosephys.panel import CONTROL_SHADES, Panel, wrapped
from rosephys.report import describe
from rosephys.session import Phase, Session
from rosephys.stroke import arrow, ring

if TYPE_CHECKING:
    from rosephys.problem import Problem

FRAMES = 60  # a second
SWITCH_SECONDS = 5e-4  # how long the solver's thread may keep Python from drawing
AIM_SECONDS = 0.45  # a control at an anchor is drawn as how far it would lead in this time
PATIENCE = 0.5  # seconds without a result, after which it is said that there will be one
REACH = 22  # design pixels within which a hand takes hold of a handle
UNSEEN = ("dummy", "offscreen")  # video drivers whose windows nobody can see


def display_problem() -> str | None:
    """Why no window can be opened here, in words; None if one can."""
    named = ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform == "linux" and not any(map(os.environ.get, named)):
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    try:
        pygame.display.init()
        driver = pygame.display.get_driver()
    except pygame.error as error:
        return str(error)
    finally:
        pygame.display.quit()
    return f"the video driver is {driver!r}" if driver in UNSEEN else None


def view(
    problem: Problem,
    *,
    iterations: int,
    rate: float,
    optimizer: str,
    size: tuple[int, int] = (1200, 720),
) -> None:
    """Open a window, solve the problem in it and play the answer, until the window is closed.

    Raises `pygame.error` if no window can be opened. What the scene raises is shown in it.
    """
    before = sys.getswitchinterval()
    pygame.display.init()
    try:
        sys.setswitchinterval(SWITCH_SECONDS)
        pygame.display.set_caption(f"{problem.scene.name.capitalize()} · Rosephys")
        pygame.display.set_mode(size, pygame.RESIZABLE)
        window = Window(Session(problem, iterations, rate, optimizer))
        clock = pygame.time.Clock()
        while window.open:
            for event in pygame.event.get():
                window.handle(event)
            window.frame(clock.tick(FRAMES) / 1000)
        window.session.close()
    finally:
        sys.setswitchinterval(before)
        pygame.display.quit()


@dataclass
class Window:
    """Turns events into what a hand does to a `Session`, and draws the session."""

    session: Session
    open: bool = True
    hover: str | None = None
    panel: Panel = field(default_factory=Panel)
    transform: Transform = field(default_factory=lambda: Transform(1, 0, 0))

    # ---- Events ----

    def handle(self, event: pygame.event.Event) -> None:
        """React to one event of the window."""
        if event.type == pygame.QUIT:
            self.open = False
        elif event.type == pygame.KEYDOWN:
            self._press(event.key)
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            self.session.grab(self._world(event.pos), self._reach())
        elif event.type == pygame.MOUSEMOTION:
            self._move(event.pos)
        elif event.type == pygame.MOUSEBUTTONUP and event.button == 1:
            self.session.release()

    def _press(self, key: int) -> None:
        if key == pygame.K_ESCAPE:
            self.open = False
        elif key == pygame.K_SPACE:
            self.session.toggle_pause()
        elif key == pygame.K_r:
            self.session.restart()

    def _move(self, pixel: tuple[int, int]) -> None:
        if self.session.dragging:
            self.session.drag(self._world(pixel))
            return
        over = self.session.handle_at(self._world(pixel), self._reach())
        if over != self.hover:
            shape = pygame.SYSTEM_CURSOR_HAND if over else pygame.SYSTEM_CURSOR_ARROW
            with suppress(pygame.error):  # not every display has a cursor to change
                pygame.mouse.set_cursor(shape)
        self.hover = over

    def _world(self, pixel: tuple[int, int]) -> np.ndarray:
        return self.transform.to_world(pixel)

    def _reach(self) -> float:
        return REACH * self.transform.unit / self.transform.scale

    # ---- Frames ----

    def frame(self, elapsed: float) -> None:
        """Move the session on, then show it."""
        # A frame that took long, for example to open the window, is not made up for.
        self.session.advance(min(elapsed, 0.1))
        with self.session.undisturbed():
            self._draw(pygame.display.get_surface(), elapsed)
            pygame.display.flip()

    def _draw(self, surface: pygame.Surface, elapsed: float) -> None:
        width, height = surface.get_size()
        unit = float(np.clip(min(width / 1200, height / 720), 0.75, 3))
        beside = round(300 * unit) if width >= 620 * unit else 0
        canvas = pygame.Rect(0, 0, width - beside, height)
        surface.set_clip(canvas)
        try:
            self._draw_scene(surface, canvas, unit)
        except Exception as error:  # a scene may ask for a colour or a shape that cannot be
            self.session.fail(describe(error))
        if self.session.message:
            _draw_message(surface, canvas, self.session.message, unit)
        surface.set_clip(None)
        if beside:
            panel = pygame.Rect(canvas.right, 0, beside, height)
            self.panel.draw(surface, panel, self.session, unit, elapsed)

    def _draw_scene(self, surface: pygame.Surface, canvas: pygame.Rect, unit: float) -> None:
        session = self.session
        picture = session.picture()
        if picture is None:
            surface.fill(colour("window"), canvas)
            if not session.message:
                note = _waiting("Compiling the scene", session.waiting)
                words(surface, note, canvas.center, 18 * unit, "dim", align="center")
            return
        self.transform = backdrop(surface, picture, canvas, unit)
        paint_tracks(surface, session.tracks, self.transform)
        paint_shapes(surface, picture, self.transform)
        if session.phase is Phase.SOLVING:
            draw_pushes(surface, session, self.transform)
        elif session.phase is Phase.PLAYING:
            _draw_time(surface, canvas, session, unit)
        if session.waiting > PATIENCE:
            place = (canvas.left + 20 * unit, canvas.top + 16 * unit)
            note = _waiting("Solving", session.waiting)
            words(surface, note, place, 13 * unit, "accent", face="bold")
        self._draw_hold(surface)

    def _draw_hold(self, surface: pygame.Surface) -> None:
        """Mark the handle that is under the hand."""
        name = self.session.dragging or self.hover
        if name is None:
            return
        unit, place = self.transform.unit, self.transform.to_screen(self.session.values[name])
        ring(surface, place, 20 * unit, 2 * unit, "text", 0.85)
        title = name.replace("_", " ")
        below = (place[0], place[1] + 28 * unit)
        words(surface, title, below, 13 * unit, "text", face="bold", align="midtop")


def draw_pushes(surface: pygame.Surface, session: Session, at: Transform) -> None:
    """Draw, at each control in the plane, where it aims and where the gradient pushes it.

    A control with an anchor, such as a velocity, stands at the anchor; another one that is a handle,
    such as a position, at itself; others are no places. Lengths follow the square root of the
    gradient, so that the last of it can still be seen.
    """
    fields = session.problem.scene.fields
    pushes = []
    for i, name in enumerate(session.problem.controls):
        anchor, value = fields[name].anchor, session.values[name]
        placed = anchor is not None or fields[name].handle
        if not placed or value.shape != (2,) or name not in session.gradient:
            continue
        start = at.to_screen(session.values[anchor] if anchor else value)
        if anchor:
            aim = start + AIM_SECONDS * at.scale * value * (1, -1)
            arrow(surface, start, aim, 2.2 * at.unit, "ivory", 0.8)
        push = -session.gradient[name] * (1, -1)
        length = float(np.hypot(*push))
        if length > 0:
            reach = 110 * at.unit * np.sqrt(length / session.steepest)
            shade = CONTROL_SHADES[i % len(CONTROL_SHADES)]
            pushes.append((reach, shade, start, start + reach * push / length))
    for _, shade, start, end in sorted(pushes, key=lambda push: -push[0]):
        arrow(surface, start, end, 3 * at.unit, shade)


def _waiting(what: str, seconds: float) -> str:
    """What is going on, and since when if that is long."""
    return f"{what} … {seconds:.0f} s" if seconds > 1 else f"{what} …"


def _draw_time(surface: pygame.Surface, canvas: pygame.Rect, session: Session, unit: float) -> None:
    """A thin line below the scene that fills as the motion plays."""
    y = canvas.bottom - 11 * unit
    left, right = canvas.left + 52 * unit, canvas.right - 52 * unit
    now = left + (right - left) * session.progress
    for end, shade in ((right, "line"), (now, "good")):
        surface.fill(colour(shade), (left, y - 1.5 * unit, end - left, 3 * unit))
    seconds = f"{session.index * session.problem.dt:.1f} s"
    place = (right + 8 * unit, y)
    words(surface, seconds, place, 11 * unit, "dim", face="bold", align="midleft")


def _draw_message(surface: pygame.Surface, canvas: pygame.Rect, message: str, unit: float) -> None:
    """What went wrong, on a card at the bottom of the scene."""
    size, line_height = 14 * unit, 20 * unit
    width = min(canvas.width - 40 * unit, 760 * unit)
    lines = wrapped(message, size, width - 48 * unit, "code")[:12]
    card = pygame.Rect(0, 0, width, line_height * len(lines) + 56 * unit)
    card.midbottom = (canvas.centerx, round(canvas.bottom - 24 * unit))
    pygame.draw.rect(surface, colour("panel"), card, border_radius=round(8 * unit))
    edge = pygame.Rect(card.left, card.top, round(5 * unit), card.height)
    radii = {"border_top_left_radius": 8, "border_bottom_left_radius": 8}
    pygame.draw.rect(surface, colour("bad"), edge, **radii)
    x, y = card.left + 24 * unit, card.top + 16 * unit
    title = "The scene stopped. Drag a handle or press R to try again."
    words(surface, title, (x, y), 13 * unit, "bad", face="bold")
    for i, line in enumerate(lines):
        words(surface, line, (x, y + 26 * unit + i * line_height), size, face="code")
