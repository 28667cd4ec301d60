"""Implicit contact: stable at any step, rigid in the limit, with Coulomb's friction; its derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, find_scene
from rosephys.physics.rigid import implicit, penalty
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.flight import find
from rosephys.physics.rigid.joints import motor, revolute
from rosephys.physics.rigid.shapes import box, circle

G = 9.81


def ground(**kind: Any) -> Body:
    return Body(box(40.0, 2.0), fixed=True, **kind)


def run(world: World, steps: int, model: Any = implicit.step, **how: Any) -> Any:
    """A function of positions, angles, velocities, spins and dt: all states."""

    @ra.fn
    def states(x: Any, angle: Any, v: Any, w: Any, dt: Any) -> Any:
        start = world.at(x, angle, v, w)
        return ra.scan(lambda s, _: (model(world, s, dt, **how),) * 2, start, length=steps)[1]

    return states


# ------------------------------------------------------------------------------ stiffness and steps


def test_it_stands_where_the_penalty_model_hops() -> None:
    """A box on the ground, ten million N/m and a step of 1/60 s: h √(k / m) is about 100."""
    world = World([ground(), Body(box(0.5, 0.4))])
    start = [[0, -1.0], [0, 0.201]], [0, 0], np.zeros((2, 2)), [0, 0], 1 / 60
    start = tuple(np.array(a, float) for a in start)
    soft = run(world, 120, penalty.step, stiffness=1e7, substeps=1)(*start)
    hard = run(world, 120, stiffness=1e7)(*start)
    assert np.ptp(soft.position[-60:, 1, 1]) > 0.1
    assert np.abs(hard.position[-1] - [[0, -1], [0, 0.2]]).max() < 2e-5
    assert np.abs(hard.velocity[-1]).max() < 1e-9


@pytest.fixture(scope="module")
def settled() -> Any:
    """Where a box (0.5, 0.4) is that starts on rough ground at a speed: a function of it and of k."""
    kind = {"friction": 0.5}
    world = World([ground(**kind), Body(box(0.5, 0.4), **kind)])

    @ra.fn
    def end(speed: ra.Real, k: ra.Real) -> Any:
        x = np.array([[0, -1.0], [0, 0.2]])
        start = world.at(x, np.zeros(2), ra.array([np.zeros(2), ra.array([speed, 0.0])]))

        def once(_: Any, s: Any) -> Any:
            return implicit.step(world, s, 1 / 240, stiffness=k, onset=1e-3, slip=1e-6)

        s = ra.fori_loop(0, 60, once, start)
        return ra.array([s.position[1, 0], s.position[1, 1], s.angle[1]])

    return end


@pytest.mark.parametrize("speed", [0.0, 1.5])
def test_it_becomes_rigid_as_one_over_the_stiffness(speed: float, settled: Any) -> None:
    rigid = settled(speed, 1e11)
    errors = [np.abs(settled(speed, k) - rigid).max() for k in (1e5, 1e6, 1e7)]
    assert errors[0] < 1e-4
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(10, rel=0.1)
    # and what is rigid lies on the ground, and slides as Coulomb says, to the order of a step
    assert rigid[1] == pytest.approx(0.2, abs=1e-9) and abs(rigid[2]) < 1e-9
    slides = speed * 0.25 - 0.5 * G * 0.25**2 / 2 if speed else 0.0
    assert rigid[0] == pytest.approx(slides, abs=0.5 * G * 0.25 / 240)


def test_what_rests_overlaps_by_its_weight_over_the_stiffness(settled: Any) -> None:
    for k in (1e4, 1e6):
        assert 0.2 - settled(0.0, k)[1] == pytest.approx(
            0.2 * G / (2 * k), rel=2e-2
        )  # two points bear it


# ------------------------------------------------------------------------------ slopes and stacks


@pytest.mark.parametrize(("angle", "mu"), [(0.4, 0.3), (0.3, 0.32)])
def test_a_box_slides_when_the_slope_is_steeper_than_the_friction(angle: float, mu: float) -> None:
    normal, up = np.array([-np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])
    world = World([ground(friction=mu), Body(box(0.6, 0.4), friction=mu)])
    x, turned = np.array([-normal, 0.2 * normal]), np.full(2, angle)
    s = run(world, 240)(x, turned, np.zeros((2, 2)), np.zeros(2), 1 / 240)
    slides = np.tan(angle) > mu
    speed = s.velocity[:, 1] @ up
    if slides:
        exact = -G * (np.sin(angle) - mu * np.cos(angle))
        assert 240 * (speed[-1] - speed[-2]) == pytest.approx(exact, rel=1e-5)
    else:
        assert abs(speed).max() < 5e-3  # it creeps, by less than a few `slip`
        assert (s.position[-1, 1] - x[1]) @ up == pytest.approx(0, abs=5e-3)


def test_a_sphere_rolls() -> None:
    r, angle, shape = 0.25, 0.3, circle(0.25)
    normal, up = np.array([-np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])
    ball = Body(shape, friction=1.0, inertia=2 / 5 * shape.area * r * r)
    world = World([ground(friction=1.0), ball])
    x = np.array([-normal, r * normal])
    s = run(world, 240)(x, np.full(2, angle), np.zeros((2, 2)), np.zeros(2), 1 / 240)
    speed = s.velocity[:, 1] @ up
    assert 240 * (speed[-1] - speed[-2]) == pytest.approx(-5 / 7 * G * np.sin(angle), rel=1e-3)


def test_ten_boxes_stand() -> None:
    p = Problem(
        find_scene(
            "stack",
            {"contact": "implicit", "steps": 480, "ball_velocity": "0,0", "ball": "-9,0.3"},
        )
    )
    s = p.trajectory(p.values)
    assert np.abs(s.position[:, 1:-1] - s.position[0, 1:-1]).max() < 1e-3
    assert np.abs(s.velocity[-1, 1:-1]).max() < 1e-10


# ------------------------------------------------------------------------------- impacts, joints


def test_a_plastic_impact_goes_through_a_pile_at_once_and_an_elastic_one_rebounds() -> None:
    r = 0.1
    for e in (0.0, 0.8):
        balls = [Body(circle(r), friction=0.0, restitution=e)] * 3
        world = World(balls, gravity=(0.0, 0.0))
        x = np.array([[-0.001, 0], [2 * r, 0], [4 * r, 0]])
        v = np.array([[1.0, 0], [0, 0], [0, 0]])
        s = run(world, 1, onset=1e-3, stiffness=1e9)(x, np.zeros(3), v, np.zeros(3), 1 / 240)
        assert s.velocity[0, :, 0].sum() == pytest.approx(1, abs=1e-12)
        if e == 0:
            np.testing.assert_allclose(s.velocity[0, 1:, 0], 1 / 3, atol=0.1)
            assert s.velocity[0, 2, 0] > 0.2
        else:
            share = (1 + e) / 2
            assert s.velocity[0, 2, 0] == pytest.approx(share * share, abs=1e-9)


def test_pins_hold_and_motors_turn() -> None:
    disc = circle(0.2)
    driven = [revolute(0, 1, (0, 0), (0, 0)), motor(0, 1, 3.0, 0.05)]
    world = World([Body(box(0.1, 0.1), fixed=True), Body(disc)], joints=driven, pairs=[])
    zero = np.zeros((2, 2)), np.zeros(2), np.zeros((2, 2)), np.zeros(2)
    s = run(world, 240)(*zero, 1 / 240)
    assert s.spin[9, 1] == pytest.approx(10 / 240 * 0.05 / disc.moment)
    assert s.spin[-1, 1] == pytest.approx(3.0)
    assert np.abs(s.position[-1]).max() == pytest.approx(disc.area * G / 1e6, rel=1e-3)
    pin = [revolute(0, 1, (0, 0), (-0.5, 0))]
    swing = World([Body(box(0.1, 0.1), fixed=True), Body(box(1.0, 0.05))], joints=pin)
    x = np.array([[0, 0], [0.5, 0.0]])
    s = run(swing, 480)(x, np.zeros(2), np.zeros((2, 2)), np.zeros(2), 1 / 240)
    ends = s.position[:, 1] - 0.5 * np.stack([np.cos(s.angle[:, 1]), np.sin(s.angle[:, 1])], 1)
    assert np.abs(ends).max() < 1e-3


# ------------------------------------------------------------------------------- derivatives


def test_gradients_agree_with_differences() -> None:
    p = Problem(find_scene("throw", {"contact": "implicit"}))
    _, gradient = p.value_and_gradient(p.values)
    differences = p.central_differences(p.values, 1e-6)
    for name, g in gradient.items():
        np.testing.assert_allclose(g, differences[name], rtol=1e-6)


def test_the_derivative_is_continuous_where_a_contact_begins() -> None:
    """A ball that meets the ground within the first step: neither its speed nor the derivative jumps."""
    world = World([ground(), Body(circle(0.2))])

    @ra.fn
    def speed(y: ra.Real) -> Any:
        x = ra.array([np.array([0.0, -1.0]), ra.array([0.1, y])])
        state = world.at(x, np.zeros(2), np.array([[0, 0], [0, -1.0]]))
        s = ra.fori_loop(0, 1, lambda _, s: implicit.step(world, s, 1 / 240), state)
        return s.velocity[1, 1]

    first = ra.value_and_grad(speed)
    meets = 0.2 + (1 + G / 240) / 240
    jumps = []
    for count in (200, 2000):
        found = [first(y) for y in meets + np.linspace(-4e-7, 4e-7, count)]
        values, slopes = np.array(found).T
        assert slopes[-1] == 0 and slopes[0] < -50  # a contact begins in between
        jumps.append((np.abs(np.diff(values)).max(), np.abs(np.diff(slopes)).max()))
    assert jumps[1][0] < 0.15 * jumps[0][0] and jumps[1][1] < 0.2 * jumps[0][1]


def test_the_pairs_are_those_of_the_step() -> None:
    """No contact is seen where there is none, so that free flight is free."""
    world = World([ground(), Body(circle(0.2))], gravity=(0.0, -G))
    x = np.array([[0, -1.0], [0, 5.0]])
    contacts = ra.fn(lambda x: find(world, world.at(x, np.zeros(2)), 0.01))(x)
    assert not contacts.near.any()
    s = run(world, 10)(x, np.zeros(2), np.zeros((2, 2)), np.zeros(2), 0.01)
    assert s.velocity[-1, 1, 1] == pytest.approx(-G * 0.1)
