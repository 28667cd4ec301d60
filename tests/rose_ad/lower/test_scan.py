"""Sequential loops: carries that lie in their stack, and arrays that a step makes for the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.queries import instructions
from tests.support.checks import agree, all_instructions, checked_gradient

FIELD = np.random.default_rng(1).normal(size=(6, 7))


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("reverse", [False, True])
def test_array_carries_move_along_their_stack(n: int, reverse: bool) -> None:
    def f(v: Any, w: Any) -> Any:
        def step(c: Any, a: Any) -> Any:
            p, q = c
            return (q, p * a + ra.sin(q)), p

        xs = np.linspace(0.5, 1.0, n)
        (p, q), rows = ra.scan(step, (v, w), xs, reverse=reverse)
        return ra.sum(p * q) + ra.sum(rows * rows)

    checked_gradient(f, FIELD[0], FIELD[1])


def test_a_stack_of_the_carries_is_the_users_too() -> None:
    def f(v: Any) -> Any:
        last, rows = ra.scan(lambda c, _: (c * c - 0.5, c), v, length=4)
        return last, rows

    last, rows = ra.fn(f)(FIELD[0])
    c = FIELD[0]
    for row in rows:
        agree(row, c)
        c = c * c - 0.5
    agree(last, c)


DRAW = np.random.default_rng(7)


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_step_reads_what_it_made_for_the_next(steps: int, backwards: bool) -> None:
    x, y = DRAW.normal(size=5), DRAW.normal(size=5)

    def f(x: Any, y: Any) -> Any:
        def step(carry: Any, t: Any) -> Any:
            x, y = carry
            x = ra.build(5, lambda i: x[i] + 0.1 * x[i] * y[(i + 1) % 5] + 0.01 * t)
            y = ra.build(5, lambda i: y[i] + x[i] ** 2 * x[(i + 2) % 5])  # the new x, twice
            return (x, y), None

        times = np.arange(steps, dtype=float)
        (x, y), _ = ra.scan(step, (x, y), times[::-1] if backwards else times)
        return ra.sum(x * y)

    checked_gradient(f, x, y)


def test_the_same_where_the_number_of_steps_is_not_known() -> None:
    x = np.array([0.6, -0.4, 0.8, 0.3])

    def f(x: Any) -> Any:
        def step(carry: Any) -> Any:
            x, s = carry
            x = ra.build(4, lambda i: 0.9 * x[i] + 0.1 * x[(i + 1) % 4] ** 2)
            return x, s + ra.sum(x**3)

        return ra.while_loop(lambda c: ra.sum(c[0] ** 2) > 0.1, step, (x, 0.0), max_steps=40)[1]

    checked_gradient(f, x)


def test_what_is_read_is_not_computed_again() -> None:
    def f(x: Any) -> Any:
        def step(_: Any, carry: Any) -> Any:
            x, s = carry
            for _ in range(3):
                x = ra.build(20, lambda i, x=x: 0.5 * x[i] + 0.25 * x[(i + 1) % 20] ** 2)
            return x, ra.build(20, lambda i: s[i] * x[i])

        return ra.sum(ra.fori_loop(0, 4, step, (x, x))[1])

    program = all_instructions(ra.grad(f), DRAW.normal(size=20))
    (back,) = (i for i in program if i.op == "scan" and i.steps.reverse)
    made = [i for i in instructions(back.blocks[0]) if i.op == "build" and i.outs]
    assert len(made) <= 2 + 2  # the first two of the three again, and not the last


def test_what_a_step_gives_besides_carries_is_not_given_to_the_next() -> None:
    """Found at seed 910017713: an array of elementary functions is a row of a scan's ys."""

    def f(c: Any) -> Any:
        def step(c: Any, _: Any) -> Any:
            y = ra.tanh(0.3 * c)
            return 2.0 * ra.sin(y), y

        c, ys = ra.scan(step, c, length=4)
        return ra.sum(c) + ra.sum(ys * ys)

    x = DRAW.normal(size=5)
    checked_gradient(f, x)
    ra.check_grads(f, (x,), order=2)
