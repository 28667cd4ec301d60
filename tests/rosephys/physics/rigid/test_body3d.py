"""A free body in space: quaternions, conservation laws, steady precession."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.rigid.body3d import (
    BOX_CORNERS,
    BOX_FACES,
    angular_momentum,
    angular_velocity,
    product,
    rotated,
    rotation_matrix,
    rotational_energy,
    turn,
)

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
