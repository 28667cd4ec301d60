"""What a joint is, and joints that cannot hold: of one body, of fixed ones, or in contradiction to each other.

Bodies that are welded together are one. So along welds each has a place in the frame of the first, and every
other joint of two of them is held there or never: a second weld at another angle, a rod of another length.
Numbers that are traced are not known, and contradict nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import numpy as np

from rosephys.given import is_traced, told

from ..checked import checked
from ..quantities import FROM_0, Array, Axes, NotNegative, NumpyArray, PlaneVector, Scalar

BodyNumber: TypeAlias = Annotated[int, FROM_0]
Point: TypeAlias = PlaneVector | tuple[Scalar, Scalar]
"""(2,), about a body's centre of mass."""

Places: TypeAlias = Annotated[Array | Sequence[Sequence[float]], Axes("bodies", 2)]
Angles: TypeAlias = Annotated[Array | Sequence[float], Axes("bodies")]

FREE = 1e30
"""More impulse than any joint ever needs."""
OFF = 1e-6
"""What a joint of welded bodies may be off by, as a share of the lengths there are, and in rad."""


@checked
@dataclass(frozen=True)
class Joint:
    """What holds two bodies; made by the functions of `joints`. The numbers may be traced."""

    kind: Literal["revolute", "weld", "distance", "motor"]
    bodies: tuple[BodyNumber, BodyNumber]
    anchors: tuple[Point, Point] = ((0.0, 0.0), (0.0, 0.0))
    target: Scalar = 0.0
    torque: NotNegative = FREE


def not_two(name: str, k: int, pair: Sequence[int], n: int) -> str:
    """What is wrong with the pair k if it is not one of two of n bodies; "" if it is."""
    whole = isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2
    whole = whole and all(isinstance(i, int | np.integer) and 0 <= i < n for i in pair)
    if whole and pair[0] != pair[1]:
        return ""
    what = tuple(pair) if whole else told(pair)
    return f"{name}[{k}] is {what}; wanted two of the {n} bodies, 0 to {n - 1}"


def contradictions(joints: Sequence[Joint], movable: Sequence[bool]) -> str:
    """What is wrong with joints of bodies of which some can move; "" if nothing is."""
    for k, joint in enumerate(joints):
        wrong = not_two("joints", k, joint.bodies, len(movable))
        if not wrong and not (movable[joint.bodies[0]] or movable[joint.bodies[1]]):
            wrong = f"joints[{k}] is of two fixed bodies, {joint.bodies}; wanted one that can move"
        rod = joint.kind == "distance" and not is_traced(joint.target)
        if not wrong and rod and joint.target <= 0:
            wrong = f"joints[{k}] has the length {joint.target}; wanted a number above 0"
        if wrong:
            return wrong
    return _contradiction([joint if _is_known(joint) else None for joint in joints], len(movable))


def _is_known(joint: Joint) -> bool:
    return not is_traced((joint.anchors, joint.target, joint.torque))


def _contradiction(joints: Sequence[Joint | None], n: int) -> str:
    """The first joint that is off where welds hold its bodies."""
    group, place = list(range(n)), np.zeros((n, 3))
    for joint in joints:
        if joint is not None and joint.kind == "weld":
            _weld(joint, group, place)
    for k, joint in enumerate(joints):
        if joint is None or group[joint.bodies[0]] != group[joint.bodies[1]]:
            continue
        off, unit = _off(joint, place)
        if off:
            i, j = joint.bodies
            what = f"joints[{k}], a {joint.kind}, is {off:.4g} {unit} off where welds hold bodies {i} and {j}"
            return f"{what}; wanted joints that do not contradict each other"
    return ""


def without_direction(joints: Sequence[Joint], position: Places, angle: Angles) -> str:
    """The first rod whose ends are in one place, with bodies at these positions (n, 2) and angles (n,)."""
    for k, joint in enumerate(joints):
        if joint.kind == "distance" and not is_traced((joint.anchors, position, angle)):
            (i, j), (at_i, at_j) = joint.bodies, joint.anchors
            ends = (np.add(position[b], _turned(at, angle[b])) for b, at in ((i, at_i), (j, at_j)))
            if not np.subtract(*ends).any():
                return f"position has both ends of joints[{k}], a rod, in one place; wanted two"
    return ""


def _weld(joint: Joint, group: list[int], place: NumpyArray) -> None:
    """Make one group of those of two bodies; `place` (n, 3) is where each is in the frame of its group."""
    (i, j), (at_i, at_j) = joint.bodies, joint.anchors
    if group[i] == group[j]:
        return
    # where body j is to be, and the motion that takes its group there
    angle = place[i, 2] + float(joint.target)
    there = place[i, :2] + _turned(at_i, place[i, 2]) - _turned(at_j, angle)
    turn, before = angle - place[j, 2], place[j, :2].copy()
    moved = group[j]
    for b in [b for b in range(len(group)) if group[b] == moved]:
        place[b, :2] = there + _turned(place[b, :2] - before, turn)
        place[b, 2] += turn
        group[b] = group[i]


def _turned(vector: Point, angle: Scalar) -> NumpyArray:
    c, s = math.cos(angle), math.sin(angle)
    x, y = vector
    return np.array([c * x - s * y, s * x + c * y])


def _off(joint: Joint, place: NumpyArray) -> tuple[float, str]:
    """By how much a joint of two bodies at these places is not held, and its unit; 0 if it is."""
    (i, j), target = joint.bodies, float(joint.target)
    if joint.kind == "motor":
        return (abs(target) if joint.torque >= FREE else 0.0), "rad/s"
    arms = [_turned(at, place[b, 2]) for at, b in zip(joint.anchors, joint.bodies, strict=True)]
    apart = float(np.hypot(*(place[j, :2] + arms[1] - place[i, :2] - arms[0])))
    length = abs(apart - target) if joint.kind == "distance" else apart
    if length > OFF * float(np.abs([*arms, place[i, :2], place[j, :2]]).max()):
        return length, "m"
    angle = abs(place[j, 2] - place[i, 2] - target) if joint.kind == "weld" else 0.0
    return (angle if angle > OFF else 0.0), "rad"
