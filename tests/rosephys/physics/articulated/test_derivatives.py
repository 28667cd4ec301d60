"""The derivatives in closed form against those of rose_ad, forward and reverse, and against differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings

import rose_ad as ra
from rosephys.physics.articulated import Model, aba, aba_derivatives, crba, integrate, rnea
from rosephys.physics.articulated.derivatives import rnea_derivatives
from tests.support.articulated import models, random_model, state

DRAWN = (Phase.explicit, Phase.generate)  # each is compiled: smaller ones are not looked for


def check(model: Model, seed: int) -> None:
    q, v, tau = state(model, seed)
    zero = np.zeros_like(v)
    found = aba_derivatives(model, q, v, tau)
    closed = [np.asarray(part) for part in (found.q, found.v, found.third)]

    def moved(shift: ra.Vec, v: ra.Vec, tau: ra.Vec) -> ra.Vec:
        return aba(model, integrate(model, q, shift), v, tau)

    forward = ra.jacfwd(moved, (0, 1, 2))(zero, v, tau)
    reverse = ra.jacrev(moved, (0, 1, 2))(zero, v, tau)
    for exact, one, other in zip(closed, forward, reverse, strict=True):
        size = 1 + np.abs(exact).max()
        np.testing.assert_allclose(one, exact, atol=1e-10 * size)
        np.testing.assert_allclose(other, exact, atol=1e-10 * size)


@settings(max_examples=2, deadline=None, phases=DRAWN)
@given(models(4))
def test_closed_forms_are_those_of_the_program(drawn: tuple[Model, int]) -> None:
    check(*drawn)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, phases=DRAWN)
@given(models())
def test_closed_forms_are_those_of_the_program_of_any_tree(drawn: tuple[Model, int]) -> None:
    check(*drawn)


def test_inverse_dynamics_by_differences() -> None:
    model = random_model(8, ["planar", "revolute", "ball", "prismatic"], [-1, 0, 0, 2])
    q, v, a = state(model, 2)
    found = rnea_derivatives(model, q, v, a)
    h = 1e-6
    by_q, by_v = [], []
    for d in h * np.eye(len(v)):
        ways = [np.asarray(integrate(model, q, s * d)) for s in (1, -1)]
        more, less = (np.asarray(rnea(model, way, v, a)) for way in ways)
        by_q.append((more - less) / (2 * h))
        more, less = (np.asarray(rnea(model, q, v + s * d, a)) for s in (1, -1))
        by_v.append((more - less) / (2 * h))
    np.testing.assert_allclose(found.q, np.transpose(by_q), atol=1e-7)
    np.testing.assert_allclose(found.v, np.transpose(by_v), atol=1e-7)
    np.testing.assert_allclose(found.third, crba(model, q), atol=1e-12)
