"""Impacts on what is jointed: the whole chain answers at once, as M v+ = M v- + Jᵀ p says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.rigid import impulses, joints
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.impacts import after_impacts
from rosephys.physics.rigid.joints import distance, motor, revolute, weld
from rosephys.physics.rigid.shapes import box, capsule, circle, polygon

DT, SIDE, E = 1 / 240, 0.5, 0.7
ANGLES = np.array([0, 0.3, -0.2, 0.1, 0.4, 0.0])


def chain(pinned: bool, restitution: float = E) -> World:
    """Four links, pinned to a wall or free, and a ball that is to strike the last."""
    pins = [revolute(k, k + 1, (SIDE / 2 * (k > 0), 0), (-SIDE / 2, 0)) for k in range(4)]
    link = Body(box(SIDE, 0.1), restitution=restitution, friction=0.0)
    ball = Body(circle(0.1), density=3.0, restitution=restitution, friction=0.0)
    bodies = [Body(box(0.1, 0.1), fixed=True), *[link] * 4, ball]
    return World(bodies, joints=pins[not pinned :], pairs=[(4, 5)], gravity=(0.0, 0.0))


def start(speed: float = 1.3, gap: float = 0.003) -> tuple[Any, Any, Any, Any]:
    """Positions, angles, velocities and spins: the ball comes down on the last link."""
    x, tip = np.zeros((6, 2)), np.zeros(2)
    for k in range(1, 5):
        along = np.array([np.cos(ANGLES[k]), np.sin(ANGLES[k])])
        x[k], tip = tip + SIDE / 2 * along, tip + SIDE * along
    normal = np.array([-along[1], along[0]])
    x[5] = x[4] + 0.15 * along + (0.15 + gap) * normal
    v = np.zeros((6, 2))
    v[5] = -speed * normal
    return x, ANGLES, v, np.zeros(6)


def rows_by_hand(world: World, x: Any, angle: Any) -> tuple[Any, Any]:
    """The rows of the pins (2 j, 18), and that of the ball's contact (18,)."""

    def arm(body: int, at: Any) -> Any:
        c, s = np.cos(angle[body]), np.sin(angle[body])
        return np.array([c * at[0] - s * at[1], s * at[0] + c * at[1]])

    pins = np.zeros((2 * len(world.joints), 18))
    for k, joint in enumerate(world.joints):
        for body, at, sign in zip(joint.bodies, joint.anchors, (-1, 1), strict=True):
            r = arm(body, at)
            pins[2 * k, 3 * body : 3 * body + 3] = sign * np.array([1, 0, -r[1]])
            pins[2 * k + 1, 3 * body : 3 * body + 3] = sign * np.array([0, 1, r[0]])
    normal = arm(4, (0, 1))
    r = arm(4, (0.15, 0.05))
    contact = np.zeros(18)
    contact[12:15] = [*-normal, -(r[0] * normal[1] - r[1] * normal[0])]
    contact[15:17] = normal
    return pins, contact


def struck(world: World, x: Any, angle: Any, v: Any, w: Any) -> Any:
    """The motions (n, 3) just after the impacts of a step."""

    @ra.fn
    def after(x: Any, angle: Any, v: Any, w: Any) -> Any:
        return after_impacts(world, world.at(x, angle, v, w), DT, 8).motion

    return after(x, angle, v, w)


@pytest.mark.parametrize("pinned", [True, False])
def test_a_chain_that_is_struck_answers_as_a_whole(pinned: bool) -> None:
    world, (x, angle, v, w) = chain(pinned), start()
    pins, contact = rows_by_hand(world, x, angle)
    weights = np.ravel(ra.fn(lambda: ra.array(world.inverse))())
    before = np.concatenate([v, w[:, None]], axis=1).ravel()
    rows = np.vstack([contact, pins])
    asked = np.concatenate([[-(1 + E) * (contact @ before)], np.zeros(len(pins))])
    p = np.linalg.solve((rows * weights) @ rows.T, asked)
    exact = before + weights * (rows.T @ p)
    found = struck(world, x, angle, v, w).ravel()
    np.testing.assert_allclose(found, exact, atol=1e-12)
    assert np.abs(found[3:6]).max() > 1e-3  # it has come through four joints
    assert np.abs(pins @ found).max() < 1e-12  # which hold
    assert contact @ found == pytest.approx(-E * (contact @ before), abs=1e-12)
    masses = np.divide(1, weights, out=np.zeros(18), where=weights > 0)
    energy = [masses @ (q * q) / 2 for q in (before, found)]
    assert energy[1] < energy[0]
    if not pinned:
        for axis in (0, 1):
            momentum = [masses[axis::3] @ q[axis::3] for q in (before, found)]
            assert momentum[1] == pytest.approx(momentum[0], abs=1e-12)


def test_joints_that_say_a_thing_twice_or_yield_do_no_harm() -> None:
    links = [Body(box(SIDE, 0.1)), Body(box(SIDE, 0.1))]
    pin = revolute(0, 1, (SIDE / 2, 0), (-SIDE / 2, 0))
    x = np.array([[0.0, 0, 0], [SIDE, 0, 0]])

    def inverse(*held: Any) -> Any:
        world = World(links, joints=held, pairs=[])
        return ra.fn(lambda x: joints.inverse_mass(world, x))(x).reshape(6, 6)

    once = inverse(pin)
    np.testing.assert_allclose(once, once.T, atol=1e-14)
    np.testing.assert_allclose(inverse(pin, pin), once, atol=1e-9)
    np.testing.assert_allclose(inverse(pin, motor(0, 1, 2.0, 5.0)), once, atol=1e-14)
    welded = inverse(weld(0, 1, (SIDE / 2, 0), (-SIDE / 2, 0)))
    np.testing.assert_allclose(inverse(pin, motor(0, 1, 0.0)), welded, atol=1e-12)
    push = np.array(
        [0, 1.0, 0, 0, 0, 0]
    )  # on the first: two links welded are one of twice the mass
    mass, inertia = 2 * 0.05, 0.05 * (0.1**2 + 1.0) / 12 * 2
    centre = 1 / mass + 0.25**2 / inertia
    np.testing.assert_allclose((welded @ push)[1], centre, rtol=1e-9)


@pytest.fixture(scope="module")
def swung() -> Any:
    """Of a double pendulum that swings and is struck at its end: the energy in each state, and where it is."""
    rods = [Body(box(SIDE, 0.05), restitution=1.0, friction=0.0)] * 2
    ball = Body(circle(0.1), density=2.0, restitution=1.0, friction=0.0)
    pins = [revolute(0, 1, (0, 0), (-SIDE / 2, 0)), revolute(1, 2, (SIDE / 2, 0), (-SIDE / 2, 0))]
    rope = distance(0, 3, (0.135, 0.0), (0.0, 0.0), 0.9)
    world = World(
        [Body(box(0.1, 0.1), fixed=True), *rods, ball], joints=[*pins, rope], pairs=[(2, 3)]
    )

    @ra.fn
    def run(pull: ra.Real) -> Any:
        places = [np.zeros(2), np.array([0, -0.25]), np.array([0, -0.75])]
        hung = ra.array([0.135 + 0.9 * ra.sin(pull), -0.9 * ra.cos(pull)])
        down = np.array([0, -np.pi / 2, -np.pi / 2, 0])
        state = world.at(ra.array([*places, hung]), down)

        def once(s: Any, _: Any) -> Any:
            s = impulses.step(world, s, DT)
            return s, (world.energy(s), s.spin[1])

        s, told = ra.scan(once, state, length=180)
        return s.position[2, 0], told

    return run


SHAPES = {
    "rod": box(1.0, 0.02),
    "box": box(0.3, 0.2),
    "capsule": capsule(0.5, 0.05),
    "triangle": polygon([[0, 0], [0.4, 0], [0.1, 0.3]]),
}


@pytest.fixture(scope="module", params=list(SHAPES))
def on_rough_ground(request: Any) -> Any:
    """Of a body of some shape that strikes rough ground: its energy before, and after; its motion then; from
    restitution, friction, angle, velocity (2,) and spin."""
    shape, lowest = SHAPES[request.param], np.array(SHAPES[request.param].corners)

    @ra.fn
    def hit(z: Any) -> Any:
        kind = {"restitution": z[0], "friction": z[1]}
        world = World([Body(box(20.0, 2.0), fixed=True, **kind), Body(shape, **kind)])
        y = 0.002 + shape.radius - ra.min(lowest @ ra.array([ra.sin(z[2]), ra.cos(z[2])]))
        x, v = ra.array([(0.0, -1.0), (0.0 * y, y)]), ra.array([(0.0, 0.0), (z[3], z[4])])
        state = world.at(x, ra.array([0.0, z[2]]), v, ra.array([0.0, z[5]]))
        rest = after_impacts(world, state, 1 / 60, 64)
        x, motion = rest.x[:, :2], rest.motion
        end = world.at(x, rest.x[:, 2], motion[:, :2], motion[:, 2])
        return world.energy(state), world.energy(end), motion[1]

    return hit


def thrown(rng: Any) -> Any:
    angle = rng.choice([rng.uniform(0, 2 * np.pi), 0.0, 1e-4, np.pi / 2])
    down = -0.5 - abs(2 * rng.normal())
    return np.array([*rng.uniform(0, (1, 1.5)), angle, 2 * rng.normal(), down, 8 * rng.normal()])


def test_rough_ground_gives_no_energy(on_rough_ground: Any) -> None:
    """Whatever the restitution is, which with friction may do so by Newton's rule (Kane): of an oblique rod the
    speed that friction makes along the normal must not be asked for again."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(1000):
        before, after, _ = on_rough_ground(thrown(rng))
        assert after < before + 1e-12
        hits += after < before - 1e-9
    assert hits > 500


def test_the_derivative_of_impacts_with_friction_agrees_with_differences(
    on_rough_ground: Any,
) -> None:
    rng, weight, alike = np.random.default_rng(1), np.array([0.3, 0.5, 0.2]), 0
    slope = ra.grad(ra.fn(lambda z: ra.sum(weight * on_rough_ground(z)[2])))
    for _ in range(40):
        z, way = thrown(rng), rng.normal(size=6)
        z[2] = rng.uniform(0, 2 * np.pi)  # flat, it would meet with two corners at once
        exact = slope(z) @ way
        sides = [weight @ on_rough_ground(z + k * 1e-6 * way)[2] for k in (-2, -1, 1, 2)]
        found = (8 * (sides[2] - sides[1]) - (sides[3] - sides[0])) / 12e-6
        alike += found == pytest.approx(exact, rel=1e-6, abs=1e-7)
    assert alike >= 36  # all but near ties


def test_energy_never_grows_when_a_pendulum_is_struck(swung: Any) -> None:
    _, (energy, spin) = swung(0.3)
    hit = np.flatnonzero(np.abs(spin) > 1e-6)[0]
    assert 20 < hit < 170 and np.abs(spin).max() > 0.3  # the upper rod is moved through the joint
    swing = 2.0 * np.pi * 0.1**2 * 9.81 * 0.9 * (1 - np.cos(0.3))
    # the impact, elastic, gives and takes nothing; joints keep it to the order of a step's square
    assert abs(energy[hit] - energy[hit - 1]) < 1e-3 * swing
    assert np.ptp(energy) < 5e-3 * swing


def test_the_gradient_through_joints_and_impacts_agrees_with_differences(swung: Any) -> None:
    end = ra.fn(lambda pull: swung(pull)[0])
    for pull in (0.3, 0.42):
        h = 1e-5
        near, far = (end(pull + k * h) - end(pull - k * h) for k in (1, 2))
        assert ra.grad(end)(pull) == pytest.approx((8 * near - far) / (12 * h), rel=1e-6)
