"""What a hand may take hold of: points of the plane that are fields, and rows of fields that have many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rosephys.scene.scene import Scene

Values = Mapping[str, NDArray[np.float64]]


class Handle(NamedTuple):
    """A field that is a point, or a row of one that has a point in each."""

    field: str
    row: int | None = None

    def of(self, values: Values) -> NDArray[np.float64]:
        """Where it is (2,)."""
        value = values[self.field]
        return value if self.row is None else np.asarray(value[self.row])

    def moved(self, values: Values, place: ArrayLike) -> NDArray[np.float64]:
        """The field's value with the handle at a place."""
        if self.row is None:
            return np.asarray(place, np.float64)
        whole = np.array(values[self.field], np.float64)
        whole[self.row] = place
        return whole


def fields_of(scene: Scene, values: Values) -> tuple[str, ...]:
    """The fields that have handles: points that the scene calls so, one or many."""
    return tuple(
        name
        for name, value in values.items()
        if scene.fields[name].handle and value.shape[-1:] == (2,) and value.size
    )


def nearest(scene: Scene, values: Values, point: ArrayLike, reach: float) -> Handle | None:
    """The handle nearest to a world point and within `reach` of it."""
    near, least = None, reach
    for name in fields_of(scene, values):
        far = np.atleast_1d(np.hypot(*(values[name] - np.asarray(point, np.float64)).T))
        row = int(far.argmin())
        if far[row] <= least:
            near = Handle(name, row if values[name].ndim == 2 else None)
            least = float(far[row])
    return near
