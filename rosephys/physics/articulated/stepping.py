r"""Steps of an articulated model.

    semi-implicit-euler   (M + h D) (v' - v) / h = force - D v - bias,   q' = q ⊕ h v'           order 1
    runge-kutta           the classical method of four slopes, in q along the exponential map    order 4

D is the damping, which is implicit, so it may be as large as it likes. These are the integrators `Euler` and `RK4`
of MuJoCo. Forces are those of `forces.py`, and `further` ones. In a ball or a free joint the slopes of
Runge-Kutta's method are averaged as if they were of one place, which makes it of order 2 there.

Sources: MuJoCo, *Computation: numerical integration*; Hairer, Nørsett, Wanner, *Solving ordinary differential
equations I*, 1993, §II.1.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Scalar
from .aba import accelerations
from .configuration import integrate
from .forces import Controls, driven, held
from .kinematics import Configuration, Speeds
from .model import Model

Integrator: TypeAlias = Literal["semi-implicit-euler", "runge-kutta"]


@checked
def step(
    model: Model,
    q: Configuration,
    v: Speeds,
    u: Controls,
    dt: Scalar,
    method: Integrator = "semi-implicit-euler",
) -> tuple[Array, Array]:
    """q and v a time dt later, under controls u (actuators,)."""
    if method == "runge-kutta":
        return _runge_kutta(model, q, v, u, dt)
    force = driven(model, q, v, u) + held(model, q, v) - model.damping * v
    v = v + dt * accelerations(model, q, v, force, dt * model.damping)
    return integrate(model, q, dt * v), v


def _runge_kutta(model: Model, q: Array, v: Array, u: Array, dt: Scalar) -> tuple[Array, Array]:
    none = ra.array(np.zeros(model.tree.nv))

    def slope(q: Array, v: Array) -> Array:
        force = driven(model, q, v, u) + held(model, q, v) - model.damping * v
        return accelerations(model, q, v, force, none)

    v1, a1 = v, slope(q, v)
    v2 = v + 0.5 * dt * a1
    a2 = slope(integrate(model, q, 0.5 * dt * v1), v2)
    v3 = v + 0.5 * dt * a2
    a3 = slope(integrate(model, q, 0.5 * dt * v2), v3)
    v4 = v + dt * a3
    a4 = slope(integrate(model, q, dt * v3), v4)
    mean = (v1 + 2 * v2 + 2 * v3 + v4) / 6
    return integrate(model, q, dt * mean), v + dt / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
