"""Models from URDF, by the XML parser of the standard library.

Links with their inertial, joints of all six types with origin, axis, limits and damping. A link that no joint
moves is the root: it is fixed to the world, or hangs on it by a joint of the kind `base`. Each joint with an
angle or a place has a motor, named as the joint, of at most its effort. A planar joint's axis is the normal
of its plane.

What has no counterpart is told by element, name and line: friction, mimic and transmissions change the motion
and are refused unless `leave_out`; collisions are listed in `left_out`. What is only seen is not looked at.

Source: the URDF XML specification, https://wiki.ros.org/urdf/XML.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from rosephys.errors import ArgumentError

from ..checked import checked
from ..quantities import NumpyArray
from ..rigid.body3d import product
from .imported import Element, Imported, Weight, elements, in_axes, read, refuse
from .model import Actuator, Link, articulated
from .tree import Kind

KINDS: dict[str, Kind] = {
    "fixed": "fixed",
    "revolute": "revolute",
    "continuous": "revolute",
    "prismatic": "prismatic",
    "floating": "free",
    "planar": "planar",
}
REFUSED = {
    "mimic": "joints that follow another are not supported",
    "transmission": "transmissions are not supported: each joint has a motor of its own",
    "safety_controller": "safety controllers are not supported",
}


@checked
def from_urdf(source: str | Path, base: Kind = "fixed", leave_out: bool = False) -> Imported:
    """The model of a URDF file, or of its text, whose root hangs on the world by a joint of kind `base`.

    Raises ArgumentError for what changes the motion and is not supported, by line, unless `leave_out`; for
    joints of an unknown type, in a ring, or of links that are not there.
    """
    text, file = read(source)
    found = list(elements(text, file))
    refuse(list(_refused(found)), leave_out)
    robot = ElementTree.fromstring(text)
    bodies = {_named(e, file): e for e in robot.findall("link")}
    joints = {_end(e, "child", bodies, file): e for e in robot.findall("joint")}
    order = list(_ordered(bodies, joints, file))
    links = [_link(name, bodies[name], joints.get(name), base, bodies, file) for name in order]
    motors = [_motor(link, joints[link.name]) for link in links if _moves(link, joints)]
    collisions = [e.told("contacts are not supported") for e in found if e.tag == "collision"]
    return Imported(articulated(links, motors), tuple(m.name for m in motors), tuple(collisions))


def _refused(found: list[Element]) -> Iterator[str]:
    for element in found:
        if element.tag in REFUSED:
            yield element.told(REFUSED[element.tag])
        if element.tag == "dynamics" and float(element.attributes.get("friction", 0)):
            yield element.told("dry friction in joints is not supported")


def _named(element: ElementTree.Element, file: str) -> str:
    name = element.get("name")
    if name is None:
        raise ArgumentError(f"{file}: a <{element.tag}> has no name")
    return name


def _end(
    joint: ElementTree.Element, end: str, bodies: dict[str, ElementTree.Element], file: str
) -> str:
    """The link at one end of a joint. Raises ArgumentError for none, or one that is not there."""
    found = joint.find(end)
    name = None if found is None else found.get("link")
    if name is None or name not in bodies:
        raise ArgumentError(
            f"{file}: joint {_named(joint, file)!r}: no link {name!r} for its {end}"
        )
    return name


def _ordered(
    bodies: dict[str, ElementTree.Element], joints: dict[str, ElementTree.Element], file: str
) -> Iterator[str]:
    """The links, each after its parent. Raises ArgumentError for joints in a ring."""
    children: dict[str, list[str]] = {}
    for child, joint in joints.items():
        children.setdefault(_end(joint, "parent", bodies, file), []).append(child)
    waiting = [name for name in bodies if name not in joints][::-1]
    seen = 0
    while waiting:
        name = waiting.pop()
        seen += 1
        yield name
        waiting += children.get(name, [])[::-1]
    if seen < len(bodies):
        raise ArgumentError(f"{file}: {len(bodies) - seen} links hang on each other in a ring")


def _link(
    name: str,
    body: ElementTree.Element,
    joint: ElementTree.Element | None,
    base: Kind,
    bodies: dict[str, ElementTree.Element],
    file: str,
) -> Link:
    inertial = body.find("inertial")
    weight: Weight = {} if inertial is None else _inertial(inertial)
    if joint is None:
        return Link(name, "world", base, **weight)
    told = joint.get("type", "")
    if told not in KINDS:
        raise ArgumentError(f"{file}: joint {_named(joint, file)!r}: unknown type {told!r}")
    at, turned = _origin(joint)
    axis = _numbers(_child(joint, "axis", "xyz", "1 0 0"))
    axis = axis / np.linalg.norm(axis)
    kind = KINDS[told]
    if kind == "planar":
        turned = np.asarray(product(turned, _to(axis)))
    limited = told in ("revolute", "prismatic")
    low = float(_child(joint, "limit", "lower", "0")) if limited else -math.inf
    high = float(_child(joint, "limit", "upper", "0")) if limited else math.inf
    return Link(
        name,
        _end(joint, "parent", bodies, file),
        kind,
        axis=axis if kind in ("revolute", "prismatic") else (0.0, 0.0, 1.0),
        at=at,
        turned=turned,
        low=low,
        high=high,
        damping=float(_child(joint, "dynamics", "damping", "0")),
        **weight,
    )


def _inertial(inertial: ElementTree.Element) -> Weight:
    """Mass, centre and inertia (3, 3) in the link's axes."""
    centre, turned = _origin(inertial)
    xx, xy, xz, yy, yz, zz = (
        float(_child(inertial, "inertia", f"i{k}", "0"))
        for k in ("xx", "xy", "xz", "yy", "yz", "zz")
    )
    return {
        "mass": float(_child(inertial, "mass", "value", "0")),
        "centre": centre,
        "inertia": in_axes(turned, np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])),
    }


def _moves(link: Link, joints: dict[str, ElementTree.Element]) -> bool:
    return link.name in joints and link.joint in ("revolute", "prismatic")


def _motor(link: Link, joint: ElementTree.Element) -> Actuator:
    most = float(_child(joint, "limit", "effort", "inf"))
    return Actuator(joint.get("name", link.name), {link.name: 1.0}, low=-most, high=most)


def _child(element: ElementTree.Element, tag: str, name: str, default: str) -> str:
    found = element.find(tag)
    return default if found is None else found.get(name, default)


def _numbers(text: str) -> NumpyArray:
    return np.array([float(part) for part in text.split()])


def _origin(element: ElementTree.Element) -> tuple[NumpyArray, NumpyArray]:
    """Place (3,) and quaternion (4,) of an <origin>: rpy are turns about fixed x, then y, then z."""
    at = _numbers(_child(element, "origin", "xyz", "0 0 0"))
    quaternion = np.array([1.0, 0.0, 0.0, 0.0])
    for k, angle in enumerate(_numbers(_child(element, "origin", "rpy", "0 0 0"))):
        turn = np.array([math.cos(angle / 2), 0.0, 0.0, 0.0])
        turn[1 + k] = math.sin(angle / 2)
        quaternion = np.asarray(product(turn, quaternion))
    return at, quaternion


def _to(axis: NumpyArray) -> NumpyArray:
    """A quaternion that takes z to an axis."""
    if axis[2] < -1 + 1e-9:
        return np.array([0.0, 1.0, 0.0, 0.0])
    q = np.array([1 + axis[2], -axis[1], axis[0], 0.0])
    return q / np.linalg.norm(q)
