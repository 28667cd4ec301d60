"""Schedules: factors of a rate, which optimisers take them, and what they are good for."""

from __future__ import annotations

import math

import pytest

from rosephys import Problem, SceneError, descend
from rosephys.scene.optimizers import OPTIMIZERS
from rosephys.solve.schedules import SCHEDULES, scheduled
from tests.support.scenes import Lob


@pytest.mark.parametrize("name", SCHEDULES)
def test_factors_lie_between_0_and_1_and_end_low(name: str) -> None:
    factor = scheduled(name, 100)
    found = [factor(k) for k in range(100)]
    assert all(0 < f <= 1 for f in found)
    assert name == "constant" or found[-1] < 0.02
    assert name == "warm-up" or found == sorted(found, reverse=True)


def test_factors_are_those_of_the_formulas() -> None:
    assert scheduled("linear", 4)(1) == 1 - 1.5 / 4
    assert scheduled("cosine", 4)(1) == pytest.approx((1 + math.cos(math.pi * 1.5 / 4)) / 2)
    assert scheduled("exponential", 4)(1) == pytest.approx(100 ** (-1.5 / 4))
    assert scheduled("warm-up", 100)(4) == pytest.approx(0.45)
    assert scheduled("warm-up", 100)(9) == pytest.approx(0.95)


@pytest.mark.parametrize("optimizer", [n for n, o in OPTIMIZERS.items() if o.scheduled])
def test_steps_become_short(optimizer: str) -> None:
    if optimizer == "gd":
        rate = 0.1
    else:
        rate = 0.01
    how = {"optimizer": optimizer, "rate": rate, "iterations": 100}
    plain, cosine = (
        list(descend(Problem(Lob()), schedule=s, **how)) for s in ("constant", "cosine")
    )

    def last_step(found: list) -> float:
        return abs(found[-1].values["velocity"] - found[-2].values["velocity"]).max()

    assert last_step(cosine) < 0.02 * rate
    assert cosine[1].loss == pytest.approx(plain[1].loss, rel=0.02)


def test_adam_comes_nearer_with_one() -> None:
    """It circles about the minimum at the distance of its rate without."""
    best = {}
    for schedule in ("constant", "cosine"):
        *_, last = descend(
            Problem(Lob()), optimizer="normalized", rate=0.05, iterations=100, schedule=schedule
        )
        best[schedule] = last.loss
    assert best["cosine"] < 1e-2 * best["constant"]


def test_what_cannot_be_is_told() -> None:
    with pytest.raises(SceneError, match="'cosin' is no schedule; did you mean cosine"):
        next(descend(Problem(Lob()), schedule="cosin"))
    with pytest.raises(SceneError, match="lbfgs chooses how far its steps go: a schedule is of gd"):
        next(descend(Problem(Lob()), optimizer="lbfgs", schedule="cosine"))
