"""A described world as a scene: what follows from it, by which names, and what is said of one that cannot
be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, SceneError, control, parameter
from rosephys.errors import describe
from rosephys.worlds import Plan, WorldScene, box, capsule, circle, polygon

G = 9.81
Said = Callable[[Plan], None]


def scene(said: Said, **more: Any) -> WorldScene:
    """A scene of what is said."""
    kind = type("Some", (WorldScene,), {"world": lambda self, w: said(w), "steps": 10, **more})
    made: WorldScene = kind()
    return made


def final(made: WorldScene, steps: int, look: Callable[[Any], Any]) -> Any:
    """What is seen after so many steps."""

    def run() -> Any:
        return look(ra.fori_loop(0, steps, lambda t, s: made.step(s, t), made.initial()))

    return ra.fn(run)()


class Swing(WorldScene):
    """Swing a bob to the goal."""

    steps: int = parameter(60, "number of time steps")
    goal = parameter((0.7, -0.7), "where it should be", handle=True)
    push = control(1.0, "spin at the start", unit="rad/s")
    long = control(1.0, "of the rod", unit="m")
    wide = control(0.2, "of the bob", unit="m")

    def world(self, w: Plan) -> None:
        w.body("bob", box(self.wide, 0.1), (0.0, -self.long), velocity=(self.push * self.long, 0.0))
        w.rod("rod", "world", "bob", ((0.0, 0.0), (0.0, -self.long)))
        w.goal("bob", self.goal)


def test_a_world_is_a_scene() -> None:
    """All that scenes have follows from it: a gradient by sizes, lengths and speeds, a picture, tracks,
    handles."""
    problem = Problem(Swing())
    loss, gradient = problem.value_and_gradient({})
    for name in ("push", "long", "wide"):
        ends = [problem.loss({name: getattr(Swing(), name) + d}) for d in (1e-5, -1e-5)]
        assert gradient[name] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6, abs=1e-9)
    assert loss > 0 and Swing.fields["goal"].handle
    made = Swing()
    shapes, track = ra.fn(
        lambda: (len(made.picture(made.initial()).shapes), made.tracks(made.initial())[0].point)
    )()
    assert shapes == 3 and track == pytest.approx([0.0, -1.0])


def test_what_is_seen_has_names() -> None:
    def said(w: Plan) -> None:
        w.ground()
        w.body("ball", circle(0.1), (0.0, 0.1), mass=2.0, velocity=(1.0, 0.0), friction=0.0)
        w.body("lamp", circle(0.1), (3.0, 1.0), mass=3.0)
        w.rod("cord", "world", "lamp", ((3.0, 2.0), (3.0, 1.0)))
        w.trigger("gate", "ball", (1.0, 0.1), 0.25)

    def look(s: Any) -> Any:
        gate = s["gate"]
        return (
            s["ball"].position,
            s["cord"].force,
            s["cord"].value,
            gate.touched,
            gate.time,
            s.pressed("ball", "ground"),
        )

    at, force, off, touched, time, pressed = final(scene(said), 240, look)
    assert at == pytest.approx([1.0, 0.1], abs=1e-9)
    assert force == pytest.approx(-3.0 * G, rel=1e-9) and abs(off) < 1e-12
    assert touched == 1 and time == pytest.approx(0.75, abs=1e-9)
    assert pressed == pytest.approx(2.0 * G / 240, rel=1e-9)


def test_what_drives() -> None:
    """Motors, servos, ropes and fixed bodies do what `drive` says, of the state and the step."""

    def said(w: Plan) -> None:
        w.fixed("lift", box(1.0, 0.2), (0.0, -0.1))
        w.body("box", box(0.3, 0.3), (0.0, 0.15))
        w.body("wheel", circle(0.3), (3.0, 0.0))
        w.hinge("axle", "world", "wheel", (3.0, 0.0))
        w.motor("engine", "axle", 0.0)
        w.body("arm", capsule(0.5, 0.1), (6.0, 0.0))
        w.hinge("elbow", "world", "arm", (5.75, 0.0))
        w.servo("muscle", "elbow", 0.0, stiffness=200.0, damping=20.0)
        w.body("load", circle(0.1), (9.0, 0.0))
        w.rope("cable", "world", "load", ((9.0, 1.0), (9.0, 0.0)))

    def drive(self: Any, state: Any, t: Any) -> dict[str, Any]:
        lift = ra.array([0.0, ra.where(state["box"].position[1] < 0.3, 0.5, 0.0), 0.0])
        return {"lift": lift, "engine": 4.0, "muscle": 0.6, "cable": 1.5}

    def look(s: Any) -> Any:
        return s["box"].position, s["wheel"].spin, s["arm"].angle, s["load"].position

    box_at, spin, angle, load = final(scene(said, drive=drive), 480, look)
    assert box_at[1] == pytest.approx(0.3, abs=0.01)
    assert spin == pytest.approx(4.0, abs=1e-9)
    assert angle == pytest.approx(0.6, abs=0.02)
    assert load[1] == pytest.approx(-0.5, abs=0.01)


def test_a_wheel_on_its_fork_rolls() -> None:
    def said(w: Plan) -> None:
        w.ground(friction=1.0)
        w.body("frame", box(1.0, 0.2), (0.0, 0.8), mass=10.0)
        for name, x in (("rear", -0.4), ("front", 0.4)):
            w.body(name, circle(0.2), (x, 0.2), mass=1.0, friction=1.0)
            w.groove(f"{name} fork", "frame", name, (x, 0.2), (0.0, 1.0), limits=(-0.1, 0.2))
            w.spring(f"{name} spring", "frame", name, ((x, 0.9), (x, 0.2)), 800.0, 40.0)
        w.motor("engine", "rear fork", -5.0, strength=20.0)

    def look(s: Any) -> Any:
        return s["front"].velocity, s["front"].spin, s["rear spring"].force, s["frame"].angle

    velocity, spin, force, angle = final(scene(said), 960, look)
    assert velocity == pytest.approx([-0.2 * spin, 0.0], abs=1e-3)
    assert spin == pytest.approx(-5.0, rel=0.02)
    assert force == pytest.approx(5.0 * G, rel=0.05) and abs(angle) < 0.05


def test_groups_and_passing_do_not_touch() -> None:
    def said(w: Plan) -> None:
        w.ground()
        w.body("a", circle(0.2), (0.0, 0.2), group="team")
        w.body("b", circle(0.2), (0.1, 0.2), group="team")
        w.body("c", circle(0.2), (0.2, 0.2))
        w.passes("a", "c")
        w.passes("b", "c")
        w.body("ghost", circle(0.2), (5.0, 0.1), collides=False)

    def look(s: Any) -> Any:
        return s["a"].position[0], s["b"].position[0], s["ghost"].position[1]

    a, b, ghost = final(scene(said), 60, look)
    assert (a, b) == pytest.approx((0.0, 0.1), abs=1e-12)
    assert ghost == pytest.approx(0.1 - 0.5 * G * 0.25**2, rel=1e-9)


# ------------------------------------------------------------------------------- what cannot be


def pair(w: Plan) -> None:
    w.body("arm", box(1.0, 0.1), (0.0, 0.0))
    w.body("leg", box(1.0, 0.1), (0.0, 2.0))


WRONG: dict[str, tuple[Said, str]] = {
    "nothing": (lambda w: None, "there are no bodies"),
    "two of one name": (lambda w: (pair(w), w.body("arm", circle(1.0), (5.0, 5.0)))[0], "'arm'"),
    "no such body": (
        lambda w: (pair(w), w.hinge("pin", "arn", "leg", (0.0, 0.0)))[0],
        "there is no body 'arn'; did you mean arm",
    ),
    "no such joint": (
        lambda w: (pair(w), w.motor("engine", "axle", 1.0))[0],
        "there is no joint 'axle'",
    ),
    "of itself": (
        lambda w: (pair(w), w.hinge("pin", "arm", "arm", (0.0, 0.0)))[0],
        "'pin' joins 'arm' to itself",
    ),
    "of two fixed": (
        lambda w: (w.ground(), w.weld("pin", "world", "ground"))[1],
        "which are both fixed",
    ),
    "no mass": (
        lambda w: (w.body("a", circle(1.0), (0, 0), mass=0.0), None)[1],
        "'a' has the mass 0",
    ),
    "no density": (lambda w: (w.body("a", circle(1.0), (0, 0), density=0.0), None)[1], "density"),
    "a flat polygon": (
        lambda w: (w.body("a", polygon([[0, 0], [1, 0], [2, 0]]), (0, 0)), None)[1],
        "is no turn to the left",
    ),
    "no shape": (lambda w: (w.body("a", 1.0, (0, 0)), None)[1], "'a' has the shape 1.0"),  # type: ignore[arg-type]
    "no place": (
        lambda w: (w.body("a", circle(1.0), 3.0), None)[1],
        "'a': at is 3.0; wanted a point",
    ),
    "no name": (lambda w: (w.body("", circle(1.0), (0, 0)), None)[1], "a name is ''"),
    "overlap": (
        lambda w: (w.ground(), w.body("a", box(1.0, 1.0), (0.0, 0.3)), None)[2],
        "'ground' and 'a' overlapping by 0.2 m",
    ),
    "limits": (
        lambda w: (pair(w), w.hinge("pin", "arm", "leg", (0.0, 0.0), (1.0, -1.0)))[0],
        "wanted the lower first",
    ),
    "stiffness": (
        lambda w: (pair(w), w.spring("s", "arm", "leg", ((0.0, 0.0), (0.0, 2.0)), -1.0))[0],
        "'s': Row: stiffness is -1.0",
    ),
    "no length": (
        lambda w: (pair(w), w.rod("r", "arm", "leg", ((0.0, 0.0), (0.0, 0.0))))[0],
        "both ends in one place",
    ),
    "no axis": (
        lambda w: (pair(w), w.slider("r", "arm", "leg", (0.0, 0.0), (0.0, 0.0)))[0],
        "wanted a direction",
    ),
    "a rope drives": (
        lambda w: (pair(w), w.rope("r", "arm", "leg", ((0, 0), (0, 2))), w.motor("m", "r", 1.0))[0],
        "'m' drives 'r', a rope; wanted a hinge",
    ),
    "too many": (
        lambda w: [w.body(f"b{k}", circle(0.1), (k, 0.0)) for k in range(500)] and None,
        "give those that need not touch each other one group",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_told(name: str) -> None:
    said, told = WRONG[name]
    with pytest.raises(SceneError) as caught:
        scene(said)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (lambda s: s["arn"].angle, "nothing is named 'arn'; did you mean arm"),
        (lambda s: s.pressed("arm", "arn"), "nothing is named 'arn'"),
        (lambda s: s.pressed("arm", "leg"), "'arm' and 'leg' do not touch"),
    ],
)
def test_a_name_that_is_none_is_told(look: Callable[[Any], Any], told: str) -> None:
    def said(w: Plan) -> None:
        pair(w)
        w.passes("arm", "leg")

    with pytest.raises(SceneError) as caught:
        final(scene(said), 1, look)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("driven", "told"),
    [
        ({"ar": 1.0}, "nothing is named 'ar'"),
        ({"arm": 1.0}, "'arm' is not fixed"),
        ({"pin": 1.0}, "'pin' is a hinge; wanted a motor"),
        ({"engine": (1.0, 2.0)}, "'engine' is given"),
        (3.0, "drive returned 3.0; wanted values by name"),
    ],
)
def test_what_cannot_be_driven_is_told(driven: Any, told: str) -> None:
    def said(w: Plan) -> None:
        pair(w)
        w.hinge("pin", "arm", "leg", (0.0, 1.0))
        w.motor("engine", "pin", 1.0)

    with pytest.raises(SceneError) as caught:
        final(scene(said, drive=lambda self, state, t: driven), 1, lambda s: s["arm"].angle)
    assert told in str(caught.value)


def test_the_line_is_told() -> None:
    class Arm(WorldScene):
        def world(self, w: Plan) -> None:
            pair(w)
            w.weld("glue", "arm", "lge")

    with pytest.raises(SceneError) as caught:
        Arm()
    assert 'w.weld("glue", "arm", "lge")' in describe(caught.value)


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_bodies_that_need_not_touch_run(count: int) -> None:
    """They are one group, so that none touches another."""

    def said(w: Plan) -> None:
        for k in range(count):
            w.body(f"b{k}", circle(0.1), (float(k), 0.0), group="rain")

    at = final(scene(said), 24, lambda s: s.bodies.position)
    assert at[:, 1] == pytest.approx(np.full(count, -0.5 * G * 0.01), rel=1e-9)
