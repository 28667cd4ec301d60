"""MLS-MPM in space against a plain program; the scene of a thrown cube."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, find_scene
from rosephys.physics.particles.mpm import (
    Grid,
    Particles,
    corotated,
    corotated_energy,
    isotropic,
    liquid,
    neo_hookean,
    rotation,
    step,
)
from rosephys.physics.particles.sand import friction_cone, sand

Array = np.ndarray[Any, Any]

MU, LAM, BULK = 3.0, 5.0, 40.0
CONE = float(friction_cone(30.0, 3))
NODES, DT, GRAVITY = 12, 1e-3, np.array([0.5, 0.0, -9.8])
ONE = np.eye(3)


def plain_sand(f: Array) -> tuple[Array, Array]:
    u, stretch, w = np.linalg.svd(f)
    strain = np.log(stretch)
    theta, shear = strain.sum(), strain - strain.mean()
    pressed = (LAM + 2 * MU / 3) * min(theta, 0.0)
    size = np.linalg.norm(shear)
    shear *= min(size, -3 * CONE * pressed / (2 * MU)) / size if size else 0.0
    kept = u @ np.diag(np.exp(shear + theta / 3)) @ w
    return kept, u @ np.diag(2 * MU * shear + pressed) @ u.T


def plain_corotated(f: Array) -> tuple[Array, Array]:
    u, stretch, _ = np.linalg.svd(f)
    j = np.prod(stretch)
    return f, u @ np.diag(2 * MU * (stretch - 1) * stretch + LAM * (j - 1) * j) @ u.T


def plain_neo_hookean(f: Array) -> tuple[Array, Array]:
    return f, MU * (f @ f.T - ONE) + LAM * np.linalg.slogdet(f)[1] * ONE


def plain_liquid(f: Array) -> tuple[Array, Array]:
    j = np.linalg.det(f)
    return np.cbrt(j) * ONE, BULK * (j - 1) * ONE


def plain_step(s: dict[str, Array], mass: Array, volume: float, material: Any) -> dict[str, Array]:
    """One step, particle by particle, every node's weight from its distance."""
    momenta, masses = np.zeros((NODES,) * 3 + (3,)), np.zeros((NODES,) * 3)
    near, kept = [], []
    for p, x in enumerate(s["x"]):
        nodes = np.rint(x * NODES).astype(int) + np.array(list(np.ndindex(3, 3, 3))) - 1
        u = abs(x * NODES - nodes)
        weights = np.prod(np.where(u < 0.5, 0.75 - u**2, 0.5 * (1.5 - u) ** 2), axis=1)
        f, stress = material((ONE + DT * s["c"][p]) @ s["f"][p])
        # momentum of the affine velocity, and the forces of the stress on the nodes
        apart = nodes / NODES - x
        pushes = -DT * volume * 4 * NODES**2 * apart @ stress
        for node, w, push, r in zip(nodes, weights, pushes, apart, strict=True):
            momenta[tuple(node)] += w * (mass[p] * (s["v"][p] + s["c"][p] @ r) + push)
            masses[tuple(node)] += w * mass[p]
        near.append((tuple(nodes.T), weights, apart))
        kept.append(f)
    full = masses > 0
    velocity = momenta / np.where(full, masses, 1.0)[..., None] + DT * GRAVITY
    places = np.stack(np.meshgrid(*3 * [np.arange(NODES)], indexing="ij"), -1)
    out = ((places < 3) & (velocity < 0)) | ((places > NODES - 3) & (velocity > 0))
    velocity[out.any(-1)] = 0
    v = np.array([w @ velocity[at] for at, w, _ in near])
    c = np.array([4 * NODES**2 * (velocity[at].T * w) @ r for at, w, r in near])
    return {"x": s["x"] + DT * v, "v": v, "c": c, "f": np.array(kept)}


@pytest.mark.parametrize(
    ("material", "plain"),
    [
        (lambda f: (f, neo_hookean(f, MU, LAM)), plain_neo_hookean),
        (lambda f: (f, corotated(f, MU, LAM)), plain_corotated),
        (lambda f: (isotropic(f), liquid(f, BULK)), plain_liquid),
        (lambda f: sand(f, MU, LAM, CONE), plain_sand),
    ],
    ids=["neo-Hookean", "corotated", "liquid", "sand"],
)
def test_steps_in_space_agree_with_a_plain_program(
    material: Callable[[Any], Any], plain: Callable[[Array], tuple[Array, Array]]
) -> None:
    draw, n, volume = np.random.default_rng(3), 40, 0.3
    s = {
        "x": draw.uniform((0.3, 0.3, 0.22), (0.5, 0.5, 0.4), (n, 3)),  # down to the floor
        "v": draw.standard_normal((n, 3)) - (0, 0, 1),
        "c": draw.standard_normal((n, 3, 3)),
        "f": 0.95 * ONE + 0.1 * draw.standard_normal((n, 3, 3)),
    }
    mass = draw.uniform(0.5, 2.0, n)

    def once(_: Any, s: Any) -> Any:
        def one(p: Any, f: Any) -> tuple[Any, Any]:
            kept, stress = material(f)
            return kept, volume * stress

        return step(Grid(NODES), s, mass, one, GRAVITY, DT)

    found = ra.fn(lambda *s: ra.fori_loop(0, 25, once, Particles(*s)))(*s.values())
    for _ in range(25):
        s = plain_step(s, mass, volume, plain)
    np.testing.assert_allclose(found.position, s["x"], rtol=1e-10)
    np.testing.assert_allclose(found.velocity, s["v"], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(found.affine, s["c"], rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.deformation, s["f"], rtol=1e-8, atol=1e-9)


def test_rotation_and_corotated_stress_in_space() -> None:
    f = ONE + 0.3 * np.random.default_rng(3).standard_normal((3, 3))
    u, _, w = np.linalg.svd(f)
    assert np.linalg.det(f) > 0
    np.testing.assert_allclose(ra.fn(rotation)(f), u @ w, rtol=1e-12, atol=1e-13)
    slope = ra.grad(ra.fn(lambda f: corotated_energy(f, MU, LAM)))
    stress = ra.fn(lambda f: corotated(f, MU, LAM))
    np.testing.assert_allclose(stress(f), slope(f) @ f.T, rtol=1e-11, atol=1e-12)
    f = 1.1 * u @ w  # where stretches are equal
    np.testing.assert_allclose(stress(f), slope(f) @ f.T, rtol=1e-11, atol=1e-12)


def test_the_cube_is_thrown_and_lands() -> None:
    problem = Problem(find_scene("blob", {"edge": 6, "steps": 300}))
    path = problem.trajectory(problem.values)
    middle = path.position.mean(1)
    # until it touches the floor it flies as a stone does
    v, t = problem.values["velocity"], problem.dt * np.arange(100)[:, None]
    g = np.array([0.0, 0.0, -9.81])
    flown = middle[0] + v * t + 0.5 * g * t * (t + problem.dt)
    np.testing.assert_allclose(middle[:100], flown, atol=1e-6)
    assert middle[:, 2].min() < 0.25 and path.position[..., 2].min() > 2 / 32, "it lands"
    assert np.linalg.det(path.deformation).min() < 0.9, "and is squashed"
