"""Waves of a skin: modes and speed in closed form, a second program, time turned round, differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.fields.wave import wave_step

Array = np.ndarray[Any, Any]
DRAW = np.random.default_rng(4)


def wave(**settings: Any) -> Problem:
    return Problem(find_scene("wave", settings))


def waves(before: Array, now: Array, courant: float, damping: float = 0.0, steps: int = 1) -> Any:
    f = ra.fn(
        lambda b, p: ra.fori_loop(
            0, steps, lambda _, s: (s[1], wave_step(*s, courant, damping)), (b, p)
        )
    )
    return f(before, now)


def bent(p: Array) -> Array:
    """The five-point Laplacian with zeros beyond the edges."""
    wide = np.pad(p, 1)
    return wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] - 4 * p


@pytest.mark.parametrize("damping", [0.0, 0.1])
def test_descent_agrees_with_a_second_program(damping: float) -> None:
    n, steps = 37, 50
    i, j = np.ogrid[:n, :n]
    target = np.sin(0.4 * i) * np.cos(0.3 * j)
    problem = wave(cells=n, steps=steps, target=target, damping=damping)
    for found in descend(problem, iterations=3, rate=1.0):
        before, now = found.values["dent"], np.zeros((n, n))
        r, a = 1 / np.sqrt(3), damping / np.sqrt(3)
        for _ in range(steps):
            new = 2 * now - before + (r * r + a) * bent(now) - a * bent(before)
            before, now = now, new
        assert found.loss == pytest.approx(np.mean((target - now) ** 2), abs=1e-12)
    assert np.abs(found.values["dent"]).max() > 1e-4


@pytest.mark.parametrize("mode", [(1, 1), (2, 3), (7, 4)])
def test_a_standing_wave_swings_at_its_frequency(mode: tuple[int, int]) -> None:
    """sin(k (i + 1)) sin(l (j + 1)) swings at ω with sin(ω/2)² = r² (sin(k/2)² + sin(l/2)²)."""
    n, courant, steps = 15, 0.6, 40
    k, m = (np.pi * q / (n + 1) for q in mode)
    shape = np.sin(k * np.arange(1, n + 1))[:, None] * np.sin(m * np.arange(1, n + 1))
    omega = 2 * np.arcsin(courant * np.sqrt(np.sin(k / 2) ** 2 + np.sin(m / 2) ** 2))
    _, now = waves(shape, np.cos(omega) * shape, courant, steps=steps)
    np.testing.assert_allclose(now, np.cos(omega * (steps + 1)) * shape, atol=1e-11)


def test_a_front_moves_at_the_speed_of_waves() -> None:
    """The middle of a long wide skin moves as a line does: half of a lump goes each way, with speed r."""
    n, courant, steps = 161, 0.5, 60
    at = np.arange(n) - n // 2

    def lump(by: float) -> Array:
        return np.asarray(np.exp(-(((at - by) / 8) ** 2))[:, None] * np.ones(n))

    before = lump(0)
    right = lump(courant)
    _, now = waves(before, right, courant, steps=steps)
    middle = now[:, n // 2]
    assert at[middle.argmax()] == pytest.approx(courant * (steps + 1), abs=1.0)
    assert middle.max() == pytest.approx(1.0, abs=0.02)


def test_time_can_be_turned_round() -> None:
    before, now = DRAW.normal(size=(2, 20, 18))
    later = waves(before, now, 0.7, steps=50)
    back = waves(later[1], later[0], 0.7, steps=50)
    np.testing.assert_allclose(back[1], before, atol=1e-10)
    np.testing.assert_allclose(back[0], now, atol=1e-10)


def test_damping_takes_energy() -> None:
    start = DRAW.normal(size=(16, 16))
    sizes = [np.abs(waves(start, start, 0.5, a, 80)[1]).max() for a in (0.0, 0.05, 0.25)]
    assert sizes[0] > 2 * sizes[1] > 4 * sizes[2]


def test_the_step_is_linear_and_its_transpose_agrees() -> None:
    b, p, ct = DRAW.normal(size=(3, 21, 23))
    f = ra.fn(lambda b, p: wave_step(b, p, 0.55, 0.15))
    back = ra.fn(
        lambda ct: ra.vjp(lambda b, p: wave_step(b, p, 0.55, 0.15), np.zeros_like(b), p)[1](ct)
    )
    of_b, of_p = back(ct)
    assert np.vdot(ct, f(b, p)) == pytest.approx(np.vdot(of_b, b) + np.vdot(of_p, p), rel=1e-11)


def test_gradient_agrees_with_differences_and_remembers_no_field() -> None:
    n = 40
    problem = wave(cells=n, steps=60)
    values = {**problem.values, "dent": 0.1 * DRAW.normal(size=(n, n))}
    _, gradient = problem.value_and_gradient(values)
    for _ in range(3):
        along = DRAW.normal(size=(n, n))
        sides = [
            problem.loss({**values, "dent": values["dent"] + s * 1e-4 * along}) for s in (1, -1)
        ]
        slope = float(np.vdot(gradient["dent"], along))
        assert (sides[0] - sides[1]) / 2e-4 == pytest.approx(slope, rel=1e-6)
    assert problem.scratch_bytes < 20 * 8 * n * n  # nothing for each of the steps: a wave is linear


def test_waves_meet_in_the_picture() -> None:
    problem = wave(cells=32, steps=40)
    losses = [found.loss for found in descend(problem, iterations=30, rate=1.0)]
    assert losses[-1] < 0.5 * losses[0]
