"""Classical problems of optimal control, solved in ways that have little in common: optima that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.peers.control import PROBLEMS, until
from rosephys import Problem, descend
from rosephys.solve.iterate import Iterate
from tests.support.control import Brachistochrone, Goddard, Sprint, SwingUp

pytest.importorskip("scipy.optimize", reason="the extra `test` has it")


def best(scene: Any, optimizer: str, iterations: int = 300, **how: Any) -> Iterate:
    found = descend(Problem(scene), optimizer=optimizer, iterations=iterations, **how)
    return min(found, key=lambda iterate: iterate.rank)


@pytest.mark.parametrize("optimizer", ["slsqp", "trust-constr", "augmented-lagrangian"])
def test_the_wire_of_quickest_descent(optimizer: str) -> None:
    """0.58289546 s is the cycloid's time; pieces that are straight take a little longer."""
    for steps, above in ((20, 2e-4), (60, 2e-5)):
        found = best(Brachistochrone(steps=steps), optimizer, rate=0.1)
        assert 0 < found.loss / 0.58289546 - 1 < above
        assert found.violation <= 1e-6
        angles = found.values["angle"]  # of a cycloid it grows steadily with time
        turns = np.diff(angles)
        np.testing.assert_allclose(turns, turns.mean(), atol=0.02 * abs(turns.mean()) + 1e-4)


@pytest.mark.parametrize("optimizer", ["slsqp", "trust-constr", "augmented-lagrangian"])
def test_the_least_time_is_at_full_force(optimizer: str) -> None:
    found = best(Sprint(), optimizer)
    assert found.loss == pytest.approx(2.0, abs=1e-4)  # 2 √(distance / acceleration)
    np.testing.assert_allclose(found.values["force"], [1.0] * 10 + [-1.0] * 10, atol=1e-2)


@pytest.mark.slow
def test_a_pole_is_swung_up_in_one_way_by_three() -> None:
    ends = [best(SwingUp(), name) for name in ("ilqr", "ddp", "multiple-shooting")]
    losses = [end.loss for end in ends]
    assert max(losses) / min(losses) - 1 < 1e-8
    assert losses[0] == pytest.approx(0.408407510656, rel=1e-8)
    assert np.abs(ends[0].values["force"]).max() <= 10.0
    for end in ends[1:]:
        np.testing.assert_allclose(end.values["force"], ends[0].values["force"], atol=1e-3)


@pytest.mark.slow
def test_a_rocket_comes_as_high_by_four() -> None:
    ways = {"ddp": 60, "ilqr": 20, "multiple-shooting": 60, "augmented-lagrangian": 60}
    ends = [best(Goddard(), name, iterations) for name, iterations in ways.items()]
    heights = [1 - end.loss / 100 for end in ends]
    assert heights[0] == pytest.approx(1.01283, abs=1e-5)  # Bryson 1999
    gained = [end.loss for end in ends]
    assert max(gained) - min(gained) < 1e-4 * abs(min(gained))
    thrust = ends[0].values["thrust"]
    assert thrust[:5] == pytest.approx(3.5, abs=1e-3) and np.abs(thrust[-20:]).max() < 1e-3


@pytest.mark.parametrize("name", PROBLEMS)
def test_casadi_and_ipopt_come_to_the_same_cost(name: str) -> None:
    """On the same steps, by a program that has nothing in common with this one."""
    pytest.importorskip("casadi", reason="the extra `test` has it")
    from benchmarks.peers.control.casadi import transcribed

    case = PROBLEMS[name]
    cost, _ = transcribed(name, False, case.enough).solve()
    way = descend(Problem(case.scene()), optimizer=case.optimizers[0], rate=case.rate)
    found = min(until(way, case.enough), key=lambda iterate: iterate.rank)
    exact = case.enough < 0  # else both stop within 0.1 % of the optimum
    assert found.loss == pytest.approx(cost, rel=1e-5 if exact else 1e-3)
    assert found.violation <= 1e-6
