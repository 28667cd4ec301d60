"""The values of a problem: those that are not named are the scene's own, those that are wrong are refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, SceneError, descend
from tests.support.scenes import Lob

ASKED: dict[str, Callable[[Problem, Mapping[str, Any]], object]] = {
    "loss": Problem.loss,
    "value_and_gradient": Problem.value_and_gradient,
    "trajectory": Problem.trajectory,
    "initial": Problem.initial,
    "tracks": Problem.tracks,
    "descend": lambda p, values: next(iter(descend(p, values=values))),
    "losses": lambda p, values: p.losses(values, {"lift": np.zeros(2)}),
}
WRONG = [
    ({"gaol": (0.0, 1.0)}, "lob has no field 'gaol'; did you mean goal"),
    ({"goal": 3.0}, r"goal has the shape \(2,\), not \(\)"),
    ({"goal": (1.0, 2.0, 3.0)}, r"goal has the shape \(2,\), not \(3,\)"),
    ({"lift": (0.1, 0.2)}, r"lift has the shape \(\), not \(2,\)"),
    ({"goal": "near"}, r"goal takes numbers of shape \(2,\), not 'near'"),
    ({"goal": [1.0, [2.0]]}, r"goal takes numbers of shape \(2,\)"),
    ({"steps": 3}, "steps is fixed when lob is made"),
]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(("values", "said"), WRONG)
def test_values_that_cannot_be_are_refused(asked: str, values: dict[str, Any], said: str) -> None:
    problem = Problem(Lob())
    with pytest.raises(SceneError, match=said):
        ASKED[asked](problem, {**problem.values, **values})
    with pytest.raises(SceneError, match=said):
        ASKED[asked](problem, values)


def test_what_is_not_named_is_the_scenes_own() -> None:
    problem = Problem(Lob())
    whole = problem.loss({**problem.values, "lift": 0.1})
    assert problem.loss({"lift": 0.1}) == whole != problem.loss({}) == problem.loss(problem.values)
    assert set(problem.complete({})) == {"dt", "goal", "lift", "velocity"}


def test_a_direction_has_no_other_controls() -> None:
    problem = Problem(Lob())
    _, gradient = problem.value_and_gradient({})
    assert problem.slope({}, {"lift": 1.0}) == pytest.approx(gradient["lift"])
    with pytest.raises(SceneError, match="velocity has the shape"):
        problem.slope({}, {"velocity": 1.0})
    with pytest.raises(SceneError, match="has no control 'lft'; did you mean lift"):
        problem.losses({}, {"lft": np.zeros(2)})


def test_a_descent_is_as_the_scene_prefers() -> None:
    class Preferring(Lob):
        """Its own way of being solved."""

        optimizer, rate, iterations = "adam", 0.02, 7

    problem = Problem(Preferring())
    own = [iterate.loss for iterate in descend(problem)]
    said = [i.loss for i in descend(problem, iterations=7, rate=0.02, optimizer="adam")]
    assert own == said and len(own) == 8


def test_a_problem_that_has_been_used_can_be_pickled() -> None:
    problem = Problem(Lob())
    problem.compile()
    value, gradient = problem.value_and_gradient(problem.values)
    again = pickle.loads(pickle.dumps(problem))
    found, slope = again.value_and_gradient(problem.values)
    assert found == value and all(np.array_equal(slope[n], g) for n, g in gradient.items())
