"""A fixed slice of the random programs of `fuzz.py`, and that it sees what it is to see."""

from __future__ import annotations

import dataclasses
from typing import Any

import fuzz
import numpy as np
import pytest
from random_programs import STATEMENTS, Program, draw

from rose_ad import prims


def test_two_hundred_programs() -> None:
    failures: list[Any] = []
    seeds = range(200)
    fuzz.run_seeds(
        seeds, fuzz.BATCH, 0.1, lambda what, more: what == "failed" and failures.append(more)
    )
    assert not failures, "\n".join(text for _, text in failures)


def test_every_statement_is_drawn() -> None:
    names = {word for seed in range(300) for word in _words(draw(seed).body)}
    assert set(STATEMENTS) <= names


def _words(x: Any) -> Any:
    if isinstance(x, tuple):
        for y in x:
            yield from _words(y)
    elif isinstance(x, str):
        yield x


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sin", {"jvp": prims.TABLE["cos"].jvp}),
        ("mul", {"transpose": lambda E, x, k, ct: ct}),
        ("tanh", {"evaluate": lambda x: np.tanh(x) + 1e-15}),
    ],
)
def test_a_wrong_rule_is_found(
    name: str, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(prims.TABLE, name, dataclasses.replace(prims.TABLE[name], **change))
    with pytest.raises(fuzz.Failed):
        for seed in range(20):
            fuzz.check(draw(seed), seed)


def test_a_reference_that_nothing_linear_is_added_into() -> None:
    """Found at seed 404507, at second order: a call is given such a reference, and its value is not wanted."""
    closure = ("closure", "jvp", (("vector", "v", "mod", 1, 0),), 0, 0)
    program = Program("wild", (), (closure,), (("s", 0),))
    checked = fuzz.check(program, 404507)
    assert any(case.function.name.endswith("vjp.vjp") for case in checked.cases)
