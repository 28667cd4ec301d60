"""Optimal control through contact: what each rule of contact makes of it, beside the optimum in closed form.

    python docs/examples/push_controls.py            print the table
    python docs/examples/push_controls.py --write    write it to docs/contact.md, the curves to docs/push.png

The tasks are those of Zhong, Han, Dey, Brikis (L4DC 2023), the scene `push`: a disc is pushed so that it
strikes another to the goal. By the calculus of variations the best push is linear in time up to the collision
and then nothing, so the cost is a function of the instant s of the collision and the angle of its normal alone.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys import Circles, Lines, Picture, Polyline, Problem, Text, descend, find_scene

DOCS = Path(__file__).parents[1]
EFFORT, RADIUS, WALL = 0.01, 0.2, 1.0
RULES = ("naive", "compliant", "toi-position", "toi-velocity", "events")
STARTS = {
    "single": ((-1.0, -2.0), (-1.0, -1.0)),
    "several": ((0.25, -0.3), (-0.5, 0.6)),
}


# ------------------------------------------------------------------------------ the closed form


def plan(s: Any, angle: Any, starts: Any) -> tuple[Any, Any, Any, Any]:
    """The cost of a collision at the time s with a normal at that angle, the push a + b t that leads to it, and
    the speed along the normal with which it strikes."""
    first, second = np.array(starts)
    normal, across = (
        ra.array([ra.cos(angle), ra.sin(angle)]),
        ra.array([-ra.sin(angle), ra.cos(angle)]),
    )
    d = second - first - 2 * RADIUS * normal
    left = 1 - s
    along = -(s**2 * left * ra.dot(second, normal) - 6 * EFFORT * ra.dot(d, normal)) / (
        4 * EFFORT * s + s**2 * left**2
    )
    v = along * normal + 1.5 * ra.dot(d, across) / s * across
    miss = second + left * along * normal
    effort = 12 * ra.dot(d, d) / s**3 + 4 * ra.dot(v, v) / s - 12 * ra.dot(v, d) / s**2
    a, b = 6 * d / s**2 - 2 * v / s, 6 * v / s**2 - 12 * d / s**3
    return ra.dot(miss, miss) + EFFORT * effort, a, b, along


@dataclass(frozen=True)
class Optimum:
    """The least cost, when and at which angle the discs meet, and the push in each of n steps (n, 2)."""

    cost: float
    time: float
    angle: float
    push: np.ndarray[Any, Any]


@cache
def optimum(task: str, steps: int = 480) -> Optimum:
    """The best collision, from the best of a grid by Newton's method."""
    starts = np.array(STARTS[task])
    if task == "several":  # mirrored at the wall, the struck disc goes straight to the goal
        starts[:, 1] = 2 * (WALL - RADIUS) - starts[:, 1]

    planned = ra.fn(lambda p: plan(p[0], p[1], starts))
    cost = ra.fn(lambda p: plan(p[0], p[1], starts)[0])
    grid = [np.array([s, a]) for s in np.linspace(0.2, 0.8, 31) for a in np.linspace(0, 6.2, 63)]
    struck = [p for p in grid if planned(p)[3] > 0]  # else the discs would pass through each other
    p = min(struck, key=lambda p: float(cost(p)))
    for _ in range(8):
        p = p - np.linalg.solve(ra.hessian(cost)(p), ra.grad(cost)(p))
    least, a, b, _ = planned(p)
    t = (np.arange(steps) + 0.5)[:, None] / steps
    push = np.where(t < p[0], a + b * t, 0.0)
    if task == "several":
        push[:, 1] *= -1
    return Optimum(float(least), float(p[0]), float(p[1]), push)


# ----------------------------------------------------------------------------------- descent


@cache
def problem(task: str, contact: str) -> Problem:
    return Problem(find_scene("push", {"task": task, "contact": contact}))


@cache
def descended(task: str, contact: str) -> tuple[float, np.ndarray[Any, Any]]:
    """The cost and the push (480, 2) at which the scene's own descent ends with a rule."""
    solved = problem(task, contact)
    how = {name: getattr(solved.scene, name) for name in ("iterations", "rate", "optimizer")}
    *_, last = descend(solved, **how)
    return last.loss, last.values["push"]


def truly(task: str, push: np.ndarray[Any, Any]) -> float:
    """The cost of a push in the exact motion."""
    exact = problem(task, "events")
    return exact.loss({**exact.values, "push": push})


def table() -> str:
    """What each rule comes to in each task, in Markdown."""
    heads = (f"{task}: its cost | in the exact motion | above the optimum" for task in STARTS)
    rows = [f"| rule | {' | '.join(heads)} |", "| --- |" + " --- |" * 3 * len(STARTS)]
    best = (f"| {optimum(task).cost:.10f} | " for task in STARTS)
    rows.append(f"| *closed form* | {' | '.join(best)} |")
    for rule in RULES:
        cells = []
        for task in STARTS:
            cost, push = descended(task, rule)
            exact = truly(task, push)
            above = exact / optimum(task).cost - 1
            cells.append(f"{cost:.4f} | {exact:.4f} | {100 * above:.1f} %")
        rows.append(f"| {rule} | {' | '.join(cells)} |")
    return "\n".join(rows)


# ------------------------------------------------------------------------------------ the figure

WIDTH, HEIGHT, GAP = 1.0, 0.62, 0.2  # of a panel, and between panels
LIMIT = 13.0  # of the push that is shown
SHADES = {
    "naive": "bad",
    "compliant": "good",
    "toi-position": "second",
    "toi-velocity": "accent",
    "events": "third",
}


def panel(left: float, low: float, title: str, curves: dict[str, Any]) -> list[Any]:
    """A panel with curves of one component over time, by colour."""

    def at(t: Any, u: Any) -> Any:
        height = low + HEIGHT * (np.clip(u, -LIMIT, LIMIT) / LIMIT + 1) / 2
        return np.stack(
            [left + WIDTH * np.asarray(t, float), np.broadcast_to(height, np.shape(t))], 1
        )

    shapes: list[Any] = [
        Text((left + WIDTH / 2, low + HEIGHT + 0.05), title, "text", 17.0),
    ]
    for level in (-10, -5, 0, 5, 10):
        line = at([0.0, 1.0], level)
        shapes.append(Lines(line[:1], line[1:], "faint" if level == 0 else "line", 1.5))
        shapes.append(Text(line[0] - (0.05, 0.0), f"{level}".replace("-", "\N{MINUS SIGN}"), "dim"))
    for t in (0.0, 0.5, 1.0):
        shapes.append(Text(at([t], -LIMIT)[0] - (0.0, 0.035), f"{t:g} s", "dim"))
    for shade, u in curves.items():
        t = (np.arange(len(u)) + 0.5) / len(u)
        best = shade == "text"
        shapes.append(Polyline(at(t, u), shade, 4.0 if best else 2.0, dashed=best))
    return shapes


def figure() -> Picture:
    """The push each rule comes to beside the best one: a row a task, a column a component."""
    shapes: list[Any] = []
    for row, task in enumerate(STARTS):
        for column, name in enumerate("xy"):
            curves = {SHADES[rule]: descended(task, rule)[1][:, column] for rule in SHADES}
            curves["text"] = optimum(task).push[:, column]
            left, low = column * (WIDTH + GAP), -row * (HEIGHT + GAP)
            shapes += panel(left, low, f"{task}: push along {name}", curves)
    low = -(HEIGHT + GAP) - 0.16
    for k, (name, shade) in enumerate({**SHADES, "closed form": "text"}.items()):
        place = (0.38 * k, low)
        shapes.append(Circles((place,), 0.014, (shade,), style="disc"))
        shapes.append(Text((place[0] + 0.03 + 0.0085 * len(name), low), name, shade, 16.0))
    return Picture(tuple(shapes), (-0.1, low - 0.03, 2 * WIDTH + GAP, HEIGHT + 0.08))


def draw(path: Path, size: tuple[int, int] = (1200, 860)) -> None:
    """Write the figure as a PNG."""
    from rosephys.drawing.paint import backdrop, paint_shapes
    from rosephys.sdl import pygame

    surface = pygame.Surface(size, 0, 32)
    picture = figure()
    paint_shapes(surface, picture, backdrop(surface, picture, surface.get_rect(), size[1] / 720))
    pygame.image.save(surface, str(path))


def main(write: bool = False) -> None:
    if not write:
        print(table())
        return
    page = DOCS / "contact.md"
    before, rest = page.read_text(encoding="utf-8").split("<!-- push -->")
    after = rest.split("<!-- end of push -->")[1]
    text = f"{before}<!-- push -->\n\n{table()}\n\n<!-- end of push -->{after}"
    page.write_text(text, encoding="utf-8")
    draw(DOCS / "push.png")


if __name__ == "__main__":
    main("--write" in sys.argv[1:])
