"""Tables: what is written is read again, in both formats, and what is none is told."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from rosephys import SceneError, SweepError
from rosephys.sweeps.table import MARK, columns, parquet_is_there, read_table, write_table

NAMES = ["start", "mass", "loss", "gradient", "outcome"]
ROWS = np.array([[0, 0.5, 1.25, 2.0, 0], [1, 0.1, np.nan, np.inf, 6], [2, 0.7, -1e-300, 0.0, 3]])
KINDS = ["table.npz", pytest.param("table.parquet", marks=pytest.mark.skipif(
    not parquet_is_there(), reason="pyarrow is not installed"))]  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "table.npz":
        monkeypatch.setattr("rosephys.sweeps.table.parquet_is_there", lambda: False)
    return str(request.param)


def test_what_is_written_is_read(kind: str, tmp_path: Path) -> None:
    path = write_table(tmp_path, NAMES, [ROWS[:2], ROWS[2:]])
    assert path == tmp_path / kind and list(tmp_path.iterdir()) == [path]
    table = read_table(path)
    assert list(table) == NAMES
    assert table["start"].dtype == np.int64 and table["start"].tolist() == [0, 1, 2]
    assert table["outcome"].tolist() == ["evaluated", "not finite", "stuck"]
    for k, name in ((1, "mass"), (2, "loss"), (3, "gradient")):
        assert table[name].tobytes() == ROWS[:, k].tobytes()
    again = path.read_bytes()
    write_table(tmp_path, NAMES, [ROWS[:2], ROWS[2:]])
    assert path.read_bytes() == again


def test_the_other_format_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "table.npz").touch()
    (tmp_path / "table.parquet").touch()
    path = write_table(tmp_path, NAMES, [ROWS])
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_table(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    for content in (b"", b"nonsense", b"PAR1nonsensePAR1"):
        path.write_bytes(content)
        with pytest.raises(SceneError, match="is no table of a sweep"):
            read_table(path)


def test_one_that_is_no_sweeps(tmp_path: Path) -> None:
    np.savez(tmp_path / "table.npz", loss=np.zeros(3))
    with pytest.raises(SceneError, match="is no table of a sweep"):
        read_table(tmp_path / "table.npz")
    np.savez(tmp_path / "table.npz", **{MARK: np.array(2), "loss": np.zeros(3)})
    with pytest.raises(SceneError, match="is of version 2; this rosephys knows 1"):
        read_table(tmp_path / "table.npz")


def test_parquet_of_others_is_no_table(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"loss": [1.0]}), tmp_path / "table.parquet")
    with pytest.raises(SceneError, match="is no table of a sweep"):
        read_table(tmp_path / "table.parquet")


def test_a_parquet_table_where_pyarrow_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "table.parquet").touch()
    monkeypatch.setattr("rosephys.sweeps.table.find_spec", lambda name: None)
    with pytest.raises(SweepError, match=r'pip install "rosephys\[sweep\]"'):
        read_table(tmp_path / "table.parquet")


def test_outcomes_are_words() -> None:
    assert columns(NAMES, ROWS)["outcome"].tolist() == ["evaluated", "not finite", "stuck"]
