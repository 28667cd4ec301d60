"""What the schedule did to a function, as it is explained."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.ir.core import Const
from rose_ad.rewrite.loops.arrange import arranged
from tests.support.checks import text, traced
from tests.support.programs import arguments, function, programs

ORDINARY = settings(
    max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@ra.rule("add")
def doubled(b: Any, x: Any, y: Any) -> Any:
    """x + x -> x * 2."""
    return b.prim("mul", x, Const(2, x.type)) if x is y else None


MINE = ra.SCHEDULE.with_rules(doubled)


def twice(x: Any) -> Any:
    y = ra.sin(x)
    return y + y


def test_explained() -> None:
    def f(x: Any) -> Any:
        ra.exp(x)
        return ra.sin(x) * 1.0 - -x

    explanation = ra.explain(ra.grad(f), 2.0)
    first, second = explanation.steps[:2]
    assert (first.stage, first.function, first.name) == ("traced", "f", "emitted")
    assert first.fired == {"times_one": 1, "subtract_negated": 1}
    assert (first.before, first.after) == (None, 4) and "exp" in first.text
    assert (second.name, second.before, second.after) == ("dead", 4, 2)
    assert "exp" not in second.text and second.fired == {}
    assert {s.function for s in explanation.steps} == {"f", "f.fwd", "f.lin", "f.lin.T"}
    # it is what would have been made
    assert str(explanation.result) == str(arranged(traced(ra.grad(f), 2.0)))
    assert explanation.summary().count("\n") == len(explanation.steps)
    assert all(s.text in str(explanation) for s in explanation.steps)


def test_explained_by_its_own_schedule() -> None:
    f = ra.scheduled(twice, MINE)
    steps = ra.explain(lambda x: f(x) * 2.0, 1.0).steps
    assert [s.fired.get("doubled", 0) for s in steps] == [1, 0]
    assert "mul" in text(f, 1.0) and "add" in text(twice, 1.0)


@given(programs(smooth=True, depth=3), st.integers(0, 99))
@settings(ORDINARY, max_examples=10)
def test_explaining_changes_nothing(program: tuple, seed: int) -> None:
    args = arguments(seed)
    f = ra.grad(function(program))
    explained = ra.explain(f, *args)
    assert str(explained.result) == str(arranged(traced(f, *args)))
    for step in explained.steps:
        assert step.after == step.text.count("\n") - step.text.count("} ") - len(
            re.findall(r"^ *}$|^ *return ", step.text, re.M)
        )
