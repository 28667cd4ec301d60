"""Differential equations against closed forms, sensitivities and JAX; events against times that are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra

T = np.linspace(0.0, 3.0, 7)

# f, y(0), the solution
CLOSED: dict[str, tuple[Callable[..., Any], Any, Callable[[Any], Any]]] = {
    "decay": (lambda y, t: -2.0 * y, 1.0, lambda t: np.exp(-2 * t)),
    "logistic": (lambda y, t: y * (1.0 - y), 0.1, lambda t: 1 / (1 + 9 * np.exp(-t))),
    "in time": (lambda y, t: y * ra.cos(t), 1.0, lambda t: np.exp(np.sin(t))),
    "quadrature": (lambda y, t: t**3, 0.0, lambda t: t**4 / 4),
    "at rest": (lambda y, t: 0.0 * y, 2.0, lambda t: 2.0 + 0 * t),
    "an Int to begin with": (lambda y, t: -y, 1, lambda t: np.exp(-t)),
    "a matrix": (
        lambda y, t: y @ np.array([[0.0, 1.0], [-1.0, 0.0]]),
        np.eye(2),
        lambda t: np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]).transpose(2, 0, 1),
    ),
}


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_closed_forms(name: str, tolerance: float, way: float) -> None:
    f, y0, wanted = CLOSED[name]
    found = ra.odeint(f, y0, way * T, rtol=tolerance, atol=tolerance)
    error = np.abs(found - wanted(way * T)).max() / np.abs(wanted(way * T)).max()
    assert error < 30 * tolerance


def oscillator(y: Any, t: Any, stiffness: Any) -> Any:
    return {"x": y["v"], "v": -stiffness * y["x"]}


def at_end(stiffness: Any, t: Any = T, **options: Any) -> Any:
    return ra.odeint(oscillator, {"x": 1.0, "v": 0.0}, t, stiffness, **options)["x"][-1]


def test_derivatives_in_parameters_and_times() -> None:
    """Of cos(√k t)."""
    k, t = 4.0, 3.0
    s = np.sqrt(k)
    slope = -t * np.sin(s * t) / (2 * s)
    second = -(t**2) * np.cos(s * t) / (4 * k) + t * np.sin(s * t) / (4 * s**3)
    for checkpointed in ({}, {"max_steps": 200}):
        f = ra.fn(lambda k, o=checkpointed: at_end(k, **o))
        assert ra.grad(f)(k) == pytest.approx(slope, abs=1e-6)
        assert ra.jvp(f, (k,), (1.0,))[1] == pytest.approx(ra.grad(f)(k), abs=1e-12)
        assert ra.hessian(f)(k) == pytest.approx(second, abs=1e-5)
    in_times = ra.grad(lambda t: at_end(k, t))(T)
    np.testing.assert_allclose(in_times[[0, -1]], np.array([1, -1]) * s * np.sin(s * t), atol=1e-6)
    assert not in_times[1:-1].any()
    ra.check_grads(ra.fn(lambda k: at_end(k, rtol=1e-10, atol=1e-10)), (k,))


def test_derivatives_are_the_sensitivities() -> None:
    """Of van der Pol's equation, which are solved for beside it."""

    def f(y: Any, t: Any, mu: Any) -> Any:
        return ra.array([y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]])

    def both(z: Any, t: Any, mu: Any) -> Any:
        y, dy = z
        return ra.jvp(lambda y, mu: f(y, t, mu), (y, mu), (dy, 1.0))

    y0, fine = np.array([2.0, 0.0]), {"rtol": 1e-10, "atol": 1e-10}
    _, wanted = ra.odeint(both, (y0, np.zeros(2)), T, 1.5, **fine)
    found = ra.jacrev(lambda mu: ra.odeint(f, y0, T, mu, **fine))(1.5)
    np.testing.assert_allclose(found, wanted, atol=1e-7)
    forward = ra.jacfwd(lambda mu: ra.odeint(f, y0, T, mu, **fine))(1.5)
    np.testing.assert_allclose(forward, found, atol=1e-10)


def test_batches_and_single_precision() -> None:
    ks = np.array([1.0, 2.0, 4.0, 9.0, 16.0])
    for f in (ra.fn(at_end), ra.grad(at_end)):
        np.testing.assert_allclose(ra.vmap(f)(ks), [f(k) for k in ks], rtol=1e-11, atol=1e-12)
    found = ra.odeint(lambda y, t: -y, np.float32(1.0), T.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.exp(-T), rtol=1e-5)


def test_where_there_is_no_solution_it_is_nan() -> None:
    found = ra.odeint(lambda y, t: y * y, 1.0, np.array([0.0, 0.5, 2.0, 3.0]))
    np.testing.assert_allclose(found[:2], [1.0, 2.0], rtol=1e-6)
    assert np.isnan(found[2:]).all()
    assert np.isnan(ra.odeint(lambda y, t: -100.0 * y, 1.0, np.array([0.0, 9.0]), max_steps=3)[1])


def test_as_jax() -> None:
    jax = pytest.importorskip("jax")
    from jax.experimental.ode import odeint

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_enable_x64", True)
    try:

        def f(np: Any, y: Any, t: Any, a: Any) -> Any:
            return a * np.sin(y[::-1]) - y * t

        y0 = np.array([0.5, -1.0, 2.0])
        ours = ra.grad(lambda y, a: ra.sum(ra.odeint(lambda *x: f(ra, *x), y, T, a) ** 2), (0, 1))
        theirs = jax.grad(
            lambda y, a: (odeint(lambda *x: f(jax.numpy, *x), y, T, a) ** 2).sum(), (0, 1)
        )
        for a, b in zip(ours(y0, 0.7), theirs(y0, 0.7), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
    finally:
        jax.config.update("jax_enable_x64", False)


# ---------------------------------------------------------------------------------------- events


def fall(y: Any, t: Any, g: Any) -> Any:
    return {"h": y["v"], "v": -g}


def landing(h: Any, v: Any, g: Any, t_max: Any = 9.0) -> Any:
    return ra.ode_event(fall, {"h": h, "v": v}, 0.0, lambda y, t, g: y["h"], g, t_max=t_max)


@pytest.mark.parametrize(("h", "v"), [(1.0, 0.0), (0.5, 2.0), (0.0, 3.0), (2.0, -1.0)])
def test_a_ball_lands(h: float, v: float) -> None:
    g = 9.81
    root = np.sqrt(v * v + 2 * g * h)
    t = (v + root) / g
    found = landing(h, v, g)
    assert found.found and found.t == pytest.approx(t, rel=1e-8)
    assert abs(found.y["h"]) < 1e-12 and found.y["v"] == pytest.approx(-root, rel=1e-8)
    if h > 0:
        slopes = ra.grad(lambda *x: landing(*x).t, (0, 1, 2))(h, v, g)
        wanted = 1 / root, (1 + v / root) / g, h / (g * root) - t / g
        np.testing.assert_allclose(slopes, wanted, rtol=1e-7)
        speed = ra.grad(lambda *x: landing(*x).y["v"], (0, 1, 2))(h, v, g)
        np.testing.assert_allclose(speed, (-g / root, -v / root, -h / root), atol=1e-7)
        bent = ra.hessian(lambda h: landing(h, v, g).t)(h)
        assert bent == pytest.approx(-g / root**3, rel=1e-6)


def test_what_does_not_take_place_before_the_end() -> None:
    found = landing(1.0, 0.0, 9.81, t_max=0.3)
    assert not found.found and found.t == 0.3
    assert found.y["h"] == pytest.approx(1 - 0.5 * 9.81 * 0.09, rel=1e-8)
    assert ra.grad(lambda h: landing(h, 0.0, 9.81, t_max=0.3).y["h"])(1.0) == pytest.approx(1.0)


def test_events_in_time_backwards_and_in_batches() -> None:
    grows = lambda y, t: y  # noqa: E731
    back = ra.ode_event(grows, 1.0, 0.0, lambda y, t: y - 0.25, t_max=-5.0)
    assert back.found and back.t == pytest.approx(np.log(0.25), rel=1e-8)
    late = ra.ode_event(grows, 1.0, 0.0, lambda y, t: t - 0.7, t_max=5.0)
    assert late.t == pytest.approx(0.7, rel=1e-12) and late.y == pytest.approx(
        np.exp(0.7), rel=1e-7
    )
    hs = np.array([0.5, 1.0, 2.0, 30.0, 1.5])
    many = ra.vmap(lambda h: landing(h, 0.0, 9.81, t_max=1.0))(hs)
    assert many.found.tolist() == [True, True, True, False, True]
    np.testing.assert_allclose(many.t, np.minimum(np.sqrt(2 * hs / 9.81), 1.0), rtol=1e-8)
