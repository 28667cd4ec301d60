r"""Cushions: the four straight sides of a table, which throw back the discs that roll on it.

A disc of radius r, at x along an axis and moving with v along it, meets the side w that it moves to where its
edge does, at τ, and turns round there, without friction, so that what it has along the side stays:

    τ = (w - r sign v - x) / v,    v' = v + J,    J = -(1 + e) v,    x' = x - τ J,

which is motion with v until τ and with v' after, as in `discs.py`. The derivative of τ is that of the quotient,
so without a push that of the exact motion. A disc that is pushed, whose v has dt times its acceleration a
already, has at τ the velocity v - (dt - τ) a, and a derivative that is right to the first order in dt.

`toi_velocity` takes discs and cushions in the order of their instants (`meetings.py`). The other rules, which
know no order, take cushions after discs, each disc at its own instant: `rebounds`. At a dead side, e = 0, a
disc that others press on it bounces without end; what 64 meetings leave of that goes as rounding has it.
"""

from __future__ import annotations

import rose_ad as ra

from ..checked import checked
from ..quantities import Condition, Index, PlaneVector, PlaneVectors, Positive, Scalar, Share


@checked
@ra.struct
class Cushions:
    """The sides of a table from corner `low` to corner `high`, both (2,); their restitution, 1 if elastic."""

    low: PlaneVector
    high: PlaneVector
    restitution: Share

    def ahead(self, axis: Index, velocity: Scalar, radius: Scalar) -> Scalar:
        """Where along an axis the centre of a disc is when it meets the side that it moves to."""
        return ra.where(
            velocity < 0, ra.array(self.low)[axis] + radius, ra.array(self.high)[axis] - radius
        )

    def reached(
        self, axis: Index, place: Scalar, velocity: Scalar, radius: Scalar, dt: Scalar
    ) -> Condition:
        """Whether a disc meets a side within dt, or is past the one that it moves to."""
        beyond = place + dt * velocity - self.ahead(axis, velocity, radius)
        return beyond * velocity > 0

    def delay(self, axis: Index, place: Scalar, velocity: Scalar, radius: Scalar) -> Scalar:
        """τ, how long until a disc that moves meets a side: 0 where it is past it."""
        return ra.maximum((self.ahead(axis, velocity, radius) - place) / velocity, 0.0)


@checked
def rebounds(
    cushions: Cushions, x: PlaneVectors, v: PlaneVectors, radius: Positive, dt: Positive
) -> tuple[PlaneVectors, PlaneVectors]:
    """Δv and Δx (n, 2) by the cushions, of discs that else move straight from x with v, both (n, 2), for dt.

    Each meets one side along each axis: a step is to be shorter than a disc takes from side to side.
    """
    x, v = ra.array(x), ra.array(v)
    dv, dx = ra.accum(x.shape), ra.accum(x.shape)
    for i in ra.range(x.shape[0]):
        for axis in (0, 1):
            place, velocity = x[i, axis], v[i, axis]
            with ra.when(cushions.reached(axis, place, velocity, radius, dt)):
                impulse = -(1 + cushions.restitution) * velocity
                dv[i, axis] += impulse
                dx[i, axis] += -cushions.delay(axis, place, velocity, radius) * impulse
    return dv.freeze(), dx.freeze()
