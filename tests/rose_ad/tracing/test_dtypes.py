"""The types of results: those of NumPy for Bools, Ints and both widths of Real, or a refusal with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from tests.support.checks import traced

ARRAYS = {
    "Bool": np.array([True, False, True]),
    "Int": np.array([3, -1, 2]),
    "Real32": np.array([0.5, -1.5, 2.5], np.float32),
    "Real": np.array([0.5, -1.5, 2.5]),
}
ANY: dict[str, Callable[[Any], Any]] = {
    "abs": ra.abs, "ones_like": ra.ones_like, "zeros_like": ra.zeros_like, "flip": ra.flip,
    "full_like": lambda x: ra.full_like(x, 1), "concat": lambda x: ra.concat([x, x]),
    "stack": lambda x: ra.stack([x, x]), "diff": ra.diff, "pad": lambda x: ra.pad(x, 1),
    "roll": lambda x: ra.roll(x, 1), "sort": ra.sort, "argsort": ra.argsort, "max": ra.max, "min": ra.min,
    "maximum": lambda x: ra.maximum(x, x[::-1]), "minimum": lambda x: ra.minimum(x, x[::-1]),
    "argmax": ra.argmax, "sum": ra.sum, "prod": ra.prod, "mean": ra.mean, "cumsum": ra.cumsum,
    "cumprod": ra.cumprod, "any": lambda x: ra.any(x > 0), "all": lambda x: ra.all(x > 0),
    "floor": ra.floor, "ceil": ra.ceil, "trunc": ra.trunc, "tile": lambda x: ra.tile(x, 2),
    "repeat": lambda x: ra.repeat(x, 2), "take": lambda x: ra.take(x, np.array([1, 0])),
    "by a whole": lambda x: x * 2, "by a real": lambda x: x * 2.0, "over": lambda x: x / 2,
    "floordiv": lambda x: x // 2, "mod": lambda x: x % 2, "triu": lambda x: ra.triu(ra.stack([x, x, x])),
    "tril": lambda x: ra.tril(ra.stack([x, x, x])), "where": lambda x: ra.where(x > 0, x, 0),
    "clip": lambda x: ra.clip(x, 0, 1), "to_int": ra.to_int, "to_real": ra.to_real,
    "linspace": lambda x: ra.linspace(x[0], x[1], 4), "isnan": ra.isnan,
}  # fmt: skip
NUMBERS: dict[str, Callable[[Any], Any]] = {
    "round": ra.round, "sqrt": lambda x: ra.sqrt(x * x), "exp": ra.exp, "var": ra.var, "std": ra.std,
    "square": ra.square, "dot": lambda x: ra.dot(x, x), "outer": lambda x: ra.outer(x, x), "sign": ra.sign,
    "norm": ra.norm, "logsumexp": ra.logsumexp, "hypot": lambda x: ra.hypot(x, x), "negative": lambda x: -x,
    "power": lambda x: x**2, "logaddexp": lambda x: ra.logaddexp(x, 1), "added": lambda x: x + x,
    "einsum": lambda x: ra.einsum("i,i->i", x, x), "matmul": lambda x: ra.matmul(x, x),
    "cross": lambda x: ra.cross(x, x[::-1]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ARRAYS)
@pytest.mark.parametrize("name", [*ANY, *NUMBERS])
def test_types_and_values_are_those_of_numpy(name: str, kind: str) -> None:
    if kind == "Bool" and (name in NUMBERS or name == "linspace"):
        return
    f, x = {**ANY, **NUMBERS}[name], ARRAYS[kind]
    wanted, found = np.asarray(f(x)), np.asarray(ra.fn(f)(x))
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(1.0 * found, 1.0 * wanted, rtol=1e-6)


def test_what_conditions_are_not_is_said() -> None:
    flag = np.array([True, False])
    for f in (lambda x: -x, ra.sign, lambda x: np.negative(x)):
        with pytest.raises(ra.TypeMismatch, match="of a condition"):
            ra.fn(f)(flag)


def test_the_interpreter_takes_numbers_of_numpy() -> None:
    """Of any width, as Python's; lists as arrays."""
    ir = traced(lambda k, x, on: ra.where(on, x[0] * k * 2**62, x[1]), 3, np.array([1, 2]), True)
    wanted = ra.interpret(ir, [3, np.array([1, 2]), True])
    for k in (np.int64(3), np.int32(3), np.uint8(3), np.array(3)):
        found = ra.interpret(ir, [k, [1, 2], np.bool_(True)])
        assert found == wanted and type(found[0]) is int
    power = traced(lambda k, x: x**2 * k, 3, 2.0)
    assert ra.interpret(power, [np.int64(3), np.float32(2.0)]) == [12.0]
    ra.check_grads(lambda k, x: x**2 * k, (np.int64(3), np.float64(2.0)))


@pytest.mark.parametrize(
    "x", [1.5, 2, True, np.float32(1), np.ones(2), np.ones(2, np.float32), np.arange(2) > 0]
)
def test_a_value_says_its_type(x: Any) -> None:
    """With which arrays can be made, and which numpy's own can be compared with."""

    @ra.fn
    def f(x: Any) -> Any:
        return ra.zeros(3, dtype=x.dtype)

    assert f(x).dtype == np.asarray(x).dtype
