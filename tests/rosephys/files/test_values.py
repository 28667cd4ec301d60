"""The numbers of a motion, and controls that are loaded again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys.command.cli import main
from rosephys.files.values import load, save_motion
from rosephys.scene.finding import find_scene
from rosephys.solve.problem import Problem
from tests.support.commands import SCENE
from tests.support.scenes import Juggler


@pytest.fixture(scope="module")
def walk(tmp_path_factory: Any) -> Path:
    """A scene file of a walker; its motion lasts a second."""
    path: Path = tmp_path_factory.mktemp("scene") / "walk.py"
    path.write_text(SCENE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def problem(walk: Path) -> Problem:
    return Problem(find_scene(str(walk)))


def test_the_numbers_are_those_of_the_motion(problem: Problem, tmp_path: Path) -> None:
    values = {**problem.values, "speed": np.array([0.7, 0.5])}
    save_motion(tmp_path / "motion.npz", problem, values)
    with np.load(tmp_path / "motion.npz", allow_pickle=False) as found:
        names = {"trajectory/place", "times", "loss", "tracks/walker"}
        assert set(found.files) == names | {f"values/{n}" for n in problem.scene.fields}
        np.testing.assert_allclose(found["times"], 0.05 * np.arange(21))
        np.testing.assert_allclose(
            found["trajectory/place"], found["times"][:, None] * (0.7, 0.5), atol=1e-15
        )
        np.testing.assert_array_equal(found["tracks/walker"], found["trajectory/place"])
        assert found["loss"] == problem.loss(values)
        assert found["values/steps"] == 20


def test_what_record_wrote_can_be_loaded(walk: Path, tmp_path: Path, capsys: Any) -> None:
    path = str(tmp_path / "motion.npz")
    assert main(["record", str(walk), "--set", "steps=30", "--out", path]) == 0
    settings = load(Path(path))
    assert settings["steps"] == 30 and set(settings) == {"steps", "dt", "memory", "goal", "speed"}
    capsys.readouterr()
    assert main(["record", str(walk), "--load", path, "--out", str(tmp_path / "end.png")]) == 0
    assert "0 iterations" in capsys.readouterr().out


def test_parts_of_a_state_have_paths_and_no_picture_is_needed(tmp_path: Path) -> None:
    problem = Problem(Juggler())
    save_motion(tmp_path / "motion.npz", problem, problem.values)
    with np.load(tmp_path / "motion.npz") as found:
        assert {n for n in found.files if n.startswith("trajectory")} == {
            "trajectory/arms/0/angle",
            "trajectory/arms/0/tip",
            "trajectory/arms/1/angle",
            "trajectory/arms/1/tip",
            "trajectory/extra/mass",
        }
        assert found["trajectory/arms/0/angle"].tolist() == [0, 1, 2, 3]
