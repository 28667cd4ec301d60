"""Where a recording goes, and of which kind it is; what cannot be is told before a scene is solved."""

from __future__ import annotations

from pathlib import Path
from tempfile import NamedTemporaryFile

from rosephys.errors import SceneError
from rosephys.files.mp4 import check_size, encoder
from rosephys.scene.picture import SIZE

KINDS = (".gif", ".mp4", ".png", ".npz")


def place(asked: Path | None, name: str, size: tuple[int, int] = SIZE) -> Path:
    """The file to write: the one that was asked for, or NAME.gif in that folder, or else in this one.

    Raises SceneError for a kind of file that there is not, FilmError for an MP4 that cannot be encoded, OSError
    for a file that cannot be written.
    """
    path = asked or Path(".")
    if kind(path) not in KINDS:
        if path.suffix and not path.is_dir():
            raise SceneError(f"{path}: a recording is a {', '.join(KINDS)}, or goes to a folder")
        path = path / f"{name}.gif"
    if kind(path) == ".mp4":
        encoder()
        check_size(size)
    try_out(path)
    return path


def kind(path: Path) -> str:
    """The kind of a file, by its name: ".gif" of a.gif and of a.GIF."""
    return path.suffix.lower()


def try_out(path: Path) -> None:
    """See that a file can be written here: its folder is made, and a file beside it, which is taken away.

    Raises OSError, in words, where it cannot be.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix="."):
            pass
    except OSError as error:
        raise OSError(f"{path} cannot be written: {(error.strerror or 'no').lower()}") from None
    if path.is_dir():
        raise OSError(f"{path} cannot be written: it is a folder")
