"""Models from MJCF, the format of MuJoCo, as its own compiler reads it: the extra `mujoco`.

Bodies, inertias (of geoms, too), all kinds of joints with ref, range, damping, stiffness, springref and
armature, gravity, and actuators on joints without a state of their own: motor, position, velocity, general. A
body with several joints is several links, of which the last has the body's name and each other "body/joint".

What has no counterpart is told by element, name and line. What changes the motion is refused unless
`leave_out`; what only contacts would need (which geoms meet, and how) is listed in `left_out`.

Source: MuJoCo's XML reference; *Computation* (kinematics of a body with several joints).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rosephys.errors import ArgumentError

from ..checked import checked
from ..quantities import NumpyArray
from ..rigid.body3d import product, rotated
from .imported import Element, Imported, Weight, in_axes, read, refuse, with_included
from .model import Actuator, Link, articulated
from .tree import Kind

if TYPE_CHECKING:
    import mujoco

FREE, BALL, SLIDE, HINGE = range(4)
KINDS: dict[int, Kind] = {FREE: "free", BALL: "ball", SLIDE: "prismatic", HINGE: "revolute"}

REFUSED = {
    "equality": "equality constraints are not supported",
    "tendon": "tendons are not supported",
    "deformable": "deformable bodies are not supported",
    "flexcomp": "deformable bodies are not supported",
    "composite": "composites are not supported",
    "plugin": "plugins are not supported",
    "muscle": "actuators with a state of their own are not supported",
    "intvelocity": "actuators with a state of their own are not supported",
    "cylinder": "actuators with a state of their own are not supported",
    "damper": "actuators whose gain depends on the motion are not supported",
    "adhesion": "adhesion is not supported",
    "dcmotor": "actuators with a state of their own are not supported",
}
"""Elements that change the motion, by tag or by that which they stand in."""
CONTACT = {
    "contact": "contacts are not supported",
}
ATTRIBUTES = {
    "frictionloss": "dry friction in joints is not supported",
    "gravcomp": "compensation of gravity is not supported",
    "density": "a fluid around the model is not supported",
    "viscosity": "a fluid around the model is not supported",
    "wind": "a fluid around the model is not supported",
    "actuatorfrcrange": "limits of the sum of actuators are not supported",
    "mocap": "bodies that are moved from outside are not supported",
    "actdim": "actuators with a state of their own are not supported",
    "cranksite": "actuators that drive by a crank are not supported",
    "springdamper": "springs by frequency and damping are not supported; give stiffness and damping",
}
"""Attributes that change the motion where they are not 0."""
JOINTS = ("joint", "freejoint")


@checked
def from_mjcf(source: str | Path, leave_out: bool = False) -> Imported:
    """The model of an MJCF file, or of its text.

    Raises ArgumentError for what changes the motion and is not supported, by line, unless `leave_out`; and
    for a file that MuJoCo does not take. Raises ImportError where `mujoco` is not installed.
    """
    try:
        import mujoco
    except ImportError:
        raise ImportError(
            "from_mjcf needs the package mujoco: pip install 'rosephys[mujoco]'"
        ) from None
    text, file = read(source)
    found = list(with_included(text, file))
    refuse(list(_refused(found)), leave_out)
    try:
        if file == "text":
            compiled = mujoco.MjModel.from_xml_string(text)
        else:
            compiled = mujoco.MjModel.from_xml_path(file)
    except ValueError as error:
        raise ArgumentError(f"{file}: MuJoCo does not take it: {error}") from None
    reader = _Reader(compiled)
    refuse(list(reader.refused()), leave_out)
    links = [link for body in range(1, compiled.nbody) for link in reader.links(body)]
    actuators = [a for k in range(compiled.nu) for a in reader.actuator(k)]
    on = not compiled.opt.disableflags & int(mujoco.mjtDisableBit.mjDSBL_GRAVITY)
    gravity = np.array(compiled.opt.gravity) * on
    model = articulated(links, actuators, gravity=gravity)
    return Imported(model, tuple(a.name for a in actuators), tuple(_left_out(found)))


def _refused(found: list[Element]) -> Iterator[str]:
    """What the text has that changes the motion, a line each."""
    for element in found:
        tags = (element.tag, *element.above[-1:])
        why = next((REFUSED[tag] for tag in tags if tag in REFUSED), None)
        geometric = element.tag in ("cylinder",) and "actuator" not in element.above
        if "default" in element.above or "asset" in element.above or geometric:
            why = None
        if why is not None and element.tag not in ("equality", "tendon", "deformable"):
            yield element.told(why)
        for name, what in ATTRIBUTES.items():
            asset = "asset" in element.above or element.tag == "geom"  # their density is their own
            if name in element.attributes and not asset and _nonzero(element.attributes[name]):
                if not (name == "density" and element.tag != "option"):
                    yield element.told(f"{name}: {what}")


def _nonzero(text: str) -> bool:
    return text not in ("false", "auto") and any(part.strip("0.+-") for part in text.split())


def _left_out(found: list[Element]) -> Iterator[str]:
    """What the text has that only contacts would need, a line each."""
    for element in found:
        if element.above[-1:] == ("contact",):
            yield element.told("contacts are not supported")
        elif element.tag == "geom" and "default" not in element.above:
            off = [element.attributes.get(k) == "0" for k in ("contype", "conaffinity")]
            if not all(off):
                yield element.told("meets nothing: contacts are not supported")


class _Reader:
    """The parts of a compiled model as links and actuators."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self.model = model
        self.names = [
            "world",
            *(self._name(model.body(k).name, "body", k) for k in range(1, model.nbody)),
        ]
        self.moved: dict[int, str] = {}  # the link that each joint moves

    def _name(self, name: str, kind: str, k: int) -> str:
        return name or f"{kind}{k}"

    def joint_name(self, k: int) -> str:
        """The name of a joint, or its number."""
        return self._name(self.model.joint(k).name, "joint", k)

    def refused(self) -> Iterator[str]:
        """What the compiled model has that changes the motion, by name."""
        m = self.model
        for k in range(m.njnt):
            rows = slice(m.jnt_dofadr[k], m.jnt_dofadr[k] + (6, 3, 1, 1)[m.jnt_type[k]])
            told = f"joint {self.joint_name(k)!r}:"
            if np.any(m.dof_frictionloss[rows]):
                yield f"{told} dry friction is not supported"
            turns = m.jnt_type[k] in (FREE, BALL)
            if turns and (m.jnt_stiffness[k] or m.jnt_limited[k]):
                yield f"{told} a spring or a limit of a ball or a free joint is not supported"
            for name in ("jnt_stiffnesspoly", "jnt_springyield"):
                if np.any(getattr(m, name, np.zeros(m.njnt))[k]):
                    yield f"{told} {name[4:]} is not supported"
            if np.any(getattr(m, "dof_dampingpoly", np.zeros(m.nv))[rows]):
                yield f"{told} damping that is not linear is not supported"
        for k in range(m.nu):
            yield from (f"actuator {self._actuator_name(k)!r}: {w}" for w in self._odd(k))

    def _actuator_name(self, k: int) -> str:
        return self._name(self.model.actuator(k).name, "actuator", k)

    def _odd(self, k: int) -> Iterator[str]:
        """What an actuator is that cannot be said."""
        m = self.model
        if m.actuator_trntype[k] != 0:
            yield "does not drive a joint, or by its parent's axes, which is not supported"
        elif m.jnt_type[m.actuator_trnid[k, 0]] in (FREE, BALL) and np.any(
            m.actuator_biasprm[k, :3]
        ):
            yield "a servo of a ball or a free joint is not supported"
        if m.actuator_dyntype[k] != 0:
            yield "it has a state of its own, which is not supported"
        if m.actuator_gaintype[k] != 0 or m.actuator_biastype[k] > 1:
            yield "its gain or its bias depends on the motion otherwise than linearly"
        elif m.actuator_biastype[k] == 1 and m.actuator_biasprm[k, 0]:
            yield "a constant bias is not supported"
        for name in (
            "actuator_armature",
            "actuator_damping",
            "actuator_dampingpoly",
            "actuator_delay",
        ):
            if np.any(getattr(m, name, np.zeros(m.nu))[k]):
                yield f"{name[9:]} is not supported"

    def links(self, body: int) -> Iterator[Link]:
        """The links of a body, one for each of its joints, and one more where the last is off its frame."""
        m, name = self.model, self.names[body]
        parent, at = self.names[m.body_parentid[body]], np.array(m.body_pos[body])
        turned = np.array(m.body_quat[body])
        joints = range(m.body_jntadr[body], m.body_jntadr[body] + m.body_jntnum[body])
        off = np.zeros(3)
        for k in joints:
            anchor = np.zeros(3) if m.jnt_type[k] == FREE else np.array(m.jnt_pos[k])
            at = at + rotated(turned, anchor - off)
            off = anchor
            last = k == joints[-1] and not np.any(off)
            link = name if last else f"{name}/{self.joint_name(k)}"
            self.moved[k] = link
            mass: Weight = self._mass(body) if last else {}
            yield self._link(k, link, parent, at, turned, mass)
            parent, at, turned = link, np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0])
        if not len(joints) or np.any(off):
            yield Link(name, parent, at=at - off, turned=turned, **self._mass(body))

    def _mass(self, body: int) -> Weight:
        m = self.model
        return {
            "mass": float(m.body_mass[body]),
            "centre": np.array(m.body_ipos[body]),
            "inertia": in_axes(m.body_iquat[body], np.diag(m.body_inertia[body])),
        }

    def _link(
        self, k: int, name: str, parent: str, at: NumpyArray, turned: NumpyArray, mass: Weight
    ) -> Link:
        """The link of a joint. What its angle or place is in the file's pose is a turn or a shift back."""
        m = self.model
        kind = KINDS[int(m.jnt_type[k])]
        n, nq = {"free": (6, 7), "ball": (3, 4)}.get(kind, (1, 1))
        rows = slice(m.jnt_dofadr[k], m.jnt_dofadr[k] + n)
        places = slice(m.jnt_qposadr[k], m.jnt_qposadr[k] + nq)
        axis, single = np.array(m.jnt_axis[k]), n == 1
        if kind == "free":
            at, turned = np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0])
        ref = float(m.qpos0[places][0]) if single else 0.0
        if kind == "prismatic":
            at = at - ref * rotated(turned, axis)
        elif kind == "revolute" and ref:
            turned = np.asarray(
                product(turned, np.array([math.cos(ref / 2), *(-math.sin(ref / 2) * axis)]))
            )
        stiff = float(m.jnt_stiffness[k]) if single else 0.0
        limited = single and bool(m.jnt_limited[k])
        low, high = map(float, m.jnt_range[k]) if limited else (-math.inf, math.inf)
        return Link(
            name,
            parent,
            kind,
            axis=axis / np.linalg.norm(axis) if single else (0.0, 0.0, 1.0),
            at=at,
            turned=turned,
            low=low,
            high=high,
            damping=np.array(m.dof_damping[rows]),
            armature=np.array(m.dof_armature[rows]),
            stiffness=stiff,
            home=np.array((m.qpos_spring if stiff else m.qpos0)[places]),
            **mass,
        )

    def actuator(self, k: int) -> Iterator[Actuator]:
        """An actuator; none for one that drives no joint."""
        m = self.model
        if m.actuator_trntype[k] != 0:
            return
        joint = int(m.actuator_trnid[k, 0])
        n = (6, 3, 1, 1)[m.jnt_type[joint]]
        affine = m.actuator_biastype[k] == 1
        least, most = m.actuator_ctrlrange[k] if m.actuator_ctrllimited[k] else (-np.inf, np.inf)
        low, high = m.actuator_forcerange[k] if m.actuator_forcelimited[k] else (-np.inf, np.inf)
        yield Actuator(
            self._actuator_name(k),
            {self.moved[joint]: np.array(m.actuator_gear[k, :n])},
            gain=float(m.actuator_gainprm[k, 0]),
            spring=-float(m.actuator_biasprm[k, 1]) if affine else 0.0,
            damper=-float(m.actuator_biasprm[k, 2]) if affine else 0.0,
            least=float(least),
            most=float(most),
            low=float(low),
            high=float(high),
        )
