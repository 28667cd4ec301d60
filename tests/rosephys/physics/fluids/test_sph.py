"""Smoothed particles: the kernel, what pairs keep, and a tank that is tilted."""

from __future__ import annotations

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.fluids.sph import densities, kernel, kernel_slope, sph_acceleration

DRAW = np.random.default_rng(6)


def test_the_kernel_sums_to_one_and_has_its_slope() -> None:
    h = 0.4
    of = ra.fn(lambda r: kernel(r / h, h))
    r = np.linspace(0, 2 * h, 1001)
    total = (r[1] - r[0]) * np.sum(2 * np.pi * r * [of(x) for x in r])  # nothing at both ends
    assert total == pytest.approx(1, abs=1e-5) and of(2 * h) == 0
    for x in (0.1, 0.35, 0.5, 0.75, 0.9):
        assert ra.grad(of)(x) == pytest.approx(
            ra.fn(lambda r: kernel_slope(r / h, h))(x), rel=1e-12
        )


def test_a_lattice_has_the_density_of_water_inside() -> None:
    d = 0.1
    x = d * np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), axis=-1).reshape(-1, 2)
    density = ra.fn(lambda x: densities(x, 1000 * d**2, 1.3 * d))(x).reshape(9, 9)
    assert density[4, 4] == pytest.approx(1000, rel=0.01)
    assert density[0, 0] < 0.7 * density[4, 4]


def test_pairs_keep_momentum_and_angular_momentum() -> None:
    x, v = DRAW.random((80, 2)), DRAW.normal(size=(80, 2))
    a = ra.fn(lambda x, v: sph_acceleration(x, v, 12.0, 0.15, 1000.0, 20.0, 0.5))(x, v)
    scale = np.abs(a).sum()
    assert np.abs(a.sum(axis=0)).max() < 1e-12 * scale
    assert abs(np.sum(x[:, 0] * a[:, 1] - x[:, 1] * a[:, 0])) < 1e-12 * scale


def test_viscosity_takes_energy() -> None:
    x, v = DRAW.random((80, 2)), DRAW.normal(size=(80, 2))

    def power(viscosity: float) -> float:
        f = ra.fn(lambda x, v: sph_acceleration(x, v, 12.0, 0.15, 1000.0, 20.0, viscosity))
        return float(np.sum(f(x, v) * v))

    assert power(0.5) < power(0.0)


def test_gradient_agrees_with_differences() -> None:
    problem = Problem(find_scene("slosh", {"columns": 10, "rows": 4, "steps": 200}))
    values = {**problem.values, "tilts": 0.05 + 0.05 * DRAW.random(6)}
    _, gradient = problem.value_and_gradient(values)
    for _ in range(3):
        along = DRAW.normal(size=6)
        sides = [
            problem.loss({**values, "tilts": values["tilts"] + s * 1e-6 * along}) for s in (1, -1)
        ]
        slope = float(np.vdot(gradient["tilts"], along))
        assert (sides[0] - sides[1]) / 2e-6 == pytest.approx(slope, rel=1e-6, abs=1e-10)


def test_water_stays_in_the_tank_and_heaps_up_when_it_is_tilted() -> None:
    problem = Problem(find_scene("slosh", {"columns": 14, "rows": 5}))
    found = list(descend(problem, iterations=12, rate=0.05, optimizer="adam"))
    losses = [i.loss for i in found]
    assert min(losses) < 0.9 * losses[0]
    x = problem.trajectory(problem.values).position
    assert x.min() > -0.02 and x[..., 0].max() < 1.02
