r"""All derivatives of inverse and forward dynamics, in closed form.

Moving by degree of freedom j turns all that it carries, the motions S of its own node with it. With

    ψ_j = v_λ × S_j       χ_j = a_λ × S_j + v_λ × ψ_j       ς_j = v × S_j

(velocity and acceleration of the parent's node, and of its own), with I the inertia, f the force on a node and
on all that hangs on it, and B of all these v ×* I - I v × + (I v) ×̄*, where g ×̄* m = m ×* g,

    ∂τ_i / ∂q_j = S_iᵀ (B_i ψ_j + I_i χ_j)                   where j carries i, or is of its node
    ∂τ_j / ∂q_i = S_jᵀ (B_i ψ_i + I_i χ_i + S_i ×* f_i)      where j carries i
    ∂τ_i / ∂v_j = S_iᵀ (B_i S_j + I_i (ψ_j + ς_j))           both ways

so all of them are two products of matrices, (nv, 12) and (nv, 6), and those of forward dynamics one more:
∂a/∂τ = M⁻¹, ∂a/∂q = - M⁻¹ ∂τ/∂q. The derivative by q is that by the argument of `integrate`.

Sources: Carpentier, Mansard, *Analytical derivatives of rigid body dynamics algorithms*, RSS 2018; Singh,
Russell, Wensing, *Efficient analytical derivatives of rigid-body dynamics using spatial vector algebra*, IEEE
Robotics and Automation Letters 7, 2022, table I.
"""

from __future__ import annotations

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Index, Scalar
from .aba import factor, solved
from .crba import symmetric
from .kinematics import Configuration, Placed, Speeds, placed
from .model import Model
from .rnea import Motion, base, inverse_dynamics, motion, none
from .spatial import (
    Motions,
    Spatial,
    SpatialMatrix,
    cross_force,
    cross_motion,
    motion_matrix,
    swapped_matrix,
)


@ra.struct
class Derivatives:
    """Of a result (nv,) by q, along the degrees of freedom, by v, and by the third argument: (nv, nv) each."""

    q: Array
    v: Array
    third: Array


@ra.fn
def _coriolis(inertia: SpatialMatrix, velocity: Spatial) -> SpatialMatrix:
    """B (6, 6) of one body."""
    product = inertia @ motion_matrix(
        velocity
    )  # v ×* is minus the transpose of v ×, and I is symmetric
    return swapped_matrix(inertia @ velocity) - product.T - product


@ra.fn
def _carried(
    motions: Motions, velocity: Spatial, acceleration: Spatial, own: Spatial
) -> tuple[Motions, Motions, Motions]:
    """ψ, χ and ψ + ς (k, 6) of a node; `own` is its velocity, the others are its parent's."""
    first, second, third = [], [], []
    for k in range(len(motions)):
        psi = cross_motion(velocity, motions[k])
        first.append(psi)
        second.append(cross_motion(acceleration, motions[k]) + cross_motion(velocity, psi))
        third.append(psi + cross_motion(own, motions[k]))
    return ra.stack(first), ra.stack(second), ra.stack(third)


@ra.fn
def _rates(
    total: tuple[SpatialMatrix, SpatialMatrix, Spatial],
    other: tuple[SpatialMatrix, SpatialMatrix, Spatial],
    motions: Motions,
    velocity: Spatial,
    acceleration: Spatial,
    own: Spatial,
) -> tuple[Array, tuple[SpatialMatrix, SpatialMatrix, Spatial]]:
    """Of a node with I, B and f of all that it carries: in a row (k, 48) S B, S I, ψ, χ, S, ψ + ς, and how f
    changes with its own q and v; and these sums with those of its parent."""
    inertia, coriolis, force = total
    psi, chi, both = _carried(motions, velocity, acceleration, own)
    pressed = ra.stack([cross_force(motions[k], force) for k in range(len(motions))])
    momenta = motions @ inertia
    by_q = psi @ coriolis.T + chi @ inertia + pressed
    by_v = motions @ coriolis.T + both @ inertia
    row = [motions @ coriolis, momenta, psi, chi, motions, both, by_q, by_v]
    return ra.concat(row, axis=1), (other[0] + inertia, other[1] + coriolis, other[2] + force)


def _rows(model: Model, here: Placed, how: Motion) -> Array:
    """What `_rates` says of each degree of freedom, (nv, 48)."""
    empty, nothing = ra.array(np.zeros((6, 6))), ra.array(np.zeros(6))
    none = (empty, empty, nothing)
    sums = [
        none if inertia is None or force is None else (inertia, _coriolis(inertia, v), force)
        for inertia, v, force in zip(here.inertias, how.velocities, how.forces, strict=True)
    ]
    rows: list[Array] = []
    for k in reversed(range(len(sums))):
        up, motions = model.tree.nodes[k].parent, here.motions[k]
        other = sums[up] if up >= 0 else none
        if motions is None:
            total = (other[0] + sums[k][0], other[1] + sums[k][1], other[2] + sums[k][2])
        else:
            before = (how.velocities[up], how.accelerations[up]) if up >= 0 else base(model)
            row, total = _rates(sums[k], other, motions, *before, how.velocities[k])
            rows.insert(0, row)
        if up >= 0:
            sums[up] = total
    return ra.concat(rows)


@ra.fn
def _paired(
    left: Array, right: Array, motions: Motions, up: Array, below: Array, above: Array
) -> Array:
    """The derivatives (nv, nv) of forces along what is carried, and along what carries."""
    return below * (left @ right) + above * (motions @ up)


def _by_motion(model: Model, rows: Array) -> tuple[Array, Array]:
    """∂τ/∂q and ∂τ/∂v (nv, nv)."""
    below, strict = model.tree.above()
    where = ra.array(below), ra.array(strict.T.copy())
    left, motions, columns = rows[:, :12], rows[:, 24:30], rows.T
    q = _paired(left, columns[12:24], motions, columns[36:42], *where)
    return q, _paired(left, columns[24:36], motions, columns[42:48], *where)


def _mass(model: Model, rows: Array) -> Array:
    """M (nv, nv)."""
    return symmetric(model, rows[:, 6:12] @ rows[:, 24:30].T)


def _minus_inverse(a: Array) -> Array:
    """Minus the inverse of a symmetric positive definite matrix (n, n), swept row by row, in one compact loop.

    Source: Goodnight, *A tutorial on the SWEEP operator*, The American Statistician 33, 1979.
    """
    n = len(a)

    def sweep(k: Index, a: Array) -> Array:
        own = a[k]
        give = 1.0 / own[k]
        scaled = own * give

        def entry(i: Index, j: Index) -> Scalar:
            in_row = ra.where(j == k, -give, scaled[j])
            other = ra.where(j == k, own[i] * give, a[i, j] - own[i] * scaled[j])
            return ra.where(i == k, in_row, other)

        return ra.build(n, lambda i: ra.build(n, lambda j: entry(i, j)))

    return ra.fori_loop(0, n, sweep, a)


@checked
@ra.fn
def rnea_derivatives(model: Model, q: Configuration, v: Speeds, a: Speeds) -> Derivatives:
    """The derivatives of `rnea` by q, v and a; the last is the mass matrix."""
    here = placed(model, q)
    rows = _rows(model, here, motion(model, here, v, a))
    return Derivatives(*_by_motion(model, rows), _mass(model, rows))


@checked
@ra.fn
def aba_derivatives(model: Model, q: Configuration, v: Speeds, tau: Speeds) -> Derivatives:
    """The derivatives of `aba` by q, v and tau; the last is the inverse of the mass matrix.

    (computeABADerivatives in Pinocchio.) One pass for all: `ra.jacfwd(aba)` makes as many as there are columns.
    """
    here = placed(model, q)
    a = solved(model, factor(model, here), tau - inverse_dynamics(model, here, v, none(model)))
    rows = _rows(model, here, motion(model, here, v, a))
    minus = _minus_inverse(_mass(model, rows))
    by_q, by_v = _by_motion(model, rows)
    return Derivatives(minus @ by_q, minus @ by_v, -minus)
