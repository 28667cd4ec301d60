"""Files that appear complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A `with` that gives a file to write, hidden beside `path`, and renames it to `path` at its end.

    If what is inside raises, Ctrl-C included, that file is removed, and what `path` was it still is.
    Raises OSError if there is nothing to rename or no place for it.
    """
    path = Path(path)
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
