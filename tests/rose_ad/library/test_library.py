"""Functions of the library with numpy's names: values, derivatives, single precision, batches, and what is
refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.tables import (
    Row,
    batches_are_loops,
    close,
    derivatives_are_right,
    single_precision_stays,
    value_is_right,
)

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=9)
S = np.sort(X)
M = DRAW.normal(size=(4, 5))
T = DRAW.normal(size=(3, 4, 5))
PLACES = np.array([0.0, 0.3, 1.0, 3.0])
trapezoid: Any = getattr(np, "trapezoid", None) or np.trapz


def per_mode(mode: Any) -> dict[str, Row]:
    def convolve(a: Any, b: Any) -> Any:
        return ra.convolve(a, b, mode)

    def correlate(a: Any, b: Any) -> Any:
        return ra.correlate(a, b, mode)

    plain = (lambda a, b: np.convolve(a, b, mode)), (lambda a, b: np.correlate(a, b, mode))
    return {
        f"convolve {mode}": (convolve, plain[0], (X, M[0])),
        f"convolve {mode} even": (convolve, plain[0], (M[0][:4], X)),
        f"correlate {mode}": (correlate, plain[1], (X, M[0])),
        f"correlate {mode} even": (correlate, plain[1], (M[0][:4], X)),
    }


ROWS: dict[str, Row] = {
    "interp": (ra.interp, np.interp, (np.array([-5.0, 0.1, 0.2, 9.0]), S, X)),
    "interp beyond": (lambda x, f: ra.interp(x, S, f, 7.0, 8.0),
                      lambda x, f: np.interp(x, S, f, 7.0, 8.0), (np.array([-5.0, 0.1, 9.0]), X)),
    "gradient": (ra.gradient, np.gradient, (X,)),
    "gradient of two axes": (ra.gradient, np.gradient, (M,)),
    "gradient over places": (lambda f, x: ra.gradient(f, x, axis=0),
                             lambda f, x: np.gradient(f, x, axis=0), (M, PLACES)),
    "gradient over a distance": (lambda f: ra.gradient(f, 0.5, axis=-1),
                                 lambda f: np.gradient(f, 0.5, axis=-1), (M,)),
    "trapezoid": (lambda y: ra.trapezoid(y, dx=0.5), lambda y: trapezoid(y, dx=0.5), (M,)),
    "trapezoid over places": (lambda y, x: ra.trapezoid(y, x, axis=0),
                              lambda y, x: trapezoid(y, x, axis=0), (M, PLACES)),
    "polyval": (ra.polyval, np.polyval, (X, M)),
    "median": (ra.median, np.median, (M,)),
    "median of columns": (lambda x: ra.median(x, axis=0, keepdims=True),
                          lambda x: np.median(x, axis=0, keepdims=True), (M,)),
    "quantile": (lambda x: ra.quantile(x, np.array([0.0, 0.1, 1.0]), axis=1),
                 lambda x: np.quantile(x, np.array([0.0, 0.1, 1.0]), axis=1), (M,)),
    "percentile": (lambda x: ra.percentile(x, 30.0), lambda x: np.percentile(x, 30.0), (M,)),
    "bincount": (lambda w: ra.bincount(np.array([0, 1, 1, 7, 3]), w, length=5),
                 lambda w: np.bincount([0, 1, 1, 7, 3], w)[:5], (M[0],)),
    "histogram": (lambda w: ra.histogram(S, 4, weights=w), lambda w: np.histogram(S, 4, weights=w), (X,)),
    "histogram density": (lambda w: ra.histogram(S, PLACES - 1.0, weights=w, density=True)[0],
                          lambda w: np.histogram(S, PLACES - 1.0, weights=w, density=True)[0], (X**2,)),
    "cummax": (lambda x: ra.cummax(x, axis=1), lambda x: np.maximum.accumulate(x, axis=1), (M,)),
    "cummin": (ra.cummin, np.minimum.accumulate, (M,)),
    "kron": (ra.kron, np.kron, (M, M[:2, :3])),
    "kron of a vector": (ra.kron, np.kron, (M[0], M[:2, :3])),
    "tensordot": (ra.tensordot, np.tensordot, (T, M)),
    "tensordot of named axes": (lambda a, b: ra.tensordot(a, b, axes=((1,), (0,))),
                                lambda a, b: np.tensordot(a, b, ((1,), (0,))), (T, M)),
    "vecdot": (lambda a, b: ra.vecdot(a, b, axis=0), lambda a, b: (a * b).sum(0), (M, M + 1)),
    "broadcast_arrays": (ra.broadcast_arrays, lambda *a: list(np.broadcast_arrays(*a)), (M, M[0])),
    "take_along_axis": (lambda x: ra.take_along_axis(x, np.array([[0, -1, 2, 3, 1]]), axis=0),
                        lambda x: np.take_along_axis(x, np.array([[0, -1, 2, 3, 1]]), 0), (M,)),
    "cumulative_sum": (lambda x: ra.cumulative_sum(x, axis=1, include_initial=True),
                       lambda x: np.pad(x.cumsum(1), ((0, 0), (1, 0))), (M,)),
    "cumulative_prod": (lambda x: ra.cumulative_prod(x, include_initial=True),
                        lambda x: np.append(1.0, x.cumprod()), (X,)),
    "copysign": (lambda x: ra.copysign(x, -1.0), lambda x: np.copysign(x, -1.0), (M,)),
    "nan_to_num": (ra.nan_to_num, np.nan_to_num, (M,)),
    **per_mode("full"), **per_mode("same"), **per_mode("valid"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_values(name: str) -> None:
    value_is_right(ROWS[name], 1e-12)


@pytest.mark.parametrize("name", ROWS)
def test_derivatives(name: str) -> None:
    derivatives_are_right(ROWS[name], 1e-6)


OF_WIDE_PLACES = {"interp beyond", "histogram", "histogram density"}  # which make the results wide


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in ROWS if n not in OF_WIDE_PLACES])
def test_single_precision(name: str) -> None:
    single_precision_stays(ROWS[name], 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_batches(name: str) -> None:
    if "histogram" not in name and "interp" not in name and "places" not in name:
        batches_are_loops(ROWS[name], 1e-11)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("n", range(1, 10))
def test_searchsorted(n: int, side: Any) -> None:
    a = np.sort(DRAW.integers(0, 5, n)).astype(float)
    if n > 4:
        a[-1] = np.nan
    v = np.array([-1.0, 0.0, 1.0, 2.5, 4.0, 9.0, np.nan, np.inf])
    found = ra.fn(lambda a, v: ra.searchsorted(a, v, side=side))(a, v)
    np.testing.assert_array_equal(found, np.searchsorted(a, v, side))
    order = np.arange(n)[::-1]
    found = ra.fn(lambda a, v, o: ra.searchsorted(a, v, side=side, sorter=o))(a[::-1], v, order)
    np.testing.assert_array_equal(found, np.searchsorted(a, v, side))


def test_counts() -> None:
    x = np.array([[1, 0, 4], [3, 2, 0]])
    f = ra.fn(lambda x: (ra.count_nonzero(x, axis=0), ra.isin(x, np.array([1, 2])),
                         ra.bincount(ra.ravel(x), length=4)))  # fmt: skip
    counts, among, bins = f(x)
    np.testing.assert_array_equal(counts, np.count_nonzero(x, axis=0))
    np.testing.assert_array_equal(among, np.isin(x, [1, 2]))
    np.testing.assert_array_equal(bins, [2, 1, 1, 1])
    counts, _ = ra.fn(lambda x: ra.histogram(x, 3, range=(0.0, 3.0)))(np.append(X, [3.0, np.nan]))
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, np.histogram(np.append(X, 3.0), 3, range=(0.0, 3.0))[0])
    assert np.isnan(ra.fn(ra.median)(np.array([1.0, np.nan, 2.0])))


def test_all_and_any_of_numbers_and_rolls_along_several_axes() -> None:
    x = np.array([[1, 0, 4], [3, 2, 5]])
    for f in (lambda x: ra.all(x, axis=1), lambda x: ra.any(x * 0.0), lambda x: ra.roll(x, (1, 2), (0, 1)),
              lambda x: ra.roll(x, 1, (0, 1)), lambda x: ra.diff(x, n=2, append=x), lambda x: ra.clip(x, max=2),
              lambda x: ra.asarray(x, dtype=np.float32),
              lambda x: ra.cumulative_sum(x, axis=0, dtype=np.float64),
              lambda x: ra.prod(x, dtype=np.float64), lambda x: ra.full_like(x, 2, dtype=bool),
              lambda x: x[0, 0][()] + x[0, 0][None][0]):  # fmt: skip
        found, expected = ra.fn(f)(x), f(x)
        np.testing.assert_array_equal(found, expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 13])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan(n: int, reverse: bool) -> None:
    """Of affine maps, whose composition does not commute."""
    a, b = DRAW.normal(size=(2, n, 2))

    def compose(f: Any, g: Any) -> Any:
        return f[0] * g[0], f[1] * g[0] + g[1]

    scan = ra.fn(lambda a, b: ra.associative_scan(compose, (a, b), reverse=reverse))
    rows = [(a[k], b[k]) for k in range(n)]
    expected = [rows[-1] if reverse else rows[0]]
    for row in rows[-2::-1] if reverse else rows[1:]:
        expected.append(compose(row, expected[-1]) if reverse else compose(expected[-1], row))
    expected = expected[::-1] if reverse else expected
    for found, k in zip(scan(a, b), (0, 1), strict=True):
        close(found, np.stack([e[k] for e in expected]), 1e-13)


def test_structures() -> None:
    x = {"a": M, "b": (X, 2.0)}
    flat, back = ra.ravel_tree(x)
    assert flat.shape == (30,)
    close(back(flat), x, 0.0)

    @ra.fn
    def doubled(x: Any) -> Any:
        flat, back = ra.ravel_tree(x)
        return back(2.0 * flat)

    close(doubled(x), ra.tree_map(lambda v: 2.0 * v, x), 0.0)


NUMPYS: dict[str, Any] = {
    "interp": lambda x: np.interp(x, S, X),
    "gradient": lambda x: np.gradient(x, 0.5),
    "median": lambda x: np.median(x),
    "percentile": lambda x: np.percentile(x, 20.0),
    "quantile": lambda x: np.quantile(x, 0.2, axis=0),
    "histogram": lambda x: np.histogram(x, 5)[0],
    "searchsorted": lambda x: np.searchsorted(x, X),
    "convolve": lambda x: np.convolve(x, X[:3]),
    "correlate": lambda x: np.correlate(x, X[:3], "same"),
    "kron": lambda x: np.kron(x, x),
    "tensordot": lambda x: np.tensordot(x, x, 1),
    "take_along_axis": lambda x: np.take_along_axis(x, np.array([2, 1]), 0),
    "count_nonzero": lambda x: np.count_nonzero(x),
    "polyval": lambda x: np.polyval(x, 0.5),
    "nan_to_num": lambda x: np.nan_to_num(x),
    "i0": lambda x: np.i0(x),
    "copysign": lambda x: np.copysign(x, -1.0),
    "signbit": lambda x: np.signbit(x),
    "bitwise_xor": lambda x: np.bitwise_xor(x > 0, x < 1),
}


@pytest.mark.parametrize("name", NUMPYS)
def test_functions_of_numpy_take_traced_values(name: str) -> None:
    f = NUMPYS[name]
    close(ra.fn(f)(S), f(S), 1e-12)


@pytest.mark.parametrize(
    "f,words",
    [
        (lambda x: ra.bincount(ra.to_int(x)), "length="),
        (lambda x: ra.searchsorted(x, x, side="up"), "left or right"),
        (lambda x: ra.convolve(x, x, "half"), "full, same or valid"),
        (lambda x: ra.gradient(x[:1]), "2 samples or more"),
        (lambda x: ra.interp(x, x, x[:2]), "interp between points"),
        (lambda x: ra.tensordot(x, x[:2], axes=1), "tensordot of shapes"),
        (lambda x: ra.take_along_axis(x, np.zeros((1, 1), int)), "places of shape"),
        (lambda x: ra.cumulative_sum(ra.outer(x, x)), "axis="),
        (lambda x: ra.logical_and(x, x), "a logical function takes Bools"),
        (lambda x: x << 1, "<< and >> move the bits of Ints"),
        (lambda x: x & x, "put comparisons in parentheses"),
        (lambda x: ra.nextafter(ra.astype(x, np.float32), 1.0), "no nextafter of Real32"),
        (lambda x: ra.quantile(x[:0], 0.5), "no entries"),
    ],
)  # fmt: skip
def test_what_is_refused(f: Any, words: str) -> None:
    with pytest.raises(ra.TypeMismatch) as error:
        ra.fn(f)(X)
    assert words in str(error.value)


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sine'"):
        ra.sine  # noqa: B018
    assert all(hasattr(ra, name) for name in ra.__all__)
