"""Elastic bodies in closed rooms: nothing is lost, nobody gets out, at any speed and spin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys import Problem, find_scene
from rosephys.physics.rigid import implicit, impulses
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.shapes import Shape, box, capsule, circle, polygon

KIND = {"restitution": 1.0, "friction": 0.0}
THICK = 1.0  # of a wall
SHAPES = [
    circle(0.06),
    box(0.16, 0.08),
    capsule(0.12, 0.04),
    polygon([[0, 0], [0.14, 0.02], [0.05, 0.12]]),
    box(0.3, 0.05),
]


def room(shapes: list[Shape], gravity: float) -> World:
    """A closed room, a metre wide and high, and what is in it."""
    level, upright = box(1 + 4 * THICK, 2 * THICK), box(2 * THICK, 1 + 4 * THICK)
    walls = [Body(s, fixed=True, **KIND) for s in (level, level, upright, upright)]
    return World([*walls, *[Body(s, **KIND) for s in shapes]], gravity=(0.0, -gravity))


def lived(
    shapes: list[Shape],
    x: Any,
    angle: Any,
    v: Any,
    spin: Any,
    *,
    gravity: float,
    dt: float = 1 / 60,
    seconds: float = 10.0,
    model: Any = impulses.step,
) -> tuple[Any, Any]:
    """The energy before and after each step, and the positions of the bodies, (steps, n, 2)."""
    world, far = room(shapes, gravity), 0.5 + THICK
    walls = np.array([[0, -far], [0, far], [-far, 0], [far, 0]])

    @ra.fn
    def run(x: Any, angle: Any, v: Any, spin: Any) -> Any:
        start = world.at(x, angle, v, spin)

        def once(s: Any, _: Any) -> Any:
            s = model(world, s, dt)
            return s, (world.energy(s), s.position[4:])

        return world.energy(start), ra.scan(once, start, length=round(seconds / dt))[1]

    before = [
        np.concatenate([w, np.array(a, float)])
        for w, a in zip(
            (walls, np.zeros(4), np.zeros((4, 2)), np.zeros(4)), (x, angle, v, spin), strict=True
        )
    ]
    first, (energy, places) = run(*before)
    return np.concatenate([[first], energy]), places


def drawn(seed: int, count: int, fastest: float) -> tuple[list[Shape], Any, Any, Any, Any]:
    """Bodies of any shape, in cells of their own, with any spin; none faster than `fastest`."""
    rng = np.random.default_rng(seed)
    cells = np.array([(i, j) for i in (-0.33, 0, 0.33) for j in (-0.33, 0, 0.33)])
    shapes = [SHAPES[k] for k in rng.integers(len(SHAPES), size=count)]
    way = rng.uniform(0, 2 * np.pi, count)
    v = fastest * rng.uniform(0.2, 1, (count, 1)) * np.stack([np.cos(way), np.sin(way)], axis=1)
    x = rng.permutation(cells)[:count]
    return shapes, x, rng.uniform(0, 2 * np.pi, count), v, rng.normal(0, 20, count)


def check_room(seed: int, count: int, fastest: float, gravity: float) -> None:
    energy, places = lived(*drawn(seed, count, fastest), gravity=gravity)
    assert np.abs(energy / energy[0] - 1).max() < 1e-9
    assert np.abs(places).max() < 0.5


@pytest.mark.parametrize(
    ("seed", "count", "fastest", "gravity"),
    [
        (0, 1, 60.0, 9.81),
        (1, 2, 3.0, 9.81),
        (2, 3, 20.0, 0.0),
        (3, 8, 10.0, 9.81),
        (4, 8, 60.0, 0.0),
    ],
)
def test_a_room_keeps_its_energy_and_its_prisoners(
    seed: int, count: int, fastest: float, gravity: float
) -> None:
    check_room(seed, count, fastest, gravity)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.integers(1, 8), st.floats(0.3, 60.0), st.sampled_from([0.0, 9.81]))
def test_any_room_does(seed: int, count: int, fastest: float, gravity: float) -> None:
    check_room(seed, count, fastest, gravity)


@pytest.mark.parametrize("spin", [0.0, 5.0, 20.0, 60.0])
@pytest.mark.parametrize("model", [impulses.step, implicit.step])
def test_a_box_at_ten_metres_a_second_stays_in(model: Any, spin: float) -> None:
    start = [box(0.3, 0.1)], [[0, 0]], [0.3], [[10.0, 3.0]], [spin]
    energy, places = lived(*start, gravity=0.0, model=model)
    assert np.abs(energy / energy[0] - 1).max() < 1e-9
    assert np.abs(places).max() < 0.5


def test_a_box_that_tumbles_on_the_ground_keeps_its_energy() -> None:
    world = World([Body(box(40.0, 2.0), fixed=True, **KIND), Body(box(0.3, 0.1), **KIND)])
    x, angle, spin = np.array([[0, -1.0], [0, 1.0]]), np.array([0, 0.3]), np.array([0, 5.0])

    @ra.fn
    def run(x: Any) -> Any:
        start = world.at(x, angle, None, spin)

        def once(s: Any, _: Any) -> Any:
            s = impulses.step(world, s, 1 / 240)
            return s, world.energy(s)

        return world.energy(start), ra.scan(once, start, length=20 * 240)[1]

    first, energy = run(x)
    assert np.abs(energy / first - 1).max() < 1e-9


def test_an_elastic_throw_keeps_its_energy() -> None:
    p = Problem(find_scene("throw", {"restitution": 1.0, "friction": 0.0, "steps": 1600}))
    states = p.trajectory(p.values)
    world = p.scene.world  # type: ignore[attr-defined]
    energy = ra.fn(
        lambda s: ra.build(1601, lambda t: world.energy(ra.map_leaves(lambda a: a[t], s)))
    )(states)
    assert np.abs(energy / energy[0] - 1).max() < 1e-9


@pytest.mark.parametrize("spin", [60.0, 90.0, 200.0])
def test_a_rod_that_turns_a_radian_a_step_hits_in_time(spin: float) -> None:
    """After its first impact, and before the second, it moves as with steps a hundred times shorter."""
    found = []
    for dt in (1 / 60, 1 / 6000):
        start = [box(0.6, 0.02)], [[0, -0.25]], [0.0], [[0.0, 0.0]], [spin]
        _, places = lived(*start, gravity=0.0, dt=dt, seconds=1 / 60)
        found.append(places[-1])
    assert np.abs(found[1] - [0, -0.25]).max() > 1e-3  # it has hit
    np.testing.assert_allclose(found[0], found[1], atol=1e-9)


def test_a_ball_faster_than_a_room_a_step_bounces_to_and_fro() -> None:
    """In closed form: its way is folded between the walls."""
    speed, r = 137.0, 0.06
    _, places = lived([circle(r)], [[0.1, 0]], [0], [[speed, 0]], [0], gravity=0.0, seconds=1.0)
    free = 1 - 2 * r
    way = 0.1 + free / 2 + speed * np.arange(1, 61) / 60
    folded = free / 2 - np.abs(way % (2 * free) - free)
    np.testing.assert_allclose(places[:, 0, 0], folded, atol=1e-11)


def test_the_gradient_through_many_impacts_in_a_step_agrees_with_differences() -> None:
    world, far = room([box(0.3, 0.1), circle(0.06)], 9.81), 0.5 + THICK
    walls = np.array([[0, -far], [0, far], [-far, 0], [far, 0]])

    @ra.fn
    def end(z: Any) -> Any:
        x = ra.concat([walls, ra.reshape(z[:4], (2, 2))])
        v = ra.concat([np.zeros((4, 2)), ra.reshape(z[4:8], (2, 2))])
        angle, spin = ra.concat([np.zeros(4), z[8:10]]), ra.concat([np.zeros(4), z[10:12]])
        s = ra.fori_loop(
            0, 2, lambda _, s: impulses.step(world, s, 1 / 30), world.at(x, angle, v, spin)
        )
        return s.position[4, 0] + 0.7 * s.position[5, 1] + 0.1 * s.angle[4]

    at = np.array([0.1, 0, -0.2, 0.2, 12.0, 5.0, -9.0, 14.0, 0.3, 0.0, 4.0, 0.0])
    gradient = ra.grad(end)(at)
    rng = np.random.default_rng(0)
    for _ in range(3):
        d = rng.normal(size=12)
        near, far_off = (end(at + k * 1e-6 * d) - end(at - k * 1e-6 * d) for k in (1, 2))
        assert gradient @ d == pytest.approx((8 * near - far_off) / 12e-6, rel=1e-6)


@pytest.mark.parametrize(("seed", "count"), [(1, 1), (4, 3)])
def test_both_modes_agree_through_impacts_in_a_room(seed: int, count: int) -> None:
    """Along the velocities and spins, after as many impacts as a fifth of a second has."""
    shapes, x, angle, v, spin = drawn(seed, count, 6.0)
    world, far = room(shapes, 9.81), 0.5 + THICK
    walls = np.array([[0, -far], [0, far], [-far, 0], [far, 0]])

    def end(v: Any, spin: Any) -> Any:
        still = ra.zeros((4, 2))
        start = world.at(
            np.concatenate([walls, x]),
            np.concatenate([np.zeros(4), angle]),
            ra.concat([still, v]),
            ra.concat([still[:, 0], spin]),
        )
        last = ra.fori_loop(0, 12, lambda _, s: impulses.step(world, s, 1 / 60), start)
        return ra.sum(last.position[4:] ** 2) + ra.sum(last.angle[4:])

    along = np.random.default_rng(seed).normal(size=(count, 3))
    directions = along[:, :2], along[:, 2]
    forward = ra.fn(lambda v, w: ra.jvp(end, (v, w), directions)[1])(v, spin)
    by_v, by_spin = ra.grad(end, argnums=(0, 1))(v, spin)
    reverse = np.sum(by_v * directions[0]) + np.sum(by_spin * directions[1])
    np.testing.assert_allclose(forward, reverse, rtol=1e-9)
    plain = ra.fn(end)
    moved = [plain(v + h * directions[0], spin + h * directions[1]) for h in (1e-7, -1e-7)]
    np.testing.assert_allclose((moved[0] - moved[1]) / 2e-7, reverse, rtol=1e-4)
