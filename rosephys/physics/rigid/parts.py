"""The convex parts of a world's bodies as tables. A body is one part, terrain many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

import rose_ad as ra
from rosephys.given import is_traced

from ..quantities import Array, Index, NumpyArray, Scalar
from .bodies import World
from .numbers import numbers


@dataclass(frozen=True)
class Parts:
    """The m parts of a world, padded to the most corners that one has.

    A padded row of `corners` (m, v, 2) holds the first corner again. `normals` (m, v, 2) are those of the faces
    from one corner to the next, of which the first `faces` (m,) exist; a circle has none.
    """

    world: World

    def __post_init__(self) -> None:
        if (
            not self.sized
        ):  # traced values are made here, where all loops that use them can see them
            _ = self.normals, self.size, self.reach

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
    def sized(self) -> bool:
        """Whether all sizes are known; else some are traced."""
        return not is_traced([(part.corners, part.radius) for _, part in self.world.parts])

    @cached_property
    def corners(self) -> Array:
        """Of each about its body's centre of mass, or terrain's origin."""
        rows = []
        for _, part in self.world.parts:
            p, more = part.corners, self.count - len(part.corners)
            rows.append(
                np.concatenate([p, np.repeat(p[:1], more, axis=0)])
                if self.sized
                else ra.concat([ra.array(p), *[ra.array(p)[:1]] * more])
            )
        return np.array(rows) if self.sized else ra.stack(rows)

    @cached_property
    def normals(self) -> Array:
        """Outward, of length 1; zero where there is no face."""
        if not self.sized:
            return self._traced_normals()
        corners = np.asarray(self.corners)
        side = np.roll(corners, -1, axis=1) - corners
        length = np.hypot(side[..., 0], side[..., 1])[..., None]
        outward = np.stack([side[..., 1], -side[..., 0]], axis=-1)
        return np.asarray(outward / np.where(length > 0, length, 1.0))

    def _traced_normals(self) -> Array:
        corners, v = self.corners, self.count

        def outward(a: Index, e: Index) -> Array:
            side = corners[a, ra.where(e == v - 1, 0, e + 1)] - corners[a, e]
            length = ra.hypot(side[0], side[1])
            return ra.array([side[1], -side[0]]) / ra.where(length > 0, length, 1.0)

        return ra.build(len(self.body), lambda a: ra.build(v, lambda e: outward(a, e)))

    @cached_property
    def faces(self) -> NumpyArray:
        """How many faces each has."""
        return np.asarray(np.where(self.round, 0, [len(p.corners) for _, p in self.world.parts]))

    @cached_property
    def round(self) -> NumpyArray:
        """Whether each is a circle."""
        return np.array([len(p.corners) == 1 for _, p in self.world.parts], bool)

    @cached_property
    def radius(self) -> Array:
        """Of each."""
        return numbers([p.radius for _, p in self.world.parts])

    @cached_property
    def arm(self) -> Array:
        """How far each one's farthest corner is from the centre of mass."""
        if self.sized:
            return np.asarray(np.hypot(*np.moveaxis(np.asarray(self.corners), -1, 0)).max(axis=1))
        return ra.max(ra.hypot(self.corners[:, :, 0], self.corners[:, :, 1]), axis=1)

    @cached_property
    def size(self) -> Array:
        """The radius of the circle about the centre of mass that holds each."""
        return self.arm + self.radius

    @cached_property
    def reach(self) -> Scalar:
        """Pairs with a smaller gap are near: a fiftieth of the smallest body that can move."""
        free = [k for k, fixed in enumerate(self.fixed) if not fixed]
        if not free:
            return 0.0
        if self.sized:
            return 0.02 * float(self.size[free].min())
        return 0.02 * ra.stop_gradient(ra.min(self.size[np.array(free)]))
