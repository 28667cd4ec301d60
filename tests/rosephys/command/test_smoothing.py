"""Smoothed gradients, schedules and clipping from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rosephys.command.cli import main

SHORT = ("--set", "steps=60")


def test_a_smoothed_gradient_is_shown_with_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradient", "bounce", *SHORT, "--smooth", "0.1"]) == 0
    assert "standard error" in capsys.readouterr().out
    assert main(["gradient", "bounce", *SHORT, "--smooth", "0.1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["smoothed"]["gradient"]["height"] == pytest.approx(
        found["gradient"]["height"], rel=0.3
    )
    assert found["smoothed"]["error"]["height"] > 0


def test_a_run_goes_on_with_its_schedule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(tmp_path / "run"))
    how = ("--iterations", "5", "--schedule", "cosine", "--clip", "0.5")
    assert main(["optimize", "bounce", *SHORT, *how, *out, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["schedule"] == "cosine" and first["clip"] == 0.5
    assert main(["optimize", "bounce", *out, "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["losses"] == first["losses"]
    assert main(["optimize", "bounce", *out, "--resume", "--iterations", "9"]) == 2
    assert "has a schedule, over 5 iterations" in capsys.readouterr().err


def test_what_cannot_be_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", "bounce", "--schedule", "cosin"]) == 2
    assert "did you mean cosine" in capsys.readouterr().err
    assert main(["optimize", "bounce", "--optimizer", "lbfgs", "--schedule", "cosine"]) == 2
    assert "a schedule is of gd" in capsys.readouterr().err
