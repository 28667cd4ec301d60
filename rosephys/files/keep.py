"""Keeps what was found in a file of the kind that its name says: a film, a picture, or the numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rosephys.command.report import progress, say
from rosephys.scene.scene import SceneError

if TYPE_CHECKING:
    from rosephys.solve.problem import Arrays, Problem

KINDS = (".gif", ".mp4", ".png", ".npz")
SIZE, FPS, END = (720, 460), 30, 1.0  # of a film or picture: pixels, frames a second, the moment


def place(asked: Path | None, name: str, size: tuple[int, int] = SIZE) -> Path:
    """The file to write: the one that was asked for, or NAME.gif in that folder, or else in this one.

    What cannot be written is told here, before a scene is solved, which may take long: raises SceneError
    for a kind of file that there is not, FilmError for an MP4 that cannot be encoded.
    """
    path = asked or Path(".")
    if path.suffix not in KINDS:
        if path.suffix and not path.is_dir():
            raise SceneError(f"{path}: a recording is a {', '.join(KINDS)}, or goes to a folder")
        return path / f"{name}.gif"
    if path.suffix == ".mp4":
        from rosephys.files.mp4 import check_size, encoder

        encoder()
        check_size(size)
    return path


def keep(
    problem: Problem,
    values: Arrays,
    path: Path,
    size: tuple[int, int] = SIZE,
    fps: int = FPS,
    at: float = END,
    theme: str | None = None,
) -> None:
    """Write the motion under `values`, or the moment `at` of it as a .png, and say so; in the scene's theme if
    there is no other.

    Of a scene without a picture only the numbers can be kept; it is said if they are not what is asked for.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npz":
        from rosephys.files.values import save_motion

        save_motion(path, problem, values)
    elif not problem.scene.pictured:
        say(f"no {path.suffix[1:].upper()}: the scene has no picture")
        return
    else:
        from rosephys.drawing.palette import themed
        from rosephys.files.film import record, still

        with themed(theme or problem.scene.theme):
            if path.suffix == ".png":
                still(problem, values, path, at, size)
            else:
                with progress() as show:
                    record(problem, values, path, size, fps, show)
    say(f"wrote {path}")
