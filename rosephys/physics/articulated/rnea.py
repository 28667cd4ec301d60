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
def _drifting(
    velocity: Spatial, acceleration: Spatial, motions: Motions, v: Array
) -> tuple[Spatial, Spatial]:
    """The same at rates that do not change."""
    own = v @ motions
    velocity = velocity + own
    return velocity, acceleration + cross_motion(velocity, own)


@ra.fn
def _force(inertia: SpatialMatrix, velocity: Spatial, acceleration: Spatial) -> Spatial:
    return inertia @ acceleration + cross_force(velocity, inertia @ velocity)


def base(model: Model) -> tuple[Spatial, Spatial]:
    """Velocity and acceleration of the world, which is that against gravity."""
    return ra.array(np.zeros(6)), ra.concat([ra.array(np.zeros(3)), -model.gravity])


def motion(model: Model, here: Placed, v: Array, a: Array | None) -> Motion:
    """How the nodes move at rates v and accelerations a (nv,), None for none, and the force on each alone."""
    velocities: list[Spatial] = []
    accelerations: list[Spatial] = []
    forces: list[Spatial | None] = []
    for node, motions, inertia in zip(
        model.tree.nodes, here.motions, here.inertias, strict=True
    ):
        k = node.parent
        state = (velocities[k], accelerations[k]) if k >= 0 else base(model)
        if motions is not None and a is None:
            state = _drifting(*state, motions, v[node.v])
        elif motions is not None and a is not None:
            state = _onward(*state, motions, v[node.v], a[node.v])
        velocities.append(state[0])
        accelerations.append(state[1])
        forces.append(None if inertia is None else _force(inertia, *state))
    return Motion(velocities, accelerations, forces)


def gathered(model: Model, forces: list[Spatial | None]) -> list[Spatial]:
    """The forces that pass through each node: on it, and on all that hangs on it."""
    sums = list(forces)
    for k in reversed(range(len(sums))):
        own, parent = sums[k], model.tree.nodes[k].parent
        if parent >= 0 and own is not None:
            other = sums[parent]
            sums[parent] = own if other is None else other + own
    return [ra.array(np.zeros(6)) if f is None else f for f in sums]


def along(here: Placed, forces: list[Spatial]) -> Array:
    """Sᵀ f of each degree of freedom (nv,)."""
    parts = zip(here.motions, forces, strict=True)
    return ra.concat([motions @ force for motions, force in parts if motions is not None])


def inverse_dynamics(model: Model, here: Placed, v: Array, a: Array | None) -> Array:
    """τ (nv,) for nodes that are placed, without armature."""
    return along(here, gathered(model, motion(model, here, v, a).forces))


@checked
def rnea(model: Model, q: Configuration, v: Speeds, a: Speeds) -> Array:
    """The forces τ (nv,) along the joints under which v changes by a: M a + bias, with the armature's."""
    return inverse_dynamics(model, placed(model, q), v, a) + model.armature * a


@checked
def bias(model: Model, q: Configuration, v: Speeds) -> Array:
    """The forces (nv,) of gravity and of v: `rnea` for no acceleration. (nonLinearEffects in Pinocchio.)"""
    return inverse_dynamics(model, placed(model, q), v, None)
