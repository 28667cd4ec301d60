"""Solving beside the window: slow, hanging and faulty scenes, and which of many requests is done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
import pytest

from rosephys.drawing.palette import colour
from rosephys.scene.finding import find_scene
from rosephys.sdl import pygame
from rosephys.solve.problem import Problem
from rosephys.window.background import SHOW_SECONDS, Background
from rosephys.window.session import Phase, Session
from rosephys.window.viewer import Window
from tests.support.window import (
    FRAME,
    ThrowProblem,
    advance,
    advanced_to,
    key,
    mouse,
    session,
    turn,
)


class Counting:
    """Work of a number of steps, which may have to wait for a gate."""

    def __init__(self, name: str, steps: float, least: int = 1) -> None:
        self.name, self.steps, self.least = name, steps, least
        self.done = 0
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()

    def step(self) -> bool:
        self.begun_at = perf_counter()
        self.begun.set()
        assert self.gate.wait(5)
        self.done += 1
        return self.done < self.steps

    def result(self) -> tuple[str, int]:
        return self.name, self.done


@pytest.fixture
def background() -> Iterator[Background[tuple[str, int]]]:
    made: Background[tuple[str, int]] = Background()
    yield made
    made.close()


def test_work_stops_at_what_is_allowed_and_goes_on(background: Any) -> None:
    work = Counting("a", 9)
    background.ask(work, 3)
    assert background.settle(5) and work.done == 3
    assert background.take()[-1] == ("a", 3) and background.take() == []
    background.allow(2)
    assert background.settle(5) and work.done == 3, "it is not taken back"
    background.allow(100)
    assert background.settle(5) and background.take()[-1] == ("a", 9)


@pytest.mark.parametrize("least", [1, 2])
def test_only_the_latest_is_done_and_what_is_given_up_still_shows(
    background: Any, least: int
) -> None:
    first, never, last = Counting("first", 99, least), Counting("never", 99), Counting("last", 2)
    first.gate.clear()
    background.ask(first, 99)
    assert first.begun.wait(5)
    background.ask(never, 99)
    background.ask(last, 99)
    assert not background.settle(0.01)
    first.gate.set()
    assert background.settle(5)
    assert (first.done, never.done, last.done) == (least, 0, 2)
    assert background.take() == [("first", least), ("last", 2)]


def test_nothing_begins_while_the_window_is_drawn_but_only_for_a_moment(background: Any) -> None:
    with background.undisturbed():
        work, asked_at = Counting("a", 1), perf_counter()
        background.ask(work, 1)
        assert background.settle(5), "a drawing that takes long stops nothing"
    assert work.begun_at - asked_at > 0.9 * SHOW_SECONDS


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((900, 600), pygame.RESIZABLE)
    yield Window(session())
    pygame.display.quit()


def frames(window: Window, number: int) -> float:
    """Run frames without waiting for the solver; the longest of them, in seconds."""
    longest = 0.0
    for _ in range(number):
        begin = perf_counter()
        for event in pygame.event.get():
            window.handle(event)
        window.frame(FRAME)
        longest = max(longest, perf_counter() - begin)
    return longest


def test_a_step_that_never_ends_leaves_the_window_alive(window: Window) -> None:
    advanced_to(window.session, Phase.PLAYING)
    turn(window)
    stuck = threading.Event()
    problem: Any = window.session.problem
    problem.fault = lambda values: float(stuck.wait(20))
    goal = window.transform.to_screen(window.session.values["goal"])
    for event in (
        mouse(pygame.MOUSEBUTTONDOWN, goal),
        mouse(pygame.MOUSEMOTION, goal - (50, 0)),
    ):
        pygame.event.post(event)
    assert frames(window, 90) < 0.5
    assert not window.session.settle(0.0), "the solver is stuck"
    shown = window.transform.to_screen(window.session.values["goal"])
    np.testing.assert_allclose(shown, goal - (50, 0), atol=1)
    assert window.session.waiting > 1 and window.session.tracks, "the last motion is still there"
    top = pygame.surfarray.array3d(pygame.display.get_surface())[:, :60].astype(int)
    near = np.abs(top - colour("good")).sum(axis=2) < 120
    assert near.sum() > 10, "and it says that it waits"
    pygame.event.post(key(pygame.K_ESCAPE))
    frames(window, 1)
    assert not window.open
    window.session.close()
    stuck.set()


def test_a_slow_scene_follows_a_hand_that_never_rests() -> None:
    problem = ThrowProblem()
    a = advanced_to(session(problem), Phase.PLAYING)

    def slowly(values: dict[str, Any]) -> float:
        sleep(0.03)
        return 0.0

    problem.fault = slowly
    a.grab((0.8, 0.6), 0.1)
    misses = []
    for k in range(60):
        a.drag((0.8 - 0.002 * k, 0.6))
        a.advance(FRAME)
        sleep(0.005)
        misses.append(float(np.hypot(*(a.tracks[0].point[-1] - a.values["goal"]))))
    assert misses[-1] < 0.06, "it is two evaluations behind, not all the way"
    a.release()
    assert advanced_to(a, Phase.PLAYING).losses[-1] < 1e-6


def test_a_scene_that_leaves_the_process_is_told() -> None:
    problem = ThrowProblem()

    def leaving(values: dict[str, Any]) -> float:
        raise SystemExit(3)

    problem.fault = leaving
    a = advance(session(problem))
    assert a.phase is Phase.FAILED and "SystemExit: 3" in a.message
    assert "test_background.py" in a.message, "with its line"
    problem.fault = lambda values: 0.0
    a.restart()
    assert advanced_to(a, Phase.PLAYING).losses[-1] < 1e-9


SCENE = '''
import rose_ad as ra
from rosephys import Circles, Picture, Scene, control, parameter

@ra.struct
class State:
    x: ra.Vec

class Faulty(Scene):
    """A point that is moved."""
    steps: int = parameter(4, "steps")
    goal = parameter((0.5, 0.5), "where to", handle=True)
    x = control((0.4, 0.4), "where from")
    def initial(self):
        return State(ra.array(self.x))
    def step(self, state, t):
        STEP
    def loss(self, final):
        miss = final.x - self.goal
        return ra.dot(miss, miss)
    def picture(self, state):
        return Picture((Circles(ra.array([state.x]), 0.05, ("accent",)),), (0.0, 0.0, 1.0, 1.0))
'''


def faulty(folder: Path, step: str) -> tuple[Session, str]:
    """A session of a scene with this step, and the place of that."""
    path = folder / "faulty.py"
    path.write_text(SCENE.replace("STEP", step))
    line = path.read_text().split("\n").index(f"        {step}") + 1
    return Session(Problem(find_scene(str(path))), 50, 0.1, "gd"), f"{path}:{line}"


def test_an_exception_in_a_scene_is_told_with_its_line(tmp_path: Path) -> None:
    a, place = faulty(tmp_path, "raise ValueError('no such step')")
    advance(a)
    assert a.phase is Phase.FAILED
    assert "ValueError: no such step" in a.message and place in a.message


def test_a_nan_is_told_with_the_line_where_it_began(tmp_path: Path) -> None:
    a, place = faulty(tmp_path, "return State(state.x + 0 * ra.sqrt(0.6 - self.goal[0]))")
    advanced_to(a, Phase.PLAYING)
    a.grab((0.5, 0.5), 0.1)
    a.drag((0.7, 0.5))
    advance(a)
    assert a.phase is Phase.FAILED
    assert "the loss is nan" in a.message and place in a.message and "sqrt" in a.message
    assert np.isfinite(a.tracks[0].point).all() if a.tracks else a.picture() is not None
    a.drag((0.45, 0.5))
    advance(a)
    assert a.phase is Phase.SOLVING and not a.message


def test_a_loop_that_never_ends_in_python_does_not_stop_the_window(
    window: Window, tmp_path: Path
) -> None:
    running = count()
    import rosephys

    rosephys.ticking = lambda: next(running) < 10**9  # type: ignore[attr-defined]
    window.session, _ = faulty(tmp_path, "while __import__('rosephys').ticking(): pass")
    sleep(0.05)
    longest = frames(window, 30)
    rosephys.ticking = lambda: False  # type: ignore[attr-defined]
    assert longest < 0.5 and window.session.phase is Phase.COMPILING and next(running) > 100
    assert window.session.settle(5)
    del rosephys.ticking  # type: ignore[attr-defined]
