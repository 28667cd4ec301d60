"""How much LLVM is asked for, and where its code is linked."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.native.jit import levels_for
from tests.support.checks import checked_gradient
from tests.support.processes import python

FIELD = np.random.default_rng(1).normal(size=(6, 7))


def test_long_straight_code_is_compiled_in_one_sweep() -> None:
    def f(v: Any) -> Any:
        x, total = list(v[:7]), 0.0
        for k in range(700):
            x.append(ra.sin(x[k] * x[k + 3]) + 0.5 * x[k + 6])
            total = total + x[-1]
        return total

    gradient, _ = checked_gradient(f, FIELD[0])
    assert np.abs(gradient[0]).max() > 0
    assert levels_for(ra.value_and_grad(f).lower(FIELD[0]).llvm) == (0, 0)
    assert levels_for(ra.fn(lambda v: ra.sum(v)).lower(FIELD[0]).llvm) == (2, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="makes a full address space by Linux's mmap")
def test_code_is_linked_where_memory_near_it_is_taken() -> None:
    """Of the pages that are free, the first has none within 2 GiB, so that code and the constants it reads may
    not be allocated one by one: relative addresses have 32 bits."""
    code = """
import ctypes
import rose_ad as ra
from rose_ad.native import jit

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def taken(size):  # PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    return libc.mmap(None, size, 0, 0x4022, -1, 0)


class Code(jit.Code):
    def __init__(self, *args):
        far, pages = taken(3 << 30), []
        while not pages or pages[-1] > far:
            pages.append(taken(4096))
        assert libc.munmap(pages[-2], 4096) == 0
        super().__init__(*args)


from rose_ad.native import program
program.Code = Code
print(ra.grad(lambda x: ra.fori_loop(0, 10, lambda i, s: s * x + 1.234 * ra.sin(x), x))(1.0))
"""
    expected = ra.grad(lambda x: ra.fori_loop(0, 10, lambda i, s: s * x + 1.234 * ra.sin(x), x))(
        1.0
    )
    assert float(python(code)) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's account of memory")
def test_a_compilation_leaves_nothing_behind() -> None:
    code = """
from rose_ad.native.jit import _emit_object

def resident():
    return 4096 * int(open("/proc/self/statm").read().split()[1])

def compiled(count):
    for _ in range(count):
        _emit_object("define i64 @rose_entry(ptr %p, ptr %s) {\\n  ret i64 0\\n}\\n", (2, 2))
    return resident()

print(-compiled(200) + compiled(400))
"""
    assert int(python(code)) < 400 * 8_000  # bytes; the passes of a pipeline alone are 48,000
