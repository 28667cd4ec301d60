"""Errors for the user: what was wrong, where in their code, and what to write instead."""

from __future__ import annotations

from typing import Any

from .source import UNKNOWN, at, position, show


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

    def __reduce__(self) -> Any:
        state = {**vars(self), "location": position(self.location)}
        return _error, (type(self), self.args, state)


def _error(kind: type[RoseError], args: tuple[Any, ...], state: dict[str, Any]) -> RoseError:
    """An error that comes from another process."""
    error = kind.__new__(kind, *args)
    vars(error).update(state, location=at(state["location"]))
    return error


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


class TooLong(RoseError):
    """The interpreter would need more instructions than it was allowed."""


class ParseError(RoseError):
    """Text that is not IR: `line` is its line in the text, counted from 1."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(f"line {line} of the text: {what}")
        self.line = line
