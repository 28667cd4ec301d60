"""Where in the user's code a thing was said, and errors that point there.

A location is one small int for a pair (code object, instruction offset). It is taken from the innermost
frame outside this package, costs a dictionary look-up, and is decoded to file, line and column only when
an error is shown or the location is to leave this process.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

from .turns import held_across_forks


class Position(NamedTuple):
    """A location that means the same in every process; columns count from 0."""

    file: str
    line: int
    first: int | None = None  # columns, where they are known
    last: int | None = None


_PACKAGE = str(Path(__file__).parents[1]) + os.sep  # all of rose_ad
_Place = tuple[CodeType, int] | Position
_places: list[_Place | None] = [None]
_numbers: dict[tuple[object, str], int] = {}  # by place, and by what is shown of it
_is_library: dict[str, bool] = {}
_lock = threading.RLock()
held_across_forks(_lock)

UNKNOWN = 0


def _library(code: CodeType) -> bool:
    known = _is_library.get(code.co_filename)
    if known is None:
        known = _is_library[code.co_filename] = code.co_filename.startswith(_PACKAGE)
    return known


def here() -> int:
    """The location of the innermost caller that is not part of rose_ad."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _library(frame.f_code):
        frame = frame.f_back
    if frame is None:
        return UNKNOWN
    return _number((frame.f_code, frame.f_lasti))


def in_code(code: CodeType, offset: int) -> int:
    """The location of an instruction of the user's."""
    return _number((code, offset))


def of_function(code: CodeType) -> int:
    """The location of a function's first line; of one of this package, that of the user's call."""
    return here() if _library(code) else _number((code, -1))


def at(position: Position) -> int:
    """The location of a position, which another process may have sent."""
    return UNKNOWN if position == _UNKNOWN_POSITION else _number(position)


def _number(place: _Place) -> int:
    # the same code in two files is equal, but not at the same place
    key = place, place.file if isinstance(place, Position) else place[0].co_filename
    number = _numbers.get(key)
    if number is None:
        with _lock:
            number = _numbers.setdefault((_shown(place), key[1]), len(_places))
            if number == len(_places):
                _places.append(place)
            _numbers[key] = number
    return number


def _shown(place: _Place) -> object:
    """What is equal for places that are shown alike. From 3.11 on Python may stop at another offset in the same
    expression once it has seen what it calls there; two runs over one line would be at two places."""
    if isinstance(place, Position) or place[1] < 0 or sys.version_info < (3, 11):
        return place
    return place[0], next(islice(place[0].co_positions(), place[1] // 2, None))


_UNKNOWN_POSITION = Position("<unknown>", 0)


def position(location: int) -> Position:
    """File, line, first and last column of a location."""
    place = _places[location] if 0 <= location < len(_places) else None
    if place is None:
        return _UNKNOWN_POSITION
    if isinstance(place, Position):
        return place
    code, offset = place
    if offset < 0:
        return Position(code.co_filename, code.co_firstlineno)
    if sys.version_info >= (3, 11):
        for k, (line, _, first, last) in enumerate(code.co_positions()):
            if k == offset // 2 and line is not None:
                return Position(code.co_filename, line, first, last)
    line = max((n for start, _, n in code.co_lines() if n and start <= offset), default=0)
    return Position(code.co_filename, line)


def name_of(location: int) -> str:
    """`file:line` of a location."""
    file, line, _, _ = position(location)
    return f"{file}:{line}"


def show(location: int) -> str:
    """The location as `file:line`, the line itself and, where known, a caret under the expression."""
    file, line, first, last = position(location)
    text = linecache.getline(file, line).rstrip()
    if not text:
        return f"  at {file}:{line}"
    shown = text.lstrip()
    out = f"  at {file}:{line}\n    {shown}"
    indent = len(text) - len(shown)
    if first is not None and last is not None and indent <= first < last <= len(text):
        out += "\n    " + " " * (first - indent) + "^" * (last - first)
    return out
