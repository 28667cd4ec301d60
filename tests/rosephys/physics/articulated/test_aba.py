"""Forward dynamics: closed forms, the inverse of inverse dynamics, and derivatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings

import rose_ad as ra
from rosephys.physics.articulated import (
    Link,
    Model,
    aba,
    articulated,
    bias,
    crba,
    integrate,
    rnea,
)
from rosephys.physics.mechanics.cartpole import CartPole, cartpole_acceleration
from tests.support.articulated import models, pendulum, random_model, state

G = 9.81
EVERY = random_model(5, ["ball", "revolute"], [-1, 0])


@pytest.mark.parametrize("angle", [0.0, 0.4, -2.5])
def test_a_pendulum(angle: float) -> None:
    model = articulated([pendulum(0.7, 1.3)])
    (found,) = aba(model, np.array([angle]), np.array([0.8]), np.array([0.2]))
    assert found == pytest.approx(-G / 0.7 * np.sin(angle) + 0.2 / (1.3 * 0.7**2), abs=1e-12)


def test_a_double_pendulum() -> None:
    """Lagrange's equations of two points on rods, of angles from the vertical, a and b = a + q2."""
    m1, m2, l1, l2 = 1.2, 0.7, 0.8, 0.5
    second = Link(
        "second",
        "bob",
        "revolute",
        axis=(0, 1, 0),
        at=(0, 0, -l1),
        mass=m2,
        centre=(0, 0, -l2),
    )
    model = articulated([pendulum(l1, m1), second])
    a, b, da, db = 0.5, -1.1, 0.9, -0.4
    mass = np.array([[(m1 + m2) * l1**2, m2 * l1 * l2 * np.cos(a - b)], [0, m2 * l2**2]])
    mass[1, 0] = mass[0, 1]
    force = np.array(
        [
            -m2 * l1 * l2 * np.sin(a - b) * db**2 - (m1 + m2) * G * l1 * np.sin(a),
            m2 * l1 * l2 * np.sin(a - b) * da**2 - m2 * G * l2 * np.sin(b),
        ]
    )
    first, both = np.linalg.solve(mass, force)
    found = aba(model, np.array([a, b - a]), np.array([da, db - da]), np.zeros(2))
    np.testing.assert_allclose(found, [first, both - first], atol=1e-12)


def test_a_cart_with_a_pole() -> None:
    cart = Link("cart", joint="prismatic", axis=(1, 0, 0), mass=1.1)
    pole = Link("pole", "cart", "revolute", axis=(0, -1, 0), mass=0.3, centre=(0, 0, -0.6))
    place, rate = np.array([0.3, 0.7]), np.array([-0.5, 1.9])
    found = aba(articulated([cart, pole]), place, rate, np.array([2.5, 0.0]))
    known = ra.fn(cartpole_acceleration)(CartPole(1.1, 0.3, 0.6, G), place, rate, 2.5)
    np.testing.assert_allclose(found, known, atol=1e-12)


def test_a_free_body_turns_by_eulers_equations_and_falls() -> None:
    moments = np.array([0.2, 0.3, 0.4])
    model = articulated([Link("body", joint="free", mass=2.0, inertia=moments)])
    q, v, _ = state(model, 3)
    found = np.asarray(aba(model, q, v, np.zeros(6)))
    np.testing.assert_allclose(found[:3], [0, 0, -G], atol=1e-12)
    np.testing.assert_allclose(found[3:], -np.cross(v[3:], moments * v[3:]) / moments, atol=1e-12)


def test_one_far_from_the_origin_is_as_exact() -> None:
    """A body at 10 km, whose inertia about the origin would be 1e9 times its own."""
    body = Link("body", joint="free", mass=2.0, inertia=(0.2, 0.3, 0.4))
    arm = Link("arm", "body", "revolute", axis=(0, 1, 0), mass=1.0, centre=(0.3, 0, 0))
    model = articulated([body, arm])
    q, v, tau = state(model, 4)
    far = q + 1e4 * np.eye(len(q))[0]
    np.testing.assert_allclose(aba(model, far, v, tau), aba(model, q, v, tau), atol=1e-11)


DRAWN = (Phase.explicit, Phase.generate)  # each is compiled: smaller ones are not looked for


def check(model: Model, seed: int) -> None:
    """M a + bias = τ, rnea gives τ back, M is symmetric, and its columns are those of rnea."""
    q, v, tau = state(model, seed)
    a = np.asarray(aba(model, q, v, tau))
    mass, rest = np.asarray(crba(model, q)), np.asarray(bias(model, q, v))
    size = 1 + np.abs(mass).max() * np.abs(a).max() + np.abs(rest).max()
    np.testing.assert_allclose(mass @ a + rest, tau, atol=1e-12 * size)
    np.testing.assert_allclose(rnea(model, q, v, a), tau, atol=1e-12 * size)
    assert np.array_equal(mass, mass.T)
    assert np.linalg.eigvalsh(mass)[0] > 0
    still = np.asarray(bias(model, q, np.zeros_like(v)))
    for k, unit in enumerate(np.eye(len(v))):
        column = np.asarray(rnea(model, q, np.zeros_like(v), unit)) - still
        np.testing.assert_allclose(mass[:, k], column, atol=1e-12 * (1 + np.abs(mass).max()))


@settings(max_examples=4, deadline=None, phases=DRAWN)
@given(models(6))
def test_it_inverts_inverse_dynamics(drawn: tuple[Model, int]) -> None:
    check(*drawn)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, phases=DRAWN)
@given(models())
def test_it_inverts_inverse_dynamics_of_any_tree(drawn: tuple[Model, int]) -> None:
    check(*drawn)


@pytest.mark.slow
def test_derivatives_forward_reverse_and_by_differences() -> None:
    """Also by masses, lengths and the armature, which may be traced."""
    q, v, tau = state(EVERY, 1)

    def far(shift: ra.Vec, v: ra.Vec, tau: ra.Vec, mass: ra.Vec, at: ra.Vec, armature: ra.Vec):
        model = replace(EVERY, mass=mass, at=at, armature=armature)
        return ra.sum(ra.sin(aba(model, integrate(model, q, shift), v, tau)))

    args = (0 * v, v, tau, EVERY.mass, EVERY.at, EVERY.armature)
    ra.check_grads(far, tuple(np.asarray(a) for a in args))


def test_the_second_derivative() -> None:
    model = articulated([pendulum(0.7, 1.3)])

    def speed_up(angle: ra.Real) -> ra.Real:
        return aba(model, ra.array([angle]), np.zeros(1), np.zeros(1))[0]

    second = ra.grad(ra.grad(speed_up))(0.4)
    assert second == pytest.approx(G / 0.7 * np.sin(0.4), abs=1e-12)
