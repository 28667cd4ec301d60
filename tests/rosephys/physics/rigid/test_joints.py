"""Joints hold, and make no energy, in any graph, at any ratio of masses and any step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys.physics.rigid import implicit, impulses
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.elimination import Elimination
from rosephys.physics.rigid.joints import Joint, distance, motor, revolute, weld
from rosephys.physics.rigid.shapes import box, circle

LONG, THICK = 0.2, 0.1


@dataclass
class Run:
    """What was seen after each step: positions, angles, energy, kinetic energy, and the speeds of all
    bodies."""

    position: Any
    angle: Any
    energy: Any
    kinetic: Any
    velocity: Any

    @property
    def growth(self) -> float:
        """The most by which energy has grown over what it had been, as a share of the largest kinetic
        energy."""
        grown = (self.energy - np.minimum.accumulate(self.energy)).max()
        return float(grown / max(self.kinetic.max(), 1e-6))


def run(
    world: World, x: Any, angle: Any, dt: float, seconds: float, model: Any = impulses.step
) -> Run:
    @ra.fn
    def states(x: Any, angle: Any) -> Any:
        def once(s: Any, _: Any) -> Any:
            s = model(world, s, dt)
            still = world.at(s.position, s.angle)
            energy = world.energy(s)
            return s, (s.position, s.angle, energy, energy - world.energy(still), s.velocity)

        return ra.scan(once, world.at(x, angle), length=round(seconds / dt))[1]

    return Run(*states(np.array(x, float), np.array(angle, float)))


def turned(angle: Any, at: Any) -> Any:
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * at[0] - s * at[1], s * at[0] + c * at[1]], axis=-1)


def off(world: World, seen: Run) -> float:
    """The most by which a joint has been off, in metres; angles count as on an arm of LONG."""
    worst = 0.0
    for joint in world.joints:
        (a, b), (at_a, at_b) = joint.bodies, joint.anchors
        d = seen.position[:, b] + turned(seen.angle[:, b], at_b)
        d -= seen.position[:, a] + turned(seen.angle[:, a], at_a)
        apart = np.hypot(d[:, 0], d[:, 1]) - (joint.target if joint.kind == "distance" else 0.0)
        worst = max(worst, float(np.abs(apart).max()))
        if joint.kind == "weld":
            twist = seen.angle[:, b] - seen.angle[:, a] - joint.target
            worst = max(worst, LONG * float(np.abs(twist).max()))
    return worst


def row(kind: Any, count: int, loads: tuple[float, ...] = ()) -> tuple[World, Any, Any]:
    """Links in a row from a fixed body at the origin, then squares of `loads` times their mass; it lies along
    x."""
    link = Body(box(LONG, THICK))
    square = [Body(box(LONG, LONG), density=load * THICK / LONG) for load in loads]
    joints = [
        kind(k, k + 1, (LONG / 2 if k else 0.0, 0.0), (-LONG / 2, 0.0))
        for k in range(count + len(loads))
    ]
    world = World(
        [Body(box(0.1, 0.1), fixed=True), *[link] * count, *square], joints=joints, pairs=[]
    )
    x = [[0.0, 0.0], *[[LONG * (k + 0.5), 0.0] for k in range(count + len(loads))]]
    return world, x, np.zeros(len(x))


# ------------------------------------------------------------------------------- right values


@pytest.mark.parametrize("dt", [1 / 240, 1 / 1000])
@pytest.mark.parametrize("count", [3, 5])
def test_welded_boxes_stay_at_rest(count: int, dt: float) -> None:
    world, x, angle = row(weld, count)
    seen = run(world, x, angle, dt, 2.0)
    assert np.abs(seen.position - np.array(x)).max() < 1e-9
    assert np.abs(seen.velocity).max() < 1e-8


@pytest.mark.parametrize("load", [100.0, 1e4])
@pytest.mark.parametrize("dt", [1 / 30, 1 / 240, 1 / 1000])
def test_a_light_link_with_a_heavy_load_swings_like_a_pendulum(load: float, dt: float) -> None:
    """Load and link welded are one body: its period, for a swing of a quarter turn, is that of the integral."""
    world, x, angle = row(lambda *a: (weld if a[0] else revolute)(*a), 1, (load,))
    seen = run(world, x, angle, dt, 3.0)
    assert seen.growth < 1e-6 and off(world, seen) < 1e-9
    mass = np.array([1.0, load])
    arm = np.array([0.5, 1.5]) * LONG
    own = mass * (LONG**2 + np.array([THICK, LONG]) ** 2) / 12
    rate = np.sqrt(9.81 * (mass @ arm) / (own.sum() + mass @ arm**2))
    period = 4 / rate * 1.8540746773013719  # K(sin²(π/4)), the complete elliptic integral
    height = seen.position[:, 1, 1]
    bottom = dt * (1 + np.flatnonzero((height[1:-1] < height[:-2]) & (height[1:-1] <= height[2:])))
    assert len(bottom) >= 4
    assert np.diff(bottom).mean() == pytest.approx(period / 2, rel=0.02, abs=dt)
    if dt < 1 / 100:  # and energy is kept
        assert np.ptp(seen.energy) < 1e-4 * seen.kinetic.max()


@pytest.mark.parametrize("dt", [1 / 30, 1 / 240])
def test_a_chain_of_light_links_bears_a_load_of_ten_thousand_times_their_mass(dt: float) -> None:
    world, x, angle = row(revolute, 5, (1e4,))
    seen = run(world, x, angle, dt, 3.0)
    assert seen.growth < 1e-6 and off(world, seen) < 1e-6


@pytest.mark.parametrize(
    ("density", "dt"),
    [
        (1.0, 1 / 240),
        pytest.param(1.0, 1 / 60, marks=pytest.mark.slow),
        pytest.param(1.0, 1 / 1000, marks=pytest.mark.slow),
        pytest.param(10.0, 1 / 240, marks=pytest.mark.slow),
        (100.0, 1 / 240),
    ],
)
def test_taut_planks_hold_a_box_that_is_dropped_on_them(density: float, dt: float) -> None:
    count = 8
    plank, post = Body(box(0.5, 0.1)), Body(box(0.1, 0.1), fixed=True)
    pins = [revolute(0, 1, (0.0, 0.0), (-0.25, 0.0))]
    pins += [revolute(k, k + 1, (0.25, 0.0), (-0.25, 0.0)) for k in range(1, count)]
    pins += [revolute(count, count + 1, (0.25, 0.0), (0.0, 0.0))]
    pairs = [(k, count + 2) for k in range(1, count + 1)]
    load = Body(box(0.5, 0.5), density=density)
    world = World([post, *[plank] * count, post, load], joints=pins, pairs=pairs)
    ends = [0.0, *[0.25 + 0.5 * k for k in range(count)], 0.5 * count]
    x = [*[[e, 0.0] for e in ends], [0.25 * count, 0.8]]
    seen = run(world, x, np.zeros(len(x)), dt, 4.0)
    assert off(world, seen) < 1e-3 * 0.5
    # what closes gaps of joints and opens overlaps is paid for
    assert seen.growth < 1e-3 and seen.energy.max() <= seen.energy[0] + 1e-9
    height = seen.position[:, -1, 1]
    assert height.min() > 0.285 and height[-1] < 0.305  # it lies on them
    assert np.abs(seen.position[:, 1:-2, 1]).max() < 0.02  # which are taut


@pytest.mark.parametrize("dt", [1 / 30, 1 / 60, 1 / 240])
@pytest.mark.parametrize(
    ("count", "load", "place", "pairs"),
    [
        (8, 1e4, 4, False),
        *(
            pytest.param(*row, marks=pytest.mark.slow)
            for row in [
                (4, 1e4, 1, False),
                (4, 1e4, 1, True),
                (5, 1000.0, 2, False),
                (5, 1000.0, 2, True),
                (8, 1e4, 4, True),
                (12, 10.0, 6, False),
                (12, 10.0, 6, True),
                (16, 1e4, 8, False),
                (20, 1e4, 3, False),
            ]
        ),
    ],
)
def test_a_taut_row_between_two_posts_holds_its_heaviest_link(
    count: int, load: float, place: int, pairs: bool, dt: float
) -> None:
    """Straight, it cannot move, and no tension is enough: joints yield next to nothing, and do not creep."""
    world, x = taut(count, load, place, pairs)
    seen = run(world, x, np.zeros(len(x)), dt, 3.0)
    assert off(world, seen) < 1e-3 * 4.0 / count
    assert seen.energy.max() < 1e-6 * world.mass.max()  # it starts from rest at height 0
    assert np.abs(seen.position[:, 1:-1, 1]).max() < 0.02


def taut(count: int, load: Any, place: int, pairs: bool) -> tuple[World, Any]:
    """Links of 4 m together, pinned in a straight row between two posts; that at `place` is `load` times as
    heavy as the others."""
    length = 4.0 / count
    post, link = Body(box(0.1, 0.1), fixed=True), box(length, 0.05)
    bodies = [Body(link, density=load if k == place else 1.0) for k in range(count)]
    pins = [revolute(0, 1, (0.0, 0.0), (-length / 2, 0.0))]
    pins += [revolute(k, k + 1, (length / 2, 0.0), (-length / 2, 0.0)) for k in range(1, count)]
    pins += [revolute(count, count + 1, (length / 2, 0.0), (0.0, 0.0))]
    far = [(0, count)] if pairs else []
    x = [(0.0, 0.0), *[(length * (k + 0.5), 0.0) for k in range(count)], (4.0, 0.0)]
    return World([post, *bodies, post], joints=pins, pairs=far), x


@pytest.mark.parametrize("radius", [0.30, 0.301, 0.31])
@pytest.mark.parametrize("links", [2, 6])
def test_a_ball_that_its_chain_pushes_against_makes_no_energy(links: int, radius: float) -> None:
    """The last link but one touches the ball, or overlaps it, and the chain is straight: joints do not let them
    part at first."""
    way = np.array([np.sin(-1.2), -np.cos(-1.2)])
    bodies = [Body(box(0.1, 0.1), fixed=True), *[Body(box(0.05, 0.3))] * links]
    bodies += [Body(circle(radius), density=20.0)]
    x = [(0.0, 3.0), *[(0, 3) + way * (0.15 + 0.3 * k) for k in range(links)]]
    x += [(0, 3) + way * 0.3 * links]
    joints = [revolute(0, 1, (0.0, 0.0), (0.0, 0.15))]
    joints += [revolute(k, k + 1, (0.0, -0.15), (0.0, 0.15)) for k in range(1, links)]
    joints += [revolute(links, links + 1, (0.0, -0.15), (0.0, 0.0))]
    world = World(bodies, joints=joints, pairs=[(links - 1, links + 1)])
    seen = run(world, x, np.array([0.0, *[-1.2] * links, 0.0]), 1 / 240, 3.0)
    assert seen.energy.max() < seen.energy[0] * (1 + 1e-3)
    assert off(world, seen) < 1e-3 * 0.3


@pytest.mark.parametrize("dt", [1 / 60, 1 / 240])
def test_the_implicit_model_bears_a_heavy_load(dt: float) -> None:
    """What energy grows by is what stretched joints give back: (3 m g)² / 2 k."""
    world, x, angle = row(revolute, 3, (1000.0,))
    seen = run(world, x, angle, dt, 2.0, implicit.step)
    weight = 1000 * LONG * THICK * 9.81
    assert (seen.energy - np.minimum.accumulate(seen.energy)).max() < (3 * weight) ** 2 / 2e6
    assert off(world, seen) < 4 * weight / 1e6


def check_implicit(seed: int, count: int, loops: int, dt: float, seconds: float) -> None:
    """Motion and stretched joints together never gain energy."""
    world, x, angle = graph(seed, count, loops, fixed=True)

    @ra.fn
    def energies(x: Any, angle: Any) -> Any:
        def once(s: Any, _: Any) -> Any:
            s = implicit.step(world, s, dt)
            return s, world.energy(s) + implicit.stored(world, s)

        return ra.scan(once, world.at(x, angle), length=round(seconds / dt))[1]

    energy = energies(x, angle)
    scale = max(float(np.ptp(energy)), 1e-3)
    assert np.diff(energy).max() < 1e-8 * scale


@given(st.integers(0, 2**31), st.integers(2, 8), st.integers(0, 2), st.sampled_from([30, 60, 240]))
@settings(deadline=None, phases=[Phase.explicit, Phase.generate], max_examples=6)
@example(1841358262, 6, 0, 30)  # links turn by radians in a step
@example(1326161204, 7, 1, 30)
def test_no_graph_of_joints_gains_energy_in_the_implicit_model(
    seed: int, count: int, loops: int, rate: int
) -> None:
    check_implicit(seed, count, loops, 1 / rate, 2.0)


@pytest.mark.slow
@given(st.integers(0, 2**31), st.integers(2, 12), st.integers(0, 4), st.sampled_from([30, 60, 240]))
@settings(deadline=None, phases=[Phase.explicit, Phase.generate], max_examples=25)
def test_no_graph_of_many_joints_does_in_the_implicit_model(
    seed: int, count: int, loops: int, rate: int
) -> None:
    check_implicit(seed, count, loops, 1 / rate, 5.0)


def test_weak_and_strong_motors_turn_a_chain() -> None:
    world, x, angle = row(revolute, 2)
    torque = 0.01
    driven = [*world.joints, motor(0, 1, 2.0), motor(1, 2, -3.0, torque)]
    world = World(world.bodies, joints=driven, pairs=[], gravity=(0.0, 0.0))
    seen = run(world, x, angle, 1 / 240, 2.0)
    first, second = np.diff(seen.angle[:, 1:], axis=0).T * 240
    np.testing.assert_allclose(first[5:], 2.0, rtol=1e-6)
    np.testing.assert_allclose((second - first)[-50:], -3.0, rtol=1e-6)


# ------------------------------------------------------------------------------- linear systems


@given(st.integers(1, 12), st.integers(0, 8), st.integers(0, 2**31))
@settings(max_examples=10, deadline=None, phases=[Phase.generate])
def test_elimination_solves_what_a_dense_solver_solves(nodes: int, loops: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = {(int(rng.integers(0, k)), k) for k in range(1, nodes)}
    if nodes > 1:
        pairs = (sorted(rng.choice(nodes, 2, replace=False)) for _ in range(loops))
        edges |= {(int(i), int(j)) for i, j in pairs}
    order = Elimination(nodes, edges)
    blocks, dense = np.zeros((order.blocks, 3, 3)), np.zeros((nodes, 3, nodes, 3))
    for (i, j), q in order.block.items():
        if i == j or (i, j) in edges or (j, i) in edges:
            blocks[q] = dense[i, :, j] = rng.normal(size=(3, 3)) + 12 * (i == j) * np.eye(3)
    b, weight = rng.normal(size=(2, nodes, 3))
    matrix = dense.reshape(3 * nodes, -1)
    solved = ra.fn(lambda blocks, b: order.solved(blocks, b))
    found = solved(blocks, b)
    np.testing.assert_allclose(found.ravel(), np.linalg.solve(matrix, b.ravel()), atol=1e-12)
    told = ra.grad(ra.fn(lambda blocks, b: ra.sum(weight * solved(blocks, b))), 1)(blocks, b)
    np.testing.assert_allclose(told.ravel(), np.linalg.solve(matrix.T, weight.ravel()), atol=1e-12)


# ------------------------------------------------------------------------------- any graph


def graph(seed: int, count: int, loops: int, fixed: bool) -> tuple[World, Any, Any]:
    """A random tree of boxes, and some more joints between any of them, of masses that differ by up to 1e4."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(0.2, 0.6, count)
    size = np.stack([size, size * rng.uniform(0.2, 0.6, count)], axis=1)
    density = 10 ** rng.uniform(0, 4, count)
    density *= size.prod(axis=1).min() / size.prod(axis=1)  # masses, not densities
    shapes = [box(w, h) for w, h in size]
    bodies = [
        Body(s, density=d, fixed=fixed and k == 0)
        for k, (s, d) in enumerate(zip(shapes, density, strict=True))
    ]
    x, angle = np.zeros((count, 2)), rng.uniform(-np.pi, np.pi, count)
    joints: list[Joint] = []
    for b in range(1, count):
        a, kind = int(rng.integers(0, b)), rng.choice(["revolute", "revolute", "weld", "distance"])
        at_a, at_b = (size[k] * rng.uniform(-0.5, 0.5, 2) for k in (a, b))
        long = rng.uniform(0.1, 0.5) if kind == "distance" else 0.0
        place = x[a] + turned(angle[a], at_a) + turned(rng.uniform(-np.pi, np.pi), (long, 0.0))
        x[b] = place - turned(angle[b], at_b)
        joints.append(joined(kind, (a, b), (at_a, at_b), angle, long))
    for _ in range(loops):
        a, b = (int(k) for k in sorted(rng.choice(count, 2, replace=False)))
        kind, middle = rng.choice(["revolute", "weld", "distance"]), (x[a] + x[b]) / 2
        long = float(np.hypot(*(x[b] - x[a])))
        if kind == "distance" and long < 0.05:
            continue
        centre = np.zeros(2)
        ends = [centre if kind == "distance" else turned(-angle[k], middle - x[k]) for k in (a, b)]
        joints.append(joined(kind, (a, b), (ends[0], ends[1]), angle, long))
    return World(bodies, joints=joints, pairs=[]), x, angle


def joined(kind: Any, ab: tuple[int, int], ends: Any, angle: Any, long: float) -> Joint:
    at_a, at_b = (tuple(float(v) for v in e) for e in ends)
    if kind == "distance":
        return distance(*ab, at_a, at_b, long)
    if kind == "weld":
        return weld(*ab, at_a, at_b, float(angle[ab[1]] - angle[ab[0]]))
    return revolute(*ab, at_a, at_b)


def check(seed: int, count: int, loops: int, fixed: bool, dt: float, seconds: float) -> None:
    world, x, angle = graph(seed, count, loops, fixed)
    seen = run(world, x, angle, dt, seconds)
    assert np.isfinite(seen.energy).all()
    # a body that falls freely moves fast; what counts is how fast they move about each other
    assert seen.growth < 1e-3
    assert off(world, seen) < 1e-3 * LONG


STEPS = st.sampled_from([1 / 30, 1 / 60, 1 / 120, 1 / 240, 1 / 1000])
UNSHRUNK = settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@given(st.integers(0, 2**31), st.integers(2, 8), st.integers(0, 3), st.booleans(), STEPS)
@settings(UNSHRUNK, max_examples=6)
def test_no_graph_of_joints_gains_energy(
    seed: int, count: int, loops: int, fixed: bool, dt: float
) -> None:
    check(seed, count, loops, fixed, dt, 2.0)


@pytest.mark.slow
@given(st.integers(0, 2**31), st.integers(2, 30), st.integers(0, 8), st.booleans(), STEPS)
@example(358686, 19, 7, True, 1 / 240)  # links that snap through, where no solution is found
@settings(UNSHRUNK, max_examples=40)
def test_no_graph_of_many_joints_gains_energy_in_ten_seconds(
    seed: int, count: int, loops: int, fixed: bool, dt: float
) -> None:
    check(seed, count, loops, fixed, dt, 10.0)


# ------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize("model", [impulses.step, implicit.step])
@pytest.mark.parametrize(("kind", "load"), [(revolute, 1.0), (revolute, 100.0), (weld, 10.0)])
def test_gradients_agree_with_differences(kind: Any, load: float, model: Any) -> None:
    world, x, _ = row(kind, 3)
    rod = distance(0, 4, (0.0, 0.5), (0.0, 0.0), float(np.hypot(3.5 * LONG, 0.5)))
    ball = Body(circle(0.1), density=load)

    @ra.fn
    def end(weight: ra.Real, push: ra.Real) -> Any:
        bodies = [*world.bodies, Body(box(LONG, LONG), density=weight), ball]
        pins = [*world.joints, revolute(3, 4, (LONG / 2, 0.0), (-LONG / 2, 0.0))]
        loop = [*pins, *([rod] if kind is weld else [distance(4, 5, (0.1, 0.0), (0.0, 0.0), 0.3)])]
        jointed = World(bodies, joints=loop, pairs=[])
        places = np.array([*x, [3.5 * LONG, 0.0], [3.5 * LONG + 0.4, 0.0]])
        v = ra.array([np.zeros(2)] * 5 + [ra.array([0.0, push])])
        start = jointed.at(places, np.zeros(6), v)
        s = ra.fori_loop(0, 60, lambda _, s: model(jointed, s, 1 / 120), start)
        return s.position[4, 1] + 0.3 * s.angle[2] + s.position[5, 0]

    at = np.array([2.0, 0.4])
    exact = np.array(ra.grad(end, (0, 1))(*at))
    for k in (0, 1):
        h = np.zeros(2)
        h[k] = 1e-4
        near, far = (end(*(at + s * h)) - end(*(at - s * h)) for s in (1, 2))
        assert exact[k] == pytest.approx((8 * near - far) / 12e-4, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 10])
def test_the_gradient_of_how_far_a_taut_row_sags_agrees_with_differences(steps: int) -> None:
    """It is all what joints yield to."""

    @ra.fn
    def sag(load: ra.Real) -> Any:
        world, x = taut(4, load, 2, pairs=False)
        start = world.at(np.array(x), np.zeros(len(x)))
        s = ra.fori_loop(0, steps, lambda _, s: impulses.step(world, s, 1 / 60), start)
        return s.position[3, 1]

    for load in (10.0, 1000.0):
        h = 1e-3 * load
        difference = (sag(load + h) - sag(load - h)) / (2 * h)
        assert ra.grad(sag)(load) == pytest.approx(difference, rel=1e-3)
