"""Ctrl-C, and any other signal, is answered in every kind of long loop, again and again."""

from __future__ import annotations

import os

import pytest

import rose_ad as ra
from tests.support.processes import python

PROGRAMS = """
import rose_ad as ra
import numpy as np

LONG = 10**12

def added(a, n):
    total = ra.accum()
    for i in ra.range(n):
        total += ra.sin(a * i)
    return total

def steps(n, f=lambda s, a: s * a + 1.0):
    return lambda a: ra.fori_loop(0, n, lambda i, s: f(s, a), a)

def walk(a):
    return ra.while_loop(lambda s: s < 1e300, lambda s: s + a, 0.0)

inner = ra.fn(steps(10**7))
called = ra.fn(lambda a: ra.fori_loop(0, 10**6, lambda i, s: inner(s) + inner(2.0 * s), a))
binomial = ra.grad(lambda a: ra.fori_loop(0, 10**8, lambda i, s: ra.sin(s) * a, a, checkpoint=10))
ones = np.ones(10**6)
image = ra.fn(lambda a: ra.fori_loop(0, 10**6, lambda i, s: ra.sum(ra.sin(s * a)) * ones, ones))
back = ra.opaque(lambda x: x + 1.0, ra.Real)
PROGRAMS = {
    "while": (walk, 1.0),
    "scan": (steps(LONG), 0.5),
    "scan in scan": (steps(10**6, lambda s, a: steps(10**4)(s) * a), 0.5),
    "range": (lambda a: added(a, LONG), 0.5),
    "traced range": (added, 0.5, LONG),
    "build in scan": (image, 0.5),
    "rewind": (binomial, 0.5),
    "tangent": (lambda a: ra.jvp(steps(LONG), (a,), (a,)), 0.5),
    "lanes": (ra.vmap(steps(LONG)), np.ones(9)),
    "while in lanes": (ra.vmap(walk), np.ones(9)),
    "range in lanes": (ra.vmap(added), np.ones(9), np.full(9, LONG)),
    "call": (called, 0.5),
    "opaque": (steps(LONG, lambda s, a: back(s)), 0.5),
}
"""

INTERRUPTED = """
import os, signal, sys, threading, time

name, how = {name!r}, {how!r}
f, *args = PROGRAMS[name]
f = ra.fn(f)
f.lower(*args)
signal.signal(signal.SIGINT, signal.default_int_handler)  # which is not there where a shell ignores Ctrl-C
if how == "alarm":
    def raising(*_):
        raise TimeoutError
    signal.signal(signal.SIGALRM, raising)
for _ in range({times}):
    if how == "alarm":
        signal.setitimer(signal.ITIMER_REAL, 0.05)
    else:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        f(*args)
    except (TimeoutError if how == "alarm" else KeyboardInterrupt):
        continue
    sys.exit("was not interrupted")
assert ra.fn(steps(3))(0.0) == 1.0
print("done")
"""

NAMES = [
    "while", "scan", "scan in scan", "range", "traced range", "build in scan", "rewind", "tangent", "lanes",
    "while in lanes", "range in lanes", "call", "opaque",
]  # fmt: skip


def interrupted(name: str, how: str, times: int, before: str = "") -> str:
    return python(PROGRAMS + before + INTERRUPTED.format(name=name, how=how, times=times))


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to itself")
@pytest.mark.parametrize("name", NAMES)
def test_a_long_loop_can_be_interrupted(name: str) -> None:
    assert interrupted(name, "Ctrl-C", 2).split() == ["done"]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to itself")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["while", "call", "lanes", "opaque"])
def test_a_hundred_times(name: str) -> None:
    assert interrupted(name, "Ctrl-C", 100).split() == ["done"]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to itself")
@pytest.mark.parametrize("name", ["scan", "call"])
def test_other_signals_are_answered(name: str) -> None:
    assert interrupted(name, "alarm", 2).split() == ["done"]


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to itself")
@pytest.mark.parametrize("name", ["scan", "call"])
def test_functions_called_through_ctypes(name: str) -> None:
    through = "import rose_ad.native.program\nrose_ad.native.program.native = lambda *_: None\n"
    assert interrupted(name, "Ctrl-C", 2, through).split() == ["done"]


def test_a_handler_that_does_not_raise_lets_the_loop_go_on() -> None:
    code = """
import signal
seen = []
signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
assert ra.fn(steps(10**9))(0.5) == 2.0
signal.setitimer(signal.ITIMER_REAL, 0.0)
assert len(seen) > 1, seen
print("done")
"""
    assert python(PROGRAMS + code).split() == ["done"]


def test_short_programs_ask_nothing() -> None:
    def f(x: float) -> float:
        return ra.fori_loop(0, 1000, lambda i, s: ra.sin(s), x)  # type: ignore[no-any-return]

    assert "rose_poll" not in ra.grad(f).lower(1.0).llvm
    long = ra.fn(lambda x: ra.fori_loop(0, 10**9, lambda i, s: ra.sin(s), x))
    assert long.lower(1.0).llvm.count("call i64 @rose_poll") == 1
