"""What is shown on a terminal while something takes long, and what is not."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from rosephys import console
from rosephys.console import Bar, bar_line, progress, working


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, term: str = "xterm") -> None:
    """Standard error is one, of 80 columns."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", "80")


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def awaited(capsys: pytest.CaptureFixture[str], text: str) -> str:
    """What is told until this is, which a thread may take its time for."""
    shown, end = "", time.monotonic() + 60
    while text not in shown:
        assert time.monotonic() < end, shown
        time.sleep(0.02)
        shown += told(capsys)
    return shown


@pytest.mark.parametrize("width", [1, 10, 20, 39, 40, 80, 200])
@pytest.mark.parametrize(
    "note", ["", "loss 1.0e-3", "judging the gradient of a scene that is long"]
)
@pytest.mark.parametrize("done", [0, 7, 10_000])
def test_a_bar_fits(width: int, note: str, done: int) -> None:
    line = bar_line(done, 10_000, note, width)
    assert len(line) <= width
    if width >= 39:
        assert f"{done}/10000" in line
    if width == 200:
        assert line.count("━") + line.count("─") == console.BAR and line.endswith(note)


def test_the_terminal_says_how_wide(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    on_a_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "40")
    Bar(200).show(100, "loss 1.000e-03, and a note that has no room")
    shown = told(capsys).removeprefix("\r").removesuffix("\x1b[K")
    assert "100/200" in shown and len(shown) < 40


def test_a_dumb_terminal_gets_lines_and_no_escape_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    on_a_terminal(monkeypatch, "dumb")
    monkeypatch.setattr(console, "DUMB", 0.05)
    monkeypatch.setattr(console, "SILENT", 0.0)
    bar = Bar(3)
    for done in range(4):
        bar.show(done, "loss")
    bar.clear()
    with working("compiling"):
        shown = awaited(capsys, "compiling … 0 s\n")
    shown += told(capsys)
    assert "\x1b" not in shown and "\r" not in shown
    assert "3/3  loss\n" in shown


def test_a_stage_is_named_once_it_takes_long(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    on_a_terminal(monkeypatch)
    with working("quick"):
        pass
    assert told(capsys) == ""
    monkeypatch.setattr(console, "SILENT", 0.0)
    with working("compiling") as name:
        awaited(capsys, "\rcompiling … ")
        name("compiling the limits")
        awaited(capsys, "\rcompiling the limits … ")
    assert told(capsys).endswith("\r\x1b[K")


def test_nothing_is_shown_where_nobody_watches(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "SILENT", 0.0)
    with working("compiling") as name, progress() as show:
        name("checking")
        show("drawing", 1, 2)
        time.sleep(0.3)
    assert told(capsys) == ""


def test_nothing_is_left_running(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), working("compiling"):
        raise KeyboardInterrupt
    assert threading.active_count() == before
