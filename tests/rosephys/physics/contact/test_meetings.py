"""Discs that meet several others in a step: closed forms, a second program, and what no break may do."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import rose_ad as ra
from rosephys import Problem, find_scene
from rosephys.physics.contact import meetings
from rosephys.physics.contact.discs import RULES, toi_velocity

R, DT = 0.03, 0.003
Rows = np.ndarray[Any, Any]


@cache
def rolled(steps: int) -> ra.Fn:
    """x, v after some steps, and the energy and the momentum after each."""

    @ra.fn
    def roll(x, v, e, dt=DT):
        def step(state: Any, _: Any) -> Any:
            x, v = state
            dv, dx = toi_velocity(x, v, R, e, dt)
            x, v = x + dx + dt * (v + dv), v + dv
            return (x, v), (0.5 * ra.sum(v * v), ra.sum(v, axis=0))

        (x, v), (energy, momentum) = ra.scan(step, (x, v), None, steps)
        return x, v, energy, momentum

    return roll


def struck(rest: Any, velocity: Any = (1.0, 0.0), cue: Any = (-0.2, 0.0)) -> tuple[Rows, Rows]:
    """A cue disc and others at rest."""
    x = np.array([cue, *rest], dtype=float)
    return x, np.array([velocity, *np.zeros_like(x[1:])])


# ----------------------------------------------------------------------------------- closed forms


@pytest.mark.parametrize("apart", [0.0, 0.3 * R])
@pytest.mark.parametrize("e", [1.0, 0.8])
def test_a_disc_between_two_strikes_both_at_once(e: float, apart: float) -> None:
    """Where n has the part c along the way, symmetry and e give each the impulse (1 + e) c / (1 + 2 c²)."""
    y = R + apart / 2
    n = np.array([np.sqrt(4 * R * R - y * y), y]) / (2 * R)
    impulse = (1 + e) * n[0] / (1 + 2 * n[0] ** 2)
    _, v, energy, _ = rolled(150)(*struck([(0.0, y), (0.0, -y)]), e)
    expected = [(1 - 2 * impulse * n[0], 0), impulse * n, impulse * n * (1, -1)]
    np.testing.assert_allclose(v, expected, atol=1e-12)
    lost = (1 - e * e) * n[0] ** 2 / (1 + 2 * n[0] ** 2)
    assert energy[-1] == pytest.approx(0.5 - lost, rel=1e-12)


@pytest.mark.parametrize("strikers", [1, 2, 3])
def test_of_a_row_as_many_leave_as_have_struck(strikers: int) -> None:
    x = np.zeros((6, 2))
    x[:, 0] = 2 * R * np.arange(6) - 0.2 * (np.arange(6) < strikers)
    v = np.zeros((6, 2))
    v[:strikers, 0] = 1.0
    np.testing.assert_allclose(rolled(150)(x, v, 1.0)[1], v[::-1], atol=1e-12)


def test_a_row_that_is_struck_from_both_ends_sends_both_back() -> None:
    x = np.array([(-0.2, 0), (0, 0), (2 * R, 0), (4 * R, 0), (4 * R + 0.2, 0)])
    v = np.array([(1.0, 0), (0, 0), (0, 0), (0, 0), (-1.0, 0)])
    np.testing.assert_allclose(rolled(150)(x, v, 1.0)[1], -v, atol=1e-12)


def test_what_happens_at_once_elsewhere_changes_nothing() -> None:
    """Two groups and a pair, all at the same instant, are as each would be alone."""
    between = [(0.0, R), (0.0, -R)]
    wider = [(0.0, 1.4 * R), (0.0, -1.4 * R)]
    depth = [np.sqrt(4 * R * R - y * y) for y in (R, 1.4 * R, 0.0)]
    apart = [
        struck(b, cue=(-d - 0.1, 0)) for b, d in zip((between, wider, [(0, 0)]), depth, strict=True)
    ]
    alone = [rolled(150)(x, v, 0.9)[1] for x, v in apart]
    x = np.concatenate([x + np.array([0, k]) for k, (x, _) in enumerate(apart)])
    together = rolled(150)(x, np.concatenate([v for _, v in apart]), 0.9)[1]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-12)


def test_a_blow_goes_along_a_row_within_its_step() -> None:
    """e = 0.9: the disc after has 1.9 / 2 of the speed of the one before, from the same instant on."""
    x, v = struck([(0, 0), (2 * R, 0), (4 * R, 0)])
    steps = 150
    after = rolled(steps)(x, v, 0.9)[0][3, 0]
    impact = 0.2 - 2 * R
    assert after == pytest.approx(4 * R + 0.95**3 * (steps * DT - impact), rel=1e-12)

    def end(start: float) -> Any:
        x = ra.array([(start, 0.0), (0.0, 0.0), (2 * R, 0.0), (4 * R, 0.0)])
        return rolled(steps)(x, v, 0.9)[0][3, 0]

    assert ra.grad(ra.fn(end))(-0.2) == pytest.approx(0.95**3, rel=1e-12)


@pytest.mark.parametrize("e", ["0.8", "1"])
def test_a_shot_back_between_two_gives_no_energy(e: str) -> None:
    given = {"layers": 2, "restitution": e, "cue_position": "1.2,0.509", "cue_velocity": "-0.5,0"}
    problem = Problem(find_scene("billiards", given))
    states = problem.trajectory(problem.values)
    energy = 0.5 * (states.velocity**2).sum((1, 2))
    assert np.diff(energy).max() < 1e-15
    assert e != "1" or energy[-1] == pytest.approx(0.125, rel=1e-12)
    v = states.velocity[np.argmax(states.velocity[:, 2, 0] < 0)]  # as soon as the two move
    np.testing.assert_allclose(v[2], v[3] * (1, -1), atol=1e-12)


# -------------------------------------------------------------------------------- a second program


def reference(x: Rows, v: Rows, e: float, time: float) -> tuple[Rows, Rows, int]:
    """From collision to collision, without steps, and how many there were."""
    x, v, n, count = x.copy(), v.copy(), len(x), 0
    i, j = np.triu_indices(n, 1)
    while True:
        d, w = x[i] - x[j], v[i] - v[j]
        a, b, c = (w * w).sum(1), (d * w).sum(1), (d * d).sum(1) - 4 * R * R
        meet = (b < -1e-14) & (b * b > a * c)
        until = np.full(len(i), np.inf)
        a, b, c = a[meet], b[meet], c[meet]
        until[meet] = c / (np.sqrt(b * b - a * c) - b)
        k = int(np.argmin(until))
        if until[k] > time:
            return x + time * v, v, count
        x, time, count = x + until[k] * v, time - until[k], count + 1
        normal = (x[i[k]] - x[j[k]]) / (2 * R)
        impulse = -(1 + e) / 2 * (normal @ (v[i[k]] - v[j[k]])) * normal
        v[i[k]] += impulse
        v[j[k]] -= impulse


def break_of(seed: int, n: int, gap: float, speed: float = 1.0) -> tuple[Rows, Rows]:
    """A cue that comes at a triangle of discs with gaps, which are irregular where they are not 0."""
    rng = np.random.default_rng(seed)
    places = [(i, j - i / 2) for i in range(n) for j in range(i + 1)][: n - 1]
    rack = (2 * R + gap) * np.array(places) * (np.sqrt(0.75), 1.0)
    rack += rng.uniform(-0.25, 0.25, rack.shape) * gap
    angle = rng.uniform(-0.5, 0.5)
    way = np.array([np.cos(angle), np.sin(angle)])
    aside = rng.uniform(-R, R) * np.array([-way[1], way[0]])
    return struck(rack, speed * way, -6 * R * way + aside)


@pytest.mark.parametrize("seed", range(6))
def test_long_steps_are_as_good_as_short_ones(seed: int) -> None:
    """Steps in which discs meet two or three others end as the motion does that has no steps."""
    x, v = break_of(seed, 7, 0.2 * R)
    e = (1.0, 0.9, 0.6)[seed % 3]
    expected_x, expected_v, count = reference(x, v, e, 0.48)
    assert count > 2
    for steps, dt in ((160, 0.003), (24, 0.02), (6, 0.08)):
        x_end, v_end, *_ = rolled(steps)(x, v, e, dt)
        np.testing.assert_allclose(x_end, expected_x, atol=1e-9)
        np.testing.assert_allclose(v_end, expected_v, atol=1e-9)


@pytest.mark.parametrize("n", [2, 4, 7])
@pytest.mark.parametrize("gap", [0.0, 0.001, 0.1])
@pytest.mark.parametrize("e", [0.0, 0.02])
def test_a_row_that_is_struck_without_rebound_moves_on_as_one(n: int, gap: float, e: float) -> None:
    """All have 1 / (n + 1) of the speed, whatever the steps, and touch. With e = 0 each blow stops at once what
    is then together, so that the time of each is known, too."""
    x, v = struck([(R * (2 + gap) * k, 0.0) for k in range(n)])
    ends = [rolled(round(0.96 / dt))(x, v, e, dt) for dt in (DT, 0.08, 0.96)]
    for x_end, v_end, *_ in ends:
        np.testing.assert_allclose(v_end, np.tile((1 / (n + 1), 0.0), (n + 1, 1)), atol=1e-9)
        np.testing.assert_allclose(np.diff(x_end[:, 0]), 2 * R, atol=1e-3 * gap * R + 1e-12)
    until = sum((gap * R, 0.2 - 2 * R)[k == 0] * (k + 1) for k in range(n))
    if e == 0.0:
        for x_end, *_ in ends:
            last = 2 * R * (n - 1) + gap * R * (n - 1) + (0.96 - until) / (n + 1)
            assert x_end[-1, 0] == pytest.approx(last, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_without_restitution_long_steps_are_as_good_as_short_ones(seed: int) -> None:
    x, v = break_of(seed, 7, 0.2 * R)
    ends = [rolled(round(0.48 / dt))(x, v, 0.0, dt)[:2] for dt in (0.0005, 0.003, 0.02, 0.08)]
    for there in ends[1:]:
        np.testing.assert_allclose(there, ends[0], atol=1e-9)


@ra.fn
def end(x, v, e):
    """One number of where and how fast discs are after 16 steps."""
    x, v, *_ = rolled(16)(x, v, e, 0.02)
    weights = np.cos(np.arange(2.0 * x.shape[0])).reshape(-1, 2)
    return ra.sum(weights * (x + 0.1 * v))


def gradient_and_differences(seed: int, n: int, e: float, along_e: bool) -> tuple[float, Rows]:
    """The slope along a random way, in reverse and forward mode, and by differences of three widths."""
    x, v = break_of(seed, n, 0.2 * R)
    rng = np.random.default_rng(100 + seed)
    along = rng.normal(size=x.shape), rng.normal(size=x.shape), along_e * rng.normal()

    def beside(h: float) -> Any:
        return end(*(a + h * d for a, d in zip((x, v, e), along, strict=True)))

    found = ra.grad(end, (0, 1, 2))(x, v, e)
    slope = sum(np.sum(g * d) for g, d in zip(found, along, strict=True))
    assert ra.jvp(end, (x, v, e), along)[1] == pytest.approx(slope, rel=1e-9, abs=1e-12)
    steps = R * np.array([1e-7, 3e-7, 1e-6])
    return slope, np.array([(beside(h) - beside(-h)) / (2 * h) for h in steps])


@pytest.mark.parametrize("e", [0.9, 0.3, 0.1, 0.0])
@pytest.mark.parametrize("seed", range(6))
def test_gradients_agree_with_differences(seed: int, e: float) -> None:
    """To 1e-6, where several meet in a step of 0.02 and none are at a tie; also where they clump."""
    slope, differences = gradient_and_differences(seed, 6, e, along_e=e > 0.0)
    assert slope == pytest.approx(differences[0], rel=1e-6, abs=1e-6)


def test_where_restitution_is_zero_its_derivative_is_that_of_more() -> None:
    x, v = struck([(0.0, 0.01)])
    slope = ra.grad(end, 2)(x, v, 0.0)
    assert slope == pytest.approx((end(x, v, 1e-7) - end(x, v, 0.0)) / 1e-7, rel=1e-6)


@pytest.mark.parametrize("restitution", [0.0, 0.2])
def test_the_gradient_of_a_stroke_into_a_clump_agrees_with_differences(restitution: float) -> None:
    problem = Problem(find_scene("billiards", {"restitution": str(restitution)}))
    start = problem.values
    found = problem.value_and_gradient(start)[1]["cue_velocity"]
    for k, way in enumerate(np.eye(2)):
        h = 1e-6 * way
        ends = [problem.loss({**start, "cue_velocity": start["cue_velocity"] + s}) for s in (-h, h)]
        assert found[k] == pytest.approx((ends[1] - ends[0]) / 2e-6, rel=1e-5)


# --------------------------------------------------------------------------- what no break may do


def check_break(seed: int, n: int, gap: float, e: float, speed: float, dt: float) -> None:
    x, v = break_of(seed, n, gap * R, speed)
    steps = 400
    roll = rolled(steps)
    x_end, v_end, energy, momentum = roll(x, v, e, dt)
    assert np.diff(energy, prepend=0.5 * speed**2).max() <= 1e-14 * speed**2
    np.testing.assert_allclose(momentum / speed, np.tile(v[0] / speed, (steps, 1)), atol=1e-12)
    if e == 1.0:
        assert energy[-1] == pytest.approx(0.5 * speed**2, rel=1e-12)
    mirror = np.array([1.0, -1.0])
    np.testing.assert_array_equal(roll(x * mirror, v * mirror, e, dt)[1], v_end * mirror)
    assert closest(x_end) > 2 * R * (1 - 1e-9)


def closest(x: Rows) -> float:
    """The least distance of two discs."""
    i, j = np.triu_indices(len(x), 1)
    return float(np.linalg.norm(x[i] - x[j], axis=1).min())


BREAKS = given(
    seed=st.integers(0, 10**6),
    n=st.sampled_from([3, 4, 7, 11, 22]),
    gap=st.sampled_from([0.0, 0.01, 0.3]),
    e=st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0) | st.floats(0.0, 0.3),
    speed=st.floats(0.1, 10.0),
    dt=st.sampled_from([DT, 0.02]),
)
SETTINGS = dict(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@BREAKS
@settings(max_examples=15, **SETTINGS)
def test_a_break_gains_no_energy_keeps_momentum_and_mirrors(**given: Any) -> None:
    check_break(**given)


@pytest.mark.slow
@BREAKS
@settings(max_examples=400, **SETTINGS)
def test_no_break_of_many_does_otherwise(**given: Any) -> None:
    check_break(**given)


@pytest.mark.slow
@given(seed=st.integers(0, 10**6), n=st.sampled_from([3, 5, 8]), e=st.floats(0.01, 1.0))
@settings(max_examples=300, **SETTINGS)
def test_no_gradient_of_many_disagrees_with_differences(seed: int, n: int, e: float) -> None:
    """Where these settle, as they do away from ties."""
    slope, differences = gradient_and_differences(seed, n, e, along_e=True)
    assume(np.ptp(differences) < 3e-7 * abs(slope))
    assert slope == pytest.approx(differences[0], rel=1e-6)


@pytest.mark.parametrize("most", [1, 2, 5])
@pytest.mark.parametrize("e", [0.0, 0.2, 0.9, 1.0])
def test_what_more_instants_would_settle_is_settled_all_the_same(
    most: int, e: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no more instants are made in a step, nothing overlaps, no energy comes, and gradients are right."""
    monkeypatch.setattr(meetings, "MOST", most)
    step = rolled.__wrapped__(1)
    x, v = break_of(3, 11, 0.05 * R)
    energy = 0.5
    for _ in range(40):
        x, v, after, momentum = step(x, v, e, 0.02)
        assert after[0] <= energy + 1e-14
        assert closest(x) > 2 * R * (1 - 1e-12)
        np.testing.assert_allclose(momentum[0], break_of(3, 11, 0.05 * R)[1][0], atol=1e-13)
        energy = after[0]


@pytest.mark.parametrize("e", [0.0, 0.1, 0.2])
def test_nothing_overlaps_after_any_step_in_a_clump(e: float) -> None:
    x, v = break_of(0, 22, 0.01 * R)
    for _ in range(100):
        x, v, *_ = rolled(1)(x, v, e, 0.02)
        assert closest(x) > 2 * R * (1 - 1e-12)


@pytest.mark.parametrize("e", [1.0, 0.95, 0.5, 0.1, 0.0])
def test_a_rack_that_is_struck_in_its_axis_stays_symmetric(e: float) -> None:
    places = [(i, j - i / 2) for i in range(6) for j in range(i + 1)]
    x, v = struck(2 * R * np.array(places) * (np.sqrt(0.75), 1.0))
    order = [0] + [1 + places.index((i, -y)) for i, y in places]
    x, v, energy, momentum = rolled(400)(x, v, e)
    np.testing.assert_allclose(x[order], x * (1, -1), atol=1e-9)
    assert np.diff(energy, prepend=0.5).max() <= 1e-14
    np.testing.assert_allclose(momentum[-1], (1, 0), atol=1e-12)
    assert e != 1 or energy[-1] == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("count", [0, 1])
def test_one_disc_meets_nobody(rule: str, count: int) -> None:
    x = np.ones((count, 2))
    for change in ra.fn(lambda x: RULES[rule](x, x, 0.03, 1.0, 0.1))(x):
        np.testing.assert_array_equal(change, np.zeros((count, 2)))
