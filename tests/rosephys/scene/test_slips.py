"""A scene's author who slips is told so: class, method, line, what came and what was wanted."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from rosephys.command.cli import main
from tests.support.slips import Slip, optional_slips, scene, slips, torn

SEED, SOME, MANY = 0, 60, 2000
COMMANDS = (("optimize", "--picture", "ends.png"), ("record", "--out", "walk.png"), ("check",))


def drawn(count: int) -> list[Slip]:
    """A choice of all slips, three quarters of them from the families."""
    families = random.Random(SEED).sample(list(slips()), 3 * count // 4)
    return families + [torn(seed) for seed in range(count - len(families))]


def told(slip: Slip, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a slip; "" for one that does no harm."""
    Path("walk.py").write_text(slip.text, encoding="utf-8")
    code = main([command[0], "./walk.py", *command[1:]])
    out, err = capsys.readouterr()
    assert code in (0, 1, 2), (slip.what, code)
    for word in ("report it", "Traceback"):
        assert word not in out + err, f"{slip.member}, {slip.what}:\n{out}{err}"
    return err if code and "FAILED" not in out else ""


def check(slip: Slip, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> bool:
    """Whether a slip is refused; the first line then says whose it is, and where."""
    err = told(slip, command, capsys)
    if not err:
        return False
    first = next(line for line in err.splitlines() if line.startswith("error: "))
    if "is not finite" in first or "the loss is" in first:
        return True  # a motion that is no motion: where it began is said in words of its own
    assert re.search(r"walk\.py:\d+$|defines no scene", first), f"{slip.member}, {slip.what}: {err}"
    if slip.member and "SyntaxError" not in first:
        assert re.match(r"error: (Walk|State)(\.\w+)?: ", first), f"{slip.what}: {err}"
    return True


def test_the_scene_itself_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        assert told(Slip("", "", scene()), command, capsys) == ""


def test_some_slips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = [check(s, COMMANDS[k % 3], capsys) for k, s in enumerate(drawn(SOME))]
    assert sum(refused) > SOME // 2


def test_some_slips_of_methods_that_may_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    some = random.Random(SEED).sample(list(optional_slips()), 45)
    refused = [check(s, COMMANDS[k % 3], capsys) for k, s in enumerate(some)]
    assert sum(refused) > len(some) // 2


@pytest.mark.slow
def test_two_thousand_slips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    many = [*drawn(MANY), *optional_slips()]
    refused = [check(s, COMMANDS[k % 3], capsys) for k, s in enumerate(many)]
    assert sum(refused) > MANY // 2
