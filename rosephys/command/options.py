"""What several commands take alike: a scene and its settings, how it is solved, how it looks."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, TypeAlias

from rosephys.command.typed import count, path, positive, setting, starts
from rosephys.scene.fields import near
from rosephys.scene.optimizers import OPTIMIZERS

Run: TypeAlias = "Callable[[argparse.Namespace], int]"


class Parser(argparse.ArgumentParser):
    """One that asks of a word that is none of the choices which was meant; so do those of its commands."""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            meant = near(str(value), map(str, action.choices or ()))
            error.message += meant if "did you mean" in meant else ""
            raise


class Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from rosephys import __version__

        print("rosephys", __version__)
        parser.exit()


def scene_command(commands: Any, name: str, run: Run, purpose: str) -> argparse.ArgumentParser:
    """A command that takes a scene and its settings."""
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
    )
    command.add_argument("scene", metavar="SCENE", help="a name from `list`, or a .py file")
    add_settings(command)
    command.add_argument(
        "--load",
        type=path,
        metavar="FILE.npz",
        help="begin with what `optimize --out` wrote; scene and record then only replay it,"
        " unless --iterations says to go on",
    )
    command.set_defaults(run=run)
    return command


def add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        dest="settings",
        type=setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give a field of the scene another value (may be repeated)",
    )


def add_solving(command: argparse.ArgumentParser) -> None:
    command.add_argument("--iterations", type=count, metavar="N", help="steps of the optimiser")
    command.add_argument("--rate", type=positive, metavar="R", help="learning rate")
    command.add_argument(
        "--optimizer",
        choices=tuple(OPTIMIZERS),
        metavar="NAME",
        help="how a step is chosen: a name from `list --optimizers`",
    )
    command.add_argument(
        "--starts",
        type=starts,
        default=1,
        metavar="N",
        help="descend from N controls, the given and the best of those around, and keep the best",
    )
    add_ensemble(command)


def add_ensemble(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--ensemble",
        type=count,
        metavar="N",
        help="of N draws of the fields that have a spread, side by side",
    )
    command.add_argument(
        "--risk",
        metavar="RISK",
        help="what is small of an ensemble: mean, worst, or cvar:0.9, the mean of the worst tenth (mean)",
    )
    command.add_argument(
        "--spread",
        type=setting,
        action="append",
        default=[],
        metavar="NAME=KIND:SIZE",
        help="how a field varies: normal:0.1, uniform:0.1 or log-uniform:2 (may be repeated)",
    )
    command.add_argument(
        "--seed", type=count, default=0, metavar="N", help="of random starts and draws (0)"
    )


def add_thorough(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--thorough",
        action="store_true",
        help="judge by many more evaluations: on more lines, in more directions",
    )


def add_theme(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--theme", choices=("dark", "light"), help="the colours (default: those the scene likes)"
    )
