"""IR as text: what is printed is read back as the same program, and what is not IR is told line by line."""

from __future__ import annotations

import functools
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rose_ad.ad.linearize import linearize
from rose_ad.api.pipeline import compiled
from rose_ad.api.python_function import as_fn
from rose_ad.ir.builder import Builder
from rose_ad.ir.core import Const, Function
from rose_ad.ir.queries import callees, instructions
from rose_ad.ir.text import show_program
from rose_ad.ir.types import F32, F64, I64, Array, Bool, Ref, Scalar, scalar_of, shape_of
from tests.support.programs import arguments, function, programs

SETTINGS = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def ir_of(f: Any, *args: Any) -> Function:
    return as_fn(f).lower(*args).program.function


def same(f: Function) -> Function:
    """The function read back, which is the same in all that its text says."""
    text = str(f)
    again = ra.parse(text)
    assert str(again) == text
    for ours, read in zip(callees(f), callees(again), strict=True):
        assert (ours.name, len(ours.params)) == (read.name, len(read.params))
        pairs = zip(instructions(ours.block), instructions(read.block), strict=True)
        for a, b in pairs:
            assert (a.op, [o.type for o in a.outs]) == (b.op, [o.type for o in b.outs])
            for c, d in zip(a.args, b.args, strict=True):
                assert c.type is d.type and (c == d or not isinstance(c, Const))
            for x, y in zip(a.blocks, b.blocks, strict=True):
                assert [p.range for p in x.params] == [p.range for p in y.params]
    return again


# -------------------------------------------------------------------------------- there and back


@given(programs(smooth=False), st.integers(0, 99))
@SETTINGS
def test_generated_programs_come_back(program: tuple, seed: int) -> None:
    f = function(program)
    gradient = ra.value_and_grad(f, (0, 1))
    args = arguments(seed)
    found = ra.flatten(gradient(*args))[0]
    for fn in (f, gradient):
        same(ir_of(fn, *args))
    again = same(ir_of(gradient, *args))
    flat = ra.flatten((args, {}))[0]
    by_interpreter = ra.interpret(ir_of(gradient, *args), flat)
    for x, y in zip(ra.interpret(again, flat), by_interpreter, strict=True):
        assert np.array_equal(x, y, equal_nan=True)
    arrays = [
        np.asarray(a, scalar_of(p.type).dtype) for a, p in zip(flat, again.params, strict=True)
    ]
    for x, y in zip(compiled(again)(arrays), found, strict=True):
        assert np.array_equal(x, y, equal_nan=True)


def bits(n: int) -> float:
    out: float = struct.unpack(">d", n.to_bytes(8, "big"))[0]
    return out


@given(st.integers(0, 2**64 - 1), st.sampled_from([F64, F32, I64, Bool]), st.booleans())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_constants_keep_every_bit(n: int, t: Scalar, in_array: bool) -> None:
    value = n - 2**63 if t is I64 else n % 2 == 1 if t is Bool else bits(n)
    b = Builder()
    c = Const([[value, value]], Array(1, Array(2, t))) if in_array else Const(value, t)
    b.block.results = (c,)
    again = same(Function("f", b.block, 0))
    assert again.results == (c,)


@pytest.mark.parametrize(
    "x", [0.0, -0.0, math.inf, -math.inf, math.nan, bits(0xFFF8000000000001), 5e-324, 1 / 3, 1e300]
)
def test_special_numbers(x: float) -> None:
    f = ir_of(ra.fn(lambda y: (y, x, ra.array([x, 1.0]))), 1.0)
    assert same(f).results[1] == f.results[1] == Const(x, F64)


def test_empty_arrays() -> None:
    for t in (Array(0, F64), Array(0, Array(3, Bool)), Array(3, Array(0, I64))):
        b = Builder()
        b.block.results = (Const(np.zeros(shape_of(t)), t),)
        assert same(Function("f", b.block, 0)).results == b.block.results


NAMES = "f größe <lambda> f.fwd f.lin.T sin build return nan inf fn %0 3 f#2 true F64 -> else"


@pytest.mark.parametrize("name", [*NAMES.split(), "", "a b", 'a "quote"\n'])
def test_any_name(name: str) -> None:
    def called(x: Any) -> Any:
        total = ra.accum()
        total += ra.sin(x)
        return total

    called.__name__ = name
    first, second = ra.fn(called), ra.fn(called)
    f = same(ir_of(ra.fn(lambda x: first(x) + 2.0 * second(x)), 0.5))
    assert ra.interpret(f, [0.5])[0] == pytest.approx(3 * math.sin(0.5))


def test_loops_with_bounds_keep_their_ranges() -> None:
    @ra.fn
    def windows(v: ra.Vec, k: ra.Int) -> Any:
        total = ra.accum()
        for i in ra.range(ra.clip(k, 0, 2), ra.clip(k + 3, 0, len(v))):  # follows from the bounds
            total += v[i] * v[i]
        for j in ra.range(k):  # may be anything
            total += ra.to_real(j)
        return total

    v = np.arange(6.0)
    f = ir_of(windows, v, 1)
    assert " in " not in str(f)
    assert ra.interpret(same(f), [v, 1]) == [1.0 + 4.0 + 9.0]
    gradient = ir_of(ra.grad(windows), v, 1)  # there the bounds are parameters: it has to be said
    assert " in 0 to 5)" in str(gradient)
    assert np.array_equal(ra.interpret(same(gradient), [v, 1])[0], [0, 2, 4, 6, 0, 0])


def test_references_as_parameters() -> None:
    b = Builder()
    ref = b.block.param(Ref(Array(2, F64)))
    b.addto(b.index(ref, Const(1, I64)), Const(2.5, F64))
    f = same(Function("adds", b.block, 0))
    into = np.ones(2)
    assert ra.interpret(f, [into]) == [] and into.tolist() == [1.0, 3.5]


def test_a_rule_and_a_host_are_not_in_the_text() -> None:
    called = ra.opaque(lambda v, k: v * k, (3,), vjp=lambda v, k, ct: (ct * k, 0.0))
    v = np.ones(3)
    gradient = ir_of(ra.grad(lambda x: ra.sum(called(x * x, 2.0)) * ra.stop_gradient(x[0])), v)
    f = ir_of(lambda x: ra.stop_gradient(ra.sin(x)) * x, 0.5)
    text = str(same(f))
    assert ") rule {" in text and "host" not in text
    assert ra.interpret(ra.parse(text), [0.5])[0] == math.sin(0.5) * 0.5
    with pytest.raises(ra.RoseError, match="derivative of its own"):
        linearize(ra.parse(text), (True,))
    assert "= host " in str(gradient)
    with pytest.raises(ra.RoseError, match="is called back"):
        ra.interpret(same(gradient), [v])


def test_written_by_hand() -> None:
    f = ra.parse("""
        fn square(%x: F64) -> (F64) {
          %y = mul %x, %x
          return %y
        }

        fn sums(%v: [3]F64) -> (F64, [3]F64) {
          %last, %all = scan 3 from (0.0) (%i: I64, %sum: F64) {
            %e = %v[%i]
            %s = square(%e)
            %next = add %sum, %s
            return %next, %next
          }
          return %last, %all
        }
    """)
    last, every = ra.interpret(f, [np.array([1.0, 2.0, 3.0])])
    assert last == 14.0 and every.tolist() == [1.0, 5.0, 14.0]


# ---------------------------------------------------------------------------------- what is wrong

WRONG = [
    ("", 1, "expected a function"),
    ("fn f() -> () {", 1, "end of the text"),
    ("fn f(%0: F65) -> () {\n}", 1, "expected a type, found F65"),
    ("fn f(%0 F64) -> () {\n}", 1, "expected ':', found F64"),
    ("fn f(%0: F64, %0: F64) -> () {\n}", 1, "%0 is defined twice"),
    ("fn f(%0: F64) -> (F64) {\n  %1 = sin %2\n  return %1\n}", 2, "%2 is not defined here"),
    ("fn f(%0: F64) -> (F64) {\n  %1 = sine %0\n  return %1\n}", 2, "sine is not an instruction"),
    ("fn f(%0: F64) -> (F64) {\n  %1 = sin 2\n  return %1\n}", 2, "sin takes"),
    ("fn f(%0: F64) -> (F64) {\n  %1 = add %0\n  return %1\n}", 2, "add takes"),
    ("fn f(%0: F64) -> (F64) {\n  %1 = add %0, 1.0:F32\n  return %1\n}", 2, "add takes"),
    ("fn f(%0: F64) -> (F64) {\n  %1, %2 = sin %0\n  return %1\n}", 2, "1 results, found 2"),
    ("fn f(%0: F64) -> (I64) {\n  return %0\n}", 3, "f returns [F64], not [I64]"),
    ("fn f(%0: F64) -> (F64) {\n  return 1:F64\n}", 2, "1 is not of type F64"),
    ("fn f(%0: F64) -> (F64) {\n  return ?\n}", 2, "'?' is not understood"),
    ("fn f(%0: F64) -> (F64) {\n  return %0\n  %1 = sin %0\n}", 3, "'}' after return"),
    ("fn f(%0: [2]F64) -> (F64) {\n  %1 = %0[2]\n  return %1\n}", 2, "2 is not an index"),
    ("fn f(%0: F64) -> (F64) {\n  %1 = %0[0]\n  return %1\n}", 2, "F64 has no elements"),
    ("fn f() -> ([2]F64) {\n  return [2]F64[1.0]\n}", 2, "expected 2 entries, found 1"),
    ("fn f() -> ([1]F64) {\n  return [1]F64[1]\n}", 2, "entries of type F64"),
    ("fn f(%0: F64) -> (F64) {\n  %1 = g(%0)\n  return %1\n}", 2, "no function g"),
    ("fn f(%0: I64) -> (I64) {\n  return 9223372036854775808\n}", 2, "integer of 64 bits"),
    ("fn f(%0: F64) -> () {\n  %1 = freeze %0\n}", 2, "only a reference"),
    ("fn f(%0: &F64) -> () {\n  %1 = freeze %0\n}", 2, "only a whole accumulator"),
    ("fn f(%0: &F64) -> (&F64) {\n  return %0\n}", 3, "returns a reference"),
    ("fn f(%0: &F64) -> () {\n  %0 += 1\n}", 2, "types differ"),
    ("fn f(%0: Bool) -> () {\n  cond %0 {\n  }\n}", 3, "expected 'else'"),
    ("fn f(%0: F64) -> () {\n  cond %0 {\n  } else {\n  }\n}", 2, "predicate is a bool"),
    ("fn f() -> () {\n  build -1 (%0: I64) {\n  }\n}", 2, "expected a length"),
    ("fn f() -> () {\n  build 1.0, 2.0 (%0: I64) {\n  }\n}", 2, "bounds of a loop"),
    ("fn f() -> () {\n  build 3 (%0: F64) {\n  }\n}", 2, "its index, an I64"),
    ("fn f() -> () {\n  scan 3 from () (%0: I64, %1: F64) {\n  }\n}", 2, "index and carries"),
    ("fn f() -> () {\n} @3", 2, "there is no @3"),
    ("fn f() -> () {\n}\nfn f() -> () {\n}", 3, "f is defined twice"),
]


@pytest.mark.parametrize(("text", "line", "words"), WRONG)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ra.ParseError) as error:
        ra.parse(text)
    assert words in str(error.value)
    assert error.value.line == line and f"line {line} " in str(error.value)


@ra.fn
def everything(v: ra.Vec[4, ra.Real], m: ra.Vec[2, ra.Vec[2, ra.Real32]], k: ra.Int) -> Any:
    """Every kind of instruction."""
    acc = ra.accum((2, 2))
    for i in ra.range(2):
        with ra.when(v[i] > 0.5):
            acc[i, k] += ra.to_real(m[i, 1]) * ra.array([v[0], 2.0, -0.0])[i]
    for i in ra.range(k, 3):
        acc[0, 0] += v[i]
    last, _ = ra.scan(lambda c, x: (ra.sin(c * x), c), 1.0, v, reverse=True)
    picked = ra.cond(k > 1, lambda: last, lambda: ra.norm(v))
    return acc.freeze(), picked, ra.reshape(v, (2, 2)) + ra.build(2, lambda i: v[i])


@ra.fn
def stepping(x: ra.Real, v: ra.Vec) -> Any:
    """While loops, with a bound and without; a scan that keeps few of its carries."""
    grown = ra.while_loop(lambda c: c < 3.0, lambda c: c * 1.5 + x, x, max_steps=7)
    free = ra.while_loop(lambda c: c[0] < 2.0, lambda c: (c[0] + x, c[1] * ra.sin(c[0])), (x, x))
    kept, ys = ra.scan(lambda c, e: (ra.sin(c * e), c), grown, v, reverse=True, checkpoint=2)
    return kept * free[1] + ra.sum(ys)


ARGS = np.array([1.0, 0.25, 2.0, 3.0]), np.ones((2, 2), np.float32), 1
PIECES = ["", " ", "%0", "%99", "(", ")", "[", "]", "{", "}", "=", ",", "F64", "I64", "&", "-1"]
PIECES += ["0.5", "nan", "return", "build", "scan", "cond", "freeze", "pack", "@", "@0", "\n", "\0"]


@functools.cache
def corruptible() -> str:
    f = ra.fn(lambda v: ra.sum(everything(v, *ARGS[1:])[2]) + stepping(v[0], v))
    return show_program(ir_of(ra.grad(f), ARGS[0]))


@given(st.integers(0, 10**6), st.integers(0, 6), st.sampled_from(PIECES))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_corrupted_text_is_parsed_or_told(at: int, cut: int, piece: str) -> None:
    text = corruptible()
    at %= len(text)
    try:
        ra.parse(text[:at] + piece + text[at + cut :])
    except ra.ParseError:
        pass


def test_loops_of_unknown_length_are_read_back() -> None:
    args = 0.7, np.linspace(0.5, 1.5, 6)
    gradient = ir_of(ra.grad(stepping, (0, 1)), *args)
    kinds = {i.op for g in callees(gradient) for i in instructions(g.block)}
    assert {"while", "rewind", "scan"} <= kinds and " of " in str(gradient)
    for f in (ir_of(stepping, *args), gradient):
        for x, y in zip(
            ra.interpret(same(f), list(args)), ra.interpret(f, list(args)), strict=True
        ):
            assert np.array_equal(x, y)


def test_every_instruction_is_read_back() -> None:
    f = ir_of(everything, *ARGS)
    found = {i.op for g in callees(f) for i in instructions(g.block)}
    assert {
        "scan",
        "build",
        "cond",
        "accum",
        "addto",
        "freeze",
        "index",
        "check",
        "reshape",
    } <= found
    again = same(f)
    for x, y in zip(ra.interpret(again, list(ARGS)), ra.interpret(f, list(ARGS)), strict=True):
        assert np.array_equal(x, y)
