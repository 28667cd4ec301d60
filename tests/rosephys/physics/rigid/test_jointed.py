"""What falls on bodies that are joined: nothing gains energy, however taut they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys.physics.rigid import impulses
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.joints import revolute, weld
from rosephys.physics.rigid.shapes import box, capsule, circle
from tests.rosephys.physics.rigid.test_joints import off, run


def bridge(seed: int) -> tuple[World, Any, Any, float]:
    """Planks, pinned or welded in a row between two posts, taut or slack, level or not; and what is dropped on
    them, of 0.1 to 300 times their density."""
    rng = np.random.default_rng(seed)
    count, long, slack = int(rng.integers(1, 9)), rng.uniform(0.3, 0.8), rng.choice([0, 0, 0.02])
    rough, bounce = rng.uniform(0, 1), float(rng.choice([0, 0, 0.3, 0.8]))
    kind: dict[str, Any] = {"friction": rough, "restitution": bounce}
    thick = long * rng.uniform(0.1, 0.3)
    shape = box(long, thick) if rng.random() < 0.5 else capsule(long - thick, thick / 2)
    plank, post = (
        Body(shape, density=10 ** rng.uniform(-1, 1), **kind),
        Body(box(0.1, 0.1), fixed=True),
    )

    # two straight halves that hang, or one line
    bent = np.arccos(1 - slack) if count % 2 == 0 else 0.0
    angle = np.where(np.arange(count) < count / 2, -bent, bent) + rng.choice([0, 0, 0.2])
    ends = np.cumsum(
        [np.zeros(2), *long * np.stack([np.cos(angle), np.sin(angle)], axis=1)], axis=0
    )
    welded = rng.random() < 0.3
    pins = [revolute(0, 1, (0.0, 0.0), (-long / 2, 0.0))]
    for k in range(1, count):
        at = (k, k + 1, (long / 2, 0.0), (-long / 2, 0.0))
        pins.append(weld(*at, float(angle[k] - angle[k - 1])) if welded else revolute(*at))
    pins.append(revolute(count, count + 1, (long / 2, 0.0), (0.0, 0.0)))

    bodies, x = [post, *[plank] * count, post], [ends[0], *(ends[1:] + ends[:-1]) / 2, ends[-1]]
    pairs: list[tuple[int, int]] = []
    for load in range(int(rng.integers(1, 4))):
        r, me = rng.uniform(0.1, 0.4), count + 2 + load
        shape = [box(2 * r, r * rng.uniform(1, 2)), circle(r), capsule(r, r / 2)][rng.integers(3)]
        bodies.append(Body(shape, density=10 ** rng.uniform(-1, 2.5), **kind))
        pairs += [(k, me) for k in [*range(1, count + 1), *range(count + 2, me)]]
        place = ends[-1] * rng.uniform(0.2, 0.8)
        x.append([place[0], max(place[1], 0) + 0.9 + rng.uniform(0, 0.3) + 1.2 * load])
    turned = np.concatenate([[0], angle, [0], rng.uniform(-1, 1, len(bodies) - count - 2)])
    rate = float(rng.choice([120, 240, 240, 1000]))
    return World(bodies, joints=pins, pairs=pairs), np.array(x), turned, 1 / rate


def check(seed: int, seconds: float) -> None:
    world, x, angle, dt = bridge(seed)
    seen = run(world, x, angle, dt, seconds)
    assert np.isfinite(seen.energy).all()
    assert seen.growth < 1e-3
    assert off(world, seen) < 5e-3


@pytest.mark.parametrize("seed", [5, 8, 12])
def test_what_falls_on_a_bridge_makes_no_energy(seed: int) -> None:
    check(seed, 2.0)


@pytest.mark.slow
@given(st.integers(0, 2**31))
@settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    max_examples=40,
)
def test_no_bridge_makes_energy_in_ten_seconds(seed: int) -> None:
    check(seed, 10.0)


def test_the_gradient_through_a_taut_bridge_agrees_with_differences() -> None:
    """Of where a ball is that has landed on it, after a fall from a height."""
    plank, post = Body(box(0.5, 0.1)), Body(box(0.1, 0.1), fixed=True)
    pins = [revolute(0, 1, (0.0, 0.0), (-0.25, 0.0)), revolute(1, 2, (0.25, 0.0), (-0.25, 0.0))]
    pins.append(revolute(2, 3, (0.25, 0.0), (0.0, 0.0)))
    bodies = [post, plank, plank, post, Body(circle(0.2), density=3.0, restitution=0.4)]
    world = World(bodies, joints=pins, pairs=[(1, 4), (2, 4)])

    @ra.fn
    def end(height: ra.Real, aside: ra.Real) -> Any:
        x = [np.array(p) for p in ((0.0, 0.0), (0.25, -0.02), (0.75, -0.02), (1.0, 0.0))]
        start = world.at(ra.array([*x, ra.array([aside, height])]), np.zeros(5))
        s = ra.fori_loop(0, 60, lambda _, s: impulses.step(world, s, 1 / 240), start)
        return s.position[4, 0] + 0.5 * s.position[4, 1] + 0.1 * s.angle[1]

    at = np.array([0.32, 0.31])
    exact = np.array(ra.grad(end, (0, 1))(*at))
    for k in (0, 1):
        h = np.zeros(2)
        h[k] = 1e-6
        near, far = (end(*(at + s * h)) - end(*(at - s * h)) for s in (1, 2))
        assert exact[k] == pytest.approx((8 * near - far) / 12e-6, rel=1e-5, abs=1e-7)
