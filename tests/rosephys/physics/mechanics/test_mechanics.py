"""Integrators, pendulums and orbits against what is known of them in closed form."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.mechanics.gravity import gravity_acceleration, gravity_energy
from rosephys.physics.mechanics.integrators import METHODS
from rosephys.physics.mechanics.pendulum import pendulum_acceleration, pendulum_energy

ORDERS = {
    "explicit-euler": 1,
    "semi-implicit-euler": 1,
    "verlet": 2,
    "implicit-midpoint": 2,
    "runge-kutta": 4,
}
EIGHT_X = np.array([[0.97000436, -0.24308753], [-0.97000436, 0.24308753], [0.0, 0.0]])
EIGHT_V = np.array([-0.93240737, -0.86473146]) * np.array([[-0.5], [-0.5], [1.0]])
EIGHT_PERIOD, EIGHT_ENERGY = 6.32591398, -1.2871419918


def rolled(method: str, acceleration: Any, x: Any, v: Any, time: Any, steps: int) -> Any:
    """Positions and velocities at a time, after that many steps."""

    def step(_: Any, state: Any) -> Any:
        return METHODS[method](acceleration, *state, time / steps)

    return ra.fori_loop(0, steps, step, (x, v))


def swung(method: str, angle: Any, time: Any, steps: int) -> Any:
    """A pendulum with g / l = 1 that starts at rest."""
    links = lambda x, v: pendulum_acceleration(x, v, 1.0)  # noqa: E731
    return rolled(method, links, ra.array([angle]), np.zeros(1), time, steps)


# ------------------------------------------------------------------------------- integrators


@pytest.mark.parametrize("method", METHODS)
def test_measured_order(method: str) -> None:
    exact = ra.fn(lambda a: swung("runge-kutta", a, 2.0, 20_000)[0][0])(1.0)
    counts = (40, 80, 160) if ORDERS[method] == 4 else (320, 640, 1280)
    ends = [ra.fn(lambda a, n=n: swung(method, a, 2.0, n)[0][0])(1.0) for n in counts]
    errors = np.abs(np.subtract(ends, exact))
    for coarse, fine in pairwise(errors):
        assert np.log2(coarse / fine) == pytest.approx(ORDERS[method], abs=0.1)


@pytest.mark.parametrize("method", METHODS)
def test_derivative_through_a_method(method: str) -> None:
    @ra.fn
    def end(angle: ra.Real, time: ra.Real) -> Any:
        return swung(method, angle, time, 50)[0][0]

    slopes = ra.grad(end, (0, 1))(0.8, 3.0)
    h = 1e-5
    for slope, step in zip(slopes, ((h, 0), (0, h)), strict=True):
        ahead, behind = (end(0.8 + s * step[0], 3.0 + s * step[1]) for s in (1, -1))
        assert slope == pytest.approx((ahead - behind) / (2 * h), rel=1e-7)


@pytest.mark.parametrize(
    ("method", "drifts"),
    [("explicit-euler", True), ("verlet", False), ("implicit-midpoint", False)],
)
def test_energy_of_a_long_run(method: str, drifts: bool) -> None:
    @ra.fn
    def drift(angle: ra.Real) -> Any:
        x, v = swung(method, angle, 400.0, 8000)
        start = pendulum_energy(ra.array([angle]), np.zeros(1), 1.0, 1.0)
        return pendulum_energy(x, v, 1.0, 1.0) - start

    assert (abs(drift(1.0)) > 0.05) is drifts
    assert drifts or abs(drift(1.0)) < 1e-3


# --------------------------------------------------------------------------------- pendulums


@pytest.mark.parametrize(
    ("degrees", "ratio"),
    [(10, 1.0019071881), (45, 1.0399733432), (90, 1.1803405990), (150, 1.7622037295)],
)
def test_period_of_a_pendulum(degrees: float, ratio: float) -> None:
    quarter = ratio * np.pi / 2  # at this time it hangs straight down

    @ra.fn
    def fall(angle: ra.Real) -> Any:
        x, v = swung("runge-kutta", angle, quarter, 2000)
        return x[0], v[0]

    x, v = fall(np.radians(degrees))
    assert abs(x / v) / (np.pi / 2) < 1e-10  # how long before or after it does, of the small period


@pytest.mark.parametrize("sign", [-1, 1])
def test_small_oscillations_of_a_double_pendulum(sign: int) -> None:
    stiffness = 3.0
    frequency = np.sqrt((2 + sign * np.sqrt(2)) * stiffness)
    mode = 1e-5 * np.array([1.0, -sign * np.sqrt(2)])

    @ra.fn
    def swing(start: Any) -> Any:
        a = lambda x, v: pendulum_acceleration(x, v, stiffness)  # noqa: E731
        return rolled("runge-kutta", a, start, np.zeros(2), 2.0, 2000)[0]

    np.testing.assert_allclose(swing(mode), np.cos(2.0 * frequency) * mode, atol=1e-13)


@pytest.mark.parametrize("links", [2, 3, 7])
def test_frequencies_of_a_chain_are_the_roots_of_a_laguerre_polynomial(links: int) -> None:
    still = np.zeros(links)
    pull = ra.jacfwd(ra.fn(lambda x: pendulum_acceleration(x, still, 3.0)))(still)
    squares = np.sort(np.linalg.eigvals(-pull).real)
    laguerre = np.polynomial.laguerre.lagroots([0.0] * links + [1.0])
    np.testing.assert_allclose(squares, 3.0 * laguerre, rtol=1e-9)


def test_two_links_obey_the_equations_of_the_double_pendulum() -> None:
    angle, rate, k = np.array([0.7, -2.1]), np.array([1.3, -0.8]), 4.0
    first, second = ra.fn(lambda x, v: pendulum_acceleration(x, v, k))(angle, rate)
    c, s = np.cos(angle[0] - angle[1]), np.sin(angle[0] - angle[1])
    left = 2 * first + c * second + s * rate[1] ** 2 + 2 * k * np.sin(angle[0])
    right = c * first + second - s * rate[0] ** 2 + k * np.sin(angle[1])
    np.testing.assert_allclose((left, right), 0.0, atol=1e-13)


@pytest.mark.parametrize("links", [2, 4])
def test_energy_of_a_pendulum_of_links(links: int) -> None:
    rate = np.resize([1.0, -2.0], links)

    @ra.fn
    def change(start: Any) -> Any:
        a = lambda x, v: pendulum_acceleration(x, v, 9.81 / 0.7)  # noqa: E731
        x, v = rolled("runge-kutta", a, start, rate, 3.0, 6000)
        first = pendulum_energy(start, rate, 9.81, 0.7)
        return pendulum_energy(x, v, 9.81, 0.7) - first

    assert abs(change(np.resize([2.0, -1.0], links))) < 1e-7 * links**2


# ------------------------------------------------------------------------------------ orbits


def fallen(x: Any, v: Any, masses: Any, time: float, steps: int) -> Any:
    """Positions and velocities of bodies under gravity."""
    a = lambda x, v: gravity_acceleration(x, masses)  # noqa: E731
    return ra.fn(lambda x, v: rolled("runge-kutta", a, x, v, time, steps))(x, v)


def test_three_bodies_return_along_the_eight() -> None:
    masses = np.ones(3)
    energy = ra.fn(lambda x, v: gravity_energy(x, v, masses))
    assert energy(EIGHT_X, EIGHT_V) == pytest.approx(EIGHT_ENERGY, abs=1e-10)
    x, v = fallen(EIGHT_X, EIGHT_V, masses, EIGHT_PERIOD, 4000)
    np.testing.assert_allclose(x, EIGHT_X, atol=1e-6)
    np.testing.assert_allclose(v, EIGHT_V, atol=1e-6)
    assert energy(x, v) == pytest.approx(EIGHT_ENERGY, abs=1e-10)
    x, _ = fallen(EIGHT_X, EIGHT_V, masses, EIGHT_PERIOD / 3, 4000)
    apart = np.linalg.norm(x[:, None] - EIGHT_X, axis=2)  # each has taken the place of another
    assert sorted(apart.argmin(1)) == [0, 1, 2] and (apart.argmin(1) != np.arange(3)).all()
    assert apart.min(1).max() < 1e-6


@pytest.mark.parametrize("speed", [1.0, 1.1, 0.8])
def test_a_planet_obeys_keplers_laws(speed: float) -> None:
    masses = np.array([0.0, 1.0])
    x0, v0 = np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.0, speed], [0.0, 0.0]])
    axis = 1 / (2 - speed**2)
    period = 2 * np.pi * axis**1.5
    x, v = fallen(x0, v0, masses, period, 4000)
    np.testing.assert_allclose(x, x0, atol=1e-9)
    np.testing.assert_allclose(v, v0, atol=1e-9)
    x, v = fallen(x0, v0, masses, period / 2, 4000)
    np.testing.assert_allclose(x[0], (1 - 2 * axis, 0.0), atol=1e-9)
    assert x[0, 0] * v[0, 1] - x[0, 1] * v[0, 0] == pytest.approx(speed, abs=1e-11)


# ------------------------------------------------------------------------------------ scenes


@pytest.mark.parametrize(
    ("name", "settings", "reached"),
    [
        ("pendulum", {"links": 1}, 1e-6),
        ("pendulum", {"links": 2}, 1e-4),
        ("orbit", {"system": "kepler"}, 1e-8),
    ],
)
def test_scenes_are_solved(name: str, settings: dict[str, Any], reached: float) -> None:
    problem = Problem(find_scene(name, settings))
    scene = problem.scene
    how = {"iterations": scene.iterations, "rate": scene.rate, "optimizer": scene.optimizer}
    *_, last = descend(problem, **how)  # type: ignore[arg-type]
    assert last.loss < reached
    trajectory = problem.trajectory(last.values)
    assert problem.picture(trajectory, 3, last.values).shapes
    assert problem.tracks(last.values, trajectory)[0].point.shape == (problem.steps + 1, 2)


@pytest.mark.parametrize(("name", "system"), [("pendulum", ""), ("orbit", "eight")])
def test_invariants_of_scenes_are_kept(name: str, system: str) -> None:
    problem = Problem(find_scene(name, {"system": system} if system else {"links": 3}))
    states = problem.trajectory(problem.values)
    invariants = ra.fn(problem.scene.invariants)  # type: ignore[attr-defined]
    first, last = (
        invariants(ra.map_leaves(lambda leaf, k=k: leaf[k], states)) for k in (0, problem.steps)
    )
    assert last == pytest.approx(first, rel=1e-4, abs=1e-12)
    if system:
        assert first["energy"] == pytest.approx(EIGHT_ENERGY, abs=1e-7)


def test_gradients_of_scenes() -> None:
    for name, settings in (
        ("pendulum", {"links": 2, "method": "implicit-midpoint", "steps": 60}),
        ("orbit", {"system": "eight", "goal": "0.3,0.4", "steps": 200}),
    ):
        problem = Problem(find_scene(name, settings))
        _, gradient = problem.value_and_gradient(problem.values)
        for control, slope in problem.central_differences(problem.values).items():
            np.testing.assert_allclose(gradient[control], slope, rtol=1e-6, atol=1e-8)
