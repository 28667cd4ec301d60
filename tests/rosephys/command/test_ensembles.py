"""Ensembles from the command line: what is printed, how a run goes on, and what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rosephys.command.cli import main

ASKED = ("--ensemble", "6", "--spread", "restitution=normal:0.05", "--risk", "cvar:0.5")
FEW = ("--set", "steps=120", "--iterations", "4")


def test_the_losses_of_the_members_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", "bounce", *ASKED, *FEW]) == 0
    assert "the losses of 6 members; the loss is their cvar:0.5" in capsys.readouterr().out
    assert main(["optimize", "bounce", *ASKED, *FEW, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    members = found["ensemble"]
    assert members["members"] == 6 and members["risk"] == "cvar:0.5"
    assert members["best"] < members["mean"] < found["loss"] < members["worst"]


def test_a_gradient_of_an_ensemble_agrees_with_differences(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["gradient", "bounce", *ASKED, "--set", "steps=120", "--check"]) == 0
    assert "agree" in capsys.readouterr().out


def test_a_run_goes_on_with_its_ensemble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(tmp_path / "run"))
    assert main(["optimize", "bounce", *ASKED, *FEW, *out, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["optimize", "bounce", *out, "--resume", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["losses"] == first["losses"] and again["ensemble"] == first["ensemble"]
    other = (*ASKED[:-1], "worst")
    assert main(["optimize", "bounce", *other, *FEW, *out, "--resume"]) == 2
    assert "another ensemble" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("--ensemble", "0", "--spread", "goal=normal:1"), "members, not 0"),
        (("--ensemble", "4"), "nothing varies in bounce"),
        (("--ensemble", "4", "--spread", "goal=normal:1", "--risk", "bad"), "a risk is"),
        (("--ensemble", "4", "--spread", "steps=normal:1"), "steps is the int"),
        (("--ensemble", "4", "--spread", "goal=gauss:1"), "wanted goal=normal:0.1"),
        (("--ensemble", "4", "--spread", "goal=normal:-1"), "a number above 0, not -1.0"),
        (("--ensemble", "4", "--spread", "goal=normal:x"), "could not convert"),
        (("--risk", "worst"), "--risk is of an ensemble"),
        (("--spread", "goal=normal:1"), "--spread is of an ensemble"),
    ],
)
def test_what_cannot_be_is_told(
    typed: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimize", "bounce", *typed]) == 2
    assert words in capsys.readouterr().err
