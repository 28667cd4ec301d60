r"""A step of bodies that are joined, under gravity and what touches them.

Bodies move as `linkage` says, under gravity and the impulses P of contacts as steady forces. With u the mean
motion of the step, P is to solve, at each point,

    0 ≤ P ⟂ u_n + gap / h ≥ 0,      friction as in `impulses`

where u depends on P through all joints, and not in proportion: a chain that is taut gives way at first, and
then does not. So P is found as roots are by Newton's method, with what joints answer where they then are; each
solution is one of `answers`, and is taken as far as it brings points nearer to what is asked for. An answer is
let stand only if P does no work, Σ P · u ≤ 0, so that contacts never make energy.

At the end of the step the second half of P becomes what stops the approach there is then, as in `impulses`.
Where that would make energy, as it may where a taut chain has bent within the step, all motions are slowed to
what there is.

What closes the gaps of joints and opens overlaps are shifts of bodies, which may lift them. A shift is made as
far as the step has lost the energy for it. Only what overlaps or gapes by more than what counts as near, as a
scene may at its start, is shifted in full, and slows motions for it, as far as there are any.

Where no P is found the rest of the step is made in halves: in short steps joints answer in proportion. Where a
64th of a step finds none, as where links snap through a place at which two of them are in line, it is made with
what was found last, slowed, unless there are motors, so that energy does not grow.

The derivative is that of the program: of each iteration that counts.

Sources: those of `linkage`; Kanno, *Nonsmooth Mechanics and Convex Optimization*, 2011 (complementarity and
damped Newton methods).
"""

from __future__ import annotations

from typing import TypeAlias

import rose_ad as ra

from ..quantities import Array, Condition, Scalar
from .bodies import Bodies, Poses, Twists, World
from .flight import moving
from .impacts import LATER, after_impacts
from .linkage import Linkage
from .strings import Strings, are_strings
from .touching import Touching

SETTLED = 1e-6
"""Points that miss what is asked for by less than this, in m/s, are looked at no more."""
NEAR = 0.01
"""What points may overlap more by after a step, as a share of what counts as near."""
LEAST, PARTS = 2.0**-6, 256
"""The least share of a step that is made at once, and how many parts are tried."""
EASY = 0.01
"""Overlaps open more slowly where points give way by less than this, of what they would without joints."""
PAID = 0.1
"""The share of the kinetic energy that a step gives for shifts at most."""
GAIN = 1e-9
"""The share of the kinetic energy by which rounding may change it."""

_Part: TypeAlias = tuple[Bodies, Scalar, Scalar]
"""The state, and the shares of the step that are left and that is tried."""


@ra.struct
class Trial:
    """Where impulses `touch` (p, 4) of pairs, half of them after the other, lead.

    The poses `there` (n, 3) and the motion `after` (n, 3), with impulses `hold` (j, 3) of joints in each half;
    `missed` says by how much, in m/s, points do otherwise than they are to, LATER if it cannot stand.
    """

    there: ra.Vec
    after: ra.Vec
    hold: ra.Vec
    touch: ra.Vec
    missed: ra.Real


def step(world: World, state: Bodies, dt: Scalar, sweeps: int, most: int) -> Bodies:
    """The state after a step of `dt` seconds; `sweeps` and `most` are those of `impulses.step`."""
    jointed = Jointed(world, sweeps, most)
    made = ra.fn(jointed.made)  # it compiles once
    longest = 1.0 if len(world.contacts.pairs) else jointed.links.longest

    def part(now: _Part) -> _Part:
        state, left, share = now
        new, found = made(_scaled(state, share), share * dt, dt)
        forced = ~found & (share <= LEAST)
        if not jointed.driven:
            new = ra.cond(forced, lambda: _calmed(world, state, new), lambda: new)
        found |= forced
        left = ra.where(found, left - share, left)
        following = ra.minimum(ra.where(found, ra.minimum(2 * share, longest), 0.5 * share), left)
        new = _scaled(new, 1 / share)
        return ra.map_leaves(lambda a, b: ra.where(found, a, b), new, state), left, following

    return ra.while_loop(lambda now: now[1] > 0, part, (state, 1.0, longest), max_steps=PARTS)[0]


def _calmed(world: World, before: Bodies, after: Bodies) -> Bodies:
    """What no solution was found for, with no more energy than `before`: slower, or as it was and at rest."""
    still = world.energy(world.at(after.position, after.angle))
    spare, kinetic = world.energy(before) - still, world.energy(after) - still
    fine = ~(spare < 0)  # what is no number stays so
    share = ra.sqrt(ra.clip(spare / ra.where(kinetic > 0, kinetic, 1.0), 0.0, 1.0))
    return Bodies(
        ra.where(fine, after.position, before.position),
        ra.where(fine, after.angle, before.angle),
        share * after.velocity,
        share * after.spin,
        ra.where(fine, after.touch, 0.0),
        ra.where(fine, after.hold, 0.0),
    )


def _scaled(state: Bodies, share: Scalar) -> Bodies:
    """The state with impulses of a step of another length."""
    touch, hold = share * state.touch, share * state.hold
    return Bodies(state.position, state.angle, state.velocity, state.spin, touch, hold)


class Jointed:
    """The bodies of a world that are joined."""

    def __init__(self, world: World, sweeps: int, most: int) -> None:
        self.world, self.sweeps, self.most = world, sweeps, most
        self.links = Strings(world) if are_strings(world) else Linkage(world)
        self.driven = any(joint.kind == "motor" for joint in world.joints)

    def made(self, state: Bodies, h: Scalar, dt: Scalar) -> tuple[Bodies, Condition]:
        """The state after `h` seconds of a step of `dt`, and whether it was found."""
        x, motion = moving(state)
        if not len(self.world.contacts.pairs):
            there, after, hold, found = self.links.moved(
                x, motion, self.world.pull, state.hold, h, state.hold, dt
            )
            x, motion = self.links.settled(there, after, hold, hold, h, dt)
            return _bodies(x, motion, state.touch, hold), found
        rest = after_impacts(self.world, state, h, self.most)
        meet = Touching(self.world, rest.contacts, rest.pairs, rest.rests, h, self.sweeps, whole=dt)
        pressed = Pressed(self, meet, rest.x, rest.motion, h, state.hold)
        return pressed.made(meet.kept(state.touch), state.hold)


class Pressed:
    """The same while contacts last: a step of `h` seconds from x and motion (n, 3)."""

    def __init__(
        self,
        jointed: Jointed,
        meet: Touching,
        x: Poses,
        motion: Twists,
        h: Scalar,
        hold: Array,
    ) -> None:
        self.links, self.world, self.sweeps = jointed.links, jointed.world, jointed.sweeps
        self.driven = jointed.driven
        self.meet, self.x, self.motion, self.h = meet, x, motion, h
        # where overlaps are to open, joints bear more than they should give back
        opens = ra.any(meet.deep > 0)
        self.kept, self.whole = ra.where(opens, 0.0, 1.0), ra.where(opens, h, meet.whole)
        self.before = self.kept * hold
        weights = ra.array(self.world.inverse)
        self.weight = ra.where(weights > 0, 1 / ra.where(weights > 0, weights, 1.0), 0.0)
        # as functions of their own they compile once
        self.visited, self.led = ra.fn(self._visited), ra.fn(self._led)
        self.sought = ra.fn(self._sought)

    def made(self, touch: Array, hold: Array) -> tuple[Bodies, Condition]:
        """The state after the step, and whether it was found, from these impulses."""
        meet, idle = self.meet, self.led(touch, hold)
        aim = meet.aims(True, self._mean(idle), touch)
        busy = meet.busy(self._mean(idle), touch, aim)
        calm = ra.full(aim.shape, -LATER)
        found, opening, least = ra.cond(
            busy, lambda: self._pressed(idle, aim), lambda: (idle, 0.0 * idle.there, calm)
        )
        settled, after = self.links.settled(
            found.there,
            found.after,
            found.hold,
            self.kept * found.hold,
            self.h,
            self.whole,
        )

        def held() -> tuple[Poses, Twists, Array]:
            moved = self._shifted(found, settled - found.there, opening, after)
            motion, touch = ra.cond(
                ra.any(least == 0),
                lambda: self._ended(found, moved, after, least),
                lambda: (after, found.touch),
            )
            return moved, self._slowed(found, moved, motion), touch

        # of a linkage also what nothing presses may be lost, and is slowed
        pressed = True if self.links.yields else busy
        x, motion, touch = ra.cond(pressed, held, lambda: (settled, after, found.touch))
        fine = found.missed * self.h < NEAR * meet.reach
        return _bodies(x, motion, touch, found.hold), fine

    # ---------------------------------------------------------------------------------------- 2, 3

    def _pressed(self, idle: Trial, aim: Array) -> tuple[Trial, Poses, Array]:
        """The impulses that are called for and what they do; the shift (n, 3) by which overlaps open; and the
        least speeds (p, 2) at the step's end."""
        meet = self.meet
        best = self.sought(idle, aim)

        def opened() -> Poses:
            # what joints do not let open is not opened
            ease = ra.clip(self.links.yielding(meet.pairs, self.x) / EASY, 0.0, 1.0)
            wanted = ra.where(meet.deep > 0, ease * meet.opening, aim)
            return self.sought(best, wanted).there - best.there

        shift = ra.cond(ra.any(meet.deep > 0), opened, lambda: 0.0 * best.there)
        return best, shift, meet.aims(False, self._mean(best), best.touch)

    def _sought(self, start: Trial, aim: Array) -> Trial:
        """The impulses, from those of `start`, with which points part at least as fast as `aim` (p, 2) says."""
        start = self._seen(start, aim)
        best = ra.cond(
            start.missed < LATER,
            lambda: start,
            lambda: self._seen(self.led(0.0 * start.touch, start.hold), aim),
        )

        def nearer(now: tuple[Trial, Scalar]) -> tuple[Trial, Scalar]:
            best, share = now
            mean = self._mean(best)
            wanted = self.visited(self.x, mean, best.hold, self.h, mean, best.touch, aim)[1]
            tried = self.led(best.touch + share * (wanted - best.touch), best.hold)
            new = self._seen(tried, aim)
            better = new.missed < best.missed
            best = ra.map_leaves(lambda a, b: ra.where(better, a, b), new, best)
            return best, ra.where(better, ra.minimum(2 * share, 1.0), 0.5 * share)

        return ra.while_loop(
            lambda now: now[0].missed > SETTLED, nearer, (best, 1.0), max_steps=self.links.passes
        )[0]

    def _led(self, touch: Array, hold: Array) -> Trial:
        """Where half of the impulses `touch` (p, 4) after the other lead."""
        pushed = self.world.pull + 2 / self.h * self.meet.started(ra.zeros(self.x.shape), touch)
        there, after, hold, found = self.links.moved(
            self.x, self.motion, pushed, hold, self.h, self.before, self.whole
        )
        return Trial(there, after, hold, touch, ra.where(found, 0.0, LATER))

    def _seen(self, trial: Trial, aim: Array) -> Trial:
        """The same, having looked at what it misses."""
        mean, meet = self._mean(trial), self.meet
        wrong = (meet.work(mean, trial.touch, aim) > 0) | (trial.missed >= LATER)
        missed = ra.where(wrong, LATER, meet.missed(mean, trial.touch, aim))
        return Trial(trial.there, trial.after, trial.hold, trial.touch, missed)

    def _mean(self, trial: Trial) -> Twists:
        return (trial.there - self.x) / self.h

    def _visited(
        self, x: Poses, u: Twists, hold: Array, h: Scalar, motion: Twists, touch: Array, aim: Array
    ) -> tuple[Twists, Array]:
        """Motion and impulses after visits to all pairs, where joints answer as in a step of length h from x
        with mean motions u."""
        pairs = self.meet.pairs
        return self.links.visited(pairs, x, u, hold, h, motion, touch, aim, self.sweeps)

    # ------------------------------------------------------------------------------------------- 4

    def _ended(self, found: Trial, x: Poses, after: Twists, least: Array) -> tuple[Twists, Array]:
        """The motion at the step's end, at x, and the impulses `touch` (p, 4) there: none approaches that is
        held."""
        still = 0.0 * found.hold
        return self.visited(x, 0.0 * after, still, 0.0, after, found.touch, least)

    def _slowed(self, found: Trial, x: Poses, motion: Twists) -> Twists:
        """The motion (n, 3) at the step's end, at x, with no more energy than there is."""
        now, most = self._kinetic(motion), self._most(found)
        if self.links.yields:
            most -= ra.clip(self._cost(x - found.there), 0.0, PAID * now)
        gains = now - most > GAIN * now
        share = ra.sqrt(ra.where(gains, ra.maximum(most, 1e-30) / ra.where(gains, now, 1.0), 1.0))
        return ra.where(self.weight > 0, share * motion, motion)

    def _shifted(self, found: Trial, close: Poses, opening: Poses, motion: Twists) -> Poses:
        """Where bodies are (n, 3) after a step that ends with this motion (n, 3): shifts that close the gaps of
        joints and open overlaps, as far as they are paid."""
        if not self.links.yields:  # which leave no gaps, and let what overlaps go aside
            return found.there + close + opening
        reach = self.meet.reach
        given = self.driven | (ra.max(self.meet.deep) > reach)
        off = self.driven | (ra.max(abs(close[:, :2])) > reach)
        free = ra.where(given, opening, 0.0) + ra.where(off, close, 0.0)
        shift = close + opening - free
        cost = self._cost(shift)
        spare = self._most(found) - self._kinetic(motion)
        dear = (cost > spare) & (cost > 0)
        share = ra.where(dear, ra.maximum(spare, 0.0) / ra.where(dear, cost, 1.0), 1.0)
        return found.there + free + share * shift

    def _most(self, found: Trial) -> Scalar:
        """The kinetic energy that bodies may have at the step's end: what they had and have fallen by, or what
        walls that move and motors have given."""
        own = self._kinetic(self.motion) - self._cost(found.there - self.x)
        given = self.driven | ra.any((self.weight <= 0) & (abs(self.motion) > 0))
        return ra.where(given, ra.maximum(own, self._kinetic(found.after)), own)

    def _cost(self, shift: Poses) -> Scalar:
        return -ra.sum(self.weight * self.world.pull * shift)

    def _kinetic(self, motion: Twists) -> Scalar:
        return 0.5 * ra.sum(self.weight * motion * motion)


def _bodies(x: Poses, motion: Twists, touch: Array, hold: Array) -> Bodies:
    return Bodies(x[:, :2], x[:, 2], motion[:, :2], motion[:, 2], touch, hold)
