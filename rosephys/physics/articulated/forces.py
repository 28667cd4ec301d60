r"""The forces along the joints of a model: what drives it, what slows it, springs and limits.

    passive(q, v)   - damping v - stiffness (q - home) - what limits push back
    driven(q, v, u) gearᵀ a,   a = gain u - spring l - damper l',   l = gear · q

u and a are kept within their limits; where they are not within, the derivative of what is cut off is 0. A limit
is soft: beyond it by d, it pushes back by limit_stiffness d, and slows what goes farther by limit_damping.

Springs, limits and lengths are of joints that have an angle or a place: not of balls and free joints.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Axes
from .kinematics import Configuration, Speeds
from .model import Model

Controls = Annotated[Array, Axes("actuators")]


def places(model: Model, q: Array) -> Array:
    """The angle or place of each degree of freedom (nv,); 0 for those of a ball or a free joint."""
    parts = []
    for node in model.tree.nodes:
        if node.motion == "ball":
            parts.append(ra.array(np.zeros(3)))
        elif node.motion != "still":
            parts.append(q[node.q])
    return ra.concat(parts) if parts else ra.array(np.zeros(0))


def beyond(model: Model, q: Array) -> Array:
    """How far each degree of freedom (nv,) is above its limit, or below, as a negative number."""
    here = places(model, q)
    return ra.maximum(here - model.high, 0.0) - ra.maximum(model.low - here, 0.0)


@checked
@ra.fn
def passive(model: Model, q: Configuration, v: Speeds) -> Array:
    """The forces (nv,) of damping, springs and limits."""
    return held(model, q, v) - model.damping * v


def held(model: Model, q: Array, v: Array) -> Array:
    """The forces (nv,) of springs and limits."""
    off = beyond(model, q)
    farther = ra.where(off > 0, ra.maximum(v, 0.0), ra.where(off < 0, ra.minimum(v, 0.0), 0.0))
    spring = model.stiffness * (places(model, q) - places(model, model.home))
    return -spring - model.limit_stiffness * off - model.limit_damping * farther


@checked
@ra.fn
def driven(model: Model, q: Configuration, v: Speeds, u: Controls) -> Array:
    """The forces (nv,) of the actuators, under controls u (actuators,)."""
    by = model.actuators
    asked = ra.clip(u, by.least, by.most)
    length, rate = by.gear @ places(model, q), by.gear @ v
    return (
        ra.clip(by.gain * asked - by.spring * length - by.damper * rate, by.low, by.high) @ by.gear
    )
