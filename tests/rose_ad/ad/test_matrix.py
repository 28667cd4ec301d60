"""Every transform of every construct, against JAX where it is installed, and against central differences.

A construct's value, gradient, Hessian and third derivatives are found once, by JAX or else in the plainest
of ways; each transform must give what follows of them.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.interp import interpret
from rose_ad.ir.verify import verify
from rose_ad.tracing.values import type_of
from tests.support.constructs import CONSTRUCTS, N, V, X, theirs

HAS_JAX = importlib.util.find_spec("jax") is not None
U = (0.4, np.array([0.5, -1.0, 0.25, 2.0, -0.75]))  # directions
W = (-1.2, np.array([1.0, 0.5, -0.5, -0.25, 0.6]))
BOTH = (0, 1)


def flat(pair: Any) -> Any:
    """(number, vector) as one vector."""
    return np.concatenate([np.ravel(p) for p in pair])


def square(blocks: Any) -> Any:
    """The four blocks of a Hessian as one matrix."""
    (xx, xv), (vx, vv) = blocks
    top = np.concatenate([np.ravel(xx), np.ravel(xv)])[None]
    return np.concatenate([top, np.concatenate([np.reshape(vx, (N, 1)), vv], axis=1)])


class Derivatives(NamedTuple):
    """Of a construct at (X, V); `third` is the gradient of the second derivative along U and W."""

    value: Any
    gradient: Any
    hessian: Any
    third: Any


def inner(a: Any, b: Any) -> Any:
    return a[0] * b[0] + ra.sum(a[1] * b[1])


# ----------------------------------------------------------------------------------- transforms
# Each is (f, how to compute it from f, what must come out). Its last arguments are U and W.

Transform = Callable[..., Any]
TRANSFORMS: dict[str, tuple[Transform, Callable[[Derivatives], Any]]] = {}


def transform(expected: Callable[[Derivatives], Any]) -> Callable[[Transform], Transform]:
    def register(t: Transform) -> Transform:
        TRANSFORMS[t.__name__] = t, expected
        return t

    return register


@transform(lambda d: d.value)
def value(f: Any, p: Any, u: Any, w: Any) -> Any:
    return f(*p)


@transform(lambda d: (d.value, d.gradient @ flat(U)))
def jvp(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.jvp(f, p, u)


@transform(lambda d: 1.5 * d.gradient)
def vjp(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.vjp(f, *p)[1](1.5)


@transform(lambda d: (d.gradient, d.gradient[0], d.gradient[1:]))
def grad(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.grad(f, BOTH)(*p), ra.grad(f)(*p), ra.grad(f, 1)(*p)


@transform(lambda d: (d.value, d.gradient))
def value_and_grad(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.value_and_grad(f, BOTH)(*p)


@transform(lambda d: (d.value, d.gradient @ flat(U), d.gradient @ flat(W)))
def linearize(f: Any, p: Any, u: Any, w: Any) -> Any:
    value, tangent = ra.linearize(f, *p)
    return value, tangent(*u), tangent(*w)


@transform(lambda d: 2.0 * d.gradient)
def linear_transpose(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.linear_transpose(ra.linearize(f, *p)[1], *p)(2.0)


@transform(lambda d: d.gradient)
def jacfwd(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.jacfwd(f, BOTH)(*p)


@transform(lambda d: d.gradient)
def jacrev(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.jacrev(f, BOTH)(*p)


@transform(lambda d: d.hessian)
def hessian(f: Any, p: Any, u: Any, w: Any) -> Any:
    """Forward over reverse."""
    return ra.hessian(f, BOTH)(*p)


@transform(lambda d: d.hessian)
def forward_over_forward(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.jacfwd(ra.jacfwd(f, BOTH), BOTH)(*p)


@transform(lambda d: d.hessian)
def reverse_over_forward(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.jacrev(ra.jacfwd(f, BOTH), BOTH)(*p)


@transform(lambda d: d.hessian)
def reverse_over_reverse(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.jacrev(ra.jacrev(f, BOTH), BOTH)(*p)


@transform(lambda d: d.hessian @ flat(U))
def hvp(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.hvp(f, p, u)


@transform(lambda d: 1.5 * d.hessian @ flat(U))
def jvp_of_vjp(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.jvp(lambda x, v: ra.vjp(f, x, v)[1](1.5), p, u)[1]


@transform(lambda d: d.hessian @ flat(U))
def vjp_of_jvp(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.vjp(lambda x, v: ra.jvp(f, (x, v), u)[1], *p)[1](1.0)


@transform(lambda d: d.hessian @ flat(U))
def vjp_of_vjp(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.vjp(lambda x, v: ra.vjp(f, x, v)[1](1.0), *p)[1](u)


@transform(lambda d: flat(W) @ d.hessian @ flat(U))
def jvp_of_jvp(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.jvp(lambda x, v: ra.jvp(f, (x, v), u)[1], p, w)[1]


@transform(lambda d: (d.hessian @ flat(U), d.hessian @ flat(W)))
def linearize_of_grad(f: Any, p: Any, u: Any, w: Any) -> Any:
    _, tangent = ra.linearize(ra.grad(f, BOTH), *p)
    return tangent(*u), tangent(*w)


@transform(lambda d: d.third @ flat(W))
def third_by_forward(f: Any, p: Any, u: Any, w: Any) -> Any:
    def first(x: Any, v: Any) -> Any:
        return ra.jvp(f, (x, v), u)[1]

    def second(x: Any, v: Any) -> Any:
        return ra.jvp(first, (x, v), w)[1]

    return ra.jvp(second, p, w)[1]


@transform(lambda d: d.third)
def third_by_reverse(f: Any, p: Any, u: Any, w: Any) -> Any:
    def first(x: Any, v: Any) -> Any:
        return inner(ra.grad(f, BOTH)(x, v), u)

    def second(x: Any, v: Any) -> Any:
        return inner(ra.grad(first, BOTH)(x, v), w)

    return ra.grad(second, BOTH)(*p)


@transform(lambda d: d.third)
def third_by_both(f: Any, p: Any, u: Any, w: Any) -> Any:
    return ra.grad(lambda x, v: inner(ra.hvp(f, (x, v), u), w), BOTH)(*p)


@transform(lambda d: (d.gradient * 6, d.hessian @ flat(U) * 6))
def in_a_loop(f: Any, p: Any, u: Any, w: Any) -> Any:
    """A gradient in the loop of another function, and the derivative of that."""

    def summed(x: Any, v: Any) -> Any:
        def step(i: Any, c: Any) -> Any:
            return ra.map_leaves(lambda a, b: a + b * ra.to_real(i), c, ra.grad(f, BOTH)(x, v))

        return ra.fori_loop(0, 4, step, (x * 0, v * 0))

    return ra.jvp(summed, p, u)


@transform(lambda d: (d.value, d.value, d.gradient @ flat(U), d.gradient @ flat(W)))
def vmap(f: Any, p: Any, u: Any, w: Any) -> Any:
    """Of two directions at once; and of the point itself, which both share."""
    us, vs = (ra.stack([a, b]) for a, b in zip(u, w, strict=True))

    def along(a: Any, b: Any) -> Any:
        return ra.jvp(f, p, (a, b))

    values, tangents = ra.vmap(along)(us, vs)
    return values[0], values[1], tangents[0], tangents[1]


@transform(lambda d: (d.gradient, d.hessian @ flat(U)))
def vmap_of_grad(f: Any, p: Any, u: Any, w: Any) -> Any:
    """A batch of points, and the derivative of its gradients along U in one of them."""

    def batched(x: Any, v: Any) -> Any:
        xs, vs = ra.stack([x, p[0]]), ra.stack([v, p[1]])
        return ra.map_leaves(lambda g: g[0], ra.vmap(ra.grad(f, BOTH))(xs, vs))

    return ra.jvp(batched, p, u)


# -------------------------------------------------------------------------------------- running


def vector(x: Any) -> Any:
    """What a transform gave, as numbers in the order of (number, vector), by kind."""
    leaves = ra.flatten(x)[0]
    return np.concatenate([np.ravel(leaf) for leaf in leaves]) if leaves else np.zeros(0)


@functools.cache
def base(name: str) -> ra.Fn:
    return ra.fn(CONSTRUCTS[name].ours)


@functools.cache
def results(name: str) -> Any:
    """All transforms of a construct, called from one traced function, which the interpreter runs."""
    f = base(name)

    @ra.fn
    def everything(x: Any, v: Any, u: Any, w: Any) -> Any:
        return {key: t(f, (x, v), u, w) for key, (t, _) in TRANSFORMS.items()}

    leaves, structure = ra.flatten(((X, V, U, W), {}))
    special = everything.specialise(structure, [type_of(leaf) for leaf in leaves])
    verify(special.ir)
    return ra.unflatten(special.result, interpret(special.ir, leaves))


@functools.cache
def reference(name: str) -> Derivatives:
    """By JAX if it is installed, otherwise by one transform of each order, which differences confirm."""
    if HAS_JAX:
        return by_jax(name)
    found = results(name)
    third = flat(found["third_by_both"])
    return Derivatives(found["value"], flat(found["grad"][0]), square(found["hessian"]), third)


@contextlib.contextmanager
def double_precision(jax: Any) -> Iterator[None]:
    """JAX in float64, and without optimisations, which take longer than they save."""
    options = ("jax_enable_x64", "jax_disable_most_optimizations")
    for option in options:
        jax.config.update(option, True)
    try:
        yield
    finally:
        for option in options:
            jax.config.update(option, False)


def by_jax(name: str) -> Derivatives:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jax

        with double_precision(jax):
            m, f = theirs(), CONSTRUCTS[name].theirs

            def g(p: Any) -> Any:
                return f(m, p[0], p[1:])

            @jax.jit
            def every(p: Any) -> Any:
                hessian, along_u = jax.jvp(jax.hessian(g), (p,), (flat(U),))
                return *jax.value_and_grad(g)(p), hessian, along_u @ flat(W)

            return Derivatives(*map(np.asarray, every(flat((X, V)))))


def agree(found: Any, expected: Any, tolerance: float) -> None:
    """Equal up to `tolerance` of the largest expected entry, of 1 at least."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert np.isfinite(found).all(), found
    size = max(1.0, np.abs(expected).max(initial=0))
    assert np.abs(found - expected).max(initial=0) <= tolerance * size, (found, expected)


every_construct = pytest.mark.parametrize("name", CONSTRUCTS)
ITERATED = {"newton", "fixed_point", "custom_root", "linear_solves"}  # to a tolerance of their own


@every_construct
@pytest.mark.parametrize("key", TRANSFORMS)
def test_transform(key: str, name: str) -> None:
    _, expected = TRANSFORMS[key]
    found, wanted = results(name)[key], expected(reference(name))
    if "hessian" in key or "_over_" in key:
        found, wanted = square(found).ravel(), wanted.ravel()
    agree(vector(found), vector(wanted), 1e-8 if name in ITERATED else 1e-10)


class Compiled(NamedTuple):
    """What is called from Python, of a construct."""

    value_and_grad: ra.Fn
    grad: ra.Fn
    hvp: ra.Fn


@functools.cache
def compiled(name: str) -> Compiled:
    f = base(name)
    return Compiled(
        ra.value_and_grad(f, BOTH),
        ra.grad(f, BOTH),
        ra.fn(lambda x, v, u, w: ra.hvp(f, (x, v), (u, w))),
    )


@every_construct
def test_the_machine_agrees_with_the_interpreter(name: str) -> None:
    f, found, machine = base(name), results(name), compiled(name)
    agree(f(X, V), found["value"], 1e-12)
    agree(vector(machine.value_and_grad(X, V)), vector(found["value_and_grad"]), 1e-12)
    agree(vector(machine.hvp(X, V, *U)), vector(found["hvp"]), 1e-12)
    value, tangent = ra.linearize(f, X, V)
    agree(vector((value, tangent(*U), tangent(*W))), vector(found["linearize"]), 1e-12)
    value, pull = ra.vjp(f, X, V)
    agree(vector(pull(1.5)), vector(found["vjp"]), 1e-12)


SMOOTH = [name for name, c in CONSTRUCTS.items() if c.smooth]


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_are_differences(name: str) -> None:
    f, found, machine = base(name), results(name), compiled(name)
    h = 1e-5

    def slope(g: Callable[..., Any], u: Any) -> Any:
        ends = (g(X + s * h * u[0], V + s * h * u[1]) for s in (1, -1))
        return np.subtract(*map(vector, ends)) / (2 * h)

    tolerance = 1e-5 if name in ITERATED else 1e-6
    agree(slope(f, U), vector(found["jvp"][1]), tolerance)
    agree(slope(machine.grad, U), vector(found["hvp"]), tolerance)
    third = slope(lambda x, v: machine.hvp(x, v, *U), W)
    agree(third, vector(found["third_by_reverse"]), tolerance)


@pytest.mark.parametrize("name", [name for name, c in CONSTRUCTS.items() if c.real32])
def test_in_single_precision(name: str) -> None:
    f, single = base(name), np.float32
    x, v = single(X), V.astype(single)
    u = single(U[0]), U[1].astype(single)
    value, gradient = compiled(name).value_and_grad(x, v)
    along = compiled(name).hvp(x, v, *u)
    _, tangent = ra.jvp(f, (x, v), u)
    d = reference(name)
    for leaf in ra.flatten((value, gradient, along, tangent))[0]:
        assert leaf.dtype == single
    agree(value, d.value, 1e-5)
    agree(flat(gradient), d.gradient, 1e-4)
    agree(tangent, d.gradient @ flat(u), 1e-4)
    agree(flat(along), d.hessian @ flat(u), 1e-3)


def test_one_program_of_everything() -> None:
    """All transforms at once, compiled."""
    for name in ("scan", "cond", "scattered"):
        f = base(name)
        everything = ra.fn(
            lambda x, v, u, w, f=f: [t(f, (x, v), u, w) for t, _ in TRANSFORMS.values()]
        )
        agree(vector(everything(X, V, U, W)), vector(list(results(name).values())), 1e-10)
