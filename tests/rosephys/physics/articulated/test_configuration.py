"""Configurations: the way from one to another and back, and quaternions that stay unit."""

from __future__ import annotations

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.articulated import difference, integrate
from tests.support.articulated import random_model, state

MODEL = random_model(1, ["free", "ball", "planar", "revolute", "fixed"], [-1, 0, 0, 1, 3])


def test_difference_undoes_integrate() -> None:
    q, v, _ = state(MODEL, 3)
    assert q.shape == (7 + 4 + 3 + 1,) and v.shape == (13,)
    there = integrate(MODEL, q, v)
    np.testing.assert_allclose(difference(MODEL, q, there), v, atol=1e-13)


def test_a_quarter_turn() -> None:
    ball = random_model(1, ["ball"], [-1])
    q = integrate(ball, np.array([1.0, 0, 0, 0]), np.array([0, 0, np.pi / 2]))
    np.testing.assert_allclose(q, [np.sqrt(0.5), 0, 0, np.sqrt(0.5)], atol=1e-15)


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-4, 2e-4, 3.0])
def test_turns_of_any_size_have_derivatives(size: float) -> None:
    """Near the series, at it, and beyond it: d difference(q, integrate(q, v)) / dv = 1."""
    ball = random_model(1, ["ball"], [-1])
    v = size * np.array([0.6, 0.0, -0.8])

    def there_and_back(v: ra.Vec) -> ra.Vec:
        return difference(ball, ball.home, integrate(ball, ball.home, v))

    np.testing.assert_allclose(ra.jacfwd(there_and_back)(v), np.eye(3), atol=1e-7)
    np.testing.assert_allclose(ra.jacrev(there_and_back)(v), np.eye(3), atol=1e-7)


def test_quaternions_stay_unit() -> None:
    q, v, _ = state(MODEL, 5)
    end = ra.fn(lambda q: ra.fori_loop(0, 10_000, lambda _, q: integrate(MODEL, q, 0.01 * v), q))(q)
    for at in (3, 7):
        assert np.linalg.norm(end[at : at + 4]) == pytest.approx(1.0, abs=1e-15)
