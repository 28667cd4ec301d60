"""A scene: its fields, its physics and its picture.

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

It may have more: `cost(self, state, t)`, a number per unit of time that is to be small along the way, of the
state before step `t`, whose integral is added to the loss; `constraints(self, state, t)`, tuples of
`Constraint` that each state keeps to, and `end_constraints(self, final)`, that the last does; `residuals(self,
final)` in place of `loss`, numbers (m,) the sum of whose squares it is.

Fields that are int, str or bool shape the program: changing one traces it anew. Floats and arrays are live:
while the program is traced they are traced values too, so they can be changed, dragged and differentiated
without compiling again.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any, ClassVar

import numpy as np

from rosephys.errors import SceneError
from rosephys.limit import Limit

from ..given import told
from .author import slip
from .fields import Field, control, near, parameter, value_of, wrong_field
from .picture import Picture, Track


class Scene:
    """The base of all scenes; a scene has the methods below, of which it needs `initial`, `step` and `loss`.

    It may have four more: `cost(self, state, t)`, a number per unit of time, its integral added to the loss;
    `constraints(self, state, t)` and `end_constraints(self, final)`, tuples of `Constraint` that each state and
    the last keep to; `residuals(self, final)`, numbers (m,) the sum of whose squares is the loss, in its place.

    `steps` is 256, `dt` 0.01 s and `memory` 32 MiB in a class that does not say.
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
    dt: float = parameter(0.01, "time step", unit="s", bounds=(1e-30, 1e30))
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
                raise SceneError(unknown(self, name, self.fields))
        # shapes of arrays may depend on the other fields
        for static in (True, False):
            for name, f in self.fields.items():
                if f.live is not static:
                    value = _default(self, f)
                    if name in settings:
                        value = value_of(f, settings[name], np.shape(value))
                    setattr(self, name, value)

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

    def guesses(self) -> Mapping[str, Any]:
        """Controls that are worth beginning from, n of each by name, (n, ...); the fields are numbers then.

        `--starts` and the window try them beside random ones.
        """
        return {}

    def limits(self, state: Any) -> Sequence[Limit]:
        """Where the models that make the steps hold: what their numbers may be at most in this state."""
        return ()

    @property
    def limited(self) -> bool:
        """Whether the scene states limits."""
        return type(self).limits is not Scene.limits

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


def costed(scene: Scene) -> bool:
    """Whether a scene has a cost along the way."""
    return says(scene, "cost")


def squared(scene: Scene) -> bool:
    """Whether a scene gives its loss by residuals."""
    return says(scene, "residuals")


def constrained(scene: Scene) -> bool:
    """Whether a scene has constraints."""
    return says(scene, "constraints") or says(scene, "end_constraints")


def says(scene: Scene, name: str) -> bool:
    """Whether it has such a method, or what was meant for one; a field may have that name."""
    written = inspect.getattr_static(type(scene), name, None)
    return isinstance(written, (FunctionType, staticmethod, classmethod, property))


def unknown(scene: Scene, name: str, fields: Iterable[str]) -> str:
    """What to say of a name that is none of a scene's fields, or of those: what there is."""
    close = near(name, fields)
    there = "" if close.startswith("; there") else f" There are {', '.join(sorted(fields))}"
    return f"{scene.name} has no field {name!r}{close}{there}"


def _default(scene: Scene, f: Field) -> Any:
    """The value of a field that is given none. Raises Slip for one that it cannot take."""
    kind = type(scene)
    try:
        value = f.value_for(scene)
        shape = np.shape(value)
    except Exception as error:  # a default may be a function of the author's
        raise slip(kind, f.name, f"its default raised {type(error).__name__}: {error}") from error
    try:
        return value_of(f, value, shape)
    except SceneError as error:
        raise slip(kind, f.name, f"its default cannot be: {error}") from None


OWN = (
    "live",
    "controls",
    "bound",
    "pictured",
    "limited",
    "squared",
    "costed",
    "constrained",
)  # what Scene alone gives


def _declared(cls: type[Scene]) -> dict[str, Field]:
    """The fields that a class and its bases declare. Raises Slip for what cannot be one."""
    found: dict[str, Field] = {}
    for base in reversed(cls.__mro__):
        for name, f in vars(base).items():
            if isinstance(f, Field) or name in found:
                found[name] = _declared_field(cls, name, f, found.get(name))
            elif issubclass(base, Scene) and base is not Scene:
                _check_member(cls, name, f)
    for name, f in found.items():
        if f.anchor is not None and f.anchor not in found:
            raise slip(cls, name, f"its anchor {f.anchor!r} is no field{near(f.anchor, found)}")
    for name, f in vars(cls).get("__annotations__", {}).items():
        if isinstance(f, Field):
            raise slip(cls, name, "is declared after a colon; write = before parameter or control")
    return found


def _declared_field(cls: type[Scene], name: str, f: Any, before: Field | None) -> Field:
    """A field as a class declares it, or gives one of a base another default."""
    if not isinstance(f, Field):
        assert before is not None
        f = dataclasses.replace(before, default=f)
    if before is not None and before.type == "float" and f.type == "int":
        f = dataclasses.replace(f, default=float(f.default))
    if f.bounds is None and name in Scene.fields:
        f = dataclasses.replace(f, bounds=Scene.fields[name].bounds)
    wrong = wrong_field(f)
    if name in OWN or name == "name" or callable(getattr(Scene, name, None)):
        wrong = "has a name that is taken: of what every scene has; take another"
    if before is not None and name in Scene.fields and before.type != f.type:
        wrong = f"is {told(f.default)}; every scene has it, and its type is {before.type}"
    if wrong:
        raise slip(cls, name, wrong)
    declared: Field = dataclasses.replace(f, name=name)
    return declared


def _check_member(cls: type[Scene], name: str, value: Any) -> None:
    """Raise Slip for what is no field, but was meant for one, and for a name that is taken."""
    if value is parameter or value is control:
        raise slip(cls, name, f'is {value.__name__} itself; call it: (default, "what it is")')
    if isinstance(value, (tuple, list)) and any(isinstance(part, Field) for part in value):
        raise slip(cls, name, "is a tuple of a field; there is a comma too much behind it")
    if name in OWN:
        raise slip(cls, name, "has a name that is taken: of what every scene has; take another")


Scene.fields = _declared(Scene)
