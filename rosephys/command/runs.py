"""Runs that keep what they compute: begun, resumed, listed, compared and replayed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rosephys.command.ensembles import ensemble_settings, take_up_ensemble
from rosephys.command.report import counted, print_table, to_json
from rosephys.command.solving import FURTHER
from rosephys.console import say
from rosephys.errors import SceneError
from rosephys.files.destination import kind, try_out
from rosephys.files.evaluations import Evaluations, Recorded
from rosephys.files.run import (
    BEST,
    EVALUATIONS,
    METRICS,
    RUN,
    Kept,
    Run,
    begun_in,
    digest,
    read_run,
    source,
)
from rosephys.scene.finding import find_scene
from rosephys.solve.iterate import Iterate
from rosephys.sweeps.kept import SWEEP, load_sweep
from rosephys.sweeps.kept import begun_in as begun_sweep

if TYPE_CHECKING:
    from rosephys.solve.curves import Curves
    from rosephys.solve.iterate import Solution

ASKED = ("iterations", "rate", "optimizer")
UNTYPED = {"starts": 1, "seed": 0}  # what these are where nothing is typed
MOST = 8  # runs in one plot


# ---- A run that goes on ----


def take_up(arguments: argparse.Namespace) -> None:
    """Fill in what was not typed of how a run is to go on, by how it was begun. Raises SceneError where there
    is none, or another scene's."""
    if arguments.out is None:
        raise SceneError("--resume goes on with a run: name its folder, --out DIR")
    begun = begun_in(arguments.out)
    if begun is None:
        raise SceneError(f"{arguments.out} has no run to go on with; without --resume one is begun")
    if Path(arguments.scene).stem != begun["scene"]:
        raise SceneError(f"{arguments.out} has a run of {begun['scene']}, not of {arguments.scene}")
    arguments.settings = arguments.settings or list(begun["settings"].items())
    if arguments.load is None and begun.get("load"):
        arguments.load = Path(begun["load"])
    take_up_ensemble(arguments, begun.get("ensemble"))
    how = begun["how"]
    for name in ASKED:
        if getattr(arguments, name) is None:
            setattr(arguments, name, how[name])
    for name in FURTHER:
        if getattr(arguments, name) is None:
            setattr(arguments, name, how.get(name))
    for name, untyped in UNTYPED.items():
        if getattr(arguments, name) == untyped:
            setattr(arguments, name, how[name])


Noted = Callable[[int, Iterate], object]


@contextmanager
def kept(
    arguments: argparse.Namespace, problem: Recorded, how: dict[str, Any]
) -> Iterator[tuple[Noted, Callable[[Solution], None]]]:
    """A `with` in which a run is kept in the folder of --out, if there is one. It gives what is to be told of
    each iterate, and what of the solution.

    Raises SceneError for a folder with a run that has not ended, unless it is to go on; and for one that was
    begun otherwise.
    """
    if arguments.out is None:
        yield (lambda start, iterate: None), (lambda solution: None)
        return
    begun = _begun(arguments, problem, how)
    before = begun_in(arguments.out)
    if arguments.resume:
        assert before is not None  # see `take_up`
        _check_same(arguments.out, before, begun)
    elif before is not None and before["state"] != "finished" and _came_anywhere(arguments.out):
        raise SceneError(
            f"{arguments.out} has a run of {before['scene']} that has not ended: --resume goes on with it,"
            " another --out keeps both"
        )
    else:
        for name in (EVALUATIONS, METRICS):
            (arguments.out / name).unlink(missing_ok=True)
    record = Evaluations(arguments.out / EVALUATIONS)
    run = Run(arguments.out, problem.scene, begun)
    problem.evaluations = record

    def ended(solution: Solution) -> None:
        problem.evaluations = None
        state = {0: "finished", 130: "interrupted"}.get(solution.code, "stopped")
        run.finish(state)

    try:
        yield run.note, ended
    except BaseException as error:
        with suppress(OSError):  # of a full disk, for example, which is what is to be told
            run.state("interrupted" if isinstance(error, KeyboardInterrupt) else "stopped")
        raise
    finally:
        problem.evaluations = None
        record.close()


def _came_anywhere(folder: Path) -> bool:
    """Whether there is anything in a run that would be lost."""
    return (folder / METRICS).exists() and (folder / METRICS).stat().st_size > 0


def _begun(arguments: argparse.Namespace, problem: Recorded, how: dict[str, Any]) -> dict[str, Any]:
    """All by which a run is begun, as run.json has it."""
    values = b"".join(problem.values[n].tobytes() for n in sorted(problem.values))
    return {
        "scene": Path(arguments.scene).stem,
        "typed": str(arguments.scene),
        "source": source(problem.scene),
        "settings": {name: str(value) for name, value in arguments.settings},
        "load": str(arguments.load) if arguments.load else None,
        "values": digest(values),
        "how": how,
        "ensemble": ensemble_settings(arguments),
    }


def _changed(typed: str, folder: Path) -> str:
    return f"{typed} is not what it was when the run in {folder} was begun"


def _check_same(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise SceneError where a run was begun otherwise; more iterations may be asked for."""
    before_of, now_of = before["how"].get("iterations"), now["how"]["iterations"]
    if not isinstance(before_of, int) or now_of < before_of:
        raise SceneError(f"the run in {folder} was begun with {before_of} iterations, not {now_of}")
    if now_of > before_of and now["how"].get("schedule"):
        raise SceneError(
            f"the run in {folder} has a schedule, over {before_of} iterations: it ends with them"
        )
    for name, value in now["how"].items():
        if name != "iterations" and before["how"].get(name) != value:
            raise SceneError(
                f"the run in {folder} was begun with --{name} {before['how'].get(name)}, not {value}:"
                " leave it out, or take another --out"
            )
    if before["settings"] != now["settings"] or before.get("values") != now["values"]:
        raise SceneError(f"the run in {folder} was begun with other values; take another --out")
    if before.get("ensemble") != now["ensemble"]:
        raise SceneError(f"the run in {folder} was begun with another ensemble; take another --out")
    if before.get("source") != now["source"]:
        raise SceneError(_changed(now["typed"], folder))


# ---- Runs that were kept ----


def list_runs(arguments: argparse.Namespace) -> int:
    """The command `runs`."""
    if not arguments.folder.is_dir():
        raise SceneError(f"there is no folder {arguments.folder}")
    found, broken = _readable(arguments.folder, RUN, lambda folder: _summary(read_run(folder)))
    swept, torn = _readable(arguments.folder, SWEEP, _swept)
    for words in (*broken, *torn):
        say(f"warning: {words}")
    if arguments.json:
        print(to_json({"runs": found, "sweeps": swept}))
        return 0
    if found:
        _print_runs(found)
    if swept:
        print("\n" * bool(found), end="")
        _print_sweeps(swept)
    if not (found or swept or broken or torn):
        say(f"no runs below {arguments.folder}; `optimize SCENE --out DIR` keeps one")
    return 0


def _readable(
    folder: Path, name: str, summary: Callable[[Path], dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """What there is to say of each folder below in which a file has that name, and what is wrong with those of
    which nothing can be said."""
    found, wrong = [], []
    for path in sorted(folder.rglob(name)):
        try:
            found.append(summary(path.parent))
        except SceneError as error:
            wrong.append(str(error))
    return found, wrong


def compare_runs(arguments: argparse.Namespace) -> int:
    """The command `compare`."""
    if len(arguments.folders) > MOST:
        raise SceneError(f"at most {MOST} runs are compared at once, not {len(arguments.folders)}")
    out = arguments.out
    if out is not None:
        if kind(out) not in (".png", ".csv"):
            raise SceneError(f"{out}: a plot is a .png, or a .csv of its numbers")
        try_out(out)
    found = [read_run(folder) for folder in arguments.folders]
    _print_runs([_summary(run) for run in found])
    if out is not None:
        _write_curves(_losses(found), arguments.theme or "dark", out)
        say(f"wrote {out}")
    return 0


def replayed(arguments: argparse.Namespace) -> list[str]:
    """The command line that shows the best motion of a run. Warns where its scene has changed since; raises
    SceneError of a run that has none yet."""
    run = read_run(arguments.folder)
    best = arguments.folder / BEST
    if not best.exists():
        raise SceneError(f"{arguments.folder} has no best controls yet")
    typed = run.begun.get("typed", run.begun["scene"])
    _warn_of_change(run, typed)
    words = ["scene", typed]
    for name, value in run.begun["settings"].items():
        words += ["--set", f"{name}={value}"]
    words += ["--load", str(best)]
    words += ["--headless"] if arguments.headless else []
    return words + (["--out", str(arguments.out)] if arguments.out else [])


def _warn_of_change(run: Kept, typed: str) -> None:
    """Say so where the scene is no more what it was: the same controls have another motion then."""
    scene = find_scene(typed, run.begun["settings"])
    if run.begun.get("source") == source(scene):
        return
    loss = f", whose best loss was {run.best['loss']:.6g}" if run.best else ""
    say(
        f"warning: {_changed(typed, run.folder)}: its best controls are shown in the scene as it is now,"
        f" and neither motion nor loss is that of the run{loss}; for that, put the file back as it was"
    )


def _summary(run: Kept) -> dict[str, Any]:
    """What there is to say of a run in a line."""
    best, how = run.best, run.begun["how"]
    return {
        "folder": str(run.folder),
        "scene": run.begun["scene"],
        "state": run.begun["state"],
        "optimizer": how.get("optimizer"),
        "iterates": len(run.rows),
        "loss": best and best["loss"],
        "violation": best and best["violation"],
    }


def _swept(folder: Path) -> dict[str, Any]:
    """The same of a sweep."""
    begun, losses = begun_sweep(folder), load_sweep(folder)["loss"]
    assert begun is not None
    finite = losses[np.isfinite(losses)]
    return {
        "folder": str(folder),
        "scene": begun["scene"],
        "state": begun["state"],
        "rows": begun["rows"],
        "kept": len(losses),
        "loss": float(finite.min()) if finite.size else None,
    }


def _print_runs(found: Sequence[dict[str, Any]]) -> None:
    rows = [["run", "scene", "optimizer", "", "state", "best loss"]]
    for row in found:
        done = counted(row["iterates"], "iterate")
        rows.append(
            [row["folder"], row["scene"], row["optimizer"], done, row["state"], _least(row)]
        )
    print_table(rows)


def _print_sweeps(found: Sequence[dict[str, Any]]) -> None:
    rows = [["sweep", "scene", "", "state", "best loss"]]
    for row in found:
        done = f"{row['kept']:,} of {counted(row['rows'], 'row')}"
        rows.append([row["folder"], row["scene"], done, row["state"], _least(row)])
    print_table(rows)


def _least(row: dict[str, Any]) -> str:
    return "" if row["loss"] is None else f"{row['loss']:.6g}"


def _losses(found: Sequence[Kept]) -> Curves:
    """The losses of the runs over the iterations; one that is shorter stays where it ended."""
    from rosephys.solve.curves import Curves

    lists = [run.losses for run in found]
    for run, losses in zip(found, lists, strict=True):
        if not losses:
            raise SceneError(f"{run.folder} has no iterate yet")
    longest = max(map(len, lists))
    ys = np.array(
        [losses + [losses[-1]] * (longest - len(losses)) for losses in lists], np.float64
    ).T
    labels = tuple(run.folder.name or str(run.folder) for run in found)
    return Curves("loss", "iteration", np.arange(longest, dtype=np.float64), ys, labels)


def _write_curves(curves: Curves, theme: str, out: Path) -> None:
    if kind(out) == ".csv":
        from rosephys.files.csv import write_csv

        write_csv(out, [curves])
        return
    from rosephys.drawing.palette import themed
    from rosephys.drawing.pixels import pixels
    from rosephys.drawing.plot import plot_picture
    from rosephys.files.png import write_png

    with themed(theme):
        write_png(out, pixels(plot_picture("Runs", [curves])))
