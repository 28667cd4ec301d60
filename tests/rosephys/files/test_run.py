"""A run in a folder: what is written, and what is said of files that cannot be of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys import SceneError
from rosephys.files.run import BEST, LAST, METRICS, RUN, Run, read_run
from rosephys.files.values import load
from rosephys.solve.iterate import Iterate
from tests.support.scenes import Lob

BEGUN: dict[str, Any] = {
    "scene": "lob",
    "settings": {},
    "how": {"iterations": 2, "optimizer": "gd"},
}


def iterate(k: int, loss: float, off: float = 0.0) -> Iterate:
    values = {**Lob().live, "lift": np.array(float(k))}
    return Iterate(k, loss, values, {"lift": np.array(3.0), "velocity": np.array([0.0, 4.0])}, off)


def run_of(folder: Path, losses: list[float]) -> Run:
    run = Run(folder, Lob(), BEGUN)
    for k, loss in enumerate(losses):
        run.note(0, iterate(k, loss))
    return run


def test_what_a_run_keeps(tmp_path: Path) -> None:
    run_of(tmp_path, [3.0, 1.0, 2.0]).finish("finished")
    kept = read_run(tmp_path)
    assert kept.begun["state"] == "finished" and kept.begun["scene"] == "lob"
    assert kept.begun["environment"].keys() == {"python", "numpy", "machine", "system"}
    assert [row["loss"] for row in kept.rows] == kept.losses == [3.0, 1.0, 2.0]
    assert kept.best == {"start": 0, "iteration": 1, "loss": 1.0, "violation": 0.0, "gradient": 5.0}
    assert load(tmp_path / BEST)["lift"] == 1.0 and load(tmp_path / LAST)["lift"] == 2.0


def test_what_violates_a_constraint_is_not_the_best(tmp_path: Path) -> None:
    run = Run(tmp_path, Lob(), BEGUN)
    run.note(0, iterate(0, -9.0, 0.5))
    run.note(0, iterate(1, 2.0, 1e-8))
    run.finish("finished")
    assert load(tmp_path / BEST)["lift"] == 1.0
    best = read_run(tmp_path).best
    assert best is not None and best["loss"] == 2.0


def test_rows_of_before_are_found_again(tmp_path: Path) -> None:
    run_of(tmp_path, [3.0, 1.0])
    with (tmp_path / METRICS).open("a") as file:
        file.write('{"start": 0, "itera')
    (tmp_path / ".best.123.part.npz").write_bytes(b"torn")
    run_of(tmp_path, [3.0, 1.0, 0.5]).finish("finished")
    assert read_run(tmp_path).losses == [3.0, 1.0, 0.5]
    assert not list(tmp_path.glob(".*"))


def test_rows_that_are_others_than_before_take_their_place(tmp_path: Path) -> None:
    run_of(tmp_path, [3.0, 1.0, 0.7]).finish("finished")
    run_of(tmp_path, [3.0, 0.9]).finish("finished")
    assert read_run(tmp_path).losses == [3.0, 0.9]


def test_what_was_found_is_not_given_up_while_it_is_found_again(tmp_path: Path) -> None:
    run_of(tmp_path, [3.0, 1.0, 0.7]).finish("finished")
    run_of(tmp_path, [3.0, 1.0]).finish("interrupted")
    assert load(tmp_path / BEST)["lift"] == 2.0 and read_run(tmp_path).losses == [3.0, 1.0, 0.7]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read: it is no run of rosephys"),
        ("[]", "is no run of rosephys"),
        ('{"format": "other"}', "is no run of rosephys"),
        ('{"format": "rosephys-run", "version": 7}', "is of version 7; this rosephys knows 1"),
        ('{"format": "rosephys-run", "version": 1}', "has no scene that could be"),
    ],
)
def test_what_is_said_of_another_run_json(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / RUN).write_text(text)
    with pytest.raises(SceneError, match=said):
        read_run(tmp_path)


@pytest.mark.parametrize("line", ["{", "[]", '{"start": 0}', '{"start": "a", "iteration": 1}', "7"])
def test_what_is_said_of_a_row_that_is_none(line: str, tmp_path: Path) -> None:
    run_of(tmp_path, [3.0]).finish("finished")
    with (tmp_path / METRICS).open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SceneError, match=r"metrics\.jsonl:2 is no row of a run"):
        read_run(tmp_path)


def test_a_folder_without_a_run_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="has no run in it; `optimize SCENE --out"):
        read_run(tmp_path)


def test_files_are_plain_json_and_arrays(tmp_path: Path) -> None:
    run_of(tmp_path, [float("nan"), 2.0]).finish("stopped")
    assert json.loads((tmp_path / RUN).read_text())["state"] == "stopped"
    best = read_run(tmp_path).best
    assert best is not None and best["loss"] == 2.0
    with np.load(tmp_path / BEST, allow_pickle=False) as found:
        assert "lift" in found.files
