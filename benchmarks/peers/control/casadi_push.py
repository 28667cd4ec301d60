"""A step of the scene `push` in CasADi: two discs, of which one is pushed, meet by the rule `toi-velocity`.

The equations are those of rosephys/physics/contact/discs.py and meetings.py: two that touch within the step
change their velocities at that instant, τ, by J, and their places by -τ J. Branches are `if_else`, of which
CasADi computes both sides, so what is not taken is given numbers that it can take the root of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import casadi as ca

RADIUS, WALL = 0.2, 1.0  # of the discs; the height of the wall


def push_step(wall: bool, dt: float) -> Callable[..., Any]:
    """A step of the state (8,), places and velocities of both discs, under a push (2,) on the first."""

    def step(x: Any, u: Any, p: Any) -> Any:
        first, second, v, w = x[0:2], x[2:4], x[4:6] + dt * u, x[6:8]
        tau, change = _met(first - second, v - w, u, dt)
        first, second, v, w = first - tau * change, second + tau * change, v + change, w - change
        if wall:
            first, v = _turned(first, v, u[1], dt)
            second, w = _turned(second, w, 0.0, dt)
        return ca.vertcat(first + dt * v, second + dt * w, v, w)

    return step


def _met(apart: Any, relative: Any, u: Any, dt: float) -> tuple[Any, Any]:
    """When two discs meet, and the change of the first's velocity; zeros where they do not."""
    a, b = ca.dot(relative, relative), ca.dot(apart, relative)
    c = ca.dot(apart, apart) - 4 * RADIUS**2
    root = b * b - a * c
    meet = ca.logic_and(ca.logic_and(b < 0, c + 2 * b * dt < 0), root > 0)
    soon = ca.fmax(c / (ca.sqrt(ca.if_else(meet, root, 1.0)) - ca.if_else(meet, b, -1.0)), 0.0)
    meet = ca.logic_and(meet, soon <= dt)
    tau = ca.if_else(meet, soon, 0.0)
    normal = apart + tau * relative
    normal = normal / ca.norm_2(normal)
    closing = -ca.dot(normal, relative) + (dt - tau) * ca.dot(normal, u)
    return tau, ca.if_else(ca.logic_and(meet, closing > 0), closing, 0.0) * normal


def _turned(place: Any, v: Any, push: Any, dt: float) -> tuple[Any, Any]:
    """Place and velocity of a disc after it has met the wall, if it does within the step."""
    room = WALL - RADIUS - place[1]
    meets = ca.logic_and(v[1] > 0, room < dt * v[1])
    tau = ca.if_else(meets, ca.fmax(room / ca.if_else(meets, v[1], 1.0), 0.0), 0.0)
    change = ca.if_else(meets, -2 * (v[1] - (dt - tau) * push), 0.0)
    return ca.vertcat(place[0], place[1] - tau * change), ca.vertcat(v[0], v[1] + change)
