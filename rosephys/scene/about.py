"""What a scene is, as data: what it says of itself, its fields, and how the commands solve it."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from typing import Any

from .fields import Field
from .scene import Scene
from .spread import Spread


@dataclass(frozen=True)
class About:
    """A scene: `text` is its docstring, `module` that of its file, which has the equations if there are any."""

    text: str
    module: str
    file: str
    solving: dict[str, Any]
    fields: list[dict[str, Any]]


def about(scene: Scene) -> About:
    """What there is to know of a scene before it runs."""
    kind = type(scene)
    module = sys.modules[kind.__module__]
    return About(
        text=inspect.getdoc(kind) or "",
        module=inspect.getdoc(module) or "",
        file=getattr(module, "__file__", None) or "",
        solving={name: getattr(scene, name) for name in ("optimizer", "rate", "iterations")},
        fields=[_field(f, getattr(scene, name)) for name, f in scene.fields.items()],
    )


def _field(f: Field, value: Any) -> dict[str, Any]:
    role = "control" if f.control else "live" if f.live else "fixed"
    return {
        "name": f.name,
        "value": value,
        "unit": f.unit,
        "role": role,
        "bounds": f.bounds,
        "choices": f.choices,
        "doc": f.doc,
        "spread": None if f.spread is None else _words(f.spread),
    }


def _words(spread: Spread) -> str:
    """A distribution, or the name of a function that draws."""
    drawn: str | None = getattr(spread, "__name__", None)
    return drawn or str(spread)
