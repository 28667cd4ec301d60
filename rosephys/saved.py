"""What was found, in a file: every field of a scene, so that the file alone says what to run."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .scene import Scene, SceneError


def save(path: Path, scene: Scene, values: Mapping[str, Any]) -> None:
    """Write the scene's fields to an .npz file, the live ones with these values."""
    fixed = {n: getattr(scene, n) for n, f in scene.fields.items() if not f.live}
    np.savez(path, **fixed, **values)


def load(path: Path) -> dict[str, Any]:
    """The settings in such a file. Raises OSError if it cannot be read, SceneError if it is no such file."""
    try:
        with np.load(path) as found:
            return {n: v.item() if v.ndim == 0 else v for n, v in found.items()}
    except (ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        raise SceneError(
            f"{path} is no file of values; `optimize --out DIR` writes them, as .npz"
        ) from None
