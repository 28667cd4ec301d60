"""`python -m rose_ad`: explain, and the schedule."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import pytest

import rose_ad as ra
from rose_ad.cli import main

MODEL = """
import rose_ad as ra

@ra.struct
class State:
    at: ra.Vec[3, ra.Real]
    count: ra.Int

@ra.fn
def energy(x, k):
    ra.exp(k)
    return ra.sum(x * x) * k

@ra.fn
def typed(s: State, y: ra.Real, n: ra.Int = 3):
    return ra.sum(s.at) * y * n

def plain(x=2.0):
    return x * x

@ra.fn
def wrong(x: ra.Real):
    return 1.0 if x > 0 else 2.0

def broken(x=1.0):
    return [][3]
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "model.py").write_text(MODEL)
    monkeypatch.setattr(sys, "path", sys.path[:])
    return str(tmp_path / "model.py")


@pytest.mark.parametrize(
    ("function", "options", "shown"),
    [
        ("energy", ["--args", "np.ones(3), 2.0"], "energy, traced: dead, 11 → 9 instructions\n"),
        ("energy", ["--args", "np.ones(3), k=2.0"], "fn energy(%0: [3]F64, %1: F64) -> (F64) {"),
        ("energy", ["--args", "np.ones(3), 2.0", "--derivative", "grad"], "energy.lin.T"),
        ("energy", ["--args", "np.ones(3), k=2.0", "--derivative", "value_and_grad"], "energy.fwd"),
        ("typed", [], "fn typed(%0: [3]F64, %1: I64, %2: F64, %3: I64) -> (F64) {"),
        ("typed", ["--args", "State(np.ones(3), 2), 1.0"], "%2: F64) -> (F64) {"),
        ("typed", ["--derivative", "jvp"], "typed.jvp, derived: emitted"),
        ("typed", ["--derivative", "vjp", "--summary"], "typed.lin.T, transposed: emitted, "),
        ("plain", [], "mul %0, %0"),
    ],
)
def test_explain(
    model: str, function: str, options: list[str], shown: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(["explain", f"{model}:{function}", *options]) == 0
    out, err = capsys.readouterr()
    assert shown in out and err == "" and "\x1b" not in out
    assert ("return" in out) == ("--summary" not in options)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "COMMAND"),
        (["explain"], 2, "FILE:FUNCTION"),
        (["explain", "{}"], 2, "expected FILE:FUNCTION"),
        (["explain", "no.py:f"], 2, "there is no file no.py"),
        (["explain", "{}:f"], 2, "has no function f; it has energy, typed, wrong"),
        (["explain", "{}:energy"], 2, "the type of x, an argument of energy, is not known"),
        (["explain", "{}:energy", "--args", "1.0,,"], 2, "no arguments in Python: SyntaxError"),
        (["explain", "{}:energy", "--args", "y"], 2, "no arguments in Python: NameError"),
        (["explain", "{}:energy", "--args", "1.0"], 2, "missing a required argument: 'k'"),
        (
            ["explain", "{}:energy", "--args", "1, 2", "--derivative", "grad"],
            2,
            "no argument of floats",
        ),
        (["explain", "{}:energy", "--args", "1., k=2.", "--derivative", "jvp"], 2, "positional"),
        (["explain", "{}:energy", "--args", "1.0, 'a'"], 1, "error: "),
        (["explain", "{}:energy", "--derivative", "hessian"], 2, "invalid choice"),
        (["explain", "{}:wrong"], 1, "return 1.0 if x > 0 else 2.0"),
        (["explain", "{}:broken"], 1, "IndexError: list index out of range\n  at {}:26"),
    ],
)
def test_explain_refuses(
    model: str, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture
) -> None:
    assert main([a.replace("{}", model) for a in arguments]) == code
    out, err = capsys.readouterr()
    assert message.replace("{}", model) in err and "Traceback" not in err and out == ""


def test_a_file_that_cannot_be_run(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for k, (source, message) in enumerate(
        [
            ("1 / 0", "ZeroDivisionError"),
            ("def f(:", "SyntaxError"),
            ("import nowhere_at_all", "nowhere"),
        ]
    ):
        path = tmp_path / f"file{k}.py"
        path.write_text(source)
        assert main(["explain", f"{path}:f"]) == 1
        err = capsys.readouterr().err
        assert message in err and path.name in err and "Traceback" not in err


def test_colour_on_a_terminal_only(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    arguments = ["explain", f"{model}:energy", "--args", "np.ones(3), 2.0"]
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(arguments) == 0
    plain = capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(arguments) == 0
    coloured = capsys.readouterr().out
    assert "\x1b" in coloured and re.sub(r"\x1b\[\d+m", "", coloured) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(arguments) == 0
    assert capsys.readouterr().out == plain


def test_the_schedule_on_the_command_line(capsys: pytest.CaptureFixture) -> None:
    assert main(["schedule"]) == 0
    assert capsys.readouterr().out == f"{ra.SCHEDULE}\n"


def test_the_page_shows_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "compiler.md").read_text()
    monkeypatch.setattr(sys, "path", sys.path[:])
    (example,) = re.findall(
        r"^```python\n(import rose_ad as ra\n\n@ra.fn\n.*?)^```", page, re.S | re.M
    )
    (tmp_path / "springs.py").write_text(example)
    springs = f"{tmp_path / 'springs.py'}:energy"
    for command in (
        ["schedule"],
        ["explain", springs],
        ["explain", springs, "--derivative", "grad", "--summary"],
    ):
        assert main(command) == 0
        shown = capsys.readouterr().out.rstrip()
        assert textwrap.indent(shown, "    ") in page, command
