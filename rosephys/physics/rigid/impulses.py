r"""Rigid contact by impulses, with Coulomb friction: impacts first, then what rests.

A step of length h is, with g the gravity and u the speeds at which points part along their normals,

    1  impacts, each at its instant and of one pair after the other (`impacts`)
    2  v ← v + h g / 2, and impulses 0 ≤ P ⟂ u + gap / h ≥ 0, so that no gap closes; overlaps open by a share.
    3  x ← x + h v - Σ τ P / m, the last for impacts: before its time τ an impact has moved nothing.
    4  v ← v + h g / 2, and impulses 0 ≤ P ⟂ u ≥ 0 at the points that were held in 2.

Friction is, at each point, the impulse -u_t / k_t along the tangent, within ±μ P. 2 and 4 are sweeps of
projected Gauss-Seidel over the rounds of pairs, and start from the impulses of the phase before. Free flight is
exact (steps 2 to 4 are leapfrog), and so is the rebound from a plane, whose energy is kept with e = 1.

Where there are joints, bodies move in 2 to 4 as `jointed` says.

Why this and not another: with impacts as collisions of pairs, one after the other, the last ball of a
cradle takes all the speed, touching or nearly so; one simultaneous solution would share it out. With a time of
impact, where and when things meet is differentiated. With gravity outside the impacts nothing that rests
rebounds. Both phases have the impulses of the last, which makes a stack of ten stand with eight sweeps.

The derivative is that of the program, and so exact for it, on each smooth piece. It is that of the motion as
far as the program is the motion: to rounding for collisions of circles and for bodies that fall and rebound;
to the size of a step for what slides and rolls; to what the sweeps leave for stacks. It does not exist where a
contact is gained or lost, where sticking turns into sliding, or where a different pair of features meets; a
gradient there is that of one side.

Sources: Guendelman, Bridson, Fedkiw, *Nonconvex rigid bodies with stacking*, SIGGRAPH 2003 (impacts before
contacts); Andersen, *RATTLE*, J. Comput. Phys. 52, 1983 (positions and velocities each constrained); Catto,
*Iterative dynamics with temporal coherence*, GDC 2005 (warm starts); and those of `impacts` and `pairs`.
"""

from __future__ import annotations

from typing import TypeAlias

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Count, Index, Positive
from . import jointed
from .bodies import Bodies, Poses, Twists, World
from .flight import moving
from .impacts import after_impacts
from .touching import Touching

_Half: TypeAlias = tuple[Poses, Twists, Array]
"""The poses, the motions, and the impulses (p, 4) of pairs."""


@checked
def step(world: World, state: Bodies, dt: Positive, sweeps: Count = 8, most: Count = 256) -> Bodies:
    """The state after a step of `dt` seconds.

    `sweeps` are those of each of the solutions, `most` the impacts that are made in a step.
    """
    state = ra.map_leaves(ra.array, state)
    if world.joints:
        return jointed.step(world, state, dt, sweeps, most)
    x, motion = moving(state)
    touching, touch = None, state.touch

    # 1  impacts, each at its instant
    if len(world.contacts.pairs):
        now = after_impacts(world, state, dt, most)
        motion, x = now.motion, now.x
        touching = Touching(world, now.contacts, now.pairs, now.rests, dt, sweeps, now.motion)
        touch = touching.kept(touch)
    pull = world.pull

    def half(h: Index, now: _Half) -> _Half:
        """2 and 3, and at the second time 4: one piece of code, which compiles once."""
        x, motion, touch = now
        # 2, 4  half of gravity, and the impulses of what is held
        motion += 0.5 * dt * pull
        first = h == 0
        if touching:
            motion, touch = touching.held(first, motion, touch)
        # 3  where that leads, and overlaps open
        drift = touching.parted(first, motion) if touching else motion
        return ra.where(first, x + dt * drift, x), motion, touch

    x, motion, touch = ra.fori_loop(0, 2, half, (x, motion, touch))
    return Bodies(x[:, :2], x[:, 2], motion[:, :2], motion[:, 2], touch, state.hold)
