"""The shape of terrain: convex parts behind each segment, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosephys.errors import SceneError
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.shapes import circle
from rosephys.physics.rigid.terrain import terrain


def turns(corners: Any) -> Any:
    side = np.roll(corners, -1, axis=0) - corners
    after = np.roll(side, -1, axis=0)
    return side[:, 0] * after[:, 1] - side[:, 1] * after[:, 0]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("closed", [False, True])
def test_parts_are_convex_and_flush(seed: int, closed: bool) -> None:
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9)) if closed else np.linspace(np.pi, 0.1, 9)
    points = rng.uniform(1, 2, (9, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if not closed:
        points = np.stack([np.linspace(0, 8, 9), rng.uniform(-1, 1, 9)], axis=1)
    shape = terrain(points, 0.4, closed)
    assert len(shape.parts) == (9 if closed else 8)
    for k, part in enumerate(shape.parts):
        assert (turns(part.corners) > 0).all()
        a, b = points[k], points[(k + 1) % 9]
        np.testing.assert_allclose(part.corners[[1, 0]], [a, b])
        behind = np.array([b[1] - a[1], a[0] - b[0]]) / np.hypot(*(b - a))
        deep = ((part.corners - a) @ behind).max()
        assert deep == pytest.approx(0.4) or (len(part.corners) == 3 and deep < 0.4)


def test_area_is_that_of_a_band() -> None:
    square = terrain([[0, 0], [2, 0], [2, 2], [0, 2]], 0.5, closed=True)
    assert square.area == pytest.approx(3**2 - 2**2)
    assert square.moment == pytest.approx(
        (3**4 - 2**4) / 6 + (3**2 - 2**2) * 2  # about the origin, a corner
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: terrain([[0, 0]], 1.0), "points are 1; wanted 2 or more"),
        (lambda: terrain([[0, 0], [1, 0]], 1.0, closed=True), "points are 2; wanted 3 or more"),
        (lambda: terrain([[0, 0], [1, 0]], 0.0), "thickness"),
        (lambda: terrain([[0, 0], [1, 0], [1, 0]], 1.0), "1 and 2"),
        (lambda: terrain([[0, 0], [1, 0], [0.1, 0.01]], 1.0), "turn back at point 1"),
        (lambda: World([Body(terrain([[0, 0], [1, 0]], 1.0)), Body(circle(1.0))]), "fixed=True"),
    ],
)
def test_what_is_none_is_refused(wrong: Any, says: str) -> None:
    with pytest.raises(SceneError, match=says):
        wrong()
