"""Shallow water against closed forms, its conservation laws, and the dam that breaks above a village."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.fluids.shallow_water import shallow_water_step

Array = np.ndarray[Any, Any]
DRAW = np.random.default_rng(5)
G = 9.81


def flowed(
    h: Array, p: Array, q: Array, z: Array, *, dt: float, width: float, steps: int, **how: Any
) -> tuple[Array, Array, Array]:
    """Depth and momentum after some steps."""

    @ra.fn
    def flow(h: Any, p: Any, q: Any, z: Any) -> Any:
        return ra.fori_loop(
            0, steps, lambda _, s: shallow_water_step(*s, z, dt, width, G, **how), (h, p, q)
        )

    found: tuple[Array, Array, Array] = flow(h, p, q, z)
    return found


def still(h: Array) -> tuple[Array, Array, Array]:
    return h, np.zeros(h.shape), np.zeros(h.shape)


# ------------------------------------------------------------------------------- closed forms


def ritter(s: Array) -> Array:
    """The depth at x/t = s after a dam broke that held 1 m of water (Ritter 1892)."""
    c = np.sqrt(G)
    fan = (2 * c - s) ** 2 / (9 * G)
    return np.asarray(np.where(s < -c, 1.0, np.where(s > 2 * c, 0.0, fan)))


def broken_dam(n: int, below: float, time: float = 0.5) -> tuple[Array, Array, float]:
    """Places, depths and a cell's width after a dam at x = 0 broke, with water of a depth below it."""
    width = 10 / n
    x = (np.arange(n) + 0.5) * width - 5
    steps = round(n * 0.8)
    h = np.where(x < 0, 1.0, below)[:, None]
    h, *_ = flowed(*still(h), 0 * h, dt=time / steps, width=width, steps=steps)
    assert (h >= 0).all()
    return x, h[:, 0], width


def test_a_dam_that_breaks_over_a_dry_bed_is_that_of_ritter() -> None:
    """Of first order, less what is lost at the corners of the fan and at its tip, which dries."""
    errors, fronts = [], []
    for n in (200, 800, 3200):
        x, h, width = broken_dam(n, 0.0)
        errors.append(width * np.abs(h - ritter(x / 0.5)).sum())
        fronts.append(x[h > 0.02][-1])
    orders = np.log2(np.divide(errors[:-1], errors[1:])) / 2
    assert (orders > 0.6).all() and orders[1] > orders[0] and errors[-1] < 0.012
    front = 0.5 * (2 - 3 * np.sqrt(0.02)) * np.sqrt(G)  # where Ritter's depth is 0.02 m
    behind = np.abs(np.subtract(fronts, front))
    assert behind[2] < behind[1] < behind[0] and behind[2] < 0.03 * front


def stoker(s: Array, below: float) -> Array:
    """The same with water below the dam: a fan, a plateau and a shock (Stoker 1957)."""
    c = np.sqrt(G)

    def excess(h: float) -> float:
        """Velocity through the fan less that behind the shock, at the plateau's depth."""
        return float(
            2 * (c - np.sqrt(G * h)) - (h - below) * np.sqrt(0.5 * G * (h + below) / (h * below))
        )

    low, high = below, 1.0
    for _ in range(60):
        h = 0.5 * (low + high)
        low, high = (h, high) if excess(h) > 0 else (low, h)
    u = 2 * (c - np.sqrt(G * h))
    shock = h * u / (h - below)
    fan = (2 * c - s) ** 2 / (9 * G)
    parts = [s < -c, s < u - np.sqrt(G * h), s < shock]
    return np.select(parts, [np.ones(s.shape), fan, np.full(s.shape, h)], below)


def test_a_dam_that_breaks_over_water_is_that_of_stoker() -> None:
    errors = []
    for n in (200, 800, 3200):
        x, h, width = broken_dam(n, 0.3)
        errors.append(width * np.abs(h - stoker(x / 0.5, 0.3)).sum())
        assert x[h > 0.4][-1] == pytest.approx(x[stoker(x / 0.5, 0.3) > 0.4][-1], abs=5 * width)
    orders = np.log2(np.divide(errors[:-1], errors[1:])) / 2
    assert (orders > 0.7).all() and errors[-1] < 0.008


def test_a_simple_wave_converges_at_first_order() -> None:
    """u - 2 c is everywhere the same, so each depth travels at its speed 3 c - 2 c0 until waves overtake."""
    c0, length, time = np.sqrt(G), 10.0, 0.6
    errors = []
    for n in (100, 200, 400):
        width, steps = length / n, n // 2
        x = (np.arange(n) + 0.5) * width

        def speed(x: Array) -> Array:
            return np.asarray(c0 * (1 + 0.05 * np.sin(2 * np.pi * x / length)))

        def wave(c: Array) -> tuple[Array, Array]:
            h = c**2 / G
            return h[:, None], (h * 2 * (c - c0))[:, None]

        foot = x
        for _ in range(80):
            foot = x - (3 * speed(foot) - 2 * c0) * time
        h, p = wave(speed(x))
        h, _, _ = flowed(
            h, p, 0 * h, 0 * h, dt=time / steps, width=width, steps=steps, edges="periodic"
        )
        errors.append(np.abs(h - wave(speed(foot))[0]).mean())
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 1, atol=0.1)


# ------------------------------------------------------------------------- conservation and symmetry


def test_a_lake_with_islands_stays_at_rest() -> None:
    z = DRAW.random((11, 9))
    h = np.maximum(0.6 - z, 0)
    end = flowed(*still(h), z, dt=0.01, width=0.5, steps=400)
    for found, wanted in zip(end, still(h), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-14)


@pytest.mark.parametrize("edges", ["wall", "periodic"])
def test_no_water_is_lost_and_none_is_less_than_nothing(edges: str) -> None:
    z, h = DRAW.random((12, 17)), DRAW.random((12, 17)) * (DRAW.random((12, 17)) > 0.5)
    end, p, _ = flowed(*still(h), z, dt=0.005, width=0.2, steps=300, edges=edges)
    assert end.sum() == pytest.approx(h.sum(), rel=1e-12)
    assert (end >= 0).all() and np.abs(p).max() > 1e-3


def test_momentum_is_kept_over_a_level_bed() -> None:
    h, p, q = 1 + DRAW.random((3, 8, 8))
    end = flowed(h, p, q, 0 * h, dt=0.005, width=0.2, steps=100, edges="periodic")
    for found, wanted in zip(end, (h, p, q), strict=True):
        assert found.sum() == pytest.approx(wanted.sum(), rel=1e-12)


def test_both_axes_are_treated_alike() -> None:
    h, z = DRAW.random((2, 9, 12))
    _, p, q = DRAW.normal(size=(3, 9, 12)) * h
    how = {"dt": 0.003, "width": 0.2, "steps": 40}
    end = flowed(h, p, q, z, **how)
    turned = flowed(h.T, q.T, p.T, z.T, **how)
    for found, wanted in zip((turned[0], turned[2], turned[1]), end, strict=True):
        np.testing.assert_allclose(found.T, wanted, atol=1e-13)


# ---------------------------------------------------------------------------------- derivatives


def test_sensitivity_of_a_small_wave() -> None:
    """Where the water is deep and calm a bump splits in two halves, which travel at sqrt(g h)."""
    n, width = 400, 0.05
    x = (np.arange(n) + 0.5) * width
    bump = np.exp(-(((x - 10) / 1.5) ** 2))[:, None]
    steps = 250
    time = 4 / np.sqrt(G)

    @ra.fn
    def height(size: Any) -> Any:
        h = 1 + size * bump
        o = 0 * h
        return ra.fori_loop(
            0,
            steps,
            lambda _, s: shallow_water_step(*s, 0 * bump, time / steps, width, G),
            (h, o, o),
        )[0]

    _, slope = ra.jvp(height, (1e-7,), (1.0,))
    expected = 0.5 * (np.exp(-(((x - 6) / 1.5) ** 2)) + np.exp(-(((x - 14) / 1.5) ** 2)))
    np.testing.assert_allclose(slope[:, 0], expected, atol=0.03)


def test_gradient_agrees_with_differences() -> None:
    draw = np.random.default_rng(1)
    problem = Problem(find_scene("dam", {"cells": 16, "steps": 150, "dt": 0.03}))
    earth = 0.2 * draw.normal(size=problem.values["earth"].shape)
    values = {**problem.values, "earth": earth}
    _, gradient = problem.value_and_gradient(values)
    for _ in range(3):
        along = draw.normal(size=earth.shape)
        sides = [problem.loss({**values, "earth": earth + s * 1e-6 * along}) for s in (1, -1)]
        slope = float(np.vdot(gradient["earth"], along))
        assert (sides[0] - sides[1]) / 2e-6 == pytest.approx(slope, rel=1e-6)


def test_a_bank_saves_the_village() -> None:
    problem = Problem(find_scene("dam", {"cells": 20, "steps": 250, "dt": 0.02}))
    losses = [found.loss for found in descend(problem, iterations=25, rate=0.08, optimizer="adam")]
    assert min(losses) < 0.3 * losses[0]


def test_the_valley_keeps_its_water() -> None:
    problem = Problem(find_scene("dam", {"cells": 20, "steps": 200, "dt": 0.02}))
    depth = problem.trajectory(problem.values).depth
    total = depth.sum(axis=(1, 2))
    np.testing.assert_allclose(total, total[0], rtol=1e-12)
    assert (depth >= 0).all()
