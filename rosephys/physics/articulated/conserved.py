r"""What a motion keeps, or would but for friction and motors: energy, momentum, and where the centre of mass
is.

    kinetic    ½ vᵀ M v, rotors included      potential    - m g · c, and ½ stiffness (q - home)²

Source: Featherstone, *Rigid body dynamics algorithms*, 2008, §2.14 and §3.
"""

from __future__ import annotations

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Scalar, SpaceVector
from .forces import places
from .kinematics import Configuration, Speeds, placed
from .model import Model
from .rnea import motion, none
from .spatial import Spatial


@checked
@ra.fn
def centre_of_mass(model: Model, q: Configuration) -> SpaceVector:
    """Where the centre of mass is (3,), in m."""
    return _centre(model, q)[0]


def _centre(model: Model, q: Array) -> tuple[SpaceVector, Scalar]:
    """The centre of mass, and the mass."""
    here = placed(model, q)
    weighed = ra.array(np.zeros(3))
    for link, node in enumerate(model.tree.carried):
        at = here.origins[node] + here.rotations[node] @ model.centre[link]
        weighed = weighed + model.mass[link] * at
    mass = ra.sum(model.mass)
    return here.about + weighed / mass, mass


@checked
@ra.fn
def momentum(model: Model, q: Configuration, v: Speeds) -> Spatial:
    """The momentum (3,), in kg m/s, and the angular momentum about the centre of mass (3,), in kg m²/s."""
    here = placed(model, q)
    how = motion(model, here, v, none(model))
    total = ra.array(np.zeros(6))
    for velocity, inertia in zip(how.velocities, here.inertias, strict=True):
        if inertia is not None:
            total = total + inertia @ velocity
    lever = _centre(model, q)[0] - here.about
    return ra.concat([total[3:], total[:3] - ra.cross(lever, total[3:])])


@checked
@ra.fn
def energy(model: Model, q: Configuration, v: Speeds) -> Scalar:
    """Kinetic and potential energy (J); that of gravity is 0 where the centre of mass is at the origin."""
    here = placed(model, q)
    how = motion(model, here, v, none(model))
    twice = ra.sum(model.armature * v * v)
    for velocity, inertia in zip(how.velocities, here.inertias, strict=True):
        if inertia is not None:
            twice = twice + ra.dot(velocity, inertia @ velocity)
    stretch = places(model, q) - places(model, model.home)
    centre, mass = _centre(model, q)
    springs = ra.sum(model.stiffness * stretch * stretch)
    return 0.5 * (twice + springs) - mass * ra.dot(model.gravity, centre)
