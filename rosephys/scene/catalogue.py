"""What scenes there are, in groups, each with its one line: read from their files, none of which is run."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rosephys.errors import SceneError
from rosephys.scene.finding import scene_file, scene_names

GROUPS = {
    "contact": ("billiards", "pool", "push", "bounce", "drop"),
    "bodies in the plane": ("stack", "throw", "cradle", "rigid"),
    "described worlds": (
        "catapult",
        "car",
        "crane",
        "bridge",
        "domino",
        "pinball",
        "hopper",
        "quadruped",
    ),
    "springs": ("robot", "rope", "cloth"),
    "mechanics": (
        "pendulum",
        "cartpole",
        "balance",
        "orbit",
        "gyroscope",
        "tumble",
        "box3d",
        "arm",
    ),
    "fields": ("smoke", "plume", "wave", "heat", "patterns", "electric"),
    "liquids": ("dam", "channel", "slosh", "liquid", "boat"),
    "soft bodies": ("walker", "jelly", "blob", "sand"),
    "diagrams": ("diagram",),
}
MORE = "more"  # those that are in no group


@dataclass(frozen=True)
class Entry:
    """A scene as the catalogue has it: what is typed for it, and what it says of itself."""

    name: str
    typed: str  # a name, or the path of a file
    file: Path | None  # None for a scene of an installed package, which is not looked for
    summary: str


@dataclass(frozen=True)
class Group:
    """Scenes of one kind."""

    title: str
    entries: Sequence[Entry]


def groups(folder: Path | None = None) -> list[Group]:
    """The scenes that `list` names, by kind; or those of the .py files in a folder.

    Raises SceneError for a folder that is none, or that has no scene in it.
    """
    return _known() if folder is None else [_in_folder(folder)]


def _known() -> list[Group]:
    entries = {}
    for name in scene_names():
        file = scene_file(name)
        entries[name] = Entry(name, name, file, (_summary(file) or "") if file else "")
    placed = {name for names in GROUPS.values() for name in names}
    kinds = {**GROUPS, MORE: tuple(name for name in entries if name not in placed)}
    found = [Group(t, [entries[n] for n in names if n in entries]) for t, names in kinds.items()]
    return [group for group in found if group.entries]


def _in_folder(folder: Path) -> Group:
    if not folder.is_dir():
        raise SceneError(f"there is no folder {folder}")
    entries = []
    for file in sorted(folder.glob("*.py")):
        summary = None if file.name.startswith("_") else _summary(file)
        if summary is not None:
            entries.append(Entry(file.stem, str(file), file, summary))
    if not entries:
        raise SceneError(
            f"no file in {folder} defines a scene; `python -m rosephys new` writes one to begin with"
        )
    return Group(folder.resolve().name or str(folder), entries)


def _summary(file: Path) -> str | None:
    """The first paragraph of a scene's docstring, "" if it has none; None for a file without a scene.

    A file that Python cannot read is taken for a scene: to open it tells what is wrong.
    """
    try:
        module = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return "This file cannot be read by Python."
    scenes = [node for node in module.body if isinstance(node, ast.ClassDef) and _is_scene(node)]
    if not scenes:
        return None
    text = ast.get_docstring(scenes[-1]) or ""
    return " ".join(text.split("\n\n")[0].split())


def _is_scene(node: ast.ClassDef) -> bool:
    """Whether a class is derived from `Scene`, or from a class whose name ends in it."""
    return any(ast.unparse(base).endswith("Scene") for base in node.bases)
