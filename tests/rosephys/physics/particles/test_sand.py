"""Sand against principal stretches, friction, conservation and experiments."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import rose_ad as ra
from rosephys.physics.particles.mpm import Grid, Particles, at_rest, isotropic, step
from rosephys.physics.particles.sand import friction_cone, sand, sand_energy

Array = np.ndarray[Any, Any]

MU, LAM = 3.0, 5.0
CONES = {d: float(friction_cone(30.0, d)) for d in (2, 3)}


# ------------------------------------------------------------------------------------ the material


def in_principal_stretches(f: Array, cone: float) -> tuple[Array, Array]:
    """sand(f) by singular values, as Klar et al. write it but that expansion is remembered."""
    d = len(f)
    u, stretch, w = np.linalg.svd(f)
    strain = np.log(stretch)
    shear = strain - strain.mean()
    if strain.sum() >= 0:
        kept, borne = np.full(d, strain.mean()), np.zeros(d)
    else:
        too_much = np.linalg.norm(shear) + (d * LAM + 2 * MU) / (2 * MU) * strain.sum() * cone
        kept = strain - max(too_much, 0.0) * shear / np.linalg.norm(shear)
        borne = kept
    stress = 2 * MU * borne + LAM * borne.sum()
    return (u * np.exp(kept)) @ w, (u * stress) @ u.T


def deformations(d: int) -> list[Array]:
    """Elastic, sliding and come apart."""
    draw = np.random.default_rng(d)
    shears = draw.standard_normal((3, d, d))
    shears -= np.trace(shears, axis1=1, axis2=2)[:, None, None] / d * np.eye(d)
    return [
        scale * scipy.linalg.expm(size * shear)
        for scale in (0.6, 0.9, 1.2)
        for size, shear in zip((1e-3, 0.02, 0.5), shears, strict=True)
    ]


@pytest.mark.parametrize("d", [2, 3])
def test_sand_in_principal_stretches(d: int) -> None:
    found = ra.fn(lambda f: sand(f, MU, LAM, CONES[d]))
    kinds = set()
    for f in deformations(d):
        (kept, stress), (kept_there, stress_there) = found(f), in_principal_stretches(f, CONES[d])
        np.testing.assert_allclose(kept, kept_there, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(stress, stress_there, rtol=1e-12, atol=1e-12)
        kinds.add("apart" if np.linalg.det(f) > 1 else bool(abs(kept - f).max() > 1e-9))
    assert kinds == {"apart", True, False}


@pytest.mark.parametrize("d", [2, 3])
def test_sand_is_not_pulled_and_keeps_its_volume(d: int) -> None:
    found = ra.fn(lambda f: sand(f, MU, LAM, CONES[d]))
    for f in deformations(d):
        kept, stress = found(f)
        pressure = -np.trace(stress)
        shear = np.linalg.norm(stress - np.trace(stress) / d * np.eye(d))
        assert pressure >= 0 and shear <= CONES[d] * pressure + 1e-13
        assert np.linalg.eigvalsh(stress).max() <= 1e-13
        assert np.linalg.det(kept) == pytest.approx(np.linalg.det(f), rel=1e-13)
        again, same = found(kept)  # what is kept yields no further
        np.testing.assert_allclose(again, kept, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(same, stress, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 20.0, 35.0])
def test_the_cone_is_that_of_mohr_and_coulomb(angle: float) -> None:
    slope = np.sin(np.radians(angle))
    low, high = sorted(
        np.linalg.eigvalsh(
            ra.fn(lambda f: sand(f, MU, LAM, friction_cone(angle, 2))[1])(np.diag([0.5, 1.2]))
        )
    )
    assert high - low == pytest.approx(-slope * (high + low), abs=1e-13)
    pressed, *sides = np.linalg.eigvalsh(  # along one axis
        ra.fn(lambda f: sand(f, MU, LAM, friction_cone(angle, 3))[1])(np.diag([0.4, 1.2, 1.2]))
    )
    np.testing.assert_allclose(sides, sides[0], rtol=1e-13)
    assert sides[0] - pressed == pytest.approx(-slope * (sides[0] + pressed), abs=1e-13)


@pytest.mark.parametrize("d", [2, 3])
def test_stress_is_the_derivative_of_the_energy(d: int) -> None:
    f = 0.9 * (np.eye(d) + 0.03 * np.random.default_rng(4).standard_normal((d, d)))
    slope = ra.grad(ra.fn(lambda f: sand_energy(f, MU, LAM)))(f)
    kept, stress = ra.fn(lambda f: sand(f, MU, LAM, 1.0))(f)
    np.testing.assert_allclose(kept, f, rtol=1e-14)  # within the cone
    np.testing.assert_allclose(stress, slope @ f.T, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("d", [2, 3])
def test_derivative_where_stretches_are_equal(d: int) -> None:
    both = ra.fn(lambda f: sand(f, MU, LAM, CONES[d]))
    along, h = np.random.default_rng(6).standard_normal((d, d)), 1e-6
    turn = np.linalg.qr(np.random.default_rng(7).standard_normal((d, d)))[0]
    turn[0] *= np.linalg.det(turn)
    for f in (
        0.9 * np.eye(d),
        0.9 * turn,
        1.1 * turn,
        0.9 * turn + 1e-9 * along,
        0.9 * turn @ np.diag([1.2] + (d - 1) * [1]),
    ):
        slopes = ra.jvp(both, (f,), (along,))[1]
        for slope, ahead, behind in zip(
            slopes, both(f + h * along), both(f - h * along), strict=True
        ):
            np.testing.assert_allclose(slope, (ahead - behind) / (2 * h), rtol=1e-7, atol=1e-7)
    f, w = 0.9 * np.eye(d) + 0.1 * along, (along.T, along)
    slopes, (back,) = ra.jvp(both, (f,), (turn,))[1], ra.vjp(both, f)[1](w)
    assert sum(map(np.vdot, slopes, w)) == pytest.approx(np.vdot(turn, back), rel=1e-12)
    for slope in ra.jvp(both, (np.eye(d),), (along,))[1]:  # the tip of the cone, a kink
        assert np.isfinite(slope).all() and abs(slope).max() < 100


# ------------------------------------------------------------------------------------- whole steps


def moved(
    grid: Grid,
    particles: Particles,
    mass: float,
    material: Any,
    gravity: Any,
    dt: float,
    steps: int,
) -> Particles:
    masses = np.full(len(particles.position), mass)

    def once(_: Any, s: Any) -> Any:
        return step(grid, s, masses, material, gravity, dt)

    found: Particles = ra.fn(lambda *s: ra.fori_loop(0, steps, once, Particles(*s)))(
        particles.position, particles.velocity, particles.affine, particles.deformation
    )
    return found


@pytest.mark.parametrize("d", [2, 3])
def test_free_sand_keeps_its_momenta(d: int) -> None:
    draw = np.random.default_rng(8)
    n, mass, grid = 60, 1e6, Grid(16)
    start = Particles(
        draw.uniform(0.4, 0.6, (n, d)),
        0.3 * draw.standard_normal((n, d)),
        draw.standard_normal((n, d, d)),
        0.95 * np.eye(d) + 0.05 * draw.standard_normal((n, d, d)),
    )

    def grains(p: Any, f: Any) -> tuple[Any, Any]:
        kept, stress = sand(f, 3e4, 5e4, CONES[d])
        return kept, stress

    end = moved(grid, start, mass, grains, np.zeros(d), 1e-3, 100)

    def turning(s: Particles) -> Array:
        about = np.einsum("ni,nj->ij", s.position, s.velocity)
        about += grid.spacing**2 / 4 * s.affine.sum(0).T
        return np.asarray(about - about.T)

    assert abs(end.deformation - start.deformation).max() > 0.05
    np.testing.assert_allclose(end.velocity.sum(0), start.velocity.sum(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(turning(end), turning(start), rtol=1e-11, atol=1e-12)


def test_sand_without_friction_is_a_liquid() -> None:
    x = np.moveaxis(np.mgrid[:16, :24], 0, -1).reshape(-1, 2) / 64 + (0.35, 0.1)
    volume, bulk = 1 / 64**2, LAM + MU

    def grains(p: Any, f: Any) -> tuple[Any, Any]:
        kept, stress = sand(f, MU, LAM, 0.0)
        return kept, volume * stress

    def water(p: Any, f: Any) -> tuple[Any, Any]:
        kept = isotropic(f)
        return kept, volume * bulk * ra.minimum(2 * ra.log(kept[0, 0]), 0.0) * np.eye(2)

    grid, gravity = Grid(32, "slip"), np.array([0.0, -1.0])
    ends = [moved(grid, at_rest(x), volume, kind, gravity, 2e-3, 300) for kind in (grains, water)]
    np.testing.assert_allclose(ends[0].position, ends[1].position, rtol=1e-8)
    assert np.ptp(ends[0].position[:, 0]) > 0.4, "it has run out"


def collapsed(aspect: float, angle: float, cells: int = 16) -> tuple[float, float, float]:
    """How far a column of this height / half width runs out, in half widths; the height of the heap, in the
    column's; and the slope of its sides, in degrees."""
    width, high = cells / 128, aspect * cells / 256
    i, j = np.mgrid[: 2 * cells, : int(aspect * cells)].reshape(2, -1)
    x = np.stack([i - cells + 0.5, j + 0.5], -1) / 256 + (0.5, 2.5 / 128)
    modulus, volume = 30 * high, 1 / 256**2  # unit density and gravity
    mu, lam = modulus / 2.6, 0.3 * modulus / (1.3 * 0.4)
    dt = 0.35 / 128 / np.sqrt(lam + 2 * mu)
    cone = float(friction_cone(angle, 2))

    def grains(p: Any, f: Any) -> tuple[Any, Any]:
        kept, stress = sand(f, mu, lam, cone)
        return kept, volume * stress

    steps = int(6 * np.sqrt(high) / dt)
    end = moved(Grid(128), at_rest(x), volume, grains, np.array([0.0, -1.0]), dt, steps)
    assert abs(end.velocity).max() < 0.02 * np.sqrt(high), "it has come to rest"
    out, up = abs(end.position[:, 0] - 0.5), end.position[:, 1] - 2.5 / 128
    edges = np.linspace(0.3, 0.7, 9) * out.max()
    tops = [up[(out > a) & (out < b)].max() for a, b in pairwise(edges)]
    slope = -np.polyfit(0.5 * (edges[:-1] + edges[1:]), tops, 1)[0]
    return 2 * out.max() / width - 1, up.max() / high, float(np.degrees(np.arctan(slope)))


def test_columns_collapse_as_in_experiments() -> None:
    """The run-out of columns in a channel is 1.2 a half widths (Lube et al., Phys. Rev. E 72, 2005, a < 1.8),
    of simulated grains 2.5 a (Staron, Hinch, J. Fluid Mech. 545, 2005, a < 2)."""
    runs = {angle: collapsed(1.0, angle) for angle in (20.0, 30.0, 40.0)}
    out, height, slope = (
        dict(zip(runs, each, strict=True)) for each in zip(*runs.values(), strict=True)
    )
    assert out[20.0] > 1.2 * out[30.0] and out[30.0] > 1.2 * out[40.0]
    assert height[20.0] < height[30.0] < height[40.0] < 1
    assert 0.5 * 20 < slope[20.0] < slope[30.0] < slope[40.0]
    assert all(slope[angle] < angle for angle in slope), (
        "no heap is steeper than the angle of friction"
    )
    assert 1.2 < out[30.0] < 2.5


def test_a_step_of_sand_and_its_transpose() -> None:
    d, grid, draw, n = 2, Grid(12), np.random.default_rng(5), 8
    scale = np.where(np.arange(n) % 2, 1.1, 0.9)[:, None, None]  # apart, or sliding

    def once(*leaves: Any) -> Any:
        def grains(p: Any, f: Any) -> tuple[Any, Any]:
            kept, stress = sand(f, MU, LAM, CONES[d])
            return kept, 1e-3 * stress

        s = step(grid, Particles(*leaves), np.ones(n), grains, np.zeros(d), 1e-3)
        return s.position, s.velocity, s.affine, s.deformation

    at = (
        draw.uniform(0.3, 0.7, (n, d)),
        draw.standard_normal((n, d)),
        draw.standard_normal((n, d, d)),
        scale * (np.eye(d) + 0.1 * draw.standard_normal((n, d, d))),
    )
    u, w = ([draw.standard_normal(a.shape) for a in at] for _ in range(2))
    pushed = ra.jvp(ra.fn(once), at, tuple(u))[1]
    pulled = ra.vjp(ra.fn(once), *at)[1](tuple(w))

    def product(a: Any, b: Any) -> float:
        return sum(float(np.vdot(x, y)) for x, y in zip(a, b, strict=True))

    assert product(pushed, w) == pytest.approx(product(u, pulled), rel=1e-11)
    h = 1e-6
    sides = [ra.fn(once)(*(a + s * h * b for a, b in zip(at, u, strict=True))) for s in (1, -1)]
    for p, ahead, behind in zip(pushed, *sides, strict=True):
        np.testing.assert_allclose((ahead - behind) / (2 * h), p, rtol=1e-6, atol=1e-6)
