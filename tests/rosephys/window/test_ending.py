"""The panel says what a solve came to, and its button does what may help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, find_scene
from rosephys.command.cli import main
from rosephys.sdl import pygame
from rosephys.solve.outcome import Help, Outcome
from rosephys.window.ending import LABELS, label
from rosephys.window.session import Phase, Session
from rosephys.window.viewer import Window
from tests.support.window import FRAME, ThrowProblem, advanced_to, mouse, turn

STUCK = {"goal": "1.2,0.52", "cushions": "off"}


@pytest.fixture
def display() -> Iterator[None]:
    pygame.display.init()
    pygame.display.set_mode((1200, 720))
    yield
    pygame.display.quit()


def told(window: Window) -> Outcome:
    """What the window says once it knows."""
    for _ in range(4000):
        session = window.session
        assert session.settle(60.0)
        window.frame(FRAME)
        assert window.views.settle(60.0)
        if session.phase is Phase.PLAYING and session.outcome is not None:
            return session.outcome
    raise AssertionError(window.session.phase)


def opened(name: str, settings: dict[str, str] | None = None) -> Window:
    problem = Problem(find_scene(name, settings or {}))
    scene = problem.scene
    return Window(Session(problem, scene.iterations, scene.rate, scene.optimizer))


@pytest.mark.parametrize(
    ("name", "settings", "states", "help_options"),
    [
        ("billiards", STUCK, {"stuck"}, {"starts"}),
        ("billiards", {"cue_velocity": "0,1"}, {"nothing to find"}, {"starts"}),
        ("bounce", {}, {"arrived"}, {None}),
        # its walk is chaotic: which of them it is the last digits say
        ("robot", {}, {"jumped", "stuck"}, {"rate", "starts", "optimizer"}),
    ],
)
def test_the_window_says_what_the_command_says(
    name: str,
    settings: dict[str, str],
    states: set[str],
    help_options: set[str | None],
    display: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    window = opened(name, settings)
    try:
        found = told(window)
        assert found.state in states
        assert (found.help.option if found.help else None) in help_options
        window.frame(FRAME)
        assert bool(window.panel.help) is (found.help is not None)
    finally:
        window.close()
    chosen = [part for pair in settings.items() for part in ("--set", "=".join(pair))]
    assert main(["optimize", name, *chosen]) == 0
    out = capsys.readouterr().out
    assert found.state in out and found.sentence.split(",")[0] in out


def test_the_button_tries_other_starts(display: None) -> None:
    window = opened("billiards", STUCK)
    try:
        first = told(window)
        loss = min(window.session.losses)
        window.frame(FRAME)
        place = window.panel.help.center
        turn(window, mouse(pygame.MOUSEMOTION, place), mouse(pygame.MOUSEBUTTONDOWN, place))
        assert window.session.outcome is None and window.session.starts == 8
        turn(window, mouse(pygame.MOUSEBUTTONUP, place))
        assert first.state == "stuck" and told(window) is not first
        assert min(window.session.losses) < 0.1 * loss
        values = window.session.values
        assert window.session.problem.loss(values) == min(window.session.losses)
        window.session.take_help()
        assert window.session.seed == 1, "others than those that were tried"
        assert window.session.undo() == "solve again"
    finally:
        window.close()


def failed(hint: Help) -> Session:
    session = advanced_to(Session(ThrowProblem(), 20, 0.2, "gd"), Phase.PLAYING)
    session.outcome = Outcome("stuck", "it is", hint)
    return session


def test_what_each_help_does() -> None:
    session = failed(Help("iterations", "40"))
    there: Any = session.values["speed"].copy()
    session.take_help()
    assert session.iterations == session.asked == 40
    np.testing.assert_array_equal(session.values["speed"], there)
    session = failed(Help("rate", "0.05"))
    session.take_help()
    assert session.rate == 0.05
    assert session.values["speed"].tolist() == [0.1, 0.0], "from the beginning"
    session = failed(Help("optimizer", "adam"))
    session.take_help()
    assert session.optimizer == "adam" and session.phase is not Phase.PLAYING
    session = failed(Help("starts", "8"))
    session.take_help()
    assert session.starts == 8 and session.asked == 8 * 21 - 1
    advanced_to(session, Phase.PLAYING)
    assert len(session.losses) >= 8 * 21 and len(session.descent) <= 22


def test_nothing_is_done_where_nothing_helps() -> None:
    session = advanced_to(Session(ThrowProblem(), 20, 0.2, "gd"), Phase.PLAYING)
    session.take_help()
    assert session.phase is Phase.PLAYING


def test_every_help_has_a_label() -> None:
    for option in LABELS:
        assert "7" in label(Help(option, "7"))  # type: ignore[arg-type]
