"""A motion shown in a notebook: HTML that holds its own film, for whatever looks for `_repr_html_`."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SceneError
from ..scene.finding import find_scene
from ..scene.scene import Scene
from ..solve.problem import Problem
from .atomic import replacing
from .film import Film, recorded

SIZE = (600, 383)  # pixels
FPS = 20


@dataclass(frozen=True)
class Animation:
    """A motion as an animated GIF; a notebook shows it in place of its name."""

    name: str
    size: tuple[int, int]
    gif: bytes = field(repr=False)

    def _repr_html_(self) -> str:
        wide, high = self.size
        data = base64.b64encode(self.gif).decode("ascii")
        return (
            f'<img src="data:image/gif;base64,{data}" width="{wide}" height="{high}"'
            f' alt="{html.escape(self.name)}" style="max-width: 100%; height: auto">'
        )

    def save(self, path: str | Path) -> None:
        """Write the GIF to a file."""
        with replacing(path) as beside:
            beside.write_bytes(self.gif)


def show(
    what: str | Scene | Problem,
    values: Mapping[str, Any] | None = None,
    *,
    size: tuple[int, int] = SIZE,
    fps: int = FPS,
) -> Animation:
    """The motion of a scene, its name or its problem, under `values`; fields that are not named keep theirs.

    `values` may be those of an `Iterate` of `descend`. Raises SceneError for a scene without a picture, a
    name that is none of its live fields, or more than 100 frames a second.
    """
    problem = what if isinstance(what, Problem) else Problem(_scene(what))
    if not problem.scene.pictured:
        raise SceneError(f"{problem.scene.name} has no picture to be shown")
    if not 1 <= fps <= 100:
        raise SceneError(f"fps lies between 1 and 100, not at {fps}")
    unknown = set(values or {}) - set(problem.values)
    if unknown:
        raise SceneError(
            f"{problem.scene.name} has no live field {min(unknown)!r}; there are"
            f" {', '.join(problem.values)}"
        )
    film = Film(problem, {**problem.values, **(values or {})}, size, fps)
    return Animation(problem.scene.name, size, recorded(film))


def _scene(what: str | Scene) -> Scene:
    return find_scene(what) if isinstance(what, str) else what
