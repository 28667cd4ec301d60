"""A constant that was changed is another constant: whatever of it, and through whatever transformation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import rose_ad as ra


class Spring:
    """Mutable, compared by identity: what a user has."""

    def __init__(self) -> None:
        self.k = 2.0
        self.table = np.array([1.0, 2.0])
        self.parts = {"left": [1.0, SimpleNamespace(mass=1.0)]}

    def force(self, x: Any) -> Any:
        left = self.parts["left"]
        return self.k * x + x * self.table[1] + x * left[0] + x * left[1].mass  # type: ignore[attr-defined]


class Equal(Spring):
    """The same, compared by value."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal) and self.k == other.k

    def __hash__(self) -> int:
        return hash(self.k)


def set_attribute(s: Spring) -> None:
    s.k = 3.0


def set_entry(s: Spring) -> None:
    s.table[1] = 7.0


def set_item(s: Spring) -> None:
    s.parts["left"][0] = 11.0


def set_deep(s: Spring) -> None:
    s.parts["left"][1].mass = 5.0  # type: ignore[attr-defined]


CHANGES = [set_attribute, set_entry, set_item, set_deep]
CALLS: dict[str, Callable[[Spring], Any]] = {
    "value": (f := ra.fn(lambda s, x: s.force(x))).__call__,
    "gradient": lambda s, x: ra.grad(f, 1)(s, x) * x,
    "batch": lambda s, x: ra.vmap(f, in_axes=(None, 0))(s, np.array([x]))[0],
    "method": lambda s, x: ra.grad(s.force)(x) * x,
    "bound method": (g := ra.fn(lambda force, x: force(x))) and (lambda s, x: g(s.force, x)),
    "partial": lambda s, x: g(functools.partial(Spring.force, s), x),
    "keyword": lambda s, x: f(s=s, x=x),
}


@pytest.mark.parametrize("kind", [Spring, Equal])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_changed_constant_is_another(
    call: Callable[..., Any], change: Callable[[Spring], None], kind: type[Spring]
) -> None:
    s = kind()
    for _ in range(3):  # the first call compiles, the second finds, the third calls directly
        assert call(s, 2.0) == s.force(2.0)
    change(s)
    for _ in range(3):
        assert call(s, 2.0) == s.force(2.0)


def test_a_constant_may_hold_itself() -> None:
    s = Spring()
    s.parts["self"] = s  # type: ignore[assignment]
    assert f(s, 1.0) == s.force(1.0)
    assert f(s, 1.0) == s.force(1.0)
