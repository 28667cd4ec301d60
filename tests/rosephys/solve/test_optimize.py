"""Descents: steps of the rate, within bounds, and words where a loss is not finite."""

from __future__ import annotations

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
