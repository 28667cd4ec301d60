"""A handle that has a point in each row: one is dragged, and the rest of the control settles about it."""

from __future__ import annotations

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Circles, Picture, Problem, Scene, control
from rosephys.solve.follow import Follower
from rosephys.window.handles import Handle
from rosephys.window.session import Phase, Session


@ra.struct
class State:
    points: ra.Vec


class Chain(Scene):
    """Points that want to be 1 apart, each from the next."""

    steps, optimizer, rate, iterations = 1, "lbfgs", 0.1, 200
    points = control(
        lambda scene: np.array([(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)]), "places", handle=True
    )

    def initial(self) -> State:
        return State(ra.array(self.points))

    def step(self, state: State, t: object) -> State:
        return state

    def loss(self, final: State) -> object:
        x = final.points
        return sum((ra.norm(x[k + 1] - x[k]) - 1) ** 2 for k in range(2))

    def picture(self, state: State) -> Picture:
        return Picture((Circles(state.points, 0.1, ("accent",)),), (-3.0, -3.0, 3.0, 3.0))


def wait(session: Session) -> None:
    for _ in range(4000):
        session.settle(0.05)
        session.advance(1 / 60)
        if session.phase is Phase.PLAYING:
            return
    raise AssertionError("it did not settle")


@pytest.fixture
def session() -> Session:
    problem = Problem(Chain())
    made = Session(problem, 200, 0.1, "lbfgs")
    wait(made)
    return made


def test_the_nearest_row_is_the_handle(session: Session) -> None:
    assert session.handles == ("points",)
    assert session.handle_at((1.02, 0.01), 0.1) == Handle("points", 1)
    assert session.handle_at((1.5, 0.0), 0.1) is None
    session.close()


def test_the_rest_settles_about_a_row_that_is_dragged(session: Session) -> None:
    assert session.grab((2.0, 0.0), 0.1) and session.held == Handle("points", 2)
    for k in range(1, 6):
        session.drag((2.0 + 0.4 * k, 0.5))
        session.advance(1 / 60)
    assert session.settle(30)
    session.advance(1 / 60)
    points = session.values["points"]
    assert np.allclose(points[2], (4.0, 0.5))
    assert np.allclose(np.linalg.norm(np.diff(points, axis=0), axis=1), 1.0, atol=1e-3)
    session.release()
    assert session.held is None
    wait(session)
    assert session.undo() == "points"
    session.close()


def test_what_is_held_stays() -> None:
    problem = Problem(Chain())
    start = {"points": np.array([(0.0, 0.0), (3.0, 0.0), (2.0, 5.0)])}
    held = {"points": np.array([False, True, False])}
    *_, last = Follower(problem, 0.1).follow(start, 200, held)
    assert np.array_equal(last.values["points"][1], (3.0, 0.0)) and last.loss < 1e-9
