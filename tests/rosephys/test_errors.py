"""An error of a scene's author is told with what may have been meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from rosephys import Problem, find_scene
from rosephys.errors import describe

SCENE = '''import numpy as np
from rosephys import Circles, Picture, Scene, control, parameter

class Throw(Scene):
    """A throw."""

    goal: float = parameter(1.0, "where")
    speed: float = control(1.0, "how fast")

    def initial(self):
        return self.speed

    def step(self, state, t):
        return state

    def loss(self, final):
        return (final - self.goal) ** 2

    def picture(self, state):
        return Picture((Circles(np.zeros((1, 2)), 1.0, ("red",)),), (0, 0, 1, 1))
'''


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("import Circles,", "import Circle,", "; did you mean Circles?"),
        ("return self.speed", "return self.sped", "no attribute 'sped'; did you mean speed?"),
        ("final - self.goal", "final - self.gaol", "no attribute 'gaol'; did you mean goal?"),
        ("final - self", "finl - self", "name 'finl' is not defined; did you mean final?"),
        ("Picture((", "Pictur((", "name 'Pictur' is not defined; did you mean Picture?"),
        ("np.zeros", "np.zeroes", "no attribute 'zeroes'; did you mean zeros?"),
        ("self.speed", "self.qqqq", "no attribute 'qqqq', "),
    ],
)
def test_a_name_that_is_nearly_right(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    assert right in SCENE
    path = tmp_path / "throw.py"
    path.write_text(SCENE.replace(right, wrong), encoding="utf-8")
    with pytest.raises(Exception) as caught:
        problem = Problem(find_scene(str(path)))
        problem.inspect()
        problem.loss(problem.values)
    said = describe(caught.value)
    assert told in said
    assert f"{path}:" in said
