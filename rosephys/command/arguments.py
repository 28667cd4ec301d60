"""What may be typed on the command line: the commands, their arguments, and what these must be."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rosephys.command.options import (
    Parser,
    Run,
    Version,
    add_ensemble,
    add_settings,
    add_solving,
    add_theme,
    add_thorough,
    scene_command,
)
from rosephys.command.tools import TOOLS
from rosephys.command.typed import (
    count,
    fps,
    html,
    moment,
    path,
    png,
    positive,
    setting,
    size,
    some,
    starts,
    values,
)
from rosephys.scene.optimizers import OPTIMIZERS
from rosephys.scene.picture import END, FPS, SIZE

EXAMPLES = """\
examples:
  python -m rosephys gallery                        all scenes to choose from
  python -m rosephys scene billiards                watch the shot being found, drag the goal
  python -m rosephys info billiards                 its fields, and how it is solved
  python -m rosephys new my_scene.py                write a scene to begin with
  python -m rosephys scene ./my_scene.py            watch it, and what you change in the file
  python -m rosephys record billiards --out shot.gif --size 1280x720
  python -m rosephys export billiards --web site    a page that solves it in any browser
  python -m rosephys optimize robot --out found     teach a robot to walk
  python -m rosephys scene robot --load found/robot.npz
  python -m rosephys optimize billiards --iterations 400 --optimizer adam
  python -m rosephys optimize billiards --starts 8  from eight places, for one may be stuck
  python -m rosephys optimize bounce --ensemble 64 --spread restitution=normal:0.05
  python -m rosephys optimize robot --out found --resume      go on with what was interrupted
  python -m rosephys sweep billiards --starts 4096 --vary restitution=0.5:1:64
  python -m rosephys plot pendulum --of angle       the angle over time, as a picture
  python -m rosephys identify bounce seen.csv --fit restitution   what it was
  python -m rosephys gradient billiards --check     compare with central differences
  python -m rosephys gradient billiards --set steps=2048 --set contact=toi-position
  python -m rosephys check ./my_scene.py            are its gradient, motion and picture right
  python -m rosephys certify ./model.py:loss        is a gradient right, whichever tool gives it
  python -m rosephys doctor                         what is installed here, and whether it works
"""


def parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """The parser of all commands; what it parses has the function of `runs` for its command, as `run`."""
    made = Parser(
        prog="python -m rosephys",
        description="Differentiable physics: simulate a scene, differentiate it, solve it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action=Version, nargs=0, help="print the version")
    commands = made.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, add in _COMMANDS.items():
        add(commands, runs[name])
    return made


# ---- Commands ----


def _scene(commands: Any, run: Run) -> None:
    command = scene_command(commands, "scene", run, "solve a scene in a window and play the answer")
    command.add_argument("--headless", action="store_true", help="no window: print, write a GIF")
    add_solving(command)
    add_theme(command)
    command.add_argument(
        "--out",
        "--save",
        type=path,
        metavar="DIR|FILE",
        help="write what `record` would instead (default: a GIF, here); implies --headless",
    )
    command.set_defaults(size=SIZE, fps=FPS, at=END)


def _gallery(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "gallery",
        help="choose a scene from pictures of all",
        description="Choose a scene from pictures of all, or of those in a folder.",
    )
    command.add_argument("folder", type=path, nargs="?", metavar="DIR", help="your own scenes")
    command.add_argument(
        "--out", type=path, metavar="FILE.png", help="no window: write the pictures of all"
    )
    command.set_defaults(run=run)


def _record(commands: Any, run: Run) -> None:
    command = scene_command(
        commands,
        "record",
        run,
        "solve a scene and write the answer: a film, a picture, numbers",
    )
    add_solving(command)
    add_theme(command)
    command.add_argument(
        "--out",
        "--save",
        type=path,
        metavar="DIR|FILE",
        help="a .gif, .mp4, .png or .npz, or a folder for a .gif (default: here)",
    )
    command.add_argument(
        "--size",
        type=size,
        default=SIZE,
        metavar="WxH",
        help="pixels of a film or picture (720x460)",
    )
    command.add_argument(
        "--fps", type=fps, default=FPS, metavar="N", help="frames a second of a film (30)"
    )
    command.add_argument(
        "--at", type=moment, default=END, metavar="T", help="the moment of a .png, from 0 to 1"
    )


def _export(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "export",
        help="write a scene as a page that simulates and solves it in any browser",
        description="Write a scene as a page of its own, one file; or all scenes, as a site.",
    )
    command.add_argument(
        "scene", nargs="?", metavar="SCENE", help="a name from `list`, or a .py file"
    )
    add_settings(command)
    command.add_argument("--all", action="store_true", help="all scenes, and a gallery of them")
    command.add_argument(
        "--web", type=path, default=Path("."), metavar="DIR", help="the folder (default: here)"
    )
    command.add_argument(
        "--embed",
        action="store_true",
        help="write the element <rosephys-scene> and the scene's module, for a page of yours",
    )
    command.add_argument("--serve", action="store_true", help="then show it in a browser")
    command.set_defaults(run=run)


def _optimize(commands: Any, run: Run) -> None:
    command = scene_command(commands, "optimize", run, "find the controls with the least loss")
    add_solving(command)
    command.add_argument(
        "--schedule", metavar="NAME", help="how the rate goes down: constant, linear, cosine …"
    )
    command.add_argument(
        "--clip", type=positive, metavar="L", help="shorten gradients that are longer than this"
    )
    add_thorough(command)
    command.add_argument(
        "--out",
        type=path,
        metavar="DIR",
        help="keep the run there as it goes on, and the result: .json, .npz and a GIF",
    )
    command.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in the folder of --out, as it was begun; more --iterations may be asked for",
    )
    command.add_argument(
        "--picture", type=png, metavar="FILE.png", help="draw how it ends, before and after"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _sweep(commands: Any, run: Run) -> None:
    command = scene_command(
        commands, "sweep", run, "compute a scene at many values, from many starts"
    )
    add = command.add_argument
    add(
        "--vary",
        type=values,
        action="append",
        default=[],
        metavar="NAME=LOW:HIGH:N",
        help="N values of a number (0.5:1:64, 1:100:5:log), those named (0.5,0.8), or a range (0.5:1)",
    )
    add("--samples", type=count, metavar="N", help="how often to draw from the ranges")
    add("--starts", type=count, default=1, metavar="N", help="the controls, and N - 1 around (1)")
    add("--seed", type=count, default=0, metavar="N", help="of samples and starts (0)")
    add("--iterations", type=count, default=0, metavar="N", help="descend from each (0)")
    add("--rate", type=positive, metavar="R", help="learning rate")
    add("--optimizer", choices=tuple(OPTIMIZERS), metavar="NAME", help="one that goes downhill")
    add("--threads", type=some, metavar="N", help="of this machine (all cores)")
    add("--dask", metavar="HOST:PORT|local:N", help="a Dask cluster, or N processes, instead")
    add("--chunk", type=some, metavar="N", help="points in a task (by the scene's steps)")
    add("--out", type=path, metavar="DIR", help="where it is kept (SCENE-sweep)")
    add("--resume", action="store_true", help="go on with the sweep in that folder")
    add("--json", action="store_true", help="print one JSON object")


def _landscape(commands: Any, run: Run) -> None:
    command = scene_command(
        commands, "landscape", run, "draw the loss over two controls, and the descent in it"
    )
    add_solving(command)
    command.add_argument(
        "--controls",
        metavar="A,B",
        help="one number of the controls, or two, such as push.0,push.1 (default: the steepest)",
    )
    command.add_argument(
        "--span",
        type=positive,
        metavar="R",
        help="how far to look either way, relative to the size of a control (default: to suit the descent)",
    )
    command.add_argument(
        "--out", type=path, metavar="DIR|FILE.png", help="where to write it (default: here)"
    )


def _plot(commands: Any, run: Run) -> None:
    command = scene_command(
        commands,
        "plot",
        run,
        "solve a scene and plot the loss, or its state and controls over time",
    )
    add_solving(command)
    add_theme(command)
    command.add_argument(
        "--of",
        default="loss",
        metavar="A,B",
        help="loss, parts of the state, such as position or position.0, or controls with a row for each step"
        " (default: loss)",
    )
    command.add_argument(
        "--out", type=path, metavar="FILE", help="a .png, or a .csv of the numbers (default: here)"
    )


def _identify(commands: Any, run: Run) -> None:
    command = scene_command(
        commands, "identify", run, "fit parameters of a scene to what was measured of its motion"
    )
    command.add_argument(
        "data", type=path, nargs="+", metavar="DATA", help="a .csv, .npz or .parquet file of it"
    )
    command.add_argument("--fit", required=True, metavar="A,B", help="the fields to fit")
    command.add_argument(
        "--of",
        metavar="A,B",
        help="the columns to compare, parts of the state (default: all that are)",
    )
    command.add_argument(
        "--hold-out",
        type=moment,
        default=0.0,
        metavar="S",
        help="do not fit this last part of each file, 0 to 1, and say how it is predicted",
    )
    command.add_argument(
        "--level", type=moment, default=0.95, metavar="P", help="of the intervals (0.95)"
    )
    add = command.add_argument
    add("--starts", type=starts, default=1, metavar="N", help="fit from N - 1 other values too (1)")
    add("--seed", type=count, default=0, metavar="N", help="of those that are drawn (0)")
    command.add_argument("--plot", type=path, metavar="FILE.png", help="draw the residuals")
    command.add_argument("--out", type=path, metavar="FILE.npz", help="keep all fields, for --load")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _mpc(commands: Any, run: Run) -> None:
    command = scene_command(
        commands,
        "mpc",
        run,
        "control a scene while it moves: a plan in each frame, of which a step",
    )
    command.add_argument("--headless", action="store_true", help="no window: print how it went")
    command.add_argument(
        "--budget-ms", type=positive, default=8.0, metavar="MS", help="for the plan of a frame (8)"
    )
    command.add_argument(
        "--seconds", type=positive, default=10.0, metavar="S", help="how long, headless (10)"
    )
    command.add_argument(
        "--push",
        type=setting,
        action="append",
        default=[],
        metavar="PART=SIZE",
        help="a part of the state that is pushed, such as rate=0.8 (may be repeated)",
    )
    command.add_argument(
        "--every", type=positive, default=1.0, metavar="S", help="seconds between pushes (1)"
    )
    command.add_argument("--seed", type=count, default=0, metavar="N", help="of the pushes (0)")
    command.add_argument("--out", type=path, metavar="FILE.csv", help="write controls and times")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    add_theme(command)


def _runs(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "runs",
        help="list the runs that were kept: how far they came",
        description="List the runs in the folders below one, that `optimize --out` has kept.",
    )
    command.add_argument(
        "folder",
        type=path,
        nargs="?",
        default=Path("."),
        metavar="DIR",
        help="where (default: here)",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=run)


def _compare(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "compare",
        help="the losses of several runs, beside each other",
        description="Print how runs that were kept have ended, and draw their losses.",
    )
    command.add_argument("folders", type=path, nargs="+", metavar="DIR", help="folders of runs")
    add_theme(command)
    command.add_argument(
        "--out", type=path, metavar="FILE", help="a .png, or a .csv of the numbers (default: none)"
    )
    command.set_defaults(run=run)


def _replay(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "replay",
        help="show the best motion of a run that was kept",
        description="Show the best motion of a run in a window, or write it to a file.",
    )
    command.add_argument("folder", type=path, metavar="DIR", help="the folder of a run")
    command.add_argument("--headless", action="store_true", help="no window: write a GIF")
    command.add_argument(
        "--out", type=path, metavar="DIR|FILE", help="write what `record` would instead"
    )
    command.set_defaults(run=run)


def _gradient(commands: Any, run: Run) -> None:
    command = scene_command(commands, "gradient", run, "print the gradient and what it costs")
    add_ensemble(command)
    add_thorough(command)
    command.add_argument(
        "--check",
        action="store_true",
        help="compare with central differences; 1 if they differ",
    )
    command.add_argument(
        "--by-state", action="store_true", help="also for every entry of the initial state"
    )
    command.add_argument(
        "--smooth",
        type=positive,
        metavar="S",
        help="also that of the loss smoothed by noise of S rates in the controls, and its error",
    )
    command.add_argument(
        "--repeat", type=count, metavar="N", help="time N calls and give the median"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _check(commands: Any, run: Run) -> None:
    command = scene_command(commands, "check", run, "check a scene: gradient, motion, picture")
    add_thorough(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _certify(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "certify",
        help="try the gradient of any function: ours, JAX's, torch's, your own",
        description="Try the gradient of a function of a file, which is run: one of rose_ad, JAX or torch, one"
        " of plain Python that returns (value, gradient), or an object with value(x) and vjp(cotangent, x).",
    )
    add = command.add_argument
    add("function", metavar="FILE.py:FUNCTION", help="the function, a loss or of an array")
    add(
        "--at",
        type=setting,
        action="append",
        metavar="NAME=VALUE",
        help="an argument: numbers, separated by commas, or a .npy file (default: the function's own)",
    )
    add(
        "--by",
        choices=tuple(TOOLS),
        help="what differentiates it (default: what it is written with)",
    )
    add("--seed", type=count, default=0, metavar="N", help="of random directions and places (0)")
    add("--out", type=html, metavar="FILE.html", help="write the certificate as a page")
    add("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=run)


def _doctor(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "doctor",
        help="what is installed here, and whether it works",
        description="What is installed, what this machine can do, where compiled programs are kept, and a"
        " self-test. The exit code is 1 where something does not work.",
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=run)


def _info(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "info",
        help="what a scene is, its fields and how it is solved",
        description="What a scene is, its fields with units, bounds and choices, and how it is solved.",
    )
    command.add_argument("scene", metavar="SCENE", help="a name from `list`, or a .py file")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=run)


def _new(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "new",
        help="write a commented scene of your own to begin with",
        description="Write a commented scene of your own to begin with; no file is overwritten.",
    )
    command.add_argument("file", type=path, metavar="FILE.py", help="a file that does not exist")
    command.add_argument(
        "--world", action="store_true", help="one that says what bodies and joints there are"
    )
    command.set_defaults(run=run)


def _list(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "list",
        help="list the scenes, a line each",
        description="List the scenes, or the optimisers.",
    )
    command.add_argument(
        "--optimizers", action="store_true", help="the optimisers, and what each suits, instead"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.set_defaults(run=run)


_COMMANDS: dict[str, Callable[[Any, Run], None]] = {
    "scene": _scene,
    "gallery": _gallery,
    "record": _record,
    "export": _export,
    "optimize": _optimize,
    "sweep": _sweep,
    "landscape": _landscape,
    "plot": _plot,
    "identify": _identify,
    "mpc": _mpc,
    "runs": _runs,
    "compare": _compare,
    "replay": _replay,
    "gradient": _gradient,
    "check": _check,
    "certify": _certify,
    "doctor": _doctor,
    "new": _new,
    "list": _list,
    "info": _info,
}


# ---- What they share ----
