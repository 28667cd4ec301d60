"""Sweeps on a Dask cluster of this machine: the bits of threads, whoever dies."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, SceneError, SweepError, sweep
from rosephys.sweeps.cluster import OnDask, cluster
from rosephys.sweeps.job import Job, job
from rosephys.sweeps.points import points
from tests.support.scenes import Lob

ASKED: dict[str, Any] = {
    "vary": {"goal.0": np.linspace(0.2, 0.8, 40), "lift": [0.0, 0.1, 0.3]},
    "starts": 12,
    "chunk": 16,
    "iterations": 30,
    "optimizer": "adam",
}


@pytest.fixture(scope="module")
def workers() -> Iterator[Executor]:
    pytest.importorskip("distributed")
    with cluster("local:2") as executor:
        yield executor


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return list(a) == list(b) and all(a[n].tobytes() == b[n].tobytes() for n in a)


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_bits_of_threads(workers: Executor) -> None:
    class Here(Lob):
        """Of no module that a worker could import."""

    problem = Problem(Here())
    assert same(sweep(problem, **ASKED, executor=workers), sweep(problem, **ASKED))


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_is_killed_loses_nothing(workers: OnDask) -> None:
    problem = Problem(Lob())
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if not killed and total / 4 < done < total:
            (pid, *_) = workers.client.run(os.getpid).values()
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    found = sweep(problem, **ASKED, executor=workers, progress=kill)
    assert len(killed) == 1
    assert same(found, sweep(problem, **ASKED))


@pytest.mark.filterwarnings("ignore")
def test_what_a_task_raises_is_raised(workers: Executor) -> None:
    problem = Problem(Lob())
    work = job(problem, points(problem.scene, {"dt": [0.1, 0.2]}, {}, None, 1, 0))
    broken = Job(**{**vars(work), "controls": ("nothing",)})
    with pytest.raises(KeyError, match="nothing"):
        workers.submit(broken, 0).result(60)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("local", "local:N is a cluster of N processes, at least 1, not local"),
        ("local:0", "local:N is a cluster of N processes, at least 1, not local:0"),
        ("local:two", "local:N is a cluster of N processes, at least 1, not local:two"),
        ("somewhere", "somewhere is no address of a scheduler: tcp://HOST:PORT, or local:N"),
        ("", " is no address of a scheduler"),
    ],
)
def test_what_is_no_cluster(address: str, said: str) -> None:
    pytest.importorskip("distributed")
    with pytest.raises(SceneError) as error, cluster(address):
        pass
    assert str(error.value).startswith(said)


@pytest.mark.filterwarnings("ignore")
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("rosephys.sweeps.cluster.SECONDS", 0.5)
    with pytest.raises(SweepError, match=r"no Dask scheduler answers at 127\.0\.0\.1:1: "):
        with cluster("127.0.0.1:1"):
            pass


def test_dask_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr("rosephys.sweeps.cluster.find_spec", lambda name: None)
    with pytest.raises(SweepError, match=r'pip install "rosephys\[cluster\]"'):
        with cluster("local:2"):
            pass
