"""The command `mpc` without a window: what it says, writes, and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rosephys.command.cli import main

SHORT = ("--seconds", "1.5", "--budget-ms", "200", "--push", "rate=0.5")


def test_it_says_how_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mpc", "balance", *SHORT, "--headless"]) == 0
    assert "90 frames of 0.01667 s" in capsys.readouterr().out
    assert main(["mpc", "balance", *SHORT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (
        found["frames"] == 90 and found["budget_ms"] == 200 and found["rate"] == pytest.approx(60)
    )
    assert found["last_cost"] < found["worst_cost"]


def test_controls_are_written(tmp_path: Path) -> None:
    out = tmp_path / "driven.csv"
    assert main(["mpc", "balance", *SHORT, "--out", str(out)]) == 0
    assert out.read_text().splitlines()[0] == "time,force,plan loss,plan seconds"
    assert np.loadtxt(out, delimiter=",", skiprows=1).shape == (90, 4)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["balance", "--push", "rat=1"], "has no 'rat' to push; did you mean rate"),
        (["balance", "--push", "rate=hard"], "--push rate=hard: wanted a number"),
        (["balance", "--out", "a.gif"], "is written as a .csv"),
        (["bounce"], "needs controls with a row for each step"),
    ],
)
def test_what_cannot_be_is_told(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mpc", *words, "--headless"]) == 2
    assert told in capsys.readouterr().err
