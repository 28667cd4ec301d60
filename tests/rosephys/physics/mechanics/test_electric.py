"""A charge led by electrodes: Coulomb's force, and a second program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.mechanics.electric import coulomb_force


def test_the_force_is_that_of_coulomb_and_fades_within_a_source() -> None:
    force = ra.fn(lambda x, s, g: coulomb_force(x, s, g, 0.5, 0.1))
    source = np.array([[0.2, 0.3]])
    np.testing.assert_allclose(
        force(np.array([0.6, 0.6]), source, np.array([2.0])), np.array([0.4, 0.3]) / 0.125
    )
    np.testing.assert_allclose(
        force(np.array([0.26, 0.38]), source, np.array([1.0])), np.array([0.06, 0.08]) / 0.002
    )
    np.testing.assert_array_equal(force(source[0], source, np.array([1.0])), 0.0)


def test_a_charge_agrees_with_a_second_program() -> None:
    problem = Problem(find_scene("electric", {"paths": 2, "steps": 63}))
    scene: Any = problem.scene
    w = {name: problem.values[name] for name in problem.controls}
    electrodes = np.array([
        (0.1, 0.1), (0.1, 0.9), (0.9, 0.9), (0.9, 0.1), (0.5, 0.9), (0.5, 0.1), (0.1, 0.5), (0.9, 0.5),
    ])  # fmt: skip
    missed = 0.0
    for points in scene.points:
        x, v = points[0], np.zeros(2)
        for t in range(63):
            goals = []
            for at in (t, t + 1):
                k = min(at // 32, 1)
                goals.append(points[k] + (at / 32 - k) * (points[k + 1] - points[k]))
            pace = points[min(t // 32, 1) + 1] - points[min(t // 32, 1)]
            seen = np.concatenate([x - 0.5, v, goals[0] - 0.5, pace - 0.5])
            hidden = np.tanh(seen @ w["hidden_weights"] + w["hidden_bias"])
            charges = np.tanh(hidden @ w["charge_weights"] + w["charge_bias"])
            apart = x - electrodes
            distance = np.maximum(np.hypot(*apart.T), 0.1)
            force = 1e-3 * (charges / distance**3) @ apart
            v = np.exp(-0.2 * 0.03) * v + 0.03 * force
            x = x + 0.03 * v
            missed += 0.03 * np.sum((x - goals[1]) ** 2) / 2
    assert problem.loss(problem.values) == pytest.approx(missed, rel=1e-12)


def test_electrodes_learn() -> None:
    problem = Problem(find_scene("electric", {"paths": 1}))
    losses = [i.loss for i in descend(problem, iterations=60, rate=0.02, optimizer="adam")]
    assert min(losses) < 0.2 * losses[0]
