r"""Friction of a cushion that gives along its surface as well as across it (Stronge).

A ball of mass 1 presses on the cushion at the closing speed c and slips along it at s. Time is counted in θ,
so that a stiff spring across the cushion would swing with the frequency 1; with the phase φ = θ while it is
pressed, and φ = π/2 + (θ - π/2)/e while it returns, until φ = π, its force is c sin φ and has done by then,
as an impulse,

    p = c (1 - cos φ),    then c (1 - e cos φ).

Along the surface a spring that is κ times as fast is drawn out by U: where it sticks,

    dU/dθ = v,    dv/dθ = -κ² U,    |U| <= μ η² c sin φ,    η² = β/κ²,    β = 7/2,

and where it slips U is at that limit and dv = -β μ dp. There are three ways through an impact. It slips
throughout where s > μ c ((1 + e) β - η²/e). It sticks at first where s < μ η² c. Else it slips until the
spring keeps up. What sticks slips again near the end, when the pressure falls below what the spring needs;
that time is found by bisection. So what slips slowly comes back, as the spring gives back what it took.

**Derivative:** exact; that of the last time by two steps of Newton's method from where it was found.

Source: Stronge, *Impact mechanics*, 2000, section 5.2 (compliance for impacts with friction).
"""

from __future__ import annotations

import math

import rose_ad as ra

from ..quantities import Scalar

SPEED_RATIO = 1.8  # κ, from 1 to 2; of rubber
_BETA = 3.5
_ETA2 = _BETA / SPEED_RATIO**2
_HALVES = 50


def slip_after(slip: Scalar, closing: Scalar, grip: Scalar, restitution: Scalar) -> Scalar:
    """The slip after an impact along `slip` >= 0, that before it; negative where it comes back."""
    mu, e = ra.maximum(grip, 1e-12) * closing, ra.maximum(restitution, 1e-6)
    throughout = slip > mu * ((1 + e) * _BETA - _ETA2 / e)

    def slides() -> Scalar:
        return slip - _BETA * mu * (1 + e)

    def sticks_at_once() -> Scalar:
        return _stuck(0.0, 0.0, slip, mu, e)

    def sticks_later() -> Scalar:
        early = slip <= _BETA * mu
        bend = ra.where(early, _ETA2 - _BETA, _ETA2 / e - e * _BETA)
        cos = ra.clip((slip / mu - _BETA) / bend, -1.0, 1.0)
        phase = ra.acos(cos)
        theta = ra.where(early, phase, 0.5 * math.pi + e * (phase - 0.5 * math.pi))
        moving = _ETA2 * mu * cos * ra.where(early, 1.0, 1.0 / e)
        return _stuck(theta, _ETA2 * mu * ra.sin(phase), moving, mu, e)

    return ra.cond(
        throughout, slides, lambda: ra.cond(slip < mu * _ETA2, sticks_at_once, sticks_later)
    )


def _stuck(start: Scalar, drawn: Scalar, moving: Scalar, mu: Scalar, e: Scalar) -> Scalar:
    """The slip at the end of an impact that sticks from θ = start, with the spring drawn out and moving."""

    def spring(
        theta: Scalar, drawn: Scalar, moving: Scalar, start: Scalar
    ) -> tuple[Scalar, Scalar]:
        turn = SPEED_RATIO * (theta - start)
        cos, sin = ra.cos(turn), ra.sin(turn)
        return drawn * cos + moving / SPEED_RATIO * sin, moving * cos - SPEED_RATIO * drawn * sin

    def phase(theta: Scalar, e: Scalar) -> Scalar:
        return 0.5 * math.pi + (theta - 0.5 * math.pi) / e

    held = [ra.stop_gradient(x) for x in (drawn, moving, start, mu, e)]
    low, high = ra.maximum(held[2], 0.5 * math.pi), 0.5 * math.pi * (1 + held[4])

    def halve(_: Scalar, ends: tuple[Scalar, Scalar]) -> tuple[Scalar, Scalar]:
        middle = 0.5 * (ends[0] + ends[1])
        limit = held[3] * _ETA2 * ra.sin(phase(middle, held[4]))
        slips = abs(spring(middle, *held[:3])[0]) > limit
        return ra.where(slips, ends[0], middle), ra.where(slips, middle, ends[1])

    theta: Scalar = ra.fori_loop(0, _HALVES, halve, (low, high))[1]
    side = ra.where(spring(theta, *held[:3])[0] > 0, 1.0, -1.0)
    for _ in range(2):
        u, v = spring(theta, drawn, moving, start)
        excess = side * u - mu * _ETA2 * ra.sin(phase(theta, e))
        slope = side * v - mu * _ETA2 / e * ra.cos(phase(theta, e))
        theta = theta - excess / slope
    _, v = spring(theta, drawn, moving, start)
    return v - side * _BETA * mu * e * (1 + ra.cos(phase(theta, e)))
