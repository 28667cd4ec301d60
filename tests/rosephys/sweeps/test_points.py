"""The points of a sweep: each grid value with each sample and each start, and what cannot be varied."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from rosephys import SceneError
from rosephys.sweeps.points import BLOCK, Points, points
from tests.support.scenes import Lob

OWN = {"lift": np.array(0.25), "velocity": np.array([1.0, 0.5])}
BOUNDS = {"lift": (0.0, 0.3), "velocity": (-np.inf, np.inf)}


def test_every_combination_is_there_once() -> None:
    grid = {"dt": np.array([0.1, 0.2]), "goal.0": np.array([1.0, 2.0, 3.0])}
    p = Points(grid, {"goal.1": (0.0, 1.0)}, 4, 5, seed=3)
    assert p.size == 2 * 3 * 4 * 5
    rows = np.arange(p.size)
    at = p.at(rows)
    samples = at["goal.1"][:20:5]
    columns = (at["dt"], at["goal.0"], at["goal.1"], p.start(rows))
    assert list(zip(*columns, strict=True)) == list(
        product(grid["dt"], grid["goal.0"], samples, range(5))
    )


@pytest.mark.parametrize("samples", [1, 2, 7, 100])
def test_samples_are_a_latin_hypercube(samples: int) -> None:
    p = Points({}, {"dt": (2.0, 4.0), "goal.0": (-1.0, 1.0)}, samples, 1, seed=1)
    at = p.at(np.arange(samples))
    for name, (low, high) in p.between.items():
        place = np.floor((at[name] - low) / (high - low) * samples).astype(int)
        assert sorted(place) == list(range(samples))
    if samples == 100:
        assert abs(np.corrcoef(at["dt"], at["goal.0"])[0, 1]) < 0.3


def test_a_seed_says_what_is_drawn() -> None:
    several = [Points({}, {"dt": (0.0, 1.0)}, 9, 3, seed) for seed in (1, 1, 2)]
    first, again, other = (p.at(np.arange(27))["dt"] for p in several)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    thrown = [p.controls(OWN, BOUNDS, np.arange(3))["velocity"] for p in several]
    assert np.array_equal(thrown[0], thrown[1]) and not np.array_equal(thrown[0], thrown[2])


def test_a_start_is_the_same_whoever_asks() -> None:
    """Whole blocks are drawn, whichever starts are wanted of them."""
    p = Points(starts=3 * BLOCK)
    whole = p.controls(OWN, BOUNDS, np.arange(3 * BLOCK))
    some = np.array([0, 5, BLOCK - 1, BLOCK, 2 * BLOCK + 7, 5])
    for name, values in p.controls(OWN, BOUNDS, some).items():
        assert np.array_equal(values, whole[name][some])
    assert np.array_equal(whole["velocity"][0], OWN["velocity"])
    assert whole["lift"].min() >= 0.0 and whole["lift"].max() <= 0.3
    assert len(np.unique(whole["velocity"][:, 0])) == 3 * BLOCK


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"vary": {"gaol.0": [1.0]}}, "lob has no field 'gaol'; did you mean goal?"),
        ({"vary": {"goal": [1.0]}}, "goal is no number of goal, of shape (2,): goal.0 is one"),
        ({"vary": {"goal.2": [1.0]}}, "goal.2 is no number of goal, of shape (2,): goal.0 is one"),
        ({"vary": {"goal.-1": [1.0]}}, "goal.-1 is no number of goal"),
        ({"vary": {"dt.0": [1.0]}}, "dt.0 is no number of dt, of shape (): dt is one"),
        ({"vary": {"steps": [1.0]}}, "steps shapes the program of lob"),
        ({"vary": {"dt": []}}, "dt takes a row of values, not an array of shape (0,)"),
        ({"vary": {"dt": 0.1}}, "dt takes a row of values, not an array of shape ()"),
        ({"vary": {"dt": [np.nan]}}, "dt is to be varied among finite numbers"),
        ({"vary": {"lift": [0.1, 0.4]}}, "lift lies between 0 and 0.3, not at 0.4"),
        (
            {"between": {"lift": (-1.0, 0.2)}, "samples": 2},
            "lift lies between 0 and 0.3, not at -1",
        ),
        ({"between": {"dt": (0.2, 0.1)}, "samples": 2}, "the range of dt goes from 0.2 to 0.1"),
        ({"between": {"dt": 0.1}, "samples": 2}, "dt takes the two ends of a range, not 0.1"),
        ({"between": {"dt": (0.1, 0.2)}}, "dt has a range to be sampled: how many samples?"),
        ({"samples": 3}, "there are samples to be drawn, but no range"),
        (
            {"between": {"dt": (0.1, 0.2)}, "samples": 0},
            "samples: wanted a whole number from 1 on, not 0",
        ),
        ({"starts": 0}, "starts: wanted a whole number from 1 on, not 0"),
        ({"starts": 1 << 41}, "a sweep has 1,099,511,627,776 points at most"),
        (
            {"vary": {"dt": [0.1]}, "between": {"dt": (0.1, 0.2)}, "samples": 2},
            "dt is varied twice: on a grid, and in a range",
        ),
    ],
)
def test_what_cannot_be_varied_so(asked: dict[str, object], said: str) -> None:
    whole: dict[str, object] = {"vary": {}, "between": {}, "samples": None, "starts": 1, "seed": 0}
    with pytest.raises(SceneError) as error:
        points(Lob(), **{**whole, **asked})  # type: ignore[arg-type]
    assert str(error.value).startswith(said)
