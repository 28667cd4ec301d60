"""How long the optimiser takes for a function of 100,000 instructions.

    python benchmarks/optimise.py [--instructions 100000] [--rounds 3] [--only NAME]

Each function is made without rules and passes, so that everything is left to do; then all of the schedule is
run on it: a sweep, which tries every rule on every instruction, shares and hoists, and the passes of its stage,
of f when it has been traced or of a transpose. Tracing is what Python, run on traced values, takes with the
rules. Times are the processor's, the least of the rounds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

LENGTH, REACH = 8, 400


def chain(ra: Any, n: int) -> tuple[Any, Any]:
    """Each operation on the one before."""

    def f(x: Any) -> Any:
        for k in range(n // 2):
            x = ra.sin(x * (1.0 + k))
        return x

    return f, 1.0


def wide(ra: Any, n: int) -> tuple[Any, Any]:
    """Operations on values of some way before, each used about twice, a tenth of them done twice."""
    r = np.random.default_rng(0)
    drawn = [(int(k), int(a), int(b)) for k, a, b in r.integers(0, (3, REACH, REACH), (n, 3))]

    def f(x: Any) -> Any:
        v = [ra.sin(x[0] * (k + 1.0)) for k in range(REACH)]
        for k, (kind, a, b) in enumerate(drawn):
            p, q = v[-1 - a], v[-1 - b]
            value = p + q if kind == 0 else p - q if kind == 1 else p * q
            if k % 10 == 0:
                value = value * (p + q if kind == 0 else p - q if kind == 1 else p * q)
            v.append(value)
        return sum(v[-REACH:])

    return f, np.ones(LENGTH)


def straight(ra: Any, n: int) -> tuple[Any, Any]:
    """The scalar program of gradient_cost.py."""
    from gradient_cost import INPUTS, run_straight
    from gradient_cost import straight as program

    return lambda x: run_straight(program(n), x, ra), np.ones(INPUTS)


def loops(ra: Any, n: int) -> tuple[Any, Any]:
    """Loops one after the other, each with an accumulator that is an array."""

    def f(v: Any) -> Any:
        for k in range(n // 8):
            acc = ra.accum(LENGTH)
            for i in ra.range(LENGTH):
                acc[i] += ra.sin(v[i]) * (k + 1.0)
            v = acc.freeze()
        return ra.sum(v)

    return f, np.ones(LENGTH)


def branches(ra: Any, n: int) -> tuple[Any, Any]:
    """Branches one after the other, each with work to be sunk into it."""

    def f(x: Any) -> Any:
        for k in range(n // 5):
            y = ra.sin(x)
            x = ra.cond(x > float(k), lambda x=x, y=y: y + x, lambda x=x: x * 2.0)
        return x

    return f, 1.0


SHAPES: dict[str, Callable[[Any, int], tuple[Any, Any]]] = {
    f.__name__: f for f in (chain, wide, straight, loops, branches)
}


def measure(name: str, instructions: int) -> list[tuple[str, int, float | None, float, int]]:
    """For the function and for the reverse of its derivative: (what, size, trace, optimise, size then)."""
    import rose_ad as ra
    from rose_ad.base.garbage import uncollected
    from rose_ad.ir import queries
    from rose_ad.ir.in_force import under
    from rose_ad.rewrite.schedule import sweep
    from rose_ad.rewrite.strategy import seq
    from rose_ad.tracing import values

    nothing = seq()
    bare = replace(
        ra.SCHEDULE,
        rules=(),
        traced=nothing,
        linearised=nothing,
        derived=nothing,
        transposed=nothing,
        lowered=nothing,
    )
    f, x = SHAPES[name](ra, instructions)

    def traced(function: Any, schedule: Any) -> tuple[Any, float]:
        leaves, structure = ra.flatten(((x,), {}))
        types = [values.type_of(leaf) for leaf in leaves]
        start = time.process_time()
        with under(schedule):
            ir = function.specialise(structure, types).ir
        return ir, time.process_time() - start

    def optimised(block: Any, strategy: Any) -> tuple[float, int]:
        with uncollected():
            start = time.process_time()
            block = seq(sweep, strategy)(block)
            return time.process_time() - start, size(block)

    def size(block: Any) -> int:
        return sum(1 for _ in queries.instructions(block))

    _, seconds = traced(ra.fn(f), replace(ra.SCHEDULE, traced=nothing))
    raw, _ = traced(ra.fn(f), bare)
    rows = [(name, size(raw.block), seconds, *optimised(raw.block, ra.SCHEDULE.traced))]

    def reversed(n: int) -> Any:
        """The reverse of the derivative of a function, itself tidy, of about n instructions."""
        f, _ = SHAPES[name](ra, n)
        gradient, _ = traced(ra.grad(f), replace(bare, traced=ra.SCHEDULE.traced))
        return max((g.block for g in queries.callees(gradient) if g.name.endswith(".T")), key=size)

    sample = instructions // 20
    reverse = reversed(sample * instructions // size(reversed(sample)))
    rows.append(
        (f"{name}, reverse", size(reverse), None, *optimised(reverse, ra.SCHEDULE.transposed))
    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--instructions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=tuple(SHAPES), action="append")
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    print("| function | instructions | trace, s | optimise, s | instructions then |")
    print("|" + " --- |" * 5)
    for name in options.only or SHAPES:
        rounds = [measure(name, options.instructions) for _ in range(options.rounds)]
        for found in zip(*rounds, strict=True):
            what, before, trace, _, after = found[0]
            shown = "" if trace is None else f"{min(row[2] or 0.0 for row in found):.2f}"
            least = min(row[3] for row in found)
            print(f"| {what} | {before:,} | {shown} | {least:.2f} | {after:,} |", flush=True)


if __name__ == "__main__":
    main()
