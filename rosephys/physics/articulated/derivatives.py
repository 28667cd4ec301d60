r"""All derivatives of inverse and forward dynamics, in closed form.

Moving by degree of freedom j turns all that it carries, the motions S of its own node with it. With

    ψ_j = v_λ × S_j       χ_j = a_λ × S_j + v_λ × ψ_j       ς_j = v × S_j

(velocity and acceleration of the parent's node, and of its own), with I the inertia, f the force on a node and
on all that hangs on it, and B of all these v ×* I - I v × + (I v) ×̄*, where g ×̄* m = m ×* g,

    ∂τ_i / ∂q_j = S_iᵀ (B_i ψ_j + I_i χ_j)                   where j carries i, or is of its node
    ∂τ_j / ∂q_i = S_jᵀ (B_i ψ_i + I_i χ_i + S_i ×* f_i)      where j carries i
    ∂τ_i / ∂v_j = S_iᵀ (B_i S_j + I_i (ψ_j + ς_j))           both ways

so all of them are four products of matrices (nv, 6), and those of forward dynamics one solution more: ∂a/∂τ =
M⁻¹, ∂a/∂q = - M⁻¹ ∂τ/∂q. The derivative by q is that by the argument of `integrate`.

Sources: Carpentier, Mansard, *Analytical derivatives of rigid body dynamics algorithms*, RSS 2018; Singh, Russell,
Wensing, *Efficient analytical derivatives of rigid-body dynamics using spatial vector algebra*, IEEE Robotics and
Automation Letters 7, 2022, table I.
"""

from __future__ import annotations

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array
from .aba import factor, solved
from .crba import composite, stacked
from .kinematics import Configuration, Placed, Speeds, placed
from .model import Model
from .rnea import Motion, base, gathered, inverse_dynamics, motion, none
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
    product = inertia @ motion_matrix(velocity)  # v ×* is minus the transpose of v ×, and I is symmetric
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
    inertia: SpatialMatrix,
    coriolis: SpatialMatrix,
    force: Spatial,
    motions: Motions,
    psi: Motions,
    chi: Motions,
    both: Motions,
) -> tuple[Motions, Motions, Motions, Motions]:
    """Of a node, (k, 6) each: S B, S I, and how its force changes with its own q and v."""
    pressed = ra.stack([cross_force(motions[k], force) for k in range(len(motions))])
    turned = psi @ coriolis.T + chi @ inertia + pressed
    return motions @ coriolis, motions @ inertia, turned, motions @ coriolis.T + both @ inertia


def _by_motion(model: Model, here: Placed, how: Motion) -> tuple[Array, Array]:
    """∂τ/∂q and ∂τ/∂v (nv, nv)."""
    nodes = model.tree.nodes
    coriolis = [
        None if inertia is None else _coriolis(inertia, velocity)
        for inertia, velocity in zip(here.inertias, how.velocities, strict=True)
    ]
    inertias, whirls = composite(model, here.inertias), composite(model, coriolis)
    forces, still = gathered(model, here, how.forces)[1], base(model)
    carried: list[tuple[Motions, ...]] = []
    rates: list[tuple[Motions, ...]] = []
    moving: list[Motions] = []
    for k, node in enumerate(nodes):
        motions, up = here.motions[k], node.parent
        if motions is not None:
            state = (how.velocities[up], how.accelerations[up]) if up >= 0 else still
            carried.append(_carried(motions, *state, how.velocities[k]))
            rates.append(_rates(inertias[k], whirls[k], forces[k], motions, *carried[-1]))
            moving.append(motions)
    psi, chi, both = (ra.concat([*rows]) for rows in zip(*carried, strict=True))
    with_b, with_i, by_q, by_v = (ra.concat([*rows]) for rows in zip(*rates, strict=True))
    s = ra.concat(moving)
    below, strict = model.tree.above()
    q = below * (with_b @ psi.T + with_i @ chi.T) + strict.T * (s @ by_q.T)
    v = below * (with_b @ s.T + with_i @ both.T) + strict.T * (s @ by_v.T)
    return q, v


@checked
def rnea_derivatives(model: Model, q: Configuration, v: Speeds, a: Speeds) -> Derivatives:
    """The derivatives of `rnea` by q, v and a; the last is the mass matrix."""
    here = placed(model, q)
    by_q, by_v = _by_motion(model, here, motion(model, here, v, a))
    momenta = [
        None if motions is None else motions @ inertia
        for inertia, motions in zip(composite(model, here.inertias), here.motions, strict=True)
    ]
    below, strict = model.tree.above()
    whole = stacked(momenta) @ stacked(here.motions).T
    mass = whole * below + (whole * strict).T + np.eye(model.tree.nv) * model.armature
    return Derivatives(by_q, by_v, mass)


@checked
def aba_derivatives(model: Model, q: Configuration, v: Speeds, tau: Speeds) -> Derivatives:
    """The derivatives of `aba` by q, v and tau; the last is the inverse of the mass matrix.

    (computeABADerivatives in Pinocchio.) One pass for all: `ra.jacfwd(aba)` makes as many as there are columns.
    """
    here = placed(model, q)
    of = factor(model, here)
    a = solved(model, of, tau - inverse_dynamics(model, here, v, none(model)))
    by_q, by_v = _by_motion(model, here, motion(model, here, v, a))
    n = model.tree.nv
    found = solved(model, of, ra.concat([-by_q, -by_v, ra.array(np.eye(n))], axis=1))
    return Derivatives(found[:, :n], found[:, n : 2 * n], found[:, 2 * n :])
