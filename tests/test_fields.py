"""Fields as images, heat in closed form, patterns, and a charge led by electrodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, descend, find_scene
from rosephys.drawing.colourmap import LEVELS, colour_table, coloured
from rosephys.drawing.paint import Transform, paint_shapes
from rosephys.errors import SceneError
from rosephys.physics.fields.buoyancy import risen
from rosephys.physics.fields.grid import beside, laplacian
from rosephys.physics.fields.reaction_diffusion import gray_scott_step, heat_step
from rosephys.physics.mechanics.electric import coulomb_force
from rosephys.scene.picture import Image, Picture
from rosephys.sdl import pygame

Array = np.ndarray[Any, Any]
DRAW = np.random.default_rng(8)

# ---------------------------------------------------------------------------------- images


def lightness(name: str) -> Array:
    """The luminance (256,) of a map's colours (ITU-R BT.709)."""
    return np.asarray((colour_table(name) / 255.0) ** 2.2 @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("name", ["smoke", "heat", "water"])
def test_lightness_rises_through_a_sequential_map(name: str) -> None:
    light = lightness(name)
    assert (np.diff(light) >= -1e-3).all() and light[-1] > 0.8 > 0.02 > light[0]


def test_lightness_of_a_diverging_map_rises_to_both_ends() -> None:
    light = lightness("waves")
    middle = LEVELS // 2
    assert (np.diff(light[:middle]) <= 1e-3).all() and (np.diff(light[middle:]) >= -1e-3).all()
    blue, orange = colour_table("waves")[[48, -48]].astype(int)
    assert blue[2] > blue[0] + 60 and orange[0] > orange[2] + 60


def test_numbers_become_colours() -> None:
    table = colour_table("heat")
    values = [-9.0, 0.0, 0.999999, 1.0, 9.0, np.nan]
    np.testing.assert_array_equal(
        coloured(values, "heat", 0, 1), table[[0, 0, LEVELS - 1, LEVELS - 1, LEVELS - 1, 0]]
    )
    with pytest.raises(SceneError, match="there is heat"):
        coloured(values, "haet", 0, 1)


def painted(image: Image) -> Array:
    surface = pygame.Surface((200, 120), 0, 32)
    paint_shapes(surface, Picture((image,), (0, 0, 2, 1)), Transform(80, 20, 100))
    return np.asarray(pygame.surfarray.array3d(surface), int)  # (x, y, 3)


def test_an_image_fills_its_box_with_its_cells_upright() -> None:
    values = np.zeros((4, 2))
    values[3, 1] = 1.0  # the cell to the right at the top
    pixels = painted(Image(values, (0.0, 0.0, 2.0, 1.0), "smoke"))
    low, high = colour_table("smoke")[[0, -1]].astype(int)
    assert (pixels[179, 20] > high - 8).all()  # x 20 .. 180, y 20 .. 100
    assert (pixels[25, 95] == low).all() and (pixels[25, 25] == low).all()
    assert not pixels[:20].any() and not pixels[180:].any() and not pixels[:, :20].any()


def test_an_image_far_away_or_thin_does_no_harm() -> None:
    far = painted(Image(np.ones((3, 3)), (1e9, 0.0, 2e9, 1.0)))
    nan = painted(Image(np.ones((3, 3)), (float("nan"), 0.0, 1.0, 1.0)))
    assert not far.any() and not nan.any()
    assert painted(Image(np.ones((3, 3)), (0.5, 0.5, 0.5, 0.5))).any()


def test_a_field_may_come_from_a_file(tmp_path: Path) -> None:
    target = DRAW.random((12, 12))
    np.save(tmp_path / "target.npy", target)
    scene = find_scene("wave", {"cells": "12", "target": str(tmp_path / "target.npy")})
    np.testing.assert_array_equal(scene.target, target)  # type: ignore[attr-defined]
    with pytest.raises(SceneError, match="cannot be read"):
        find_scene("wave", {"target": str(tmp_path / "none.npy")})


# ----------------------------------------------------------------------------------- grids


@pytest.mark.parametrize(
    ("edges", "mode"), [("periodic", "wrap"), ("wall", "edge"), ("zero", "constant")]
)
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 2), (18, 21)])
def test_what_is_beside_a_cell(edges: Any, mode: Any, shape: tuple[int, int]) -> None:
    q = DRAW.normal(size=shape)
    n, m = shape
    f = ra.fn(lambda q: ra.build(n, lambda i: ra.build(m, lambda j: beside(q, i, j, edges))))
    wide = np.pad(q, 1, mode=mode)
    expected = wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]
    for found, wanted in zip(f(q), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


# ------------------------------------------------------------------------------------ heat


def spread(a: Array, diffusivity: float, time: float, steps: int) -> Any:
    dt = time / steps
    return ra.fori_loop(0, steps, lambda _, a: heat_step(a, diffusivity, dt), a)


def test_a_mode_shrinks_by_its_factor() -> None:
    n, k = 24, 2 * np.pi * 3 / 24
    a = np.cos(k * np.arange(n))[:, None] * np.ones(n)
    end = ra.fn(lambda a: spread(a, 0.2, 10.0, 40))(a)
    np.testing.assert_allclose(end, a * (1 - 0.2 * 0.25 * (2 - 2 * np.cos(k))) ** 40, atol=1e-13)


def test_sensitivities_of_a_mode() -> None:
    """Of a = exp(-k² D T) cos(k x): da/dD = -k² T a and da/dT = -k² D a; both at second order in the width."""
    time, wide = 0.3, 2 * np.pi
    errors = []
    for n in (16, 32, 64):
        h = wide / n
        a = np.cos(np.arange(n) * h)[:, None] * np.ones(2)

        @ra.fn
        def end(d: Any, t: Any, n: int = n, h: float = h, a: Array = a) -> Any:
            steps = n * n // 8
            return ra.fori_loop(0, steps, lambda _, a: heat_step(a, d / h**2, t / steps), a)[0, 0]

        value = np.exp(-time)
        of_d, of_t = ra.grad(end, (0, 1))(1.0, time)
        errors.append((abs(of_d + time * value), abs(of_t + value)))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, 2, atol=0.15)


def test_the_heat_of_a_plate_is_kept() -> None:
    problem = Problem(find_scene("heat", {"cells": 17, "steps": 30}))
    trajectory = problem.trajectory({**problem.values, "warmth": DRAW.normal(size=(17, 17))})
    total = trajectory.warmth.sum(axis=(1, 2))
    np.testing.assert_allclose(total, total[0], atol=1e-11)


# -------------------------------------------------------------------------------- patterns


def test_patterns_without_the_eater_are_those_of_food() -> None:
    """With no eater, food obeys u' = F (1 - u) where it is even."""
    u = np.full((5, 5), 0.2)
    f = ra.fn(lambda u, v, feed: ra.fori_loop(
        0, 300, lambda _, s: tuple(gray_scott_step(*s, feed, 0.06, 0.05)), (u, v)
    ))  # fmt: skip
    end, eater = f(u, np.zeros((5, 5)), np.full((5, 5), 0.04))
    np.testing.assert_allclose(end, 1 - 0.8 * (1 - 0.05 * 0.04) ** 300, rtol=1e-12)
    assert not eater.any()


def test_the_steady_state_of_gray_and_scott_stays() -> None:
    """u v = F + k and F (1 - u) = u v², where F > 4 (F + k)²."""
    feed, kill = 0.04, 0.05
    u = (1 + np.sqrt(1 - 4 * (feed + kill) ** 2 / feed)) / 2
    v = (feed + kill) / u
    fields = [np.full((4, 6), x) for x in (u, v, feed)]
    f = ra.fn(lambda u, v, feed: gray_scott_step(u, v, feed, kill, 1.0))
    for found, wanted in zip(f(*fields), (u, v), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


def test_sensitivities_of_a_mode_of_a_few_eaters() -> None:
    """Among food alone a mode of few eaters shrinks at the rate D k² + F + K, which the gradient knows."""
    n, steps, dt, feed = 24, 200, 0.5, 0.04
    k = 2 * np.pi * 3 / n
    mode = 1e-12 * np.cos(k * np.arange(n))[:, None] * np.ones(2)
    food = np.ones((n, 2))

    @ra.fn
    def left(feed: Any, kill: Any) -> Any:
        def step(_: Any, s: Any) -> Any:
            return gray_scott_step(*s, feed * food, kill, dt)

        return ra.fori_loop(0, steps, step, (ra.array(food), ra.array(mode)))[1][0, 0] / mode[0, 0]

    shrink = 1 - dt * (0.08 * (2 - 2 * np.cos(k)) + feed + 0.01)
    assert left(feed, 0.01) == pytest.approx(shrink**steps, rel=1e-7)
    for slope in ra.grad(left, (0, 1))(feed, 0.01):
        assert slope == pytest.approx(-dt * steps * shrink ** (steps - 1), rel=1e-7)


# -------------------------------------------------------------------------------- electric


def test_the_force_is_that_of_coulomb_and_fades_within_a_source() -> None:
    force = ra.fn(lambda x, s, g: coulomb_force(x, s, g, 0.5, 0.1))
    source = np.array([[0.2, 0.3]])
    np.testing.assert_allclose(
        force(np.array([0.6, 0.6]), source, np.array([2.0])), np.array([0.4, 0.3]) / 0.125
    )
    np.testing.assert_allclose(
        force(np.array([0.26, 0.38]), source, np.array([1.0])), np.array([0.06, 0.08]) / 0.002
    )
    np.testing.assert_array_equal(force(source[0], source, np.array([1.0])), 0.0)


def test_a_charge_agrees_with_a_second_program() -> None:
    problem = Problem(find_scene("electric", {"paths": 2, "steps": 63}))
    scene: Any = problem.scene
    w = {name: problem.values[name] for name in problem.controls}
    electrodes = np.array([
        (0.1, 0.1), (0.1, 0.9), (0.9, 0.9), (0.9, 0.1), (0.5, 0.9), (0.5, 0.1), (0.1, 0.5), (0.9, 0.5),
    ])  # fmt: skip
    missed = 0.0
    for points in scene.points:
        x, v = points[0], np.zeros(2)
        for t in range(63):
            goals = []
            for at in (t, t + 1):
                k = min(at // 32, 1)
                goals.append(points[k] + (at / 32 - k) * (points[k + 1] - points[k]))
            pace = points[min(t // 32, 1) + 1] - points[min(t // 32, 1)]
            seen = np.concatenate([x - 0.5, v, goals[0] - 0.5, pace - 0.5])
            hidden = np.tanh(seen @ w["hidden_weights"] + w["hidden_bias"])
            charges = np.tanh(hidden @ w["charge_weights"] + w["charge_bias"])
            apart = x - electrodes
            distance = np.maximum(np.hypot(*apart.T), 0.1)
            force = 1e-3 * (charges / distance**3) @ apart
            v = np.exp(-0.2 * 0.03) * v + 0.03 * force
            x = x + 0.03 * v
            missed += 0.03 * np.sum((x - goals[1]) ** 2) / 2
    assert problem.loss(problem.values) == pytest.approx(missed, rel=1e-12)


def test_electrodes_learn() -> None:
    problem = Problem(find_scene("electric", {"paths": 1}))
    losses = [i.loss for i in descend(problem, iterations=60, rate=0.02, optimizer="adam")]
    assert min(losses) < 0.2 * losses[0]


# ----------------------------------------------------------------------------------- plume


def test_smoke_rises_at_the_speed_where_lift_is_drag() -> None:
    f = ra.fn(lambda w, s: ra.fori_loop(0, 400, lambda _, w: risen(w, s, 0.3, 0.1, 0.2), w))
    end = f(np.zeros((2, 3)), np.full((2, 3), 0.5))
    np.testing.assert_allclose(end, 1.5 * (1 - (1 - 0.02) ** 400), rtol=1e-12)


def test_nothing_moves_in_pillar_and_walls_and_smoke_goes_round() -> None:
    problem = Problem(find_scene("plume", {"cells": 32, "steps": 60}))
    end = ra.map_leaves(lambda a: a[-1], problem.trajectory(problem.values))
    x, y = ((np.arange(32) + 0.5) / 32 for _ in range(2))
    inside = np.hypot(x[:, None] - 0.45, y - 0.45) < 0.1
    inside[[0, -1]] = inside[:, [0, -1]] = True
    assert not end.u[inside].any() and not end.w[inside].any()
    assert np.abs(end.w[~inside]).max() > 0.05
    assert end.smoke[inside].max() < 0.5 < end.smoke[~inside].max() <= 1 + 1e-12


# ------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("name", ["heat", "patterns", "electric", "smoke", "wave"])
def test_large_controls_are_checked_along_probes(name: str) -> None:
    problem = Problem(find_scene(name, {"steps": 4}))
    _, gradient = problem.value_and_gradient(problem.values)
    probed, differences = problem.probed(gradient), problem.central_differences(problem.values)
    for control, slope in probed.items():
        large = problem.values[control].size > 4096
        assert slope.shape == differences[control].shape
        assert (slope.shape == (8,)) if large else (slope.shape == gradient[control].shape)
        np.testing.assert_allclose(slope, differences[control], rtol=1e-4, atol=1e-9)


def test_a_laplacian_of_a_parabola() -> None:
    at = np.arange(9.0)
    q = at[:, None] ** 2 + 3 * at**2
    f = ra.fn(lambda q: ra.build(9, lambda i: ra.build(9, lambda j: laplacian(q, i, j, "wall"))))
    np.testing.assert_allclose(f(q)[1:-1, 1:-1], 8.0)
