"""A scene to begin with: `scenes/_starter.py`, or `scenes/_world.py`, under another name."""

from __future__ import annotations

from keyword import iskeyword
from pathlib import Path

from rosephys.errors import SceneError
from rosephys.scene.finding import shipped

STARTER, WORLD = "_starter.py", "_world.py"


def write_scene(path: Path, world: bool = False) -> None:
    """Write a commented scene, named for its file, to a new .py file; with `world` one that describes a world.

    Raises SceneError if there is a file already, or no folder, or the name makes no class.
    """
    if path.suffix != ".py":
        raise SceneError(f"a scene is a Python file, {path.name}.py for example, not {path}")
    name = "".join(part.capitalize() for part in path.stem.replace("-", "_").split("_"))
    if not name.isidentifier() or iskeyword(name):
        raise SceneError(
            f"{path.stem!r} makes no name of a class; begin with a letter, as in my_scene.py"
        )
    text = (shipped() / (WORLD if world else STARTER)).read_text(encoding="utf-8")
    text = text.replace("class Starter", f"class {name}").replace("FILE", path.name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SceneError(f"there is a {path} already, which is kept; give another name") from None
    except FileNotFoundError:
        raise SceneError(f"there is no folder {path.parent}") from None
