"""The time line, the keys and the command that shows a scene again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys.command.arguments import parser
from rosephys.command.cli import RUNS, _problem
from rosephys.command.solving import replaying
from rosephys.drawing.palette import colour
from rosephys.scene.fields import parameter
from rosephys.scene.finding import find_scene
from rosephys.scene.scene import Scene
from rosephys.sdl import pygame
from rosephys.solve.problem import Problem
from rosephys.window.card import KEYS
from rosephys.window.reload import Source
from rosephys.window.reproduce import command
from rosephys.window.session import Phase, Session
from rosephys.window.timeline import span
from rosephys.window.viewer import Window
from tests.support.window import key, mouse, played, session, turn


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Window]:
    """A window that plays, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((900, 600), pygame.RESIZABLE)
    yield played(Window(session()))
    pygame.display.quit()


def on_line(window: Window, share: float) -> tuple[float, float]:
    left, right, y = span(window.canvas, window.unit)
    return left + share * (right - left), y


def test_the_time_line_is_dragged(window: Window) -> None:
    a = window.session
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, on_line(window, 0.25)))
    assert window.scrubbing and a.paused and a.index == pytest.approx(25, abs=1)
    for share, index in ((0.7, 70), (2.0, 100), (-1.0, 0), (0.4, 40)):
        before = turn(window)
        after = turn(window, mouse(pygame.MOUSEMOTION, on_line(window, share)))
        assert a.index == pytest.approx(index, abs=1)
        assert (before[:, :600] != after[:, :600]).any(axis=2).sum() > 100, "the stone moves"
    turn(window, mouse(pygame.MOUSEBUTTONUP, (300, 300)))
    turn(window, mouse(pygame.MOUSEMOTION, on_line(window, 0.9)), frames=5)
    assert not window.scrubbing and a.index == pytest.approx(40, abs=1), "it stays there"
    turn(window, key(pygame.K_SPACE), frames=5)
    assert a.index > 42, "and goes on"


def test_the_time_line_is_no_handle_and_not_there_while_solving(window: Window) -> None:
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, on_line(window, 0.5) - np.array([0, 60])))
    assert not window.scrubbing
    turn(window, key(pygame.K_r))
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, on_line(window, 0.5)))
    assert not window.scrubbing and window.session.phase is Phase.SOLVING


def test_arrow_keys_walk_through_the_motion(window: Window) -> None:
    a = window.session
    turn(window, key(pygame.K_HOME))
    assert a.index == 0 and a.paused
    for code, mod, index in (
        (pygame.K_RIGHT, 0, 1),
        (pygame.K_RIGHT, pygame.KMOD_LSHIFT, 11),
        (pygame.K_LEFT, 0, 10),
        (pygame.K_END, 0, 100),
        (pygame.K_RIGHT, 0, 100),
        (pygame.K_LEFT, pygame.KMOD_RSHIFT, 90),
        (pygame.K_HOME, 0, 0),
        (pygame.K_LEFT, 0, 0),
    ):
        turn(window, pygame.event.Event(pygame.KEYDOWN, key=code, mod=mod, unicode=""))
        assert a.index == index


def test_only_arrow_keys_repeat_while_they_are_held(window: Window) -> None:
    turn(window, key(pygame.K_RIGHT))
    assert pygame.key.get_repeat()[1] > 0
    for code in (pygame.K_s, pygame.K_SPACE, pygame.K_h):
        turn(window, key(pygame.K_LEFT), key(code))
        assert pygame.key.get_repeat() == (0, 0)


def test_every_step_can_be_gone_to() -> None:
    a = session()
    a.phase, a._motion = Phase.PLAYING, object()  # type: ignore[assignment]
    for dt in (0.01, 0.1, 1 / 3, 0.007):
        a.problem.values["dt"] = np.array(dt)
        a.problem.dt = dt  # type: ignore[misc]
        for index in range(a.problem.steps + 1):
            a.go_to(index)
            assert a.index == index


def test_h_shows_the_keys_and_hides_them(window: Window) -> None:
    turn(window, key(pygame.K_HOME))
    before = turn(window, frames=3)
    shown = turn(window, key(pygame.K_h))
    x, y = window.canvas.center
    changed = (before != shown).any(axis=2)[:, : window.canvas.right]
    assert (shown[y, x - 150 : x + 150] == colour("panel")).all(axis=1).sum() > 100
    assert 0.2 < changed.mean() < 0.7
    np.testing.assert_array_equal(turn(window, key(pygame.K_h)), before)


def test_s_writes_what_is_seen_and_loses_no_file(window: Window, tmp_path: Path) -> None:
    seen = turn(window, key(pygame.K_HOME), frames=2)
    turn(window, key(pygame.K_s))
    assert window.note == "wrote throw-1.png"
    turn(window, key(pygame.K_s))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["throw-1.png", "throw-2.png"]
    written = pygame.surfarray.array3d(pygame.image.load(tmp_path / "throw-1.png"))
    np.testing.assert_array_equal(written.swapaxes(0, 1), seen)


def test_s_where_nothing_can_be_written_says_so(window: Window, monkeypatch: Any) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", full)
    turn(window, key(pygame.K_s))
    assert window.note == "no picture: throw-1.png cannot be written: disk full" and window.open


def parsed(line: str) -> tuple[Problem, int]:
    """What a command line opens, and with how many iterations."""
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "rosephys"]
    arguments = parser(RUNS).parse_args(words[3:])
    problem = _problem(arguments)
    return problem, replaying(problem, arguments)["iterations"]


def test_c_prints_a_command_that_shows_the_same(window: Window, capsys: Any) -> None:
    problem = Problem(find_scene("billiards", {"layers": "2", "steps": "300"}))
    window.session = Session(problem, 20, 0.002, "gd")
    window.source = Source("billiards", lambda: (problem, {}))
    turn(window, frames=40)
    window.session.grab(window.session.values["goal"], 0.1)
    window.session.drag((0.7123456789, 0.5))
    window.session.release()
    turn(window, frames=100)
    turn(window, key(pygame.K_c))
    assert "command is" in window.note
    line = capsys.readouterr().out.strip()
    again, iterations = parsed(line)
    assert iterations == 0 and again.scene.layers == 2 and again.steps == 300  # type: ignore[attr-defined]
    for name, value in window.session.values.items():
        np.testing.assert_array_equal(again.values[name], value)
    assert "restitution" not in line, "what is as it was declared is not repeated"


class Long(Scene):
    """Many numbers."""

    many: Any = parameter(np.zeros(100), "numbers")
    word: str = parameter("a", "a word")


def test_many_numbers_go_to_a_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    scene = Long(word="two words")
    assert "--set 'word=two words'" in command("long", scene, scene.live)
    for number in (1, 2):
        line = command("./my long.py", scene, scene.live | {"many": np.arange(100.0)})
        assert shlex.split(line)[4:] == ["./my long.py", "--load", f"my long-{number}.npz"]
    from rosephys.files.values import load

    found = load(Path("my long-2.npz"))
    np.testing.assert_array_equal(found["many"], np.arange(100.0))
    assert found["word"] == "two words"


def test_a_single_step_back_and_forth(window: Window) -> None:
    a = window.session
    turn(window, key(pygame.K_HOME))
    a.problem.steps = 1000  # type: ignore[misc]  # of which an arrow key goes through ten at once
    for code, index in ((pygame.K_PERIOD, 1), (pygame.K_PERIOD, 2), (pygame.K_RIGHT, 12)):
        turn(window, key(code))
        assert a.index == index and a.paused
    for code, index in ((pygame.K_COMMA, 11), (pygame.K_HOME, 0), (pygame.K_COMMA, 0)):
        turn(window, key(code))
        assert a.index == index


def test_the_speed_is_changed_and_shown(window: Window) -> None:
    a = window.session

    def played_in(frames: int) -> float:
        turn(window, key(pygame.K_HOME), key(pygame.K_SPACE))
        begin = a.time
        turn(window, frames=frames)
        return a.time - begin

    plain = played_in(12)
    for code, factor in (
        (pygame.K_MINUS, 0.5),
        (pygame.K_LEFTBRACKET, 0.25),
        (pygame.K_KP_MINUS, 0.125),
        (pygame.K_EQUALS, 0.25),
        (pygame.K_RIGHTBRACKET, 0.5),
        (pygame.K_PLUS, 1.0),
        (pygame.K_KP_PLUS, 2.0),
    ):
        turn(window, key(code))
        assert a.speed == factor and f"{factor:g}" in window.note
        assert played_in(12) == pytest.approx(factor * plain, rel=0.01)
    for _ in range(12):
        turn(window, key(pygame.K_PLUS))
    assert a.speed == 16
    fast = turn(window, key(pygame.K_HOME))[:, window.canvas.right :]
    a.change_speed(-4)
    assert a.speed == 1 and (turn(window)[:, window.canvas.right :] != fast).any(), (
        "the panel says it"
    )


def test_the_key_list_names_every_key() -> None:
    named = " ".join(key for key, _ in KEYS)
    for word in ("Space", "Left", "Home", "Ctrl Z", "Wheel", "Drag", "Esc", ",", ".", "+", "−"):
        assert word in named
    for letter in "ROTSCH":
        assert f" {letter} " in f" {named} "


@pytest.mark.parametrize("size", [(800, 500), (2400, 1440), (640, 330)])
def test_the_key_list_fits_its_window(window: Window, size: tuple[int, int]) -> None:
    pygame.display.set_mode(size, pygame.RESIZABLE)
    before = turn(window, key(pygame.K_HOME), frames=2)
    changed = (turn(window, key(pygame.K_h)) != before).any(axis=2)
    rows = np.flatnonzero(changed[:, : window.canvas.right].any(axis=1))
    assert rows[0] > 0 and rows[-1] < size[1] - 1
