"""The worlds that physics engines are shown with: pyramid, dominoes, cradle, wrecking ball, bridge, tumbler,
card house, and two wheels that drive each other.

`python -m tests.support.classics FOLDER` draws each at six times of its minute.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys.drawing.paint import backdrop, paint_shapes
from rosephys.drawing.pixels import pixels
from rosephys.files.png import write_png
from rosephys.physics.rigid import impulses
from rosephys.physics.rigid.bodies import Body, World
from rosephys.physics.rigid.flight import find
from rosephys.physics.rigid.joints import distance, motor, revolute
from rosephys.physics.rigid.shapes import Shape, box, circle
from rosephys.physics.rigid.terrain import terrain
from rosephys.scene.picture import Lines, Picture, Polygon
from rosephys.sdl import pygame

SECONDS = 60.0
FRAMES = (0, 9, 24, 59, 199, 599)


@dataclass
class Classic:
    """A world, how it starts, in which view (left, bottom, right, top) it stays, and its steps."""

    view: tuple[float, float, float, float]
    dt: float = 1 / 120
    gravity: tuple[float, float] = (0.0, -9.81)
    bodies: list[Body] = field(default_factory=list)
    starts: list[tuple[float, float, float, float, float, float]] = field(default_factory=list)
    joints: list[Any] = field(default_factory=list)

    def add(
        self,
        shape: Shape,
        x: float,
        y: float,
        angle: float = 0.0,
        *,
        v: Any = (0, 0),
        spin: float = 0.0,
        **kind: Any,
    ) -> int:
        """One more body; its number."""
        self.bodies.append(Body(shape, **kind))
        self.starts.append((x, y, angle, *v, spin))
        return len(self.bodies) - 1

    @property
    def world(self) -> World:
        return World(self.bodies, joints=self.joints, gravity=self.gravity)


@dataclass
class Film:
    """What happened, one row a frame of a tenth of a second: positions (k, n, 2), angles and spins (k, n),
    the energy (k,), and the deepest overlap of the time between (k,)."""

    position: Any
    angle: Any
    spin: Any
    energy: Any
    overlap: Any


def lived(classic: Classic, seconds: float = SECONDS) -> Film:
    world, dt = classic.world, classic.dt
    each = round(0.1 / dt)

    @ra.fn
    def run(start: Any) -> Any:
        x, v = start[:, :2], start[:, 3:5]

        def once(_: Any, now: Any) -> Any:
            s, deepest = now
            s = impulses.step(world, s, dt)
            c = find(world, s, dt)
            gaps = ra.where(ra.reshape(c.near, (-1, 1)) > 0, c.gap, 0.0)
            return s, ra.maximum(deepest, -ra.min(gaps))

        def frame(s: Any, _: Any) -> Any:
            s, deepest = ra.fori_loop(0, each, once, (s, 0.0))
            return s, (s.position, s.angle, s.spin, world.energy(s), deepest)

        first = world.at(x, start[:, 2], v, start[:, 5])
        return ra.scan(frame, first, length=round(seconds / 0.1))[1]

    return Film(*run(np.array(classic.starts, float)))


def pyramid(rows: int = 9, side: float = 0.4) -> Classic:
    """Boxes, each on two others."""
    c = Classic((-3, -0.3, 3, 4))
    c.add(box(20.0, 2.0), 0, -1, fixed=True)
    for row in range(rows):
        for k in range(rows - row):
            c.add(box(side, side), (k - (rows - row - 1) / 2) * 1.1 * side, (row + 0.5) * side)
    return c


def dominoes(count: int = 15, high: float = 0.6, thick: float = 0.1) -> Classic:
    """The first is pushed."""
    c = Classic((-1, -0.3, 6, 2))
    c.add(box(40.0, 2.0), 0, -1, fixed=True, friction=0.6)
    for k in range(count):
        c.add(
            box(thick, high),
            0.35 * k,
            high / 2,
            friction=0.3,
            v=(0.6, 0) if k == 0 else (0, 0),
            spin=-2.0 if k == 0 else 0.0,
        )
    return c


def cradle(balls: int = 5, radius: float = 0.25, rod: float = 2.0) -> Classic:
    """Elastic balls that hang beside each other; the first is let go from 45 degrees."""
    c = Classic((-3, -2.8, 3, 0.3))
    beam = c.add(box(3.0, 0.1), 0, 0.5, fixed=True)
    for k in range(balls):
        x, tilt = (2 * k - balls + 1) * radius, -np.pi / 4 if k == 0 else 0.0
        place = x + rod * np.sin(tilt), -rod * np.cos(tilt)
        ball = c.add(circle(radius), *place, friction=0.0, restitution=1.0)
        c.joints.append(distance(beam, ball, (x, -0.5), (0, 0), rod))
    return c


def wrecking_ball(links: int = 8) -> Classic:
    """A heavy ball on a chain swings into a wall."""
    c = Classic((-5, -0.3, 6, 5))
    c.add(box(40.0, 2.0), 0, -1, fixed=True)
    hook = c.add(box(0.2, 0.2), 0, 4.6, fixed=True)
    last, at, length = hook, (0.0, 0.0), 0.42
    for k in range(links):
        link = c.add(box(length, 0.08), -(k + 0.5) * length, 4.6, density=4.0)
        c.joints.append(revolute(last, link, at, (length / 2, 0)))
        last, at = link, (-length / 2, 0.0)
    ball = c.add(circle(0.4), -links * length - 0.4, 4.6, density=20.0)
    c.joints.append(revolute(last, ball, at, (0.4, 0)))
    for row in range(6):
        for column in range(2):
            c.add(box(0.4, 0.4), 1.0 + 0.4 * column, 0.2 + 0.4 * row)
    return c


def bridge(planks: int = 12) -> Classic:
    """Planks between two banks; two cars, one after the other, drive over to the wall on the far side."""
    c = Classic((-8, -2.5, 8, 3))
    half, sag = 3.0, 0.0
    ends = [
        [-9, 3],
        [-8, 0],
        [-5.5, 0],
        [-half, 0],
        [-half, -3],
        [half, -3],
        [half, 0],
        [5.5, 0],
        [8, 0],
        [9, 3],
    ]
    banks = c.add(terrain(ends, 0.4), 0, 0, fixed=True, friction=0.8)
    # planks hang in an arc that is longer than the gap
    bend = 0.35
    angles = np.linspace(-bend, bend, planks)
    wide = 2 * half / np.cos(angles).sum()
    x, y, last, at = -half, sag, banks, (-half, 0.0)
    for angle in angles:
        c_, s_ = np.cos(angle), np.sin(angle)
        plank = c.add(
            box(wide, 0.12), x + wide / 2 * c_, y + wide / 2 * s_, angle, friction=0.8, density=3.0
        )
        c.joints.append(revolute(last, plank, at, (-wide / 2, 0)))
        last, at, x, y = plank, (wide / 2, 0.0), x + wide * c_, y + wide * s_
    c.joints.append(revolute(last, banks, at, (half, 0.0)))
    for place in (-4.2, -6.4):
        car = c.add(box(1.2, 0.3), place, 0.45)
        for side in (-0.4, 0.4):
            wheel = c.add(circle(0.25), place + side, 0.25, friction=0.9)
            c.joints.append(revolute(car, wheel, (side, -0.2), (0, 0)))
            c.joints.append(motor(car, wheel, -6.0, torque=2.0))
    return c


def tumbler(count: int = 30) -> Classic:
    """A room that turns, with boxes in it."""
    c = Classic((-3.2, -3.2, 3.2, 3.2))
    room = [[-2, -2], [2, -2], [2, 2], [-2, 2]]
    c.add(terrain(room, 0.3, closed=True), 0, 0, fixed=True, spin=0.5)
    for k in range(count):
        c.add(box(0.35, 0.35), (k % 6 - 2.5) * 0.5, (k // 6 - 2) * 0.5)
    return c


def card_house(
    levels: int = 3, card: float = 1.0, thick: float = 0.03, lean: float = 0.25
) -> Classic:
    """Cards that lean against each other, and cards across."""
    c = Classic((-2.5, -0.2, 2.5, 4))
    c.add(box(20.0, 2.0), 0, -1, fixed=True, friction=0.9)
    rough: dict[str, Any] = {"friction": 0.9}
    s, n = np.sin(lean), np.cos(lean)
    high, foot = card * n + thick * s, card * s + thick * n  # of a leaning card
    floor = 0.0
    for level in range(levels):
        tents = levels - level
        for k in range(tents):
            middle = (k - (tents - 1) / 2) * 2 * foot
            for side in (-1, 1):
                c.add(
                    box(thick, card),
                    middle + side * foot / 2,
                    floor + high / 2,
                    side * lean,
                    **rough,
                )
        for k in range(tents - 1):
            x = (k - (tents - 2) / 2) * 2 * foot
            c.add(box(2 * foot - 0.01, thick), x, floor + high + thick / 2, **rough)
        floor += high + thick
    return c


def wheels(first: float = 0.5, second: float = 1.0) -> Classic:
    """A wheel with a motor, and a larger one that lies on it and is driven by friction."""
    c = Classic((-3, -1, 3, 3))
    post = c.add(box(0.1, 0.1), 0, 0, fixed=True)
    drive = c.add(circle(first), 0, 0, friction=0.9)
    c.joints += [revolute(post, drive, (0, 0), (0, 0)), motor(post, drive, 4.0, torque=20.0)]
    far = np.sqrt((first + second) ** 2 - 1.0)
    arm = c.add(
        box(2.0, 0.1), 0.0, far, density=0.5
    )  # it lies level, and hangs on a post of its own
    pin = c.add(box(0.1, 0.1), -1.0, far, fixed=True)
    big = c.add(circle(second), 1.0, far, friction=0.9)
    c.joints += [revolute(pin, arm, (0, 0), (-1, 0)), revolute(arm, big, (1, 0), (0, 0))]
    return c


CLASSICS = (pyramid, dominoes, cradle, wrecking_ball, bridge, tumbler, card_house, wheels)


# ------------------------------------------------------------------------------------ to look at


WIDE, HIGH = 440, 300  # pixels of a frame


def picture(classic: Classic, film: Film, frame: int) -> Picture:
    """What there is at that frame."""
    shapes: list[Any] = []
    for k, body in enumerate(classic.bodies):
        x, angle = film.position[frame][k], film.angle[frame][k]
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        fill = "earth" if body.fixed else ("#5b82bb", "#d9822b", "#6aa84f")[k % 3]
        shapes += [Polygon(p.outline @ turn.T + x, fill, "#222222", 1.0) for p in body.shape.parts]
        spoke = turn @ (body.shape.outline[0] * (0.9, 0.9))
        shapes.append(Lines(x[None], (x + spoke)[None], "#222222", 1.0))
    return Picture((*shapes,), classic.view)


def drawn(classic: Classic, film: Film, frames: Sequence[int]) -> Any:
    """The frames beside each other, three in a row, as pixels."""
    sheet = pygame.Surface((3 * WIDE, -(-len(frames) // 3) * HIGH))
    for spot, frame in enumerate(frames):
        tile, shown = pygame.Surface((WIDE, HIGH)), picture(classic, film, frame)
        paint_shapes(tile, shown, backdrop(tile, shown, tile.get_rect(), 0.3))
        sheet.blit(tile, (spot % 3 * WIDE, spot // 3 * HIGH))
    return pixels(sheet)


def main(folder: Path, names: Sequence[str]) -> None:
    for make in CLASSICS:
        if names and make.__name__ not in names:
            continue
        classic = make()
        film = lived(classic)
        write_png(folder / f"{make.__name__}.png", drawn(classic, film, FRAMES))
        e = film.energy
        print(
            f"{make.__name__}: energy {e[0]:.4f} to {e[-1]:.4f}, most {e.max():.4f}; "
            f"overlap {film.overlap.max():.2e}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
