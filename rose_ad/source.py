"""Where in the user's code a thing was said, and errors that point there.

A location is one small int for a pair (code object, instruction offset). It is taken from the innermost
frame outside this package, costs a dictionary look-up, and is decoded to file, line and column only when
an error is shown.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType

_PACKAGE = str(Path(__file__).parent) + os.sep
_places: list[tuple[CodeType, int] | None] = [None]
_numbers: dict[tuple[CodeType, int], int] = {}
_is_library: dict[CodeType, bool] = {}
_lock = threading.Lock()

UNKNOWN = 0


def _library(code: CodeType) -> bool:
    known = _is_library.get(code)
    if known is None:
        known = _is_library[code] = code.co_filename.startswith(_PACKAGE)
    return known


def here() -> int:
    """The location of the innermost caller that is not part of rose_ad."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _library(frame.f_code):
        frame = frame.f_back
    if frame is None:
        return UNKNOWN
    return _number(frame.f_code, frame.f_lasti)


def of_function(code: CodeType) -> int:
    """The location of a function's first line."""
    return _number(code, -1)


def _number(code: CodeType, offset: int) -> int:
    number = _numbers.get((code, offset))
    if number is None:
        with _lock:
            number = _numbers.setdefault((code, offset), len(_places))
            if number == len(_places):
                _places.append((code, offset))
    return number


def _position(location: int) -> tuple[str, int, int | None, int | None]:
    """File, line, first and last column of a location."""
    place = _places[location] if 0 <= location < len(_places) else None
    if place is None:
        return "<unknown>", 0, None, None
    code, offset = place
    if offset < 0:
        return code.co_filename, code.co_firstlineno, None, None
    if sys.version_info >= (3, 11):
        for k, (line, _, first, last) in enumerate(code.co_positions()):
            if k == offset // 2 and line is not None:
                return code.co_filename, line, first, last
    line = max((n for start, _, n in code.co_lines() if n and start <= offset), default=0)
    return code.co_filename, line, None, None


def name_of(location: int) -> str:
    """`file:line` of a location."""
    file, line, _, _ = _position(location)
    return f"{file}:{line}"


def show(location: int) -> str:
    """The location as `file:line`, the line itself and, where known, a caret under the expression."""
    file, line, first, last = _position(location)
    text = linecache.getline(file, line).rstrip()
    if not text:
        return f"  at {file}:{line}"
    shown = text.lstrip()
    out = f"  at {file}:{line}\n    {shown}"
    indent = len(text) - len(shown)
    if first is not None and last is not None and indent <= first < last <= len(text):
        out += "\n    " + " " * (first - indent) + "^" * (last - first)
    return out


class RoseError(Exception):
    """An error in the user's program: what was wrong, where, and what to write instead."""

    def __init__(self, what: str, location: int = UNKNOWN, instead: str = "") -> None:
        self.what, self.location, self.instead = what, location, instead
        parts = [what]
        if location != UNKNOWN:
            parts.append(show(location))
        if instead:
            parts.append(f"  instead: {instead}")
        super().__init__("\n".join(parts))


class TraceError(RoseError):
    """A Python construct that tracing cannot see: `if` on a traced value, `break`, an escaped value."""


class TypeMismatch(RoseError, TypeError):
    """Values whose types or shapes do not fit the operation."""


class OutOfRange(RoseError, IndexError):
    """An index outside its array, found while tracing or while running."""


class WrongDerivative(RoseError, AssertionError):
    """A derivative that central differences, or the other mode, do not agree with; see `check_grads`."""


class NanFound(RoseError, FloatingPointError):
    """A NaN began in this operation; see `debug_nans`."""


class MemoryLimit(RoseError, MemoryError):
    """A function that would need more scratch memory than is allowed."""
