"""What each mechanism of the optimiser and the back end is worth: the gradient without it, beside the gradient.

    python benchmarks/ablation.py [--rounds 20] [--scene NAME ...] [--out FILE.md]

Every variant is compiled afresh, its gradient compared with that of the whole, and timed in turn with the
others, so that what else the machine does falls on all alike; times are the processor's. Passes are left
out by a schedule of their own (docs/compiler.md), what has no pass by a patch.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

os.environ["ROSE_AD_CACHE"] = "off"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import rose_ad as ra
from rose_ad.ad import linearize
from rose_ad.ir import prims
from rose_ad.lower import aliasing, lowering
from rose_ad.rewrite.loops import arrange
from rose_ad.rewrite.strategy import Pass, Schedule
from rosephys import Problem, find_scene

SCENES: dict[str, dict[str, Any]] = {
    "billiards": {"steps": 1024, "contact": "toi-position", "cushions": False},
    "robot": {"robot": 3, "steps": 1364},
    "rigid": {"steps": 2047},
    "smoke": {},
    "wave": {},
    "channel": {"steps": 60},
}


@dataclass(frozen=True)
class Part:
    """A mechanism: what it does, and how it is left out."""

    about: str
    without: Callable[[], contextlib.AbstractContextManager[Schedule]]


@contextlib.contextmanager
def all_of_it() -> Iterator[Schedule]:
    yield ra.SCHEDULE


def no_pass(name: str) -> Callable[[], contextlib.AbstractContextManager[Schedule]]:
    """Without a pass of the schedule."""

    @contextlib.contextmanager
    def without() -> Iterator[Schedule]:
        idle = Pass(name, "left out", lambda block, *known: None)
        yield ra.SCHEDULE.mapped(lambda rule: rule, lambda p: idle if p.name == name else p)

    return without


def patched(
    target: Any, name: str, value: Any
) -> Callable[[], contextlib.AbstractContextManager[Schedule]]:
    """Without what has that name in a module."""

    @contextlib.contextmanager
    def without() -> Iterator[Schedule]:
        with mock.patch.object(target, name, value):
            yield replace(ra.SCHEDULE)

    return without


def uncut(loop: Any) -> list[tuple[int, int]]:
    """The whole range of a loop."""
    return [(0, loop.length)]


def nothing(*_: Any) -> None:
    """Do nothing."""


def by_libm(name: str, function: str) -> prims.Prim:
    """The row of a primitive, computed by the C library."""
    form = f"{{r}} = call {{t}} @{function}({{t}} {{0}})"
    return replace(prims.TABLE[name], llvm=lambda t: form)


@contextlib.contextmanager
def elementary_by_libm() -> Iterator[Schedule]:
    rows = {
        name: by_libm(name, name)
        for name in ("exp", "expm1", "tanh", "log", "log1p", "sin", "cos", "tan")
    }
    with mock.patch.dict(prims.TABLE, rows):
        yield replace(ra.SCHEDULE)


PARTS = {
    "—": Part("everything", all_of_it),
    "record": Part("the reverse pass visits what happened", no_pass("record")),
    "sink": Part("work in the branch that uses it", no_pass("sink")),
    "settle": Part("accumulators in the branch that adds", no_pass("settle")),
    "own_index": Part("accumulating at one's own index is building", no_pass("own_index")),
    "pull": Part("scatters to shifted places are gathers", no_pass("pull")),
    "arrange": Part("all that is done to loops before lowering", no_pass("arrange")),
    "· joined": Part("loops that read each other's rows are one", patched(arrange, "groups", lambda b: [])),
    "· parted": Part("loops that scatter compute first", patched(arrange, "in_two", lambda i: None)),
    "· chunks": Part("updates of weights, eight steps at once", patched(arrange, "in_chunks", lambda i: None)),
    "· rows": Part("sums of four rows at once", patched(arrange, "in_row_blocks", lambda i: None)),
    "· columns": Part("sums of columns in registers", patched(arrange, "in_column_blocks", lambda i: None)),
    "· untouched": Part("sums of nothing are not read", patched(arrange, "untouched", lambda b: {})),
    "unread": Part("no carries kept that nobody reads", patched(linearize, "leave_unread_unset", nothing)),
    "cuts": Part("loops cut where tests of their index turn", patched(lowering, "pieces", uncut)),
    "parallel": Part("LLVM is told which loops are parallel", patched(lowering, "is_plain", lambda i: False)),
    "apart": Part("LLVM is told what lies apart", patched(aliasing.Apart, "adding", lambda self, ref: "")),
    "elementary": Part("exp, tanh, sin … of our own, by vectors", elementary_by_libm),
}  # fmt: skip


class Variant:
    """The gradient of a scene without a part."""

    def __init__(self, problem: Problem, part: Part) -> None:
        self.args = problem.split(problem.values)
        with part.without() as schedule:
            f = ra.value_and_grad(ra.scheduled(problem.traced_loss, schedule))
            start = time.process_time()
            self.bytes = f.lower(*self.args).memory
            self.compile = time.process_time() - start
            self.f = f
            self.value, self.gradient = f(*self.args)
        self.times: list[float] = []

    def run(self) -> None:
        start = time.process_time()
        self.f(*self.args)
        self.times.append(time.process_time() - start)

    def apart(self, other: Variant) -> float:
        """The largest difference of the gradients, in parts of the largest entry."""
        worst = 0.0
        for name, g in self.gradient.items():
            size = np.abs(other.gradient[name]).max() or 1.0
            worst = max(worst, float(np.abs(g - other.gradient[name]).max() / size))
        return worst


def table(scene: str, rounds: int) -> str:
    """A scene's table."""
    problem = Problem(find_scene(scene, SCENES[scene]))
    variants = {name: Variant(problem, part) for name, part in PARTS.items()}
    whole = variants["—"]
    for _ in range(rounds):
        for variant in variants.values():
            variant.run()
    base = statistics.median(whole.times)
    lines = [
        f"{scene}, {', '.join(f'{k} = {v}' for k, v in SCENES[scene].items()) or 'as it is'}:",
        "",
        "| without | that is | gradient, ms | × | compile, × | scratch, kB | differs by |",
        "|" + " --- |" * 7,
    ]
    for name, v in variants.items():
        now = statistics.median(v.times)
        lines.append(
            f"| {name} | {PARTS[name].about} | {now * 1e3:.3g} | {now / base:.2f} "
            f"| {v.compile / whole.compile:.2f} | {v.bytes / 1e3:.0f} | {v.apart(whole):.0e} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--scene", nargs="+", choices=list(SCENES), default=list(SCENES))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    text = "\n".join(table(scene, options.rounds) for scene in options.scene)
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
