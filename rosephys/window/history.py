"""Undo and redo: what there was before each gesture, and after those that were taken back."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

State = TypeVar("State")
Entry = tuple[str, State]  # what the hand did, and the state on the other side of it

LENGTH = 200  # gestures that are remembered


class History(Generic[State]):
    """Two piles of states, each with the gesture that lies between it and the next."""

    def __init__(self) -> None:
        self._past: deque[Entry[State]] = deque(maxlen=LENGTH)
        self._future: list[Entry[State]] = []

    def record(self, gesture: str, before: State) -> None:
        """Remember the state before a gesture; what was taken back before it is gone."""
        self._past.append((gesture, before))
        self._future.clear()

    def undo(self, now: State) -> Entry[State] | None:
        """The last gesture and the state before it, given the state now; None if there is none."""
        if not self._past:
            return None
        gesture, before = self._past.pop()
        self._future.append((gesture, now))
        return gesture, before

    def redo(self, now: State) -> Entry[State] | None:
        """The gesture that was taken back last and the state after it; None if there is none."""
        if not self._future:
            return None
        gesture, after = self._future.pop()
        self._past.append((gesture, now))
        return gesture, after
