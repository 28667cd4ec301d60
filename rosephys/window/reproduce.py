"""The command that shows again what the window shows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rosephys.files.values import save

if TYPE_CHECKING:
    from rosephys.scene.scene import Scene

TYPED = 64  # numbers of a field that are written out; with more of them all go to a file


def free_path(stem: str, suffix: str) -> Path:
    """The first of stem-1, stem-2, ... in this folder that is no file yet."""
    number = 1
    while (path := Path(f"{stem}-{number}{suffix}")).exists():
        number += 1
    return path


def command(typed: str, scene: Scene, values: Mapping[str, Any]) -> str:
    """A command line that opens the scene with these values and plays their motion.

    It names the fields that are not at their defaults. Where one of them is large the values are
    written to a file in this folder, and the command loads that.
    """
    words = ["python", "-m", "rosephys", "scene", typed]
    changed = _changed(scene, values)
    if any(np.size(value) > TYPED for value in changed.values()):
        path = free_path(Path(typed).stem, ".npz")
        save(path, scene, values)
        return shlex.join([*words, "--load", str(path)])
    for name, value in changed.items():
        words += ["--set", f"{name}={_typed(value)}"]
    return shlex.join([*words, "--iterations", "0"])


def _changed(scene: Scene, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not at their defaults, in the order in which they are declared."""
    out = {}
    for name, f in scene.fields.items():
        value = values[name] if f.live else getattr(scene, name)
        if not np.array_equal(value, f.value_for(scene)):
            out[name] = value
    return out


def _typed(value: Any) -> str:
    """A value as `--set` takes it, to the last digit."""
    if isinstance(value, np.ndarray):
        return ",".join(repr(float(x)) for x in np.ravel(value))
    return str(value)
