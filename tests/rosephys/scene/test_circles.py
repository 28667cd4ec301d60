"""The circles of a picture by their numbers."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys.scene.circles import centres, circle, count, nearest
from rosephys.scene.picture import Circles, Cross, Picture

FIRST = Circles(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0.1, 0.5]), ("red",), ("one",))
SECOND = Circles(np.array([[3.0, 0.0], [np.nan, 0.0]]), 0.2, ("red",))
PICTURE = Picture((FIRST, Cross((9.0, 9.0), "red"), SECOND), (0, 0, 4, 1))


def test_circles_are_numbered_through_all_shapes() -> None:
    assert count(PICTURE) == 4
    np.testing.assert_array_equal(np.asarray(centres(PICTURE))[:3, 0], [0.0, 1.0, 3.0])
    assert circle(PICTURE, 0)[1:] == (0.1, "one") and circle(PICTURE, 1)[1:] == (0.5, "")
    assert circle(PICTURE, 2)[0].tolist() == [3.0, 0.0]
    with pytest.raises(IndexError):
        circle(PICTURE, 4)


@pytest.mark.parametrize(
    ("point", "reach", "found"),
    [
        ((0.05, 0.0), 0.0, 0),  # within it
        ((0.2, 0.0), 0.0, None),
        ((0.2, 0.0), 0.25, 0),  # within reach
        ((1.4, 0.0), 0.0, 1),
        ((3.1, 0.1), 0.0, 2),
        ((0.55, 0.0), 0.6, 1),  # the nearer one of two
        ((9.0, 9.0), 1.0, None),  # a cross is none
    ],
)
def test_a_hand_takes_the_nearest(
    point: tuple[float, float], reach: float, found: int | None
) -> None:
    assert nearest(PICTURE, point, reach) == found


def test_a_picture_without_circles_has_none() -> None:
    empty = Picture((Cross((0.0, 0.0), "red"),), (0, 0, 1, 1))
    assert count(empty) == 0 and nearest(empty, (0.0, 0.0), 9.0) is None


@pytest.mark.parametrize("reach", [0.0, 0.3, 9.0])
@pytest.mark.parametrize("radius", [0.0, np.zeros(2), -1.0, np.nan])
def test_a_hand_takes_nothing_that_is_not_drawn(radius: float, reach: float) -> None:
    hidden = Circles(np.array([[0.0, 0.0], [1.0, 0.0]]), radius, ("red",))
    alone = Picture((hidden,), (0, 0, 4, 1))
    assert nearest(alone, (1.0, 0.0), reach) is None
    found = nearest(Picture((hidden, FIRST), (0, 0, 4, 1)), (1.0, 0.0), reach)
    assert found == 3  # the same place, where another circle is drawn
