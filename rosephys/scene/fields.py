"""The fields of a scene: how they are declared, and what values they take."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rosephys.errors import SceneError

from ..given import shape_of, told
from .spread import Spread
from .stored import numbers_in


@dataclass(frozen=True)
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
    spread: Spread | None = None

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

    def shape(self, scene: Any) -> tuple[int, ...]:
        """The shape of a live field, () for a float."""
        return np.shape(self.value_for(scene))

    def value_for(self, scene: Any) -> Any:
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
    spread: Spread | None = None,
) -> Any:
    """Declare a field. An array's default may be a function of the scene. A `handle`, a point of the plane,
    or an array (n, 2) of them, can be dragged in the window. `spread` says what it is among the members of an
    `Ensemble`: `normal(0.1)`, `uniform`, `log_uniform`, or a function of a generator and the value."""
    return Field(default, doc, unit, bounds, choices, handle=handle, spread=spread)


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
    handle, at itself. While a row of a handle (n, 2) is dragged, the rest of the controls settles about it.
    """
    return Field(default, doc, unit, bounds, None, True, handle, rate, anchor)


def wrong_field(f: Field) -> str:
    """What is wrong with a field as it is declared; "" if nothing is."""
    tests = (_wrong_words, _wrong_choices, _wrong_bounds, _wrong_default, _wrong_spread)
    return next(filter(None, (test(f) for test in tests)), "")


def _wrong_default(f: Field) -> str:
    given = f.default
    if not callable(given) and not isinstance(given, (bool, int, float, str)):
        if shape_of(given) is None:
            return f"its default is {told(given)}; wanted a number, an array, a word, True or False"
    if f.control and not f.live:
        better = f": write {float(given)}" if f.type == "int" else ""
        return f"a control is a float or an array, which can move, not the {f.type} {told(given)}{better}"
    if f.handle and not callable(given) and (np.shape(given)[-1:] != (2,) or np.ndim(given) > 2):
        return f"a handle is a point of the plane, such as (1.0, 0.5), or a row of them, not {told(given)}"
    return ""


def _wrong_spread(f: Field) -> str:
    if f.spread is None:
        return ""
    if not callable(f.spread):
        return (
            f"spread is {told(f.spread)}; wanted normal(0.1), uniform, log_uniform, or a function"
        )
    if not f.live:
        return (
            f"has a spread, and is the {f.type} {told(f.default)}: only floats and arrays may vary"
        )
    return ""


def _wrong_choices(f: Field) -> str:
    if f.choices is None:
        return ""
    words = isinstance(f.choices, (tuple, list)) and all(isinstance(w, str) for w in f.choices)
    if not words:
        return f"choices is {told(f.choices)}; wanted a tuple of words: (word,) for one"
    if f.default not in f.choices:
        return (
            f"its default is {told(f.default)}; wanted one of its choices, {', '.join(f.choices)}"
        )
    return ""


def _wrong_words(f: Field) -> str:
    for name in ("doc", "unit", "anchor"):
        value = getattr(f, name)
        if not isinstance(value, str) and not (name == "anchor" and value is None):
            return f"{name} is {told(value)}; wanted a word or a sentence, in quotes"
    if not isinstance(f.handle, bool):
        return f"handle is {told(f.handle)}; wanted True or False"
    return ""


def _wrong_bounds(f: Field) -> str:
    if f.bounds is not None:
        try:
            low, high = (float(bound) for bound in f.bounds)
        except (TypeError, ValueError):
            return f"bounds is {told(f.bounds)}; wanted a pair of numbers, (low, high)"
        if f.type in {"str", "bool"} or not low <= high:
            return f"bounds is {told(f.bounds)}; wanted (low, high) of a number, the lower first"
    good = isinstance(f.rate, (int, float)) and not isinstance(f.rate, bool)
    if not (good and 0 < f.rate < math.inf):
        return f"rate is {told(f.rate)}; wanted a number above 0"
    return ""


def near(name: str, known: Iterable[str]) -> str:
    """What may have been meant by an unknown name, or what there is, to end an error with."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, 3, 0.5)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; there are {', '.join(known)}" if known else ""


def value_of(f: Field, given: Any, shape: tuple[int, ...]) -> Any:
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
            f"{f.name} is one of {', '.join(f.choices)}, not {told(value)}{near(str(value), f.choices)}"
        )
    if f.type == "array":
        value = _shaped(f, value, shape)
    if f.live and not np.all(np.isfinite(value)):
        raise SceneError(f"{f.name} must be finite, not {told(given)}")
    if f.bounds is not None and f.type != "str":
        _check_within(f, np.asarray(value), f.bounds)
    return value


def _check_within(f: Field, value: NDArray[Any], bounds: tuple[float, float]) -> None:
    """Raise SceneError for the first number outside."""
    low, high = bounds
    outside = np.argwhere((value < low) | (value > high))
    if len(outside):
        place = ".".join(map(str, (f.name, *outside[0])))
        at = value[tuple(outside[0])]
        raise SceneError(f"{place} lies between {low:g} and {high:g}, not at {at:g}")


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
    """The array in a file of numbers; or, for a grid, the brightness of a picture."""
    if path.lower().endswith((".npy", ".npz", ".csv", ".txt")):
        return numbers_in(path)
    if len(shape) != 2:
        raise SceneError(
            f"{f.name} has the shape {shape}: it takes numbers, or a .npy or .csv file; a picture, {path},"
            " is for a grid"
        )
    from rosephys.scene.brightness import brightness  # which needs pygame

    return brightness(path, (shape[0], shape[1]))


def _truth(text: str) -> bool:
    yes, no = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}
    if text.lower() not in yes | no:
        raise ValueError(text)
    return text.lower() in yes


def _shaped(f: Field, value: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    if value.shape == shape:
        return value
    if value.size != int(np.prod(shape)):
        raise SceneError(
            f"{f.name} takes {int(np.prod(shape))} numbers (shape {shape}), not {value.size}"
        )
    return value.reshape(shape)
