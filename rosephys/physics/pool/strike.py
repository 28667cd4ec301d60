r"""A cue that strikes a ball: what speed and spin it gives.

A cue of mass M and speed V, raised by θ, meets a ball of mass m at a point that is, seen along the cue and in
radii, a to the right of its middle and b above it. The tip neither slips nor loses energy, so along the cue

    v = 2 V / (1 + m/M + 5/2 (a² + b²)),

of which the ball gets v cos θ along the table, and 5/(2R) v times the arm of the blow about its middle as its
angular velocity: b about the level axis to the left, which is draw and follow, a about the axis across the cue
and upwards, which is English and, with the cue raised, swerve. The end of the cue, of mass m_e, is turned aside
by what is struck beside the middle, and the ball goes off to the other side (squirt) by

    tan α = 5/2 a √(1 - a²) / (1 + m/m_e + 5/2 (1 - a²)).

The vertical part of the blow, which makes balls jump, is left out. Beyond half a radius a tip slips off: that
is the limit of what a player can do, and not tested here.

**Derivative:** exact.

Source: Alciatore, *Pool physics: technical proofs* TP A.30 and TP A.31 (billiards.colostate.edu). Units are SI.
"""

from __future__ import annotations

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Positive, Scalar


@checked
@ra.struct
class Cue:
    """Masses of a cue, of its end as far as that is turned aside, and of a ball; the radius of the ball."""

    mass: Positive
    end_mass: Positive
    ball_mass: Positive
    radius: Positive


@checked
def struck(
    cue: Cue,
    speed: Scalar,
    direction: Scalar,
    side: Scalar = 0.0,
    height: Scalar = 0.0,
    elevation: Scalar = 0.0,
) -> tuple[Array, Array]:
    """Velocity (2,) and angular velocity (3,) of a ball at rest, struck with `speed` in a `direction`, in rad
    from the x axis, and with the cue raised by `elevation`, in rad."""
    v = 2 * speed / (1 + cue.ball_mass / cue.mass + 2.5 * (side * side + height * height))
    across = 1 - side * side
    squirt = ra.atan2(2.5 * side * ra.sqrt(across), 1 + cue.ball_mass / cue.end_mass + 2.5 * across)
    gone = direction + squirt
    velocity = v * ra.cos(elevation) * ra.array([ra.cos(gone), ra.sin(gone)])
    dx, dy, bank = ra.cos(direction), ra.sin(direction), side * ra.sin(elevation)
    axis = [bank * dx - height * dy, bank * dy + height * dx, side * ra.cos(elevation)]
    return velocity, 2.5 * v / cue.radius * ra.array(axis)
