"""Quaternions (w, x, y, z) of numbers that are known, for what reads files."""

from __future__ import annotations

import numpy as np

from ..quantities import NumpyArray


def turned_by(p: NumpyArray, q: NumpyArray) -> NumpyArray:
    """The quaternion (4,) of q followed by p."""
    w, u = p[0], p[1:]
    return np.array([w * q[0] - u @ q[1:], *(w * q[1:] + q[0] * u + np.cross(u, q[1:]))])


def carried(q: NumpyArray, x: NumpyArray) -> NumpyArray:
    """A vector (3,) turned by a unit quaternion."""
    cross = np.cross(q[1:], x)
    return x + 2 * (q[0] * cross + np.cross(q[1:], cross))


def in_axes(q: NumpyArray, inertia: NumpyArray) -> NumpyArray:
    """An inertia (3, 3) that is given in axes turned by q, in those that q is given in."""
    axes = np.stack([carried(q, e) for e in np.eye(3)], axis=1)
    made = axes @ inertia @ axes.T
    return np.asarray(0.5 * (made + made.T))
