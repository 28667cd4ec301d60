"""What is shown while a function runs: in order, once, with primal values, changing nothing that it gives."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.interp import interpret
from rose_ad.ir.verify import verify
from tests.support.random_programs import draw
from tests.support.random_runs import Run, arguments, function


@ra.fn
def noisy(x: ra.Real) -> Any:
    """Shows in a loop, in branches that are taken and in some that are not."""
    ra.debug.print("x = {:.2f}", x)

    def step(i: Any, c: Any) -> Any:
        ra.debug.print("step {} {c:.2f}", i, c=c)
        return ra.sin(c) * x

    y = ra.fori_loop(0, 2, step, x)
    total = ra.accum()
    for i in ra.range(3):
        with ra.when(i == 1):
            ra.debug.print("when {}", i)
            total += y
    both = [lambda: (ra.debug.print("up"), y)[1], lambda: (ra.debug.print("down"), -y)[1]]
    return ra.cond(x > 0, *both) + total


def quiet(x: float) -> float:
    y = np.sin(np.sin(x) * x) * x
    return float(y + (y if x > 0 else -y))


def shown_at(x: float) -> list[str]:
    first = f"{np.sin(x) * x:.2f}"
    branch = "up" if x > 0 else "down"
    return [f"x = {x:.2f}", f"step 0 {x:.2f}", f"step 1 {first}", "when 1", branch]


def lines(capsys: Any) -> list[str]:
    return list(capsys.readouterr().out.splitlines())


USES: dict[str, Callable[[float], Any]] = {
    "value": noisy,
    "interpreted": lambda x: interpret(noisy.trace(x), [x])[0],
    "grad": ra.grad(noisy),
    "grad of a caller": ra.grad(lambda x: 2.0 * noisy(x)),
    "jvp": lambda x: ra.jvp(noisy, (x,), (1.0,)),
    "vjp": lambda x: ra.vjp(noisy, x)[1](1.0),
    "linearize": lambda x: ra.linearize(noisy, x)[1](1.0),
    "hessian": ra.hessian(noisy),
    "grad of grad": ra.grad(ra.grad(noisy)),
    "forward over reverse": ra.jacfwd(ra.grad(noisy)),
    "checkpoint": ra.grad(ra.checkpoint(noisy)),
    "checkpoint, twice": ra.hessian(ra.checkpoint(noisy)),
    "in a scan that keeps few": ra.grad(
        lambda x: ra.fori_loop(0, 1, lambda _, c: noisy(c), x, checkpoint=1)
    ),
    "pickled": lambda x: pickle.loads(pickle.dumps(noisy))(x),
    "its text": lambda x: ra.fn(lambda y: noisy(y))(x),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize("x", [0.7, -0.7])
def test_it_is_shown_once_in_order(use: Callable[[float], Any], x: float, capsys: Any) -> None:
    noisy(x)
    lines(capsys)
    use(x)
    assert lines(capsys) == shown_at(x)


def test_values_and_derivatives_are_those_without(capsys: Any) -> None:
    for x in (0.7, -0.7):
        assert noisy(x) == pytest.approx(quiet(x), rel=1e-14)
        h = 1e-5
        slope = (quiet(x + h) - quiet(x - h)) / (2 * h)
        assert ra.grad(noisy)(x) == pytest.approx(slope, rel=1e-8)
    assert lines(capsys)


@pytest.mark.parametrize("use", [noisy, ra.grad(noisy), ra.hessian(noisy)])
def test_a_batch_is_shown_member_by_member(use: ra.Fn, capsys: Any) -> None:
    xs = np.array([0.7, -0.7, 0.2, 0.1, -0.3])
    found = ra.vmap(use)(xs)
    assert lines(capsys) == [line for x in xs for line in shown_at(x)]
    np.testing.assert_allclose(found, [use(x) for x in xs], rtol=1e-12)


def test_structures_and_arrays(capsys: Any) -> None:
    @ra.struct
    class Ball:
        at: Any
        mass: ra.Real

    def f(v: Any, k: Any) -> Any:
        ra.debug.print("{0[0]} {ball.mass} {even} {k}", v, ball=Ball(v, 2.0), even=k % 2 == 0, k=k)
        ra.debug.print("{}", v[:, None] * ra.ones((1, 2)))
        return v

    ra.fn(f)(np.array([1.5, 2.0]), 3)
    assert lines(capsys) == ["1.5 2.0 False 3", "[[1.5 1.5]", " [2.  2. ]]"]


def test_what_is_empty_or_never_run_shows_nothing(capsys: Any) -> None:
    def f(x: Any) -> Any:
        for _ in ra.range(0):
            ra.debug.print("never")
        ra.build(0, lambda i: (ra.debug.print("nor here"), x)[1])
        with ra.when(x != x):
            ra.debug.print("nor here")
        return x

    assert ra.fn(f)(1.0) == 1.0 and ra.grad(f)(1.0) == 1.0 and not lines(capsys)


def test_a_function_that_only_shows(capsys: Any) -> None:
    say = ra.fn(lambda x: ra.debug.print("{}", x))
    loud = ra.fn(lambda x: (say(x), ra.build(2, lambda i: (say(x * i), x)[1]), x)[2])
    assert say(1.0) is None and loud(3.0) == 3.0 and ra.grad(loud)(4.0) == 1.0
    assert lines(capsys) == ["1.0", "3.0", "0.0", "3.0", "4.0", "0.0", "4.0"]


def test_linear_functions_stay_linear(capsys: Any) -> None:
    def f(x: Any) -> Any:
        ra.debug.print("{}", x)
        return ra.fori_loop(0, 2, lambda i, c: (ra.debug.print("{}", c), 3.0 * c)[1], x)

    assert ra.linear_transpose(f, 1.0)(1.0) == (9.0,) and not lines(capsys)


def test_outside_a_trace_it_prints_at_once(capsys: Any) -> None:
    ra.debug.print("{:.1f} {b}", 1.0, b=[1])
    ra.debug.callback(print, "here")
    assert lines(capsys) == ["1.0 [1]", "here"]


def test_a_callback_is_given_values_of_its_own() -> None:
    seen: list[Any] = []
    square = ra.fn(
        lambda v: (ra.debug.callback(lambda a, of: seen.append((a, of)), v, of="v"), v * v)[1]
    )
    v = np.array([1.0, 2.0])
    square(v)
    seen[0][0][:] = 7.0
    assert seen[0][1] == "v" and v.tolist() == [1.0, 2.0] and square(v).tolist() == [1.0, 4.0]


def test_an_exception_of_a_callback_ends_the_call() -> None:
    def fail(x: float) -> None:
        raise ValueError(f"{x} is refused")

    f = ra.fn(lambda x: (ra.debug.callback(fail, x), x)[1])
    with pytest.raises(ValueError, match="is refused"):
        f(2.0)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda v: ra.debug.print("{:.3f}", v), "does not fit what is printed"),
        (lambda v: ra.debug.print("{} {}", v), "does not fit what is printed"),
        (lambda v: ra.debug.print("{a}", b=v), "does not fit what is printed"),
        (lambda v: ra.debug.print("{", v), "does not fit what is printed"),
        (lambda v: ra.debug.print(v), "is a format"),
        (lambda v: f"{v:.3f}", r"ra\.debug\.print"),
        (lambda v: f"{v[0]:.3f}", r"ra\.debug\.print"),
        (lambda v: "%.3f" % v[0], r"ra\.debug\.print"),  # noqa: UP031
        (lambda v: v[0].item(), r"ra\.debug\.print"),
        (lambda v: v.tolist(), r"ra\.debug\.print"),
        (lambda v: float(v[0]), r"ra\.debug\.print"),
    ],
)
def test_what_is_wrong_is_told_while_tracing(wrong: Callable[[Any], Any], what: str) -> None:
    with pytest.raises(ra.RoseError, match=what) as caught:
        ra.fn(wrong)(np.ones(3))
    assert "test_debug.py" in str(caught.value)


def test_the_text_of_a_traced_value_says_how_to_see_it(capsys: Any) -> None:
    ra.fn(lambda x: (print(x, f"{x}"), x)[1])(1.0)
    assert capsys.readouterr().out.count("ra.debug.print('{}', x)") == 2


# ------------------------------------------------------------------------------- random programs


@pytest.mark.parametrize("seed", range(7000, 7040))
def test_random_programs_show_the_same_in_every_way(seed: int) -> None:
    """After each statement the newest number is shown: compiled, interpreted and under derivatives alike."""
    shown: list[float] = []
    plain = Run.block

    def showing(self: Run, body: Any, scope: Any) -> None:
        for statement in body:
            plain(self, (statement,), scope)
            ra.debug.callback(lambda x: shown.append(float(x)), scope.pick("s", 0))

    program, args = draw(seed), arguments(seed)
    if program.style == "wild":  # which may fail
        return
    f = function(program)

    def run(g: Callable[[], Any]) -> tuple[Any, list[float]]:
        shown.clear()
        with np.errstate(all="ignore"):
            return g(), list(shown)

    try:
        want = ra.fn(f)(*args)
    except ra.OutOfRange:
        return
    with mock.patch.object(Run, "block", showing):
        loud = ra.fn(lambda *a: f(*a))
        value, first = run(lambda: loud(*args))
        gradient, under_grad = run(lambda: ra.grad(lambda *a: loud(*a)[0])(*args))
        ir = loud.trace(*args)
        verify(ir)
        _, interpreted = run(lambda: interpret(ir, ra.flatten(args)[0]))
        along = lambda: ra.jvp(loud, tuple(args), tuple(0 * np.asarray(a) for a in args))  # noqa: E731
        _, under_jvp = run(along)
    for a, b in zip(ra.flatten(value)[0], ra.flatten(want)[0], strict=True):
        np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), 1e-9, 1e-9)
    silent = ra.grad(lambda *a: f(*a)[0])(*args)
    np.testing.assert_allclose(gradient, silent, 1e-7, 1e-7)
    for other in (interpreted, under_grad, under_jvp):
        assert len(other) == len(first)
        np.testing.assert_allclose(other, first, 1e-6, 1e-6)
