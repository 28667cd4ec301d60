"""An attribute that is computed when it is first asked for.

It is functools.cached_property without the lock that this has before Python 3.12, one for a whole class:
a process that forks while another thread holds it never gets it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class lazy(Generic[T]):
    """A decorator of the method that computes the attribute."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute, self.name, self.__doc__ = compute, compute.__name__, compute.__doc__

    def __get__(self, owner: Any, kind: type | None = None) -> T:
        value = vars(owner)[self.name] = self.compute(owner)
        return value
