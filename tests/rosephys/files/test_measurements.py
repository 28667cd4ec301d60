"""Measurements from files: text, numpy's arrays, Parquet; what is none is told with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rosephys import Problem, SceneError
from rosephys.files.measurements import read_measurement
from rosephys.files.values import save_motion
from tests.support.scenes import Lob

TABLE = "time,at.0,at.1\n0,1,2\n0.1,3,\n0.2,5,nan\n"


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        "# by hand\n" + TABLE.replace("\n", "\n\n"),
        TABLE.replace(",", "; ").replace("time", "T"),
        TABLE.replace(",", "\t"),
        '"time","at.0","at.1"\n' + TABLE.partition("\n")[2],
        "\ufeff" + TABLE,
    ],
)
def test_text_has_columns_and_gaps(tmp_path: Path, text: str) -> None:
    path = tmp_path / "seen.csv"
    path.write_text(text, encoding="utf-8")
    found = read_measurement(path)
    np.testing.assert_array_equal(found.times, [0.0, 0.1, 0.2])
    np.testing.assert_array_equal(found.columns["at.0"], [1.0, 3.0, 5.0])
    np.testing.assert_array_equal(found.columns["at.1"], [2.0, np.nan, np.nan])
    assert found.source == str(path)


def test_blanks_part_numbers_too(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("t  angle\n0   1\n0.5 2\n")
    found = read_measurement(tmp_path / "a.txt")
    np.testing.assert_array_equal(found.columns["angle"], [1.0, 2.0])


def test_a_motion_that_was_recorded_is_a_measurement(tmp_path: Path) -> None:
    problem = Problem(Lob())
    save_motion(tmp_path / "motion.npz", problem, problem.values)
    found = read_measurement(tmp_path / "motion.npz")
    motion = problem.trajectory(problem.values).at
    np.testing.assert_array_equal(found.times, 0.1 * np.arange(11))
    assert list(found.columns) == ["at.0", "at.1"]
    np.testing.assert_array_equal(found.columns["at.1"], motion[:, 1])
    np.testing.assert_array_equal(found.settings["goal"], [0.5, 0.7])


def test_arrays_by_their_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", time=[0.0, 1.0], angle=[1, 2], place=np.eye(2), other=[1, 2, 3])
    found = read_measurement(tmp_path / "a.npz")
    assert list(found.columns) == ["angle", "place.0", "place.1"]
    assert found.passed_over == {"other": 3}


def test_parquet_has_columns(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(pa.table({"t": [0.0, 0.5], "angle": [1.0, None]}), tmp_path / "a.parquet")
    found = read_measurement(tmp_path / "a.parquet")
    np.testing.assert_array_equal(found.times, [0.0, 0.5])
    np.testing.assert_array_equal(found.columns["angle"], [1.0, np.nan])
    (tmp_path / "b.parquet").write_bytes(b"no table")
    with pytest.raises(SceneError, match="no table of numbers in Parquet"):
        read_measurement(tmp_path / "b.parquet")


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(SceneError, match="pip install pyarrow"):
        read_measurement(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"time,x\n0,1\n1,two\n", "a.csv:3 has 'two', which is no number"),
        ("a.csv", b"time,x\n0,1\n1\n", "a.csv:3 has 1 cells, and there are 2 names"),
        ("a.csv", b"x,y\n0,1\n", "needs one column that is named time; it has x, y"),
        ("a.csv", b"time,x\n", "no rows of numbers"),
        ("a.csv", b"", "no rows of numbers"),
        ("a.csv", b"time,x,x\n1,2,3\n", "two columns of one name"),
        ("a.csv", b"time,x\n1,2\n0,3\n", "times go up, and time 1 is 0, after 1"),
        ("a.csv", b"time,x\n1,2\n,3\n", "time 1 is nan; wanted finite numbers"),
        ("a.csv", b"\xff\xfe\x00", "is no text"),
        ("a.npz", b"no zip", "no file of arrays"),
        ("a.xlsx", b"", "is in a .csv, .txt, .npz or .parquet file"),
    ],
)
def test_what_is_none_is_told(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SceneError) as told:
        read_measurement(tmp_path / name)
    assert words in str(told.value)


@pytest.mark.parametrize("kind", ["csv", "txt", "npz", "parquet"])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, kind: str) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    with pytest.raises(SceneError, match=f"none.{kind} cannot be read: no such file"):
        read_measurement(tmp_path / f"none.{kind}")
