"""Billiards against the published numbers, an independent program, and what collisions do in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from benchmarks.peers.billiards.c import reference
from rosephys import Problem, descend, find_scene
from rosephys.physics.contact.discs import toi_velocity

LOSS = 0.0453761001035251
BY_POSITION = (-0.518853086523, 1.129672200248)
BY_VELOCITY = (-0.697515235201, 1.281048275081)
DESCENT = {
    1: 0.0292419440181,
    10: 0.0135613302662,
    50: 6.587760088e-4,
    100: 3.144209823e-5,
    199: 2.1710971463e-05,
}


def billiards(**settings: Any) -> Problem:
    """The published job: balls on a table without end."""
    job = {"contact": "toi-position", "cushions": "off"}
    return Problem(find_scene("billiards", {**job, **settings}))


def test_published_loss_and_gradient() -> None:
    problem = billiards()
    loss, gradient = problem.value_and_gradient(problem.values)
    assert loss == pytest.approx(LOSS, rel=1e-9)
    np.testing.assert_allclose(gradient["cue_position"], BY_POSITION, rtol=1e-9)
    np.testing.assert_allclose(gradient["cue_velocity"], BY_VELOCITY, rtol=1e-9)
    assert problem.loss(problem.values) == loss


def test_published_descent() -> None:
    iterates = list(descend(billiards(), iterations=200, rate=0.01, optimizer="gd"))
    for k, loss in DESCENT.items():
        assert iterates[k].loss == pytest.approx(loss, rel=1e-8)
    assert iterates[-1].loss < 1e-4


@pytest.mark.parametrize("contact", ["toi-position", "toi-velocity"])
def test_the_shot_is_found(contact: str) -> None:
    problem = billiards(contact=contact)
    last = list(descend(problem, iterations=200, rate=0.01, optimizer=problem.scene.optimizer))[-1]
    assert last.loss < 1e-4


@pytest.mark.parametrize(
    ("layers", "steps"), [(4, 1024), (6, 1024), (8, 2048), (10, 1024), (6, 4096), (4, 8192)]
)
def test_every_balls_gradient_agrees_with_c(layers: int, steps: int) -> None:
    problem = billiards(layers=layers, steps=steps)
    try:
        loss, by_positions, by_velocities = reference(layers, steps)
    except RuntimeError as missing:
        pytest.skip(str(missing))
    gradient = problem.state_gradient(problem.values)
    scale = max(np.abs(by_positions).max(), np.abs(by_velocities).max())
    assert scale > 0.1
    assert problem.loss(problem.values) == pytest.approx(loss, rel=1e-7)
    np.testing.assert_allclose(gradient.position, by_positions, atol=1e-7 * scale, rtol=1e-7)
    np.testing.assert_allclose(gradient.velocity, by_velocities, atol=1e-7 * scale, rtol=1e-7)


def simulated(positions: Any, velocities: Any, steps: int, r: float, e: float, dt: float) -> Any:
    """The same rule in numpy over ordered pairs, for real or complex numbers."""
    x, v = positions.copy(), velocities.copy()
    n = len(x)
    for _ in range(steps):
        ahead = x + dt * v
        apart = ahead[:, None] - ahead[None, :]
        distance = np.sqrt((apart**2).sum(-1))
        normal = apart / (distance + 1e-6)[..., None]
        speed = (normal * (v[:, None] - v[None, :])).sum(-1)
        hit = (distance.real < 2 * r) & (speed.real < 0) & ~np.eye(n, dtype=bool)
        impulse = np.where(hit[..., None], -(1 + e) / 2 * speed[..., None] * normal, 0)
        slow = np.where(speed.real < -1e-3, speed, -1e-3)
        toi = (distance - 2 * r) / slow
        shift = np.where((toi - dt).real < 0, toi - dt, 0)[..., None] * impulse
        v = v + impulse.sum(1)
        x = x + shift.sum(1) + dt * v
    return x


def test_gradient_agrees_with_complex_steps_of_a_second_program() -> None:
    problem = billiards(layers=3, steps=1024, goal=(0.8, 0.6))
    start = problem.initial(problem.values)
    gradient = problem.state_gradient(problem.values)
    expected = np.zeros((7, 2))
    for k in np.ndindex(7, 2):
        moved = start.position.astype(complex)
        moved[k] += 1e-30j
        miss = simulated(moved, start.velocity.astype(complex), 1024, 0.03, 0.8, 0.003)[-1] - (
            0.8,
            0.6,
        )
        expected[k] = (miss**2).sum().imag / 1e-30
    np.testing.assert_allclose(gradient.position, expected, rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------------ collisions in closed form


def rolled(
    positions: Any, velocities: Any, steps: int, radius: Any, restitution: Any, dt: float
) -> tuple[Any, Any]:
    """Positions and velocities after `steps` of `toi_velocity`."""

    def step(_: Any, state: Any) -> Any:
        x, v = state
        dv, dx = toi_velocity(x, v, radius, restitution, dt)
        return x + dx + dt * (v + dv), v + dv

    result: tuple[Any, Any] = ra.fori_loop(0, steps, step, (positions, velocities))
    return result


DT, STEPS, R, V, D = 0.01, 150, 0.1, 1.3, 0.77


@ra.fn
def struck(b: ra.Real, e: ra.Real) -> Any:
    """Two discs: one comes from a distance D along x, with impact parameter b; the other rests."""
    x = ra.array([ra.array([0.0, b]), ra.array([D, 0.0])])
    v = np.array([[V, 0.0], [0.0, 0.0]])
    x, v = rolled(x, v, STEPS, R, e, DT)
    return {"x2": x[1], "v2": v[1], "v1": v[0]}


def closed_form(b: float, e: float) -> dict[str, np.ndarray[Any, Any]]:
    """The velocities after impact, and where the struck disc is at the end."""
    s = b / (2 * R)
    c = np.sqrt(1 - s * s)
    impact = (D - np.sqrt(4 * R * R - b * b)) / V
    v2 = (1 + e) / 2 * V * c * np.array([c, -s])
    return {
        "v2": v2,
        "v1": np.array([V, 0.0]) - v2,
        "x2": np.array([D, 0.0]) + (STEPS * DT - impact) * v2,
    }


@pytest.mark.parametrize("b", [0.0, 0.02, -0.07, 0.15, 0.19])
@pytest.mark.parametrize("e", [1.0, 0.8, 0.3])
def test_one_collision(b: float, e: float) -> None:
    got, slope = ra.jvp(struck, (b, e), (1.0, 0.0))
    h = 1e-6
    above, below = closed_form(b + h, e), closed_form(b - h, e)
    for name, value in closed_form(b, e).items():
        np.testing.assert_allclose(got[name], value, atol=1e-12)
        np.testing.assert_allclose(
            slope[name], (above[name] - below[name]) / (2 * h), rtol=1e-6, atol=1e-6
        )
        for k in range(2):
            _, pull = ra.vjp(struck, b, e)
            ct = {n: np.eye(2)[k] * (n == name) for n in got}
            assert pull(ct)[0] == pytest.approx(slope[name][k], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("b", [0.0, 0.05, -0.12])
def test_published_derivative_of_the_velocity(b: float) -> None:
    slope = ra.jvp(struck, (b, 1.0), (1.0, 0.0))[1]["v2"]
    s = b / (2 * R)
    expected = V * np.array([-b / (2 * R * R), -(1 - 2 * s * s) / (2 * R * np.sqrt(1 - s * s))])
    np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-9)
    v = struck(b, 1.0)
    assert abs(v["v1"] @ v["v2"]) < 1e-12  # they part at a right angle


@ra.fn
def chain(b: ra.Real, speed: ra.Real) -> Any:
    """The first disc strikes the second, which strikes a third: two collisions in one run."""
    x = ra.array([ra.array([0.0, b]), ra.array([0.5, 0.0]), ra.array([1.0, 0.05])])
    v = ra.array([ra.array([speed, 0.0]), np.zeros(2), np.zeros(2)])
    return rolled(x, v, 200, R, 0.9, DT)[0][2]


def chain_closed_form(b: float, speed: float) -> np.ndarray[Any, Any]:
    x = [np.array([0.0, b]), np.array([0.5, 0.0]), np.array([1.0, 0.05])]
    v = np.array([speed, 0.0])
    elapsed = 0.0
    for striker, struck_disc in ((0, 1), (1, 2)):
        apart = x[striker] - x[struck_disc]
        p, q = v @ v, apart @ v
        t = (-q - np.sqrt(q * q - p * (apart @ apart - 4 * R * R))) / p
        normal = (apart + t * v) / (2 * R)
        elapsed += t
        v = 1.9 / 2 * (v @ normal) * normal
    return x[2] + (2.0 - elapsed) * v


def test_two_collisions_in_one_run() -> None:
    at = (0.03, 1.1)
    np.testing.assert_allclose(chain(*at), chain_closed_form(*at), atol=1e-12)
    h = 1e-6
    for k, direction in enumerate(((1.0, 0.0), (0.0, 1.0))):
        slope = ra.jvp(chain, at, direction)[1]
        step = np.array(direction) * h
        exact = (chain_closed_form(*(at + step)) - chain_closed_form(*(at - step))) / (2 * h)
        differences = (chain(*(at + step)) - chain(*(at - step))) / (2 * h)
        np.testing.assert_allclose(slope, exact, rtol=1e-6)
        np.testing.assert_allclose(slope, differences, rtol=1e-6)
        for axis in range(2):
            gradient = ra.grad(lambda b, s, axis=axis: chain(b, s)[axis], (0, 1))(*at)[k]
            assert gradient == pytest.approx(slope[axis], rel=1e-9)


def test_momentum_is_kept_and_energy_of_elastic_shots() -> None:
    problem = billiards(contact="toi-velocity", restitution=1.0)
    v = problem.trajectory(problem.values).velocity
    np.testing.assert_allclose(v.sum(1), np.broadcast_to([0.3, 0.0], (1025, 2)), atol=1e-12)
    assert (v[-1] ** 2).sum() == pytest.approx(0.09, rel=1e-12)


# -------------------------------------------------------------------------- the scene's program


def test_memory_and_program_do_not_depend_on_what_they_should_not() -> None:
    small, long, many = (billiards(steps=1024), billiards(steps=8192), billiards(layers=8))
    for problem in (small, long, many):
        problem.compile()
    assert small.scratch_bytes < 2_000_000
    assert 7 * small.scratch_bytes < long.scratch_bytes < 9 * small.scratch_bytes  # linear in steps
    sizes = {len(str(p._gradient).splitlines()) for p in (small, long, many)}
    assert max(sizes) - min(sizes) <= 2  # the program is the same


def test_a_million_steps_need_little_memory() -> None:
    """Then not every step is kept; the gradient is the same."""
    problem = billiards(steps=1_000_000)
    problem.compile()
    assert problem.scratch_bytes < 64e6
    most, few = billiards(steps=1024), billiards(steps=1024)
    few.rollout = {"checkpoint": 30}  # before it is traced
    for found, expected in zip(
        few.value_and_gradient(few.values)[1].values(),
        most.value_and_gradient(most.values)[1].values(),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert few.scratch_bytes < most.scratch_bytes / 20


def test_a_live_field_changes_nothing_but_numbers() -> None:
    problem = billiards()
    problem.compile()
    moved = {**problem.values, "goal": np.array([0.8, 0.6]), "restitution": np.array(0.7)}
    fresh = billiards(goal="0.8,0.6", restitution="0.7")
    assert problem.value_and_gradient(moved)[0] == fresh.value_and_gradient(fresh.values)[0]


def test_trajectory_starts_and_ends_where_the_loss_says() -> None:
    problem = billiards(target=3)
    states = problem.trajectory(problem.values)
    assert states.position.shape == (1025, 11, 2)
    np.testing.assert_array_equal(states.position[0], problem.initial(problem.values).position)
    miss = states.position[-1, 3] - problem.values["goal"]
    assert problem.loss(problem.values) == pytest.approx(miss @ miss, rel=1e-14)
    cue, target = problem.tracks(problem.values)
    np.testing.assert_array_equal(cue.point, states.position[:, 0])
    np.testing.assert_array_equal(target.point, states.position[:, 3])
    picture = problem.picture(states, 700, problem.values)
    np.testing.assert_array_equal(picture.shapes[1].centres, states.position[700])  # type: ignore[union-attr]
