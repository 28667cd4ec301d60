"""Smoothed gradients against closed forms, their errors against what they vary by, and a jump that is found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Ensemble, OptimizeError, Problem, Scene, control, descend, normal, parameter
from rosephys.solve.smoothing import smoothed_gradient
from tests.support.scenes import Lob


class Step(Scene):
    """A loss that falls by one where the push is above 1, and is flat or slightly uphill elsewhere."""

    steps: int = 1
    uphill: float = parameter(0.0, "slope of the loss")
    push: float = control(0.0, "push", bounds=(-10.0, 10.0))

    def initial(self) -> Any:
        return ra.array([1.0 * self.push])

    def step(self, state: Any, t: Any) -> Any:
        return state

    def loss(self, final: Any) -> Any:
        return ra.where(final[0] > 1.0, 0.0, 1.0) + self.uphill * final[0]


def density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


@pytest.mark.parametrize("push", [0.0, 0.7, 1.3])
@pytest.mark.parametrize("uphill", [0.0, 0.2])
def test_a_jump_has_the_gradient_of_its_closed_form(push: float, uphill: float) -> None:
    noise = 0.8
    problem = Problem(Step(uphill=uphill))
    found = smoothed_gradient(problem, {"push": push}, noise, samples=40_000)
    expected = uphill - density((1 - push) / noise) / noise
    assert found.gradient["push"] == pytest.approx(expected, abs=0.05 * abs(expected) + 0.01)
    assert abs(found.zeroth["push"] - expected) < 4 * found.error["push"]
    assert found.first["push"] == pytest.approx(
        uphill, abs=1e-12
    )  # which knows nothing of the jump
    below = 0.5 * math.erfc((push - 1) / noise / math.sqrt(2))
    assert found.loss == pytest.approx(below + uphill * push, abs=0.02)
    assert found.share < 0.2


def test_where_there_is_no_jump_slopes_are_taken() -> None:
    problem = Problem(Lob())
    plain = problem.value_and_gradient({})[1]
    found = smoothed_gradient(problem, {"lift": 0.15}, {"lift": 1e-3, "velocity": 0.3})
    assert found.share > 0.3
    exact = problem.value_and_gradient({"lift": 0.15})[1]
    assert np.all(abs(found.first["velocity"] - exact["velocity"]) < 1e-9)
    np.testing.assert_allclose(found.gradient["velocity"], exact["velocity"], atol=1e-9)
    assert plain.keys() == found.gradient.keys()


def test_the_error_is_what_estimates_vary_by() -> None:
    problem = Problem(Step())
    found = [smoothed_gradient(problem, {}, 1.0, samples=1024, seed=s) for s in range(200)]
    estimates = np.array([f.gradient["push"] for f in found])
    errors = np.array([f.error["push"] for f in found])
    assert np.std(estimates) == pytest.approx(np.sqrt(np.mean(errors**2)), rel=0.2)
    few, many = (
        smoothed_gradient(problem, {}, 1.0, samples=n).error["push"] for n in (400, 40_000)
    )
    assert few / many == pytest.approx(10.0, rel=0.15)


def test_draws_keep_to_the_bounds() -> None:
    class Narrow(Step):
        push: float = control(0.5, "push", bounds=(0.4, 0.6))

        def loss(self, final: Any) -> Any:
            return final[0]

    found = smoothed_gradient(Problem(Narrow()), {}, 100.0, samples=4000)
    assert abs(found.gradient["push"]) < 0.01  # nearly all draws lie at a bound
    assert found.loss == pytest.approx(0.5, abs=0.01)


def test_the_same_seed_gives_the_same() -> None:
    a, b, c = (smoothed_gradient(Problem(Step()), {}, 1.0, seed=s) for s in (1, 1, 2))
    assert a.gradient["push"] == b.gradient["push"] != c.gradient["push"]


def test_a_descent_goes_over_the_edge_that_no_gradient_sees() -> None:
    problem = Problem(Step(uphill=0.05))
    plain = min(i.loss for i in descend(problem, optimizer="adam", rate=0.2, iterations=60))
    found = min(i.loss for i in descend(problem, optimizer="smoothed", rate=0.2, iterations=60))
    assert found < 0.15 and plain > 0.4


def test_an_ensemble_is_smoothed_too() -> None:
    problem = Ensemble(Lob(), 5, spread={"goal": normal(0.1)})
    found = smoothed_gradient(problem, {}, {"lift": 1e-3, "velocity": 0.1}, samples=8)
    away = found.gradient["velocity"] - problem.value_and_gradient({})[1]["velocity"]
    assert np.all(abs(away) < 5 * found.error["velocity"] + 1e-3)


@pytest.mark.parametrize("noise", [0.0, -1.0, math.nan, math.inf])
def test_noise_that_cannot_be_is_told(noise: float) -> None:
    with pytest.raises(ValueError, match="noise is above 0, of 4 samples or more"):
        smoothed_gradient(Problem(Step()), {}, noise)


def test_losses_that_are_not_finite_are_told() -> None:
    class Edge(Step):
        def loss(self, final: Any) -> Any:
            return ra.log(final[0])

    with pytest.raises(OptimizeError, match="are not finite: less noise"):
        smoothed_gradient(Problem(Edge()), {"push": 0.1}, 1.0)
