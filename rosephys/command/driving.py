"""The command `mpc`: a scene that is controlled while it moves, in a window or without one."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rosephys.command.report import print_table, to_json
from rosephys.console import Bar, say, working
from rosephys.errors import SceneError
from rosephys.files.destination import kind, try_out
from rosephys.solve.closed_loop import ClosedLoop, Frame
from rosephys.solve.curves import Curves

if TYPE_CHECKING:
    from rosephys.solve.problem import Problem


def drive_scene(arguments: argparse.Namespace, problem: Problem) -> int:
    """The command `mpc`."""
    if arguments.out is not None:
        if kind(arguments.out) != ".csv":
            raise SceneError(f"{arguments.out}: what was controlled is written as a .csv")
        try_out(arguments.out)
    pushes = {part: _size(part, typed) for part, typed in arguments.push}
    with working("compiling the plans", arguments.json):
        loop = ClosedLoop(problem, arguments.budget_ms)
    gc.collect()
    gc.freeze()  # what compiling has left stays; to look through it again would take several frames
    pushed = _pusher(loop, pushes, arguments)
    if not (arguments.headless or arguments.out or arguments.json):
        from rosephys.window.live import drive
        from rosephys.window.viewer import display_problem

        unseen = display_problem()
        if unseen is None:
            drive(loop, pushes, theme=arguments.theme or problem.scene.theme, between=pushed)
            return 0
        say(f"no window can be opened ({unseen}), so it is controlled without one")
    frames = _frames(loop, pushed, arguments)
    result = _summary(problem, frames, loop)
    if arguments.json:
        print(to_json({"scene": Path(arguments.scene).stem, **result}))
    else:
        _print(problem, result)
    if arguments.out is not None:
        _write(problem, frames, arguments.out)
        say(f"wrote {arguments.out}")
    return 0


def _size(part: str, typed: str) -> float:
    try:
        return float(typed)
    except ValueError:
        raise SceneError(f"--push {part}={typed}: wanted a number, the size of the push") from None


def _pusher(
    loop: ClosedLoop, pushes: dict[str, float], arguments: argparse.Namespace
) -> Callable[[int], None]:
    """What pushes at its times: normal, of the sizes that were asked for, each so many frames."""
    each = max(round(arguments.every / loop.problem.dt), 1)
    random = np.random.default_rng(arguments.seed)
    for part, size in pushes.items():  # a wrong name is told at once
        loop.push(part, 0.0 * size)

    def pushed(frame: int) -> None:
        if frame % each == each // 2:
            for part, size in pushes.items():
                shape = np.shape(_part(loop, part))
                loop.push(part, size * random.standard_normal(shape))

    return pushed


def _part(loop: ClosedLoop, part: str) -> Any:
    value = loop.state
    for name in part.split("."):
        value = value[int(name)] if name.isdecimal() else getattr(value, name, value)
    return value


def _frames(
    loop: ClosedLoop, pushed: Callable[[int], None], arguments: argparse.Namespace
) -> list[Frame]:
    count = max(round(arguments.seconds / loop.problem.dt), 1)
    bar, frames = Bar(count, arguments.json), []
    try:
        for k in range(count):
            pushed(k)
            frames.append(loop.frame())
            bar.show(k + 1, f"plan costs {frames[-1].loss:.3g}")
    finally:
        bar.clear()
    return frames


def _summary(problem: Problem, frames: list[Frame], loop: ClosedLoop) -> dict[str, Any]:
    milliseconds = 1000 * np.array([frame.seconds for frame in frames])
    return {
        "frames": len(frames),
        "rate": 1 / problem.dt,
        "budget_ms": 1000 * loop.mpc.budget,
        "median_ms": float(np.median(milliseconds)),
        "worst_ms": float(milliseconds.max()),
        "late": int(np.sum(milliseconds > 1000 * loop.mpc.budget)),
        "sweeps": float(np.mean([frame.sweeps for frame in frames])),
        "worst_cost": max(frame.loss for frame in frames),
        "last_cost": frames[-1].loss,
    }


def _print(problem: Problem, found: dict[str, Any]) -> None:
    print(f"{problem.scene.name}: {found['frames']} frames of {problem.dt:.4g} s\n")
    rows = [
        ["plans", f"median {found['median_ms']:.3g} ms", f"worst {found['worst_ms']:.3g} ms"],
        ["budget", f"{found['budget_ms']:g} ms", f"{found['late']} frames over it"],
        ["sweeps", f"{found['sweeps']:.3g} a frame", ""],
        ["cost", f"worst {found['worst_cost']:.4g}", f"at the end {found['last_cost']:.4g}"],
    ]
    print_table(rows)


def _write(problem: Problem, frames: list[Frame], out: Path) -> None:
    """The controls, the cost of the plan and the time that it took, over time."""
    from rosephys.files.csv import write_csv

    times = problem.dt * np.arange(len(frames), dtype=np.float64)
    plots = []
    for name in problem.controls:
        rows = np.array([np.ravel(frame.controls[name]) for frame in frames])
        labels = (
            tuple(f"{name}.{k}" for k in range(rows.shape[1])) if rows.shape[1] > 1 else (name,)
        )
        plots.append(Curves(name, "time", times, rows, labels))
    for label in ("loss", "seconds"):
        column = np.array([[getattr(frame, label)] for frame in frames])
        plots.append(Curves(label, "time", times, column, (f"plan {label}",)))
    write_csv(out, plots)
