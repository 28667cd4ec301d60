r"""What holds, bounds, drives or springs a measure between two bodies, as rows of one system.

With C a measure (`measures`), u the mean motions of a step of length h, C' = C + h J u where it ends, and u₀
the motions of the step before, each row has an impulse P along Jᵀ by its law,

    hold      C' = 0
    limit     0 ≤ P ⟂ C' ≥ 0                            P ≤ h F; with a stiffness a spring that only pushes
    motor     J u = speed                               |P| ≤ h F
    spring    P = -h (k (C + h J ((1 + 3 s) u - (1 - s) u₀) / 4) + c J (u + u₀) / 2)       |P| ≤ h F

with F the most it can do, in N or N m. A limit from above is one of -C. With s = 0 a spring without c is the
trapezoidal rule in leapfrog's clothes (Newmark's β = 1/4): of order 2, and without a loss. Of one that is too
stiff for the step the swing is no motion but noise: with z = h² k J W' Jᵀ / 4, s = z⁴ / (1 + z⁴) makes it
Euler's implicit rule, which takes it away.

All that is held is solved at once, by B = (J W Jᵀ)⁻¹ and with C' where it will be and not where its row says,
so that nothing drifts: P ← P - B C(x + h u) / h. The other rows are visited one after the other, each with the
response J W' Jᵀ of all that hangs on its bodies,

    W' = W - W Jᵀ B J W.

A row that follows from the others yields by a 1e-9th of what it would alone, so that joints may say a thing
twice.

Kilograms, metres, seconds, radians. Sources: Catto, *Soft constraints*, GDC 2011 (springs as rows); Newmark, *A
method of computation for structural dynamics*, 1959; Ryckaert, Ciccotti, Berendsen, J. Comput. Phys. 23, 1977
(SHAKE: what is held holds where the step ends).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

import rose_ad as ra

from ..checked import checked
from ..quantities import Array, Index, NotNegative, Scalar
from .bodies import Poses
from .contradictions import FREE, BodyNumber, Point
from .measures import MEASURES, Measure, measured
from .numbers import numbers

Law: TypeAlias = Literal["hold", "limit", "motor", "spring"]
LAWS: tuple[Law, ...] = ("hold", "limit", "motor", "spring")
HOLD, LIMIT, MOTOR, SPRING = range(len(LAWS))


@checked
@dataclass(frozen=True)
class Row:
    """A law for a measure between two bodies; all numbers may be traced.

    `zero` is taken off the measure. A limit keeps it on one `side` of 0; `speed` is a motor's, in m/s or rad/s;
    `stiffness` k and `damping` c are a spring's, or of a limit that gives, and `strength` is F.
    """

    law: Law
    measure: Measure
    bodies: tuple[BodyNumber, BodyNumber]
    anchors: tuple[Point, Point] = ((0.0, 0.0), (0.0, 0.0))
    axis: Point = (1.0, 0.0)
    zero: Scalar = 0.0
    side: Literal["above", "below"] = "above"
    speed: Scalar = 0.0
    stiffness: NotNegative = 0.0
    damping: NotNegative = 0.0
    strength: NotNegative = FREE


@checked
class Rows:
    """The rows of a world as arrays: first the m that are held, then the q others. `order` says where each was
    in the list that was given."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.order = sorted(range(len(rows)), key=lambda k: rows[k].law != "hold")
        rows = [rows[k] for k in self.order]
        self.count, self.held = len(rows), sum(row.law == "hold" for row in rows)
        self.bodies = np.array([row.bodies for row in rows], int).reshape(-1, 2)
        self.law = np.array([LAWS.index(row.law) for row in rows], int)
        self.measure = np.array([MEASURES.index(row.measure) for row in rows], int)
        self.side = np.array([1.0 if row.side == "above" else -1.0 for row in rows])
        self.anchors = _points([p for row in rows for p in row.anchors])
        self.axis = _points([row.axis for row in rows])
        self.zero, self.speed = (numbers([getattr(r, n) for r in rows]) for n in ("zero", "speed"))
        self.stiffness = numbers([row.stiffness for row in rows])
        self.damping = numbers([row.damping for row in rows])
        self.strength = numbers([row.strength for row in rows])

    def look(self, k: Index, x: Poses) -> tuple[Scalar, Array]:
        """The measure of row k, and its row J (6,), with bodies at x (n, 3)."""
        bodies, anchors = ra.array(self.bodies), ra.array(self.anchors)
        kind, axis, zero = ra.array(self.measure)[k], ra.array(self.axis)[k], ra.array(self.zero)[k]
        both = ra.array([anchors[2 * k], anchors[2 * k + 1]])
        return measured(kind, both, axis, zero, ra.concat([x[bodies[k, 0]], x[bodies[k, 1]]]))

    def values(self, x: Poses) -> Array:
        """All measures (r,)."""
        return ra.build(self.count, lambda k: self.look(k, x)[0])

    def stored(self, values: Array) -> Scalar:
        """The energy, in J, of springs and of limits that give, where their measures are `values` (r,)."""
        side = ra.array(self.side) * values
        loose = (ra.array(self.law) == LIMIT) & (side > 0)
        return 0.5 * ra.sum(ra.where(loose, 0.0, ra.array(self.stiffness) * values * values))


def _points(points: Sequence[Point]) -> Array:
    rows = [ra.array([1.0 * p[0], 1.0 * p[1]]) for p in points]
    return ra.stack(rows) if rows else np.zeros((0, 2))
