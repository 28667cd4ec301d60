"""The optimiser keeps the meaning of a program, bit for bit: each local rule, and each sweep."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.api.pipeline import compiled, lowered
from rose_ad.ir.builder import Builder
from rose_ad.ir.copying import copied
from rose_ad.ir.core import Atom, Block, Const, Function, Span
from rose_ad.ir.in_force import under
from rose_ad.ir.interp import interpret
from rose_ad.ir.prims import HEADS, TABLE
from rose_ad.ir.queries import callees, instructions
from rose_ad.ir.types import F32, F64, I64, Array, Bool, Ref, Scalar, Type, scalar_of
from rose_ad.ir.verify import verify
from rose_ad.rewrite.passes.dead import remove_dead
from rose_ad.rewrite.passes.own_index import adds_to_builds
from rose_ad.rewrite.passes.sink import sink
from rose_ad.rewrite.rules import RULES
from rose_ad.rewrite.strategy import seq
from tests.support.checks import orders, text, traced
from tests.support.primitives import CASES, LIBM, SPECIAL, bits
from tests.support.programs import arguments, function, programs

# ------------------------------------------------------------------------------- local rules

# For each rule: the types of variables, and what it applies to, made of them. `b` emits without rules.
Operands = Callable[..., tuple[Atom, ...]]
Example = tuple[tuple[Type, ...], Operands]


class Plain(Builder):
    """A builder that knows no rules."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.rules = dict.fromkeys(HEADS, ())


def numbers(*operands: Operands) -> list[Example]:
    """Examples with two numbers, for each type of number."""
    return [((t, t), f) for t in (F64, F32, I64) for f in operands]


def reals(*operands: Operands) -> list[Example]:
    return [((t, t), f) for t in (F64, F32) for f in operands]


def bools(*operands: Operands) -> list[Example]:
    return [((Bool, Bool), f) for f in operands]


def const(value: Any, like: Atom) -> Const:
    return Const(value, like.type)


ROWS = Array(3, Array(2, F64))
LITERAL = Const([[1.0, -0.0], [np.nan, 2.0], [np.inf, 0.0]], ROWS)
FLAT_LITERAL = Const(LITERAL.value.ravel(), Array(6, F64))
EXAMPLES: dict[tuple[str, str], list[Example]] = {
    ("add", "constant_right"): numbers(lambda b, x, y: (const(3, x), x)),
    ("mul", "constant_right"): numbers(lambda b, x, y: (const(3, x), x)),
    ("and", "constant_right"): bools(lambda b, x, y: (const(True, x), x)),
    ("or", "constant_right"): bools(lambda b, x, y: (const(False, x), x)),
    ("add", "add_nothing"): [
        *reals(lambda b, x, y: (x, const(-0.0, x))),
        ((I64,), lambda b, x: (x, const(0, x))),
    ],
    ("add", "add_negated"): numbers(lambda b, x, y: (x, b.prim("neg", y))),
    ("sub", "subtract_nothing"): numbers(lambda b, x, y: (x, const(0, x))),
    ("sub", "subtract_negated"): numbers(lambda b, x, y: (x, b.prim("neg", y))),
    ("mul", "times_one"): numbers(lambda b, x, y: (x, const(1, x))),
    ("div", "times_one"): reals(lambda b, x, y: (x, const(1, x))),
    ("mul", "times_minus_one"): numbers(lambda b, x, y: (x, const(-1, x))),
    ("mul", "product_of_negated"): numbers(
        lambda b, x, y: (b.prim("neg", x), b.prim("neg", y)),
        lambda b, x, y: (b.prim("neg", x), b.prim("neg", x)),
    ),
    ("scale", "scale_by_known"): reals(
        lambda b, x, y: (x, const(2.5, x)), lambda b, x, y: (x, const(0.0, x))
    ),
    ("scale", "scale_known"): reals(
        lambda b, x, y: (const(2.5, x), y),
        lambda b, x, y: (const(0.0, x), y),
        lambda b, x, y: (const(-0.0, x), y),
    ),
    ("neg", "twice_negated"): numbers(lambda b, x, y: (b.prim("neg", x),)),
    ("not", "twice_not"): bools(lambda b, x, y: (b.prim("not", x),)),
    ("and", "and_literal"): bools(
        lambda b, x, y: (x, const(True, x)),
        lambda b, x, y: (x, const(False, x)),
        lambda b, x, y: (x, x),
    ),
    ("or", "or_literal"): bools(
        lambda b, x, y: (x, const(True, x)),
        lambda b, x, y: (x, const(False, x)),
        lambda b, x, y: (x, x),
    ),
    ("select", "select_literal"): [
        *numbers(lambda b, x, y: (Const(True, Bool), x, y)),
        *numbers(lambda b, x, y: (Const(False, Bool), x, y)),
        ((Bool, F64), lambda b, c, x: (c, x, x)),
        ((Bool,), lambda b, c: (c, Const(-0.0, F64), Const(-0.0, F64))),
    ],
    ("index", "index_of_pack"): numbers(
        lambda b, x, y: (b.pack([x, y, x]), Const(1, I64)),
        lambda b, x, y: (b.pack([b.pack([x, y]), b.pack([y, x])]), Const(0, I64)),
    ),
    ("index", "index_of_literal"): [
        ((), lambda b, k=k: (LITERAL, Const(k, I64))) for k in range(3)
    ],
    ("addto", "add_zero"): [
        ((Ref(F64),), lambda b, r: (r, Const(0.0, F64))),
        ((Ref(I64),), lambda b, r: (r, Const(0, I64))),
    ],
    ("addto", "add_pack"): [
        ((Ref(Array(2, t)), t, t), lambda b, r, x, y: (r, b.pack([x, y]))) for t in (F64, I64)
    ],
    ("pack", "pack_of_entries"): [
        ((Array(2, t),), lambda b, a: tuple(b.index(a, Const(k, I64)) for k in range(2)))
        for t in (F64, I64, Array(3, F64))
    ],
    ("row", "row_of_array"): [
        ((Array(3, t),), lambda b, a: row_of(b, a, 3)) for t in (F64, Bool, Array(2, F64))
    ],
    ("check", "check_proved"): [
        ((I64,), lambda b, x: (b.prim("mod", x, const(5, x)), 5)),
        ((I64,), lambda b, x: (b.prim("min", b.prim("max", x, const(0, x)), const(6, x)), 7)),
        ((Bool,), lambda b, x: (b.prim("bool_to_i64", x), 2)),
    ],
    ("reshape", "reshape_to_own_shape"): [
        ((Array(2, Array(3, F64)),), lambda b, a: (a, (2, 3))),
        ((Array(0, I64),), lambda b, a: (a, (0,))),
    ],
    ("reshape", "reshape_of_literal"): [((), lambda b: (LITERAL, (2, 3)))],
    ("reshape", "reshape_of_reshape"): [
        ((Array(2, Array(3, F64)),), lambda b, a: (b.reshape(a, (6,)), (3, 2))),
    ],
    ("join", "join_of_one"): [((Array(3, t),), lambda b, a: (a,)) for t in (F64, Bool)],
    ("slice", "slice_of_all"): [((Array(3, t),), lambda b, a: (a, Span(0, 3))) for t in (F64, I64)],
    ("slice", "slice_of_literal"): [((), lambda b: (FLAT_LITERAL, Span(2, 3)))],
    ("slice", "slice_of_slice"): [
        ((Array(6, F64),), lambda b, a: (b.slice(a, Span(1, 4)), Span(2, 2))),
    ],
    ("slice", "slice_of_join"): [
        ((Array(2, F64), F64, Array(3, F64)), lambda b, *x: (b.join(x), Span(0, 2))),
        ((Array(2, F64), F64, Array(3, F64)), lambda b, *x: (b.join(x), Span(3, 3))),
    ],
}


def row_of(b: Builder, a: Atom, n: int) -> tuple[Any, ...]:
    """What the rules of a row are given: a[i], in the body of a build of n."""
    body = b.loop(0, n - 1)
    row = body.index(a, body.block.params[0])
    body.block.results = (row,)
    return row, body.block, n


def emitted(b: Builder, head: str, *args: Any) -> Atom | None:
    """The instruction of that head, as the builder has it."""
    match head:
        case "index":
            return b.index(*args)
        case "addto":
            return b.addto(*args)
        case "check":
            return b.check(*args)
        case "pack":
            return b.pack(args)
        case "reshape":
            return b.reshape(*args)
        case "join":
            return b.join(args)
        case "slice":
            return b.slice(*args)
        case "row":
            return b.build(args[2], args[1])[0]
    return b.prim(head, *args)


def local_rules() -> Iterator[tuple[tuple[str, str], Callable[..., Any]]]:
    """Each rule for each of its heads: (head, name), function."""
    for rule in RULES.values():
        yield from (((head, rule.name), f) for head, f in rule.by_head.items())


RULE = dict(local_rules())


def test_every_rule_has_an_example() -> None:
    assert all(rule.equation for rule in RULES.values())
    assert set(ra.SCHEDULE.rules) == set(RULES.values())
    assert set(EXAMPLES) == {key for key in RULE if key[1] != "fold"}
    assert {head for head, name in RULE if name == "fold"} <= set(TABLE) - LIBM


def before_and_after(head: str, rule: Callable[..., Any], example: Example) -> list[Function]:
    """Two functions of the same variables: what the rule applies to, and what it makes of it."""
    types, operands = example
    made = []
    for applied in (False, True):
        b = Plain()
        args = operands(b, *(b.block.param(t) for t in types))
        plain = None if applied else emitted(b, head, *args)
        result = rule(b, *args) if applied else plain
        assert result is not None or (head == "addto" and not applied), "it does not apply"
        if head != "addto":
            assert result is not None
            b.block.results = (result,)
        f = Function(head, b.block, 0)
        verify(f)
        made.append(f)
    assert [r.type for r in made[0].results] == [r.type for r in made[1].results]
    return made


def scalars_of(types: tuple[Type, ...]) -> list[list[Any]]:
    """The special values for each variable; a reference starts as a nan and others."""
    start = {F64: [1.5, np.nan, -2.0], I64: [3, -4, 5]}
    out: list[list[Any]] = []
    for t in types:
        if isinstance(t, Scalar):
            out.append(SPECIAL[t])
        elif isinstance(t, Array):
            special = SPECIAL[t.scalar]
            out.append(
                [np.resize(np.roll(special, k), t.shape).astype(t.scalar.dtype) for k in (0, 1)]
            )
        else:
            assert isinstance(t, Ref)
            shape, scalar = (t.of.shape, t.of.scalar) if isinstance(t.of, Array) else ((), t.of)
            out.append([np.full(shape, x, scalar.dtype) for x in start[scalar]])
    return out


def outcome(f: Function, values: tuple[Any, ...]) -> list[bytes]:
    """The results of the interpreter and the contents of references, as bits; all nans are one."""
    rounded = [
        np.float32(x).item() if p.type is F32 else x for p, x in zip(f.params, values, strict=True)
    ]
    args = [x.copy() if isinstance(x, np.ndarray) else x for x in rounded]
    results = [np.asarray(r) for r in interpret(f, args)]
    touched = [a for a in args if isinstance(a, np.ndarray)]
    return [bits(np.atleast_1d(a)).tobytes() for a in (*results, *touched)]


@pytest.mark.parametrize("key", EXAMPLES, ids="-".join)
def test_a_rule_keeps_the_value(key: tuple[str, str]) -> None:
    for example in EXAMPLES[key]:
        plain, simpler = before_and_after(key[0], RULE[key], example)
        for values in itertools.product(*scalars_of(example[0])):
            assert outcome(simpler, values) == outcome(plain, values), (key, values)


@pytest.mark.parametrize("key", [k for k in EXAMPLES if k[0] != "addto"], ids="-".join)
def test_a_rule_keeps_the_value_on_the_machine(key: tuple[str, str]) -> None:
    for example in EXAMPLES[key]:
        programs = [compiled(f) for f in before_and_after(key[0], RULE[key], example)]
        for values in itertools.product(*scalars_of(example[0])):
            types = [t.scalar if isinstance(t, Array) else t for t in example[0]]
            args = [np.asarray(x, t.dtype) for x, t in zip(values, types, strict=True)]
            before, after = (bits(np.atleast_1d(p(args)[0])) for p in programs)
            assert (before == after).all(), (key, values)


FOLDED = [(row, types) for row, types in CASES if (row.name, "fold") in RULE and F32 not in types]


@pytest.mark.parametrize(("row", "types"), FOLDED, ids=lambda x: getattr(x, "name", None))
def test_folding_is_what_the_machine_computes(row: Any, types: tuple[Scalar, ...]) -> None:
    b = Builder()
    b.block.results = (Plain.prim(b, row.name, *(b.block.param(t) for t in types)),)
    program = compiled(Function(row.name, b.block, 0))
    folded = 0
    for values in itertools.product(*(SPECIAL[t] for t in types)):
        constants = [Const(x, t) for x, t in zip(values, types, strict=True)]
        found = RULE[row.name, "fold"](Builder(), *constants)
        if found is None:
            continue  # an integer that overflows is left to the machine
        folded += 1
        (machine,) = program([np.asarray(x, t.dtype) for x, t in zip(values, types, strict=True)])
        kind = scalar_of(b.block.results[0].type).dtype
        ours, machine = (np.atleast_1d(np.asarray(x, kind)) for x in (found.value, machine))
        assert bits(ours) == bits(machine), values
    assert folded > 0


def test_a_rule_does_not_apply_where_a_zero_would_change_its_sign() -> None:
    b = Builder()
    x = b.block.param(F64)
    assert b.prim("add", x, Const(0.0, F64)) is not x  # -0.0 + 0.0 is 0.0
    assert b.prim("sub", x, Const(-0.0, F64)) is not x
    assert b.prim("mul", x, Const(0.0, F64)) is not Const(0.0, F64)  # nan, inf, -0.0
    scaled = b.prim("scale", x, Const(-2.0, F64))
    assert scaled.instr.op == "scale"  # type: ignore[union-attr]
    assert b.prim("select", Const(True, Bool), x, Const(1.0, F64)) is x


# -------------------------------------------------------------------------------- whole programs


@contextmanager
def untidied() -> Iterator[None]:
    """Functions are traced as they are written."""
    with under(replace(ra.SCHEDULE, traced=seq())):
        yield


def without_dead(block: Block) -> Block:
    out = copied(block)
    remove_dead(out)
    return out


def sunk(block: Block) -> Block:
    out = copied(block)
    sink(out)
    return out


def built(block: Block) -> Block:
    out = copied(block)
    adds_to_builds(out)
    return out


SWEEPS = {"copy": copied, "dead code": without_dead, "sink": sunk, "own index": built}
ORDINARY = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
@given(programs(smooth=False), st.integers(0, 99))
@ORDINARY
def test_a_sweep_keeps_the_meaning(
    sweep: Callable[[Block], Block], program: tuple, seed: int
) -> None:
    args = arguments(seed)
    with untidied():
        raw = traced(function(program), *args)
    leaves = ra.flatten(args)[0]
    # each of the functions it calls too; they are closed, so their own arguments do
    new: dict[Function, Function] = {}
    for f in callees(raw):
        block = sweep(f.block)
        for instr in instructions(block):
            if instr.op == "call":
                instr.attr = new[instr.attr]
        new[f] = Function(f.name, block, f.loc)
    verify(new[raw])
    before, after = interpret(raw, leaves), interpret(new[raw], leaves)
    np.testing.assert_array_equal(after, before)


@given(programs(smooth=False, depth=3), st.integers(0, 99))
@settings(ORDINARY, max_examples=15)
def test_text_is_deterministic(program: tuple, seed: int) -> None:
    """The same program gives the same text, IR and LLVM, whenever it is traced: what the cache relies on."""
    *x, k = arguments(seed)
    texts = set()
    for _ in range(2):
        ir = traced(orders(function(program)), tuple(x), k, tuple(x), tuple(x))
        texts.add((str(ir), lowered(ir).text))
    assert len(texts) == 1


# ------------------------------------------------------------------------------- each, by hand


V = np.ones(8)


def test_what_a_loop_does_not_change_is_computed_before_it() -> None:
    shown = text(lambda v, x: ra.build(8, lambda i: v[i] * ra.sin(x)), V, 1.0)
    assert shown.index("sin") < shown.index("build")


def test_what_a_branch_may_skip_stays_inside() -> None:
    shown = text(lambda x: ra.cond(x > 0.0, lambda: ra.log(x), lambda: x), 1.0)
    assert shown.index("cond") < shown.index("log")
    in_a_loop = text(
        lambda v, x: ra.build(8, lambda i: ra.cond(v[i] > 0.0, lambda: ra.log(x), lambda: x)),
        V,
        1.0,
    )
    assert in_a_loop.index("cond") < in_a_loop.index("log")


def test_a_check_stays_where_it_is() -> None:
    def f(v: Any, n: Any, k: Any) -> Any:
        acc = ra.accum()
        for _ in ra.range(n):
            acc += v[k]
        return acc

    shown = text(f, V, 3, 2)
    assert shown.index("build") < shown.index("check")
    assert ra.fn(f)(V, 0, 99) == 0.0  # the loop is not run, so v[99] is not read
    with pytest.raises(ra.OutOfRange):
        ra.fn(f)(V, 1, 99)


def test_a_value_used_in_one_branch_only_is_computed_there() -> None:
    def f(x: Any) -> Any:
        y, both = ra.exp(x), ra.sin(x)
        return ra.cond(x > 0.0, lambda: y + both, lambda: both)

    shown = text(f, 1.0)
    assert shown.index("sin") < shown.index("cond") < shown.index("exp")


def test_equal_values_are_computed_once() -> None:
    shown = text(lambda x: ra.sin(x) * ra.cos(x) + ra.sin(x) * ra.cos(x), 1.0)
    assert shown.count("sin") == shown.count("cos") == shown.count("mul") == 1
    in_branches = text(lambda x: ra.cond(x > 0.0, lambda: ra.sin(x), lambda: -ra.sin(x)), 1.0)
    assert in_branches.count("sin") == 2  # neither side may use what the other computes


def test_dead_code_goes() -> None:
    def f(x: Any, v: Any) -> Any:
        unread = ra.accum(8)
        for i in ra.range(8):
            unread[i] += ra.exp(v[i])
        (a, _), (ys, _) = ra.scan(
            lambda c, y: ((ra.sin(c[0]), c[1] * ra.cosh(y)), (c[0], ra.tanh(c[1]))), (x, x), v
        )
        left, _ = ra.cond(x > 0.0, lambda: (a, ra.log(x)), lambda: (x, x))
        return left + ys[0]

    shown = text(f, 1.0, V)
    for gone in ("exp", "cosh", "tanh", "log", "accum", "build"):
        assert gone not in shown, shown


def test_effects_stay() -> None:
    def f(x: Any, n: Any) -> Any:
        acc = ra.accum()
        for i in ra.range(n):
            with ra.when(i > 1):
                acc += x
        ra.fori_loop(
            0, 4, lambda i, c: acc.add(acc.ref, ra.to_real(i)) or c, x
        )  # its result is dead
        return acc

    assert ra.fn(f)(2.0, 5) == 3 * 2.0 + 6.0


def accumulated(v: Any) -> Any:
    acc = ra.accum(8)
    for i in ra.range(8):
        acc[i] += ra.sin(v[i])
    return acc


def test_adding_at_ones_own_index_is_building() -> None:
    shown = text(accumulated, V)
    assert "build 8" in shown and " accum " not in shown and "+=" not in shown

    def rows(v: Any) -> Any:
        acc = ra.accum((8, 2))
        for i in ra.range(8):
            acc[i, 0] += v[i]
            acc[i, 1] -= v[i] * 2.0
        return acc

    assert "accum" not in text(rows, V)
    assert ra.fn(rows)(V).tolist() == [[1.0, -2.0]] * 8

    def twice(v: Any) -> Any:
        acc = ra.accum(8)
        for i in ra.range(8):
            acc[i] += v[i]
            acc[i] += v[7 - i]
        return acc

    assert "accum" not in text(twice, V)
    assert ra.fn(twice)(V).tolist() == [2.0] * 8

    def nested(v: Any) -> Any:
        acc = ra.accum((8, 5, 6))
        for i in ra.range(8):
            for j in ra.range(5):
                for k in ra.range(6):
                    acc[i, j, k] += v[i] * j
                    acc[i, j, k] -= k
        return acc

    assert "accum" not in text(nested, V)
    found = ra.fn(nested)(V)
    assert (found == np.arange(5.0)[:, None] - np.arange(6.0)).all() and found.shape == (8, 5, 6)


@pytest.mark.parametrize(
    "body",
    [
        lambda acc, v, i: acc.__setitem__(7 - i, acc[7 - i].__iadd__(v[i])),
        lambda acc, v, i: acc.__setitem__(0, acc[0].__iadd__(v[i])),
        lambda acc, v, i: acc.add(acc.ref, v[i]),
    ],
    ids=["another index", "one index", "all"],
)
def test_an_accumulator_with_other_uses_stays_one(body: Any) -> None:
    def f(v: Any) -> Any:
        acc = ra.accum(8)
        for i in ra.range(8):
            acc[i] += v[i]
            body(acc, v, i)
        return acc

    ir = traced(f, V)
    assert "accum" in str(ir)
    v = np.arange(8.0)
    with untidied():
        (plain,) = interpret(traced(f, V), [v])
    assert (interpret(ir, [v])[0] == plain).all()
    assert (ra.fn(f)(v) == plain).all()


def test_what_is_added_before_and_after_the_loop() -> None:
    def f(v: Any) -> Any:
        acc = ra.accum(8)
        acc[3] += 10.0
        for i in ra.range(8):
            acc[i] += v[i]
        acc += v
        return acc

    assert ra.fn(f)(V).tolist() == [2.0, 2.0, 2.0, 12.0, 2.0, 2.0, 2.0, 2.0]


def test_a_copied_array_is_the_array() -> None:
    shown = text(lambda v: ra.build(8, lambda i: v[i]), V)
    assert "build" not in shown
    assert "build" in text(lambda v: ra.build(7, lambda i: v[i]), V)
    assert "build" in text(lambda v: ra.build(8, lambda i: v[7 - i]), V)
    packed = text(lambda v: ra.array([v[0], v[1], v[2]]), V[:3])
    assert "pack" not in packed
    assert "pack" in text(lambda v: ra.array([v[0], v[1], v[2]]), V)
    assert "pack" in text(lambda v: ra.array([v[0], v[2], v[1]]), V[:3])


# ------------------------------------------------------------------------- proofs of indices


def test_an_index_that_is_proved_in_range_is_not_checked() -> None:
    for index in (
        lambda i, k: i,
        lambda i, k: 7 - i,
        lambda i, k: (i + k) % 8,
        lambda i, k: ra.clip(k, 0, 7),
        lambda i, k: ra.where(k > 0, i, 3),
        lambda i, k: (i * 2 + 1) // 2,
        lambda i, k: ra.clip(i + 1, 0, 7),
    ):
        assert "check" not in text(lambda v, k, f=index: ra.build(8, lambda i: v[f(i, k)]), V, 3)


def test_an_index_that_may_be_out_of_range_is_checked() -> None:
    """Integers wrap around, and a failed check goes on with 0: neither may prove what follows."""
    for index, bad in (
        (lambda k: k, 8),
        (lambda k: ra.minimum(k, 7), -1),
        (lambda k: ra.maximum(k, 0), 8),
        (lambda k: ra.minimum(ra.maximum(k, 1) + (2**63 - 1), 7), 1),
        (lambda k: ra.minimum(ra.maximum(k, 2) * 2**62, 7), 2),
        (lambda k: ra.maximum(ra.minimum(k, 0) - (2**63 - 1), 0), -2),
        (lambda k: -k, 1),
        (lambda k: k // 2, -1),
        (lambda k: k % -8, 1),
    ):
        f = ra.fn(lambda v, k, f=index: v[f(k)])
        assert "check" in text(f, V, 1)
        with pytest.raises(ra.OutOfRange):
            f(V, bad)

    def after_a_failed_check(v: Any, n: Any) -> Any:
        acc = ra.accum()
        for i in ra.range(1, n):
            acc += v[i] + v[i - 1]
        return acc

    assert "check" in text(after_a_failed_check, V, 3)
    with pytest.raises(ra.OutOfRange):
        ra.fn(after_a_failed_check)(V, 20)
