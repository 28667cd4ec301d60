r"""Collisions of discs of equal mass and radius, without friction.

A step of length dt takes positions x and velocities v to v' = v + Δv and x' = x + dt v' + Δx, where Δv and Δx
sum the contributions of all colliding pairs, each computed from the old state. With the relative velocity
Δv_ij = v_i - v_j, the normal n from j to i and restitution e, a collision changes v_i by

    J = -(1 + e)/2 (n · Δv_ij) n,    v_j by -J    (impulse (1 + e) m1 m2/(m1 + m2) times the normal speed).

The two rules differ in where they take n, and so in their derivatives.

`toi_position` (DiffTaichi: Hu et al., ICLR 2020; Rose: Estep et al., ECOOP 2024) takes n where the discs
would be at the end of the step, and shifts positions by (toi - dt) J. Its derivative with respect to where the
discs meet is wrong, in places by sign; it is kept because others' results are stated in it.

`toi_velocity` (Zhong, Han, Dey, Brikis, L4DC 2023) resolves a pair at its instant: the first τ in [0, dt] with
|Δx_ij + τ Δv_ij| = 2r, n there, and Δx_i = -τ J, which is motion with v until τ and with v' after. The
derivative of τ is that of the quadratic formula, so it is that of the exact motion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rose_ad as ra

Rule = Callable[[Any, Any, Any, Any, Any], tuple[Any, Any]]


def toi_position(x: Any, v: Any, radius: Any, restitution: Any, dt: Any) -> tuple[Any, Any]:
    """Δv and Δx, of shape (n, 2), for positions and velocities of shape (n, 2), by DiffTaichi's rule."""
    n = x.shape[0]
    dv, dx = ra.accum((n, 2)), ra.accum((n, 2))
    ahead = x + dt * v
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart = ahead[i] - ahead[j]
            square = ra.dot(apart, apart)
            with ra.when(square < 4 * radius * radius):
                relative = v[i] - v[j]
                # discs of a rack touch all the time: only those that approach are looked at more closely
                with ra.when(ra.dot(apart, relative) < 0):
                    distance = ra.sqrt(square)
                    normal = apart / (distance + 1e-6)
                    speed = ra.dot(normal, relative)
                    impulse = -(1 + restitution) / 2 * speed * normal
                    toi = (distance - 2 * radius) / ra.minimum(-1e-3, speed)
                    _exchange(dv, dx, i, j, impulse, ra.minimum(toi - dt, 0) * impulse)
    return dv.freeze(), dx.freeze()


def toi_velocity(x: Any, v: Any, radius: Any, restitution: Any, dt: Any) -> tuple[Any, Any]:
    """Δv and Δx, of shape (n, 2), for positions and velocities of shape (n, 2), at the instants of impact."""
    n = x.shape[0]
    dv, dx = ra.accum((n, 2)), ra.accum((n, 2))
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart, relative = x[i] - x[j], v[i] - v[j]
            approach = ra.dot(apart, relative)
            with ra.when(approach < 0):
                # |apart + τ relative|² = 4r², a quadratic a τ² + 2 b τ + c
                a, b = ra.dot(relative, relative), approach
                c = ra.dot(apart, apart) - 4 * radius * radius
                with ra.when((c + 2 * b * dt < 0) & (b * b > a * c)):
                    tau = c / (ra.sqrt(b * b - a * c) - b)
                    with ra.when(tau <= dt):
                        tau = ra.maximum(tau, 0.0)  # discs that overlap already collide now
                        meeting = apart + tau * relative
                        normal = meeting / ra.norm(meeting)
                        impulse = -(1 + restitution) / 2 * ra.dot(normal, relative) * normal
                        _exchange(dv, dx, i, j, impulse, -tau * impulse)
    return dv.freeze(), dx.freeze()


def _exchange(dv: Any, dx: Any, i: Any, j: Any, impulse: Any, shift: Any) -> None:
    """Equal and opposite changes of two discs."""
    dv[i] += impulse
    dv[j] -= impulse
    dx[i] += shift
    dx[j] -= shift


RULES: dict[str, Rule] = {"toi-velocity": toi_velocity, "toi-position": toi_position}
