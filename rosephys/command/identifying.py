"""The command `identify`: parameters of a scene from what was measured, and how sure they are."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rosephys.command.report import print_table, to_json
from rosephys.console import say, working
from rosephys.errors import SceneError
from rosephys.files.destination import kind, try_out
from rosephys.files.measurements import read_measurement
from rosephys.scene.fields import near
from rosephys.scene.finding import find_scene
from rosephys.scene.scene import Scene
from rosephys.solve.curves import Curves
from rosephys.solve.identify import Identified, identify, measurable
from rosephys.solve.measurement import Measurement

TWICE = 2.0  # the noise: between so much below and above lie 95 of 100 residuals


def identify_scene(arguments: argparse.Namespace) -> int:
    """The command `identify`."""
    outs = {"--plot": (arguments.plot, ".png"), "--out": (arguments.out, ".npz")}
    for option, (out, ending) in outs.items():
        if out is not None:
            if kind(out) != ending:
                raise SceneError(f"{option} {out}: wanted a file that ends in {ending}")
            try_out(out)
    scene = find_scene(arguments.scene, _settings(arguments))
    fit = [name.strip() for name in arguments.fit.split(",") if name.strip()]
    measured = [read_measurement(path) for path in arguments.data]
    chosen = _columns(scene, measured, arguments.of)
    measured = [_known(scene, m, chosen) for m in measured]
    with working("fitting", arguments.json):
        how = {n: getattr(arguments, n) for n in ("hold_out", "level", "starts", "seed")}
        found = identify(scene, measured, fit, **how)
    if arguments.json:
        print(to_json({"scene": Path(arguments.scene).stem, **_result(found)}))
    else:
        _print(Path(arguments.scene).stem, found)
    if arguments.out is not None:
        from rosephys.files.values import save

        save(arguments.out, scene, found.values)
        say(f"wrote {arguments.out}")
    if arguments.plot is not None:
        _write_plots(found, measured, arguments.plot)
        say(f"wrote {arguments.plot}")
    return 0


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    settings = dict(arguments.settings)
    if arguments.load:
        from rosephys.files.values import load

        return {**load(arguments.load), **settings}
    return settings


def _columns(scene: Scene, measured: Sequence[Measurement], asked: str | None) -> tuple[str, ...]:
    """The columns that are compared: those that are asked for, or all that are parts of the state."""
    known = measurable(scene)
    for one in measured:
        for name in one.passed_over.keys() & set(known):
            raise SceneError(
                f"{one.source}: {name} has {one.passed_over[name]} numbers for {len(one.times)} times"
            )
    there = list(measured[0].columns)
    names = [n.strip() for n in asked.split(",")] if asked else [n for n in there if n in known]
    for name in names:
        if name not in known:
            raise SceneError(f"the state of {scene.name} has no {name!r}{near(name, known)}")
        for m in measured:
            if name not in m.columns:
                raise SceneError(f"{m.source} has no column {name!r}{near(name, m.columns)}")
    if not names:
        raise SceneError(
            f"{measured[0].source} has no column that is a part of the state of {scene.name}: it has"
            f" {', '.join(there) or 'none'}; the state has {', '.join(known[:12])}"
        )
    unused = [n for n in there if n not in names]
    if unused and not asked:
        say(f"not a part of the state, and so not compared: {', '.join(unused[:8])}")
    return tuple(names)


def _known(scene: Scene, measured: Measurement, columns: Sequence[str]) -> Measurement:
    """The measurement with these columns, and with those of its settings that can be other from one to
    another."""
    live = scene.live
    settings = {n: v for n, v in measured.settings.items() if n in live}
    chosen = {n: measured.columns[n] for n in columns}
    return Measurement(measured.times, chosen, settings, measured.source)


def _result(found: Identified) -> Mapping[str, Any]:
    return {
        "estimates": found.estimates,
        "level": found.level,
        "confounded": found.confounded,
        "hardly_told_apart": found.hardly,
        "correlations": found.correlations,
        "columns": found.columns,
        "iterations": found.iterations,
    }


def _print(name: str, found: Identified) -> None:
    print(f"{name}: fitted in {found.iterations} iterations\n")
    share = f"{100 * found.level:g} % interval"
    rows = [["field", "value", share, "unit", ""]]
    for e in found.estimates:
        interval = f"{e.low:.6g} to {e.high:.6g}" if math.isfinite(e.deviation) else "none"
        rows.append([e.name, f"{e.value:.6g}", interval, e.unit, e.note])
    print_table(rows)
    for apart in found.confounded:
        print(f"\nnot told apart: {apart.words}")
    for a, b, correlation in found.hardly:
        print(f"\nhardly told apart: {a} and {b}, whose correlation is {correlation:.4f}")
    held = any(column.counts[1] for column in found.columns)
    rows = [["measured", "noise", "left of it", *["held out"] * held, *["in noises"] * held]]
    for c in found.columns:
        row = [c.name, f"{c.noise:.3g}", f"{c.fitted:.3g} ({c.counts[0]})"]
        if held:
            row += [f"{c.held_out:.3g} ({c.counts[1]})", f"{c.held_out / c.noise:.3g}"]
        rows.append(row)
    print()
    print_table(rows)
    for c in found.columns:
        if not c.white:
            print(
                f"\nwhat is left of {c.name} is no noise: each residual is like the next (correlation"
                f" {c.following:.2f}). The scene moves otherwise, and the intervals do not hold"
            )


def _write_plots(found: Identified, measured: Sequence[Measurement], out: Path) -> None:
    """The residuals of each column over time, with twice its noise to either side."""
    from rosephys.drawing.pixels import pixels
    from rosephys.drawing.plot import plot_picture
    from rosephys.files.png import write_png

    plots = []
    for left, m in zip(found.residuals, measured, strict=True):
        for k, column in enumerate(found.columns):
            around = TWICE * column.noise * np.ones(len(left))
            ys = np.stack([left[:, k], around, -around], axis=1)
            labels = ("residual", "2 noises", "-2 noises")
            plots.append(Curves(column.name, "time", m.times, ys, labels))
    write_png(out, pixels(plot_picture("Residuals: measured less predicted", plots)))
