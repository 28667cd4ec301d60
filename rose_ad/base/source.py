"""Where in the user's code a thing was said, and errors that point there.

A location is one small int for a pair (code object, instruction offset). It is taken from the innermost
frame outside this package, costs a dictionary look-up, and is decoded to file, line and column only when
an error is shown or the location is to leave this process. It is known as long as the code is there; that of a
module, which goes when the module has been imported, is decoded at once.
"""

from __future__ import annotations

import linecache
import os
import sys
import threading
import weakref
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
_Code = weakref.ref[CodeType]
_places: list[tuple[_Code, int] | Position | None] = [None]
_numbers: dict[tuple[int, int] | Position, int] = {}  # by the code's id and an offset in it
_of_code: dict[int, tuple[_Code, list[int]]] = {}  # by the code's id, which offsets have a number
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
    return in_code(frame.f_code, frame.f_lasti)


def in_code(code: CodeType, offset: int) -> int:
    """The location of an instruction of the user's."""
    number = _numbers.get((id(code), offset))
    if number is not None:
        return number
    if code.co_name == "<module>":
        return at(_decoded(code, offset))
    with _lock:
        key = id(code)
        if key not in _of_code:
            _of_code[key] = weakref.ref(code, lambda _: _forget(key)), []
        kept, offsets = _of_code[key]
        offsets.append(offset)
        first = _first(code, offset)
        if first == offset:
            return _numbered((key, offset), (kept, offset))
        number = _numbers[key, offset] = in_code(code, first)
        return number


def _first(code: CodeType, offset: int) -> int:
    """Where an expression begins. From 3.11 on Python may stop at another offset in it once it has seen what it
    calls there; two runs over one line would be at two places."""
    if offset < 0 or sys.version_info < (3, 11):
        return offset
    shown = list(code.co_positions())
    return 2 * shown.index(shown[offset // 2])


def of_function(code: CodeType) -> int:
    """The location of a function's first line; of one of this package, that of the user's call."""
    return here() if _library(code) else in_code(code, -1)


def at(position: Position) -> int:
    """The location of a position, which another process may have sent."""
    if position == _UNKNOWN_POSITION:
        return UNKNOWN
    with _lock:
        return _numbered(position, position)


def _numbered(key: tuple[int, int] | Position, place: tuple[_Code, int] | Position) -> int:
    number = _numbers.setdefault(key, len(_places))
    if number == len(_places):
        _places.append(place)
    return number


def _forget(code: int) -> None:
    """Code of that id is gone, and with it what was known of its locations."""
    with _lock:
        for offset in _of_code.pop(code)[1]:
            _places[_numbers.pop((code, offset))] = None


_UNKNOWN_POSITION = Position("<unknown>", 0)


def position(location: int) -> Position:
    """File, line, first and last column of a location."""
    place = _places[location] if 0 <= location < len(_places) else None
    if place is None:
        return _UNKNOWN_POSITION
    if isinstance(place, Position):
        return place
    code = place[0]()
    return _UNKNOWN_POSITION if code is None else _decoded(code, place[1])


def _decoded(code: CodeType, offset: int) -> Position:
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
