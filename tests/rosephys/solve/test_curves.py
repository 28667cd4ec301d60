"""Numbers over time and over iterations: which there are, and what they are."""

from __future__ import annotations

import numpy as np
import pytest

from rosephys import Problem, SceneError
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


@pytest.mark.parametrize("name", ["att", "at.2", "at.x", "at.0.0", "", "0"])
def test_a_part_that_is_none_is_refused(name: str) -> None:
    problem = Problem(Lob())
    with pytest.raises(
        SceneError, match=r"the state of lob has no .*; (did you mean|there are) .*at"
    ):
        curves(problem, problem.values, [], [name])
