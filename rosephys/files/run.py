"""A solve in a folder, kept while it goes on: how it was begun, how far it came, the best and the last
controls.

    run.json         what was solved, how, where, and its state: "running", "finished", "interrupted", "stopped"
    metrics.jsonl    a line for each iterate: its start and number, loss, violation, length of the gradient
    best.npz         every field of the scene, with the best controls; last.npz with the last
    evaluations.bin  what the solver was told, from which it can be resumed to the bit (see evaluations.py)

Every file appears whole or not at all, or ends with a whole line or record.
"""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from ..errors import SceneError
from ..scene.scene import Scene
from ..solve.iterate import Iterate
from .atomic import replacing
from .values import save

FORMAT, VERSION = "rosephys-run", 1
RUN, METRICS, BEST, LAST = "run.json", "metrics.jsonl", "best.npz", "last.npz"
EVALUATIONS = "evaluations.bin"
SECONDS = 1.0  # between writings of the controls; what was evaluated is on disk at once
NUMBERS = {"start": int, "iteration": int, "loss": float, "violation": float, "gradient": float}


@dataclass(frozen=True)
class Kept:
    """A run as it is on disk: what run.json says, and a row for each iterate."""

    folder: Path
    begun: dict[str, Any]
    rows: list[dict[str, Any]]

    @property
    def best(self) -> dict[str, Any] | None:
        """The row of the best iterate, if there is any."""
        finite = [row for row in self.rows if math.isfinite(row["loss"])]
        return min(finite, key=lambda row: (max(row["violation"], 1e-6), row["loss"]), default=None)

    @property
    def losses(self) -> list[float]:
        """The losses of the start that the best iterate is of."""
        best = self.best
        return [row["loss"] for row in self.rows if best and row["start"] == best["start"]]


class Run:
    """A run that goes on in a folder; rows that are there from before are found again, not written twice."""

    def __init__(self, folder: Path, scene: Scene, begun: Mapping[str, Any]) -> None:
        self._folder, self._scene = folder, scene
        self._begun = {"format": FORMAT, "version": VERSION, **begun, "environment": environment()}
        for torn in folder.glob(".*.part.*"):  # by a process that was killed
            torn.unlink(missing_ok=True)
        self._known = _whole_lines(folder / METRICS)  # of before, that are to be found again
        self._place = 0  # where the next line begins
        self._best: Iterate | None = None
        self._last: Iterate | None = None
        self._written = monotonic()
        self.state("running")

    def state(self, state: str) -> None:
        """Say what has become of it."""
        with replacing(self._folder / RUN) as beside:
            beside.write_text(json.dumps({**self._begun, "state": state}, indent=1) + "\n", "utf-8")

    def note(self, start: int, iterate: Iterate) -> None:
        """Keep an iterate. Raises OSError where it cannot be written."""
        line = (json.dumps(_row(start, iterate)) + "\n").encode()
        if not self._known or self._known.pop(0) != line:
            self._known = []
            with (self._folder / METRICS).open("ab") as file:
                file.truncate(self._place)
                file.write(line)
        self._place += len(line)
        self._last = iterate
        if self._best is None or iterate.rank < self._best.rank:
            self._best = iterate
        if monotonic() - self._written > SECONDS:
            self._write_controls()

    def finish(self, state: str) -> None:
        """Write the controls, and what has become of the run."""
        self._write_controls()
        self.state(state)

    def _write_controls(self) -> None:
        if self._known:  # what is on disk is better than what was found again so far
            return
        for name, iterate in ((BEST, self._best), (LAST, self._last)):
            if iterate is not None:
                save(self._folder / name, self._scene, iterate.values)
        self._written = monotonic()


def read_run(folder: Path) -> Kept:
    """The run in a folder. Raises SceneError for a folder without one, and for files that cannot be of one."""
    begun = begun_in(folder)
    if begun is None:
        raise SceneError(f"{folder} has no run in it; `optimize SCENE --out {folder}` makes one")
    rows = []
    path = folder / METRICS
    text = path.read_text("utf-8", errors="replace") if path.exists() else ""
    for k, line in enumerate(text.split("\n")[:-1], 1):  # what has no end was torn
        rows.append(_checked(line, f"{path}:{k}"))
    return Kept(folder, begun, rows)


def begun_in(folder: Path) -> dict[str, Any] | None:
    """What run.json in a folder says; None where there is none. Raises SceneError for one of another kind."""
    path = folder / RUN
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, OSError):
        raise SceneError(f"{path} cannot be read: it is no run of rosephys") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise SceneError(f"{path} is no run of rosephys")
    if found.get("version") != VERSION:
        raise SceneError(
            f"{path} is of version {found.get('version')}; this rosephys knows {VERSION}"
        )
    wanted = {"scene": str, "settings": dict, "how": dict, "state": str}
    for name, kind in wanted.items():
        if not isinstance(found.get(name), kind):
            raise SceneError(f"{path} has no {name} that could be")
    return found


def environment() -> dict[str, str]:
    """On what a run is made: the same bits are promised on the same."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "system": platform.system(),
    }


def digest(data: bytes) -> str:
    """What says of bytes which they are."""
    return sha256(data).hexdigest()


def source(scene: Scene) -> str:
    """What says of a scene's file which it is; "" of one that has none, in a notebook for example."""
    path = getattr(sys.modules.get(type(scene).__module__), "__file__", None)
    return digest(Path(path).read_bytes()) if path else ""


def _row(start: int, iterate: Iterate) -> dict[str, Any]:
    square = sum(float(np.vdot(g, g)) for g in iterate.gradient.values())
    return {
        "start": start,
        "iteration": iterate.iteration,
        "loss": iterate.loss,
        "violation": iterate.violation,
        "gradient": math.sqrt(square),
    }


def _whole_lines(path: Path) -> list[bytes]:
    """The whole lines of a file; what is torn at its end is cut off."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    if lines and not lines[-1].endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(sum(map(len, lines[:-1])))
        lines.pop()
    return lines


def _checked(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        good = all(isinstance(row[n], (kind, int)) for n, kind in NUMBERS.items())
    except (ValueError, KeyError, TypeError):
        good = False
    if not good:
        raise SceneError(f"{place} is no row of a run: {line[:40]!r}")
    found: dict[str, Any] = row
    return found
