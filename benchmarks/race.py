"""One job, its loss and gradient, done by all peers side by side: what billiards.py and robot.py share.

Every peer lives in its own process and is asked for one short round of calls in turn, again
and again, so that whatever else the machine does falls on all of them alike. The table shows
medians over the rounds. README.md says what is timed and how each peer is written.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from peers import Peer, select

Message = dict[str, Any]


@dataclass(frozen=True)
class Race:
    """What is run: a job, named "module:Class" with its numbers, and who does it.

    `reference` makes the gradient that the peers' digits are counted against, or raises RuntimeError.
    `given` is what peers in another language are told of the job, which they cannot make themselves.
    """

    title: str
    job: str
    numbers: tuple[int, ...]
    peers: tuple[Peer, ...]
    reference: Callable[[], np.ndarray]
    given: Message = field(default_factory=dict)


REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # us is this checkout, whatever is installed

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
NO_CACHE = {
    "ROSE_AD_CACHE": "off",
    "JAX_ENABLE_COMPILATION_CACHE": "0",
    "TI_OFFLINE_CACHE": "0",
}


@dataclass
class Result:
    """What is known of a peer; `skipped` says why it has no row. Times are in seconds."""

    name: str
    label: str
    skipped: str = ""
    first_gradient: float = 0.0  # with everything that had to be built for it
    gradient: list[float] = field(default_factory=list)
    loss_times: list[float] = field(default_factory=list)  # of a call, one a round
    gradient_times: list[float] = field(default_factory=list)
    grown_bytes: int | None = None
    tape_bytes: int | None = None
    digits: float | None = None  # of the gradient that agree with the reference


# ---- asking the peers ----------------------------------------------------------------------


class Process:
    """A peer's worker (worker.py or a peer's own .mjs) and what it has answered so far."""

    def __init__(self, peer: Peer, command: list[str], environment: dict[str, str]) -> None:
        self.peer, self.spent = peer, 0.0
        self.result = Result(peer.name, peer.label)
        self.pipes = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )

    def answer(self, patience: float) -> Message:
        timer = threading.Timer(patience, self.pipes.kill)
        timer.start()
        line = self.pipes.stdout.readline()
        timer.cancel()
        return json.loads(line) if line else {"error": f"no answer within {patience:g} s"}

    def ask(self, patience: float, **request: object) -> Message | None:
        """The answer, or None where the peer failed, now or before."""
        if self.result.skipped:
            return None
        self.pipes.stdin.write(json.dumps(request) + "\n")
        self.pipes.stdin.flush()
        answer = self.answer(patience)
        self.result.skipped = answer.get("error", "")
        return None if self.result.skipped else answer

    def compile(self, given: Message, patience: float) -> None:
        ready = self.answer(patience)
        if "ready" not in ready:
            self.result.skipped = ready.get("missing") or ready["error"]
        answer = self.ask(patience, ask="compile", given=given)
        if answer:
            self.result.first_gradient = answer["seconds"]
            self.result.gradient = answer["gradient"]

    def round(self, options: argparse.Namespace) -> None:
        begin = time.perf_counter()
        answer = self.ask(options.patience, ask="round", seconds=options.seconds, cpu=options.cpu)
        self.spent += time.perf_counter() - begin
        if answer:
            self.result.loss_times.append(answer["loss"])
            self.result.gradient_times.append(answer["gradient"])

    def close(self, patience: float) -> None:
        answer = self.ask(patience, ask="memory")
        if answer:
            self.result.grown_bytes = answer["grown"]
            self.result.tape_bytes = answer["tape"]
        self.pipes.communicate()  # ends its input, and with it the worker


def start(peer: Peer, race: Race, options: argparse.Namespace, caches: str) -> Process | Result:
    command = peer.command(race.job, race.numbers)
    if shutil.which(command[0]) is None:
        return Result(peer.name, peer.label, skipped=f"there is no {command[0]}")
    paths = f"{REPOSITORY}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    own = {"WARP_CACHE_PATH": caches, "PYTHONPATH": paths}
    process = Process(peer, command, os.environ | ONE_THREAD | NO_CACHE | own)
    process.compile(race.given, options.patience)
    return process


def play_rounds(processes: list[Process], options: argparse.Namespace) -> None:
    for index in range(options.rounds):
        print(f"\rround {index + 1}/{options.rounds}", end="", file=sys.stderr, flush=True)
        for process in processes:
            if index < 3 or process.spent < options.budget:
                process.round(options)
    print(file=sys.stderr)


def measure(race: Race, options: argparse.Namespace) -> list[Result]:
    started: list[Process | Result] = []
    with tempfile.TemporaryDirectory() as caches:
        for peer in select(race.peers, options.only):  # one after another: compiling is timed
            print(f"compiling {peer.name}", file=sys.stderr)
            started.append(start(peer, race, options, caches))
        processes = [each for each in started if isinstance(each, Process)]
        play_rounds(processes, options)
        for process in processes:
            process.close(options.patience)
    return [each.result if isinstance(each, Process) else each for each in started]


# ---- the table -----------------------------------------------------------------------------


def agreeing_digits(gradient: list[float], expected: np.ndarray) -> float:
    error = np.abs(np.array(gradient) - expected).max()
    scale = np.abs(expected).max() or 1.0
    return min(16.0, -math.log10(error / scale)) if error else 16.0


def compare(results: list[Result], race: Race) -> None:
    """Fills in the digits, where there is a C compiler to make the reference."""
    try:
        expected = race.reference()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return
    for result in results:
        if not result.skipped:
            result.digits = agreeing_digits(result.gradient, expected)


def show(value: float | None, scale: float = 1.0) -> str:
    """Three digits, and more only before the point; a dash for what is not known."""
    if value is None:
        return "–"
    return f"{value * scale:.3g}" if value * scale < 1000 else f"{value * scale:.0f}"


COLUMNS = (
    "peer",
    "compile, s",
    "forward, ms",
    "gradient, ms",
    "gradient / forward",
    "memory, MB",
    "tape, kB",
    "digits",
    "× us",
)


def row(result: Result, ours: float | None) -> list[str]:
    forward = statistics.median(result.loss_times)
    gradient = statistics.median(result.gradient_times)
    return [
        result.label,
        show(max(0.0, result.first_gradient - gradient)),
        show(forward, 1e3),
        show(gradient, 1e3),
        show(gradient / forward),
        show(result.grown_bytes, 1e-6),
        show(result.tape_bytes, 1e-3),
        "–" if result.digits is None else f"{result.digits:.0f}",
        show(gradient / ours if ours else None),
    ]


def report(results: list[Result], race: Race, options: argparse.Namespace) -> str:
    ran = [result for result in results if not result.skipped]
    ran.sort(key=lambda result: statistics.median(result.gradient_times))
    ours = [statistics.median(r.gradient_times) for r in ran if r.name == "us"]
    rows = [row(result, ours[0] if ours else None) for result in ran]
    lines = [
        f"{race.title}, f64, one thread.",
        f"Medians of {options.rounds} interleaved rounds; fewer for slow peers."
        f"{' Seconds are those of the processor.' if options.cpu else ''}",
        "",
        *(f"| {' | '.join(cells)} |" for cells in [COLUMNS, ["---"] * len(COLUMNS), *rows]),
        "",
    ]
    needs = {peer.name: peer.needs for peer in race.peers}
    skipped = [result for result in results if result.skipped]
    lines += [f"- {r.label} skipped: {r.skipped} ({needs[r.name]})" for r in skipped]
    return "\n".join(lines).rstrip() + "\n"


def argument_parser(doc: str) -> argparse.ArgumentParser:
    """The arguments of every race; each adds its own."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.05, help="of calls in a round, each way")
    parser.add_argument(
        "--cpu", action="store_true", help="time the processor, not the clock: for a busy machine"
    )
    parser.add_argument("--budget", type=float, default=10, help="seconds of rounds for a peer")
    parser.add_argument("--patience", type=float, default=300, help="seconds for any one answer")
    parser.add_argument("--only", default="", help="peers, comma-separated: us,c,jax")
    parser.add_argument("--out", type=Path, help="write the table here too")
    parser.add_argument("--json", type=Path, help="write everything measured here")
    return parser


def run(race: Race, options: argparse.Namespace) -> None:
    """Measure, compare and print the table."""
    results = measure(race, options)
    compare(results, race)
    table = report(results, race, options)
    print(table)
    if options.out:
        options.out.write_text(table)
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=1))
