"""Gauss-Newton and Levenberg-Marquardt: parameters that are known are found, within bounds, in few steps."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, Scene, control, descend, parameter

TRUE = np.array([2.0, 0.3])
BOTH = ["gauss-newton", "levenberg-marquardt"]


class Spring(Scene):
    """A damped spring, seen every tenth step: which stiffness and damping does it have?"""

    optimizer, rate = "gauss-newton", 1.0
    steps: int = parameter(60, "number of time steps")
    dt: float = parameter(0.05, "time step")
    seen: Any = parameter(np.zeros(6), "places that were measured")
    spring: Any = control((1.0, 0.1), "stiffness and damping", bounds=(0.0, 10.0))

    def initial(self) -> Any:
        return np.array([1.0, 0.0]), np.zeros(6), 0

    def step(self, state: Any, t: Any) -> Any:
        (place, speed), places, k = state
        push = -self.spring[0] * place - self.spring[1] * speed
        speed = speed + self.dt * push
        place = place + self.dt * speed
        due = (t % 10) == 9
        places = ra.where(due & (np.arange(6) == k), place, places)
        return ra.array([place, speed]), places, k + ra.to_int(due)

    def residuals(self, final: Any) -> Any:
        return final[1] - self.seen


def measured(noise: float = 0.0) -> Problem:
    final = Problem(Spring()).trajectory({"spring": TRUE})[1][-1]
    noisy = final + noise * np.random.default_rng(1).standard_normal(6)
    return Problem(Spring(seen=noisy))


@pytest.mark.parametrize("optimizer", BOTH)
def test_what_was_measured_is_found_in_few_steps(optimizer: str) -> None:
    found = list(descend(measured(), optimizer=optimizer, iterations=30))
    np.testing.assert_allclose(found[-1].values["spring"], TRUE, atol=1e-9)
    assert len(found) <= 15 and all(b.loss < a.loss for a, b in pairwise(found))


@pytest.mark.parametrize("optimizer", BOTH)
def test_noise_gives_the_least_squares_of_scipy(optimizer: str) -> None:
    least = pytest.importorskip("scipy.optimize").least_squares
    problem = measured(0.05)
    known = least(lambda p: problem.residuals({"spring": p}), (1.0, 0.1), xtol=1e-15, ftol=1e-15)
    *_, last = descend(problem, optimizer=optimizer, iterations=50)
    np.testing.assert_allclose(last.values["spring"], known.x, atol=1e-6)
    assert last.loss == pytest.approx(2 * known.cost, rel=1e-9)


@pytest.mark.parametrize("optimizer", BOTH)
def test_bounds_are_kept(optimizer: str) -> None:
    class Soft(Spring):
        spring: Any = control((1.0, 0.1), "stiffness and damping", bounds=(0.0, 1.5))

    problem = Problem(Soft(seen=measured().values["seen"]))
    *_, last = descend(problem, optimizer=optimizer, iterations=50)
    stiffness, damping = last.values["spring"]
    assert stiffness == 1.5 and 0 < damping < 1.5
    assert last.gradient["spring"][0] < 0
    assert abs(last.gradient["spring"][1]) < 1e-6


def test_what_cannot_be_told_apart_does_not_stop_them() -> None:
    class Same(Spring):
        extra: float = control(0.0, "more stiffness", bounds=(-1.0, 1.0))

        def step(self, state: Any, t: Any) -> Any:
            other = self.bound({"spring": ra.array([self.spring[0] + self.extra, self.spring[1]])})
            return Spring.step(other, state, t)

    problem = Problem(Same(seen=measured().values["seen"]))
    for optimizer in BOTH:
        *_, last = descend(problem, optimizer=optimizer, iterations=50)
        assert last.loss < 1e-16
        assert last.values["spring"][0] + last.values["extra"] == pytest.approx(2.0, abs=1e-6)


def test_the_loss_is_the_sum_of_squares_and_has_its_gradient() -> None:
    problem = measured(0.05)
    residuals = problem.residuals({})
    slopes = problem.residual_derivatives({})["spring"]
    loss, gradient = problem.value_and_gradient({})
    assert loss == pytest.approx(residuals @ residuals, rel=1e-14)
    np.testing.assert_allclose(gradient["spring"], 2 * slopes.T @ residuals, rtol=1e-10)
