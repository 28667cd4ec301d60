"""Runs from the command line: killed at any moment and resumed they end with the same bytes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys import load_sweep
from rosephys.command.cli import main
from rosephys.files.evaluations import Evaluations
from rosephys.files.run import BEST, EVALUATIONS, LAST, METRICS, RUN, read_run

ROOT = Path(__file__).parents[3]
SCENE = """\
from tests.support.control import {kind}

class Here({kind}):
    \"\"\"Come to rest at 1.\"\"\"
"""
SAME = (BEST, LAST, METRICS, EVALUATIONS, RUN, "here.npz")
HOW = {
    "adam": "Cart",
    "lbfgs": "Cart",
    "ddp": "Cart",
    "cma-es": "Cart",
    "multi-start": "Cart",
    "slsqp": "Slow",
    "augmented-lagrangian": "Slow",
}

KILLS = int(os.environ.get("KILLS", "8"))  # moments at which it is killed


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("here.py").write_text(SCENE.format(kind="Cart"))
    return tmp_path


def optimize(*more: str, out: str = "run") -> int:
    return main(
        ["optimize", "./here.py", "--iterations", "12", "--rate", "0.5", "--out", out, *more]
    )


def kept(folder: str) -> dict[str, bytes]:
    return {name: (Path(folder) / name).read_bytes() for name in SAME}


@pytest.mark.parametrize("optimizer", HOW)
@pytest.mark.parametrize("starts", ["1", "3"])
def test_a_run_that_was_torn_anywhere_is_completed_to_the_bit(optimizer: str, starts: str) -> None:
    """Both files only grow, so what a kill leaves is a beginning of each, and a hidden file."""
    Path("here.py").write_text(SCENE.format(kind=HOW[optimizer]))
    how = ("--optimizer", optimizer, "--starts", starts)
    assert optimize(*how) == 0
    whole = kept("run")
    draw = random.Random(f"{optimizer} {starts}")
    for _ in range(3):
        shutil.rmtree("torn", ignore_errors=True)
        Path("torn").mkdir()
        share = draw.random()
        for name in (EVALUATIONS, METRICS):
            data = whole[name]
            Path("torn", name).write_bytes(data[: int(share * draw.uniform(0.9, 1) * len(data))])
        Path("torn", RUN).write_bytes(whole[RUN].replace(b'"finished"', b'"running"'))
        Path("torn", ".last.7.part.npz").write_bytes(b"torn")
        assert optimize("--resume", out="torn") == 0
        assert kept("torn") == whole
        assert not list(Path("torn").glob(".*"))


def long(optimizer: str) -> list[str]:
    """What is typed for a run that takes some time."""
    return [
        "optimize",
        "./here.py",
        "--iterations",
        "400",
        "--rate",
        "0.5",
        "--optimizer",
        optimizer,
    ]


def killed(words: list[str], moment: int) -> None:
    """Begin a run in `run`, and kill it when its list of iterates has as many bytes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rosephys", *words, "--out", "run"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    path = Path("run", METRICS)
    while process.poll() is None and not (path.exists() and path.stat().st_size >= moment):
        time.sleep(0.0002)
    process.send_signal(signal.SIGKILL)
    process.wait()


def check_whole() -> str:
    """That no file in `run` is half of one but for a last line; gives the state of the run."""
    for path in Path("run").glob("[!.]*.npz"):
        with np.load(path, allow_pickle=False) as found:
            assert all(np.isfinite(found[name]).all() for name in found.files if name == "force")
    for line in Path("run", METRICS).read_text().splitlines(keepends=True):
        assert json.loads(line) if line.endswith("\n") else True
    state: str = json.loads(Path("run", RUN).read_text())["state"]
    return state


def kill_and_resume(optimizers: list[str], times: int) -> None:
    """So many kills, each of which meets a run that goes on."""
    draw, met = random.Random(5), 0
    wholes = {}
    for name in optimizers:
        shutil.rmtree("whole", ignore_errors=True)
        assert main([*long(name), "--out", "whole"]) == 0
        wholes[name] = kept("whole")
    for k in range(5 * times):
        name = optimizers[k % len(optimizers)]
        shutil.rmtree("run", ignore_errors=True)
        killed(long(name), draw.randrange(len(wholes[name][METRICS])))
        met += check_whole() == "running"
        assert main(["optimize", "./here.py", "--out", "run", "--resume"]) == 0
        assert kept("run") == wholes[name]
        assert not list(Path("run").glob(".*"))
        if met == times:
            return
    pytest.fail(f"only {met} of {5 * times} kills met a run that went on")


def test_a_run_that_is_killed_and_resumed_ends_with_the_same_bytes() -> None:
    kill_and_resume(["adam", "multi-start"], 2)


@pytest.mark.slow
def test_so_it_does_at_many_moments() -> None:
    kill_and_resume(["adam", "normalized", "multi-start", "cma-es"], KILLS)


def test_a_run_is_not_begun_over_one_that_has_not_ended(capsys: pytest.CaptureFixture[str]) -> None:
    assert optimize() == 0
    assert optimize() == 0  # what has ended may be made again
    path = Path("run", RUN)
    path.write_text(path.read_text().replace('"finished"', '"interrupted"'))
    capsys.readouterr()
    before = kept("run")
    assert optimize() == 2
    said = "run has a run of here that has not ended: --resume goes on with it, another --out keeps both"
    assert said in capsys.readouterr().err and kept("run") == before


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            ["--rate", "0.25"],
            "was begun with --rate 0.5, not 0.25: leave it out, or take another --out",
        ),
        (["--optimizer", "gd"], "was begun with --optimizer lbfgs, not gd"),
        (["--iterations", "3"], "was begun with 12 iterations, not 3"),
        (["--set", "miss=3"], "was begun with other values; take another --out"),
        (["--starts", "2"], "was begun with --starts 1, not 2"),
    ],
)
def test_a_run_goes_on_as_it_was_begun(
    typed: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert optimize() == 0
    before = kept("run")
    capsys.readouterr()
    assert main(["optimize", "./here.py", "--out", "run", "--resume", *typed]) == 2
    assert said in capsys.readouterr().err and kept("run") == before


def test_a_scene_that_has_changed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert optimize() == 0
    Path("here.py").write_text(SCENE.format(kind="Cart") + "\n    clip = 2.0\n")
    assert main(["optimize", "./here.py", "--out", "run", "--resume"]) == 2
    assert "is not what it was when the run in run was begun" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["optimize", "./here.py", "--resume"],
            "--resume goes on with a run: name its folder, --out DIR",
        ),
        (["optimize", "./here.py", "--out", "none", "--resume"], "none has no run to go on with"),
        (["runs", "none"], "there is no folder none"),
        (["compare", "none"], "none has no run in it"),
        (
            ["compare", "none", "--out", "a.jpg"],
            "a.jpg: a plot is a .png, or a .csv of its numbers",
        ),
        (["replay", "none"], "none has no run in it"),
    ],
)
def test_what_cannot_be_is_told(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_more_iterations_go_on_from_where_it_ended() -> None:
    assert optimize("--optimizer", "adam") == 0
    first = kept("run")
    assert main(["optimize", "./here.py", "--out", "run", "--resume", "--iterations", "30"]) == 0
    more = kept("run")
    assert more[METRICS].startswith(first[METRICS]) and more[EVALUATIONS].startswith(
        first[EVALUATIONS]
    )
    assert len(read_run(Path("run")).rows) == 31
    assert main(["optimize", "./here.py", "--iterations", "30", "--rate", "0.5", "--optimizer", "adam",
                 "--out", "whole"]) == 0  # fmt: skip
    assert kept("whole") == more


def test_ctrl_c_keeps_the_best_and_can_be_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    from rosephys.files.evaluations import Recorded

    assert optimize("--optimizer", "adam", out="whole") == 0
    plain, asked = Recorded.value_and_gradient, 0

    def interrupting(self: Recorded, values: object) -> object:
        nonlocal asked
        asked += 1
        if asked == 6:
            raise KeyboardInterrupt
        return plain(self, values)  # type: ignore[arg-type]

    monkeypatch.setattr(Recorded, "value_and_gradient", interrupting)
    assert optimize("--optimizer", "adam") == 130
    kept_run = read_run(Path("run"))
    assert kept_run.begun["state"] == "interrupted" and len(kept_run.rows) == 5
    with np.load(Path("run", BEST)) as best:
        assert best["force"].any()
    assert main(["optimize", "./here.py", "--out", "run", "--resume"]) == 0
    assert kept("run") == kept("whole")


class Full:
    """A file on a disk that has room for 1000 bytes; the write that does not fit is cut short."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        fits: int = self._file.write(data[: max(1000 - self._file.tell(), 0)])
        return fits

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_disk_that_gets_full_stops_it_and_what_was_found_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Evaluations.__init__

    def full(self: Evaluations, path: Path) -> None:
        plain(self, path)
        self._file = Full(self._file)  # type: ignore[assignment]

    with monkeypatch.context() as patch:
        patch.setattr(Evaluations, "__init__", full)
        assert optimize("--optimizer", "adam") == 1
    err = capsys.readouterr().err
    assert "run/evaluations.bin: no space left on device; the result is that of iteration" in err
    assert read_run(Path("run")).begun["state"] == "stopped" and Path("run", "here.npz").exists()
    assert main(["optimize", "./here.py", "--out", "run", "--resume"]) == 0
    assert read_run(Path("run")).begun["state"] == "finished"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_told_before_the_solving(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("run").mkdir(mode=0o500)
    assert optimize() == 1
    assert "cannot be written: permission denied" in capsys.readouterr().err


def test_runs_are_listed_and_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert optimize("--optimizer", "adam", out="runs/a") == 0
    assert optimize(out="runs/b") == 0
    capsys.readouterr()
    assert main(["runs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["runs"]
    assert [row["folder"] for row in found] == ["runs/a", "runs/b"]
    assert [row["optimizer"] for row in found] == ["adam", "lbfgs"]
    assert found[0]["iterates"] == 13 and found[0]["loss"] == min(read_run(Path("runs/a")).losses)
    assert main(["runs", "runs"]) == 0
    assert "runs/a  here   adam       13 iterates  finished" in capsys.readouterr().out
    assert main(["compare", "runs/a", "runs/b", "--out", "both.csv"]) == 0
    rows = Path("both.csv").read_text().splitlines()
    assert rows[0].endswith("a,b") and len(rows) == 14
    assert float(rows[1].split(",")[1]) == float(rows[1].split(",")[2])
    assert main(["compare", "runs/a", "runs/b", "--out", "both.png", "--theme", "light"]) == 0
    assert Path("both.png").read_bytes().startswith(b"\x89PNG")


def test_sweeps_are_listed_beside_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "./here.py", "--starts", "40", "--chunk", "10", "--out", "runs/s"]) == 0
    table = load_sweep("runs/s")
    capsys.readouterr()
    assert main(["runs", "runs"]) == 0
    out = capsys.readouterr().out
    assert "runs/s  here   40 of 40 rows  finished" in out and f"{table['loss'].min():.6g}" in out
    assert optimize(out="runs/a") == 0
    torn = json.loads(Path("runs/s/sweep.json").read_text())
    Path("runs/s/sweep.json").write_text(json.dumps({**torn, "state": "running"}))
    for path in Path("runs/s").glob("table.*"):
        path.unlink()
    Path("runs/s/chunks").mkdir()
    capsys.readouterr()
    assert main(["runs", "runs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["folder"] for row in found["runs"]] == ["runs/a"]
    assert [(row["kept"], row["loss"]) for row in found["sweeps"]] == [(0, None)]


def test_a_run_that_cannot_be_read_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c"):
        assert optimize(out=f"runs/{name}") == 0
    assert main(["sweep", "./here.py", "--starts", "4", "--out", "runs/s"]) == 0
    Path("runs/a", RUN).write_text("{")
    Path("runs/b", METRICS).write_text("no row\n")
    Path("runs/s/sweep.json").write_text("null")
    capsys.readouterr()
    assert main(["runs", "runs"]) == 0
    said = capsys.readouterr()
    assert "runs/c" in said.out and "runs/a" not in said.out
    for words in ("runs/a/run.json cannot be read", "runs/b/metrics.jsonl:1 is no row", "runs/s"):
        assert f"warning: {words}" in said.err


def test_another_file_in_the_place_of_the_evaluations_changes_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert optimize("--optimizer", "adam") == 0
    before = kept("run")
    path = Path("run", EVALUATIONS)
    path.write_bytes(b"a text of somebody else")
    again = ["optimize", "./here.py", "--out", "run", "--resume", "--iterations", "14"]
    assert main(again) == 2
    assert "without that file the run goes on" in capsys.readouterr().err
    path_of_run = Path("run", RUN)
    assert path_of_run.read_bytes() == before[RUN]
    path.unlink()
    assert main(again) == 0


def test_a_run_that_came_to_nothing_is_said_to_have_stopped_and_may_be_begun_anew(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert optimize("--set", "miss=1e308", "--set", "steps=5") == 1
    assert json.loads(Path("run", RUN).read_text())["state"] == "stopped"
    assert optimize() == 0


@pytest.mark.parametrize("words", [["optimize"], ["sweep", "--starts", "2"], ["plot"], ["record"]])
def test_an_empty_path_is_not_the_folder_one_is_in(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a variable of the shell that is not set."""
    before = sorted(folder.iterdir())
    assert main([words[0], "./here.py", *words[1:], "--out", ""]) == 2
    assert "expected a path, got ''" in capsys.readouterr().err
    assert sorted(folder.iterdir()) == before


def test_no_runs_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    assert "no runs below ." in capsys.readouterr().err


def test_a_run_is_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    assert optimize("--set", "miss=100") == 0
    best = read_run(Path("run")).best
    assert best is not None
    capsys.readouterr()
    assert main(["replay", "run", "--headless", "--out", "motion.npz"]) == 0
    with np.load("motion.npz") as found:
        assert found["loss"] == best["loss"] and found["values/miss"] == 100
    assert "warning" not in capsys.readouterr().err


@pytest.mark.parametrize("settings", [[], ["--set", "miss=100"]])
def test_a_replay_in_a_scene_that_has_changed_warns(
    settings: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert optimize(*settings) == 0
    best = read_run(Path("run")).best
    assert best is not None
    Path("here.py").write_text(
        SCENE.format(kind="Cart")
        + "    def loss(self, final):\n        return 2 * super().loss(final)\n"
    )
    capsys.readouterr()
    assert main(["replay", "run", "--headless", "--out", "motion.npz"]) == 0
    told = capsys.readouterr().err
    assert "warning: ./here.py is not what it was when the run in run was begun" in told
    assert f"whose best loss was {best['loss']:.6g}" in told
    with np.load("motion.npz") as found:
        assert found["loss"] != best["loss"]
