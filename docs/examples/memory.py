"""What a gradient through many steps of smoke takes, by what it may keep: memory as stated and as measured.

    python docs/examples/memory.py           1,000 steps, a minute; Linux only

A compiled gradient states its scratch memory before it runs. Beside it stands how much the peak of the process
rose above where it was before the call; each line is a process of its own.
"""

from __future__ import annotations

import sys
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from rosephys import Problem, find_scene

ALL = 1 << 29
KEPT = (2 << 20, 32 << 20, ALL)  # bytes of states


def resident(which: str) -> int:
    """The process's memory in bytes: "VmRSS" now, "VmHWM" at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(which))


def measured(memory: int, steps: int) -> tuple[int, int, int, float]:
    """Stated bytes, bytes that the peak rises by, the peak of the whole process, and the seconds of a call."""
    problem = Problem(find_scene("smoke", {"steps": steps, "memory": memory}))
    stated = problem.scratch_bytes
    compiling = resident("VmHWM")
    Path("/proc/self/clear_refs").write_text("5")  # forget that peak
    before = resident("VmRSS")
    start = perf_counter()
    problem.value_and_gradient(problem.values)
    seconds = perf_counter() - start
    peak = resident("VmHWM")
    return stated, peak - before, max(compiling, peak), seconds


def main(steps: int = 1000) -> list[tuple[int, int, int, float]]:
    """Print the table; its rows."""
    rows = []
    print("memory=     stated, B   measured, B  process, MB  gradient, s")
    for memory in KEPT:
        with get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measured, (memory, steps)))
        stated, rise, peak, seconds = rows[-1]
        print(f"{memory:<10} {stated:>11,} {rise:>13,} {peak / 1e6:>12.0f} {seconds:>12.2f}")
    return rows


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
