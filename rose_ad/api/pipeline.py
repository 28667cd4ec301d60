"""The whole way from a traced function to a program."""

from __future__ import annotations

import time

from ..ir.core import Function
from ..ir.in_force import under
from ..ir.queries import callees
from ..lower.lower import LoweredProgram, lower
from ..native.program import Program
from ..rewrite.loops.arrange import arranged


def lowered(function: Function, nans: bool = False, here: bool = False) -> LoweredProgram:
    """The function, and what it calls, arranged by its schedule and lowered; see `lower`.

    Raises the error of a derivative that is not there.
    """
    for f in callees(function):
        if f.rule is not None and f.rule.refusal is not None:
            raise f.rule.refusal
    with under(function.schedule):
        return lower(arranged(function), nans, here)


def compiled(function: Function, nans: bool = False) -> Program:
    """The function as machine code; with `nans`, code that looks for operations in which a NaN begins."""
    began = time.perf_counter()
    return Program(function, lowered(function, nans, here=True), began)
