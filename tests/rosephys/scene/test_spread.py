"""Spreads: draws have the distribution they say, and what is none is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosephys import Scene, SceneError, control, log_uniform, normal, parameter, uniform

MANY = 40_000


def drawn(spread: Any, value: Any = 3.0) -> np.ndarray:
    random = np.random.default_rng(0)
    return np.array([spread(random, np.asarray(value)) for _ in range(MANY)])


def test_a_normal_has_its_mean_and_deviation() -> None:
    found = drawn(normal(0.5))
    assert found.mean() == pytest.approx(3.0, abs=5 * 0.5 / np.sqrt(MANY))
    assert found.std() == pytest.approx(0.5, rel=0.02)


def test_a_uniform_fills_its_reach() -> None:
    found = drawn(uniform(0.5))
    assert 2.5 <= found.min() < 2.51 and 3.49 < found.max() <= 3.5
    assert found.std() == pytest.approx(0.5 / np.sqrt(3), rel=0.02)


def test_a_log_uniform_is_as_often_below_as_above() -> None:
    found = np.log(drawn(log_uniform(2.0)) / 3.0)
    assert -np.log(2) <= found.min() < -0.68 and 0.68 < found.max() <= np.log(2)
    assert found.std() == pytest.approx(np.log(2) / np.sqrt(3), rel=0.02)


def test_every_number_of_an_array_is_drawn_for_itself() -> None:
    found = drawn(normal([0.1, 0.3]), [1.0, 2.0])
    np.testing.assert_allclose(found.std(axis=0), [0.1, 0.3], rtol=0.02)
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.03


@pytest.mark.parametrize("size", [0, -1.0, np.nan, np.inf, "a", None, [0.1, -0.1]])
@pytest.mark.parametrize("kind", [normal, uniform, log_uniform])
def test_a_size_that_cannot_be_is_told(kind: Any, size: Any) -> None:
    with pytest.raises(ValueError, match="of a spread is a number above"):
        kind(size)


@pytest.mark.parametrize(
    ("default", "kind"), [(3, "int"), (True, "bool"), ("soft", "str")], ids=["int", "bool", "str"]
)
def test_a_spread_of_what_may_not_vary_is_told(default: Any, kind: str) -> None:
    with pytest.raises(SceneError, match=f"count: has a spread, and is the {kind}"):

        class Counting(Scene):
            count = parameter(default, "how many", spread=normal(1.0))


def test_a_spread_that_is_none_is_told() -> None:
    with pytest.raises(SceneError, match=r"mass: spread is 0\.1; wanted normal\(0\.1\)"):

        class Heavy(Scene):
            mass: float = parameter(1.0, "mass", spread=0.1)  # type: ignore[arg-type]


def test_a_control_takes_no_spread() -> None:
    with pytest.raises(TypeError, match="spread"):
        control(1.0, "push", spread=normal(0.1))  # type: ignore[call-arg]
