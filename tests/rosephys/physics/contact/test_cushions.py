"""Cushions: closed forms, a second program from meeting to meeting, and what no shot on a table may do."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys import Problem, find_scene
from rosephys.physics.contact.cushions import Cushions
from rosephys.physics.contact.discs import RULES, toi_velocity

R = 0.03
LOW, HIGH = np.array([-0.2, -0.3]), np.array([0.4, 0.25])
Rows = np.ndarray[Any, Any]


def step(
    rule: Any, x: Any, v: Any, e: Any, side: Any, dt: Any, push: Any = None
) -> tuple[Any, Any]:
    """The discs a step later; `side` is the cushions' restitution."""
    if push is not None:
        v = v + dt * push
    dv, dx = rule(x, v, R, e, dt, push, cushions=Cushions(LOW, HIGH, side))
    return x + dx + dt * (v + dv), v + dv


@cache
def rolled(steps: int, rule: str = "toi-velocity") -> ra.Fn:
    """x, v after some steps, and after each the energy, and how far the outermost disc is outside."""

    @ra.fn
    def roll(x, v, e, side, dt):
        def one(state: Any, _: Any) -> Any:
            x, v = step(RULES[rule], *state, e, side, dt)
            outside = ra.maximum(LOW + R - x, x - (HIGH - R))
            return (x, v), (0.5 * ra.sum(v * v), ra.max(outside))

        (x, v), told = ra.scan(one, (x, v), None, steps)
        return x, v, *told

    return roll


def shots(seed: int, n: int, speed: float = 1.0) -> tuple[Rows, Rows]:
    """Discs at random places of the table, apart, all moving."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(6), np.arange(5)), -1).reshape(-1, 2)
    cells = rng.permutation(grid)[:n]
    x = LOW + R + (cells + 0.5) * (HIGH - LOW - 2 * R) / (6, 5)
    x += rng.uniform(-0.01, 0.01, x.shape)
    return x, speed * rng.normal(size=x.shape)


# ----------------------------------------------------------------------------------- closed forms


def bounced(x: float, v: float, low: float, high: float, e: float, time: float) -> float:
    """Where a point is after that time between two walls."""
    while True:
        wall = high if v > 0 else low
        until = (wall - x) / v
        if until > time:
            return x + v * time
        x, v, time = wall, -e * v, time - until


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("e", [1.0, 0.7])
@pytest.mark.parametrize("count", [1, 2])
def test_a_disc_alone_bounces_as_the_closed_form_says(rule: str, e: float, count: int) -> None:
    """Under every rule, with its derivative, however long a step; the second disc only looks on."""
    start, velocity = np.array([0.05, -0.11]), np.array([1.3, -0.9])
    others = [LOW + R + 0.001] * (count - 1)

    def end(x: Any, v: Any, steps: int = 40, dt: float = 0.05) -> Any:
        x = ra.concat([ra.reshape(x, (1, 2)), np.array(others).reshape(-1, 2)])
        v = ra.concat([ra.reshape(v, (1, 2)), np.zeros((count - 1, 2))])
        return ra.fori_loop(0, steps, lambda _, s: step(RULES[rule], *s, 1.0, e, dt), (x, v))[0][0]

    found = ra.fn(end)(start, velocity)
    by_start, by_velocity = (ra.jacrev(end, k)(start, velocity) for k in (0, 1))

    def exact(axis: int, x: float, v: float) -> float:
        return bounced(x, v, LOW[axis] + R, HIGH[axis] - R, e, 2.0)

    h = 1e-7
    for axis in (0, 1):
        x, v = start[axis], velocity[axis]
        assert found[axis] == pytest.approx(exact(axis, x, v), abs=1e-12)
        slope = (exact(axis, x + h, v) - exact(axis, x - h, v)) / (2 * h)
        assert by_start[axis, axis] == pytest.approx(slope, rel=1e-6)
        slope = (exact(axis, x, v + h) - exact(axis, x, v - h)) / (2 * h)
        assert by_velocity[axis, axis] == pytest.approx(slope, rel=1e-6)
        assert by_start[axis, 1 - axis] == by_velocity[axis, 1 - axis] == 0


def test_a_disc_that_is_past_a_side_comes_back_and_one_that_comes_is_let_pass() -> None:
    x = np.array([LOW - 0.1, LOW - 0.1])
    x[1] += (0.3, 0.0)
    v = np.array([[-1.0, -1.0], [1.0, 1.0]])
    for rule in RULES:
        np.testing.assert_allclose(rolled(1, rule)(x, v, 1.0, 0.5, 0.01)[1], [[0.5, 0.5], [1, 1]])


@pytest.mark.parametrize("e", [1.0, 0.8])
def test_under_a_push_a_bounce_is_right_to_the_first_order(e: float) -> None:
    """A disc falls on the lower side with 9.81: its height after 0.3, by where it starts."""
    push = np.array([[0.0, -9.81], [0.0, 0.0]])

    def end(height: Any, steps: int) -> Any:
        x = ra.array([ra.array([0.0, height]), np.array([0.3, 0.1])])
        still = np.zeros((2, 2))
        dt = 0.3 / steps
        x, _ = ra.fori_loop(
            0, steps, lambda _, s: step(toi_velocity, *s, 1.0, e, dt, push), (x, still)
        )
        return x[0, 1]

    def exact(height: float) -> float:
        fall = height - (LOW[1] + R)
        impact = np.sqrt(2 * fall / 9.81)
        return LOW[1] + R + e * 9.81 * impact * (0.3 - impact) - 9.81 / 2 * (0.3 - impact) ** 2

    h = 1e-6
    slope = (exact(0.1 + h) - exact(0.1 - h)) / (2 * h)
    for steps in (300, 3000):
        value, found = ra.value_and_grad(lambda height, steps=steps: end(height, steps))(0.1)
        assert abs(value - exact(0.1)) < 3 / steps
        assert abs(found - slope) < 10 / steps


# -------------------------------------------------------------------------------- a second program


def reference(x: Rows, v: Rows, e: float, side: float, time: float) -> tuple[Rows, Rows, int, int]:
    """From meeting to meeting, without steps, and how many there were with discs and with sides."""
    x, v, n, counts = x.copy(), v.copy(), len(x), [0, 0]
    i, j = np.triu_indices(n, 1)
    while True:
        d, w = x[i] - x[j], v[i] - v[j]
        a, b, c = (w * w).sum(1), (d * w).sum(1), (d * d).sum(1) - 4 * R * R
        meet = (b < -1e-14) & (b * b > a * c)
        pairs = np.full(len(i), np.inf)
        a, b, c = a[meet], b[meet], c[meet]
        pairs[meet] = c / (np.sqrt(b * b - a * c) - b)
        sides = (np.where(v > 0, HIGH - R, LOW + R) - x) / v
        until = min(pairs.min(), sides.min())
        if until > time:
            return x + time * v, v, *counts
        x, time = x + until * v, time - until
        if until < sides.min():
            k = int(np.argmin(pairs))
            normal = (x[i[k]] - x[j[k]]) / (2 * R)
            impulse = -(1 + e) / 2 * (normal @ (v[i[k]] - v[j[k]])) * normal
            v[i[k]] += impulse
            v[j[k]] -= impulse
        else:
            v[np.unravel_index(np.argmin(sides), sides.shape)] *= -side
        counts[int(until == sides.min())] += 1


@pytest.mark.parametrize("seed", range(6))
def test_the_motion_is_that_without_steps(seed: int) -> None:
    """In steps of 0.08 a disc may meet two sides and several discs: all are taken in their order."""
    x, v = shots(seed, 5, 0.5)
    e, side = ((1.0, 1.0), (0.9, 0.8), (0.6, 1.0))[seed % 3]
    expected_x, expected_v, discs, sides = reference(x, v, e, side, 1.28)
    assert discs > 1
    assert sides > 2
    for steps, dt in ((1280, 0.001), (128, 0.01), (16, 0.08)):
        x_end, v_end, *_ = rolled(steps)(x, v, e, side, dt)
        np.testing.assert_allclose(x_end, expected_x, atol=1e-9)
        np.testing.assert_allclose(v_end, expected_v, atol=1e-9)


@ra.fn
def end(x, v, e, side):
    """One number of where and how fast discs are after 8 steps."""
    x, v, *_ = rolled(8)(x, v, e, side, 0.08)
    weights = np.cos(np.arange(2.0 * x.shape[0])).reshape(-1, 2)
    return ra.sum(weights * (x + 0.1 * v))


@pytest.mark.parametrize("seed", range(6))
def test_gradients_agree_with_differences(seed: int) -> None:
    x, v = shots(seed, 5, 0.5)
    at = (x, v, 0.9, 0.8)
    found = ra.grad(end, (0, 1, 2, 3))(*at)
    rng = np.random.default_rng(100 + seed)
    for _ in range(3):
        along = rng.normal(size=x.shape), rng.normal(size=x.shape), rng.normal(), rng.normal()
        h = 1e-8 * R
        ends = [end(*(p + s * d for p, d in zip(at, along, strict=True))) for s in (-h, h)]
        slope = sum(np.sum(g * d) for g, d in zip(found, along, strict=True))
        assert slope == pytest.approx((ends[1] - ends[0]) / (2 * h), rel=1e-4, abs=1e-4)
        assert ra.jvp(end, at, along)[1] == pytest.approx(slope, rel=1e-9)


# --------------------------------------------------------------------------- what no shot may do


def check_table(seed: int, n: int, e: float, side: float, speed: float, dt: float) -> None:
    x, v = shots(seed, n, speed)
    _, _, energy, outside = rolled(300)(x, v, e, side, dt)
    whole = 0.5 * (v * v).sum()
    assert np.diff(energy, prepend=whole).max() <= 1e-13 * whole
    assert outside.max() < 1e-9 * R
    if e == side == 1.0:
        assert energy[-1] == pytest.approx(whole, rel=1e-11)
    if side < 0.05:
        return  # between a dead side and others a disc bounces without end, and rounding says who comes last
    mirror = np.array([-1.0, 1.0])
    middle = (LOW + HIGH) / 2
    turned = rolled(20)(middle + mirror * (x - middle), mirror * v, e, side, dt)[1]
    np.testing.assert_allclose(turned, mirror * rolled(20)(x, v, e, side, dt)[1], atol=1e-6 * speed)


TABLES = given(
    seed=st.integers(0, 10**6),
    n=st.sampled_from([2, 4, 7]),
    e=st.just(1.0) | st.floats(0.5, 1.0),
    side=st.just(1.0) | st.floats(0.0, 1.0),
    speed=st.floats(0.1, 3.0),
    dt=st.sampled_from([0.003, 0.02]),
)
SETTINGS = dict(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@TABLES
@settings(max_examples=15, **SETTINGS)
def test_discs_stay_on_the_table_and_gain_no_energy(**given: Any) -> None:
    check_table(**given)


@pytest.mark.slow
@TABLES
@settings(max_examples=400, **SETTINGS)
def test_no_table_of_many_does_otherwise(**given: Any) -> None:
    check_table(**given)


# ---------------------------------------------------------------------------------- the front scene


@pytest.mark.parametrize("contact", sorted(RULES))
def test_no_ball_of_the_scene_rolls_through_the_rail_that_is_drawn(contact: str) -> None:
    problem = Problem(find_scene("billiards", {"contact": contact, "restitution": 1.0}))
    for angle in np.linspace(0, 2 * np.pi, 9):
        velocity = 3 * np.array([np.cos(angle), np.sin(angle)])
        states = problem.trajectory({**problem.values, "cue_velocity": velocity})
        x0, y0, x1, y1 = problem.picture(states, 0, problem.values).view
        r = 0.03 - 1e-9
        inside = (states.position >= (x0 + r, y0 + r)) & (states.position <= (x1 - r, y1 - r))
        assert inside.all()


def test_without_cushions_balls_roll_on_and_no_rail_is_drawn() -> None:
    problem = Problem(find_scene("billiards", {"cushions": "off", "cue_velocity": "0,3"}))
    states = problem.trajectory(problem.values)
    assert states.position[-1, 0, 1] == pytest.approx(0.5 + 3 * 1024 * 0.003)
    assert problem.picture(states, 0, problem.values).background != "felt"
