"""What was measured of a motion, from a file: rows of text, numpy's arrays, or Parquet.

.csv, .txt   a first row of names, one of them time or t; then a row of numbers for each time. An empty
             cell is what was not measured, and a line that begins with # is passed over.
.npz         `times`, and arrays with a row for each, as `record SCENE --out motion.npz` writes them: those
             under "trajectory/" are columns, those under "values/" the fields' values
.parquet     the same columns as text has; needs pyarrow
"""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..solve.measurement import Measurement
from .values import FIELDS

Floats = NDArray[np.float64]

TIME = ("time", "times", "t")
STATE = "trajectory/"
KINDS = ".csv, .txt, .npz or .parquet"


def read_measurement(path: str | Path) -> Measurement:
    """All that was measured, by the names in the file. Raises SceneError for a file that cannot be read or is
    of no use, with the line."""
    path = Path(path)
    kind = path.suffix.lower()
    try:
        if kind in (".csv", ".txt"):
            return _from_columns(_text_columns(path), path)
        if kind == ".npz":
            return _from_npz(path)
        if kind == ".parquet":
            return _from_columns(_parquet_columns(path), path)
    except OSError as error:
        raise SceneError(f"{path} cannot be read: {(error.strerror or 'no').lower()}") from None
    raise SceneError(f"{path}: what was measured is in a {KINDS} file")


def _from_columns(columns: dict[str, Floats], path: Path) -> Measurement:
    """Columns of which one is the time."""
    named = [name for name in columns if name.lower() in TIME]
    if len(named) != 1:
        raise SceneError(f"{path} needs one column that is named time; it has {', '.join(columns)}")
    times = columns.pop(named[0])
    return Measurement(times, columns, {}, str(path))


def _text_columns(path: Path) -> dict[str, Floats]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SceneError(f"{path} is no text") from None
    lines = [(k, line) for k, line in enumerate(text.splitlines(), 1)]
    rows = [(k, _cells(line)) for k, line in lines if line.strip() and not line.startswith("#")]
    if len(rows) < 2:
        raise SceneError(f"{path} has no rows of numbers below one of names")
    (_, names), *rest = rows
    if len(set(names)) < len(names):
        raise SceneError(f"{path} has two columns of one name: {', '.join(names)}")
    table = [[_number(cell, f"{path}:{k}") for cell in cells] for k, cells in rest]
    for k, cells in rest:
        if len(cells) != len(names):
            raise SceneError(f"{path}:{k} has {len(cells)} cells, and there are {len(names)} names")
    return dict(zip(names, np.array(table, float).T, strict=True))


def _cells(line: str) -> list[str]:
    cells = re.split(r"[,;\t]", line) if re.search(r"[,;\t]", line) else line.split()
    return [cell.strip().strip('"').strip() for cell in cells]


def _number(cell: str, place: str) -> float:
    try:
        return float(cell) if cell else math.nan
    except ValueError:
        raise SceneError(f"{place} has {cell!r}, which is no number") from None


def _from_npz(path: Path) -> Measurement:
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile):
        raise SceneError(f"{path} is no file of arrays; numpy.savez writes one") from None
    named = [name for name in arrays if name.lower() in TIME]
    if len(named) != 1:
        raise SceneError(f"{path} needs an array that is named times; it has {', '.join(arrays)}")
    times = arrays.pop(named[0])
    settings = {n[len(FIELDS) :]: v for n, v in arrays.items() if n.startswith(FIELDS)}
    motion = {
        n[len(STATE) :].replace("/", "."): v for n, v in arrays.items() if n.startswith(STATE)
    }
    rows = motion or {n: v for n, v in arrays.items() if not n.startswith(FIELDS)}
    columns: dict[str, Any] = {}
    passed_over: dict[str, int] = {}
    for name, array in rows.items():
        if array.ndim and array.dtype.kind in "bif":
            for at in np.ndindex(array.shape[1:]):
                column, entry = ".".join(map(str, (name, *at))), (slice(None), *at)
                if array.shape[:1] == times.shape:
                    columns[column] = array[entry]
                else:
                    passed_over[column] = len(array)
    return Measurement(times, columns, settings, str(path), passed_over)


def _parquet_columns(path: Path) -> dict[str, Floats]:
    try:
        from pyarrow import ArrowInvalid
        from pyarrow.parquet import read_table
    except ImportError:
        raise SceneError(
            f"{path} needs pyarrow, which is not installed: pip install pyarrow"
        ) from None
    try:
        with path.open("rb") as file:
            table = read_table(file)
        names: Sequence[str] = table.column_names
        return {n: np.asarray(table.column(n).to_numpy(), float) for n in names}
    except (ArrowInvalid, ValueError, TypeError):
        raise SceneError(f"{path} is no table of numbers in Parquet") from None
