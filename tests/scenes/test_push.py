"""Optimal control through contact: the optimum in closed form, and which rules come to it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from rosephys import Problem, descend, find_scene

DOCS = Path(__file__).parents[2] / "docs"
OPTIMA = {
    "single": (0.3114168704, 0.460708, 0.925062),
    "several": (0.3736363502, 0.562088, 4.911650),
}


@pytest.fixture(scope="module")
def controls() -> ModuleType:
    path = DOCS / "examples" / "push_controls.py"
    spec = importlib.util.spec_from_file_location("push_controls", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("task", OPTIMA)
def test_the_optimum_is_the_published_one(task: str, controls: ModuleType) -> None:
    cost, time, angle = OPTIMA[task]
    best = controls.optimum(task)
    assert best.cost == pytest.approx(cost, abs=1e-10)
    assert best.time == pytest.approx(time, abs=1e-6)
    assert best.angle == pytest.approx(angle, abs=1e-6)


@pytest.mark.parametrize("task", OPTIMA)
def test_the_best_push_costs_in_the_simulation_what_is_said(
    task: str, controls: ModuleType
) -> None:
    """It collides as planned; the steps' width is what is left."""
    errors = []
    for steps in (480, 4800):
        settings = {"task": task, "contact": "events", "steps": steps, "dt": 1 / steps}
        problem = Problem(find_scene("push", settings))
        push = controls.optimum(task, steps).push
        errors.append(abs(problem.loss({**problem.values, "push": push}) / OPTIMA[task][0] - 1))
    assert errors[0] < 0.01 and errors[1] < 0.001


@pytest.mark.parametrize("task", OPTIMA)
@pytest.mark.parametrize("contact", ["toi-velocity", "events"])
def test_a_right_derivative_leads_to_the_optimum(
    task: str, contact: str, controls: ModuleType
) -> None:
    cost, push = controls.descended(task, contact)
    assert OPTIMA[task][0] * 0.999 < cost < OPTIMA[task][0] * 1.01
    assert controls.truly(task, push) < OPTIMA[task][0] * 1.01
    best = controls.optimum(task).push
    apart = np.linalg.norm(push - best, axis=1) > 0.1 * np.abs(best).max()
    assert apart.mean() < 0.02  # but for the steps about the collision, the curves are one


@pytest.mark.parametrize(
    ("task", "optimizer", "rate", "iterations"),
    [("single", "adam", 0.2, 500), ("several", "lbfgs", 1.0, 120)],
)
def test_the_optimum_is_met_within_a_thousandth(
    task: str, optimizer: str, rate: float, iterations: int
) -> None:
    """As far as it is the simulation's: steps of 1/480 s leave that much of a collision to be had or lost."""
    if optimizer == "lbfgs":
        pytest.importorskip("scipy.optimize", reason="the extra `test` has it")
    problem = Problem(find_scene("push", {"task": task}))
    found = descend(problem, optimizer=optimizer, rate=rate, iterations=iterations)
    assert min(i.loss for i in found) == pytest.approx(OPTIMA[task][0], rel=1e-3)


@pytest.mark.parametrize("task", OPTIMA)
@pytest.mark.parametrize("contact", ["naive", "toi-position"])
def test_a_wrong_derivative_does_not(task: str, contact: str, controls: ModuleType) -> None:
    cost, push = controls.descended(task, contact)
    assert cost > 1.1 * OPTIMA[task][0] and controls.truly(task, push) > 1.1 * OPTIMA[task][0]
    best = controls.optimum(task).push
    assert np.linalg.norm(push - best) > 0.25 * np.linalg.norm(best)


def test_plain_descent_comes_as_near_as_the_page_says() -> None:
    for task, rate, iterations, above in (
        ("single", 200, 500, 1.013),
        ("several", 50, 1500, 1.008),
    ):
        problem = Problem(find_scene("push", {"task": task}))
        *_, last = descend(problem, iterations=iterations, rate=rate, optimizer="gd")
        assert last.loss < above * OPTIMA[task][0]


def test_walls_of_mirror_images_are_walls(controls: ModuleType) -> None:
    """The struck disc turns back at the wall as it does with events, for the same push."""
    push = controls.descended("several", "events")[1]
    states = []
    for contact in ("toi-velocity", "events"):
        problem = controls.problem("several", contact)
        states.append(problem.trajectory({**problem.values, "push": push}))
    one, other = states
    assert one.position[:, 1, 1].max() == pytest.approx(0.8, abs=1e-2)
    assert one.velocity[-1, 1, 1] < 0 < one.velocity[:, 1, 1].max()
    np.testing.assert_allclose(one.position, other.position, atol=0.02)


def test_a_control_of_each_step_has_a_trajectory() -> None:
    problem = Problem(find_scene("push", {"steps": 7, "dt": 0.01}))
    states = problem.trajectory(problem.values)
    assert states.position.shape == (8, 2, 2)
    miss = states.position[-1, 1]
    effort = 0.01 * 0.01 * np.sum(problem.values["push"] ** 2)
    assert problem.loss(problem.values) == pytest.approx(miss @ miss + effort, rel=1e-14)


def test_the_page_has_the_table(controls: ModuleType) -> None:
    page = (DOCS / "contact.md").read_text(encoding="utf-8")
    table = page.split("<!-- push -->")[1].split("<!-- end of push -->")[0].split()
    for task in OPTIMA:
        assert f"{controls.optimum(task).cost:.10f}" in table
    assert (DOCS / "push.png").read_bytes()[:4] == b"\x89PNG"
