"""The schedule is what runs: it prints, ends, and can be taken apart and extended."""

from __future__ import annotations

import gc
import pickle
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.ir import types
from rose_ad.ir.copying import copied
from rose_ad.ir.core import Atom, Block, Const, Function, Instr, Var
from rose_ad.ir.in_force import under
from rose_ad.ir.interp import interpret
from rose_ad.ir.queries import callees, instructions
from rose_ad.ir.verify import verify
from rose_ad.rewrite.schedule import (
    arranging,
    dead,
    own_index,
    pull,
    recording,
    settling,
    sinking,
    sweep,
    tidy,
)
from rose_ad.rewrite.strategy import STAGES, Pass, Schedule, attempt, seq
from tests.rose_ad.rewrite.test_rules import EXAMPLES, RULE, V, before_and_after
from tests.support.checks import text, traced
from tests.support.programs import arguments, function, programs

ORDINARY = settings(
    max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
PASSES = (dead, own_index, sweep, sinking, settling, pull, recording, arranging)


# ----------------------------------------------------------------------------------- combinators


def adding(name: str, changes: bool, log: list[str]) -> Pass:
    def apply(block: Block) -> Block | None:
        log.append(name)
        return block if changes else None

    return Pass(name, "", apply)


def test_combinators() -> None:
    log: list[str] = []
    yes, no, then = (adding(n, n != "no", log) for n in ("yes", "no", "then"))
    block = Block()
    assert seq(no, no)(block) is None and log == ["no", "no"]
    assert seq(no, yes, no)(block) is block
    log.clear()
    assert attempt(no, then)(block) is None and log == ["no"]
    assert attempt(yes, then)(block) is block and log == ["no", "yes", "then"]
    assert attempt(yes, no)(block) is block  # the first has changed it
    assert seq()(block) is None
    assert repr(seq(yes, attempt(no, then))) == "seq(yes, attempt(no, then))"
    assert repr(seq(yes, name="both")) == "both"


def test_a_strategy_hands_on_what_it_has_made() -> None:
    first, second = Block(), Block()
    make = Pass("make", "", lambda block: second)
    seen: list[Block] = []
    look = Pass("look", "", seen.append)  # type: ignore[arg-type,func-returns-value]
    assert seq(make, look)(first) is second and attempt(make, look)(first) is second
    assert seen == [second, second]


# --------------------------------------------------------------------------------------- printed


def test_the_schedule_prints_all_of_itself() -> None:
    shown = str(ra.SCHEDULE)
    for name in [*(r.name for r in ra.SCHEDULE.rules), *(p.name for p in PASSES), *STAGES]:
        assert re.search(rf"\b{name}\b", shown), name
    for stage in STAGES:
        assert re.search(rf"^{stage} +{re.escape(repr(getattr(ra.SCHEDULE, stage)))} ", shown, re.M)
    assert f"  tidy = {tidy.written()}\n" in shown
    assert "settle" not in str(replace(ra.SCHEDULE, traced=dead, derived=dead, transposed=dead))


def test_what_is_printed_is_what_runs() -> None:
    """Each pass that explain saw is one of its stage's, in the order that is printed."""

    def f(v: Any, x: Any) -> Any:
        acc = ra.accum(8)
        for i in ra.range(8):
            acc[i] += ra.sin(v[i]) * v[(i + 1) % 8] * x
        w = acc.freeze()
        total = ra.accum()
        for i in ra.range(8):
            with ra.when(w[i] > 0.0):
                total += w[i] * v[(i + 3) % 8]
        return total

    def stencil(u: Any) -> Any:
        return ra.sum(ra.build(8, lambda i: u[i] * u[(i + 1) % 8]))

    seen = set()
    for step in [*ra.explain(ra.grad(f), V, 2.0).steps, *ra.explain(ra.grad(stencil), V).steps]:
        printed = str(getattr(ra.SCHEDULE, step.stage)).replace("tidy", tidy.written())
        assert step.name == "emitted" or re.search(rf"\b{step.name}\b", printed), step
        seen.add(step.name)
    assert {"emitted", "dead", "own_index", "sink", "pull", "record"} <= seen


def test_a_pass_that_is_left_out_is_not_run() -> None:
    def f(v: Any) -> Any:
        ra.exp(v[0])
        return v[1]

    assert "exp" not in text(f, V)
    assert "exp" in text(ra.scheduled(f, replace(ra.SCHEDULE, traced=seq())), V)


# ------------------------------------------------------------------------------------------- ends


def weight(a: Atom) -> int:
    """How much an expression is, every use counted: what each local rule makes less of."""
    if not isinstance(a, Var) or a.instr is None:
        return 0
    return weight_of(a.instr)


def weight_of(instr: Instr) -> int:
    own = {"scale": 5, "mul": 3, "div": 3, "sub": 2, "neg": 2, "add": 2}.get(instr.op, 2)
    if instr.op == "pack":
        own = 5 * len(instr.args)
    if instr.op in {"add", "mul", "and", "or"}:
        left, right = (isinstance(a, Const) for a in instr.args)
        own += left and not right
    inside = [r for b in instr.blocks for r in b.results]
    return own + sum(map(weight, [*instr.args, *inside]))


@pytest.mark.parametrize("key", EXAMPLES, ids="-".join)
def test_a_rule_makes_a_program_smaller(key: tuple[str, str]) -> None:
    """So that rewriting ends."""
    for example in EXAMPLES[key]:
        sizes = []
        for f in before_and_after(key[0], RULE[key], example):
            adds = [i for i in f.block.instrs if i.op == "addto"]
            sizes.append(sum(map(weight, f.results)) + sum(map(weight_of, adds)))
        assert sizes[1] < sizes[0], key


@given(programs(smooth=True), st.integers(0, 99))
@ORDINARY
def test_the_schedule_run_twice_changes_nothing(program: tuple, seed: int) -> None:
    args = arguments(seed)
    f = ra.fn(function(program))
    for g in (f, ra.grad(f)):
        for h in callees(traced(g, *args)):
            sizes = [sum(1 for _ in instructions(h.block))]
            block = copied(h.block)  # where work was sunk to, a sweep may still find it there
            assert tidy(block) is None
            sizes.append(sum(1 for _ in instructions(block)))
            again = copied(block)
            assert tidy(again) is None and str(Function("", again, 0)) == str(
                Function("", block, 0)
            )
            assert sizes[1] <= sizes[0]


def test_the_time_for_many_loops_is_linear() -> None:
    """Each pass looks at a function of many accumulators and branches once."""

    def loops(n: int) -> Callable[[Any], Any]:
        def f(v: Any) -> Any:
            for k in range(n):
                acc = ra.accum(8)
                for i in ra.range(8):
                    acc[i] += ra.sin(v[i]) * (k + 1.0)
                with ra.when(v[0] > 0.0):
                    acc[0] += v[1]
                v = acc.freeze()
            return v

        return f

    with under(replace(ra.SCHEDULE, traced=seq())):
        few, many = traced(loops(300), V), traced(loops(1200), V)

    def seconds(function: Any) -> float:
        block = copied(function.block)
        start = time.process_time()
        assert tidy(block) is not None
        return time.process_time() - start

    # 4 times as long, not 16; what else this process holds would be gone through by the collector
    gc.disable()
    try:
        fast, slow = (min(seconds(f) for _ in range(5)) for f in (few, many))
    finally:
        gc.enable()
    assert slow < 8 * fast


# ------------------------------------------------------------------------------------ taken apart


def without(left_out: Pass) -> Schedule:
    idle = replace(left_out, apply=lambda *_: None)
    return ra.SCHEDULE.mapped(lambda rule: rule, lambda p: idle if p is left_out else p)


BARE = Schedule(
    rules=(),
    traced=seq(),
    differentiated=ra.SCHEDULE.differentiated,
    linearised=seq(),
    derived=seq(),
    transposed=seq(),
    lowered=seq(),
)
PARTS: dict[str, Schedule] = {
    "no rules": replace(ra.SCHEDULE, rules=()),
    "rules only": replace(BARE, rules=ra.SCHEDULE.rules),
    "nothing": BARE,
    **{f"no {p.name}": without(p) for p in PASSES},
}


@pytest.mark.parametrize("name", PARTS)
@given(programs(smooth=True, depth=3), st.integers(0, 99))
@settings(ORDINARY, max_examples=8)
def test_every_part_may_be_left_out(name: str, program: tuple, seed: int) -> None:
    args = arguments(seed)
    leaves = ra.flatten(args)[0]
    f = ra.value_and_grad(function(program))
    whole = traced(f, *args)
    with under(PARTS[name]):
        part = traced(ra.value_and_grad(function(program)), *args)
    verify(part)
    for ours, theirs in zip(interpret(part, leaves), interpret(whole, leaves), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


# --------------------------------------------------------------------------------------- extended


@ra.rule("add")
def doubled(b: Any, x: Any, y: Any) -> Any:
    """x + x -> x * 2."""
    return b.prim("mul", x, Const(2, x.type)) if x is y else None


MINE = ra.SCHEDULE.with_rules(doubled)


def twice(x: Any) -> Any:
    y = ra.sin(x)
    return y + y


def test_a_rule_of_ones_own() -> None:
    f = ra.scheduled(twice, MINE)
    assert "mul" in text(f, 2.0) and "add" not in text(f, 2.0)
    assert doubled.name == "doubled" and doubled.equation == "x + x -> x * 2."
    assert "doubled" in str(MINE) and "doubled" not in str(ra.SCHEDULE)
    assert f(2.0) == ra.fn(twice)(2.0) == 2 * np.sin(2.0)
    assert ra.grad(f)(2.0) == 2 * np.cos(2.0)
    ra.check_grads(f, (2.0,))
    assert f(np.ones(3)).tolist() == [2 * np.sin(1.0)] * 3


def test_one_function_by_two_schedules() -> None:
    """Neither sees what the other has made: not of the function, nor of what it calls, nor of derivatives."""
    inner = ra.fn(twice)
    outer = ra.fn(lambda x: inner(x) * 3.0)
    mine = ra.scheduled(outer, MINE)
    for _ in range(2):
        assert "add" in text(outer, 1.0) and "add" not in text(mine, 1.0)
        assert "add" in text(inner, 1.0)
        # in the derivative, dy + dy is made of y + y only if that is still there
        plain, ours = (text(ra.grad(g), 1.0).split(".lin.T")[1] for g in (outer, mine))
        assert "add" in plain and "add" not in ours
    assert ra.grad(mine)(1.0) == ra.grad(outer)(1.0)


def test_a_schedule_stays_with_its_function() -> None:
    """Its derivatives are made by it, also where a function without calls it."""
    mine = ra.scheduled(ra.fn(twice), MINE)
    outer = ra.fn(lambda x: mine(x) + ra.cos(x))
    for g in (outer, ra.grad(outer), ra.grad(ra.grad(outer)), ra.vmap(ra.grad(outer))):
        ir = traced(g, np.ones(4) if g.__name__.endswith("vmap") else 1.0)
        for h in callees(ir):
            assert (h.schedule is MINE) == h.name.startswith("twice"), h
    own = ra.scheduled(outer, replace(ra.SCHEDULE, traced=seq()))
    assert [h.schedule is MINE for h in callees(traced(own, 1.0))] == [True, False]


def test_threads_have_their_own() -> None:
    """A schedule in force in one thread is in force there only."""
    f, found = ra.fn(twice), {}
    barrier = threading.Barrier(2)

    def work(name: str, schedule: Schedule) -> None:
        with under(schedule):
            barrier.wait()
            for n in range(1, 20):
                found[name, n] = text(f, np.ones(n)), schedule
            barrier.wait()

    threads = [
        threading.Thread(target=work, args=(name, schedule))
        for name, schedule in (("plain", ra.SCHEDULE), ("mine", MINE))
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 38
    for shown, schedule in found.values():
        assert ("add" in shown) == (schedule is ra.SCHEDULE)


def test_a_pass_of_ones_own() -> None:
    sizes: Counter[int] = Counter()

    def count(block: Block) -> None:
        sizes[len(block.instrs)] += 1

    counting = Pass("count", "count the instructions", count)
    schedule = replace(ra.SCHEDULE, traced=seq(counting, tidy, counting))
    assert "seq(count, tidy, count)" in str(schedule) and "count the instructions" in str(schedule)
    f = ra.scheduled(lambda x: (ra.exp(x), ra.sin(x))[1], schedule)
    assert f(1.0) == np.sin(1.0)
    assert sizes == {2: 1, 1: 1}


def test_a_schedule_reaches_lowering() -> None:
    """A body is copied to be run in lanes: by the rules of its function."""
    fired: Counter[str] = Counter()

    @ra.rule("index")
    def seen(b: Any, a: Any, i: Any) -> None:
        """Nothing: it looks."""
        fired["index"] += 1

    f = ra.scheduled(ra.vmap(lambda x: ra.sin(x) * x), ra.SCHEDULE.with_rules(seen))
    traced(f, V)
    made = fired["index"]
    f(V)
    assert 0 < made < fired["index"]


def test_a_schedule_without_unwind() -> None:
    def f(x: Any) -> Any:
        return ra.fori_loop(0, 9, lambda i, c: ra.sin(c) * x, x, checkpoint=3)

    schedule = replace(ra.SCHEDULE, differentiated=seq())
    assert ra.grad(ra.scheduled(f, schedule))(1.0) == ra.grad(f)(1.0)
    with pytest.raises(ra.RoseError, match="`unwind`"):
        ra.scheduled(ra.grad(ra.grad(f)), schedule)(1.0)


def test_a_rule_that_is_wrong() -> None:
    def schedule(head: str, rule: Callable[..., Any]) -> Schedule:
        return ra.SCHEDULE.with_rules(ra.rule(head)(rule))

    def mistyped(b: Any, x: Any, y: Any) -> Any:
        return Const(1, types.I64)

    def endless(b: Any, x: Any, y: Any) -> Any:
        return b.prim("add", y, x)

    with pytest.raises(
        ra.RoseError, match=r"mistyped answers with 1:I64 for a mul .*F64[\s\S]*def"
    ):
        ra.scheduled(lambda x: x * x, schedule("mul", mistyped))(1.0)
    with pytest.raises(ra.RoseError, match=r"endless does not end[\s\S]*def endless"):
        ra.scheduled(lambda x, y: x + y, schedule("add", endless))(1.0, 2.0)
    with pytest.raises(ra.RoseError, match=r"'adds' is not an operation[\s\S]*add"):
        ra.rule("adds")
    assert ra.fn(lambda x: x * x)(3.0) == 9.0


@pytest.mark.parametrize(
    ("head", "f", "args"),
    [
        ("index", lambda v: v[0], (V,)),
        ("check", lambda v, k: v[k], (V, 1)),
        ("pack", lambda x: ra.array([x, x]), (1.0,)),
        ("reshape", lambda v: ra.reshape(v, (2, 4)), (V,)),
        ("row", lambda v: ra.build(7, lambda i: v[i]), (V,)),
    ],
)
def test_a_rule_may_be_for_any_head(head: str, f: Any, args: tuple[Any, ...]) -> None:
    tried = []

    @ra.rule(head)
    def wrong(b: Any, *operands: Any) -> Any:
        """All is true."""
        tried.append(operands)
        return Const(True, types.Bool)

    with pytest.raises(ra.RoseError, match="wrong answers with"):
        ra.scheduled(f, ra.SCHEDULE.with_rules(wrong))(*args)
    assert tried


def test_pickled() -> None:
    assert pickle.loads(pickle.dumps(ra.SCHEDULE)) is ra.SCHEDULE
    with pytest.raises(ra.RoseError, match="schedule of its own cannot be pickled"):
        pickle.dumps(ra.scheduled(twice, MINE))
