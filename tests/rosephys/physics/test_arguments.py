"""Every public function and class of physics refuses what it cannot take, and says what came and what is wanted.

The functions are found by walking the packages. Each is called with good arguments, and then with one of them
wrong in each way that its kind can be: of another type, of another shape, no number, a word nobody knows, and, by
what it is called, below 0, 0, or above 1.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
import rosephys.physics
from rosephys.physics import rules as r
from rosephys.physics.particles.mpm import Grid
from rosephys.physics.rigid.bodies import Bodies, Body, World
from rosephys.physics.rigid.joints import Joint, revolute
from rosephys.physics.rigid.shapes import Shape, box
from rosephys.physics.robots.boxes import Impulses, Motion, boxes

# modules: why their functions check nothing
INSIDE = {
    "contact.meetings": "what toi_velocity calls, which has looked",
    "particles.symmetric": "functions of the matrices that solids and sand make",
    **dict.fromkeys(
        [
            f"rigid.{name}"
            for name in "answers chords collide elimination flight impacts jointed linkage".split()
            + "meetings pairs parts seams strings touching".split()
        ],
        "what the models of contact call with what they have made of a World",
    ),
    "rigid.contradictions": "what World calls to look at its joints; Joint itself is checked",
    "arguments": "what checks",
    "rules": "what is checked",
    "quantities": "what is asked for",
}
# methods that are called by scenes
METHODS = [World.at, World.energy, World.momentum, World.angular_momentum, World.outline]


def public() -> Iterator[tuple[str, Any]]:
    """All functions and classes with plain data or an __init__ of their own, by module and name."""
    for found in pkgutil.walk_packages(rosephys.physics.__path__, "rosephys.physics."):
        module = importlib.import_module(found.name)
        for name, what in vars(module).items():
            own = getattr(what, "__module__", "") == found.name and not name.startswith("_")
            made = isinstance(what, type) and not getattr(what, "_is_protocol", False)
            made = made and "__init__" in vars(what)
            if own and (made or inspect.isfunction(what) or isinstance(what, ra.Fn)):
                yield f"{found.name.removeprefix('rosephys.physics.')}.{name}", what


FOUND = {name: what for name, what in public() if name.rpartition(".")[0] not in INSIDE}
CHECKED = {**FOUND, "Joint": Joint, **{f"bodies.{m.__qualname__}": m for m in METHODS}}


def test_everything_that_is_public_is_checked() -> None:
    assert len(FOUND) > 120
    unchecked = [
        name
        for name, what in FOUND.items()
        if not hasattr(getattr(what, "__init__", what), "rules") and not hasattr(what, "rules")
    ]
    assert not unchecked
    assert not set(INSIDE) - {n.removeprefix("rosephys.physics.") for n in modules()}


def modules() -> list[str]:
    return [m.name for m in pkgutil.walk_packages(rosephys.physics.__path__, "rosephys.physics.")]


# ------------------------------------------------------------------------------- good arguments

SIZES = {"d": 2, "senses": 5, "outputs": 3, "bodies": 2, "k": 3, "pairs": 1, "joints": 0}
SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]


PIN = revolute(0, 1, (0.0, 1.0), (0.0, -1.0))


@functools.cache
def world(*joints: Joint) -> World:
    return World([Body(box(4.0, 1.0), fixed=True), Body(box(1.0, 1.0))], joints=joints)


def material(_: Any, f: Any) -> Any:
    return f, f


GOOD_OF_KIND: dict[type, Callable[[], Any]] = {
    World: world,
    Bodies: lambda: world().at([[0.0, 0.0], [0.0, 2.0]], [0.0, 0.0]),
    Shape: lambda: box(1.0, 2.0),
    Impulses: lambda: Impulses(
        boxes(np.ones((2, 2))), Motion(np.eye(2), np.zeros(2), np.eye(2), np.zeros(2))
    ),
    Grid: lambda: Grid(16),
    str: lambda: "speed",
}
# by function and parameter, or by parameter alone
GOOD: dict[str, Any] = {
    "each_cell.value": lambda i, j: 1.0 * i + j,
    "material": material,
    "a": lambda x, v: -x,
    "flow": lambda state, time: state + time,
    "guard": lambda state: state,
    "reset": lambda state: 1.0 + state,
    "state": 1.0,
    "torque": lambda q: np.zeros(3),
    "hold": lambda state, time: state,
    "events": (),
    "polygon.corners": SQUARE,
    "terrain.points": SQUARE,
    "pairs": [(0, 1)],
    "bodies": (0, 1),
    "columns": 2,
    "inverse_mass.world": world(PIN),
    "Table.world": world(PIN),
    "inverse_mass.x": np.eye(2, 3),
    "World.bodies": [Body(box(1.0, 1.0)), Body(box(1.0, 1.0))],
    "World.joints": [],
    "joints": (),
    "position": None,
    "margin": 3,
    "Grid.nodes": 16,
    "nodes": 16,
    "steady_precession.spin": 100.0,
    "points_of.owner": np.array([0, 1]),
    "points_of.offset": np.ones((2, 2)),
}


def good(name: str, parameter: str, rule: r.Rule) -> Any:
    """A value that a parameter can have."""
    for key in (f"{name}.{parameter}", parameter):
        if GOOD.get(key) is not None and not (
            key == parameter and isinstance(rule, r.Numbers | r.Instance | r.Row)
        ):
            return GOOD[key]
    if name.startswith("Grid") and parameter == "nodes":
        return 16
    return sample(rule)


def sample(rule: r.Rule) -> Any:
    """A value that fits a rule."""
    if isinstance(rule, r.Numbers):
        return _numbers(rule)
    if isinstance(rule, r.Word):
        return rule.words[0]
    if isinstance(rule, r.Either):
        return sample(next(s for s in rule.rules if not isinstance(s, r.Nothing)))
    if isinstance(rule, r.Row):
        return tuple(map(sample, rule.rules))
    if isinstance(rule, r.Each):
        return tuple(sample(rule.rule) for _ in range(rule.count or 2))
    if isinstance(rule, r.Instance):
        return (GOOD_OF_KIND.get(rule.kind) or (lambda: _made(rule.kind)))()
    if isinstance(rule, r.Having):
        return type("Scene", (), {n: sample(s) for n, s in r.data_rules(rule.kind).items()})()
    return None


def _numbers(rule: r.Numbers) -> Any:
    axes = (3, 2) if rule.shape is None and rule.least else rule.shape or ()
    shape = tuple(_size(axis) for axis in axes if axis is not Ellipsis)
    if Ellipsis in axes and axes[-1] is Ellipsis:
        shape += (4, 4)
    if Ellipsis in axes and axes[0] is Ellipsis:
        shape = (16, 16, *shape)
    b = rule.between
    value = 0.5 if b is None or b.least < 0.5 <= b.most else b.least + 0.25 * (b.least < b.most)
    if rule.kinds == "i":
        value = 1 if b is None else int(min(max(1, b.least), b.most))
    if rule.kinds == "b":
        value = False
    if not shape:
        return type(value)(value)
    if rule.of:
        return np.zeros(shape, int) + np.arange(shape[-1]) % 2
    if rule.shape and rule.shape[-2:] == ("d", "d"):
        return np.zeros(shape) + np.eye(2)
    return np.full(shape, value)


def _size(axis: Any) -> int:
    if isinstance(axis, int):
        return axis
    name, sign, more = axis.partition("+")
    return SIZES.get(name, 4) + (int(more) if sign else 0)


def _made(kind: Any) -> Any:
    return kind(**arguments(kind.__name__, kind))


def rules_of(what: Any) -> dict[str, r.Rule]:
    call = what.__init__ if isinstance(what, type) else what
    return {name: rule for name, rule in call.rules().items() if name != "self"}


def arguments(name: str, what: Any) -> dict[str, Any]:
    """Good arguments of a function or class."""
    return {
        parameter: good(name.rpartition(".")[2], parameter, rule)
        for parameter, rule in rules_of(what).items()
    }


class _Traced(Exception):
    pass


def called(name: str, **wrong: Any) -> None:
    """Call with good arguments but these, while tracing; nothing is compiled."""
    what = CHECKED[name]
    owner = (world(),) if what in METHODS else ()

    def program() -> None:
        what(*owner, **arguments(name, what) | wrong)
        raise _Traced

    with pytest.raises(_Traced):
        ra.fn(program)()


@pytest.mark.parametrize("name", CHECKED)
def test_good_arguments_are_taken_also_as_constants_of_numpy(name: str) -> None:
    called(name)
