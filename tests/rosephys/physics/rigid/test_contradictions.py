"""Joints that cannot hold are refused before anything runs; those that can are not."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys.errors import ArgumentError
from rosephys.physics.rigid import implicit, impulses
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.contradictions import Joint, contradictions
from rosephys.physics.rigid.joints import distance, motor, revolute, weld
from rosephys.physics.rigid.shapes import box

BODY, GROUND = Body(box(1.0, 1.0)), Body(box(1.0, 1.0), fixed=True)
LEFT, RIGHT, MIDDLE = (-0.5, 0.0), (0.5, 0.0), (0.0, 0.0)
WELD = weld(0, 1, RIGHT, LEFT)


@pytest.mark.parametrize(
    ("joints", "said"),
    [
        (
            [revolute(1, 1, MIDDLE, RIGHT)],
            "joints[0] is (1, 1); wanted two of the 3 bodies, 0 to 2",
        ),
        ([WELD, revolute(0, 9, MIDDLE, MIDDLE)], "joints[1] is (0, 9); wanted two of"),
        ([Joint("distance", (0, 1), (MIDDLE, MIDDLE), -1.0)], "joints[0] has the length -1.0"),
        ([WELD, weld(0, 1, RIGHT, LEFT, 1.0)], "joints[1], a weld, is 1 rad off"),
        ([WELD, weld(1, 0, LEFT, RIGHT, 1.0)], "joints[1], a weld, is 1 rad off"),
        ([WELD, weld(0, 1, RIGHT, LEFT, 2 * math.pi)], "joints[1], a weld, is 6.283 rad off"),
        ([WELD, weld(0, 1, RIGHT, MIDDLE)], "joints[1], a weld, is 0.5 m off"),
        ([WELD, revolute(0, 1, RIGHT, MIDDLE)], "joints[1], a revolute, is 0.5 m off"),
        ([distance(0, 1, MIDDLE, MIDDLE, 2.0), WELD], "joints[0], a distance, is 1 m off"),
        ([WELD, motor(0, 1, 2.0)], "joints[1], a motor, is 2 rad/s off"),
        (
            [WELD, weld(1, 2, RIGHT, LEFT), weld(0, 2, RIGHT, LEFT)],
            "joints[2], a weld, is 1 m off where welds hold bodies 0 and 2",
        ),
    ],
)
def test_joints_that_cannot_hold_are_refused(joints: list[Joint], said: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(said)):
        World([BODY, BODY, BODY], joints=joints)


def test_joints_of_fixed_bodies_are_refused() -> None:
    with pytest.raises(ArgumentError, match=re.escape("joints[0] is of two fixed bodies, (0, 1)")):
        World([GROUND, GROUND], joints=[WELD])


def test_joints_that_say_the_same_twice_are_taken() -> None:
    World([BODY, BODY], joints=[WELD, WELD, revolute(0, 1, RIGHT, LEFT), motor(0, 1, 0.0)])
    World([BODY, BODY], joints=[WELD, distance(0, 1, MIDDLE, MIDDLE, 1.0), motor(0, 1, 1.0, 5.0)])


def test_traced_numbers_contradict_nothing() -> None:
    def turned(angle: Any) -> Any:
        joints = [WELD, weld(0, 1, RIGHT, LEFT, angle)]
        return World([BODY, BODY], joints=joints).joints[1].target

    assert ra.fn(turned)(1.0) == 1.0


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_welds_of_bodies_where_they_are_hold_and_no_others(data: Any) -> None:
    n = data.draw(st.integers(2, 8))
    number = st.floats(-10.0, 10.0).map(lambda x: round(x, 3))
    place = np.array(data.draw(st.lists(st.tuples(number, number, number), min_size=n, max_size=n)))

    def joint(i: int, j: int) -> Joint:
        """The weld of two bodies at the middle of body j."""
        c, s = np.cos(place[i, 2]), np.sin(place[i, 2])
        way = np.array([[c, s], [-s, c]]) @ (place[j, :2] - place[i, :2])
        return weld(i, j, way, MIDDLE, place[j, 2] - place[i, 2])

    pair = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] != p[1])
    joints = [joint(*p) for p in data.draw(st.lists(pair, min_size=1, max_size=12))]
    assert contradictions(joints, [True] * n) == ""
    (i, j), k = joints[-1].bodies, data.draw(st.integers(0, len(joints)))
    off = weld(i, j, joints[-1].anchors[0], (0.01, 0.0), joints[-1].target)
    assert " m off where welds hold bodies " in contradictions(
        [*joints[:k], off, *joints[k:]], [True] * n
    )


def test_a_rod_has_its_ends_in_two_places() -> None:
    world = World([BODY, BODY], joints=[distance(0, 1, RIGHT, LEFT, 1.0)])
    world.at([[0.0, 0.0], [2.0, 0.0]], [0.0, 0.0])
    with pytest.raises(ArgumentError, match=r"position has both ends of joints.0., a rod, in one"):
        world.at([[0.0, 0.0], [1.0, 0.0]], [0.0, 0.0])


@pytest.mark.parametrize("model", [implicit.step, impulses.step])
def test_a_joint_that_is_no_number_is_seen(model: Any) -> None:
    """It did nothing, and bodies stood still: Newton's method ended where it began."""

    @ra.fn
    def stepped(anchor: Any) -> Any:
        pin = revolute(0, 1, ra.array([anchor, 0.0]), LEFT)
        world = World([GROUND, BODY], joints=[pin], pairs=[])
        return model(world, world.at(np.array([[0.0, 0.0], [1.0, 0.0]]), np.zeros(2)), 0.01)

    assert np.isfinite(ra.flatten(stepped(0.5))[0][0]).all()
    assert np.isnan(stepped(math.nan).position[1]).all()
