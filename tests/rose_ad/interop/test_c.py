"""C calls what was compiled here: pointers, scratch, statuses."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.interop import c
from tests.support.functions import V, potential


@ra.fn
def entry(v: ra.Vec, k: ra.Int) -> Any:
    return v[k] * 2.0


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
