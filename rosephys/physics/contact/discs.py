r"""Collisions of discs of equal mass and radius, without friction.

A step of length dt takes positions x and velocities v to v' = v + Δv and x' = x + dt v' + Δx, where Δv and Δx
sum the contributions of all colliding pairs. With the relative velocity
Δv_ij = v_i - v_j, the normal n from j to i and restitution e, a collision changes v_i by

    J = -(1 + e)/2 (n · Δv_ij) n,    v_j by -J    (impulse (1 + e) m1 m2/(m1 + m2) times the normal speed).

Where discs are pushed, v has dt times their `acceleration` (n, 2) already. The rules differ in when they take
n and the velocities, and so in their derivatives, which docs/contact.md compares with closed forms.

`naive` takes n where the discs would be at the end of the step, and leaves positions alone. The instant of
impact is no part of what it computes, and its derivative is wrong, in places by sign.

`toi_position` (DiffTaichi: Hu et al., ICLR 2020; Rose: Estep et al., ECOOP 2024) takes the same n, and shifts
positions by (toi - dt) J. Its derivative with respect to where discs meet at an angle, or are pushed, is wrong,
in places by sign; it is kept because others' results are stated in it.

`toi_velocity` (Zhong, Han, Dey, Brikis, L4DC 2023) resolves a pair at its instant: the first τ in [0, dt] with
|Δx_ij + τ Δv_ij| = 2r, n there, and Δx_i = -τ J, which is motion with v until τ and with v' after. J is that of
the velocities at τ, v - (dt - τ) times the acceleration where it is given. The derivative of τ is that of the
quadratic formula, so without a push it is that of the exact motion, and with one that to the first order in dt.
Discs that meet several others in a step do so in the order of the instants, as `meetings.py` says: without a
push no step adds energy. The other rules take all impulses from the old state: a disc that meets two at once
gives what it has to both, and energy can grow.

`compliant` (Cundall, Strack, Géotechnique 29, 1979) has no impulse: discs that overlap by δ repel each other by
a spring and a dashpot, F = k δ + c δ', with k = ω²/2 and c = ζ ω for the reduced mass 1/2, ω = π / 0.02 so that
a contact lasts 0.02, and ζ = -ln e / √(π² + ln² e), which makes the restitution e. A value wants tens of steps
in a contact; a derivative, which is that of how many they are and of where they fall, wants thousands.

On a table with `cushions.Cushions` discs are thrown back by its sides, too.
"""

from __future__ import annotations

import math
from typing import Protocol

import rose_ad as ra

from ..checked import checked
from ..quantities import Index, PlaneVectors, Positive, Scalar, Share, Sums, Vector, Vectors
from .cushions import Cushions, rebounds
from .meetings import Discs, meetings

CONTACT_TIME = 0.02  # that a compliant contact lasts


class Rule(Protocol):
    """What `RULES` holds: Δv and Δx (n, 2) of discs at x that move with v, both (n, 2)."""

    def __call__(
        self,
        x: PlaneVectors,
        v: PlaneVectors,
        radius: Positive,
        restitution: Share,
        dt: Positive,
        acceleration: PlaneVectors | None = None,
        cushions: Cushions | None = None,
    ) -> tuple[PlaneVectors, PlaneVectors]: ...


@checked
def naive(
    x: PlaneVectors,
    v: PlaneVectors,
    radius: Positive,
    restitution: Share,
    dt: Positive,
    acceleration: PlaneVectors | None = None,
    cushions: Cushions | None = None,
) -> tuple[PlaneVectors, PlaneVectors]:
    """Δv and Δx = 0, of shape (n, 2), for positions and velocities of shape (n, 2), by the end of the step."""
    x, v, n = ra.array(x), ra.array(v), x.shape[0]
    dv, dx = ra.accum((n, 2)), ra.accum((n, 2))
    ahead = x + dt * v
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart, relative = ahead[i] - ahead[j], v[i] - v[j]
            overlap = ra.dot(apart, apart) < 4 * radius * radius
            with ra.when(overlap & (ra.dot(apart, relative) < 0)):
                normal = apart / ra.norm(apart)
                impulse = -(1 + restitution) / 2 * ra.dot(normal, relative) * normal
                _exchange(dv, dx, i, j, impulse, 0.0 * impulse)
    return _then_cushions(cushions, x, v, dv.freeze(), dx.freeze(), radius, dt)


@checked
def compliant(
    x: PlaneVectors,
    v: PlaneVectors,
    radius: Positive,
    restitution: Share,
    dt: Positive,
    acceleration: PlaneVectors | None = None,
    cushions: Cushions | None = None,
) -> tuple[PlaneVectors, PlaneVectors]:
    """Δv and Δx = 0, of shape (n, 2), for positions and velocities of shape (n, 2), by springs and dashpots."""
    x, v, n = ra.array(x), ra.array(v), x.shape[0]
    dv, dx = ra.accum((n, 2)), ra.accum((n, 2))
    frequency = math.pi / CONTACT_TIME
    loss = -ra.log(ra.maximum(restitution, 1e-9))
    stiffness = frequency * frequency / 2
    resistance = frequency * loss / ra.hypot(math.pi, loss)
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart = x[i] - x[j]
            square = ra.dot(apart, apart)
            # discs in one place push each other nowhere: they have no direction
            with ra.when((square < 4 * radius * radius) & (square > 0)):
                distance = ra.sqrt(square)
                normal = apart / distance
                depth, rate = 2 * radius - distance, -ra.dot(normal, v[i] - v[j])
                impulse = dt * (stiffness * depth + resistance * rate) * normal
                _exchange(dv, dx, i, j, impulse, 0.0 * impulse)
    return _then_cushions(cushions, x, v, dv.freeze(), dx.freeze(), radius, dt)


@checked
def toi_position(
    x: PlaneVectors,
    v: PlaneVectors,
    radius: Positive,
    restitution: Share,
    dt: Positive,
    acceleration: PlaneVectors | None = None,
    cushions: Cushions | None = None,
) -> tuple[PlaneVectors, PlaneVectors]:
    """Δv and Δx, of shape (n, 2), for positions and velocities of shape (n, 2), by DiffTaichi's rule."""
    x, v, n = ra.array(x), ra.array(v), x.shape[0]
    dv, dx = ra.accum((n, 2)), ra.accum((n, 2))
    ahead = x + dt * v
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart = ahead[i] - ahead[j]
            square = ra.dot(apart, apart)
            with ra.when(square < 4 * radius * radius):
                relative = v[i] - v[j]
                # discs of a rack touch all the time: only those that approach are looked at more closely
                with ra.when(ra.dot(apart, relative) < 0):
                    distance = ra.sqrt(square)
                    normal = apart / (distance + 1e-6)
                    speed = ra.dot(normal, relative)
                    impulse = -(1 + restitution) / 2 * speed * normal
                    toi = (distance - 2 * radius) / ra.minimum(-1e-3, speed)
                    _exchange(dv, dx, i, j, impulse, ra.minimum(toi - dt, 0) * impulse)
    return _then_cushions(cushions, x, v, dv.freeze(), dx.freeze(), radius, dt)


@checked
def toi_velocity(
    x: PlaneVectors,
    v: PlaneVectors,
    radius: Positive,
    restitution: Share,
    dt: Positive,
    acceleration: PlaneVectors | None = None,
    cushions: Cushions | None = None,
) -> tuple[PlaneVectors, PlaneVectors]:
    """Δv and Δx, of shape (n, 2), for positions and velocities of shape (n, 2), at the instants of impact."""
    x, v, n = ra.array(x), ra.array(v), x.shape[0]
    forced = None if acceleration is None else ra.array(acceleration)
    if n < 2:
        return _then_cushions(cushions, x, v, ra.zeros((n, 2)), ra.zeros((n, 2)), radius, dt)
    dv, dx = ra.accum((n, 2)), ra.accum((n, 2))
    # a loop of one: the reverse pass remembers in which steps it did anything, and looks at these alone
    for _ in ra.range(1):
        with ra.when(_meet(x, v, radius, dt, cushions) > 0):
            changes = meetings(Discs(x, v, radius, restitution, dt, forced, cushions))
            dv += changes[0]
            dx += changes[1]
    return dv.freeze(), dx.freeze()


def _meet(x: Vectors, v: Vectors, radius: Scalar, dt: Scalar, cushions: Cushions | None) -> Index:
    """How many pairs may meet within the step: those that approach, fast enough, and not past each other.

    And how many discs meet cushions.
    """
    n = x.shape[0]
    found = ra.accum(ra.Int)
    for i in ra.range(n):
        for j in ra.range(i + 1, n):
            apart, relative = x[i] - x[j], v[i] - v[j]
            b = ra.dot(apart, relative)
            with ra.when(b < 0):
                # |apart + τ relative|² = 4r², a quadratic a τ² + 2 b τ + c
                a, c = ra.dot(relative, relative), ra.dot(apart, apart) - 4 * radius * radius
                with ra.when((c + 2 * b * dt < 0) & (b * b > a * c)):
                    found += 1
    if cushions is not None:
        for i in ra.range(n):
            for axis in (0, 1):
                with ra.when(cushions.reached(axis, x[i, axis], v[i, axis], radius, dt)):
                    found += 1
    return found.freeze()


def _then_cushions(
    cushions: Cushions | None,
    x: Vectors,
    v: Vectors,
    dv: Vectors,
    dx: Vectors,
    radius: Scalar,
    dt: Scalar,
) -> tuple[Vectors, Vectors]:
    """The changes of motion by discs, and by the cushions after them."""
    if cushions is None:
        return dv, dx
    more_v, more_x = rebounds(cushions, x + dx, v + dv, radius, dt)
    return dv + more_v, dx + more_x


def _exchange(dv: Sums, dx: Sums, i: Index, j: Index, impulse: Vector, shift: Vector) -> None:
    """Equal and opposite changes of two discs."""
    dv[i] += impulse
    dv[j] -= impulse
    dx[i] += shift
    dx[j] -= shift


RULES: dict[str, Rule] = {
    "toi-velocity": toi_velocity,
    "toi-position": toi_position,
    "compliant": compliant,
    "naive": naive,
}
