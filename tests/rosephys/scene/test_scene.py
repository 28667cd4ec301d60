"""Scenes: their fields, how they are found, and a user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys import (
    Problem,
    Scene,
    SceneError,
    control,
    descend,
    find_scene,
    parameter,
    scene_names,
)
from tests.support.scenes import PENDULUM


@pytest.fixture
def pendulum(tmp_path: Path) -> str:
    path = tmp_path / "pendulum.py"
    path.write_text(PENDULUM)
    return str(path)


def test_billiards_is_built_in() -> None:
    assert "billiards" in scene_names()
    assert find_scene("billiards").name == "billiards"


def test_a_users_file(pendulum: str) -> None:
    problem = Problem(find_scene(pendulum, {"steps": "150"}))
    loss, gradient = problem.value_and_gradient(problem.values)
    differences = problem.central_differences(problem.values)
    assert gradient["push"] == pytest.approx(differences["push"], rel=1e-6)
    best = min(it.loss for it in descend(problem, iterations=100, rate=0.5))
    assert best < 1e-6 < loss
    assert problem.trajectory(problem.values).angle.shape == (151,)


def test_settings_are_parsed_as_typed() -> None:
    scene = find_scene("billiards", {"layers": "3", "goal": "0.8, 0.6", "contact": "toi-position"})
    assert scene.layers == 3  # type: ignore[attr-defined]
    assert scene.contact == "toi-position"  # type: ignore[attr-defined]
    np.testing.assert_array_equal(scene.live["goal"], [0.8, 0.6])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"layer": 3}, "did you mean layers"),
        ({"contact": "toi-velocty"}, "did you mean toi-velocity"),
        ({"layers": "many"}, "layers takes a whole number"),
        ({"layers": 2.5}, "layers takes a whole number"),
        ({"layers": 0}, "layers lies between 1 and 64"),
        ({"dt": "fast"}, "dt takes a number"),
        ({"dt": "nan"}, "dt must be finite"),
        ({"goal": "0.3"}, "goal takes 2 numbers"),
        ({"goal": "a,b"}, "goal takes numbers"),
        ({"target": 11}, "target 11 is not one of the 11 balls"),
        ({"restitution": -1}, "restitution lies between 0 and 1"),
    ],
)
def test_a_bad_setting_is_explained(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SceneError, match=said):
        find_scene("billiards", settings)


@pytest.mark.parametrize("dt", [0.0, -0.01, -np.inf])
def test_time_goes_forth_in_a_scene_that_gives_its_step_no_bounds(dt: float) -> None:
    """Of a negative step a cost along the way would be negative, and its minimum of the wrong thing."""

    class Idle(Scene):
        """Nothing."""

        dt: float = parameter(0.5, "time step", unit="s")

    with pytest.raises(SceneError, match=r"dt lies between 1e-30 and|dt must be finite"):
        Idle(dt=dt)


def test_the_first_number_outside_its_bounds_is_named() -> None:
    class Row(Scene):
        """Nothing."""

        push: Any = control(np.zeros((20, 2)), "pushes", bounds=(-1.0, 1.0))

    pushes = np.zeros((20, 2))
    pushes[[7, 9], 1] = 3.0, 4.0
    with pytest.raises(SceneError) as told:
        Row(push=pushes)
    assert str(told.value) == "push.7.1 lies between -1 and 1, not at 3"


def test_an_unknown_scene_suggests_near_ones(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="did you mean billiards"):
        find_scene("biliards")
    with pytest.raises(SceneError, match="there is no file"):
        find_scene(str(tmp_path / "none.py"))
    (tmp_path / "empty.py").write_text("x = 1\n")
    with pytest.raises(SceneError, match="defines no scene"):
        find_scene(str(tmp_path / "empty.py"))


def test_fields_are_inherited_and_keep_their_text() -> None:
    class Slow(Scene):
        """A scene that overrides a default only."""

        dt = 0.5
        mass: float = parameter(2.0, "mass", unit="kg")
        force: Any = control(lambda s: np.zeros(s.steps), "force in each step", unit="N")

    scene = Slow(steps=3)
    assert scene.dt == 0.5
    assert Slow.fields["dt"].unit == "s"
    assert scene.controls == ("force",)
    assert scene.live["force"].shape == (3,)
