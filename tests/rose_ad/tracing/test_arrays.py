"""Array functions against numpy: values, shapes, and derivatives against differences and forward mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

_random = np.random.default_rng(0)
A = _random.normal(size=(6, 5, 7))
B = _random.normal(size=(7, 3))
V = _random.normal(size=7)

# the same call on numpy and on rose_ad
BOTH: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "reshape": (lambda m, a: m.reshape(a, (10, -1)), (A,)),
    "ravel": (lambda m, a: m.ravel(a), (A,)),
    "moveaxis": (lambda m, a: m.moveaxis(a, 0, -1), (A,)),
    "permute all": (lambda m, a: m.permute_dims(a), (A,)),
    "permute": (lambda m, a: m.permute_dims(a, (2, 0, 1)), (A,)),
    "permute blocks": (lambda m, a: m.permute_dims(a, (1, 0, 2)), (A,)),
    "squeeze": (lambda m, a: m.squeeze(a), (A[:, :1],)),
    "expand": (lambda m, a: m.expand_dims(a, 1), (A,)),
    "broadcast": (lambda m, a: m.broadcast_to(a, (4, 7)), (V,)),
    "sum": (lambda m, a: m.sum(a), (A,)),
    "sum of rows": (lambda m, a: m.sum(a, axis=0), (A,)),
    "sum in the middle": (lambda m, a: m.sum(a, axis=1), (A,)),
    "sum of two axes": (lambda m, a: m.sum(a, axis=(0, 2), keepdims=True), (A,)),
    "sum of few": (lambda m, a: m.sum(a, axis=0), (A[:3],)),
    "mean": (lambda m, a: m.mean(a, axis=2), (A,)),
    "prod": (lambda m, a: m.prod(a, axis=1), (A,)),
    "max": (lambda m, a: m.max(a, axis=1), (A,)),
    "min": (lambda m, a: m.min(a), (A,)),
    "argmax": (lambda m, a: m.argmax(a, axis=1), (A,)),
    "argmin": (lambda m, a: m.argmin(a), (A,)),
    "any": (lambda m, a: m.any(a > 1.5, axis=0), (A,)),
    "all": (lambda m, a: m.all(a > -1.5, axis=(0, 1)), (A,)),
    "cumsum": (lambda m, a: m.cumsum(a, axis=1), (A,)),
    "cumprod": (lambda m, a: m.cumprod(a), (V,)),
    "sort": (lambda m, a: m.sort(a, axis=1), (A,)),
    "argsort": (lambda m, a: m.argsort(a), (V,)),
    "sort with nan": (lambda m, a: m.sort(a / (a != a[2])) * 0.0, (V,)),
    "concat": (lambda m, a, b: m.concatenate([a, b], axis=1), (A, A[:, :2] * 2)),
    "stack": (lambda m, a: m.stack([a, a * 2], axis=2), (A,)),
    "take": (lambda m, a: m.take(a, np.array([[0, 3], [1, 1]]), axis=1), (A,)),
    "flip": (lambda m, a: m.flip(a, axis=1), (A,)),
    "roll": (lambda m, a: m.roll(a, 2, axis=1) + m.roll(a, -1, axis=2), (A,)),
    "roll flat": (lambda m, a: m.roll(a, 3), (A,)),
    "pad": (lambda m, a: m.pad(a, ((1, 2), (0, 1), (2, 0))), (A,)),
    "pad vector": (lambda m, a: m.pad(a, 2), (V,)),
    "matmul": (lambda m, a, b: m.matmul(a, b), (A, B)),
    "matrix vector": (lambda m, a, b: m.matmul(a, b), (A, V)),
    "vector matrix": (lambda m, a, b: m.matmul(a, b), (V, B)),
    "outer": (lambda m, a, b: m.outer(a, b), (V, V[:4])),
    "einsum": (lambda m, a, b: m.einsum("ijk,kl->li", a, b), (A, B)),
    "einsum diagonal": (lambda m, a: m.einsum("iji->j", a), (A[:5, :, :5],)),
    "cross": (lambda m, a, b: m.cross(a, b), (V[:3], V[3:6])),
    "meshgrid": (lambda m, a, b: m.meshgrid(a, b)[0] * m.meshgrid(a, b)[1], (V, V[:5])),
    "linspace": (lambda m, a: m.linspace(a[0], a[1], 9), (V,)),
    "slices": (lambda m, a: a[::2, 1:4, -1], (A,)),
    "reversed": (lambda m, a: a[::-1], (V,)),
    "ufuncs": (lambda m, a: np.sin(a) + np.arange(7.0) * a, (A,)),
}


class Numpy:
    """numpy with the Array API's name that older versions lack."""

    permute_dims = staticmethod(np.transpose)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")
@pytest.mark.parametrize("name", BOTH)
def test_as_numpy(name: str) -> None:
    f, args = BOTH[name]
    wanted = np.asarray(f(Numpy(), *args))
    found = np.asarray(ra.fn(lambda *a: f(ra, *a))(*args))
    assert found.shape == wanted.shape and found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(f(ra, *args) if name not in UNNAMED else wanted, wanted)


UNNAMED = {"permute all", "permute", "permute blocks"} if not hasattr(np, "permute_dims") else set()


@pytest.mark.parametrize("name", [n for n, (f, a) in BOTH.items() if "nan" not in n])
def test_derivative(name: str) -> None:
    f, args = BOTH[name]
    shape, kind = np.shape(f(Numpy(), *args)), np.asarray(f(Numpy(), *args)).dtype.kind
    if kind != "f":
        assert name in {"argmax", "argmin", "argsort", "any", "all"}  # piecewise constant
        return
    weights = np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape)

    @ra.fn
    def weighted(*a: Any) -> Any:
        return ra.sum(f(ra, *a) * weights)

    direction, h = np.sin(1 + np.arange(args[0].size)).reshape(args[0].shape), 1e-6
    rest = args[1:]
    slope = float((ra.grad(weighted)(*args) * direction).sum())
    forward = ra.jvp(weighted, args, (direction, *(0 * a for a in rest)))[1]
    ahead, behind = (weighted(args[0] + s * h * direction, *rest) for s in (1, -1))
    assert slope == pytest.approx(forward, rel=1e-10, abs=1e-10)
    assert slope == pytest.approx((ahead - behind) / (2 * h), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda a: ra.reshape(a, (4, -1)), r"shape \(6, 5, 7\) cannot take shape"),
        (lambda a: ra.sum(a, axis=3), "axis 3 of an array of 3 axes"),
        (lambda a: ra.concatenate([a, a[:, :2]]), "do not fit together"),
        (lambda a: ra.matmul(a, a), "cannot be multiplied"),
        (lambda a: ra.einsum("ij->i", a), "'ij' for an array of 3 axes"),
        (lambda a: ra.squeeze(a, 1), "not of length 1"),
        (lambda a: ra.broadcast_to(a, (5, 7)), "does not broadcast"),
        (lambda a: ra.max(a[:0]), "max of no entries"),
    ],
)
def test_what_does_not_fit(f: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(ra.TypeMismatch, match=said) as caught:
        ra.fn(f)(A)
    assert "test_arrays.py:" in str(caught.value)
