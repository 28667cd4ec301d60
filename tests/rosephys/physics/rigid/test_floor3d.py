"""A body over a floor in space: impacts in closed form, their derivative, and the scenes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.rigid.body3d import (
    BOX_CORNERS,
    angular_momentum,
    box_moments,
    rotation_matrix,
    rotational_energy,
)
from rosephys.physics.rigid.floor3d import Motion, RigidBody, advance_over_floor

HALF = np.array([0.15, 0.1, 0.06])


BODY = RigidBody(2.0, ra.fn(lambda: box_moments(2.0, HALF))(), BOX_CORNERS * HALF)


LEVEL = np.array([1.0, 0.0, 0.0, 0.0])


ZERO = np.zeros(3)


def fallen(
    start: Motion, time: float, steps: int, e: float, mu: float, gravity: float = 0.0
) -> Any:
    """The motion after a time."""
    push = np.array([0.0, 0.0, -gravity]) * time / steps

    @ra.fn
    def run(start: Motion) -> Any:
        def step(_: Any, now: Motion) -> Motion:
            now = Motion(now.position, now.velocity + push, now.orientation, now.momentum)
            return advance_over_floor(BODY, now, e, mu, time / steps)

        return ra.fori_loop(0, steps, step, start)

    return run(start)


def test_moments_of_a_box_are_those_of_its_points() -> None:
    axes = [h * (2 * (np.arange(60) + 0.5) / 60 - 1) for h in HALF]
    points = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 3)
    inertia = 2.0 * np.mean((points**2).sum(1)) * np.eye(3) - 2.0 * points.T @ points / len(points)
    np.testing.assert_allclose(np.diag(inertia), BODY.moments, rtol=1e-3)


def test_a_flat_drop_bounces_to_the_height_of_theory() -> None:
    start = Motion(np.array([0.0, 0.0, 0.5]), np.array([0.4, 0.1, -1.0]), LEVEL, ZERO)
    end = fallen(start, 0.7, 203, 0.6, 0.0)
    fall = 0.5 - 0.06
    np.testing.assert_allclose(end.position, (0.28, 0.07, 0.06 + 0.6 * (0.7 - fall)), atol=1e-5)
    np.testing.assert_allclose(end.velocity, (0.4, 0.1, 0.6), atol=1e-5)
    np.testing.assert_allclose(end.momentum, 0.0, atol=1e-5)


def test_a_sliding_box_stops_where_friction_says() -> None:
    start = Motion(np.array([0.0, 0.0, 0.06]), np.array([0.8, 0.6, 0.0]), LEVEL, ZERO)
    end = fallen(start, 1.0, 2000, 0.0, 0.3, 9.81)
    way = 1.0 / (2 * 0.3 * 9.81)
    np.testing.assert_allclose(end.position[:2], (0.8 * way, 0.6 * way), rtol=5e-3)
    np.testing.assert_allclose(end.velocity, 0.0, atol=6e-3)
    assert end.position[2] == pytest.approx(0.06, abs=1e-4)


@ra.fn
def impact(height: ra.Real, spin: ra.Real, dt: ra.Real) -> Any:
    """Energy and place after one frictionless elastic impact on a corner, without gravity."""
    q = ra.array([0.9, 0.2, 0.3, -0.1]) / ra.norm(np.array([0.9, 0.2, 0.3, -0.1]))
    momentum = angular_momentum(q, spin * np.array([1.0, -0.5, 0.3]), BODY.moments)
    place, velocity = ra.array([0.0, 0.0, height]), np.array([0.5, 0.0, -2.0])
    start = Motion(place, velocity, q, momentum)
    steps = ra.to_int(0.25 / dt + 0.5)

    def step(now: Motion) -> Motion:
        return advance_over_floor(BODY, now, 1.0, 0.0, dt)

    counted = ra.while_loop(
        lambda s: s[0] < steps, lambda s: (s[0] + 1, step(s[1])), (0, start), max_steps=2000
    )
    end = counted[1]
    moving = 0.5 * 2.0 * ra.dot(end.velocity, end.velocity)
    return moving + rotational_energy(end.orientation, end.momentum, BODY.moments), end.position


def test_an_elastic_impact_keeps_the_energy() -> None:
    before, after = impact(10.0, 2.0, 0.001)[0], impact(0.35, 2.0, 0.001)[0]
    assert impact(0.35, 2.0, 0.001)[1][2] > 0.3  # it has bounced
    assert after == pytest.approx(before, rel=1e-10)


def tossed(seed: int, dt: float, e: float, mu: float, seconds: float = 10.0) -> Any:
    """The energies of a box of any form that is thrown with any spin, before and after each step."""
    rng = np.random.default_rng(seed)
    half = rng.uniform(0.05, 0.3, 3)
    body = RigidBody(1.0, ra.fn(lambda: box_moments(1.0, half))(), BOX_CORNERS * half)
    q = rng.normal(size=4)

    @ra.fn
    def run(v: Any, spin: Any) -> Any:
        turned = q / np.linalg.norm(q)
        place = np.array([0.0, 0.0, 0.7])
        start = Motion(place, v, turned, angular_momentum(turned, spin, body.moments))

        def energy(s: Motion) -> Any:
            moving = 0.5 * ra.dot(s.velocity, s.velocity) + 9.81 * s.position[2]
            return moving + rotational_energy(s.orientation, s.momentum, body.moments)

        def once(s: Motion, _: Any) -> Any:
            s = advance_over_floor(body, s, e, mu, dt, 9.81)
            return s, (energy(s), s.position[2])

        return energy(start), ra.scan(once, start, length=round(seconds / dt))[1]

    first, (energies, height) = run(rng.normal(0, 2, 3), rng.normal(0, 8, 3))
    return np.concatenate([[first], energies]), height


@pytest.mark.parametrize("dt", [0.002, 0.01, 0.03])
@pytest.mark.parametrize("seed", range(4))
def test_an_elastic_box_keeps_its_energy_at_any_step(seed: int, dt: float) -> None:
    energy, height = tossed(seed, dt, 1.0, 0.0)
    assert np.abs(energy / energy[0] - 1).max() < 1e-9
    assert height.min() > 0.0


@pytest.mark.parametrize("e", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_energy_never_grows_over_a_smooth_floor(seed: int, e: float) -> None:
    energy, _ = tossed(seed, 0.01, e, 0.0, 5.0)
    assert np.diff(energy).max() < 1e-10 * energy[0]
    assert energy[-1] < 0.99 * energy[0]


def test_the_derivative_of_an_impact_is_that_of_the_motion() -> None:
    # the slope over many steps' worth of heights, not only between two that end in the same step
    height, spin = 0.35, 2.0
    heights = height + np.linspace(-0.004, 0.004, 9)  # 4 steps' fall
    slopes = [ra.jvp(lambda h: impact(h, spin, 1e-3)[1], (h,), (1.0,))[1] for h in heights]
    wide = [impact(h, spin, 2.5e-4)[1] for h in (heights[0], heights[-1])]
    np.testing.assert_allclose(np.mean(slopes, 0), (wide[1] - wide[0]) / 0.008, atol=1e-3)
    # dropped from higher up, it is lower on its way back, and turned more
    np.testing.assert_allclose(np.diff(slopes, axis=0)[:, 2], -0.015, atol=1e-3)


def test_gradient_of_the_box_against_differences() -> None:
    problem = Problem(find_scene("box3d"))
    low = problem.trajectory(problem.values).position[:, 2].min()
    assert low < 0.15  # it has met the floor
    _, gradient = problem.value_and_gradient(problem.values)
    for name, slope in problem.central_differences(problem.values, 1e-7).items():
        np.testing.assert_allclose(gradient[name], slope, rtol=1e-5, atol=1e-6)


def test_a_handle_turns_over_and_keeps_its_invariants() -> None:
    problem = Problem(find_scene("tumble"))
    states = problem.trajectory(problem.values)
    along = ra.fn(lambda q: ra.vmap(lambda q: rotation_matrix(q)[0, 0])(q))(states.orientation)
    assert along[0] == 1 and along.min() < -0.99 and along[-1] > -0.6  # over, and on its way back
    kept = ra.fn(problem.scene.invariants)  # type: ignore[attr-defined]
    first, last = (kept(ra.map_leaves(lambda leaf, k=k: leaf[k], states)) for k in (0, 1500))
    assert last == pytest.approx(first, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "reached"), [("gyroscope", 1e-12), ("tumble", 1e-12), ("box3d", 1e-3)]
)
def test_scenes_are_solved(name: str, reached: float) -> None:
    problem = Problem(find_scene(name))
    scene = problem.scene
    how: Any = {"iterations": scene.iterations, "rate": scene.rate, "optimizer": scene.optimizer}
    assert min(iterate.loss for iterate in descend(problem, **how)) < reached
    trajectory = problem.trajectory(problem.values)
    assert problem.picture(trajectory, 3, problem.values).shapes
    state = problem.initial(problem.values)
    assert all(np.isfinite(v) for v in ra.fn(scene.invariants)(state).values())  # type: ignore[attr-defined]
