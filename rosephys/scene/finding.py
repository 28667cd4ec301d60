"""How scenes are found: by the name of one that comes with rosephys or is installed, or by a file."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import linecache
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from rosephys.errors import ArgumentError, SceneError
from rosephys.given import told
from rosephys.scene.fields import near
from rosephys.scene.scene import Scene

_PACKAGE = Path(__file__).parents[1]
_BUILT_IN = (_PACKAGE / "scenes", _PACKAGE.parent / "scenes")


def shipped() -> Path:
    """The folder of the scenes that come with rosephys: in the package, or, in a checkout, beside it."""
    return next((folder for folder in _BUILT_IN if folder.is_dir()), _BUILT_IN[0])


def _built_in() -> dict[str, Path]:
    return {p.stem: p for p in sorted(shipped().glob("*.py")) if not p.name.startswith("_")}


def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {e.name: e for e in importlib.metadata.entry_points(group="rosephys.scenes")}


def scene_names() -> list[str]:
    """The scenes that come with rosephys, and those of installed packages (entry point `rosephys.scenes`)."""
    return sorted({*_built_in(), *_entry_points()})


def scene_file(name: str) -> Path | None:
    """The file of a scene that comes with rosephys; None for one of an installed package."""
    return _built_in().get(name)


def find_scene(name: str, settings: Mapping[str, Any] | None = None) -> Scene:
    """The scene of that name, or the one in that file, with these settings.

    Settings may be text, as typed on a command line. Raises SceneError, with near names where a name is
    unknown; what a user's own file raises when it is loaded passes through.
    """
    return scene_class(name)(**dict(settings or {}))


def scene_class(name: str) -> type[Scene]:
    """The class of a scene, by name or by the path of its file."""
    if not isinstance(name, str):
        raise ArgumentError(f"a scene is found by its name or by its file, not {told(name)}")
    built_in = _built_in()
    if name.endswith(".py") or "/" in name or "\\" in name:
        return _only_scene(loaded(Path(name)), name)
    if name in built_in:
        return _only_scene(loaded(built_in[name]), name)
    entries = _entry_points()
    if name in entries:
        found = entries[name].load()
        if inspect.isclass(found) and issubclass(found, Scene):
            return found
        raise SceneError(f"the entry point {name} is not a Scene")
    raise SceneError(f"there is no scene {name!r}{near(name, scene_names())}")


def loaded(path: Path) -> ModuleType:
    """A file of Python, run. Raises SceneError where there is none."""
    if not path.is_file():
        raise SceneError(f"there is no file {path}")
    name = f"rosephys_scene_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SceneError(f"{path} is not a Python file")
    linecache.cache.pop(str(spec.origin), None)  # of an earlier text: errors quote this one
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _only_scene(module: ModuleType, name: str) -> type[Scene]:
    found = [
        c
        for c in vars(module).values()
        if inspect.isclass(c) and issubclass(c, Scene) and c.__module__ == module.__name__
    ]
    if not found:
        raise SceneError(f"{name} defines no scene: a class derived from rosephys.Scene")
    return found[-1]
