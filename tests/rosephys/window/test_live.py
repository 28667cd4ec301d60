"""A scene that is controlled in a window: keys push, hold and begin again; a frame is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys import Problem, find_scene
from rosephys.sdl import pygame
from rosephys.solve.closed_loop import ClosedLoop
from rosephys.window.live import Live


@pytest.fixture(scope="module")
def loop() -> ClosedLoop:
    return ClosedLoop(Problem(find_scene("balance")), 1000.0, sweeps=2)


def press(live: Live, key: int) -> None:
    live.handle(pygame.event.Event(pygame.KEYDOWN, key=key, mod=0))


def test_keys_push_hold_and_begin_again(loop: ClosedLoop) -> None:
    pygame.font.init()
    live, surface = Live(loop, {"rate": 0.5}), pygame.Surface((640, 400), 0, 32)
    start = loop.problem.initial({})
    live.frame(surface)
    assert np.asarray(pygame.surfarray.array3d(surface)).std() > 1
    before = loop.state.rate.copy()
    press(live, pygame.K_RIGHT)
    np.testing.assert_allclose(loop.state.rate - before, 0.5)
    press(live, pygame.K_LEFT)
    np.testing.assert_allclose(loop.state.rate, before)
    held = loop.state.rate.copy()
    press(live, pygame.K_SPACE)
    live.frame(surface)
    np.testing.assert_array_equal(loop.state.rate, held)
    press(live, pygame.K_r)
    np.testing.assert_array_equal(loop.state.place, start.place)
    press(live, pygame.K_ESCAPE)
    assert not live.open


def test_a_motion_that_is_lost_is_told_and_begins_again(loop: ClosedLoop) -> None:
    pygame.font.init()
    live, surface = Live(loop, {}), pygame.Surface((640, 400), 0, 32)
    loop.push("rate", [np.nan, 0.0])
    live.frame(surface)
    assert "the loss is nan" in live.message
    press(live, pygame.K_r)
    live.frame(surface)
    assert not live.message and live.last is not None


def test_closing_the_window_ends_it(loop: ClosedLoop) -> None:
    live = Live(loop, {})
    live.handle(pygame.event.Event(pygame.QUIT))
    assert not live.open
