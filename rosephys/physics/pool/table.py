"""Tables: where cushions, jaws and pockets are, and what is played with on them.

The bed is [0, length] × [0, width], the long way along x; metres. A cushion is a straight piece of its nose,
with the side of the table to the left of the way from its start to its end. At each pocket the noses bend round
a jaw, a circle, into straight facings. A ball is potted when its centre comes into the pocket's circle.

Sizes: the 7-ft table and its balls are those of the WPA's specifications and of Alciatore's list of physical
properties (billiards.colostate.edu), the snooker table is of the WPBSA's templates, the carom table of the
UMB's rules.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np

from ..checked import checked
from ..quantities import ABOVE_0, NumpyArray
from .ball import Constants
from .strike import Cue

Size: TypeAlias = Annotated[float, ABOVE_0]
Circles: TypeAlias = list[tuple[NumpyArray, float]]
"""Centres (2,) and radii."""


@checked
@dataclass(frozen=True)
class Mouth:
    """A kind of pocket: its circle, how far outside of the noses that is, its mouth, and its jaws.

    `angle`, in degrees, is that by which facings open, from 45° at a corner and from 90° at a side.
    """

    radius: Size
    depth: float
    width: Size
    jaw: Size
    angle: float


@checked
@dataclass(frozen=True)
class Sizes:
    """What a table is made from; no pockets without mouths."""

    length: Size
    width: Size
    rail: float
    corner: Mouth | None = None
    side: Mouth | None = None


@checked
@dataclass(frozen=True, eq=False)
class Table:
    """Straight noses from `starts` to `ends` (s, 2), jaws (j, 2) and (j,), pockets (p, 2) and (p,).

    `cushions` are polygons (k, 2), to be drawn, and `rail` is how wide they are.
    """

    length: Size
    width: Size
    starts: NumpyArray
    ends: NumpyArray
    jaws: NumpyArray
    jaw_radii: NumpyArray
    pockets: NumpyArray
    pocket_radii: NumpyArray
    rail: float
    cushions: tuple[NumpyArray, ...]

    @property
    def ways(self) -> NumpyArray:
        """Unit vectors (s, 2) along the noses; the table is to their left."""
        way = self.ends - self.starts
        return np.asarray(way / self.spans[:, None])

    @property
    def spans(self) -> NumpyArray:
        """The lengths (s,) of the noses."""
        return np.asarray(np.linalg.norm(self.ends - self.starts, axis=1))


@checked
@dataclass(frozen=True)
class Game:
    """A table, and the numbers of its balls, cloth, cushions and cue."""

    table: Table
    constants: Constants
    cue: Cue


@checked
def table(sizes: Sizes) -> Table:
    """The table of these sizes."""
    length, width, rail = sizes.length, sizes.width, sizes.rail
    if sizes.corner is None or sizes.side is None:
        starts = np.array([(0, 0), (length, 0), (length, width), (0, width)], float)
        ends, none = np.roll(starts, -1, axis=0), (np.zeros((0, 2)), np.zeros(0))
        outer = starts + rail * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        sides = zip(outer, starts, ends, np.roll(outer, -1, axis=0), strict=True)
        cushions = tuple(np.array(four) for four in sides)
        return Table(length, width, starts, ends, *none, *none, rail, cushions)
    quarters = list(_quarter(sizes, sizes.corner, sizes.side).images(length, width))
    noses = [nose for q in quarters for nose in q.noses]
    starts, ends = (np.array([nose[k] for nose in noses]) for k in (0, 1))
    jaws = _each_once([circle for q in quarters for circle in q.jaws])
    pockets = _each_once([circle for q in quarters for circle in q.pockets])
    cushions = tuple(path for q in quarters for path in q.cushions)
    return Table(length, width, starts, ends, *jaws, *pockets, rail, cushions)


def _each_once(circles: Circles) -> tuple[NumpyArray, NumpyArray]:
    """Their centres (k, 2) and radii (k,); those that two quarters share once."""
    found = {tuple(np.round(centre, 12)): radius for centre, radius in circles}
    return np.array(list(found)), np.array(list(found.values()))


@dataclass(frozen=True)
class _Quarter:
    """A quarter of a table with pockets: noses (start, end), jaws and pockets (centre, radius), cushions."""

    noses: list[tuple[NumpyArray, NumpyArray]]
    jaws: Circles
    pockets: Circles
    cushions: list[NumpyArray]

    def images(self, length: float, width: float) -> Iterator[_Quarter]:
        """It and its mirror images, the four quarters."""
        for right in (False, True):
            for top in (False, True):
                yield self._image(
                    np.array([length * right, width * top]),
                    np.array([-1.0 if right else 1.0, -1.0 if top else 1.0]),
                )

    def _image(self, shift: NumpyArray, turn: NumpyArray) -> _Quarter:
        noses = [(shift + turn * a, shift + turn * b) for a, b in self.noses]
        if turn[0] * turn[1] < 0:  # a mirror image runs the other way round
            noses = [(b, a) for a, b in noses]
        jaws, pockets = (
            [(shift + turn * c, r) for c, r in circles] for circles in (self.jaws, self.pockets)
        )
        return _Quarter(noses, jaws, pockets, [shift + turn * path for path in self.cushions])


def _quarter(sizes: Sizes, corner: Mouth, side: Mouth) -> _Quarter:
    """The lower left quarter."""
    half, rail = sizes.length / 2, sizes.rail
    back, side_back = _set_back(corner, 45), _set_back(side, 0)
    mouth, edge = corner.width / math.sqrt(2), half - side.width / 2
    angle, tilt = math.radians(45 + corner.angle), math.radians(side.angle)
    inner = np.array([mouth - back * math.sin(angle), -back * math.cos(angle)])
    outer = np.array([mouth - rail * math.tan(angle), -rail])
    side_inner = np.array([edge + side_back * math.sin(tilt), -side_back * math.cos(tilt)])
    side_outer = np.array([edge + rail * math.sin(tilt), -rail])
    first, last = np.array([mouth + back, 0.0]), np.array([edge - side_back, 0.0])
    middle = np.array([0.0, sizes.width / 2])
    jaw, side_jaw = first - (0, corner.jaw), last - (0, side.jaw)
    depth = corner.depth / math.sqrt(2)
    bend, side_bend = _arc(jaw, inner, first), _arc(side_jaw, last, side_inner)
    long = np.array([outer, *bend, *side_bend, side_outer])
    short = np.array([outer[::-1], *bend[:, ::-1], middle, middle - (rail, 0)])
    return _Quarter(
        [
            (outer, inner),
            (first, last),
            (side_inner, side_outer),
            (middle, first[::-1]),
            (inner[::-1], outer[::-1]),
        ],
        [(jaw, corner.jaw), (jaw[::-1], corner.jaw), (side_jaw, side.jaw)],
        [
            (np.array([-depth, -depth]), corner.radius),
            (np.array([half, -side.depth]), side.radius),
        ],
        [long, short],
    )


def _set_back(mouth: Mouth, right: float) -> float:
    """How far from the mouth the nose begins to bend."""
    return mouth.jaw / math.tan(math.radians(90 + right + mouth.angle) / 2)


def _arc(centre: NumpyArray, start: NumpyArray, end: NumpyArray) -> NumpyArray:
    """Points (k, 2) on a circle from a point of it to another, the short way."""
    share = np.linspace(0, 1, 8)[:, None]
    chord = (1 - share) * (start - centre) + share * (end - centre)
    radius = np.linalg.norm(start - centre)
    return np.asarray(centre + radius * chord / np.linalg.norm(chord, axis=1, keepdims=True))


def _game(
    sizes: Sizes,
    *,
    mass: float,
    radius: float,
    nose: float,
    cloth: float,
    grip: float,
    cue: float = 0.567,
) -> Game:
    constants = Constants(
        radius=radius,
        sliding=cloth,
        rolling=0.01,
        spinning=4 / 9 * radius,
        gravity=9.81,
        restitution=0.95,
        friction=np.array([9.951e-3, 0.108, 1.088]),
        rebound=0.85,
        grip=grip,
        nose=nose,
    )
    return Game(table(sizes), constants, Cue(cue, 0.170097 / 30, mass, radius))


POOL = _game(
    Sizes(
        1.9812,
        0.9906,
        0.0508,
        corner=Mouth(0.062, 0.0417, 0.118, 0.02095, 5.3),
        side=Mouth(0.0645, 0.0685, 0.137, 0.00795, 7.14),
    ),
    mass=0.170097,
    radius=0.028575,
    nose=1.28 * 0.028575,
    cloth=0.2,
    grip=0.2,
)
SNOOKER = _game(
    Sizes(
        3.5445,
        1.7465,
        0.03937,
        corner=Mouth(0.043, 0.036, 0.083, 0.09144, 0.0),
        side=Mouth(0.042672, 0.02413, 0.075, 0.0635, 0.0),
    ),
    mass=0.140,
    radius=0.02619375,
    nose=0.028,
    cloth=0.5,
    grip=0.5,
)
CAROM = _game(
    Sizes(2.84, 1.42, 0.0508), mass=0.210, radius=0.03075, nose=0.037, cloth=0.2, grip=0.15
)
GAMES = {"pool": POOL, "snooker": SNOOKER, "carom": CAROM}
