"""Steps: what the motion keeps, their order, implicit damping, limits and actuators."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.articulated import (
    Actuator,
    Link,
    Model,
    articulated,
    driven,
    energy,
    integrate,
    momentum,
    passive,
    step,
)
from tests.support.articulated import random_model, state

FREE = random_model(3, ["free", "revolute", "ball", "prismatic"], [-1, 0, 0, 1])
NONE = np.zeros(0)


def run(model: Model, q: Any, v: Any, dt: float, steps: int, method: Any, u: Any = NONE) -> Any:
    """q and v after some steps."""

    def rolled(q: ra.Vec, v: ra.Vec) -> Any:
        return ra.fori_loop(0, steps, lambda _, now: step(model, *now, u, dt, method), (q, v))

    return ra.fn(rolled)(q, v)


def test_energy_and_momentum_are_kept() -> None:
    """Of a body in free fall with limbs, and without rotors, whose own momentum is not counted."""
    model = replace(FREE, armature=0.0 * FREE.armature)
    q, v, _ = state(model, 2)
    end = run(model, q, v, 1e-3, 1000, "runge-kutta")
    assert energy(model, *end) == pytest.approx(energy(model, q, v), rel=1e-9)
    before, after = np.asarray(momentum(model, q, v)), np.asarray(momentum(model, *end))
    gained = np.concatenate([np.sum(model.mass) * np.asarray(model.gravity), np.zeros(3)])
    np.testing.assert_allclose(after - before, gained, atol=1e-9)


@pytest.mark.parametrize(("method", "order"), [("semi-implicit-euler", 1), ("runge-kutta", 4)])
def test_the_order(method: str, order: int) -> None:
    """With balls and a free joint, too."""
    q, v, _ = state(FREE, 4)
    ends = [np.concatenate(run(FREE, q, 0.5 * v, 0.4 / n, n, method)) for n in (20, 40, 80)]
    first, second = (np.abs(b - a).max() for a, b in pairwise(ends))
    assert np.log2(first / second) == pytest.approx(order, abs=0.25)


def test_damping_is_stable_however_large() -> None:
    model = articulated(
        [Link("rod", joint="revolute", axis=(0, 1, 0), mass=1.0, centre=(0.5, 0, 0), damping=1e6)]
    )
    _, v = run(model, np.zeros(1), np.ones(1), 0.01, 100, "semi-implicit-euler")
    assert abs(v[0]) == pytest.approx(0.5 * 9.81 / 1e6, rel=1e-3)


def test_limits_push_back_and_springs_pull_home() -> None:
    rod = Link(
        "rod",
        joint="revolute",
        mass=1.0,
        centre=(1, 0, 0),
        low=-0.5,
        high=0.5,
        stiffness=2.0,
        home=[0.1],
    )
    model = articulated([rod], limit_stiffness=100.0, limit_damping=3.0)
    for angle, speed, force in (
        (0.3, 1.0, -2.0 * 0.2),
        (0.7, 1.0, -2.0 * 0.6 - 100 * 0.2 - 3.0),
        (0.7, -1.0, -2.0 * 0.6 - 100 * 0.2),
        (-0.6, -1.0, 2.0 * 0.7 + 100 * 0.1 + 3.0),
    ):
        found = passive(model, np.array([angle]), np.array([speed]))
        assert found[0] == pytest.approx(force, abs=1e-12)


def test_actuators_keep_their_limits() -> None:
    rod = Link("rod", joint="revolute", mass=1.0, centre=(1, 0, 0))
    motor = Actuator("motor", {"rod": 3.0}, least=-1.0, most=1.0)
    servo = Actuator(
        "servo", {"rod": 2.0}, gain=50.0, spring=50.0, damper=4.0, low=-30.0, high=30.0
    )
    model = articulated([rod], [motor, servo])
    q, v = np.array([0.2]), np.array([0.5])
    assert driven(model, q, v, np.array([0.5, 0.5]))[0] == pytest.approx(1.5 + 2 * (5 - 4.0))
    assert driven(model, q, v, np.array([7.0, 9.0]))[0] == pytest.approx(3.0 + 2 * 30)


def test_the_gradient_of_a_thousand_steps() -> None:
    """Of where a double pendulum ends, by where it begins, its masses and a torque, against differences."""
    rod = {"joint": "revolute", "axis": (0, 1, 0), "mass": 1.0, "centre": (0, 0, -0.25)}
    links = [Link("a", **rod), Link("b", "a", at=(0, 0, -0.5), **rod)]  # type: ignore[arg-type]
    model = articulated(links, [Actuator("motor", {"b": 1.0})])

    def end(q: ra.Vec, mass: ra.Vec, u: ra.Vec) -> ra.Real:
        own = replace(model, mass=mass)

        def once(_: int, now: Any) -> Any:
            return step(own, *now, u, 2e-3)

        return ra.sum(ra.fori_loop(0, 1000, once, (q, np.zeros(2)))[0])

    args = (np.array([0.6, -0.3]), np.array([1.0, 0.8]), np.array([0.3]))
    found = ra.grad(end, (0, 1, 2))(*args)
    value, h = ra.fn(end), 1e-6
    for k, exact in enumerate(found):
        for i in range(len(exact)):
            ways = [list(args), list(args)]
            for way, sign in zip(ways, (1, -1), strict=True):
                way[k] = way[k] + sign * h * np.eye(len(exact))[i]
            slope = (value(*ways[0]) - value(*ways[1])) / (2 * h)
            assert exact[i] == pytest.approx(slope, rel=1e-6, abs=1e-6)


def test_no_way_at_all_is_none() -> None:
    q, _, _ = state(FREE, 1)
    np.testing.assert_allclose(integrate(FREE, q, np.zeros(FREE.tree.nv)), q, atol=1e-15)
