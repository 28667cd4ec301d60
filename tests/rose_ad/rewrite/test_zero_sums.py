"""Steps in which a filter keeps nothing: what is left out in them, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.core import Function, Instr, Unset
from rose_ad.ir.interp import interpret
from rose_ad.ir.parsing import parse
from rose_ad.ir.queries import callees, instructions
from rose_ad.ir.verify import verify
from rose_ad.rewrite.loops.arrange import arranged

N, STEPS = 5, 12


def push(x: Any, v: Any) -> tuple[Any, Any]:
    """What points that meet do to each other: few do."""
    dv, dx = ra.accum(N), ra.accum(N)
    for i in ra.range(N):
        for j in ra.range(i + 1, N):
            apart = x[i] - x[j]
            with ra.when((apart * apart < 0.01) & (apart * (v[i] - v[j]) < 0)):
                speed = 0.8 * (v[i] - v[j])
                dv[i] -= speed
                dv[j] += speed
                dx[i] += 0.01 * speed * apart
    return dv.freeze(), dx.freeze()


def table(x: Any, v: Any) -> tuple[Any, Any]:
    """Points on a line; what changes v and x are the sums of `push`."""

    def step(_: Any, state: Any) -> Any:
        x, v = state
        dv, dx = push(x, v)
        v = v + dv
        return x + dx + 0.1 * v, v

    return ra.fori_loop(0, STEPS, step, (x, v))


def ahead(x: Any, v: Any) -> tuple[Any, Any]:
    """The same for where the points would be: what moves them without a push is computed already."""

    def step(_: Any, state: Any) -> Any:
        x, v = state
        dv, dx = push(x + 0.1 * v, v)
        v = v + dv
        return x + dx + 0.1 * v, v

    return ra.fori_loop(0, STEPS, step, (x, v))


def backwards(x: Any, v: Any) -> tuple[Any, Any]:
    def step(state: Any, _: Any) -> Any:
        x, v = state
        dv, dx = push(x, v)
        v = v + dv
        return (x + dx + 0.1 * v, v), None

    return ra.scan(step, (x, v), np.arange(STEPS), reverse=True)[0]


def until(x: Any, v: Any) -> tuple[Any, Any]:
    """A number of steps that is not known before."""

    def step(state: Any) -> Any:
        x, v = state
        dv, dx = push(x, v)
        v = v + dv
        return x + dx + 0.1 * v, v

    return ra.while_loop(lambda state: state[0][0] < 1.03, step, (x, v), max_steps=20)


def bent(x: Any, v: Any) -> tuple[Any, Any]:
    """x is read in every step of the derivative, v where points meet."""

    def step(_: Any, state: Any) -> Any:
        x, v = state
        dv, dx = push(x, v)
        v = v + dv
        return x + dx + 0.1 * v + 0.01 * ra.sin(x) * x, v

    return ra.fori_loop(0, STEPS, step, (x, v))


def inside(x: Any, v: Any) -> tuple[Any, Any]:
    """A loop of such loops."""

    def step(_: Any, state: Any) -> Any:
        x, v = table(*state)
        return x, -0.5 * v

    return ra.fori_loop(0, 3, step, (x, v))


TABLES = [table, ahead, backwards, until, bent, inside]
APART = np.arange(N) * 10.0
STARTS = {
    "in the first step": (
        np.array([0.0, 0.05, 3.0, 5.0, 7.0]),
        np.array([1.0, 0.0, 0.0, 0.0, 0.0]),
    ),
    "later": (np.array([0.0, 0.55, 1.2, 5.0, 7.0]), np.array([1.0, 0.0, 0.0, 0.0, 0.0])),
    "in the last step": (np.array([0.0, 1.17, 3.0, 5.0, 7.0]), np.array([1.0, 0.0, 0.0, 0.0, 0.0])),
    "never": (APART, np.array([1.0, -0.0, 0.0, 0.5, -0.0])),
}


def loss(f: Callable[..., Any]) -> Callable[..., Any]:
    def of(x: Any, v: Any) -> Any:
        x, v = f(x, v)
        return ra.sum(x * np.arange(1.0, N + 1)) + ra.sum(v * v)

    return of


def gradient(f: Callable[..., Any]) -> ra.Fn:
    return ra.value_and_grad(loss(f), argnums=(0, 1))


def ir(f: ra.Fn, *args: Any) -> Function:
    function: Function = f.lower(*args).program.function
    return function


def unsets(function: Function) -> list[Instr]:
    """The branches of a program that leave an array unset."""
    found = [i for g in callees(function) for i in instructions(g.block) if i.op == "cond"]
    return [i for i in found if any(isinstance(r, Unset) for b in i.blocks for r in b.results)]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("f", TABLES)
def test_gradients(f: Callable[..., Any], start: str) -> None:
    ra.check_grads(loss(f), STARTS[start], modes=("fwd", "rev"), order=2)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("f", TABLES)
def test_bits(f: Callable[..., Any], start: str) -> None:
    """What leaves out nothing computes the same."""
    args = STARTS[start]
    function = ir(gradient(f), *args)
    less, all_ = interpret(arranged(function), args), interpret(function, args)
    assert [np.asarray(a).tobytes() for a in less] == [np.asarray(a).tobytes() for a in all_]


@pytest.mark.parametrize("f", TABLES)
def test_signs_of_zeros(f: Callable[..., Any]) -> None:
    """-0.0 + 0.0 is 0.0, also where adding is left out: the state is that of the program as it was traced."""
    x, v = STARTS["never"]
    x = x * np.array([-0.0, 1, 1, 1, 1])
    expected = ra.fn(f)(x, v)
    found, _ = ra.vjp(f, x, v)
    for a, b in zip(expected, found, strict=True):
        assert np.array_equal(a, b)
        assert np.array_equal(np.signbit(a), np.signbit(b))


def test_lanes() -> None:
    xs, vs = (np.stack(a) for a in zip(*STARTS.values(), strict=True))
    for f in TABLES:
        many = ra.vmap(gradient(f))(xs, vs)[1]
        for k, (x, v) in enumerate(zip(xs, vs, strict=True)):
            one = gradient(f)(x, v)[1]
            for a, b in zip(many, one, strict=True):
                np.testing.assert_allclose(a[k], b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("f", "left"), [(table, 2), (ahead, 2), (bent, 1)])
def test_what_is_remembered(f: Callable[..., Any], left: int) -> None:
    """Both carries are remembered of the steps in which points meet; x of all, where every step reads it."""
    (cond,) = unsets(ir(gradient(f), *STARTS["later"]))
    assert len(cond.outs) == left


def test_what_is_left_out() -> None:
    """Where nobody meets, v is passed on as it is, and what was computed to look ahead is where points go."""
    function = arranged(ir(gradient(ahead), *STARTS["later"]))
    found = [i for g in callees(function) for i in instructions(g.block) if i.op == "cond"]
    moves = [i for i in found if len(i.outs) == 2 and i not in unsets(function)]
    idle = [i for i in moves if not i.blocks[1].instrs and len(i.blocks[0].instrs) == 1]
    assert len(idle) == 1
    (build,) = idle[0].blocks[0].instrs
    assert build.op == "build"


def test_the_text() -> None:
    function = ir(gradient(table), *STARTS["later"])
    assert "unset [5]F64" in str(function)
    again = parse(str(function))
    verify(again)
    assert len(unsets(again)) == 1
    x, v = STARTS["later"]
    for a, b in zip(interpret(again, (x, v)), interpret(function, (x, v)), strict=True):
        assert np.array_equal(a, b)


def test_an_unset_number_is_refused() -> None:
    with pytest.raises(ra.RoseError, match="the type of an array, found F64"):
        parse("fn f(%0: F64) -> (F64) {\n  return unset F64\n}")
