"""Keeps what was found in a file of the kind that its name says: a film, a picture, or the numbers."""

from __future__ import annotations

from pathlib import Path

from rosephys.console import progress, say
from rosephys.files.destination import kind
from rosephys.files.film import Film, record, still
from rosephys.files.values import save_motion


def keep(film: Film, path: Path) -> None:
    """Write a film, or the moment of it as a .png, or its numbers as an .npz, and say so.

    Of a scene without a picture only the numbers can be kept; it is said if they are not what is asked for.
    """
    if kind(path) == ".npz":
        save_motion(path, film.problem, film.values)
    elif not film.problem.scene.pictured:
        say(f"no {path.suffix[1:].upper()}: the scene has no picture")
        return
    elif kind(path) == ".png":
        still(film, path)
    else:
        with progress() as show:
            record(film, path, show)
    say(f"wrote {path}")
