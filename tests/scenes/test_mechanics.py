"""The scenes of mechanics: they are solved, keep their invariants, and have right gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene

EIGHT_ENERGY = -1.2871419918


# ------------------------------------------------------------------------------------ scenes


@pytest.mark.parametrize(
    ("name", "settings", "reached"),
    [
        ("pendulum", {"links": 1}, 1e-6),
        ("pendulum", {"links": 2}, 1e-4),
        ("orbit", {"system": "kepler"}, 1e-8),
    ],
)
def test_scenes_are_solved(name: str, settings: dict[str, Any], reached: float) -> None:
    problem = Problem(find_scene(name, settings))
    scene = problem.scene
    how = {"iterations": scene.iterations, "rate": scene.rate, "optimizer": scene.optimizer}
    *_, last = descend(problem, **how)  # type: ignore[arg-type]
    assert last.loss < reached
    trajectory = problem.trajectory(last.values)
    assert problem.picture(trajectory, 3, last.values).shapes
    assert problem.tracks(last.values, trajectory)[0].point.shape == (problem.steps + 1, 2)


@pytest.mark.parametrize(("name", "system"), [("pendulum", ""), ("orbit", "eight")])
def test_invariants_of_scenes_are_kept(name: str, system: str) -> None:
    problem = Problem(find_scene(name, {"system": system} if system else {"links": 3}))
    states = problem.trajectory(problem.values)
    invariants = ra.fn(problem.scene.invariants)  # type: ignore[attr-defined]
    first, last = (
        invariants(ra.map_leaves(lambda leaf, k=k: leaf[k], states)) for k in (0, problem.steps)
    )
    assert last == pytest.approx(first, rel=1e-4, abs=1e-12)
    if system:
        assert first["energy"] == pytest.approx(EIGHT_ENERGY, abs=1e-7)


def test_gradients_of_scenes() -> None:
    for name, settings in (
        ("pendulum", {"links": 2, "method": "implicit-midpoint", "steps": 60}),
        ("orbit", {"system": "eight", "goal": "0.3,0.4", "steps": 200}),
    ):
        problem = Problem(find_scene(name, settings))
        _, gradient = problem.value_and_gradient(problem.values)
        for control, slope in problem.central_differences(problem.values).items():
            np.testing.assert_allclose(gradient[control], slope, rtol=1e-6, atol=1e-8)
