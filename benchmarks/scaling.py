"""How the billiards gradient scales: with steps, with balls; compile times; the whole process.

    python benchmarks/scaling.py [--rounds 15] [--out FILE.md]

Medians; the sizes are interleaved. Compile times are measured without and with the object cache, in a cache of
this run's own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = [(4, 1024), (4, 4096), (4, 16384), (4, 65536), (6, 1024), (10, 1024), (14, 1024)]


def seconds(work: object) -> float:
    assert callable(work)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def scaling(rounds: int) -> list[str]:
    """A row for each size: compile times, forward, gradient, their ratio, scratch memory."""
    from rosephys import Problem, find_scene

    def problem(layers: int, steps: int) -> Problem:
        published = {"contact": "toi-position", "cushions": False}
        settings = {**published, "layers": layers, "steps": steps}
        made = Problem(find_scene("billiards", settings))
        made.compile()
        return made

    cold = [problem(*size) for size in SIZES]
    warm = [problem(*size) for size in SIZES]
    times: list[tuple[list[float], list[float]]] = [([], []) for _ in SIZES]
    for _ in range(rounds):
        for p, (forward, gradient) in zip(warm, times, strict=True):
            forward.append(seconds(lambda p=p: p.loss(p.values)))
            gradient.append(seconds(lambda p=p: p.value_and_gradient(p.values)))
    rows = [
        "| balls | steps | compile, s | from the cache, s | forward, ms | gradient, ms | ratio | µs a step "
        "| scratch, MB |",
        "|" + " --- |" * 9,
    ]
    for (layers, steps), c, w, (forward, gradient) in zip(SIZES, cold, warm, times, strict=True):
        f, g = statistics.median(forward), statistics.median(gradient)
        rows.append(
            f"| {1 + layers * (layers + 1) // 2} | {steps:,} | {c.compile_seconds:.3f} "
            f"| {w.compile_seconds:.3f} | {f * 1e3:.3g} | {g * 1e3:.3g} | {g / f:.2f} "
            f"| {g / steps * 1e6:.3g} | {w.scratch_bytes / 1e6:.3g} |"
        )
    return rows


def processes(rounds: int) -> list[str]:
    """Whole processes, against the import of what they depend on."""
    commands = {
        "import numpy, llvmlite": ["-c", "import numpy, llvmlite, llvmlite.binding"],
        "… and rose_ad": ["-c", "import numpy, llvmlite, llvmlite.binding, rose_ad"],
        "python -m rosephys gradient billiards": ["-m", "rosephys", "gradient", "billiards"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, args in commands.items():
            run = [sys.executable, *args]
            times[name].append(seconds(lambda r=run: subprocess.run(r, check=True, stdout=-3)))
    rows = ["| process, cached | seconds |", "| --- | --- |"]
    return rows + [f"| {name} | {statistics.median(ts[1:]):.2f} |" for name, ts in times.items()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(root))
    os.environ["PYTHONPATH"] = str(root)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["ROSE_AD_CACHE"] = cache
        text = "\n".join([*scaling(options.rounds), "", *processes(options.rounds), ""])
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
