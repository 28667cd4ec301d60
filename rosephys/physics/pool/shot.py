r"""A shot of pool, from event to event.

Between events every ball follows its own parabola (`ball.py`), so that a whole shot costs tens of events: the
end of a phase, two balls that meet, a ball that meets a cushion or a jaw, a ball that drops. The next event is
the first of all that are ahead (`falls.py`), and only the balls that are in it are touched.

**Derivative:** exact, also through the instants of events. Which event is next is found without a derivative
and is part of the state. Its time t is then differentiated alone: with the distance s(t, x) that falls through
zero, one step of Newton's method from the time that was found,

    t - s(t, x) / s'(t, x),

changes the time by rounding only and has the derivative of the implicit function theorem; two have the second
derivative, too. Where s' is small, balls graze: a little to the side they miss, and the derivative says nothing
of that. `Shot.grazing` is how near to that the shot has come, and `Shot.story` is another number where another
list of events happened: a derivative is of use as far as the story stays the same.

**Limits.** Balls stay on the table. Two that meet at once, as in a rack, do so one pair after the other. A ball
that its spin presses on a cushion bounces at it infinitely often within a finite time: slower than `LEANS` it
stays at it, and the spin that pressed it is gone. Two balls that spin presses together roll on together. After
`most` events the rest of a shot does not happen, and `Shot.kind` is not NOTHING.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias, TypeVar

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Condition, Count, Index, PlaneVector, PlaneVectors, Scalar, SpaceVector
from .ahead import MEETS, NOTHING, Event, next_event
from .ball import (
    POCKETED,
    STATIONARY,
    Ball,
    Constants,
    at,
    ends,
    next_phase,
    place_at,
    put,
    row,
    sliding,
    slip,
    unit,
)
from .impacts import balls_meet, cushion_rebound
from .table import Table

MOST = 256  # events in a shot; a break of 15 balls has some 150
LEANS = 1e-3  # m/s; what is pressed on a cushion or a ball and would leave it slower stays

Seen = TypeVar("Seen")


@checked
@ra.struct
class Shot:
    """Balls, each since the last event that it was in, and the event that is next.

    `events` counts those that were. `story` is a number made of what they were, in order. `grazing` is the
    least sine of the angle at which anything met, 1 if nothing has.
    """

    balls: Ball
    time: Scalar
    kind: Index
    ball: Index
    other: Index
    events: Index
    story: Index
    grazing: Scalar


Watch: TypeAlias = Callable[[Seen, Shot], Seen]


@checked
def racked(positions: PlaneVectors) -> Ball:
    """Balls at rest, at these places (n, 2)."""
    places, n = 1.0 * ra.array(positions), len(positions)
    rest, spin, phase = ra.zeros((n, 2)), ra.zeros((n, 3)), ra.full(n, STATIONARY)
    return Ball(ra.zeros(n), places, rest, spin, rest, phase)


@checked
def cued(
    balls: Ball, which: Index, velocity: PlaneVector, spin: SpaceVector, constants: Constants
) -> Ball:
    """The balls, one of which has been struck and has this velocity (2,) and angular velocity (3,)."""
    ball = row(balls, which)
    return put(balls, which, sliding(0.0, ball.position, velocity, spin, constants))


@checked
def begin(table: Table, balls: Ball, constants: Constants) -> Shot:
    """A shot that begins at time 0."""
    event = next_event(table, balls, 0.0, constants)
    time, kind, ball, other = event
    return Shot(balls, time, kind, ball, other, 0, 1, 1.0)


@checked
def play(table: Table, balls: Ball, constants: Constants, most: Count = MOST) -> Shot:
    """The shot when every ball is at rest or potted."""
    return finish(table, begin(table, balls, constants), constants, _nothing, (), most)[0]


@checked
def listed(
    table: Table, balls: Ball, constants: Constants, most: Count = MOST
) -> tuple[Shot, Event]:
    """The same, and its events: time, kind, ball and other, each (most,); NOTHING after the last."""

    def one(shot: Shot, _: Index) -> tuple[Shot, Event]:
        event = (shot.time, shot.kind, shot.ball, shot.other)
        return ra.cond(
            shot.kind != NOTHING, lambda: _after(table, shot, constants), lambda: shot
        ), event

    return ra.scan(one, begin(table, balls, constants), np.arange(most))


@checked
def finish(
    table: Table,
    shot: Shot,
    constants: Constants,
    watch: Watch[Seen],
    watched: Seen,
    most: Count = MOST,
) -> tuple[Shot, Seen]:
    """A shot that has begun when all is at rest, and what was watched: see `advance`."""
    return _until(table, shot, math.inf, constants, watch, watched, most)


@checked
def advance(
    table: Table,
    shot: Shot,
    until: Scalar,
    constants: Constants,
    watch: Watch[Seen],
    watched: Seen,
    most: Count = MOST,
) -> tuple[Shot, Seen]:
    """The shot after its events up to a time, those beyond `most` left for the next call, and what was watched.

    `watch(watched, shot)` is what is to be remembered, of the shot just before its next event: of the stretches
    of those balls that are in it, which end then.
    """
    return _until(table, shot, until, constants, watch, watched, most)


def _until(
    table: Table,
    shot: Shot,
    until: Scalar,
    constants: Constants,
    watch: Watch[Seen],
    watched: Seen,
    most: int,
) -> tuple[Shot, Seen]:
    def ahead(carry: tuple[Shot, Seen]) -> Condition:
        return (carry[0].kind != NOTHING) & (carry[0].time <= until)

    def one(carry: tuple[Shot, Seen]) -> tuple[Shot, Seen]:
        shot, watched = carry
        return _after(table, shot, constants), watch(watched, shot)

    return ra.while_loop(ahead, one, (shot, watched), max_steps=most)


def _nothing(watched: Seen, _: Shot) -> Seen:
    return watched


@checked
def seen(shot: Shot, time: Scalar, constants: Constants) -> Ball:
    """All balls at a time, which no event parts from those in the shot."""
    n = shot.balls.count
    return ra.build(n, lambda k: at(row(shot.balls, k), time, constants))


# ----------------------------------------------------------------------------------- what happens


@ra.fn
def _after(table: ra.Static, shot: Shot, constants: Constants) -> Shot:
    """The shot after its next event."""
    balls, time = shot.balls, ra.stop_gradient(shot.time)
    first = row(balls, shot.ball)
    other = ra.where(shot.kind == MEETS, shot.other, shot.ball)
    second = row(balls, other)
    ways: list[Callable[[], _Happened]] = [
        lambda: _turns(first, constants),
        lambda: _meets(first, second, time, constants),
        lambda: _hits_cushion(table, first, shot.other, time, constants),
    ]
    if len(table.pockets):
        ways += [
            lambda: _hits_jaw(table, first, shot.other, time, constants),
            lambda: _drops(table, first, shot.other, time, constants),
        ]
    first, second, sine = ra.switch(shot.kind, ways)
    balls = put(put(balls, other, second), shot.ball, first)
    event = next_event(table, balls, first.since, constants)
    word = (shot.kind * 64 + shot.ball) * 64 + shot.other
    story = (shot.story * 1103515245 + word + 12345) % (1 << 31)
    time, kind, ball, other = event
    grazing = ra.minimum(shot.grazing, sine)
    return Shot(balls, time, kind, ball, other, shot.events + 1, story, grazing)


_Happened: TypeAlias = tuple[Ball, Ball, Scalar]
"""Both balls after it, and the sine of the angle at which they met."""


def _turns(ball: Ball, constants: Constants) -> _Happened:
    after = next_phase(ball, ends(ball, constants), constants)
    return after, after, 1.0


def _meets(first: Ball, second: Ball, time: Scalar, constants: Constants) -> _Happened:
    distance = 2 * constants.radius

    def gap(t: Scalar) -> tuple[PlaneVector, PlaneVector]:
        a, b = place_at(first, t), place_at(second, t)
        return b[0] - a[0], b[1] - a[1]

    time, sine = _touch(gap, distance, time)
    a, b = at(first, time, constants), at(second, time, constants)
    return *_parted(*balls_meet(a, b, time, constants), time, constants), sine


def _parted(first: Ball, second: Ball, time: Scalar, constants: Constants) -> tuple[Ball, Ball]:
    """Two balls after they have met; two that hardly part and press on each other roll on together.

    What the cloth does to them until both roll is done at once: along the line of centres, v + 2/5 R ω is kept
    of both together (`ball.py`), and they part at half of the speed, which leaves no energy over. Where they
    would press on each other as they roll, too, they go on as one.
    """
    apart = second.position - first.position
    n, r = apart / ra.norm(apart), constants.radius
    balls = first, second
    v, w = (ra.dot(n, ball.velocity) for ball in balls)
    slips = [slip(ball.velocity, ball.spin, r) for ball in balls]
    ways = [ball.velocity - 2 / 7 * s for ball, s in zip(balls, slips, strict=True)]
    mean = 0.5 * (ways[0] + ways[1])
    relative = ways[1] - ways[0]
    leaves = w - v
    leans = (leaves < LEANS) & (ra.dot(n, first.push - second.push) > 0)
    slows = constants.rolling * constants.gravity * (unit(ways[1]) - unit(ways[0]))
    one = 2 * r * ra.dot(n, slows) > ra.dot(relative, relative)

    def on(ball: Ball, slipped: PlaneVector, side: float) -> Ball:
        along = ra.dot(n, mean) + 0.25 * side * leaves
        velocity = ra.where(one, mean, ball.velocity + (along - ra.dot(n, ball.velocity)) * n)
        rolled = ball.velocity - slipped
        new = ra.where(one, mean, rolled + (along - ra.dot(n, rolled)) * n)
        turned = (new - rolled) / r
        spin = ball.spin + ra.array([-turned[1], turned[0], 0.0])
        return sliding(time, ball.position, velocity, spin, constants)

    return ra.cond(
        leans,
        lambda: (on(first, slips[0], -1.0), on(second, slips[1], 1.0)),
        lambda: (first, second),
    )


def _hits_cushion(
    table: Table, ball: Ball, which: Index, time: Scalar, constants: Constants
) -> _Happened:
    way = ra.array(table.ways)[which]
    normal = ra.array([-way[1], way[0]])
    start = ra.array(table.starts)[which]
    for _ in range(2):
        place, velocity = place_at(ball, time)
        falls = ra.dot(normal, velocity)
        time = time - (ra.dot(normal, place - start) - constants.radius) / falls
    sine = -falls / ra.norm(velocity)
    after = _rebounds(at(ball, time, constants), normal, time, constants, table.model)
    return after, after, ra.stop_gradient(sine)


def _hits_jaw(
    table: Table, ball: Ball, which: Index, time: Scalar, constants: Constants
) -> _Happened:
    centre = ra.array(table.jaws)[which]
    distance = ra.array(table.jaw_radii)[which] + constants.radius
    time, sine = _touch(_from(ball, centre), distance, time)
    there = at(ball, time, constants)
    after = _rebounds(there, (there.position - centre) / distance, time, constants, table.model)
    return after, after, sine


def _drops(table: Table, ball: Ball, which: Index, time: Scalar, constants: Constants) -> _Happened:
    pocket = ra.array(table.pockets)[which]
    time, sine = _touch(_from(ball, pocket), ra.array(table.pocket_radii)[which], time)
    rest = ra.zeros(2)
    after = Ball(time, pocket, rest, ra.zeros(3), rest, POCKETED)
    return after, after, sine


def _from(ball: Ball, centre: PlaneVector) -> Callable[[Scalar], tuple[PlaneVector, PlaneVector]]:
    def gap(t: Scalar) -> tuple[PlaneVector, PlaneVector]:
        place, velocity = place_at(ball, t)
        return place - centre, velocity

    return gap


def _touch(
    gap: Callable[[Scalar], tuple[PlaneVector, PlaneVector]], distance: Scalar, time: Scalar
) -> tuple[Scalar, Scalar]:
    """The time at which a gap is that wide, from the one that was found, and the sine of the angle then."""
    for _ in range(2):
        apart, velocity = gap(time)
        falls = 2 * ra.dot(apart, velocity)
        time = time - (ra.dot(apart, apart) - distance * distance) / falls
    sine = -0.5 * falls / (distance * ra.norm(velocity))
    return time, ra.stop_gradient(sine)


def _rebounds(
    ball: Ball, normal: PlaneVector, time: Scalar, constants: Constants, model: str
) -> Ball:
    """The ball after it has met a cushion; one that is pressed on it and hardly leaves it stays at it."""
    after = cushion_rebound(ball, normal, time, constants, model)
    leaves = ra.dot(normal, after.velocity)
    slipping = slip(after.velocity, after.spin, constants.radius)
    leans = (leaves < LEANS) & (ra.dot(normal, slipping) > 0)

    def stays() -> Ball:
        (nx, ny), (wx, wy, wz) = normal, after.spin
        rolls = wx * ny - wy * nx
        spin = ra.array([wx - rolls * ny, wy + rolls * nx, wz])
        along = after.velocity - leaves * normal
        return sliding(time, after.position, along, spin, constants)

    return ra.cond(leans, stays, lambda: after)
