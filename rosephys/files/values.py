"""What was found, in a file: every field of a scene, so that the file alone says what to run.

`save` writes the fields by their names. `save_motion` writes the motion as well, each array under a path:
"values/goal", "trajectory/position", "times", "loss", "tracks/cue". `load` reads the fields of either.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import rose_ad as ra

from ..errors import SceneError
from ..scene.scene import Scene
from .atomic import replacing

if TYPE_CHECKING:
    from ..solve.problem import Problem

FIELDS = "values/"  # what the names of fields begin with beside a motion


def save(path: Path, scene: Scene, values: Mapping[str, Any]) -> None:
    """Write the scene's fields to an .npz file, the live ones with these values."""
    _write(path, _fields(scene, values))


def save_motion(path: str | Path, problem: Problem, values: Mapping[str, Any]) -> None:
    """Write the motion under these values to an .npz file: all that is needed to draw or to study it.

    The arrays of the trajectory have a leading axis of length steps + 1, `times` (steps + 1,) are in
    the unit of the scene's `dt`, tracks are paths of shape (steps + 1, 2).
    """
    trajectory = problem.trajectory(values)
    tracks: dict[str, Any] = {}
    for k, track in enumerate(problem.tracks(values, trajectory)):
        name = track.label if track.label and track.label not in tracks else str(k)
        tracks[name] = track.point
    _write(
        path,
        {FIELDS + name: value for name, value in _fields(problem.scene, values).items()}
        | dict(_leaves(trajectory, "trajectory"))
        | {f"tracks/{name}": path for name, path in tracks.items()}
        | {"times": np.arange(problem.steps + 1) * float(values["dt"])}
        | {"loss": problem.loss(values)},
    )


def _fields(scene: Scene, values: Mapping[str, Any]) -> dict[str, Any]:
    return {n: getattr(scene, n) for n, f in scene.fields.items() if not f.live} | dict(values)


def _leaves(x: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The numbers and arrays of a state, each with its path: `.arms[0].angle` is PATH/arms/0/angle."""
    parts: Mapping[Any, Any]
    if is_dataclass(x):
        parts = {f.name: getattr(x, f.name) for f in fields(x)}
    elif isinstance(x, Mapping):
        parts = x
    elif isinstance(x, (tuple, list)):
        parts = dict(enumerate(x))
    else:
        yield from ((path, leaf) for leaf in ra.flatten(x)[0])  # a word, for example, has none
        return
    for name, part in parts.items():
        yield from _leaves(part, f"{path}/{name}")


def _write(path: str | Path, arrays: Mapping[str, Any]) -> None:
    with replacing(path) as beside, beside.open("wb") as file:  # a name may end in .NPZ
        np.savez(file, **arrays)


def load(path: Path) -> dict[str, Any]:
    """The settings in such a file. Raises OSError if it cannot be read, SceneError if it is no such file."""
    try:
        with np.load(path, allow_pickle=False) as found:
            named = {n.removeprefix(FIELDS): n for n in found.files if n.startswith(FIELDS)}
            arrays = {n: found[at] for n, at in (named or {n: n for n in found.files}).items()}
            return {n: v.item() if v.ndim == 0 else v for n, v in arrays.items()}
    except (ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        raise SceneError(
            f"{path} is no file of values; `optimize --out DIR` writes them, as .npz"
        ) from None
