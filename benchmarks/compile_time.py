"""How long a straight-line program takes to trace, differentiate and compile, by its number of operations.

    python benchmarks/compile_time.py [--rounds 3] [--out FILE.md]

The gradient of a random program of + - * / sin sqrt (that of gradient_cost.py), from the decorated function to
the first gradient; each time in a fresh process, without the object cache, the fastest of the rounds. Times are
the processor's, of which one is used, so that what else the machine does counts little. Importing is not in the
total. A loop takes no longer than one of its steps does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SIZES = (100, 1_000, 5_000, 20_000)
PHASES = ("trace", "linearise", "transpose", "lower", "LLVM", "total", "run")


def measure(operations: int) -> dict[str, float]:
    """Seconds of each phase, and of a run of the gradient."""
    import numpy as np
    from gradient_cost import INPUTS, run_straight, straight

    import rose_ad as ra
    from rose_ad.ad.linearize import linearize
    from rose_ad.ad.transpose import transpose
    from rose_ad.api.pipeline import lowered
    from rose_ad.ir import types

    program = straight(operations)
    x = 0.3 * np.cos(np.arange(INPUTS))
    marks = [time.process_time()]

    def mark() -> None:
        marks.append(time.process_time())

    f = ra.fn(lambda x: run_straight(program, x, ra))
    structure, types = ra.flatten(((x,), {}))[1], [types.array_type(x.shape, types.F64)]
    ir = f.specialise(structure, types).ir
    mark()
    derivative = linearize(ir, (True,))
    mark()
    tangents = len(derivative.active_params)
    transpose(derivative.lin, tuple(k < tangents for k in range(len(derivative.lin.params))))
    gradient = ra.value_and_grad(f)
    whole = gradient.specialise(structure, types).ir
    mark()
    gradient(x)
    mark()
    lowered(whole)  # once more, to know its share
    mark()
    trace, linear, turned, compiled, text = np.diff(marks)
    least = min(_seconds(gradient, x) for _ in range(200))
    values = (trace, linear, turned, text, compiled - text, marks[4] - marks[0], least)
    return dict(zip(PHASES, map(float, values), strict=True))


def _seconds(f: Any, x: Any) -> float:
    start = time.perf_counter()
    f(x)
    return time.perf_counter() - start


def table(rounds: int) -> list[str]:
    """A row for each size."""
    rows = [
        "| operations | " + ", s | ".join(PHASES[:-1]) + ", s | gradient, µs |",
        "|" + " --- |" * (len(PHASES) + 1),
    ]
    for n in SIZES:
        run = [sys.executable, __file__, "--measure", str(n)]
        environment = {**os.environ, "ROSE_AD_CACHE": "off"}
        found: list[dict[str, float]] = [
            json.loads(subprocess.run(run, check=True, capture_output=True, env=environment).stdout)
            for _ in range(rounds)
        ]
        best = min(found, key=lambda times: times["total"])
        cells = [f"{best[p]:.3f}" for p in PHASES[:-1]] + [f"{best['run'] * 1e6:.3g}"]
        rows.append(f"| {n:,} | {' | '.join(cells)} |")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    text = "\n".join([*table(options.rounds), ""])
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
