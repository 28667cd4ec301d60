"""Events against closed forms: where they happen, what they do to a derivative, and rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.contact.events import Event, advance
from rosephys.physics.mechanics.integrators import METHODS


def fall(gravity: Any, method: str = "verlet") -> Callable[[Any, Any], Any]:
    """The flow of a state (height, speed) in free fall."""
    return lambda s, time: METHODS[method](lambda x, v: -gravity + 0.0 * x, *s, time)


def ground(restitution: Any, **more: Any) -> Event:
    """A ball of height s[0] bounces; at rest it has no speed."""
    return Event(
        lambda s: s[0],
        lambda s: (s[0], -restitution * s[1]),
        lambda s, time: (s[0], 0.0 * s[1]),
        **more,
    )


def ball(time: float, steps: int, method: str = "verlet", **more: Any) -> ra.Fn:
    """Height and speed of a ball after a time, by height, speed, restitution and gravity at the start."""

    @ra.fn
    def final(h: ra.Real, v: ra.Real, e: ra.Real, g: ra.Real) -> Any:
        flow, event = fall(g, method), ground(e)
        dt = time / steps
        return ra.fori_loop(0, steps, lambda _, s: advance(flow, (event,), s, dt, **more), (h, v))

    return final


def closed_form(h: Any, v: Any, e: Any, g: Any, time: float, bounces: int) -> Any:
    """The height after that many bounces; for complex numbers, too."""
    impact = np.sqrt(v * v + 2 * g * h)
    left = time - (v + impact) / g - sum(2 * e**k * impact / g for k in range(1, bounces))
    assert 0 < left.real < 2 * (e**bounces * impact / g).real
    return e**bounces * impact * left - 0.5 * g * left * left


def slopes(f: Callable[..., Any], at: tuple[float, ...]) -> list[float]:
    """The gradient of an analytic function by complex steps."""
    moved = np.array(at, complex) + 1e-30j * np.eye(len(at))
    return [f(*row).imag / 1e-30 for row in moved]


# ------------------------------------------------------------------------------ a bouncing ball


def test_known_bounce_under_gravity() -> None:
    value, gradient = ra.value_and_grad(lambda *a: ball(1.0, 20)(*a)[0], (0, 1, 2))(
        2.0, 0.3, 0.8, 9.81
    )
    assert value == pytest.approx(1.12172784806, abs=1e-11)
    assert gradient == pytest.approx((0.129549967, -0.177328164, 2.070404360), abs=1e-9)


@pytest.mark.parametrize("e", [1.0, 0.8, 0.3])
def test_without_gravity_a_higher_start_is_a_lower_end(e: float) -> None:
    h, v, time = 1.0, -2.0, 0.9
    value, gradient = ra.value_and_grad(lambda *a: ball(time, 7)(*a)[0], (0, 1, 2))(h, v, e, 0.0)
    assert value == pytest.approx(-e * (h + v * time), rel=1e-14)
    assert gradient == pytest.approx((-e, -e * time, -(h + v * time)), rel=1e-13)


@pytest.mark.parametrize(
    ("method", "steps"),
    [
        ("verlet", 1),
        ("verlet", 7),
        ("verlet", 80),
        ("verlet", 5000),
        ("runge-kutta", 7),
    ],
)
def test_ten_bounces_whatever_the_time_step(method: str, steps: int) -> None:
    at, time = (2.0, 0.3, 0.9, 9.81), 8.0
    got = ra.jvp(ball(time, steps, method), at, (1.0, 0.0, 0.0, 0.0))
    gradient = ra.grad(lambda *a: ball(time, steps, method)(*a)[0], (0, 1, 2, 3))(*at)
    exact = slopes(lambda *a: closed_form(*a, time, 10), at)
    assert got[0][0] == pytest.approx(closed_form(*at, time, 10), rel=1e-11)
    assert got[1][0] == pytest.approx(exact[0], rel=1e-10)
    assert gradient == pytest.approx(exact, rel=1e-10)


def test_both_modes_and_second_derivatives() -> None:
    ra.check_grads(ball(1.0, 5), (2.0, 0.3, 0.8, 9.81), order=1)
    ra.check_grads(lambda h: ball(1.0, 2)(h, 0.3, 0.8, 9.81)[0], (2.0,), order=2)
    hessian = ra.hessian(lambda h: ball(1.0, 5)(h, 0.3, 0.8, 9.81)[0])(2.0)

    def slope(h: float) -> float:
        return slopes(lambda *a: closed_form(*a, 1.0, 1), (h, 0.3, 0.8, 9.81))[0]

    assert hessian == pytest.approx((slope(2.0 + 1e-5) - slope(2.0 - 1e-5)) / 2e-5, rel=1e-8)


# ---------------------------------------------------------------------------- where flows curve


def swing(s: Any, time: Any) -> Any:
    """A pendulum with g / l = 1."""
    return METHODS["runge-kutta"](lambda x, _: -ra.sin(x), *s, time)


WALL = Event(lambda s: 0.4 - s[0], lambda s: (s[0], -0.7 * s[1]))


def test_the_saltation_matrix() -> None:
    """One step over an impact, its Jacobian composed by hand from those of smooth steps."""
    at, dt = (0.1, 1.2), 0.6

    def hit(x: Any, v: Any) -> Any:
        return advance(swing, (WALL,), (x, v), dt)

    def part(x: Any, v: Any, time: Any) -> Any:
        return swing((x, v), time)

    low, high = 0.0, dt
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(ra.fn(part)(*at, middle)[0]) < 0.4 else (low, middle)
    x, v = ra.fn(part)(*at, low)
    before = np.array(ra.jacfwd(part, (0, 1, 2))(*at, low))  # to x and v; by x, v and time
    f = before[:, 2]
    reset = np.diag([1.0, -0.7])
    after = np.array(ra.jacfwd(part, (0, 1, 2))(x, -0.7 * v, dt - low))
    start = np.array(ra.jacfwd(part, 2)(x, -0.7 * v, 0.0))
    # the flow is a step of a method: its slope at τ is not quite that of the equation, so time is kept apart
    gradient = np.array([-1.0, 0.0])
    by_time = -(gradient @ before[:, :2]) / (gradient @ f)
    jacobian = after[:, :2] @ reset @ (before[:, :2] + np.outer(f, by_time)) - np.outer(
        after[:, 2], by_time
    )
    np.testing.assert_allclose(np.array(ra.jacfwd(hit, (0, 1))(*at)), jacobian, rtol=1e-10)
    saltation = reset + np.outer(start - reset @ f, gradient) / (gradient @ f)
    textbook = after[:, :2] @ saltation @ before[:, :2]
    np.testing.assert_allclose(jacobian, textbook, rtol=2e-3)  # of order dt⁴


@pytest.mark.parametrize("method", METHODS)
def test_impacts_of_a_pendulum_converge_with_the_order_of_the_method(method: str) -> None:
    order = {"verlet": 2, "implicit-midpoint": 2, "runge-kutta": 4}.get(method, 1)

    def end(steps: int, method: str = method) -> Any:
        def flow(s: Any, time: Any) -> Any:
            return METHODS[method](lambda x, _: -ra.sin(x), *s, time)

        def final(v: Any) -> Any:
            step = lambda _, s: advance(flow, (WALL,), s, 3.0 / steps)  # noqa: E731
            return ra.fori_loop(0, steps, step, (0.1, v))[0]

        return np.array(ra.value_and_grad(final)(1.2))

    exact = end(4000, "runge-kutta")
    coarse, fine = (np.abs(end(steps) - exact) for steps in (80, 320))
    # where in a step the impact falls leaves its mark on the constant
    assert np.all(fine < coarse / 4**order * 2.5)


# ----------------------------------------------------------------------------- several events


def drift(s: Any, time: Any) -> Any:
    """Straight motion of (x, y, their velocities)."""
    x, y, u, v = s
    return x + time * u, y + time * v, u, v


BOX = (
    Event(lambda s: s[0], lambda s: (s[0], s[1], -s[2], s[3])),
    Event(lambda s: 1.0 - s[0], lambda s: (s[0], s[1], -s[2], s[3])),
    Event(lambda s: s[1], lambda s: (s[0], s[1], s[2], -s[3])),
    Event(lambda s: 1.0 - s[1], lambda s: (s[0], s[1], s[2], -s[3])),
)


def folded(x: float) -> float:
    """Where a point of a billiard of length 1 is that would be at x without walls."""
    return 1.0 - abs(x % 2.0 - 1.0)


@pytest.mark.parametrize("steps", [1, 50])
def test_walls_in_order_of_time(steps: int) -> None:
    @ra.fn
    def final(x: ra.Real, y: ra.Real, u: ra.Real, v: ra.Real) -> Any:
        dt = 2.0 / steps
        return ra.fori_loop(0, steps, lambda _, s: advance(drift, BOX, s, dt), (x, y, u, v))

    at = (0.3, 0.6, 2.3, -1.7)
    x, y, u, v = final(*at)
    assert (x, y) == pytest.approx((folded(0.3 + 4.6), folded(0.6 - 3.4)), abs=1e-14)
    gradient = ra.jacfwd(lambda *a: ra.array(final(*a)[:2]), (0, 1, 2, 3))(*at)
    turned = np.sign(u / at[2]), np.sign(v / at[3])
    np.testing.assert_allclose(
        np.array(gradient).T,
        [[turned[0], 0, 2 * turned[0], 0], [0, turned[1], 0, 2 * turned[1]]],
        atol=1e-13,
    )


def test_a_corner_is_two_events_at_once() -> None:
    @ra.fn
    def final(x: ra.Real, y: ra.Real) -> Any:
        return advance(drift, BOX, (x, y, -1.0, -1.0), 1.0)

    assert final(0.3, 0.3) == pytest.approx((0.7, 0.7, 1.0, 1.0), abs=1e-14)
    jacobian = np.array(ra.jacfwd(final, (0, 1))(0.3, 0.3))[:2]
    np.testing.assert_allclose(jacobian, -np.eye(2), atol=1e-13)


def test_two_discs_that_meet() -> None:
    """A guard of two moving things: the distance of discs of radius 0.1."""

    def apart(s: Any) -> Any:
        return ra.norm(s[0][0] - s[0][1]) - 0.2

    def collide(s: Any) -> Any:
        x, v = s
        normal = (x[0] - x[1]) / ra.norm(x[0] - x[1])
        impulse = -0.9 * ra.dot(normal, v[0] - v[1]) * normal
        return x, ra.stack([v[0] + impulse, v[1] - impulse])

    @ra.fn
    def final(b: ra.Real) -> Any:
        x = ra.array([ra.array([0.0, b]), ra.array([0.5, 0.0])])
        v = np.array([[1.3, 0.0], [0.0, 0.0]])
        flow = lambda s, time: (s[0] + time * s[1], s[1])  # noqa: E731
        discs = (Event(apart, collide),)
        return ra.fori_loop(0, 8, lambda _, s: advance(flow, discs, s, 0.125), (x, v))[0][1]

    def exact(b: Any) -> Any:
        s = b / 0.2
        c = np.sqrt(1 - s * s)
        return (1 - (0.5 - 0.2 * c) / 1.3) * 0.9 * 1.3 * c * np.array([c, -s]) + (0.5, 0.0)

    np.testing.assert_allclose(final(0.07), exact(0.07), rtol=1e-14)
    np.testing.assert_allclose(
        ra.jacfwd(final)(0.07), exact(0.07 + 1e-30j).imag / 1e-30, rtol=1e-12
    )


def test_a_surface_that_is_crossed_has_a_side_in_the_state() -> None:
    """A ray is half as fast beyond x = 1, and is sent back from x = 1.5."""
    pace = lambda side: 0.75 + 0.25 * side  # noqa: E731

    def flow(s: Any, time: Any) -> Any:
        x, direction, side = s
        return x + time * direction * pace(side), direction, side

    enter = Event(lambda s: s[2] * (1.0 - s[0]), lambda s: (s[0], s[1], -s[2]))
    mirror = Event(lambda s: 1.5 - s[0], lambda s: (s[0], -s[1], s[2]))

    @ra.fn
    def final(x: ra.Real) -> Any:
        return advance(flow, (enter, mirror), (x, 1.0, 1.0), 3.0)

    # 0.4 to the surface, 1 to the mirror, 1 back, and 0.6 on
    assert final(0.6) == pytest.approx((0.4, -1.0, 1.0), abs=1e-14)
    assert ra.grad(lambda x: final(x)[0])(0.6) == pytest.approx(-1.0, abs=1e-13)


# ------------------------------------------------------------------------------------ rest


@pytest.mark.parametrize(("e", "steps"), [(0.0, 30), (0.5, 3000), (0.9, 30), (0.9, 3000)])
def test_a_ball_comes_to_rest(e: float, steps: int) -> None:
    """Bounces end at t1 (1 + e) / (1 - e); then nothing depends on the start."""
    end = np.sqrt(2 * 0.5 / 9.81) * (1 + e) / (1 - e)
    final = ball(1.2 * end, steps)
    height, speed = final(0.5, 0.0, e, 9.81)
    assert abs(height) < 1e-12 and speed == 0.0
    for slope in ra.grad(lambda *a: final(*a)[0], (0, 1, 2, 3))(0.5, 0.0, e, 9.81):
        assert abs(slope) < 1e-5  # all but nothing: what is lost where speeds are `slow`


def test_more_events_than_are_allowed_hold_the_rest_of_the_step() -> None:
    free, limited = ball(8.0, 1), ball(8.0, 1, most=4)
    at = (2.0, 0.3, 0.9, 9.81)
    assert free(*at)[0] == pytest.approx(closed_form(*at, 8.0, 10))
    assert limited(*at) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_what_is_at_rest_rolls_into_a_wall_and_takes_off_in_an_updraught() -> None:
    """The flow at rest has events of its own; rest ends where nothing presses."""

    def flow(s: Any, time: Any) -> Any:
        x, y, u, v, clock = s
        lift = ra.where(clock >= 2.0 - 1e-9, 1.0, -9.81)
        return x + time * u, y + time * v + 0.5 * lift * time**2, u, v + lift * time, clock + time

    def roll(s: Any, time: Any) -> Any:
        return s[0] + time * s[2], s[1], s[2], 0.0, s[4] + time

    floor = Event(lambda s: s[1], lambda s: (s[0], s[1], s[2], -0.2 * s[3], s[4]), roll)
    wall = Event(lambda s: 1.0 - s[0], lambda s: (s[0], s[1], -0.5 * s[2], s[3], s[4]))

    def final(x: Any, steps: int = 20) -> Any:
        step = lambda _, s: advance(flow, (floor, wall), s, 0.1)  # noqa: E731
        return ra.fori_loop(0, steps, step, (x, 0.2, 0.8, 0.0, 0.0))

    x, y, u, v, _ = ra.fn(final)(0.1)
    assert (y, v) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert (x, u) == pytest.approx((1.0 - 0.4 * (2.0 - 0.9 / 0.8), -0.4), abs=1e-12)
    assert ra.fn(lambda x: final(x, 30))(0.1)[1] == pytest.approx(0.5, abs=1e-9)
    assert ra.grad(lambda x: final(x)[0])(0.1) == pytest.approx(-0.5, abs=1e-12)


def test_what_is_behind_and_goes_on_is_taken_back_and_what_returns_is_let_pass() -> None:
    step = ra.fn(lambda y, v: advance(fall(0.0), (ground(0.5),), (y, v), 0.1))
    assert step(-0.01, -1.0) == pytest.approx((0.055, 0.5))
    assert step(-0.2, 1.0) == pytest.approx((-0.1, 1.0))


# ------------------------------------------------------------------------------- the scene


def test_the_scene_bounces_by_the_book() -> None:
    problem = Problem(
        find_scene("bounce", {"steps": 50, "dt": 0.02, "height": 2, "velocity": "1.2,0.3"})
    )
    end = problem.trajectory(problem.values).position[-1]
    radius = problem.values["radius"]
    assert end == pytest.approx((1.2, 1.12172784806 + radius), abs=1e-10)
    loss, gradient = problem.value_and_gradient(problem.values)
    miss = end - problem.values["goal"]
    assert loss == pytest.approx(miss @ miss)
    assert gradient["height"] == pytest.approx(2 * miss[1] * 0.129549967, rel=1e-7)
    assert gradient["velocity"] == pytest.approx(
        (2 * miss[0], 2 * miss[1] * -0.177328164), rel=1e-7
    )


def test_the_scene_finds_its_throw_after_two_bounces() -> None:
    problem = Problem(find_scene("bounce"))
    *_, last = descend(problem, iterations=200, rate=0.02, optimizer="adam")
    assert last.loss < 1e-6
    rising = np.diff(problem.trajectory({**problem.values, **last.values}).position[:, 1]) > 0
    assert np.sum(rising[1:] & ~rising[:-1]) == 2
