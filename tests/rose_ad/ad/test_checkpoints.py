"""Loops that remember little: what they run again is what was planned, and their derivatives are exact."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

X = 0.7
V = np.array([0.3, -0.8, 1.1, 0.2, -0.4, 0.9, 0.5])
POLICIES = ["all", 1, 2, 3, 6, 7, 100, "sqrt", "auto"]


def close(a: Any, b: Any, tolerance: float = 1e-12) -> None:
    for p, q in zip(ra.flatten(a)[0], ra.flatten(b)[0], strict=True):
        np.testing.assert_allclose(p, q, rtol=tolerance, atol=tolerance)


# ------------------------------------------------------------------------------- recomputation


class Counter:
    """A function of a carry that returns 0 and counts its calls; no derivative needs it."""

    def __init__(self) -> None:
        self.calls = 0
        self.opaque = ra.opaque(self.tick, ra.Real)

    def tick(self, _: float) -> float:
        self.calls += 1
        return 0.0

    def __call__(self, c: Any) -> Any:
        return self.opaque(ra.stop_gradient(c))


def runs(n: int, checkpoint: Any) -> int:
    """How often the gradient of a scan of n steps runs its step."""
    counter = Counter()

    def f(x: Any) -> Any:
        return ra.scan(
            lambda c, _: (ra.sin(c) + counter(c), None), x, length=n, checkpoint=checkpoint
        )[0]

    plain = ra.grad(lambda x: ra.fori_loop(0, n, lambda i, c: ra.sin(c), x))(X)
    close(ra.grad(f)(X), plain)
    return counter.calls


@pytest.mark.parametrize("n", [1, 2, 3, 5, 10, 21, 40])
@pytest.mark.parametrize("slots", [1, 2, 3, 5, 10])
def test_what_is_run_again_is_what_was_planned(n: int, slots: int) -> None:
    assert runs(n, slots) == n + ra.checkpoint_plan(n, slots).recomputed


def test_policies_are_numbers_of_carries() -> None:
    n = 20
    assert runs(n, "all") == runs(n, "auto") == runs(n, 20) == n
    assert runs(n, "sqrt") == n + ra.checkpoint_plan(n, 5).recomputed


@functools.cache
def least(n: int, slots: int) -> float:
    """The fewest steps run again, by trying each place for the next carry to keep."""
    if n <= 1:
        return 0
    if slots == 1:
        return n * (n - 1) // 2
    return min(k + least(k, slots) + least(n - k, slots - 1) for k in range(1, n))


@pytest.mark.parametrize("slots", range(1, 7))
def test_the_plan_is_the_least(slots: int) -> None:
    for n in range(slots + 1, 40):
        assert ra.checkpoint_plan(n, slots).recomputed == least(n, slots)


def test_the_plan() -> None:
    assert ra.checkpoint_plan(1000, 10, 80) == (10, 800, ra.checkpoint_plan(1000, 10).recomputed)
    assert ra.checkpoint_plan(5, 9, 8) == (5, 40, 0)
    assert ra.checkpoint_plan(0, 3) == (0, 0, 0)
    assert ra.checkpoint_plan(1, 1) == (1, 0, 0)
    more = [ra.checkpoint_plan(100, s).recomputed for s in range(1, 101)]
    assert more == sorted(more, reverse=True)


# -------------------------------------------------------------------------------------- memory


def scratch(n: int, checkpoint: Any, **more: Any) -> int:
    """Bytes of scratch memory of the gradient of a scan over a vector of 100."""

    def f(v: Any) -> Any:
        return ra.sum(
            ra.scan(lambda c, _: (ra.sin(c), None), v, length=n, checkpoint=checkpoint, **more)[0]
        )

    return ra.grad(f).lower(np.zeros(100)).memory


def test_memory_is_that_of_the_carries_kept() -> None:
    n, carry = 1000, 800
    everything = scratch(n, "all")
    assert everything >= n * carry
    for slots in (1, 10, 100):
        assert scratch(n, slots) <= slots * carry + 20 * carry
    assert scratch(n, "sqrt") <= (math.isqrt(n) + 20) * carry
    assert scratch(n, "auto", budget=50 * carry) <= (50 + 20) * carry
    assert scratch(n, "auto") == everything  # it fits
    assert scratch(100 * n, 10) <= scratch(n, 10) + 2000  # the number of steps does not matter


def test_an_unbounded_while_loop_remembers_nothing() -> None:
    def f(v: Any) -> Any:
        return ra.sum(ra.while_loop(lambda c: ra.sum(c) < 1e9, lambda c: c * 1.5, v))

    assert ra.grad(f).lower(np.zeros(100)).memory <= 20 * 800


# --------------------------------------------------------------------------------- equality


def with_xs_and_ys(checkpoint: Any, reverse: bool) -> Callable[..., Any]:
    """A scan whose carry is a number, an array, an Int and a Bool, with xs, ys and an accumulator."""

    def f(x: Any, v: Any) -> Any:
        acc = ra.accum()

        def step(c: Any, item: Any) -> Any:
            y, w, k, odd = c
            acc.add(acc.ref, y * item["a"])
            new = ra.where(odd, ra.sin(y * w[k % 3]), y + item["a"] * x)
            return (new, ra.cos(w) * y, k + 2, ~odd), (y * item["b"], w)

        (y, w, _, _), (ys, rows) = ra.scan(
            step,
            (x, v[:3], 1, x > 0.0),
            {"a": v, "b": v[::-1]},
            reverse=reverse,
            checkpoint=checkpoint,
        )
        return y * ra.sum(w) + ra.dot(ys, v) + ra.sum(rows * rows) + acc * acc

    return f


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("checkpoint", POLICIES[1:])
def test_every_policy_has_the_same_derivatives(checkpoint: Any, reverse: bool) -> None:
    f, plain = with_xs_and_ys(checkpoint, reverse), with_xs_and_ys("all", reverse)
    close(ra.fn(f)(X, V), ra.fn(plain)(X, V))
    close(ra.grad(f, (0, 1))(X, V), ra.grad(plain, (0, 1))(X, V))
    u = (0.5, np.cos(V))
    close(ra.jvp(f, (X, V), u), ra.jvp(plain, (X, V), u))


@pytest.mark.parametrize("checkpoint", [1, 3, "sqrt"])
def test_every_policy_has_the_same_second_derivatives(checkpoint: Any) -> None:
    f, plain = with_xs_and_ys(checkpoint, False), with_xs_and_ys("all", False)
    u = (0.5, np.cos(V))
    expected = ra.hvp(plain, (X, V), u)
    close(ra.hvp(f, (X, V), u), expected)

    def slope(x: Any, v: Any) -> Any:
        dx, dv = ra.grad(f, (0, 1))(x, v)
        return dx * u[0] + ra.dot(dv, u[1])

    close(ra.grad(slope, (0, 1))(X, V), expected)
    close(ra.grad(lambda x, v: ra.jvp(f, (x, v), u)[1], (0, 1))(X, V), expected)


def test_loops_that_keep_few_carries_inside_each_other() -> None:
    def f(outer: Any, inner: Any) -> Any:
        def step(i: Any, c: Any) -> Any:
            return ra.fori_loop(0, 4, lambda j, d: ra.sin(d) + c * V[1], c, checkpoint=inner)

        return ra.grad(lambda x: ra.fori_loop(0, 6, step, x, checkpoint=outer))(X)

    for outer, inner in ((2, "all"), ("all", 2), (1, 1), ("sqrt", 3)):
        close(f(outer, inner), f("all", "all"))


# --------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("bad", [0, -1, True, 1.5, "many", None])
def test_a_policy_that_is_none(bad: Any) -> None:
    with pytest.raises(ra.TypeMismatch, match="checkpoint=") as error:
        ra.fn(lambda x: ra.fori_loop(0, 9, lambda i, c: c, x, checkpoint=bad))(X)
    assert "test_checkpoints.py" in str(error.value) and "positive number" in str(error.value)


def test_a_budget_below_one_carry() -> None:
    with pytest.raises(ra.TypeMismatch, match="800 bytes, the budget is 799"):
        scratch(10, "auto", budget=799)


def test_a_carry_without_tangent_beside_one_with() -> None:
    """A carry whose tangent is always zero is carried round with those of others."""

    def f(x: Any, v: Any, k: Any) -> Any:
        def step(c: Any) -> Any:
            i, a, w = c
            inner = ra.grad(lambda u: ra.sin(u) ** 2 * u + 0.0 * ra.sum(w))
            return i + 1, inner(ra.sign(a)), w

        _, a, w = ra.while_loop(lambda c: c[0] < k, step, (0, x, v), max_steps=4)
        return a + ra.sum(w * w)

    v = np.array([0.5, -1.0, 2.0])
    for order in (ra.grad(f, (0, 1)), ra.fn(lambda x, v, k: ra.grad(f, (0, 1))(x, v, k))):
        dx, dv = order(0.7, v, 3)
        assert dx == 0.0
        np.testing.assert_allclose(dv, 2 * v)
