"""Sweeps from Python: every row is what a problem says of it alone, by any executor, in memory or kept."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import random
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, Scene, SceneError, SweepError, control, load_sweep, parameter, sweep
from rosephys.solve.optimize import descend
from rosephys.sweeps.job import job, unpacked
from rosephys.sweeps.kept import CHUNKS, SWEEP
from rosephys.sweeps.points import points
from rosephys.sweeps.sweep import computed, keeping
from rosephys.sweeps.table import MARK
from tests.support.control import Rest
from tests.support.scenes import Lob, Place

GRID = {"goal.0": np.linspace(0.2, 0.8, 5), "lift": [0.0, 0.1, 0.3]}
ASKED: dict[str, Any] = {
    "vary": GRID, "between": {"goal.1": (0.1, 0.9)}, "samples": 3, "starts": 4, "chunk": 16,
}  # fmt: skip


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return list(a) == list(b) and all(a[n].tobytes() == b[n].tobytes() for n in a)


def value(table: dict[str, Any], k: int) -> dict[str, Any]:
    """The values that row k was computed at."""
    named = {n: table[n][k] for n in table}
    return {
        "goal": np.array([named["goal.0"], named["goal.1"]]),
        "lift": named["controls.lift"],
        "velocity": np.array([named["controls.velocity.0"], named["controls.velocity.1"]]),
    }


def test_each_row_is_what_the_problem_says() -> None:
    problem = Problem(Lob())
    table = sweep(problem, **ASKED)
    assert len(table["loss"]) == 5 * 3 * 3 * 4
    assert table["start"].tolist() == [0, 1, 2, 3] * 45
    for k in range(len(table["loss"])):
        loss, gradient = problem.value_and_gradient(value(table, k))
        length = np.sqrt(sum(np.vdot(g, g) for g in gradient.values()))
        assert table["loss"][k] == pytest.approx(loss, rel=1e-13)
        assert table["gradient"][k] == pytest.approx(length, rel=1e-13)
    assert (table["controls.lift"] == table["lift"]).all()  # which is varied, whatever the start
    assert set(table["outcome"]) == {"evaluated"}


@pytest.mark.parametrize("optimizer", ["gd", "momentum", "normalized", "adam"])
def test_each_descent_is_that_of_its_own(optimizer: str) -> None:
    problem = Problem(Lob())
    how: dict[str, Any] = {"iterations": 7, "optimizer": optimizer, "rate": 0.03}
    before = sweep(problem, **ASKED)
    table = sweep(problem, **ASKED, **how)
    for k in range(0, len(table["loss"]), 11):
        iterates = list(descend(problem, values=value(before, k), **how))
        best = min(iterates, key=lambda i: i.loss)
        assert table["loss"][k] == pytest.approx(best.loss, rel=1e-10, abs=1e-15)
        assert table["controls.velocity.0"][k] == pytest.approx(
            best.values["velocity"][0], rel=1e-10
        )


def test_gradients_are_clipped_each_for_itself() -> None:
    class Clipped(Lob):
        clip = 0.1

    problem = Problem(Clipped())
    how: dict[str, Any] = {"iterations": 5, "optimizer": "gd", "rate": 0.1}
    before, table = sweep(problem, **ASKED), sweep(problem, **ASKED, **how)
    for k in (0, 17, 91):
        best = min(descend(problem, values=value(before, k), **how), key=lambda i: i.loss)
        assert table["loss"][k] == pytest.approx(best.loss, rel=1e-10)


def test_what_became_of_a_descent() -> None:
    table = sweep(Problem(Lob()), starts=64, iterations=200, optimizer="gd", rate=0.4)
    assert set(table["outcome"]) == {"arrived"} and table["loss"].max() < 1e-6
    table = sweep(Problem(Lob()), starts=64, iterations=8, optimizer="gd", rate=0.02)
    assert "not there yet" in set(table["outcome"])
    table = sweep(Problem(Lob()), starts=64, iterations=8, optimizer="gd", rate=1.5)
    assert "jumped" in set(table["outcome"])


# ---- By any executor ----


class OneByOne(Executor):
    """The plainest of all."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Backwards(Executor):
    """What is asked last is answered first."""

    def __init__(self) -> None:
        self.asked: list[tuple[Future[Any], Any, Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.asked.append((future, fn, args))
        if len(self.asked) == 12:  # of ASKED
            for future_, fn_, args_ in reversed(self.asked):
                future_.set_result(fn_(*args_))
        return future


@pytest.mark.parametrize("executor", [OneByOne, Backwards, lambda: ThreadPoolExecutor(3)])
def test_any_executor_gives_the_same_bits(executor: Callable[[], Executor]) -> None:
    problem = Problem(Lob())
    with executor() as workers:
        assert same(sweep(problem, **ASKED), sweep(problem, **ASKED, executor=workers))


def test_processes_give_the_same_bits() -> None:
    """The program travels as IR: this scene is of no module that could be imported there."""

    class Here(Lob):
        def loss(self, final: Place) -> Any:
            return ra.sin(final.at[0] - self.goal[0]) + (final.at[1] - self.goal[1]) ** 2

    problem = Problem(Here())
    how: dict[str, Any] = {**ASKED, "iterations": 3, "optimizer": "adam"}
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as workers:
        assert same(sweep(problem, **how), sweep(problem, **how, executor=workers))


def test_a_task_is_small() -> None:
    problem = Problem(Lob())
    work = job(problem, points(problem.scene, GRID, {}, None, 4, 0))
    assert len(work.packed) < 8000
    assert unpacked(work.packed) is unpacked(bytes(bytearray(work.packed)))


class Dies(Executor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if args[0] < 5:
            future.set_result(fn(*args))
        else:
            future.set_exception(BrokenProcessPool("a process was killed"))
        return future


def test_where_a_pool_breaks_the_rest_is_done_later(tmp_path: Path) -> None:
    problem = Problem(Lob())
    with pytest.raises(SweepError, match="a worker has died: a process was killed"):
        sweep(problem, **ASKED, executor=Dies(), out=tmp_path)
    assert json.loads((tmp_path / SWEEP).read_text())["state"] == "stopped"
    assert len(load_sweep(tmp_path)["loss"]) == 5 * 16
    found = sweep(problem, **ASKED, out=tmp_path, resume=True)
    assert same(found, sweep(problem, **ASKED))


# ---- In a folder ----


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("parquet", [True, False])
def test_what_is_kept_is_what_is_given(
    parquet: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if parquet:
        pytest.importorskip("pyarrow")
    else:
        monkeypatch.setattr("rosephys.sweeps.table.parquet_is_there", lambda: False)
    problem = Problem(Lob())
    found = sweep(problem, **ASKED, out=tmp_path)
    assert same(found, sweep(problem, **ASKED)) and same(found, load_sweep(tmp_path))
    assert set(files(tmp_path)) == {SWEEP, "table.parquet" if parquet else "table.npz"}
    if not parquet:
        with np.load(tmp_path / "table.npz", allow_pickle=False) as table:
            assert int(table[MARK]) == 1


def test_a_sweep_that_was_torn_anywhere_is_completed_to_the_bit(tmp_path: Path) -> None:
    """A kill leaves some chunks, in any order, files with hidden names, or the table and the chunks."""
    problem, whole, torn = Problem(Lob()), tmp_path / "whole", tmp_path / "torn"
    sweep(problem, **ASKED, out=whole)
    kept: dict[str, bytes] = {}

    def remember(done: int, total: int) -> None:
        kept.update(files(torn))

    sweep(problem, **ASKED, out=torn, progress=remember)
    draw = random.Random(5)
    begun = kept[SWEEP]
    chunks = {name: data for name, data in kept.items() if name.endswith(".npy")}
    assert len(chunks) == 12
    for k in range(12):
        shutil.rmtree(torn)
        (torn / CHUNKS).mkdir(parents=True)
        (torn / SWEEP).write_bytes(begun)
        for name in draw.sample(sorted(chunks), k):
            (torn / CHUNKS / name).write_bytes(chunks[name])
        (torn / CHUNKS / ".000003.7.part.npy").write_bytes(b"torn")
        (torn / ".table.7.part.parquet").write_bytes(b"torn")
        if k == 5:  # as no kill would leave it, but a bad disk
            (torn / CHUNKS / "000002.npy").write_bytes(chunks["000002.npy"][:-9])
        if k == 6:
            (torn / CHUNKS / "000001.npy").write_bytes(b"nonsense")
        if k == 7:  # killed as the chunks were going
            for path in whole.glob("table.*"):
                shutil.copy(path, torn)
        sweep(problem, **ASKED, out=torn, resume=True)
        assert files(torn) == files(whole)
        assert not list(torn.rglob(".*")) and not (torn / CHUNKS).exists()


def test_only_what_is_missing_is_computed(tmp_path: Path) -> None:
    problem = Problem(Lob())
    with pytest.raises(SweepError):
        sweep(problem, **ASKED, executor=Dies(), out=tmp_path)
    told: list[tuple[int, int]] = []
    sweep(problem, **ASKED, out=tmp_path, resume=True, progress=lambda *n: told.append(n))
    assert told[0] == (80, 180) and len(told) == 1 + 7 and told[-1] == (180, 180)
    told.clear()
    sweep(problem, **ASKED, out=tmp_path, resume=True, progress=lambda *n: told.append(n))
    assert told == [(180, 180)]


def test_a_sweep_that_has_not_ended_is_not_begun_anew(tmp_path: Path) -> None:
    problem = Problem(Lob())
    with pytest.raises(SweepError):
        sweep(problem, **ASKED, executor=Dies(), out=tmp_path)
    with pytest.raises(SceneError, match="a sweep of lob that has not ended"):
        sweep(problem, **ASKED, out=tmp_path)
    sweep(problem, **ASKED, out=tmp_path, resume=True)
    sweep(problem, **{**ASKED, "starts": 1}, out=tmp_path)  # one that has is replaced
    assert len(load_sweep(tmp_path)["loss"]) == 45


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"starts": 5}, "begun otherwise: points "),
        ({"seed": 5}, "begun otherwise: points "),
        ({"iterations": 3}, "begun otherwise: how "),
        ({"chunk": 17}, "begun otherwise: chunk "),
        ({"vary": {"goal.0": [0.5]}}, "begun otherwise: points "),
    ],
)
def test_it_does_not_go_on_as_another(other: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(SweepError):
        sweep(Problem(Lob()), **ASKED, executor=Dies(), out=tmp_path)
    with pytest.raises(SceneError, match=f"was {said}"):
        sweep(Problem(Lob()), **{**ASKED, **other}, out=tmp_path, resume=True)
    with pytest.raises(SceneError, match="was begun otherwise: values"):
        sweep(Problem(Lob(dt=0.2)), **ASKED, out=tmp_path, resume=True)
    with pytest.raises(SceneError, match="was begun otherwise: settings"):
        sweep(Problem(Lob(steps=11)), **ASKED, out=tmp_path, resume=True)


def test_folders_without_a_sweep(tmp_path: Path) -> None:
    problem = Problem(Lob())
    with pytest.raises(SceneError, match="has no sweep to go on with"):
        sweep(problem, **ASKED, out=tmp_path, resume=True)
    with pytest.raises(SceneError, match="has no sweep in it"):
        load_sweep(tmp_path / "nowhere")
    for text, said in {
        "{": "cannot be read: it is no sweep",
        "[]": "is no sweep of rosephys",
        '{"format": "rosephys-run"}': "is no sweep of rosephys",
        '{"format": "rosephys-sweep", "version": 2}': "is of version 2; this rosephys knows 1",
        '{"format": "rosephys-sweep", "version": 1}': "has no scene that could be",
    }.items():
        (tmp_path / SWEEP).write_text(text)
        with pytest.raises(SceneError, match=said):
            load_sweep(tmp_path)


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"sweep.json cannot be written"):
        sweep(Problem(Lob()), **ASKED, out=tmp_path / "file")


def test_a_full_disk_names_the_file_and_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that has room for five chunks, and for nothing after."""
    problem, save, chunks = Problem(Lob()), np.save, []

    def full(file: Any, rows: Any, **how: Any) -> None:
        if len(chunks) == 5:
            file.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        chunks.append(rows)
        save(file, rows, **how)

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", full)
        with pytest.raises(OSError, match=r"No space left on device: '.*\.npy'"):
            sweep(problem, **ASKED, out=tmp_path, executor=OneByOne())
    assert json.loads((tmp_path / SWEEP).read_text())["state"] == "stopped"
    assert len(list((tmp_path / CHUNKS).iterdir())) == 5
    found = sweep(problem, **ASKED, out=tmp_path, resume=True)
    assert same(found, sweep(problem, **ASKED))


def test_ctrl_c_leaves_what_is_there(tmp_path: Path) -> None:
    problem = Problem(Lob())

    def press(done: int, total: int) -> None:
        if done > 32:
            raise KeyboardInterrupt

    work = job(problem, points(problem.scene, GRID, {}, None, 4, 0), chunk=16)
    with pytest.raises(KeyboardInterrupt), keeping(problem, work, tmp_path, False) as kept:
        computed(work, kept, OneByOne(), press)
    assert json.loads((tmp_path / SWEEP).read_text())["state"] == "interrupted"
    assert len(load_sweep(tmp_path)["loss"]) >= 32


# ---- What cannot be swept, and what is not finite ----


def test_what_cannot_be_swept() -> None:
    with pytest.raises(SceneError, match="not by lbfgs"):
        sweep(Problem(Lob()), iterations=3, optimizer="lbfgs")
    with pytest.raises(SceneError, match="has constraints, and adam keeps none"):
        sweep(Problem(Rest()), iterations=3, optimizer="adam")
    assert np.isfinite(sweep(Problem(Rest()), starts=3)["loss"]).all()


class Still(Scene):
    """Nothing to be moved."""

    place: float = parameter(1.0, "where")

    def initial(self) -> Place:
        return Place(ra.array([self.place, 0.0]))

    def step(self, state: Place, t: Any) -> Place:
        return state

    def loss(self, final: Place) -> Any:
        return final.at[0]


def test_a_scene_without_controls_has_no_gradient() -> None:
    with pytest.raises(SceneError, match="still has no controls, and so no gradient"):
        sweep(Problem(Still()), vary={"place": [1.0, 2.0]})
    with pytest.raises(SceneError, match="still has no controls, and so one start, not 3"):
        sweep(Problem(Still()), starts=3)


class Well(Scene):
    """The root of how deep, looked up in a table that is not as long as the plane."""

    steps: int = parameter(1, "number of time steps")
    deep: float = parameter(1.0, "what the root is taken of")
    row: float = parameter(0.0, "which row is looked up")
    push: float = control(1.0, "what is multiplied")

    def initial(self) -> Place:
        return Place(ra.array([self.push, 0.0]))

    def step(self, state: Place, t: Any) -> Place:
        return state

    def loss(self, final: Place) -> Any:
        table = ra.array([1.0, 2.0, 3.0])
        return table[ra.to_int(self.row)] * final.at[0] ** 2 * ra.sqrt(self.deep)


def test_one_row_that_is_not_finite_harms_no_other() -> None:
    table = sweep(Problem(Well()), vary={"deep": [4.0, -1.0, 9.0]}, iterations=3, rate=0.1)
    assert table["outcome"].tolist() == ["not there yet", "not finite", "arrived"]
    assert np.isnan(table["loss"]).tolist() == [False, True, False]


def test_one_row_that_leaves_its_table_harms_no_other() -> None:
    table = sweep(Problem(Well()), vary={"row": [0.0, 5.0, 2.0]})
    assert table["outcome"].tolist() == ["evaluated", "not finite", "evaluated"]
    assert table["loss"].tolist()[::2] == [1.0, 3.0] and table["gradient"].tolist()[::2] == [2, 6]
