"""A problem from the command line: of one scene, or of an ensemble of it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np

from rosephys.command.report import print_table
from rosephys.errors import SceneError
from rosephys.files.evaluations import Recorded, RecordedEnsemble
from rosephys.scene.scene import Scene
from rosephys.scene.spread import Spread, log_uniform, normal, uniform
from rosephys.solve.ensemble import Ensemble
from rosephys.solve.problem import Problem, Values

SPREADS = {"normal": normal, "uniform": uniform, "log-uniform": log_uniform}


def problem_of(scene: Scene, arguments: argparse.Namespace) -> Recorded:
    """The problem that is asked for. Raises SceneError for what belongs to an ensemble where none is asked
    for, and what `Ensemble` does."""
    members: int | None = getattr(arguments, "ensemble", None)
    if members is None:
        for option in ("risk", "spread"):
            if getattr(arguments, option, None):
                raise SceneError(f"--{option} is of an ensemble: --ensemble 64")
        return Recorded(scene)
    spread = dict(spread_of(name, typed) for name, typed in arguments.spread)
    risk, seed = arguments.risk or "mean", arguments.seed
    return RecordedEnsemble(scene, members, risk=risk, seed=seed, spread=spread)


def spread_of(name: str, typed: str) -> tuple[str, Spread]:
    """A field's name, and its spread as it was typed: normal:0.1. Raises SceneError for another."""
    kind, _, size = typed.partition(":")
    if kind not in SPREADS:
        raise SceneError(
            f"--spread {name}={typed}: wanted {name}=normal:0.1, uniform:0.1 or log-uniform:2"
        )
    try:
        return name, SPREADS[kind](float(size))
    except ValueError as error:
        raise SceneError(f"--spread {name}={typed}: {error}") from None


def ensemble_words(arguments: argparse.Namespace) -> list[str]:
    """The options by which an ensemble was asked for."""
    if arguments.ensemble is None:
        return []
    words = ["--ensemble", str(arguments.ensemble)]
    words += ["--risk", arguments.risk] if arguments.risk else []
    for name, typed in arguments.spread:
        words += ["--spread", f"{name}={typed}"]
    return words


def ensemble_settings(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """The same as data, for a run that is kept; None where there is no ensemble."""
    if arguments.ensemble is None:
        return None
    spread = dict(arguments.spread)
    return {"members": arguments.ensemble, "risk": arguments.risk or "mean", "spread": spread}


def take_up_ensemble(arguments: argparse.Namespace, begun: Mapping[str, Any] | None) -> None:
    """Fill in how an ensemble was begun with, where nothing was typed of it."""
    if begun and arguments.ensemble is None:
        arguments.ensemble, arguments.risk = begun["members"], begun["risk"]
        arguments.spread = list(begun["spread"].items())


def member_summary(problem: Problem, values: Values) -> dict[str, Any]:
    """What the losses of an ensemble's members are at some values; empty for another problem."""
    if not isinstance(problem, Ensemble):
        return {}
    losses = problem.member_losses(values)
    found = {
        "members": problem.members,
        "risk": problem.risk,
        "mean": float(np.mean(losses)),
        "deviation": float(np.std(losses)),
        "best": float(np.min(losses)),
        "worst": float(np.max(losses)),
    }
    return {"ensemble": found}


def print_members(problem: Problem, before: Values, after: Values) -> None:
    """Print the losses of the members of an ensemble, before and after."""
    found = [member_summary(problem, values) for values in (before, after)]
    if not all(found):
        return
    first, last = (summary["ensemble"] for summary in found)
    names = ("mean", "deviation", "best", "worst")
    rows = [[name, f"{first[name]:.6g}", f"{last[name]:.6g}"] for name in names]
    print(f"\nthe losses of {last['members']} members; the loss is their {last['risk']}\n")
    print_table([["", "from", "to"], *rows])
