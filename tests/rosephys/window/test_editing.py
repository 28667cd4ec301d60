"""Editing in the window by real events: sliders, the list they are in, the optimiser, undo and redo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from rosephys.drawing.palette import colour
from rosephys.scene.fields import Field, parameter
from rosephys.scene.finding import find_scene, scene_class, scene_names
from rosephys.scene.optimizers import COMMON
from rosephys.scene.scene import Scene
from rosephys.sdl import pygame
from rosephys.solve.problem import Problem
from rosephys.window.history import LENGTH, History
from rosephys.window.scroll import Scroll
from rosephys.window.session import Phase, Session
from rosephys.window.slider import MOST, Slider, sliders_of
from rosephys.window.viewer import Window
from tests.support.window import Throw, ThrowProblem, key, mouse, session, turn

ITERATIONS = 15  # with which a stone's throw is solved to 1e-10
SETTLED = 30  # frames after which a gesture has been solved for, one iteration in each


def played(window: Window) -> Window:
    turn(window, frames=SETTLED)
    assert window.session.phase is Phase.PLAYING
    return window


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((900, 600), pygame.RESIZABLE)
    yield played(Window(session(iterations=ITERATIONS)))
    pygame.display.quit()


def wheel(notches: float) -> pygame.event.Event:
    whole = round(notches)
    return pygame.event.Event(pygame.MOUSEWHEEL, x=0, y=whole, precise_y=notches, flipped=False)


def control_key(code: int, shift: bool = False) -> pygame.event.Event:
    mod = pygame.KMOD_LCTRL | (pygame.KMOD_LSHIFT if shift else 0)
    return pygame.event.Event(pygame.KEYDOWN, key=code, mod=mod, unicode="")


def knob(window: Window, field: str, index: int = 0) -> tuple[float, float]:
    """Where a slider's knob is."""
    slider = sliders(window)[field][index]
    value = window.session.values[field].reshape(-1)[index]
    return window.panel.fields.place(field, index, slider.share(value))


def sliders(window: Window) -> dict[str, tuple[Slider, ...]]:
    return window.panel.fields.sliders


def drag_slider(window: Window, field: str, index: int, *shares: float) -> None:
    """Take a knob, bring it to these shares of its range, and let it go."""
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, knob(window, field, index)))
    for share in shares:
        place = window.panel.fields.place(field, index, share)
        turn(window, mouse(pygame.MOUSEMOTION, place))
    turn(window, mouse(pygame.MOUSEBUTTONUP, (1, 1)))


def resized(window: Window, size: tuple[int, int]) -> np.ndarray:
    pygame.display.set_mode(size, pygame.RESIZABLE)
    return turn(window, pygame.event.Event(pygame.VIDEORESIZE, size=size, w=size[0], h=size[1]))


# ---- Sliders ----


def test_a_slider_is_dragged_and_the_path_follows(window: Window) -> None:
    a = window.session
    turn(window, mouse(pygame.MOUSEMOTION, knob(window, "goal")))
    assert window.panel.fields.hovered == sliders(window)["goal"][0]
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, knob(window, "goal")))
    assert a.dragging == "goal" and a.values["goal"][0] == 0.8, "a knob that is taken does not jump"
    for k in range(1, 11):
        place = window.panel.fields.place("goal", 0, 0.6 - 0.01 * k)
        before = turn(window)
        after = turn(window, mouse(pygame.MOUSEMOTION, place))
        middle = np.array(knob(window, "goal"))
        assert abs(middle[0] - place[0]) <= 1.5, "the knob is under the hand"
        assert (before[:, :600] != after[:, :600]).any(), "the scene follows"
        miss = a.tracks[0].point[-1] - a.values["goal"]
        assert np.hypot(*miss) < 0.05, "the path ends at the goal in every frame"
    assert a.values["goal"][1] == 0.6, "the other number stays"
    turn(window, mouse(pygame.MOUSEBUTTONUP, (300, 300)))
    assert a.dragging is None and window.panel.fields.held is None
    turn(window, frames=SETTLED)
    assert a.phase is Phase.PLAYING and a.losses[-1] < 1e-6


def test_a_click_beside_the_knob_brings_it_there(window: Window) -> None:
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, window.panel.fields.place("goal", 1, 0.25)))
    slider = sliders(window)["goal"][1]
    expected = slider.low + 0.25 * (slider.high - slider.low)
    assert window.session.values["goal"][1] == pytest.approx(expected, abs=0.03)


def test_a_slider_ends_at_the_bounds_and_gives_round_numbers(window: Window) -> None:
    a = window.session
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, knob(window, "speed")))
    for pixel, value in (((2000, 300), 2.0), ((-500, 300), -2.0)):
        turn(window, mouse(pygame.MOUSEMOTION, pixel))
        assert a.values["speed"][0] == value
    turn(window, mouse(pygame.MOUSEMOTION, window.panel.fields.place("speed", 0, 0.613)))
    assert a.values["speed"][0] == round(a.values["speed"][0], 3)


def test_a_control_is_where_the_hand_put_it_until_it_is_let_go(window: Window) -> None:
    a = window.session
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, knob(window, "speed", 1)))
    turn(window, mouse(pygame.MOUSEMOTION, window.panel.fields.place("speed", 1, 0.3)), frames=5)
    held = a.values["speed"].copy()
    np.testing.assert_allclose(a.tracks[0].point[-1], a.values["start"] + held)
    turn(window, mouse(pygame.MOUSEBUTTONUP, (1, 1)), frames=SETTLED)
    assert a.phase is Phase.PLAYING and a.losses[-1] < 1e-6, "then it is solved from there"
    turn(window, key(pygame.K_r))
    np.testing.assert_allclose(a.values["speed"], held, atol=0.2)


def test_the_wheel_moves_a_slider_in_one_gesture(window: Window) -> None:
    a, place = window.session, knob(window, "drag")
    slider = sliders(window)["drag"][0]
    turn(window, mouse(pygame.MOUSEMOTION, place))
    turn(window, wheel(1), frames=2)
    turn(window, wheel(2), frames=2)
    assert float(a.values["drag"]) == round(float(a.values["drag"]), 4), "a round number"
    step = (slider.high - slider.low) / 100
    assert a.values["drag"] == pytest.approx(3 * step) and a.dragging == "drag"
    turn(window, frames=40)
    assert a.dragging is None, "it rests, and is let go"
    turn(window, control_key(pygame.K_z))
    assert a.values["drag"] == 0 and "drag" in window.note
    turn(window, control_key(pygame.K_z))
    assert "nothing" in window.note


def test_a_key_or_a_click_ends_what_the_wheel_did(window: Window) -> None:
    a = window.session
    turn(window, mouse(pygame.MOUSEMOTION, knob(window, "drag")))
    turn(window, wheel(1))
    turn(window, mouse(pygame.MOUSEMOTION, (300, 300)))
    np.testing.assert_array_equal(a.values["goal"], (0.8, 0.6)), "the handle is not what is held"
    turn(window, control_key(pygame.K_z))
    assert a.dragging is None and a.values["drag"] == 0


class Many(Throw):
    fields: ClassVar = Throw.fields | {
        f"spare_{k}": Field(float(k), "not used", name=f"spare_{k}") for k in range(12)
    }


def with_many(window: Window) -> Window:
    problem: Any = ThrowProblem()
    problem.scene = Many()
    problem.values = {n: np.array(f.default, float) for n, f in Many.fields.items()}
    window.session = session(problem, ITERATIONS)
    return played(window)


@pytest.mark.parametrize("size", [(800, 500), (1200, 720), (1600, 960), (900, 420)])
def test_a_long_list_scrolls_and_leaves_the_keys_alone(
    window: Window, size: tuple[int, int]
) -> None:
    with_many(window)
    resized(window, size)
    fields, keys = window.panel.fields, window.panel.keys
    assert fields.scroll.needed and not fields.area.colliderect(keys)
    assert fields.area.bottom <= keys.top and keys.bottom <= size[1]

    def part(image: np.ndarray, area: pygame.Rect) -> np.ndarray:
        return image[area.top : area.bottom, area.left : area.right]

    turn(window, mouse(pygame.MOUSEMOTION, fields.area.midtop), key(pygame.K_HOME))
    top = turn(window, frames=12)
    end = turn(window, *[wheel(-1)] * 60, frames=2)
    assert fields.scroll.offset == pytest.approx(fields.scroll.length - fields.scroll.room)
    np.testing.assert_array_equal(part(top, keys), part(end, keys))
    assert (part(top, fields.area) != part(end, fields.area)).any()
    last = fields.place("spare_11", 0, 0.5)
    assert fields.area.collidepoint(last), "the last field can be reached"
    drag_slider(window, "spare_11", 0, 0.0)
    assert window.session.values["spare_11"] == 0


def test_the_scroll_bar_is_dragged(window: Window) -> None:
    with_many(window)
    fields = window.panel.fields
    x = fields.area.right - 8 * window.unit
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, (x, fields.area.top + 4)))
    turn(window, mouse(pygame.MOUSEMOTION, (x, fields.area.centery)))
    middle = fields.scroll.offset
    assert 0.3 < middle / (fields.scroll.length - fields.scroll.room) < 0.95
    turn(window, mouse(pygame.MOUSEMOTION, (x - 400, 5000)))
    assert fields.scroll.offset == fields.scroll.length - fields.scroll.room
    turn(window, mouse(pygame.MOUSEBUTTONUP, (5, 5)), mouse(pygame.MOUSEMOTION, (x, 0)))
    assert fields.scroll.offset > middle and window.session.dragging is None


def test_scrolling_changes_no_slider_that_comes_under_the_hand(window: Window) -> None:
    with_many(window)
    fields, before = window.panel.fields, dict(window.session.values)
    turn(window, mouse(pygame.MOUSEMOTION, (fields.area.left + 3, fields.area.top + 5)))
    turn(window, wheel(-1))
    for y in range(fields.area.top, fields.area.bottom, 7):
        turn(window, mouse(pygame.MOUSEMOTION, (fields.area.centerx, y)), wheel(-0.2))
    assert fields.scroll.offset > 50
    for name, value in before.items():
        np.testing.assert_array_equal(window.session.values[name], value)


def test_a_field_is_moved_in_a_compiled_scene(window: Window) -> None:
    problem = Problem(find_scene("billiards", {"layers": "1", "steps": "200", "dt": "0.008"}))
    window.session = Session(problem, 5, 0.002, "gd")
    turn(window, frames=15)
    a = window.session
    path = a.tracks[0].point
    fields = window.panel.fields
    turn(window, mouse(pygame.MOUSEMOTION, fields.area.midtop))
    turn(window, *[wheel(-1)] * 30, frames=40)
    drag_slider(window, "dt", 0, 0.4, 0.5)
    slider = sliders(window)["dt"][0]
    assert a.dt == pytest.approx(slider.value(0.5), abs=slider.high / 100) and a.dt < 0.006
    turn(window, frames=5)
    assert (a.tracks[0].point != path).any() and not a.message
    for index in (0, 77, 200):
        a.phase = Phase.PLAYING
        a.go_to(index)
        assert a.index == index, "the motion is played with the time step it was made with"


# ---- The range of a slider ----


def ranges(f: Field) -> list[tuple[float, float]]:
    class One(Scene):
        it: Any = f

    return [(s.low, s.high) for s in sliders_of(One(), "it")]


@pytest.mark.parametrize(
    ("default", "bounds", "expected"),
    [
        (0.8, (0.0, 1.0), [(0.0, 1.0)]),
        (9.81, None, [(0.0, 19.62)]),
        (-2.0, None, [(-4.0, 0.0)]),
        (0.0, None, [(-1.0, 1.0)]),
        (0.003, (1e-9, 1.0), [(1e-9, 0.006)]),
        (0.0, (0.0, 1e3), [(0.0, 1.0)]),
        (1.0, (0.5, np.inf), [(0.5, 2.0)]),
        ((0.15, 0.1), None, [(0.0, 0.3), (0.0, 0.2)]),
        ((-1.0, 0.5), None, [(-3.0, 1.0), (-1.5, 2.5)]),
        ((0.1, 0.0), (-2.0, 2.0), [(0.0, 0.2), (-0.1, 0.1)]),
        (np.zeros((2, 2)), None, []),
        (np.zeros(MOST + 1), None, []),
        (3, None, []),
        ("word", None, []),
        (1.0, (1.0, 1.0), []),
    ],
)
def test_ranges(default: Any, bounds: Any, expected: list[tuple[float, float]]) -> None:
    assert ranges(parameter(default, "it", bounds=bounds)) == [pytest.approx(e) for e in expected]


def test_a_value_beyond_its_range_widens_it(window: Window) -> None:
    window.session.hold("goal")
    window.session.put((9.0, -9.0))
    turn(window)
    x, y = sliders(window)["goal"]
    assert x.high == 9 and y.low == -9 and x.share(9.0) == 1 and y.share(-9.0) == 0


def test_rounding_keeps_many_places_of_any_range() -> None:
    for low, high in ((0, 1), (1e-9, 0.006), (0, 6e4), (-3.3, 3.3)):
        slider = Slider("it", 0, "", low, high)
        values = {slider.value(k / 2000) for k in range(2001)}
        assert 1000 <= len(values) <= 10_000 and min(values) == low and max(values) == high
        fine = (slider.high - slider.low) / 1000
        assert slider.rounded(slider.value(0.4) + fine) > slider.value(0.4), "no notch is lost"
        assert slider.value(slider.share(slider.value(0.37))) == slider.value(0.37)


def test_every_small_field_of_every_scene_has_a_slider_that_holds_its_value() -> None:
    found = 0
    for name in scene_names():
        kind = scene_class(name)
        scene = find_scene(name, {"cells": 40} if "cells" in kind.fields else {})
        for field in scene.live:
            value = np.asarray(getattr(scene, field), float)
            sliders = sliders_of(scene, field)
            small = value.ndim <= 1 and 0 < value.size <= MOST
            assert len(sliders) == (value.size if small else 0), (name, field)
            for slider, number in zip(sliders, value.reshape(-1), strict=False):
                assert slider.low <= number <= slider.high, (name, field)
                found += 1
    assert found > 150


# ---- The optimiser ----


def test_o_takes_the_next_optimiser_and_solves_again(window: Window) -> None:
    a = window.session
    for expected in (*COMMON[1:], COMMON[0]):
        turn(window, key(pygame.K_o))
        assert a.optimizer == expected and a.phase is Phase.SOLVING
        turn(window, frames=6)
    assert a.message == "" and len(a.losses) > 4
    assert a.losses[0] == pytest.approx(ThrowProblem().loss(ThrowProblem().values))


def test_the_optimiser_is_chosen_by_a_click_and_shown(window: Window) -> None:
    a = window.session
    before = turn(window)
    areas = dict(window.panel.options)
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, areas["adam"].center))
    turn(window, mouse(pygame.MOUSEBUTTONUP, areas["adam"].center))
    after = turn(window)
    assert a.optimizer == "adam" and a.phase is Phase.SOLVING
    corner = areas["adam"].left + 8, areas["adam"].top + 4
    assert (before[corner[::-1]] == colour("panel")).all()
    assert (after[corner[::-1]] == colour("line")).all(), "the chosen one has a ground of its own"
    reference = Session(ThrowProblem(), ITERATIONS, 0.2, "adam")  # type: ignore[arg-type]
    for _ in range(8):
        reference.advance(1 / 60)
        assert reference.settle(5.0)
    reference.receive()
    turn(window, frames=6)
    several = min(len(a.losses), len(reference.losses), 5)
    assert several == 5 and list(a.losses)[:5] == list(reference.losses)[:5]
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, areas["adam"].center))
    assert len(a.losses) > 5, "the one that is in use is not chosen again"


# ---- Undo and redo ----


def values_of(window: Window) -> dict[str, np.ndarray]:
    return {n: v.copy() for n, v in window.session.values.items()}


def same(window: Window, values: dict[str, np.ndarray]) -> None:
    for name, value in values.items():
        np.testing.assert_array_equal(window.session.values[name], value, err_msg=name)


def test_each_gesture_is_taken_back_and_done_again(window: Window) -> None:
    a, states, optimizers = window.session, [values_of(window)], ["gd"]

    def done() -> None:
        turn(window, frames=SETTLED)
        states.append(values_of(window))
        optimizers.append(a.optimizer)

    drag_slider(window, "goal", 0, 0.5, 0.4, 0.3)
    done()
    handle = window.transform.to_screen(a.values["goal"])
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, handle))
    for k in range(5):
        turn(window, mouse(pygame.MOUSEMOTION, handle + np.array([8, -5]) * k))
    turn(window, mouse(pygame.MOUSEBUTTONUP, handle))
    done()
    turn(window, key(pygame.K_o), frames=20)
    done()
    turn(window, key(pygame.K_r), frames=20)
    done()
    for back in range(len(states) - 2, -1, -1):
        turn(window, control_key(pygame.K_z), frames=2)
        same(window, states[back])
        assert a.optimizer == optimizers[back] and a.phase is Phase.PLAYING
        end = states[back]["start"] + states[back]["speed"]
        np.testing.assert_allclose(a.tracks[0].point[-1], end)
    turn(window, control_key(pygame.K_z))
    same(window, states[0])
    assert "nothing" in window.note
    again = [control_key(pygame.K_z, shift=True), control_key(pygame.K_y)]
    for forth in range(1, len(states)):
        turn(window, again[forth % 2], frames=2)
        same(window, states[forth])
        assert a.optimizer == optimizers[forth]
    turn(window, control_key(pygame.K_y))
    assert "nothing" in window.note


def test_something_new_ends_what_could_be_done_again(window: Window) -> None:
    drag_slider(window, "goal", 0, 0.3)
    turn(window, control_key(pygame.K_z), frames=2)
    drag_slider(window, "goal", 1, 0.3)
    now = values_of(window)
    turn(window, control_key(pygame.K_y))
    same(window, {"goal": now["goal"]})
    assert "nothing" in window.note


def test_a_click_that_moves_nothing_is_no_gesture(window: Window) -> None:
    place = knob(window, "goal")
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, place), mouse(pygame.MOUSEBUTTONUP, place))
    turn(window, control_key(pygame.K_z))
    assert "nothing" in window.note


def test_z_and_y_alone_do_nothing_and_a_held_handle_stays(window: Window) -> None:
    drag_slider(window, "goal", 0, 0.3)
    turn(window, frames=SETTLED)
    now = values_of(window)
    turn(window, key(pygame.K_z), key(pygame.K_y))
    same(window, now)
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, knob(window, "goal")))
    turn(window, control_key(pygame.K_z))
    same(window, {"goal": now["goal"]})


def test_the_restart_after_an_undo_begins_where_the_first_did(window: Window) -> None:
    a = window.session
    drag_slider(window, "start", 0, 0.9)
    assert a.values["start"][0] != 0.1
    turn(window, control_key(pygame.K_z), frames=2)
    turn(window, key(pygame.K_r))
    np.testing.assert_array_equal(a.values["start"], (0.1, 0.1))


def test_history_keeps_so_many_gestures() -> None:
    history: History[int] = History()
    for k in range(LENGTH + 10):
        history.record(f"gesture {k}", k)
    found = [history.undo(-1) for _ in range(LENGTH)]
    assert found[0] == (f"gesture {LENGTH + 9}", LENGTH + 9)
    assert found[-1] == ("gesture 10", 10) and history.undo(-1) is None


def test_a_list_that_fits_does_not_scroll() -> None:
    scroll = Scroll()
    scroll.fit(100, 200)
    scroll.move(50)
    assert scroll.offset == 0 and not scroll.needed and scroll.thumb == (0, 200)
    scroll.fit(400, 200)
    scroll.bring(1000)
    assert scroll.offset == 200 and scroll.thumb == (100, 100)
    scroll.fit(250, 200)
    assert scroll.offset == 50, "a list that has become shorter is still shown to its end"
