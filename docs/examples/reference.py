"""Writes the reference of what can be imported, from docstrings: python docs/examples/reference.py docs"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import rose_ad
import rosephys
import rosephys.diagrams
import rosephys.diagrams.kinds
import rosephys.physics
import rosephys.worlds

HEAD = """\
# Reference

What `rosephys`, `rosephys.diagrams`, `rosephys.physics`, `rosephys.worlds` and `rose_ad` export, from their
docstrings. `python docs/examples/reference.py docs` writes this page.
"""


def page() -> str:
    """The text of the page."""
    parts = [HEAD, "## rosephys\n", *entries(rosephys)]
    parts += ["## rosephys.diagrams\n", *entries(rosephys.diagrams)]
    parts += ["## rosephys.diagrams.kinds\n", *entries(rosephys.diagrams.kinds)]
    parts += ["## rosephys.physics\n"]
    parts += [
        "A line for each model; its module's docstring has the equations, the units and the source.\n"
    ]
    parts += [physics(module) for module in modules(rosephys.physics)]
    parts += ["## rosephys.worlds\n", *entries(rosephys.worlds)]
    parts += ["## rose_ad\n", *entries(rose_ad)]
    return "\n".join(parts)


def entries(package: ModuleType) -> Iterator[str]:
    """What a package exports, each with its signature and docstring."""
    for name in sorted(package.__all__, key=str.lower):
        thing = getattr(package, name)
        parts = [signature(name, thing), inspect.getdoc(thing) or "", "\n".join(methods(thing))]
        if thing is None or isinstance(thing, float):
            parts = [f"{name} = {thing!r}", "A constant of the Array API standard."]
        text = "\n\n".join(part for part in parts if part)
        yield f"### {name}\n\n```text\n{text}\n```\n"


def signature(name: str, thing: Any) -> str:
    """How a thing is called; its name alone if it is not, or if nobody makes it by hand."""
    if isinstance(thing, type) and issubclass(thing, BaseException):
        return name
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return name
    bare = found.return_annotation
    bare = Written(bare) if isinstance(bare, str) else bare
    taken = [
        p.replace(annotation=Written(p.annotation)) if isinstance(p.annotation, str) else p
        for p in found.parameters.values()
    ]
    text = str(found.replace(parameters=taken, return_annotation=bare))
    text = re.sub(r"<(?:function|class) ['\"]?([\w.]+)['\"]?[^>]*>", r"\1", text)
    text = re.sub(r"<[^>]* at 0x[0-9a-f]+>|<factory>", "…", text)
    return name + text.removesuffix(" -> None" if isinstance(thing, type) else "")


class Written(str):
    """An annotation as it is written, without quotes."""

    def __repr__(self) -> str:
        return str(self)


def methods(thing: Any) -> Iterator[str]:
    """A line for each public method and property of a class."""
    for name, part in vars(thing).items() if isinstance(thing, type) else ():
        told = inspect.getdoc(part) if not isinstance(part, (str, int, float)) else None
        if name.startswith("_") or not told or not (callable(part) or isinstance(part, property)):
            continue
        call = f".{name}({', '.join(parameters(part)[1:])})" if callable(part) else f".{name}"
        yield f"{call}: {first_line(part)}"


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """The modules below a package that have something public, in order."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        if not found.ispkg and any(own(module)):
            yield module


def own(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The public functions and classes that a module defines, as they are written there."""
    for name, thing in vars(module).items():
        known = callable(thing) and getattr(thing, "__module__", None) == module.__name__
        if known and not name.startswith("_"):
            yield name, thing


def physics(module: ModuleType) -> str:
    """A module's first sentence, and a line for each of what it has."""
    lines = [f"### {module.__name__}\n", first_line(module), ""]
    for name, thing in own(module):
        call = name if isinstance(thing, type) else f"{name}({', '.join(parameters(thing))})"
        lines.append(f"- `{call}`: {first_line(thing)}")
    return "\n".join(lines) + "\n"


def parameters(thing: Any) -> list[str]:
    """The names of what a function takes."""
    try:
        return list(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return ["…"]


def first_line(thing: Any) -> str:
    """The first paragraph of a docstring, in a line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


if __name__ == "__main__":
    (Path(sys.argv[1]) / "reference.md").write_text(page(), encoding="utf-8")
