"""The circles of a picture, numbered through all its shapes: what a hand may take hold of."""

from __future__ import annotations

from typing import Any

import numpy as np

import rose_ad as ra

from .picture import Circles, Picture


def centres(picture: Picture) -> Any:
    """The centres of all circles, (n, 2), traced or numbers; of a picture that has any."""
    return ra.concat([ra.array(shape.centres) for shape in _circles(picture)])


def count(picture: Picture) -> int:
    """How many circles there are."""
    return sum(len(shape.centres) for shape in _circles(picture))


def nearest(picture: Picture, point: Any, reach: float) -> int | None:
    """The circle whose centre is nearest to a point of the world, if that is within it or within `reach`; None
    if there is none. What is not drawn, of radius zero or without a place, is not taken. Pictures are of
    numbers."""
    best, found, before = np.inf, None, 0
    for shape in _circles(picture):
        apart = np.hypot(*(np.asarray(shape.centres, float) - point).T)
        radii = np.broadcast_to(np.asarray(shape.radii, float), apart.shape)
        within = (apart <= np.maximum(radii, reach)) & (radii > 0)
        apart = np.where(within & np.isfinite(apart), apart, np.inf)
        k = int(np.argmin(apart)) if apart.size else 0
        if apart.size and apart[k] < best:
            best, found = apart[k], before + k
        before += len(apart)
    return found


def circle(picture: Picture, which: int) -> tuple[np.ndarray[Any, Any], float, str]:
    """The centre, the radius and the label, "" for none, of a circle of a picture of numbers."""
    for shape in _circles(picture):
        n = len(shape.centres)
        if which < n:
            radius = float(np.broadcast_to(shape.radii, n)[which])
            label = shape.labels[which] if which < len(shape.labels) else ""
            return np.asarray(shape.centres, float)[which], radius, label
        which -= n
    raise IndexError(which)


def _circles(picture: Picture) -> list[Circles]:
    return [shape for shape in picture.shapes if isinstance(shape, Circles)]
