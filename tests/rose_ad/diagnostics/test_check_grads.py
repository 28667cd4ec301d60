"""check_grads: right derivatives pass, wrong ones are named. Rules are made wrong to see that."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.ir.prim_rules import partials
from rose_ad.ir.prims import TABLE


@ra.struct
class Spring:
    ends: Any
    stiffness: Any


@ra.fn
def energy(spring, count):
    total = ra.accum()
    for i in ra.range(spring.ends.shape[0] - 1):
        stretch = spring.ends[i + 1] - spring.ends[i]
        with ra.when(stretch > 0):
            total += 0.5 * spring.stiffness * stretch**2
    return {"energy": total, "both": (ra.sin(spring.ends), count)}


ENDS = np.array([0.0, 1.5, 1.0, 4.0])


@pytest.mark.parametrize("modes", ["fwd", "rev", ("fwd", "rev")])
def test_structures_of_arrays_and_integers(modes: Any) -> None:
    ra.check_grads(energy, (Spring(ENDS, 3.0), 2), modes=modes)


def test_third_order() -> None:
    ra.check_grads(lambda x, y: ra.exp(x) * ra.sin(y * x), (0.3, 2.0), order=3)


def test_single_precision() -> None:
    x = np.linspace(0.1, 1, 5).astype(np.float32)
    ra.check_grads(lambda x: ra.exp(x) * ra.sqrt(x), (x,))


def test_declared_types_convert_arguments() -> None:
    @ra.fn
    def cube(x: ra.Real) -> ra.Real:
        return x**3

    ra.check_grads(cube, (2,))


@pytest.mark.parametrize("size", [1e-7, 1e7])
def test_steps_follow_the_size_of_an_argument(size: float) -> None:
    ra.check_grads(lambda x: ra.sin(x / size), (size * np.array([0.3, 0.9]),))


def wrong_rule(monkeypatch: pytest.MonkeyPatch, name: str, **changes: Any) -> None:
    monkeypatch.setitem(TABLE, name, dataclasses.replace(TABLE[name], **changes))


def refusal(f: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(ra.WrongDerivative) as caught:
        ra.check_grads(f, args, **options)
    assert isinstance(caught.value, AssertionError)
    return str(caught.value)


def test_wrong_derivative_in_forward_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_rule(monkeypatch, "sin", jvp=partials(lambda P, x, o: P.prim("sin", x[0])))
    text = refusal(ra.fn(lambda p: {"u": ra.sin(p["x"])}), {"m": 1.0, "x": ENDS}, modes="fwd")
    assert "order 1" in text
    assert "args[0]['x']" in text
    assert "forward mode gives" in text
    assert "result['u'][" in text
    assert __file__ in text


def test_wrong_derivative_in_reverse_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_rule(monkeypatch, "sin", jvp=partials(lambda P, x, o: P.prim("sin", x[0])))
    text = refusal(ra.fn(lambda x, y: ra.sin(y) * x), 2.0, 1.0, modes=["rev"])
    assert "reverse mode gives" in text
    assert "args[1]" in text


def test_only_the_second_derivative_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong_rule(monkeypatch, "cos", jvp=partials(lambda P, x, o: P.prim("sin", x[0])))
    f = ra.fn(lambda x: ra.sin(x))
    ra.check_grads(f, (1.0,), order=1)
    for mode, words in {"fwd": "forward mode", "rev": "reverse mode"}.items():
        text = refusal(f, 1.0, modes=mode)
        assert "order 2" in text
        assert f"of the derivative by {words}" in text


def test_modes_that_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong by less than central differences can tell."""

    def slightly_off(E: Any, x: Any, k: int, ct: Any) -> Any:
        return TABLE["mul"].transpose(E, (ct, x[1]), 0, E.prim("mul", ct, _like(ct, 1 + 1e-7)))  # type: ignore[misc]

    wrong_rule(monkeypatch, "scale", transpose=slightly_off)
    text = refusal(ra.fn(lambda x: ra.exp(x)), 1.0, order=1)
    assert "forward mode gives" in text
    assert "reverse mode gives" in text


def _like(atom: Any, value: float) -> Any:
    from rose_ad.ir.core import Const

    return Const(value, atom.type)


def test_a_jump_is_refused() -> None:
    assert "central differences" in refusal(lambda x: ra.floor(x), 1.0)


def test_tolerances_and_step_are_used() -> None:
    quartic = ra.fn(lambda x: x**4)
    ra.check_grads(quartic, (1.0,), order=1)
    refusal(quartic, 1.0, order=1, eps=0.1)
    ra.check_grads(quartic, (1.0,), order=1, eps=0.1, atol=0.05)
    ra.check_grads(quartic, (1.0,), order=1, eps=0.1, rtol=0.05)


@pytest.mark.parametrize(
    "options", [{"modes": "backward"}, {"modes": ()}, {"order": 0}, {"args": (1,)}]
)
def test_requests_without_a_meaning(options: dict[str, Any]) -> None:
    with pytest.raises(ra.TypeMismatch):
        ra.check_grads(lambda x: x * 1.0, **{"args": (1.0,), **options})
