r"""A pendulum of n links: points of mass 1 on massless rods of one length l, one hanging from the other.

Angles are measured from the downward vertical. With k = g / l and n_ij = n - max(i, j) masses, i and j from 0,
that hang from both links i and j,

    Σ_j n_ij (cos(θi - θj) θj'' + sin(θi - θj) θj'²) = -k n_ii sin θi.

So one link obeys θ'' = -k sin θ. Small oscillations have the squared frequencies λ k, with λ the roots of the
Laguerre polynomial L_n: 1 for one link, 2 ∓ √2 for two.

Source: Lagrange's equations; Landau, Lifshitz, *Mechanics*, §5 and §23, for two links.
"""

from __future__ import annotations

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import OneEach, Positive, Scalar, Vectors


@checked
def pendulum_acceleration(angle: OneEach, rate: OneEach, stiffness: Scalar) -> OneEach:
    """The angular accelerations (n,) of n links at angles and rates (n,), for k = `stiffness`."""
    n = angle.shape[0]
    if n == 1:
        return -stiffness * ra.sin(angle)
    order = np.arange(n)
    hanging = n - np.maximum(order[:, None], order)
    s, c = ra.sin(angle), ra.cos(angle)
    sines = s[:, None] * c - c[:, None] * s  # of θi - θj, from 2 n functions and not 2 n²
    cosines = c[:, None] * c + s[:, None] * s
    push = (hanging * sines) @ (rate * rate) + stiffness * (n - order) * s
    return -ra.solve(hanging * cosines, push)


@checked
def pendulum_fastest(rate: OneEach, stiffness: Scalar) -> Scalar:
    """The frequency (rad/s) that a step has to follow, of links turning at `rate` (n,).

    It is that of the fastest small oscillation, whose λ is the largest root of the Laguerre polynomial, and the
    fastest link's turning.
    """
    n = rate.shape[0]
    largest = float(np.polynomial.laguerre.lagroots([0.0] * n + [1.0]).real.max())
    return ra.sqrt(ra.abs(stiffness) * largest) + ra.max(ra.abs(ra.array(rate)))


@checked
def pendulum_joints(angle: OneEach, length: Positive) -> Vectors:
    """Where the links (n,) end, (n, 2), with the pivot at the origin."""
    link = length * ra.stack([ra.sin(angle), -ra.cos(angle)], axis=1)
    return ra.cumsum(link, axis=0)


@checked
def pendulum_energy(angle: OneEach, rate: OneEach, gravity: Scalar, length: Positive) -> Scalar:
    """Kinetic and potential energy, zero at rest at the height of the pivot."""
    place, push = ra.jvp(lambda a: pendulum_joints(a, length), (angle,), (rate,))
    return 0.5 * ra.sum(push * push) + gravity * ra.sum(place[:, 1])
