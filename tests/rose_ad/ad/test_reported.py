"""What is publicly reported wrong of loops in other tools, told anew, against closed forms (docs/loops.md).

Each is tried as it is, in a function of its own, in a loop of two rounds, in a branch, and in a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.checks import checked_gradient


def after_a_loop(z: Any, n: Any) -> Any:  # warp 1694
    power = ra.fori_loop(0, n, lambda _, p: p * z[0], z[1])
    return power + 3 * z[0] * z[1] * z[2]


def not_linear_after_a_loop(z: Any, n: Any) -> Any:  # warp 1740
    return 1 / ra.fori_loop(0, n, lambda i, s: s + z[i % 3], 1.0)


def nested_by_an_array(z: Any, n: Any) -> Any:  # warp 1293
    starts = ra.array([0, 1, n - 2])

    def branch(k: Any, total: Any) -> Any:
        return total + ra.fori_loop(starts[k], starts[k + 1], lambda i, p: p * z[i], 1.0)

    return ra.fori_loop(0, 2, branch, 0.0)


def overwritten(z: Any, n: Any) -> Any:  # taichi 2505, warp 174
    return ra.fori_loop(0, n, lambda _, x: ra.cos(z[0]) * x, z[1]) + z[2] ** 2


def added_in_place(z: Any, n: Any) -> Any:  # taichi 8356, warp 1697
    total = ra.accum(5)
    for i in ra.range(5):
        total[i] += z[0]
        for j in ra.range(3):
            total[i] += z[j] * z[j]
    return ra.sum(total.freeze())


def updated(z: Any, n: Any) -> Any:  # warp 1697: an element that is read and written
    return ra.sum(ra.fori_loop(0, n, lambda i, v: v.at[0].set(v[0] + v[1] * v[0]), z))


def skipped(z: Any, n: Any) -> Any:  # warp 1552
    weights = np.array([2.0, 0.0, 7.0, 3.0, 0.0])

    def look(i: Any, best: Any) -> Any:
        value = z[0] * ra.array(weights)[i]
        return ra.cond((ra.array(weights)[i] != 0) & (value > best), lambda: value, lambda: best)

    return ra.fori_loop(0, n, look, -1e20) + z[1] * z[2]


def divided(z: Any, n: Any) -> Any:  # clad 1865
    return ra.fori_loop(0, n, lambda i, s: s + 1 / (i + 1.0 + z[0] * z[0]), 0.0) * z[1] + z[2]


def begun_at_a_constant(z: Any, n: Any) -> Any:  # swift 27796
    return ra.fori_loop(0, n, lambda _, r: r * z[0], 1.0) * z[1] * z[2]


def between_bounds(z: Any, n: Any) -> Any:  # clad 474: a sum of squares at n midpoints
    h = (z[1] - z[0]) / n
    return ra.fori_loop(0, n, lambda i, s: s + h * (z[0] + (i + 0.5) * h) ** 2, 0.0) * z[2]


def nowhere_used(z: Any, n: Any) -> Any:  # clad 1108
    ra.acos(-5 - z[0] * z[0])
    return 2 * z[0] * z[0] * z[1] * z[2]


def repeated_until(z: Any, n: Any) -> Any:  # swift 78264: the round comes before the question
    def once(now: tuple[Any, Any]) -> tuple[Any, Any]:
        return now[0] * z[0] * now[0], now[1] + 1

    last = ra.while_loop(lambda now: now[1] < 2, once, once((z[1], 0)), max_steps=9)
    return last[0] * z[2]


def _power(z: Any, n: int) -> list[float]:
    x, y, w = z
    return [n * x ** (n - 1) * y + 3 * y * w, x**n + 3 * x * w, 3 * x * y]


def _inverse(z: Any, n: int) -> list[float]:
    times = [len(range(k, n, 3)) for k in range(3)]
    return [-t / (1 + float(np.dot(times, z))) ** 2 for t in times]


def _bounds(z: Any, n: int) -> list[float]:
    a, b, c = z
    value = (b**3 - a**3) / 3 - (b - a) ** 3 / (12 * n * n)  # the midpoint rule, exactly
    off = (b - a) ** 2 / (4 * n * n)
    return [c * (off - a * a), c * (b * b - off), value]


# a function of z (3,) and a whole number, and its gradient by z in closed form
CASES: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, int], Any]]] = {
    "after a loop": (after_a_loop, _power),
    "not linear after a loop": (not_linear_after_a_loop, _inverse),
    "nested by an array": (nested_by_an_array, lambda z, n: [1, z[2], z[1]]),
    "overwritten": (
        overwritten,
        lambda z, n: [
            -n * math.cos(z[0]) ** (n - 1) * math.sin(z[0]) * z[1],
            math.cos(z[0]) ** n,
            2 * z[2],
        ],
    ),
    "added in place": (added_in_place, lambda z, n: [5 + 10 * z[0], 10 * z[1], 10 * z[2]]),
    "updated": (
        updated,
        lambda z, n: [(1 + z[1]) ** n, n * z[0] * (1 + z[1]) ** (n - 1) + 1, 1],
    ),
    "skipped": (skipped, lambda z, n: [7 if z[0] > 0 else 2, z[2], z[1]]),
    "divided": (
        divided,
        lambda z, n: [
            -2 * z[0] * z[1] * sum((i + 1 + z[0] ** 2) ** -2 for i in range(n)),
            sum(1 / (i + 1 + z[0] ** 2) for i in range(n)),
            1,
        ],
    ),
    "begun at a constant": (
        begun_at_a_constant,
        lambda z, n: [n * z[0] ** (n - 1) * z[1] * z[2], z[0] ** n * z[2], z[0] ** n * z[1]],
    ),
    "between bounds": (between_bounds, _bounds),
    "nowhere used": (
        nowhere_used,
        lambda z, n: [4 * z[0] * z[1] * z[2], 2 * z[0] ** 2 * z[2], 2 * z[0] ** 2 * z[1]],
    ),
    "repeated until": (
        repeated_until,  # two rounds, y to x y² each: x³ y⁴ w
        lambda z, n: [
            3 * z[0] ** 2 * z[1] ** 4 * z[2],
            4 * z[0] ** 3 * z[1] ** 3 * z[2],
            z[0] ** 3 * z[1] ** 4,
        ],
    ),
}
N = 5
PLACES = {
    "as it is": lambda f: f,
    "in a function": lambda f: ra.fn(lambda z, n: ra.fn(f)(z, n)),
    "in a loop": lambda f: lambda z, n: ra.fori_loop(0, 2, lambda _, s: s + f(z, n), 0.0) / 2,
    "in a branch": lambda f: lambda z, n: ra.cond(n > 3, lambda: f(z, n), lambda: 0.0 * z[0]),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", CASES)
def test_gradient(name: str, place: str) -> None:
    f, closed = CASES[name]
    placed = ra.fn(lambda z, n: PLACES[place](f)(z, n))
    points = np.array([[1.2, 0.7, 0.4], [-0.9, 1.1, 0.3], [0.4, -0.6, 2.0]])
    for z in points:
        right = np.array(closed(z, N), float)
        np.testing.assert_allclose(ra.grad(placed)(z, N), right, rtol=1e-13, atol=1e-14)
        forward = [ra.jvp(lambda z: placed(z, N), (z,), (e,))[1] for e in np.eye(3)]
        np.testing.assert_allclose(forward, right, rtol=1e-13, atol=1e-14)
    batch = ra.vmap(ra.grad(lambda z: placed(z, N)))(points)
    np.testing.assert_allclose(batch, [closed(z, N) for z in points], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_interpreter_and_differences_agree(name: str) -> None:
    checked_gradient(lambda z: CASES[name][0](z, N), np.array([1.2, 0.7, 0.4]))
