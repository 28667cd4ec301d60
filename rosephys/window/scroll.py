"""How far a list that is longer than the room for it has been scrolled, in pixels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Scroll:
    """`room` pixels of `length`, from `offset` on; `offset` stays where there is something to show."""

    length: float = 0.0
    room: float = 0.0
    offset: float = 0.0

    def fit(self, length: float, room: float) -> None:
        """Set the list's length and the room for it."""
        self.length, self.room = length, room
        self.move(0.0)

    def move(self, by: float) -> None:
        """Scroll on by so many pixels, back where negative."""
        self.offset = min(max(self.offset + by, 0.0), max(self.length - self.room, 0.0))

    @property
    def needed(self) -> bool:
        """Whether the list is longer than its room."""
        return self.length > self.room

    @property
    def thumb(self) -> tuple[float, float]:
        """Where the bar's thumb begins, and how long it is, in pixels of the room."""
        long = self.room * self.room / max(self.length, self.room, 1.0)
        return self.offset * self.room / max(self.length, 1.0), long

    def bring(self, start: float) -> None:
        """Scroll to where the thumb begins at this pixel of the room."""
        self.move(start * self.length / max(self.room, 1.0) - self.offset)
