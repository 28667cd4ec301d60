r"""A pendulum and a double pendulum: points of mass 1 on massless rods of one length l.

Angles are measured from the downward vertical. With k = g / l the pendulum is θ'' = -k sin θ. The double
pendulum, with δ = θ1 - θ2, is

    2 θ1'' + cos δ θ2'' = -sin δ θ2'² - 2 k sin θ1
    cos δ θ1'' + θ2''   =  sin δ θ1'² -   k sin θ2

Its small oscillations have the squared frequencies (2 ∓ √2) k.

Source: Landau, Lifshitz, *Mechanics*, §5 and §23.
"""

from __future__ import annotations

from typing import Any

import rose_ad as ra


def pendulum_acceleration(angle: Any, rate: Any, stiffness: Any) -> Any:
    """The angular accelerations (n,) of one or two links at angles and rates (n,), for k = `stiffness`."""
    if angle.shape[0] == 1:
        return -stiffness * ra.sin(angle)
    apart = angle[0] - angle[1]
    c, s = ra.cos(apart), ra.sin(apart)
    first = -s * rate[1] * rate[1] - 2 * stiffness * ra.sin(angle[0])
    second = s * rate[0] * rate[0] - stiffness * ra.sin(angle[1])
    determinant = 2 - c * c
    return ra.array([(first - c * second) / determinant, (2 * second - c * first) / determinant])


def pendulum_joints(angle: Any, length: Any) -> Any:
    """Where the links (n,) end, (n, 2), with the pivot at the origin."""
    link = length * ra.stack([ra.sin(angle), -ra.cos(angle)], axis=1)
    return ra.cumsum(link, axis=0)


def pendulum_energy(angle: Any, rate: Any, gravity: Any, length: Any) -> Any:
    """Kinetic and potential energy, zero at rest at the height of the pivot."""
    place, push = ra.jvp(lambda a: pendulum_joints(a, length), (angle,), (rate,))
    return 0.5 * ra.sum(push * push) + gravity * ra.sum(place[:, 1])
