"""Bodies that overlap at the start, however deep: they part gently in every model, and gain no energy."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.rigid import implicit, impulses, penalty, touching
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.shapes import box, capsule, circle, polygon

SHAPES = {
    "circle": circle(0.1),
    "box": box(0.3, 0.2),
    "capsule": capsule(0.2, 0.06),
    "triangle": polygon([[0, 0], [0.3, 0], [0.1, 0.25]]),
}
# model, how fast points part at most, and how fast bodies move when they have parted
MODELS = [
    (impulses.step, touching.FASTEST, 0.0),
    (implicit.step, implicit.OPENING, implicit.OPENING),
    (penalty.step, 1 / 0.3, 1 / 0.3),
]
DEPTHS = [0.0, 1e-9, 0.02, 0.1, 0.17]


def opened(step: Any, world: World, x: Any, angle: Any, seconds: float = 2.0) -> Any:
    """The motions (steps, n, 3) and where bodies are (steps, n, 2)."""

    @ra.fn
    def run(x: Any, angle: Any) -> Any:
        def once(s: Any, _: Any) -> Any:
            s = step(world, s, 1 / 240)
            return s, (s.velocity, s.spin, s.position)

        return ra.scan(once, world.at(x, angle), length=round(240 * seconds))[1]

    return run(np.array(x, float), np.array(angle, float))


@pytest.mark.parametrize(("step", "opening", "after"), MODELS)
@pytest.mark.parametrize(("first", "second"), list(combinations_with_replacement(SHAPES, 2)))
def test_overlaps_open_gently(
    step: Any, opening: float, after: float, first: str, second: str
) -> None:
    pair = [Body(SHAPES[k], restitution=0.5) for k in (first, second)]
    world = World(pair, gravity=(0.0, 0.0))
    mass = [b.shape.area for b in pair]
    for depth in DEPTHS:
        for turned in (0.0, 0.4):
            v, spin, x = opened(step, world, [[0, 0], [depth, depth / 3]], [0, turned])
            apart = x[:, 1] - x[:, 0]
            # a point's speed is the centres' and that of turning
            assert np.hypot(*np.diff(apart, axis=0).T).max() * 240 < 1.05 * opening
            assert np.hypot(*(v[:, 1] - v[:, 0]).T).max() <= 1.05 * after
            moving = (mass * (v**2).sum(axis=2)).sum(axis=1)
            turning = (spin**2 * [b.shape.moment for b in pair]).sum(axis=1)
            reduced = mass[0] * mass[1] / sum(mass)
            assert (moving + turning).max() <= 1.2 * reduced * after**2
            assert np.hypot(*apart[-1]) > 0.05  # they have parted, or do


@pytest.mark.parametrize("step", [m[0] for m in MODELS])
@pytest.mark.parametrize("depth", [0.01, 0.05, 0.1])
def test_a_box_sunk_into_the_ground_comes_up_and_stays(step: Any, depth: float) -> None:
    world = World([Body(box(10.0, 2.0), fixed=True), Body(box(0.3, 0.2))])
    _, _, x = opened(step, world, [[0, -1.0], [0, 0.1 - depth]], [0, 0], 6.0)
    height = x[:, 1, 1]
    bound = (1 / 0.3) ** 2 / (2 * 9.81) if step is penalty.step else 1e-3
    assert height.max() < 0.1 + bound
    assert height[-1] == pytest.approx(0.1, abs=2e-3)
