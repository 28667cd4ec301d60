"""The lattice Boltzmann method against closed forms, Ghia's cavity, and a pillar that is hidden in a stream."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.fluids.lattice_boltzmann import (
    DIRECTIONS,
    OPPOSITE,
    WEIGHTS,
    flowing,
    lattice_boltzmann_step,
    moments,
    viscosity,
)

Array = np.ndarray[Any, Any]
DRAW = np.random.default_rng(4)
CAVITY = Path(__file__).parents[4] / "docs" / "examples" / "cavity.py"


def stepped(
    f: Any, relaxation: float, force: tuple[Array, Array], solid: Array, steps: int, **how: Any
) -> Array:
    """The densities after some steps."""

    @ra.fn
    def step(f: Any, relaxation: Any, force: Any) -> Any:
        return ra.fori_loop(
            0, steps, lambda _, f: lattice_boltzmann_step(f, relaxation, force, solid, **how), f
        )

    found: Array = step(f, relaxation, force)
    return found


def fluid(density: Array, u: Array, v: Array) -> Array:
    found: Array = ra.fn(flowing)(density, u, v)
    return found


# ------------------------------------------------------------------------------------ the lattice


def test_the_lattice_is_isotropic_to_fourth_order() -> None:
    c, w = np.array(DIRECTIONS, float), np.array(WEIGHTS)
    eye = np.eye(2)
    np.testing.assert_allclose(w.sum(), 1)
    np.testing.assert_allclose(np.einsum("k,ka,kb->ab", w, c, c), eye / 3)
    fourth = np.einsum("k,ka,kb,kc,kd->abcd", w, c, c, c, c)
    pairs = sum(np.einsum(f"{p}->abcd", eye, eye) for p in ("ab,cd", "ac,bd", "ad,bc"))
    np.testing.assert_allclose(fourth, pairs / 9, atol=1e-15)
    np.testing.assert_array_equal(c[list(OPPOSITE)], -c)


def test_a_second_program_agrees() -> None:
    """By rolling whole arrays."""
    n, m, relaxation = 7, 9, 0.7
    f = np.array(WEIGHTS)[:, None, None] * (1 + 0.1 * DRAW.random((9, n, m)))
    force = 1e-3 * DRAW.normal(size=(2, n, m))
    solid = DRAW.random((n, m)) < 0.2
    wall = 0.05 * DRAW.normal(size=(2, n, m))
    end = stepped(f, relaxation, (force[0], force[1]), solid, 5, moving=(wall[0], wall[1]))
    c, w = np.array(DIRECTIONS), np.array(WEIGHTS)
    for _ in range(5):
        density = f.sum(axis=0)
        u = (np.einsum("ka,kij->aij", c, f) + force / 2) / density
        cu = np.einsum("ka,aij->kij", c, u)
        rest = w[:, None, None] * density * (1 + 3 * cu + 4.5 * cu**2 - 1.5 * (u**2).sum(axis=0))
        lean = 3 * (c[:, :, None, None] - u) + 9 * cu[:, None] * c[:, :, None, None]
        push = (1 - 0.5 / relaxation) * w[:, None, None] * (lean * force).sum(axis=1)
        met = f - (f - rest) / relaxation + push
        for k, (a, b) in enumerate(c):
            comes = np.roll(met[k], (a, b), (0, 1))
            lid = (
                6
                * w[k]
                * (a * np.roll(wall[0], (a, b), (0, 1)) + b * np.roll(wall[1], (a, b), (0, 1)))
            )
            f[k] = np.where(np.roll(solid, (a, b), (0, 1)), met[OPPOSITE[k]] + lid, comes)
    np.testing.assert_allclose(end, f, rtol=1e-12)


def test_mass_and_momentum_are_kept() -> None:
    f = np.array(WEIGHTS)[:, None, None] * (1 + 0.2 * DRAW.random((9, 8, 11)))
    still = np.zeros((8, 11))
    end = stepped(f, 0.6, (still, still), still > 0, 200)
    for direction in (np.ones(9), *np.array(DIRECTIONS).T):
        before, after = (np.einsum("k,kij->", direction, g) for g in (f, end))
        assert after == pytest.approx(before, abs=1e-12 * f.sum())


def test_a_force_gives_its_momentum() -> None:
    force = 1e-4 * DRAW.normal(size=(2, 6, 5))
    still = np.zeros((6, 5))
    f = stepped(fluid(1 + still, still, still), 0.8, (force[0], force[1]), still > 0, 50)
    given = np.einsum("ka,kij->a", np.array(DIRECTIONS), f)
    np.testing.assert_allclose(given, 50 * force.sum(axis=(1, 2)), atol=1e-14)


# ----------------------------------------------------------------------------------- closed forms


def poiseuille(cells: int, relaxation: float) -> float:
    """The largest error of the settled speed between two walls, as a share of that in the middle."""
    solid = np.zeros((1, cells + 2), bool)
    solid[0, [0, -1]] = True
    still = np.zeros(solid.shape)
    y = np.arange(cells) + 0.5
    profile = 4 * y * (cells - y) / cells**2
    peak, nu = 0.02, viscosity(relaxation)
    force = still + 8 * nu * peak / cells**2
    start = np.pad(peak * profile, 1)[None, :]  # where it is to stay, but for the scheme's error
    steps = int(3 * cells**2 / nu)
    f = stepped(fluid(1 + still, start, still), relaxation, (force, still), solid, steps)
    _, u, _ = moments(f, (force, still))
    return float(np.abs(u[0, 1:-1] / peak - profile).max())


def test_the_parabola_of_poiseuille_is_met_at_second_order() -> None:
    errors = [poiseuille(cells, 1.5) for cells in (6, 12, 24)]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.02)


def test_at_one_relaxation_time_the_parabola_is_exact() -> None:
    """Where (τ - 1/2)² is 3/16 the wall lies half-way exactly (He, Zou, Luo, Dembo 1997)."""
    assert poiseuille(8, 0.5 + np.sqrt(3) / 4) < 1e-10


def taylor_green(n: int, relaxation: float, speed: float, steps: int) -> float:
    """The viscosity that whirls lose their speed by, as a share of the one that was meant, less 1."""
    k = 2 * np.pi / n
    x, y = k * np.arange(n)[:, None], k * np.arange(n)[None, :]
    u, v = -speed * np.cos(x) * np.sin(y), speed * np.sin(x) * np.cos(y)
    density = 1 - 0.75 * speed**2 * (np.cos(2 * x) + np.cos(2 * y))
    still = np.zeros((n, n))
    f = fluid(density, u, v)
    kept = []
    for _ in range(2):
        f = stepped(f, relaxation, (still, still), still > 0, steps)
        _, a, b = moments(f)
        kept.append(float(np.sum(a * u + b * v)))  # what is left of the mode
    return float(np.log(kept[0] / kept[1]) / (2 * k**2 * steps)) / viscosity(relaxation) - 1


def test_the_measured_viscosity_converges_at_second_order() -> None:
    errors = [taylor_green(n, 0.8, 0.32 / n, n * n // 4) for n in (16, 32, 64)]
    assert abs(errors[-1]) < 1e-3
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.1)


def test_the_cavity_is_that_of_ghia() -> None:
    spec = importlib.util.spec_from_file_location("cavity", CAVITY)
    assert spec is not None and spec.loader is not None
    cavity = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cavity)
    worst = [
        np.abs(cavity.middle_line(cavity.settled(n)[0]) - cavity.GHIA[:, 1]).max() for n in (24, 48)
    ]
    assert worst[1] < 0.01 and worst[1] < 0.7 * worst[0]


# ------------------------------------------------------------------------------------ derivatives


def test_sensitivity_of_a_decay() -> None:
    """Of exp(-ν k² T) for a shear wave: its derivative by the relaxation time is -k² T/3 of it."""
    n, steps = 96, 800
    k = 2 * np.pi / n
    wave = np.sin(k * np.arange(n))[None, :]
    still = np.zeros((1, n))
    f = fluid(1 + still, 0.01 * wave, still)

    @ra.fn
    def left(relaxation: Any) -> Any:
        end = ra.fori_loop(
            0,
            steps,
            lambda _, f: lattice_boltzmann_step(f, relaxation, (still, still), still > 0),
            f,
        )
        return ra.sum(moments(end)[1] * wave) / (0.005 * n)

    expected = np.exp(-viscosity(0.9) * k**2 * steps)
    assert left(0.9) == pytest.approx(expected, rel=1e-3)
    assert ra.grad(left)(0.9) == pytest.approx(-(k**2) * steps / 3 * expected, rel=3e-3)


def test_gradient_agrees_with_differences() -> None:
    problem = Problem(find_scene("channel", {"cells": 12, "steps": 120, "relaxation": 0.56}))
    values = {**problem.values, "fans": 5e-4 * DRAW.normal(size=problem.values["fans"].shape)}
    _, gradient = problem.value_and_gradient(values)
    for _ in range(3):
        along = DRAW.normal(size=values["fans"].shape)
        sides = [
            problem.loss({**values, "fans": values["fans"] + s * 1e-7 * along}) for s in (1, -1)
        ]
        slope = float(np.vdot(gradient["fans"], along))
        assert (sides[0] - sides[1]) / 2e-7 == pytest.approx(slope, rel=1e-6)


def test_fans_take_the_wake_away() -> None:
    problem = Problem(find_scene("channel", {"cells": 16, "steps": 300}))
    losses = [i.loss for i in descend(problem, iterations=25, rate=2e-4, optimizer="adam")]
    assert min(losses) < 0.7 * losses[0]


def test_the_channel_keeps_its_fluid() -> None:
    problem = Problem(find_scene("channel", {"cells": 12, "steps": 150}))
    scene: Any = problem.scene
    f = problem.trajectory(problem.values).f
    mass = f.sum(axis=1)[:, ~scene.solid].sum(axis=1)
    np.testing.assert_allclose(mass, mass[0], rtol=1e-12)
