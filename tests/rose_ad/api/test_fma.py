"""Without `fma` a product and a sum round each for itself, as in NumPy; so do derivatives and batches."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

R = np.random.default_rng(0)


def discriminant(a: Any, b: Any, c: Any) -> Any:
    return b * b - 4 * a * c


def area(p: Any, q: Any) -> Any:
    return p[0] * q[1] - p[1] * q[0]


exact = ra.fn(discriminant, fma=False)


@ra.fn(fma=False)
def exact_area(p: Any, q: Any) -> Any:
    return area(p, q)


def double_roots(n: int) -> Any:
    """Coefficients of a(x - r)² as they are rounded, whose discriminant rounds to 0 in most."""
    r = R.normal(size=n)
    return np.ones(n), -2 * r, r * r


def test_a_discriminant_is_numpys_to_the_bit() -> None:
    a, b, c = double_roots(300)
    wanted = discriminant(a, b, c)
    assert np.array_equal([exact(*x) for x in zip(a, b, c, strict=True)], wanted)
    assert np.array_equal(exact(a, b, c), wanted)
    assert np.array_equal(ra.vmap(exact)(a, b, c), wanted)
    contracted = ra.fn(discriminant)(a, b, c)
    assert not np.array_equal(contracted, wanted)  # else there is nothing to switch off
    np.testing.assert_allclose(contracted, wanted, atol=1e-14)


def test_a_vector_has_no_area_with_itself() -> None:
    for p in R.normal(size=(50, 2)):
        assert exact_area(p, p) == 0.0
        assert ra.grad(lambda p: exact_area(p, p))(p).tolist() == [0.0, 0.0]
    points = R.normal(size=(51, 2))
    assert not ra.vmap(exact_area)(points, points).any()
    turned = ra.vmap(ra.grad(lambda p, q: area(p, q) * area(q, p)))
    assert turned(points, points).shape == points.shape


def energy(x: Any) -> Any:
    acc = ra.accum()
    for i in ra.range(len(x)):
        acc += (x[i] * 0.1 - 0.1 * x[i]) * 1e20
    return acc


def calls(f: Any, x: Any) -> Any:
    return f(x) + 1.0


INSIDE: dict[str, Any] = {
    "called": lambda f: ra.fn(lambda x: calls(f, x) - 1.0),
    "called twice": lambda f: ra.fn(lambda x: f(x) + f(2 * x)),
    "in a batch": lambda f: lambda x: ra.vmap(f)(np.stack([x] * 5))[2],
    "calling": lambda f: ra.fn(lambda x: ra.fn(energy)(x), fma=False),
    "a batch inside": lambda f: ra.fn(
        lambda x: ra.vmap(lambda y: y * 0.1 - 0.1 * y)(x)[0], fma=False
    ),
    "its derivative": lambda f: lambda x: ra.jvp(f, (x,), (x,))[1],
    "its gradient": lambda f: lambda x: ra.sum(ra.grad(f)(x)),
    "pickled": lambda f: pickle.loads(pickle.dumps(f)),
}


@pytest.mark.parametrize("way", INSIDE.values(), ids=INSIDE.keys())
def test_it_stays_with_the_function(way: Any) -> None:
    f = ra.fn(energy, fma=False)
    f(R.normal(size=7))
    for x in R.normal(size=(20, 7)):
        assert way(f)(x) == 0.0


def test_the_text_has_no_contraction() -> None:
    ours = [f.lower(1.0, 2.0, 3.0).llvm.count("contract") for f in (ra.fn(discriminant), exact)]
    assert ours[0] > 0 and ours[1] == 0
    both = ra.fn(lambda a, b, c: exact(a, b, c) + discriminant(a, b, c)).lower(1.0, 2.0, 3.0).llvm
    assert both.count("contract") == ours[0] + 1  # that of the sum


def test_a_function_that_is_one_already() -> None:
    with pytest.raises(ra.TypeMismatch, match="already"):
        ra.fn(ra.fn(discriminant), fma=False)
