r"""When pairs meet within a step: by conservative advancement along their free flight.

A pair is looked at (`collide`) at a time t of the step. Let its normal n turn with the rate Ω. For each
corner of the second body and each of the first, with η how far the one is ahead of the other along n, ρ how
fast that grows, X from centre to centre and V how fast that changes, both do not meet for as long as

    η + ρ δ - A δ² / 2 ≥ 0,     A = (ω_a - Ω)² r_a + (ω_b - Ω)² r_b + Ω² |X| + 2 |Ω V| + |g_b - g_a|,

where A bounds the second derivative. Up to the least root δ the pair cannot meet, however it turns, and
there it is looked at again; δ is the longest for Ω = 0, ω_a and ω_b, so that a face may keep its normal.
Near a meeting that is Newton's method, and as fast; where a pair has just parted, η = 0 and ρ > 0, the root
is 2 ρ / A and not 0. The search ends with one of four verdicts:

    free     no root within the step
    struck   a point touches and closes faster than what rests: an impact, at t
    rests    what touches, or will, does so at a speed v with v² + 2 A η below what rests; or an overlap parts
    unclear  it has been looked at `LOOKS` times: an impact of nothing at t, from where it is looked for again

What rests is slower than `slowest`: SLOWEST, for what rebounds slowly comes to rest at once, and with it the
rattle that ends in rest; from e = 0.9 on it falls to nothing at e = 1, as what is elastic never rests.

Nothing here is differentiated: `impacts` takes one more step of Newton's method, which is.

Sources: Mirtich, *Impulse-based dynamic simulation of rigid body systems*, Berkeley, 1996 (conservative
advancement); Zhang, Lee, Kim, *Interactive continuous collision detection for non-convex polyhedra*, Vis.
Comput. 22, 2006 (bounds along the normal).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Vector
from .bodies import Poses, Twists
from .collide import Outlines
from .flight import Flight, Look
from .seams import FLUSH

NEVER = 1e30
"""The time of a meeting that does not happen within the step."""
SLOWEST = 0.01
"""Approaches below this, in m/s, are no impacts of what does not rebound: what rests stays at rest."""
STILL = 1e-5
"""Approaches below this, in m/s, are none of anything."""
TOUCH = 1e-8
"""A gap below this share of what counts as near is none."""
LOOSE = 0.01
"""A gap below this share of what counts as near has not changed how a pair touches."""
LOOKS = 64
"""How often a pair is looked at between two impacts."""
SHORTEST = 1e-7
"""The least share of the time left after which a pair is looked at again."""
TINY = 1e-9
"""The least acceleration that is reckoned with, in m/s²."""

UNCLEAR, FREE, STRUCK, RESTS = range(4)

_Search: TypeAlias = tuple[Index, Scalar, Index, Look]
"""How often a pair was looked at, at which time last, the verdict, and what was seen."""


def settles(restitution: Scalar) -> Scalar:
    """How far a contact of that restitution comes to rest: 1 up to e = 0.9, then less, 0 for e = 1."""
    return ra.minimum(10 * (1 - restitution), 1.0)


def slowest(restitution: Scalar) -> Scalar:
    """The speed of approach up to which a contact of that restitution is at rest, in m/s."""
    return SLOWEST * settles(restitution) + STILL


def rattles(slow: Scalar) -> Condition:
    """Whether a pair that rests up to this speed comes to rest, and its points are struck at once."""
    return slow > SLOWEST


def strikes(gap: Array, closing: Array, left: Scalar, slow: Scalar, reach: Scalar) -> Array:
    """Which points (2,) of a pair that touches are struck: what closes before the step's end.

    Of an elastic pair a point must be near, and is else struck when it meets; of one that comes to rest both
    points are struck at once, which spares the rattle from one to the other. Where one point rests on the other
    body, which hides what comes later, the other need not be near either.
    """
    pivots = ra.any((gap < reach) & (abs(closing) <= slow))
    return (closing > slow) & (gap - left * closing < 0) & ((gap < reach) | pivots | rattles(slow))


def searcher(shapes: Outlines, see: Callable[..., Look]) -> Callable[..., tuple[Scalar, Scalar]]:
    """The search for the meetings of any pair, a function of its own, as it compiles sooner."""

    def search(
        k: Index,
        t: Scalar,
        seen: Look,
        x: Poses,
        motion: Twists,
        gravity: Vector,
        dt: Scalar,
        slow: Scalar,
    ) -> tuple[Scalar, Scalar]:
        flight = Flight(shapes, x, motion, gravity, see)
        behind: Condition = False
        if len(shapes.seams.others):
            # where a seam is between the two, what carries the body until then bears what falls within the step
            behind = ra.min(seen.gap) >= NEVER
            slow += ra.where(behind, dt * ra.hypot(gravity[0], gravity[1]), 0.0)

        def onward(now: _Search) -> _Search:
            looks, t, _, seen = now
            verdict = _verdict(flight, k, t, seen, dt - t, slow, looks == 0)
            verdict = ra.where((verdict == UNCLEAR) & (t >= dt), FREE, verdict)

            def further() -> tuple[Scalar, Look]:
                later = ra.minimum(t + _safe(flight, k, t, seen, dt - t), dt)
                return later, flight.look(k, later)

            t, seen = ra.cond(verdict == UNCLEAR, further, lambda: (t, seen))
            return looks + 1, t, verdict, seen

        _, t, verdict, _ = ra.while_loop(
            lambda now: now[2] == UNCLEAR, onward, (0, t, UNCLEAR, seen), max_steps=LOOKS
        )
        verdict = ra.where((verdict == UNCLEAR) & behind, RESTS, verdict)
        meets = (t < dt) & ((verdict == STRUCK) | (verdict == UNCLEAR))
        return ra.where(meets, t, NEVER), ra.where(verdict == RESTS, 1.0, 0.0)

    return ra.fn(search)


def _verdict(
    flight: Flight, k: Index, t: Scalar, seen: Look, left: Scalar, slow: Scalar, start: Condition
) -> Index:
    """What is seen of a pair at the time t, `left` before the step's end; at a search's `start` or later."""
    reach = flight.shapes.reach
    along = _Along(flight, k, t, seen.normal, left, 0.0)
    gap, closing = ra.maximum(seen.gap, 0.0), seen.closing
    away = gap - left * (closing + 0.5 * along.most * left) > 0
    quiet = closing * closing + 2 * along.most * gap <= slow * slow
    touching, deep = seen.gap <= TOUCH * reach, start & ra.any(seen.gap < -TOUCH * reach)
    lies = quiet & ~away
    rests = ra.any(lies) & (ra.any(lies & touching) | ra.all(away | quiet))
    # where one point lies the other is struck at once, or not at all: no other time has a derivative
    lies_near = (seen.gap < LOOSE * reach) & (abs(closing) <= slow)
    at_once = ra.any(touching | lies_near) & ra.any(strikes(seen.gap, closing, left, slow, reach))
    struck = ra.any(touching & (closing > slow)) | start & at_once
    # what comes to rest is not looked for where it leaves, to come back within the step
    rests |= start & ra.any(seen.gap < LOOSE * reach) & rattles(slow)
    quick = ra.where(struck, STRUCK, ra.where(rests, RESTS, ra.where(deep, FREE, UNCLEAR)))
    return ra.cond(
        quick == UNCLEAR,
        lambda: ra.where(along.apart() > 0, FREE, UNCLEAR),
        lambda: quick,
    )


def _safe(flight: Flight, k: Index, t: Scalar, seen: Look, left: Scalar) -> Scalar:
    """For how long the pair surely does not meet."""
    bodies = ra.array(flight.shapes.world.contacts.pairs)[k]

    # overlaps are left as points do; else what does not part the two says nothing
    reach = flight.shapes.reach
    depth = ra.where(ra.min(seen.gap) < -TOUCH * reach, NEVER, TOUCH * reach)

    def along(way: Index) -> Scalar:
        """Along the normal or that of a face, which turns with a body or not."""
        rate = ra.where(way // 2 == 2, 0.0, flight.motion[bodies[way // 2 % 2], 2])
        normal = ra.where(way % 2 == 0, seen.normal, seen.axis)
        return _Along(flight, k, t, normal, left, rate).safe(depth)

    least = SHORTEST * left
    if len(flight.shapes.seams.others):
        # what a seam hides shows itself when it has moved on by as much as counts as flush
        speed = _Along(flight, k, t, seen.normal, left, 0.0).fastest
        least = ra.where(ra.min(seen.gap) >= NEVER, FLUSH * reach / speed, least)
    return ra.maximum(ra.max(ra.build(6, along)), least)


class _Along:
    """Two bodies in the time `left` from t on, along a normal (2,) that turns with `rate`."""

    def __init__(
        self, flight: Flight, k: Index, t: Scalar, normal: Vector, left: Scalar, rate: Scalar
    ) -> None:
        shapes = flight.shapes
        self.shapes, self.normal, self.left, self.rate = shapes, normal, left, rate
        i, j = ra.array(shapes.world.contacts.pairs)[k]
        self.part = ra.array(shapes.world.touching)[k]
        a, b = self.part
        (x, v), (y, w) = flight.at(i, t), flight.at(j, t)
        self.x, self.v, self.angles, self.spins = y - x, w - v, (x[2], y[2]), (v[2], w[2])
        # A
        arm, free, g = ra.array(shapes.arm), ra.array(shapes.world.free), flight.gravity
        falls = free[j] - free[i]
        pull = ra.where(
            rate == 0,
            -falls * (g[0] * normal[0] + g[1] * normal[1]),
            abs(falls) * ra.hypot(g[0], g[1]),
        )
        speed = ra.hypot(self.v[0], self.v[1]) + abs(falls) * left * ra.hypot(g[0], g[1])
        far = ra.hypot(self.x[0], self.x[1]) + left * speed
        turns = (v[2] - rate) ** 2 * arm[a] + (w[2] - rate) ** 2 * arm[b]
        bends = rate * rate * far + 2 * abs(rate) * speed
        self.most = ra.maximum(turns + bends + pull, TINY)
        turning = abs(v[2]) * arm[a] + abs(w[2]) * arm[b]
        self.fastest = ra.maximum(speed + turning, TINY)

    def _corner(self, side: int, c: Index) -> tuple[Scalar, Scalar]:
        """How far a corner is along the normal beyond its body's centre, and how fast it gets on."""
        n, p = self.normal, ra.array(self.shapes.corners)[self.part[side], c]
        cos, sin = ra.cos(self.angles[side]), ra.sin(self.angles[side])
        m = ra.array([cos * n[0] + sin * n[1], cos * n[1] - sin * n[0]])  # n as the body sees it
        turns = self.spins[side] - self.rate
        return m[0] * p[0] + m[1] * p[1], turns * (m[1] * p[0] - m[0] * p[1])

    def _centres(self) -> tuple[Scalar, Scalar]:
        """How far apart the centres are beside the radii, and how fast they part."""
        n, radius, x, v = self.normal, ra.array(self.shapes.radius), self.x, self.v
        turned = self.rate * (n[0] * x[1] - n[1] * x[0])
        radii = radius[self.part[0]] + radius[self.part[1]]
        return n[0] * x[0] + n[1] * x[1] - radii, n[0] * v[0] + n[1] * v[1] + turned

    def apart(self) -> Scalar:
        """How far apart they are at least after the time left."""
        time = self.left

        def place(side: int, c: Index) -> Scalar:
            at, speed = self._corner(side, c)
            return at + time * speed

        v = self.shapes.count
        behind = ra.max(ra.build(v, lambda c: place(0, c)))
        ahead = ra.min(ra.build(v, lambda c: place(1, c)))
        at, speed = self._centres()
        return at + ahead - behind + time * (speed - 0.5 * self.most * time)

    def safe(self, depth: Scalar) -> Scalar:
        """For how long they cannot meet; 0 if they are not apart, by more than `depth`."""
        v, (at, speed) = self.shapes.count, self._centres()
        behind = ra.build(v, lambda c: self._corner(0, c))
        ahead = ra.build(v, lambda c: self._corner(1, c))

        def until(c: Index, d: Index) -> Scalar:
            apart = at + ahead[0][d] - behind[0][c]
            gap, parting = ra.maximum(apart, 0.0), speed + ahead[1][d] - behind[1][c]
            root = ra.sqrt(parting * parting + 2 * self.most * gap)
            closes = parting < 0
            sooner = 2 * gap / ra.where(closes, root - parting, 1.0)
            return ra.where(
                apart < -depth, 0.0, ra.where(closes, sooner, (parting + root) / self.most)
            )

        return ra.min(ra.build(v, lambda c: ra.min(ra.build(v, lambda d: until(c, d)))))
