"""The tables of docs/contact.md are those that their command makes, and say what the page says they do."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import rose_ad as ra
from rosephys.physics.contact.discs import RULES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def cases() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "contact_gradients", DOCS / "examples" / "contact_gradients.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(cases: ModuleType) -> dict[tuple[str, str], tuple[float, float]]:
    """Value and derivative by case and rule."""
    return {
        (case.name, rule): cases.measured(case, rule)
        for case in cases.CASES
        for rule in cases.rules_for(case)
    }


@pytest.mark.parametrize("name", ["gradients", "steps", "ground", "models"])
def test_the_page_shows_what_the_command_makes(name: str, cases: ModuleType) -> None:
    page = (DOCS / "contact.md").read_text(encoding="utf-8")
    table = "\n".join(cases.TABLES[name]())
    assert cases.page_with(page, name, table) == page


def test_a_page_with_other_numbers_would_differ(cases: ModuleType) -> None:
    page = (DOCS / "contact.md").read_text(encoding="utf-8")
    changed = page.replace("0.12955", "0.12956")
    table = "\n".join(cases.TABLES["steps"]())
    assert changed != page and cases.page_with(changed, "steps", table) != changed


def test_the_closed_forms_are_those_that_are_known(cases: ModuleType) -> None:
    by_name = {case.name: case.truth for case in cases.CASES}
    assert by_name["no gravity, e = 0.8: height by height"] == pytest.approx((0.64, -0.8))
    assert by_name["gravity: height by height"] == pytest.approx((1.12172784806, 0.129549967))
    assert by_name["gravity: height by speed"][1] == pytest.approx(-0.177328164)
    assert by_name["gravity: height by restitution"][1] == pytest.approx(2.070404360)
    assert by_name["head-on, e = 0: second disc's x by gap"][1] == pytest.approx(0.5)


def test_the_rules_are_all_there(cases: ModuleType) -> None:
    assert set(cases.STEPS) == {*RULES, "events", cases.UNTOLD}
    assert next(iter(RULES)) == "toi-velocity"  # the default


def test_events_are_exact(cases: ModuleType, found: dict) -> None:
    for case in cases.CASES:
        assert found[case.name, "events"] == pytest.approx(case.truth, rel=1e-9, abs=1e-11)


def test_toi_velocity_is_exact_without_a_push_and_near_with_one(
    cases: ModuleType, found: dict
) -> None:
    for case in cases.CASES:
        if not case.pushed:
            assert found[case.name, "toi-velocity"] == pytest.approx(
                case.truth, rel=1e-9, abs=1e-11
            )
    for case in (c for c in cases.CASES if c.name.startswith("gravity")):
        exact = np.array(case.truth)
        coarse, fine = (
            np.abs(np.array(cases.measured(case, "toi-velocity", dt)) - exact)
            for dt in (2e-3, 2e-4)
        )
        assert np.all(coarse < 0.01) and np.all(fine < 0.2 * coarse)


def test_wrong_rules_are_wrong_as_the_page_says(cases: ModuleType, found: dict) -> None:
    flat, gravity = "no gravity, e = 0.8: height by height", "gravity: height by height"
    glancing = "glancing, e = 1: second disc's y by offset"
    exact = {case.name: case.truth[1] for case in cases.CASES}
    assert found[flat, "naive"][1] == pytest.approx(1.0)  # +1, and -e is true
    assert found[flat, "toi-position"][1] == pytest.approx(-0.8, abs=1e-3)
    for rule in ("toi-position", cases.UNTOLD):
        assert found[gravity, rule][1] < -0.7 < 0 < exact[gravity]
    assert abs(found[glancing, "toi-position"][1] / exact[glancing]) < 0.6
    # values are near all the same: it is the derivatives that are wrong
    for rule in RULES:
        assert found[gravity, rule][0] == pytest.approx(1.12173, abs=0.06)


def test_a_compliant_contact_has_its_restitution() -> None:
    """Two discs head-on, by ever smaller steps."""

    def parted(e: float, dt: float) -> float:
        @ra.fn
        def final(speed: ra.Real) -> object:
            def step(_: object, state: tuple) -> tuple:
                x, v = state
                dv, dx = RULES["compliant"](x, v, 0.1, e, dt)
                v = v + dv
                return x + dx + dt * v, v

            x = np.array([[0.0, 0.0], [0.25, 0.0]])
            v = ra.array([ra.array([speed, 0.0]), np.zeros(2)])
            return ra.fori_loop(0, round(0.1 / dt), step, (x, v))[1]

        v = final(1.0)
        assert v.sum(axis=0) == pytest.approx((1.0, 0.0), abs=1e-12)
        return float(v[1, 0] - v[0, 0])

    for e in (1.0, 0.8, 0.5):
        errors = [abs(parted(e, dt) - e) for dt in (1e-3, 1e-5)]
        assert errors[0] < 0.1 and errors[1] < 2e-3
