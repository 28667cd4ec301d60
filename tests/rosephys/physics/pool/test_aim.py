"""Where to aim: the geometry of ghost balls and mirror images."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rosephys.physics.pool.aim import directions, ghost

R = 0.03
SIZE = np.array([2.0, 1.0])


def test_the_ghost_ball_touches_on_the_far_side() -> None:
    place = ghost(np.array([1.0, 0.5]), np.array([2.0, 0.5]), R)
    np.testing.assert_allclose(place, (1.0 - 2 * R, 0.5), atol=1e-15)


def test_the_shortest_way_is_first_and_straight() -> None:
    places = np.array([(0.2, 0.5), (1.0, 0.5)])
    ways = directions(places, 1, np.array([2.0, 0.5]), SIZE, R)
    assert ways[0] == 0.0 and len(ways) == 25


def test_by_a_cushion_angles_are_equal() -> None:
    places = np.array([(0.2, 0.5), (1.0, 0.5)])
    ways = directions(places, 1, np.array([2.0, 0.5]), SIZE, R)
    ghost_x = 1.0 - 2 * R
    up = math.atan2(2 * (1.0 - R - 0.5), ghost_x - 0.2)
    assert min(abs(ways - up)) < 1e-12 and min(abs(ways + up)) < 1e-12


def test_another_ball_can_be_sent_to_the_target() -> None:
    places = np.array([(0.2, 0.5), (1.0, 0.5), (0.6, 0.7)])
    plan = ghost(places[2], ghost(places[1], np.array([2.0, 0.5]), R), R) - places[0]
    ways = directions(places, 1, np.array([2.0, 0.5]), SIZE, R)
    assert min(abs(ways - math.atan2(plan[1], plan[0]))) < 1e-12


def test_what_is_at_the_point_already() -> None:
    point = np.array([1.0, 0.5])
    assert np.isfinite(ghost(point, point, R)).all()
    assert ghost(point, point, R) == pytest.approx(point)
