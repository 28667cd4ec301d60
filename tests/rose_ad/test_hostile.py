"""Input and surroundings that no one should give: each is a clear error, or a right answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.processes import in_threads

V = np.ones(3)
twice = ra.fn(lambda x: x * 2)

# ---------------------------------------------------------------------------------- arguments

REFUSED: dict[str, Any] = {
    "objects": np.array([1.0, "a", None], object),
    "numbers as objects": np.array([1.0, 2.0], object),
    "complex": np.ones(3, complex),
    "a complex": 1j,
    "a numpy complex": np.complex64(1),
    "strings": np.array(["a"]),
    "bytes": np.array([b"a"]),
    "dates": np.array(["2020-01-01"], "datetime64[D]"),
    "a date": np.datetime64("2020-01-01"),
    "durations": np.array([1], "timedelta64[s]"),
    "records": np.zeros(2, [("a", float)]),
    "a fraction": Fraction(1, 3),
    "a decimal": Decimal("0.1"),
    "a set": {1.0},
    "too large": 2**63,
    "too small": -(2**63) - 1,
    "a large unsigned": np.uint64(2**63),
    "large unsigned ones": np.array([1, 2**63], np.uint64),
    "masked": np.ma.masked_array([1.0, 2.0], [True, False]),
}


@pytest.mark.parametrize("x", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("use", [twice, ra.grad(lambda x: ra.sum(x * x))], ids=["value", "grad"])
def test_what_is_not_a_number_is_refused(x: Any, use: ra.Fn) -> None:
    with pytest.raises(ra.TypeMismatch) as caught:
        use(x)
    assert "test_hostile.py" in str(caught.value)


@pytest.mark.parametrize("x", [v for v in REFUSED.values() if not isinstance(v, set)])
def test_nor_may_it_be_captured(x: Any) -> None:
    with pytest.raises(ra.TypeMismatch, match=r"test_hostile\.py"):
        ra.fn(lambda y: y + ra.sum(ra.array(x)))(1.0)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_empty_arrays(shape: tuple[int, ...]) -> None:
    a = np.zeros(shape)
    assert twice(a).shape == shape and ra.fn(ra.sum)(a) == 0.0 and ra.fn(ra.norm)(a) == 0.0
    assert ra.grad(lambda v: ra.sum(v * v))(a).shape == shape
    for f in (ra.sort, ra.argsort, ra.flip, ra.ravel):
        want = f(a)
        found = ra.fn(f)(a)
        assert found.shape == want.shape and found.dtype == want.dtype
    for f in (ra.max, ra.argmin):
        with pytest.raises(ra.TypeMismatch, match="no entries"):
            ra.fn(f)(a)


def test_empty_loops() -> None:
    none = np.zeros(0)
    f = ra.fn(lambda v: ra.scan(lambda c, x: (c + x, c), 1.0, v))
    last, ys = f(none)
    assert last == 1.0 and ys.shape == (0,)
    assert ra.grad(lambda v: f(v)[0])(none).shape == (0,)
    assert ra.fn(lambda x: ra.fori_loop(5, 2, lambda i, c: c * 0.0, x))(3.0) == 3.0
    assert (
        np.zeros((3, 0)) @ np.zeros((0, 2)) == ra.fn(ra.matmul)(np.zeros((3, 0)), np.zeros((0, 2)))
    ).all()


def test_not_finite() -> None:
    for x in (np.nan, np.inf, -np.inf):
        np.testing.assert_equal(twice(x), x * 2)
    to_int = ra.fn(ra.to_int)
    assert [int(to_int(x)) for x in (np.nan, np.inf, -np.inf)] == [0, 2**63 - 1, -(2**63)]
    with pytest.raises(ra.OutOfRange):
        ra.fn(lambda v, x: v[ra.to_int(x)])(V, np.inf)
    assert tuple(ra.fn(lambda a, b: (a // b, a % b))(-(2**63), -1)) == (-(2**63), 0)
    assert tuple(ra.fn(lambda a, b: (a // b, a % b))(5, 0)) == (0, 0)


def test_shared_and_many_arguments() -> None:
    found = ra.grad(lambda p: ra.sum(p[0] * p[1]["a"]))((V, {"a": V}))
    assert (found[0] == V).all() and (found[1]["a"] == V).all()
    many = [float(k) for k in range(1000)]
    assert ra.fn(lambda *a: sum(a))(*many) == sum(many)
    assert ra.grad(lambda *a: sum(a) * a[3], (0, 3))(*many) == (3.0, 3.0 + sum(many))


def test_a_long_expression() -> None:
    def f(x: Any) -> Any:
        total = x
        for k in range(5000):
            total = total + ra.sin(x * k) * 1e-3
        return total

    k = np.arange(5000)
    assert ra.fn(f)(0.3) == pytest.approx(0.3 + 1e-3 * np.sin(0.3 * k).sum())
    assert ra.grad(f)(0.3) == pytest.approx(1.0 + 1e-3 * (k * np.cos(0.3 * k)).sum())


# ------------------------------------------------------------------------------------ nesting


def nested(depth: int) -> Callable[[Any], Any]:
    def f(x: Any, left: int = depth) -> Any:
        if left == 0:
            return x * 1.5
        return ra.fori_loop(
            0, 1, lambda i, c: ra.cond(c > 0.0, lambda: f(c, left - 2), lambda: c), x
        )

    return f


def test_deep_nesting() -> None:
    assert ra.fn(nested(40))(1.0) == 1.5 and ra.grad(nested(40))(1.0) == 1.5
    itself: list[Any] = [1.0]
    itself.append(itself)
    deep: Any = 1.0
    for _ in range(10 * sys.getrecursionlimit()):
        deep = (deep,)
    for call in (
        lambda: ra.fn(nested(2 * sys.getrecursionlimit()))(1.0),
        lambda: twice(itself),
        lambda: ra.fn(lambda x: 1.0)(deep),
    ):
        with pytest.raises(ra.TraceError, match="nested too deeply"):
            call()
    assert twice(1.0) == 2.0  # nothing is left over
    while isinstance(deep, tuple):  # taken apart here: freeing it whole would recurse
        (deep,) = deep


# ------------------------------------------------------------------------------------- lengths


def test_lengths_that_are_none() -> None:
    for call in (
        lambda x: ra.accum(-3).freeze(),
        lambda x: ra.accum((3.5,)).freeze(),
        lambda x: ra.accum(ra.Vec[-3, ra.Real]).freeze(),
        lambda x: ra.build(-1, lambda i: x),
        lambda x: ra.scan(lambda c, _: (c, None), x, length=2**70)[0],
        lambda x: ra.fori_loop(0, 2**70, lambda i, c: c, x),
        lambda x: ra.fori_loop(-(2**63), 2**62, lambda i, c: c, x),
        lambda x: ra.build(2**63, lambda i: x)[0],
        lambda x: ra.while_loop(lambda c: c < 1.0, lambda c: c, x, max_steps=2**64),
    ):
        with pytest.raises(ra.RoseError, match=r"test_hostile\.py"):
            ra.fn(call)(1.0)


def test_arrays_that_do_not_fit() -> None:
    for call in (
        lambda x: ra.build(10**12, lambda i: x),
        lambda x: x + ra.sum(ra.zeros((10**6, 10**5))),
        lambda x: x + ra.sum(ra.ones((10**6, 10**5))),
        lambda x: x + ra.sum(ra.full((10**6, 10**5), 2.0)),
        lambda x: x + ra.sum(ra.arange(10**12)),
        lambda x: x + ra.sum(ra.eye(10**6)),
        lambda x: x + ra.accum((2**30, 2**20)).freeze()[3, 4],
        lambda x: ra.scan(lambda c, _: (c, c), x, length=10**9)[1],
    ):
        with pytest.raises(ra.MemoryLimit, match=r"test_hostile\.py"):
            ra.fn(call)(1.0)


def test_a_thousand_million_steps() -> None:
    def last(x: Any, checkpoint: Any = "all") -> Any:
        def step(c: Any, _: Any) -> Any:
            return c * c * 0.25 + x, None

        return ra.scan(step, x, length=10**9, checkpoint=checkpoint)[0]

    assert ra.fn(last).lower(0.5).memory == 0
    with pytest.raises(ra.MemoryLimit, match=r"test_hostile\.py"):
        ra.grad(last)(0.5)
    # 31,623 carries, the tables of the schedule
    assert ra.grad(lambda x: last(x, "sqrt")).lower(0.5).memory < 64 * 31_623 + 4096
    assert ra.grad(lambda x: last(x, 100)).lower(0.5).memory < 64 * 100 + 4096


def test_a_thousand_million_steps_are_run() -> None:
    halved = ra.fn(lambda x: ra.scan(lambda c, _: (c * 0.5 + x, None), x, length=10**8)[0])
    assert halved(1.0) == 2.0


# --------------------------------------------------------------------------------- out of range

OUTSIDE: dict[str, Callable[[Any, Any], Any]] = {
    "gather": lambda v, k: v[k],
    "row": lambda v, k: ra.sum(ra.build(3, lambda i: v)[k]),
    "take": lambda v, k: ra.sum(ra.take(v, ra.array([0, k]))),
    "scatter": lambda v, k: scattered(v, k),
    "build": lambda v, k: ra.sum(ra.build(5, lambda i: v[k + 0 * i])),
    "loop": lambda v, k: looped(v, k),
    "scan": lambda v, k: ra.scan(lambda c, x: (c + v[k] * x, None), 0.0, v)[0],
    "scan, checkpointed": lambda v, k: ra.scan(lambda c, x: (c + v[k] * c, None), 1.0, v, checkpoint=1)[0],
    "while": lambda v, k: ra.while_loop(lambda s: s[0] < 2, lambda s: (s[0] + 1, s[1] * v[k]), (0, v[0]),
                                        max_steps=4)[1],
    "test": lambda v, k: ra.while_loop(lambda c: v[k] > c, lambda c: c + v[0], 0.0),
    "branch": lambda v, k: ra.cond(v[0] > 0.0, lambda: v[k], lambda: v[0]),
    "switch": lambda v, k: ra.switch(k - k + 1, [lambda: v[0], lambda: v[k], lambda: v[0]]),
    "where": lambda v, k: ra.where(v[0] > 0.0, v[k], v[0]),
    "called": lambda v, k: ra.fn(lambda w: w[k])(v),
    "gradient": lambda v, k: ra.sum(ra.grad(lambda w: w[k] ** 2)(v)),
    "recomputed": lambda v, k: ra.checkpoint(lambda w: w[k] ** 2)(v),
}  # fmt: skip


def scattered(v: Any, k: Any) -> Any:
    acc = ra.accum(3)
    acc[k] += v[0]
    return acc.freeze()[0]


def looped(v: Any, k: Any) -> Any:
    acc = ra.accum()
    for i in ra.range(k, k + 1):
        with ra.when(v[0] > 0.0):
            acc += v[i]
    return acc.freeze()


@pytest.mark.parametrize("f", OUTSIDE.values(), ids=OUTSIDE)
def test_an_index_outside_is_an_error(f: Callable[[Any, Any], Any]) -> None:
    for use in (ra.fn(f), ra.grad(f), ra.fn(lambda v, k: ra.jvp(f, (v, k), (v, 0)))):
        use(V, 1)
        for k in (-1, 3, 10**6, 2**62, -(2**63)):
            with pytest.raises(ra.OutOfRange, match=r"test_hostile\.py"):
                use(V, k)
        use(V, 2)  # and the next call is as if nothing had been


@pytest.mark.parametrize("outside", [-1, 3, 2**62])
@pytest.mark.parametrize("lane", [0, 5, 8])
def test_an_index_outside_in_one_lane_is_an_error(lane: int, outside: int) -> None:
    picked = ra.vmap(lambda v, k: v[k], in_axes=(None, 0))
    added = ra.vmap(lambda k: scattered(V, k))
    ks = np.arange(9) % 3
    assert (picked(V, ks) == 1.0).all()
    ks[lane] = outside
    for use in (
        lambda: picked(V, ks),
        lambda: ra.grad(lambda v: ra.sum(picked(v, ks)))(V),
        lambda: ra.grad(lambda v, k: ra.sum(picked(v, k) ** 2))(V, ks),
        lambda: added(ks),
    ):
        with pytest.raises(ra.OutOfRange, match=r"test_hostile\.py"):
            use()


def test_a_branch_that_does_not_run_may_be_outside() -> None:
    f = ra.fn(lambda v, k: ra.cond(k < 3, lambda: v[k], lambda: 0.0))
    assert f(V, 7) == 0.0 and (ra.grad(f)(V, 7) == 0.0).all()


# -------------------------------------------------------------------------------------- threads


def test_threads_that_fail_and_threads_that_do_not() -> None:
    f = ra.fn(lambda v, k: ra.sum(ra.fori_loop(0, 10, lambda i, c: c * v[k], v)))
    gradient = ra.grad(f)

    def work(k: int) -> None:
        for n in range(20):
            if (k + n) % 2:
                with pytest.raises(ra.OutOfRange):
                    gradient(V, 3 + k)
            else:
                assert f(V, k % 3) == 3.0

    in_threads(8, work)
