"""Which event is next: the first of all that are ahead of balls that move.

The end of the first phase to end is found at once, and bounds the time in which anything else is looked for.
Most of that is dismissed for being out of reach in so short a time (`falls.py`).

**Derivative:** none. `shot.py` differentiates the time of the event that is found, and not the search.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import rose_ad as ra

from ..quantities import Array, Index, Scalar
from .ball import POCKETED, Ball, Constants, ends, moves, place_at, row
from .falls import falls_to_circle, falls_to_line
from .table import Table

TURNS, MEETS, CUSHION, JAW, DROPS, NOTHING = range(6)
NEVER = 1e9  # s, when nothing is ahead
_EDGE = 1e-9  # m by which a nose is longer, so that none is missed where two meet

Event: TypeAlias = tuple[Scalar, Index, Index, Index]
"""When it is, what kind, the ball, and the other: a ball, a nose, a jaw or a pocket."""


@ra.fn
def next_event(table: ra.Static, balls: Ball, now: Scalar, constants: Constants) -> Event:
    """The first event after `now`, without a derivative."""
    held: tuple[Ball, Scalar, Constants] = ra.map_leaves(ra.stop_gradient, (balls, now, constants))
    balls, now, constants = held
    n = balls.count
    event: Event = (NEVER, NOTHING, 0, 0)

    def turns(i: Index, event: Event) -> Event:
        return _sooner(ends(row(balls, i), constants), TURNS, i, 0, event)

    def ahead(i: Index, event: Event) -> Event:
        return ra.cond(
            moves(row(balls, i)),
            lambda: _of_ball(table, balls, i, now, event, constants),
            lambda: event,
        )

    event = ra.fori_loop(0, n, turns, event)
    return ra.fori_loop(0, n, ahead, event)


def _of_ball(
    table: Table, balls: Ball, i: Index, now: Scalar, event: Event, constants: Constants
) -> Event:
    """The first of an event and those that a ball that moves has with others, cushions, jaws and pockets."""
    ball, n, radius = row(balls, i), balls.count, constants.radius
    place, velocity = place_at(ball, now)
    starts, ways, spans = map(ra.array, (table.starts, table.ways, table.spans))

    def partner(j: Index, event: Event) -> Event:
        other = row(balls, j)
        asked = (other.phase != POCKETED) & (j != i) & ((j > i) | ~moves(other))
        there, moving = place_at(other, now)

        def meet() -> Event:
            gap, relative, push = there - place, moving - velocity, other.push - ball.push
            time = falls_to_circle(gap, relative, push, 2 * radius, event[0] - now)
            return _sooner(now + time, MEETS, i, j, event)

        return ra.cond(asked, meet, lambda: event)

    def nose(k: Index, event: Event) -> Event:
        way, apart = ways[k], place - starts[k]
        nx, ny = -way[1], way[0]
        c = nx * apart[0] + ny * apart[1] - radius
        b = nx * velocity[0] + ny * velocity[1]
        a = 0.5 * (nx * ball.push[0] + ny * ball.push[1])
        time = falls_to_line(c, b, a, event[0] - now)
        t = ra.where(time < math.inf, time, 0.0)
        along = ra.dot(way, apart + t * velocity + 0.5 * t * t * ball.push)
        within = (along >= -_EDGE) & (along <= spans[k] + _EDGE)
        return _sooner(ra.where(within, now + time, math.inf), CUSHION, i, k, event)

    def circle(kind: int, centres: Array, radii: Array) -> Callable[[Index, Event], Event]:
        def near(k: Index, event: Event) -> Event:
            gap, horizon = place - centres[k], event[0] - now
            time = falls_to_circle(gap, velocity, ball.push, radii[k], horizon)
            return _sooner(now + time, kind, i, k, event)

        return near

    event = ra.fori_loop(0, n, partner, event)
    event = ra.fori_loop(0, len(table.starts), nose, event)
    for kind, centres, radii in (
        (JAW, table.jaws, ra.array(table.jaw_radii) + radius),
        (DROPS, table.pockets, ra.array(table.pocket_radii)),
    ):
        if len(centres):
            near = circle(kind, ra.array(centres), radii)
            event = ra.fori_loop(0, len(centres), near, event)
    return event


def _sooner(time: Scalar, kind: int, i: Index, other: Index, event: Event) -> Event:
    """The earlier of an event and one that is at that time."""
    return ra.cond(time < event[0], lambda: (time, kind, i, other), lambda: event)
