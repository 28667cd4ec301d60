"""Heat and patterns in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, find_scene
from rosephys.physics.fields.reaction_diffusion import gray_scott_step, heat_step

Array = np.ndarray[Any, Any]


DRAW = np.random.default_rng(8)


def spread(a: Array, diffusivity: float, time: float, steps: int) -> Any:
    dt = time / steps
    return ra.fori_loop(0, steps, lambda _, a: heat_step(a, diffusivity, dt), a)


def test_a_mode_shrinks_by_its_factor() -> None:
    n, k = 24, 2 * np.pi * 3 / 24
    a = np.cos(k * np.arange(n))[:, None] * np.ones(n)
    end = ra.fn(lambda a: spread(a, 0.2, 10.0, 40))(a)
    np.testing.assert_allclose(end, a * (1 - 0.2 * 0.25 * (2 - 2 * np.cos(k))) ** 40, atol=1e-13)


def test_sensitivities_of_a_mode() -> None:
    """Of a = exp(-k² D T) cos(k x): da/dD = -k² T a and da/dT = -k² D a; both at second order in the width."""
    time, wide = 0.3, 2 * np.pi
    errors = []
    for n in (16, 32, 64):
        h = wide / n
        a = np.cos(np.arange(n) * h)[:, None] * np.ones(2)

        @ra.fn
        def end(d: Any, t: Any, n: int = n, h: float = h, a: Array = a) -> Any:
            steps = n * n // 8
            return ra.fori_loop(0, steps, lambda _, a: heat_step(a, d / h**2, t / steps), a)[0, 0]

        value = np.exp(-time)
        of_d, of_t = ra.grad(end, (0, 1))(1.0, time)
        errors.append((abs(of_d + time * value), abs(of_t + value)))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, 2, atol=0.15)


def test_the_heat_of_a_plate_is_kept() -> None:
    problem = Problem(find_scene("heat", {"cells": 17, "steps": 30}))
    trajectory = problem.trajectory({**problem.values, "warmth": DRAW.normal(size=(17, 17))})
    total = trajectory.warmth.sum(axis=(1, 2))
    np.testing.assert_allclose(total, total[0], atol=1e-11)


def test_patterns_without_the_eater_are_those_of_food() -> None:
    """With no eater, food obeys u' = F (1 - u) where it is even."""
    u = np.full((5, 5), 0.2)
    f = ra.fn(lambda u, v, feed: ra.fori_loop(
        0, 300, lambda _, s: tuple(gray_scott_step(*s, feed, 0.06, 0.05)), (u, v)
    ))  # fmt: skip
    end, eater = f(u, np.zeros((5, 5)), np.full((5, 5), 0.04))
    np.testing.assert_allclose(end, 1 - 0.8 * (1 - 0.05 * 0.04) ** 300, rtol=1e-12)
    assert not eater.any()


def test_the_steady_state_of_gray_and_scott_stays() -> None:
    """u v = F + k and F (1 - u) = u v², where F > 4 (F + k)²."""
    feed, kill = 0.04, 0.05
    u = (1 + np.sqrt(1 - 4 * (feed + kill) ** 2 / feed)) / 2
    v = (feed + kill) / u
    fields = [np.full((4, 6), x) for x in (u, v, feed)]
    f = ra.fn(lambda u, v, feed: gray_scott_step(u, v, feed, kill, 1.0))
    for found, wanted in zip(f(*fields), (u, v), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_sensitivities_of_a_mode_of_a_few_eaters() -> None:
    """Among food alone a mode of few eaters shrinks at the rate D k² + F + K, which the gradient knows."""
    n, steps, dt, feed = 24, 200, 0.5, 0.04
    k = 2 * np.pi * 3 / n
    mode = 1e-12 * np.cos(k * np.arange(n))[:, None] * np.ones(2)
    food = np.ones((n, 2))

    @ra.fn
    def left(feed: Any, kill: Any) -> Any:
        def step(_: Any, s: Any) -> Any:
            return gray_scott_step(*s, feed * food, kill, dt)

        return ra.fori_loop(0, steps, step, (ra.array(food), ra.array(mode)))[1][0, 0] / mode[0, 0]

    shrink = 1 - dt * (0.08 * (2 - 2 * np.cos(k)) + feed + 0.01)
    assert left(feed, 0.01) == pytest.approx(shrink**steps, rel=1e-7)
    for slope in ra.grad(left, (0, 1))(feed, 0.01):
        assert slope == pytest.approx(-dt * steps * shrink ** (steps - 1), rel=1e-7)
