"""The views of the gradient in the window, by real events: landscape, ghosts, halos, impacts, trust."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.drawing.palette import colour
from rosephys.drawing.relief import Relief
from rosephys.scene.fields import parameter
from rosephys.scene.finding import find_scene
from rosephys.scene.picture import Circles, Cross, Picture, Track
from rosephys.scene.scene import Scene
from rosephys.scene.spread import normal
from rosephys.sdl import pygame
from rosephys.solve.ensemble import Ensemble
from rosephys.solve.landscape import GRIDS, Component
from rosephys.solve.problem import Problem
from rosephys.window.halo import NUDGE, spreads
from rosephys.window.inquiry import Failure
from rosephys.window.members import MEMBERS
from rosephys.window.session import Phase, Session
from rosephys.window.timeline import span
from rosephys.window.trail import GHOSTS, POINTS, Spaced, Trail
from rosephys.window.viewer import Window
from tests.support.scenes import Lob
from tests.support.window import goal_pixel, key, mouse

FRAME = 1 / 60


class Seen(Lob):
    """A scene that can be seen, with two controls that have a place."""

    iterations, rate = 30, 0.05

    def picture(self, state: Any) -> Picture:
        stone = Circles(ra.array([state.at]), 0.03, ("white",))
        return Picture((Cross(self.goal, "good"), stone), (-0.2, -0.2, 1.6, 1.2))

    def tracks(self, state: Any) -> tuple[Track, ...]:
        return (Track(state.at, "curve", "stone"),)


class Unsure(Seen):
    """One in which the wind is not known."""

    wind: float = parameter(0.0, "speed of the wind", unit="m/s", spread=normal(0.3))

    def step(self, state: Any, t: Any) -> Any:
        after = super().step(state, t)
        return type(after)(after.at + self.dt * self.wind * ra.array([1.0, 0.0]))


class Trackless(Seen):
    """One of which no point is followed."""

    tracks = Scene.tracks


class Jumping(Seen):
    """One whose loss jumps close to where the descent ends."""

    def loss(self, final: Any) -> Any:
        return super().loss(final) + 0.1 * ra.where(final.at[0] > 0.5195, 1.0, 0.0)


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Window]:
    """A window of 1200 x 720 on a display that nobody sees, in which the motion plays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr("rosephys.window.session.SOLVE_SECONDS", 0.3)
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((1200, 720), pygame.RESIZABLE)
    window = played(Window(session(problem_of(Seen))))
    yield window
    window.close()
    pygame.display.quit()


@cache
def problem_of(scene: type[Scene]) -> Problem:
    """The scene's problem, compiled once."""
    return Problem(scene())


def session(problem: Any) -> Session:
    return Session(problem, 30, 0.05, "gd")


def turn(
    window: Window, *events: pygame.event.Event, frames: int = 1, patient: bool = True
) -> np.ndarray:
    """Put events in the queue, run frames as `view` does, and return what is shown; what the views ask is
    waited for if it is `patient`."""
    for event in events:
        pygame.event.post(event)
    for _ in range(frames):
        for event in pygame.event.get():
            window.handle(event)
        window.session.settle(20.0)
        assert not patient or window.views.settle(20.0)
        window.frame(FRAME)
    shown = pygame.surfarray.array3d(pygame.display.get_surface())
    return np.asarray(shown.swapaxes(0, 1), int)


def played(window: Window) -> Window:
    for _ in range(400):
        turn(window, patient=False)
        if window.session.phase is Phase.PLAYING:
            return window
    raise AssertionError(window.session.message)


def still(window: Window) -> np.ndarray:
    """The first moment, with all that is to be found."""
    return turn(window, key(pygame.K_HOME), frames=3)


def at(window: Window, *shares: float) -> tuple[float, float]:
    """The pixel in the landscape so far along its axes."""
    plot = window.views.chart.plot
    return (
        plot.left + shares[0] * (plot.width - 1),
        plot.bottom - 1 - shares[1] * (plot.height - 1),
    )


def landscape(window: Window) -> Any:
    assert isinstance(window.views.landscape, Relief), window.views.landscape
    return window.views.landscape.landscape


def wheel(y: int) -> pygame.event.Event:
    return pygame.event.Event(pygame.MOUSEWHEEL, x=0, y=y, flipped=False, which=0)


# ---- The landscape ----


def test_l_shows_the_landscape_beside_the_scene_and_hides_it(window: Window) -> None:
    before = still(window)
    assert not window.views.landscape_shown and window.views.landscape is None
    image = turn(window, key(pygame.K_l), frames=4)
    found, plot = landscape(window), window.views.chart.plot
    assert found.losses.shape == (GRIDS[-1], GRIDS[-1])
    assert window.canvas.width == 900 - 380 and plot.left > window.canvas.right
    x, y = found.axes
    for i, j in ((0, 0), (0, 64), (64, 0), (20, 50)):
        values = {**window.session.motion.values}  # type: ignore[union-attr]
        for axis, k in ((x, i), (y, j)):
            values[axis.component.name] = axis.component.put(values, [axis.at(k / 64)])[0]
        loss = window.session.problem.loss(values)
        assert found.losses[i, j] == pytest.approx(loss, rel=1e-12)
    within = image[plot.top : plot.bottom, plot.left : plot.right]
    blue = (within[..., 2] > within[..., 0] + 15).mean()
    assert blue > 0.5, "it is drawn in its colours"
    dot = image[round(at(window, 0, 0)[1]), round(at(window, 0, 0)[0])]
    assert (dot != colour("panel")).any()
    np.testing.assert_array_equal(turn(window, key(pygame.K_l)), before)


def test_the_present_point_is_marked_where_the_controls_are(window: Window) -> None:
    still(window)
    image = turn(window, key(pygame.K_l), frames=4)
    shares = [a.share(a.component.of(window.session.values)) for a in landscape(window).axes]
    x, y = at(window, *shares)
    near = np.abs(
        image[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3] - colour("accent")
    )
    assert (near.sum(axis=2) < 40).mean() > 0.8
    path = np.abs(image - colour("accent")).sum(axis=2)[:, window.canvas.right : 900] < 40
    assert path.sum() > 150, "and the way there"


def test_a_hand_in_the_landscape_moves_the_controls_and_solves_from_there(window: Window) -> None:
    still(window)
    turn(window, key(pygame.K_l), frames=4)
    a = window.session
    axes = landscape(window).axes
    best = a.losses[-1]
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, at(window, 0.9, 0.2)), frames=2)
    for axis, share in zip(axes, (0.9, 0.2), strict=True):
        assert axis.component.of(a.values) == pytest.approx(axis.at(share), abs=1e-2)
    assert window.views.exploring and a.losses[-1] > best
    first = a.tracks[0].point[-1].copy()
    turn(window, mouse(pygame.MOUSEMOTION, at(window, 0.1, 0.8)), frames=2)
    for axis, share in zip(axes, (0.1, 0.8), strict=True):
        assert axis.component.of(a.values) == pytest.approx(axis.at(share), abs=1e-2)
    assert np.hypot(*(a.tracks[0].point[-1] - first)) > 0.1, "the motion follows the hand"
    start = {n: np.copy(a.values[n]) for n in a.problem.controls}
    turn(window, mouse(pygame.MOUSEBUTTONUP, at(window, 0.1, 0.8)))
    assert not window.views.exploring and a.phase is Phase.SOLVING
    played(window)
    assert a.losses[-1] < 0.1 * a.losses[0] and len(a.losses) > 20
    turn(window, key(pygame.K_r))
    for name, value in start.items():
        np.testing.assert_array_equal(window.views.trail.controls[0][name], value)


def test_what_a_hand_did_in_the_landscape_is_undone_at_once(window: Window) -> None:
    still(window)
    turn(window, key(pygame.K_l), frames=4)
    landscape(window)
    a = window.session
    before = {n: np.copy(v) for n, v in a.values.items()}
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, at(window, 0.9, 0.2)), frames=2)
    turn(window, mouse(pygame.MOUSEMOTION, at(window, 0.1, 0.8)), frames=2)
    turn(window, mouse(pygame.MOUSEBUTTONUP, at(window, 0.1, 0.8)), frames=2)
    turn(window, key(pygame.K_z, mod=pygame.KMOD_CTRL), frames=2)
    for name, value in before.items():
        np.testing.assert_array_equal(a.values[name], value)
    assert a.undo() is None, "a gesture is one, however far it went"


def test_beside_the_landscape_hands_do_what_they_did(window: Window) -> None:
    still(window)
    turn(window, key(pygame.K_l), frames=4)
    begun = window.session.begun
    plot = window.views.chart.plot
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, (plot.left, plot.bottom + 40)))
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, at(window, 0.5, 0.5), button=3))
    assert not window.views.exploring and window.session.begun == begun
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, goal_pixel(window)))
    assert window.session.dragging == "goal"
    before = landscape(window)
    for k in range(1, 8):
        turn(window, mouse(pygame.MOUSEMOTION, goal_pixel(window) + np.array([8 * k, 0])))
    turn(window, frames=8)
    assert np.abs(landscape(window).losses - before.losses).max() > 0.1, "it follows the goal"
    turn(window, mouse(pygame.MOUSEBUTTONUP, goal_pixel(window)))
    assert window.session.dragging is None
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, (span(window.canvas, 1)[0] + 5, 700)))
    assert not window.scrubbing, "there is no time line while it solves"


def test_p_takes_other_controls_and_the_wheel_looks_from_farther(window: Window) -> None:
    still(window)
    turn(window, key(pygame.K_l), frames=4)
    seen = []
    for _ in range(3):
        seen.append(tuple(axis.component for axis in landscape(window).axes))
        turn(window, key(pygame.K_p), frames=3)
    assert len(set(seen)) == 3
    assert tuple(axis.component for axis in landscape(window).axes) == seen[0]
    x = landscape(window).axes[-1]
    assert x.component.name == "velocity", "which has no bounds"
    turn(window, mouse(pygame.MOUSEMOTION, at(window, 0.5, 0.5)), wheel(-1), frames=3)
    farther = landscape(window).axes[-1]
    assert farther.high - farther.low == pytest.approx(1.25 * (x.high - x.low))
    turn(window, mouse(pygame.MOUSEMOTION, (100, 100)), wheel(-1), frames=3)
    assert landscape(window).axes[-1] == farther, "only over the landscape"
    turn(window, mouse(pygame.MOUSEMOTION, at(window, 0.5, 0.5)), wheel(1), frames=3)
    assert landscape(window).axes[-1].high == pytest.approx(x.high)


def test_the_window_draws_while_the_landscape_is_found(window: Window) -> None:
    """Coarse first; frames are drawn before, between and after."""
    still(window)
    window.handle(key(pygame.K_l))
    shapes = set()
    for _ in range(3000):
        window.frame(FRAME)
        found = window.views.landscape
        shapes.add(len(found.landscape.losses) if isinstance(found, Relief) else 0)
        if GRIDS[-1] in shapes:
            break
    assert {0, GRIDS[-1]} <= shapes and len(shapes) >= 3


def test_one_control_is_drawn_as_a_curve(window: Window) -> None:
    window.session = session(Problem(find_scene("drop", {"steps": "60"})))
    if sum(window.session.values[n].size for n in window.session.problem.controls) > 1:
        pytest.fail("drop has more than one control")
    played(window)
    image = turn(window, key(pygame.K_l), frames=4)
    assert landscape(window).losses.shape == (GRIDS[-1],)
    assert (np.abs(image[:, 560:] - colour("curve")).sum(axis=2) < 30).sum() > 200


def test_what_the_scene_raises_is_told_in_its_place(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("no lanes here")

    still(window)
    monkeypatch.setattr(window.session.problem, "losses", broken)
    image = turn(window, key(pygame.K_l), frames=4)
    assert isinstance(window.views.landscape, Failure)
    assert "no lanes here" in window.views.landscape.words
    assert (image[44:200, 542:880] != colour("panel")).any(axis=2).sum() > 200, "in words"
    turn(window, mouse(pygame.MOUSEBUTTONDOWN, (700, 200)), frames=3)
    assert window.open and window.session.phase is Phase.PLAYING


@pytest.mark.parametrize("size", [(1600, 1000), (640, 400), (420, 700), (200, 150), (3, 2)])
def test_any_size_will_do_with_everything_shown(window: Window, size: tuple[int, int]) -> None:
    pygame.display.set_mode(size, pygame.RESIZABLE)
    keys = (key(pygame.K_l), key(pygame.K_g), key(pygame.K_n))
    image = turn(window, *keys, frames=4)
    assert image.shape[:2] == size[::-1] and not window.session.message
    assert window.canvas.width >= 1


# ---- Ghosts ----


def test_g_shows_what_was_tried_and_hides_it(window: Window) -> None:
    before = still(window)
    shown = turn(window, key(pygame.K_g))
    changed = (before != shown).any(axis=2)
    assert changed.sum() > 200 and not changed[:, 900:].any()
    ghosts = window.views.trail.ghosts
    assert 3 <= len(ghosts) <= GHOSTS
    end = window.transform.to_screen(ghosts[0][0].point[len(ghosts[0][0].point) // 2])
    x, y = end.astype(int)
    assert changed[y - 3 : y + 4, x - 3 : x + 4].any(), "the first of them is one"
    np.testing.assert_array_equal(turn(window, key(pygame.K_g)), before)


def test_ghosts_are_those_of_the_present_descent(window: Window) -> None:
    turn(window, key(pygame.K_r))
    assert len(window.views.trail.ghosts) == 1
    turn(window, frames=20)
    ends = [tracks[0].point[-1] for tracks in window.views.trail.ghosts]
    assert len(ends) > 3
    far = np.hypot(*(np.array(ends) - window.session.values["goal"]).T)
    assert (np.diff(far) < 0).all(), "each nearer to the goal than the one before"


def test_a_trail_keeps_few_and_evenly_spaced() -> None:
    for count in (1, 7, 8, 9, 100, 1000):
        spaced: Spaced[int] = Spaced(8)
        for k in range(count):
            spaced.add(k)
        assert spaced.kept[0] == 0 and min(count, 4) <= len(spaced.kept) <= 8
        assert len(set(np.diff(spaced.kept))) <= 1
        assert count - spaced.kept[-1] <= max(np.diff(spaced.kept), default=1)
    trail = Trail()
    for k in range(1000):
        trail.add({"x": np.array(k)}, [], {"x": np.array(-k)})
    assert len(trail.controls) <= POINTS and len(trail.ghosts) <= GHOSTS


# ---- Members ----


def test_m_shows_where_other_draws_lead(window: Window) -> None:
    """From the same start the tracks part."""
    window.session = session(problem_of(Unsure))
    played(window)
    before = still(window)
    turn(window, key(pygame.K_m))
    assert window.views.settle(60)
    shown = turn(window, frames=2)
    found = window.views.members
    assert isinstance(found, list) and len(found) == MEMBERS
    ensemble = Ensemble(Unsure(), MEMBERS)
    for k, tracks in enumerate(found):
        values = ensemble.member(window.session.values, k)
        np.testing.assert_array_equal(tracks[0].point, problem_of(Unsure).tracks(values)[0].point)
        end = window.transform.to_screen(tracks[0].point[-1]).astype(int)
        assert (before != shown)[end[1] - 4 : end[1] + 5, end[0] - 4 : end[0] + 5].any()
    np.testing.assert_array_equal(turn(window, key(pygame.K_m)), before)


@pytest.mark.parametrize("kind", [Seen, Trackless])
def test_where_nothing_varies_there_are_no_members(window: Window, kind: type[Scene]) -> None:
    window.session = session(problem_of(kind))
    played(window)
    before = still(window)
    shown = turn(window, key(pygame.K_m), frames=3)
    assert (before != shown).any(), "in words"
    assert window.views.members is None and not window.session.message


# ---- Halos ----


def test_halos_are_those_of_the_derivative() -> None:
    """Here the end is linear in the controls, so that the halo is exact."""
    problem = problem_of(Seen)
    (found,) = spreads(problem, problem.values)
    lift, speed = problem.values["lift"], problem.values["velocity"]
    reach = NUDGE * np.max(speed)
    expected = np.diag([reach**2, reach**2 + (NUDGE * lift) ** 2])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_nudges_end_on_the_halo_of_a_ball_that_has_collided() -> None:
    problem = Problem(find_scene("billiards", {"layers": "1", "steps": "400", "dt": "0.008"}))
    found = spreads(problem, problem.values)
    assert found.shape == (2, 2, 2)
    ends = [t.point[-1] for t in problem.tracks(problem.values)]
    rng, small = np.random.default_rng(0), 1e-4
    controls = problem.split(problem.values)[0]
    for _ in range(6):
        nudge = {n: rng.standard_normal(v.shape) for n, v in controls.items()}
        length = np.sqrt(sum(np.sum(d**2) for d in nudge.values())) / (small * NUDGE)
        moved = {n: controls[n] + np.abs(controls[n]).max() * d / length for n, d in nudge.items()}
        there = [t.point[-1] for t in problem.tracks({**problem.values, **moved})]
        for spread, end, new in zip(found, ends, there, strict=True):
            off = (new - end) / small
            assert off @ np.linalg.solve(spread, off) < 1.01, "within it"
    assert all(np.linalg.eigvalsh(spread)[0] > 0 for spread in found)


def test_n_shows_halos_compiled_when_they_are_first_asked_for(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    problem = window.session.problem
    derivatives = problem.end_derivatives

    def counted(values: Any) -> Any:
        calls.append(values)
        return derivatives(values)

    monkeypatch.setattr(problem, "end_derivatives", counted)
    before = still(window)
    assert not calls
    shown = turn(window, key(pygame.K_n), frames=4)
    assert len(calls) == 1, "once for one motion"
    end = window.transform.to_screen(window.session.tracks[0].point[-1])
    x, y = end.astype(int)
    changed = (before != shown).any(axis=2)
    assert changed[y - 5 : y + 6, x - 5 : x + 6].mean() > 0.5
    assert changed[14:40, 14:300].mean() > 0.5, "words say what it is"
    np.testing.assert_array_equal(turn(window, key(pygame.K_n)), before)


def test_a_scene_without_tracks_has_no_halos(window: Window) -> None:
    window.session = session(problem_of(Trackless))
    played(window)
    turn(window, key(pygame.K_n), frames=4)
    assert "no tracks" in window.views._halo_words()


# ---- Impacts and trust ----


def test_impacts_are_marked_on_the_time_line(window: Window) -> None:
    window.session = session(Problem(find_scene("bounce")))
    played(window)
    image = still(window)
    assert len(window.views.impacts) >= 1
    left, right, y = span(window.canvas, window.unit)
    row = np.abs(image[round(y - 6), :900] - colour("accent")).sum(axis=1) < 120
    places = (np.flatnonzero(row) - left) / (right - left) * window.session.problem.steps
    for step in window.views.impacts:
        assert np.abs(places - step).min() < 1.5
    for place in places:
        assert np.abs(window.views.impacts - place).min() < 1.5


def test_the_smooth_scene_has_no_badge(window: Window) -> None:
    still(window)
    assert window.views.verdict is not None and window.views.verdict.reason is None


def test_a_jump_has_a_badge_until_something_else_is_solved(window: Window) -> None:
    window.session = session(problem_of(Jumping))
    played(window)
    image = still(window)
    verdict = window.views.verdict
    assert verdict is not None and verdict.reason == "jump" and "jumps from" in verdict.words
    badge = image[16:80, 18:330]
    assert (badge == colour("accent")).all(axis=2).sum() > 60, "a sign"
    assert (badge[:, 45:] != colour("panel")).any(axis=2).sum() > 400, "and words"
    image = turn(window, key(pygame.K_r), frames=3)
    assert (image[14:60, 14:60] != colour("accent")).any(axis=2).all(), "gone while it solves"


def test_a_new_session_has_views_of_its_own(window: Window) -> None:
    still(window)
    turn(window, key(pygame.K_l), key(pygame.K_n), frames=4)
    old = window.views.landscape
    window.session = session(problem_of(Trackless))
    window.frame(FRAME)
    assert window.views.landscape is None and window.views.halos is None
    assert window.views.landscape_shown, "but shows what was asked for"
    played(window)
    turn(window, frames=4)
    assert isinstance(window.views.landscape, Relief) and window.views.landscape is not old
    assert len(window.views.halos) == 0, "the new one has no tracks"  # type: ignore[arg-type]


def test_with_control_held_the_keys_are_others(window: Window) -> None:
    for code in (pygame.K_l, pygame.K_g, pygame.K_n, pygame.K_p):
        event = pygame.event.Event(pygame.KEYDOWN, key=code, mod=pygame.KMOD_LCTRL, unicode="")
        assert not window.views.handle(event, window.session)
    views = window.views
    assert not (views.landscape_shown or views.ghosts_shown or views.halo_shown)


def test_components_are_put_into_copies() -> None:
    values = {"a": np.arange(4.0).reshape(2, 2)}
    part = Component("a", 2)
    many = part.put(values, [7.0, 8.0])
    assert many.shape == (2, 2, 2) and many[1, 1, 0] == 8.0 and part.of(values) == 2.0
