"""A diagram as a page of its own: its shapes are dragged in any browser, offline."""

from __future__ import annotations

from pathlib import Path

from ..files.atomic import replacing
from ..solve.problem import Problem
from ..web.pages import page
from ..web.program import scene_module
from .diagram import Diagram
from .diagram_scene import DiagramScene


def scene_of(diagram: Diagram, seed: int = 0) -> DiagramScene:
    """A scene of a diagram, for `Problem` and all that takes scenes."""

    class Drawing(DiagramScene):
        """Drag any shape: the rest settles about it."""

        def diagram(self) -> Diagram:
            return diagram

    return Drawing(seed=seed)


def write_page(diagram: Diagram, path: str | Path, title: str = "Diagram", seed: int = 0) -> None:
    """Write a page of a diagram. Raises DiagramError as `Diagram.layout` does, OSError if it cannot be
    written."""
    summary = "Drag any shape: the rest settles about it."
    module = scene_module(Problem(scene_of(diagram, seed)), title, summary)
    with replacing(path) as beside:
        beside.write_text(page(module, title, summary), encoding="utf-8")
