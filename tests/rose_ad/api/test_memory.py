"""Functions that are made, called and dropped leave nothing behind."""

from __future__ import annotations

import sys

import pytest

from tests.support.processes import python

# closures over large constants, called, differentiated and batched; what is printed is the growth of
# resident memory, in bytes, while as many again are made as before
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

print(-made(range({warm}), {size}) + made(range({warm}, 2 * {warm}), {size}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's account of memory")
@pytest.mark.slow
def test_memory_stays_where_it_is() -> None:
    grown = int(python(CODE.format(size=50_000, warm=60), ROSE_AD_CACHE="off"))
    assert grown < 12_000_000  # bytes; one of them takes 1,500,000
