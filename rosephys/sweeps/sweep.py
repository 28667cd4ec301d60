"""`sweep`: a scene at many values of its fields, from many starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..files.destination import try_out
from ..files.run import digest, source
from ..given import told
from ..solve.problem import Problem, check_problem
from .descent import Floats
from .job import Job, job
from .kept import SWEEP, Kept, load_sweep
from .points import Points, Range, points
from .running import results
from .table import Table, columns

Progress = Callable[[int, int], object]
"""Is told how many rows are there, and of how many."""


def sweep(
    problem: Problem,
    *,
    vary: Mapping[str, Any] | None = None,
    between: Mapping[str, Range] | None = None,
    samples: int | None = None,
    starts: int = 1,
    seed: int = 0,
    iterations: int = 0,
    optimizer: str | None = None,
    rate: float | None = None,
    chunk: int | None = None,
    executor: Executor | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Table:
    """A scene's loss, the length of its gradient and what became of it, at every point of a sweep.

    A point is a choice of values (n,) for each number in `vary`, such as "mass" or "goal.0", and one of
    `samples` from the ranges (low, high) in `between`, from one of `starts` starts of the controls: the given,
    and others around them. With `iterations` each is first descended from, by gd, momentum, normalized or adam.
    Points run side by side in SIMD lanes, a chunk of them in each task, and tasks in `executor`, any of
    `concurrent.futures` (threads, as many as there are cores, where there is none).

    With `out`, a folder, what is computed is kept there at once, and a sweep that was killed can `resume`.

    Gives columns (rows,) by name: "start", what is varied, "loss", "gradient", "outcome", and, of at most 64
    numbers, "controls.NAME". Raises SceneError for what cannot be varied so, SweepError where a worker dies,
    OSError where it cannot be kept.
    """
    check_problem(problem)
    if resume and out is None:
        raise ArgumentError("resume goes on with a sweep that was kept: name its folder, out=...")
    if executor is not None and not hasattr(executor, "submit"):
        raise ArgumentError(f"wanted an executor of concurrent.futures, not {told(executor)}")
    vary, between = ({} if given is None else given for given in (vary, between))
    asked = points(problem.scene, vary, between, samples, starts, seed)
    work = job(problem, asked, iterations=iterations, optimizer=optimizer, rate=rate, chunk=chunk)
    with pool(executor) as workers:
        if out is None:
            return _in_memory(work, workers, progress or _silent)
        with keeping(problem, work, Path(out), resume) as kept:
            computed(work, kept, workers, progress or _silent)
            kept.finish()
        return load_sweep(out)


@contextmanager
def pool(executor: Executor | None, threads: int | None = None) -> Iterator[Executor]:
    """A `with` that gives an executor: the one that is given, or threads, which end with it."""
    if executor is not None:
        yield executor
        return
    made = ThreadPoolExecutor(threads or os.cpu_count())
    try:
        yield made
    finally:
        made.shutdown(cancel_futures=True)


@contextmanager
def keeping(problem: Problem, work: Job, folder: Path, resume: bool) -> Iterator[Kept]:
    """A `with` in which a sweep is kept in a folder; an error that leaves it is what became of the sweep."""
    try_out(folder / SWEEP)
    kept = Kept(folder, _begun(problem, work), resume)
    try:
        yield kept
    except BaseException as error:
        try:
            kept.state("interrupted" if isinstance(error, KeyboardInterrupt) else "stopped")
        except OSError:  # of a full disk, for example, which is what is to be told
            pass
        raise


def computed(work: Job, kept: Kept, workers: Executor, progress: Progress) -> None:
    """Compute and keep what is not there yet."""
    missing, total = kept.missing(), work.points.size
    done = total - sum(rows_of(work, k) for k in missing)
    progress(done, total)
    for k, rows in results(work, missing, workers):
        kept.keep(k, rows)
        done += len(rows)
        progress(done, total)


def rows_of(work: Job, k: int) -> int:
    """How many rows a chunk has."""
    return min(work.chunk, work.points.size - k * work.chunk)


def _silent(done: int, total: int) -> None:
    """Tell nobody."""


def _in_memory(work: Job, workers: Executor, progress: Progress) -> Table:
    there: dict[int, Floats] = {}
    done, total = 0, work.points.size
    for k, there[k] in results(work, range(work.chunks), workers):
        done += rows_of(work, k)
        progress(done, total)
    return columns(work.columns, np.concatenate([there[k] for k in range(work.chunks)]))


def _begun(problem: Problem, work: Job) -> dict[str, Any]:
    """All by which a sweep is begun, as sweep.json has it."""
    scene, values = problem.scene, b"".join(work.values[n].tobytes() for n in sorted(work.values))
    fixed = {n: getattr(scene, n) for n, f in scene.fields.items() if not f.live}
    how = {n: getattr(work.how, n) for n in ("iterations", "optimizer", "rate")}
    return {
        "scene": scene.name,
        "source": source(scene),
        "settings": fixed,
        "values": digest(values),
        "points": _told(work.points),
        "how": how,
        "rows": work.points.size,
        "chunk": work.chunk,
        "columns": work.columns,
    }


def _told(asked: Points) -> dict[str, Any]:
    """Points in JSON's types."""
    return {
        "vary": {n: v.tolist() for n, v in asked.grid.items()},
        "between": {n: list(ends) for n, ends in asked.between.items()},
        "samples": asked.samples,
        "starts": asked.starts,
        "seed": asked.seed,
    }
