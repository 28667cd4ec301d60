"""`certify` finds what is planted in a gradient, whichever tool gives it, and passes what is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rose_ad as ra
from rosephys.command.certificate import Certificate, certify
from rosephys.command.cli import main
from rosephys.command.subject import subject

X = np.array([1.0, 2.0, -0.5])


@pytest.fixture(autouse=True)
def _double() -> Any:
    with jax.enable_x64(True):
        yield


def certified(f: Any, tool: Any = None, **values: Any) -> Certificate:
    return certify(subject("f", f, values or {"x": X}, tool, 0))


def failed(found: Certificate) -> dict[str, str]:
    return {f.check: f.measured for f in found.findings if f.verdict == "FAILED"}


class Squares:
    """value and vjp of (x·x, y x₀)."""

    def value(self, x: Any, y: Any) -> Any:
        return np.array([x @ x, y * x[0]])

    def vjp(self, c: Any, x: Any, y: Any) -> Any:
        return 2 * x * c[0] + np.array([y * c[1], 0, 0]), c[1] * x[0]


RIGHT: dict[str, tuple[Any, dict[str, Any]]] = {
    "ours": (lambda x: ra.sum(ra.sin(x) * x), {}),
    "ours, an array": (lambda x: ra.sin(x) * x, {}),
    "ours, two arguments": (lambda x, y: ra.sum(x * y) ** 2, {"x": X, "y": 2.0}),
    "ours, in a loop": (lambda x: ra.fori_loop(0, 9, lambda i, s: s + x * ra.cos(s), x), {}),
    "ours, a branch": (lambda x: ra.cond(x[0] > 0, lambda: x[0] ** 2, lambda: ra.sin(x[0])), {}),
    "ours, a matrix": (lambda a: ra.sum(a @ a), {"a": np.arange(4.0).reshape(2, 2)}),
    "ours, large numbers": (lambda x: 1e12 * ra.sum(x * x), {}),
    "ours, small numbers": (lambda x: 1e-12 * ra.sum(ra.exp(x)), {}),
    "ours, at zero": (lambda x: ra.sum(x * x), {"x": np.zeros(3)}),
    "ours, of many": (lambda x: ra.sum(ra.sin(x)), {"x": np.linspace(0.0, 1.0, 200)}),
    "jax": (lambda x: jnp.sum(jnp.sin(x) * x), {}),
    "jax, an array": (lambda x: jnp.tanh(x), {}),
    "jax, two arguments": (lambda x, y: jnp.sum(x * y) ** 2, {"x": X, "y": 2.0}),
    "jax, compiled": (jax.jit(lambda x: jnp.sum(x**3)), {}),
    "a pair": (lambda x: (np.sum(x**2), 2 * x), {}),
    "a pair, of a list": (lambda x: (float(np.sum(x**2)), list(2 * x)), {"x": X[:1]}),
    "a pair, of one part": (lambda x: (float(np.sum(x**2)), (2 * x,)), {"x": X[:1]}),
    "a pair of one": (lambda x: (x**3, 3 * x**2), {"x": 1.5}),
    "a pair of two": (lambda x, y: (y * x.sum(), (np.full(3, y), x.sum())), {"x": X, "y": 2.0}),
    "value and vjp": (Squares, {"x": X, "y": 2.0}),
    "value and vjp, made": (Squares(), {"x": X, "y": 3.0}),
    "ours, a root behind a where": (lambda x: ra.sum(ra.where(x > 0, ra.sqrt(x), 0.0)), {}),
    "a pair that is constant": (lambda x: (7.0, 0 * x), {}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes(name: str) -> None:
    f, values = RIGHT[name]
    found = certified(f, **values)
    assert found.right, failed(found)


@jax.custom_vjp
def _scaled(x: Any) -> Any:
    return jnp.sum(x * x)


_scaled.defvjp(lambda x: (_scaled(x), x), lambda x, c: (-2 * c * x,))

PLANTED: dict[str, tuple[Any, str, str]] = {
    "the sign": (lambda x: (np.sum(x**2), -2 * x), "what is wrong", "wrong sign"),
    "the sign, in JAX": (lambda x: 3 * _scaled(x), "what is wrong", "wrong sign"),
    "a factor": (lambda x: (np.sum(x**2), 4 * x), "what is wrong", "is 2 times"),
    "a factor, in JAX": (
        lambda x: jnp.sum(x * jax.lax.stop_gradient(x)),
        "what is wrong",
        "is 0.5 times",
    ),
    "a way that is missed": (
        lambda x: (np.sum(x**2) + x[0] * 3, 2 * x),
        "gradient, each entry",
        "wrong: x[0]",
    ),
    "an entry that is missed": (
        lambda x: (np.sum(x**2), 2 * x * np.array([1, 0, 1])),
        "gradient, each entry",
        "zero, but what it depends on: x[1]",
    ),
    "an entry that is missed, in JAX": (
        lambda x: jnp.sum(x**2) + jax.lax.stop_gradient(x[1]) * x[0],
        "gradient, each entry",
        "wrong: x[1]",
    ),
    "NaN under a branch": (
        lambda x: jnp.sum(jnp.where(x > 0, jnp.sqrt(x), 0.0)) + x[0],
        "gradient at places around",
        "no number",
    ),
    "another branch": (
        lambda x: (abs(x[0]), np.array([1.0, 0, 0])),
        "gradient at places around",
        "wrong at",
    ),
    "a state": (
        lambda x, seen=[0.0]: (seen.append(seen[-1] + 1), (np.sum(x) + seen[-1], 0 * x + 1))[1],
        "determinism",
        "differ",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(name: str) -> None:
    f, check, words = PLANTED[name]
    found = failed(certified(f, x=np.array([1.0, 2.0, 0.5])))
    assert words in found.get(check, ""), found


def test_functions_of_torch() -> None:
    torch = pytest.importorskip("torch")
    assert certified(lambda x: torch.sum(torch.sin(x) * x)).right
    assert certified(lambda x: torch.sin(x) * x).right
    found = failed(certified(lambda x: torch.sum(x * x.detach())))
    assert "is 0.5 times" in found["what is wrong"]


NOTED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "over a distance: jump": (
        lambda x: ra.sum(x * x) + ra.where(x[0] > 1.003, 0.3, 0.0),
        "from 5.28 to 5.58",
    ),
    "over a distance: kink": (lambda x: ra.sum(abs(x - 1.001)), "from -3.46 to -1.15"),
    "noise": (lambda x: (float(np.float32(np.sum(x**2))), 2 * x), "e-08 of the value"),
}


@pytest.mark.parametrize("check", NOTED)
def test_what_is_noted(check: str) -> None:
    f, words = NOTED[check]
    found = certified(f)
    assert found.right
    noted = {f.check: (f.measured, f.advice) for f in found.findings if f.verdict == "note"}
    assert words in noted[check][0], noted
    if check != "noise":
        assert "test_certify.py:" in noted[check][1]  # the line to blame


FILE = """import numpy as np
AT = {"x": [1.0, 2.0]}
def right(x, y=2.0):
    return y * np.sum(x ** 2), (2 * y * x, np.sum(x ** 2))
def wrong(x):
    return np.sum(x ** 2), x
def number(x):
    return 1.0
def elsewhere(z):
    return z, 1.0
def nothing():
    return 1.0, ()
class Half:
    value = 3
    vjp = None
"""


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, page = tmp_path / "model.py", tmp_path / "right.html"
    file.write_text(FILE, encoding="utf-8")
    assert main(["certify", f"{file}:right", "--out", str(page)]) == 0
    assert "the gradient is right" in capsys.readouterr().out
    assert "right: the gradient is right" in page.read_text(encoding="utf-8")
    assert main(["certify", f"{file}:wrong", "--at", "x=3,4", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["right"], told["at"], told["value"]) == (False, {"x": [3.0, 4.0]}, 25.0)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["wrng"], "has no 'wrng'; did you mean wrong?"),
        (["number"], "number returned a float; wanted (value, gradient); --by names another tool"),
        (["elsewhere"], "no place to try elsewhere at: z is not known; give --at z=1.0,2.0"),
        (["nothing"], "nothing takes no arguments: there is nothing to differentiate it in"),
        (["Half"], "wanted a function, or an object with functions value and vjp"),
        (["right", "--at", "z=1"], "right takes no 'z'; there are x, y"),
        (["right", "--at", "x=one"], "x is 'one'; wanted numbers"),
        (["right", "--at", "x=none.npy"], "none.npy"),
    ],
)
def test_what_cannot_be_certified(
    typed: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.py"
    file.write_text(FILE, encoding="utf-8")
    assert main(["certify", f"{file}:{typed[0]}", *typed[1:]]) == 2 - ("npy" in typed[-1])
    assert told in capsys.readouterr().err
