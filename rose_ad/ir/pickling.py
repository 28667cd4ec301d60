"""Functions that leave their process: what was traced travels as IR text, the Python function by its name.

An IR function is pickled as its own text and a table of what the text names: the functions it calls, its
locations as file and line, the Python functions it calls back. Its rule comes after it, because a rule may
know of functions that call it. Locks and machine code stay behind.
"""

from __future__ import annotations

import copyreg
import importlib
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..base.errors import RoseError
from ..base.source import Position, at, position
from .core import Function
from .host import Host
from .in_force import default, under
from .parsing import parse_with
from .queries import callees
from .text import Table, function_names, show_function


def reduced(function: Function) -> Any:
    """What `pickle` makes of an IR function."""
    table: Table = {}
    text = show_function(function, table)
    entries = [position(k) if isinstance(k, int) else k for k in table]
    called = callees(function)[:-1]  # all, deepest first, so that pickle need not descend
    state = None if function.rule is None else (None, {"rule": function.rule})
    contract = function.schedule.contract
    return _function, (text, zlib.crc32(text.encode()), called, entries, contract), state


def _function(
    text: str,
    checksum: int,
    called: Sequence[Function],
    entries: Sequence[Position | Host],
    contract: bool,
) -> Function:
    """The function again; RoseError where its text was damaged on the way."""
    if zlib.crc32(text.encode()) != checksum:
        raise RoseError("a pickled function was damaged: its text does not have its checksum")
    names = {name: f for f, name in function_names(called).items()}
    table = [at(e) if isinstance(e, Position) else e for e in entries]
    with under(default() if contract else default().exact):
        return parse_with(text, names, table)


@dataclass(frozen=True, slots=True)
class Reference:
    """A Python function that stayed in another process; it can be loaded where `module` can be imported.

    `module` is None for one that is not at the top of a module: a lambda, a closure, a method.
    """

    module: str | None
    name: str

    def load(self) -> Callable[..., Any]:
        """The function. ImportError or AttributeError where it cannot be had."""
        if self.module is None:
            raise ImportError(f"{self.name} is not at the top of a module")
        found = _python(_member(importlib.import_module(self.module), self.name))
        if isinstance(found, Reference) or not callable(found):
            raise ImportError(f"{self.module}.{self.name} is no Python function")
        out: Callable[..., Any] = found
        return out


def reference(python: Any, name: str) -> Reference:
    """The name by which another process can import a Python function, or the function that was made of it."""
    if isinstance(python, Reference):
        return python
    module, path = getattr(python, "__module__", None), getattr(python, "__qualname__", name)
    try:
        found = _python(_member(sys.modules[module], path)) if module else None
    except (KeyError, AttributeError):
        found = None
    return Reference(module if found is python else None, path)


def _member(module: Any, path: str) -> Any:
    for part in path.split("."):
        module = getattr(module, part)
    return module


def _python(found: Any) -> Any:
    """The Python function behind what was found under its name: a decorated one is an Fn there."""
    return getattr(found, "python", found)


copyreg.pickle(Function, reduced)
