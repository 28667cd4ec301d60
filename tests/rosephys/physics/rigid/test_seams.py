"""Fixed bodies that adjoin: what moves over them does not know how many they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys.physics.rigid import impulses
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.models import MODELS
from rosephys.physics.rigid.shapes import Shape, box, capsule, circle, polygon
from rosephys.physics.rigid.terrain import terrain

SHAPES = {
    "circle": circle(0.2),
    "box": box(0.4, 0.3),
    "capsule": capsule(0.3, 0.1),
    "polygon": polygon([[0, 0], [0.5, 0], [0.4, 0.3], [0.1, 0.3]]),
}
Fixed = list[tuple[Shape, Any, float]]
"""Shapes of fixed bodies, where they are, and at which angles."""


def height(shape: Shape) -> float:
    """Of the centre of mass over the ground on which the shape lies."""
    return float(shape.radius - shape.corners[:, 1].min())


def moved(
    fixed: Fixed,
    body: Body,
    x: Any,
    angle: float,
    v: Any,
    spin: float = 0.0,
    *,
    seconds: float,
    dt: float = 1 / 240,
    model: Any = impulses.step,
    **kind: Any,
) -> Any:
    """Positions, angles, velocities and the energy of a body, after each step, on ground of that kind."""
    world = World([*(Body(s, fixed=True, **kind) for s, *_ in fixed), body])
    n = len(fixed) + 1

    @ra.fn
    def run(x: Any, angle: Any, v: Any, spin: Any) -> Any:
        def once(s: Any, _: Any) -> Any:
            s = model(world, s, dt)
            return s, (s.position[n - 1], s.angle[n - 1], s.velocity[n - 1], world.energy(s))

        return ra.scan(once, world.at(x, angle, v, spin), length=round(seconds / dt))[1]

    still = np.zeros((n - 1, 2))
    return run(
        np.array([*(p for _, p, _ in fixed), x], float),
        np.array([*(a for *_, a in fixed), angle], float),
        np.concatenate([still, [v]]),
        np.array([*np.zeros(n - 1), spin]),
    )


def level(kind: str, length: int = 20, angle: float = 0.0) -> Fixed:
    """A straight floor through the origin at that angle, from -1 m on, of one body, of tiles, or as terrain."""
    way, up = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    if kind == "one":
        return [(box(length, 1.0), way * (length / 2 - 1) - 0.5 * up, angle)]
    if kind == "tiles":
        return [(box(1.0, 1.0), way * (k - 0.5) - 0.5 * up, angle) for k in range(length)]
    if kind == "uneven":  # tiles of any length and depth
        ends = np.concatenate(
            [[-1], np.sort(np.random.default_rng(0).uniform(-0.9, length - 1.1, 24)), [length - 1]]
        )
        deep = np.random.default_rng(1).uniform(0.2, 2, 25)
        return [
            (box(b - a, d), way * (a + b) / 2 - d / 2 * up, angle)
            for a, b, d in zip(ends, ends[1:], deep, strict=False)
        ]
    return [(terrain(np.array([way * (k - 1) for k in range(length + 1)]), 0.5), (0, 0), 0.0)]


FLOORS = ("tiles", "uneven", "terrain")


SLIDES = [
    pytest.param(kind, shape, model, marks=() if k == 0 and (m + n) % 2 == 0 else pytest.mark.slow)
    for k, kind in enumerate(FLOORS)
    for m, shape in enumerate(SHAPES)
    for n, model in enumerate(MODELS)
]


@pytest.mark.parametrize(("kind", "shape", "model"), SLIDES)
def test_what_slides_keeps_its_speed(kind: str, shape: str, model: str) -> None:
    s = SHAPES[shape]
    x, angle, v, _ = moved(
        level(kind),
        Body(s, friction=0.0),
        (0, height(s)),
        0.0,
        (3.0, 0.0),
        seconds=5.0,
        model=MODELS[model],
        friction=0.0,
    )
    one, turned, _, _ = moved(
        level("one"),
        Body(s, friction=0.0),
        (0, height(s)),
        0.0,
        (3.0, 0.0),
        seconds=5.0,
        model=MODELS[model],
        friction=0.0,
    )
    # the penalty model damps both points of a pair together; over a seam they are of two pairs
    near = 1e-5 if model == "penalty" else 1e-6
    assert np.abs(v[:, 0] - 3).max() < 1e-9
    assert np.abs(x[:, 1] - one[:, 1]).max() < near
    assert np.abs(angle - turned).max() < near


@pytest.mark.slow
@pytest.mark.parametrize("dt", [1 / 30, 1 / 240, 1 / 1000])
def test_a_hundred_tiles_are_one_floor(dt: float) -> None:
    s = SHAPES["box"]
    x, _, v, _ = moved(
        level("tiles", 102),
        Body(s, friction=0.0),
        (0, height(s)),
        0.0,
        (10.0, 0.0),
        seconds=10.0,
        dt=dt,
        friction=0.0,
    )
    assert np.abs(v[:, 0] - 10).max() < 1e-9
    assert x[-1, 0] == pytest.approx(100, abs=1e-9)
    assert np.abs(x[:, 1] - height(s)).max() < 1e-6


@pytest.mark.parametrize("kind", FLOORS)
@pytest.mark.parametrize(("model", "dt"), [("impulses", 1 / 240), ("implicit", 1 / 30)])
def test_a_ball_rolls_down_as_on_one_plane(kind: str, dt: float, model: str) -> None:
    ball, angle = circle(0.2), -0.3
    start = 0.2 * np.array([-np.sin(angle), np.cos(angle)])
    both = [
        moved(
            level(k, angle=angle),
            Body(ball),
            start,
            0.0,
            (0, 0),
            seconds=2.0,
            dt=dt,
            model=MODELS[model],
        )
        for k in (kind, "one")
    ]
    assert np.abs(both[0][0] - both[1][0]).max() < 1e-12
    assert np.abs(both[0][1] - both[1][1]).max() < 1e-11


@pytest.mark.parametrize("kind", ["tiles", "terrain"])
def test_a_box_that_rests_across_a_seam_has_one_point_on_each_side(kind: str) -> None:
    x, angle, *_ = moved(level(kind), Body(box(0.4, 0.3)), (1.0, 0.15), 0.0, (0, 0), seconds=2.0)
    assert np.abs(x[-1] - (1.0, 0.15)).max() < 1e-6
    assert abs(angle[-1]) < 1e-6


@pytest.mark.parametrize(
    ("shape", "spin"), [("circle", 0.0), ("box", 0.0), ("capsule", -6.0), ("polygon", -6.0)]
)
def test_walls_of_bricks_hold_what_falls_along_them(shape: str, spin: float) -> None:
    """Down a frictionless wall of bricks, which stands beside or on the floor of tiles, into its corner."""
    s = SHAPES[shape]
    out = s.radius + np.abs(s.corners).max(axis=0)[0]
    floor = [(box(1.0, 1.0), (0.5 + k, -0.5), 0.0) for k in range(14)]
    bricks = [(box(0.5, 0.5), (-0.25, 0.25 + 0.5 * k), 0.0) for k in range(-2, 8)]
    x, angle, _, energy = moved(
        [*floor, *bricks],
        Body(s, friction=0.0),
        (out, 2.5),
        0.0,
        (-1.0, 0.0),
        spin,
        seconds=3.0,
        friction=0.0,
    )
    assert np.diff(energy).max() < 1e-4
    if spin == 0 and shape != "polygon":
        free = np.arange(1, 200) / 240
        falls = np.minimum(9.81 * free**2 / 2, 2.5 - height(s))
        assert np.abs(2.5 - x[:199, 1] - falls)[free < 0.6].max() < 1e-9
        assert abs(x[-1, 1] - height(s)) < 1e-5
    c, n = np.cos(angle)[:, None], np.sin(angle)[:, None]
    u, w = s.outline.T
    assert (x[:, :1] + c * u - n * w).min() > -2e-3
    assert (x[:, 1:] + n * u + c * w).min() > -2e-3


def test_a_step_up_still_stops_a_box() -> None:
    fixed = [(box(2.0, 1.0), (0, -0.5), 0.0), (box(2.0, 1.2), (2.0, -0.4), 0.0)]
    x, _, v, _ = moved(
        fixed,
        Body(box(0.4, 0.3), friction=0.0),
        (0, 0.15),
        0.0,
        (3.0, 0.0),
        seconds=1.0,
        friction=0.0,
    )
    assert x[:, 0].max() < 0.8 + 1e-6
    assert abs(v[-1, 0]) < 1e-9


def test_a_box_tips_over_a_ridge() -> None:
    """Down the far side with what it had on the near one, and no kick at the top."""
    roof = terrain([[-6, -3], [0, 0], [6, -3]], 1.0)
    up = np.array([-1, 2]) / np.sqrt(5)
    x, angle, _, energy = moved(
        [(roof, (0, 0), 0.0)],
        Body(box(0.4, 0.2), friction=0.0),
        up * 0.1 - (1.0, 0.5),
        np.arctan(0.5),
        (3.6, 1.8),
        seconds=1.3,
        friction=0.0,
    )
    assert angle[-1] == pytest.approx(-np.arctan(0.5), abs=0.02)
    assert x[-1, 0] > 2.5
    assert np.diff(energy).max() < 1e-4


@pytest.mark.parametrize(
    ("shape", "speed"), [("circle", 100.0), ("box", 3.0), ("capsule", 30.0), ("polygon", 100.0)]
)
def test_nothing_gets_through_a_valley_at_any_speed(speed: float, shape: str) -> None:
    valley = terrain([[-9, 8], [-3, 0], [-1, 0], [0, 0], [1, 0], [3, 0], [9, 8]], 1.0)
    s = SHAPES[shape]
    x, *_ = moved(
        [(valley, (0, 0), 0.0)],
        Body(s, friction=0.0, restitution=1.0),
        (0, height(s)),
        0.0,
        (speed, -0.5 * speed),
        seconds=1.0,
        dt=1 / 60,
        friction=0.0,
        restitution=1.0,
    )
    assert (x[:, 1] > np.maximum(0, 4 / 3 * (np.abs(x[:, 0]) - 3))).all()


@pytest.mark.parametrize("kind", ["tiles", "terrain"])
def test_gradients_hold_across_seams(kind: str) -> None:
    fixed, s = level(kind), SHAPES["box"]
    world = World([*(Body(f, fixed=True, friction=0.3) for f, *_ in fixed), Body(s, friction=0.3)])
    n = len(fixed) + 1
    x = np.array([*(p for _, p, _ in fixed), (0, height(s))], float)

    @ra.fn
    def far(speed: Any) -> Any:
        v = ra.concat([np.zeros((n - 1, 2)), ra.array([ra.array([speed, 0.0])])])
        start = world.at(x, np.array([*(a for *_, a in fixed), 0.0]), v)
        return ra.fori_loop(0, 240, lambda _, s: impulses.step(world, s, 1 / 240), start).position[
            n - 1, 0
        ]

    slope, h = ra.grad(far)(4.0), 1e-6
    assert slope == pytest.approx((far(4.0 + h) - far(4.0 - h)) / (2 * h), rel=1e-6)
    assert slope == pytest.approx(4.0 / (0.3 * 9.81), rel=0.06) or slope == pytest.approx(
        1.0, rel=1e-2
    )


# ------------------------------------------------------------------------------- any landscape


def landscape(rng: np.random.Generator) -> Any:
    """A polyline between two walls."""
    count = int(rng.integers(4, 12))
    x, y = np.linspace(-3, 3, count), rng.uniform(-0.6, 0.6, count)
    return np.concatenate([[[-3.5, 9.0]], np.stack([x, y], axis=1), [[3.5, 9.0]]])


def below(points: Any, outline: Any, x: Any, angle: Any) -> float:
    """How far, at most, a point of the outline is under the polyline."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    at = np.stack(
        [
            x[:, :1] + c * outline[:, 0] - s * outline[:, 1],
            x[:, 1:] + s * outline[:, 0] + c * outline[:, 1],
        ],
        -1,
    )
    under = at[..., 1] < np.interp(at[..., 0], *points.T)
    way = np.diff(points, axis=0)
    off = at[..., None, :] - points[:-1]
    share = np.clip((off * way).sum(-1) / (way * way).sum(-1), 0, 1)
    far = np.hypot(*np.moveaxis(off - share[..., None] * way, -1, 0)).min(-1)
    return float(np.where(under, far, 0).max())


def check_landscape(seed: int, shape: str, friction: float, restitution: float, dt: float) -> None:
    rng, kind = np.random.default_rng(seed), {"friction": friction, "restitution": restitution}
    points, s = landscape(rng), SHAPES[shape]
    x, angle, _, energy = moved(
        [(terrain(points, 1.0), (0, 0), 0.0)],
        Body(s, **kind),
        (rng.uniform(-2, 2), 1.5),
        rng.uniform(0, 6),
        rng.normal(0, 3, 2),
        rng.normal(0, 5),
        seconds=4.0,
        dt=dt,
        **kind,
    )
    most = np.maximum.accumulate(energy) - energy.min() + 1
    assert (np.diff(energy) / most[1:]).max() < 1e-3
    assert below(points, s.outline, x, angle) < 0.02 + 40 * dt * dt
    assert np.abs(x[:, 0]).max() < 3.5


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("friction", "restitution"), [(0.0, 0.0), (0.6, 0.3)])
def test_a_landscape_holds_what_falls_on_it(
    shape: str, friction: float, restitution: float
) -> None:
    check_landscape(7, shape, friction, restitution, 1 / 240)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.integers(0, 10**6),
    st.sampled_from(sorted(SHAPES)),
    st.sampled_from([0.0, 0.3, 0.8]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([1 / 60, 1 / 240, 1 / 1000]),
)
def test_any_landscape_does(
    seed: int, shape: str, friction: float, restitution: float, dt: float
) -> None:
    check_landscape(seed, shape, friction, restitution, dt)


def lowest(world: World, points: Any, s: Shape, dt: float, starts: Any, seconds: float) -> float:
    """How far a body (the second) is under the polyline at most, from any of these starts."""

    @ra.fn
    def run(x: Any, angle: Any, v: Any, spin: Any) -> Any:
        def once(now: Any, _: Any) -> Any:
            now = impulses.step(world, now, dt)
            return now, (now.position[1], now.angle[1])

        start = world.at(
            ra.array([np.zeros(2), x]),
            ra.array([0.0, angle]),
            ra.array([np.zeros(2), v]),
            ra.array([0.0, spin]),
        )
        return ra.scan(once, start, length=round(seconds / dt))[1]

    return max(below(points, s.outline, *run(*start)) for start in starts)


@pytest.mark.parametrize(("shape", "dt"), [("box", 1 / 60), ("polygon", 1 / 30)])
def test_what_slides_into_a_valley_meets_the_other_side_within_the_step(
    shape: str, dt: float
) -> None:
    points, s = np.array([[-4.0, 2.4], [0.0, 0.0], [4.0, 1.0]]), SHAPES[shape]
    world = World([Body(terrain(points, 1.0), fixed=True, friction=0.0), Body(s, friction=0.0)])
    slope = np.arctan2(-2.4, 4.0)
    down, up = np.array([np.cos(slope), np.sin(slope)]), np.array([-np.sin(slope), np.cos(slope)])
    starts = [(-(1 + 0.013 * k) * down + height(s) * up, slope, 2 * down, 0.0) for k in range(12)]
    # what a slope carries is looked for on the flight that it would have without: by g dt² / 2 too late
    assert lowest(world, points, s, dt, starts, 0.8) < 1e-3 + 0.5 * 9.81 * dt * dt


@pytest.mark.parametrize("restitution", [0.3, 0.8])
def test_a_corner_that_follows_another_within_the_step_does_not_sink(restitution: float) -> None:
    s, points = box(0.8, 0.08), np.array([[-9.0, 0.0], [9.0, 0.0]])
    kind = {"friction": 0.0, "restitution": restitution}
    world = World([Body(terrain(points, 1.0), fixed=True, **kind), Body(s, **kind)])
    starts = [
        (np.array([0.0, 0.3]), tilt, np.array([0.0, -5.0 - 0.3 * k]), 0.0)
        for tilt in (0.05, 0.1, 0.2)
        for k in range(6)
    ]
    assert lowest(world, points, s, 1 / 60, starts, 0.3) < 2e-3
