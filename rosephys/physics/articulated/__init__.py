"""Articulated bodies in reduced coordinates: links, joints, and Featherstone's algorithms, differentiable.

from rosephys.physics.articulated import Link, aba, articulated

model = articulated([Link("rod", joint="revolute", axis=(0, 1, 0), mass=1.0, centre=(0, 0, -0.5))])
print(aba(model, [0.3], [0.0], [0.0]))
"""

from .aba import aba
from .configuration import difference, integrate
from .conserved import centre_of_mass, energy, momentum
from .crba import crba
from .derivatives import Derivatives, aba_derivatives, rnea_derivatives
from .forces import driven, passive
from .kinematics import Frames, forward_kinematics, jacobian
from .model import Actuator, Link, Model, articulated
from .rnea import bias, rnea
from .stepping import step

__all__ = [
    "Actuator",
    "Derivatives",
    "Frames",
    "Link",
    "Model",
    "aba",
    "aba_derivatives",
    "articulated",
    "bias",
    "centre_of_mass",
    "crba",
    "difference",
    "driven",
    "energy",
    "forward_kinematics",
    "integrate",
    "jacobian",
    "momentum",
    "passive",
    "rnea",
    "rnea_derivatives",
    "step",
]
