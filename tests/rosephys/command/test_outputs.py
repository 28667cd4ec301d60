"""Where results go: tried before the work begins, spelt in any way, never lost; and what is told of scenes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rosephys import scene_names
from rosephys.command import cli
from rosephys.command.cli import main
from tests.support.commands import SCENE

ENDINGS = {".gif": b"GIF89a", ".png": b"\x89PNG", ".npz": b"PK"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("walk.py").write_text(SCENE, encoding="utf-8")
    Path("file").write_text("a file, not a folder")


@pytest.mark.parametrize(
    "command",
    [
        "record --out file/walk.gif",
        "record --out file/walk.npz",
        "optimize --out file",
        "optimize --out file/found",
        "optimize --picture file/ends.png",
        "landscape --out file/loss.png",
        "plot --out file/loss.png",
        "plot --out file/loss.csv",
    ],
)
def test_where_nothing_can_be_written_nothing_is_solved(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def solved(*_: object, **__: object) -> None:
        raise AssertionError("it was solved first")

    monkeypatch.setattr(cli, "solve", solved)
    name, *rest = command.split()
    assert main([name, "./walk.py", *rest]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: file/") or told.startswith("error: file:")
    assert "cannot be written: " in told and "Errno" not in told and told.count("\n") == 1


def test_a_gallery_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gallery", ".", "--out", "file/all.png"]) == 1
    assert "file/all.png cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".GIF", ".Png", ".NPZ", ".gif", ".png", ".npz"])
def test_an_ending_may_be_spelt_in_any_way(suffix: str) -> None:
    assert main(["record", "./walk.py", "--iterations", "0", "--out", f"new/folder/x{suffix}"]) == 0
    (made,) = Path("new/folder").iterdir()
    assert made.name == f"x{suffix}" and made.read_bytes().startswith(ENDINGS[suffix.lower()])


def test_what_was_found_is_kept_where_it_cannot_be_drawn(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "walk.gif")

    monkeypatch.setattr(cli, "keep", full)
    assert main(["record", "./walk.py"]) == 1
    told = capsys.readouterr()
    kept, error, *_ = told.err.splitlines()
    assert error.startswith("error: ") and "No space left on device" in error
    path = kept.rpartition(" ")[2]
    assert main(["gradient", "./walk.py", "--load", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["loss"]
    assert f"{found:.6g}" in told.out
    Path(path).unlink()


# ---- Plots ----


def test_a_plot_of_the_loss_and_of_the_state() -> None:
    assert main(["plot", "./walk.py", "--of", "loss,place,place.1", "--out", "a.PNG"]) == 0
    assert Path("a.PNG").read_bytes().startswith(b"\x89PNG")
    assert main(["plot", "./walk.py", "--of", "place", "--out", "a.csv"]) == 0
    names, *rows = Path("a.csv").read_text().splitlines()
    table = np.array([[float(x) for x in row.split(",")] for row in rows])
    assert names == "time,place.0,place.1" and table.shape == (21, 3)
    np.testing.assert_allclose(table[-1, 1:], 20 * table[1, 1:])
    assert main(["plot", "./walk.py", "--iterations", "3", "--out", "b.csv"]) == 0
    assert len(Path("b.csv").read_text().splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--of", "plase"], "walk has no 'plase' to be plotted; did you mean place?"),
        (["--of", "loss,place", "--out", "a.csv"], "a .csv has one first column"),
        (["--out", "a.jpg"], "a.jpg: a plot is a .png, or a .csv"),
    ],
)
def test_a_plot_that_cannot_be(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", "./walk.py", *arguments]) == 2
    assert said in capsys.readouterr().err


# ---- What there is ----


def test_list_has_a_line_for_each_scene(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == scene_names()
    assert all(len(line.split()) > 3 and len(line) <= 100 for line in lines)


def test_info_has_the_fields_and_how_it_is_solved(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "billiards"]) == 0
    text = capsys.readouterr().out
    for word in ("toi-velocity | toi-position", "0 to 1", "cue_velocity", "adam", "DiffTaichi"):
        assert word in text
    assert main(["info", "./walk.py", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    fields = {f["name"]: f for f in found["fields"]}
    assert fields["speed"]["role"] == "control" and fields["speed"]["unit"] == "m/s"
    assert fields["steps"]["role"] == "fixed" and fields["goal"]["value"] == [0.8, 0.3]
    assert found["solving"] == {"optimizer": "gd", "rate": 0.1, "iterations": 12}
    assert found["text"] == "Walk to the goal."


def test_info_says_what_varies(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "balance"]) == 0
    assert "at the start; in an ensemble uniform(0.3, 0.2)" in capsys.readouterr().out


def test_info_of_every_scene(capsys: pytest.CaptureFixture[str]) -> None:
    for name in scene_names():
        assert main(["info", name]) == 0, name
    assert "Error" not in capsys.readouterr().out


def test_the_fields_are_printed_where_a_name_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradient", "./walk.py", "--set", "gaol=1,2"]) == 2
    told = capsys.readouterr().err
    assert "did you mean goal?" in told and "There are dt, goal, memory, speed, steps" in told


def test_a_field_from_a_csv(capsys: pytest.CaptureFixture[str]) -> None:
    Path("goal.csv").write_text("x,y\n0.5,0.25\n")
    assert main(["gradient", "./walk.py", "--set", "goal=goal.csv", "--json"]) == 0
    other = json.loads(capsys.readouterr().out)["loss"]
    assert main(["gradient", "./walk.py", "--set", "goal=0.5,0.25", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["loss"] == other
