r"""Where to aim: the geometry that players begin with, and how near a ball comes to where it should go.

To send a ball at x to a point p, the cue ball must touch it on the far side, at the ghost ball's place

    x - 2R (p - x) / |p - x|,

and is aimed there. A shot by a cushion is aimed at the mirror image of p behind it; one by another ball (a
combination) sends that to the ghost ball of the next. None of this knows of throw, swerve or of what cushions
do to spin: it is where a descent along the gradient of the real shot begins.
"""

from __future__ import annotations

import numpy as np

from ..checked import checked
from ..quantities import NumpyArray, Positive


@checked
def ghost(ball: NumpyArray, point: NumpyArray, radius: Positive) -> NumpyArray:
    """Where (2,) the ball that strikes one at `ball` must be to send it to a point."""
    way = np.asarray(point) - ball
    return np.asarray(ball - 2 * radius * way / max(float(np.linalg.norm(way)), 1e-9))


@checked
def directions(
    places: NumpyArray, target: int, point: NumpyArray, size: NumpyArray, radius: Positive
) -> NumpyArray:
    """Directions, in rad, (m,), that may send the target to a point: straight, by cushions, by other balls.

    `places` (n, 2) has the cue ball first; `size` (2,) is the length and the width of the table. The shortest
    way is the first.
    """
    cue, ball = places[0], places[target]
    edge = radius, size - radius
    ghosts = [ghost(ball, image, radius) for image in _images(point, np.zeros(2), size)]
    for k in range(1, len(places)):
        if k != target:
            ghosts += [ghost(places[k], g, radius) for g in ghosts[:1]]
    aims = [(image, g) for g in ghosts for image in _images(g, np.full(2, edge[0]), edge[1])]
    ways = np.array([image - cue for image, _ in aims])
    order = np.argsort(np.linalg.norm(ways, axis=1))
    return np.asarray(np.arctan2(ways[order, 1], ways[order, 0]))


def _images(point: NumpyArray, low: NumpyArray, high: NumpyArray) -> list[NumpyArray]:
    """A point, and its mirror images behind the four sides of a box."""
    images = [np.asarray(point, float)]
    for axis in (0, 1):
        for side in (low[axis], high[axis]):
            image = images[0].copy()
            image[axis] = 2 * side - image[axis]
            images.append(image)
    return images
