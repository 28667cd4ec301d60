"""Numbers over time and over iterations: which there are, and what they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, SceneError, control, parameter
from rosephys.solve.curves import curves
from tests.support.scenes import Juggler, Lob


def test_parts_of_a_state_over_time() -> None:
    problem = Problem(Lob())
    whole, second, loss = curves(problem, problem.values, [3.0, 1.0], ["at", "at.1", "loss"])
    times = 0.1 * np.arange(11)
    np.testing.assert_allclose(whole.xs, times)
    np.testing.assert_allclose(whole.ys, np.stack([times, 0.25 + 0.5 * times], axis=1))
    np.testing.assert_allclose(second.ys[:, 0], whole.ys[:, 1])
    assert whole.labels == ("at.0", "at.1") and second.labels == ("at.1",)
    assert whole.over == "time, s" and loss.over == "iteration"
    assert loss.ys.tolist() == [[3.0], [1.0]]


def test_parts_within_parts() -> None:
    problem = Problem(Juggler())
    angle, tip, mass = curves(
        problem, problem.values, [], ["arms.0.angle", "arms.1.tip", "extra.mass"]
    )
    assert angle.ys[:, 0].tolist() == [0, 1, 2, 3]
    assert tip.ys.shape == (4, 2) and mass.ys[0, 0] == 2.0


class Pushed(Juggler):
    """A push for each step, and no unit of time."""

    dt: float = parameter(0.5, "time step")
    push: Any = control(((1.0, 3.0), (2.0, 4.0), (3.0, 5.0)), "turn and tilt")
    weight: Any = parameter((1.0, 2.0), "no row for each step")

    def step(self, state: Any, t: Any) -> Any:
        first, second = state.arms
        return replace(state, arms=(replace(first, angle=first.angle + self.push[t, 0]), second))


def test_controls_over_time() -> None:
    problem = Problem(Pushed())
    values = {**problem.values, "push": 2 * problem.values["push"]}
    both, second, angle = curves(problem, values, [], ["push", "push.1", "arms.0.angle"])
    assert both.ys.tolist() == [[2, 6], [4, 8], [6, 10]] and second.ys[:, 0].tolist() == [6, 8, 10]
    assert both.xs.tolist() == [0.0, 0.5, 1.0] and both.labels == ("push.0", "push.1")
    assert angle.ys[:, 0].tolist() == [0, 2, 6, 12]
    assert both.over == angle.over == "time"
    with pytest.raises(SceneError, match=r"pushed has no 'weight' to be plotted; .*push"):
        curves(problem, values, [], ["weight"])


@pytest.mark.parametrize("name", ["att", "at.2", "at.x", "at.0.0", "", "0"])
def test_a_part_that_is_none_is_refused(name: str) -> None:
    problem = Problem(Lob())
    with pytest.raises(
        SceneError, match=r"lob has no .* to be plotted; (did you mean|there are) .*at"
    ):
        curves(problem, problem.values, [], [name])
