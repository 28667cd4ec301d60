"""Random numbers: known answers, the same compiled, interpreted, in lanes and in JAX; their distribution;
gradients."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.library.random import threefry
from tests.support.tables import close, jax_in_double

random = ra.random


@pytest.mark.parametrize(
    "key,counter,expected",
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_known_answers(key: Any, counter: Any, expected: Any) -> None:
    """The published test vectors of Threefry-2x32 with 20 rounds."""
    assert threefry(key, counter) == expected
    assert ra.fn(threefry)(key, counter) == expected


DRAWS: dict[str, Any] = {
    "split": lambda k: random.split(k, 3),
    "fold_in": lambda k: random.fold_in(k, 7),
    "bits": lambda k: random.bits(k, (2, 3)),
    "uniform": lambda k: random.uniform(k, (5, 3)),
    "uniform of a range": lambda k: random.uniform(k, 4, -1.0, 3.0),
    "uniform in single precision": lambda k: random.uniform(k, 6, dtype=ra.Real32),
    "integers": lambda k: random.integers(k, (4,), -3, 9),
    "permutation": lambda k: random.permutation(k, 9),
    "permutation of rows": lambda k: random.permutation(k, np.arange(12.0).reshape(6, 2)),
    "number": lambda k: random.uniform(k),
}
SEEDS = [0, 42, -5, 2**40 + 7]


@pytest.mark.parametrize("name", DRAWS)
def test_the_same_to_the_bit_traced_and_not_and_in_lanes(name: str) -> None:
    draw = DRAWS[name]
    keys = np.stack([random.key(s) for s in SEEDS])
    plain = [draw(k) for k in keys]
    f = ra.fn(draw)
    for k, expected in zip(keys, plain, strict=True):
        found = f(k)
        np.testing.assert_array_equal(found, expected)
        assert np.asarray(found).dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(ra.vmap(draw)(keys), np.stack(plain))


def test_normal_numbers_are_the_same_but_for_rounding() -> None:
    keys = np.stack([random.key(s) for s in SEEDS])
    plain = np.stack([random.normal(k, (50,)) for k in keys])
    close(ra.vmap(lambda k: random.normal(k, (50,)))(keys), plain, 1e-15)
    assert random.normal(keys[0], 3, dtype=ra.Real32).dtype == np.float32


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs jax")
@pytest.mark.parametrize("seed", SEEDS)
def test_keys_and_uniform_numbers_are_those_of_jax(seed: int) -> None:
    with jax_in_double() as jax:
        theirs, ours, same = jax.random.key(seed), random.key(seed), np.testing.assert_array_equal
        data = jax.random.key_data
        same(ours, data(theirs))
        same(random.split(ours, 3), data(jax.random.split(theirs, 3)))
        same(random.fold_in(ours, 7), data(jax.random.fold_in(theirs, 7)))
        same(random.uniform(ours, (5, 3)), jax.random.uniform(theirs, (5, 3)))
        same(random.uniform(ours, 4, dtype=ra.Real32), jax.random.uniform(theirs, 4, np.float32))


def test_distributions() -> None:
    """Means and moments within five standard errors, and a chi-squared test of Ints."""
    n, (a, b, c) = 200_000, random.split(random.key(3), 3)
    u, z = random.uniform(a, n), random.normal(b, n)
    for found, mean, spread in (
        (u, 1 / 2, 12**-0.5), (u**2, 1 / 3, (4 / 45) ** 0.5), (z, 0.0, 1.0), (z**2, 1.0, 2**0.5),
        (z**3, 0.0, 15**0.5), (z**4, 3.0, 96**0.5), (z[1:] * z[:-1], 0.0, 1.0),
    ):  # fmt: skip
        assert abs(found.mean() - mean) < 5 * spread / n**0.5
    counts = np.bincount(random.integers(c, (n,), 0, 10), minlength=10)
    assert ((counts - n / 10) ** 2 / (n / 10)).sum() < 40
    assert u.min() >= 0 and u.max() < 1 and np.isfinite(z).all()


def test_every_order_comes_up() -> None:
    keys = random.split(random.key(0), 600)
    orders = ra.vmap(lambda k: random.permutation(k, 3))(keys)
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6 and counts.min() > 60


def test_keys_that_are_split_differ() -> None:
    keys = random.split(random.key(0), 1000)
    again = np.concatenate([random.split(k, 3) for k in keys[:100]])
    both = np.concatenate([keys, again])
    assert len(np.unique(both, axis=0)) == len(both)


def test_gradients_are_those_of_what_is_made_of_the_numbers() -> None:
    key = random.key(5)

    def loss(mean: Any, scale: Any) -> Any:
        return ra.mean((mean + scale * random.normal(key, 100)) ** 2)

    z = random.normal(key, 100)
    expected = (2 * (1.0 + 0.5 * z).mean(), (2 * (1.0 + 0.5 * z) * z).mean())
    close(ra.grad(loss, (0, 1))(1.0, 0.5), expected, 1e-13)
    u = random.uniform(key, 100)
    slopes = ra.grad(lambda low, high: ra.sum(random.uniform(key, 100, low, high)), (0, 1))(
        1.0, 2.0
    )
    close(slopes, ((1 - u).sum(), u.sum()), 1e-12)


def test_what_is_no_key_is_named() -> None:
    for f in (lambda k: random.split(k), ra.fn(lambda k: random.uniform(k, 3))):
        with pytest.raises(ra.TypeMismatch, match=r"a key has the shape \(2,\)"):
            f(np.arange(3))
    with pytest.raises(ra.TypeMismatch, match=r"ra.Real or ra.Real32"):
        random.uniform(random.key(0), 3, dtype=ra.Int)
