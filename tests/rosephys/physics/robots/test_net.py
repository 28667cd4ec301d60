"""Ropes and sheets against the catenary, conservation laws, and differences; and their scenes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.mechanics.knots import linear_between
from rosephys.physics.robots.net import (
    net_energy,
    net_forces,
    rope_springs,
    sheet_cells,
    sheet_springs,
    sheet_triangles,
    wind_forces,
)

DRAW = np.random.default_rng(3)
SHEET = np.stack([*np.meshgrid(np.arange(5.0), np.arange(4.0)), np.zeros((4, 5))], axis=-1)
POINTS = SHEET.reshape(-1, 3)
CRUMPLED = POINTS + 0.2 * DRAW.standard_normal(POINTS.shape)
MOVING = DRAW.standard_normal(POINTS.shape)
SPRINGS = sheet_springs(POINTS, 5, 50.0, 20.0, 5.0)


# ----------------------------------------------------------------------------------- nets


def test_a_sheet_has_each_spring_once() -> None:
    structural, shear, bend = SPRINGS
    assert [len(kind.ends) for kind in SPRINGS] == [4 * 4 + 3 * 5, 2 * 3 * 4, 4 * 3 + 2 * 5]
    for kind, length in ((structural, 1.0), (shear, np.sqrt(2)), (bend, 2.0)):
        np.testing.assert_allclose(kind.rest, length)
        assert len({frozenset(pair) for pair in kind.ends.tolist()}) == len(kind.ends)


def test_cells_and_triangles_cover_a_sheet() -> None:
    for faces, count in ((sheet_cells(5, 4), 12), (sheet_triangles(5, 4), 24)):
        corners = POINTS[faces]
        x, y = corners[..., 0], corners[..., 1]
        ahead = np.roll(np.arange(faces.shape[1]), -1)
        areas = 0.5 * (x * y[:, ahead] - x[:, ahead] * y).sum(axis=1)
        assert len(areas) == count
        np.testing.assert_allclose(areas, 12 / count)


def test_forces_are_the_gradient_of_the_energy() -> None:
    still = np.zeros_like(CRUMPLED)
    slope = ra.grad(ra.fn(lambda x: net_energy(SPRINGS, x, still, 0.1, 0.0)))(CRUMPLED)
    force = ra.fn(lambda x: net_forces(SPRINGS, x, still, 3.0))(CRUMPLED)
    np.testing.assert_allclose(force, -slope, atol=1e-12)


def test_springs_and_dampers_keep_the_momenta() -> None:
    force = ra.fn(lambda x, v: net_forces(SPRINGS, x, v, 0.7))(CRUMPLED, MOVING)
    assert np.abs(force).max() > 1
    np.testing.assert_allclose(force.sum(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.cross(CRUMPLED, force).sum(axis=0), 0.0, atol=1e-12)


def test_dampers_take_power_but_none_from_turning() -> None:
    def power(v: Any) -> Any:
        damped = ra.fn(lambda v, c: net_forces(SPRINGS, CRUMPLED, v, c))
        return np.vdot(damped(v, 1.0) - damped(v, 0.0), v)

    assert power(MOVING) < -1
    assert power(np.cross([0.3, -1.0, 0.5], CRUMPLED) + 1.0) == pytest.approx(0.0, abs=1e-12)


def test_wind_pushes_as_its_square() -> None:
    triangles = sheet_triangles(5, 4)
    push = ra.fn(lambda v, w: wind_forces(triangles, POINTS, v, w, 1.2))
    still = np.zeros_like(POINTS)
    for speed in (2.0, -3.0):
        total = push(still, np.array([5.0, 0.0, speed])).sum(axis=0)
        np.testing.assert_allclose(total, (0, 0, 1.2 * 12 * speed * abs(speed)), atol=1e-12)
    wind = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(push(still + wind, wind), 0.0, atol=1e-12)


def test_gradient_of_wind_and_springs() -> None:
    triangles = sheet_triangles(5, 4)

    @ra.fn
    def work(x: Any, v: Any, wind: Any) -> Any:
        force = net_forces(SPRINGS, x, v, 0.7) + wind_forces(triangles, x, v, wind, 1.2)
        return ra.sum(force * MOVING[::-1])

    ra.check_grads(work, (CRUMPLED, MOVING, np.array([0.5, -2.0, 4.0])), order=1)


def test_knots_are_joined_by_lines() -> None:
    knots = np.array([[1.0, 0.0], [3.0, 4.0], [-1.0, 0.0]])
    at = ra.fn(lambda share: linear_between(ra.array(knots), share))
    for share, expected in ((0.0, (1, 0)), (0.25, (2, 2)), (0.5, (3, 4)), (1.0, (-1, 0))):
        np.testing.assert_allclose(at(share), expected, atol=1e-15)


# -------------------------------------------------------------------------------- at rest


def test_a_rope_between_two_nails_hangs_as_a_catenary() -> None:
    count, length, span, mass = 41, 1.5, 1.0, 0.2
    straight = np.linspace((0.0, 0.0), (length, 0.0), count)
    springs = rope_springs(straight, 40_000.0, 0.0)
    start = np.linspace((0.0, 0.0), (span, 0.0), count)
    start[:, 1] = -2.0 * start[:, 0] * (span - start[:, 0])
    weight = mass / count

    @ra.fn
    def hung(dt: ra.Real) -> Any:
        def step(_: Any, state: Any) -> Any:
            x, v = state
            force = net_forces(springs, x, v, 0.1) - np.array([0.0, weight * 9.81])
            inner = ra.array((np.arange(count) % (count - 1) > 0).astype(float))
            v = (0.999 * v + dt / weight * force) * inner[:, None]
            return x + dt * v, v

        return ra.fori_loop(0, 40_000, step, (start, np.zeros((count, 2))))

    x, v = hung(1e-4)
    assert np.abs(v).max() < 1e-4
    # y = a cosh((x - span/2) / a), whose length between the nails is that of the rope
    low, high = 0.05, 5.0
    for _ in range(80):
        a = (low + high) / 2
        low, high = (a, high) if 2 * a * np.sinh(span / 2 / a) > length else (low, a)
    expected = a * (np.cosh((x[:, 0] - span / 2) / a) - np.cosh(span / 2 / a))
    sag = -expected.min()
    assert 0.4 < sag < 0.6
    np.testing.assert_allclose(x[:, 1], expected, atol=0.002 * sag)


# --------------------------------------------------------------------------------- scenes


@pytest.mark.parametrize("name", ["rope", "cloth"])
def test_energy_decays_when_the_hands_are_still(name: str) -> None:
    problem = Problem(find_scene(name, {"wind": "0,0,0"} if name == "cloth" else {}))
    scene = problem.scene
    trajectory = problem.trajectory(problem.values)
    energy = ra.fn(lambda state: scene.invariants(state)["energy"])  # type: ignore[attr-defined]
    at = np.linspace(0, problem.steps, 9).astype(int)
    energies = [energy(ra.map_leaves(lambda leaf, k=k: leaf[k], trajectory)) for k in at]
    assert (np.diff(energies) < 0).all()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("rope", {"points": 9, "knots": 3, "steps": 600}),
        ("cloth", {"columns": 4, "knots": 2, "steps": 300}),
    ],
)
def test_gradient_agrees_with_central_differences(name: str, settings: dict[str, Any]) -> None:
    problem = Problem(find_scene(name, settings))
    (control,) = problem.controls
    shape = problem.values[control].shape
    swing = np.sin(1.0 + np.arange(np.prod(shape))).reshape(shape)
    values = {**problem.values, control: swing}
    _, gradient = problem.value_and_gradient(values)
    expected = problem.central_differences(values)
    np.testing.assert_allclose(gradient[control], expected[control], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("name", "settings"), [("rope", {}), ("cloth", {"columns": 6})])
def test_the_loose_end_touches_the_goal(name: str, settings: dict[str, Any]) -> None:
    problem = Problem(find_scene(name, settings))
    scene = problem.scene
    how: Any = {"iterations": scene.iterations, "rate": scene.rate, "optimizer": scene.optimizer}
    *_, last = descend(problem, **how)
    assert last.loss < 5e-3
    trajectory = problem.trajectory(last.values)
    shown = problem.tracks(last.values, trajectory)[0].point[-1]
    np.testing.assert_allclose(shown, last.values["goal"], atol=0.03)
    assert problem.picture(trajectory, problem.steps, last.values).shapes
