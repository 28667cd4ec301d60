r"""Steps of an articulated model.

    semi-implicit-euler   (M + h D) (v' - v) / h = force - D v - bias,   q' = q ⊕ h v'           order 1
    runge-kutta           the classical method of four slopes, in q along the exponential map     order 4

D is the damping, which is implicit, so it may be as large as it likes. These are the integrators `Euler` and
`RK4` of MuJoCo. Forces are those of `forces.py`. q ⊕ is `integrate`.

Sources: MuJoCo, *Computation: numerical integration*; Munthe-Kaas, *Runge-Kutta methods on Lie groups*, BIT 38,
1998 (of order 4 where joints are balls, too).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Scalar
from .aba import accelerations
from .configuration import integrate, onward
from .forces import Controls, driven, held
from .kinematics import Configuration, Speeds
from .model import Model

Integrator: TypeAlias = Literal["semi-implicit-euler", "runge-kutta"]


@checked
@ra.fn
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

    def at(by: Array) -> Array:
        return integrate(model, q, by)

    def slope(q: Array, v: Array) -> Array:
        force = driven(model, q, v, u) + held(model, q, v) - model.damping * v
        return accelerations(model, q, v, force, none)

    # r is how the way from q goes on: v, but in balls, whose turn so far is another place to turn from
    r1, a1 = v, slope(q, v)
    v2 = v + 0.5 * dt * a1
    r2, a2 = onward(model, 0.5 * dt * r1, v2), slope(at(0.5 * dt * r1), v2)
    v3 = v + 0.5 * dt * a2
    r3, a3 = onward(model, 0.5 * dt * r2, v3), slope(at(0.5 * dt * r2), v3)
    v4 = v + dt * a3
    r4, a4 = onward(model, dt * r3, v4), slope(at(dt * r3), v4)
    return (
        at(dt / 6 * (r1 + 2 * r2 + 2 * r3 + r4)),
        v + dt / 6 * (a1 + 2 * a2 + 2 * a3 + a4),
    )
