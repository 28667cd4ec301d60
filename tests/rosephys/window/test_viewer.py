"""The window: real events in one that nobody sees, and the recording."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rosephys.drawing.palette import colour
from rosephys.files.film import Film, record
from rosephys.scene.finding import find_scene
from rosephys.sdl import pygame
from rosephys.solve.problem import Problem
from rosephys.window.handles import Handle
from rosephys.window.session import RESOLVE_SECONDS, Phase, Session
from rosephys.window.viewer import Window, display_problem, view
from tests.support.window import (
    ThrowProblem,
    goal_pixel,
    key,
    mouse,
    played,
    session,
    solving,
    turn,
)

# ---- The window ----


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """A window of 900 x 600 on a display that nobody sees."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((900, 600), pygame.RESIZABLE)
    yield Window(session())
    pygame.display.quit()


def test_the_window_shows_the_solving_then_the_motion(window: Window) -> None:
    image = turn(window)
    assert (image[300, 860] == colour("panel")).all()
    arrow = np.abs(image[:, :600] - colour("second")).sum(axis=2) < 30
    assert arrow.sum() > 20, "an arrow shows where the gradient pushes the stone"
    played(window)
    turn(window, frames=10)
    before = turn(window)
    after = turn(window, frames=12)
    moved = (before[:, :600] != after[:, :600]).any(axis=2)
    assert moved.sum() > 200, "the stone moves"


def test_space_pauses_r_restarts_escape_leaves(window: Window) -> None:
    played(window)
    turn(window, key(pygame.K_SPACE))
    where = window.session.time
    still = turn(window, frames=10)
    assert window.session.paused and window.session.time == where
    np.testing.assert_array_equal(turn(window, frames=5)[:, :600], still[:, :600])
    turn(window, key(pygame.K_SPACE), frames=3)
    assert window.session.time > where
    turn(window, key(pygame.K_r))
    assert window.session.phase is Phase.SOLVING and window.session.iteration <= 1
    assert window.open
    turn(window, key(pygame.K_ESCAPE))
    assert not window.open


def test_closing_leaves(window: Window) -> None:
    turn(window, pygame.event.Event(pygame.QUIT))
    assert not window.open


def test_the_mouse_drags_the_goal_and_the_path_follows(window: Window) -> None:
    played(window)
    begin = goal_pixel(window)
    turn(window, mouse(pygame.MOUSEMOTION, begin))
    assert window.hover == Handle("goal")
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, begin))
    assert window.session.dragging == "goal"
    for k in range(1, 21):
        image = turn(window, mouse(pygame.MOUSEMOTION, begin + np.array([-6, 4]) * k))
    here = goal_pixel(window)
    np.testing.assert_allclose(here, begin + np.array([-120, 80]), atol=1.5)
    end = window.transform.to_screen(window.session.tracks[0].point[-1])
    assert np.hypot(*(end - here)) < 8
    x, y = here.astype(int)
    cross = np.abs(image[y - 20 : y + 20, x - 20 : x + 20] - colour("accent")).sum(axis=2)
    assert (cross < 60).sum() > 20, "the goal is drawn where the hand is"
    turn(window, mouse(pygame.MOUSEBUTTONUP, here))
    assert window.session.dragging is None
    turn(window, frames=round(RESOLVE_SECONDS * 60) + 80)
    assert window.session.phase is Phase.PLAYING
    assert window.session.losses[-1] < 1e-6


def test_other_buttons_and_empty_places_hold_nothing(window: Window) -> None:
    played(window)
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, goal_pixel(window), button=3))
    assert window.session.dragging is None
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, (300, 20)))
    assert window.session.dragging is None
    turn(window, mouse(pygame.MOUSEMOTION, (300, 20)), mouse(pygame.MOUSEBUTTONUP, (300, 20)))
    assert window.hover is None and window.session.phase is Phase.PLAYING


@pytest.mark.parametrize("size", [(1600, 1000), (420, 700), (200, 150), (3, 2), (1, 1)])
def test_any_size_will_do(window: Window, size: tuple[int, int]) -> None:
    played(window)
    pygame.display.set_mode(size, pygame.RESIZABLE)
    image = turn(window, pygame.event.Event(pygame.VIDEORESIZE, size=size, w=size[0], h=size[1]))
    assert image.shape[:2] == size[::-1] and not window.session.message
    if min(size) > 100:
        assert (image[-2:, :2] == colour("canvas")).all(), "the scene's area is filled"
        x, y = goal_pixel(window).astype(int)
        assert 0 <= x < size[0] and 0 <= y < size[1], "the goal is still to be seen"
        turn(window, mouse(pygame.MOUSEBUTTONDOWN, (x, y)))
        assert window.session.dragging == "goal"


def no_such_colour() -> str:
    return "no such colour"


def broken_picture() -> str:
    raise RuntimeError("picture is broken")


@pytest.mark.parametrize(
    ("fault", "says"), [(no_such_colour, "a colour"), (broken_picture, "picture is broken")]
)
def test_a_picture_that_cannot_be_painted_keeps_the_window_open(
    window: Window, fault: Callable[[], str], says: str
) -> None:
    problem: Any = window.session.problem
    turn(window, frames=5)
    problem.paint_fault = fault
    image = turn(window, frames=3)
    assert window.open and says in window.session.message
    assert (image == colour("bad")).all(axis=2).sum() > 100, "the message is shown"
    problem.paint_fault = lambda: "white"
    turn(window, key(pygame.K_r), frames=5)
    assert window.session.message == "" and window.session.phase is Phase.SOLVING


def test_view_runs_until_it_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    frames = iter([[], [], [key(pygame.K_SPACE)], [], [key(pygame.K_ESCAPE)]])
    monkeypatch.setattr(pygame.event, "get", lambda: next(frames))
    problem: Any = ThrowProblem()
    view(problem, iterations=5, rate=0.2, optimizer="gd", size=(400, 300))
    assert next(frames, None) is None and not pygame.display.get_init()


def test_billiards_is_dragged_in_the_window(window: Window) -> None:
    problem = Problem(find_scene("billiards", {"layers": "1", "steps": "400", "dt": "0.008"}))
    window.session = Session(problem, 60, 0.002, "gd")
    turn(window, frames=90)
    assert window.session.phase is Phase.PLAYING, window.session.message
    first = window.session.losses[0]
    assert window.session.losses[-1] < 0.2 * first
    begin = goal_pixel(window)
    turn(window, mouse(pygame.MOUSEMOTION, begin), mouse(pygame.MOUSEBUTTONDOWN, begin))
    turn(window, mouse(pygame.MOUSEMOTION, begin + np.array([10, -6])), frames=20)
    assert solving(window.session) and not window.session.message
    end = window.transform.to_screen(window.session.tracks[1].point[-1])
    assert np.hypot(*(end - goal_pixel(window))) < 60


@dataclass
class Without:
    """What a process without a display is told."""

    driver: str
    says: str


@pytest.mark.parametrize("case", [Without("dummy", "dummy"), Without("no-such-driver", "not")])
def test_a_display_that_is_none_is_named(case: Without) -> None:
    code = "import rosephys.window.viewer as v; print(v.display_problem())"
    environment = {**os.environ, "SDL_VIDEODRIVER": case.driver}
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert case.says in told


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a display has no name")
def test_a_display_that_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert display_problem() == "neither DISPLAY nor WAYLAND_DISPLAY is set"


def test_asking_for_a_display_leaves_none_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    assert display_problem() == "the video driver is 'dummy'"
    assert not pygame.display.get_init()


# ---- The recording ----


def test_a_recording_is_the_same_every_time_and_ends_at_the_goal(tmp_path: Any) -> None:
    from tests.support.gif import decode

    problem: Any = ThrowProblem()
    problem.values["speed"] = np.array([0.7, 0.5])
    for name in ("one.gif", "two.gif"):
        record(Film(problem, problem.values, size=(240, 180), fps=20), tmp_path / name)
    assert (tmp_path / "one.gif").read_bytes() == (tmp_path / "two.gif").read_bytes()
    images, loops = decode(tmp_path / "one.gif")
    assert loops and images[0].screen.shape == (180, 240, 3)
    assert sum(image.delay for image in images) == pytest.approx(100 + 160, abs=10)
    first, last = (images[k].screen.astype(int).sum(axis=2) for k in (0, -1))
    brightest = np.unravel_index(np.abs(last - first).argmax(), last.shape)
    assert len(images) > 15 and brightest is not None
    moved = np.argwhere(np.abs(last - first) > 200)
    assert moved[:, 1].min() < 110 and moved[:, 1].max() > 120, "from the left to the right"
