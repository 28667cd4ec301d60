"""Which rule of collision is continuous: the one that resolves a collision at its instant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.contact import discs as contact

RADIUS, DT, STEPS = 0.05, 0.05, 8


def moved(rule: contact.Rule) -> ra.Fn:
    """Two discs after some coarse steps, by where they start."""

    @ra.fn
    def final(x, v):
        def step(_, state: Any) -> Any:
            x, v = state
            dv, dx = rule(x, v, RADIUS, 0.9, DT)
            return x + DT * (v + dv) + dx, v + dv

        return ra.fori_loop(0, STEPS, step, (x, v))[0]

    return final


# the gap of 0.2 is closed after four steps of 0.05: a little more, and it is closed in the fifth
START = np.array([[0.0, 0.0], [0.3, 0.02]]), np.array([[1.0, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("shift", [0.0, -0.006])
def test_at_its_instant_a_collision_is_continuous(shift: float) -> None:
    x, v = START
    start = x + np.array([[shift, 0.0], [0.0, 0.0]]), v
    assert ra.check_continuity(moved(contact.toi_velocity), start, 1e-2, samples=8) == []


def test_by_the_end_of_the_step_it_is_not() -> None:
    found = ra.check_continuity(moved(contact.toi_position), START, 1e-2, samples=8)
    assert found
    with open(contact.__file__, encoding="utf-8") as source:
        lines = source.read().splitlines()
    for d in found:
        assert d.file == contact.__file__
        assert "ra.when(square < 4 * radius * radius)" in lines[d.line - 1]
        assert abs(d.after - d.before) > 1e-5
        # it is there: the compiled function jumps between its two sides
        sides = [
            moved(contact.toi_position)(
                *(a + (d.distance + s) * da for a, da in zip(START, d.direction, strict=True))
            )
            for s in (-1e-9, 1e-9)
        ]
        assert np.abs(sides[1] - sides[0]).max() == pytest.approx(abs(d.after - d.before), rel=1e-3)
