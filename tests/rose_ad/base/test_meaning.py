"""Functions that mean the same are compiled once; those that do not are not taken for each other."""

from __future__ import annotations

import random
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.base.meaning import meaning

scale = 2.0
table = np.array([1.0, 2.0])
settings = types.ModuleType("settings")
settings.scale = 2.0  # type: ignore[attr-defined]


def scaled(x: Any) -> Any:
    return ra.sin(x) * scale


def through_another(x: Any) -> Any:
    return scaled(x) + 1.0


def by_table(x: Any) -> Any:
    return x * table[0]


def by_module(x: Any) -> Any:
    return x * settings.scale


class Kind:
    factor = 2.0

    def __init__(self) -> None:
        self.k = 3.0

    def of(self, x: Any) -> Any:
        return self.k * self.factor * x

    @property
    def sum(self) -> float:
        return self.k + self.factor


kind = Kind()


def by_property(x: Any) -> Any:
    return x * kind.sum


def with_constant(c: Any) -> Callable[[Any], Any]:
    return lambda x: c * x


def with_default(c: Any) -> Callable[..., Any]:
    return lambda x, c=c: c * x


MADE: list[Callable[[], Callable[..., Any]]] = [
    lambda: lambda x: x * x,
    lambda: with_constant(2.0),
    lambda: with_constant(np.arange(3.0)),
    lambda: with_constant(kind.of),
    lambda: with_default((1.0, "a", None)),
    lambda: scaled,
    lambda: through_another,
    lambda: by_table,
    lambda: by_module,
    lambda: by_property,
    lambda: kind.of,
]


@pytest.mark.parametrize("make", MADE)
def test_the_same_function_made_again_means_the_same(make: Callable[[], Any]) -> None:
    found = meaning(make())
    assert found is not None and found == meaning(make()) and hash(found) == hash(meaning(make()))


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "grad": ra.grad,
    "value_and_grad": ra.value_and_grad,
    "hessian": ra.hessian,
    "jacrev": ra.jacrev,
    "vmap": lambda f: ra.vmap(f, in_axes=(0,)),
    "grad of grad": lambda f: ra.grad(ra.grad(f)),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_a_transform_in_a_python_loop_is_made_once(transform: Callable[[Any], Any]) -> None:
    assert transform(scaled) is transform(scaled)
    first, second = (transform(lambda x, c=c: c * x * x) for c in (2.0, 2.0))
    assert first is second
    assert transform(scaled) is not transform(through_another)


def test_a_transform_knows_what_it_was_asked_for() -> None:
    f = ra.fn(lambda x, y: x * y**2)
    assert ra.grad(f)(2.0, 3.0) == 9.0
    assert ra.grad(f, 1)(2.0, 3.0) == 12.0
    assert ra.grad(f, (0, 1))(2.0, 3.0) == (9.0, 12.0)
    assert ra.value_and_grad(f)(2.0, 3.0) == (18.0, 9.0)
    rows = np.array([[1.0, 2.0, 3.0]])
    assert ra.vmap(lambda v: v + 1)(rows).shape == (1, 3)
    assert ra.vmap(lambda v: v + 1, 1, 1)(rows).shape == (1, 3)
    assert ra.vmap(lambda v: v + 1, 1)(rows).shape == (3, 1)
    assert ra.vmap(lambda d: d["a"], [{"a": 0}])({"a": rows}).shape == (1, 3)


def change_global(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(globals(), "scale", 5.0)


def change_table(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(globals(), "table", table.copy())
    table[0] = 5.0


def change_module(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(settings, "scale", 5.0)


def change_attribute(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(kind, "k", 5.0)


def change_class(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Kind, "factor", 5.0)


CHANGED = [
    (scaled, change_global),
    (through_another, change_global),
    (by_table, change_table),
    (by_module, change_module),
    (by_property, change_attribute),
    (by_property, change_class),
    (kind.of, change_attribute),
    (kind.of, change_class),
]


@pytest.mark.parametrize(("f", "change"), CHANGED)
def test_what_a_function_refers_to_is_part_of_it(
    f: Callable[[Any], Any], change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expected() -> float:
        return ra.grad(ra.fn(f))(0.5)  # made anew

    before = ra.grad(f)(0.5)
    assert before == expected()
    change(monkeypatch)
    assert ra.grad(f)(0.5) == expected() != before


generator, state = np.random.default_rng(0), random.Random(0)
UNCLEAR: list[Callable[[Any], Any]] = [
    lambda x: x * np.random.rand(),
    lambda x: x * generator.random(),
    lambda x: x * state.random(),
    lambda x: x * random.random(),
    with_constant(iter([1.0])),
]


@pytest.mark.parametrize("f", UNCLEAR)
def test_what_may_differ_each_time_is_traced_each_time(f: Callable[[Any], Any]) -> None:
    assert meaning(f) is None


def test_random_numbers_are_drawn_for_each_gradient() -> None:
    assert len({ra.grad(lambda x: x * generator.random())(1.0) for _ in range(5)}) == 5


def test_a_closure_over_traced_values_is_its_own() -> None:
    @ra.fn
    def outer(x: Any, y: Any) -> Any:
        return sum(ra.grad(lambda t, c=c: c * t * t)(1.0) for c in (x, y))

    assert outer(3.0, 4.0) == 14.0


def test_few_functions_are_kept() -> None:
    from rose_ad.api.python_function import _REMEMBERED, _by_meaning, as_fn

    for k in range(3 * _REMEMBERED):
        as_fn(with_constant(k))
    assert len(_by_meaning) == _REMEMBERED
