"""What a scene's methods must return, compared with what they do, by structure and shape.

A method is the author's, so what is wrong with what it returns is said of it: the class, the method, what came,
what was wanted, and the author's own line. Nothing is computed here; the methods are called as they are traced.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass, replace
from enum import Enum
from typing import Any, NoReturn

import numpy as np

import rose_ad as ra
from rosephys.constraint import Constraint
from rosephys.limit import Limit

from ..errors import ArgumentError
from ..given import is_leaf, is_traced, kind_of, leaves, parts, shape_of, told
from .author import place_of_return, slip
from .colours import THEMES
from .drawable import wrong_picture, wrong_shape
from .fields import near
from .misspelled import misspelled
from .optimizers import OPTIMIZERS
from .picture import Picture, Track
from .scene import Scene, constrained, costed, says, squared

PURPOSE = {
    "initial": "initial(self), the state before the first step",
    "step": "step(self, state, t), the state one dt later",
    "loss": "loss(self, final), a number that is to become small",
    "residuals": "residuals(self, final), numbers whose squares are to become small",
    "cost": "cost(self, state, t), a number per unit of time that is to be small on the way",
    "constraints": "constraints(self, state, t), a tuple of Constraint",
    "end_constraints": "end_constraints(self, final), a tuple of Constraint",
    "picture": "picture(self, state), a Picture",
    "tracks": "tracks(self, state), a tuple of Track",
    "guesses": "guesses(self), rows of numbers by the names of controls",
    "limits": "limits(self, state), a tuple of Limit",
    "invariants": "invariants(self, state), numbers by name",
}
NEEDED = ("initial", "step", "loss", "picture")  # where what they give is asked for
KINDS = {"b": "True or False", "i": "whole", "f": "a float"}


class Contract:
    """A scene as its author promised it: every method gives what it must, or raises Slip."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def initial(self) -> Any:
        """The first state."""
        state = self._call("initial")
        wrong = _wrong_state(state)
        if wrong:
            self._refuse("initial", f"{wrong}; wanted a state: a struct of numbers and arrays")
        return state

    def stepping(self, first: Any) -> Callable[[Any, Any], Any]:
        """The step as a function of a state like the first, and its number."""

        def step(state: Any, t: Any) -> Any:
            after = self._call("step", state, t)
            wrong = "" if after is state else _unlike(first, after, _root(first))
            if wrong:
                self._refuse("step", wrong, state, t)
            return after

        return step

    @property
    def costed(self) -> bool:
        """Whether there is a cost along the way."""
        return costed(self.scene)

    @property
    def dt(self) -> Any:
        """The time step."""
        return self.scene.dt

    def loss(self, final: Any) -> Any:
        """The loss, a float: that of the last state."""
        if not squared(self.scene):
            return self._number("loss", final)
        residuals = self.residuals(final)
        return ra.dot(residuals, residuals)

    def residuals(self, final: Any) -> Any:
        """The residuals (m,), floats."""
        found = self._call("residuals", final)
        row = shape_of(found) or ()
        if len(row) != 1 or not row[0] or (is_leaf(found) and kind_of(found) == "b"):
            wanted = "wanted numbers in a row: ra.array([...])"
            self._refuse("residuals", f"returned {told(found)}; {wanted}", final)
        return 1.0 * ra.array(found)

    def cost(self, state: Any, t: Any) -> Any:
        """The cost along the way, a float per unit of time."""
        return self._number("cost", state, t)

    def _number(self, method: str, *arguments: Any) -> Any:
        found = self._call(method, *arguments)
        if shape_of(found) != () or not is_leaf(found) or kind_of(found) == "b":
            hint = ", as ra.sum or ra.dot gives" if shape_of(found) else ""
            self._refuse(method, f"returned {told(found)}; wanted one number{hint}", *arguments)
        return 1.0 * found if kind_of(found) == "i" else found

    def constraints(self, state: Any, t: Any) -> tuple[Constraint, ...]:
        """The constraints along the way, of arrays (k,)."""
        return self._constraints("constraints", state, t)

    def end_constraints(self, final: Any) -> tuple[Constraint, ...]:
        """The constraints at the end, of arrays (k,)."""
        return self._constraints("end_constraints", final)

    def _constraints(self, method: str, *arguments: Any) -> tuple[Constraint, ...]:
        if not says(self.scene, method):
            return ()
        found = self._several(method, Constraint, *arguments)
        for constraint in found:
            wrong = _wrong_constraint(constraint)
            if wrong:
                self._refuse(method, wrong, *arguments)
        return tuple(map(_in_rows, found))

    def picture(self, state: Any) -> Picture:
        """The picture."""
        found: Picture = self._call("picture", state)
        wrong = wrong_picture(found)
        if wrong:
            self._refuse("picture", wrong, state)
        return found

    def tracks(self, state: Any) -> tuple[Track, ...]:
        """The tracks."""
        found = self._several("tracks", Track, state)
        for k, track in enumerate(found):
            wrong = wrong_shape(track)
            if wrong:
                self._refuse("tracks", f"{wrong}, in the track {k}", state)
        return tuple(replace(track, point=ra.array(track.point)) for track in found)

    def guesses(self) -> dict[str, np.ndarray[Any, Any]]:
        """Controls to begin from, (n, ...) each; of a scene whose values are numbers."""
        found = self._call("guesses")
        wanted = "wanted rows of numbers by the names of controls, as many of each"
        if not isinstance(found, Mapping) or not set(found) <= set(self.scene.controls):
            self._refuse("guesses", f"returned {told(found)}; {wanted}")
        rows = {name: np.asarray(row, float) for name, row in found.items()}
        counts = {row.shape[:1] for row in rows.values()}
        for name, row in rows.items():
            shape = np.shape(getattr(self.scene, name))
            if len(counts) > 1 or not row.ndim or row.shape[1:] != shape:
                self._refuse("guesses", f"{name!r} has the shape {row.shape}; {wanted}")
        return rows

    def limits(self, state: Any) -> tuple[Limit, ...]:
        """The limits."""
        found = self._several("limits", Limit, state)
        for limit in found:
            wrong = _wrong_limit(limit)
            if wrong:
                self._refuse("limits", wrong, state)
        return found

    def invariants(self, state: Any) -> dict[str, Any]:
        """The invariants by name."""
        found = self._call("invariants", state)
        if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
            wanted = 'wanted numbers by name: {"energy": ...}'
            self._refuse("invariants", f"returned {told(found)}; {wanted}", state)
        for name, value in found.items():
            if shape_of(value) != ():
                self._refuse("invariants", f"{name!r} is {told(value)}; wanted one number", state)
        return found

    def _several(self, method: str, kind: type, *arguments: Any) -> tuple[Any, ...]:
        found = self._call(method, *arguments)
        name = kind.__name__
        wanted = f"wanted a tuple of {name}: ({name}(...),) for one, () for none"
        one = is_leaf(found) or is_dataclass(found) or isinstance(found, (str, dict))
        if one or not hasattr(found, "__iter__"):
            self._refuse(method, f"returned {told(found)}; {wanted}", *arguments)
        several = tuple(found)  # a generator's author may have written `yield`
        for part in several:
            if not isinstance(part, kind):
                self._refuse(method, f"returned {told(part)} among them; {wanted}", *arguments)
        return several

    def _call(self, name: str, *arguments: Any) -> Any:
        """What a method returns, if it is there and takes these arguments."""
        kind = type(self.scene)
        written = inspect.getattr_static(kind, name)
        if isinstance(written, (property, classmethod)):
            raise slip(
                kind, name, f"is a {type(written).__name__}; wanted a method, {PURPOSE[name]}"
            )
        method = getattr(self.scene, name, None)
        if name in NEEDED and getattr(kind, name, None) is getattr(Scene, name):
            raise slip(kind, "", f"has no method {name}; wanted {PURPOSE[name]}")
        if not callable(method):
            raise slip(kind, name, f"is {told(method)}; wanted a method, {PURPOSE[name]}")
        if inspect.iscoroutinefunction(method):
            raise slip(kind, name, f"is async; wanted a plain method, {PURPOSE[name]}")
        try:
            takes = str(inspect.signature(method)) + " after self"
            inspect.signature(method).bind(*arguments)
        except TypeError:
            raise slip(kind, name, f"takes {takes}; wanted {PURPOSE[name]}") from None
        except ValueError:
            raise slip(kind, name, f"does not take self; wanted {PURPOSE[name]}") from None
        return method(*arguments)

    def _refuse(self, method: str, what: str, *arguments: Any) -> NoReturn:
        at = place_of_return(getattr(self.scene, method), *arguments)
        raise slip(type(self.scene), method, what, at)


def _wrong_constraint(constraint: Constraint) -> str:
    if not isinstance(constraint.name, str):
        return f"Constraint.name is {told(constraint.name)}; wanted a word or more, in quotes"
    shape = shape_of(constraint.value)
    if shape is None or len(shape) > 1 or shape == (0,):
        return f"Constraint.value is {told(constraint.value)}; wanted a number, or numbers in a row"
    known = [leaf for leaf in ra.flatten(constraint.value)[0] if not is_traced(leaf)]
    for leaf in known:
        if not np.isfinite(leaf).all():
            return f"Constraint {constraint.name!r} has the value {leaf}; wanted finite numbers"
    for name in ("low", "high"):
        bound = getattr(constraint, name)
        if shape_of(bound) not in ((), shape):
            row = f" or {shape[0]} in a row" if shape else ""
            return f"Constraint.{name} is {told(bound)}; wanted a number{row}"
    low, high = constraint.low, constraint.high
    if is_traced(low) or is_traced(high):
        return ""
    if np.any(np.isnan(low)) or np.any(np.isnan(high)) or np.any(np.asarray(low) > high):
        return f"Constraint {constraint.name!r} is from {low} to {high}; wanted the lower first"
    if np.all(np.isinf(low)) and np.all(np.isinf(high)):
        return f"Constraint {constraint.name!r} has neither a low nor a high; wanted one of them"
    return ""


def _in_rows(constraint: Constraint) -> Constraint:
    """The constraint with arrays (k,) of floats."""
    value = 1.0 * ra.array(constraint.value)
    rows = value if value.ndim else ra.stack([value])
    bounds = (ra.stop_gradient(ra.array(bound)) for bound in (constraint.low, constraint.high))
    low, high = (ra.broadcast_to(bound, rows.shape) for bound in bounds)
    return Constraint(constraint.name, rows, low, high)


def _wrong_limit(limit: Limit) -> str:
    for name in ("name", "field", "quantity", "advice"):
        if not isinstance(getattr(limit, name), str):
            return f"Limit.{name} is {told(getattr(limit, name))}; wanted a word or more, in quotes"
    for name in ("value", "bound"):
        if shape_of(getattr(limit, name)) != ():
            return f"Limit.{name} is {told(getattr(limit, name))}; wanted one number"
    if len(shape_of(limit.numbers) or ()) != 1:
        return f"Limit.numbers is {told(limit.numbers)}; wanted a tuple of numbers"
    try:
        limit.name.format(*map(str, range(len(limit.numbers))))
    except (IndexError, KeyError, ValueError):
        return f"Limit.name is {limit.name!r}; wanted a place {{}} for each of its numbers at most"
    return ""


def check_scene(scene: Scene) -> None:
    """Raise Slip for what a scene says beside its fields and methods, where it cannot be so, and ArgumentError
    for what is no scene."""
    _check_kind(scene)
    kind = type(scene)
    for name in scene.fields:
        if name not in vars(scene):
            raise slip(kind, "__init__", "makes no fields; call super().__init__(**settings) first")
    unasked = misspelled(kind)
    if unasked is not None:
        name, meant = unasked
        raise slip(
            kind,
            name,
            f"means nothing to a scene, and the class does not use it{near(name, meant)}",
        )
    if not isinstance(scene.name, str):
        raise slip(kind, "name", f"is {told(scene.name)}; wanted a word, in quotes")
    for name, known in (("optimizer", tuple(OPTIMIZERS)), ("theme", tuple(THEMES))):
        value = getattr(scene, name)
        if not isinstance(value, str) or value not in known:
            what = f"is {told(value)}; wanted one of {', '.join(known)}"
            raise slip(kind, name, what + (near(value, known) if isinstance(value, str) else ""))
    if constrained(scene) and not OPTIMIZERS[scene.optimizer].constraints:
        known = tuple(name for name, row in OPTIMIZERS.items() if row.constraints)
        what = (
            f"is {scene.optimizer!r}, which keeps no constraints; wanted one of {', '.join(known)}"
        )
        raise slip(kind, "optimizer", what)
    for name in ("rate", "clip"):
        value = getattr(scene, name)
        number = shape_of(value) == () and kind_of(value) != "b"
        if not number or not value > 0 or (name == "rate" and value == math.inf):
            raise slip(kind, name, f"is {told(value)}; wanted a number above 0")
    count = scene.iterations
    if isinstance(count, bool) or shape_of(count) != () or kind_of(count) != "i" or count < 0:
        raise slip(kind, "iterations", f"is {told(count)}; wanted a whole number, 0 or more")
    _check_drift(scene)
    if squared(scene) and kind.loss is not Scene.loss:
        raise slip(kind, "loss", "is the squares of residuals where there are some; leave it out")


def _check_kind(x: Any) -> None:
    if isinstance(x, type) and issubclass(x, Scene):
        raise ArgumentError(f"wanted a scene, not its class: {x.__name__}() makes one")
    if not isinstance(x, Scene):
        raise ArgumentError(f"wanted a scene, not {told(x)}: find_scene('bounce') finds one")


def _check_drift(scene: Scene) -> None:
    allowed: Any = scene.allowed_drift
    wanted = "wanted a dict: by the name of an invariant a number, or a pair (below, above)"
    good = isinstance(allowed, Mapping) and all(shape_of(v) in ((), (2,)) for v in allowed.values())
    if not good:
        raise slip(type(scene), "allowed_drift", f"is {told(allowed)}; {wanted}")


# ------------------------------------------------------------------------------------------ states


def _wrong_state(state: Any) -> str:
    """What is wrong with a first state; "" if nothing is."""
    found = list(leaves(state, _root(state)))
    for name, leaf in found:
        hint = "; write @ra.struct above its class" if _unstructured(leaf) else ""
        fits = shape_of(leaf) is not None if is_leaf(leaf) else _constant(leaf)
        if not fits:
            return f"{name} is {told(leaf)}{hint}"
    return "" if any(is_leaf(leaf) for _, leaf in found) else f"returned {told(state)}"


def _unlike(first: Any, after: Any, name: str) -> str:
    """Where a state after a step has not the structure, the shapes or numbers of the first; "" if nowhere."""
    was, now = parts(first), parts(after)
    if is_leaf(first) and is_leaf(after) and shape_of(after) is not None:
        return _unlike_numbers(first, after, name)
    if is_leaf(first):
        hint = "; make an array of it, ra.array(...)" if shape_of(after) else ""
        return f"{name} was {_size(first)}, step returned {told(after)}{hint}"
    if type(first) is not type(after) or was.keys() != now.keys():
        hint = "; is a `return` missing?" if after is None else ""
        rows = is_leaf(after) and shape_of(first)
        hint = "; let initial give an array, ra.array(...)" if rows else hint
        what = "the state" if "." not in name and "[" not in name else name
        return f"{what} was {_told(first)}, step returned {_told(after)}{hint}"
    if not was and not _same(first, after):
        return f"{name} was {told(first)}, step returned {told(after)}; only numbers may change"
    found = (_unlike(was[key], now[key], name + key) for key in was)
    return next(filter(None, found), "")


def _unlike_numbers(first: Any, after: Any, name: str) -> str:
    if shape_of(first) != shape_of(after):
        return f"{name} was {_size(first)}, step returned {_size(after)}"
    if isinstance(first, (bool, int, float)) or kind_of(first) == "f":
        return ""  # a number of Python's takes the kind it becomes
    kinds = kind_of(first), kind_of(after)
    if kinds[0] != kinds[1]:
        return f"{name} was {KINDS[kinds[0]]}, step returned {KINDS[kinds[1]]}; start with the kind it becomes"
    return ""


def _root(state: Any) -> str:
    return type(state).__name__ if is_dataclass(state) else "the state"


def _size(x: Any) -> str:
    return str(shape_of(x)) if shape_of(x) else "a number"


def _told(x: Any) -> str:
    """A part of a state for people: of a dict its keys as well."""
    return f"a dict of {', '.join(map(repr, x))}" if isinstance(x, dict) and x else told(x)


def _constant(x: Any) -> bool:
    """Whether something that is no number may be in a state: it is compared, and a part of what is compiled."""
    if x is None or isinstance(x, (str, bytes, Enum)) or x in ((), []) or x == {}:
        return True
    compared: Any = type(x).__eq__
    return type(x).__hash__ is not None and compared is not object.__eq__


def _same(first: Any, after: Any) -> bool:
    return first is after or bool(first == after)


def _unstructured(x: Any) -> bool:
    """Whether it is of a class of the author's that is no struct."""
    return (
        hasattr(x, "__dict__")
        and not callable(x)
        and type(x).__module__ not in sys.builtin_module_names
    )
