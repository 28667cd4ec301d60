"""Policies that are trained through the simulator: learned from 64 random starts, they hold on 64 others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Ensemble, Problem, descend, load_policy, save_policy
from rosephys.solve.iterate import Iterate
from tests.support.policies import POLICIES, Pushed, Upright, Upright4s, held

LEARNED, OTHERS = 0, 1  # seeds


def learned(problem: Problem, iterations: int, **how: object) -> Iterate:
    found = descend(problem, iterations=iterations, schedule="cosine", clip=5.0, **how)  # type: ignore[arg-type]
    return min(found, key=lambda iterate: iterate.loss)


def upright(problem: Ensemble, weights: np.ndarray) -> int:
    """How many members stand upright at the end."""
    alone = Problem(problem.scene)
    count = 0
    for k in range(problem.members):
        motion = alone.trajectory(problem.member({"weights": weights}, k))
        count += held(Upright(motion.place[-1], motion.rate[-1], 0.0))
    return count


def test_a_network_learns_to_balance_and_holds_on_other_starts(tmp_path: Path) -> None:
    scene = Upright4s(policy="network")
    best = learned(Ensemble(scene, 64, seed=LEARNED), 300)
    others = Ensemble(scene, 64, seed=OTHERS)
    assert upright(others, best.values["weights"]) == 64
    assert upright(others, scene.weights) <= 1  # the first weights do not
    save_policy(tmp_path / "p.npz", POLICIES["network"], best.values["weights"])
    policy, weights = load_policy(tmp_path / "p.npz")
    senses = np.array([0.1, -0.2, 0.3, 0.4])
    known = ra.fn(lambda w, s: POLICIES["network"](w, s))(best.values["weights"], senses)
    np.testing.assert_array_equal(ra.fn(lambda w, s: policy(w, s))(weights, senses), known)


def test_a_linear_policy_learns_to_balance_with_longer_and_longer_motions() -> None:
    weights = POLICIES["linear"].first()
    for steps, rate in ((40, 0.5), (100, 0.3), (200, 0.1)):
        scene = Upright4s(policy="linear", steps=steps)
        problem = Ensemble(scene, 64, seed=LEARNED)
        weights = learned(problem, 100, rate=rate, values={"weights": weights}).values["weights"]
    assert upright(Ensemble(scene, 64, seed=OTHERS), weights) == 64


@pytest.mark.slow
def test_a_robot_learns_to_walk_and_walks_from_other_starts() -> None:
    """Its front foot is at 0.22 at first. Walks are chaotic: how much it learns the last digits say."""
    problem, others = (Ensemble(Pushed(), 64, seed=s) for s in (LEARNED, OTHERS))
    start = {name: problem.values[name] for name in problem.controls}
    found = descend(problem, optimizer="adam", rate=0.05, iterations=100, schedule="cosine")
    best = min(found, key=lambda iterate: iterate.loss)
    before, after = (-others.member_losses(v) for v in (start, best.values))
    print(before.mean(), before.min(), after.mean(), after.min())
    assert after.min() > 0.35 and after.mean() > before.mean() + 0.15
    assert after.mean() == pytest.approx(-best.loss, abs=0.02)  # no better where it was learned
