"""What bodies and rows do in a leapfrog's steps, against closed forms and conservation laws."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.rigid import leapfrog
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.rows import Row, Rows
from rosephys.physics.rigid.shapes import box, circle

G = 9.81
WALL = Body(circle(0.01), fixed=True)
PIN = ("x", "y")


def moved(
    bodies: Sequence[Body],
    rows: Sequence[Row],
    start: Any,
    steps: int,
    dt: Any,
    *,
    pairs: Sequence[tuple[int, int]] = (),
    belts: Any = None,
    every: bool = False,
) -> Any:
    """Positions, angles, velocities and spins, and the rows' measures and forces, in the end or at every
    step."""
    world, table = World(bodies, pairs=pairs), Rows(rows)
    state = leapfrog.started(world, world.at(*start), dt)
    belts = np.zeros(len(bodies)) if belts is None else belts

    def step(now: Any, _: Any) -> Any:
        state, impulses = leapfrog.step(world, table, *now, dt, belts)
        x = ra.stack([state.position[:, 0], state.position[:, 1], state.angle], axis=1)
        seen = (x, state.velocity, state.spin, table.values(x) if rows else 0.0, impulses / dt)
        return (state, impulses), seen if every else None

    end, seen = ra.scan(step, (state, np.zeros(table.count)), np.arange(steps))
    if every:
        return seen
    return end[0].position, end[0].angle, end[0].velocity, end[0].spin


def run(f: Any, *arguments: Any) -> Any:
    return ra.fn(f)(*arguments)


def hinge(a: int, b: int, at_a: Any, at_b: Any) -> list[Row]:
    return [Row("hold", m, (a, b), (at_a, at_b)) for m in PIN]  # type: ignore[arg-type]


def pendulum(dt: float, steps: int) -> Any:
    """A rod that is let go level, and turns about its end."""
    start = (np.array([[0.0, 0.0], [0.5, 0.0]]), np.zeros(2))
    rod = Body(box(1.0, 0.1))
    return run(lambda: moved([WALL, rod], hinge(0, 1, (0, 0), (-0.5, 0)), start, steps, dt))[1][1]


def swung(time: float) -> float:
    """The same by many steps of Runge's and Kutta's method."""
    inertia = (1.0 + 0.01) / 12 + 0.25
    y, h = np.array([0.0, 0.0]), time / 4000

    def rate(y: Any) -> Any:
        return np.array([y[1], -G * 0.5 / inertia * np.cos(y[0])])

    for _ in range(4000):
        a = rate(y)
        b = rate(y + h / 2 * a)
        c = rate(y + h / 2 * b)
        y = y + h / 6 * (a + 2 * b + 2 * c + rate(y + h * c))
    return float(y[0])


def test_a_pendulum_is_of_order_2() -> None:
    exact = swung(2.0)
    coarse, fine = (abs(pendulum(2.0 / n, n) - exact) for n in (240, 480))
    assert fine < 2e-3 and coarse / fine == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("stiffness", [10.0, 400.0])
def test_a_spring_is_of_order_2_and_loses_nothing(stiffness: float) -> None:
    row = [Row("spring", "distance", (0, 1), zero=1.0, stiffness=stiffness)]
    weight = Body(box(0.5, 0.2))  # 0.1 kg
    start = (np.array([[0.0, 0.0], [0.0, -1.0]]), np.zeros(2))

    def lowest(n: int, time: float) -> Any:
        return run(lambda: moved([WALL, weight], row, start, n, time / n))[0][1, 1]

    mass, omega = 0.1, np.sqrt(stiffness / 0.1)
    time = 20 / omega
    exact = -1 - mass * G / stiffness * (1 - np.cos(omega * time))
    errors = [abs(lowest(n, time) - exact) for n in (400, 800)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)
    whole = run(lambda: moved([WALL, weight], row, start, 4800, 1 / 240, every=True))[0][:, 1, 1]
    assert whole[-960:].max() == pytest.approx(whole[:960].max(), abs=2e-3 * mass * G / stiffness)
    assert whole[-960:].min() == pytest.approx(whole[:960].min(), rel=1e-3)


@pytest.mark.parametrize(("stiffness", "damping"), [(1e9, 0.0), (1e5, 1e6), (0.0, 1e7)])
def test_no_spring_is_too_stiff(stiffness: float, damping: float) -> None:
    row = [Row("spring", "distance", (0, 1), zero=1.0, stiffness=stiffness, damping=damping)]
    start = (np.array([[0.0, 0.0], [1.0, 0.0]]), np.zeros(2))
    x = run(lambda: moved([WALL, Body(circle(0.1))], row, start, 960, 1 / 60, every=True))[0]
    assert np.abs(np.hypot(*x[:, 1, :2].T)).max() < 1.2


def double(masses: tuple[float, float], steps: int, dt: float) -> Any:
    links = [Body(box(1.0, 0.1), density=10 * m) for m in masses]
    start = (np.array([[0.0, 0.0], [0.5, 0.0], [1.5, 0.0]]), np.zeros(3))
    rows = [*hinge(0, 1, (0, 0), (-0.5, 0)), *hinge(1, 2, (0.5, 0), (-0.5, 0))]
    return run(lambda: moved([WALL, *links], rows, start, steps, dt, every=True))


@pytest.mark.parametrize("masses", [(1.0, 1.0), (1.0, 1000.0), (1000.0, 1.0)])
def test_joints_hold_and_make_no_energy(masses: tuple[float, float]) -> None:
    x, v, w, values, _ = double(masses, 2400, 1 / 240)
    assert np.abs(values).max() < 1e-8
    m = np.array(masses)
    inertia = m * 1.01 / 12
    # motions are those half-way between places
    middle = 0.5 * (x[1:] + x[:-1])
    kinetic = 0.5 * (m * (v[1:, 1:] ** 2).sum(-1) + inertia * w[1:, 1:] ** 2).sum(-1)
    energy = kinetic + G * (m * middle[:, 1:, 1]).sum(-1)
    assert np.abs(energy).max() < 0.02 * G * m.sum()
    assert abs(energy[-240:].mean() - energy[:240].mean()) < 0.01 * G * m.sum()


def test_a_slider_slides_down_its_rail() -> None:
    axis = (np.cos(0.5), -np.sin(0.5))
    rows = [Row("hold", m, (0, 1), axis=axis) for m in ("across", "angle")]
    start = (np.zeros((2, 2)), np.zeros(2))
    at = run(lambda: moved([WALL, Body(box(0.2, 0.2))], rows, start, 240, 1 / 240))[0][1]
    assert at == pytest.approx(0.5 * G * np.sin(0.5) * np.array(axis), rel=1e-9)


@pytest.mark.parametrize(("speed", "most", "time"), [(3.0, 1e3, 0.5), (50.0, 0.02, 0.5)])
def test_a_motor_turns_as_fast_as_its_torque_makes_it(
    speed: float, most: float, time: float
) -> None:
    wheel = Body(circle(0.3))
    rows = [*hinge(0, 1, (0, 0), (0, 0)), Row("motor", "angle", (0, 1), speed=speed, strength=most)]
    start = (np.zeros((2, 2)), np.zeros(2))
    spin = run(lambda: moved([WALL, wheel], rows, start, 120, time / 120))[3][1]
    inertia = wheel.density * wheel.shape.moment
    assert spin == pytest.approx(min(speed, most * time / inertia), rel=1e-9)


def test_limits_and_ropes_hold_within_a_step() -> None:
    rod = Body(box(1.0, 0.1))
    rows = hinge(0, 1, (0, 0), (-0.5, 0))
    rows += [Row("limit", "angle", (0, 1), zero=-0.7)]
    start = (np.array([[0.0, 0.0], [0.5, 0.0]]), np.zeros(2))
    x, _, _, _, force = run(lambda: moved([WALL, rod], rows, start, 480, 1 / 240, every=True))
    assert x[:, 1, 2].min() > -0.7 - 1e-9 and x[-1, 1, 2] == pytest.approx(-0.7, abs=1e-9)
    assert force[-1, 2] == pytest.approx(0.1 * G * 0.5 * np.cos(0.7), rel=1e-6)
    rope = [Row("limit", "distance", (0, 1), zero=1.0, side="below")]
    start = (np.array([[0.0, 0.0], [0.6, 0.0]]), np.zeros(2))
    x = run(lambda: moved([WALL, Body(circle(0.1))], rope, start, 960, 1 / 240, every=True))[0]
    assert np.hypot(*x[:, 1, :2].T).max() < 1.001


def on_slope(tilt: float, friction: float) -> Any:
    """A box on a slope of 20 m, by its way in a second along it."""
    ground, crate = (
        Body(s, friction=friction, fixed=f) for s, f in ((box(20, 1), True), (box(0.5, 0.3), False))
    )
    up = np.array([-np.sin(tilt), np.cos(tilt)])
    start = (np.array([[0.0, 0.0], 0.65 * up]), np.full(2, tilt))
    x = run(lambda: moved([ground, crate], [], start, 240, 1 / 240, pairs=[(0, 1)]))[0][1]
    return (x - 0.65 * up) @ np.array([-np.cos(tilt), -np.sin(tilt)])


@pytest.mark.parametrize("friction", [0.2, 0.7])
def test_a_box_slides_down_a_slope_if_it_is_steep_enough(friction: float) -> None:
    tilt = np.arctan(friction)
    assert abs(on_slope(tilt - 0.02, friction)) < 1e-6
    steep = tilt + 0.1
    fall = G * (np.sin(steep) - friction * np.cos(steep))
    assert on_slope(steep, friction) == pytest.approx(0.5 * fall, rel=1e-2)


def test_a_conveyor_carries_what_lies_on_it() -> None:
    bodies = [Body(box(20, 1), fixed=True), Body(box(0.5, 0.3))]
    start = (np.array([[0.0, -0.5], [0.0, 0.15]]), np.zeros(2))
    belts = np.array([2.0, 0.0])
    _, _, v, _ = run(lambda: moved(bodies, [], start, 480, 1 / 240, pairs=[(0, 1)], belts=belts))
    assert v[1] == pytest.approx([2.0, 0.0], abs=1e-6)


def test_an_elastic_ball_keeps_its_height() -> None:
    bodies = [Body(box(20, 1), restitution=1.0, fixed=True), Body(circle(0.1))]
    start = (np.array([[0.0, -0.5], [0.0, 1.1]]), np.zeros(2))
    x = run(lambda: moved(bodies, [], start, 2400, 1 / 240, pairs=[(0, 1)], every=True))[0]
    assert x[-480:, 1, 1].max() == pytest.approx(1.1, rel=0.02)
    assert x[:, 1, 1].min() > 0.1 - 1e-3


def landed(height: Any, dt: Any, steps: int, restitution: float) -> Any:
    """Where a sledge is that is thrown level, and has friction when it meets the ground."""
    sledge = Body(circle(0.1), inertia=1e9, friction=1.0)
    bodies = [Body(box(50, 1), friction=0.09, restitution=restitution, fixed=True), sledge]
    start = (
        ra.array([np.array([0.0, -0.5]), ra.array([0.0, 0.1 + height])]),
        np.zeros(2),
        np.array([[0.0, 0.0], [4.0, 0.0]]),
    )
    return moved(bodies, [], start, steps, dt, pairs=[(0, 1)])[0][1, 0]


def exact(height: float, time: float, restitution: float) -> float:
    """The same by hand, for one meeting, after which it slides, or flies."""
    mu, fall = 0.3, np.sqrt(2 * G * height)
    tau = fall / G
    left = time - tau
    after = 4.0 - mu * (1 + restitution) * fall
    return float(4.0 * tau + after * left - (0.5 * mu * G * left**2 if not restitution else 0))


@pytest.mark.parametrize(("restitution", "time"), [(0.0, 0.8), (0.6, 0.7)])
def test_a_derivative_through_a_meeting_is_that_of_the_motion(
    restitution: float, time: float
) -> None:
    height, far = 0.5, 1e-6
    slope = (exact(height + far, time, restitution) - exact(height - far, time, restitution)) / (
        2 * far
    )
    errors = []
    for n in (200, 800):
        f = partial(landed, dt=time / n, steps=n, restitution=restitution)
        value, gradient = ra.value_and_grad(ra.fn(lambda h, f=f: f(h)))(height)
        assert abs(value - exact(height, time, restitution)) < 8 * time / n
        errors.append(abs(gradient - slope))
    assert errors[1] < 0.02 * abs(slope) and errors[1] < 0.5 * errors[0] + 1e-3


def test_a_gradient_is_that_of_the_program() -> None:
    def end(speed: Any, length: Any) -> Any:
        bodies = [Body(box(20, 1), fixed=True), Body(box(0.5, length)), WALL]
        rows = [Row("spring", "distance", (2, 1), zero=1.0, stiffness=5.0, damping=0.1)]
        start = (
            ra.array([np.array([0.0, -0.5]), ra.array([0.3, 0.2 + length]), np.array([0.0, 2.0])]),
            np.array([0.0, 0.4, 0.0]),
            ra.array([np.zeros(2), ra.array([speed, 0.0]), np.zeros(2)]),
        )
        return moved(bodies, rows, start, 120, 1 / 240, pairs=[(0, 1)])[0][1, 0]

    ra.check_grads(end, (1.0, 0.3), order=1)
