r"""Space drawn on the plane: an orthographic camera, and the faces of solids and sheets in light.

The eye is far away in the direction t; world z points up in the picture. With the azimuth a and the elevation e

    t = (cos e cos a, cos e sin a, sin e),    right = (-sin a, cos a, 0),    up = t × right,

a point p is drawn at (right · p, up · p). Numbers may be traced.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import rose_ad as ra

from .picture import Lines, Polygons

LIGHT = np.array([0.35, -0.4, 0.85]) / np.linalg.norm([0.35, -0.4, 0.85])  # where it comes from


@dataclass(frozen=True)
class Camera:
    """Looks along a horizontal direction (azimuth) from some way above (elevation), in degrees."""

    azimuth: float = -60.0
    elevation: float = 20.0

    @property
    def axes(self) -> Any:
        """right, up and t, the rows of a (3, 3) array of numpy."""
        a, e = np.radians(self.azimuth), np.radians(self.elevation)
        toward = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
        right = np.array([-np.sin(a), np.cos(a), 0.0])
        return np.stack([right, np.cross(toward, right), toward])

    def place(self, points: Any) -> Any:
        """Where points (..., 3) are drawn, (..., 2)."""
        return points @ self.axes[:2].T

    def on_floor(self, place: Any) -> Any:
        """The point (3,) with z = 0 that is drawn at `place` (2,)."""
        x, y = np.linalg.inv(self.axes[:2, :2]) @ place
        return ra.array([x, y, 0.0])

    def floor(self, wide: float, deep: float, spacing: float, height: float = 0.0) -> Lines:
        """Lines on a level floor, from -wide to wide in x and from -deep to deep in y."""
        xs = np.linspace(-wide, wide, round(2 * wide / spacing) + 1)
        ys = np.linspace(-deep, deep, round(2 * deep / spacing) + 1)
        starts = [(x, -deep, height) for x in xs] + [(-wide, y, height) for y in ys]
        ends = [(x, deep, height) for x in xs] + [(wide, y, height) for y in ys]
        return Lines(self.place(np.array(starts)), self.place(np.array(ends)), "line", 1.5)

    def solid(self, faces: Any, colour: str, low: str = "shade", high: str = "white") -> Polygons:
        """The faces (n, k, 3) of a solid, their corners anticlockwise as seen from outside, the farthest first.

        Those that look away from the eye are left out.
        """
        faces = self._sorted(faces)
        normals = _normals(faces)
        seen = normals @ self.axes[2] > 0
        points = ra.where(seen[:, None, None], self.place(faces), np.nan)
        return Polygons(points, 0.75 * (normals @ LIGHT) - 0.15, colour, low, high)

    def sheet(self, faces: Any, colour: str, low: str = "shade", high: str = "white") -> Polygons:
        """The faces (n, k, 3) of a sheet with two sides, the farthest first."""
        faces = self._sorted(faces)
        light = abs(_normals(faces) @ LIGHT)
        return Polygons(self.place(faces), 1.3 * light - 0.75, colour, low, high)

    def _sorted(self, faces: Any) -> Any:
        """Faces (n, k, 3), the farthest first."""
        return ra.array(faces)[ra.argsort(ra.sum(faces @ self.axes[2], axis=1))]


def _normals(faces: Any) -> Any:
    """The unit normals (n, 3) of faces (n, k, 3), by Newell's sum; corners may coincide."""
    corners = faces.shape[1]

    def normal(i: Any) -> Any:
        first = faces[i, 0]
        sides = [faces[i, k] - first for k in range(1, corners)]
        across = sum(ra.cross(p, q) for p, q in pairwise(sides))
        return across / ra.maximum(ra.norm(across), 1e-12)

    return ra.build(faces.shape[0], normal)
