r"""Inverse dynamics: which forces along the joints a motion takes. The recursive Newton-Euler algorithm.

Outward, from the world whose acceleration is minus that of gravity, with the motions S of each node,

    v = v_λ + S q'        a = a_λ + S q'' + v × S q'        f = I a + v ×* I v

then inward τ = Sᵀ f and f_λ += f. λ is the parent. What is asked is M(q) q'' + bias(q, v) = τ.

Source: Featherstone, *Rigid body dynamics algorithms*, 2008, §5.3, table 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array
from .kinematics import Configuration, Placed, Speeds, placed
from .model import Model
from .spatial import Motions, Spatial, SpatialMatrix, cross_force, cross_motion


@dataclass(frozen=True)
class Motion:
    """Velocities, accelerations and forces (6,) of the nodes of a model."""

    velocities: list[Spatial]
    accelerations: list[Spatial]
    forces: list[Spatial | None]


@ra.fn
def _onward(
    velocity: Spatial, acceleration: Spatial, motions: Motions, v: Array, a: Array
) -> tuple[Spatial, Spatial]:
    """Velocity and acceleration after the motions of a node."""
    own = v @ motions
    velocity = velocity + own
    return velocity, acceleration + a @ motions + cross_motion(velocity, own)


@ra.fn
def _pushed(
    velocity: Spatial,
    acceleration: Spatial,
    motions: Motions,
    v: Array,
    a: Array,
    inertia: SpatialMatrix,
) -> tuple[Spatial, Spatial, Spatial]:
    """The same, and the force on what the node carries."""
    velocity, acceleration = _onward(velocity, acceleration, motions, v, a)
    return velocity, acceleration, _force(inertia, velocity, acceleration)


@ra.fn
def _force(inertia: SpatialMatrix, velocity: Spatial, acceleration: Spatial) -> Spatial:
    return inertia @ acceleration + cross_force(velocity, inertia @ velocity)


@ra.fn
def _passed(motions: Motions, force: Spatial, other: Spatial) -> tuple[Array, Spatial]:
    """Sᵀ f (k,) of a node, and the force on its parent with that of others."""
    return motions @ force, other + force


def base(model: Model) -> tuple[Spatial, Spatial]:
    """Velocity and acceleration of the world, which is that against gravity."""
    return ra.array(np.zeros(6)), ra.concat([ra.array(np.zeros(3)), -model.gravity])


def motion(model: Model, here: Placed, v: Array, a: Array) -> Motion:
    """How the nodes move at rates v and accelerations a (nv,), and the force on each alone."""
    velocities: list[Spatial] = []
    accelerations: list[Spatial] = []
    forces: list[Spatial | None] = []
    for node, motions, inertia in zip(model.tree.nodes, here.motions, here.inertias, strict=True):
        k, force = node.parent, None
        before = (velocities[k], accelerations[k]) if k >= 0 else base(model)
        velocity, acceleration = before
        if motions is not None and inertia is not None:
            velocity, acceleration, force = _pushed(*before, motions, v[node.v], a[node.v], inertia)
        elif motions is not None:
            velocity, acceleration = _onward(*before, motions, v[node.v], a[node.v])
        elif inertia is not None:
            force = _force(inertia, *before)
        velocities.append(velocity)
        accelerations.append(acceleration)
        forces.append(force)
    return Motion(velocities, accelerations, forces)


def gathered(
    model: Model, here: Placed, forces: list[Spatial | None]
) -> tuple[Array, list[Spatial]]:
    """τ = Sᵀ f of each degree of freedom (nv,), and the force f that passes through each node: on it, and on
    all that hangs on it."""
    none = ra.array(np.zeros(6))
    sums = [none if force is None else force for force in forces]
    along: list[Array] = []
    for k in reversed(range(len(sums))):
        motions, parent = here.motions[k], model.tree.nodes[k].parent
        other = sums[parent] if parent >= 0 else none
        if motions is None:
            total = other + sums[k]
        else:
            tau, total = _passed(motions, sums[k], other)
            along.insert(0, tau)
        if parent >= 0:
            sums[parent] = total
    return ra.concat(along), sums


def inverse_dynamics(model: Model, here: Placed, v: Array, a: Array) -> Array:
    """τ (nv,) for nodes that are placed, without armature."""
    return gathered(model, here, motion(model, here, v, a).forces)[0]


def none(model: Model) -> Array:
    """No acceleration, no force: (nv,)."""
    return ra.array(np.zeros(model.tree.nv))


@checked
@ra.fn
def rnea(model: Model, q: Configuration, v: Speeds, a: Speeds) -> Array:
    """The forces τ (nv,) along the joints under which v changes by a: M a + bias, with the armature's."""
    return inverse_dynamics(model, placed(model, q), v, a) + model.armature * a


@checked
@ra.fn
def bias(model: Model, q: Configuration, v: Speeds) -> Array:
    """The forces (nv,) of gravity and of v: `rnea` for no acceleration. (nonLinearEffects in Pinocchio.)"""
    return inverse_dynamics(model, placed(model, q), v, none(model))
