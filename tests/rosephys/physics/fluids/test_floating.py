"""Bodies afloat: what they and the water give each other, Archimedes, heaving in closed form, the boat."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy.optimize import curve_fit

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.physics.fluids.floating import Basin, Canal, Hulls, canal_step, energy, hull, press
from rosephys.physics.robots.boxes import Impulses, Motion, RigidBodies, advance

Array = np.ndarray[Any, Any]
DRAW = np.random.default_rng(11)
G, RHO = 9.81, 1000.0


class Tank:
    """One body afloat in a canal of n cells, 1 m deep where it is calm."""

    def __init__(self, n: int, long: float, curve: tuple[Array, Array], mass: float, **how: Any):
        offset, share = curve
        owner = np.zeros(len(offset), int)
        self.n, self.dt = n, how.pop("dt")
        self.stiffness, friction = how.pop("stiffness", 50.0), how.pop("friction", 0.0)
        self.basin = Basin(long / n, RHO, G, **how)
        self.hulls = Hulls(owner, offset, share, self.stiffness, friction)
        self.body = RigidBodies(np.array([mass]), np.array([0.4 * mass]), owner, offset)

    def run(self, depth: Array, place: tuple[float, ...], steps: int, damped: bool = False) -> Any:
        """The states after each step from still water and a body at (x, y, angle, x velocity)."""
        x, y, angle, speed = place
        pull, drag = (4.0, 0.99) if damped else (0.0, 1.0)

        def step(state: Any, _: Any) -> Any:
            water, motion = state
            impulses = Impulses(self.body, motion)
            pressure, friction = press(self.basin, water, self.hulls, impulses, self.dt)
            friction = friction + pull * water.discharge
            water = canal_step(self.basin, water, pressure, friction, self.dt)
            motion = advance(impulses, drag=drag, gravity=G, dt=self.dt)
            held = energy(self.basin, water, self.hulls, Impulses(self.body, motion))
            return (water, motion), (water, motion, held)

        at = Motion(np.array([[x, y]]), np.array([angle]), np.array([[speed, 0.0]]), np.zeros(1))
        still = Canal(depth, np.zeros(self.n + 1))
        return ra.fn(lambda w, m: ra.scan(step, (w, m), np.arange(steps))[1])(still, at)

    def momentum(self, water: Canal, motion: Motion) -> Any:
        """The horizontal momentum of both, after each step."""
        of_water = RHO * self.basin.width * water.discharge[:, 1:].sum(axis=1)
        return of_water + self.body.mass[0] * motion.velocity[:, 0, 0]


def raft(points: int, length: float) -> tuple[Array, Array]:
    """A flat hull."""
    s = length * ((np.arange(points) + 0.5) / points - 0.5)
    return np.stack([s, 0 * s], axis=1), np.full(points, length / points)


# ---------------------------------------------------------------------------- what each gives the other


def test_body_and_water_keep_their_momentum() -> None:
    """On a canal without ends, the body heaving, pitching, drifting and rubbing."""
    tank = Tank(90, 9.0, hull(1.6, 0.5, 3.0, 90), 150.0, dt=0.003, friction=0.05, edges="periodic")
    water, motion, _ = tank.run(1 + 0.05 * DRAW.random(90), (8.7, 0.8, 0.2, 1.5), 1500)
    given = tank.momentum(water, motion)
    assert np.ptp(motion.velocity[:, 0, 0]) > 0.3 and np.ptp(motion.angle) > 0.1
    assert motion.position[-1, 0, 0] > 9.2  # round the end of the canal
    np.testing.assert_allclose(given, 150.0 * 1.5, rtol=1e-12)
    np.testing.assert_allclose(water.depth.sum(axis=1), water.depth[0].sum(), rtol=1e-13)


def test_friction_slows_the_body_and_drags_the_water() -> None:
    def later(friction: float) -> tuple[float, float]:
        tank = Tank(80, 8.0, raft(80, 1.6), 160.0, dt=0.003, friction=friction, edges="periodic")
        water, motion, _ = tank.run(np.ones(80), (4.0, 0.9, 0.0, 1.0), 300)
        return motion.velocity[-1, 0, 0], water.discharge[-1].sum()

    (slow, dragged), (quick, left) = later(0.2), later(0.0)
    assert slow < quick - 0.01 and dragged > left + 0.03


def test_energy_is_only_lost() -> None:
    tank = Tank(100, 10.0, hull(1.6, 0.5, 3.0, 100), 150.0, dt=0.001)
    settled, motion, _ = tank.run(np.ones(100), (5.0, 1.0, 0.0, 0.0), 4000, damped=True)
    x, y = motion.position[-1, 0]
    _, motion, held = tank.run(settled.depth[-1], (x, y + 0.02, 0.1, 0.0), 3000)
    swing = held[0] - tank.run(settled.depth[-1], (x, y, 0.0, 0.0), 2)[2][0]
    assert np.ptp(motion.angle) > 0.1 and swing > 1.0
    assert (held - held[0] < 0.02 * swing).all()  # the semi-implicit rule sways by as much
    assert held[-1] > held[0] - swing


# -------------------------------------------------------------------------------- Archimedes


def settled(tank: Tank, seconds: float = 7.0) -> tuple[Array, float]:
    """The depth and the height of the body at rest."""
    middle = tank.basin.width * tank.n / 2
    water, motion, _ = tank.run(
        np.ones(tank.n), (middle, 1.0, 0.0, 0.0), round(seconds / tank.dt), damped=True
    )
    assert np.abs(motion.velocity[-1]).max() < 1e-4
    return water.depth[-1], float(motion.position[-1, 0, 1])


def test_a_raft_sinks_by_its_share_of_the_density_of_water() -> None:
    """To first order: its square ends lie between the cells."""
    ratio, high, errors = 0.6, 0.5, []
    for n in (80, 160, 320):
        tank = Tank(n, 8.0, raft(2 * n, 2.0), RHO * ratio * high * 2.0, dt=0.2 / n)
        depth, keel = settled(tank)
        far = depth[0]
        pressed = 1 + 1 / tank.stiffness
        errors.append(abs((far - keel) / high / pressed - ratio))
        ousted = tank.basin.width * (far - depth).sum()
        assert ousted == pytest.approx(ratio * high * 2.0, rel=1e-4)
    assert errors[2] < 0.02 * ratio
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 1, atol=0.35)


def test_a_round_hull_floats_where_it_ousts_its_weight() -> None:
    """To second order, and whatever the stiffness."""
    l, rise, draught = 2.0, 0.8, 0.4
    wet = l * np.sqrt(draught / rise)
    for stiffness in (20.0, 60.0):
        errors = []
        for n in (40, 80, 160):
            pressed = 1 + 1 / stiffness
            mass = RHO * 4 / 3 * draught * wet / pressed
            tank = Tank(
                n, 10.0, hull(2 * l, rise, 2.0, 3 * n), mass, stiffness=stiffness, dt=0.2 / n
            )
            depth, keel = settled(tank)
            errors.append(abs(depth[0] - keel - draught))
        assert errors[2] < 0.002 and errors[0] > 2 * errors[1] > 4 * errors[2]


# ----------------------------------------------------------------------------------- heaving


def heave(n: int, stiffness: float = 100.0) -> tuple[Array, Array, float, float]:
    """How a round hull heaves from a height of 1 cm, over time; and the closed form's decay and frequency."""
    long, l, rise, draught, high = 10.0, 1.0, 0.9, 0.6, 0.01
    wet = l * np.sqrt(draught / rise)
    x = np.linspace(-wet, wet, 4001)
    pressed = stiffness / (1 + stiffness)

    def under(x: Array) -> Array:
        return np.asarray(1 - pressed * np.maximum(draught - rise * (x / l) ** 2, 0))

    mass = RHO * 4 / 3 * draught * wet * pressed
    curve = hull(2 * l, rise, 2.0, round(8 * l * n / long))
    tank = Tank(
        n, long, curve, mass, stiffness=stiffness, dt=0.5 * long / n / np.sqrt(G * (1 + stiffness))
    )
    at = (np.arange(n) + 0.5) * long / n - long / 2
    depth = under(at) + high * (np.abs(at) < wet)
    steps = int(2.4 / tank.dt)
    _, motion, _ = tank.run(depth, (long / 2, 1 - draught + high, 0.0, 0.0), steps)
    t = tank.dt * np.arange(1, steps + 1)
    moved = mass + RHO * np.trapezoid(x**2 / under(x), x)
    decay = RHO * G * wet**2 / np.sqrt(G) / moved
    rate = np.sqrt(2 * RHO * G * wet / moved - decay**2)
    z = (motion.position[:, 0, 1] - 1 + draught) / high
    return t, z, decay, rate


def swinging(t: Array, decay: float, rate: float) -> Array:
    """How a weight on a damped spring swings that is let go at 1: e^(-αt) (cos ωt + α/ω sin ωt)."""
    return np.asarray(np.exp(-decay * t) * (np.cos(rate * t) + decay / rate * np.sin(rate * t)))


def test_a_hull_heaves_with_its_added_mass() -> None:
    """To second order: the curve, and its frequency and decay, until waves come back from the walls."""
    errors = []
    for n in (160, 320):
        t, z, decay, rate = heave(n)
        errors.append(np.abs(z - swinging(t, decay, rate)).max())
    assert errors[1] < 0.04 and errors[1] < 0.3 * errors[0]
    (found_decay, found_rate, _), _ = curve_fit(
        lambda t, d, r, low: low + (1 - low) * swinging(t, d, r), t, z, (decay, rate, 0.0)
    )
    assert found_rate == pytest.approx(rate, rel=0.02)
    assert found_decay == pytest.approx(decay, rel=0.05)


# ---------------------------------------------------------------------------------- the boat


boat = partial(find_scene, "boat")


def test_gradient_agrees_with_differences_and_forward_mode() -> None:
    problem = Problem(boat({"steps": 800}))
    values = {**problem.values, "strokes": 0.2 * DRAW.normal(size=17).clip(-2, 2)}
    _, gradient = problem.value_and_gradient(values)
    for _ in range(4):
        along = DRAW.normal(size=17)
        sides = [
            problem.loss({**values, "strokes": values["strokes"] + s * 1e-6 * along})
            for s in (1, -1)
        ]
        slope = float(gradient["strokes"] @ along)
        assert (sides[0] - sides[1]) / 2e-6 == pytest.approx(slope, rel=1e-6)
        assert problem.slope(values, {"strokes": along}) == pytest.approx(slope, rel=1e-11)


def test_the_boat_begins_at_rest() -> None:
    problem = Problem(boat({"steps": 500, "strokes": np.zeros(17)}))
    trajectory = problem.trajectory(problem.values)
    assert np.ptp(trajectory.boat.position[:, 0], axis=0).max() < 0.003
    assert np.ptp(trajectory.water.depth, axis=0).max() < 0.012


def test_waves_carry_the_boat_to_the_mark() -> None:
    problem = Problem(boat())
    *_, first, last = [
        min(descend(problem, iterations=k, rate=0.02, optimizer="adam"), key=lambda i: i.loss)
        for k in (0, 40)
    ]
    end = ra.map_leaves(lambda a: a[-1], problem.trajectory(last.values))
    assert last.loss < 0.02 * first.loss
    assert abs(end.boat.position[0, 0] - 5.4) < 0.2 and abs(end.paddle) < 0.1
    water = problem.invariants(last.values)["water"]
    np.testing.assert_allclose(water, water[0], rtol=1e-12)
