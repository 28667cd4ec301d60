"""Functions that are to run where there is no Python: their programs, and what goes in and comes out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..api.function import Fn
from ..api.pipeline import lowered
from ..api.python_function import PythonFunction, as_fn
from ..base.errors import TraceError, TypeMismatch
from ..base.source import here, position
from ..base.tree import Structure, flatten
from ..interop.signatures import specialised
from ..ir.types import Value, value_type
from ..lower.failures import Check, IndexCheck
from ..lower.lower import ENTRY, LoweredProgram
from ..tracing.values import type_of


@dataclass(frozen=True)
class Exported:
    """A function by the name that it is called by, with the structure and types of what it takes and gives.

    `arguments` is the structure of the tuple of its arguments, `names` what they are called.
    """

    name: str
    program: LoweredProgram
    arguments: Structure
    names: tuple[str, ...]
    params: tuple[Value, ...]
    result: Structure
    results: tuple[Value, ...]

    @property
    def symbol(self) -> str:
        """What the entry of the program is called in its text."""
        return f"{ENTRY}_{self.name}"

    @property
    def text(self) -> str:
        """The program as LLVM text, with an entry that no other has."""
        return self.program.text.replace(f"@{ENTRY}(", f"@{self.symbol}(")

    @property
    def failures(self) -> list[str]:
        """What a status that is not 0 says, that of status k at k - 1, for people."""
        return [_told(check) for check in self.program.checks]


def exported(name: str, f: Any, example: Sequence[Any]) -> Exported:
    """A function for arguments of the structure and types of these.

    Raises TraceError where it calls Python back, TypeMismatch for a name that is none, and what tracing raises.
    """
    if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
        raise TypeMismatch(f"{name!r} is no name of a function", here(), "letters and digits")
    function = as_fn(f)
    leaves, arguments = flatten(tuple(example))
    special = specialised(function, arguments, [type_of(x) for x in leaves])
    program = lowered(special.ir)
    for host in program.hosts:
        raise TraceError(
            f"{name} calls the Python function {host.name}, and there is no Python where it is exported to",
            host.loc,
            "the same written with rose_ad's functions, or a table of its values that ra.interp reads",
        )
    return Exported(
        name,
        program,
        arguments,
        _names(function, len(arguments.children)),
        tuple(value_type(p.type) for p in special.ir.params),
        special.result,
        tuple(value_type(r.type) for r in special.ir.results),
    )


def by_name(f: Any) -> Mapping[str, Any]:
    """A function by its name, or the functions by theirs. Raises TypeMismatch where there are none."""
    if isinstance(f, Mapping) and not f:
        raise TypeMismatch(
            "there is nothing to export", here(), "a function, or functions by their names"
        )
    return f if isinstance(f, Mapping) else {_plain_name(as_fn(f)): f}


def _plain_name(f: Fn) -> str:
    """A function's name, as C and JavaScript can have it."""
    return re.sub(r"\W+", "_", f.__name__, flags=re.ASCII).strip("_") or "function"


def _names(f: Fn, count: int) -> tuple[str, ...]:
    """What the arguments are called in Python; x0, x1 ... where that is not known."""
    base = f
    while hasattr(base, "base"):
        base = base.base
    found = list(base.signature.parameters) if isinstance(base, PythonFunction) else []
    fits = len(found) >= count and all(n.isascii() for n in found)
    return tuple(found[:count]) if fits else tuple(f"x{k}" for k in range(count))


def _told(check: Check) -> str:
    """A failed check in words, without where the file is on this machine."""
    where = check.location if isinstance(check, IndexCheck) else 0
    file, line, _, _ = position(where)
    length = f" of length {check.length}" if isinstance(check, IndexCheck) else ""
    return f"an index is outside its array{length}: {Path(file).name}:{line}"
