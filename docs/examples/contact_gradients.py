"""Rules of contact against closed forms: what each gets right of a motion, and of its derivative.

    python docs/examples/contact_gradients.py            print the tables
    python docs/examples/contact_gradients.py --write    put them into docs/contact.md

Every case has one or two discs of radius 0.1 and mass 1, and asks for one number at the end and its derivative
by one number at the start. A ball over a ground is a disc and its mirror image: they meet where the ball meets
the ground, and what one gains in a collision of the two is what the ball gains from the ground. The models of
rigid bodies have cases of their own, with a ground that is a body.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import rose_ad as ra
from rosephys.physics.contact.discs import RULES
from rosephys.physics.contact.events import Event, advance
from rosephys.physics.mechanics.integrators import verlet
from rosephys.physics.rigid.bodies import Bodies, Body, World
from rosephys.physics.rigid.models import MODELS
from rosephys.physics.rigid.shapes import box, circle
from rosephys.physics.robots.ground import advance_over_ground

PAGE = Path(__file__).parents[1] / "contact.md"
RADIUS, DT, G = 0.1, 0.002, 9.81
SLOPE = math.radians(30)
UNTOLD = "toi-velocity, without acceleration"  # the same as toi-velocity where nothing accelerates


@dataclass(frozen=True)
class Case:
    """A number at the time `time` as a function of a number p near `at`.

    `start(p)` are positions, velocities, accelerations (2, 2) and the restitution; `end(x)` is the number, of
    the final positions; `exact(p)` is it in closed form, for complex p too; `pushed` says that something
    accelerates.
    """

    name: str
    at: float
    time: float
    start: Callable[[Any], tuple[Any, Any, Any, Any]]
    end: Callable[[Any], Any]
    exact: Callable[[Any], Any]
    pushed: bool = False

    @property
    def truth(self) -> tuple[float, float]:
        """The value and the derivative in closed form, the latter by a complex step."""
        moved = self.exact(self.at + 1e-30j)
        return float(moved.real), float(moved.imag / 1e-30)


# ------------------------------------------------------------------------------------------ cases


def above_ground(h: Any, v: Any, g: Any, e: Any, normal: Any = (0.0, 1.0), fall: Any = None) -> Any:
    """A ball at the height h over a plane through 0, with speed v along the normal, and its mirror image.

    `fall` is its acceleration, -g along the normal unless given.
    """
    n = np.array(normal)
    fall = -g * n if fall is None else fall
    mirror = np.eye(2) - 2 * np.outer(n, n)

    def both(a: Any) -> Any:
        return ra.stack([a, mirror @ a])

    return both((h + RADIUS) * n), both(v * n), both(ra.array(fall)), e


def height(x: Any) -> Any:
    """Of the first ball over level ground."""
    return x[0, 1] - RADIUS


def bounced(h: Any, v: Any, g: Any, e: Any, time: float, bounces: int = 1) -> Any:
    """The height of a ball after that many bounces."""
    if g == 0:
        return -e * (h + v * time)
    impact = np.sqrt(v * v + 2 * g * h)
    left = time - (v + impact) / g - sum(2 * e**k * impact / g for k in range(1, bounces))
    return e**bounces * impact * left - g * left * left / 2


def flat(name: str, at: float, by: str, time: float, bounces: int = 1, **known: float) -> Case:
    """A ball over level ground, its height as a function of one of h, v, g and e."""
    return Case(
        name,
        at,
        time,
        lambda p: above_ground(**{**known, by: p}),
        height,
        lambda p: bounced(**{**known, by: p}, time=time, bounces=bounces),
        known.get("g") != 0,
    )


def strike(b: Any, gap: Any, speed: float, e: float) -> Any:
    """A disc comes along x with impact parameter b and meets one at rest."""
    x = ra.array([ra.array([0.0, b]), ra.array([gap + 2 * RADIUS, 0.0])])
    return x, np.array([[speed, 0.0], [0.0, 0.0]]), np.zeros((2, 2)), e


def struck(b: Any, gap: Any, speed: float, e: float, time: float) -> Any:
    """Where the second disc is at the end."""
    s = b / (2 * RADIUS)
    c = np.sqrt(1 - s * s)
    impact = (gap + 2 * RADIUS * (1 - c)) / speed
    away = (time - impact) * (1 + e) / 2 * speed * c
    return np.array([gap + 2 * RADIUS + away * c, -away * s])


DOWNHILL, UPWARD = (math.cos(SLOPE), -math.sin(SLOPE)), (math.sin(SLOPE), math.cos(SLOPE))


def dropped_on_slope(h: Any) -> Any:
    """A ball that is let go at the distance h from a slope."""
    return above_ground(h, 0.0, 0.0, 0.8, UPWARD, np.array([0.0, -G]))


def height_on_slope(h: Any) -> Any:
    away = bounced(h, 0.0, G * math.cos(SLOPE), 0.8, 0.8) + RADIUS
    along = G * math.sin(SLOPE) * 0.8**2 / 2
    return away * UPWARD[1] + along * DOWNHILL[1]


CASES = (
    flat("no gravity, e = 1: height by height", 1.0, "h", 0.9, v=-2.0, g=0.0, e=1.0),
    flat("no gravity, e = 0.8: height by height", 1.0, "h", 0.9, v=-2.0, g=0.0, e=0.8),
    flat("no gravity, e = 0: height by height", 1.0, "h", 0.9, v=-2.0, g=0.0, e=0.0),
    flat("gravity: height by height", 2.0, "h", 1.0, v=0.3, g=G, e=0.8),
    flat("gravity: height by speed", 0.3, "v", 1.0, h=2.0, g=G, e=0.8),
    flat("gravity: height by restitution", 0.8, "e", 1.0, h=2.0, v=0.3, g=G),
    flat("ten bounces, e = 0.9: height by height", 2.0, "h", 8.0, 10, v=0.3, g=G, e=0.9),
    Case(
        "onto a slope of 30°: height by distance",
        1.0,
        0.8,
        dropped_on_slope,
        lambda x: x[0, 1],
        height_on_slope,
        True,
    ),
    Case(
        "head-on, e = 0.8: second disc's x by gap",
        0.57,
        1.5,
        lambda p: strike(0.0, p, 1.3, 0.8),
        lambda x: x[1, 0],
        lambda p: struck(0.0, p, 1.3, 0.8, 1.5)[0],
    ),
    Case(
        "head-on, e = 0: second disc's x by gap",
        0.57,
        1.5,
        lambda p: strike(0.0, p, 1.3, 0.0),
        lambda x: x[1, 0],
        lambda p: struck(0.0, p, 1.3, 0.0, 1.5)[0],
    ),
    Case(
        "glancing, e = 1: second disc's y by offset",
        0.12,
        1.5,
        lambda p: strike(p, 0.57, 1.3, 1.0),
        lambda x: x[1, 1],
        lambda p: struck(p, 0.57, 1.3, 1.0, 1.5)[1],
    ),
    Case(
        "grazing, e = 1: second disc's x by offset",
        0.19,
        1.5,
        lambda p: strike(p, 0.57, 1.3, 1.0),
        lambda x: x[1, 0],
        lambda p: struck(p, 0.57, 1.3, 1.0, 1.5)[0],
    ),
)


# ------------------------------------------------------------------------------------------ rules


def rule_step(name: str, told: bool = True) -> Callable[..., tuple[Any, Any]]:
    """A step with one of `physics.contact.discs`: velocities first, then the collisions.

    `told` is whether the rule gets the acceleration, too.
    """

    def step(x: Any, v: Any, a: Any, e: Any, dt: float) -> tuple[Any, Any]:
        v = v + dt * a
        dv, dx = RULES[name](x, v, RADIUS, e, dt, a if told else None)
        v = v + dv
        return x + dx + dt * v, v

    return step


def event_step(x: Any, v: Any, a: Any, e: Any, dt: float) -> tuple[Any, Any]:
    """A step with `physics.events`: exact free flight, and the instant at which the two discs touch."""

    def flow(state: Any, time: Any) -> Any:
        return verlet(lambda *_: a, *state, time)

    def gap(state: Any) -> Any:
        return ra.norm(state[0][0] - state[0][1]) - 2 * RADIUS

    def collide(state: Any) -> Any:
        x, v = state
        normal = (x[0] - x[1]) / ra.norm(x[0] - x[1])
        impulse = -(1 + e) / 2 * ra.dot(normal, v[0] - v[1]) * normal
        return x, ra.stack([v[0] + impulse, v[1] - impulse])

    moved: tuple[Any, Any] = advance(flow, (Event(gap, collide, flow_together),), (x, v), dt)
    return moved


def flow_together(state: Any, time: Any) -> Any:
    """Discs at rest on each other go on with what they have in common."""
    x, v = state
    mean = 0.5 * (v[0] + v[1])
    return x + time * mean, ra.stack([mean, mean])


STEPS: dict[str, Callable[..., tuple[Any, Any]]] = {
    "naive": rule_step("naive"),
    "compliant": rule_step("compliant"),
    "toi-position": rule_step("toi-position"),
    UNTOLD: rule_step("toi-velocity", told=False),
    "toi-velocity": rule_step("toi-velocity"),
    "events": event_step,
}


def rules_for(case: Case) -> list[str]:
    """The rules that differ in this case."""
    return [rule for rule in STEPS if case.pushed or rule != UNTOLD]


@cache
def measured(case: Case, rule: str, dt: float = DT) -> tuple[float, float]:
    """The value and the derivative that a rule gives."""

    @ra.fn
    def end(p: ra.Real) -> Any:
        x, v, a, e = case.start(p)
        steps = round(case.time / dt)
        step = STEPS[rule]
        return case.end(ra.fori_loop(0, steps, lambda _, s: step(*s, a, e, dt), (x, v))[0])

    value, derivative = ra.jvp(end, (case.at,), (1.0,))
    return float(value), float(derivative)


# ----------------------------------------------------------------------------------------- tables


def number(x: float) -> str:
    """Five digits; below 1e-6 it is 0."""
    return f"{x:.5g}" if abs(x) > 1e-6 else "0"


def error(x: float, exact: float) -> str:
    """An absolute error, in one digit."""
    return f"{abs(x - exact):.0e}" if abs(x - exact) > 1e-9 else "< 1e-9"


def sign(x: float, exact: float) -> str:
    """Whether a derivative points where the true one does."""
    if abs(exact) <= 1e-9:
        return "right" if abs(x) <= 1e-4 else "not zero"
    if abs(x) <= 1e-6 * abs(exact):
        return "lost"
    return "right" if x * exact > 0 else "**WRONG**"


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def gradient_table() -> Iterator[str]:
    """Each rule in each case."""
    yield row("case", "rule", "value", "error", "derivative", "error", "sign")
    yield row(*["---"] * 7)
    for case in CASES:
        value, slope = case.truth
        yield row(case.name, "*closed form*", number(value), "", number(slope), "", "")
        for rule in rules_for(case):
            v, s = measured(case, rule)
            yield row(
                "", rule, number(v), error(v, value), number(s), error(s, slope), sign(s, slope)
            )


def step_table() -> Iterator[str]:
    """The derivative in three cases, with ever smaller steps."""
    steps = (0.01, 0.0004, 0.00001)
    yield row("case", "rule", *(f"dt = {dt:g}" for dt in steps), "closed form")
    yield row(*["---"] * (3 + len(steps)))
    for case in (CASES[1], CASES[3], CASES[10]):
        for k, rule in enumerate(rules_for(case)):
            slopes = (number(measured(case, rule, dt)[1]) for dt in steps)
            yield row(case.name if k == 0 else "", rule, *slopes, number(case.truth[1]))


def landed(h: Any, at_impact: bool) -> Any:
    """How far a point comes that falls from the height h at speeds (1, -2) and sticks to the ground."""

    def step(_: Any, state: Any) -> Any:
        x, v = state
        if at_impact:
            return advance_over_ground(x, v, 0.0, DT)
        lands = x[0, 1] + DT * v[0, 1] < 0
        return x + ra.where(lands, 0.0, DT) * v, ra.where(lands, 0.0, 1.0) * v

    start = ra.array([ra.array([0.0, h])]), np.array([[1.0, -2.0]])
    return ra.fori_loop(0, round(0.9 / DT), step, start)[0][0, 0]


def ground_table() -> Iterator[str]:
    """A point that lands on sticky ground (`physics.ground`) after the time h / 2."""
    yield row("rule", "where it lands", "error", "derivative by height", "error", "sign")
    yield row(*["---"] * 6)
    yield row("*closed form*", "0.5", "", "0.5", "", "")
    for name, at_impact in (("stopped by the end of the step", False), ("time of impact", True)):
        f = ra.fn(lambda h, at_impact=at_impact: landed(h, at_impact))
        v, s = ra.jvp(f, (1.0,), (1.0,))
        yield row(name, number(v), error(v, 0.5), number(s), error(s, 0.5), sign(s, 0.5))


# -------------------------------------------------------------------------- models of rigid bodies


@cache
def falling(model: str) -> ra.Fn:
    """The height after a second of a ball over the ground: of its height, speed, gravity and restitution."""

    @ra.fn
    def height(p: Any) -> Any:
        h, v, g, e = p[0], p[1], p[2], p[3]
        ground = Body(box(40.0, 2.0), fixed=True, friction=0.0, restitution=e)
        ball = Body(circle(RADIUS), friction=0.0, restitution=e)
        world = World([ground, ball], gravity=ra.array([0.0, -g]))
        x = ra.array([np.array([0.0, -1.0]), ra.array([0.0, h + RADIUS])])
        start = world.at(x, np.zeros(2), ra.array([np.zeros(2), ra.array([0.0, v])]))
        return after_a_second(model, world, start).position[1, 1] - RADIUS

    return height


@cache
def sliding(model: str) -> ra.Fn:
    """How far a box has slid on the ground after a second: of its speed."""

    @ra.fn
    def way(p: Any) -> Any:
        world = World([Body(box(40.0, 2.0), fixed=True), Body(box(0.5, 0.4))])
        start = world.at(
            np.array([[0.0, -1.0], [0.0, 0.2]]),
            np.zeros(2),
            ra.array([np.zeros(2), ra.array([p[0], 0.0])]),
        )
        return after_a_second(model, world, start).position[1, 0]

    return way


def after_a_second(model: str, world: World, start: Bodies) -> Bodies:
    end: Bodies = ra.fori_loop(0, round(1 / DT), lambda _, s: MODELS[model](world, s, DT), start)
    return end


def slid(p: Any) -> Any:
    """The way v²/2μg with the friction 0.5 of a body that is not told another."""
    return p[0] * p[0] / G


@dataclass(frozen=True)
class ModelCase:
    """A number after a second as a function of p, of which one entry is varied, and in closed form."""

    name: str
    end: Callable[[str], ra.Fn]
    exact: Callable[[Any], Any]
    at: tuple[float, ...]
    by: int = 0


def height_of(p: Any) -> Any:
    return bounced(*p, 1.0) if p[3] != 0 else 0.0 * p[0]


MODEL_CASES = (
    ModelCase("no gravity, e = 0.8: height by height", falling, height_of, (1.0, -2.0, 0.0, 0.8)),
    ModelCase("gravity, e = 0.8: height by height", falling, height_of, (2.0, 0.3, G, 0.8)),
    ModelCase("gravity, e = 0.8: height by restitution", falling, height_of, (2.0, 0.3, G, 0.8), 3),
    ModelCase("lands, e = 0: height by height", falling, height_of, (2.0, 0.3, G, 0.0)),
    ModelCase("a box slides to rest: way by speed", sliding, slid, (1.5,)),
)


@cache
def modelled(case: ModelCase, model: str) -> tuple[float, float]:
    """The value and the derivative that a model gives."""
    along = np.eye(len(case.at))[case.by]
    value, slope = ra.jvp(case.end(model), (np.array(case.at),), (along,))
    return float(value), float(slope)


def truth_of(case: ModelCase) -> tuple[float, float]:
    """The value and the derivative in closed form, the latter by a complex step."""
    p = [x + 1e-30j * (k == case.by) for k, x in enumerate(case.at)]
    moved = complex(case.exact(p))
    return moved.real, moved.imag / 1e-30


def model_table() -> Iterator[str]:
    """Each model of rigid bodies in each of its cases."""
    yield row("case", "model", "value", "error", "derivative", "error", "sign")
    yield row(*["---"] * 7)
    for case in MODEL_CASES:
        value, slope = truth_of(case)
        yield row(case.name, "*closed form*", number(value), "", number(slope), "", "")
        for model in MODELS:
            v, s = modelled(case, model)
            yield row(
                "", model, number(v), error(v, value), number(s), error(s, slope), sign(s, slope)
            )


TABLES = {
    "gradients": gradient_table,
    "steps": step_table,
    "ground": ground_table,
    "models": model_table,
}


def page_with(text: str, name: str, table: str) -> str:
    """The page with what is between the marks of a table replaced."""
    begin, end = f"<!-- {name} -->\n\n", f"\n<!-- end of {name} -->"
    before, rest = text.split(begin)
    return before + begin + table + "\n" + end + rest.split(end)[1]


def main(write: bool = False) -> None:
    text = PAGE.read_text(encoding="utf-8") if write else ""
    for name, lines in TABLES.items():
        table = "\n".join(lines())
        if write:
            text = page_with(text, name, table)
        else:
            print(table, end="\n\n")
    if write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main("--write" in sys.argv[1:])
