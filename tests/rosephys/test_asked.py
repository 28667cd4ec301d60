"""What is asked for and cannot be: each has words of its own that say what, and what came instead."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest

from rosephys import (
    Ensemble,
    Measurement,
    Mpc,
    Problem,
    SceneError,
    descend,
    find_scene,
    identify,
    normal,
    sweep,
)
from rosephys.errors import ArgumentError
from tests.support.control import Cart

PROBLEM, SPREAD = Problem(Cart()), {"miss": normal(1.0)}
SEEN = Measurement([0.0, 0.05, 0.1], {"place": [0.0, 1.0, 2.0]})
NAN, INF = float("nan"), float("inf")


def descent(problem: Any = PROBLEM, **how: Any) -> Callable[[], Any]:
    return lambda: list(islice(descend(problem, **how), 2))


def ensemble(**how: Any) -> Callable[[], Any]:
    return lambda: Ensemble(Cart(), 4, **{"spread": SPREAD, **how})


def swept(problem: Any = PROBLEM, **how: Any) -> Callable[[], Any]:
    return lambda: sweep(problem, **how)


def fit(measured: Any = SEEN, names: Any = ("miss",), scene: Any = None, **how: Any) -> Any:
    return lambda: identify(scene or Cart(), measured, names, **how)


WRONG: dict[str, Callable[[], Any]] = {
    "iterations: wanted a whole number from 0 on, not -1": descent(iterations=-1),
    "iterations: wanted a whole number from 0 on, not 2.5": descent(iterations=2.5),
    "iterations: wanted a whole number from 0 on, not '3'": descent(iterations="3"),
    "iterations: wanted a whole number from 0 on, not True": descent(iterations=True),
    "rate: wanted a number above 0, not -1": descent(rate=-1),
    "rate: wanted a number above 0, not 0": descent(rate=0),
    "rate: wanted a number above 0, not nan": descent(rate=NAN),
    "rate: wanted a number above 0, not inf": descent(rate=INF),
    "rate: wanted a number above 0, not 'fast'": descent(rate="fast"),
    "clip: wanted a number above 0, not -1": descent(clip=-1),
    "budget_ms: wanted a number above 0, not 0": descent(budget_ms=0),
    "budget_ms: wanted a number above 0, not '8'": descent(budget_ms="8"),
    "starts: wanted a whole number from 1 on, not 0": descent(starts=0),
    "starts: wanted a whole number from 1 on, not 2.5": descent(starts=2.5),
    "seed: wanted a whole number from 0 on, not -1": descent(seed=-1),
    "seed: wanted a whole number from 0 on, not 'a'": descent(seed="a"),
    "values: wanted a dict by names of fields, not [1, 2]": descent(values=[1, 2]),
    "'ilgr' is not one of gd, momentum,": descent(optimizer="ilgr"),
    "multi-start, cma-es, cma-gradient; did you mean ilqr?": descent(optimizer="ilgr"),
    "3 is not one of gd,": descent(optimizer=3),
    "wanted a problem, as Problem(scene), not a Cart": descent(Cart()),
    "wanted a problem, as Problem(scene), not 'cart'": descent("cart"),
    "wanted a scene, not its class: Cart() makes one": lambda: Problem(Cart),  # type: ignore[arg-type]
    "wanted a scene, not 'bounce': find_scene('bounce')": lambda: Problem("bounce"),  # type: ignore[arg-type]
    "wanted a scene, not None": lambda: Problem(None),  # type: ignore[arg-type]
    "a scene is found by its name or by its file, not 3": lambda: find_scene(3),  # type: ignore[arg-type]
    "spread: wanted a dict by names of fields, not [1]": ensemble(spread=[1]),
    "seed: wanted a whole number from 0 on, not 1.5": ensemble(seed=1.5),
    "threads: wanted a whole number from 1 on, not 0": ensemble(threads=0),
    "milliseconds: wanted a number above 0, not -1": lambda: Mpc(PROBLEM, -1),
    "milliseconds: wanted a number above 0, not '8'": lambda: Mpc(PROBLEM, "8"),  # type: ignore[arg-type]
    "sweeps: wanted a whole number from 1 on, not 'many'": lambda: Mpc(PROBLEM, sweeps="many"),  # type: ignore[arg-type]
    "as Problem(scene), not a Cart": lambda: Mpc(Cart()),  # type: ignore[arg-type]
    "wanted a problem, as  Problem(scene)": swept(Cart(), starts=2),
    "vary: wanted a dict by names of fields, not a list of 1": swept(vary=[("miss", 1)]),
    "miss takes a row of values, not 'abc'": swept(vary={"miss": "abc"}),
    "between: wanted a dict by names": swept(between=[1], samples=2),
    "starts: wanted a whole number from 1 on, not -2": swept(starts=-2),
    "samples: wanted a whole number from 1 on, not 0": swept(between={"miss": (1, 2)}, samples=0),
    "iterations: wanted a whole number from 0 on, not -3": swept(starts=2, iterations=-3),
    "rate: wanted a number above 0, not -2": swept(starts=2, iterations=2, rate=-2),
    "chunk: wanted a whole number from 1 on, not 0": swept(starts=2, chunk=0),
    "wanted an executor of concurrent.futures, not 'threads'": swept(executor="threads"),
    "resume goes on with a sweep that was kept: name its folder": swept(resume=True),
    "wanted a Measurement, or several in a list, not None": fit(None),
    "wanted a Measurement, or several in a list, not 3": fit(3),
    "name a field or more to fit, as ['mass'], not 'miss'": fit(names="miss"),
    "name a field or more to fit, as ['mass']": fit(names=[]),
    "dt is what measured times are counted in": fit(names=["dt"]),
    "wanted a scene, not its class: Cart()": fit(scene=Cart),
    "seed: wanted a whole number from 0 on, not -5": fit(seed=-5),
    "1 number was measured; to fit 1 takes more": fit(Measurement([0.0], {"place": [0.0]})),
    "the measurement: place has an infinite number": lambda: Measurement([0.0], {"place": [INF]}),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_is_told(words: str) -> None:
    with pytest.raises(SceneError) as told:
        WRONG[words]()
    assert " ".join(words.split()) in str(told.value)


def test_what_is_asked_for_wrongly_is_a_value_error_too() -> None:
    with pytest.raises(ValueError, match="rate"):
        descent(rate=-1)()
    assert issubclass(ArgumentError, ValueError)


@pytest.mark.parametrize("rate", [np.float32(0.5), np.int64(1), 1])
def test_numbers_of_any_kind_are_numbers(rate: Any) -> None:
    assert descent(rate=rate, iterations=np.int64(1), starts=np.int32(2), optimizer="adam")()
