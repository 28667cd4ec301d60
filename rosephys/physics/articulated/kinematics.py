r"""Where the links of a model are, and how they move with each degree of freedom.

All is in the axes of the world. Spatial vectors are about a point near the model, that of the first link's
joint: what follows of them depends on no such point, but rounding does, far from the origin. A degree of
freedom k moves what it carries with the spatial motion S_k at unit speed,

    turn about an axis a of the world through p      S = (a, p × a)
    slide along it                                   S = (0, a)

and a link's motion is the sum of S_k v_k over those above it.

Source: Featherstone, *Rigid body dynamics algorithms*, 2008, §4.4, table 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Axes, Scalar, SpaceVector
from ..rigid.body3d import Quaternion
from .model import Model, Point
from .spatial import Motions, Rotation, Spatial, SpatialMatrix, body_inertia
from .tree import Node

Configuration = Annotated[Array, Axes("nq")]
Speeds = Annotated[Array, Axes("nv")]


@ra.struct
class Frames:
    """Where links are: the axes (links, 3, 3) of each, as columns, and its origin (links, 3)."""

    rotation: Array
    position: Array


@dataclass(frozen=True)
class Placed:
    """The nodes of a model in a configuration: axes (3, 3), origin (3,) about `about`, and motions (k, 6) of
    each; and what stands at each of its inertia, None where it carries nothing."""

    rotations: list[Rotation]
    origins: list[SpaceVector]
    motions: list[Motions | None]
    inertias: list[SpatialMatrix | None]
    about: SpaceVector


@ra.fn
def _still(
    rotation: Rotation, origin: SpaceVector, turned: Rotation, at: SpaceVector
) -> tuple[Rotation, SpaceVector]:
    """The frame of a joint in a link."""
    return rotation @ turned, origin + rotation @ at


@ra.fn
def _shift(
    rotation: Rotation,
    origin: SpaceVector,
    turned: Rotation,
    at: SpaceVector,
    axes: Array,
    by: Array,
) -> tuple[Rotation, SpaceVector, Motions]:
    """The frame after a shift along axes (k, 3), and its motions."""
    frame = rotation @ turned
    along = axes @ frame.T
    moved = origin + rotation @ at + by @ along
    return frame, moved, ra.concat([0.0 * along, along], axis=1)


@ra.fn
def _turn(
    rotation: Rotation,
    origin: SpaceVector,
    turned: Rotation,
    at: SpaceVector,
    axis: SpaceVector,
    angle: Scalar,
) -> tuple[Rotation, SpaceVector, Motions]:
    """The frame after a turn about an axis, by Rodrigues' formula, and its motion."""
    frame, through = rotation @ turned, origin + rotation @ at
    s, c = ra.sin(angle), ra.cos(angle)
    x, y, z = axis
    a, b, d = (1.0 - c) * axis
    turn = ra.array(
        [
            [c + a * x, a * y - s * z, a * z + s * y],
            [b * x + s * z, c + b * y, b * z - s * x],
            [d * x - s * y, d * y + s * x, c + d * z],
        ]
    )
    return frame @ turn, through, _about(through, (frame @ axis)[None, :])


@ra.fn
def _ball(
    rotation: Rotation, origin: SpaceVector, turned: Rotation, at: SpaceVector, q: Quaternion
) -> tuple[Rotation, SpaceVector, Motions]:
    """The frame after the turn of a quaternion, of whatever length, and its motions."""
    w, x, y, z = q
    s = 2.0 / ra.dot(q, q)
    turn = ra.array(
        [
            [1 - s * (y * y + z * z), s * (x * y - w * z), s * (x * z + w * y)],
            [s * (x * y + w * z), 1 - s * (x * x + z * z), s * (y * z - w * x)],
            [s * (x * z - w * y), s * (y * z + w * x), 1 - s * (x * x + y * y)],
        ]
    )
    frame, through = rotation @ turned @ turn, origin + rotation @ at
    return frame, through, _about(through, frame.T)


def _about(point: SpaceVector, axes: Array) -> Motions:
    """The motions (k, 6) of turning about axes (k, 3) of the world through a point."""
    return ra.stack([ra.concat([axes[k], ra.cross(point, axes[k])]) for k in range(len(axes))])


def _moved(
    model: Model, node: Node, rotation: Rotation, origin: SpaceVector, q: Array
) -> tuple[Rotation, SpaceVector, Motions | None]:
    """The frame after a node's motion, and that."""
    frame: tuple[Rotation, SpaceVector] = ra.array(np.eye(3)), ra.array(np.zeros(3))
    if node.frame >= 0:
        frame = model.turned[node.frame], model.at[node.frame]
    if node.motion == "shift":
        return _shift(rotation, origin, *frame, ra.array(node.axes), q[node.q])
    if node.motion == "turn":
        return _turn(rotation, origin, *frame, ra.array(node.axes[0]), q[node.q.start])
    if node.motion == "ball":
        return _ball(rotation, origin, *frame, q[node.q])
    return (*_still(rotation, origin, *frame), None)


def _first(model: Model, q: Array) -> SpaceVector:
    """Where the first node is (3,)."""
    node = model.tree.nodes[0]
    at = model.at[0]
    if node.motion == "shift":
        at = at + model.turned[0] @ (q[node.q] @ node.axes)
    return at


def placed(model: Model, q: Array) -> Placed:
    """The nodes of a model in a configuration."""
    about = ra.stop_gradient(_first(model, q))
    world = ra.array(np.eye(3)), -about
    rotations: list[Rotation] = []
    origins: list[SpaceVector] = []
    motions: list[Motions | None] = []
    inertias: list[SpatialMatrix | None] = []
    for node in model.tree.nodes:
        k = node.parent
        rotation, origin = (rotations[k], origins[k]) if k >= 0 else world
        rotation, origin, own = _moved(model, node, rotation, origin, q)
        rotations.append(rotation)
        origins.append(origin)
        motions.append(own)
        k, weight = node.link, None
        if k >= 0:
            body = model.mass[k], model.centre[k], model.inertia[k]
            weight = body_inertia(rotation, origin, *body)
        inertias.append(weight)
    return Placed(rotations, origins, motions, inertias, about)


@checked
@ra.fn
def forward_kinematics(model: Model, q: Configuration) -> Frames:
    """Where the links are: axes (links, 3, 3) and origins (links, 3) in the world."""
    here, at = placed(model, q), model.tree.carried
    origins = ra.stack([here.origins[k] for k in at]) + here.about
    return Frames(ra.stack([here.rotations[k] for k in at]), origins)


@checked
@ra.fn
def jacobian(model: Model, q: Configuration, link: str, point: Point = (0.0, 0.0, 0.0)) -> Array:
    """How a link moves with v: (6, nv), the velocity of a point of it, given in its frame, above its angular
    velocity, both in the axes of the world. (LOCAL_WORLD_ALIGNED in Pinocchio.)

    Raises ArgumentError for a link that is not there.
    """
    node = model.tree.carried[model.link(link)]
    here = placed(model, q)
    at = here.origins[node] + here.rotations[node] @ ra.array(point)
    rows: list[Array] = [ra.array(np.zeros((s.stop - s.start, 6))) for s in _slices(model)]
    for k in model.tree.chain(node):
        motions = here.motions[k]
        if motions is not None:
            rows[k] = ra.stack([_at(at, motions[r]) for r in range(len(motions))])
    return ra.concat([row for row in rows if row.shape[0]]).T


def _at(point: SpaceVector, motion: Spatial) -> Array:
    """The velocity of a point (3,) above the angular velocity."""
    turn = motion[:3]
    return ra.concat([motion[3:] + ra.cross(turn, point), turn])


def _slices(model: Model) -> list[slice]:
    return [node.v for node in model.tree.nodes]
