"""What may be typed on the command line: the commands, their arguments, and what these must be."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from rosephys.scene.fields import near
from rosephys.scene.optimizers import OPTIMIZERS
from rosephys.scene.picture import END, FPS, SIZE

Run: TypeAlias = "Callable[[argparse.Namespace], int]"

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
  python -m rosephys optimize robot --out found --resume      go on with what was interrupted
  python -m rosephys plot pendulum --of angle       the angle over time, as a picture
  python -m rosephys gradient billiards --check     compare with central differences
  python -m rosephys gradient billiards --set steps=2048 --set contact=toi-position
  python -m rosephys check ./my_scene.py            are its gradient, motion and picture right
"""

MOST_STARTS = 65  # the given controls, and a batch of others
MIN_PIXELS, MAX_PIXELS = 64, 8192  # of a film or picture each way


def parser(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """The parser of all commands; what it parses has the function of `runs` for its command, as `run`."""
    made = _Parser(
        prog="python -m rosephys",
        description="Differentiable physics: simulate a scene, differentiate it, solve it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = made.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, add in _COMMANDS.items():
        add(commands, runs[name])
    return made


# ---- Commands ----


def _scene(commands: Any, run: Run) -> None:
    command = _command(commands, "scene", run, "solve a scene in a window and play the answer")
    command.add_argument("--headless", action="store_true", help="no window: print, write a GIF")
    _add_solving(command)
    _add_theme(command)
    command.add_argument(
        "--out",
        "--save",
        type=Path,
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
    command.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="your own scenes")
    command.add_argument(
        "--out", type=Path, metavar="FILE.png", help="no window: write the pictures of all"
    )
    command.set_defaults(run=run)


def _record(commands: Any, run: Run) -> None:
    command = _command(
        commands,
        "record",
        run,
        "solve a scene and write the answer: a film, a picture, numbers",
    )
    _add_solving(command)
    _add_theme(command)
    command.add_argument(
        "--out",
        "--save",
        type=Path,
        metavar="DIR|FILE",
        help="a .gif, .mp4, .png or .npz, or a folder for a .gif (default: here)",
    )
    command.add_argument(
        "--size",
        type=_size,
        default=SIZE,
        metavar="WxH",
        help="pixels of a film or picture (720x460)",
    )
    command.add_argument(
        "--fps", type=_fps, default=FPS, metavar="N", help="frames a second of a film (30)"
    )
    command.add_argument(
        "--at", type=_moment, default=END, metavar="T", help="the moment of a .png, from 0 to 1"
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
    _add_settings(command)
    command.add_argument("--all", action="store_true", help="all scenes, and a gallery of them")
    command.add_argument(
        "--web", type=Path, default=Path("."), metavar="DIR", help="the folder (default: here)"
    )
    command.add_argument(
        "--embed",
        action="store_true",
        help="write the element <rosephys-scene> and the scene's module, for a page of yours",
    )
    command.add_argument("--serve", action="store_true", help="then show it in a browser")
    command.set_defaults(run=run)


def _optimize(commands: Any, run: Run) -> None:
    command = _command(commands, "optimize", run, "find the controls with the least loss")
    _add_solving(command)
    _add_thorough(command)
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="keep the run there as it goes on, and the result: .json, .npz and a GIF",
    )
    command.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in the folder of --out, as it was begun; more --iterations may be asked for",
    )
    command.add_argument(
        "--picture", type=_png, metavar="FILE.png", help="draw how it ends, before and after"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _landscape(commands: Any, run: Run) -> None:
    command = _command(
        commands, "landscape", run, "draw the loss over two controls, and the descent in it"
    )
    _add_solving(command)
    command.add_argument(
        "--controls",
        metavar="A,B",
        help="one number of the controls, or two, such as push.0,push.1 (default: the steepest)",
    )
    command.add_argument(
        "--span",
        type=_positive,
        metavar="R",
        help="how far to look either way, relative to the size of a control (default: to suit the descent)",
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR|FILE.png", help="where to write it (default: here)"
    )


def _plot(commands: Any, run: Run) -> None:
    command = _command(
        commands,
        "plot",
        run,
        "solve a scene and plot the loss, or its state and controls over time",
    )
    _add_solving(command)
    _add_theme(command)
    command.add_argument(
        "--of",
        default="loss",
        metavar="A,B",
        help="loss, parts of the state, such as position or position.0, or controls with a row for each step"
        " (default: loss)",
    )
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="a .png, or a .csv of the numbers (default: here)"
    )


def _runs(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "runs",
        help="list the runs that were kept: how far they came",
        description="List the runs in the folders below one, that `optimize --out` has kept.",
    )
    command.add_argument(
        "folder",
        type=Path,
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
    command.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="folders of runs")
    _add_theme(command)
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="a .png, or a .csv of the numbers (default: none)"
    )
    command.set_defaults(run=run)


def _replay(commands: Any, run: Run) -> None:
    command = commands.add_parser(
        "replay",
        help="show the best motion of a run that was kept",
        description="Show the best motion of a run in a window, or write it to a file.",
    )
    command.add_argument("folder", type=Path, metavar="DIR", help="the folder of a run")
    command.add_argument("--headless", action="store_true", help="no window: write a GIF")
    command.add_argument(
        "--out", type=Path, metavar="DIR|FILE", help="write what `record` would instead"
    )
    command.set_defaults(run=run)


def _gradient(commands: Any, run: Run) -> None:
    command = _command(commands, "gradient", run, "print the gradient and what it costs")
    _add_thorough(command)
    command.add_argument(
        "--check",
        action="store_true",
        help="compare with central differences; 1 if they differ",
    )
    command.add_argument(
        "--by-state", action="store_true", help="also for every entry of the initial state"
    )
    command.add_argument(
        "--repeat", type=_count, metavar="N", help="time N calls and give the median"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _check(commands: Any, run: Run) -> None:
    command = _command(commands, "check", run, "check a scene: gradient, motion, picture")
    _add_thorough(command)
    command.add_argument("--json", action="store_true", help="print one JSON object")


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
    command.add_argument("file", type=Path, metavar="FILE.py", help="a file that does not exist")
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
    "landscape": _landscape,
    "plot": _plot,
    "runs": _runs,
    "compare": _compare,
    "replay": _replay,
    "gradient": _gradient,
    "check": _check,
    "new": _new,
    "list": _list,
    "info": _info,
}


# ---- What they share ----


class _Parser(argparse.ArgumentParser):
    """One that asks of a word that is none of the choices which was meant; so do those of its commands."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            meant = near(str(value), map(str, action.choices or ()))
            error.message += meant if "did you mean" in meant else ""
            raise


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from rosephys import __version__

        print("rosephys", __version__)
        parser.exit()


def _command(commands: Any, name: str, run: Run, purpose: str) -> argparse.ArgumentParser:
    """A command that takes a scene and its settings."""
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    command.add_argument("scene", metavar="SCENE", help="a name from `list`, or a .py file")
    _add_settings(command)
    command.add_argument(
        "--load",
        type=Path,
        metavar="FILE.npz",
        help="begin with what `optimize --out` wrote; scene and record then only replay it,"
        " unless --iterations says to go on",
    )
    command.set_defaults(run=run)
    return command


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        dest="settings",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give a field of the scene another value (may be repeated)",
    )


def _add_solving(command: argparse.ArgumentParser) -> None:
    command.add_argument("--iterations", type=_count, metavar="N", help="steps of the optimiser")
    command.add_argument("--rate", type=_positive, metavar="R", help="learning rate")
    command.add_argument(
        "--optimizer",
        choices=tuple(OPTIMIZERS),
        metavar="NAME",
        help="how a step is chosen: a name from `list --optimizers`",
    )
    command.add_argument(
        "--starts",
        type=_starts,
        default=1,
        metavar="N",
        help="descend from N controls, the given and the best of those around, and keep the best",
    )
    command.add_argument(
        "--seed", type=_count, default=0, metavar="N", help="of the random starts (0)"
    )


def _add_thorough(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--thorough",
        action="store_true",
        help="judge by many more evaluations: on more lines, in more directions",
    )


def _add_theme(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--theme", choices=("dark", "light"), help="the colours (default: those the scene likes)"
    )


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name.strip(), value.strip()


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


def _starts(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= MOST_STARTS):
        raise argparse.ArgumentTypeError(
            f"expected a whole number from 1 to {MOST_STARTS}, got {text!r}"
        )
    return int(text)


def _png(text: str) -> Path:
    if Path(text).suffix.lower() != ".png":
        raise argparse.ArgumentTypeError(f"expected a file that ends in .png, got {text!r}")
    return Path(text)


def _moment(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return value


def _size(text: str) -> tuple[int, int]:
    wide, by, high = text.partition("x")
    if not (by and wide.isdecimal() and high.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT in pixels, got {text!r}")
    size = int(wide), int(high)
    if not (MIN_PIXELS <= min(size) and max(size) <= MAX_PIXELS):
        raise argparse.ArgumentTypeError(
            f"expected from {MIN_PIXELS} to {MAX_PIXELS} pixels each way, got {text!r}"
        )
    return size


def _fps(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 100, got {text!r}")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value
