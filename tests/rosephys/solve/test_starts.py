"""Descents from many starts: a local minimum is left, a miss is mended, and the same seed does the same."""

from __future__ import annotations

from typing import Any

import pytest

from rosephys import OptimizeError, Problem, find_scene
from rosephys.command.typed import MOST_STARTS
from rosephys.solve.scout import BATCH
from rosephys.solve.starts import descend_from

HOW: dict[str, Any] = {"iterations": 30, "rate": 0.002, "optimizer": "adam"}


def billiards(**settings: str) -> Problem:
    return Problem(find_scene("billiards", {"layers": "2", "steps": "600", **settings}))


def test_the_first_start_is_the_one_that_is_given() -> None:
    problem = billiards()
    one = list(descend_from(problem, starts=1, **HOW))
    three = list(descend_from(problem, starts=3, **HOW))
    assert [k for k, _ in three] == [k for k in range(3) for _ in range(31)]
    for (_, a), (_, b) in zip(one, three, strict=False):
        assert a.loss == b.loss and a.iteration == b.iteration
    assert three[0][1].loss == problem.loss(problem.values)


def test_what_is_not_given_is_the_scenes_own() -> None:
    problem = billiards()
    how = {**HOW, "iterations": 1, "starts": 2}
    some = descend_from(problem, values={"goal": problem.values["goal"]}, **how)
    assert [i.loss for _, i in some] == [i.loss for _, i in descend_from(problem, **how)]


def test_a_seed_is_a_choice_of_starts() -> None:
    problem = billiards()

    def firsts(seed: int) -> list[float]:
        found = descend_from(problem, starts=4, seed=seed, **{**HOW, "iterations": 0})
        return [iterate.loss for _, iterate in found]

    assert firsts(0) == firsts(0) and firsts(0)[0] == firsts(1)[0]
    assert firsts(0)[1:] != firsts(1)[1:]
    assert firsts(0)[1:] == sorted(firsts(0)[1:]), "the best of many come first"


def test_a_shot_that_misses_is_mended_by_another_start() -> None:
    problem = billiards(cue_velocity="0.3,0.15")
    losses: dict[int, list[float]] = {}
    for k, iterate in descend_from(problem, starts=8, **{**HOW, "iterations": 100}):
        losses.setdefault(k, []).append(iterate.loss)
    assert min(losses[0]) == max(losses[0]), "nothing is touched"
    assert min(min(tried) for tried in losses.values()) < 0.5 * losses[0][0]


def test_a_start_that_is_not_finite_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from rosephys.solve import starts

    right, calls = starts.descend, []

    def sometimes(problem: Any, **how: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise OptimizeError("the loss is nan")
        yield from right(problem, **how)

    monkeypatch.setattr(starts, "descend", sometimes)
    found = {k for k, _ in descend_from(billiards(), starts=3, **HOW)}
    assert found == {0, 2}


@pytest.mark.parametrize("starts", [0, BATCH + 2])
def test_starts_that_there_are_not(starts: int) -> None:
    with pytest.raises(ValueError, match="starts are 1 to 65"):
        next(descend_from(billiards(), starts=starts, **HOW))


def test_as_many_may_be_typed() -> None:
    assert MOST_STARTS == BATCH + 1
