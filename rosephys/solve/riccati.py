"""The sweep of optimal control from the last stage to the first, with limits of controls, to be compiled.

For a quadratic model of the cost to go V, and defects d = f(x, u) - x_next (zero for motions that are runs):

    Q_zz = H + f_zᵀ V_xx f_z,    Q_z = l_z + f_zᵀ (V_x + V_xx d)
    k = argmin over the box of k Q_u + k (Q_uu + μ) k / 2,    K = -(Q_uu + μ)⁻¹ Q_ux for what is free
    V_x = Q_x + Kᵀ Q_uu k + Kᵀ Q_u + Q_uxᵀ k,                 V_xx = Q_xx + Kᵀ Q_uu K + Kᵀ Q_ux + Q_uxᵀ K

Sources: Jacobson, Mayne, Differential dynamic programming, 1970; Tassa, Mansard, Todorov, Control-limited
differential dynamic programming, ICRA 2014, for the box; Giftthaler et al., IROS 2018, for the defects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import rose_ad as ra

STEPS, HALVINGS = 100, 30  # of the search for a minimum in a box, and of each step of it
SMALL = 1e-12  # slope of what is free, beside that of all, at a minimum


def sweep(
    stages: tuple[Any, Any, Any, Any],
    end: tuple[Any, Any],
    limits: tuple[Any, Any],
    damping: Any,
    own: Callable[[Any, Any], Any],
) -> Any:
    """A dict of what is best: changes `k` (steps, m), `feedback` (steps, m, n), the V_x and V_xx of the state
    after each stage, `slope` (steps, n) and `curve` (steps, n, n), what all promises, and whether every Q_uu +
    μ is positive where it is free.

    `stages` are f_z (steps, n, n + m), l_z, d (steps, n), and what `own(its row, V_x)` makes the H (n + m, n +
    m) of; `end` is V_x and V_xx of the last state, `limits` those of k (steps, m), and `damping` is μ.
    """
    n, m = end[0].shape[0], limits[0].shape[1]

    def back(carry: Any, stage: Any) -> Any:
        (slope, curve, promised, good), (f, l, d, given, low, high) = carry, stage
        after = slope + ra.matmul(curve, d)
        q = l + ra.matmul(after, f)
        qq = own(given, slope) + ra.matmul(ra.matmul(ra.transpose(f), curve), f)
        qx, qu, qux, quu = q[:n], q[n:], qq[n:, :n], qq[n:, n:]
        damped = quu + damping * np.eye(m)
        k, free, positive = box_minimum(damped, qu, low, high)
        gain = -solved(_only(damped, free), free[:, None] * qux)[0]
        back_k = ra.matmul(quu, k) + qu
        new = (
            qx + ra.matmul(back_k, gain) + ra.matmul(k, qux),
            _symmetric(
                qq[:n, :n]
                + ra.matmul(ra.transpose(gain), ra.matmul(quu, gain) + qux)
                + ra.matmul(ra.transpose(qux), gain)
            ),
            promised - ra.dot(k, qu + 0.5 * ra.matmul(quu, k)),
            good & positive,
        )
        return new, {"k": k, "feedback": gain, "slope": slope, "curve": curve}

    start = (*end, 0.0, True)
    (_, _, promised, good), found = ra.scan(back, start, (*stages, *limits), reverse=True)
    return {**found, "promised": promised, "good": good}


def box_minimum(curvature: Any, slope: Any, low: Any, high: Any) -> tuple[Any, Any, Any]:
    """The d (m,) between low and high of the least d·slope + d·curvature·d / 2, which of its numbers are free,
    as 0 and 1, and whether the curvature (m, m) of what was free was positive; by projected Newton steps."""
    enough = SMALL * ra.max(abs(slope))

    def value(at: Any) -> Any:
        return ra.dot(at, slope + 0.5 * ra.matmul(curvature, at))

    def free_of(at: Any) -> tuple[Any, Any]:
        gradient = slope + ra.matmul(curvature, at)
        held = ((at <= low) & (gradient > 0)) | ((at >= high) & (gradient < 0))
        return gradient, ra.where(held, 0.0, 1.0)

    def stepped(carry: Any) -> Any:
        at, _, good, count = carry
        gradient, free = free_of(at)
        way, positive = solved(_only(curvature, free), (free * gradient)[:, None])
        before = value(at)

        def shorter(carry: Any) -> Any:
            share, _, tries = carry
            moved = _within(at - share * way[:, 0], low, high)
            return 0.5 * share, moved, ra.where(value(moved) < before, -1, tries + 1)

        trying = ra.where(positive & (ra.max(abs(free * gradient)) > enough), 0, HALVINGS)
        _, moved, tries = ra.while_loop(
            lambda c: (c[2] >= 0) & (c[2] < HALVINGS), shorter, (1.0, at, trying)
        )
        helps = tries < 0
        return ra.where(helps, moved, at), helps, good & positive, count + 1

    first = _within(ra.zeros(slope.shape), low, high)
    at, _, good, _ = ra.while_loop(lambda c: c[1] & (c[3] < STEPS), stepped, (first, True, True, 0))
    return at, free_of(at)[1], good


def solved(matrix: Any, right: Any) -> tuple[Any, Any]:
    """The X (m, r) with matrix (m, m) X = right, and whether the matrix, which is symmetric, is positive; by
    Gauss-Jordan elimination, whose pivots say so."""
    m = matrix.shape[0]

    def eliminated(k: Any, carry: Any) -> Any:
        rows, good = carry
        pivot = rows[k, k]
        row = rows[k] / ra.where(pivot > 0, pivot, 1.0)
        rest = rows - rows[:, k][:, None] * row
        return ra.where((np.arange(m) == k)[:, None], row, rest), good & (pivot > 0)

    rows, good = ra.fori_loop(0, m, eliminated, (ra.concat([matrix, right], axis=1), True))
    return rows[:, m:], good


def _only(matrix: Any, free: Any) -> Any:
    """The matrix with the rows and columns that are not free as those of the unit matrix."""
    return free[:, None] * matrix * free + (1.0 - free)[:, None] * np.eye(free.shape[0])


def _within(x: Any, low: Any, high: Any) -> Any:
    return ra.minimum(ra.maximum(x, low), high)


def _symmetric(matrix: Any) -> Any:
    return 0.5 * (matrix + ra.transpose(matrix))
