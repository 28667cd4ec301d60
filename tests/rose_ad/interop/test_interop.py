"""Other programs: torch, JAX, scipy and C call what was compiled here, and get its derivatives."""

from __future__ import annotations

import ctypes
import gc
import importlib
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.interop import c

V = np.array([0.5, -1.0, 2.0])
M = np.arange(6.0).reshape(2, 3) / 5


@ra.fn
def potential(x: Any, v: Any) -> Any:
    """A scalar and an array to a scalar and an array; it has a loop, a branch and an accumulator."""
    total = ra.accum()
    for i in ra.range(len(v)):
        with ra.when(v[i] > 0.0):
            total += ra.sin(x * v[i])
    return total * x, ra.exp(0.5 * v) * x


@ra.struct
class Spring:
    stiffness: ra.Real
    ends: ra.Vec


@ra.fn
def stretch(s: Spring, load: ra.Real = 0.5) -> Any:
    d = s.ends[1] - s.ends[0] - 1.0
    return 0.5 * s.stiffness * d * d + (s.stiffness - 2.0) ** 2 + load * s.ends[0] ** 2


@ra.fn
def entry(v: ra.Vec, k: ra.Int) -> Any:
    return v[k] * 2.0


def test_only_what_is_used_is_imported() -> None:
    assert set(dir(ra.interop)) == {"c", "jax", "scipy", "torch"}
    with pytest.raises(AttributeError, match="no 'tensorflow'"):
        _ = ra.interop.tensorflow


@pytest.mark.parametrize("package", ["torch", "jax"])
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"rose_ad.interop.{package}", raising=False)
    with pytest.raises(ImportError, match=rf"pip install rosephys\[{package}\]"):
        importlib.import_module(f"rose_ad.interop.{package}")


# -------------------------------------------------------------------------------------- torch


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


def tensors(torch: Any, *arrays: Any, dtype: Any = None) -> tuple[Any, ...]:
    return tuple(torch.tensor(a, dtype=dtype or torch.float64, requires_grad=True) for a in arrays)


def test_torch_gives_the_same(torch: Any) -> None:
    f = ra.interop.torch.function(potential)
    x, v = tensors(torch, 0.7, V)
    value, array = f(x, v)
    expected = potential(0.7, V)
    assert value.item() == expected[0] and np.array_equal(array.detach().numpy(), expected[1])
    assert value.shape == () and value.dtype == array.dtype == torch.float64
    (2.0 * value + array.sum()).backward()
    gx, gv = ra.vjp(potential, 0.7, V)[1]((2.0, np.ones(3)))
    assert x.grad.item() == gx and np.array_equal(v.grad.numpy(), gv)


def test_torch_checks_the_gradients(torch: Any) -> None:
    f = ra.interop.torch.function(potential)
    args = tensors(torch, 0.7, V)
    assert torch.autograd.gradcheck(f, args)
    assert torch.autograd.gradgradcheck(f, args)
    rows = ra.interop.torch.function(lambda m: ra.sin(m) * m[0])
    strided = torch.tensor(M).T.contiguous().T.requires_grad_()  # not row by row
    assert not strided.is_contiguous()
    assert torch.autograd.gradcheck(rows, (strided,))
    assert torch.autograd.gradgradcheck(rows, (strided,))


def test_torch_third_derivatives(torch: Any) -> None:
    f = ra.interop.torch.function(lambda x: ra.sin(2.0 * x))
    (x,) = tensors(torch, 0.3)
    y = f(x)
    for scale in (2 * np.cos(0.6), -4 * np.sin(0.6), -8 * np.cos(0.6)):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(scale)


def test_torch_single_precision_integers_and_numbers(torch: Any) -> None:
    f = ra.interop.torch.function(lambda v, k, s: (v * s, v[k], k + 1))
    (v,) = tensors(torch, V, dtype=torch.float32)
    scaled, picked, more = f(v, torch.tensor(2), np.float32(3.0))
    assert scaled.dtype == picked.dtype == torch.float32
    assert more.item() == 3 and not more.requires_grad
    (scaled.sum() + picked).backward()
    assert v.grad.tolist() == [3.0, 3.0, 4.0] and v.grad.dtype == torch.float32


def test_torch_structures_and_declared_types(torch: Any) -> None:
    f = ra.interop.torch.function(stretch)
    k, ends = tensors(torch, 3.0, [0.1, 2.0])
    f(Spring(k, ends), 0.25).backward()
    expected = ra.grad(stretch)(Spring(3.0, np.array([0.1, 2.0])), 0.25)
    assert k.grad.item() == expected.stiffness
    assert np.array_equal(ends.grad.numpy(), expected.ends)
    single = torch.tensor(3.0, requires_grad=True)  # declared Real: widened, its gradient narrowed
    f(Spring(single, ends.detach()), 0.25).backward()
    assert single.grad.item() == np.float32(expected.stiffness)


def test_torch_arguments_are_not_copied(torch: Any) -> None:
    seen: list[int] = []

    class Spy(ra.Fn):
        def __call__(self, *args: Any) -> Any:
            seen.append(args[0].ctypes.data)
            return potential(1.0, args[0])

    v = torch.tensor(V)
    ra.interop.torch.function(Spy("spy"))(v)
    assert seen == [v.data_ptr()]


def test_torch_tensors_elsewhere_are_refused(torch: Any) -> None:
    with pytest.raises(ra.TypeMismatch, match=r"x\.cpu\(\)"):
        ra.interop.torch.function(potential)(1.0, torch.zeros(3, device="meta"))


def test_torch_learns(torch: Any) -> None:
    loss = ra.interop.torch.function(lambda w, x, y: ra.mean((ra.matmul(x, w) - y) ** 2))
    rng = np.random.default_rng(0)
    data = rng.normal(size=(20, 3))
    x, y = torch.tensor(data), torch.tensor(data @ V)
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([w])

    def closure() -> Any:
        optimiser.zero_grad()
        found = loss(w, x, y)
        found.backward()
        return found

    optimiser.step(closure)
    assert w.detach().numpy() == pytest.approx(V, abs=1e-4)


# ---------------------------------------------------------------------------------------- JAX


@pytest.fixture
def jax() -> Any:
    found = pytest.importorskip("jax")
    found.config.update("jax_platforms", "cpu")
    found.config.update("jax_enable_x64", True)
    yield found
    found.config.update("jax_enable_x64", False)


def test_jax_gives_the_same(jax: Any) -> None:
    f = ra.interop.jax.function(potential)
    expected = potential(0.7, V)
    for g in (f, jax.jit(f)):
        value, array = g(0.7, V)
        assert value == expected[0] and np.array_equal(array, expected[1])
        assert value.dtype == array.dtype == np.float64


def test_jax_gradients(jax: Any) -> None:
    f = ra.interop.jax.function(potential)

    def loss(x: Any, v: Any) -> Any:
        value, array = f(x, v)
        return 2.0 * value + array.sum()

    expected = ra.vjp(potential, 0.7, V)[1]((2.0, np.ones(3)))
    for g in (jax.grad(loss, (0, 1)), jax.jit(jax.grad(loss, (0, 1)))):
        for found, wanted in zip(g(0.7, V), expected, strict=True):
            assert np.array_equal(found, wanted)
    hessian = jax.jit(jax.jacrev(jax.grad(loss, 1), 1))(0.7, V)
    h = 1e-5
    for k in range(3):
        e = h * np.eye(3)[k]
        difference = (jax.grad(loss, 1)(0.7, V + e) - jax.grad(loss, 1)(0.7, V - e)) / (2 * h)
        assert hessian[k] == pytest.approx(np.asarray(difference), abs=1e-8)


def test_jax_vmap(jax: Any) -> None:
    f = ra.interop.jax.function(potential)
    xs = np.linspace(0.1, 1.0, 4)
    values, arrays = jax.jit(jax.vmap(f, (0, None)))(xs, V)
    for x, value, array in zip(xs, values, arrays, strict=True):
        assert value == potential(x, V)[0] and np.array_equal(array, potential(x, V)[1])
    slopes = jax.vmap(jax.grad(lambda x: f(x, V)[0]))(xs)
    assert slopes.tolist() == [ra.grad(lambda x: potential(x, V)[0])(x) for x in xs]


def test_jax_integers_and_structures(jax: Any) -> None:
    f = ra.interop.jax.function(lambda s, k: {"end": s.ends[k] * s.stiffness, "next": k + 1})
    s = Spring(3.0, V)
    out = f(s, 2)
    assert out["end"] == 6.0 and out["next"] == 3 and out["next"].dtype == np.int64
    g = jax.grad(lambda a, ends: f(Spring(a, ends), 2)["end"], (0, 1))(3.0, V)
    assert g[0] == 2.0 and g[1].tolist() == [0.0, 0.0, 3.0]


def test_jax_single_precision(jax: Any) -> None:
    jax.config.update("jax_enable_x64", False)
    f = ra.interop.jax.function(stretch)  # its arguments are declared Real
    k = np.float32(3.0)
    ends = np.array([0.1, 2.0], np.float32)
    value, g = jax.value_and_grad(lambda k: f(Spring(k, ends), 0.25))(k)
    expected = ra.value_and_grad(stretch)(Spring(3.0, ends.astype(float)), 0.25)
    assert value.dtype == g.dtype == np.float32
    assert value == np.float32(expected[0]) and g == np.float32(expected[1].stiffness)


# -------------------------------------------------------------------------------------- scipy


def test_a_vector_stands_for_a_structure() -> None:
    example = {"a": Spring(3.0, np.array([1.0, 2.0])), "m": (M, 0.5)}
    o = ra.interop.scipy.objective(lambda s: ra.sum(s["m"][0]) + s["a"].ends[1], example)
    assert o.x0.tolist() == [3.0, 1.0, 2.0, *M.ravel(), 0.5]
    back = o.unravel(o.x0)
    assert isinstance(back["a"], Spring) and np.array_equal(back["m"][0], M)
    assert np.array_equal(o.ravel(back), o.x0)
    assert o.fun(o.x0) == M.sum() + 2.0
    assert o.jac(o.x0).tolist() == [0.0, 0.0, 1.0, *[1.0] * 6, 0.0]
    with pytest.raises(ra.TypeMismatch, match=r"write 2\.0 for 2"):
        ra.interop.scipy.objective(stretch, Spring(2, V))  # type: ignore[arg-type]


def test_derivatives_of_an_objective() -> None:
    o = ra.interop.scipy.objective(stretch, Spring(3.0, np.array([0.1, 2.0])), 0.25)
    h = 1e-5
    hess = o.hess(o.x0)
    for k, e in enumerate(np.eye(3)):
        plus, minus = o.x0 + h * e, o.x0 - h * e
        assert o.jac(o.x0)[k] == pytest.approx((o.fun(plus) - o.fun(minus)) / (2 * h), abs=1e-8)
        row = (o.jac(plus) - o.jac(minus)) / (2 * h)
        assert hess[k] == pytest.approx(row, abs=1e-8)
        assert o.hessp(o.x0, e) == pytest.approx(hess[:, k], abs=1e-14)
    assert hess == pytest.approx(hess.T, abs=1e-14)


def test_value_and_gradient_are_one_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    o = ra.interop.scipy.objective(lambda v: ra.dot(v, v), V)
    calls: list[Any] = []
    whole = o._value_and_grad
    monkeypatch.setattr(o, "_value_and_grad", lambda *a: calls.append(1) or whole(*a))
    x = o.x0.copy()
    assert o.fun(x) == V @ V and np.array_equal(o.jac(x), 2 * V) and len(calls) == 1
    o.jac(x)[0] = 99.0  # what it gave is the caller's
    assert np.array_equal(o.jac(x), 2 * V) and len(calls) == 1
    x[0] = 3.0  # scipy writes into x
    assert np.array_equal(o.jac(x), 2 * x) and len(calls) == 2


@pytest.mark.parametrize(
    ("method", "needs"),
    [("BFGS", "jac"), ("trust-ncg", "hessp"), ("trust-exact", "hess"), ("Newton-CG", "hessp")],
)
def test_scipy_minimises(method: str, needs: str) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    o = ra.interop.scipy.objective(stretch, Spring(3.0, np.array([0.3, 2.0])))
    further = {} if needs == "jac" else {needs: getattr(o, needs)}
    for found in (
        optimize.minimize(o.fun, o.x0, jac=o.jac, method=method, **further),
        optimize.minimize(o, o.x0, jac=True, method=method, **further),
    ):
        assert found.x == pytest.approx([2.0, 0.0, 1.0], abs=1e-4)


@pytest.mark.parametrize("times", [np.linspace(0.0, 1.0, 9), np.array([0.5])])
def test_scipy_fits(times: np.ndarray) -> None:
    def misfit(p: Any, t: Any, data: Any) -> Any:
        return {"data": p["a"] * ra.exp(-p["rate"] * t) - data, "prior": 1e-3 * p["rate"]}

    data = 2.0 * np.exp(-1.5 * times)
    r = ra.interop.scipy.residuals(
        misfit, {"a": 1.0, "rate": 1.0, "unused": np.zeros(2)}, times, data
    )
    jac, h = r.jac(r.x0), 1e-6
    assert jac.shape == (len(times) + 1, 4)
    for k, e in enumerate(np.eye(4)):
        difference = (r.fun(r.x0 + h * e) - r.fun(r.x0 - h * e)) / (2 * h)
        assert jac[:, k] == pytest.approx(difference, abs=1e-8)
    if len(times) > 4:
        optimize = pytest.importorskip("scipy.optimize")
        found = r.unravel(optimize.least_squares(r.fun, r.x0, jac=r.jac).x)
        assert found["a"] == pytest.approx(2.0, rel=1e-3)
        assert found["rate"] == pytest.approx(1.5, rel=1e-3)


# ------------------------------------------------------------------------------------------ C


def call(p: c.Pointer, *arrays: np.ndarray) -> int:
    """Call as C does: an array of addresses, and aligned scratch."""
    pointers = (ctypes.c_void_p * len(arrays))(*[a.ctypes.data for a in arrays])
    room = np.empty(p.scratch_bytes + 64, np.uint8)
    start = room.ctypes.data + -room.ctypes.data % 64
    status: int = p.function(ctypes.addressof(pointers), start)
    return status


def test_a_pointer_is_called_as_c_calls_it() -> None:
    p = c.pointer(ra.grad(lambda x, v: potential(x, v)[0], (0, 1)), 0.7, V)
    assert [repr(t) for t in (*p.arguments, *p.results)] == ["F64", "[3]F64", "F64", "[3]F64"]
    gx, gv = np.empty(()), np.empty(3)
    assert call(p, np.array(0.3), 2 * V, gx, gv) == 0
    expected = ra.grad(lambda x, v: potential(x, v)[0], (0, 1))(0.3, 2 * V)
    assert gx == expected[0] and np.array_equal(gv, expected[1])


def test_a_pointer_needs_its_scratch_only() -> None:
    n = 3000
    p = c.pointer(lambda v: ra.cumsum(ra.sin(v)) + ra.cumsum(ra.cos(v)), np.zeros(n))
    assert p.scratch_bytes >= 8 * n
    v, out = np.linspace(0, 1, n), np.empty(n)
    assert call(p, v, out) == 0
    assert out == pytest.approx(np.cumsum(np.sin(v)) + np.cumsum(np.cos(v)))


def test_a_status_says_what_failed() -> None:
    p = c.pointer(entry, V, 0)
    out = np.empty(())
    assert call(p, V, np.array(2), out) == 0 and out == 4.0
    status = call(p, V, np.array(3), out)
    assert status != 0
    line = entry.python.__code__.co_firstlineno + 2
    error = p.failure(status)
    assert isinstance(error, ra.OutOfRange)
    assert "length 3" in str(error) and f"{__file__}:{line}" in str(error)


def test_a_status_carries_what_python_raised() -> None:
    def refuse(x: Any) -> Any:
        raise ValueError("not today")

    p = c.pointer(lambda x: ra.opaque(refuse, ra.Real)(x) * 2.0, 1.0)
    status = call(p, np.array(1.0), np.empty(()))
    assert status != 0
    error = p.failure(status)
    assert isinstance(error, ValueError) and str(error) == "not today"


def test_the_code_lives_with_its_function() -> None:
    f = c.scalar(lambda x: ra.sin(x) * 3.0)
    bare = c.pointer(lambda x: x * 2.0, 1.0).function
    gc.collect()
    assert f(0.5) == pytest.approx(3.0 * np.sin(0.5))
    x, out = np.array(4.0), np.empty(())
    pointers = (ctypes.c_void_p * 2)(x.ctypes.data, out.ctypes.data)
    assert bare(ctypes.addressof(pointers), None) == 0 and out == 8.0


def test_functions_of_doubles() -> None:
    f = c.scalar(ra.grad(lambda x: ra.sin(x) * x))
    assert f(0.5) == pytest.approx(np.sin(0.5) + 0.5 * np.cos(0.5))
    g = c.vector(lambda v: ra.dot(v, ra.cumsum(v)), 3)
    numbers = (ctypes.c_double * 3)(*V)
    assert g(3, numbers) == pytest.approx(V @ np.cumsum(V))
    assert np.isnan(g(2, numbers)) and np.isnan(g(4, numbers))
    at = c.scalar(lambda x: ra.array([1.0, 2.0])[ra.to_int(x)])
    assert at(1.0) == 2.0 and np.isnan(at(2.0)) and at(0.0) == 1.0


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: c.scalar(lambda x: (x, x)), ra.TypeMismatch, "one double"),
        (lambda: c.scalar(lambda x: x > 0.0), ra.TypeMismatch, "one double"),
        (lambda: c.vector(lambda v: v, 3), ra.TypeMismatch, "one double"),
        (lambda: c.vector(lambda v: ra.sum(ra.sort(v)), 100_000), ra.MemoryLimit, "pointer"),
    ],
)
def test_what_c_cannot_call(make: Callable[[], Any], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_many_threads_call_one_function() -> None:
    f = c.vector(lambda v: ra.sum(ra.cumsum(ra.sin(v))), 500)
    wrong: list[float] = []

    def work(k: int) -> None:
        v = np.linspace(0, k, 500)
        numbers = (ctypes.c_double * 500)(*v)
        expected = np.cumsum(np.sin(v)).sum()
        wrong.extend(x for _ in range(200) if abs((x := f(500, numbers)) - expected) > 1e-9)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_scipy_integrates_c_functions() -> None:
    scipy = pytest.importorskip("scipy")
    integrate = pytest.importorskip("scipy.integrate")
    f = scipy.LowLevelCallable(c.scalar(lambda x: ra.exp(-x * x)))
    assert integrate.quad(f, -np.inf, np.inf)[0] == pytest.approx(np.sqrt(np.pi))
    g = scipy.LowLevelCallable(c.vector(lambda v: v[0] * v[1] ** 2, 2))
    assert integrate.nquad(g, [(0, 1), (0, 2)])[0] == pytest.approx(4 / 3)


def test_cffi_calls_c_functions() -> None:
    ffi = pytest.importorskip("cffi").FFI()
    f = c.scalar(lambda x: ra.sqrt(x))
    g = ffi.cast("double (*)(double)", ctypes.cast(f, ctypes.c_void_p).value)
    assert g(9.0) == 3.0


# -------------------------------------------------------------------------------- the document


DOCUMENT = Path(ra.__file__).parents[1] / "docs" / "interop.md"
EXAMPLES = re.findall(r"^## (.+?)\n(?:.*?)^```python\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_examples_of_the_document(
    title: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("torch", "jax", "scipy"):
        if f"import {package}" in code:
            pytest.importorskip(package)
    exec(compile(code, f"interop.md, {title}", "exec"), {"__name__": "example"})
    shown = capsys.readouterr().out
    expected = {
        "As text": [9.0],
        "In other processes": [2 * np.cos(0.5)],
        "torch": 2 * np.cos([0.2, 0.4]),
        "JAX": np.sin([0.2, 0.4]),
        "scipy": [2.0, 1.0],
        "C": [1.0, 0.0, 2.0, 4.0, 6.0],
    }[title]
    numbers = [
        float(x) for x in re.findall(r"-?\d+\.\d*(?:e[+-]?\d+)?|(?<![\w.])\d\b(?![\d.])", shown)
    ]
    assert numbers[: len(expected)] == pytest.approx(np.asarray(expected), abs=1e-4)
    assert len(EXAMPLES) == 6
