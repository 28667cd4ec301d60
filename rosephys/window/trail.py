"""The descent so far: the controls it went through, and some of the motions they led to."""

from __future__ import annotations

from typing import Generic, TypeVar

from rosephys.scene.picture import Track
from rosephys.solve.problem import Arrays

Item = TypeVar("Item")

POINTS = 96  # of the path of the controls that are kept
GHOSTS = 8  # motions that are


class Spaced(Generic[Item]):
    """At most so many items of a sequence that grows: evenly spaced, the first among them."""

    def __init__(self, most: int) -> None:
        self.kept: list[Item] = []
        self._most, self._stride, self._count = most, 1, 0

    def add(self, item: Item) -> None:
        """Lengthen the sequence by an item."""
        if self._count % self._stride == 0:
            if len(self.kept) == self._most:
                self.kept = self.kept[::2]
                self._stride *= 2
            if self._count % self._stride == 0:
                self.kept.append(item)
        self._count += 1


class Trail:
    """What a descent has left behind since a hand began it."""

    def __init__(self) -> None:
        self.gradient: Arrays = {}  # at its start
        self._controls: Spaced[Arrays] = Spaced(POINTS)
        self._tracks: Spaced[list[Track]] = Spaced(GHOSTS)

    @property
    def controls(self) -> list[Arrays]:
        """The controls on the way, the first ones first."""
        return self._controls.kept

    @property
    def ghosts(self) -> list[list[Track]]:
        """The tracks of some motions on the way, the first one first."""
        return self._tracks.kept

    def add(self, controls: Arrays, tracks: list[Track], gradient: Arrays) -> None:
        """Go on to these controls, whose motion has these tracks."""
        self.gradient = self.gradient or gradient
        self._controls.add(controls)
        self._tracks.add(tracks)
