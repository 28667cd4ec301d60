"""A scene with longer and longer steps holds what it should, names a limit, or is refused.

It is never nonsense without a word.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rosephys import Problem, SceneError, find_scene
from rosephys.command.cli import main
from rosephys.scene.finding import scene_names
from rosephys.solve.guard import at_first, in_motion, lost

# of scenes that take long
FEWER_STEPS = {
    "walker": 100,
    "jelly": 100,
    "sand": 100,
    "blob": 60,
    "liquid": 100,
    "channel": 100,
    "plume": 40,
    "smoke": 20,
    "dam": 100,
    "wave": 40,
    "patterns": 60,
}
SHOWN_ONLY = {"smoke", "plume"}  # whose dt is no part of the motion
DRIVEN = {"robot", "car", "crane", "pinball", "hopper", "quadruped"}
MAY_GAIN = {"cloth", "rope", "walker", "channel", "boat", "jelly"} | DRIVEN
GROWTH = 0.02  # of its largest value that an energy which is not declared may gain


def longer(name: str, factor: int) -> Problem | None:
    """A scene with steps so many times as long; None if it takes none as long."""
    fields = {"steps": FEWER_STEPS[name]} if name in FEWER_STEPS else {}
    scene = find_scene(name, fields)
    try:
        return Problem(find_scene(name, {**fields, "dt": repr(factor * float(scene.dt))}))
    except SceneError:
        return None


def kept(problem: Problem, trajectory: Any, factor: int) -> bool:
    """Whether the invariants hold: those that are declared as a method of second order keeps them at least."""
    allowed = problem.scene.allowed_drift
    for name, values in problem.invariants(problem.values, trajectory).items():
        change = values - values[0]
        if name in allowed:
            bound = allowed[name]
            below, above = bound if isinstance(bound, tuple) else (bound, bound)
            if not (-(factor**2) * below <= change.min() and change.max() <= factor**2 * above):
                return False
        elif "energy" in name and problem.scene.name not in MAY_GAIN:
            if change.max() > GROWTH * np.max(np.abs(values)):
                return False
    return True


@pytest.mark.parametrize("factor", [2, 10, 100])
@pytest.mark.parametrize("name", scene_names())
def test_no_step_is_too_long_without_a_word(name: str, factor: int) -> None:
    problem = longer(name, factor)
    if problem is None or in_motion(problem, problem.values) is not None:
        return
    trajectory = problem.trajectory(problem.values)
    if lost(trajectory) is not None:
        assert name in {"rigid"}, "what is NaN should have a limit that says why"
        return
    assert kept(problem, trajectory, factor)


@pytest.mark.parametrize("name", scene_names())
def test_every_scene_is_within_its_limits_as_it_comes(name: str) -> None:
    fields = {"steps": FEWER_STEPS[name]} if name in FEWER_STEPS else {}
    problem = Problem(find_scene(name, fields))
    assert in_motion(problem, problem.values) is None


@pytest.mark.parametrize(
    ("scene", "settings", "limit"),
    [
        ("pendulum", {"dt": "0.5"}, "what runge-kutta allows of the fastest swing, at 6.287 rad/s"),
        ("pendulum", {"links": "20", "dt": "0.1"}, "what runge-kutta allows of the fastest swing"),
        ("pendulum", {"method": "explicit-euler", "dt": "0.05"}, "what explicit-euler allows"),
        ("cartpole", {"length": "0.001"}, "what runge-kutta allows of the fastest swing"),
        ("orbit", {"dt": "0.6"}, "what verlet allows of the fastest passing of two bodies"),
        ("electric", {"dt": "1.0"}, "what semi-implicit-euler allows"),
        ("electric", {"strength": "10.0"}, "what semi-implicit-euler allows"),
        ("gyroscope", {"dt": "0.1"}, "what the axis allows, which turns at 25.23 rad/s"),
        ("gyroscope", {"spin": "5000"}, "what the axis allows"),
        ("drop", {"dt": "0.05"}, "half of what the points that touch are from their centres"),
        ("rigid", {"dt": "0.01"}, "what the stiffest motion of the springs allows, at 306.4 rad/s"),
        ("throw", {"contact": "penalty", "dt": "0.05"}, "what contact allows"),
        ("stack", {"contact": "penalty", "dt": "0.05"}, "what contact allows"),
        ("plume", {"drag": "1.5"}, "all of the speed"),
    ],
)
def test_limits_name_the_number_and_the_field(
    scene: str, settings: dict[str, str], limit: str
) -> None:
    problem = Problem(find_scene(scene, settings))
    breach = at_first(problem, problem.values)
    assert breach is not None and limit in breach.words
    assert f"a smaller {breach.limit.field} is needed" in breach.words


def test_a_strong_wind_is_over_half_the_grid() -> None:
    problem = Problem(find_scene("smoke", {"cells": "11", "steps": "2"}))
    strong = {**problem.values, "u": 6.0 + 0 * problem.values["u"]}
    breach = at_first(problem, strong)
    assert breach is not None and "half the grid" in breach.words and "weaker wind" in breach.words


def test_a_strong_lift_is_found_in_motion() -> None:
    problem = Problem(find_scene("plume", {"lift": "100", "steps": "40"}))
    assert at_first(problem, problem.values) is None
    breach = in_motion(problem, problem.values)
    assert breach is not None and breach.step > 0 and "weaker lift" in breach.words


def drift(name: str, settings: dict[str, str], share: float, steps: int) -> float:
    """How much of its largest the energy gains, with a step of so much of the first limit's bound."""
    problem = Problem(find_scene(name, {**settings, "steps": str(steps)}))
    bound = float(problem.first_limits(problem.values)[0].bound)
    energy = problem.invariants({**problem.values, "dt": np.array(share * bound)})["energy"]
    if not np.isfinite(energy).all():
        return np.inf
    return float((energy - energy[0]).max() / np.abs(energy).max())


@pytest.mark.parametrize(
    ("name", "settings", "beyond"),
    [
        ("gyroscope", {}, 4.0),
        ("pendulum", {"links": "1", "method": "verlet"}, 4.5),
        ("pendulum", {"links": "1", "method": "semi-implicit-euler"}, 4.5),
    ],
)
def test_energy_grows_beyond_a_limit_and_hardly_below(
    name: str, settings: dict[str, str], beyond: float
) -> None:
    assert drift(name, settings, 0.98, 300) < 0.06
    assert drift(name, settings, beyond, 300) > 0.1


def test_compliant_contact_hops_beyond_its_limit_and_never_below() -> None:
    """Damping with the speed after the push keeps it bounded even there."""
    piled = {"contact": "penalty", "boxes": "4"}
    assert drift("throw", {"contact": "penalty"}, 0.98, 300) < 1e-9
    assert drift("stack", piled, 0.98, 300) < 1e-9
    assert 0.01 < drift("stack", piled, 5.0, 300) < 0.1


def test_a_box_gains_energy_from_the_ground_beyond_its_limit_only() -> None:
    problem = Problem(find_scene("drop"))
    gains, held = [], 0
    for dt in (0.002, 0.004, 0.006, 0.008, 0.01, 0.016, 0.02):
        values = {**problem.values, "dt": np.array(dt)}
        energy = problem.invariants(values)["energy"]
        gained = float(energy.max() / energy[0] - 1)
        if in_motion(problem, values) is None:
            assert gained < 1e-9
            held += 1
        gains.append(gained)
    assert held == 4 and gains[-1] > 0.5


def test_a_robot_of_boxes_is_nan_beyond_its_limit_only() -> None:
    problem = Problem(find_scene("rigid", {"steps": "400"}))
    bound = float(problem.first_limits(problem.values)[0].bound)
    below, above = ({**problem.values, "dt": np.array(s * bound)} for s in (0.95, 1.6))
    assert lost(problem.trajectory(below)) is None
    moved = problem.trajectory(above)
    assert lost(moved) is not None or np.abs(moved.motion.position).max() > 1e3


def test_a_tank_is_told_of_water_that_it_does_not_hold() -> None:
    find_scene("slosh", {"columns": "10", "rows": "8"})
    said = "rows are 9, 0.9 m of water in a tank of 0.8 m: with 10 columns they may be 8"
    with pytest.raises(SceneError, match=said):
        find_scene("slosh", {"columns": "10", "rows": "9"})


def test_a_nan_ends_with_the_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradient", "rigid", "--set", "dt=0.1"]) == 1
    told = capsys.readouterr().err
    assert told.index("warning: dt 0.1 is over") < told.index("error: ")
    assert "not finite from step" in told
