r"""The mass matrix M(q), by the composite-rigid-body algorithm.

With I_c the inertia of a node and of all that hangs on it, M_ij = S_iᵀ I_c S_j where i carries j.

Source: Featherstone, *Rigid body dynamics algorithms*, 2008, §6.2, table 6.2.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Axes
from .kinematics import Configuration, Placed, placed
from .model import Model
from .spatial import Motions, SpatialMatrix

MassMatrix = Annotated[Array, Axes("nv", "nv")]


@ra.fn
def _carried(inertia: SpatialMatrix, motions: Motions) -> Motions:
    """The momenta (k, 6) of what moves so."""
    return motions @ inertia


def composite(model: Model, inertias: list[SpatialMatrix | None]) -> list[SpatialMatrix]:
    """The inertia of each node with all that hangs on it."""
    sums = list(inertias)
    for k in reversed(range(len(sums))):
        own, parent = sums[k], model.tree.nodes[k].parent
        if parent >= 0 and own is not None:
            other = sums[parent]
            sums[parent] = own if other is None else other + own
    return [ra.array(np.zeros((6, 6))) if i is None else i for i in sums]


def stacked(rows: list[Motions | None]) -> Motions:
    """What is of each degree of freedom, (nv, 6)."""
    return ra.concat([row for row in rows if row is not None])


def mass_matrix(model: Model, here: Placed) -> MassMatrix:
    """M (nv, nv) of nodes that are placed, with the armature."""
    whole = composite(model, here.inertias)
    momenta = [
        None if motions is None else _carried(inertia, motions)
        for inertia, motions in zip(whole, here.motions, strict=True)
    ]
    return symmetric(model, stacked(momenta) @ stacked(here.motions).T)


def symmetric(model: Model, whole: MassMatrix) -> MassMatrix:
    """M of what moves i (rows) along what moves j (columns), right where j carries i; with the armature."""
    below, _ = model.tree.above()
    lower = whole * np.tril(below)
    return lower + (whole * np.tril(below, -1)).T + np.eye(model.tree.nv) * model.armature


@checked
@ra.fn
def crba(model: Model, q: Configuration) -> MassMatrix:
    """The mass matrix (nv, nv), symmetric, with the armature on its diagonal."""
    return mass_matrix(model, placed(model, q))
