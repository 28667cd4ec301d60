"""Robots of springs against published numbers and an independent program; they learn to walk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.command.cli import main
from rosephys.files.values import load
from rosephys.physics.robots.springs import rest_lengths

BLOCKS = ("hidden_weights", "hidden_bias", "muscle_weights", "muscle_bias")


def robot(**settings: Any) -> Problem:
    return Problem(find_scene("robot", settings))


# ------------------------------------------------------------------------------ published numbers


@pytest.mark.parametrize(("number", "masses", "springs"), [(1, 14, 30), (2, 20, 46), (3, 26, 61)])
def test_bodies_have_the_published_sizes(number: int, masses: int, springs: int) -> None:
    body = robot(robot=number).scene.body  # type: ignore[attr-defined]
    assert body.masses.shape == (masses, 2) and body.springs.shape == (springs, 2)
    assert len({frozenset(ends) for ends in body.springs.tolist()}) == springs
    assert rest_lengths(body.masses, body.springs).max() < 0.08


@pytest.mark.parametrize(
    ("number", "losses", "square", "first"),
    [
        (
            1,
            (-0.21531608067827573, -0.22534201923155622),
            0.022721831952894258,
            -0.0014915436750216,
        ),
        (3, (-0.22792854840898799, -0.24618376984317619), 0.0263512796476091, None),
    ],
)
def test_published_losses_and_gradient_of_drawn_weights(
    number: int, losses: tuple[float, float], square: float, first: float | None
) -> None:
    start, after = descend(robot(robot=number), iterations=1, rate=0.2, optimizer="normalized")
    assert (start.loss, after.loss) == pytest.approx(losses, rel=1e-10)
    assert sum((g**2).sum() for g in start.gradient.values()) == pytest.approx(square, rel=1e-8)
    if first is not None:
        assert start.gradient["hidden_weights"][0, 0] == pytest.approx(first, rel=1e-8)


def test_published_gradient_of_waves() -> None:
    problem = robot(robot=3, steps=1364, start="waves")
    loss, gradient = problem.value_and_gradient(problem.values)
    assert loss == pytest.approx(-0.23907943391618472, rel=1e-11)
    norms = (0.33525260588790090, 0.046712559349819410, 0.67252967568971200, 0.27250390062707519)
    found = [np.linalg.norm(gradient[name]) for name in BLOCKS]
    np.testing.assert_allclose(found, norms, rtol=1e-8)
    firsts: dict[str, tuple[float, ...]] = {
        "hidden_weights": (0.0056477085649832646, 0.015156280201568374, 0.018875667944171462),
        "hidden_bias": (-0.0046647625749890930, -0.0077060426754014715),
        "muscle_weights": (0.044924963289104544, 0.032436119620119913),
        "muscle_bias": (0.015435796886382049, -0.0068894743127091221),
    }
    for name, values in firsts.items():
        np.testing.assert_allclose(gradient[name].ravel()[: len(values)], values, rtol=1e-8)


# ---------------------------------------------------------------------------- a second program


def walked(problem: Problem, weights: dict[str, Any], steps: int) -> Any:
    """The loss by the published rules in numpy, for real or complex weights; all springs are driven alike."""
    body = problem.scene.body  # type: ignore[attr-defined]
    x = body.masses.astype(complex)
    v = np.zeros_like(x)
    a, b = body.springs.T
    rest = np.hypot(*(body.masses[a] - body.masses[b]).T)
    strength = np.zeros(len(a))
    strength[body.muscles] = 0.15
    dt, n = 0.004, len(x)
    for t in range(steps):
        c = x.sum(0) / n
        clock = np.sin(10 * t * dt + 2 * np.pi / 10 * np.arange(10))
        masses = np.concatenate([0.05 * (x - c), 0.05 * v], axis=1).ravel()
        senses = np.concatenate([clock, masses, np.array([0.9, 0.2]) - c])
        hidden = np.tanh(weights["hidden_weights"] @ senses + weights["hidden_bias"])
        signal = np.tanh(weights["muscle_weights"] @ hidden + weights["muscle_bias"])
        apart = x[a] - x[b]
        length = np.sqrt((apart**2).sum(1)) + 1e-4
        impulse = (dt * 3e4 * (length - rest * (1 + strength * signal)) / length)[:, None] * apart
        w = np.exp(-dt * 15) * v + dt * np.array([0, -4.8])
        for sign, end in ((-1, a), (1, b)):
            np.add.at(w, end, sign * impulse)
        lands = ((x + dt * w)[:, 1].real < 0.1) & (w[:, 1].real < -1e-4)
        impact = np.where(lands, -(x[:, 1] - 0.1) / np.where(lands, w[:, 1], 1), 0)
        v = np.where(lands[:, None], 0, w)
        x = x + impact[:, None] * w + (dt - impact)[:, None] * v
    return -x[0, 0]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_gradient_agrees_with_complex_steps_of_a_second_program(number: int) -> None:
    steps = 200
    problem = robot(robot=number, steps=steps)
    weights = {name: problem.values[name].astype(complex) for name in BLOCKS}
    loss, gradient = problem.value_and_gradient(problem.values)
    assert loss == pytest.approx(walked(problem, weights, steps).real, rel=1e-10)
    muscles = problem.scene.body.muscles  # type: ignore[attr-defined]
    probes: list[tuple[str, tuple[int, ...]]] = [
        ("hidden_weights", (3, 2)),
        ("hidden_weights", (17, 30)),
        ("hidden_bias", (5,)),
        ("muscle_weights", (int(muscles[1]), 8)),
        ("muscle_bias", (int(muscles[-1]),)),
        ("muscle_bias", (int(next(k for k in range(99) if k not in muscles)),)),
    ]
    for name, k in probes:
        moved = weights[name].copy()
        moved[k] += 1e-30j
        expected = walked(problem, {**weights, name: moved}, steps).imag / 1e-30
        assert gradient[name][k] == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_gradient_agrees_with_central_differences_along_directions() -> None:
    problem = robot(robot=1, steps=300)
    _, gradient = problem.value_and_gradient(problem.values)
    draw = np.random.default_rng(5)
    for name in BLOCKS:
        along = draw.standard_normal(gradient[name].shape)
        h = 1e-7
        ahead, behind = (
            problem.loss({**problem.values, name: problem.values[name] + sign * h * along})
            for sign in (1, -1)
        )
        slope = float(np.vdot(gradient[name], along))
        assert (ahead - behind) / (2 * h) == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("name", ["stiffness", "strength", "gravity", "ground", "damping"])
def test_derivatives_in_what_the_scene_is_made_of(name: str) -> None:
    problem = robot(robot=1, steps=60)
    controls, constants = problem.split(problem.values)
    slopes = ra.grad(problem._loss, 1)(controls, constants)
    at, h = float(constants[name]), 1e-6 * max(1.0, float(constants[name]))
    sides = [problem.loss({**problem.values, name: np.array(at + s * h)}) for s in (1, -1)]
    assert slopes[name] == pytest.approx((sides[0] - sides[1]) / (2 * h), rel=1e-5, abs=1e-9)


# ------------------------------------------------------------------------------ learning to walk


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 3])
def test_robots_learn_to_walk(number: int) -> None:
    problem = robot(robot=number)
    scene = problem.scene
    losses = [
        iterate.loss
        for iterate in descend(
            problem, iterations=scene.iterations, rate=scene.rate, optimizer=scene.optimizer
        )
    ]
    assert min(losses) < -0.41
    assert np.median(losses[60:]) < -0.33


def test_steps_are_of_one_length() -> None:
    problem = robot(robot=1, steps=50)
    before, after = descend(problem, iterations=1, rate=0.3, optimizer="normalized")
    moved = [after.values[n] - before.values[n] for n in BLOCKS]
    assert np.sqrt(sum((m**2).sum() for m in moved)) == pytest.approx(0.3, rel=1e-3)


def test_a_learned_gait_is_saved_and_replayed(tmp_path: Path, capsys: Any) -> None:
    small = ["--set", "steps=120", "--set", "robot=2"]
    assert main(["optimize", "robot", *small, "--iterations", "3", "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    found = load(tmp_path / "robot.npz")
    assert (found["robot"], found["steps"], found["start"]) == (2, 120, "random")
    assert found["hidden_weights"].shape == (32, 92)
    gif = tmp_path / "again.gif"
    assert main(["record", "robot", "--load", str(tmp_path / "robot.npz"), "--out", str(gif)]) == 0
    again = capsys.readouterr().out
    assert "0 iterations" in again and told.split("to ")[1].split()[0] in again
    assert gif.read_bytes() == (tmp_path / "robot.gif").read_bytes()
    for name, says in (("none.npz", "none.npz"), ("robot.json", "no file of values")):
        assert main(["gradient", "robot", "--load", str(tmp_path / name)]) != 0
        assert says in capsys.readouterr().err


def test_picture_follows_the_muscles() -> None:
    problem = robot(robot=1, steps=120)
    trajectory = problem.trajectory(problem.values)
    for step, active in ((0, False), (100, True)):
        shapes = problem.picture(trajectory, step, problem.values).shapes
        (levels,) = (s.levels for s in shapes if np.size(getattr(s, "levels", ())))
        assert levels.shape == (4,)
        assert bool(np.abs(levels).max() > 0.1) is active
        assert np.abs(levels).max() < 2
