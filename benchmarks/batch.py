"""The billiards gradient for many strokes at once: single calls against a batch in SIMD lanes.

    python benchmarks/batch.py [--batch 64] [--rounds 30] [--contact toi-position] [--out FILE.md]

Strokes are drawn around the scene's own. Every way is asked for the whole batch in turn, again and again, so
that what else the machine does falls on all of them alike; the table shows the best of the rounds, since that
can only add to it, and CPU time beside the clock's. Processes are started and have compiled before the first
round. Scenes compute in double precision; the rows in single precision are of the same loss written for it,
`SingleLoss`, and each is compared with single calls of the same precision. With `--contact toi-position`, and
gcc, there is also a row of C that is written for four strokes at a time, of that contact rule
(peers/billiards/lanes.c).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from peers.billiards import c
from peers.billiards.job import Table

import rose_ad as ra
from rosephys import Problem, find_scene

Work = Callable[[], Any]


def strokes(problem: Problem, n: int, dtype: type) -> dict[str, np.ndarray]:
    """Controls with a leading axis of length n."""
    draw = np.random.default_rng(0)
    controls, _ = problem.split(problem.values)
    spread = {"cue_position": 0.02, "cue_velocity": 0.1}
    return {
        name: (value + draw.uniform(-spread[name], spread[name], (n, *value.shape))).astype(dtype)
        for name, value in sorted(controls.items())
    }


def double_precision(problem: Problem) -> tuple[ra.Fn, tuple[Any, ...]]:
    """The gradient of the scene's loss, and what it takes after the controls."""

    @ra.fn
    def loss(controls: Any, constants: Any) -> Any:
        scene = problem.scene.bound({**constants, **controls})
        step = lambda t, s: scene.step(s, t)  # noqa: E731
        return scene.loss(ra.fori_loop(0, problem.steps, step, scene.initial()))

    return ra.value_and_grad(loss), (problem.split(problem.values)[1],)


def toi_velocity(x: Any, v: Any, r: Any, restitution: Any, dt: Any) -> tuple[Any, Any]:
    """Contact at the instant of impact, for discs that meet one other in a step at most."""
    n = x.shape[0]
    dv, dx = (ra.accum(ra.Vec[n, ra.Vec[2, ra.Real32]]) for _ in range(2))
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart, relative = x[i] - x[j], v[i] - v[j]
            b = ra.dot(apart, relative)
            with ra.when(b < 0):
                a, c = ra.dot(relative, relative), ra.dot(apart, apart) - 4 * r * r
                with ra.when((c + 2 * b * dt < 0) & (b * b > a * c)):
                    tau = c / (ra.sqrt(b * b - a * c) - b)
                    with ra.when(tau <= dt):
                        tau = ra.maximum(tau, 0.0)
                        meeting = apart + tau * relative
                        normal = meeting / ra.norm(meeting)
                        impulse = -(1 + restitution) / 2 * ra.dot(normal, relative) * normal
                        dv[i] += impulse
                        dv[j] -= impulse
                        dx[i] -= tau * impulse
                        dx[j] += tau * impulse
    return dv.freeze(), dx.freeze()


def toi_position(x: Any, v: Any, r: Any, restitution: Any, dt: Any) -> tuple[Any, Any]:
    """DiffTaichi's contact, as in rosephys/physics/contact/discs.py."""
    n = x.shape[0]
    dv, dx = (ra.accum(ra.Vec[n, ra.Vec[2, ra.Real32]]) for _ in range(2))
    ahead = x + dt * v
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart = ahead[i] - ahead[j]
            square = ra.dot(apart, apart)
            with ra.when(square < 4 * r * r):
                relative = v[i] - v[j]
                with ra.when(ra.dot(apart, relative) < 0):
                    distance = ra.sqrt(square)
                    normal = apart / (distance + 1e-6)
                    speed = ra.dot(normal, relative)
                    impulse = -(1 + restitution) / 2 * speed * normal
                    toi = (distance - 2 * r) / ra.minimum(-1e-3, speed)
                    shift = ra.minimum(toi - dt, 0) * impulse
                    dv[i] += impulse
                    dv[j] -= impulse
                    dx[i] += shift
                    dx[j] -= shift
    return dv.freeze(), dx.freeze()


class SingleLoss:
    """The loss of billiards, as the scene computes it, in single precision."""

    def __init__(self, problem: Problem, contact: str) -> None:
        self.rule = {"toi-velocity": toi_velocity, "toi-position": toi_position}[contact]
        constants = problem.split(problem.values)[1]
        self.steps = problem.steps
        self.rest = np.float32(problem.initial(problem.values).position)
        names = ("radius", "restitution", "dt", "goal")
        self.constants = tuple(np.float32(constants[name]) for name in names)

    def gradient(self) -> tuple[ra.Fn, tuple[Any, ...]]:
        """As `double_precision`."""
        return ra.value_and_grad(ra.fn(self.loss)), (self.rest, *self.constants)

    def loss(self, controls: Any, rest: Any, r: Any, restitution: Any, dt: Any, goal: Any) -> Any:
        n = rest.shape[0]
        still = np.zeros(2, np.float32)
        x = ra.build(n, lambda k: ra.where(k == 0, controls["cue_position"], rest[k]))
        v = ra.build(n, lambda k: ra.where(k == 0, controls["cue_velocity"], still))

        def step(t: Any, state: Any) -> Any:
            x, v = state
            dv, dx = self.rule(x, v, r, restitution, dt)
            v = v + dv
            return x + dx + dt * v, v

        x, v = ra.fori_loop(0, self.steps, step, (x, v))
        miss = x[n - 1] - goal
        return ra.dot(miss, miss)


def one_by_one(gradient: ra.Fn, controls: dict[str, np.ndarray], rest: tuple[Any, ...]) -> Any:
    """A call for each member of the batch; the gradients, stacked."""
    n = len(next(iter(controls.values())))
    found = [gradient({name: a[i] for name, a in controls.items()}, *rest)[1] for i in range(n)]
    return {name: np.stack([g[name] for g in found]) for name in controls}


def batched(gradient: ra.Fn, more: int, threads: int = 1) -> ra.Fn:
    """The gradient for a batch of controls, `more` further arguments being shared."""
    return ra.vmap(gradient, (0, *[None] * more), threads=threads)


def by_hand(steps: int, controls: dict[str, np.ndarray]) -> Work:
    """The C, which has the scene's table and constants."""
    gradients = c.in_lanes(Table(4, steps))
    cues = np.hstack([controls["cue_position"], controls["cue_velocity"]])

    def work() -> dict[str, np.ndarray]:
        found = gradients(cues)
        return {"cue_position": found[:, :2], "cue_velocity": found[:, 2:]}

    return work


# --------------------------------------------------------------------------------- two processes


def _serve(pipe: Any, settings: dict[str, Any], controls: dict[str, np.ndarray]) -> None:
    problem = Problem(find_scene("billiards", settings))
    gradient, rest = double_precision(problem)
    batch = batched(gradient, len(rest))
    batch(controls, *rest)
    pipe.send("ready")
    while pipe.recv() == "go":
        pipe.send(batch(controls, *rest)[1])


class Processes:
    """Processes that each hold a part of the batch and send back its gradients when asked."""

    def __init__(
        self, count: int, settings: dict[str, Any], controls: dict[str, np.ndarray]
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipes = []
        self.running = []
        for k in range(count):
            part = {name: np.array_split(a, count)[k] for name, a in controls.items()}
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, settings, part), daemon=True)
            process.start()
            self.pipes.append(here)
            self.running.append(process)
        for pipe in self.pipes:
            pipe.recv()

    def __call__(self) -> dict[str, np.ndarray]:
        for pipe in self.pipes:
            pipe.send("go")
        parts = [pipe.recv() for pipe in self.pipes]
        return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}

    def close(self) -> None:
        for pipe in self.pipes:
            pipe.send("stop")
        for process in self.running:
            process.join()


# ------------------------------------------------------------------------------------ measuring


def measure(work: dict[str, Work], rounds: int) -> dict[str, tuple[float, float]]:
    """The least seconds of each: by the clock, and of this process's CPU time."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for name in work:
        work[name]()
    for _ in range(rounds):
        for name, f in work.items():
            start = time.perf_counter(), time.process_time()
            f()
            times[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return {name: (min(t for t, _ in ts), min(t for _, t in ts)) for name, ts in times.items()}


def row(name: str, seconds: dict[str, tuple[float, float]], batch: int) -> str:
    """A line of the table. The CPU time of other processes is not known."""
    single = seconds[f"single calls, {'f64' if 'f64' in name else 'f32'}"]
    wall, cpu = seconds[name]
    cells = [name, f"{wall * 1e3:.3g}", f"{wall / batch * 1e6:.3g}", f"{single[0] / wall:.2f}"]
    known = "processes" not in name
    cells += [f"{cpu * 1e3:.3g}", f"{single[1] / cpu:.2f}"] if known else ["–", "–"]
    return f"| {' | '.join(cells)} |"


def disagreement(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> np.ndarray:
    """The largest difference for each member of the batch, in parts of its largest gradient."""
    size = max(np.abs(v).max() for v in a.values())
    return np.max([np.abs(a[k] - b[k]).max(axis=1) for k in a], axis=0) / size


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument(
        "--contact", default="toi-position", choices=("toi-position", "toi-velocity")
    )
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    settings = {"steps": options.steps, "contact": options.contact, "cushions": False}
    problem = Problem(find_scene("billiards", settings))
    f64, rest64 = double_precision(problem)
    f32, rest32 = SingleLoss(problem, options.contact).gradient()
    c64 = strokes(problem, options.batch, np.float64)
    c32 = strokes(problem, options.batch, np.float32)
    lanes64, lanes32 = batched(f64, len(rest64)), batched(f32, len(rest32))
    threads64, threads32 = batched(f64, len(rest64), 2), batched(f32, len(rest32), 2)
    processes = Processes(2, settings, c64)
    work: dict[str, Work] = {
        "single calls, f64": lambda: one_by_one(f64, c64, rest64),
        "vmap, f64": lambda: lanes64(c64, *rest64)[1],
        "vmap, f64, 2 threads": lambda: threads64(c64, *rest64)[1],
        "vmap, f64, 2 processes": processes,
        "single calls, f32": lambda: one_by_one(f32, c32, rest32),
        "vmap, f32": lambda: lanes32(c32, *rest32)[1],
        "vmap, f32, 2 threads": lambda: threads32(c32, *rest32)[1],
    }
    if options.contact == "toi-position":
        work["C by hand in lanes, f64"] = by_hand(options.steps, c64)
    seconds = measure(work, options.rounds)
    rows = [
        "| way | batch, ms | a gradient, µs | × single calls | CPU, ms | × single calls, CPU |",
        "|" + " --- |" * 6,
        *(row(name, seconds, options.batch) for name in work),
    ]
    notes = []
    for name, f in work.items():
        if not name.startswith("single"):
            apart = disagreement(work[f"single calls, {'f64' if 'f64' in name else 'f32'}"](), f())
            notes.append(
                f"- {name}: of {options.batch} gradients, {(apart > 1e-3).sum()} differ from those of single "
                f"calls by more than a thousandth; the median difference is {np.median(apart):.1g}"
            )
    processes.close()
    text = "\n".join([*rows, "", *notes, ""])
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
