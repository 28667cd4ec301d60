"""Rigid bodies in space against conservation laws, steady precession, and impacts in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.mechanics.top import steady_precession, top_axis, top_energy, top_step
from rosephys.physics.rigid.body3d import (
    BOX_CORNERS,
    BOX_FACES,
    angular_momentum,
    angular_velocity,
    box_moments,
    product,
    rotated,
    rotation_matrix,
    rotational_energy,
    turn,
)
from rosephys.physics.rigid.floor3d import Motion, RigidBody, advance_over_floor

MOMENTS = np.array([1.0, 2.0, 3.5])
START = np.array([0.5, 0.1, -0.7, 0.5]) / np.linalg.norm([0.5, 0.1, -0.7, 0.5])


def turned(velocity: Any, time: float, steps: int) -> Any:
    """Orientation, energy and |q|² of a free body at each step, and its angular momentum."""

    @ra.fn
    def run(velocity: Any) -> Any:
        momentum = angular_momentum(START, velocity, MOMENTS)

        def step(q: Any, _: Any) -> Any:
            q = turn(q, momentum, MOMENTS, time / steps)
            return q, (q, rotational_energy(q, momentum, MOMENTS), ra.dot(q, q))

        return ra.scan(step, START, None, steps)[1], momentum

    return run(velocity)


# ------------------------------------------------------------------------------- quaternions


def test_quaternions_rotate() -> None:
    q = np.array([np.cos(0.3), 0.0, np.sin(0.3), 0.0])
    turn_y = [[np.cos(0.6), 0, np.sin(0.6)], [0, 1, 0], [-np.sin(0.6), 0, np.cos(0.6)]]
    np.testing.assert_allclose(ra.fn(rotation_matrix)(q), turn_y, atol=1e-15)
    both = ra.fn(lambda p, q: (rotation_matrix(product(p, q)), rotation_matrix(p)))(START, q)
    np.testing.assert_allclose(both[0], both[1] @ turn_y, atol=1e-15)
    np.testing.assert_allclose(both[1] @ both[1].T, np.eye(3), atol=1e-15)


def test_angular_velocity_is_the_rate_of_turning() -> None:
    @ra.fn
    def after(dt: ra.Real) -> Any:
        momentum = angular_momentum(START, np.array([0.4, -1.0, 2.0]), MOMENTS)
        point = np.array([1.0, 2.0, 3.0])
        spin = angular_velocity(START, momentum, MOMENTS)
        return rotated(turn(START, momentum, MOMENTS, dt), point), ra.cross(
            spin, rotated(START, point)
        )

    (_, velocity), (moving, _) = ra.jvp(after, (0.0,), (1.0,))
    np.testing.assert_allclose(moving, velocity, rtol=1e-12)


def test_faces_of_a_box_look_outwards() -> None:
    for face in BOX_CORNERS[BOX_FACES]:
        normal = np.cross(face[1] - face[0], face[2] - face[1])
        np.testing.assert_allclose(normal / 4, face.mean(axis=0), atol=1e-15)


# -------------------------------------------------------------------------------- free bodies


def test_energy_and_length_are_kept_by_long_steps() -> None:
    (_, energy, square), _ = turned(np.array([0.4, 2.0, -0.3]), 400.0, 4000)  # 0.2 rad a step
    np.testing.assert_allclose(energy, energy[0], rtol=1e-11)
    np.testing.assert_allclose(square, 1.0, atol=1e-12)


def test_order_of_a_turn() -> None:
    velocity = np.array([0.4, 2.0, -0.3])
    exact = turned(velocity, 3.0, 20_000)[0][0][-1]
    errors = [
        np.linalg.norm(turned(velocity, 3.0, n)[0][0][-1] - exact) for n in (100, 200, 400, 800)
    ]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.1)


def test_a_symmetric_body_precesses_at_its_rate() -> None:
    # free precession of the spin axis about L at |L| / A, in closed form
    moments, tilt = np.array([2.0, 2.0, 3.0]), 0.3

    @ra.fn
    def run() -> Any:
        momentum = 2.0 * ra.array([np.sin(tilt), 0.0, np.cos(tilt)])
        q = np.array([1.0, 0.0, 0.0, 0.0])
        q = ra.fori_loop(0, 8000, lambda _, q: turn(q, momentum, moments, 1.5 / 8000), q)
        return rotated(q, np.array([0.0, 0.0, 1.0]))

    along = np.array([np.sin(tilt), 0.0, np.cos(tilt)])
    axis, angle = np.array([0.0, 0.0, 1.0]), 1.5 * 2.0 / 2.0
    expected = axis * np.cos(angle) + np.cross(along, axis) * np.sin(angle)
    expected += along * (along @ axis) * (1 - np.cos(angle))
    np.testing.assert_allclose(run(), expected, atol=1e-7)


@pytest.mark.parametrize(("axis", "flips"), [(0, False), (1, True), (2, False)])
def test_only_the_intermediate_axis_flips(axis: int, flips: bool) -> None:
    # Dzhanibekov: spun about the axis of the middle moment, a body turns over again and again
    body = np.full(3, 1e-3)
    body[axis] = 2.0
    start = ra.fn(rotation_matrix)(START)
    (orientation, _, _), momentum = turned(start @ body, 60.0, 6000)
    along = ra.fn(lambda q: ra.vmap(lambda q: rotation_matrix(q)[:, axis])(q))(orientation)
    cosine = along @ momentum / np.linalg.norm(momentum)
    if flips:
        assert cosine.min() < -0.999 and cosine.max() > 0.999
        growth = 2.0 * np.sqrt((2 - 1) * (3.5 - 2) / (1 * 3.5))  # of a small wobble, per second
        first = np.argmax(cosine < 0) * 0.01
        assert first == pytest.approx(np.log(2 * 2.0 / 1e-3) / growth, rel=0.15)
    else:
        assert cosine.min() > 0.9999


def test_gradient_through_turns() -> None:
    @ra.fn
    def end(velocity: Any, moments: Any) -> Any:
        momentum = angular_momentum(START, velocity, moments)
        q = ra.fori_loop(0, 100, lambda _, q: turn(q, momentum, moments, 0.02), START)
        return rotated(q, np.array([0.3, 0.2, 0.9]))

    ra.check_grads(end, (np.array([0.4, 2.0, -0.3]), MOMENTS), order=1)


# --------------------------------------------------------------------------------------- tops


def spun(spin: float, inclination: float, rate: float, time: float, steps: int) -> Any:
    """Axis and energy of a top at each step, whose axis first goes round at `rate`."""
    moments, weight = np.array([0.03, 0.03, 0.011]), 1.5
    half = 0.5 * inclination

    @ra.fn
    def run() -> Any:
        q = np.array([np.cos(half), 0.0, np.sin(half), 0.0])
        turning = rotated(q, ra.array([-rate * np.sin(inclination), 0.0, spin]))
        start = (ra.array(q), angular_momentum(q, turning, moments))

        def step(state: Any, _: Any) -> Any:
            state = top_step(*state, moments, weight, time / steps)
            q, momentum = state
            kept = (top_energy(q, momentum, moments, weight), momentum[2])
            return state, (top_axis(q), *kept, ra.dot(momentum, top_axis(q)))

        return ra.scan(step, start, None, steps)[1]

    return run()


@pytest.mark.parametrize(("spin", "inclination"), [(50.0, 1.1), (80.0, 0.4), (45.0, 2.0)])
def test_a_gyroscope_precesses_at_the_rate_of_theory(spin: float, inclination: float) -> None:
    rate = float(steady_precession(np.array([0.03, 0.03, 0.011]), 1.5, spin, inclination))
    axis, *_ = spun(spin, inclination, rate, 1.0, 8000)
    np.testing.assert_allclose(axis[:, 2], np.cos(inclination), atol=1e-5)  # it does not nod
    turned_by = np.unwrap(np.arctan2(axis[:, 1], axis[:, 0]))
    assert turned_by[-1] == pytest.approx(rate, rel=1e-5)
    assert rate == pytest.approx(1.5 / (0.011 * spin), rel=0.25)  # the rule of thumb m g l / L


def test_a_top_that_is_let_go_nods_and_keeps_its_integrals() -> None:
    axis, energy, upright, along = spun(50.0, 1.1, 0.0, 20.0, 20_000)
    assert axis[:, 2].min() < np.cos(1.1) - 0.1
    assert axis[:, 2].max() < np.cos(1.1) + 1e-4
    np.testing.assert_allclose(upright, upright[0], rtol=1e-10)
    np.testing.assert_allclose(along, along[0], rtol=1e-10)
    np.testing.assert_allclose(energy, energy[0], rtol=1e-3)
    assert np.ptp(energy[-5000:]) < 1.1 * np.ptp(energy[:5000])  # it does not drift


# ------------------------------------------------------------------------------- the floor


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
