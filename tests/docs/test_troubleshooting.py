"""The errors that docs/troubleshooting.md shows are those that are said, and the page has all kinds of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rosephys.command.cli import main
from tests.support.slips import scene

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
PLACE = re.compile(r", (?:\./)?[\w./-]*walk\.py:\d+$")
BODIES = {
    "initial": ["return None"],
    "step": [
        "return State(ra.array([1.0, 2.0, 3.0]), 0)",
        "return None",
        "return state.position",
        "return State([0.0, 1.0], 0)",
        "if state.position[0] > 0: return state",
        "return State(state.position + np.array([state.position[0], 1.0]), 0)",
        "return 1 / 0",
        *(
            f"from rosephys.physics.{module} import {name}; return {name}{arguments}"
            for module, name, arguments in (
                (
                    "robots.ground",
                    "advance_over_ground",
                    "(state.position, state.position, 0.0, 0.1)",
                ),
                ("rigid.shapes", "circle", "(-0.2)"),
                ("rigid.joints", "Joint", "('spring', (0, 1))"),
                ("fields.grid", "cell", "(7, 5, 'open')"),
            )
        ),
    ],
    "loss": ["return final.position - self.goal", "return final.position[0] < 1.0"],
    "picture": [
        "return Cross(self.goal, 'good')",
        "return Picture(Cross(self.goal, 'good'), (0, 0, 1, 1))",
        "return Picture((Circles([(0, 0)], 0.1, 'red'),), (0, 0, 1, 1))",
        "return Picture((Circles([(0, 0)], 0.1, ('grene',)),), (0, 0, 1, 1))",
        "return Picture((Circles((0, 0), 0.1, ('red',)),), (0, 0, 1, 1))",
        "return Picture((), (1, 0, 0, 1))",
    ],
    "tracks": ["return Track(state.position, 'accent')"],
    "invariants": ["return state.position[0]"],
}
MEMBERS = {
    "speed": [
        "control(1, 'how fast')",
        "control((0.1, 0.2), 'how fast', bounds=(2.0, 1.0))",
        "control((0.1, 0.2), 'how fast'),",
    ],
    "kind": ["parameter('calm', 'the air', choices=('rough',))"],
    "optimizer": ["'adma'"],
}
CONSTRAINED = [
    ("'adam'", "return ()"),
    ("'slsqp'", "return Constraint('there', final.position, 0.0, 1.0)"),
    ("'slsqp'", "return (Constraint('there', final.position),)"),
]
MISSING = ["step"]
COMMANDS = {
    "gradient ./walk.py --set gaol=1,2": "a name",
    "gradient ./walk.py --set goal=1": "a number of numbers",
    "gradient ./walk.py --set goal=goal.csv": "a file that is not there",
    "record ./walk.py --out walk.jpg": "a kind",
    "record ./walk.py --out file/walk.gif": "a place",
}
CASES = [
    *(scene(bodies={method: body}) for method, bodies in BODIES.items() for body in bodies),
    *(scene({name: value}) for name, values in MEMBERS.items() for value in values),
    *(scene(bodies={name: ""}) for name in MISSING),
    *(scene({"optimizer": name}, {"end_constraints": body}) for name, body in CONSTRAINED),
]


def shown() -> set[str]:
    """The errors on the page, each without its place."""
    blocks = re.findall(
        r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return {PLACE.sub("", line) for block in blocks for line in block.splitlines()}


def said(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert main(command) in (1, 2)
    first = capsys.readouterr().err.splitlines()[0]
    return PLACE.sub("", first.removeprefix("error: "))


def test_the_page_has_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("a file, not a folder")
    told = set()
    for text in CASES:
        Path("walk.py").write_text(text, encoding="utf-8")
        told.add(said(capsys, "check", "./walk.py"))
    Path("walk.py").write_text(scene(), encoding="utf-8")
    told |= {said(capsys, *command.split()) for command in COMMANDS}
    assert len(told) == len(CASES) + len(COMMANDS)
    assert told - shown() == set(), "missing on the page"
    assert shown() - told == set(), "said by nothing"
