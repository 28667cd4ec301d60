"""A scene: its fields, its physics, its picture; and how scenes are found.

A scene is a class with fields and four methods:

    class Pendulum(Scene):
        steps: int = parameter(400, "number of time steps")
        dt: float = parameter(0.01, "time step", unit="s")
        push: float = control(1.0, "angular velocity at the start", unit="rad/s")
        goal: float = parameter(1.5, "angle to end at", unit="rad")

        def initial(self): return State(angle=0.0, rate=self.push)
        def step(self, state, t): ...           # the state one dt later; t is the step's number
        def loss(self, final): return (final.angle - self.goal) ** 2
        def picture(self, state): ...           # optional: what it looks like

Fields that are int, str or bool shape the program: changing one traces it anew. Floats and arrays are live:
while the program is traced they are traced values too, so they can be changed, dragged and differentiated
without compiling again.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import importlib.metadata
import importlib.util
import inspect
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from .picture import Picture, Track

_PACKAGE = Path(__file__).parents[1]
_BUILT_IN = (_PACKAGE / "scenes", _PACKAGE.parent / "scenes")


class SceneError(Exception):
    """A scene that cannot be found or made, or a field that does not exist or does not take a value."""


@dataclasses.dataclass(frozen=True)
class Field:
    """A scene's field. Lengths, times and masses are in the unit that `unit` names."""

    default: Any
    doc: str
    unit: str = ""
    bounds: tuple[float, float] | None = None
    choices: tuple[str, ...] | None = None
    control: bool = False
    handle: bool = False
    rate: float = 1.0
    anchor: str | None = None
    name: str = ""

    @property
    def type(self) -> str:
        """ "int", "str", "bool", "float" or "array"."""
        for kind in (bool, int, str, float):
            if isinstance(self.default, kind):
                return kind.__name__
        return "array"

    @property
    def live(self) -> bool:
        """Whether a change needs no new program: floats and arrays."""
        return self.type in {"float", "array"}

    def shape(self, scene: Scene) -> tuple[int, ...]:
        """The shape of a live field, () for a float."""
        return np.shape(self.value_for(scene))

    def value_for(self, scene: Scene) -> Any:
        """The default; one that depends on other fields is a function of the scene."""
        return self.default(scene) if callable(self.default) else self.default


def parameter(
    default: Any,
    doc: str,
    *,
    unit: str = "",
    bounds: tuple[float, float] | None = None,
    choices: tuple[str, ...] | None = None,
    handle: bool = False,
) -> Any:
    """Declare a field. An array's default may be a function of the scene. A `handle`, a point of the plane,
    can be dragged in the window."""
    return Field(default, doc, unit, bounds, choices, handle=handle)


def control(
    default: Any,
    doc: str,
    *,
    unit: str = "",
    bounds: tuple[float, float] | None = None,
    rate: float = 1.0,
    anchor: str | None = None,
    handle: bool = False,
) -> Any:
    """Declare a field that the optimiser may change, a float or an array.

    `rate` scales its learning rate; its gradient is drawn as an arrow at the field `anchor`, or, for a
    handle, at itself.
    """
    return Field(default, doc, unit, bounds, None, True, handle, rate, anchor)


class Scene:
    """The base of all scenes; see the module's text.

    `iterations`, `rate` and `optimizer` are what the commands use where they are given none. Gradients longer
    than `clip` are shortened to it before they are descended along. A gradient keeps as many states as fit into
    `memory` bytes, a field like any other, and computes the others again. It is shown in its `theme`, "dark" or
    "light", unless a person chooses.
    """

    fields: ClassVar[dict[str, Field]] = {}
    iterations: int = 100
    rate: float = 0.01
    optimizer: str = "gd"
    clip: float = math.inf
    theme: str = "dark"

    steps: int = parameter(256, "number of time steps", bounds=(1, 10_000_000))
    dt: float = parameter(0.01, "time step", unit="s")
    memory: int = parameter(
        32 << 20, "bytes of states that a gradient may keep", unit="B", bounds=(0, 1 << 50)
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.fields = _declared(cls)

    def __init__(self, **settings: Any) -> None:
        """Raises SceneError for a setting that is not a field, or not a value it takes."""
        for name in settings:
            if name not in self.fields:
                raise SceneError(f"{self.name} has no field {name!r}{_near(name, self.fields)}")
        # shapes of arrays may depend on the other fields
        for static in (True, False):
            for name, f in self.fields.items():
                if f.live is not static:
                    value = f.value_for(self)
                    given = settings.get(name, value)
                    setattr(self, name, _value(f, given, np.shape(value)))

    @property
    def name(self) -> str:
        """The scene's name: that of its class, in lower case."""
        return type(self).__name__.lower()

    @property
    def live(self) -> dict[str, np.ndarray[Any, Any]]:
        """The values of the live fields, as float64 arrays."""
        return {n: np.array(getattr(self, n), float) for n, f in self.fields.items() if f.live}

    @property
    def controls(self) -> tuple[str, ...]:
        """The names of the fields that the optimiser may change."""
        return tuple(n for n, f in self.fields.items() if f.control)

    def bound(self, values: Mapping[str, Any]) -> Scene:
        """The scene with other values for its live fields, traced ones or arrays."""
        other = copy.copy(self)
        other.__dict__.update(values)
        return other

    def initial(self) -> Any:
        """The state before the first step: a `rose_ad.struct` of numbers and arrays."""
        raise NotImplementedError(f"{type(self).__name__} needs a method initial(self)")

    def step(self, state: Any, t: Any) -> Any:
        """The state one dt later; `t` counts the steps from 0."""
        raise NotImplementedError(f"{type(self).__name__} needs a method step(self, state, t)")

    def loss(self, final: Any) -> Any:
        """What is to become small: a number, of the state after the last step."""
        raise NotImplementedError(f"{type(self).__name__} needs a method loss(self, final)")

    def picture(self, state: Any) -> Picture:
        """What a state looks like."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a method picture(self, state) to be shown"
        )

    @property
    def pictured(self) -> bool:
        """Whether the scene has a picture."""
        return type(self).picture is not Scene.picture

    def tracks(self, state: Any) -> Sequence[Track]:
        """Points whose paths are drawn."""
        return ()

    def invariants(self, state: Any) -> dict[str, Any]:
        """Numbers that the motion keeps, by name: energy, momentum ...; `check` reports how far they drift."""
        return {}

    @property
    def allowed_drift(self) -> dict[str, float | tuple[float, float]]:
        """How far an invariant may be from its first value, in its own unit: a number, or (below, above).

        What friction takes, for example, may fall and not rise: (math.inf, 1e-9). Those that are not named
        are reported, not judged.
        """
        return {}


def _declared(cls: type[Scene]) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for base in reversed(cls.__mro__):
        for name, f in vars(base).items():
            if isinstance(f, Field):
                found[name] = dataclasses.replace(f, name=name)
            elif name in found:
                found[name] = dataclasses.replace(found[name], default=f)
    return found


Scene.fields = _declared(Scene)


# ---------------------------------------------------------------------------------------- values


def _near(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    close = difflib.get_close_matches(name, known, 3, 0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(known)}" if known else ""


def _value(f: Field, given: Any, shape: tuple[int, ...]) -> Any:
    """The value of a field, from Python or as it was typed."""
    try:
        value = _parsed(f, given, shape)
    except (TypeError, ValueError):
        what = {
            "int": "a whole number",
            "float": "a number",
            "bool": "true or false",
            "str": "a word",
            "array": "numbers, separated by commas",
        }[f.type]
        raise SceneError(f"{f.name} takes {what}, not {given!r}") from None
    if f.choices is not None and value not in f.choices:
        raise SceneError(
            f"{f.name} is one of {', '.join(f.choices)}, not {value!r}{_near(str(value), f.choices)}"
        )
    if f.type == "array":
        value = _shaped(f, value, shape)
    if f.live and not np.all(np.isfinite(value)):
        raise SceneError(f"{f.name} must be finite, not {given!r}")
    if f.bounds is not None and f.type != "str":
        low, high = f.bounds
        if np.any(np.asarray(value) < low) or np.any(np.asarray(value) > high):
            raise SceneError(f"{f.name} lies between {low:g} and {high:g}, not at {given}")
    return value


def _parsed(f: Field, given: Any, shape: tuple[int, ...]) -> Any:
    match f.type:
        case "bool":
            return _truth(given) if isinstance(given, str) else bool(given)
        case "int":
            if isinstance(given, float) and not given.is_integer():
                raise ValueError
            return int(given)
        case "str":
            return str(given)
        case "float":
            return float(given)
    if isinstance(given, str) and Path(given).suffix[1:].isalpha():
        given = _stored(f, given, shape)
    elif isinstance(given, str):
        given = [float(x) for x in given.strip("()[] ").replace(",", " ").split()]
    return np.array(given, float)


def _stored(f: Field, path: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The array in a file of numpy's; or, for a grid, the brightness of a picture."""
    if not path.lower().endswith(".npy"):
        if len(shape) != 2:
            raise SceneError(f"{f.name} has the shape {shape}; a picture, {path}, is for a grid")
        from .brightness import brightness

        return brightness(path, (shape[0], shape[1]))
    try:
        found: np.ndarray[Any, Any] = np.load(path, allow_pickle=False)
    except OSError as error:
        raise SceneError(f"{f.name} cannot be read from {path}: {error.strerror}") from None
    return found


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "yes", "1", "false", "no", "0"}:
        raise ValueError(text)
    return text.lower() in {"true", "yes", "1"}


def _shaped(f: Field, value: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    if value.shape == shape:
        return value
    if value.size != int(np.prod(shape)):
        raise SceneError(
            f"{f.name} takes {int(np.prod(shape))} numbers (shape {shape}), not {value.size}"
        )
    return value.reshape(shape)


# --------------------------------------------------------------------------------------- finding


def _built_in() -> dict[str, Path]:
    for folder in _BUILT_IN:
        if folder.is_dir():
            return {p.stem: p for p in sorted(folder.glob("*.py")) if not p.name.startswith("_")}
    return {}


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
    built_in = _built_in()
    if name.endswith(".py") or "/" in name or "\\" in name:
        return _only_scene(_load(Path(name)), name)
    if name in built_in:
        return _only_scene(_load(built_in[name]), name)
    entries = _entry_points()
    if name in entries:
        found = entries[name].load()
        if inspect.isclass(found) and issubclass(found, Scene):
            return found
        raise SceneError(f"the entry point {name} is not a Scene")
    raise SceneError(f"there is no scene {name!r}{_near(name, scene_names())}")


def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise SceneError(f"there is no file {path}")
    name = f"rosephys_scene_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SceneError(f"{path} is not a Python file")
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
