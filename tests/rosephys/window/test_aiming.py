"""Any circle of the picture is taken by the hand, at any moment of the time line."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from rosephys.scene.circles import circle
from rosephys.scene.finding import find_scene
from rosephys.sdl import pygame
from rosephys.solve.problem import Problem
from rosephys.window.aiming import unmoved
from rosephys.window.session import Phase, Session
from rosephys.window.viewer import Window
from tests.support.window import FRAME, key, mouse, turn

STEP = 150


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """Billiards, solved and stopped while the cue ball runs, on a display that nobody sees."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((900, 600), pygame.RESIZABLE)
    problem = Problem(find_scene("billiards", {"steps": "400", "layers": "2"}))
    found = Window(Session(problem, 5, 0.01, "adam"))
    for _ in range(600):
        turn(found)
        if found.session.phase is Phase.PLAYING:
            break
    found.session.go_to(STEP)
    turn(found, frames=2)
    yield found
    found.close()
    pygame.display.quit()


def at(window: Window, which: int) -> np.ndarray:
    """The pixel of a circle."""
    picture = window.session.picture()
    assert picture is not None
    return np.asarray(window.transform.to_screen(circle(picture, which)[0]))


def pulled(window: Window, by: tuple[float, float], which: int = 0) -> np.ndarray:
    """Take a circle and pull it; where the hand then is."""
    begin = at(window, which)
    turn(window, mouse(pygame.MOUSEMOTION, begin), mouse(pygame.MOUSEBUTTONDOWN, begin))
    for k in range(1, 7):
        turn(window, mouse(pygame.MOUSEMOTION, begin + np.array(by) * k / 6))
    turn(window, frames=2)
    return begin + np.array(by)


def test_a_ball_in_motion_follows_the_hand_and_stays_there(window: Window) -> None:
    before = {n: window.session.values[n].copy() for n in window.session.problem.controls}
    hand = pulled(window, (24, -12))
    session = window.session
    assert session.pulling and session.aim and session.index == session.aim.step == STEP
    assert np.hypot(*(at(window, 0) - hand)) < 2.5, "it is where the hand is"
    turn(window, mouse(pygame.MOUSEBUTTONUP, hand), frames=4)
    assert not session.holding and session.phase is Phase.PLAYING and session.paused
    assert session.index == STEP and np.hypot(*(at(window, 0) - hand)) < 2.5
    turn(window, key(pygame.K_z, pygame.KMOD_CTRL), frames=30)
    for name, value in before.items():
        np.testing.assert_allclose(session.values[name], value, rtol=1e-12)
    assert session.aim is None


def test_what_plays_goes_on_from_the_moment_that_was_held(window: Window) -> None:
    window.session.paused = False
    hand = pulled(window, (10, 6))
    held = window.session.index
    turn(window, frames=10)
    assert window.session.index == held, "it stands while it is held"
    turn(window, mouse(pygame.MOUSEBUTTONUP, hand), frames=12)
    assert window.session.phase is Phase.PLAYING and window.session.index > held


def test_solving_again_is_for_the_goal_of_the_scene(window: Window) -> None:
    hand = pulled(window, (24, -12))
    turn(window, mouse(pygame.MOUSEBUTTONUP, hand), frames=4)
    turn(window, key(pygame.K_r), frames=3)
    session = window.session
    assert session.aim is None and session.losses[0] > 1e-3
    session.grab(session.values["goal"], 0.01)
    assert session.dragging == "goal" and not session.pulling, "a handle comes before a circle"


def test_a_circle_says_that_it_can_be_taken(window: Window) -> None:
    plain = turn(window)
    turn(window, mouse(pygame.MOUSEMOTION, at(window, 0)))
    assert window.over == 0 and window.hover is None
    assert (turn(window) != plain).any(axis=2).sum() > 50, "there is a ring about it"
    turn(window, mouse(pygame.MOUSEMOTION, (450, 20)))
    assert window.over is None


def test_what_no_control_moves_says_so(window: Window) -> None:
    window.session.go_to(0)
    turn(window, frames=2)
    before = {n: v.copy() for n, v in window.session.values.items()}
    pulled(window, (30, 30), which=2)
    assert unmoved(window.session)
    for name in window.session.problem.controls:
        np.testing.assert_array_equal(window.session.values[name], before[name])


@pytest.mark.parametrize("far", [(5000.0, 4000.0), (-1e6, 0.0)])
def test_a_hand_that_goes_out_of_the_window_throws_nothing_away(
    window: Window, far: tuple[float, float]
) -> None:
    session = window.session
    centre = circle(session.picture(), 0)[0]
    assert session.grab(centre, 0.01)
    for share in (0.1, 0.5, 1.0):
        session.drag(np.multiply(far, share))
        session.advance(FRAME)
        session.settle(30.0)
    session.release()
    session.settle(30.0)
    session.advance(FRAME)
    session.receive()
    assert session.phase is Phase.PLAYING and not session.message
    assert all(np.isfinite(v).all() for v in session.values.values())
    assert session.picture() is not None
