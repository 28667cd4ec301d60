"""Points in one place, and numbers no body has: models define what they give, or refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys.errors import SceneError
from rosephys.physics.contact.discs import RULES
from rosephys.physics.fields.pressure import SOLVERS, project
from rosephys.physics.fields.reaction_diffusion import gray_scott_step, heat_step
from rosephys.physics.fluids.sph import Liquid, density_rate, sph_acceleration
from rosephys.physics.mechanics.electric import coulomb_force
from rosephys.physics.mechanics.gravity import gravity_acceleration, gravity_energy
from rosephys.physics.rigid import penalty
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.shapes import box, circle, polygon
from rosephys.physics.robots.springs import spring_energy, spring_forces, spring_friction

Array = np.ndarray[Any, Any]

LIQUID = Liquid(1.0, 1.0, 1.0, 10.0, 1.0)
ENDS = np.array([[0, 1], [1, 2], [0, 2]])
V = np.array([[0.3, -0.2], [0.1, 0.4], [-0.5, 0.2]])

FORCES: dict[str, Callable[[Any, Any], Any]] = {
    "springs": lambda x, v: spring_forces(x, ENDS, np.ones(3), 5.0),
    "springs of no length": lambda x, v: spring_forces(x, ENDS, np.zeros(3), 5.0),
    "soft springs": lambda x, v: spring_forces(x, ENDS, np.ones(3), 5.0, 0.01),
    "dampers": lambda x, v: spring_friction(x, v, ENDS, 2.0),
    "gravity": lambda x, v: gravity_acceleration(x, np.ones(3)),
    "liquid": lambda x, v: sph_acceleration(LIQUID, x, v, np.full(3, 1.1)),
    "density": lambda x, v: density_rate(LIQUID, x, v, np.full(3, 1.1), np.ones(2)),
    "charges": lambda x, v: coulomb_force(x[0], x, np.ones(3), 1.0, 0.1),
    **{
        f"discs, {name}": lambda x, v, rule=rule: rule(x, v, 0.2, 0.8, 0.01)[0]
        for name, rule in RULES.items()
    },
}


@pytest.mark.parametrize("name", FORCES)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([0, 1, 2]), min_size=3, max_size=3),
    st.floats(-1e3, 1e3),
    st.booleans(),
)
def test_points_in_one_place_have_finite_forces_and_derivatives(
    name: str, places: list[int], size: float, still: bool
) -> None:
    x = size * np.array([[0.0, 0.0], [0.3, 0.1], [0.0, 0.4]])[places]
    v = 0 * V if still else V
    value, slopes = TRACED[name]
    assert np.isfinite(np.asarray(value(x, v))).all()
    for part in slopes(x, v):
        assert np.isfinite(np.asarray(part)).all()


TRACED = {name: (ra.fn(f), ra.jacrev(ra.fn(f), argnums=(0, 1))) for name, f in FORCES.items()}


def test_springs_of_no_length_pull_evenly_through_the_point_where_they_meet() -> None:
    x = np.zeros((2, 2))
    force = ra.fn(lambda x: spring_forces(x, ENDS[:1], np.zeros(1), 5.0))
    assert np.array_equal(force(x), x)
    slopes = np.asarray(ra.jacrev(force)(x))
    np.testing.assert_allclose(slopes[0, :, 0], -5 * np.eye(2))
    np.testing.assert_allclose(slopes[0, :, 1], 5 * np.eye(2))
    energy = ra.fn(lambda x: spring_energy(x, ENDS[:1], np.ones(1), 5.0))
    assert energy(x) == 2.5 and not np.asarray(ra.grad(energy)(x)).any()


def test_points_in_one_place_are_left_out_of_gravitys_energy() -> None:
    x = np.array([[0.0, 0.0], [0.0, 0.0], [2.0, 0.0]])
    energy = ra.fn(lambda x: gravity_energy(x, 0 * x, np.ones(3)))
    assert energy(x) == -1.0 and np.isfinite(np.asarray(ra.grad(energy)(x))).all()


def test_models_take_parameters_that_are_known_beforehand() -> None:
    """Arrays of numpy in a traced function, whether or not any of them is an argument of it."""
    a = np.random.default_rng(0).random((4, 6))
    given: dict[str, Callable[[], Any]] = {
        "food": lambda: gray_scott_step(a, a, a, 0.06, 0.5)[0],
        "heat": lambda: heat_step(a, 0.1, 0.5),
        "charges": lambda: coulomb_force(a[0, :2], a[:, :2], a[:, 0], 1.0, 0.1),
        "gravity": lambda: gravity_acceleration(a[:, :2], a[:, 0]),
        **{s: lambda s=s: project(a, a, 1.0, s)[0] for s in SOLVERS},
        **{s: lambda s=s: SOLVERS[s](a - a.mean(), 5, "wall") for s in SOLVERS},
    }
    for model in given.values():
        assert np.isfinite(np.asarray(ra.fn(model)())).all()


# ------------------------------------------------------------------------------ what is refused

SHAPE = box(1.0, 1.0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"density": -1.0}, "Body: density is -1.0; wanted a number above 0"),
        ({"density": 0}, "density is 0"),
        ({"density": math.nan}, "density is nan"),
        ({"density": math.inf}, "density is inf"),
        ({"density": np.float64(-2.0)}, "density is -2.0"),
        ({"inertia": 0.0}, "inertia is 0.0; wanted a number above 0"),
        ({"friction": -1.0}, "friction is -1.0; wanted a number, 0 or more"),
        ({"friction": math.nan}, "friction is nan"),
        ({"restitution": 1.5}, "restitution is 1.5; wanted a number from 0 to 1"),
    ],
)
def test_numbers_that_no_body_has_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(SceneError, match=said):
        World([Body(SHAPE), Body(SHAPE, **wrong)])


def test_traced_numbers_of_bodies_are_taken() -> None:
    mass = ra.grad(lambda d: World([Body(SHAPE, density=d, friction=0 * d)]).mass[0])
    assert mass(2.0) == 1.0


def test_polygons_that_cross_themselves_are_refused() -> None:
    turn = 2 * np.pi * 2 / 5 * np.arange(5)
    star = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    with pytest.raises(SceneError, match="corners go round 2 times, and sides cross"):
        polygon(star)
    with pytest.raises(SceneError):
        polygon([(0, 0), (1, 0), (math.nan, 1)])
    with pytest.raises(SceneError, match="radius is inf"):
        circle(math.inf)


@given(st.integers(3, 40), st.floats(0.01, 100.0), st.floats(0.0, 6.3))
def test_regular_polygons_are_taken(corners: int, size: float, turned: float) -> None:
    turn = turned + 2 * np.pi / corners * np.arange(corners)
    shape = polygon(size * np.stack([np.cos(turn), np.sin(turn)], axis=1))
    area = 0.5 * corners * size**2 * np.sin(2 * np.pi / corners)
    assert shape.area == pytest.approx(area, rel=1e-9)


def test_states_of_whole_numbers_are_taken_and_other_shapes_refused() -> None:
    world = World([Body(SHAPE), Body(SHAPE)])
    state = world.at([[0, 0], [3, 0]], [0, 1], [[1, 0], [0, 0]], [0, 0])  # type: ignore[arg-type]
    assert all(leaf.dtype == float for leaf in ra.flatten(state)[0])
    assert world.energy(state) == pytest.approx(0.5)
    for wrong, said in (
        (((0.0, 0.0), np.zeros(2)), r"position is \(0.0, 0.0\); wanted .* of shape \(bodies, 2\)"),
        ((np.zeros((2, 2)), 0.0), r"angle is 0.0; wanted an array of numbers of shape \(bodies,\)"),
        ((np.zeros((2, 3)), np.zeros(2)), r"shape \(2, 3\); wanted .* bodies = 2 as in the World"),
        ((np.zeros((2, 2)), np.zeros(2), np.zeros(2)), "velocity"),
        ((np.zeros((2, 2)), np.zeros(2), np.zeros((2, 2)), np.zeros(3)), "spin"),
    ):
        with pytest.raises(SceneError, match=said):
            world.at(*wrong)


def test_the_penalty_model_needs_no_pairs() -> None:
    world = World([Body(SHAPE)])
    fall = ra.fn(lambda v: penalty.step(world, world.at([(0.0, 1.0)], [0.0], v), 0.1).velocity)
    np.testing.assert_allclose(fall(np.zeros((1, 2))), [[0.0, -0.981]])
