r"""Steps of x' = v, v' = a(x, v), for numbers and arrays of any shape.

    explicit-euler        x' = x + h v           v' = v + h a(x, v)                   order 1
    semi-implicit-euler   v' = v + h a(x, v)     x' = x + h v'                        order 1, symplectic
    verlet                half a step of v, a step of x, half a step of v             order 2, symplectic
    implicit-midpoint     along the slope at ((x + x') / 2, (v + v') / 2)             order 2, symplectic
    runge-kutta           the classical method of four slopes                         order 4

Verlet and the semi-implicit method are symplectic, and verlet is of order 2, where a depends on x alone; where
it depends on v, verlet is of order 1. The implicit midpoint rule is solved by Newton's
method and differentiated as the root that it is.

An oscillation of frequency ω is stable for h ω up to 2 with verlet and the semi-implicit method, 2 √2 with
runge-kutta, always with implicit-midpoint (whose equation has one solution for h ω up to 2), never with
explicit-euler, whose amplitude grows by h ω / 2 a radian. `oscillation_limit` asks for a quarter of these, and
for a tenth of explicit-euler.

Sources: Hairer, Lubich, Wanner, *Geometric numerical integration*, 2006; Swope et al., J. Chem. Phys. 76, 1982
(velocity Verlet).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Protocol, TypeAlias, TypeVar

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import NotNegative, OneOf, Positive, Quantity, Scalar

Q = TypeVar("Q", bound=Quantity)
Acceleration: TypeAlias = Callable[[Q, Q], Q]


class Method(Protocol):
    """What `METHODS` holds: positions and velocities a step of length dt later."""

    def __call__(self, a: Acceleration[Q], x: Q, v: Q, dt: Scalar, /) -> tuple[Q, Q]: ...


@checked
def explicit_euler(a: Acceleration[Q], x: Q, v: Q, dt: Scalar) -> tuple[Q, Q]:
    """Positions and velocities a step later."""
    return x + dt * v, v + dt * a(x, v)


@checked
def semi_implicit_euler(a: Acceleration[Q], x: Q, v: Q, dt: Scalar) -> tuple[Q, Q]:
    """Positions and velocities a step later."""
    v = v + dt * a(x, v)
    return x + dt * v, v


@checked
def verlet(a: Acceleration[Q], x: Q, v: Q, dt: Scalar) -> tuple[Q, Q]:
    """Positions and velocities a step later, by velocity Verlet."""
    half = v + 0.5 * dt * a(x, v)
    x = x + dt * half
    return x, half + 0.5 * dt * a(x, half)


@checked
def implicit_midpoint(a: Acceleration[Q], x: Q, v: Q, dt: Scalar) -> tuple[Q, Q]:
    """Positions and velocities a step later."""
    middle = ra.newton(lambda m: m - v - 0.5 * dt * a(x + 0.5 * dt * m, m), v)
    return x + dt * middle, 2 * middle - v


@checked
def runge_kutta(a: Acceleration[Q], x: Q, v: Q, dt: Scalar) -> tuple[Q, Q]:
    """Positions and velocities a step later."""
    v1, a1 = v, a(x, v)
    v2 = v + 0.5 * dt * a1
    a2 = a(x + 0.5 * dt * v1, v2)
    v3 = v + 0.5 * dt * a2
    a3 = a(x + 0.5 * dt * v2, v3)
    v4 = v + dt * a3
    a4 = a(x + dt * v3, v4)
    return (
        x + dt / 6 * (v1 + 2 * v2 + 2 * v3 + v4),
        v + dt / 6 * (a1 + 2 * a2 + 2 * a3 + a4),
    )


METHODS: dict[str, Method] = {
    "explicit-euler": explicit_euler,
    "semi-implicit-euler": semi_implicit_euler,
    "verlet": verlet,
    "implicit-midpoint": implicit_midpoint,
    "runge-kutta": runge_kutta,
}

LONGEST: dict[str, float] = {
    "explicit-euler": 0.1,
    "semi-implicit-euler": 0.5,
    "verlet": 0.5,
    "implicit-midpoint": 0.5,
    "runge-kutta": 0.5**0.5,
}
"""h ω of the longest step of each method that follows an oscillation; see the module's text."""


@checked
def oscillation_limit(
    method: Annotated[str, OneOf(tuple(LONGEST))],
    fastest: NotNegative,
    dt: Positive,
    what: str = "oscillation",
) -> Limit:
    """Where a step follows a motion whose fastest frequency is `fastest` (rad/s), by one of METHODS."""
    name = f"what {method} allows of the fastest {what}, at {{}} rad/s"
    return Limit(name, dt, LONGEST[method] / ra.maximum(fastest, 1e-300), numbers=[fastest])
