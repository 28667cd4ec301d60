"""The command `sweep`: what is varied, by whom it is computed, how far it has come, and what came of it."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from rosephys.command.report import counted, print_table, to_json
from rosephys.console import Bar, say, working
from rosephys.errors import SceneError
from rosephys.files.destination import try_out
from rosephys.sweeps.job import Job, job
from rosephys.sweeps.kept import SWEEP
from rosephys.sweeps.points import points
from rosephys.sweeps.sweep import Progress, computed, keeping, pool, rows_of
from rosephys.sweeps.table import Table, read_table

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem

BEST = 5  # rows that are shown


def sweep(arguments: argparse.Namespace, problem: Problem) -> int:
    """Run the command."""
    if arguments.dask is not None and arguments.threads is not None:
        raise SceneError("--threads are of this machine, and --dask is a cluster: one of them")
    folder = arguments.out or Path(f"{Path(arguments.scene).stem}-sweep")
    with working("tracing the gradient", arguments.json):
        work = _job(arguments, problem)
    try_out(folder / SWEEP)
    with _executor(arguments) as workers, keeping(problem, work, folder, arguments.resume) as kept:
        begin = perf_counter()
        try:
            with _bar(work, arguments.json) as progress:
                computed(work, kept, workers, progress)
            path = kept.finish()
        except BaseException:
            left = sum(rows_of(work, k) for k in kept.missing())
            rows = f"{work.points.size - left:,} of {counted(work.points.size, 'row')}"
            say(f"{rows} are kept in {folder}; --resume goes on with the rest")
            raise
    seconds = perf_counter() - begin
    _tell(arguments, work, read_table(path), path, seconds)
    return 0


def _job(arguments: argparse.Namespace, problem: Problem) -> Job:
    names = [name for name, _ in arguments.vary]
    for name, count in Counter(names).items():
        if count > 1:
            raise SceneError(f"--vary {name} is there {count} times: once, with all its values")
    grid = {n: v for n, v in arguments.vary if isinstance(v, np.ndarray)}
    between = {n: v for n, v in arguments.vary if isinstance(v, tuple)}
    asked = points(
        problem.scene, grid, between, arguments.samples, arguments.starts, arguments.seed
    )
    how = {n: getattr(arguments, n) for n in ("iterations", "optimizer", "rate", "chunk")}
    return job(problem, asked, **how)


@contextmanager
def _executor(arguments: argparse.Namespace) -> Iterator[Executor]:
    if arguments.dask is None:
        with pool(None, arguments.threads) as threads:
            yield threads
        return
    from rosephys.sweeps.cluster import cluster

    with cluster(arguments.dask) as workers:
        yield workers


@contextmanager
def _bar(work: Job, quiet: bool) -> Iterator[Progress]:
    """A `with` that gives what shows how far it has come: rows, rows a second, and the time that is left."""
    bar, begin = Bar(work.points.size, quiet), perf_counter()
    before: list[int] = []  # rows that were there at first

    def progress(done: int, total: int) -> None:
        before[:] = before or [done]
        bar.show(done, rate_and_rest(done - before[0], total - done, perf_counter() - begin))

    try:
        yield progress
    finally:
        bar.clear()


def rate_and_rest(done: int, left: int, seconds: float) -> str:
    """How many rows a second, and how long the rest takes at that rate."""
    if not done or seconds <= 0:
        return "rows"
    rate = done / seconds
    minutes, rest = divmod(round(left / rate), 60)
    hours, minutes = divmod(minutes, 60)
    time = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"rows, {float(f'{rate:.3g}'):,g} a second, {time} left"


def _tell(
    arguments: argparse.Namespace, work: Job, table: Table, path: Path, seconds: float
) -> None:
    outcomes = Counter(table["outcome"].tolist())
    best = best_rows(table)
    if arguments.json:
        rows = [{n: column[k] for n, column in table.items()} for k in best]
        found: dict[str, Any] = {"scene": Path(arguments.scene).stem, "rows": work.points.size}
        found |= {"seconds": seconds, "outcomes": outcomes, "best": rows, "table": str(path)}
        print(to_json(found))
        return
    print(f"{counted(work.points.size, 'row')} in {seconds:.1f} s: ", end="")
    print(", ".join(f"{count:,} {name}" for name, count in outcomes.items()), end="\n\n")
    names = ["start", *work.points.names, "loss", "gradient", "outcome"]
    print_table([names, *([_shown(table[n][k]) for n in names] for k in best)])
    say(f"wrote {path}")


def best_rows(table: Table) -> list[int]:
    """The rows of least loss, the least first."""
    loss = np.where(np.isfinite(table["loss"]), table["loss"], np.inf)
    return [int(k) for k in np.argsort(loss, kind="stable")[:BEST]]


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, np.floating) else str(value)
