"""`check` passes what is right and finds what is wrong: each fault is put into a scene and must be named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, Scene, control, find_scene
from rosephys.command.check import check, distance
from rosephys.command.cli import main
from rosephys.command.differences import WRONG, difference
from rosephys.command.finding import Finding, Run
from rosephys.scene.finding import scene_names
from rosephys.solve.probes import probed
from rosephys.solve.trust import MOST


@ra.struct
class Pulled:
    """One number."""

    x: ra.Real


SCENE = '''\
import numpy as np
import rose_ad as ra
from rosephys import Circles, Lines, Picture, Scene, control, parameter


@ra.struct
class State:
    place: ra.Vec
    speed: ra.Vec


class Spring(Scene):
    """Push a mass on a spring so that it ends at the goal."""

    steps: int = parameter(40, "number of time steps")
    dt: float = parameter(0.05, "time step", unit="s")
    goal: object = parameter((0.8, 0.3), "where to end")
    push: object = control((0.6, 0.5), "first speed", unit="m/s")
    stiffness: float = control(1.0, "of the spring")

    def initial(self):
        return State(ra.array([0.1, 0.0]), self.push)

    def step(self, state, t):
        v = state.speed - self.dt * self.stiffness * state.place
        return State(state.place + self.dt * v, v)

    def loss(self, final):
        miss = final.place - self.goal
        return ra.dot(miss, miss)

    def picture(self, state):
        ball = Circles(ra.array([state.place]), 0.05, ("white",))
        ground = Lines(((-9.0, -1.5),), ((9.0, -1.5),), "dim")
        return Picture((ground, ball), (-2.0, -2.0, 2.0, 2.0))

    def invariants(self, state):
        x, v = state.place, state.speed
        return {"energy": 0.5 * ra.dot(v, v) + 0.5 * self.stiffness * ra.dot(x, x)}

    @property
    def allowed_drift(self):
        return {"energy": 0.02}
'''


def findings(tmp_path: Path, *changes: tuple[str, str], **settings: Any) -> dict[str, Finding]:
    """What is found about the scene with some of its text changed, by check."""
    text = SCENE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / "spring.py"
    path.write_text(text, encoding="utf-8")
    return {f.check: f for f in check(Problem(find_scene(str(path), settings)))}


def failed(found: dict[str, Finding]) -> set[str]:
    for f in found.values():
        assert f.verdict != "FAILED" or len(f.advice) > 20, f"{f.check} does not say what to do"
    return {name for name, f in found.items() if f.verdict == "FAILED"}


# of scenes that take long
FEWER_STEPS = {"walker": 100, "jelly": 100, "sand": 400, "blob": 100, "cradle": 300, "car": 240}


def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often losses and gradients are evaluated from now on."""
    calls = {"loss": 0, "value_and_gradient": 0}

    def counting(name: str) -> Any:
        evaluate = getattr(Problem, name)

        def call(*arguments: Any) -> Any:
            calls[name] += 1
            return evaluate(*arguments)

        return call

    for name in calls:
        monkeypatch.setattr(Problem, name, counting(name))
    return calls


@pytest.mark.parametrize("name", scene_names())
def test_every_scene_passes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch)
    fields = {"steps": FEWER_STEPS[name]} if name in FEWER_STEPS else {}
    found = list(check(Problem(find_scene(name, fields))))
    assert [f for f in found if f.verdict == "FAILED"] == []
    assert [f for f in found if "not done" in f.measured] == []
    assert calls["value_and_gradient"] <= MOST + 6 and calls["loss"] <= 250
    assert any(f.check.startswith("invariant") for f in found) or not find_scene(name).allowed_drift


def test_what_is_right_is_said_to_be(tmp_path: Path) -> None:
    found = findings(tmp_path)
    assert {f.verdict for f in found.values()} == {"ok"}
    assert set(found) == {
        "states",
        "gradient along random directions",
        "gradient in push",
        "gradient in stiffness",
        "gradient summed over a distance",
        "forward against reverse mode",
        "determinism",
        "compiled against interpreted",
        "picture",
        "in view",
        "invariant: energy",
    }
    assert "1 moving point" in found["in view"].measured  # the ground may reach beyond


# ------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("part", ["1.001", "0.0", "-1.0"])
def test_a_wrong_derivative(part: str, tmp_path: Path) -> None:
    """A factor in the derivative of the loss that its values do not have."""
    skewed = f"(ra.stop_gradient(miss) * (1 - {part}) + {part} * miss)"
    found = findings(tmp_path, ("ra.dot(miss, miss)", f"ra.dot({skewed}, {skewed})"))
    assert failed(found) == {
        "gradient along random directions",
        "gradient in push",
        "gradient in stiffness",
    }
    gradient = found["gradient in push"]
    assert "stop_gradient" in gradient.advice


def test_a_derivative_wrong_in_one_control_is_found_there(tmp_path: Path) -> None:
    change = ("self.dt * self.stiffness *", "self.dt * ra.stop_gradient(self.stiffness) *")
    assert failed(findings(tmp_path, change)) == {
        "gradient along random directions",
        "gradient in stiffness",
    }


def test_a_derivative_that_is_small_is_checked_as_closely(tmp_path: Path) -> None:
    assert failed(findings(tmp_path, ("return ra.dot(miss", "return 1e-9 * ra.dot(miss"))) == set()
    skewed = "1e-9 * (0.999 * ra.dot(miss, miss) + 0.001 * ra.stop_gradient(ra.dot(miss, miss)))"
    assert "gradient in push" in failed(findings(tmp_path, ("ra.dot(miss, miss)", skewed)))


def test_a_control_without_effect_is_no_fault(tmp_path: Path) -> None:
    found = findings(tmp_path, ("self.dt * self.stiffness *", "self.dt * 1.0 *"))
    assert found["gradient in stiffness"].verdict == "ok"
    assert "does not depend" in found["gradient in stiffness"].measured


@pytest.mark.parametrize(
    ("loss", "stationary"),
    [
        ("(self.stiffness - 1.0) ** 2", "0.0001"),
        ("-((self.stiffness - 1.0) ** 2)", "-0.0001"),
        ("9.0 + (self.stiffness - 1.0) ** 4", "1e-08"),
        ("9.0 + 0.0 * self.stiffness", ""),
    ],
)
def test_where_the_slope_is_zero_a_stationary_loss_is_told_from_one_that_does_not_depend(
    loss: str, stationary: str, tmp_path: Path
) -> None:
    found = findings(
        tmp_path, ("ra.dot(miss, miss)", loss), ("self.dt * self.stiffness *", "self.dt * 1.0 *")
    )
    told = found["gradient in stiffness"]
    assert told.verdict == "ok"
    beside = f"the loss is stationary here, and 1% away it changes by {stationary}"
    same = "the loss does not depend on it here"
    assert told.measured == f"zero: {beside if stationary else same}"
    assert "does not depend" in found["gradient in push"].measured
    along = found["gradient summed over a distance"]
    assert along.verdict == ("ok" if stationary else "note")
    if stationary:
        promised, changes = along.measured.split(", and the loss changes by ")
        assert float(promised) == pytest.approx(float(changes), rel=0.5) != 0.0


@pytest.mark.parametrize("slope", [2.4e-17, -1e-12])
@pytest.mark.parametrize("loss", ["ra.dot(miss, miss)", "self.push[0] - 0.6"])  # which is 0 here
def test_a_difference_is_shown_beside_the_size_of_the_gradient(
    slope: float, loss: str, tmp_path: Path
) -> None:
    """Rounding in a slope that should be zero is no error of 100 %."""
    rounding = f"{loss} + {slope} * (self.stiffness - ra.stop_gradient(self.stiffness))"
    changes = ("self.dt * self.stiffness *", "self.dt * 1.0 *"), ("ra.dot(miss, miss)", rounding)
    found = findings(tmp_path, *changes)["gradient in stiffness"]
    assert found.verdict == "ok"
    assert float(found.measured.split()[2]) <= WRONG


def test_where_differences_do_not_settle_a_person_must_judge(tmp_path: Path) -> None:
    saw = "ra.dot(miss, miss) + 1e-3 * ra.where(self.push[0] > 0.6, 1.0, 0.0)"
    found = findings(tmp_path, ("ra.dot(miss, miss)", saw))
    assert found["gradient in push"].verdict == "note"
    assert "jumps" in found["gradient in push"].advice
    assert found["gradient in stiffness"].verdict == "ok"


def test_a_loss_that_is_a_saw_leads_astray(tmp_path: Path) -> None:
    """Its derivative is right at every point, and wrong over a distance."""
    saw = "miss[0] - 2e-3 * ra.floor(1e3 * miss[0] + 0.5)"
    found = findings(tmp_path, ("ra.dot(miss, miss)", saw))
    assert found["gradient along random directions"].verdict == "ok"
    assert found["gradient summed over a distance"].verdict == "note"
    assert "contact" in found["gradient summed over a distance"].advice


@pytest.mark.parametrize(
    ("contact", "verdict"), [("toi-velocity", "ok"), ("toi-position", "note"), ("naive", "note")]
)
def test_rules_of_contact_are_told_apart(contact: str, verdict: str) -> None:
    run = Run(Problem(find_scene("billiards", {"contact": contact})))
    assert [f.verdict for f in distance(run)] == [verdict]


def test_modes_that_disagree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Problem.slope
    monkeypatch.setattr(Problem, "slope", lambda self, *a: right(self, *a) * (1 + 1e-5))
    assert failed(findings(tmp_path)) == {"forward against reverse mode"}


# ---------------------------------------------------------------------------------------- numbers


def test_a_state_that_is_not_finite(tmp_path: Path) -> None:
    found = findings(
        tmp_path, ("v = state.speed -", "v = ra.sqrt(ra.where(t < 7, 1.0, -1.0)) * state.speed -")
    )
    assert {"states", "gradient"} <= failed(found)
    assert found["states"].measured == "place is not finite from step 8 on"
    assert "v = ra.sqrt(ra.where(t < 7, 1.0, -1.0))" in found["states"].advice


def test_a_gradient_that_is_not_finite(tmp_path: Path) -> None:
    found = findings(
        tmp_path, ("ra.dot(miss, miss)", "ra.dot(miss, miss) + ra.sqrt(self.stiffness - 1.0)")
    )
    assert "stiffness" in found["gradient"].measured and "push" not in found["gradient"].measured
    assert found["states"].verdict == "ok"


def test_random_numbers_without_a_seed(tmp_path: Path) -> None:
    found = findings(tmp_path, ("ra.array([0.1, 0.0])", "ra.array(np.random.rand(2))"))
    assert "determinism" in failed(found)
    assert "made anew" in found["determinism"].measured and "seed" in found["determinism"].advice


def test_a_compiler_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    right = ra.interpret
    monkeypatch.setattr(ra, "interpret", lambda *a: [1.000001 * np.asarray(x) for x in right(*a)])
    assert failed(findings(tmp_path)) == {"compiled against interpreted"}


def test_a_step_too_large_to_interpret_is_made_without_the_optimiser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rosephys.command.machine.INSTRUCTIONS", 3)
    found = findings(tmp_path)["compiled against interpreted"]
    assert found.verdict == "ok" and "without the optimiser" in found.measured
    assert "5 steps differ by" in found.measured


def test_few_evaluations_are_made_where_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = counted(monkeypatch)
    assert {f.verdict for f in findings(tmp_path).values()} == {"ok"}
    assert calls["loss"] <= 4 * (4 + 3) and calls["value_and_gradient"] <= 8
    calls.update(loss=0, value_and_gradient=0)
    path = tmp_path / "spring.py"
    assert {f.verdict for f in check(Problem(find_scene(str(path))), thorough=True)} == {"ok"}
    assert calls["value_and_gradient"] > 30


def test_no_controls_are_a_note(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        ('control((0.6, 0.5), "first speed"', 'parameter((0.6, 0.5), "first speed"'),
        ("stiffness: float = control", "stiffness: float = parameter"),
    )
    assert found["gradient"].verdict == "note" and "no controls" in found["gradient"].measured
    assert not failed(found)


def test_a_loss_that_depends_on_no_control_is_a_note(tmp_path: Path) -> None:
    found = findings(tmp_path, ("return ra.dot(miss, miss)", "return 4.0 + 0 * final.place[0]"))
    assert found["gradient summed over a distance"].verdict == "note"
    assert "nothing that they move reaches" in found["gradient summed over a distance"].advice


# ----------------------------------------------------------------------------- invariants, pictures


@pytest.mark.parametrize(
    ("allowed", "kept"),
    [("0.02", True), ("1e-4", False), ("(1.0, 1e-4)", False), ("(0.02, 1.0)", True)],
)
def test_invariants_may_drift_as_far_as_is_said(allowed: str, kept: bool, tmp_path: Path) -> None:
    found = findings(tmp_path, ('{"energy": 0.02}', f'{{"energy": {allowed}}}'))
    assert failed(found) == (set() if kept else {"invariant: energy"})


def test_what_is_not_declared_is_reported(tmp_path: Path) -> None:
    found = findings(tmp_path, ('{"energy": 0.02}', "{}"))
    assert found["invariant: energy"].verdict == "note"
    assert "drift" in found["invariant: energy"].measured
    misspelt = findings(tmp_path, ('{"energy": 0.02}', '{"enregy": 0.02}'))
    assert failed(misspelt) == {"invariant: enregy"}


def test_a_picture_that_is_blank(tmp_path: Path) -> None:
    lost = ("(ground, ball), (-2.0, -2.0, 2.0, 2.0)", "(ball,), (50.0, 50.0, 54.0, 54.0)")
    assert failed(findings(tmp_path, lost)) == {"picture"}


def test_a_picture_that_cannot_be_drawn(tmp_path: Path) -> None:
    found = findings(tmp_path, ('("white",)', '("whitish grey",)'))
    assert failed(found) == {"picture"}
    assert "whitish grey" in found["picture"].measured


def test_what_leaves_the_view_is_noted(tmp_path: Path) -> None:
    found = findings(tmp_path, push=(6.0, 0.5))
    assert found["in view"].verdict == "note" and "step" in found["in view"].measured


def test_a_scene_without_a_picture_or_invariants(tmp_path: Path) -> None:
    text = SCENE[: SCENE.index("    def picture")]
    path = tmp_path / "plain.py"
    path.write_text(text, encoding="utf-8")
    found = {f.check: f for f in check(Problem(find_scene(str(path))))}
    assert found["picture"].verdict == "note" and not failed(found)


# ----------------------------------------------------------------------------- the command


def test_the_command_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "spring.py"
    path.write_text(SCENE, encoding="utf-8")
    assert main(["check", str(path)]) == 0
    told = capsys.readouterr().out
    assert "spring, 40 steps" in told and "nothing is wrong" in told and "FAILED" not in told
    assert main(["check", str(path), "--set", "dt=0.5"]) == 1
    told = capsys.readouterr().out
    assert "FAILED" in told and "smaller dt" in told and "1 of 11 checks FAILED" in told
    assert main(["check", str(path), "--set", "nothing=1"]) == 2
    assert main(["check", "no such scene"]) == 2


def test_what_was_found_before_ctrl_c_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spring.py"
    path.write_text(SCENE, encoding="utf-8")

    def pressed(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Problem, "slope", pressed)
    assert main(["check", str(path)]) == 130
    told = capsys.readouterr().out
    assert "gradient in stiffness" in told and "interrupted: 5 checks done, 0 FAILED" in told
    assert "nothing is wrong" not in told
    assert main(["check", str(path), "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["stopped"] is True


def test_the_command_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "spring.py"
    path.write_text(SCENE, encoding="utf-8")
    assert main(["check", str(path), "--set", "dt=0.5", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["scene"] == "spring" and found["steps"] == 40 and found["failed"] == 1
    last = found["checks"][-1]
    assert last["check"] == "invariant: energy" and last["verdict"] == "FAILED"
    assert set(last) == {"check", "verdict", "measured", "advice"}


def test_an_error_in_the_scene_names_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spring.py"
    path.write_text(SCENE.replace("final.place - self.goal", "final.plaec"), encoding="utf-8")
    assert main(["check", str(path)]) == 1
    assert "spring.py" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["heat", "patterns", "electric", "smoke", "wave"])
def test_large_controls_are_checked_along_probes(name: str) -> None:
    problem = Problem(find_scene(name, {"steps": 4}))
    _, gradient = problem.value_and_gradient(problem.values)
    seen, differences = probed(gradient), problem.central_differences(problem.values)
    for part, slope in seen.items():
        large = problem.values[part].size > 4096
        assert slope.shape == differences[part].shape
        assert (slope.shape == (8,)) if large else (slope.shape == gradient[part].shape)
        np.testing.assert_allclose(slope, differences[part], rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(("unseen", "verdict"), [(2e-5, "ok"), (1e-3, "FAILED")])
def test_where_slopes_cancel_an_error_is_measured_beside_them(unseen: float, verdict: str) -> None:
    """A part of the loss that the gradient does not know, along a direction in which the rest stays."""

    class Pair(Scene):
        """Two numbers against each other."""

        steps: int = 1
        x: Any = control((1.0, 1.0), "the numbers")

        def initial(self) -> Pulled:
            return Pulled(self.x[0] - self.x[1] + unseen * ra.stop_gradient(self.x[0] + self.x[1]))

        def step(self, state: Pulled, t: Any) -> Pulled:
            return state

        def loss(self, final: Pulled) -> Any:
            return final.x

    found = difference(Run(Problem(Pair())), {"x": np.array([1.0, 1.0])})
    assert found.verdict == verdict
