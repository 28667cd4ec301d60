"""What is done to a program before it is lowered: it does the same, bit for bit, where it is to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.core import Function
from rose_ad.ir.interp import interpret
from rose_ad.ir.queries import callees, instructions
from rose_ad.ir.types import F64, Array
from rose_ad.ir.verify import verify
from rose_ad.rewrite.loops import arrange, fission, rank_updates
from rose_ad.rewrite.loops import column_blocks as columns
from rose_ad.rewrite.loops import row_blocks as rows
from rose_ad.rewrite.loops.arrange import arranged
from rose_ad.rewrite.strategy import seq
from tests.rose_ad import fuzz
from tests.support.random_programs import draw


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rearrange whatever can be."""
    monkeypatch.setattr(rank_updates, "CHUNK", 2)
    monkeypatch.setattr(rank_updates, "LEAST_BYTES", 1)
    monkeypatch.setattr(rank_updates, "LEAST_CHUNKS", 1)
    monkeypatch.setattr(fission, "LEAST_DEAR", 0)
    monkeypatch.setattr(rows, "ROWS", 2)
    monkeypatch.setattr(rows, "LEAST_COLUMNS", 1)
    monkeypatch.setattr(columns, "REGISTER_BYTES", 32)
    monkeypatch.setattr(columns, "LANE_BYTES", 16)
    monkeypatch.setattr(columns, "LEAST_ROWS", 1)


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often loops are joined, parted and cut into chunks and blocks from here on."""
    names = (
        "groups", "in_two", "in_chunks", "in_row_blocks", "in_row_products", "in_column_blocks"
    )  # fmt: skip
    found = dict.fromkeys(names, 0)
    for name in found:
        real = getattr(arrange, name)

        def by(x: Any, name: str = name, real: Callable[[Any], Any] = real) -> Any:
            out = real(x)
            found[name] += len(out) if isinstance(out, list) else out is not None
            return out

        monkeypatch.setattr(arrange, name, by)
    return found


@pytest.mark.usefixtures("eager")
def test_random_programs_keep_their_bits(counts: dict[str, int]) -> None:
    for seed in range(150):
        for case in fuzz.check(draw(seed), seed, machine=False).cases:
            if isinstance(case.expected, int):
                continue
            f = arranged(case.function)
            verify(f)
            with np.errstate(all="ignore"):
                found = interpret(f, list(case.args))
            assert all(map(fuzz.same_bits, found, case.expected)), seed
    assert counts["groups"] > 100
    assert counts["in_two"] > 50
    assert counts["in_row_blocks"] > 10
    assert counts["in_column_blocks"] > 2


@pytest.mark.usefixtures("eager")
def test_random_programs_are_compiled_so() -> None:
    failures: list[Any] = []
    fuzz.run_seeds(
        range(1000, 1040), fuzz.BATCH, 0.1, lambda what, x: what == "failed" and failures.append(x)
    )
    assert not failures


def weights(n: int, m: int, steps: int, reverse: bool = False) -> Any:
    """A loop that multiplies by a matrix at every step, and by another one of its own shape."""

    @ra.fn
    def f(w: Any, u: Any, x: Any) -> Any:
        def step(carry: Any, t: Any) -> Any:
            h = ra.tanh(w @ carry + 0.01 * t)
            return carry + 0.1 * ra.tanh(h @ u), None

        carry, _ = ra.scan(step, x, np.arange(steps, dtype=float), reverse=reverse)
        return ra.sum(carry * carry)

    return f


def gradient_of(f: Any, args: Any, wrt: tuple[int, ...]) -> tuple[Any, Function]:
    g = ra.grad(f, wrt)
    return g, g.lower(*args).program.function


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("steps", [32, 33, 39, 40, 100, 512])
def test_weights_of_a_loop(steps: int, reverse: bool, counts: dict[str, int]) -> None:
    rng = np.random.default_rng(3)
    n, m = 24, 32
    args = [rng.normal(size=(n, m)) / 6, rng.normal(size=(n, m)) / 6, rng.normal(size=m)]
    gradient, function = gradient_of(weights(n, m, steps, reverse), args, (0, 1))
    assert counts["in_chunks"] == 1
    expected = interpret(function, args)
    for ours, oracle in zip(gradient(*args), expected, strict=True):
        np.testing.assert_allclose(ours, oracle, atol=1e-10 * np.abs(oracle).max())
    plain = ra.scheduled(gradient, replace(ra.SCHEDULE, lowered=seq()))(*args)
    for ours, others in zip(gradient(*args), plain, strict=True):
        np.testing.assert_allclose(ours, others, atol=1e-11 * np.abs(others).max())


@pytest.mark.parametrize(("n", "m", "steps"), [(24, 32, 31), (4, 5, 100)])
def test_few_steps_and_small_matrices_stay(
    n: int, m: int, steps: int, counts: dict[str, int]
) -> None:
    args = [np.ones((n, m)), np.ones((n, m)), np.ones(m)]
    gradient_of(weights(n, m, steps), args, (0, 1))
    assert counts["in_chunks"] == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m"), [(8, 16), (12, 49), (32, 68), (64, 97), (9, 500), (3, 200)])
def test_products_with_a_matrix(n: int, m: int, dtype: Any, counts: dict[str, int]) -> None:
    rng = np.random.default_rng(9)
    w, x = rng.normal(size=(n, m)).astype(dtype), rng.normal(size=m).astype(dtype)
    f = ra.fn(lambda w, x: ra.sum(ra.tanh(w @ x) ** 2))
    value, slope = ra.value_and_grad(f, 1)(w, x)
    h = np.tanh(w.astype(float) @ x)
    error = m * np.finfo(dtype).eps
    np.testing.assert_allclose(value, np.sum(h * h), rtol=error)
    expected = w.T.astype(float) @ (2 * h * (1 - h * h))
    np.testing.assert_allclose(slope, expected, atol=error * np.abs(w).sum(axis=0).max())
    assert (counts["in_row_blocks"] > 0) == (n % 4 == 0)
    wide = m * np.dtype(dtype).itemsize > columns.REGISTER_BYTES
    assert (counts["in_column_blocks"] > 0) == (wide and n >= columns.LEAST_ROWS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(12, 12, 12), (4, 5, 8), (6, 7, 9), (5, 16, 11), (3, 6, 6), (8, 6, 20)]
)
def test_products_of_matrices(
    shape: tuple[int, int, int], dtype: Any, counts: dict[str, int]
) -> None:
    """The derivatives of a product are products with transposes, by one factor and by both."""
    n, m, k = shape
    rng = np.random.default_rng(12)
    a, b, w = rng.normal(size=(n, m)), rng.normal(size=(m, k)), rng.normal(size=(n, k))
    args = [x.astype(dtype) for x in (a, b, w)]
    f = ra.fn(lambda a, b, w: ra.sum((a @ b) * w))
    for wrt, expected in {(0,): [w @ b.T], (1,): [a.T @ w], (0, 1): [w @ b.T, a.T @ w]}.items():
        gradient, function = gradient_of(f, args, wrt)
        for ours, oracle in zip(gradient(*args), expected, strict=True):
            np.testing.assert_allclose(ours, oracle, atol=200 * np.finfo(dtype).eps)
        arranged_bits = interpret(arranged(function), args)
        for x, y in zip(arranged_bits, interpret(function, args), strict=True):
            np.testing.assert_array_equal(x, y)
    assert counts["in_row_products"] > 0 or min(shape) < 5


def test_what_is_the_same_in_all_steps_is_made_before_them() -> None:
    rng = np.random.default_rng(13)
    w, x = rng.normal(size=(7, 7)) / 3, rng.normal(size=7)

    def f(w: Any, x: Any, steps: int = 5) -> Any:
        return ra.sum(ra.scan(lambda c, _: (ra.tanh(w.T @ c) + c[0], None), x, length=steps)[0])

    function = ra.fn(f).lower(w, x).program.function
    (scan,) = [i for i in instructions(arranged(function).block) if i.op == "scan"]
    inside = [i for i in instructions(scan.blocks[0]) if i.op == "build" and i.outs]
    assert not any(o.type is Array(7, Array(7, F64)) for i in inside for o in i.outs)
    gradient, function = gradient_of(ra.fn(f), (w, x), (0, 1))
    for ours, oracle in zip(gradient(w, x), interpret(function, [w, x]), strict=True):
        np.testing.assert_allclose(ours, oracle, atol=1e-13)


def test_columns_that_are_not_read_are_left_out() -> None:
    rng = np.random.default_rng(10)
    w, x = rng.normal(size=(16, 40)), rng.normal(size=20)

    def f(w: Any, x: Any) -> Any:
        known = ra.concatenate([np.linspace(0, 1, 13), x, np.ones(7)])
        return ra.sum(ra.sin(w @ known))

    gradient, function = gradient_of(ra.fn(f), (w, x), (1,))
    known = np.concatenate([np.linspace(0, 1, 13), x, np.ones(7)])
    np.testing.assert_allclose(gradient(w, x)[0], (w.T @ np.cos(w @ known))[13:33], atol=1e-13)
    code = [i for f in callees(arranged(function)) for i in instructions(f.block)]
    widths = {i.attr for i in code if i.op == "build" and not i.outs and i.args == ()}
    assert 21 in widths  # columns 12 .. 32, from a multiple of four


def pull(x: Any, springs: Any) -> Any:
    force = ra.accum(x.shape)

    def each(s: Any) -> None:
        i, j = springs[s, 0], springs[s, 1]
        apart = x[i] - x[j]
        length = ra.sqrt(ra.dot(apart, apart) + 0.1)
        f = (1 - 0.3 / length) * apart
        force[i] += -f
        force[j] += f

    for s in ra.range(springs.shape[0]):
        each(s)
    return force.freeze()


def test_springs_are_computed_by_vectors(counts: dict[str, int]) -> None:
    rng = np.random.default_rng(4)
    springs = rng.integers(0, 12, (40, 2))
    x = rng.normal(size=(12, 2))
    f = ra.fn(lambda x, springs: ra.sum(pull(x, springs) ** 3))
    gradient, function = gradient_of(f, (x, springs), (0,))
    assert counts["in_two"] > 0
    np.testing.assert_allclose(gradient(x, springs)[0], interpret(function, [x, springs])[0])


def test_an_index_outside_is_still_found() -> None:
    springs = np.array([[0, 1], [1, 9]])
    with pytest.raises(IndexError):
        ra.fn(pull)(np.ones((3, 2)), springs)


def test_lanes_are_left_alone(counts: dict[str, int]) -> None:
    rng = np.random.default_rng(5)
    args = [rng.normal(size=(24, 32)) / 6, rng.normal(size=(24, 32)) / 6, rng.normal(size=(7, 32))]
    gradient = ra.grad(weights(24, 32, 40), 0)
    together = ra.vmap(gradient, (None, None, 0))(*args)
    assert counts["in_chunks"] == 0
    alone = [gradient(args[0], args[1], x) for x in args[2]]
    np.testing.assert_allclose(together, alone, rtol=1e-10, atol=1e-12)


def loops(f: Any, *args: Any) -> list[str]:
    """What each loop of a compiled function returns a row of, after arranging."""
    program = f.lower(*args).program.function
    code = instructions(arranged(program).block)
    return [", ".join(repr(o.type) for o in i.outs) for i in code if i.op == "build"]


def test_chains_of_arrays_are_one_loop() -> None:
    def g(x: Any, y: Any) -> Any:
        twice = 2.0 * x
        return twice + y, ra.sin(twice) * y

    f = ra.fn(g)
    x = np.linspace(0, 1, 7)
    assert loops(f, x, x) == ["[7]F64, [7]F64"]
    np.testing.assert_allclose(f(x, x + 1), (2 * x + x + 1, np.sin(2 * x) * (x + 1)))


def test_what_is_read_elsewhere_is_kept() -> None:
    def g(x: Any) -> Any:
        y = 2.0 * x
        return ra.sin(y), y[3], ra.flip(y)

    x = np.linspace(0, 1, 7)
    for ours, other in zip(ra.fn(g)(x), (np.sin(2 * x), 2 * x[3], 2 * x[::-1]), strict=True):
        np.testing.assert_allclose(ours, other)


def test_rows_read_at_another_index_are_made_first() -> None:
    f = ra.fn(lambda x: 2.0 * x + ra.roll(2.0 * x, 1))
    x = np.linspace(0, 1, 7)
    assert len(loops(f, x)) > 1
    np.testing.assert_allclose(f(x), 2 * x + np.roll(2 * x, 1))


def test_a_sum_between_two_loops_parts_them() -> None:
    def centred(x: Any) -> Any:
        y = 2.0 * x
        return ra.exp(y - ra.sum(y))

    x = np.linspace(0, 1, 7)
    np.testing.assert_allclose(ra.fn(centred)(x), np.exp(2 * x - np.sum(2 * x)))
