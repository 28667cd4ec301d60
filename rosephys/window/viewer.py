"""The live window: the solving is watched, the answer played, and the goal dragged by hand."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rosephys.drawing.paint import Transform, backdrop, lamp, paint_shapes, paint_tracks
from rosephys.drawing.palette import THEMES, colour, theme, use_theme
from rosephys.drawing.pixels import pixels
from rosephys.drawing.stroke import arrow, ring
from rosephys.drawing.words import words
from rosephys.errors import describe
from rosephys.files.png import write_png
from rosephys.sdl import pygame
from rosephys.window.aiming import draw_aim
from rosephys.window.card import draw_keys, draw_message, draw_note
from rosephys.window.fieldlist import CONTROL_SHADES
from rosephys.window.handles import Handle
from rosephys.window.panel import Panel
from rosephys.window.reload import Reloader, Source
from rosephys.window.reproduce import command, free_path
from rosephys.window.session import Phase, Session
from rosephys.window.timeline import draw_timeline, holds, share_at
from rosephys.window.views import Views

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem

FRAMES = 60  # a second
SWITCH_SECONDS = 1e-3  # how long the solver's thread may keep Python from drawing
AIM_SECONDS = 0.45  # a control at an anchor is drawn as how far it would lead in this time
MOMENTS = 100  # presses of an arrow key from the start of the motion to its end
NOTE_SECONDS = 3.0  # how long it is told what was done
PATIENCE = 0.5  # seconds without a result, after which it is said that there will be one
COMMAND = pygame.KMOD_CTRL | pygame.KMOD_META  # either, with Z and Y
FASTER = (pygame.K_PLUS, pygame.K_KP_PLUS, pygame.K_EQUALS, pygame.K_RIGHTBRACKET)
SLOWER = (pygame.K_MINUS, pygame.K_KP_MINUS, pygame.K_LEFTBRACKET)
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
    starts: int = 1,
    seed: int = 0,
    source: Source | None = None,
    size: tuple[int, int] = (1200, 720),
    theme: str = "dark",
) -> None:
    """Open a window, solve the problem in it and play the answer, until the window is closed.

    With a `source` that is a file, changes of it are followed. Raises `pygame.error` if no window can
    be opened. What the scene raises is shown in it.
    """
    before = sys.getswitchinterval()
    pygame.display.init()
    try:
        sys.setswitchinterval(SWITCH_SECONDS)
        use_theme(theme)
        pygame.display.set_caption(f"{problem.scene.name.capitalize()} · Rosephys")
        pygame.display.set_mode(size, pygame.RESIZABLE)
        session = Session(problem, iterations, rate, optimizer, starts=starts, seed=seed)
        window = Window(session, source)
        clock = pygame.time.Clock()
        while window.open:
            for event in pygame.event.get():
                window.handle(event)
            window.frame(clock.tick(FRAMES) / 1000)
        window.close()
    finally:
        sys.setswitchinterval(before)
        pygame.display.quit()


@dataclass
class Window:
    """Turns events into what a hand does to a `Session`, and draws the session."""

    session: Session
    source: Source | None = None
    open: bool = True
    hover: Handle | None = None  # the handle that the hand is over
    over: int | None = None  # or the circle
    scrubbing: bool = False  # whether a hand holds the time line
    keys_shown: bool = False
    note: str = ""  # what was done at a key
    panel: Panel = field(default_factory=Panel)
    views: Views = field(default_factory=Views)
    transform: Transform = field(default_factory=lambda: Transform(1, 0, 0))
    canvas: pygame.Rect = field(default_factory=lambda: pygame.Rect(0, 0, 0, 0))
    unit: float = 1.0

    def __post_init__(self) -> None:
        self._reloader = Reloader(self.source) if self.source and self.source.file else None
        self._note_left = 0.0
        self._pointing = False
        self._hand: tuple[int, int] | None = None  # where it is in the scene

    def close(self) -> None:
        """Stop what goes on beside the window."""
        self.session.close()
        self.views.close()
        if self._reloader:
            self._reloader.close()

    # ---- Events ----

    def handle(self, event: pygame.event.Event) -> None:
        """React to one event of the window."""
        if self.views.handle(event, self.session):
            return
        if event.type == pygame.QUIT:
            self.open = False
        elif event.type == pygame.KEYDOWN:
            self._press(event.key, event.mod)
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            self._grab(event.pos)
        elif event.type == pygame.MOUSEMOTION:
            self._move(event.pos)
        elif event.type == pygame.MOUSEWHEEL:
            self.panel.wheel(_notches(event), self.session)
        elif event.type == pygame.MOUSEBUTTONUP and event.button == 1:
            self.scrubbing = False
            self.panel.release(self.session)
            self.session.release()

    def _press(self, key: int, modifiers: int) -> None:
        session = self.session
        self.panel.end_wheel(session)
        actions: dict[int, Callable[[], None]] = {
            pygame.K_SPACE: session.toggle_pause,
            pygame.K_r: session.restart,
            pygame.K_o: lambda: session.choose(following(session.optimizers, session.optimizer)),
            pygame.K_t: lambda: use_theme(following(tuple(THEMES), theme())),
            pygame.K_h: self._toggle_keys,
            pygame.K_s: self._write_picture,
            pygame.K_c: self._copy_command,
            pygame.K_HOME: lambda: session.go_to(0),
            pygame.K_END: lambda: session.go_to(session.problem.steps),
        }
        shift, command = modifiers & pygame.KMOD_SHIFT, modifiers & COMMAND
        moment = max(round(session.problem.steps / MOMENTS), 1) * (10 if shift else 1)
        walks = {
            pygame.K_LEFT: -moment,
            pygame.K_RIGHT: moment,
            pygame.K_COMMA: -1,
            pygame.K_PERIOD: 1,
        }
        pygame.key.set_repeat(*((300, 30) if key in walks else ()))  # no other key is meant twice
        if key == pygame.K_ESCAPE:
            self.open = False
        elif key in (pygame.K_z, pygame.K_y):
            if command:
                self._travel(back=key == pygame.K_z and not shift)
        elif key in walks:
            session.go_to(session.index + walks[key])
        elif key in FASTER or key in SLOWER:
            session.change_speed(1 if key in FASTER else -1)
            self._tell(f"speed × {session.speed:g}")
        elif key in actions:
            actions[key]()

    def _travel(self, back: bool) -> None:
        """Take back what the hand did last, or do it again."""
        gesture = self.session.undo() if back else self.session.redo()
        done = "taken back" if back else "done again"
        self._tell(f"{done}: {gesture}" if gesture else f"there is nothing to be {done}")

    def _toggle_keys(self) -> None:
        self.keys_shown = not self.keys_shown

    def _write_picture(self) -> None:
        path = free_path(self.session.problem.scene.name, ".png")
        try:
            write_png(path, pixels(pygame.display.get_surface()))
        except OSError as error:
            self._tell(f"no picture: {error}")
        else:
            self._tell(f"wrote {path}")

    def _copy_command(self) -> None:
        """Print the command that shows this again, and put it on the clipboard if there is one."""
        scene = self.session.problem.scene
        typed = self.source.typed if self.source else scene.name
        try:
            line = command(typed, scene, self.session.values)
        except OSError as error:
            self._tell(f"no command: {error}")
            return
        print(line, flush=True)
        try:
            pygame.scrap.init()
            pygame.scrap.put(pygame.SCRAP_TEXT, line.encode())
        except (pygame.error, NotImplementedError):  # not every display has one
            self._tell("the command is printed in the terminal")
        else:
            self._tell("the command is on the clipboard, and in the terminal")

    def _tell(self, note: str) -> None:
        self.note, self._note_left = note, NOTE_SECONDS

    def _grab(self, pixel: tuple[int, int]) -> None:
        if self.panel.press(pixel, self.session):
            return
        if self.session.grab(self._world(pixel), self._reach()):
            return
        if self.session.playable and holds(self.canvas, self.unit, pixel):
            self.scrubbing = True
            self._move(pixel)

    def _move(self, pixel: tuple[int, int]) -> None:
        if self.scrubbing:
            share = share_at(self.canvas, self.unit, pixel)
            self.session.go_to(round(share * self.session.problem.steps))
            return
        in_panel = self.panel.move(pixel, self.session)
        if self.session.holding and not in_panel:
            self.session.drag(self._world(pixel))
            return
        self._hand = None if in_panel or not self.canvas.collidepoint(pixel) else pixel
        self._look()
        self._point(bool(in_panel or self.hover or self.over is not None))

    def _look(self) -> None:
        """Find what is under the hand, which moves while the motion plays."""
        self.hover = self.over = None
        if self._hand:
            at, reach = self._world(self._hand), self._reach()
            self.hover = self.session.handle_at(at, reach)
            self.over = None if self.hover else self.session.circle_at(at, reach / 2)

    def _point(self, at_something: bool) -> None:
        """Make the mouse's pointer a hand where there is something to take hold of."""
        if at_something != self._pointing:
            shape = pygame.SYSTEM_CURSOR_HAND if at_something else pygame.SYSTEM_CURSOR_ARROW
            with suppress(pygame.error):  # not every display has a cursor to change
                pygame.mouse.set_cursor(shape)
        self._pointing = at_something

    def _world(self, pixel: tuple[int, int]) -> np.ndarray:
        return self.transform.to_world(pixel)

    def _reach(self) -> float:
        return REACH * self.transform.unit / self.transform.scale

    # ---- Frames ----

    def frame(self, elapsed: float) -> None:
        """Move the session on, then show it."""
        elapsed = min(elapsed, 0.1)  # one that took long, to open the window, is not made up for
        self._note_left -= elapsed
        if self._reloader:
            session = self._reloader.advance(self.session, elapsed)
            if session is not self.session:
                self.session, self.scrubbing = session, False
                self.hover = self.over = None
                self.panel.drop()
        self.panel.advance(self.session, elapsed)
        self.session.advance(elapsed)
        self.views.advance(self.session)
        with self.session.undisturbed(), self.views.undisturbed():
            self._draw(pygame.display.get_surface())
            pygame.display.flip()

    def _draw(self, surface: pygame.Surface) -> None:
        width, height = surface.get_size()
        unit = self.unit = float(np.clip(min(width / 1200, height / 720), 0.75, 3))
        beside = round(300 * unit) if width >= 620 * unit else 0
        column = self.views.column(width - beside, unit)
        canvas = self.canvas = pygame.Rect(0, 0, width - beside - column, height)
        surface.set_clip(canvas)
        try:
            self._draw_scene(surface, canvas, unit)
        except Exception as error:  # a scene may ask for a colour or a shape that cannot be
            self.session.fail(describe(error))
        self._draw_cards(surface, canvas, unit)
        surface.set_clip(None)
        if column:
            area = pygame.Rect(canvas.right, 0, column, height)
            self.views.draw_column(surface, area, self.session, unit)
        panel = pygame.Rect(width - beside, 0, beside, height)
        self.panel.draw(surface, panel, self.session, unit)

    def _draw_cards(self, surface: pygame.Surface, canvas: pygame.Rect, unit: float) -> None:
        """What is said over the scene."""
        self.views.draw_words(surface, canvas, self.session, unit)
        reloader, session = self._reloader, self.session
        name = reloader.source.typed if reloader else ""
        if reloader and reloader.message:
            title = f"{Path(name).name} cannot be used as it is. The scene before goes on."
            draw_message(surface, canvas, title, reloader.message, unit)
        elif session.message:
            title = "The scene stopped. Drag a handle or press R to try again."
            draw_message(surface, canvas, title, session.message, unit)
        if self._note_left > 0:
            draw_note(surface, canvas, self.note, unit)
        elif reloader and reloader.busy:
            draw_note(surface, canvas, f"{Path(name).name} has changed: compiling …", unit)
        elif session.watching:
            draw_note(surface, canvas, "Solving …  This is the best so far.", unit)
        elif session.waiting > PATIENCE and session.tracks:
            draw_note(surface, canvas, _waiting("Solving", session.waiting), unit)
        if self.keys_shown:
            draw_keys(surface, canvas, unit)

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
        self._look()
        with lamp(picture):
            self.views.draw_behind(surface, session, self.transform)
            paint_tracks(surface, session.tracks, self.transform)
            paint_shapes(surface, picture, self.transform)
            if session.phase is Phase.SOLVING and not session.watching:
                draw_pushes(surface, session, self.transform)
            self._draw_hold(surface)
            draw_aim(surface, picture, session, self.transform, self.over)
        if session.playable or session.aim:
            draw_timeline(surface, canvas, session, unit, self.scrubbing)
            self.views.draw_impacts(surface, canvas, session, unit)

    def _draw_hold(self, surface: pygame.Surface) -> None:
        """Mark the handle that is under the hand."""
        handle = self.session.held or self.hover
        if handle is None or handle.field not in self.session.handles:
            return
        unit, there = self.transform.unit, handle.of(self.session.values)
        place = self.transform.to_screen(there)
        ring(surface, place, 20 * unit, 2 * unit, "text", 0.85)
        if handle.row is not None:  # one of many needs no name
            return
        title = handle.field.replace("_", " ")
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


def following(options: Sequence[str], now: str) -> str:
    """The option after this one, the first after the last."""
    return options[(options.index(now) + 1) % len(options)]


def _notches(event: pygame.event.Event) -> float:
    """How far a wheel was turned up: parts of a notch too, where a display tells them."""
    return float(getattr(event, "precise_y", event.y))


def _waiting(what: str, seconds: float) -> str:
    """What is going on, and since when if that is long."""
    return f"{what} … {seconds:.0f} s" if seconds > 1 else f"{what} …"
