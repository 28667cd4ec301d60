"""Structures that values, tangents and cotangents have: dicts are matched by key, in whatever order, and what
has another structure is refused."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.base.tree import flatten, leaves_as


class Pair(NamedTuple):
    p: Any
    q: Any


@ra.struct
class Body:
    mass: ra.Real
    at: ra.Vec


def drawn(r: Random, depth: int) -> Any:
    """A value of a random structure whose leaves all differ."""
    kind = (
        r.choice(("leaf", "array", "dict", "list", "tuple", "named", "struct")) if depth else "leaf"
    )
    if kind == "leaf":
        return r.uniform(-1, 1)
    if kind == "array":
        return np.array([r.uniform(-1, 1) for _ in range(3)])
    if kind == "named":
        return Pair(drawn(r, depth - 1), drawn(r, depth - 1))
    if kind == "struct":
        return Body(r.uniform(-1, 1), drawn(r, 0) * np.ones(2))
    parts = [drawn(r, depth - 1) for _ in range(r.randint(1, 4))]
    if kind == "dict":
        return dict(zip(r.sample("abcdefg", len(parts)), parts, strict=True))
    return parts if kind == "list" else tuple(parts)


def shuffled(x: Any, r: Random) -> Any:
    """The same value, with the keys of its dicts in other orders."""
    if isinstance(x, dict):
        keys = r.sample(list(x), len(x))
        return {k: shuffled(x[k], r) for k in keys}
    if isinstance(x, Pair):
        return Pair(shuffled(x.p, r), shuffled(x.q, r))
    if isinstance(x, list | tuple):
        return type(x)([shuffled(y, r) for y in x])
    return x


def others(x: Any) -> Iterator[Any]:
    """Values of other structures with the same leaves, and with one less or more."""
    yield (x,)
    yield {"x": x}
    if isinstance(x, dict):
        yield list(x.values())
        yield {f"{k}'": v for k, v in x.items()}
        yield {**x, "more": 1.0}
        yield dict(itertools.islice(x.items(), len(x) - 1))
    if isinstance(x, list | tuple):
        yield list(x) if isinstance(x, tuple) else tuple(x)
        yield [*x, 1.0]


def same(a: Any, b: Any) -> None:
    """Equal leaves at equal places; the order of keys does not matter."""
    leaves, structure = flatten(b)
    found = leaves_as(a, structure)
    assert found is not None, (a, b)
    for x, y in zip(found, leaves, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)


SEEDS = range(30)


@pytest.mark.parametrize("seed", SEEDS)
def test_tangents_and_cotangents_are_matched_by_key(seed: int) -> None:
    """Of a function that scales each leaf by a factor of its own."""
    r = Random(seed)
    x = drawn(r, 3)
    factors = iter(itertools.count(1))
    factor = ra.map_leaves(lambda _: float(next(factors)), x)

    def f(x: Any) -> Any:
        return ra.map_leaves(lambda c, v: c * v, factor, x)

    ct = drawn_like(x, r)
    wanted = ra.map_leaves(lambda c, v: c * v, factor, ct)
    for given in (ct, shuffled(ct, r)):
        same(ra.vjp(f, x)[1](given)[0], wanted)
        same(ra.jvp(f, (x,), (given,))[1], wanted)
        same(ra.linearize(f, x)[1](given), wanted)
        same(ra.linear_transpose(f, x)(given)[0], wanted)
        aux = ra.vjp(lambda x: (f(x), {"seen": x}), x, has_aux=True)
        same(aux[1](given)[0], wanted)
    for other in others(ct):
        for call in (
            ra.vjp(f, x)[1],
            ra.linearize(f, x)[1],
            ra.linear_transpose(f, x),
            lambda v: ra.jvp(f, (x,), (v,)),
        ):
            with pytest.raises(ra.TypeMismatch, match="structure"):
                call(other)


def drawn_like(x: Any, r: Random) -> Any:
    return ra.map_leaves(lambda v: r.uniform(-1, 1) * np.ones_like(v), x)


@pytest.mark.parametrize("seed", SEEDS)
def test_carries_and_sides_are_matched_by_key(seed: int) -> None:
    r = Random(seed)
    x = {"k": drawn(r, 2), "i": drawn(r, 2), "m": drawn(r, 2)}

    def half(v: Any) -> Any:
        return shuffled(ra.map_leaves(lambda a: 0.5 * a, v), r)

    def looped(x: Any) -> Any:
        scanned = ra.scan(lambda c, _: (half(c), None), x, None, 2)[0]
        counted = ra.fori_loop(0, 2, lambda i, c: half(c), x)
        one = {"n": 0, "x": x}
        ran = ra.while_loop(
            lambda c: c["n"] < 2, lambda c: {"x": half(c["x"]), "n": c["n"] + 1}, one
        )
        return scanned, counted, ran["x"]

    def branched(x: Any, p: Any) -> Any:
        chosen = ra.cond(p > 0, lambda: half(x), lambda: shuffled(x, r))
        switched = ra.switch(ra.to_int(p), [lambda: x, lambda: half(x), lambda: half(half(x))])
        return chosen, switched, ra.where(p > 0, half(x), shuffled(x, r))

    quarter = ra.map_leaves(lambda a: 0.25 * a, x)
    for found in ra.fn(looped)(x):
        same(found, quarter)
    one = ra.map_leaves(lambda a: 0.5 * a, x)
    for p, wanted in ((1.0, (one, one, one)), (-1.0, (x, x, x))):
        for found, value in zip(ra.fn(branched)(x, p), wanted, strict=True):
            same(found, value)


def test_ordered_dicts_are_dicts() -> None:
    x = OrderedDict(a=1.0, b=2.0)
    looped = ra.fn(lambda x: ra.fori_loop(0, 1, lambda i, c: {"b": c["b"], "a": 3.0}, x))
    same(looped(x), {"a": 3.0, "b": 2.0})


def test_cotangents_of_wrong_types_are_refused() -> None:
    transpose = ra.linear_transpose(lambda x: 2.0 * x, np.ones(3))
    assert transpose(np.array([1, 2, 3]))[0].tolist() == [2.0, 4.0, 6.0]
    for wrong in (1.0, np.ones(4)):
        with pytest.raises(ra.TypeMismatch, match="cotangent is"):
            transpose(wrong)


# ----------------------------------------------------------------------------- zeros are zeros

SINGULAR = (0.0, np.inf, -np.inf, np.nan)


@pytest.mark.parametrize("at", SINGULAR)
def test_what_is_infinite_does_not_reach_what_does_not_depend_on_it(at: float) -> None:
    """A cotangent, tangent or start that is zero is one, whatever the value is that it is of."""

    def f(x: Any) -> Any:
        return {"two": 2 * x[1:], "over": 1 / x[0], "log": ra.log(x)}

    x = np.array([at, 1.0, 2.0])
    wanted = [[0.0, 2.0, 0.0], [0.0, 0.0, 2.0]]
    assert ra.jacrev(f)(x)["two"].tolist() == wanted
    assert ra.jacfwd(f)(x)["two"].tolist() == wanted
    aux = ra.vjp(lambda x: (2 * x[1], (1 / x[0], ra.log(x))), x, has_aux=True)
    assert aux[1](1.0)[0].tolist() == [0.0, 2.0, 0.0]
    assert ra.grad(lambda x: (2 * x[1], f(x)), has_aux=True)(x)[0].tolist() == [0.0, 2.0, 0.0]
    second = ra.hessian(lambda x, y: y**3 + 0 * ra.sum(ra.stop_gradient(x)), 1)
    assert second(np.ones(3), 2.0) == 12.0


@pytest.mark.parametrize("first", [np.inf, -np.inf, np.nan, 0.0, 3.0])
def test_products_of_what_is_infinite(first: float) -> None:
    for rest in ([2.0], [-1.0, 4.0], [0.0], []):
        x = np.array([first, *rest])
        with np.errstate(invalid="ignore"):
            np.testing.assert_equal(ra.fn(ra.prod)(x), np.prod(x))
    flags = np.array([True, False])
    assert ra.fn(ra.prod)(flags) == 0 and ra.fn(ra.prod)(flags[:1]) == 1


# --------------------------------------------------------------------- kinds of dicts, and of leaves


def test_dicts_keep_their_kind() -> None:
    ordered = OrderedDict(b=1.0, a=np.ones(3))
    for f in (ra.fn(lambda d: d), ra.grad(lambda d: d["b"] * ra.sum(d["a"]))):
        for _ in range(2):  # the second call goes the direct way
            assert type(f(ordered)) is OrderedDict and list(f(ordered)) == ["b", "a"]
            assert type(f(dict(ordered))) is dict
    carried = ra.fn(lambda d: ra.fori_loop(0, 2, lambda _, c: c, d))(ordered)
    assert type(carried) is OrderedDict


@ra.struct
class Counted:
    n: ra.Int
    on: ra.Bool
    x: ra.Vec[2, ra.Real]  # type: ignore[type-arg, valid-type]
    marks: ra.Vec[3, ra.Int]  # type: ignore[type-arg, valid-type]


def test_a_gradient_has_zeros_for_ints() -> None:
    state = Counted(3, True, np.array([1.0, 2.0]), np.arange(3))
    f = ra.value_and_grad(lambda s, y: s.n * ra.sum(s.x**2) * y, (0, 1))
    value, (by_state, by_y) = f(state, 2.0)
    assert (value, by_y) == (30.0, 15.0)
    assert by_state.x.tolist() == [12.0, 24.0]
    assert (by_state.n, by_state.on, by_state.marks.tolist()) == (0, False, [0, 0, 0])
    moved = ra.map_leaves(lambda a, g: a - 0.5 * g, (state.n, state.x), (by_state.n, by_state.x))
    assert moved[0] == 3
    with pytest.raises(ra.TypeMismatch, match="I64"):
        ra.grad(lambda n, s: n * ra.sum(s.x))(3, state)
    with pytest.raises(ra.TypeMismatch, match="I64"):
        ra.grad(lambda s: 1.0 * s["n"])({"n": 3, "on": True})
