"""Smoothed particles: the kernel, what pairs keep, water at rest, and a tank that is tilted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.fluids.sph import (
    Liquid,
    density_rate,
    kernel,
    kernel_slope,
    sph_acceleration,
)

DRAW = np.random.default_rng(6)


LIQUID = Liquid(mass=12.0, reach=0.15, rest=1000.0, sound=20.0, viscosity=0.5)


def test_the_kernel_sums_to_one_and_has_its_slope() -> None:
    h = 0.4
    of = ra.fn(lambda r: kernel(r / h, h))
    r = np.linspace(0, 2 * h, 1001)
    total = (r[1] - r[0]) * np.sum(2 * np.pi * r * [of(x) for x in r])  # nothing at both ends
    assert total == pytest.approx(1, abs=1e-5) and of(2 * h) == 0
    for x in (0.1, 0.35, 0.5, 0.75, 0.9):
        slope = ra.fn(lambda r: kernel_slope(r / h, h) * r)(x)
        assert ra.grad(of)(x) == pytest.approx(slope, rel=1e-12)


@ra.fn
def summed(x: Any, mass: float, reach: float) -> Any:
    """The densities that the points near by add up to."""
    density = ra.accum(len(x))
    for i in ra.range(len(x)):
        for j in ra.range(len(x)):
            density[i] += mass * kernel(ra.norm(x[i] - x[j]) / reach, reach)
    return density.freeze()


def test_a_lattice_has_the_density_of_water_inside() -> None:
    d = 0.1
    x = d * np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), axis=-1).reshape(-1, 2)
    density = summed(x, 1000 * d**2, 1.4 * d).reshape(9, 9)
    assert density[4, 4] == pytest.approx(1000, rel=0.01)
    assert density[0, 0] < 0.7 * density[4, 4]  # so a surface would be drawn together


def test_densities_change_as_the_sums_of_kernels_do() -> None:
    x, v = DRAW.random((40, 2)), DRAW.normal(size=(40, 2))
    even = np.full(40, 1000.0)
    rate = ra.fn(lambda x, v: density_rate(LIQUID, x, v, even, np.zeros(2)))(x, v)
    change = ra.jvp(lambda x: summed(x, LIQUID.mass, LIQUID.reach), (x,), (v,))[1]
    assert rate == pytest.approx(np.asarray(change), rel=1e-12, abs=1e-9)


def test_diffusion_keeps_the_sum_of_densities_and_the_gradient_of_water_at_rest() -> None:
    x, g = DRAW.random((40, 2)), np.array([1.0, -9.0])

    def rate(density: Any) -> Any:
        still = np.zeros((40, 2))
        return ra.fn(lambda d: density_rate(LIQUID, x, still, d, g))(density)

    at_rest = 1000.0 * (1 + x @ g / 20.0**2)
    noisy = at_rest + DRAW.normal(size=40)
    scale = np.abs(rate(noisy)).max()
    assert np.abs(rate(at_rest)).max() < 1e-9 * scale
    assert abs(rate(noisy).sum()) < 1e-12 * scale * 40
    assert rate(noisy) @ (noisy - at_rest) < 0


def test_pairs_keep_momentum_and_angular_momentum() -> None:
    x, v, density = DRAW.random((80, 2)), DRAW.normal(size=(80, 2)), 1000 + DRAW.normal(size=80)
    a = ra.fn(lambda x, v: sph_acceleration(LIQUID, x, v, density))(x, v)
    scale = np.abs(a).sum()
    assert np.abs(a.sum(axis=0)).max() < 1e-12 * scale
    assert abs(np.sum(x[:, 0] * a[:, 1] - x[:, 1] * a[:, 0])) < 1e-12 * scale


def test_viscosity_takes_energy() -> None:
    x, v, density = DRAW.random((80, 2)), DRAW.normal(size=(80, 2)), np.full(80, 1001.0)

    def power(viscosity: float) -> float:
        liquid = replace(LIQUID, viscosity=viscosity)
        f = ra.fn(lambda x, v: sph_acceleration(liquid, x, v, density))
        return float(np.sum(f(x, v) * v))

    assert power(0.5) < power(0.0)


def test_points_in_one_place_push_each_other_nowhere() -> None:
    x, v = np.array([[0.3, 0.2], [0.3, 0.2]]), np.array([[1.0, 0.0], [-1.0, 0.0]])
    push = ra.fn(lambda x: sph_acceleration(LIQUID, x, v, np.full(2, 1010.0)))
    assert np.array_equal(push(x), np.zeros((2, 2)))
    slopes = np.asarray(ra.jacrev(push)(x))
    assert np.isfinite(slopes).all()
    apart = np.array([[1e-6, 0.0], [-1e-6, 0.0]])
    still = ra.fn(lambda x: sph_acceleration(LIQUID, x, 0 * v, np.full(2, 1010.0)))
    found = np.tensordot(np.asarray(ra.jacrev(still)(x)), apart, 2)
    assert found == pytest.approx(still(x + apart), rel=1e-4)
    assert found[0, 0] > 0  # what is nearly in one place is pushed apart


def nearest(x: Any) -> float:
    """The distance of the two points that are nearest to each other."""
    off = np.linalg.norm(x[:, None] - x[None], axis=-1) + 1e9 * np.eye(len(x))
    return float(off.min())


def test_water_at_rest_stays_so_for_ten_seconds() -> None:
    scene = find_scene("slosh", {"columns": 14, "rows": 6, "steps": 10_000, "tilts": "0," * 6})
    states = Problem(scene).trajectory(scene.live)
    assert min(nearest(x) for x in states.position[::200]) > 0.7 * scene.spacing  # type: ignore[attr-defined]
    speed = np.linalg.norm(states.velocity, axis=-1)
    assert speed[5000:].max() < 0.05 and np.sqrt(np.mean(speed[5000:] ** 2)) < 0.01
    # it has neither spread nor sunk, and its pressure bears the weight above
    assert states.position[-1, :, 1].mean() == pytest.approx(scene.spacing * 3, rel=0.03)  # type: ignore[attr-defined]
    x, density = states.position[5000::500].reshape(-1, 2), states.density[5000::500].ravel()
    pressure, depth = 20.0**2 * (density - 1000.0), scene.spacing * 6 - x[:, 1]  # type: ignore[attr-defined]
    weight, _ = np.polyfit(depth, pressure, 1)
    assert weight == pytest.approx(1000 * 9.81, rel=0.1)


@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-0.35, 0.35), min_size=6, max_size=6),
    st.floats(0.2, 3.0),
    st.integers(1, 7),
)
def test_points_stay_apart_however_the_tank_is_tilted(
    tilts: list[float], viscosity: float, rows: int
) -> None:
    given = {"columns": 12, "rows": rows, "steps": 1500, "tilts": tilts, "viscosity": viscosity}
    scene = find_scene("slosh", given)
    states = Problem(scene).trajectory(scene.live)
    assert min(nearest(x) for x in states.position[::30]) > 0.5 * scene.spacing  # type: ignore[attr-defined]
    assert states.position.min() > -0.02


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
