"""A fixed slice of the random programs of `fuzz.py`, and that it sees what it is to see."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import numpy as np
import pytest

from rose_ad.ir import prims
from rose_ad.ir.builder import Builder
from rose_ad.ir.core import Const, Function
from rose_ad.ir.types import F64, I64, Array
from tests.rose_ad import fuzz
from tests.support.random_programs import STATEMENTS, Program, draw


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


def test_what_no_result_needs_may_go_unchecked() -> None:
    """Found at seed 20013626."""
    body = (("accum", (5,), False, (("add", 2, 2, 0, 1, "+", "raw"),)),)
    program = Program("rough", (), (("closure", "grad", body, 3, 4),), ())
    assert isinstance(fuzz.check(program, 20013626).cases[0].expected, int)


@pytest.mark.parametrize("needed", [True, False])
def test_a_lost_check_is_found(needed: bool) -> None:
    b = Builder()
    x, i = b.block.param(Array(3, F64)), b.block.param(I64)
    outside, inside = b.index(x, b.check(i, 3)), b.index(x, Const(1, I64))
    b.block.results = (outside,) if needed else (inside,)
    checked = fuzz.Checked.__new__(fuzz.Checked)
    checked.ir, checked.args = Function("f", b.block, 0), [np.array([1.0, 2.0, 3.0]), 7]
    with pytest.raises(fuzz.Failed) if needed else contextlib.nullcontext():
        checked.unneeded([2.0])


def test_lanes_may_add_in_another_order() -> None:
    """Found at seed 700032251."""
    roots = ("closure", "vmap", (("unary", "s", "root", 0),), 0, 3)
    inner = ("scan", False, "sqrt", 1, (("s", 0), ("b", 4), ("b", 1)), "s", (("reduce", "dot", 0),))
    outer = ("scan", True, "sqrt", 0, (("s", 1), ("s", 0), ("i", 0)), "s", (roots, inner))
    checked = fuzz.check(Program("smooth", (), (outer,), ()), 700032251)
    assert {case.exact for case in checked.cases} == {True, False}


def test_a_linear_value_that_is_read_twice() -> None:
    """Found at seed 910095819: it got two zeros, and was forgotten twice."""
    zero = ("closure", "grad", (("move", "join", "v", 1, 1), ("unary", "s", "zero", 0)), 0, 0)
    again = ("closure", "checkpoint", (), 1, 2)
    scan = ("scan", False, "sqrt", 0, (("s", 0),), "v", (again, zero))
    fuzz.check(Program("wild", (), (scan,), ()), 910095819)


def test_a_reference_that_is_linear_in_the_step_of_a_rewind() -> None:
    """Found at seed 60006041, at second order: the step was to have a zero in its place."""
    kept = ("closure", "checkpoint", (("unary", "s", "sign", 0),), 0, 4)
    helper = ((kept, ("reduce", "dot", 1)), 0, 0)
    scan = ("scan", True, "sqrt", 1, (("s", 0),), "b", (("call", "linearize", 0, 0, 0, 3),))
    fuzz.check(Program("wild", (helper,), (scan,), ()), 60006041)
