"""Every public function and class of physics refuses what it cannot take, and says what came and was wanted.

The functions are found by walking the packages. Each is called with good arguments, and then with one of them
wrong in each way that its kind can be: of another type, of another shape, no number, a word nobody knows, and,
by what it is called, below 0, 0, or above 1.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import math
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
import rosephys.physics
from rosephys.errors import ArgumentError, SceneError
from rosephys.physics import wanted as r
from rosephys.physics.checked import checked
from rosephys.physics.fields.advection import advect
from rosephys.physics.fields.grid import cell
from rosephys.physics.fields.pressure import project
from rosephys.physics.fields.reaction_diffusion import heat_limit
from rosephys.physics.fluids.lattice_boltzmann import viscosity
from rosephys.physics.fluids.shallow_water import shallow_water_step
from rosephys.physics.fluids.sph import Liquid, sph_acceleration
from rosephys.physics.mechanics.electric import coulomb_force
from rosephys.physics.mechanics.gravity import gravity_acceleration
from rosephys.physics.mechanics.integrators import verlet
from rosephys.physics.particles.mpm import Grid
from rosephys.physics.pool import shot
from rosephys.physics.pool.ball import Ball, Constants
from rosephys.physics.pool.shot import Shot
from rosephys.physics.pool.table import POOL, Table
from rosephys.physics.quantities import Count, Positive
from rosephys.physics.rigid import impulses, penalty
from rosephys.physics.rigid.bodies import Bodies, Body, World
from rosephys.physics.rigid.joints import Joint, motor, revolute
from rosephys.physics.rigid.shapes import Shape, box
from rosephys.physics.robots.boxes import Impulses, Motion, boxes
from rosephys.physics.robots.springs import spring_forces

# modules: why their functions check nothing
INSIDE = {
    "contact.meetings": "what toi_velocity calls, which has looked",
    "contact.projection": "what meetings solves",
    "particles.symmetric": "functions of the matrices that solids and sand make",
    **dict.fromkeys(
        [
            f"rigid.{name}"
            for name in "answers chords collide elimination flight impacts jointed linkage".split()
            + "linked measures meetings numbers pairs parts seams strings touching".split()
        ],
        "what the models of contact call with what they have made of a World",
    ),
    "rigid.contradictions": "what World calls to look at its joints; Joint itself is checked",
    **dict.fromkeys(
        ["pool.ahead", "pool.ball", "pool.compliance", "pool.falls", "pool.impacts"],
        "what a shot calls with balls that it has made",
    ),
    **dict.fromkeys(
        [
            f"articulated.{name}"
            for name in "aba configuration conserved crba derivatives forces imported".split()
            + "kinematics model rnea spatial stepping tree".split()
        ],
        "what the algorithms call with a Model; those that are public are checked",
    ),
    **dict.fromkeys(
        ["articulated.mjcf", "articulated.urdf"],
        "what reads files; wrong ones are in test_mjcf.py and test_urdf.py",
    ),
    "checked": "what checks",
    "wanted": "what it looks for",
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

SIZES = {"d": 2, "senses": 5, "outputs": 3, "bodies": 2, "k": 3, "pairs": 1, "joints": 2}
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
    Table: lambda: POOL.table,
    Ball: lambda: shot.racked(np.array([[0.5, 0.5], [1.0, 0.5]])),
    Constants: lambda: POOL.constants,
    Shot: lambda: shot.begin(POOL.table, shot.racked(np.array([[0.5, 0.5]])), POOL.constants),
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
    "rows": (),
    "inverse_mass.x": np.eye(2, 3),
    "World.bodies": [Body(box(1.0, 1.0)), Body(box(1.0, 1.0))],
    "World.joints": [],
    "joints": (),
    "position": None,
    "margin": 3,
    "watch": lambda watched, shot: watched,
    "watched": (),
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


# -------------------------------------------------------------------------------- bad arguments

# parameters, alone or with their function, by what they may not be
ABOVE_0 = """dt radius width length reach density sweeps substeps most nodes margin columns rows nearest
thickness height onset slip rest sound inertia slow outputs bluff moments hull.points
draw_weights.senses step.stiffness cell.n""".split()
FROM_0 = """friction viscosity damping drag torque softening diffusivity courant kill ballast stretch shear bend
dissipation mass stiffness Hulls.share""".split()
SHARES = ["restitution", "friction_cone.d"]
# where a parameter of that name may be 0 or below: why
EITHER_SIGN = {
    "mechanics.integrators": "a step may go back in time",
    "rigid.body3d.turn.dt": "the same",
    "rigid.body3d.kick_turn_kick.dt": "the same",
    "rigid.floor3d.drift.dt": "the same",
    "mechanics.top.top_step.dt": "the same",
    "pool.strike.struck.height": "below the middle",
    "fluids.floating.hull.height": "a hull that is flat, or turned over",
    "fluids.floating.canal_step.friction": "a force",
    "mechanics.pendulum": "stiffness is g / l, and gravity may pull up",
}
MAY_BE_0 = {
    "robots.springs": "a spring may pull to a point, or be none",
    "robots.net": "the same, and there may be no air",
    "robots.boxes": "the same",
    "fluids.shallow_water": "land is dry",
    "particles.mpm.mpm_limits.sound": "dust",
    "rigid.shapes.Shape.radius": "a polygon",
}
# what may have entries that are no numbers, and of either shape
HOLES = {"moments.f", "lattice_boltzmann_limit.f", "lattice_boltzmann_step.f"}
ANY_SHAPE = {"at_rest.velocity"}
TEXT = {"what", "field", "advice"}  # any words


def number(x: Any) -> bool:
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def wrong_values(name: str, parameter: str, value: Any, rule: r.Rule) -> Iterator[tuple[str, Any]]:
    """What a parameter cannot be, each with a word for it; `value` is what it can be."""
    if type(rule) is r.Rule:  # a state of any structure
        return
    if not isinstance(rule, r.Either) or not any(isinstance(s, r.Nothing) for s in rule.rules):
        yield "None", None
    if parameter not in TEXT:
        yield "a word", "nonsense"
    yield from {"a complex": 1j, "an object": object(), "a dict": {"x": 1.0}}.items()
    full = f"{name.rpartition('.')[2]}.{parameter}"
    shape = getattr(rule, "shape", ()) if full not in ANY_SHAPE else None
    if number(value):
        yield from _no_number(value, shape)
    elif isinstance(value, np.ndarray):
        yield from _no_array(value, shape, full in HOLES)
    elif isinstance(value, (bool, np.bool_)):
        yield "a number", 2
    elif not isinstance(value, (tuple, list, str)):  # a function or an object
        yield "a number", 3.0
    yield from _by_name(name, parameter, value)


def _no_number(value: float, shape: Any) -> Iterator[tuple[str, Any]]:
    yield from {"nan": math.nan, "infinite": math.inf, "a truth": True}.items()
    if shape is not None:
        yield from {"an array": np.ones(2), "a list": [1.0, 2.0]}.items()
    if isinstance(value, int):
        yield "a part", 1.5


def _no_array(value: Any, shape: Any, holes: bool) -> Iterator[tuple[str, Any]]:
    if not holes:
        yield "nan", np.full(value.shape, math.nan)
    kinds = {"complex": complex, "objects": object, "words": str}
    yield from ((word, value.astype(kind)) for word, kind in kinds.items())
    if shape is not None and Ellipsis not in shape:
        yield from {"an axis more": value[None], "an axis less": value[0], "one": 1.0}.items()


def _by_name(name: str, parameter: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What a number of that name cannot be."""
    full, names = f"{name}.{parameter}", {parameter, f"{name.rpartition('.')[2]}.{parameter}"}
    if any(full.startswith(key) for key in EITHER_SIGN) or not (
        number(value) or isinstance(value, np.ndarray)
    ):
        return
    one: Any = np.ones(np.shape(value)) if isinstance(value, np.ndarray) else type(value)(1)
    if names & {*ABOVE_0, *FROM_0, *SHARES}:
        yield "below 0", -one
    if names & set(ABOVE_0) and not any(full.startswith(key) for key in MAY_BE_0):
        yield "0", 0 * one
    if names & set(SHARES):
        yield "above 1", 4 * one


def parameters() -> list[tuple[str, str]]:
    return [(name, p) for name, what in CHECKED.items() for p in rules_of(what)]


def refused(name: str, wrong: dict[str, Any], word: str) -> str:
    """What is said of wrong arguments."""
    try:
        called(name, **wrong)
    except ArgumentError as error:
        return str(error)
    raise AssertionError(f"{name} takes {word} for {', '.join(wrong)}")


IDS = [".".join(pair) for pair in parameters()]


@pytest.mark.parametrize(("name", "parameter"), parameters(), ids=IDS)
def test_a_wrong_argument_is_refused_in_words(name: str, parameter: str) -> None:
    found: dict[str, Any] = {}

    def look() -> None:
        found.update(arguments(name, CHECKED[name]))
        raise _Traced

    with pytest.raises(_Traced):
        ra.fn(look)()
    rule = rules_of(CHECKED[name])[parameter]
    for word, wrong in wrong_values(name, parameter, found[parameter], rule):
        said = refused(name, {parameter: wrong}, word)
        assert re.search(rf"\b{parameter}\b", said), (word, said)
        assert "; wanted " in said, (word, said)


def shaped() -> list[tuple[str, str, int]]:
    """The parameters that have a shape, with its axes."""
    return [
        (name, parameter, len(rule.shape))
        for name, what in CHECKED.items()
        for parameter, rule in rules_of(what).items()
        if isinstance(rule, r.Numbers) and rule.shape is not None and Ellipsis not in rule.shape
    ]


@pytest.mark.parametrize(("name", "parameter", "axes"), shaped())
def test_a_traced_value_of_another_shape_is_refused(name: str, parameter: str, axes: int) -> None:
    what = CHECKED[name]
    owner = (world(),) if what in METHODS else ()

    def program(x: Any) -> None:
        what(*owner, **arguments(name, what) | {parameter: x})

    with pytest.raises(ArgumentError, match=rf"\b{parameter}\b.*; wanted "):
        ra.fn(program)(np.ones((3,) * (axes + 1)))


# ------------------------------------------------------------------------------------- in words

X, ONE = np.eye(2), np.ones((5, 4))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: gravity_acceleration(X, np.ones(3)),
            "mass is numbers of shape (3,); wanted an array of numbers of shape (n,), with n = 2 as in x",
        ),
        (
            lambda: spring_forces(X, np.array([[0, 5]]), np.ones(1), 1.0),
            "ends[0, 1] is 5; wanted a whole number from 0 to 1",
        ),
        (
            lambda: spring_forces(X, np.array([[0, 1]]), np.ones(3), 1.0),
            "rest is numbers of shape (3,); wanted",
        ),
        (
            lambda: sph_acceleration(Liquid(1.0, 0.0, 1.0, 1.0, 1.0), X, X, np.ones(2)),
            "Liquid: reach is 0.0; wanted a number above 0",
        ),
        (
            lambda: Liquid(1.0, 1.0, 1.0, 1.0, -1.0),
            "Liquid: viscosity is -1.0; wanted a number, 0 or more",
        ),
        (lambda: cell(7, 5, "open"), "cell: edges is 'open'; wanted one of periodic, wall, zero"),  # type: ignore[arg-type]
        (
            lambda: project(ONE, ONE, 0.1, "mg"),
            "project: solver is 'mg'; wanted one of jacobi, gauss-seidel, conjugate-gradient",
        ),
        (
            lambda: advect((ONE,), X, X),
            "u is numbers of shape (2, 2); wanted an array of numbers of shape (n, m), with"
            " n, m = 5, 4 as in fields[0]",
        ),
        (
            lambda: heat_limit(-1.0, 0.1),
            "heat_limit: diffusivity is -1.0; wanted a number, 0 or more",
        ),
        (
            lambda: shallow_water_step(ONE, ONE, ONE, ONE, 0.1, 1.0, edges="zero"),
            "edges is 'zero'; wanted one of wall, periodic",
        ),  # type: ignore[arg-type]
        (lambda: viscosity(0.5), "viscosity: relaxation is 0.5; wanted a number above 0.5"),
        (
            lambda: coulomb_force(np.ones(2), X, np.ones(2), 1.0, 0.0),
            "nearest is 0.0; wanted a number above 0",
        ),
        (lambda: Grid(32, walls="open"), "Grid: walls is 'open'; wanted one of stick, slip"),  # type: ignore[arg-type]
        (
            lambda: Grid(32, margin=20),
            "Grid: nodes are 32, and 20 on each side are wall; wanted more than 40 nodes",
        ),
        (
            lambda: verlet(lambda x, v: x, 1.0, np.ones(2), 0.1),
            "v is numbers of shape (2,); wanted numbers of shape () as x is",
        ),
        (lambda: Body(None), "Body: shape is None; wanted a Shape"),  # type: ignore[arg-type]
        (lambda: Body(box(1.0, 1.0), fixed="no"), "Body: fixed is 'no'; wanted True or False"),  # type: ignore[arg-type]
        (
            lambda: World([Body(box(1.0, 1.0))], gravity=(0, 0, 1)),
            "World: gravity is (0, 0, 1); wanted an array of numbers of shape (2,) or a"
            " tuple of 2, each a number",
        ),  # type: ignore[arg-type]
        (
            lambda: Joint("spring", (0, 1)),
            "Joint: kind is 'spring'; wanted one of revolute, weld, distance, motor",
        ),  # type: ignore[arg-type]
        (lambda: motor(0, 1, 1.0, -5.0), "motor: torque is -5.0; wanted a number, 0 or more"),
        (
            lambda: box(1e200, 1.0),
            "box: width is 1e+200; wanted a number above 0, from 1e-30 to 1e+30",
        ),
        (
            lambda: world().at([[math.nan, 0.0], [0.0, 1.0]], [0.0, 0.0]),
            "World.at: position[0, 0] is nan; wanted a number, and finite",
        ),
        (
            lambda: penalty.step(world(), world().at(X, np.zeros(2)), 0.1, substeps=0),
            "step: substeps is 0; wanted a whole number, 1 or more",
        ),
        (
            lambda: impulses.step(world(), world().at(X, np.zeros(2)), 0.1, sweeps=1.5),
            "sweeps is 1.5; wanted a whole number, 1 or more",
        ),  # type: ignore[arg-type]
        (
            lambda: impulses.step(
                world(), World([Body(box(1.0, 1.0))]).at([[0.0, 0.0]], [0.0]), 0.1
            ),
            "step: state.position is numbers of shape (1, 2); wanted an array of numbers of"
            " shape (bodies, 2), with bodies = 2 as in world",
        ),
    ],
)
def test_what_is_said(call: Callable[[], Any], said: str) -> None:
    def program() -> None:
        call()
        raise _Traced

    with pytest.raises(ArgumentError, match=re.escape(said)):
        ra.fn(program)()


def test_a_number_that_must_be_known_may_not_be_traced() -> None:
    def repeated(times: int) -> int:
        return times

    with pytest.raises(ArgumentError, match="known before the program is compiled"):
        ra.fn(lambda n: checked(repeated)(n))(3)


def test_lists_are_refused_with_a_hint() -> None:
    with pytest.raises(ArgumentError, match=r"np.array makes one of a list"):
        ra.fn(lambda: gravity_acceleration([[0.0, 0.0], [1.0, 0.0]], np.ones(2)))()  # type: ignore[arg-type]


def test_a_checked_function_keeps_its_name_and_signature() -> None:
    def thrown(x: Positive, *, most: Count = 3) -> float:
        """How far."""
        return float(x) * most

    found = checked(thrown)
    assert (found.__name__, found.__doc__) == ("thrown", "How far.")
    assert inspect.signature(found) == inspect.signature(thrown)
    assert found(2.0) == 6.0
    with pytest.raises(ArgumentError, match="thrown: most is 0; wanted a whole number, 1 or more"):
        found(2.0, most=0)
    with pytest.raises(TypeError, match="missing"):
        found()  # type: ignore[call-arg]


def test_errors_are_scene_errors_and_value_errors() -> None:
    assert issubclass(ArgumentError, SceneError) and issubclass(ArgumentError, ValueError)
