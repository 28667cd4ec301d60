"""A sweep in a folder, kept while it goes on.

    sweep.json     what is swept, how, by what, and its state: "running", "finished", "interrupted", "stopped"
    chunks         a folder: the rows of chunk k in k.npy, float64 (rows, columns), until all are there
    table.parquet  all rows, once they are there (table.npz where pyarrow is not installed)

Every file appears whole or not at all. A chunk has the same bytes whoever computes it, and the table is made of
all chunks in their order: so a sweep that was killed and resumed ends with the bytes of one that was not.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import SceneError
from ..files.atomic import replacing
from ..files.run import environment
from .descent import Floats
from .table import NPZ, PARQUET, Table, columns, read_table, write_table

FORMAT, VERSION = "rosephys-sweep", 1
SWEEP, CHUNKS = "sweep.json", "chunks"
# what may be other than it was where a sweep goes on
WANTED = {"scene": str, "columns": list, "rows": int, "chunk": int, "points": dict, "how": dict}


class Kept:
    """A sweep that goes on in a folder, which is made where there is none.

    Raises SceneError for a folder with a sweep that has not ended, unless it is to be resumed; and for one to
    be resumed that was begun otherwise. Raises OSError for a folder that cannot be written to.
    """

    def __init__(self, folder: Path, begun: Mapping[str, Any], resume: bool) -> None:
        self.folder = folder
        self._begun = json.loads(
            json.dumps(
                {"format": FORMAT, "version": VERSION, **begun, "environment": environment()}
            )
        )
        before = begun_in(folder)
        if resume:
            _check_same(folder, before, self._begun)
        else:
            _check_ended(folder, before)
            shutil.rmtree(folder / CHUNKS, ignore_errors=True)
            for name in (PARQUET, NPZ):
                (folder / name).unlink(missing_ok=True)
        (folder / CHUNKS).mkdir(parents=True, exist_ok=True)
        for torn in [*folder.glob(".*.part.*"), *(folder / CHUNKS).glob(".*.part.*")]:
            torn.unlink(missing_ok=True)  # by a process that was killed
        self.state("running")

    def state(self, state: str) -> None:
        """Say what has become of it."""
        with replacing(self.folder / SWEEP) as beside:
            beside.write_text(json.dumps({**self._begun, "state": state}, indent=1) + "\n", "utf-8")

    def missing(self) -> list[int]:
        """The chunks that are not there, or are damaged; none where there is the table."""
        if self._table() is not None:
            return []
        chunks = range(-(-self._begun["rows"] // self._begun["chunk"]))
        return [k for k in chunks if read_chunk(self.folder, self._begun, k) is None]

    def keep(self, k: int, rows: Floats) -> None:
        """Keep a chunk. Raises OSError where it cannot be written."""
        path = _chunk(self.folder, k)
        with replacing(path) as beside:
            try:
                with beside.open("wb") as file:
                    np.save(file, np.ascontiguousarray(rows), allow_pickle=False)
            except OSError as error:  # which names no file where the disk is full
                raise OSError(error.errno, error.strerror, str(path)) from error

    def finish(self) -> Path:
        """Write the table of all chunks, which then go."""
        count = -(-self._begun["rows"] // self._begun["chunk"])
        path = self._table() or write_table(self.folder, self._begun["columns"], self._all(count))
        self.state("finished")
        shutil.rmtree(self.folder / CHUNKS)
        return path

    def _table(self) -> Path | None:
        return next((p for p in (self.folder / PARQUET, self.folder / NPZ) if p.exists()), None)

    def _all(self, count: int) -> Iterator[Floats]:
        for k in range(count):
            rows = read_chunk(self.folder, self._begun, k)
            assert rows is not None
            yield rows


def begun_in(folder: Path) -> dict[str, Any] | None:
    """What sweep.json in a folder says; None where there is none. Raises SceneError for one of another kind."""
    path = folder / SWEEP
    try:
        found = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, OSError):
        raise SceneError(f"{path} cannot be read: it is no sweep of rosephys") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise SceneError(f"{path} is no sweep of rosephys")
    if found.get("version") != VERSION:
        raise SceneError(
            f"{path} is of version {found.get('version')}; this rosephys knows {VERSION}"
        )
    for name, kind in {**WANTED, "state": str}.items():
        if not isinstance(found.get(name), kind):
            raise SceneError(f"{path} has no {name} that could be")
    return found


def load_sweep(folder: str | Path) -> Table:
    """The columns of a sweep that was kept, (rows,) each, by name: all rows of one that has ended, of one that
    goes on those that are there.

    Raises SceneError for a folder without a sweep, and for files that cannot be of one.
    """
    folder = Path(folder)
    begun = begun_in(folder)
    if begun is None:
        raise SceneError(f"{folder} has no sweep in it; `sweep SCENE --out {folder}` makes one")
    for name in (PARQUET, NPZ):
        if (folder / name).exists():
            return read_table(folder / name)
    count = -(-begun["rows"] // begun["chunk"])
    there = [read_chunk(folder, begun, k) for k in range(count)]
    nothing = np.zeros((0, len(begun["columns"])))
    return columns(
        begun["columns"], np.concatenate([nothing, *(c for c in there if c is not None)])
    )


def read_chunk(folder: Path, begun: Mapping[str, Any], k: int) -> Floats | None:
    """The rows of a chunk; None where it is not there, or is not what it must be."""
    try:
        rows = np.load(_chunk(folder, k), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    many = min(begun["chunk"], begun["rows"] - k * begun["chunk"])
    good = rows.shape == (many, len(begun["columns"])) and rows.dtype == np.float64
    return rows if good else None


def _chunk(folder: Path, k: int) -> Path:
    return folder / CHUNKS / f"{k:06}.npy"


def _check_ended(folder: Path, before: Mapping[str, Any] | None) -> None:
    if before is not None and before["state"] != "finished":
        raise SceneError(
            f"{folder} has a sweep of {before['scene']} that has not ended: --resume goes on with it,"
            " another --out keeps both"
        )


def _check_same(folder: Path, before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> None:
    """Raise SceneError where a sweep was begun otherwise than it is to go on."""
    if before is None:
        raise SceneError(f"{folder} has no sweep to go on with; without --resume one is begun")
    for name, value in now.items():
        if name not in ("environment", "state") and before.get(name) != value:
            raise SceneError(
                f"the sweep in {folder} was begun otherwise: {_apart(before.get(name), value, name + ' ')};"
                " leave it as it was, or take another --out"
            )


def _apart(before: Any, now: Any, of: str = "") -> str:
    """Where two things in JSON's types differ first, and how."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = [n for n in {**before, **now} if before.get(n) != now.get(n)]
        return _apart(before.get(names[0]), now.get(names[0]), f"{of}{names[0]} ")
    return f"{of}{_short(before)}, not {_short(now)}"


def _short(value: Any) -> str:
    if isinstance(value, list) and len(value) > 4:
        return f"{len(value)} values from {value[0]} to {value[-1]}"
    text = json.dumps(value)
    return text if len(text) < 100 else f"{text[:96]} ..."
