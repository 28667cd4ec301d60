"""Smoke that rises, and what is in its way."""

from __future__ import annotations

import numpy as np

import rose_ad as ra
from rosephys import Problem, find_scene
from rosephys.physics.fields.buoyancy import risen


def test_smoke_rises_at_the_speed_where_lift_is_drag() -> None:
    f = ra.fn(lambda w, s: ra.fori_loop(0, 400, lambda _, w: risen(w, s, 0.3, 0.1, 0.2), w))
    end = f(np.zeros((2, 3)), np.full((2, 3), 0.5))
    np.testing.assert_allclose(end, 1.5 * (1 - (1 - 0.02) ** 400), rtol=1e-12)


def test_nothing_moves_in_pillar_and_walls_and_smoke_goes_round() -> None:
    problem = Problem(find_scene("plume", {"cells": 32, "steps": 60}))
    end = ra.map_leaves(lambda a: a[-1], problem.trajectory(problem.values))
    x, y = ((np.arange(32) + 0.5) / 32 for _ in range(2))
    inside = np.hypot(x[:, None] - 0.45, y - 0.45) < 0.1
    inside[[0, -1]] = inside[:, [0, -1]] = True
    assert not end.u[inside].any() and not end.w[inside].any()
    assert np.abs(end.w[~inside]).max() > 0.05
    assert end.smoke[inside].max() < 0.5 < end.smoke[~inside].max() <= 1 + 1e-12
