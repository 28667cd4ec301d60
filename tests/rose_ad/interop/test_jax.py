"""JAX calls what was compiled here, and gets its derivatives."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.functions import Spring, V, potential, stretch


@pytest.fixture
def jax() -> Any:
    found = pytest.importorskip("jax")
    found.config.update("jax_platforms", "cpu")
    found.config.update("jax_enable_x64", True)
    yield found
    found.config.update("jax_enable_x64", False)


def test_jax_gives_the_same(jax: Any) -> None:
    f = ra.interop.jax.function(potential)
    expected = potential(0.7, V)
    for g in (f, jax.jit(f)):
        value, array = g(0.7, V)
        assert value == expected[0] and np.array_equal(array, expected[1])
        assert value.dtype == array.dtype == np.float64


def test_a_function_of_jax_arrays_is_pickled(jax: Any) -> None:
    f = ra.interop.jax.function(potential)
    value, _ = f(0.7, V)
    again = pickle.loads(pickle.dumps(f))
    assert again(0.7, V)[0] == value and again.__name__ == potential.__name__
    assert jax.grad(lambda x: again(x, V)[0])(0.7) == jax.grad(lambda x: f(x, V)[0])(0.7)


def test_jax_gradients(jax: Any) -> None:
    f = ra.interop.jax.function(potential)

    def loss(x: Any, v: Any) -> Any:
        value, array = f(x, v)
        return 2.0 * value + array.sum()

    expected = ra.vjp(potential, 0.7, V)[1]((2.0, np.ones(3)))
    for g in (jax.grad(loss, (0, 1)), jax.jit(jax.grad(loss, (0, 1)))):
        for found, wanted in zip(g(0.7, V), expected, strict=True):
            assert np.array_equal(found, wanted)
    hessian = jax.jit(jax.jacrev(jax.grad(loss, 1), 1))(0.7, V)
    h = 1e-5
    for k in range(3):
        e = h * np.eye(3)[k]
        difference = (jax.grad(loss, 1)(0.7, V + e) - jax.grad(loss, 1)(0.7, V - e)) / (2 * h)
        assert hessian[k] == pytest.approx(np.asarray(difference), abs=1e-8)


def test_jax_vmap(jax: Any) -> None:
    f = ra.interop.jax.function(potential)
    xs = np.linspace(0.1, 1.0, 4)
    values, arrays = jax.jit(jax.vmap(f, (0, None)))(xs, V)
    for x, value, array in zip(xs, values, arrays, strict=True):
        assert value == potential(x, V)[0] and np.array_equal(array, potential(x, V)[1])
    slopes = jax.vmap(jax.grad(lambda x: f(x, V)[0]))(xs)
    assert slopes.tolist() == [ra.grad(lambda x: potential(x, V)[0])(x) for x in xs]


def test_jax_integers_and_structures(jax: Any) -> None:
    f = ra.interop.jax.function(lambda s, k: {"end": s.ends[k] * s.stiffness, "next": k + 1})
    s = Spring(3.0, V)
    out = f(s, 2)
    assert out["end"] == 6.0 and out["next"] == 3 and out["next"].dtype == np.int64
    g = jax.grad(lambda a, ends: f(Spring(a, ends), 2)["end"], (0, 1))(3.0, V)
    assert g[0] == 2.0 and g[1].tolist() == [0.0, 0.0, 3.0]


def test_jax_single_precision(jax: Any) -> None:
    jax.config.update("jax_enable_x64", False)
    f = ra.interop.jax.function(stretch)  # its arguments are declared Real
    k = np.float32(3.0)
    ends = np.array([0.1, 2.0], np.float32)
    value, g = jax.value_and_grad(lambda k: f(Spring(k, ends), 0.25))(k)
    expected = ra.value_and_grad(stretch)(Spring(3.0, ends.astype(float)), 0.25)
    assert value.dtype == g.dtype == np.float32
    assert value == np.float32(expected[0]) and g == np.float32(expected[1].stiffness)
