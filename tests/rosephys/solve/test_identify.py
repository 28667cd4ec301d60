"""Identification: intervals that cover the truth, closed forms, and words for what cannot be told apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Measurement, Problem, Scene, SceneError, identify, parameter
from rosephys.solve.identify import Fitting, fitted
from tests.support.identification import NOISE, TRUE, Toss, measured


class Line(Scene):
    """A point at offset + slope t: linear regression, whose intervals have a closed form."""

    steps: int = parameter(20, "number of time steps")
    dt: float = parameter(0.1, "time step")
    offset: float = parameter(0.0, "at the start", unit="m")
    slope: float = parameter(0.0, "a second", unit="m/s")

    def initial(self) -> Any:
        return ra.array([1.0 * self.offset])

    def step(self, state: Any, t: Any) -> Any:
        return state + self.dt * self.slope

    def loss(self, final: Any) -> Any:
        return final[0]


TIMES = 0.1 * np.arange(21)


def noisy_line(seed: int = 0) -> np.ndarray:
    return 1.0 + 2.0 * TIMES + 0.1 * np.random.default_rng(seed).standard_normal(21)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_intervals_of_a_line_are_those_of_linear_regression(level: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    data = noisy_line()
    found = identify(
        Line(), Measurement(TIMES, {"state.0": data}), ("offset", "slope"), level=level
    )
    known = stats.linregress(TIMES, data)
    t = stats.t.ppf(0.5 + level / 2, 19)
    offset, slope = found.estimates
    assert slope.value == pytest.approx(known.slope, rel=1e-9)
    assert offset.value == pytest.approx(known.intercept, rel=1e-9)
    assert slope.deviation == pytest.approx(known.stderr, rel=1e-9)
    assert offset.deviation == pytest.approx(known.intercept_stderr, rel=1e-9)
    assert slope.high - slope.value == pytest.approx(t * known.stderr, rel=1e-8)
    assert not found.confounded and slope.unit == "m/s"


def test_correlations_and_noise_of_a_line() -> None:
    data = noisy_line()
    found = identify(Line(), Measurement(TIMES, {"state.0": data}), ("offset", "slope"))
    design = np.stack([np.ones(21), TIMES], axis=1)
    covariance = np.linalg.inv(design.T @ design)
    expected = covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1])
    assert found.correlations[0, 1] == pytest.approx(expected, rel=1e-9)
    left = data - design @ np.linalg.lstsq(design, data, rcond=None)[0]
    (column,) = found.columns
    assert column.noise == pytest.approx(math.sqrt(left @ left / 19), rel=1e-9)
    assert column.fitted == pytest.approx(math.sqrt(left @ left / 21), rel=1e-9)
    np.testing.assert_allclose(found.residuals[0][:, 0], left, atol=1e-10)


def test_what_was_not_measured_does_not_count() -> None:
    data = noisy_line()
    gaps = data.copy()
    gaps[::4] = np.nan
    kept = np.isfinite(gaps)
    whole = identify(Line(), Measurement(TIMES, {"state.0": gaps}), ("offset", "slope"))
    few = identify(Line(), Measurement(TIMES[kept], {"state.0": data[kept]}), ("offset", "slope"))
    for a, b in zip(whole.estimates, few.estimates, strict=True):
        assert (a.value, a.low) == pytest.approx((b.value, b.low), rel=1e-9)


def test_several_measurements_are_fitted_together_each_with_its_own_start() -> None:
    parts = [
        Measurement(TIMES, {"state.0": noisy_line(k) + k - 1.0}, {"offset": float(k)})
        for k in range(3)
    ]
    found = identify(Line(), parts, ("slope",))
    centred = np.concatenate([p.columns["state.0"] - p.settings["offset"] for p in parts])
    times = np.tile(TIMES, 3)
    assert found.estimates[0].value == pytest.approx(times @ centred / (times @ times), rel=1e-9)


def test_what_is_held_out_is_predicted_not_fitted() -> None:
    data = noisy_line()
    data[16:] += 5.0
    found = identify(
        Line(), Measurement(TIMES, {"state.0": data}), ("offset", "slope"), hold_out=0.25
    )
    first = identify(Line(), Measurement(TIMES[:16], {"state.0": data[:16]}), ("offset", "slope"))
    assert found.estimates == first.estimates
    (column,) = found.columns
    assert column.counts == (16, 5) and column.held_out == pytest.approx(5.0, abs=0.3)


def test_times_between_steps_are_predicted_in_between() -> None:
    times = np.array([0.03, 0.11, 0.55, 1.234, 2.0])
    found = identify(Line(), Measurement(times, {"state.0": 1 + 2 * times}), ("offset", "slope"))
    assert [e.value for e in found.estimates] == pytest.approx([1.0, 2.0], abs=1e-9)


# ---- Contact, springs and friction ----


def test_parameters_of_contact_and_of_a_spring_are_found() -> None:
    found = identify(Toss(), measured(Problem(Toss()), TRUE, NOISE, 0), tuple(TRUE))
    for estimate in found.estimates:
        assert estimate.low <= TRUE[estimate.name] <= estimate.high
        assert estimate.deviation < 0.35 * TRUE[estimate.name]
    for column in found.columns:
        assert column.noise == pytest.approx(NOISE[column.name], rel=0.15)


@pytest.mark.slow
def test_intervals_cover_the_truth_in_most_of_a_hundred_trials() -> None:
    problem, truth = Fitting(Toss(), tuple(NOISE), tuple(TRUE)), Problem(Toss())
    covered = dict.fromkeys(TRUE, 0)
    for seed in range(100):
        found = fitted(problem, [measured(truth, TRUE, NOISE, seed)])
        for estimate in found.estimates:
            covered[estimate.name] += estimate.low <= TRUE[estimate.name] <= estimate.high
    print(covered)
    assert all(90 <= count <= 98 for count in covered.values()), covered


# ---- What cannot be told apart ----


class Pulled(Scene):
    """A mass on a spring; `law` says what of two numbers the stiffness over the mass is."""

    law: str = parameter(
        "ratio",
        "how",
        choices=("ratio", "product", "sum", "difference", "square", "root", "none", "odd"),
    )
    steps: int = parameter(100, "number of time steps")
    dt: float = parameter(0.05, "time step")
    a: float = parameter(3.0, "one number", bounds=(0.1, 10.0))
    b: float = parameter(2.0, "another", bounds=(0.1, 10.0))
    drag: float = parameter(0.2, "damping")

    def initial(self) -> Any:
        return ra.array([1.0, 0.0])

    def step(self, state: Any, t: Any) -> Any:
        laws = {
            "ratio": self.a / self.b,
            "product": self.a * self.b,
            "sum": self.a + self.b,
            "difference": self.a - self.b,
            "square": self.a / self.b**2,
            "root": self.a**3 * self.b,
            "none": self.a,
            "odd": self.a + ra.exp(self.b),
        }
        speed = state[1] - self.dt * (laws[self.law] * state[0] + self.drag * state[1])
        return ra.array([state[0] + self.dt * speed, speed])

    def loss(self, final: Any) -> Any:
        return final[0]


WORDS = {
    "ratio": "a and b: only their ratio is seen",
    "product": "a and b: only their product is seen",
    "sum": "a and b: only their sum is seen",
    "difference": "a and b: only their difference is seen",
    "square": "a and b: only a / b^2 is seen",
    "root": "a and b: only a^3 * b is seen",
    "none": "b: nothing that was measured depends on it",
    "odd": "a and b: nothing that was measured changes where a by +1 and b by",
}


@pytest.mark.parametrize("law", WORDS)
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_two_that_cannot_be_told_apart_are_named(law: str, noise: float) -> None:
    start = {"a": 0.4, "b": 0.9} if law == "root" else {}
    data = measured(Problem(Pulled(law=law)), start, {"state.0": noise}, 1)
    found = identify(Pulled(law=law, **start), data, ("a", "b", "drag"))
    (apart,) = found.confounded
    assert apart.words.startswith(WORDS[law])
    notes = {e.name: e.note for e in found.estimates}
    assert notes == {
        "a": "" if law == "none" else "not told apart",
        "b": "not told apart",
        "drag": "",
    }
    drag = found.estimates[2]
    alone = identify(
        Pulled(law="none"),
        measured(Problem(Pulled(law="none")), {}, {"state.0": noise}, 1),
        ("drag",),
    )
    assert math.isfinite(drag.deviation) and (drag.deviation > 0) == (
        alone.estimates[0].deviation > 0
    )


def test_three_that_scale_together_are_named() -> None:
    fit = ("stiffness", "damping", "mass")
    data = measured(Problem(Toss(friction=0.0)), {}, NOISE, 2)
    found = identify(Toss(friction=0.0), data, fit)
    assert [a.words for a in found.confounded] == [
        "stiffness, damping and mass: only their ratios are seen"
    ]
    assert all(e.note == "not told apart" and e.low == -math.inf for e in found.estimates)


def test_what_is_hardly_told_apart_is_named() -> None:
    times = 10.0 + 0.01 * np.arange(10)
    data = 1 + 2 * times + 0.01 * np.random.default_rng(0).standard_normal(10)
    found = identify(Line(steps=110), Measurement(times, {"state.0": data}), ("offset", "slope"))
    assert not found.confounded
    ((a, b, correlation),) = found.hardly
    assert (a, b) == ("offset", "slope") and correlation < -0.999


class Swinging(Scene):
    """A mass that swings at a rate that is to be found: a wrong one by some periods fits worse all around."""

    steps: int = parameter(400, "number of time steps")
    dt: float = parameter(0.01, "time step", unit="s")
    rate: float = parameter(3.0, "how fast it swings", unit="rad/s", bounds=(0.1, 100.0))

    def initial(self) -> Any:
        return {"place": 1.0, "time": 0.0}

    def step(self, state: Any, t: Any) -> Any:
        time = state["time"] + self.dt
        return {"place": ra.cos(self.rate * time), "time": time}

    def loss(self, final: Any) -> Any:
        return final["place"]


def test_the_best_of_many_starts_is_taken() -> None:
    times = 0.01 * np.arange(401)
    measured = Measurement(times, {"place": np.cos(17.0 * times)})
    alone = identify(Swinging(), measured, ["rate"])
    assert abs(alone.values["rate"] - 17.0) > 1.0
    found = identify(Swinging(), measured, ["rate"], starts=48)
    assert found.values["rate"] == pytest.approx(17.0, rel=1e-6)
    again = identify(Swinging(), measured, ["rate"], starts=48)
    assert again.values["rate"] == found.values["rate"]
    with pytest.raises(SceneError, match="starts: wanted a whole number from 1 on, not 0"):
        identify(Swinging(), measured, ["rate"], starts=0)


def test_one_at_its_bound_says_so() -> None:
    data = measured(Problem(Pulled(law="none")), {"a": 12.0}, {"state.0": 0.0}, 0)
    found = identify(Pulled(law="none"), data, ("a", "drag"))
    assert found.estimates[0].value == 10.0 and found.estimates[0].note == "at its bound"


# ---- What cannot be ----

MOVED = {
    "still": lambda t: 0 * t,
    "a parabola": lambda t: t**2,
    "a wave": lambda t: np.sin(3 * t),
    "a jump": lambda t: 1.0 * (t > 1),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("moved", MOVED)
def test_what_a_scene_does_not_do_is_no_noise(moved: str, seed: int) -> None:
    """Of another motion the intervals say nothing, and that is told; of noise it never is."""
    noise = np.random.default_rng(seed).standard_normal(201)
    scene, times = Line(steps=200, dt=0.01), 0.01 * np.arange(201)
    seen = MOVED[moved](times)
    other = identify(
        scene, Measurement(times, {"state.0": seen + 0.02 * noise + (seen == 0)}), ["slope"]
    )
    noisy = identify(
        scene, Measurement(times, {"state.0": 2 * times + 0.5 * noise}), ["offset", "slope"]
    )
    assert not other.columns[0].white and other.columns[0].following > 0.5
    assert noisy.columns[0].white and abs(noisy.columns[0].following) < 0.3


@pytest.mark.parametrize("missing", [0, 1, 100, 199])
def test_of_rounding_and_of_few_numbers_nothing_is_told(missing: int) -> None:
    scene, times = Line(steps=200, dt=0.01), 0.01 * np.arange(201)
    seen = 2.0 * times
    seen[:missing] = np.nan
    assert identify(scene, Measurement(times, {"state.0": seen}), ["slope"]).columns[0].white


GOOD = Measurement(TIMES, {"state.0": noisy_line()})


def fit(*names: str, measurement: Any = GOOD, **how: Any) -> Any:
    return identify(Line(), measurement, names, **how)


WRONG = {
    "name a field or more": lambda: fit(),
    "line has no field 'slop'; did you mean slope": lambda: fit("slop"),
    "steps is the int": lambda: fit("steps"),
    "dt is what measured times": lambda: fit("dt"),
    "fitted twice": lambda: fit("slope", "slope"),
    "there is no column": lambda: fit("slope", measurement=Measurement(TIMES, {})),
    "has no 'angle'": lambda: fit("slope", measurement=Measurement(TIMES, {"angle": TIMES})),
    "a part from 0 to below 1, not 1": lambda: fit("slope", hold_out=1.0),
    "lies between 0 and 1, not at 0.0": lambda: fit("slope", level=0.0),
    "goes from 0 to 4, and the motion from 0 to 2: --set steps=40": lambda: fit(
        "slope", measurement=Measurement(2 * TIMES, {"state.0": TIMES})
    ),
    "2 numbers were measured; to fit 2 takes more": lambda: fit(
        "offset", "slope", measurement=Measurement(TIMES[:2], {"state.0": TIMES[:2]})
    ),
    "begins at -1, and the motion at 0": lambda: fit(
        "slope", measurement=Measurement(TIMES - 1, {"state.0": TIMES})
    ),
    "or subtract 100 if the motion begins there": lambda: fit(
        "slope", measurement=Measurement(TIMES + 100, {"state.0": TIMES})
    ),
    "to hold out 0.999 of them leaves none to fit": lambda: fit("slope", hold_out=0.999),
    "times go up, and time 1 is 0.5, after 1": lambda: Measurement([1.0, 0.5], {"a": [0.0, 0.0]}),
    "time 0 is inf; wanted finite numbers": lambda: Measurement([np.inf, 0.5], {"a": [0.0, 0.0]}),
    "there are no times": lambda: Measurement([], {"a": []}),
    "numbers in a row, not an array of complex128": lambda: Measurement(
        [0.0], {"a": np.array([1j])}
    ),
    "3 numbers for 2 times": lambda: Measurement([0.0, 0.5], {"a": [0.0, 0.0, 1.0]}),
    "numbers in a row, not 'no'": lambda: Measurement([0.0, 0.5], {"a": "no"}),
    "line has no field 'mass'": lambda: fit(
        "slope", measurement=Measurement(TIMES, {"state.0": TIMES}, {"mass": 1.0})
    ),
    "wanted state.0": lambda: fitted(
        Fitting(Line(), ("state.0",), ("slope",)), [Measurement(TIMES, {"other": TIMES})]
    ),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_is_told(words: str) -> None:
    with pytest.raises(SceneError) as told:
        WRONG[words]()
    assert words in str(told.value)
