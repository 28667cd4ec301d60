"""A search from many places: valleys are left, misses mended, what cannot be is passed over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Ensemble, Problem, Scene, control, descend, find_scene, normal, parameter
from rosephys.solve.multi_start import DESCENT, FINISH, GENERATIONS, _noise
from rosephys.solve.starts import descend_from

CYCLE = 1 + GENERATIONS + DESCENT + 1 + FINISH


class Hollows(Scene):
    """Two hollows, of which the start is in the shallow one; the deep one is narrow."""

    steps: int = parameter(1, "number of time steps")
    deep: float = parameter(-2.2, "where the deep one is", spread=normal(0.01))
    width: float = parameter(0.1, "of the deep one")
    x: float = control(1.0, "where", bounds=(-3.0, 3.0))

    def initial(self) -> Any:
        return 1.0 * self.x

    def step(self, state: Any, t: Any) -> Any:
        return state

    def loss(self, final: Any) -> Any:
        deep = ra.exp(-(((final - self.deep) / self.width) ** 2))
        return 1 - 0.5 * ra.exp(-((final - 1.0) ** 2) / 0.1) - deep


class Places(Hollows):
    """Only three places: further away there is none."""

    def loss(self, final: Any) -> Any:
        place = ra.to_int(ra.floor(final + 1.5))
        return ra.array([0.5, 1.0, 0.2])[place] + 0.1 * final**2


def least(problem: Problem, **how: Any) -> Any:
    return min(descend(problem, optimizer="multi-start", **how), key=lambda i: i.loss)


@pytest.mark.parametrize("deep", [-2.2, -0.7, 2.5])
def test_the_deepest_of_hollows_is_found(deep: float) -> None:
    problem = Problem(Hollows(deep=deep))
    found = least(problem, iterations=CYCLE, rate=0.01)
    assert found.values["x"] == pytest.approx(deep, abs=1e-2)
    assert min(i.loss for i in descend(problem, optimizer="adam", rate=0.01)) > found.loss + 0.3


def test_iterates_get_no_worse_and_stay_within_bounds() -> None:
    problem = Problem(Hollows(width=0.5))
    found = list(descend(problem, optimizer="multi-start", iterations=2 * CYCLE, rate=0.3))
    assert [i.iteration for i in found] == list(range(len(found))) and len(found) > CYCLE
    losses = [i.loss for i in found]
    assert losses == sorted(losses, reverse=True)
    for iterate in found:
        assert -3 <= iterate.values["x"] <= 3
        assert iterate.loss == problem.loss(iterate.values)


def test_a_seed_is_a_choice_of_draws() -> None:
    def losses(seed: int) -> list[float]:
        how: Any = {"optimizer": "multi-start", "iterations": 3, "starts": 4, "seed": seed}
        return [i.loss for i in descend(Problem(Hollows()), **how)]

    assert losses(3) == losses(3) != losses(4)


def test_who_leaves_the_model_is_passed_over() -> None:
    found = least(Problem(Places()), iterations=8, starts=8)
    assert found.loss == pytest.approx(0.2 + 0.1 * 0.25, abs=1e-3)


def test_an_ensemble_is_searched() -> None:
    found = least(Ensemble(Hollows(), 4), iterations=10, starts=8, rate=0.01)
    assert found.values["x"] == pytest.approx(-2.2, abs=0.05)


@pytest.mark.parametrize("starts", [0, -3, 2.5])
def test_of_no_start_there_is_nothing(starts: Any) -> None:
    with pytest.raises(ValueError, match=f"starts: wanted a whole number from 1 on, not {starts}"):
        next(descend(Problem(Hollows()), optimizer="multi-start", starts=starts))


def test_all_starts_are_one_descent() -> None:
    found = list(descend_from(Problem(Hollows()), optimizer="multi-start", iterations=6, starts=5))
    assert [(k, i.iteration) for k, i in found] == [(0, n) for n in range(7)]


def test_half_of_the_noise_is_smooth_along_rows() -> None:
    noise = _noise(np.random.default_rng(0), 200, (400, 2))
    jumps = np.abs(np.diff(noise, axis=1)).mean(axis=(1, 2)) / np.abs(noise).mean(axis=(1, 2))
    assert (jumps[1::2] > 0.8).all() and np.median(jumps[::2]) < 0.2
    assert noise[::2].std() > 0.5


def found_goals(goals: int, seed: int) -> int:
    """How many of random goals on the table the target ball ends within a radius of."""
    problem = Problem(find_scene("billiards"))
    radius = float(problem.values["radius"])
    low, high = np.array([-0.05, -0.12]) + radius, np.array([1.47, 1.04]) - radius
    found = 0
    for goal in np.random.default_rng(seed).uniform(low, high, (goals, 2)):
        tried = descend(problem, optimizer="multi-start", values={"goal": goal}, iterations=CYCLE)
        found += any(iterate.loss < radius**2 for iterate in tried)
    return found


def test_shots_are_found_for_goals_on_the_table() -> None:
    assert found_goals(3, 1) == 3


@pytest.mark.slow
def test_so_they_are_for_nearly_all_of_a_hundred() -> None:
    assert found_goals(100, 0) >= 95
