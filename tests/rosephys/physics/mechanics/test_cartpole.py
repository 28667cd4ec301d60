"""The cart-pole against Lagrange's equations and conservation laws, and its swing-up."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.command.cli import main
from rosephys.physics.mechanics.cartpole import CartPole, cartpole_acceleration, cartpole_energy

BODY = CartPole(1.3, 0.4, 0.7, 9.81)


def cartpole(**settings: Any) -> Problem:
    return Problem(find_scene("cartpole", settings))


def test_accelerations_obey_lagranges_equations() -> None:
    place, rate, force = np.array([0.3, 2.2]), np.array([-0.8, 1.7]), 2.5
    m, length, g = BODY.pole, BODY.length, BODY.gravity
    x, angle = ra.fn(lambda q, v: cartpole_acceleration(BODY, q, v, force))(place, rate)
    c, s = np.cos(place[1]), np.sin(place[1])
    along = (BODY.cart + m) * x + m * length * (c * angle - s * rate[1] ** 2)
    assert along == pytest.approx(force, rel=1e-12)
    assert length * angle + c * x + g * s == pytest.approx(0.0, abs=1e-12)


def test_power_of_the_force_is_the_change_of_energy() -> None:
    place, rate, force = np.array([0.3, 2.2]), np.array([-0.8, 1.7]), 2.5
    energy = ra.fn(lambda q, v: cartpole_energy(BODY, q, v))
    a = ra.fn(lambda q, v: cartpole_acceleration(BODY, q, v, force))(place, rate)
    _, power = ra.jvp(energy, (place, rate), (rate, a))
    assert power == pytest.approx(force * rate[0], rel=1e-12)


def test_energy_and_momentum_are_kept_without_force() -> None:
    problem = cartpole(start="0.2,2.5", steps=500, dt=0.004)
    states = problem.trajectory(problem.values)
    scene = problem.scene
    for k in (0, 250, 500):
        state = ra.map_leaves(lambda leaf, k=k: leaf[k], states)
        found = ra.fn(scene.invariants)(state)  # type: ignore[attr-defined]
        assert found["energy"] == pytest.approx(-0.3 * 9.81 * 0.5 * np.cos(2.5), abs=1e-7)
        assert found["momentum"] == pytest.approx(0.0, abs=1e-8)


def test_frequency_of_small_swings() -> None:
    # the cart gives way: ω² = (1 + m/M) g/l
    ratio = np.sqrt((1 + 0.3) * 9.81 / 0.5)
    quarter = np.pi / 2 / ratio
    problem = cartpole(start="0,1e-6", steps=400, dt=quarter / 400)
    angle = problem.trajectory(problem.values).place[:, 1]
    assert abs(angle[-1]) < 1e-6 * 1e-8
    assert angle[200] == pytest.approx(1e-6 * np.cos(np.pi / 4), rel=1e-8)


@pytest.mark.parametrize("method", ["runge-kutta", "implicit-midpoint"])
def test_gradient_agrees_with_central_differences(method: str) -> None:
    problem = cartpole(method=method, steps=150, knots=9, rail=0.2)
    values = {**problem.values, "force": 6 * np.sin(1.0 + np.arange(9))}
    assert abs(problem.trajectory(values).place[:, 0]).max() > 0.3  # off the rail
    _, gradient = problem.value_and_gradient(values)
    expected = problem.central_differences(values, 1e-5)
    np.testing.assert_allclose(gradient["force"], expected["force"], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("optimizer", "rate", "iterations"), [("lbfgs", 10.0, 100), ("adam", 0.5, 600)]
)
def test_swing_up_from_no_force(optimizer: str, rate: float, iterations: int) -> None:
    if optimizer == "lbfgs":
        pytest.importorskip("scipy", reason="the extra `test` has it")
    problem = cartpole()
    assert not problem.values["force"].any()
    *_, last = descend(problem, iterations=iterations, rate=rate, optimizer=optimizer)
    states = problem.trajectory(last.values)
    assert abs(last.values["force"]).max() <= 10.0
    assert abs(np.degrees(states.place[-1, 1] - np.pi)) < 5
    assert abs(states.rate[-1]).max() < 0.1
    assert abs(states.place[-1, 0]) < 0.05
    assert abs(states.place[:, 0]).max() < 1.01


def test_the_command_swings_it_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", "cartpole", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["loss"] < 0.01 and found["solve_seconds"] < 5
