r"""Forward dynamics: how the joints accelerate under forces. The articulated-body algorithm.

Inward each degree of freedom k is eliminated from the inertia A of what it carries,

    U = A S_k        D = S_kᵀ U + armature        A ← A - U Uᵀ / D        A_λ += A

which depends on q alone: `factor`. Then M x = b is solved in one walk inward, u = b - Sᵀ p, p ← p + U u / D,
and one outward, x = (u - Uᵀ a) / D, a ← a + S x: `solved`, for one b or many. So

    aba(q, v, τ) = M(q)⁻¹ (τ - bias(q, v))

in time that goes with the number of links. The bias comes from `rnea`, not along with the walk inward as in the
book, for then the derivative is short: with x = aba(q, v, τ),

    dx = M⁻¹ (dτ - d rnea(q, v, x)),    x held,

which is what is differentiated, in both modes, and not the elimination. The derivative is exact.

Sources: Featherstone, *Rigid body dynamics algorithms*, 2008, §7.3, table 7.1; Carpentier, Mansard, *Analytical
derivatives of rigid body dynamics algorithms*, RSS 2018 (that the derivative is M⁻¹ times that of rnea).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Scalar
from .kinematics import Configuration, Placed, Speeds, placed
from .model import Model
from .rnea import inverse_dynamics, none
from .spatial import Motions, Spatial, SpatialMatrix


@dataclass(frozen=True)
class Factor:
    """M of a model in a configuration, eliminated: of each node the motions S and U (k, 6), and 1 / D (k,)."""

    motions: list[Motions | None]
    momenta: list[Motions | None]
    yields: list[Array | None]


@ra.fn
def _eliminated(
    inertia: SpatialMatrix, motions: Motions, armature: Array, other: SpatialMatrix
) -> tuple[SpatialMatrix, Motions, Array]:
    """What is left of an inertia (6, 6), with another; U (k, 6) and 1 / D (k,) of the motions of a node."""
    momenta: list[Spatial] = []
    yields: list[Scalar] = []
    for k in reversed(range(len(motions))):
        momentum = inertia @ motions[k]
        give = 1.0 / (ra.dot(motions[k], momentum) + armature[k])
        inertia = inertia - momentum[:, None] * (give * momentum)[None, :]
        momenta.insert(0, momentum)
        yields.insert(0, give)
    return other + inertia, ra.stack(momenta), ra.array(yields)


def factor(model: Model, here: Placed, further: Array | float = 0.0) -> Factor:
    """M, with that much more on its diagonal (nv,), eliminated."""
    empty = ra.array(np.zeros((6, 6)))
    left = [empty if inertia is None else inertia for inertia in here.inertias]
    momenta: list[Motions | None] = [None] * len(left)
    yields: list[Array | None] = [None] * len(left)
    armature = model.armature + further
    for k in reversed(range(len(left))):
        node, motions = model.tree.nodes[k], here.motions[k]
        other = left[node.parent] if node.parent >= 0 else empty
        if motions is None:
            total = other + left[k]
        else:
            total, momenta[k], yields[k] = _eliminated(left[k], motions, armature[node.v], other)
        if node.parent >= 0:
            left[node.parent] = total
    return Factor(here.motions, momenta, yields)


@ra.fn
def _inward(
    push: Spatial, motions: Motions, momenta: Motions, yields: Array, b: Array, other: Spatial
) -> tuple[Array, Spatial]:
    """u / D (k, ...) of a node, and the push (6, ...) on what carries it, with that of others."""
    found: list[Array] = []
    for k in reversed(range(len(motions))):
        u = yields[k] * (b[k] - motions[k] @ push)
        push = push + _times(momenta[k], u)
        found.insert(0, u)
    return ra.stack(found), other + push


@ra.fn
def _outward(
    moves: Spatial, motions: Motions, momenta: Motions, yields: Array, u: Array
) -> tuple[Array, Spatial]:
    """x (k, ...) of a node, and the acceleration (6, ...) after it."""
    found: list[Array] = []
    for k in range(len(motions)):
        x = u[k] - yields[k] * (momenta[k] @ moves)
        moves = moves + _times(motions[k], x)
        found.append(x)
    return ra.stack(found), moves


def _times(a: Spatial, x: Array) -> Array:
    """a (6,) times each of x (...): (6, ...)."""
    return a[:, None] * x[None, :] if x.shape else a * x


def solved(model: Model, of: Factor, b: Array) -> Array:
    """x with M x = b, for b (nv,) or (nv, m)."""
    nodes, still = model.tree.nodes, ra.array(np.zeros((6, *b.shape[1:])))
    pushes: list[Array] = [still] * len(nodes)
    halves: list[Array] = [still] * len(nodes)
    for k in reversed(range(len(nodes))):
        node, own = nodes[k], (of.motions[k], of.momenta[k], of.yields[k])
        other = pushes[node.parent] if node.parent >= 0 else still
        if own[0] is None:
            total = other + pushes[k]
        else:
            halves[k], total = _inward(pushes[k], *own, b[node.v], other)
        if node.parent >= 0:
            pushes[node.parent] = total
    moves: list[Array] = []
    found: list[Array] = []
    for k, node in enumerate(nodes):
        state = moves[node.parent] if node.parent >= 0 else still
        if of.motions[k] is not None:
            x, state = _outward(state, of.motions[k], of.momenta[k], of.yields[k], halves[k])
            found.append(x)
        moves.append(state)
    return ra.concat(found)


@ra.custom_jvp
def _accelerated(model: Model, q: Array, v: Array, force: Array, further: Array) -> Array:
    here = placed(model, q)
    rest = force - inverse_dynamics(model, here, v, none(model))
    return solved(model, factor(model, here, further), rest)


@_accelerated.defjvp
def _accelerated_jvp(
    primals: tuple[Model, Array, Array, Array, Array],
    tangents: tuple[Model, Array, Array, Array, Array],
) -> tuple[Array, Array]:
    model, q, v, force, further = primals
    here = placed(model, q)
    of = factor(model, here, further)
    x = solved(model, of, force - inverse_dynamics(model, here, v, none(model)))

    def wanted(model: Model, q: Array, v: Array, further: Array) -> Array:
        return inverse_dynamics(model, placed(model, q), v, x) + (model.armature + further) * x

    _, by = ra.jvp(wanted, (model, q, v, further), (*tangents[:3], tangents[4]))
    return x, solved(model, of, tangents[3] - by)


def accelerations(model: Model, q: Array, v: Array, force: Array, further: Array) -> Array:
    """(M + further)⁻¹ (force - bias), (nv,): `aba` with more inertia along the joints, (nv,)."""
    return _accelerated(model, q, v, force, further)


@checked
@ra.fn
def aba(model: Model, q: Configuration, v: Speeds, tau: Speeds) -> Array:
    """How v changes (nv,), under forces tau (nv,) along the joints."""
    return accelerations(model, q, v, tau, none(model))
