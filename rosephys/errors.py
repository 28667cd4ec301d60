"""What can go wrong, and how a person is told."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

import rose_ad as ra


class SceneError(Exception):
    """A scene that cannot be found or made, or a field that does not exist or does not take a value."""


class OptimizeError(Exception):
    """A descent that cannot go on; what it had found so far has been yielded."""


class NotFiniteError(Exception):
    """A loss or a gradient that is not a finite number, and where that began."""


class FilmError(Exception):
    """A film that cannot be written: there is no encoder, or it has no use for these frames."""


def describe(error: BaseException) -> str:
    """What went wrong in words for people, with the line of the user's own code."""
    known = isinstance(
        error, (SceneError, ra.RoseError, OptimizeError, NotFiniteError, FilmError, OSError)
    )
    return str(error) or type(error).__name__ if known else _with_line(error)


def _with_line(error: BaseException) -> str:
    """An exception nobody foresaw, with the innermost line of the user's own code."""
    if isinstance(error, SyntaxError) and error.filename:
        at = f"{error.filename}:{error.lineno}\n    {(error.text or '').strip()}"
        return f"{type(error).__name__}: {error.msg}\n  {at}"
    what = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_library(frame.filename)]
    if not own:
        place = frames[-1]
        return f"{what}\n  {place.filename}:{place.lineno}: a bug in rosephys; please report it"
    place = own[-1]
    return f"{what}\n  {place.filename}:{place.lineno}, in {place.name}\n    {place.line}"


def _is_library(filename: str) -> bool:
    """Whether a file is part of Python, of an installed package or of this one; no scene is."""
    here = Path(__file__).parent
    folders = [here, Path(str(ra.__file__)).parent]
    folders += [Path(sysconfig.get_path(kind)) for kind in ("stdlib", "purelib", "platlib")]
    parents = Path(filename).parents
    if here / "scenes" in parents:
        return False
    return filename.startswith("<") or any(folder in parents for folder in folders)
