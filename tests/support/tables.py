"""Tables of functions of arrays: the value against numpy's, derivatives to second order, single precision and
batches.

A row is (ours, numpy's or None, arguments). Where there is nothing to compare with, the value outside a trace
is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

import rose_ad as ra

Row: TypeAlias = "tuple[Callable[..., Any], Callable[..., Any] | None, tuple[Any, ...]]"


def leaves(x: Any) -> list[Any]:
    return [np.asarray(v) for v in ra.flatten(x)[0]]


def close(found: Any, expected: Any, tolerance: float) -> None:
    """Equal, relative to the largest entry, leaf by leaf; in shape, too."""
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        assert a.shape == b.shape
        size = max(1.0, np.abs(b[np.isfinite(b)]).max(initial=0.0))
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * size)


def value_is_right(row: Row, tolerance: float = 1e-12) -> Any:
    """Traced and not, it is numpy's."""
    ours, numpys, args = row
    found, eager = ra.fn(ours)(*args), ours(*args)
    expected = eager if numpys is None else numpys(*args)
    close(found, expected, tolerance)
    close(eager, expected, tolerance)
    return found


def weighted(f: Callable[..., Any], like: Any) -> Callable[..., Any]:
    """A number made of all that f gives."""
    draw = np.random.default_rng(1)
    weights = [draw.normal(size=v.shape) if v.dtype.kind == "f" else None for v in leaves(like)]

    def number(*args: Any) -> Any:
        parts = zip(ra.flatten(f(*args))[0], weights, strict=True)
        return sum(ra.sum(v * w) for v, w in parts if w is not None)

    return number


def directions(args: tuple[Any, ...], seed: int) -> tuple[Any, ...]:
    draw = np.random.default_rng(seed)
    return tuple(draw.normal(size=np.shape(a)) for a in args)


def derivatives_are_right(
    row: Row, tolerance: float = 1e-6, step: float = 1e-5, second: bool = True
) -> Any:
    """Forward is reverse, and both, and the second derivative, are those of differences; the gradient."""
    ours, _, args = row
    f = ra.fn(weighted(ours, ours(*args)))
    every = tuple(range(len(args)))
    gradient = ra.grad(f, every)
    u, v = directions(args, 2), directions(args, 3)

    def along(by: Any, g: Callable[..., Any]) -> list[Any]:
        ends = [g(*(a + s * step * d for a, d in zip(args, by, strict=True))) for s in (1, -1)]
        return [(p - q) / (2 * step) for p, q in zip(leaves(ends[0]), leaves(ends[1]), strict=True)]

    found = gradient(*args)
    slope = sum(np.sum(g * d) for g, d in zip(found, u, strict=True))
    close(ra.jvp(f, args, u)[1], slope, 1e-11)
    close([slope], along(u, f), tolerance)
    if second:
        change = ra.jvp(gradient, args, v)[1]
        close(list(change), along(v, gradient), tolerance)
    return found


def single_precision_stays(row: Row, tolerance: float = 2e-5) -> None:
    """Of single-precision arguments the value and the gradient are in single precision, and near."""
    ours, _, args = row
    narrow = tuple(np.asarray(a, np.float32) for a in args)
    wide = leaves(ra.fn(ours)(*args))
    found = leaves(ra.fn(ours)(*narrow))
    assert all(
        a.dtype == np.float32 for a, b in zip(found, wide, strict=True) if b.dtype.kind == "f"
    )
    close(found, wide, tolerance)
    number = weighted(ours, wide)
    for g in ra.grad(lambda *a: number(*a), tuple(range(len(args))))(*narrow):
        assert np.asarray(g).dtype == np.float32


def batches_are_loops(row: Row, tolerance: float = 1e-12) -> None:
    """Over a batch, values and gradients are those of its members."""
    ours, _, args = row
    f = weighted(ours, ours(*args))
    both = ra.value_and_grad(f, tuple(range(len(args))))
    batch = tuple(np.stack([a, a * 1.01, a * 0.98]) for a in args)
    found = ra.vmap(both)(*batch)
    for k in range(3):
        expected = both(*(a[k] for a in batch))
        close(ra.map_leaves(lambda x, k=k: x[k], found), expected, tolerance)


@contextlib.contextmanager
def jax_in_double() -> Iterator[Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    try:
        yield jax
    finally:
        jax.config.update("jax_enable_x64", False)


def gradient_is_jaxs(ours: Any, jaxs: Any, args: tuple[Any, ...], tolerance: float = 1e-10) -> None:
    """`jaxs` is given jax, and the arguments."""
    plain = ra.fn(ours)(*args)
    number, every = weighted(ours, plain), tuple(range(len(args)))
    draw = np.random.default_rng(1)
    weights = [draw.normal(size=v.shape) for v in leaves(plain)]
    with jax_in_double() as jax:

        def theirs(*a: Any) -> Any:
            parts = jax.tree_util.tree_leaves(jaxs(jax, *a))
            return sum((p * w).sum() for p, w in zip(parts, weights, strict=True))

        expected = [np.asarray(g) for g in jax.grad(theirs, every)(*args)]
    close(list(ra.grad(number, every)(*args)), expected, tolerance)
