"""What happens in the window, without one: the session and its solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from rosephys.errors import OptimizeError
from rosephys.scene.fields import Field
from rosephys.window.handles import Handle
from rosephys.window.panel import _round_numbers
from rosephys.window.session import HOLD_SECONDS, SOLVE_SECONDS, Phase
from tests.support.window import FRAME, Throw, ThrowProblem, advance, advanced_to, session, solving

# ---- The session ----


def test_it_compiles_then_solves_then_plays() -> None:
    a = session()
    assert a.phase is Phase.COMPILING and a.picture() is None
    advance(a)
    assert solving(a)
    assert a.iteration == 0 and len(a.losses) == 1 and a.index == 0
    first = a.losses[0]
    advanced_to(a, Phase.PLAYING)
    assert a.losses[-1] < 1e-9 < 0.1 < first
    np.testing.assert_allclose(a.values["start"] + a.values["speed"], (0.8, 0.6), atol=1e-4)
    np.testing.assert_allclose(a.tracks[0].point[-1], (0.8, 0.6), atol=1e-4)


def test_a_frame_makes_at_least_one_iteration_and_keeps_the_pace() -> None:
    slow = advance(session(iterations=50), 31)
    assert len(slow.losses) == 31, "one a frame where one is enough"
    fast = advance(session(iterations=60_000))
    for _ in range(4):
        fast.advance(FRAME)
        assert fast.settle(5.0)
        fast.receive()
    due = 60_000 * 4 * FRAME / SOLVE_SECONDS
    assert due - 2 <= fast.iteration <= due + 2, "as many as it takes, and no more"


def test_the_motion_plays_at_real_speed_holds_and_begins_again() -> None:
    a = advanced_to(session(), Phase.PLAYING)
    start = a.index
    for _ in range(30):
        advance(a)
    assert a.index - start == pytest.approx(50, abs=1), "half a second is 50 steps"
    assert a.progress == pytest.approx(0.5, abs=0.02)
    for _ in range(40):
        advance(a)
    assert a.index == 100 and a.progress == 1
    for _ in range(round(HOLD_SECONDS * 60)):
        advance(a)
    assert a.index < 20


def test_pause_stops_solving_and_playing() -> None:
    a = advance(session(), 5)
    a.toggle_pause()
    before = (a.iteration, len(a.losses), a.phase)
    assert (advance(a, 20).iteration, len(a.losses), a.phase) == before
    a.toggle_pause()
    advanced_to(a, Phase.PLAYING)
    a.toggle_pause()
    where = a.time
    assert advance(a, 20).time == where


def test_restart_goes_back_to_the_first_controls_and_keeps_the_goal() -> None:
    a = advanced_to(session(), Phase.PLAYING)
    a.grab((0.8, 0.6), 0.1)
    a.drag((0.3, 0.9))
    a.release()
    advanced_to(a, Phase.PLAYING)
    a.paused = True
    a.restart()
    assert a.phase is Phase.SOLVING and not a.paused and not a.losses
    np.testing.assert_array_equal(a.values["start"], (0.1, 0.1))
    np.testing.assert_array_equal(a.values["speed"], (0.1, 0.0))
    np.testing.assert_allclose(a.values["goal"], (0.3, 0.9))


def test_only_points_of_the_plane_that_are_handles_can_be_held() -> None:
    a = session()
    assert a.handles == ("goal", "start")
    assert a.handle_at((0.78, 0.6), 0.05) == Handle("goal")
    assert a.handle_at((0.12, 0.1), 0.05) == Handle("start")
    assert a.handle_at((0.5, 0.5), 0.05) is None
    assert not a.grab((0.5, 0.5), 0.05) and a.dragging is None
    a.drag((0.9, 0.9))
    np.testing.assert_array_equal(a.values["goal"], (0.8, 0.6))


def test_the_answer_follows_the_goal_while_it_is_dragged() -> None:
    a = advanced_to(session(), Phase.PLAYING)
    assert a.grab((0.79, 0.61), 0.1)
    for k in range(30):
        a.drag((0.79 - 0.01 * k, 0.61))
        advance(a)
        assert a.phase is Phase.SOLVING
        miss = a.tracks[0].point[-1] - a.values["goal"]
        assert np.hypot(*miss) < 0.02, "the path ends at the goal in every frame"
    np.testing.assert_allclose(a.values["goal"], (0.51, 0.6), atol=1e-9)
    for _ in range(200):
        advance(a)
    assert a.phase is Phase.SOLVING, "it does not play under the hand"
    a.release()
    assert a.dragging is None
    assert advanced_to(a, Phase.PLAYING).losses[-1] < 1e-9


def test_the_answer_follows_where_losses_are_negative() -> None:
    problem = ThrowProblem()
    problem.fault = lambda values: -5.0
    a = advanced_to(session(problem), Phase.PLAYING)
    a.grab((0.79, 0.61), 0.1)
    a.drag((0.6, 0.5))
    for _ in range(30):
        advance(a)
    assert a.losses[-1] < -5 + 1e-4


def bouncing(*losses: float) -> ThrowProblem:
    """A problem whose losses are these, one after the other, by what is added to the true ones."""
    problem, left = ThrowProblem(), list(losses)
    problem.fault = lambda values: left.pop(0) - problem.loss(values)
    return problem


def test_the_best_that_was_found_is_what_plays() -> None:
    a = advanced_to(session(bouncing(3.0, 1.0, 2.0, 4.0), iterations=3), Phase.PLAYING)
    assert list(a.losses) == [3.0, 1.0, 2.0, 4.0, 1.0]
    first = advanced_to(session(bouncing(3.0, 1.0), iterations=1), Phase.PLAYING)
    np.testing.assert_array_equal(a.values["speed"], first.values["speed"])
    np.testing.assert_allclose(a.tracks[0].point[-1], a.values["start"] + a.values["speed"])


def test_while_a_solve_takes_long_the_best_motion_so_far_plays(monkeypatch: Any) -> None:
    monkeypatch.setattr("rosephys.window.session.LONG_SECONDS", 0.5)
    losses = [3.0, 1.0, *(2.0 + k for k in range(400))]
    a = session(bouncing(*losses), iterations=400)
    best = advanced_to(session(bouncing(3.0, 1.0), iterations=1), Phase.PLAYING).tracks[0].point
    advanced_to(a, Phase.SOLVING)
    seen = []
    for _ in range(100):
        advance(a)
        if a.watching:
            seen.append(a.index)
            np.testing.assert_allclose(a.tracks[0].point, best)
    assert a.phase is Phase.SOLVING and len(seen) > 50
    assert (np.diff(seen) >= 0).all() and np.ptp(seen) > 50, (
        "it plays on, whatever is found meanwhile"
    )
    advanced_to(a, Phase.PLAYING)
    np.testing.assert_allclose(a.tracks[0].point, best)
    a.close()


def test_the_best_is_kept_where_a_later_loss_is_not_finite() -> None:
    a = advanced_to(session(bouncing(3.0, 1.0, 2.0, np.nan), iterations=9), Phase.FAILED)
    assert "the loss is nan" in a.message
    assert list(a.losses) == [3.0, 1.0, 2.0, 1.0]
    np.testing.assert_allclose(a.tracks[0].point[-1], a.values["start"] + a.values["speed"])


def test_marks_of_a_plain_scale_lie_round_the_losses() -> None:
    for losses in ([-0.2], [-0.21, -0.47], [-3.0, 2.0], [-1e-9, 0.0], [-5e6, -5e6]):
        levels, ticks = _round_numbers(np.array(losses))
        np.testing.assert_array_equal(levels, losses)
        assert 2 <= len(ticks) <= 8 and (np.diff(ticks) > 0).all()
        assert ticks[0] <= min(losses) and max(losses) <= ticks[-1]
    assert _round_numbers(np.array([-0.21, -0.47]))[1] == pytest.approx([-0.5, -0.4, -0.3, -0.2])


def test_a_paused_session_still_follows_the_hand() -> None:
    a = advanced_to(session(), Phase.PLAYING)
    a.toggle_pause()
    a.grab((0.8, 0.6), 0.1)
    a.drag((0.5, 0.5))
    advance(a)
    np.testing.assert_allclose(a.tracks[0].point[-1], (0.5, 0.5), atol=0.01)


def test_a_dragged_control_stays_under_the_hand_and_is_the_new_start() -> None:
    a = advanced_to(session(), Phase.PLAYING)
    a.grab(a.values["start"], 0.01)
    assert a.dragging == "start"
    a.drag((0.4, 0.2))
    for _ in range(10):
        advance(a)
    np.testing.assert_allclose(a.values["start"], (0.4, 0.2))
    a.release()
    advanced_to(a, Phase.PLAYING)
    assert a.losses[-1] < 1e-9
    assert np.hypot(*(a.values["start"] - (0.4, 0.2))) > 0.01, "then it is solved from there"
    a.restart()
    np.testing.assert_allclose(a.values["start"], (0.4, 0.2))


def test_a_handle_keeps_within_its_bounds() -> None:
    problem = ThrowProblem()
    a = session(problem)
    fields = problem.scene.fields
    bounded = Field((0.8, 0.6), "where", bounds=(0.0, 1.0), handle=True, name="goal")
    problem.scene = Throw()
    problem.scene.fields = fields | {"goal": bounded}  # type: ignore[misc]
    a.grab((0.8, 0.6), 0.1)
    a.drag((7.0, -3.0))
    np.testing.assert_array_equal(a.values["goal"], (1.0, 0.0))


def test_a_step_that_throws_the_answer_away_is_taken_back() -> None:
    problem = ThrowProblem()
    a = advanced_to(session(problem), Phase.PLAYING)
    a.grab((0.8, 0.6), 0.1)
    a.drag((0.7, 0.6))
    before, edge = len(a.losses), a.values["speed"][0] - 0.02
    fallen = []

    def cliff(values: dict[str, Any]) -> float:
        fallen.append(values["speed"][0] < edge)
        return 5.0 if fallen[-1] else 0.0

    problem.fault = cliff
    for _ in range(20):
        advance(a)
    a.release()
    advanced_to(a, Phase.PLAYING)
    seen = list(a.losses)[before:]
    assert any(fallen), "it stepped over the edge"
    assert all(later <= loss for loss, later in pairwise(seen[1:])), "and nothing jumped"
    assert seen[-1] < 0.5 * seen[0]
    assert a.values["speed"][0] >= edge


def test_a_miss_without_a_gradient_is_taken_back() -> None:
    problem = ThrowProblem()
    a = advanced_to(session(problem), Phase.PLAYING)
    right = problem.value_and_gradient

    def or_miss(values: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        loss, gradient = right(values)
        return (loss, gradient) if loss < 0.5 else (5.0, {n: 0 * g for n, g in gradient.items()})

    problem.value_and_gradient = or_miss  # type: ignore[method-assign]
    a._solver._follower.stride = 3.0  # far too long: the first trial misses
    a.grab((0.8, 0.6), 0.1)
    a.drag((0.5, 0.4))
    for _ in range(20):
        advance(a)
    assert a.losses[-1] < 1e-9


def test_following_a_hand_keeps_controls_within_their_bounds() -> None:
    a = advanced_to(session(), Phase.PLAYING)
    a.grab((0.8, 0.6), 0.1)
    a.drag((9.0, 0.6))
    for _ in range(20):
        advance(a)
    assert 1.9 < a.values["speed"][0] <= 2.0
    assert a.losses[-1] < 1e-6, "the start, which has none, makes up for it"


def test_the_first_solve_is_the_plain_optimiser() -> None:
    problem = ThrowProblem()
    problem.fault = lambda values: 5.0 if problem.calls == 3 else 0.0
    a = advance(session(problem), 7)
    reference = [ThrowProblem().loss({**a.problem.values, **v}) for v in _descent(7)]
    reference[2] += 5.0
    np.testing.assert_allclose(list(a.losses), reference)


def _descent(count: int) -> Iterator[dict[str, Any]]:
    values = ThrowProblem().values
    for _ in range(count):
        yield values
        slope = 2 * (values["start"] + values["speed"] - values["goal"])
        values = values | {n: values[n] - 0.2 * slope for n in ("start", "speed")}


def nan_beyond(values: dict[str, Any]) -> float:
    return float("nan") if values["goal"][0] > 1 else 0.0


def raising_beyond(values: dict[str, Any]) -> float:
    if values["goal"][0] > 1:
        raise ZeroDivisionError("scene.py:12: division by zero")
    return 0.0


@pytest.mark.parametrize(("fault", "says"), [(nan_beyond, "nan"), (raising_beyond, "scene.py:12")])
def test_a_fault_is_told_and_the_last_good_motion_stays(
    fault: Callable[[dict[str, Any]], float], says: str
) -> None:
    problem = ThrowProblem()
    problem.fault = fault
    a = advanced_to(session(problem), Phase.PLAYING)
    a.grab((0.8, 0.6), 0.1)
    a.drag((1.5, 0.6))
    advance(a)
    assert a.phase is Phase.FAILED and says in a.message
    assert a.picture() is not None
    assert np.isfinite(a.tracks[0].point).all() and all(np.isfinite(a.losses))
    calls = problem.calls
    advance(a, 50)
    assert problem.calls == calls, "it waits for the hand"
    a.drag((0.9, 0.6))
    advance(a)
    assert solving(a) and a.message == ""
    a.release()
    assert advanced_to(a, Phase.PLAYING).losses[-1] < 1e-9


def test_a_scene_that_does_not_compile_is_told() -> None:
    problem = ThrowProblem()

    def broken() -> None:
        raise OptimizeError("")

    problem.compile = broken  # type: ignore[method-assign]
    a = session(problem)
    advance(a)
    assert a.phase is Phase.FAILED and a.message == "OptimizeError" and a.picture() is None
