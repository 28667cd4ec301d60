"""Batches: vmap against a Python loop of single calls, and against the interpreter."""

from __future__ import annotations

import ctypes
import mmap
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import rose_ad as ra
from rose_ad.api.pipeline import compiled
from rose_ad.ir.builder import Builder
from rose_ad.ir.core import Function, Lanes
from rose_ad.ir.interp import interpret
from rose_ad.ir.prims import Prim
from rose_ad.ir.types import Array
from rose_ad.ir.verify import verify
from tests.rose_ad.test_generated import ORDINARY, seeds
from tests.support.checks import agree as agree_numbers
from tests.support.primitives import CASES, LIBM, SPECIAL, bits, each, samples, ulps_apart
from tests.support.programs import Body, arguments, function, programs

SIZES = (1, 3, 4, 5, 8, 13, 64)
draw = np.random.default_rng(7)


def agree(a: Any, b: Any, tolerance: float = 1e-9) -> None:
    """Equal up to rounding, booleans too."""
    agree_numbers(1 * np.asarray(a), 1 * np.asarray(b), tolerance)


def stacked(members: list[Any]) -> Any:
    """One structure of arrays with a leading axis, of many structures."""
    return ra.map_leaves(lambda *leaves: np.stack(leaves), *members)


def member(batch: Any, i: int) -> Any:
    return ra.map_leaves(lambda leaf: leaf[i], batch)


def check(f: Any, *batch: Any, in_axes: Any = 0, tolerance: float = 1e-12) -> Any:
    """vmap of f is f of each member, as compiled and as interpreted; the result."""
    f = ra.fn(f) if not isinstance(f, ra.Fn) else f
    batched = ra.vmap(f, in_axes)
    found = batched(*batch)
    axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(batch)
    n = next(len(ra.flatten(b)[0][0]) for b, a in zip(batch, axes, strict=True) if a is not None)
    single = [
        f(*(b if a is None else member(b, i) for b, a in zip(batch, axes, strict=True)))
        for i in range(n)
    ]
    leaves = ra.flatten(found)[0]
    for ours, oracle in zip(leaves, ra.flatten(stacked(single))[0], strict=True):
        agree(ours, oracle, tolerance)
    (special,) = batched._specialised.values()
    verify(special.ir)
    given = ra.flatten((batch, {}))[0]
    for ours, oracle in zip(leaves, interpret(special.ir, given), strict=True):
        agree(ours, oracle, tolerance)
    return found


# ----------------------------------------------------------------------------------- primitives


@each(CASES)
def test_primitive_in_lanes(row: Prim, types: Any) -> None:
    """Every row, on its samples and on special values: to the last bit what scalar code makes."""
    columns = samples(row, types)
    if row.name != "pow":  # libm's pow of special values is tested with the scalar form
        grids = np.meshgrid(*(np.array(SPECIAL[t], t.dtype) for t in types), indexing="ij")
        columns = [np.concatenate([c, g.ravel()]) for c, g in zip(columns, grids, strict=True)]
    n = len(columns[0])
    results = []
    for length in (n, Lanes(n)):
        b = Builder()
        params = [b.block.param(Array(n, t)) for t in types]
        inner = b.loop(0, n - 1)
        i = inner.block.params[0]
        inner.block.results = (inner.prim(row.name, *(inner.index(p, i) for p in params)),)
        b.block.results = b.build(length, inner.block)
        results += compiled(Function(row.name, b.block, 0))(
            [np.ascontiguousarray(c) for c in columns]
        )
    if row.name in LIBM:
        assert (ulps_apart(*results) <= 2).all() if results[0].dtype.kind == "f" else False
    else:
        assert (bits(results[0]) == bits(results[1])).all()


# -------------------------------------------------------------------------------- constructs


@pytest.mark.parametrize("n", SIZES)
def test_sizes(n: int) -> None:
    def f(x: Any, k: Any) -> Any:
        return ra.sin(x) * x[0], k + 1, k > 2

    check(f, draw.normal(size=(n, 3)), np.arange(n))


def test_where_and_cond() -> None:
    def f(x: Any, c: Any) -> Any:
        a = ra.cond(x > 0, lambda: ra.sqrt(x), lambda: -x)  # sqrt of the others is NaN
        b = ra.cond(x > 0, lambda: ra.array([x, ra.log(x)]), lambda: ra.array([0.0, 1.0]))
        d = ra.cond(c > 0, lambda: x * 2.0, lambda: x / c)  # the same in all lanes
        e = ra.cond(x > 5.0, lambda: x, lambda: c)
        return a, b, d, e, ra.where(x > 0, x, c)

    x = np.array([1.0, -2.0, 3.0, -0.5, 0.25, -7.0])
    found = check(f, x, -1.5, in_axes=(0, None))
    assert np.isfinite(np.concatenate([np.ravel(a) for a in found])).all()


def test_nested_branches_in_loops() -> None:
    def f(x: Any, k: Any) -> Any:
        total, rows = ra.accum(), ra.accum((5, 2))
        for i in ra.range(5):
            with ra.when(x[i] > 0.0):
                for j in ra.range(i, 5):
                    with ra.when(x[j] < x[i]):
                        total += x[i] * x[j]
                        rows[j, 0] += 1.0
                    with ra.when(k > 2):
                        rows[i, 1] -= x[j]
        return total.freeze(), rows.freeze()

    check(f, draw.normal(size=(11, 5)), np.arange(11) % 5)


def test_varying_bounds() -> None:
    def f(x: Any, low: Any, high: Any) -> Any:
        a, b, c = ra.accum(), ra.accum(6), ra.accum()
        for i in ra.range(ra.clip(high, 0, 6)):  # a common lower bound
            a += x[i]
            b[i] += x[5 - i]
        for i in ra.range(ra.clip(low, 0, 3), ra.clip(high, 0, 6)):  # one of their own
            c += x[i] * ra.to_real(i)
            b[i] += 1.0
        return a.freeze(), b.freeze(), c.freeze()

    check(f, draw.normal(size=(9, 6)), np.arange(9) % 4, np.arange(9)[::-1] - 1)


def test_scans() -> None:
    def f(x: Any, w: Any) -> Any:
        def step(c: Any, y: Any) -> Any:
            s, v, k, odd = c
            s = ra.where(odd, s + y, ra.sin(s) * y)
            v = ra.build(3, lambda i: v[(i + k) % 3] * 0.5 + s)
            return (s, v, (k + 1) % 3, ~odd), (s, v)

        down, up = (ra.scan(step, (0.5, w, 0, True), x, reverse=r) for r in (True, False))
        unchanged = ra.fori_loop(0, 3, lambda i, c: (c[1], c[0]), (w, w + x[0]))
        return down, up, unchanged

    check(f, draw.normal(size=(6, 7)), draw.normal(size=3), in_axes=(0, None))


def test_while() -> None:
    def f(x: Any, n: Any) -> Any:
        def body(c: Any) -> Any:
            a, v, k = c
            return a * 0.5, v + ra.build(3, lambda i: a * v[i]), k + 1

        a, v, k = ra.while_loop(
            lambda c: (c[0] > 0.01) & (c[2] < n),
            body,
            (x, ra.array([x, 1.0, 2.0]), 0),
            max_steps=30,
        )
        return a, v, k

    x = np.array([1.0, 0.001, 7.0, 0.3, 100.0, 2.0])
    check(f, x, np.array([20, 20, 3, 0, 20, 20]))
    check(lambda x, n: f(x, n)[0], x, 4, in_axes=(0, None))
    check(ra.grad(lambda x, n: ra.sum(f(x, n)[1])), x, np.array([20, 20, 3, 0, 20, 20]))


def test_checkpoints() -> None:
    """Reverse passes that find the carries of a step again, with one number of steps for all lanes and
    with each its own."""

    def fixed(x: Any, w: Any) -> Any:
        def step(i: Any, c: Any) -> Any:
            a, v = c
            return ra.sin(a) + w[i % 3], ra.build(2, lambda k: v[1 - k] * a)

        a, v = ra.fori_loop(0, 11, step, (x, ra.array([x, 1.0])), checkpoint=3)
        return a + ra.sum(v)

    def own(x: Any, w: Any) -> Any:
        a, v = ra.while_loop(
            lambda c: c[0] > 0.3, lambda c: (c[0] * w[1], c[1] * c[0]), (x, ra.array([x, 2.0]))
        )
        return a + ra.sum(v)

    def backwards(x: Any, w: Any) -> Any:
        return ra.scan(lambda c, y: (ra.sin(c) * y, c), x, w, reverse=True, checkpoint=2)[0]

    x = np.array([1.0, 0.1, 2.5, 0.4, 0.31])
    w = draw.uniform(0.5, 0.8, (5, 3))
    for f in (fixed, own, backwards):
        check(ra.value_and_grad(f, (0, 1)), x, w)
        check(ra.grad(f), x, w[0], in_axes=(0, None))


def test_solvers_and_derivatives_of_ones_own() -> None:
    """Loops that end at steps of their own, and what is differentiated by a rule."""

    def anomaly(mean: Any, e: Any) -> Any:
        return ra.newton(lambda a: a - e * ra.sin(a) - mean, mean)

    def solved(m: Any, b: Any) -> Any:
        return ra.solve(m, b), ra.cg(lambda x: ra.matmul(m, x), b), ra.sort(b)

    mean, e = draw.uniform(0, 3, 9), draw.uniform(0, 0.9, 9)
    check(ra.value_and_grad(anomaly, (0, 1)), mean, e, tolerance=1e-9)
    a = draw.normal(size=(5, 3, 3))
    m = a @ a.transpose(0, 2, 1) + np.eye(3)
    check(solved, m, draw.normal(size=(5, 3)), tolerance=1e-6)
    check(
        ra.grad(lambda m, b: ra.sum(solved(m, b)[0]), (0, 1)),
        m,
        draw.normal(size=(5, 3)),
        tolerance=1e-9,
    )
    check(ra.hessian(lambda x: ra.sum(x**4) * x[0]), draw.normal(size=(5, 3)))


def test_python_called_back() -> None:
    seen = []

    def double(x: Any) -> Any:
        seen.append(float(x))
        return 2.0 * x

    batched = ra.vmap(lambda x: ra.opaque(double, ra.Real)(x) + x)
    assert batched(np.arange(5.0)).tolist() == [0, 3, 6, 9, 12]
    assert seen == [0, 1, 2, 3, 4]  # once for each member


def test_nans_are_found_in_batches() -> None:
    for threads in (1, 2):
        batched = ra.vmap(lambda x: ra.log(x), threads=threads)
        x = np.array([1.0, 2.0, -1.0])
        assert np.isnan(batched(x)).tolist() == [False, False, True]
        with ra.debug_nans(), pytest.raises(ra.NanFound, match="log"):
            batched(x)


def test_closures() -> None:
    """A function defined inside another sees its values; they are the same for the whole batch."""

    def f(x: Any, w: Any) -> Any:
        return ra.sum(ra.vmap(lambda a: ra.where(a > w[0], a * w[1], w[0]))(x) ** 2)

    x, w = draw.normal(size=7), draw.normal(size=2)
    whole = ra.value_and_grad(f, (0, 1))(x, w)
    y = np.where(x > w[0], x * w[1], w[0])
    agree(whole[0], (y**2).sum())
    on = x > w[0]
    agree(whole[1][0], np.where(on, 2 * y * w[1], 0))
    agree(whole[1][1], [2 * (y * ~on).sum(), 2 * (y * on * x).sum()])


def test_calls_and_gathers() -> None:
    @ra.fn
    def pick(v: Any, k: Any) -> Any:
        return v[k % 4], ra.build(2, lambda i: v[(k + i) % 4])

    def f(x: Any, table: Any, k: Any) -> Any:
        one, two = pick(x, k)  # from an array of its own
        three, four = pick(table[k], k + 1)  # from a row of one that is shared
        same = pick(table[0], 3)  # the same in all lanes
        acc = ra.accum(4)
        for i in ra.range(3):
            acc[(k * i) % 4] += x[i] * one
        with ra.when(one > 0):
            more = pick(x, k + 2)
            acc.add(acc.ref, ra.build(4, lambda i: more[0]))
        return one, two, three, four, same, acc.freeze(), table[k][1], table[(k + 1) % 5] * 2.0

    k = np.array([0, 3, 1, 4, 2, 2, 3])
    check(f, draw.normal(size=(7, 4)), draw.normal(size=(5, 4)), k, in_axes=(0, None, 0))


def test_structs_ints_and_bools() -> None:
    def f(body: Body, k: Any, on: Any) -> Any:
        moved = Body(body.mass * 2.0, ra.where(on, body.at, -body.at))
        return {"body": moved, "k": (k * 3) // 2 - k % 3, "flags": ra.array([on, ~on, k > 1])}

    batch = stacked([arguments(s)[0] for s in range(6)])
    check(f, batch, np.arange(6) - 3, np.array([True, False, False, True, True, False]))


def test_single_precision() -> None:
    def f(x: Any, k: Any) -> Any:
        total = ra.accum(ra.Real32)
        for i in ra.range(4):
            with ra.when(x[i] > k):
                total += ra.sqrt(x[i] - k) * x[i]
        return total.freeze()

    x = draw.normal(size=(21, 4)).astype(np.float32)
    k = draw.normal(size=21).astype(np.float32)
    assert check(f, x, k, tolerance=1e-6).dtype == np.float32
    check(ra.grad(f), x, k, tolerance=1e-5)


def test_lanes_that_are_off_stay_inside() -> None:
    """An index that is right in the lanes that use it may be wrong in those that do not."""

    def f(x: Any, k: Any) -> Any:
        a = ra.cond(k < 4, lambda: x[k], lambda: -1.0)
        total = ra.accum()
        with ra.when((k >= 0) & (k < 4)):
            total += x[k]
            for j in ra.range(k, 4):
                total += x[j]
        return a, total.freeze()

    check(f, draw.normal(size=(8, 4)), np.array([0, 3, 1000000, 4, 2, 10**15, 1, 2**60]))


@pytest.mark.skipif(sys.platform == "win32", reason="guards memory as POSIX does")
def test_lanes_that_have_ended_read_nothing_outside() -> None:
    """The array ends where the memory does: reading beyond would end the process."""
    page = mmap.PAGESIZE
    room = mmap.mmap(-1, 2 * page)
    x = np.frombuffer(room, float, 32, page - 32 * 8)
    x[:] = draw.normal(size=32)
    libc = ctypes.CDLL(None, use_errno=True)
    beyond = ctypes.c_void_p(x.ctypes.data + 32 * 8)
    assert libc.mprotect(beyond, page, 0) == 0

    def f(x: Any, k: Any, on: Any) -> Any:
        total = ra.accum()
        with ra.when(on):
            for j in ra.range(ra.clip(k, 0, 31), 32):
                total += x[j]
        with ra.when(k < 32):
            total += x[k]
        return total.freeze()

    k, on = np.array([0, 31, 40, 5]), np.array([True, True, False, True])
    found = ra.vmap(f, (None, 0, 0))(x, k, on)
    libc.mprotect(beyond, page, mmap.PROT_READ | mmap.PROT_WRITE)
    agree(found, [x.sum() + x[0], 2 * x[31], 0.0, x[5:].sum() + x[5]])


def test_index_out_of_range_in_one_lane() -> None:
    f = ra.vmap(lambda x, k: x[k])
    x = np.arange(20.0).reshape(5, 4)
    assert f(x, np.array([0, 1, 2, 3, 3])).tolist() == [0, 5, 10, 15, 19]
    for lane in range(5):
        k = np.zeros(5, int)
        k[lane] = 4
        with pytest.raises(ra.OutOfRange, match="length 4"):
            f(x, k)


# --------------------------------------------------------------------------------------- axes


def test_axes() -> None:
    def f(x: Any, pair: Any, *, scale: Any) -> Any:
        a, b = pair
        return {"m": x * a["p"] + b, "s": ra.sum(x) * scale}, ra.sum(b)

    x, p, b = draw.normal(size=(3, 6)), draw.normal(size=6), draw.normal(size=3)
    scale = draw.normal(size=6)
    for in_axes in ((1, ({"p": 0}, None)), (-1, [{"p": -1}, None])):
        found, shared = ra.vmap(f, in_axes, out_axes=({"m": 1, "s": 0}, None))(
            x, ({"p": p}, b), scale=scale
        )
        agree(found["m"], x * p + b[:, None])
        agree(found["s"], x.sum(0) * scale)
        agree(shared, b.sum())
    images = draw.normal(size=(2, 5, 3, 4))
    turned = ra.vmap(lambda a: ra.permute_dims(a, (2, 1, 0)), in_axes=2, out_axes=1)(images)
    agree(turned, np.transpose(images, (3, 2, 1, 0)))


def test_mistakes() -> None:
    def f(x: Any, y: Any) -> Any:
        return x + y

    two, three = np.ones((2, 3)), np.ones((3, 2))
    cases = [
        (dict(in_axes=0), (two, three), "different sizes: 2 and 3"),
        (dict(in_axes=None), (two, two), "no argument"),
        (dict(in_axes=(0, 2)), (two, two), "axis 2"),
        (dict(in_axes=0), (two, 1.0), "a number"),
        (dict(in_axes=(0,)), (two, two), "1 entries"),
        (dict(in_axes=(0, {"a": 0})), (two, two), "does not fit"),
        (dict(in_axes=(0, "x")), (two, two), "does not fit"),
        (dict(in_axes=(0, None), out_axes=None), (two, np.ones(3)), "out_axes is None"),
        (dict(out_axes=3), (two, two), "out_axes has axis 3"),
    ]
    for how, args, message in cases:
        with pytest.raises(ra.TypeMismatch, match=message):
            ra.vmap(f, **how)(*args)  # type: ignore[arg-type]
    with pytest.raises(ra.TypeMismatch, match="threads"):
        ra.vmap(f, threads=0)


def test_threads() -> None:
    def f(x: Any, y: Any) -> Any:
        return {"sum": x + ra.sum(y), "y": y}

    x, y = draw.normal(size=(3, 11)), draw.normal(size=2)
    one = ra.vmap(f, (1, None), out_axes={"sum": 1, "y": None})(x, y)
    for threads in (2, 3, 40):
        split = ra.vmap(f, (1, None), out_axes={"sum": 1, "y": None}, threads=threads)(x, y)
        assert (split["sum"] == one["sum"]).all() and (split["y"] == y).all()
    with pytest.raises(ra.OutOfRange):
        ra.vmap(lambda x, k: x[k], threads=2)(np.ones((4, 3)), np.array([0, 1, 2, 3]))


# ------------------------------------------------------------------------------- composition


def energy(x: Any, w: Any) -> Any:
    """Something with a branch, a loop and a gather, that has a gradient in both arguments."""

    def step(i: Any, v: Any) -> Any:
        near = ra.accum(3)
        for j in ra.range(3):
            with ra.when(v[j] > 0.1):
                near[j] += ra.sqrt(v[j]) * w[(i + j) % 4]
        return ra.sin(v) + near.freeze()

    v = ra.fori_loop(0, 3, step, x)
    return ra.dot(v, v) * w[0]


def test_gradients() -> None:
    x, w = draw.normal(size=(6, 3)), draw.normal(size=4)
    each_w = draw.normal(size=(6, 4))
    per_member = check(ra.value_and_grad(energy, (0, 1)), x, each_w, tolerance=1e-10)[1]
    check(ra.grad(energy), x, w, in_axes=(0, None))

    def total(x: Any, w: Any) -> Any:
        return ra.sum(ra.vmap(energy, (0, None))(x, w))

    def total_each(x: Any, w: Any) -> Any:
        return ra.sum(ra.vmap(energy)(x, w))

    for ours, theirs in zip(ra.grad(total_each, (0, 1))(x, each_w), per_member, strict=True):
        agree(ours, theirs)
    gx, gw = ra.grad(total, (0, 1))(x, w)  # w is shared: its gradients are summed
    single = [ra.grad(energy, (0, 1))(x[i], w) for i in range(6)]
    agree(gx, np.stack([s[0] for s in single]))
    agree(gw, sum(s[1] for s in single))
    step = 1e-6
    for k in range(4):
        d = np.eye(4)[k] * step
        agree(gw[k], (total_of(total, x, w + d) - total_of(total, x, w - d)) / (2 * step), 1e-6)


def total_of(f: Any, *args: Any) -> Any:
    return ra.fn(f)(*args)


def test_large_shared_arrays_get_summed_gradients() -> None:
    """A reference too large for each lane to have its own is added into by all."""

    def f(x: Any, table: Any, k: Any) -> Any:
        total = ra.accum()
        for i in ra.range(3):
            with ra.when(x > 0.2 * ra.to_real(i)):
                total += table[i] * x + table[(k * 977 + i) % 4000] ** 2
        return total.freeze() + ra.sum(table) * 0.25

    def whole(x: Any, table: Any, k: Any) -> Any:
        return ra.sum(ra.vmap(f, (0, None, 0))(x, table, k))

    x, table, k = draw.uniform(size=7), draw.normal(size=4000), np.arange(7) * 3
    gradient = ra.grad(whole, (0, 1))(x, table, k)
    single = [ra.grad(ra.fn(f), (0, 1))(x[i], table, int(k[i])) for i in range(7)]
    agree(gradient[0], np.array([s[0] for s in single]))
    agree(gradient[1], sum(s[1] for s in single))


def test_gradients_that_are_the_same_in_all_lanes() -> None:
    """They are computed once, with accumulators that are not the lanes'."""
    squares = ra.fn(lambda x: ra.tanh(ra.dot(x, x)))

    def slope(t: Any, x: Any) -> Any:
        return t * ra.sum(ra.tanh(ra.grad(lambda y: squares(y))(x)))

    x, ts = np.array([0.1, 0.2, 0.3]), np.linspace(0, 1, 5)
    one_by_one = [ra.fn(slope)(t, x) for t in ts]
    many = ra.vmap(slope, in_axes=(0, None))
    np.testing.assert_allclose(many(ts, x), one_by_one, rtol=1e-13)
    assert np.ptp(one_by_one) > 1
    ra.check_grads(lambda ts, x: ra.sum(many(ts, x) * ts), (ts, x), order=2)


def test_vmap_of_vmap() -> None:
    def f(x: Any, y: Any) -> Any:
        return ra.where(x > y[0], x * y[1], ra.sin(y[1]))

    outer = ra.vmap(ra.vmap(f, (0, None)), (None, 0))
    x, y = draw.normal(size=5), draw.normal(size=(6, 2))
    agree(outer(x, y), [[ra.fn(f)(a, b) for a in x] for b in y])


def test_jvp_and_hessian() -> None:
    x, w = draw.normal(size=(5, 3)), draw.normal(size=4)
    dx, dw = draw.normal(size=(5, 3)), draw.normal(size=4)
    batched = ra.vmap(energy, (0, None))
    value, tangent = ra.jvp(batched, (x, w), (dx, dw))
    for i in range(5):
        one, slope = ra.jvp(energy, (x[i], w), (dx[i], dw))
        agree(value[i], one)
        agree(tangent[i], slope)

    def hessian(x: Any, w: Any) -> Any:
        rows = ra.vmap(lambda d: ra.jvp(ra.grad(energy), (x, w), (d, np.zeros(4)))[1])
        return rows(np.eye(3))

    g = ra.grad(energy)
    h = 1e-6
    found = hessian(x[0], w)
    for k in range(3):
        d = np.eye(3)[k] * h
        agree(found[k], (g(x[0] + d, w) - g(x[0] - d, w)) / (2 * h), 1e-6)


def test_text_and_pickles_keep_the_mark() -> None:
    batched = ra.vmap(energy, (0, None), threads=2)
    x, w = draw.normal(size=(4, 3)), draw.normal(size=4)
    found = batched(x, w)
    again = pickle.loads(pickle.dumps(batched))
    assert (again(x, w) == found).all()
    text = ra.vmap(energy, (0, None)).lower(x, w).ir
    assert "build lanes 4" in text
    assert "build lanes 4" in str(ra.parse(text))


def test_it_runs_in_lanes() -> None:
    """The mark is in the IR, survives differentiation, and vectors are in the code."""

    def whole(x: Any) -> Any:
        return ra.sum(ra.vmap(lambda a: ra.sin(a) * a)(x))

    x = np.ones(8)
    lowered = ra.grad(whole).lower(x)
    assert lowered.ir.count("build lanes 8") == 2
    assert "<4 x double>" in lowered.llvm
    assert "<8 x float>" in ra.vmap(lambda a: a * a).lower(np.ones(8, np.float32)).llvm


# ---------------------------------------------------------------------------------- generated


@given(programs(smooth=False), seeds)
@ORDINARY
def test_generated(program: tuple, seed: int) -> None:
    f = function(program)
    members = [arguments(seed + i) for i in range(5)]
    batch = [stacked([m[k] for m in members]) for k in range(3)]
    check(f, *batch, tolerance=1e-9)
    check(ra.value_and_grad(f, (0, 1)), *batch, tolerance=1e-9)


@given(programs(smooth=False), seeds)
@ORDINARY
def test_generated_gradient_of_batch(program: tuple, seed: int) -> None:
    """Half of the arguments are shared, so their gradients are summed over the lanes."""
    f = function(program)
    members = [arguments(seed + i) for i in range(6)]
    body, shared, k = (
        stacked([m[0] for m in members]),
        members[0][1],
        np.array([m[2] for m in members]),
    )

    def whole(body: Body, pair: tuple, k: Any) -> Any:
        return ra.sum(ra.vmap(f, (0, None, 0))(body, pair, k))

    gradient = ra.grad(whole, (0, 1))(body, shared, k)
    single = [ra.grad(f, (0, 1))(m[0], shared, m[2]) for m in members]
    for ours, theirs in zip(
        ra.flatten(gradient[0])[0], ra.flatten(stacked([s[0] for s in single]))[0], strict=True
    ):
        agree(ours, theirs)
    totals = ra.map_leaves(lambda *leaves: sum(leaves), *(s[1] for s in single))
    for ours, theirs in zip(ra.flatten(gradient[1])[0], ra.flatten(totals)[0], strict=True):
        agree(ours, theirs)
