"""Where a recording goes, and of which kind it is; what cannot be is told before a scene is solved."""

from __future__ import annotations

from pathlib import Path

from rosephys.errors import SceneError
from rosephys.files.mp4 import check_size, encoder
from rosephys.scene.picture import SIZE

KINDS = (".gif", ".mp4", ".png", ".npz")


def place(asked: Path | None, name: str, size: tuple[int, int] = SIZE) -> Path:
    """The file to write: the one that was asked for, or NAME.gif in that folder, or else in this one.

    Raises SceneError for a kind of file that there is not, FilmError for an MP4 that cannot be encoded.
    """
    path = asked or Path(".")
    if path.suffix not in KINDS:
        if path.suffix and not path.is_dir():
            raise SceneError(f"{path}: a recording is a {', '.join(KINDS)}, or goes to a folder")
        return path / f"{name}.gif"
    if path.suffix == ".mp4":
        encoder()
        check_size(size)
    return path
