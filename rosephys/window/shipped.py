"""The pictures of the scenes that come with rosephys, for the gallery: files of the package.

`python -m rosephys.window.shipped [NAME ...]` solves all scenes, or these, and makes theirs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rosephys.scene.catalogue import Entry
from rosephys.scene.finding import scene_file, scene_names

FOLDER = Path(__file__).parent / "pictures"
SECONDS = 20.0  # of work that a scene is solved
LEVELS = 64  # of each colour: the file is a third smaller, and the eye sees no difference


def shipped_picture(entry: Entry) -> Path | None:
    """The picture of a scene that comes with rosephys; None for any other."""
    file = FOLDER / f"{entry.name}.png"
    own = entry.file is not None and entry.file == scene_file(entry.name)
    return file if own and file.exists() else None


def make(name: str) -> Path:
    """Solve a scene and draw it into its file."""
    from rosephys.drawing.pixels import pixels
    from rosephys.files.png import write_png
    from rosephys.window.painting import paint

    step = 256 // LEVELS
    shades = pixels(paint(name, SECONDS))
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{name}.png"
    write_png(file, shades // step * step + step // 2)
    return file


if __name__ == "__main__":
    for name in sys.argv[1:] or [name for name in scene_names() if scene_file(name)]:
        print(f"wrote {make(name)}")
