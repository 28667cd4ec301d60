"""The convex parts of a world's bodies as tables. A body is one part, terrain many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..quantities import NumpyArray
from .bodies import World


@dataclass(frozen=True)
class Parts:
    """The m parts of a world, padded to the most corners that one has.

    A padded row of `corners` (m, v, 2) holds the first corner again. `normals` (m, v, 2) are those of the faces
    from one corner to the next, of which the first `faces` (m,) exist; a circle has none.
    """

    world: World

    @cached_property
    def body(self) -> NumpyArray:
        """The body (m,) of each."""
        return np.array([k for k, _ in self.world.parts], int)

    @cached_property
    def fixed(self) -> NumpyArray:
        """Whether each belongs to a fixed body, (m,)."""
        return ~np.array(self.world.movable, bool)[self.body]

    @cached_property
    def count(self) -> int:
        """The most corners of one part."""
        return max(len(part.corners) for _, part in self.world.parts)

    @cached_property
    def corners(self) -> NumpyArray:
        """Of each about its body's centre of mass, or terrain's origin."""
        rows = []
        for _, part in self.world.parts:
            p = part.corners
            rows.append(np.concatenate([p, np.repeat(p[:1], self.count - len(p), axis=0)]))
        return np.array(rows)

    @cached_property
    def normals(self) -> NumpyArray:
        """Outward, of length 1; zero where there is no face."""
        side = np.roll(self.corners, -1, axis=1) - self.corners
        length = np.hypot(side[..., 0], side[..., 1])[..., None]
        outward = np.stack([side[..., 1], -side[..., 0]], axis=-1)
        return np.asarray(outward / np.where(length > 0, length, 1.0))

    @cached_property
    def faces(self) -> NumpyArray:
        """How many faces each has."""
        return np.asarray(np.where(self.round, 0, [len(p.corners) for _, p in self.world.parts]))

    @cached_property
    def round(self) -> NumpyArray:
        """Whether each is a circle."""
        return np.array([len(p.corners) == 1 for _, p in self.world.parts], bool)

    @cached_property
    def radius(self) -> NumpyArray:
        """Of each."""
        return np.array([p.radius for _, p in self.world.parts])

    @cached_property
    def size(self) -> NumpyArray:
        """The radius of the circle about the centre of mass that holds each."""
        return np.asarray(np.hypot(*np.moveaxis(self.corners, -1, 0)).max(axis=1) + self.radius)

    @cached_property
    def arm(self) -> NumpyArray:
        """How far each one's farthest corner is from the centre of mass."""
        return np.asarray(self.size - self.radius)

    @cached_property
    def reach(self) -> float:
        """Pairs with a smaller gap are near: a fiftieth of the smallest body that can move."""
        free = self.size[~self.fixed]
        return 0.02 * float(free.min()) if len(free) else 0.0
