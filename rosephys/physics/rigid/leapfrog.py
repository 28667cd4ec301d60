r"""Bodies that touch, and what links them (`rows`), by leapfrog: places at whole steps, motions half-way
between.

A step of length h takes places x and the motions v of half a step before to

    u = v + h g + W (Jᵀ P + Gᵀ Q)          x' = x + h u - Σ τ W Gᵀ Q          v' = u

with P the impulses of rows by their laws, and Q those of contacts: with s the speed at which two points part
along the normal,

    0 ≤ Q ⟂ s - aim ≥ 0        aim = -gap / h        friction within ±μ Q at each point
                               aim = e s₀ + (1 + e) a (τ - h / 2)    where a pair with restitution e meets

with s₀ their approach half-way through the step, which grows by a, so that it is s₀ + a (τ - h / 2) at the
instant τ = gap / s₀ at which they meet. P and Q are found by `sweeps` visits, to one pair and row after the
other and to all that is held at once, from those of the step before. The last sum is for what rebounds, at τ:
before it the impulse has moved nothing. What meets without restitution needs none: it is stopped by such shares
of its speed in this step and in the next that its impulses act at τ in the mean. An overlap, which arises where
bodies turn, is opened by a share in places and not in speeds.

Free flight and springs are of order 2 and keep energy; so does what is held, whose measures are those where the
step ends (SHAKE). Impacts and friction are of order 1. A pair rebounds if it approaches by itself: a ball that
is struck in a row of balls that touch passes nothing on before the next step. Motions are those of h / 2
before: `started` makes them of those at the start.

The derivative is that of the program, and to the order of a step that of the motion: also of when and where
things meet, whether they rebound or not, if bodies are in free flight until then. What presses on a body that
is struck in the same step presses for all of it or for none, so that a loss is a sawtooth there, as high as a
step is long, and the derivative is that of its teeth: a stop that gives, over some steps, has none. It does not
exist where sticking turns into sliding, where other features meet, and where a rebound is gained or lost.

Why this and not another: all a step does is one loop over pairs and one over rows, so that the first gradient
of jointed bodies that touch takes a quarter of the time to compile that it takes with `impulses`; and
what is described may hold laws of any kind.

Sources: Stewart, Trinkle, *An implicit time-stepping scheme for rigid body dynamics with inelastic collisions
and Coulomb friction*, IJNME 39, 1996 (aim = -gap / h); Catto, *Iterative dynamics with temporal coherence*, GDC
2005 (sweeps); Zhong, Han, Dey, Brikis, L4DC 2023 (the instant of a rebound).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, TypeAlias

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Axes, Count, Index, Positive, Scalar, Sums
from .bodies import Bodies, Twists, World
from .collide import Outlines
from .flight import Flight, crossing, moving, seer
from .linked import Linked
from .pairs import NORMALS, Pairs, changes, pair_of, pressed, resolved, speeds, sweep
from .rows import Rows

REBOUND = 4.0
"""What approaches by less than this times what gravity adds in a step does not rebound."""
SLOP, SHARE = 1e-3, 0.2
"""An overlap below this share of what counts as near is left; of the rest this share is opened in a step."""

_Swept: TypeAlias = tuple[Twists, Array, Array]
"""The motions, the impulses (r,) of rows and (p, 4) of pairs."""


@checked
def started(world: World, state: Bodies, dt: Positive) -> Bodies:
    """The state with the motions of half a step before, under gravity alone."""
    before = moving(state)[1] - 0.5 * dt * world.pull
    return Bodies(state.position, state.angle, before[:, :2], before[:, 2], state.touch, state.hold)


@checked
def step(
    world: World,
    rows: Rows,
    state: Bodies,
    impulses: Annotated[Array, Axes("rows")],
    dt: Positive,
    belts: Annotated[Array, Axes("bodies")],
    sweeps: Count = 10,
) -> tuple[Bodies, Array]:
    """The state after a step of `dt` seconds, and the impulses (r,) of the rows, which begin with those of the
    last.

    `belts` (n,) are how fast the surfaces of bodies run round them, clockwise, in m/s: the top of a conveyor to
    the right.
    """
    state, impulses = ra.map_leaves(ra.array, (state, impulses))
    x, before = moving(state)
    links = Linked(world, rows, x, before, dt) if rows.count else None
    touching = _Touching(world, state, before, dt, belts) if len(world.contacts.pairs) else None
    u, touch = before + dt * world.pull, state.touch
    if links:
        u = links.started(u, impulses)
    if touching:
        u, touch = touching.started(u, touch)

    def once(_: Index, now: _Swept) -> _Swept:
        u, impulses, touch = now
        if touching:
            u, touch = touching.swept(u, touch)
        if links:
            u, impulses = links.solved(u, impulses)
        return u, impulses, touch

    u, impulses, touch = ra.fori_loop(0, sweeps, once, (u, impulses, touch))
    x += dt * u
    if touching:
        x += touching.moved(u, touch)
    return Bodies(x[:, :2], x[:, 2], u[:, :2], u[:, 2], touch, state.hold), impulses


class _Touching:
    """The contacts of a step of `h` seconds, in which bodies begin with the motions `before` (n, 3)."""

    def __init__(
        self, world: World, state: Bodies, before: Twists, h: Scalar, belts: Array
    ) -> None:
        self.world, self.h, self.belts = world, h, ra.array(belts)
        self.bodies, self.shapes = ra.array(world.contacts.pairs), Outlines(world)
        g = ra.array(world.gravity)
        self.slow = REBOUND * h * ra.hypot(g[0], g[1])
        x, motion = moving(state)
        flight = Flight(self.shapes, x, motion, g, seer(self.shapes))
        # as functions of their own they compile sooner
        found = ra.fn(lambda x, free: self._found(replace(flight, x=x), free))
        self.pairs, self.gap, self.aim, self.late = found(x, before + h * world.pull)
        self._swept = ra.fn(self._once)

    def _found(self, flight: Flight, free: Twists) -> tuple[Pairs, Array, Array, Array]:
        """The pairs whose boxes come near, their gaps (p, 2), the least speeds (p, 2) at which they are to
        part, and the instants (p, 2) of those that rebound, where bodies would move with `free` (n, 3)."""
        among, count = crossing(flight, self.h), len(self.world.contacts.pairs)
        shapes = ((2,), (4, 2), (15,), (4,), (), (2,), (2,), (2,))
        sums = [ra.accum((count, *shape)) for shape in shapes]
        e, pull = ra.array(self.world.restitution), self.world.pull
        for p in ra.range(count):
            with ra.when(among[p] > 0):
                i, j, seen = self.bodies[p, 0], self.bodies[p, 1], flight.look(p, 0.0)
                pair = pair_of(self.world, p, seen.normal, seen.arms)
                approach, gains = (
                    -speeds(pair, ra.concat([v[i], v[j]]))[NORMALS] for v in (free, pull)
                )
                aim, late = self._aimed(seen.gap, approach, gains, ra.maximum(e[i], e[j]))
                own = (pair.normal, pair.levers, pair.response, pair.weight, pair.friction)
                for total, value in zip(sums, (*own, seen.gap, aim, late), strict=True):
                    total[p] += value
        *given, gap, aim, late = (total.freeze() for total in sums)
        return Pairs(among, *given), gap, aim, late

    def _aimed(
        self, gap: Array, approach: Array, gains: Array, bounce: Scalar
    ) -> tuple[Array, Array]:
        """The least speeds at which two points part, and their instants, which `approach` half-way through the
        step at speeds to which gravity `gains`."""
        struck = (bounce > 0) & (approach > self.slow) & (gap < self.h * approach)
        late = ra.clip(gap / ra.where(struck, approach, 1.0), 0.0, self.h)
        after = bounce * approach + (1 + bounce) * gains * (late - 0.5 * self.h)
        aim = ra.where(struck, after, -ra.maximum(gap, 0.0) / self.h)
        return aim, ra.where(struck, late, 0.0)

    def started(self, u: Twists, touch: Array) -> tuple[Twists, Array]:
        """Motions after the impulses (p, 4) of the step before, which pairs keep that are still near."""
        change = ra.accum(u.shape)
        for p in ra.range(len(self.world.contacts.pairs)):
            with ra.when(self.pairs.near[p] > 0):
                more = changes(self.pairs.row(p), touch[p])
                change[self.bodies[p, 0]] += more[:3]
                change[self.bodies[p, 1]] += more[3:]
        return u + change.freeze(), ra.where(self.pairs.near[:, None] > 0, touch, 0.0)

    def swept(self, u: Twists, touch: Array) -> tuple[Twists, Array]:
        """Motions and impulses (p, 4) after a visit to each pair."""
        return self._swept(self.pairs, self.aim, u, touch)

    def _once(self, pairs: Pairs, aim: Array, u: Twists, touch: Array) -> tuple[Twists, Array]:
        added = ra.accum(touch.shape)

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            pair = pairs.row(p)
            run = (self.belts[i] + self.belts[j]) * np.array([0.0, 1.0, 0.0, 1.0])
            now = speeds(pair, motions) + run
            more = resolved(pair.response, pair.friction, now, touch[p], aim[p]) - touch[p]
            moved = changes(pair, more)
            change[i] += moved[:3]
            change[j] += moved[3:]
            added[p] += more

        return sweep(self.world, pairs.near, u, visit), touch + added.freeze()

    def moved(self, u: Twists, touch: Array) -> Twists:
        """What places change by beside h u: rebounds that came late, and a share of what overlaps."""
        back = ra.accum(u.shape)
        for p in ra.range(len(self.world.contacts.pairs)):
            with ra.when((self.pairs.near[p] > 0) & ra.any(self.late[p] > 0)):
                late = ra.array(
                    [self.late[p, 0], self.late[p, 0], self.late[p, 1], self.late[p, 1]]
                )
                less = changes(self.pairs.row(p), -late * touch[p])
                back[self.bodies[p, 0]] += less[:3]
                back[self.bodies[p, 1]] += less[3:]
        deep = -self.gap - SLOP * self.shapes.reach
        shift = ra.cond(
            ra.any((deep > 0) & (self.pairs.near[:, None] > 0)),
            lambda: self._opened(deep),
            lambda: ra.zeros(u.shape),
        )
        return back.freeze() + shift

    def _opened(self, deep: Array) -> Twists:
        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            pair, none = self.pairs.row(p), ra.zeros(2)
            with ra.when(ra.any(deep[p] > 0)):
                first, second = pressed(pair.response, speeds(pair, motions), none, SHARE * deep[p])
                more = changes(pair, [first, 0.0, second, 0.0])
                change[i] += more[:3]
                change[j] += more[3:]

        return sweep(self.world, self.pairs.near, ra.zeros((len(self.world.bodies), 3)), visit)
