"""Descents: steps of the rate, within bounds, and words where a loss is not finite."""

from __future__ import annotations

import math
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from rosephys import Problem, descend, find_scene
from rosephys.errors import OptimizeError
from tests.support.scenes import PENDULUM


@pytest.fixture
def pendulum(tmp_path: Path) -> str:
    path = tmp_path / "pendulum.py"
    path.write_text(PENDULUM)
    return str(path)


def test_descent_stops_with_words_where_the_loss_is_not_finite(pendulum: str) -> None:
    problem = Problem(find_scene(pendulum))
    values = {**problem.values, "goal": np.array(np.inf)}
    found = []
    with pytest.raises(OptimizeError, match="the loss is inf after 0 updates"):
        found.extend(descend(problem, iterations=3, rate=0.1, values=values))
    assert not found


def test_controls_stay_within_their_bounds(pendulum: str) -> None:
    problem = Problem(find_scene(pendulum))
    iterates = list(descend(problem, iterations=5, rate=1e4))
    assert all(abs(it.values["push"]) <= 3.0 for it in iterates)
    assert abs(iterates[1].values["push"]) == 3.0


def test_adam_takes_steps_of_the_rate(pendulum: str) -> None:
    problem = Problem(find_scene(pendulum))
    first, second = list(descend(problem, iterations=1, rate=0.01, optimizer="adam"))
    assert abs(second.values["push"] - first.values["push"]) == pytest.approx(0.01, rel=1e-6)
    with pytest.raises(ValueError, match="sgd"):
        next(descend(problem, iterations=1, rate=0.1, optimizer="sgd"))


@pytest.mark.parametrize(("budget", "updates"), [(0.5, 1), (3.5, 3), (1000.0, 20), (math.inf, 20)])
def test_a_descent_ends_when_its_time_is_up(
    pendulum: str, monkeypatch: pytest.MonkeyPatch, budget: float, updates: int
) -> None:
    """By a clock that goes on by a millisecond whenever it is looked at, which is after each update."""
    ticks = count()
    monkeypatch.setattr("rosephys.solve.optimize.perf_counter", lambda: next(ticks) / 1000)
    problem = Problem(find_scene(pendulum))
    *_, last = descend(problem, iterations=20, rate=0.1, budget_ms=budget)
    assert last.iteration == updates
    assert next(ticks) - 1 <= budget or updates == 1


@pytest.mark.parametrize("budget", [0.0, -1.0, math.nan])
def test_a_budget_that_is_none_is_told(pendulum: str, budget: float) -> None:
    with pytest.raises(ValueError, match="budget_ms: wanted a number above 0"):
        next(descend(Problem(find_scene(pendulum)), budget_ms=budget))
