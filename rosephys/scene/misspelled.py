"""Names in a scene's class that were meant for another: of a method or a setting that may be left out.

What may be left out is not missed: `end_constraint` for `end_constraints` would be passed over in silence.
"""

from __future__ import annotations

import difflib
from typing import Any

from rosephys.errors import METHODS

from .author import code_of, names_in
from .scene import Scene

SETTINGS = ("iterations", "rate", "optimizer", "clip", "theme", "allowed_drift")
CLOSE = 0.8  # of difflib's ratio: an author's own names may be alike, "lines" and "limits"


def misspelled(kind: type[Scene]) -> tuple[str, list[str]] | None:
    """A name that a scene's class gives to what nothing asks for, and which it may be meant for; None if there
    is none.

    A method may be meant for one of METHODS, another value for one of SETTINGS. If the class has that as well,
    or uses the name itself, it is the author's own.
    """
    given = {name: value for base in reversed(_own(kind)) for name, value in vars(base).items()}
    used = {name for value in given.values() for name in names_in(code_of(value))}
    for name, value in given.items():
        if name.startswith("_") or hasattr(Scene, name) or name in {*kind.fields, *METHODS, *used}:
            continue
        free = [known for known in _like(value) if known not in given]
        close = difflib.get_close_matches(name, free, 2, CLOSE)
        if close:
            return name, close
    return None


def _own(kind: type[Scene]) -> list[type]:
    """The class and those it is made of that are not Scene's."""
    return [base for base in kind.__mro__ if base not in Scene.__mro__]


def _like(value: Any) -> tuple[str, ...]:
    """The names that such a value may be meant for."""
    if isinstance(value, type):
        return ()
    return METHODS if callable(getattr(value, "__func__", value)) else SETTINGS
