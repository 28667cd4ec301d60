r"""The moving least squares material point method (MLS-MPM): elastic bodies and liquids of particles.

A particle has a position x, a velocity v, an affine velocity C (the velocity around it is v + C (y - x)) and a
deformation gradient F. A grid of nodes x_i, Δ apart, fills [0, 1]^d, d = 2 or 3. In a step of length dt

    F' = (I + dt C) F,    A = m C - dt (4/Δ²) V τ(F')                        each particle alone
    m_i = Σ_p w_ip m,     m_i v_i = Σ_p w_ip (m v + A (x_i - x))             particles to grid
    v_i += dt g,          walls change v_i                                   on the grid
    v' = Σ_i w_ip v_i,    C' = (4/Δ²) Σ_i w_ip v_i (x_i - x)ᵀ,    x' = x + dt v'

with the particle's initial volume V and the Kirchhoff stress τ = J σ, J = det F. The weights are products of
quadratic B-splines, one for each axis: with the particle at the distance f Δ from the first of its three nodes,

    w = ½ (3/2 - f)²,    3/4 - (f - 1)²,    ½ (f - 1/2)².

They sum to 1, so the transfers keep mass, momentum and, with C, angular momentum. Units are those of the
numbers given; the grid's edge has length 1.

Sources: Hu et al., *A moving least squares material point method*, SIGGRAPH 2018; Jiang et al., *The affine
particle-in-cell method*, SIGGRAPH 2015; Stomakhin et al., *Energetically consistent invertible elasticity*, SCA
2012 (fixed corotated); the scenes of DiffTaichi (Hu et al., ICLR 2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import numpy as np

import rose_ad as ra
from rosephys.errors import ArgumentError
from rosephys.limit import Limit

from ..checked import checked
from ..quantities import (
    ABOVE_0,
    FROM_0,
    Array,
    Axes,
    Count,
    Index,
    Matrix,
    NotNegative,
    NumberOf,
    Positive,
    Scalar,
    Sums,
    Vector,
    Vectors,
)
from . import symmetric

Matrices: TypeAlias = Annotated[Array, Axes("n", "d", "d")]
Masses: TypeAlias = Annotated[Array, Axes("n"), ABOVE_0]
Material: TypeAlias = Callable[[Index, Matrix], tuple[Matrix, Matrix]]
"""`material(p, F)`: what particle p keeps of its deformation gradient (d, d), and V τ (d, d) for it."""


@checked
@ra.struct
class Particles:
    """Positions and velocities (n, d), affine velocities and deformation gradients (n, d, d)."""

    position: Vectors
    velocity: Vectors
    affine: Matrices
    deformation: Matrices


@checked
@dataclass(frozen=True)
class Grid:
    """`nodes` along each axis of [0, 1]^d, the first at 0, and what its walls do.

    The walls are the outer `margin` nodes of each side, where the velocity must not point outwards: "stick"
    stops a node that would go there, "slip" takes its velocity along that axis only. `ballast` is a mass
    at rest that is added to each node: so DiffTaichi does not divide by zero, and momentum is lost to it.
    """

    nodes: Count
    walls: Literal["stick", "slip"] = "stick"
    margin: Count = 3
    ballast: Annotated[float, FROM_0] = 0.0

    def __post_init__(self) -> None:
        if self.nodes <= 2 * self.margin:
            what = f"nodes are {self.nodes}, and {self.margin} on each side are wall"
            raise ArgumentError(f"Grid: {what}; wanted more than {2 * self.margin} nodes")

    @property
    def spacing(self) -> float:
        """Δ."""
        return 1.0 / self.nodes


@checked
def at_rest(position: Vectors, velocity: Scalar | Vector | Vectors = 0.0) -> Particles:
    """Undeformed particles at (n, d), with one velocity (d,) or one for each (n, d)."""
    n, d = position.shape
    return Particles(
        ra.array(position),
        velocity + np.zeros((n, d)),
        np.zeros((n, d, d)),
        np.tile(np.eye(d), (n, 1, 1)),
    )


@checked
def step(
    grid: Grid,
    particles: Particles,
    mass: Masses,
    material: Material,
    gravity: Vector,
    dt: Positive,
) -> Particles:
    """The particles dt later, of masses (n,), with the acceleration `gravity` (d,).

    A particle that comes within a node of the edge of the grid raises IndexError; `mpm_limits` says it before.
    """
    particles, mass = ra.map_leaves(ra.array, particles), ra.array(mass)
    x = particles.position

    # each particle alone
    pull = -4 * dt / grid.spacing**2

    def strained(p: Index) -> tuple[Matrix, Matrix]:
        c, f = particles.affine[p], particles.deformation[p]
        f, stress = material(p, f + dt * (c @ f))
        return f, mass[p] * c + pull * stress

    deformation, momenta = ra.build(x.shape[0], strained)
    # particles to grid
    sums = to_grid(grid, x, particles.velocity, mass, momenta)
    # gravity and walls, on the grid
    nodes = grid_velocity(grid, sums, dt * gravity, x)
    # grid to particles
    v, affine = from_grid(grid, nodes, x)
    return Particles(x + dt * v, v, affine, deformation)


@checked
def mpm_limits(
    grid: Grid, particles: Particles, sound: NotNegative, dt: Positive
) -> tuple[Limit, Limit]:
    """Where a step is stable: an elastic wave crosses no more than a cell, and no particle more; and where all
    particles have nodes about them. `sound` is the speed of the wave, for a solid √((λ + 2μ) V / m)."""
    x = ra.array(particles.position)
    fastest = sound + ra.sqrt(ra.max(ra.sum(ra.array(particles.velocity) ** 2, axis=1)))
    middle = 0.5 * (grid.nodes - 1)
    off = ra.max(ra.abs(x / grid.spacing - middle))
    leaves = "the walls do not hold it: a smaller dt, a slower start or a larger grid is needed"
    far = "how far the outermost particle is from the grid's middle, in nodes,"
    name = "the CFL limit of waves and particles at {} on cells of {}"
    return (
        Limit(name, dt, grid.spacing / fastest, numbers=[fastest, grid.spacing]),
        Limit("the last place with nodes about it", off, middle - 0.5 - 1e-9, "dt", far, leaves),
    )


# ------------------------------------------------------------------------------------ transfers


@checked
def to_grid(grid: Grid, x: Vectors, v: Vectors, mass: Masses, affine: Matrices) -> Array:
    """The momentum and, last, the mass of each node, (nodes, ..., d + 1), of particles at x with velocities v
    (n, d), masses (n,) and affine momenta A (n, d, d)."""
    n, d = x.shape
    nodes = ra.accum((grid.nodes,) * d + (d + 1,))
    x, v, mass, affine = map(ra.array, (x, v, mass, affine))
    for p in ra.range(n):
        near = _stencil(grid, x[p])
        slope = grid.spacing * affine[p]
        _spread(nodes, near, slope, mass[p], mass[p] * v[p] - slope @ near.offset)
    return nodes.freeze()


@checked
def from_grid(
    grid: Grid, velocity: Annotated[Array, Axes(..., "d")], x: Vectors
) -> tuple[Vectors, Matrices]:
    """Velocities (n, d) and affine velocities (n, d, d) of particles at x (n, d) in the nodes' velocities."""

    velocity, x = ra.array(velocity), ra.array(x)

    def at_particle(p: Index) -> tuple[Vector, Matrix]:
        near = _stencil(grid, x[p])
        v, *moments = _gather(velocity, near)
        return v, 4 / grid.spacing * (ra.array(moments).T - ra.outer(v, near.offset))

    return ra.build(x.shape[0], at_particle)


@dataclass(frozen=True)
class _Stencil:
    """The 3^d nodes around a particle: the first of them, how far the particle is from it (d,) in Δ, and the
    weights of the three along each axis, 3 of (d,)."""

    first: list[Index]
    offset: Vector
    weights: list[Vector]


def _stencil(grid: Grid, x: Vector) -> _Stencil:
    at = x / grid.spacing
    first = [_node(a) for a in at]
    f = at - ra.array(first)
    return _Stencil(first, f, [0.5 * (1.5 - f) ** 2, 0.75 - (f - 1) ** 2, 0.5 * (f - 0.5) ** 2])


def _node(at: Scalar) -> Index:
    """Along an axis the first node near a particle at this coordinate in Δ."""
    return ra.to_int(ra.floor(at - 0.5))


# The weights are products, so that sums over nodes are taken one axis after another.


def _spread(
    part: Sums,
    near: _Stencil,
    slope: Matrix,
    mass: Scalar,
    momentum: Vector,
    weight: Scalar = 1.0,
    axis: int = 0,
) -> None:
    """Add weighted momentum and mass to the nodes in `part` of a grid, which has the axes from `axis` on; the
    momentum grows by slope[:, k] from node to node along axis k."""
    if axis == len(near.first):
        part += weight * ra.array([*momentum, mass])
        return
    for k, w in enumerate(near.weights):
        there = momentum + k * slope[:, axis] if k else momentum
        node = part[near.first[axis] + k]
        _spread(node, near, slope, mass, there, weight * w[axis], axis + 1)


def _gather(part: Array, near: _Stencil, axis: int = 0) -> list[Vector]:
    """The weighted sum over the nodes in `part` of a grid, which has the axes from `axis` on, and its first
    moments along them, counted in nodes from the first."""
    if axis == len(near.first):
        return [part]
    rows = [_gather(part[near.first[axis] + k], near, axis + 1) for k in range(3)]
    w = [weight[axis] for weight in near.weights]
    total, *others = [w[0] * a + w[1] * b + w[2] * c for a, b, c in zip(*rows, strict=True)]
    return [total, w[1] * rows[1][0] + 2 * w[2] * rows[2][0], *others]


@checked
def grid_velocity(
    grid: Grid, sums: Annotated[Array, Axes(..., "d+1")], kick: Vector, x: Vectors
) -> Array:
    """The velocities (nodes, ..., d) of nodes with these momenta and masses (nodes, ..., d + 1), a kick (d,)
    later and with the walls' consent; 0 away from all particles, which are at x (n, d)."""
    d = sums.shape[-1] - 1
    sums, kick, x = map(ra.array, (sums, kick, x))
    velocity = ra.accum((grid.nodes,) * d + (d,))
    for index in _box(_reached(grid, x)):
        node = sums[index]
        v = _over_mass(grid, node[:d], node[d]) + kick
        velocity[index] += _walled(grid, index, v)
    return velocity.freeze()


def _over_mass(grid: Grid, momentum: Vector, mass: Scalar) -> Vector:
    """The velocity of a node; 0 of one without mass. Weights are 1e-100 at least or 0, so none overflows."""
    if grid.ballast:
        return momentum / (mass + grid.ballast)
    full = mass > 0
    return ra.where(full, momentum / ra.where(full, mass, 1.0), 0.0)


def _reached(grid: Grid, x: Vectors) -> list[tuple[Index, Index]]:
    """Along each axis the first node that is near a particle, and one more than the last."""

    def node(at: Scalar) -> Index:
        return ra.clip(_node(at / grid.spacing), 0, grid.nodes - 3)

    axes = range(x.shape[1])
    return [(node(ra.min(x[:, k])), node(ra.max(x[:, k])) + 3) for k in axes]


def _box(sides: list[tuple[Index, Index]]) -> Iterator[tuple[Index, ...]]:
    """The nodes between these bounds: loops, one in the other."""
    if not sides:
        yield ()
        return
    for k in ra.range(*sides[0]):
        for rest in _box(sides[1:]):
            yield (k, *rest)


def _walled(grid: Grid, index: tuple[Index, ...], v: Vector) -> Vector:
    last = grid.nodes - grid.margin
    stopped = [
        ((i < grid.margin) & (u < 0)) | ((i > last) & (u > 0))
        for i, u in zip(index, v, strict=True)
    ]
    if grid.walls == "slip":
        return ra.array([ra.where(s, 0.0, u) for s, u in zip(stopped, v, strict=True)])
    anywhere = stopped[0]
    for s in stopped[1:]:
        anywhere = anywhere | s
    return ra.where(anywhere, 0.0, v)


# ------------------------------------------------------------------------------------ materials


@checked
def determinant(f: Matrix) -> Scalar:
    """det F, of a (2, 2) or (3, 3) matrix."""
    if len(f) == 2:
        return f[0, 0] * f[1, 1] - f[0, 1] * f[1, 0]
    return ra.dot(f[0], ra.cross(f[1], f[2]))


@checked
def rotation(f: Matrix) -> Matrix:
    """R of the polar decomposition F = R S of a (2, 2) matrix, or of a (3, 3) one with det F > 0."""
    if len(f) == 3:
        return symmetric.inverse_root(f @ f.T) @ f
    a, b = f[0, 0] + f[1, 1], f[1, 0] - f[0, 1]
    shrink = 1 / ra.sqrt(a * a + b * b)
    a, b = a * shrink, b * shrink
    return ra.array([[a, -b], [b, a]])


@checked
def corotated(f: Matrix, mu: NotNegative, lam: NotNegative) -> Matrix:
    """τ of the fixed corotated solid, 2μ (F - R) Fᵀ + λ (J - 1) J I, of Lamé's parameters."""
    j = determinant(f)
    return 2 * mu * ((f - rotation(f)) @ f.T) + lam * (j - 1) * j * np.eye(len(f))


@checked
def corotated_energy(f: Matrix, mu: NotNegative, lam: NotNegative) -> Scalar:
    """Its energy density, μ |F - R|² + ½ λ (J - 1)²."""
    strain = f - rotation(f)
    return mu * ra.sum(strain * strain) + 0.5 * lam * (determinant(f) - 1) ** 2


@checked
def neo_hookean(f: Matrix, mu: NotNegative, lam: NotNegative) -> Matrix:
    """τ of a neo-Hookean solid, μ (F Fᵀ - I) + λ log J I; J must stay positive."""
    one = np.eye(len(f))
    return mu * (f @ f.T - one) + lam * ra.log(determinant(f)) * one


@checked
def neo_hookean_energy(f: Matrix, mu: NotNegative, lam: NotNegative) -> Scalar:
    """Its energy density, ½ μ (|F|² - d) - μ log J + ½ λ (log J)²."""
    log = ra.log(determinant(f))
    return 0.5 * mu * (ra.sum(f * f) - len(f)) - mu * log + 0.5 * lam * log * log


@checked
def muscle(f: Matrix, strength: Scalar, axis: Annotated[int, NumberOf("d")]) -> Matrix:
    """τ of fibres along an axis of the undeformed body that pull with `strength`, or push: F e A eᵀ Fᵀ."""
    along = f[:, axis]
    return strength * ra.outer(along, along)


@checked
def liquid(f: Matrix, stiffness: NotNegative) -> Matrix:
    """τ of a weakly compressible liquid, K (J - 1) I.

    Its energy density is K (J - 1 - log J). Keep `isotropic(F)` of its deformation: shear is forgotten.
    """
    return stiffness * (determinant(f) - 1) * np.eye(len(f))


@checked
def isotropic(f: Matrix) -> Matrix:
    """J^(1/d) I: of a deformation the change of volume alone; J must be positive."""
    d = len(f)
    j = determinant(f)
    return (ra.sqrt(j) if d == 2 else j ** (1 / 3)) * np.eye(d)
