"""Functions with a schedule of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..base.tree import Structure
from ..ir.in_force import in_force, under
from ..ir.types import Type
from ..rewrite.strategy import Schedule
from .function import Fn, Specialised
from .python_function import as_fn


def scheduled(f: Any, schedule: Schedule) -> Fn:
    """The function, made by that schedule: it, all that it calls, and their derivatives.

    A function that has a schedule and is called by it keeps its own. What was made of them by another schedule
    is not used and stays as it is, in every thread.
    """
    return _Scheduled(as_fn(f), schedule)


class _Scheduled(Fn):
    def __init__(self, base: Fn, schedule: Schedule) -> None:
        super().__init__(base.__name__)
        self.base, self.schedule = base, schedule

    def argument_types(self, structure: Structure, types: Sequence[Type]) -> Sequence[Type]:
        return self.base.argument_types(structure, types)

    def make(self, structure: Structure, types: Sequence[Type]) -> Specialised:
        with under(in_force().overridden_by(self.schedule)):
            return self.base.specialise(structure, types)
