"""The command `sweep`: what it keeps and prints, killed at any moment, and what is said of what cannot be."""

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

import numpy as np
import pytest

from rosephys import load_sweep
from rosephys.command.cli import main
from rosephys.command.sweeping import rate_and_rest
from rosephys.sweeps.kept import SWEEP
from tests.support.commands import HERE, SCENE

ASKED = ["--vary", "goal.0=0.5:1:7", "--starts", "20", "--iterations", "40", "--chunk", "4"]

KILLS = int(os.environ.get("KILLS", "8"))  # moments at which it is killed


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("walk.py").write_text(SCENE, encoding="utf-8")
    return tmp_path


def sweep(*more: str) -> int:
    return main(["sweep", "./walk.py", *ASKED, *more])


def kept(folder: str) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()
    }


def test_what_is_kept_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert sweep() == 0
    out, err = capsys.readouterr()
    assert out.startswith("140 rows in ") and "arrived" in out
    head, *rows = out.splitlines()[2:]
    assert head.split() == ["start", "goal.0", "loss", "gradient", "outcome"]
    assert len(rows) == 5
    assert err.splitlines()[-1].startswith("wrote walk-sweep/table.")
    table = load_sweep("walk-sweep")
    assert list(table)[:2] == ["start", "goal.0"] and len(table["loss"]) == 140
    assert float(rows[0].split()[2]) == pytest.approx(table["loss"].min(), rel=1e-5)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert sweep("--json") == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert err == "" and out.count("\n") == 1
    assert found["rows"] == 140 and sum(found["outcomes"].values()) == 140
    assert found["best"][0]["loss"] == load_sweep("walk-sweep")["loss"].min()


def test_samples_and_grids_together() -> None:
    more = ["--vary", "dt=0.01:0.1:3:log", "--vary", "speed.1=0:1", "--samples", "5"]
    assert main(["sweep", "./walk.py", *more, "--out", "s"]) == 0
    table = load_sweep("s")
    assert np.allclose(np.unique(table["dt"]), np.geomspace(0.01, 0.1, 3))
    assert len(np.unique(table["speed.1"])) == 5
    assert (table["speed.1"] == table["controls.speed.1"]).all()


def test_ctrl_c_is_told_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rosephys.sweeps.kept import Kept

    keep, pressed = Kept.keep, []

    def press(self: Kept, k: int, rows: np.ndarray) -> None:
        keep(self, k, rows)
        pressed.append(k)
        if len(pressed) == 9:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Kept, "keep", press)
        assert sweep("--out", "torn") == 130
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "36 of 140 rows are kept in torn; --resume goes on with the rest",
        "interrupted",
    ]
    assert json.loads(Path("torn", SWEEP).read_text())["state"] == "interrupted"
    assert sweep("--out", "torn") == 2
    assert "that has not ended" in capsys.readouterr().err
    assert sweep("--out", "torn", "--resume") == sweep("--out", "whole") == 0
    assert kept("torn") == kept("whole")


MANY = [*ASKED, "--vary", "speed.1=0:1:10"]  # 350 chunks


def kill_and_resume(times: int) -> None:
    """So many kills at random numbers of chunks, each of which meets a sweep that goes on; the same bytes after
    each, and no file that is half of one."""
    command = [sys.executable, "-m", "rosephys", "sweep", "./walk.py", *MANY]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    how = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    assert main(["sweep", "./walk.py", *MANY, "--out", "whole"]) == 0
    whole = kept("whole")
    draw, met = random.Random(17), 0
    for _ in range(5 * times):
        shutil.rmtree("torn", ignore_errors=True)
        moment = draw.randrange(350)
        process = subprocess.Popen([*command, "--out", "torn"], **how)  # type: ignore[call-overload]
        chunks = Path("torn", "chunks")
        while process.poll() is None and len(list(chunks.glob("[!.]*.npy"))) < moment:
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        begun = Path("torn", SWEEP).exists()
        met += begun and json.loads(Path("torn", SWEEP).read_text())["state"] == "running"
        for path in chunks.glob("[!.]*.npy"):
            assert np.isfinite(np.load(path)).any(axis=0).all()
        again = ["--resume"] if begun else []
        assert main(["sweep", "./walk.py", *MANY, "--out", "torn", *again]) == 0
        assert kept("torn") == whole
        if met == times:
            return
    pytest.fail(f"only {met} of {5 * times} kills met a sweep that went on")


def test_killed_at_any_moment_it_ends_with_the_same_bytes() -> None:
    kill_and_resume(3)


@pytest.mark.slow
def test_so_it_does_at_many_moments() -> None:
    kill_and_resume(KILLS)


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (["--vary", "goal.0"], 2, "expected NAME=VALUE, got 'goal.0'"),
        (["--vary", "goal.0=1:0.5:4"], 2, "goal.0=1:0.5:4: a grid goes from its lower end"),
        (["--vary", "goal.0=high"], 2, "goal.0=high: expected a number, not 'high'"),
        (["--vary", "gaol.0=1"], 2, "walk has no field 'gaol'; did you mean goal?"),
        (["--vary", "steps=1:4:4"], 2, "steps shapes the program of walk"),
        (["--vary", "goal.0=0:1"], 2, "goal.0 has a range to be sampled: how many samples?"),
        (["--vary", "dt=1", "--vary", "dt=2"], 2, "--vary dt is there 2 times: once"),
        (["--samples", "4"], 2, "there are samples to be drawn, but no range"),
        (["--starts", "0"], 2, "starts: wanted a whole number from 1 on, not 0"),
        (["--chunk", "0"], 2, "expected a whole number from 1 on, got '0'"),
        (["--threads", "0"], 2, "expected a whole number from 1 on, got '0'"),
        (
            ["--optimizer", "lbfgs", "--iterations", "2"],
            2,
            "by gd, momentum, normalized, adam, not",
        ),
        (["--dask", "nowhere"], 2, "nowhere is no address of a scheduler"),
        (["--dask", "local:2", "--threads", "2"], 2, "--threads are of this machine"),
        (["--dask", "127.0.0.1:1"], 1, "no Dask scheduler answers at 127.0.0.1:1"),
        (["--out", "walk.py"], 1, "sweep.json cannot be written"),
        (["--resume"], 2, "has no sweep to go on with"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be(
    typed: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "--dask" in typed and "--threads" not in typed:
        pytest.importorskip("distributed")
        monkeypatch.setattr("rosephys.sweeps.cluster.SECONDS", 0.5)
    assert main(["sweep", "./walk.py", *typed]) == code
    line = capsys.readouterr().err.splitlines()[-1]
    assert said in line and "Traceback" not in line
    assert not Path("walk-sweep", SWEEP).exists()  # nothing has begun


def test_dask_is_not_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rosephys.sweeps.cluster.find_spec", lambda name: None)
    assert sweep("--dask", "local:2") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith('needs Dask, which is not installed: pip install "rosephys[cluster]"')


@pytest.mark.parametrize(
    ("done", "left", "seconds", "said"),
    [
        (0, 100, 1.0, "rows"),
        (200, 100, 1.0, "rows, 200 a second, 0:00 left"),
        (10, 1000, 1.0, "rows, 10 a second, 1:40 left"),
        (1, 100000, 1.0, "rows, 1 a second, 27:46:40 left"),
        (123456, 0, 2.0, "rows, 61,700 a second, 0:00 left"),
    ],
)
def test_rate_and_time_left(done: int, left: int, seconds: float, said: str) -> None:
    assert rate_and_rest(done, left, seconds) == said
