"""A scene's file that changes while the window is open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
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
from rosephys.window.reload import Source
from rosephys.window.session import Phase, Session
from rosephys.window.viewer import Window
from tests.rosephys.window.test_background import SCENE
from tests.support.window import FRAME, advanced_to

GOOD = SCENE.replace("STEP", "return state")
saves = count(1)


def save(path: Path, text: str) -> None:
    """Write the file, at a time that no earlier one was written at."""
    path.write_text(text)
    stamp = 10**18 + next(saves) * 10**6  # within the same second, as an editor may
    os.utime(path, ns=(stamp, stamp))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "faulty.py"
    save(file, GOOD)
    return file


@pytest.fixture
def window(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """A window of a scene in a file, solved."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((900, 600), pygame.RESIZABLE)

    def load() -> tuple[Problem, dict[str, Any]]:
        how = {"iterations": 20, "rate": 0.3, "optimizer": "gd"}
        return Problem(find_scene(str(path))), how

    problem, how = load()
    made = Window(Session(problem, **how), Source(str(path), load))
    advanced_to(made.session, Phase.PLAYING)
    yield made
    made.close()
    pygame.display.quit()


def until(window: Window, done: Callable[[], bool]) -> None:
    """Frames until something is so."""
    begin = perf_counter()
    while not done():
        assert perf_counter() - begin < 10, "it takes too long"
        window.frame(FRAME)
        sleep(0.001)


def reloaded(window: Window) -> Session:
    before = window.session
    until(window, lambda: window.session is not before)
    return window.session


def message(window: Window) -> str:
    assert window._reloader is not None
    return window._reloader.message


def drag_goal(window: Window, place: tuple[float, float]) -> None:
    session = window.session
    assert session.grab(session.values["goal"], 0.1)
    session.drag(place)
    session.release()
    advanced_to(session, Phase.PLAYING)


def test_a_change_is_followed_and_fields_keep_their_values(window: Window, path: Path) -> None:
    drag_goal(window, (0.2, 0.9))
    changed = GOOD.replace("0.05", "0.09").replace(
        "    x = control", "    y: float = 3.0\n    x = control"
    )
    save(path, changed)
    session = reloaded(window)
    np.testing.assert_allclose(session.values["goal"], (0.2, 0.9))
    np.testing.assert_allclose(session.values["x"], (0.2, 0.9), atol=1e-3)
    picture = session.picture()
    assert picture is not None and picture.shapes[0].radii == 0.09  # type: ignore[union-attr]
    session.restart()
    np.testing.assert_allclose(session.values["x"], (0.4, 0.4))


def test_a_default_that_was_changed_counts(window: Window, path: Path) -> None:
    drag_goal(window, (0.2, 0.9))
    save(path, GOOD.replace("(0.5, 0.5)", "(0.6, 0.5)"))
    np.testing.assert_allclose(reloaded(window).values["goal"], (0.6, 0.5))


def test_values_are_brought_within_bounds_and_lost_fields_are_no_matter(
    window: Window, path: Path
) -> None:
    drag_goal(window, (0.2, 0.9))
    bounded = GOOD.replace('"where to", ', '"where to", bounds=(0.0, 0.7), ')
    save(path, bounded)
    np.testing.assert_allclose(reloaded(window).values["goal"], (0.2, 0.7))
    lost = bounded.replace("self.goal", "ra.array([0.1, 0.1])").replace("    goal =", "    #")
    save(path, lost)
    session = reloaded(window)
    assert "goal" not in session.values and not session.handles
    advanced_to(session, Phase.PLAYING)
    np.testing.assert_allclose(session.values["x"], (0.1, 0.1), atol=1e-3)


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        (GOOD.replace("return state", "return state +"), "SyntaxError", "return state +"),
        (GOOD.replace("return state", "return stat"), "NameError", "return stat"),
        (GOOD + "\nraise SystemExit(1)\n", "SystemExit", "raise SystemExit(1)"),
        (GOOD.replace("dot(miss, miss)", "dot(miss, 1)"), "dot", "return ra.dot(miss, 1)"),
        ("x = 1\n", "defines no scene", ""),
    ],
)
def test_an_error_is_shown_with_its_line_and_the_scene_goes_on(
    window: Window, path: Path, text: str, says: str, line: str
) -> None:
    before = window.session
    save(path, text)
    until(window, lambda: bool(message(window)))
    assert says in message(window) and window.session is before
    if line:
        number = text.split("\n").index(next(t for t in text.split("\n") if line in t)) + 1
        assert f"faulty.py:{number}" in message(window)
    time = before.time
    window.frame(FRAME)
    assert before.phase is Phase.PLAYING and before.time != time, "it plays"
    image = pygame.surfarray.array3d(pygame.display.get_surface())
    assert (image == colour("bad")).all(axis=2).sum() > 100
    save(path, GOOD.replace("0.05", "0.08"))
    reloaded(window)
    assert not message(window)


def test_a_file_that_never_ends_does_not_stop_the_window_nor_the_next(
    window: Window, path: Path
) -> None:
    import rosephys

    rosephys.hanging = True  # type: ignore[attr-defined]
    save(path, "import rosephys, time\nwhile rosephys.hanging: time.sleep(0.01)\n")
    try:
        assert window._reloader is not None
        until(window, lambda: window._reloader is not None and window._reloader.busy)
        save(path, GOOD.replace("0.05", "0.07"))
        picture = reloaded(window).picture()
    finally:
        del rosephys.hanging  # type: ignore[attr-defined]
    assert picture is not None and picture.shapes[0].radii == 0.07  # type: ignore[union-attr]


def test_saving_twice_in_a_second_shows_the_second(window: Window, path: Path) -> None:
    for radius in ("0.06", "0.07", "0.08"):
        save(path, GOOD.replace("0.05", radius))
        picture = reloaded(window).picture()
        assert picture is not None and picture.shapes[0].radii == float(radius)  # type: ignore[union-attr]


def test_nothing_is_taken_from_under_a_hand(window: Window, path: Path) -> None:
    session = window.session
    session.grab(session.values["goal"], 0.1)
    save(path, GOOD.replace("0.05", "0.07"))
    for _ in range(60):
        window.frame(FRAME)
        sleep(0.002)
    assert window.session is session
    session.release()
    reloaded(window)


def test_a_file_that_is_gone_for_a_moment_is_waited_for(window: Window, path: Path) -> None:
    path.unlink()
    for _ in range(20):
        window.frame(FRAME)
    assert not message(window)
    save(path, GOOD.replace("0.05", "0.07"))
    reloaded(window)
