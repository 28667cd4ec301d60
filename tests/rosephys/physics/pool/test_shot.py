"""Shots from event to event: closed forms, what is true of any shot, and derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.pool import shot
from rosephys.physics.pool.ahead import CUSHION, MEETS, NOTHING, TURNS
from rosephys.physics.pool.ball import POCKETED, energy, row
from rosephys.physics.pool.stepped import play_in_steps
from rosephys.physics.pool.table import CAROM, GAMES, POOL, Sizes, table
from tests.support.shots import (
    OPEN,
    RADIUS,
    constants,
    mirrored,
    moving,
    plain,
    strikes,
    struck,
)

ALL = sorted(GAMES)


def listed(bed: Any, c: Any, places: Any, velocities: Any, spins: Any, most: int = 64) -> Any:
    @ra.fn
    def played() -> Any:
        return shot.listed(bed, moving(places, velocities, spins, c), c, most)

    end, (times, kinds, balls, others) = played()
    return end, [row for row in zip(times, kinds, balls, others, strict=True) if row[1] < NOTHING]


# --------------------------------------------------------------------------------- closed forms


def test_the_times_of_events() -> None:
    # slides to the ball, which rolls to the cushion: (d - 2R) = v t - μ g t²/2, and so on
    c = plain()
    bed = table(Sizes(4.0, 4.0, 0.05))
    still = np.zeros(2)
    _end, events = listed(bed, c, [(1.0, 2.0), (1.5, 2.0)], [(2.0, 0.0), still], np.zeros((2, 3)))
    g, d, k = 9.81, 0.5 - 2 * RADIUS, 0.2 * 9.81
    meets = (2 - math.sqrt(4 - 2 * k * d)) / k
    first = next(row for row in events if row[1] == MEETS)
    assert first[0] == pytest.approx(meets, abs=1e-9)
    v = 2 - k * meets
    rolls = meets + 2 * v / (7 * k)
    turn = next(row for row in events if row[1:3] == (TURNS, 1) and row[0] > meets)
    assert turn[0] == pytest.approx(rolls, abs=1e-9)
    gone = 1.5 + (v * v - (5 / 7 * v) ** 2) / (2 * k)
    way, w = 4.0 - RADIUS - gone, 5 / 7 * v
    hits = rolls + (w - math.sqrt(w * w - 2 * 0.01 * g * way)) / (0.01 * g)
    side = next(row for row in events if row[1] == CUSHION and row[2] == 1)
    assert side[0] == pytest.approx(hits, abs=1e-9)


def test_a_stop_shot_stops() -> None:
    # struck so far below the middle that it arrives sliding without spin
    c = plain()
    d = 0.5 - 2 * RADIUS
    k = 0.2 * 9.81
    arrives = (2 - math.sqrt(4 - 2 * k * d)) / k
    spin = np.array([[0.0, -2.5 * k * arrives / RADIUS, 0.0], [0.0] * 3])
    end, _ = listed(OPEN, c, [(100.0, 100.0), (100.5, 100.0)], [(2.0, 0.0), (0.0, 0.0)], spin)
    np.testing.assert_allclose(end.balls.position[0], (100.5 - 2 * RADIUS, 100.0), atol=1e-9)


@pytest.mark.parametrize("cut", [10.0, 20.0, 30.0, 45.0, 60.0])
def test_the_rule_of_thirty_degrees(cut: float) -> None:
    # a rolling ball goes off at tan θ = sin φ cos φ / (sin² φ + 2/5): 33.7° where it is hit half, never more
    phi = math.radians(cut)
    n = np.array([math.cos(phi), math.sin(phi)])
    spins = np.array([[0.0, 1.0 / RADIUS, 0.0], [0.0] * 3])
    ball = np.array([100.0, 100.0]) + 0.2 * np.array([1.0, 0.0])
    places = [ball - 2 * RADIUS * n - np.array([0.05, 0.0]), ball]
    c = plain(rolling=1e-9)
    _end, events = listed(OPEN, c, places, [(1.0, 0.0), (0.0, 0.0)], spins)
    kinds = [row[1] for row in events]
    assert MEETS in kinds

    @ra.fn
    def after() -> Any:
        begun = shot.begin(OPEN, moving(places, [(1.0, 0.0), (0.0, 0.0)], spins, c), c)
        later, _ = shot.advance(OPEN, begun, 2.0, c, lambda seen, _: seen, ())
        return later.balls.velocity

    vx, vy = after()[0]
    expected = math.sin(phi) * math.cos(phi) / (math.sin(phi) ** 2 + 0.4)
    assert abs(vy / vx) == pytest.approx(expected, rel=1e-6)
    assert abs(math.degrees(math.atan2(vy, vx))) < 33.75


# --------------------------------------------------------------------------- true of any shot


@ra.fn
def framed(game: ra.Static, places: Any, strike: Any, frames: ra.Static = 400) -> Any:
    """Energies, places and phases of the balls in frames of 0.02 s, and the shot at the end."""
    table, c = GAMES[game].table, GAMES[game].constants
    n = len(places)

    def frame(carry: Any, k: Any) -> Any:
        later, _ = shot.advance(table, carry, 0.02 * k, c, lambda seen, _: seen, ())
        balls = shot.seen(later, 0.02 * k, c)
        total = ra.sum(ra.stack([energy(row(balls, i), c.radius) for i in range(n)]))
        return later, (total, balls.position, balls.phase)

    begun = shot.begin(table, struck(GAMES[game], places, strike), c)
    return ra.scan(frame, begun, np.arange(frames))


@ra.fn
def whole(game: ra.Static, places: Any, strike: Any) -> Any:
    return shot.play(GAMES[game].table, struck(GAMES[game], places, strike), GAMES[game].constants)


@pytest.mark.parametrize("game", ALL)
def test_energy_never_grows_and_balls_stay_where_they_may(game: str) -> None:
    for seed in range(40):
        places, strike = strikes(GAMES[game], seed, 4)
        _end, (energies, x, phases) = framed(game, places, strike)
        assert np.all(np.diff(energies) < 1e-14)
        bed, r = GAMES[game].table, float(GAMES[game].constants.radius)
        size, rail = np.array([bed.length, bed.width]), bed.rail * bool(len(bed.pockets))
        played = (phases != POCKETED)[..., None]
        assert np.all(np.where(played, x, r) > r - rail - 1e-9)
        assert np.all(np.where(played, size - x, r) > r - rail - 1e-9)
        apart = np.linalg.norm(x[:, :, None] - x[:, None], axis=3)
        both = (phases[:, :, None] != POCKETED) & (phases[:, None] != POCKETED)
        i, j = np.triu_indices(4, 1)
        assert np.all(apart[:, i, j][both[:, i, j]] > 2 * r - 1e-9)


@pytest.mark.parametrize("game", ALL)
def test_frames_change_nothing(game: str) -> None:
    for seed in range(10):
        places, strike = strikes(GAMES[game], seed)
        end, _ = framed(game, places, strike, 5000)
        at_once = whole(game, places, strike)
        assert end.story == at_once.story
        np.testing.assert_array_equal(end.balls.position, at_once.balls.position)


@pytest.mark.parametrize("game", ALL)
def test_shots_in_a_mirror(game: str) -> None:
    played, c = GAMES[game], GAMES[game].constants

    @ra.fn
    def both(places: Any, strike: Any) -> Any:
        balls = struck(played, places, strike)
        one = shot.play(played.table, balls, c)
        other = shot.play(played.table, mirrored(played.table, balls), c)
        return one.balls.position, mirrored(played.table, other.balls).position

    for seed in range(20):
        one, other = both(*strikes(played, seed))
        np.testing.assert_allclose(one, other, atol=1e-7)


def test_a_batch_is_its_members() -> None:
    rows = [strikes(POOL, seed) for seed in range(37)]
    batch = ra.vmap(ra.fn(lambda p, s: whole("pool", p, s)))
    together = batch(*(np.stack(part) for part in zip(*rows, strict=True)))
    for k, (places, strike) in enumerate(rows):
        alone = whole("pool", places, strike)
        assert together.story[k] == alone.story
        np.testing.assert_allclose(together.balls.position[k], alone.balls.position, atol=1e-9)


def test_a_ball_that_is_pressed_on_a_cushion_stays_at_it() -> None:
    c = constants(rebound=0.5)
    bed = table(Sizes(2.0, 2.0, 0.05))
    spin = np.array([[0.0, 300.0, 0.0]])
    end, events = listed(bed, c, [(1.9, 1.0)], [(0.5, 0.2)], spin, 256)
    assert end.kind == NOTHING and len(events) < 60
    assert end.balls.position[0, 0] <= 2.0 - RADIUS + 1e-12


@ra.fn
def rolled(places: Any, strike: Any) -> Any:
    return shot.play(POOL.table, struck(POOL, places, strike), POOL.constants, 600)


@pytest.mark.parametrize("count", [3, 4, 5, 6])
@pytest.mark.parametrize("first", [0.0, 0.2])
@pytest.mark.parametrize("height", [-0.3, 0.0, 0.3])
def test_balls_that_touch_in_a_line_come_to_rest(count: int, first: float, height: float) -> None:
    """The cue ball touches them too, or comes from afar; follow and draw press them on each other."""
    r = RADIUS * (1 + 1e-12)
    places = np.array([(0.5 + 2 * r * k + (first if k else 0.0), 0.5) for k in range(count)])
    for direction in (0.0, 1e-6, 0.03):
        end = rolled(places, np.array([2.0, direction, 0.0, height, 0.0]))
        assert end.kind == NOTHING and end.events < shot.MOST
        gaps = np.linalg.norm(end.balls.position[:, None] - end.balls.position, axis=2)
        assert gaps[np.triu_indices(count, 1)].min() > 2 * RADIUS - 1e-6


@ra.fn
def parted(n: Any, velocities: Any, spins: Any) -> Any:
    c, middle = POOL.constants, ra.array([1.0, 0.5])
    balls = moving([middle, middle + 2 * RADIUS * n], velocities, spins, c)
    pair = row(balls, 0), row(balls, 1)
    return pair, shot._parted(*pair, 0.0, c)


@pytest.mark.parametrize("seed", range(100))
def test_two_balls_that_spin_presses_together_lose_energy_and_no_momentum(seed: int) -> None:
    """Along the line of centres v + 2/5 R ω of both together is kept, as the cloth pushes where it touches."""
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * math.pi)
    n = np.array([math.cos(angle), math.sin(angle)])
    velocities = random.normal(size=(2, 2)) * 10.0 ** random.uniform(-3, 0)
    velocities[1] += (random.uniform(0, 1e-3) - (velocities[1] - velocities[0]) @ n) * n
    before, after = parted(
        n, velocities, random.normal(size=(2, 3)) * 10.0 ** random.uniform(-1, 2)
    )

    def kept(one: Any) -> float:
        return float(one.velocity @ n + 0.4 * RADIUS * (one.spin[1] * n[0] - one.spin[0] * n[1]))

    assert sum(map(kept, after)) == pytest.approx(sum(map(kept, before)), abs=1e-12)
    energies = [sum(float(energy(one, RADIUS)) for one in pair) for pair in (before, after)]
    assert energies[1] <= energies[0] * (1 + 1e-12)
    presses = (before[0].push - before[1].push) @ n > 0
    assert presses == (kept(before[0]) != kept(after[0]))


def test_what_is_beyond_the_most_events_is_left() -> None:
    places, strike = strikes(POOL, 3)

    @ra.fn
    def some() -> Any:
        balls = struck(POOL, places, strike)
        return shot.play(POOL.table, balls, POOL.constants, 3)

    end = some()
    assert end.events == 3 and end.kind != NOTHING


def test_a_break_comes_to_rest() -> None:
    c, r = POOL.constants, RADIUS + 5e-6
    rack = [
        (1.4 + math.sqrt(3) * r * i, POOL.table.width / 2 + r * (2 * j - i))
        for i in range(5)
        for j in range(i + 1)
    ]
    places = np.array([(0.5, POOL.table.width / 2 + 0.003), *rack])

    @ra.fn
    def broken(speed: Any) -> Any:
        balls = struck(POOL, places, ra.array([speed, 0.0, 0.0, 0.1, 0.0]))
        return shot.play(POOL.table, balls, c, 2000)

    end = broken(6.0)
    assert end.kind == NOTHING and 50 < end.events < 1000
    assert np.count_nonzero(np.linalg.norm(end.balls.position - places, axis=1) > 0.05) > 12


# -------------------------------------------------------------------------------- derivatives


@ra.fn
def weighed(game: ra.Static, strike: Any, places: Any, weights: Any) -> Any:
    return ra.sum(weights * whole(game, places, strike).balls.position)


gradients = {game: ra.value_and_grad(ra.fn(lambda *a, g=game: weighed(g, *a))) for game in ALL}


def gradient_error(game: str, seed: int) -> float | None:
    """How far the gradient is from central differences, of 1 + its size; None where another story is near."""
    places, strike = strikes(GAMES[game], seed)
    weights = np.random.default_rng(seed).normal(size=places.shape)
    story = whole(game, places, strike).story
    _, gradient = gradients[game](strike, places, weights)
    near = [strike + side * 1e-4 * e for e in np.eye(5) for side in (-1, 1)]
    if any(whole(game, places, other).story != story for other in near):
        return None

    def difference(e: Any, h: float) -> Any:
        high, low = (weighed(game, strike + s * h * e, places, weights) for s in (1, -1))
        return (high - low) / (2 * h)

    errors = []
    for k, e in enumerate(np.eye(5)):
        # friction that begins to stick makes a kink: nearer to the point there is none
        found = [(4 * difference(e, h / 2) - difference(e, h)) / 3 for h in (1e-4, 1e-5, 3e-6)]
        errors.append(min(abs(f - gradient[k]) for f in found) / (1 + abs(gradient[k])))
    return max(errors)


@pytest.mark.parametrize("game", ALL)
def test_gradients_against_differences(game: str) -> None:
    errors = [gradient_error(game, seed) for seed in range(12)]
    told = [e for e in errors if e is not None]
    assert len(told) >= 8 and max(told) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("game", ["pool", "carom"])
def test_gradients_against_differences_in_150_shots(game: str) -> None:
    errors = [gradient_error(game, seed) for seed in range(1000, 1170)]
    told = [e for e in errors if e is not None]
    assert len(told) >= 140 and max(told) < 1e-6


def test_a_graze_is_told() -> None:
    # the cue ball meets the other with 1e-8 of a radius: a little beside it goes by
    c = CAROM.constants
    r = float(c.radius)

    @ra.fn
    def past(offset: Any) -> Any:
        places = ra.array([[0.5, 0.5], [1.0, 0.5 + 2 * r - offset]])
        balls = moving(places, np.array([(1.0, 0.0), (0.0, 0.0)]), np.zeros((2, 3)), c)
        return shot.play(CAROM.table, balls, c)

    full, graze, by = past(r), past(1e-8 * r), past(-1e-8 * r)
    assert full.grazing > 0.3
    assert graze.grazing < 1e-3 and graze.story != by.story


def test_second_derivatives() -> None:
    c = plain()

    @ra.fn
    def end(offset: Any) -> Any:
        places = ra.array([[100.0, 100.0], [100.4, 100.0 + offset]])
        balls = moving(places, np.array([(1.0, 0.0), (0.0, 0.0)]), np.zeros((2, 3)), c)
        return shot.play(OPEN, balls, c).balls.position[1, 1]

    slope = ra.grad(end)
    h = 1e-5
    second = ra.grad(slope)(0.02)
    assert second == pytest.approx((slope(0.02 + h) - slope(0.02 - h)) / (2 * h), rel=1e-6)


# -------------------------------------------------------------------------------- time steps


def test_time_steps_come_near() -> None:
    c = POOL.constants
    places = np.array([(0.4, 0.4), (1.0, 0.45)])

    def errors(dt: float) -> float:
        @ra.fn
        def both() -> Any:
            balls = struck(POOL, places, np.array([1.5, 0.1, 0.1, 0.2, 0.0]))
            steps = play_in_steps(POOL.table, balls, c, dt, round(2.0 / dt))
            exact, _ = shot.advance(
                POOL.table, shot.begin(POOL.table, balls, c), 2.0, c, lambda seen, _: seen, ()
            )
            return steps.position, shot.seen(exact, 2.0, c).position

        steps, exact = both()
        return float(np.abs(steps - exact).max())

    coarse, fine = errors(1e-3), errors(1e-5)
    assert coarse < 0.2 and fine < coarse / 10
