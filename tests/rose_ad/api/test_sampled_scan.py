"""Randomised reverse mode: unbiased, exact where all is kept, refused where it would be biased."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.api.sampled_scan import random_below, random_word
from rose_ad.ir.interp import interpret

SIZE, STEPS = 9, 12
P = np.array([0.3, -0.2, 0.5])
W = np.linspace(-1.0, 2.0, SIZE)
START = np.sin(np.arange(SIZE) * 2.0)


def step(p: Any, c: Any, i: Any) -> Any:
    """Affine in c; the coefficients are not in p."""

    def row(j: Any) -> Any:
        return c[j] * (1.0 + 0.1 * ra.sin(p[0] * j)) + 0.3 * p[1] * p[0] * c[(j + i) % SIZE]

    return ra.build(SIZE, row) + p[2] * ra.cos(p[1] * i)


def exact(p: Any, c: Any) -> Any:
    return ra.dot(ra.fori_loop(0, STEPS, lambda i, c: step(p, c, i), c) ** 2, W)


def sampled(keep: int) -> ra.Fn:
    return ra.fn(lambda p, c, key: ra.dot(ra.sampled_scan(step, p, c, STEPS, keep, key) ** 2, W))


@pytest.mark.parametrize("keep", [1, 2, 4, 8])
def test_the_mean_of_many_draws_is_the_gradient(keep: int) -> None:
    want_p, want_c = ra.grad(exact, (0, 1))(P, START)
    gradient = ra.grad(sampled(keep), (0, 1))
    draws = np.array([gradient(P, START, key)[0] for key in range(1000)])
    spread = draws.std(axis=0, ddof=1)
    assert (spread[:2] > 1e-3 * np.abs(want_p[:2])).all()  # a draw is a draw
    error = np.abs(draws.mean(axis=0) - want_p)
    assert (error <= 4 * spread / np.sqrt(len(draws)) + 1e-12 * np.abs(want_p)).all()
    np.testing.assert_allclose(gradient(P, START, 3)[1], want_c, rtol=1e-12)
    assert sampled(keep)(P, START, 5) == pytest.approx(ra.fn(exact)(P, START), rel=1e-13)


def test_all_entries_are_exact() -> None:
    want = ra.grad(exact, (0, 1))(P, START)
    for key in (0, -1, 2**62):
        for found, w in zip(ra.grad(sampled(SIZE), (0, 1))(P, START, key), want, strict=True):
            np.testing.assert_allclose(found, w, rtol=1e-12)


def test_more_entries_vary_less() -> None:
    def spread(keep: int) -> float:
        gradient = ra.grad(sampled(keep))
        return float(np.std([gradient(P, START, k) for k in range(200)], axis=0).max())

    assert spread(1) > 1.5 * spread(3) > 1.5 * spread(8)


def test_a_key_is_a_draw() -> None:
    gradient = ra.grad(sampled(2))
    assert (gradient(P, START, 7) == gradient(P, START, 7)).all()
    assert (gradient(P, START, 7) != gradient(P, START, 8)).any()


def test_structures_and_the_interpreter() -> None:
    def turn(p: Any, c: Any, i: Any) -> Any:
        x, (m, z) = c["x"], c["rest"]
        return {"x": x * p["a"] + z, "rest": (ra.permute_dims(m, (1, 0)) * p["b"], z + m[0, 1])}

    def end(c: Any) -> Any:
        return ra.sum(c["x"] ** 2) + ra.sum(c["rest"][0] ** 2) + ra.sin(c["rest"][1])

    def loss(keep: int) -> Any:
        return lambda p, c, key: end(ra.sampled_scan(turn, p, c, 5, keep, key))

    p = {"a": 0.9, "b": 1.1}
    c = {"x": np.ones(3), "rest": (np.arange(4.0).reshape(2, 2), 0.5)}
    for keep in (1, 8):
        gradient = ra.grad(loss(keep))
        found = gradient(p, c, 3)
        (special,) = gradient._specialised.values()
        leaves = [p["a"], p["b"], c["x"], *c["rest"], 3]
        np.testing.assert_allclose(ra.flatten(found)[0], interpret(special.ir, leaves), rtol=1e-12)
    want = ra.grad(lambda p: end(ra.fori_loop(0, 5, lambda i, c: turn(p, c, i), c)))(p)
    np.testing.assert_allclose(ra.flatten(found)[0], ra.flatten(want)[0], rtol=1e-12)


def test_memory_falls() -> None:
    def memory(keep: int) -> int:
        def loss(p: Any, c: Any, key: Any) -> Any:
            return ra.sum(ra.sampled_scan(lambda p, c, i: c * p, p, c, 1000, keep, key))

        return ra.grad(loss).lower(0.5, np.ones(200), 1).memory

    assert memory(200) > 1000 * 200 * 8
    assert memory(10) < memory(200) / 10
    assert memory(1) < memory(200) / 50


ILLEGAL = {
    "product": lambda p, c, i: c * c,  # here
    "function": lambda p, c, i: ra.sin(c) * p[0],  # here
    "choice": lambda p, c, i: ra.where(c > 0.0, p[0], p[1]) * 1.0,  # here
    "branch": lambda p, c, i: ra.cond(c[0] > 0.0, lambda: c, lambda: p[0] * c),  # here
    "index": lambda p, c, i: ra.build(SIZE, lambda j: p[ra.to_int(c[j]) % 3]),  # here
    "rounded": lambda p, c, i: ra.floor(c) * p[0],  # here
    "divisor": lambda p, c, i: p[0] / c,  # here
    "stopped": lambda p, c, i: p[0] * ra.stop_gradient(c),  # here
    "called": lambda p, c, i: SQUARE(c),
}
SQUARE = ra.fn(lambda c: c * c)  # here


@pytest.mark.parametrize("bad", ILLEGAL.values(), ids=ILLEGAL)
def test_steps_that_would_give_a_bias_are_refused(bad: Any) -> None:
    with pytest.raises(ra.TypeMismatch, match="biased") as caught:
        ra.fn(lambda p, c: ra.sampled_scan(bad, p, c, 3, 2, 0))(P, START)
    assert "# here" in str(caught.value) and "checkpoint" in str(caught.value)


def test_what_is_not_a_carry_or_a_number_is_refused() -> None:
    def run(init: Any, n: Any = 3, keep: Any = 1, key: Any = 0) -> Any:
        return ra.fn(lambda p: ra.sampled_scan(lambda p, c, i: c, p, init, n, keep, key))(1.0)

    for wrong in (dict(init=1), dict(init=()), dict(init=1.0, keep=2), dict(init=1.0, keep=0),
                  dict(init=1.0, key=0.5), dict(init=1.0, n=-1), dict(init=1.0, keep=1.0)):  # fmt: skip
        with pytest.raises(ra.TypeMismatch):
            run(**wrong)
    with pytest.raises(ra.TraceError):
        ra.sampled_scan(step, P, START, 3, 1, 0)


def test_random_words_are_those_of_squares() -> None:
    """Widynski's four rounds, in Python's integers."""

    def squares(counter: int, key: int) -> int:
        mask = 2**64 - 1
        x = y = counter * key & mask
        z = y + key & mask
        for weyl in (y, z, y):
            x = x * x + weyl & mask
            x = (x >> 32 | x << 32) & mask
        return (x * x + z & mask) >> 32

    key = 0x548C9DECBCE65297
    word = ra.fn(lambda c: random_word(c, key))
    counters = [0, 1, 2, 1000, 2**40 + 3, -1]
    assert [int(word(c)) for c in counters] == [squares(c % 2**64, key) for c in counters]


def test_random_numbers_are_uniform() -> None:
    draw = ra.fn(lambda key: ra.build(7000, lambda c: random_below(7, c, key)))
    for key in range(5):
        counts = np.bincount(draw(key), minlength=7)
        assert counts.size == 7 and ((counts - 1000) ** 2 / 1000).sum() < 24.1  # 99.95 %
    together = np.corrcoef([draw(k) for k in range(5)])
    assert np.abs(together - np.eye(5)).max() < 0.06


def test_only_linear_functions_are_transposed() -> None:
    """What a branch, a rounding or stop_gradient hides from the derivative is still not linear."""
    for f in (
        lambda x: ra.where(x > 0.0, x, 2.0 * x),
        lambda x: ra.cond(x > 0.0, lambda: x, lambda: 2.0 * x),
        lambda x: x * ra.stop_gradient(x),
        lambda x: ra.floor(x) + x,
        lambda x: x * x,
    ):
        with pytest.raises(ra.TypeMismatch, match="not linear"):
            ra.linear_transpose(f, 1.0)(1.0)
