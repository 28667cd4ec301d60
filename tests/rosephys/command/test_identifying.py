"""The command `identify`: what it prints and writes, and what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rosephys import Problem, find_scene
from rosephys.command.cli import main
from rosephys.files.values import load


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """A throw that was measured, of restitution 0.7."""
    truth = Problem(find_scene("bounce", {"restitution": 0.7}))
    noise = 0.01 * np.random.default_rng(0).standard_normal((201, 2))
    rows = np.column_stack([0.01 * np.arange(201), truth.trajectory({}).position + noise])
    path = tmp_path / "seen.csv"
    np.savetxt(path, rows, delimiter=",", header="time,position.0,position.1", comments="")
    return path


def test_a_fit_is_printed_drawn_and_kept(
    seen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot, out = tmp_path / "left.png", tmp_path / "fit.npz"
    words = ["--fit", "restitution,radius,height", "--hold-out", "0.25"]
    assert (
        main(["identify", "bounce", str(seen), *words, "--plot", str(plot), "--out", str(out)]) == 0
    )
    said, progress = capsys.readouterr()
    assert "95 % interval" in said and "held out" in said and f"wrote {plot}" in progress
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert load(out)["restitution"] == pytest.approx(0.7, abs=0.01)
    assert main(["record", "bounce", "--load", str(out), "--out", str(tmp_path / "m.npz")]) == 0


def test_all_of_it_is_one_json_object(seen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identify", "bounce", str(seen), "--fit", "restitution,goal", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    restitution = found["estimates"][0]
    assert restitution["low"] < 0.7 < restitution["high"]
    assert [c["names"] for c in found["confounded"]] == [["goal.0"], ["goal.1"]]
    assert found["estimates"][1]["low"] is None and found["columns"][0]["noise"] < 0.02


def test_a_motion_of_record_is_fitted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    motion = str(tmp_path / "motion.npz")
    setting = ["--set", "restitution=0.65", "--set", "height=1.2", "--iterations", "0"]
    assert main(["record", "bounce", *setting, "--out", motion]) == 0
    capsys.readouterr()
    assert main(["identify", "bounce", motion, "--fit", "restitution", "--json"]) == 0
    (estimate,) = json.loads(capsys.readouterr().out)["estimates"]
    assert estimate["value"] == pytest.approx(0.65, abs=1e-9)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--fit", "mass"], "bounce has no field 'mass'"),
        (["--fit", "steps"], "steps is the int"),
        (["--fit", "height", "--of", "speed"], "the state of bounce has no 'speed'"),
        (["--fit", "height", "--of", "velocity.0"], "seen.csv has no column 'velocity.0'"),
        (["--fit", "height", "--set", "steps=100"], "the motion from 0 to 1: --set steps=200"),
        (["--fit", "height", "--out", "a.json"], "wanted a file that ends in .npz"),
        (["--fit", "height", "--plot", "a.gif"], "wanted a file that ends in .png"),
        (["--fit", "height", "--hold-out", "1"], "a part from 0 to below 1"),
        (["--fit", ","], "name a field or more"),
    ],
)
def test_what_cannot_be_is_told(
    seen: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["identify", "bounce", str(seen), *words]) == 2
    assert told in capsys.readouterr().err


def test_columns_of_another_scene_are_told(seen: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identify", "pendulum", str(seen), "--fit", "gravity"]) == 2
    assert "has no column that is a part of the state of pendulum" in capsys.readouterr().err


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_a_part_of_the_state_of_another_length_is_told(
    tmp_path: Path, rows: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what is no part of it, and no column, is nobody's concern."""
    path, times = tmp_path / "a.npz", 0.01 * np.arange(201)
    arrays = {"position.0": times, "position.1": np.ones(rows), "gains": np.ones(3)}
    np.savez(path, time=times, **arrays)
    assert main(["identify", "bounce", str(path), "--fit", "restitution"]) == 2
    assert f"position.1 has {rows} numbers for 201 times" in capsys.readouterr().err
