"""The schedule in force: by which functions are made here and now, in this thread.

The IR is emitted under a schedule and remembers it, but what a schedule is made of is the optimiser's affair
(`rewrite`), which registers the default one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Protocol

Stage = Literal["traced", "differentiated", "linearised", "derived", "transposed", "lowered"]


class InForce(Protocol):
    """What emitting and deriving ask of a schedule."""

    @property
    def table(self) -> Mapping[str, tuple[Callable[..., Any], ...]]:
        """For each head operation, the rules that are tried on its operands, in order."""

    @property
    def contract(self) -> bool:
        """Whether a product and a sum may become one operation, which rounds once."""

    @property
    def exact(self) -> InForce:
        """The same schedule without contraction."""

    @property
    def made(self) -> dict[Any, dict[Any, Any]]:
        """What composable functions were made into by it, if it is not the default one."""

    def run(self, stage: Stage, name: str, block: Any, *known: Any) -> Any:
        """What a stage makes of the block of the function of that name; the block may be changed."""

    def overridden_by(self, schedule: Any) -> Any:
        """What is in force for a function that has that schedule, called under this one."""


class _State(threading.local):
    schedule: InForce | None = None  # None for the default one


_state = _State()
_registered: list[InForce] = []


def register_default(schedule: InForce) -> None:
    """Make a schedule the one that is in force where no other is."""
    _registered[:] = [schedule]


def default() -> InForce:
    """The schedule that is in force where no other is."""
    (schedule,) = _registered
    return schedule


def in_force() -> InForce:
    """The schedule of what is traced or derived here and now, in this thread."""
    return _state.schedule or default()


@contextmanager
def under(schedule: InForce) -> Iterator[None]:
    """Functions that are made within this `with`, in this thread, are made by that schedule."""
    before, _state.schedule = _state.schedule, schedule
    try:
        yield
    finally:
        _state.schedule = before
