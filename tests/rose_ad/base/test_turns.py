"""Threads that make each other's functions, and processes that fork meanwhile, come to an end."""

from __future__ import annotations

import os

import pytest

from tests.support.processes import python

# two functions that call each other with other constants, traced from either end
ACROSS = """
import sys, threading
import rose_ad as ra

def run(k):
    @ra.fn
    def f(x, n):
        return ra.sin(x) + g(x, n[:-1]) if n else x

    @ra.fn
    def g(x, n):
        return ra.cos(x) * f(x, n[:-1]) if n else x

    barrier = threading.Barrier(2)
    found = {}

    def work(name, start):
        barrier.wait()
        found[name] = start(0.5, "abcdefgh")

    threads = [threading.Thread(target=work, args=a, daemon=True) for a in (("f", f), ("g", g))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert set(found) == {"f", "g"}, found
    assert (found["f"], found["g"]) == (f(0.5, "abcdefgh"), g(0.5, "abcdefgh"))

sys.setswitchinterval(1e-5)
for k in range(100):
    run(k)
print("done")
"""

# a thread compiles one function after the other; a child compiles, and calls what its parent compiles
FORKS = """
import os, signal, threading, time
import numpy as np
import rose_ad as ra

stop = threading.Event()
shared = [ra.fn(lambda x, k=k: ra.sum(ra.exp(x * k))) for k in range(400)]

def compiling():
    for f in shared:
        if stop.is_set():
            return
        ra.grad(f)(np.ones(3))

batch = ra.vmap(lambda x: x * x, threads=2)
assert batch(np.arange(4.0))[3] == 9.0
thread = threading.Thread(target=compiling)
thread.start()
for k in range(100):
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # a child that hangs is killed
        good = ra.grad(shared[k])(np.zeros(3)).tolist() == [k] * 3
        good &= ra.fn(lambda x: x + k)(1.0) == 1.0 + k and batch(np.arange(4.0))[3] == 9.0
        import gc
        os._exit(0 if good and gc.isenabled() else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0, (k, status)
stop.set()
thread.join()
print("done")
"""


def test_functions_that_call_each_other_are_traced_from_many_threads() -> None:
    assert python(ACROSS, ROSE_AD_CACHE="off").split() == ["done"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.slow
def test_a_process_may_fork_while_a_thread_compiles() -> None:
    assert python(FORKS, "-W", "ignore", ROSE_AD_CACHE="off").split() == ["done"]
