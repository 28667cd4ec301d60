r"""An articulated model: links that hang on each other by joints, as plain data.

    Link("upper", joint="revolute", axis=(0, 1, 0), mass=1.0, centre=(0, 0, -0.5))
    Link("lower", "upper", joint="revolute", axis=(0, 1, 0), at=(0, 0, -1), mass=1.0, centre=(0, 0, -0.5))

A link's frame is that of its joint when q is zero: `at` (3,) and `turned` (4,), a quaternion, in the frame of
its parent. Its centre of mass and its inertia, about that centre, are in its own frame. What hangs on what,
the kinds of joints and their axes are structure, known before anything is traced. All else may be traced, so
a mass, a length or a gain can be what is sought.

A force acts along each degree of freedom:

    τ = gear^T a - damping v - stiffness (q - home) - what its limits push back,

a (actuators,) of `forces.py`. An armature is the inertia of a rotor that turns with a degree of freedom. A
limit is a spring with a damper, of `limit_stiffness` and `limit_damping`, that begins where it is passed.

Kilograms, metres, seconds, radians; N m or N along joints. The gravity is an acceleration (3,).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np

import rose_ad as ra
from rosephys.errors import ArgumentError
from rosephys.given import is_traced

from ..checked import checked
from ..quantities import Array, Axes, Between, Holes, NotNegative, NumpyArray, Scalar, SpaceVector
from ..rigid.body3d import Quaternion, rotation_matrix
from .tree import SIZES, Kind, Tree

Point: TypeAlias = SpaceVector | Sequence[Scalar]
Bound: TypeAlias = Annotated[Scalar, Holes()]
UNIT = 1e-9  # how far an axis or a quaternion may be from length 1


@dataclass(frozen=True)
class Link:
    """A link, and the joint by which it hangs on its parent; `articulated/tree.py` has the kinds of joints.

    `axis` (3,) is that of a revolute or prismatic joint, of length 1. `inertia` is (3, 3), or (3,) on its
    diagonal, in kg m². `armature`, `damping`, `stiffness` and the limits `low` and `high` are of each degree of
    freedom, numbers or (nv,); stiffness and limits of revolute, prismatic and planar joints only. `home`
    (nq,) is where the joint rests.
    """

    name: str
    parent: str = "world"
    joint: Kind = "fixed"
    axis: Sequence[float] | NumpyArray = (0.0, 0.0, 1.0)
    at: Point = (0.0, 0.0, 0.0)
    turned: Quaternion | Sequence[Scalar] = (1.0, 0.0, 0.0, 0.0)
    mass: Scalar = 0.0
    centre: Point = (0.0, 0.0, 0.0)
    inertia: Array | Sequence[Scalar] | Sequence[Sequence[Scalar]] = (0.0, 0.0, 0.0)
    low: Annotated[Scalar | Array | Sequence[Scalar], Holes()] = -math.inf
    high: Annotated[Scalar | Array | Sequence[Scalar], Holes()] = math.inf
    damping: Scalar | Array | Sequence[Scalar] = 0.0
    armature: Scalar | Array | Sequence[Scalar] = 0.0
    stiffness: Scalar | Array | Sequence[Scalar] = 0.0
    home: Array | Sequence[Scalar] | None = None


@dataclass(frozen=True)
class Actuator:
    """What drives degrees of freedom, by `gear`: of a joint's link the factors, a number or (nv,).

    With the length l = gear · (q - home) and its rate, the force is gain u - spring l - damper l', between
    `low` and `high`, for a control u between `least` and `most`. A motor has no spring and no damper; a servo
    that is to take a joint to the angle u has gain = spring.
    """

    name: str
    gear: dict[str, Scalar | Sequence[Scalar]]
    gain: Scalar = 1.0
    spring: Scalar = 0.0
    damper: Scalar = 0.0
    least: Bound = -math.inf
    most: Bound = math.inf
    low: Bound = -math.inf
    high: Bound = math.inf


@checked
@ra.struct
class Actuators:
    """All actuators: gear (actuators, nv), and of each what `Actuator` says (actuators,)."""

    gear: Annotated[Array, Axes("actuators", "nv")]
    gain: Annotated[Array, Axes("actuators")]
    spring: Annotated[Array, Axes("actuators")]
    damper: Annotated[Array, Axes("actuators")]
    least: Annotated[Array, Axes("actuators"), Holes()]
    most: Annotated[Array, Axes("actuators"), Holes()]
    low: Annotated[Array, Axes("actuators"), Holes()]
    high: Annotated[Array, Axes("actuators"), Holes()]


@checked
@ra.struct
class Model:
    """What the algorithms take; `articulated` makes one of links.

    Of each link: `at` (links, 3) and `turned` (links, 3, 3), where its joint is in its parent; `mass`, `centre`
    (links, 3) and `inertia` (links, 3, 3). Of each degree of freedom (nv,): damping, armature, stiffness, the
    limits, and what they are made of. `home` (nq,).
    """

    tree: Tree
    at: Annotated[Array, Axes("links", 3)]
    turned: Annotated[Array, Axes("links", 3, 3)]
    mass: Annotated[Array, Axes("links")]
    centre: Annotated[Array, Axes("links", 3)]
    inertia: Annotated[Array, Axes("links", 3, 3)]
    home: Annotated[Array, Axes("nq")]
    damping: Annotated[Array, Axes("nv")]
    armature: Annotated[Array, Axes("nv")]
    stiffness: Annotated[Array, Axes("nv")]
    low: Annotated[Array, Axes("nv"), Holes()]
    high: Annotated[Array, Axes("nv"), Holes()]
    limit_stiffness: Scalar
    limit_damping: Scalar
    actuators: Actuators
    gravity: SpaceVector

    def link(self, name: str) -> int:
        """The number of a link. Raises ArgumentError for none of that name."""
        if name not in self.tree.names:
            raise ArgumentError(f"there is no link {name!r}; wanted {_listed(self.tree.names)}")
        return self.tree.names.index(name)


@checked
def articulated(
    links: Sequence[Link],
    actuators: Sequence[Actuator] = (),
    *,
    gravity: Point = (0.0, 0.0, -9.81),
    limit_stiffness: NotNegative = 1e3,
    limit_damping: Annotated[Scalar, Between(0.0)] = 10.0,
) -> Model:
    """A model of these links, each after its parent.

    Raises ArgumentError for what cannot be, by the link's name: no such parent, an unknown kind of joint, an
    axis that is not of length 1, negative masses, an inertia that no body has, nothing that can move with mass.
    """
    names = _named(links)
    kinds = [link.joint for link in links]
    parents = [_parent(link, names[:k], names) for k, link in enumerate(links)]
    tree = Tree(names, parents, kinds, np.array([_axis(link) for link in links]).reshape(-1, 3))
    masses, inertias = [_mass(link) for link in links], [_inertia(link) for link in links]
    _borne(links, tree)
    nv = [SIZES[kind][1] for kind in kinds]

    def each(field: str) -> Array:
        rows = [_row(link, field, n) for link, n in zip(links, nv, strict=True)]
        return _concat([row for row in rows if len(row)])

    return Model(
        tree,
        at=ra.stack([_vector(link, "at", link.at, 3) for link in links]),
        turned=ra.stack([_rotation(link) for link in links]),
        mass=ra.array(masses),
        centre=ra.stack([_vector(link, "centre", link.centre, 3) for link in links]),
        inertia=ra.stack(inertias),
        home=_concat([_home(link) for link in links if SIZES[link.joint][0]]),
        damping=each("damping"),
        armature=each("armature"),
        stiffness=each("stiffness"),
        low=each("low"),
        high=each("high"),
        limit_stiffness=limit_stiffness,
        limit_damping=limit_damping,
        actuators=_actuators(actuators, tree),
        gravity=ra.array(gravity),
    )


# ------------------------------------------------------------------------------------ what is said


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) or "none: there are no links"


def _wrong(link: Link, field: str, what: str) -> ArgumentError:
    return ArgumentError(f"link {link.name!r}: {field} {what}")


def _named(links: Sequence[Link]) -> list[str]:
    """The names. Raises ArgumentError for no link, for one name twice, and for the world's."""
    names = [link.name for link in links]
    if not names:
        raise ArgumentError("articulated: links is empty; wanted one link at least")
    for k, name in enumerate(names):
        if name == "world" or name in names[:k]:
            twice = "is the name of what stands still" if name == "world" else "is there twice"
            raise ArgumentError(f"link {name!r}: its name {twice}")
    return names


def _parent(link: Link, before: Sequence[str], names: Sequence[str]) -> int:
    """The number of the parent. Raises ArgumentError for one that is not there, or not before its child."""
    if link.parent == "world":
        return -1
    if link.parent in before:
        return before.index(link.parent)
    if link.parent == link.name:
        raise _wrong(link, "parent", "is the link itself")
    if link.parent in names:
        what = f"is {link.parent!r}, which comes later; a link stands after its parent, and none in a ring"
        raise _wrong(link, "parent", what)
    raise _wrong(link, "parent", f"is {link.parent!r}; wanted 'world' or one of {_listed(before)}")


def _axis(link: Link) -> NumpyArray:
    if is_traced(link.axis):
        raise _wrong(
            link, "axis", "is traced; it is a part of the structure: turn the link instead"
        )
    axis = np.asarray(link.axis, float)
    if axis.shape != (3,) or not abs(np.linalg.norm(axis) - 1) <= UNIT:
        length = f", of length {np.linalg.norm(axis):g}" if axis.shape == (3,) else ""
        raise _wrong(
            link, "axis", f"is {tuple(axis.tolist())}{length}; wanted three numbers, of length 1"
        )
    return axis


def _vector(link: Link, field: str, value: Point | Quaternion, n: int) -> Array:
    made = ra.array(value)
    if made.shape != (n,):
        raise _wrong(link, field, f"has the shape {made.shape}; wanted ({n},)")
    if not is_traced(value) and not np.all(np.isfinite(np.asarray(value, float))):
        raise _wrong(link, field, f"is {value}; wanted finite numbers")
    return made


def _rotation(link: Link) -> Array:
    turned = _vector(link, "turned", link.turned, 4)
    if not is_traced(link.turned):
        length = float(np.linalg.norm(np.asarray(link.turned, float)))
        if not abs(length - 1) <= 1e-6:
            raise _wrong(
                link, "turned", f"is of length {length:g}; wanted a unit quaternion (w, x, y, z)"
            )
    return rotation_matrix(turned / ra.norm(turned))


def _mass(link: Link) -> Scalar:
    if not is_traced(link.mass) and not 0 <= float(link.mass) < math.inf:
        raise _wrong(link, "mass", f"is {link.mass}; wanted a number, 0 or more")
    return link.mass


def _inertia(link: Link) -> Array:
    """(3, 3). Raises ArgumentError for one that no body has: not symmetric, a negative moment, or one that is
    more than the sum of the others."""
    made = ra.array(link.inertia)
    if made.shape not in ((3,), (3, 3)):
        raise _wrong(link, "inertia", f"has the shape {made.shape}; wanted (3,) or (3, 3)")
    if not is_traced(link.inertia):
        known = np.asarray(link.inertia, float)
        known = np.diag(known) if known.ndim == 1 else known
        size = np.abs(known).max()
        if not (np.isfinite(size) and np.abs(known - known.T).max() <= 1e-9 * size):
            raise _wrong(link, "inertia", "is not symmetric, or not finite")
        moments = np.linalg.eigvalsh(known)
        if moments[0] < -1e-9 * size:
            raise _wrong(link, "inertia", f"has a negative moment, {moments[0]:g} kg m²")
        if moments[2] > (moments[0] + moments[1]) * (1 + 1e-6) + 1e-12 * size:
            told = ", ".join(f"{m:g}" for m in moments)
            raise _wrong(
                link, "inertia", f"has the moments {told}; none is more than the others' sum"
            )
    return made if made.shape == (3, 3) else made[:, None] * np.eye(3)


def _row(link: Link, field: str, n: int) -> Array:
    """What is said of each of n degrees of freedom (n,). Raises ArgumentError for another number of them, for
    what is negative, and for a spring or a limit of what has no angle."""
    value = getattr(link, field)
    made = ra.array(value)
    if made.shape not in ((), (n,)):
        raise _wrong(link, field, f"has the shape {made.shape}; wanted a number or ({n},)")
    if field not in ("low", "high") and not is_traced(value) and not np.all(np.asarray(value) >= 0):
        raise _wrong(link, field, f"is {value}; wanted 0 or more")
    nothing = {"low": -math.inf, "high": math.inf, "stiffness": 0.0}
    if field in nothing and link.joint in ("ball", "free"):
        if is_traced(value) or np.any(np.asarray(value) != nothing[field]):
            raise _wrong(link, field, f"is of a {link.joint} joint, which has none")
    known = field == "low" and not is_traced([link.low, link.high])
    if known and np.any(np.asarray(link.low) > np.asarray(link.high)):
        raise _wrong(link, "low", f"is {link.low}, above high, {link.high}")
    return made * np.ones(n) if made.shape == () and n else made if n else ra.array(np.zeros(0))


def _home(link: Link) -> Array:
    n, quaternion = SIZES[link.joint][0], np.array([1.0, 0.0, 0.0, 0.0])
    if link.home is not None:
        return _vector(link, "home", ra.array(link.home), n)
    at = {"ball": quaternion, "free": np.concatenate([np.zeros(3), quaternion])}
    return ra.array(at.get(link.joint, np.zeros(n)))


def _borne(links: Sequence[Link], tree: Tree) -> None:
    """Raise ArgumentError for a joint that carries neither mass nor armature, nor anything that has: what would
    move without inertia."""
    bears = [
        is_traced([link.mass, link.inertia, link.armature])
        or bool(np.any(np.asarray(link.mass) > 0))
        or bool(np.all(np.asarray(link.armature) > 0))
        for link in links
    ]
    for k in reversed(range(len(links))):
        if tree.parents[k] >= 0 and bears[k]:
            bears[tree.parents[k]] = True
    for link, kind, bear in zip(links, tree.kinds, bears, strict=True):
        if SIZES[kind][1] and not bear:
            raise _wrong(
                link, "mass", "is 0, and so is all that hangs on it: its joint moves nothing"
            )


def _concat(parts: list[Array]) -> Array:
    return ra.concat(parts) if parts else ra.array(np.zeros(0))


def _actuators(actuators: Sequence[Actuator], tree: Tree) -> Actuators:
    names = ("gain", "spring", "damper", "least", "most", "low", "high")
    gears = [_gear(actuator, tree) for actuator in actuators]
    rows = {name: [getattr(a, name) for a in actuators] for name in names}
    return Actuators(
        ra.stack(gears) if gears else ra.array(np.zeros((0, tree.nv))),
        **{name: ra.array(row) if row else ra.array(np.zeros(0)) for name, row in rows.items()},
    )


def _gear(actuator: Actuator, tree: Tree) -> Array:
    """The factors (nv,). Raises ArgumentError for a link that is not there, or has no joint that moves."""
    parts: list[Array] = [ra.array(np.zeros(s.stop - s.start)) for s in tree.v]
    for name, gear in actuator.gear.items():
        if name not in tree.names:
            raise ArgumentError(
                f"actuator {actuator.name!r}: there is no link {name!r}; wanted {_listed(tree.names)}"
            )
        k = tree.names.index(name)
        n, made = parts[k].shape[0], ra.array(gear)
        if n == 0 or made.shape not in ((), (n,)):
            raise ArgumentError(
                f"actuator {actuator.name!r}: gear of {name!r} has the shape {made.shape}; its joint, "
                f"{tree.kinds[k]}, has {n} degrees of freedom"
            )
        parts[k] = made * np.ones(n)
    return _concat([part for part in parts if part.shape[0]])
