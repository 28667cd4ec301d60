r"""Impacts: pairs that would meet within a step, each a collision of its own at its own instant.

A point that would meet at more than SLOWEST gets -e times its approach: with u the speeds along the normals
just before the pair meets, its impulses P solve

    0 ≤ P ⟂ K P + (1 + e) u ≥ 0,      friction at each point: -u_t / k_t, within ±μ P.

Pairs act one after the other until no point approaches. Before its time τ an impact has moved nothing, so
positions shift by -τ times the change of the motion: where and when things meet is differentiated.

Joints take part: what is struck is not a body but all that hangs on it. With J the rows of the joints and
W = M⁻¹, an impulse on one body moves all of them, by

    W' = W - W Jᵀ (J W Jᵀ)⁻¹ J W,

which leaves the speeds along the joints as they were; for the pair's rows G, K is G W' Gᵀ. Such an impact keeps
the momentum of what is free, and adds no energy; with e = 1 and without friction it takes none.

Sources: Smith et al., *Reflections on simultaneous impact*, SIGGRAPH 2012; Featherstone, *Rigid Body Dynamics
Algorithms*, 2008, chapter 11 (impacts on what is jointed).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

import rose_ad as ra

from ..quantities import Array, Condition, Index, Scalar, Sums
from . import joints
from .answers import response, spread
from .bodies import Poses, Twists, World
from .collide import YES, Contacts
from .pairs import NORMALS, Pairs, changes, resolved, row_matrix, speeds, sweep

SLOWEST = 0.01
"""Approaches below this, in m/s, are no impacts: what rests does not rebound."""
LATER = 1e6
"""A speed that nothing has: the demand on a point that is not constrained is less than minus this."""

_Round: TypeAlias = tuple[Twists, Poses, Scalar]
"""The motion and x after all pairs have been gone through once, and how many impacts there were."""


def impacts(
    world: World,
    contacts: Contacts,
    pairs: Pairs,
    motion: Twists,
    x: Poses,
    dt: Scalar,
    most: int,
    plastic: bool = True,
) -> tuple[Twists, Poses]:
    """The motion (n, 3) after the impacts of a step of `dt` seconds, and x (n, 3) less what they have not moved
    before their time. `most` is how often all pairs are gone through; without `plastic`, those without
    restitution are left out."""
    meeting = _Meeting(world, contacts, pairs, dt, plastic)

    def resolve(once: Callable[[_Round], _Round]) -> tuple[Twists, Poses]:
        start = (motion, x, 1.0)
        return ra.while_loop(lambda now: now[2] > 0, once, start, max_steps=most)[:2]

    def jointed() -> tuple[Twists, Poses]:
        inverse = joints.inverse_mass(world, x)
        once = ra.fn(meeting.jointed)  # a function of its own compiles sooner
        return resolve(lambda now: once(inverse, *now[:2]))

    if world.joints:
        return ra.cond(meeting.any_struck(motion), jointed, lambda: (motion, x))
    free = ra.fn(meeting.free)
    return resolve(lambda now: free(*now[:2]))


@dataclass(frozen=True)
class _Meeting:
    """The pairs that meet within a step."""

    world: World
    contacts: Contacts
    pairs: Pairs
    dt: Scalar
    plastic: bool

    def restitution(self, i: Index, j: Index) -> Scalar:
        """Of two bodies."""
        e = ra.array(self.world.restitution)
        return ra.maximum(e[i], e[j])

    def approach(self, p: Index, i: Index, j: Index, motions: Array) -> tuple[Array, Array]:
        """The speeds (4,) along a pair's rows as it meets, and which of its points are struck (2,)."""
        t, pull = self.contacts.time[p], ra.array(self.world.pull)
        u = speeds(self.pairs, p, motions + t * ra.concat([pull[i], pull[j]]))
        closing = u[NORMALS]
        met = self.contacts.gap[p] + (self.dt - t) * closing < 0
        if not self.plastic:
            met &= self.restitution(i, j) > 0
        return u, (closing < -SLOWEST) & met

    def any_struck(self, motion: Twists) -> Condition:
        """Whether any pair is struck."""
        count = ra.accum()
        for p in ra.range(len(self.pairs.near)):
            i, j = ra.array(self.world.contacts.pairs)[p]
            _, struck = self.approach(p, i, j, ra.concat([motion[i], motion[j]]))
            count += ra.where((self.pairs.near[p] > 0) & ra.any(struck), YES, 0.0)
        return count.freeze() > 0

    def impulses(
        self, p: Index, i: Index, j: Index, u: Array, struck: Array, response: Array
    ) -> Array:
        """The impulses (4,) of a pair with that response (10,)."""
        aim = ra.where(struck, -self.restitution(i, j) * u[NORMALS], -LATER)
        return resolved(response, self.pairs.friction[p], u, ra.zeros(4), aim)

    def free(self, motion: Twists, x: Poses) -> _Round:
        """Motion and x after every pair's impact, those of a round at once; and how many there were."""
        early, count = ra.accum(x.shape), ra.accum(1)

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            u, struck = self.approach(p, i, j, motions)
            with ra.when(ra.any(struck)):
                impulses = self.impulses(p, i, j, u, struck, self.pairs.response[p])
                more = changes(self.pairs, p, impulses)
                for body, part in ((i, more[:3]), (j, more[3:])):
                    change[body] += part
                    early[body] += self.contacts.time[p] * part
                count[0] += YES

        motion = sweep(self.world, self.pairs, motion, visit)
        return motion, x - early.freeze(), count.freeze()[0]

    def jointed(self, inverse: Array, motion: Twists, x: Poses) -> _Round:
        """The same, one after the other, where joints lead from each to all bodies: `inverse` is W'."""
        early, count, n = ra.accum(x.shape), ra.accum(1), x.shape[0]

        def visit(p: Index, i: Index, j: Index, motions: Array, change: Sums) -> None:
            u, struck = self.approach(p, i, j, motions)
            with ra.when(ra.any(struck)):
                rows = row_matrix(self.pairs, p)
                changed = spread(rows, inverse[i], inverse[j])
                parts = ra.reshape(changed, (4, n, 3))
                impulses = self.impulses(p, i, j, u, struck, response(rows, parts, i, j))
                more = ra.reshape(impulses @ changed, (n, 3))
                for body in ra.range(n):
                    change[body] += more[body]
                    early[body] += self.contacts.time[p] * more[body]
                count[0] += YES

        one_by_one = np.arange(len(self.pairs.near))[:, None] + np.array([0, 1])
        motion = sweep(self.world, self.pairs, motion, visit, one_by_one)
        return motion, x - early.freeze(), count.freeze()[0]
