"""What is said of a descent: of losses whose outcome is known, and of scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys import Problem, descend, find_scene
from rosephys.command.cli import main
from rosephys.solve.outcome import Outcome, outcome, steepness
from rosephys.solve.trust import Verdict, judge
from tests.support.scenes import Lob

RIGHT = Verdict(None)
CART = """\
import numpy as np
from rosephys import control
from tests.support.control import Cart

class Here(Cart):
    \"\"\"Come to rest at 1.\"\"\"
    force: object = control(lambda scene: 5.0 * np.linspace(1, -1, scene.steps), "force", unit="N")
"""
FALLING = [1 / (1 + k) ** 0.3 for k in range(101)]


def came_to(losses: list[float], steep: float, verdict: Verdict = RIGHT) -> Outcome:
    found = outcome(losses, steep, verdict, "gd", 0.1)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("losses", "steep", "verdict", "state", "help_option"),
    [
        ([1.0, 0.1, 1e-3, 1e-3], 5.0, RIGHT, "arrived", None),
        ([1.0, 0.0], 0.0, RIGHT, "arrived", None),
        ([1.0, *[0.4] * 30], 1e-6, RIGHT, "stuck", "starts"),
        ([1.0] * 30, 1e-6, RIGHT, "stuck", "starts"),
        ([1.0, *[0.4] * 30], 3.0, RIGHT, "stuck", "optimizer"),
        ([1.0, *[0.4] * 30], 3.0, Verdict("kink", "a kink"), "stuck", "starts"),
        (FALLING, 1.0, RIGHT, "not there yet", "iterations"),
        ([-1.0 - 0.1 * k for k in range(30)], 1.0, RIGHT, "not there yet", "iterations"),
        ([1.0, *[0.4] * 30, 0.9], 1.0, RIGHT, "jumped", "rate"),
        ([1.0, *[1.5] * 30], 1.0, RIGHT, "jumped", "rate"),
        ([4.0] * 30, 0.0, Verdict("flat", "nothing is touched"), "nothing to find", "starts"),
        ([4.0] * 30, 0.0, Verdict("no controls", "none"), "nothing to find", None),
    ],
)
def test_what_a_descent_has_come_to(
    losses: list[float], steep: float, verdict: Verdict, state: str, help_option: str | None
) -> None:
    found = came_to(losses, steep, verdict)
    assert found.state == state and found.sentence.startswith(state)
    assert (found.help.option if found.help else None) == help_option


@pytest.mark.parametrize(
    ("losses", "steep", "verdict", "state"),
    [
        ([15.7, *[12.0] * 30], 1e-6, RIGHT, "arrived"),
        ([15.7, *[12.0] * 30], 30.0, RIGHT, "stuck"),
        ([15.7, *[12.0] * 30], 1e-6, Verdict("kink", "a kink"), "stuck"),
        (FALLING, 1e-6, RIGHT, "not there yet"),
    ],
)
def test_a_cost_along_the_way_is_seldom_zero_at_its_minimum(
    losses: list[float], steep: float, verdict: Verdict, state: str
) -> None:
    found = outcome(losses, steep, verdict, "ddp", 1.0, costed=True)
    assert found is not None and found.state == state
    assert (found.help is None) is (state == "arrived")


def test_optimal_control_arrives_at_its_minimum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The least effort is no hundredth of what is tried first."""
    path = tmp_path / "cart.py"
    path.write_text(CART, encoding="utf-8")
    assert main(["optimize", str(path)]) == 0
    assert "arrived: the loss is 12, of 165 at first" in capsys.readouterr().out


def test_help_has_a_value_that_differs_from_what_was_tried() -> None:
    more = came_to(FALLING, 1.0).help
    assert more is not None and more.value == "200"
    smaller = came_to([1.0, *[0.4] * 30, 0.9], 1.0).help
    assert smaller is not None and float(smaller.value) == 0.025
    flat = [1.0, *[0.4] * 30]
    for tried, other in (("gd", "adam"), ("adam", "lbfgs")):
        found = outcome(flat, 3.0, RIGHT, tried, 0.1)
        assert found is not None and found.help is not None and found.help.value == other


def test_a_replay_has_come_to_nothing_that_could_be_told() -> None:
    assert outcome([1.0], 1.0, RIGHT, "gd", 0.1) is None


def test_steepness_is_per_size_and_within_bounds() -> None:
    problem = Problem(Lob())
    _, gradient = problem.value_and_gradient(problem.values)
    free = steepness(problem, problem.values, gradient)
    slopes = 0.25 * gradient["lift"], 1.0 * gradient["velocity"]
    assert free == pytest.approx(np.sqrt(slopes[0] ** 2 + np.sum(slopes[1] ** 2)))
    for lift, outward in ((0.3, True), (0.0, False)):
        values = {**problem.values, "lift": np.array(lift), "velocity": np.array([0.5, 0.2])}
        _, gradient = problem.value_and_gradient(values)
        assert gradient["lift"] < 0  # higher is better, and 0.3 is the bound
        held = steepness(problem, values, {**gradient, "velocity": 0 * gradient["velocity"]})
        assert (held == 0.0) is outward


def solved(name: str, settings: dict[str, str] | None = None) -> str:
    problem = Problem(find_scene(name, settings or {}))
    scene = problem.scene
    how: dict[str, Any] = {n: getattr(scene, n) for n in ("iterations", "rate", "optimizer")}
    iterates = list(descend(problem, **how))
    best = min(iterates, key=lambda i: i.loss)
    verdict = judge(problem, best.values, known=(best.loss, best.gradient))
    steep = steepness(problem, best.values, best.gradient)
    found = outcome([i.loss for i in iterates], steep, verdict, scene.optimizer, scene.rate)
    assert found is not None
    return found.state


@pytest.mark.parametrize(
    ("name", "settings", "state"),
    [
        ("billiards", {}, "arrived"),
        ("billiards", {"goal": "1.2,0.52"}, "stuck"),
        ("billiards", {"cue_velocity": "0,1"}, "nothing to find"),
        ("bounce", {}, "arrived"),
        ("pendulum", {}, "arrived"),
        ("throw", {}, "arrived"),
        ("drop", {}, "stuck"),  # its minimum is a kink
    ],
)
def test_what_scenes_come_to(name: str, settings: dict[str, str], state: str) -> None:
    assert solved(name, settings) == state


def test_what_becomes_of_a_walk_that_is_chaotic() -> None:
    """Which of them it is the last digits say."""
    assert solved("robot", {}) in {"jumped", "stuck"}


def test_a_solve_that_is_too_short_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", "bounce", "--iterations", "5"]) == 0
    told = capsys.readouterr().out
    assert "not there yet: the loss is" in told and "optimize bounce --iterations 10\n" in told
    assert main(["optimize", "bounce", "--iterations", "1"]) == 0
    assert "bounce: 1 iteration in" in capsys.readouterr().out


def test_a_solve_that_is_stuck_says_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimize", "billiards", "--set", "goal=1.2,0.52"]) == 0
    told = capsys.readouterr().out
    assert "stuck: the loss is 0.119, of 0.247 at first" in told
    command = "python -m rosephys optimize billiards --set goal=1.2,0.52 --starts 8"
    assert f"to try: {command}\n" in told
    assert main(command.split()[3:]) == 0  # as it stands
    told = capsys.readouterr().out
    assert "the best of 8 starts" in told
    loss = float(told.split("loss ")[1].split(" to ")[1].split()[0].rstrip(","))
    assert loss < 0.01
    assert "--starts 8 --seed 1" in told or "arrived" in told


IDLE = '''
import rose_ad as ra
from rosephys import Scene, control, parameter

@ra.struct
class State:
    x: ra.Real

class Idle(Scene):
    """Waits."""
    steps: int = parameter(2, "number of time steps")
    push: float = HOW(1.0, "does nothing")

    def initial(self):
        return State(self.push)

    def step(self, state, t):
        return state

    def loss(self, final):
        return 4.0 + 0.0 * final.x
'''


@pytest.mark.parametrize(
    ("how", "said"),
    [("control", "nothing that they move reaches"), ("parameter", "no controls")],
)
def test_no_controls_and_a_loss_without_them_are_said(
    how: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "idle.py"
    path.write_text(IDLE.replace("HOW", how), encoding="utf-8")
    assert main(["optimize", str(path), "--iterations", "3"]) == 0
    told = capsys.readouterr()
    assert "nothing to find" in told.out and said in told.out
    assert main(["gradient", str(path)]) == 0
    assert said in capsys.readouterr().err
