"""The tracks of some draws of what is not known about a scene, with the controls as they are."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from rosephys.scene.picture import Track
from rosephys.scene.scene import Scene
from rosephys.solve.ensemble import Ensemble

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem

MEMBERS = 8  # whose tracks are shown


def varies(scene: Scene) -> bool:
    """Whether a scene has fields with a spread, and tracks."""
    tracked = type(scene).tracks is not Scene.tracks
    return tracked and any(field.spread is not None for field in scene.fields.values())


def members(
    problem: Problem, values: Arrays
) -> Generator[list[list[Track]] | None, None, list[list[Track]]]:
    """The tracks of the first draws of an ensemble about these values, more and more of them; of a scene that
    `varies`."""
    ensemble = Ensemble(problem.scene, MEMBERS)
    found: list[list[Track]] = []
    for k in range(MEMBERS):
        yield list(found) or None
        found.append(problem.tracks(ensemble.member(values, k)))
    return found
