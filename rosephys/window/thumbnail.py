"""Small pictures of scenes, made in a process of their own and kept on disk.

`python -m rosephys.window.thumbnail` is that process: it reads jobs from its standard input, a line of JSON
[scene, file] each, and answers each with a line [scene, what went wrong]; in between, lines ["", seconds] say
how long it has worked. A scene's own code runs there alone: one that hangs or crashes costs its own picture
only. What a scene may take is counted in work, so that a busy machine makes the same pictures, later.

The scenes that come with rosephys have theirs in the package (`shipped.py`).
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter, process_time, sleep
from typing import IO

from rosephys.scene.catalogue import Entry
from rosephys.window.painting import SIZE, SOLVE_SECONDS, paint
from rosephys.window.shipped import shipped_picture

PATIENCE = 90.0  # seconds of work; a scene that takes longer gets none
IDLE = 10  # times as long may it take in all: the machine may be busy
PULSE = 0.2  # seconds between words on how long has been worked
KEPT = 256  # pictures; the oldest go first


def key(entry: Entry) -> str:
    """A name for the picture of a scene: by its source, and the version of what draws it."""
    from rosephys import __version__

    source = entry.file.read_bytes() if entry.file else entry.typed.encode()
    return hashlib.sha256(f"{__version__} {SIZE} {SOLVE_SECONDS}\n".encode() + source).hexdigest()


def cache() -> Path | None:
    """The folder where pictures are kept: within that of compiled code, if ROSE_AD_CACHE names it.

    None if that is "off", or there is no place.
    """
    named = os.environ.get("ROSE_AD_CACHE", "")
    if named == "off":
        return None
    try:
        # a hidden name, for what is not is taken for compiled code
        folder = (Path(named) if named else _user_cache() / "rosephys") / ".thumbnails"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # nothing can be written, or nobody is at home
        return None
    return folder


def _user_cache() -> Path:
    """Where programs keep what they can do without."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home())
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


class Thumbnails:
    """The pictures of these scenes: files that are there already, or appear one by one."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._own = None if cache() else tempfile.TemporaryDirectory(prefix="rosephys")
        folder = cache() or Path(self._own.name if self._own else "")
        self.files: dict[str, Path] = {}  # by what is typed
        self.errors: dict[str, str] = {}  # why there will be none, by the same
        self._wanted: deque[tuple[str, Path]] = deque()
        for entry in entries:
            file = shipped_picture(entry) or folder / f"{key(entry)}.png"
            if file.exists():
                self.files[entry.typed] = file
                with suppress(OSError):
                    os.utime(file)
            else:
                self._wanted.append((entry.typed, file))
        self.total = len(self._wanted)
        self._painter: _Painter | None = None
        _trim(folder)

    @property
    def left(self) -> int:
        """How many pictures are still to come."""
        return len(self._wanted)

    def poll(self) -> None:
        """Note what has been made since the last time, and see that the next is being made."""
        if self._painter is None and self._wanted:
            self._painter = _Painter(self._wanted)
        if self._painter is None:
            return
        for typed, error in self._painter.answers():
            self._note(typed, error)
        if not self._wanted:
            self._stop()
        elif self._painter.ended:
            self._give_up(self._wanted[0][0], "its process came to an end")
        elif max(self._painter.work, self._painter.seconds / IDLE) > PATIENCE:
            self._give_up(self._wanted[0][0], f"it took longer than {PATIENCE:.0f} s")

    def close(self) -> None:
        """Stop making pictures, and forget those that are not kept."""
        self._stop()
        if self._own:
            self._own.cleanup()

    def _stop(self) -> None:
        if self._painter:
            self._painter.close()
            self._painter = None

    def _note(self, typed: str, error: str) -> None:
        wanted, file = self._wanted.popleft()
        assert wanted == typed, "pictures are made in order"
        if error:
            self.errors[typed] = error
        else:
            self.files[typed] = file

    def _give_up(self, typed: str, why: str) -> None:
        """Do without this one; the others are made by a new process."""
        self._stop()
        self._note(typed, why)


class _Painter:
    """The process that makes pictures, and a thread that listens to it."""

    def __init__(self, jobs: Iterable[tuple[str, Path]]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rosephys.window.thumbnail"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        self._answers: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
        self._since = perf_counter()
        self._worked = self._before = (
            0.0  # seconds of work so far, and before the one that is being made
        )
        self.ended = False
        lines = "".join(json.dumps([typed, str(file)]) + "\n" for typed, file in jobs)
        threading.Thread(target=self._talk, args=(lines,), daemon=True).start()

    @property
    def seconds(self) -> float:
        """How long the one that is being made has taken."""
        return perf_counter() - self._since

    @property
    def work(self) -> float:
        """How many seconds of it the process has worked."""
        return self._worked - self._before

    def answers(self) -> list[tuple[str, str]]:
        """What has been answered since the last call: a scene, and what went wrong or ""."""
        found = []
        with suppress(Empty):
            while (answer := self._answers.get_nowait()) is not None:
                found.append(answer)
                self._since, self._before = perf_counter(), self._worked
            self.ended = True
        return found

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()

    def _talk(self, lines: str) -> None:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        with suppress(OSError, ValueError), process.stdin, process.stdout:
            process.stdin.write(lines)
            process.stdin.close()
            for line in process.stdout:
                typed, told = json.loads(line)
                if typed:
                    self._answers.put((typed, told))
                else:
                    self._worked = told
        self._answers.put(None)


def _trim(folder: Path) -> None:
    """Remove the pictures that have not been looked at for longest, if there are too many."""
    with suppress(OSError):
        files = sorted(folder.glob("*.png"), key=lambda file: file.stat().st_mtime)
        for file in files[:-KEPT]:
            file.unlink()


# ---- In the process ------------------------------------------------------------------------


def _serve(jobs: IO[str], answers: IO[str]) -> None:
    from rosephys.drawing.pixels import pixels
    from rosephys.errors import describe
    from rosephys.files.png import write_png

    turn = threading.Lock()

    def tell(*told: object) -> None:
        with turn:
            answers.write(json.dumps(told) + "\n")
            answers.flush()

    def pulse() -> None:
        with suppress(OSError, ValueError):  # nobody listens any more
            while True:
                sleep(PULSE)
                tell("", process_time())

    threading.Thread(target=pulse, daemon=True).start()
    for line in jobs:
        typed, file = json.loads(line)
        error = ""
        try:
            write_png(file, pixels(paint(typed)))
        except (Exception, SystemExit) as wrong:  # a scene's own code runs here
            error = describe(wrong) or "it cannot be drawn"
        tell(typed, error)


if __name__ == "__main__":
    with suppress(AttributeError, OSError):
        os.nice(10)  # what a person looks at goes first
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a scene prints is no answer
    with suppress(BrokenPipeError, KeyboardInterrupt):
        _serve(sys.stdin, own)
