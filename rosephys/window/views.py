"""What can be seen of the gradient beside the motion: its landscape, its ghosts, halos, impacts and trust.

The window hands its events and frames on to `Views`, which watches the session and has what it shows worked
out in a thread of its own (`Inquiry`). Each view is a file of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from rosephys.drawing.landscape_chart import Chart
from rosephys.drawing.paint import Transform
from rosephys.drawing.palette import Floats
from rosephys.drawing.relief import Relief, relief
from rosephys.scene.picture import Track
from rosephys.scene.scene import constrained, costed
from rosephys.sdl import pygame
from rosephys.solve.constraints import worst
from rosephys.solve.landscape import Axis, Component, explored, framed, pairs
from rosephys.solve.outcome import Outcome, outcome, steepness, under_constraints
from rosephys.solve.problem import Arrays
from rosephys.solve.trust import Verdict, judged
from rosephys.window.badge import draw_badge, draw_legend
from rosephys.window.ghosts import Ghosts
from rosephys.window.halo import NUDGE, draw_halos, spreads
from rosephys.window.impact_marks import draw_impacts, impacts
from rosephys.window.inquiry import Failure, Inquiry
from rosephys.window.landscape_column import draw_column
from rosephys.window.members import members, varies
from rosephys.window.session import Phase, Session
from rosephys.window.solver import Motion
from rosephys.window.trail import Trail

COLUMN = 380  # design pixels of the landscape's width
LEAST = 140  # design pixels of it below which it is not shown
REFRESH = 6  # frames from one landscape to the next while it changes in each
ZOOM = 1.25  # times as far for each notch of the wheel
FARTHEST = 40.0  # times as far, or as near


class Views:
    """What is shown besides the motion, what a hand does to it, and what has been found for it."""

    def __init__(self) -> None:
        self.landscape_shown = self.ghosts_shown = self.halo_shown = self.members_shown = False
        self.chart, self._ghosts, self._others = Chart(), Ghosts(), Ghosts()
        self.exploring = False  # whether a hand holds the landscape
        self._hand = (-1, -1)
        self._watch(None)

    def _watch(self, session: Session | None) -> None:
        """Begin anew with a session."""
        self._session = session
        self._inquiry: Inquiry | None = None
        self._begun = -1
        self._seen: Motion | None = None
        self.trail = Trail()
        self.landscape: Relief | Failure | None = None
        self.halos: Floats | Failure | None = None
        self.members: list[list[Track]] | Failure | None = None
        self.verdict: Verdict | None = None
        self.impacts = np.zeros(0, np.intp)
        self._pairs: list[tuple[Component, ...]] = []  # that are offered
        self._pair, self._zoom = 0, 1.0
        self._wanted: tuple[tuple[Axis, ...], Arrays] | None = None  # the landscape that is
        self._explored: object = None  # the one that is being found, or was
        self._frames = 0  # since it was asked for
        self._for: dict[str, Motion] = {}  # the motion that an answer was asked for, by its name

    def close(self) -> None:
        """Stop what goes on beside the window."""
        if self._inquiry:
            self._inquiry.close()

    def undisturbed(self) -> AbstractContextManager[None]:
        """A `with` in which nothing begins, so that drawing is not disturbed."""
        return self._inquiry.undisturbed() if self._inquiry else nullcontext()

    def settle(self, seconds: float) -> bool:
        """Wait until what was asked for is found; False if that takes longer."""
        return self._inquiry.settle(seconds) if self._inquiry else True

    # ---- Events ----

    def handle(self, event: pygame.event.Event, session: Session) -> bool:
        """React to one event of the window; False if it is not for the views."""
        if event.type == pygame.KEYDOWN:
            return self._press(event.key, event.mod)
        if event.type == pygame.MOUSEMOTION:
            self._hand = event.pos
            return self.exploring and self._choose(event.pos, session)
        if event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            return self._choose(event.pos, session)
        if event.type == pygame.MOUSEBUTTONUP and event.button == 1 and self.exploring:
            self.exploring = False
            session.solve()
            return True
        if event.type == pygame.MOUSEWHEEL and self.landscape_shown:
            return self._turn(event.y)
        return False

    def _press(self, key: int, modifiers: int) -> bool:
        actions: dict[int, Callable[[], None]] = {
            pygame.K_l: self._toggle_landscape,
            pygame.K_p: self._next_pair,
            pygame.K_g: self._toggle_ghosts,
            pygame.K_n: self._toggle_halo,
            pygame.K_m: self._toggle_members,
        }
        if key not in actions or modifiers & (pygame.KMOD_CTRL | pygame.KMOD_META):
            return False
        pygame.key.set_repeat()
        actions[key]()
        return True

    def _toggle_landscape(self) -> None:
        self.landscape_shown = not self.landscape_shown
        self.exploring = False

    def _toggle_ghosts(self) -> None:
        self.ghosts_shown = not self.ghosts_shown

    def _toggle_halo(self) -> None:
        self.halo_shown = not self.halo_shown

    def _toggle_members(self) -> None:
        self.members_shown = not self.members_shown

    def _next_pair(self) -> None:
        if self.landscape_shown:
            self._pair += 1

    def _turn(self, notches: int) -> bool:
        if self.chart.shares(self._hand) is None:
            return False
        zoom = self._zoom * ZOOM**-notches
        self._zoom = float(np.clip(zoom, 1 / FARTHEST, FARTHEST))
        self._wanted = None
        return True

    def _choose(self, pixel: tuple[int, int], session: Session) -> bool:
        """Move the controls to a place in the landscape."""
        shares = self.chart.shares(pixel) if self.landscape_shown else None
        if shares is None or not isinstance(self.landscape, Relief):
            return self.exploring
        if not self.exploring:
            session.begin_exploring()
        self.exploring = True
        controls: Arrays = dict(session.values)
        axes = self.landscape.landscape.axes
        for axis, share in zip(axes, shares, strict=True):
            part = axis.component
            controls[part.name] = part.put(controls, [axis.at(share)])[0]
        session.explore({a.component.name: controls[a.component.name] for a in axes})
        return True

    # ---- Frames ----

    def advance(self, session: Session) -> None:
        """Look at what the session has come to, take what was found and ask for what is not known."""
        if session is not self._session:
            self.close()
            self._watch(session)
        self._take()
        if session.begun != self._begun:
            self._begun, self.trail = session.begun, Trail()
        motion = session.motion
        if motion is None:
            return
        if motion is not self._seen:
            self._seen = motion
            controls = {n: motion.values[n] for n in session.problem.controls}
            self.trail.add(controls, motion.tracks, session.gradient)
        if self.landscape_shown:
            self._want(session, motion)
        if self.halo_shown:
            self._ask("halo", motion, self._halo)
        if self.members_shown and varies(session.problem.scene):
            self._ask("members", motion, self._members)
        if session.phase is Phase.PLAYING and not (self.exploring or session.holding):
            self._ask("impacts", motion, self._impacts)
            self._ask("trust", motion, self._judged)
        session.outcome = self._outcome(session)

    def _take(self) -> None:
        for name, answer in self._inquiry.take() if self._inquiry else ():
            if name == "landscape":
                self.landscape = answer
            elif name == "halo":
                self.halos = answer
            elif name == "members":
                self.members = answer
            elif name == "impacts" and not isinstance(answer, Failure):
                self.impacts = answer
            elif name == "trust":
                self.verdict = None if isinstance(answer, Failure) else answer

    def _ask(self, name: str, motion: Motion, question: Callable[[Motion], Any]) -> None:
        """Have a question about a motion answered, unless it is or another one of its name is open."""
        if self._inquiry is None:
            self._inquiry = Inquiry()
        if name not in self._inquiry.open and self._for.get(name) is not motion:
            self._for[name] = motion
            self._inquiry.ask(name, question(motion))

    def _current(self, name: str) -> bool:
        """Whether the last answer of this name is one about the motion that is shown."""
        return self._seen is not None and self._for.get(name) is self._seen

    def _outcome(self, session: Session) -> Outcome | None:
        """What the solve came to whose motion is playing, once the verdict on its gradient is known."""
        known = self.verdict is not None and self._current("trust")
        if session.phase is not Phase.PLAYING or not known or session.aim:
            return None
        problem = session.problem
        if constrained(problem.scene):
            found = worst(problem, session.values)
            return under_constraints(session.descent, found, session.optimizer)
        steep = steepness(problem, session.values, session.gradient)
        assert self.verdict is not None
        how = session.optimizer, session.rate, costed(problem.scene)
        return outcome(session.descent, steep, self.verdict, *how)

    # ---- Questions ----

    @property
    def pair(self) -> tuple[Component, ...]:
        """The components over which the landscape is wanted."""
        assert self._session is not None
        self._pairs = self._pairs or pairs(self._session.problem, self.trail.gradient)
        return self._pairs[self._pair % len(self._pairs)] if self._pairs else ()

    def _want(self, session: Session, motion: Motion) -> None:
        """See to it that the landscape is that of the motion."""
        pair = self.pair
        if not pair:
            self.landscape = Failure("the scene has no controls, and so its loss no landscape")
            return
        axes = self._wanted[0] if self._wanted else ()
        inside = all(0 <= a.share(a.component.of(motion.values)) <= 1 for a in axes)
        if tuple(a.component for a in axes) != pair or not inside:
            path = [*self.trail.controls, motion.values]
            axes = framed(session.problem, pair, path, self._zoom)
        if self._wanted is None or not _same_slice(self._wanted, (axes, motion.values)):
            self._wanted = axes, motion.values
        self._frames += 1
        due = session.phase is not Phase.SOLVING or self._frames >= REFRESH
        is_open = self._inquiry is not None and "landscape" in self._inquiry.open
        if self._explored is not self._wanted and due and not is_open:
            self._explored, self._frames = self._wanted, 0
            wanted = self._wanted
            self._for.pop("landscape", None)
            self._ask("landscape", motion, lambda _: self._explore(session, *wanted))

    def _explore(
        self, session: Session, axes: tuple[Axis, ...], values: Arrays
    ) -> Generator[Relief | None, None, None]:
        """The landscape on ever finer grids, as long as it is wanted: but for other axes, one grid at least."""
        for found in explored(session.problem, values, axes):
            yield relief(found) if found else None
            wanted = self._wanted
            if wanted is None or wanted[0] != axes or (found and wanted[1] is not values):
                return

    def _halo(self, motion: Motion) -> Generator[None, None, Floats]:
        assert self._session is not None
        yield
        return spreads(self._session.problem, motion.values)

    def _members(self, motion: Motion) -> Generator[Any, None, list[list[Track]]]:
        assert self._session is not None
        return members(self._session.problem, motion.values)

    def _impacts(self, motion: Motion) -> Generator[None, None, Any]:
        yield
        return impacts(motion.trajectory, motion.tracks)

    def _judged(self, motion: Motion) -> Generator[None, None, Verdict | None]:
        """The verdict, unless another motion is shown before it is found."""
        assert self._session is not None
        question = judged(self._session.problem, motion.values)
        while self._session.motion is motion:
            try:
                yield next(question)
            except StopIteration as stop:
                found: Verdict = stop.value
                return found
        return None

    # ---- Drawing ----

    def column(self, width: int, unit: float) -> int:
        """How many pixels of a canvas so wide the landscape takes."""
        taken = min(round(COLUMN * unit), width // 2)
        return taken if self.landscape_shown and taken >= LEAST * unit else 0

    def draw_behind(self, surface: pygame.Surface, session: Session, at: Transform) -> None:
        """Draw what lies behind the scene's shapes: ghosts, members and halos."""
        if self.ghosts_shown:
            self._ghosts.draw(surface, self.trail.ghosts, at)
        if self.members_shown and isinstance(self.members, list):
            self._others.draw(surface, self.members, at)
        if self.halo_shown and self.halos is not None and not isinstance(self.halos, Failure):
            draw_halos(surface, session.tracks, self.halos, at)

    def draw_impacts(
        self, surface: pygame.Surface, canvas: pygame.Rect, session: Session, unit: float
    ) -> None:
        """Mark when something hits something on the time line."""
        if self._current("impacts"):
            draw_impacts(surface, canvas, self.impacts / max(session.problem.steps, 1), unit)

    def draw_words(
        self, surface: pygame.Surface, canvas: pygame.Rect, session: Session, unit: float
    ) -> None:
        """Say why the gradient cannot be trusted, if it cannot, and what halos and members are."""
        top = canvas.top + 14 * unit
        if self.verdict and self.verdict.reason and self._current("trust"):
            top = draw_badge(surface, canvas, self.verdict, top, unit) + 8 * unit
        if self.halo_shown:
            top = draw_legend(surface, canvas, self._halo_words(), top, unit) + 6 * unit
        if self.members_shown:
            draw_legend(surface, canvas, self._member_words(session), top, unit)

    def _halo_words(self) -> str:
        if isinstance(self.halos, Failure):
            return f"no halos: {self.halos.words}"
        if self.halos is None:
            return "halos: compiling …"
        if not len(self.halos):
            return "no halos: the scene has no tracks"
        return f"halos: where a nudge of the controls by {NUDGE:.0%} takes the end"

    def _member_words(self, session: Session) -> str:
        if isinstance(self.members, Failure):
            return f"no members: {self.members.words}"
        if not varies(session.problem.scene):
            return "no members: no field has a spread, or the scene has no tracks"
        names = [n for n, f in session.problem.scene.fields.items() if f.spread is not None]
        return f"members: where other draws of {', '.join(names)} lead"

    def draw_column(
        self, surface: pygame.Surface, area: pygame.Rect, session: Session, unit: float
    ) -> None:
        """Draw the landscape."""
        path = [*self.trail.controls, session.values]
        finding = self._inquiry is not None and "landscape" in self._inquiry.open
        draw_column(surface, area, self.chart, session.problem, self.landscape, path, finding, unit)


def _same_slice(a: tuple[tuple[Axis, ...], Arrays], b: tuple[tuple[Axis, ...], Arrays]) -> bool:
    """Whether two landscapes are the same: their axes are, and all numbers that are none of them."""
    (axes, first), (others, second) = a, b
    if axes != others:
        return False
    moved: dict[str, list[int]] = {axis.component.name: [] for axis in axes}
    for axis in axes:
        moved[axis.component.name].append(axis.component.index)

    def rest(values: Arrays, name: str) -> Any:
        return np.delete(np.ravel(values[name]), moved.get(name, []))

    return all(np.array_equal(rest(first, name), rest(second, name)) for name in first)
