"""Running compiled functions: what may be passed, threads, single precision, long runs, imports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.interp import interpret
from tests.support.processes import in_threads, python

M = np.arange(12.0).reshape(3, 4)


@ra.fn
def weighted(m: ra.Vec[3, ra.Vec[4, ra.Real]]) -> Any:
    return ra.build(3, lambda i: ra.sum(4, lambda j: m[i, j] * ra.to_real(1 + i + 2 * j)))


def total(m: ra.Vec[3, ra.Vec[4, ra.Real]]) -> Any:
    return ra.sum(weighted(m))


WEIGHTS = 1.0 + np.arange(3)[:, None] + 2 * np.arange(4)


def expected(m: Any) -> np.ndarray:
    out: np.ndarray = (np.asarray(m, float) * WEIGHTS).sum(axis=1)
    return out


# ---------------------------------------------------------------------------------- arguments


def misaligned(a: np.ndarray) -> np.ndarray:
    """The same numbers at an address that is not a multiple of 8."""
    room = np.zeros(a.nbytes + 1, np.uint8)
    out = room[1:].view(a.dtype).reshape(a.shape)
    out[...] = a
    assert not out.flags.aligned
    return out


def read_only(a: np.ndarray) -> np.ndarray:
    out = a.copy()
    out.flags.writeable = False
    return out


ARRAYS: dict[str, Callable[[], np.ndarray]] = {
    "contiguous": lambda: M,
    "Fortran order": lambda: np.asfortranarray(M),
    "transposed": lambda: np.ascontiguousarray(M.T).T,
    "strided": lambda: np.repeat(np.repeat(M, 2, 0), 3, 1)[::2, ::3],
    "reversed": lambda: M[::-1, ::-1],
    "broadcast": lambda: np.broadcast_to(M[0], (3, 4)),
    "read-only": lambda: read_only(M),
    "misaligned": lambda: misaligned(M),
    "other byte order": lambda: M.astype(M.dtype.newbyteorder()),
    "float32": lambda: M.astype(np.float32),
    "float16": lambda: M.astype(np.float16),
    "int64": lambda: M.astype(np.int64),
    "uint8": lambda: M.astype(np.uint8),
    "bool": lambda: M > 3,
}


@pytest.mark.parametrize("make", ARRAYS.values(), ids=ARRAYS)
def test_any_array_of_numbers(make: Callable[[], np.ndarray]) -> None:
    a = make()
    before = a.copy()
    assert (weighted(a) == expected(a)).all()
    assert (ra.grad(total)(a) == WEIGHTS).all()
    assert (a == before).all()


def test_subclasses_and_lists() -> None:
    assert (weighted(np.ma.masked_array(M)) == expected(M)).all()
    assert ra.fn(lambda rows: rows[0] + rows[1][0])([1.0, [2.0]]) == 3.0
    assert ra.fn(lambda x: x * [1.0, 2.0])(np.full(2, 3.0)).tolist() == [3.0, 6.0]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (2, int),
        (np.int32(2), int),
        (np.uint8(2), int),
        (2.0, float),
        (np.float64(2), float),
        (np.float32(2), np.float32),
        (np.float16(2), float),
        (True, bool),
        (np.True_, bool),
        (np.array(2.0), float),
    ],
)
def test_numbers_keep_their_kind(given: Any, kind: type) -> None:
    out = ra.fn(lambda x: x)(given)
    assert type(out) is kind and out == given


@pytest.mark.parametrize("a", [np.array([1.5, -0.0, np.nan, np.inf]), np.array([True, False])])
def test_arrays_come_back_as_they_went(a: np.ndarray) -> None:
    same, masked = ra.fn(lambda v: (v, ra.where(v == v, v, v)))(a)
    for out in (same, masked):
        assert out.dtype == a.dtype and out.tobytes() == a.tobytes()


def test_a_result_is_the_callers_own() -> None:
    v = np.zeros(3)
    same = ra.fn(lambda x: (x, x))
    first, second = same(v)
    first[0] = 1.0
    assert second[0] == 0.0 and v[0] == 0.0
    kept = weighted(M)
    copy = kept.copy()
    weighted(M + 1.0)
    assert (kept == copy).all()


def test_a_captured_array_stays_the_users() -> None:
    table = np.arange(5.0)
    f = ra.fn(lambda x: x + table)
    assert f(1.0).tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    table[0] = 100.0  # it may be written to; what was traced is what it was
    assert f(1.0)[0] == 1.0


def test_arrays_of_bools() -> None:
    @ra.fn
    def flags(v: ra.Vec, b: ra.Vec) -> Any:
        above = ra.build(len(v), lambda i: (v[i] > 0.0) & b[i])
        last, history = ra.scan(lambda c, x: (c ^ x if False else ~c, c & x), b[0], above)
        rows = ra.build(2, lambda i: ra.where(above, ~above, b))
        picked = ra.cond(v[0] > 0.0, lambda: above, lambda: ~above)
        return above, last, history, rows, picked, ra.sum(above)

    v, b = np.array([1.0, -1.0, 2.0, 3.0, -4.0]), np.array([True, True, False, True, True])
    above, last, history, rows, picked, count = flags(v, b)
    want = (v > 0) & b
    assert above.dtype == bool and (above == want).all() and (picked == want).all()
    assert (history == (np.arange(5) % 2 == 0) & want).all() and last == np.False_
    assert (rows == np.where(want, ~want, b)).all() and count == want.sum()


# ---------------------------------------------------------------------------------- precision


def test_single_precision_stays_single() -> None:
    @ra.fn
    def f(v: Any) -> Any:
        acc = ra.accum(ra.Vec[3, ra.Real32])
        for i in ra.range(3):
            acc[i] += ra.sin(v[i]) * 2.0
        last, ys = ra.scan(lambda c, a: (ra.cos(c * a), c + 1), v[0], acc.freeze())
        return last, ys, ra.norm(v), v**3 / 3

    v = np.array([0.1, 0.7, -1.3], np.float32)
    found = f(v)
    (special,) = f._specialised.values()
    for ours, oracle, double in zip(found, interpret(special.ir, [v]), f(v * 1.0), strict=True):
        single = np.asarray(ours)
        assert single.dtype == np.float32
        np.testing.assert_allclose(single, np.asarray(oracle), rtol=1e-6)
        np.testing.assert_allclose(single, np.asarray(double), rtol=1e-5)
    gradient = ra.grad(lambda v: f(v)[0])
    assert gradient(v).dtype == np.float32
    np.testing.assert_allclose(gradient(v), gradient(v.astype(float)), rtol=1e-5)
    assert ra.jvp(f, (v,), (v,))[1][1].dtype == np.float32


def test_the_widths_of_reals_mix_as_in_numpy() -> None:
    x, y = np.float32(0.1), np.float64(0.1)
    assert type(ra.fn(lambda a: a * 2.0 + 1)(x)) is np.float32
    assert type(ra.fn(lambda a, b: a + b)(x, y)) is float
    assert type(ra.fn(lambda a: ra.cond(a > 0, lambda: a, lambda: 0))(x)) is np.float32
    assert type(ra.fn(lambda a: ra.where(a > 0, a, 0.5))(x)) is np.float32
    assert ra.fn(lambda a: a * 1e300)(x) == np.inf


# --------------------------------------------------------------------------------- long, large


def test_a_long_scan_takes_linear_memory() -> None:
    def last(n: int) -> Any:
        return ra.grad(lambda x: ra.scan(lambda c, _: (ra.sin(c + x), None), x, length=n)[0])

    few, many = last(1024), last(65_536)
    assert np.isfinite(many(0.3))
    small, large = few.lower(0.3).memory, many.lower(0.3).memory
    assert 60 * small <= large <= 64 * small
    assert large <= 2 * 8 * 65_536 + 4096


def test_a_forward_pass_needs_no_memory_of_its_steps() -> None:
    f = ra.fn(lambda x: ra.scan(lambda c, _: (ra.sin(c), c), x, length=100_000))
    assert f.lower(0.3).memory == 0  # its states are written where they are returned
    loop = ra.fn(lambda v: ra.fori_loop(0, 100_000, lambda i, c: ra.sin(c), v))
    assert loop.lower(np.ones(8)).memory <= 1024
    tangent = ra.fn(lambda v: ra.jvp(loop, (v,), (v,)))
    assert tangent.lower(np.ones(8)).memory <= 2048


def test_large_arrays_do_not_lie_on_the_stack() -> None:
    n = 3_000_000
    f = ra.fn(lambda v: ra.sum(ra.fori_loop(0, 2, lambda i, c: ra.sin(c) * v, v)))
    v = np.linspace(0.0, 1.0, n)
    assert f(v) == pytest.approx(np.sum(np.sin(np.sin(v) * v) * v))
    assert ra.grad(f)(v).shape == (n,)


# ------------------------------------------------------------------------------------ threads


def test_many_threads_call_one_function() -> None:
    @ra.fn
    def f(v: ra.Vec, x: ra.Real) -> Any:
        w = ra.fori_loop(0, 20, lambda i, c: ra.sin(c) + v[0] * x, v)  # large enough for the arena
        return ra.sum(w * w)

    gradient = ra.grad(f)
    base = np.linspace(0.0, 1.0, 500)
    alone = [gradient(base, float(k)) for k in range(8)]

    def work(k: int) -> None:
        for _ in range(50):
            assert (gradient(base, float(k)) == alone[k]).all()

    in_threads(8, work)


def test_many_threads_trace_and_compile() -> None:
    """The same functions and others, for the first time, at once."""
    shared = [ra.fn(lambda v, k=k: ra.sum(ra.sin(v) * k)) for k in range(4)]
    outer = ra.fn(lambda v: shared[0](v) * shared[1](v))
    results: dict[int, list[Any]] = {}

    def work(k: int) -> None:
        v = np.ones(3 + k % 3)
        own = ra.grad(lambda v: outer(v) + ra.norm(v) * k)
        found = [f(v) for f in shared[k % 4 :] + shared[: k % 4]]
        results[k] = [sum(found), outer(v), ra.grad(outer)(v)[0], own(v)[0] - k / np.sqrt(len(v))]
        with pytest.raises(ra.TraceError, match=f"test_runtime.py:{line}"):
            ra.fn(lambda x: wrong(x))(1.0)

    line = wrong.__code__.co_firstlineno + 1
    in_threads(12, work)
    for k, found in results.items():
        n, s = 3 + k % 3, np.sin(1.0)
        want = [6 * n * s, 0.0, 0.0, 0.0]
        np.testing.assert_allclose(found, want, atol=1e-12)


def wrong(x: Any) -> Any:
    return 1.0 if x > 0.0 else 2.0


# ------------------------------------------------------------------------------------- imports


def test_what_is_imported() -> None:
    """rose_ad alone: no scene, no window, and of others' packages numpy and llvmlite only."""
    code = (
        "import sys\n"
        "import numpy, llvmlite.binding\n"
        "before = set(sys.modules)\n"
        "import rose_ad\n"
        "rose_ad.grad(lambda x: x * x)(1.0)\n"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before}\n"
        "print(*sorted(m for m in new if m not in sys.stdlib_module_names))"
    )
    assert python(code, "-X", "frozen_modules=on").split() == ["rose_ad"]
