"""What is written as with NumPy means what it means there, or is refused."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

R = np.random.default_rng(0)
A, B, C = R.normal(size=(2, 3)), R.normal(size=(3, 3)), R.normal(size=(4, 2, 3))

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name)
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow")
}
SAME: dict[str, tuple[Callable[..., Any], Callable[..., Any], Any]] = {
    **{
        f"{name}, of an array of numpy's of shape {shape} and a traced one": (
            lambda x, f=f, shape=shape: f(np.full(shape, 1.7), abs(x)),
            lambda x, f=f, shape=shape: f(np.full(shape, 1.7), abs(x)),
            A,
        )
        for name, f in OPERATORS.items()
        for shape in ((), (3,), (2, 3))
    },
    "outer of matrices": (lambda x: ra.outer(x, x), lambda x: np.outer(x, x), A),
    "outer with a number": (lambda x: ra.outer(x, 2.0), lambda x: np.outer(x, 2.0), A[0]),
    "trace of 3 axes": (ra.trace, np.trace, C),
    "trace, wide": (ra.trace, np.trace, A),
    "diagonal of 3 axes": (ra.diagonal, np.diagonal, C),
    "diagonal of 4 axes": (ra.diagonal, np.diagonal, R.normal(size=(3, 2, 2, 5))),
    "pad by one number": (lambda x: ra.pad(x, (1,)), lambda x: np.pad(x, (1,)), A),
    "pad by a pair": (lambda x: ra.pad(x, (1, 2)), lambda x: np.pad(x, (1, 2)), A),
    "pad by one pair": (lambda x: ra.pad(x, ((1, 2),)), lambda x: np.pad(x, ((1, 2),)), A),
    "pad by pairs": (
        lambda x: ra.pad(x, ((1, 2), (0, 3))),
        lambda x: np.pad(x, ((1, 2), (0, 3))),
        A,
    ),
    "pad by a column": (lambda x: ra.pad(x, [[1], [2]]), lambda x: np.pad(x, [[1], [2]]), A),
    "pad an array of widths": (
        lambda x: ra.pad(x, np.array([[1, 0], [0, 1]])),
        lambda x: np.pad(x, np.array([[1, 0], [0, 1]])),
        A,
    ),
    **{
        f"norm {options}": (
            lambda x, options=options: np.linalg.norm(x, **options),
            lambda x, options=options: np.linalg.norm(x, **options),
            C if options.get("axis") == (1, 2) else A,
        )
        for options in (
            {},
            {"axis": 0},
            {"axis": 1, "keepdims": True},
            {"axis": (0, 1)},
            {"axis": (1, 2)},
            {"ord": "fro"},
            {"axis": -1, "ord": 1},
            {"axis": 0, "ord": np.inf},
            {"axis": 1, "ord": -np.inf},
            {"axis": 1, "ord": 2},
            {"keepdims": True},
        )
    },
    **{
        name: (f, f, x)
        for name, f, x in (
            ("astype", lambda x: np.astype(x > 0.5, np.float64) + x, A),
            ("matrix_transpose", lambda x: np.matrix_transpose(x), C),
            ("meshgrid", lambda x: np.stack(np.meshgrid(x, x[1:])), A[0]),
            ("meshgrid, ij", lambda x: np.stack(np.meshgrid(x, x[1:], indexing="ij")), A[0]),
            ("empty_like", lambda x: np.empty_like(x) * 0.0, A),
            ("atleast_1d", lambda x: np.atleast_1d(np.sum(x)) + np.atleast_1d(x), A[0]),
            ("column_stack", lambda x: np.column_stack([x[0], x[1], x.T]), A),
            ("diag of a matrix", lambda x: np.diag(x), A),
            ("diag of a vector", lambda x: np.diag(x), A[0]),
            ("diag below", lambda x: np.diag(x, -2), A[0]),
            ("diag above", lambda x: np.diag(x, 1), A[0]),
            ("diag of a matrix, above", lambda x: np.diag(x, 1), A),
            ("diagonal below", lambda x: np.diagonal(x, -1), A),
            ("diagonal beyond", lambda x: np.diagonal(x, 7), A),
            ("diagonal above, of more axes", lambda x: x.diagonal(1), C),
            ("fliplr", lambda x: np.fliplr(x) - np.flipud(x), A),
            ("ptp", lambda x: np.ptp(x) + np.ptp(x, axis=0), A),
            ("vdot", lambda x: np.vdot(x, x), A),
            ("divmod", lambda x: np.stack(np.divmod(x, 0.3)), A),
            ("fabs", lambda x: np.fabs(x) + np.fabs(np.argsort(x)), A),
            ("degrees", lambda x: np.degrees(x) + np.rad2deg(x), A),
            ("radians", lambda x: np.radians(x) + np.deg2rad(x), A),
            ("linalg.trace", lambda x: np.linalg.trace(x), C),
            ("linalg.diagonal", lambda x: np.linalg.diagonal(x), C),
            ("linalg.vecdot", lambda x: np.linalg.vecdot(x, x), C),
            ("linalg.tensordot", lambda x: np.linalg.tensordot(x, x, axes=3), C),
            ("linalg.cross", lambda x: np.linalg.cross(x[0], x[1]), A),
        )
    },
    "einsum with a repeated name": (
        lambda x: ra.einsum("ii->i", x),
        lambda x: np.einsum("ii->i", x),
        B,
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_same_as_numpy(name: str) -> None:
    ours, numpys, x = SAME[name]
    wanted = numpys(x)
    np.testing.assert_allclose(ra.fn(ours)(x), wanted, rtol=1e-14)
    np.testing.assert_allclose(ours(x), wanted, rtol=1e-14)
    weights = R.normal(size=np.shape(wanted))
    gradient = ra.grad(lambda x: ra.sum(ours(x) * weights))(x)
    along, h = R.normal(size=x.shape), 1e-6
    slope = np.sum((numpys(x + h * along) - numpys(x - h * along)) * weights) / (2 * h)
    np.testing.assert_allclose(np.sum(gradient * along), slope, rtol=1e-6)


def test_cross_products_of_vectors() -> None:
    x, y = B[0], B[1]
    np.testing.assert_allclose(ra.fn(ra.cross)(x, y), np.cross(x, y))
    np.testing.assert_allclose(ra.cross(x, y), np.cross(x, y))
    assert ra.fn(ra.cross)(x[:2], y[:2]) == pytest.approx(x[0] * y[1] - x[1] * y[0])
    made = ra.fn(lambda a, b: ra.cross([a, b], (b, a)))
    assert made(2.0, 3.0) == -5.0


def test_the_greatest_of_numbers() -> None:
    assert ra.fn(lambda x, y: (ra.max(x, y, 2.0), ra.min(x, y, 2.0)))(1.0, 3.0) == (3.0, 1.0)


REFUSED: dict[str, tuple[Callable[..., Any], Any]] = {
    "cross of (2, 3)": (lambda x: ra.cross(x, x), A),
    "cross of (3, 3)": (lambda x: ra.cross(x, x), B),
    "cross of 2 and 3": (lambda x: ra.cross(x[0], x[0, :2]), A),
    "cross of 4": (lambda x: ra.cross(ra.tile(x, 2), ra.tile(x, 2)), A[0, :2]),
    "cross of numbers": (lambda x: ra.cross(x[0, 0], x[0, 1]), A),
    "max along an axis by position": (lambda x: ra.max(x, 0), A),
    "min of an array and a number": (lambda x: ra.min(x, 1.0), A),
    "max of a number and an array": (lambda x: ra.max(0.0, x), A),
    "einsum with a repeated result": (lambda x: ra.einsum("i->ii", x), A[0]),
    "einsum with a repeated result of two": (lambda x: ra.einsum("i,j->iji", x, x), A[0]),
    "pad by three numbers": (lambda x: ra.pad(x, (1, 2, 3)), A),
    "pad by three numbers a vector": (lambda x: ra.pad(x, (1, 2, 3)), A[0]),
    "pad by too many pairs": (lambda x: ra.pad(x, ((1, 1), (1, 1), (1, 1))), A),
    "pad by less than nothing": (lambda x: ra.pad(x, -1), A),
    "pad by halves": (lambda x: ra.pad(x, 0.5), A),
    "diagonal of a vector": (ra.diagonal, A[0]),
    "trace of a vector": (ra.trace, A[0]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    f, x = REFUSED[name]
    with pytest.raises(ra.TypeMismatch):
        ra.fn(f)(x)


def _assigned(x: Any) -> Any:
    v = np.zeros(2)
    v[0] = x[0]
    return v


def _added(x: Any) -> Any:
    v = np.zeros(x.shape)
    v += x
    return v


@pytest.mark.parametrize(
    ("f", "instead"),
    [
        (_assigned, "ra.zeros(n).at[i].set(x)"),
        (_added, "v = v + x"),
        (lambda x: np.maximum.accumulate(x), "ra.cummax"),
        (lambda x: np.add.reduce(x), "ra.sum"),
        (lambda x: np.fft.fft2(x), "none of that name"),
        (lambda x: np.fft.hfft(x), "none of that name"),
        (lambda x: np.select([x > 0], [x]), "none of that name"),
        (lambda x: np.lib.stride_tricks.sliding_window_view(x, 2), "none of that name"),
    ],
)
def test_what_numpy_cannot_do_says_what_to_write(f: Callable[..., Any], instead: str) -> None:
    with pytest.raises(ra.RoseError) as error:
        ra.fn(f)(A)
    assert instead in str(error.value)
    assert "array element with a sequence" not in str(error.value)
