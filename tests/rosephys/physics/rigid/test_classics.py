"""The worlds that engines are shown with, for a minute each: they stand, fall, swing, carry as they should."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.support import classics
from tests.support.classics import CLASSICS, Classic, Film

pytestmark = pytest.mark.slow

# of any two bodies at any time, in metres; a pile that turns is never at rest, and its motion is chaotic: by
# the last digits of its numbers the deepest is 0.9 to 2.9 cm
DEEPEST = {"tumbler": 0.035}
DRIVEN = {"bridge", "tumbler", "wheels"}  # by motors, or by the room that turns


@cache
def played(name: str) -> tuple[Classic, Film]:
    classic: Classic = getattr(classics, name)()
    return classic, classics.lived(classic)


@pytest.mark.parametrize("name", [make.__name__ for make in CLASSICS])
def test_nothing_is_lost_or_gained_by_the_minute(name: str) -> None:
    classic, film = played(name)
    assert np.isfinite(film.position).all()
    assert film.overlap.max() < DEEPEST.get(name, 0.01)
    left, low, right, top = classic.view
    if name != "wrecking_ball":  # its bricks fly
        assert (film.position > (left - 1, low - 1)).all() and (
            film.position < (right + 1, top + 1)
        ).all()
    if name not in DRIVEN:
        first = film.energy[0]
        assert (film.energy - first).max() < 1e-3 * abs(first)


@pytest.mark.parametrize(("name", "most"), [("pyramid", 2e-3), ("card_house", 5e-3)])
def test_what_is_built_stands(name: str, most: float) -> None:
    classic, film = played(name)
    start = np.array(classic.starts)[:, :2]
    assert np.abs(film.position[-1] - start).max() < most
    assert np.abs(film.position[-1] - film.position[300]).max() < 0.1 * most


def test_dominoes_fall_in_their_order() -> None:
    _, film = played("dominoes")
    fallen = np.abs(film.angle[:, 1:]) > 0.5
    assert fallen[-1].all()
    assert (np.diff(fallen.argmax(axis=0)) >= 0).all()


def test_the_cradle_swings_on() -> None:
    _, film = played("cradle")
    first, last = film.position[-100:, 1, 1], film.position[-100:, 5, 1]
    lowest = film.position[..., 1][:, 1:].min()
    swing = 2 * (1 - np.cos(np.pi / 4))  # how high a ball is let go
    for ball in (first, last):
        assert ball.max() - lowest == pytest.approx(swing, rel=0.05)
    assert film.energy[-1] == pytest.approx(film.energy[0], rel=1e-3)


def test_the_chain_holds_the_ball_that_breaks_the_wall() -> None:
    classic, film = played("wrecking_ball")
    joined = len(classic.joints) + 1  # hook, links and ball are bodies 1 to that
    ball = film.position[:, joined]
    assert (np.hypot(*(ball - (0, 4.6)).T) < 8 * 0.42 + 0.4 + 1e-3).all()
    bricks = np.array(classic.starts)[joined + 1 :, :2]
    assert (np.abs(film.position[-1, joined + 1 :] - bricks).max(axis=1) > 0.3).sum() > 6


def test_the_bridge_carries_two_cars() -> None:
    classic, film = played("bridge")
    cars = [k for k, b in enumerate(classic.bodies) if b.shape.area == pytest.approx(1.2 * 0.3)]
    assert (film.position[-1, cars, 0] > 3.0).all()
    assert film.position[:, cars, 1].min() > -1.5


def test_boxes_in_the_tumbler_keep_tumbling() -> None:
    _, film = played("tumbler")
    assert (np.abs(film.position[:, 1:]) < 2 * np.sqrt(2)).all()
    assert np.abs(film.position[-1, 1:] - film.position[300, 1:]).max() > 0.5


def test_a_wheel_drives_another_in_the_ratio_of_their_radii() -> None:
    _, film = played("wheels")
    assert film.spin[-1, 1] == pytest.approx(4.0, abs=1e-3)
    assert film.spin[-1, 4] == pytest.approx(-2.0, abs=1e-2)
