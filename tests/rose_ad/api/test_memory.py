"""Functions that are made, called and dropped leave nothing behind."""

from __future__ import annotations

import gc
import sys

import pytest

import rose_ad as ra
from rose_ad.base import source
from tests.support.processes import python

# closures over large constants, called, differentiated and batched; what is printed is the growth of
# resident memory, in bytes, while as many again are made as before: the least of three times, for what is
# kept is kept each time, and what an allocator holds back is not
CODE = """
import gc
import numpy as np
import rose_ad as ra

def resident():
    gc.collect()
    return 4096 * int(open("/proc/self/statm").read().split()[1])

def closure(k, size):
    table = np.full(size, float(k))
    inner = ra.fn(lambda x: ra.sum(x * table[:3]))

    def f(x):
        total = ra.accum()
        for i in ra.range(3):
            with ra.when(x[i] > 0):
                total += x[i] * ra.array(table)[i]
        return total + inner(x) + ra.sum(table)

    return f

def made(numbers, size):
    for k in numbers:
        f = closure(k, size)
        ra.fn(f)(np.ones(3))
        assert ra.grad(f)(np.ones(3)).tolist() == [2.0 * k] * 3
        ra.vmap(f)(np.ones((4, 3)))
    return resident()

seen = [made(range({warm} * k, {warm} * (k + 1)), {size}) for k in range(4)]
print(min(after - before for before, after in zip(seen, seen[1:])))
"""


# functions of Python code of their own, as a program that writes programs makes
WRITTEN = """
import gc
import rose_ad as ra

def resident():
    gc.collect()
    return 4096 * int(open("/proc/self/statm").read().split()[1])

def made(numbers):
    for k in numbers:
        f = ra.fn(eval(f"lambda x: ra.sum(ra.sin(x * {{k}}.5) + ra.array([x, x * {{k}}]))"))
        ra.grad(f)(1.0)
    return resident()

seen = [made(range({warm} * k, {warm} * (k + 1))) for k in range(4)]
print(min(after - before for before, after in zip(seen, seen[1:])))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's account of memory")
@pytest.mark.slow
def test_memory_of_functions_that_are_written() -> None:
    grown = int(python(WRITTEN.format(warm=80), ROSE_AD_CACHE="off"))
    assert grown < 3_000_000  # bytes; one of them takes 400,000


def test_locations_go_with_the_code() -> None:
    def made() -> int:
        f = ra.fn(eval("lambda x: ra.sin(x) + 1.0", {"ra": ra}))
        ra.grad(f)(1.0)
        gc.collect()
        return len(source._numbers)

    assert made() == made() == made()


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's account of memory")
@pytest.mark.slow
def test_memory_stays_where_it_is() -> None:
    grown = int(python(CODE.format(size=50_000, warm=40), ROSE_AD_CACHE="off"))
    assert grown < 12_000_000  # bytes; one of them takes 1,500,000
