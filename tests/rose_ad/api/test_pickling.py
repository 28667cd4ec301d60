"""Functions in other processes: what was traced works there, derivatives of it too; what was not is told."""

from __future__ import annotations

import copy
import dataclasses
import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.api import derive
from rose_ad.base import source
from rose_ad.ir.pickling import reduced
from rose_ad.tracing import values

ROOT = Path(ra.__file__).parents[1]
X, V = 0.7, np.array([0.5, -1.0, 2.0])


def spring(x: ra.Real, stiffness: ra.Real = 2.0) -> Any:
    """The energy of a spring."""
    return 0.5 * stiffness * x**2


@ra.fn
def energy(x: ra.Real, v: ra.Vec, *, power: int = 2) -> Any:
    """It calls another function, and has every kind of loop."""
    total = ra.accum()
    for i in ra.range(len(v)):
        with ra.when(v[i] > 0.0):
            total += inner(x, 3.0) * v[i] ** power
    last, _ = ra.scan(lambda c, e: (ra.sin(c + e), None), x, v)
    return total + last


inner = ra.fn(spring)


@ra.fn
def entry(v: ra.Vec, k: ra.Int) -> Any:
    return v[k] * 2.0  # the line that fails


def closure(factor: float) -> ra.Fn:
    def scaled(x: ra.Real) -> Any:
        return factor * ra.sin(x)

    return ra.fn(scaled)


def again(f: Any) -> Any:
    return pickle.loads(pickle.dumps(f))


def apart(f: Any, program: str) -> str:
    """What a program prints that has the unpickled `f`, in an interpreter that cannot import this module."""
    code = f"""
import pickle, sys
sys.path[:0] = [{str(ROOT)!r}]
import numpy as np
import rose_ad as ra
from rose_ad.ir.pickling import reduced
sys.modules["tests"] = None  # it cannot be imported
f = pickle.load(sys.stdin.buffer)
assert not any("test_pickling" in name for name in sys.modules)
{program}
"""
    env = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        input=pickle.dumps(f),
        env=env,
        cwd="/",
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def number(text: str) -> Any:
    return np.array(text.replace("[", " ").replace("]", " ").split(), float)


# ------------------------------------------------------------------------------- in this process


def test_it_computes_the_same() -> None:
    value = energy(X, V)
    f = again(energy)
    assert (f.__name__, f.__doc__, f.__module__) == (
        energy.__name__,
        energy.__doc__,
        energy.__module__,
    )
    assert f(X, V) == value
    assert str(f) == str(energy)


def test_arguments_are_converted_as_they_are_declared() -> None:
    f = closure(3.0)
    expected = f(2.0)
    assert again(f)(2) == expected == again(f)(np.float32(2.0))
    with pytest.raises(ra.TypeMismatch, match="is declared F64"):
        again(f)(V)


def test_derivatives_of_an_unpickled_function() -> None:
    f = closure(3.0)
    f(X)
    g = again(f)
    assert ra.grad(g)(X) == pytest.approx(3.0 * np.cos(X))
    assert ra.grad(ra.grad(g))(X) == pytest.approx(-3.0 * np.sin(X))
    assert ra.jvp(g, (X,), (2.0,))[1] == pytest.approx(6.0 * np.cos(X))
    assert ra.vjp(g, X)[1](2.0)[0] == pytest.approx(6.0 * np.cos(X))
    assert ra.fn(lambda x: g(x) * x)(X) == pytest.approx(3.0 * np.sin(X) * X)


@pytest.mark.parametrize(
    "make",
    [
        lambda f: ra.grad(f),
        lambda f: ra.value_and_grad(f, argnums=(0, 1)),
        lambda f: ra.grad(ra.fn(lambda *a: (f(*a), f(*a) * 2.0)), has_aux=True),
        lambda f: ra.grad(lambda x, v: ra.grad(f)(x, v)),
        lambda f: ra.hessian(f),
        lambda f: ra.checkpoint(f),
        lambda f: derive._derived(derive._Forward, f),
    ],
)
def test_derived_functions(make: Callable[[ra.Fn], ra.Fn]) -> None:
    f = make(energy)
    args: tuple = (X, V)
    if f.__name__.endswith("jvp"):
        args = (args, (0.3, V))
    found = f(*args)
    for x, y in zip(ra.flatten(again(f)(*args))[0], ra.flatten(found)[0], strict=True):
        assert np.array_equal(x, y)


def test_every_specialisation_travels() -> None:
    f = ra.fn(lambda x: ra.sum(x) if isinstance(x, values.TracedArray) else x)
    cases = (1.5, 2, True, np.float32(1.5), V, V.astype(np.float32), np.ones((2, 3)))
    expected = [f(x) for x in cases]
    g = again(again(f))  # and on from there
    for x, y in zip(cases, expected, strict=True):
        assert g(x) == y and type(g(x)) is type(y)


@ra.struct
class Body:
    mass: ra.Real
    at: ra.Vec


def test_structures() -> None:
    def move(b: Any, how: str) -> Any:
        return {"body": Body(b.mass * 2.0, -b.at), "how": (how, [b.mass])}

    f = ra.fn(move)
    f(Body(1.0, V), "up")
    out = again(f)(Body(3.0, V), "up")
    assert out["how"] == ("up", [3.0]) and isinstance(out["body"], Body)
    assert out["body"].mass == 6.0
    with pytest.raises(ra.TraceError, match="not traced for such arguments"):
        again(f)(Body(3.0, V), "down")


def test_a_copy_is_the_function_itself() -> None:
    f = closure(2.0)
    assert copy.copy(f) is f and copy.deepcopy([f])[0] is f
    gradient = ra.grad(f)
    assert copy.deepcopy({"g": gradient})["g"] is gradient

    @dataclasses.dataclass
    class Model:
        loss: ra.Fn
        at: np.ndarray

    model = copy.deepcopy(Model(f, V))
    assert model.loss is f and model.at is not V


def test_one_function_stays_one() -> None:
    f = closure(2.0)
    f(X)
    a, b, gradient = again((f, f, ra.grad(f)))
    assert a is b and gradient.base is a


# ------------------------------------------------------------------- derivatives that users give


@ra.custom_jvp
def exponential(x: ra.Real) -> Any:
    return ra.exp(x)


@exponential.defjvp
def _exponential_jvp(primals: Any, tangents: Any) -> Any:
    y = exponential(primals[0])  # the derivative calls the function
    return y, y * tangents[0]


def clipped() -> ra.Fn:
    """The identity, with a gradient of at most 1."""

    @ra.custom_vjp
    def identity(x: ra.Real) -> Any:
        return 1.0 * x

    identity.defvjp(lambda x: (1.0 * x, ()), lambda _, ct: (ra.clip(ct, -1.0, 1.0),))
    return identity


def doubled(x: Any) -> Any:
    """Python that is called back."""
    return 2.0 * np.sin(x)


def doubled_vjp(x: Any, ct: Any) -> Any:
    return 2.0 * np.cos(x) * ct


called_back = ra.opaque(doubled, ra.Real, vjp=doubled_vjp)


def test_rules_travel() -> None:
    f = ra.fn(lambda x: exponential(2.0 * x) + x)
    value = f(X)
    for g in (again(f), again(again(f))):
        assert g(X) == value
        assert ra.grad(g)(X) == pytest.approx(2 * np.exp(2 * X) + 1)
        assert ra.grad(ra.grad(g))(X) == pytest.approx(4 * np.exp(2 * X))
    assert ra.grad(again(exponential))(X) == pytest.approx(np.exp(X))
    flat = clipped()
    steep = ra.fn(lambda x: flat(x) * 10.0 + ra.stop_gradient(x) * x)
    steep(X)
    assert ra.grad(again(steep))(X) == ra.grad(steep)(X) == 1.0 + X
    solved = ra.fn(lambda a: ra.sum(ra.solve(a, V)))
    a = np.eye(3) + 0.1 * np.arange(9.0).reshape(3, 3)
    solved(a)
    assert ra.grad(again(solved))(a) == pytest.approx(ra.grad(solved)(a))


def test_rules_travel_to_other_processes() -> None:
    flat = clipped()
    f = ra.fn(lambda x: flat(3.0 * exponential(x)))
    f(X)
    assert float(apart(f, f"print(ra.grad(f)({X!r}))")) == ra.grad(f)(X)


def test_python_that_is_called_back_travels_by_its_name() -> None:
    f = ra.fn(lambda x: called_back(x) * x)
    f(X)
    g = again(f)
    assert g(X) == f(X)
    assert ra.grad(g)(X) == pytest.approx(2 * np.sin(X) + 2 * X * np.cos(X))
    local = ra.fn(lambda x: ra.opaque(lambda y: y + 1.0, ra.Real)(x))
    local(X)
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(local)


def test_deep_calls_and_shared_ones() -> None:
    f = ra.fn(lambda x: ra.sin(x))
    for _ in range(150):
        f = ra.fn(lambda x, f=f: f(x) * 0.5 + inner(x))
    value = f(X)
    data = pickle.dumps(f)
    assert pickle.loads(data)(X) == value
    assert len(data) < 150 * 3000


# ----------------------------------------------------------------------------- other arguments


def test_a_function_at_the_top_of_a_module_can_be_traced_again() -> None:
    for f in (inner, energy):
        assert again(f).python.module == f.__module__
    assert again(inner)(X, stiffness=3.0) == spring(X, 3.0)
    assert again(energy)(X, V, power=3) == energy(X, V, power=3)


def test_one_that_is_not_says_what_to_do() -> None:
    f = closure(3.0)
    g = again(f)
    with pytest.raises(ra.TraceError) as error:
        g(X)
    for words in ("(F64)", "before it is pickled", __file__):
        assert words in str(error.value)
    f(X)
    assert again(f)(X) == f(X)


# ------------------------------------------------------------------------------- other processes


def test_in_an_interpreter_without_the_source() -> None:
    energy(X, V)
    f = closure(3.0)
    f(X)
    args = f"{X!r}, np.array({V.tolist()})"
    assert float(apart(energy, f"print(f({args}))")) == energy(X, V)
    out = apart(energy, f"print(*ra.grad(f, (0, 1))({args}))")
    assert number(out) == pytest.approx(np.hstack(ra.grad(energy, (0, 1))(X, V)))
    second = ra.grad(ra.grad(f))
    assert float(apart(second, f"print(f({X!r}))")) == pytest.approx(second(X))


def test_there_a_new_kind_of_argument_is_refused() -> None:
    energy(X, V)
    out = apart(
        energy,
        """
try:
    f(0.7, np.ones(5))
except ra.TraceError as error:
    print(error)
""",
    )
    assert "not traced for such arguments (F64, [5]F64)" in out and "No module named" in out


def test_there_errors_name_the_users_line() -> None:
    entry(V, 0)
    source, first = Path(__file__).read_text().splitlines(), entry.python.__code__.co_firstlineno
    line = next(k for k in range(first, first + 5) if "the line that fails" in source[k - 1])
    program = """
try:
    f(np.ones(3), 5)
except ra.OutOfRange as error:
    print(error)
"""
    out = apart(entry, program)
    assert f"{__file__}:{line}" in out and "^^^^" in out
    grad = ra.grad(entry)
    with pytest.raises(ra.OutOfRange, match=f"{__file__}:{line}"):
        again(again(grad))(V, -1)


def test_errors_come_back_from_other_processes() -> None:
    with pytest.raises(ra.OutOfRange) as error:
        entry(V, 7)
    back = again(again(error.value))
    assert type(back) is ra.OutOfRange and str(back) == str(error.value)
    assert (back.what, back.instead) == (error.value.what, error.value.instead)
    assert source.name_of(back.location) == source.name_of(error.value.location)
    with pytest.raises(ra.ParseError) as wrong:
        ra.parse("fn f(")
    assert again(wrong.value).line == 1


def apply(f: ra.Fn, x: Any, k: int) -> Any:
    return f(x, k)


def test_a_pool_of_processes() -> None:
    spawn = multiprocessing.get_context("spawn")
    gradient = ra.grad(entry)
    gradient(V, 1)
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        jobs = [pool.submit(gradient, V, k) for k in (0, 2, 3)]
        assert jobs[0].result().tolist() == [2.0, 0.0, 0.0]
        assert jobs[1].result().tolist() == [0.0, 0.0, 2.0]
        with pytest.raises(ra.OutOfRange, match="the line that fails"):
            jobs[2].result()
        assert pool.submit(apply, entry, np.ones(2), 1).result() == 2.0  # traced there


# ------------------------------------------------------------------------------------- damage


def test_damage_is_noticed() -> None:
    ir = energy.lower(X, V).program.function
    rebuild, (text, checksum, *rest), _ = reduced(ir)
    assert str(rebuild(text, checksum, *rest)) == str(ir)
    for at in range(0, len(text), 17):
        damaged = text[:at] + "5" + text[at + 1 :]
        if damaged != text:
            with pytest.raises(ra.RoseError, match="damaged"):
                rebuild(damaged, checksum, *rest)


def test_what_a_function_was_compiled_to() -> None:
    lowered = energy.lower(X, V)
    found = again(lowered)
    assert (found.ir, found.llvm, found.memory) == (lowered.ir, lowered.llvm, lowered.memory)
    assert found.asm and found.compile_seconds >= 0.0


def test_derivatives_at_a_point() -> None:
    """What linearize and vjp give, for one that has captured nothing, here and in another process."""
    f = ra.fn(lambda x, d: {"a": ra.sin(x) * d["b"], "n": 3})
    args = 1.0, {"b": np.ones(3)}
    _, tangent = ra.linearize(f, *args)
    _, cotangents = ra.vjp(f, *args)
    _, with_aux, _ = ra.vjp(lambda x: (ra.sin(x), None), 1.0, has_aux=True)
    for found, given in (
        (tangent, (1.0, {"b": np.zeros(3)})),
        (cotangents, ({"a": np.ones(3), "n": 0},)),
        (with_aux, (2.0,)),
    ):
        again = pickle.loads(pickle.dumps(found))
        for a, b in zip(ra.flatten(found(*given))[0], ra.flatten(again(*given))[0], strict=True):
            np.testing.assert_array_equal(a, b)
