"""A sweep of billiards by threads and by Dask on this machine, and what a thousand workers would take.

    python benchmarks/sweeps.py [--rollouts 100000] [--rounds 3] [--workers 2] [--out FILE.md]

A rollout is a loss and its gradient, of the scene as shipped, its restitution drawn from 0.5 to 1. Threads and
cluster, as many of each as there are cores, are asked for the whole sweep in turn, and the best of the rounds
counts; the cluster is there, and both have compiled, before the first. Beside the clock's there is the
processor's time, of all processes together: client, scheduler and workers. Where the cores have nothing else to
do their ratios are the same; on a busy machine only the second means anything. What a task costs is that time
of the process which is client and scheduler in one, over tasks of one short rollout each.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from rosephys import Problem, find_scene
from rosephys.sweeps.cluster import OnDask, cluster, rows
from rosephys.sweeps.job import Job, job
from rosephys.sweeps.points import points
from rosephys.sweeps.running import results

BUSY = 0.5  # of its time, that a scheduler may be


def work(rollouts: int, steps: int | None = None, chunk: int | None = None) -> Job:
    """So many rollouts at different restitutions."""
    settings = {} if steps is None else {"steps": steps}
    problem = Problem(find_scene("billiards", settings))
    drawn = points(problem.scene, {}, {"restitution": (0.5, 1.0)}, rollouts, 1, 0)
    return job(problem, drawn, chunk=chunk)


def run(job: Job, executor: Executor) -> dict[int, bytes]:
    """The bytes of all chunks."""
    return {k: part.tobytes() for k, part in results(job, range(job.chunks), executor)}


def processor(executor: Executor) -> float:
    """Seconds of the processor that were used so far, by this process and by the workers of a cluster."""
    others = executor.client.run(time.process_time).values() if isinstance(executor, OnDask) else ()
    return time.process_time() + sum(others)


def seconds(job: Job, executor: Executor) -> tuple[float, float]:
    """What a sweep takes by the clock and of the processor."""
    start = time.perf_counter(), processor(executor)
    run(job, executor)
    return time.perf_counter() - start[0], processor(executor) - start[1]


def throughput(job: Job, ways: dict[str, Executor], rounds: int) -> dict[str, tuple[float, ...]]:
    """Rollouts a second of each way, by the clock and of the processor; they all give the same bytes."""
    found = [run(job, executor) for executor in ways.values()]
    assert all(other == found[0] for other in found)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, executor in ways.items():
            times[name].append(seconds(job, executor))
    return {
        name: tuple(job.points.size / min(t[k] for t in ts) for k in (0, 1))
        for name, ts in times.items()
    }


def cost_of_a_task(dask: OnDask, rounds: int, tasks: int = 2000) -> float:
    """Seconds of the processor that a task takes of client and scheduler."""
    short = work(tasks, steps=4, chunk=1)
    run(short, dask)
    found = []
    for _ in range(rounds):
        start = time.process_time()
        run(short, dask)
        found.append(time.process_time() - start)
    return min(found) / tasks


def plan(job: Job, rate: float, cost: float) -> list[str]:
    """What so many workers take, each as fast as one here, that the scheduler is busy half of its time."""
    lines = [
        "| workers | a task, s | rollouts in a task | tasks a second | results, MB/s | rollouts a second "
        "| 1e9 rollouts, min |",
        "|" + " --- |" * 7,
    ]
    row = 8 * len(job.columns)
    for workers in (10, 100, 1000):
        length = max(workers * cost / BUSY, job.chunk / rate)
        many, total = length * rate, workers * rate
        lines.append(
            f"| {workers:,} | {length:.2g} | {many:,.0f} | {workers / length:,.0f} "
            f"| {total * row / 1e6:.3g} | {total:,.0f} | {1e9 / total / 60:.3g} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rollouts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    many, count = work(options.rollouts), options.workers
    with ThreadPoolExecutor(count) as threads, cluster(f"local:{count}") as dask:
        assert isinstance(dask, OnDask)
        ways: dict[str, Executor] = {f"{count} threads": threads, f"{count} processes, Dask": dask}
        found = throughput(many, ways, options.rounds)
        cost = cost_of_a_task(dask, options.rounds)
    (clock, cpu), (clocked, worked) = found.values()
    lines = ["| by | rollouts a second | a second of the processor |", "| --- | --- | --- |"]
    lines += [f"| {name} | {wall:,.0f} | {own:,.0f} |" for name, (wall, own) in found.items()]
    task = pickle.dumps((rows, ("unpacked-" + 32 * "0", 0)))
    lines += [
        "",
        f"- Dask over threads, {options.rollouts:,} rollouts: {clocked / clock:.2f} by the clock,"
        f" {worked / cpu:.2f} of the processor",
        f"- the program, once a worker: {len(many.packed):,} bytes",
        f"- a task: {len(task):,} bytes there, {8 * len(many.columns):,} a row back, {many.chunk} rows",
        f"- client and scheduler: {cost * 1e3:.2g} ms of the processor a task",
        "",
        *plan(many, worked, cost),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
