"""The table of a sweep: a column for each number of a row, in one file, Parquet or .npz.

A Parquet file is written a chunk after the other, as groups of rows, and tells of itself in its metadata; an
.npz file has an array for each column, and `rosephys-table`, the version. Neither has any pickle in it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..errors import SceneError, SweepError
from ..files.atomic import replacing
from .descent import OUTCOMES, Floats

Table: TypeAlias = dict[str, np.ndarray[Any, Any]]
"""Columns (rows,) by name."""

MARK, VERSION = "rosephys-table", 1
PARQUET, NPZ = "table.parquet", "table.npz"


def columns(names: Sequence[str], rows: Floats) -> Table:
    """Rows of a job, (n, len(names)), as columns: starts are whole numbers, outcomes words."""
    table: Table = dict(zip(names, rows.T, strict=True))
    table["start"] = table["start"].astype(np.int64)
    table["outcome"] = np.array(OUTCOMES)[table["outcome"].astype(np.int64)]
    return table


def parquet_is_there() -> bool:
    """Whether what writes Parquet is installed."""
    return find_spec("pyarrow") is not None


def write_table(folder: Path, names: Sequence[str], chunks: Iterable[Floats]) -> Path:
    """Write chunks of rows as the one table of a folder, which appears whole or not at all; as Parquet where
    pyarrow is installed. Raises OSError where it cannot be written."""
    path = folder / (PARQUET if parquet_is_there() else NPZ)
    with replacing(path) as beside:
        if path.name == PARQUET:
            _write_parquet(beside, names, chunks)
        else:
            table = columns(names, np.concatenate(list(chunks)))
            with beside.open("wb") as file:
                arrays: dict[str, Any] = {**table, MARK: np.array(VERSION)}
                np.savez(file, **arrays)
    (folder / (NPZ if path.name == PARQUET else PARQUET)).unlink(missing_ok=True)
    return path


def _write_parquet(path: Path, names: Sequence[str], chunks: Iterable[Floats]) -> None:
    import pyarrow
    import pyarrow.parquet

    kinds = {"start": pyarrow.int64(), "outcome": pyarrow.string()}
    schema = pyarrow.schema(
        [(name, kinds.get(name, pyarrow.float64())) for name in names],
        metadata={MARK: str(VERSION)},
    )
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for rows in chunks:
            writer.write_table(pyarrow.table(columns(names, rows), schema=schema))


def read_table(path: Path) -> Table:
    """The columns of a table. Raises SceneError for a file that is none, or of another version, OSError for one
    that cannot be read."""
    try:
        version, table = _read_parquet(path) if path.suffix == ".parquet" else _read_npz(path)
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        raise SceneError(f"{path} is no table of a sweep") from None
    if version != VERSION:
        raise SceneError(f"{path} is of version {version}; this rosephys knows {VERSION}")
    return table


def _read_npz(path: Path) -> tuple[int, Table]:
    with np.load(path, allow_pickle=False) as found:
        table = {name: found[name] for name in found.files}
    return int(table.pop(MARK)), table


def _read_parquet(path: Path) -> tuple[int, Table]:
    if not parquet_is_there():
        raise SweepError(
            f'to read {path} takes pyarrow, which is not installed: pip install "rosephys[sweep]"'
        )
    import pyarrow.parquet

    found = pyarrow.parquet.read_table(path)
    version = int((found.schema.metadata or {})[MARK.encode()])
    table = {name: found[name].to_numpy() for name in found.column_names}
    table["outcome"] = table["outcome"].astype(np.array(OUTCOMES).dtype)
    return version, table
