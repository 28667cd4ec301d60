r"""Damped springs between point masses of mass 1, whose rest lengths may be driven.

A spring between a and b with stiffness k, rest length L and d = x_a - x_b, ℓ = |d| + ε pulls a with the force

    F = -k (ℓ - L) / ℓ · d,      b with -F.

The softening ε keeps the direction d / ℓ finite where the two points meet. Without it two points in one place
have no direction, and F = 0 there, with the derivative -k of the part that has one, -k d. F is the gradient of
the energy

    E = k (½ (|d| - L)² + ε L log ℓ).

A damper along the spring pulls a with -c (u · n) n and b with its opposite, for n = d / |d| and u = v_a - v_b.

A driven spring has L = L0 (1 + α u) with a signal u in [-1, 1]. Damping is that of a medium: in a step of
length dt without other forces a velocity shrinks by the factor exp(-γ dt), the exact solution of v' = -γ v.
Points lie in the plane or in space: d is 2 or 3 below.

Source: the mass-spring robots of DiffTaichi (Hu et al., ICLR 2020).
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np

import rose_ad as ra
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import (
    FROM_0,
    Array,
    Axes,
    NotNegative,
    NumberOf,
    NumpyArray,
    Positive,
    Scalar,
    Vector,
    Vectors,
)

Ends: TypeAlias = Annotated[Array, Axes("m", 2), NumberOf("n")]
"""(m, 2), the two points that each spring joins."""
Lengths: TypeAlias = Annotated[Array, Axes("m"), FROM_0]
Softening: TypeAlias = Annotated[float, FROM_0]

POWERS = 60  # of the power method


@checked
def rest_lengths(x: Annotated[NumpyArray, Axes("n", "d")], ends: Ends) -> NumpyArray:
    """The lengths (m,) of springs at the positions x (n, d), both arrays of numpy."""
    return np.linalg.norm(x[ends[:, 0]] - x[ends[:, 1]], axis=1)


@checked
def spring_forces(
    x: Vectors, ends: Ends, rest: Lengths, stiffness: NotNegative, softening: Softening = 0.0
) -> Vectors:
    """The forces (n, d) on points x (n, d) of m springs: `ends` (m, 2) Ints, rest lengths (m,).

    The stiffness is one number for all springs.
    """
    force = ra.accum(x.shape)
    x, ends, rest = ra.array(x), ra.array(ends), ra.array(rest)
    for s in ra.range(len(ends)):
        a, b = ends[s, 0], ends[s, 1]
        apart = x[a] - x[b]
        pull = stiffness * (apart - rest[s] * _direction(apart, softening))
        force[a] -= pull
        force[b] += pull
    return force.freeze()


def _direction(apart: Vector, softening: Softening) -> Vector:
    """d / ℓ; 0, and so is its derivative, where two points meet without softening."""
    length = ra.norm(apart) + softening
    if softening:
        return 1 / length * apart  # whose derivative divides once, not twice as that of a quotient
    apart_at_all = length > 0
    return ra.where(apart_at_all, 1 / ra.where(apart_at_all, length, 1.0), 0.0) * apart


@checked
def spring_friction(x: Vectors, v: Vectors, ends: Ends, damping: NotNegative) -> Vectors:
    """The forces (n, d) of m dampers of c = `damping` between the points that `ends` (m, 2) names."""
    force = ra.accum(x.shape)
    x, v, ends = ra.array(x), ra.array(v), ra.array(ends)
    for s in ra.range(len(ends)):
        a, b = ends[s, 0], ends[s, 1]
        apart = x[a] - x[b]
        along = _direction(apart, 0.0)
        pull = damping * ra.dot(v[a] - v[b], along) * along
        force[a] -= pull
        force[b] += pull
    return force.freeze()


@checked
def spring_energy(
    x: Vectors, ends: Ends, rest: Lengths, stiffness: NotNegative, softening: Softening = 0.0
) -> Scalar:
    """The potential energy of the same springs."""
    energy = ra.accum()
    x, ends, rest = ra.array(x), ra.array(ends), ra.array(rest)
    for s in ra.range(len(ends)):
        distance = ra.norm(x[ends[s, 0]] - x[ends[s, 1]])
        energy += 0.5 * stiffness * (distance - rest[s]) ** 2
        if softening:
            energy += stiffness * softening * rest[s] * ra.log(distance + softening)
    return energy.freeze()


@checked
def stiffest(x: Annotated[NumpyArray, Axes("n", "d")], ends: Ends) -> float:
    """The largest ω² of points of mass 1 at x (n, d), both arrays of numpy, that springs of k = 1 at rest join.

    By the power method, from below, to some percent; about twice as many springs as meet in a point at most.
    """
    a, b = ends[:, 0], ends[:, 1]
    apart = x[a] - x[b]
    length = np.linalg.norm(apart, axis=1, keepdims=True)
    along = apart / np.where(length > 0, length, 1.0)
    shape: NumpyArray = np.array(np.random.default_rng(0).standard_normal(x.shape))
    square = 0.0
    for _ in range(POWERS):
        shape /= np.linalg.norm(shape)
        pull = np.sum((shape[a] - shape[b]) * along, axis=1, keepdims=True) * along
        shape = np.zeros(x.shape)
        np.add.at(shape, a, pull)
        np.add.at(shape, b, -pull)
        square = float(np.linalg.norm(shape))
        if not square:
            break
    return square


@checked
def springs_limit(square: NotNegative, damping: NotNegative, dt: Positive) -> Limit:
    """Where a step of semi-implicit Euler is stable, ω² dt² + 2 γ dt ≤ 4, for the largest ω² (1/s²) and γ (1/s)
    of springs and dampers."""
    fastest = ra.maximum(damping + ra.sqrt(damping * damping + 4 * square), 1e-300)
    name = "what the stiffest motion of the springs allows, at {} rad/s"
    return Limit(name, dt, 4 / fastest, numbers=[ra.sqrt(square)])


@checked
def damping(rate: NotNegative, dt: Positive) -> Scalar:
    """The factor by which a medium of damping `rate` shrinks a velocity in the time dt."""
    return ra.exp(-rate * dt)
