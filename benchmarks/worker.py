"""One peer in a process of its own: `worker.py MODULE BUILD JOB NUMBERS`.

JOB is the "module:Class" that makes the job of the numbers; its start() is where the gradient is taken.
Stays alive and answers requests, a JSON object a line on stdin, with one on stdout:

    (at the start)                       {"ready": true} or {"missing": why}
    {"ask": "compile", "given": job}     {"seconds", "loss", "gradient"}: build, first gradient
    {"ask": "round", "seconds": s}       {"loss", "gradient"}: median seconds of a call, each
                                         called again and again for s seconds, at least once;
                                         with "cpu" true, seconds of the processor
    {"ask": "memory"}                    {"grown", "tape"}: bytes, see README.md

and {"error": why} where something raised. peers/rose_worker.mjs speaks the same.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from peers.program import Program

Message = dict[str, Any]


def memory_now_and_peak() -> tuple[int, int]:
    """Resident bytes, from Linux's own account; (0, 0) elsewhere."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0, 0
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return tuple(1024 * int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM"))


def median_time(
    call: Callable[[], object], seconds: float, clock: Callable[[], float] = time.perf_counter
) -> float:
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        begin = clock()
        call()
        times.append(clock() - begin)
    return statistics.median(times)


class Worker:
    def __init__(self, build: Callable[[Any], Program], job: Any) -> None:
        self.build, self.job = build, job
        self.at = np.array(job.start(), float)
        self.program: Program | None = None
        self.baseline, _ = memory_now_and_peak()

    def compile(self, _: Message) -> Message:
        begin = time.perf_counter()
        self.program = self.build(self.job)
        loss, gradient = self.program.gradient(self.at)
        seconds = time.perf_counter() - begin
        self.program.loss(self.at)  # whatever it compiles is no part of the rounds
        return {"seconds": seconds, "loss": loss, "gradient": gradient.tolist()}

    def round(self, request: Message) -> Message:
        program, at, seconds = self.program, self.at, request["seconds"]
        clock = time.process_time if request.get("cpu") else time.perf_counter
        return {
            "loss": median_time(lambda: program.loss(at), seconds, clock),
            "gradient": median_time(lambda: program.gradient(at), seconds, clock),
        }

    def memory(self, _: Message) -> Message:
        _, peak = memory_now_and_peak()
        tape = self.program.tape_bytes
        grown = max(0, peak - self.baseline) if peak else None
        return {"grown": grown, "tape": tape() if tape else None}


def claim_stdout() -> TextIO:
    """The pipe for answers alone: what a library prints goes to stderr from here on."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def serve(worker: Worker, say: Callable[[Message], None]) -> None:
    asks = {"compile": worker.compile, "round": worker.round, "memory": worker.memory}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            say(asks[request["ask"]](request))
        except Exception as error:  # the driver reports it and goes on with the others
            say({"error": f"{type(error).__name__}: {error}".splitlines()[0]})


def main() -> None:
    module, build, job, *numbers = sys.argv[1:]
    answers = claim_stdout()

    def say(message: Message) -> None:
        print(json.dumps(message), file=answers, flush=True)

    try:
        peer = importlib.import_module(f"peers.{module}")
    except ImportError as error:
        say({"missing": str(error)})
        return
    say({"ready": True})
    place, name = job.split(":")
    make = getattr(importlib.import_module(place), name)
    serve(Worker(getattr(peer, build), make(*map(int, numbers))), say)


if __name__ == "__main__":
    main()
