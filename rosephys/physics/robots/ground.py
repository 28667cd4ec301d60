r"""Points over sticky level ground, by time of impact.

A point at height y over the ground moves with the velocity v. If it would end a step of length dt below the
ground, it moves until the time of impact τ = -y / v_y and rests there:

    y + dt v_y < 0 and v_y < -1e-4:     x' = x + τ v,     v' = 0
    else:                               x' = x + dt v,    v' = v

Contact holds fast: a point on the ground does not slide, and takes off as soon as v_y is not negative. A point
that is already below the ground has τ < 0 and is put back on it along its way. Without τ, that is with
x' = x and v' = 0 on contact, the derivative of where a point lands would be wrong.

Source: DiffTaichi (Hu et al., ICLR 2020), section 4.
"""

from __future__ import annotations

import rose_ad as ra

from ..checked import checked
from ..quantities import Index, PlaneVectors, Positive, Scalar, Vector

SLOWEST = 1e-4  # a point that sinks more slowly is in no contact: its time of impact has no meaning


@checked
def advance_over_ground(
    x: PlaneVectors, v: PlaneVectors, ground: Scalar, dt: Positive
) -> tuple[PlaneVectors, PlaneVectors]:
    """Positions and velocities (n, 2) after a step of length dt over ground at that height."""

    x, v = ra.array(x), ra.array(v)

    def advance(i: Index) -> tuple[Vector, Vector]:
        height, sinking = x[i, 1] - ground, v[i, 1]
        lands = (height + dt * sinking < 0) & (sinking < -SLOWEST)
        impact = -height / ra.minimum(sinking, -SLOWEST)
        moving = ra.where(lands, impact, dt)
        return x[i] + moving * v[i], ra.where(lands, 0.0, v[i])

    return ra.build(x.shape[0], advance)
