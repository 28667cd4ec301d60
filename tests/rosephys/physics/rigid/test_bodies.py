"""Rigid bodies against what mechanics says in closed form, and their derivatives against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.errors import SceneError
from rosephys.physics.rigid import impulses, penalty
from rosephys.physics.rigid.bodies import Bodies, Body, World, rounds
from rosephys.physics.rigid.collide import NEVER, Outlines, manifold
from rosephys.physics.rigid.joints import Joint, distance, motor, revolute, weld
from rosephys.physics.rigid.shapes import box, capsule, circle, polygon

G, DT = 9.81, 1 / 240
Model = Any


def rolled(world: World, start: Bodies, steps: int, dt: Any = DT, model: Model = None) -> Bodies:
    """All states, from the first step's end on; traced."""
    step = model or impulses.step
    states: Bodies = ra.scan(lambda s, _: (step(world, s, dt),) * 2, start, length=steps)[1]
    return states


def simulated(world: World, *start: Any, steps: int = 240, dt: float = DT) -> Bodies:
    """All states of a world that starts with these positions, angles, velocities and spins."""
    n = len(world.bodies)
    shapes = ((n, 2), (n,), (n, 2), (n,))
    given = [*start, *[None] * (4 - len(start))]
    arrays = [
        np.zeros(s) if a is None else np.array(a, float) for a, s in zip(given, shapes, strict=True)
    ]
    states: Bodies = ra.fn(lambda *a: rolled(world, world.at(*a), steps, dt))(*arrays)
    return states


def kept(world: World, states: Bodies) -> Any:
    """Energy, momentum and angular momentum in each state."""

    def one(states: Bodies, t: Any) -> Any:
        s = ra.map_leaves(lambda leaf: leaf[t], states)
        return world.energy(s), world.momentum(s), world.angular_momentum(s)

    steps = len(states.spin)
    return ra.fn(lambda states: ra.build(steps, lambda t: one(states, t)))(states)


def ground(**kind: Any) -> Body:
    return Body(box(40.0, 2.0), fixed=True, **kind)


# --------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    "shape",
    [circle(0.4), capsule(1.1, 0.3), box(2.0, 0.7), polygon([[0, 0], [2, 0.2], [0.5, 1.5]])],
)
def test_area_and_moment_are_those_of_the_outline(shape: Any) -> None:
    outline = shape.outline
    if shape.radius:
        angles = np.linspace(0, 2 * np.pi, 20001)[:-1]
        rim = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        outline = shape.corners[np.argmax(rim @ shape.corners.T, axis=1)] + shape.radius * rim
    after = np.roll(outline, -1, axis=0)
    c = outline[:, 0] * after[:, 1] - outline[:, 1] * after[:, 0]
    squares = (outline * outline + outline * after + after * after).sum(1)
    assert shape.area == pytest.approx(c.sum() / 2, rel=1e-6)
    assert shape.moment == pytest.approx(c @ squares / 12, rel=1e-6)
    np.testing.assert_allclose(((outline + after) * c[:, None]).sum(0) / c.sum(), 0, atol=1e-9)


def test_a_shape_that_is_none_is_refused() -> None:
    for wrong in (
        lambda: circle(0.0),
        lambda: polygon([[0, 0], [1, 0]]),
        lambda: polygon([[0, 0], [0, 1], [1, 0]]),
        lambda: World([Body(circle(1.0))], pairs=[(0, 1)]),
    ):
        with pytest.raises(SceneError):
            wrong()


def test_rounds_hold_every_pair_once_and_no_movable_body_twice() -> None:
    pairs = [(i, j) for i in range(7) for j in range(i + 1, 7)]
    found = rounds(pairs, [k > 0 for k in range(7)])
    assert sorted(map(tuple, found.pairs)) == pairs
    for low, high in found.bounds:
        taken = [k for pair in found.pairs[low:high] for k in pair if k > 0]
        assert len(taken) == len(set(taken))


# ------------------------------------------------------------------------------------ manifolds


def met(a: Any, b: Any, x: Any, angle: Any = (0.0, 0.0)) -> Any:
    """How two shapes lie."""
    shapes = Outlines(World([Body(a), Body(b)]))
    i, j = shapes.world.contacts.pairs[0]
    m = ra.fn(lambda x, angle: manifold(shapes, int(i), int(j), x, angle))(
        np.array(x, float)[[i, j]], np.array(angle, float)[[i, j]]
    )
    return m


def test_two_boxes_touch_in_two_points_in_one_order() -> None:
    for x, n in (((0.0, 0.9), (0, 1)), ((0.0, -0.9), (0, -1)), ((0.9, 0.0), (1, 0))):
        m = met(box(1, 1), box(0.5, 1) if n[1] else box(1, 0.5), [(0.0, 0.0), x])
        np.testing.assert_allclose(m.normal, n, atol=1e-12)
        np.testing.assert_allclose(m.gap, [-0.1, -0.1], atol=1e-12)
        order = (m.points[1] - m.points[0]) @ np.array([-n[1], n[0]])
        assert order == pytest.approx(0.5)


def test_a_circle_meets_a_face_or_a_corner() -> None:
    face = met(box(1, 1), circle(0.2), [(0, 0), (0.1, 0.8)])
    np.testing.assert_allclose(face.normal, [0, 1], atol=1e-12)
    np.testing.assert_allclose(face.gap, [0.1, NEVER])
    corner = met(box(1, 1), circle(0.2), [(0, 0), (0.8, 0.9)])
    np.testing.assert_allclose(corner.normal, [0.6, 0.8])
    assert corner.gap[0] == pytest.approx(0.3)


def test_capsules_meet_side_by_side_end_to_end_and_end_to_side() -> None:
    a = capsule(1.0, 0.1)
    side = met(a, a, [(0, 0), (0.5, 0.25)])
    np.testing.assert_allclose(side.gap, [0.05, 0.05])
    assert abs(side.points[1, 0] - side.points[0, 0]) == pytest.approx(0.5)
    ends = met(a, a, [(0, 0), (1.3, 0.4)])
    np.testing.assert_allclose(ends.normal, [0.6, 0.8])
    assert ends.gap[0] == pytest.approx(0.3)
    upright = met(a, a, [(0, 0), (0.2, 0.8)], (0.0, np.pi / 2))
    np.testing.assert_allclose(upright.normal, [0, 1], atol=1e-9)
    assert upright.gap.min() == pytest.approx(0.1)


# ------------------------------------------------------------------------- slopes and rolling


def on_slope(angle: float, shape: Any, height: float, **kind: Any) -> tuple[Bodies, Any]:
    """What a body at rest on a slope does in a second, and the direction up the slope."""
    normal, up = np.array([-np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])
    world = World([ground(friction=kind.get("friction", 0.5)), Body(shape, **kind)])
    return simulated(world, [-normal, height * normal], [angle, angle]), up


@pytest.mark.parametrize(("angle", "mu"), [(0.4, 0.3), (0.3, 0.32)])
def test_a_box_slides_when_the_slope_is_steeper_than_the_friction(angle: float, mu: float) -> None:
    states, up = on_slope(angle, box(0.6, 0.4), 0.2, friction=mu)
    slides = np.tan(angle) > mu
    expected = -G * (np.sin(angle) - mu * np.cos(angle)) if slides else 0.0
    assert states.velocity[-1, 1] @ up == pytest.approx(expected, abs=1e-10)
    assert abs(states.spin[10:, 1]).max() < 1e-9
    moved = (states.position[-1, 1] - states.position[0, 1]) @ up
    assert moved == pytest.approx(expected / 2, abs=1e-4)


@pytest.mark.parametrize(("inertia", "share"), [(1 / 2, 2 / 3), (2 / 5, 5 / 7)])
def test_a_disc_and_a_sphere_roll(inertia: float, share: float) -> None:
    r, shape = 0.25, circle(0.25)
    states, up = on_slope(0.3, shape, r, friction=1.0, inertia=inertia * shape.area * r * r)
    speed = states.velocity[-1, 1] @ up
    assert speed == pytest.approx(-share * G * np.sin(0.3), rel=1e-10)
    assert states.spin[-1, 1] * r == pytest.approx(-speed, rel=1e-10)


# ------------------------------------------------------------------------------ conservation


@pytest.mark.parametrize("gap", [0.0, 1e-5, 0.01])
def test_the_last_ball_takes_all_the_speed(gap: float) -> None:
    r = 0.1
    world = World([Body(circle(r), restitution=1.0, friction=0.0)] * 5, gravity=(0.0, 0.0))
    x = [[k * (2 * r + gap) - 0.3 * (k == 0), 0.0] for k in range(5)]
    states = simulated(world, x, None, [[1.0, 0.0], *[[0.0, 0.0]] * 4])
    np.testing.assert_allclose(states.velocity[-1, :, 0], [0, 0, 0, 0, 1], atol=1e-12)


@pytest.mark.parametrize(("friction", "restitution"), [(0.0, 1.0), (0.6, 0.5)])
def test_collisions_keep_momentum_and_elastic_ones_energy(friction: Any, restitution: Any) -> None:
    shapes = [box(1, 0.5), box(0.4, 0.8), capsule(0.6, 0.2), polygon([[0, 0], [1, 0], [0.3, 0.8]])]
    world = World(
        [Body(s, friction=friction, restitution=restitution) for s in shapes], gravity=(0.0, 0.0)
    )
    x = [[-1, 0], [1, 0.2], [0, 1.5], [0.2, -1.5]]
    v = [[2, 0.1], [-2, 0], [0, -2], [0, 2]]
    states = simulated(world, x, [0.1, 0.2, 0.3, 0.4], v, [0.5, -0.3, 1.0, 0.0])
    assert np.abs(np.diff(states.velocity, axis=0)).max() > 1  # they collide
    energy, momentum, angular = kept(world, states)
    assert np.ptp(momentum, axis=0).max() < 1e-12
    # exact for impulses; what opens an overlap moves bodies without one
    assert np.ptp(angular) < 5e-4 * abs(angular[0])
    if friction == 0:
        assert np.ptp(energy) < 1e-12
    else:
        assert np.diff(energy).max() < 1e-12 and energy[-1] < 0.8 * energy[0]


def test_one_collision_keeps_angular_momentum_to_rounding() -> None:
    shapes = [box(1, 0.5), capsule(0.6, 0.2)]
    world = World([Body(s, friction=0.5, restitution=0.5) for s in shapes], gravity=(0.0, 0.0))
    x, v = [[-1, 0], [1, 0.2]], [[2, 0.1], [-2, 0]]
    states = simulated(world, x, [0.1, 0.9], v, [0.5, -0.3])
    energy, momentum, angular = kept(world, states)
    assert energy[-1] < 0.9 * energy[0]
    assert np.ptp(momentum, axis=0).max() < 1e-13
    assert np.ptp(angular) < 1e-12


@pytest.mark.parametrize(("shape", "angle"), [(circle(0.2), 0.0), (box(0.4, 0.4), 0.3)])
def test_elastic_bounces_keep_energy(shape: Any, angle: float) -> None:
    kind = {"restitution": 1.0, "friction": 0.0}
    world = World([ground(**kind), Body(shape, **kind)])
    states = simulated(world, [[0, -1], [0, 1.2]], [0, angle], steps=1200)
    energy, _, _ = kept(world, states)
    assert np.ptp(energy) < 1e-11
    assert (np.diff(np.sign(states.velocity[:, 1, 1])) > 0).sum() >= 4  # bounces


def test_a_ball_rebounds_with_its_restitution() -> None:
    world = World([ground(restitution=0.6), Body(circle(0.2), restitution=0.6)])
    y = simulated(world, [[0, -1], [0, 1.2]], steps=200).position[:, 1, 1] - 0.2
    peak = y[110:].max()
    assert peak == pytest.approx(0.36, rel=1e-3)


# ------------------------------------------------------------------------------------ joints


def test_a_compound_pendulum_has_its_period_to_second_order() -> None:
    length, thick, a0 = 1.0, 0.05, 0.1
    rod = box(length, thick)
    inertia = rod.moment + rod.area * length**2 / 4
    small = 2 * np.pi * np.sqrt(inertia / (rod.area * G * length / 2))
    period = small * (1 + a0**2 / 16 + 11 * a0**4 / 3072)
    errors = []
    for dt in (1 / 120, 1 / 240):
        pin = revolute(0, 1, (0, 0), (-length / 2, 0))
        world = World([Body(box(0.1, 0.1), fixed=True), Body(rod)], joints=[pin])
        start = -np.pi / 2 + a0
        x = [[0, 0], [length / 2 * np.cos(start), length / 2 * np.sin(start)]]
        states = simulated(world, x, [0, start], steps=round(8 / dt), dt=dt)
        angle = states.angle[:, 1]
        ends = states.position[:, 1] - length / 2 * np.stack([np.cos(angle), np.sin(angle)], 1)
        assert np.abs(ends).max() < 1e-12  # the pin holds
        swing = angle + np.pi / 2
        at = np.flatnonzero((swing[:-1] < 0) & (swing[1:] >= 0))
        crossings = dt * (at + swing[at] / (swing[at] - swing[at + 1]))
        errors.append(np.diff(crossings).mean() / period - 1)
    assert abs(errors[1]) < 2e-5
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.1)


def test_a_chain_of_five_does_not_come_apart() -> None:
    joints = [revolute(k, k + 1, (0.25 * (k > 0), 0), (-0.25, 0)) for k in range(5)]
    bodies = [Body(box(0.1, 0.1), fixed=True), *[Body(box(0.5, 0.1))] * 5]
    world = World(bodies, joints=joints, pairs=[])
    s = simulated(world, [[0, 0], *[[0.25 + 0.5 * k, 0] for k in range(5)]], steps=2400)
    half = 0.25 * np.stack([np.cos(s.angle), np.sin(s.angle)], axis=-1)
    left, right = s.position - half, s.position + half
    assert np.abs(left[:, 2:] - right[:, 1:-1]).max() < 1e-3
    assert np.abs(left[:, 1]).max() < 1e-3


def test_rods_welds_and_motors() -> None:
    beam = Body(box(0.1, 0.1), fixed=True)
    rod = World([beam, Body(circle(0.1))], joints=[distance(0, 1, (0, 0), (0, 0), 1.0)])
    s = simulated(rod, [[0, 0], [1, 0]], steps=1200)
    np.testing.assert_allclose(np.hypot(*s.position[:, 1].T), 1, atol=1e-12)
    bar = World([beam, Body(box(1, 0.1))], joints=[weld(0, 1, (0, 0), (-0.5, 0), 0.2)])
    s = simulated(bar, [[0, 0], [0.5 * np.cos(0.2), 0.5 * np.sin(0.2)]], [0, 0.2])
    np.testing.assert_allclose(s.angle[:, 1], 0.2, atol=1e-12)
    torque, disc = 0.05, circle(0.2)
    driven: list[Joint] = [revolute(0, 1, (0, 0), (0, 0)), motor(0, 1, 3.0, torque)]
    s = simulated(World([beam, Body(disc)], joints=driven, pairs=[]), [[0, 0], [0, 0]])
    assert s.spin[9, 1] == pytest.approx(10 * DT * torque / disc.moment)
    assert s.spin[-1, 1] == pytest.approx(3.0)


# ------------------------------------------------------------------------------- derivatives


def slope_along(f: Any, at: Any, direction: Any, h: float = 1e-6) -> tuple[float, float]:
    """The derivative of f along a direction from its gradient, and by differences of fourth order."""
    gradient = ra.grad(f)(at)
    near, far = (f(at + s * direction) - f(at - s * direction) for s in (h, 2 * h))
    return float(np.vdot(gradient, direction)), float(8 * near - far) / (12 * h)


def thrown(body: Body, dt: float, steps: int, model: Model = None) -> Any:
    """Where a body is after steps over the ground, for its start (x, y, angle, vx, vy, spin)."""
    kind = {"friction": body.friction, "restitution": body.restitution}
    world = World([ground(**kind), body])

    @ra.fn
    def final(z: Any) -> Any:
        x = ra.array([np.array([0.0, -1.0]), z[:2]])
        v = ra.array([np.zeros(2), z[3:5]])
        start = world.at(x, ra.array([0.0, z[2]]), v, ra.array([0.0, z[5]]))
        s = ra.fori_loop(0, steps, lambda _, s: (model or impulses.step)(world, s, dt), start)
        return s.position[1, 0] + 0.3 * s.position[1, 1] + 0.1 * s.angle[1]

    return final


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (impulses.step, circle(0.2)),
        (impulses.step, box(0.5, 0.4)),
        (impulses.step, capsule(0.5, 0.15)),
        (penalty.step, box(0.5, 0.4)),
    ],
)
def test_gradients_of_each_model_agree_with_differences(model: Model, shape: Any) -> None:
    f = thrown(Body(shape, friction=0.4, restitution=0.5), 1 / 120, 60, model)
    at = np.array([0.1, 0.55, 0.35, 1.3, -0.7, 0.6])
    rng = np.random.default_rng(3)
    for _ in range(3):
        direction = rng.normal(size=6)
        exact, differences = slope_along(f, at, direction, 3e-7)
        assert exact == pytest.approx(differences, rel=1e-6, abs=1e-8)


def test_the_derivative_of_a_bounce_is_that_of_the_exact_motion() -> None:
    """Without gravity a ball that starts δ higher ends δ lower: the sign a rule without times gets wrong."""
    kind = {"restitution": 1.0, "friction": 0.0}
    world = World([ground(**kind), Body(circle(0.2), **kind)], gravity=(0.0, 0.0))

    @ra.fn
    def height(y: Any) -> Any:
        x = ra.array([np.array([0.0, -1.0]), ra.array([0.0, y])])
        start = world.at(x, np.zeros(2), np.array([[0.0, 0.0], [1.0, -2.0]]))
        return ra.fori_loop(0, 100, lambda _, s: impulses.step(world, s, DT), start).position[1, 1]

    for y in np.linspace(0.5, 0.51, 7):
        assert height(y) == pytest.approx(100 * DT * 2 - y + 0.4, abs=1e-12)
        assert ra.grad(height)(y) == pytest.approx(-1, abs=1e-12)


def test_an_oblique_collision_of_discs_has_the_exact_derivative() -> None:
    """The velocity of a struck disc in closed form, by the impact parameter."""
    r, speed = 0.1, 1.3
    world = World([Body(circle(r), friction=0.0, restitution=1.0)] * 2, gravity=(0.0, 0.0))

    @ra.fn
    def struck(b: Any) -> Any:
        x = ra.array([ra.array([0.0, b]), np.array([0.77, 0.0])])
        start = world.at(x, np.zeros(2), np.array([[speed, 0.0], [0.0, 0.0]]))
        return ra.fori_loop(0, 200, lambda _, s: impulses.step(world, s, DT), start).velocity[1]

    for b in (0.0, 0.05, -0.12):
        s = b / (2 * r)
        c = np.sqrt(1 - s * s)
        exact = speed * np.array([-2 * s / (2 * r), -(1 - 2 * s * s) / (2 * r * c)])
        np.testing.assert_allclose(struck(b), speed * c * np.array([c, -s]), atol=1e-10)
        np.testing.assert_allclose(ra.jacfwd(struck)(b), exact, rtol=1e-8, atol=1e-8)


def test_the_penalty_model_has_its_overlap_and_refuses_joints() -> None:
    world = World([ground(), Body(circle(0.2))])
    states = ra.fn(lambda x: rolled(world, world.at(x, np.zeros(2)), 480, DT, penalty.step))(
        np.array([[0.0, -1.0], [0.0, 0.2]])
    )
    assert states.position[-1, 1, 1] - 0.2 == pytest.approx(-circle(0.2).area * G / 1e4, rel=0.1)
    joined = World([ground(), Body(circle(0.2))], joints=[motor(0, 1, 1.0)])
    with pytest.raises(SceneError, match="joints"):
        ra.fn(lambda x: penalty.step(joined, joined.at(x, np.zeros(2)), DT))(np.zeros((2, 2)))
