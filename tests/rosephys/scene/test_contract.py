"""What a scene's methods must return, and what is said where they do not: class, method, line, came, wanted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys import Problem, Scene, SceneError, control, find_scene, parameter
from rosephys.errors import Slip, describe
from tests.support.slips import scene

STEP, LOSS, TRACKS = "step", "loss", "tracks"
COUNT = ", state.count + 1)"

# what a method returns, what is then said
SAID = [
    (
        "step",
        "State(ra.array([1.0, 2.0, 3.0])" + COUNT,
        "State.position was (2,), step returned (3,)",
    ),
    ("step", "State(1.0" + COUNT, "State.position was (2,), step returned a number"),
    ("step", "State([1.0, 2.0]" + COUNT, "State.position was (2,), step returned [1.0, 2.0]"),
    ("step", "None", "the state was a State, step returned None; is a `return` missing?"),
    ("step", "(state,)", "the state was a State, step returned a tuple of 1"),
    ("step", "State(state.position, None)", "State.count was a number, step returned None"),
    ("initial", "None", "returned None; wanted a state"),
    (
        "loss",
        "final.position",
        "returned numbers of shape (2,); wanted one number, as ra.sum or ra.dot gives",
    ),
    ("loss", "None", "returned None; wanted one number"),
    ("loss", "final.position[0] < 1", "wanted one number"),
    ("tracks", "Track(state.position, 'dim')", "returned a Track; wanted a tuple of Track"),
    (
        "tracks",
        "(Track(state.count, 'dim'),)",
        "Track.point has shape (); wanted shape (2,), in the track 0",
    ),
    (
        "tracks",
        "(Track(state.position, 'dimm'),)",
        "Track.colour is 'dimm', which is no colour",
    ),
    ("limits", "1.0", "returned 1.0; wanted a tuple of Limit"),
    ("limits", "(Limit('at {} and {}', 1.0, 2.0),)", "Limit.name is 'at {} and {}'"),
    ("invariants", "[1.0]", "returned [1.0]; wanted numbers by name"),
    ("invariants", "{'p': state.position}", "'p' is numbers of shape (2,); wanted one number"),
    ("picture", "Cross(self.goal, 'dim')", "returned a Cross; wanted a Picture"),
    (
        "picture",
        "Picture(Cross(self.goal, 'dim'), (0, 0, 1, 1))",
        "Picture.shapes is a Cross; wanted a tuple",
    ),
    ("picture", "Picture((Cross(self.goal, 'dim'), 3), (0, 0, 1, 1))", "Picture.shapes[1] is 3"),
    (
        "picture",
        "Picture((), (1, 0, 0, 1))",
        "Picture.view is (1, 0, 0, 1); wanted (xmin, ymin, xmax, ymax)",
    ),
    (
        "picture",
        "Picture((Circles(np.zeros((3, 2)), np.zeros(2), ('dim',)),), (0, 0, 1, 1))",
        "Circles.radii has shape (2,); wanted a number or (n = 3,), in Picture.shapes[0]",
    ),
    (
        "picture",
        "Picture((Circles(np.zeros((2, 2)), 0.1, ('dim', 'grene')),), (0, 0, 1, 1))",
        "Circles.colours[1] is 'grene', which is no colour; did you mean green",
    ),
]


def written(path: Path, text: str) -> Problem:
    path.write_text(text, encoding="utf-8")
    return Problem(find_scene(str(path)))


def run(problem: Problem) -> None:
    problem.inspect()
    problem.trajectory(problem.values)
    problem.loss(problem.values)


OPTIONAL = [
    (
        "cost",
        "state.position",
        "returned numbers of shape (2,); wanted one number, as ra.sum or ra.dot",
    ),
    ("cost", "None", "returned None; wanted one number"),
    ("residuals", "1.0", "returned 1.0; wanted numbers in a row: ra.array([...])"),
    ("residuals", "None", "returned None; wanted numbers in a row"),
    (
        "constraints",
        "state.position < 1.0",
        "returned truth values of shape (2,); wanted a tuple of Constraint",
    ),
    (
        "constraints",
        "Constraint('a', 1.0, 0.0)",
        "returned a Constraint; wanted a tuple of Constraint: (Constrai",
    ),
    (
        "constraints",
        "(state.position,)",
        "returned numbers of shape (2,) among them; wanted a tuple",
    ),
    ("end_constraints", "(Constraint('a', 1.0),)", "Constraint 'a' has neither a low nor a high"),
    (
        "end_constraints",
        "(Constraint('a', 1.0, 2.0, 1.0),)",
        "Constraint 'a' is from 2.0 to 1.0; wanted the lower",
    ),
    (
        "end_constraints",
        "(Constraint(1.0, 1.0, 2.0),)",
        "Constraint.name is 1.0; wanted a word or more",
    ),
    (
        "end_constraints",
        "(Constraint('a', np.ones((2, 2)), 2.0),)",
        "Constraint.value is numbers of shape (2, 2)",
    ),
    (
        "end_constraints",
        "(Constraint('a', final.position, np.zeros(3)),)",
        "Constraint.low is numbers of shape (3,); wanted a number or 2 in a row",
    ),
    (
        "end_constraints",
        "(Constraint('a', None, 2.0),)",
        "Constraint.value is None; wanted a number, or",
    ),
]


@pytest.mark.parametrize(
    ("method", "returned", "said"), OPTIONAL, ids=[f"{m}-{r}"[:40] for m, r, _ in OPTIONAL]
)
def test_what_is_said_of_a_method_that_may_be_left_out(
    method: str, returned: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "walk.py"
    bodies = {method: f"a = 1\n        return {returned}"}
    bodies |= {"loss": ""} if method == "residuals" else {}
    text = scene({"optimizer": '"slsqp"'}, bodies)
    line = next(k for k, s in enumerate(text.splitlines(), 1) if s.strip() == f"return {returned}")
    with pytest.raises(Slip) as caught:
        run(written(file, text))
    told = describe(caught.value)
    assert told.startswith(f"Walk.{method}: {said}") and told.endswith(f", {file}:{line}")


def test_what_cannot_be_together_is_told(tmp_path: Path) -> None:
    squares = scene(bodies={"residuals": "return final.position - self.goal"})
    with pytest.raises(Slip, match=r"Walk\.loss: is the squares of residuals .*; leave it out, "):
        written(tmp_path / "walk.py", squares)
    stated = scene(bodies={"constraints": "return ()"})
    said = (
        r"Walk\.optimizer: is 'adam', which keeps no constraints; wanted one of slsqp, trust-constr"
    )
    with pytest.raises(Slip, match=said):
        written(tmp_path / "walk.py", stated)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("cost", "state"),
        ("residuals", "state, t"),
        ("constraints", "state"),
        ("end_constraints", "a, b"),
    ],
)
def test_what_takes_other_arguments_is_told(method: str, arguments: str, tmp_path: Path) -> None:
    other = {"loss": ""} if method == "residuals" else {}
    text = scene(
        {"optimizer": '"slsqp"'}, {method: "return 1.0", **other}, {method: f"self, {arguments}"}
    )
    with pytest.raises(
        Slip, match=rf"Walk\.{method}: takes \({arguments}\) after self; wanted {method}\("
    ):
        run(written(tmp_path / "walk.py", text))


SHORT = [  # how an array is read, what is said to do
    ("self.push[t]", "give self.push a row for each t; t goes from 0 to steps - 1"),
    ("self.push[t + 1]", "give self.push a row for each t + 1; t goes from 0 to steps - 1"),
    ("ra.stack([self.push, self.push], 1)[t, 1]", " a row for each t; t goes from 0 to steps - 1"),
    ("ra.stack([self.push, self.push])[1, t]", "with ra.clip(i, 0, n - 1)"),
    ("self.push[state.count]", "keep it in range, for instance with ra.clip(i, 0, n - 1)"),
]


@pytest.mark.parametrize(("read", "instead"), SHORT, ids=[read for read, _ in SHORT])
def test_an_array_with_a_row_too_few_is_told(read: str, instead: str, tmp_path: Path) -> None:
    file = tmp_path / "walk.py"
    moved = f"State(state.position + {read}, state.count + 1)"
    text = scene({"push": "control(np.zeros(2), 'a push each step')"}, {"step": f"return {moved}"})
    line = next(k for k, s in enumerate(text.splitlines(), 1) if moved in s)
    with pytest.raises(ra.OutOfRange) as caught:
        run(written(file, text))
    caught.value.__traceback__ = None  # as of a command: no test has called it
    told = describe(caught.value)
    assert told.startswith(
        f"Walk.step: an index is outside its array of length 2, {file}:{line}\n    return {moved}"
    )
    assert told.rpartition("  instead: ")[2].endswith(instead)


UNASKED = [  # a slip, a line of the class, what was meant
    (
        "end_constraint",
        "def end_constraint(self, final): return ()",
        "end_constraints or constraints",
    ),
    ("constrains", "def constrains(self, state, t): return ()", "constraints or end_constraints"),
    ("costs", "def costs(self, state, t): return 0.0", "cost"),
    ("track", "def track(self, state): return ()", "tracks"),
    ("limit", "def limit(self, state): return ()", "limits"),
    ("limts", "limts = staticmethod(lambda state: ())", "limits"),
    ("invariant", "def invariant(self, state): return {}", "invariants"),
    ("residual", "def residual(self, final): return final.position", "residuals"),
    ("optimiser", "optimiser = 'adam'", "optimizer"),
    ("iteration", "iteration = 30", "iterations"),
    ("allowed_drifts", "allowed_drifts = property(lambda self: {})", "allowed_drift"),
]


@pytest.mark.parametrize(("name", "line", "meant"), UNASKED, ids=[name for name, *_ in UNASKED])
def test_a_name_near_one_that_may_be_left_out_is_told(
    name: str, line: str, meant: str, tmp_path: Path
) -> None:
    whole = scene(bodies=dict.fromkeys(("tracks", "limits", "invariants"), ""))
    text = re.sub(rf"    {meant} = .*\n", "", whole) + f"\n    {line}\n"
    said = rf"Walk\.{name}: means nothing to a scene, .* does not use it; did you mean {meant}\?, .*:\d+$"
    with pytest.raises(Slip, match=said) as caught:
        written(tmp_path / "walk.py", text)
    assert line in text.splitlines()[int(str(caught.value).rpartition(":")[2]) - 1]


OWN = [  # an author's own names that are like those of a scene, or what has both
    "def lines(self, state): return ()",
    "def _limit(self, state): return ()",
    "def limit(self, x): return x\n\n    def limits(self, state): return ()",
    "def limit(self, x): return x\n\n    def moved(self): return [self.limit(x) for x in (1.0, 2.0)]",
    "costs = 3.0",
    "rates = parameter(1.0, 'how fast it wears')",
    "class Track: pass",
]


@pytest.mark.parametrize("line", OWN)
def test_an_authors_own_name_is_left_alone(line: str, tmp_path: Path) -> None:
    run(written(tmp_path / "walk.py", f"{scene()}\n    {line}\n"))


@pytest.mark.parametrize(
    ("method", "returned", "said"), SAID, ids=[f"{m}-{r}"[:40] for m, r, _ in SAID]
)
def test_what_is_said(method: str, returned: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "walk.py"
    text = scene(bodies={method: f"a = 1\n        return {returned}"})
    line = next(k for k, s in enumerate(text.splitlines(), 1) if s.strip() == f"return {returned}")
    with pytest.raises(Slip) as caught:
        run(written(file, text))
    told = describe(caught.value)
    assert said in told and "\n" not in told
    assert told.startswith(f"Walk.{method}: ") and told.endswith(f", {file}:{line}")


def test_the_line_is_that_of_the_return_that_was_taken(tmp_path: Path) -> None:
    body = "if t is None:\n            return state\n        return None"
    with pytest.raises(Slip, match=r":\d+$") as caught:
        run(written(tmp_path / "walk.py", scene(bodies={"step": body})))
    line = int(str(caught.value).rpartition(":")[2])
    assert (tmp_path / "walk.py").read_text().splitlines()[line - 1].strip() == "return None"


def test_what_raises_is_told_with_class_method_and_line(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run(written(tmp_path / "walk.py", scene(bodies={"step": "return 1 / 0"})))
    first, text = describe(caught.value).splitlines()
    assert re.fullmatch(r"Walk\.step: ZeroDivisionError: division by zero, .*walk\.py:\d+", first)
    assert text.strip() == "return 1 / 0"


def test_what_the_compiler_refuses_is_told_so_too(tmp_path: Path) -> None:
    body = "if state.position[0] > 0: pass\n        return state"
    with pytest.raises(ra.TraceError) as caught:
        run(written(tmp_path / "walk.py", scene(bodies={"step": body})))
    told = describe(caught.value).splitlines()
    assert re.fullmatch(r"Walk\.step: `if`.*, .*walk\.py:\d+", told[0])
    assert told[1].strip().startswith("if state") and told[-1].startswith("  instead: ra.where")


def test_a_model_that_refuses_names_the_line_that_calls_it(tmp_path: Path) -> None:
    text = scene(bodies={"initial": "polygon(((0.0, 0.0), (1.0, 0.0)))"})
    text = "from rosephys.physics.rigid.shapes import polygon\n" + text
    with pytest.raises(SceneError) as caught:
        run(written(tmp_path / "walk.py", text))
    assert re.search(
        r"^Walk\.initial: polygon: .* wanted three.*walk\.py:\d+", describe(caught.value)
    )


FIELDS = [
    (
        "speed",
        "control(1, 'how fast')",
        "a control is a float or an array, which can move, not the int 1: write 1",
    ),
    (
        "speed",
        "control('x', 'how fast')",
        "a control is a float or an array, which can move, not the str 'x'",
    ),
    (
        "speed",
        "control((1.0, 2.0), 'x', bounds=(2.0, 1.0))",
        "bounds is (2.0, 1.0); wanted (low, high)",
    ),
    (
        "speed",
        "control((1.0, 2.0), 'x', bounds=(2.0, 3.0))",
        "its default cannot be: speed.0 lies between 2",
    ),
    ("speed", "control((1.0, 2.0), 'x', rate=0)", "rate is 0; wanted a number above 0"),
    (
        "speed",
        "control((1.0, 2.0), 'x', anchor='gaol')",
        "its anchor 'gaol' is no field; did you mean goal",
    ),
    ("speed", "control((1.0, 2.0), 'x'),", "is a tuple of a field; there is a comma too much"),
    ("speed", "control", "is control itself; call it"),
    ("speed", "control(lambda s: 1 / 0, 'x')", "its default raised ZeroDivisionError"),
    ("goal", "parameter(None, 'where')", "its default is None; wanted a number"),
    ("goal", "parameter(1.0, 'where', handle=True)", "a handle is a point of the plane"),
    (
        "kind",
        "parameter('calm', 'x', choices='calm')",
        "choices is 'calm'; wanted a tuple of words",
    ),
    (
        "kind",
        "parameter('calm', 'x', choices=('rough',))",
        "its default is 'calm'; wanted one of its choices",
    ),
    ("steps", "parameter(2.5, 'how many')", "is 2.5; every scene has it, and its type is int"),
    ("live", "3", "has a name that is taken"),
    ("loss", "parameter(1.0, 'x')", "has a name that is taken"),
    (
        "optimizer",
        "'adma'",
        "is 'adma'; wanted one of gd, momentum, normalized, adam, lbfgs, newton-cg, slsqp",
    ),
    ("theme", "'drak'", "is 'drak'; wanted one of dark, light; did you mean dark?"),
    ("rate", "0", "is 0; wanted a number above 0"),
    ("iterations", "2.5", "is 2.5; wanted a whole number, 0 or more"),
    ("allowed_drift", "3", "is 3; wanted a dict"),
]


@pytest.mark.parametrize(
    ("name", "value", "said"), FIELDS, ids=[f"{n}-{v}"[:40] for n, v, _ in FIELDS]
)
def test_what_is_said_of_a_field(name: str, value: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "walk.py"
    bodies = {name: ""} if name == "loss" else None
    text = scene({name: value}, bodies)
    line = next(k for k, s in enumerate(text.splitlines(), 1) if s.strip() == f"{name} = {value}")
    with pytest.raises(Slip) as caught:
        written(file, text)
    assert str(caught.value).startswith(f"Walk.{name}: {said}")
    assert str(caught.value).endswith(f", {file}:{line}")


def test_a_missing_method_is_named(tmp_path: Path) -> None:
    for method in ("initial", "step", "loss"):
        with pytest.raises(Slip, match=rf"Walk: has no method {method}; wanted {method}\(self"):
            run(written(tmp_path / "walk.py", scene(bodies={method: ""})))


def test_the_line_that_is_quoted_is_that_of_the_text_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "walk.py"
    for body in ("return state.one", "return state.two"):  # of one length, in one second
        with pytest.raises(AttributeError) as caught:
            run(written(file, scene(bodies={"step": body})))
        assert describe(caught.value).endswith(f"\n    {body}")
    text = scene(bodies={"step": "if state.position[0] > 1: return"})
    for number in ("1", "2"):
        with pytest.raises(ra.TraceError) as refused:
            run(written(file, text.replace("> 1", f"> {number}")))
        assert f"if state.position[0] > {number}" in describe(refused.value)


# ------------------------------------------------------------------------------ what is right stays


@ra.struct
class Counted:
    """A place and how often it was moved."""

    place: Any
    count: Any
    kind: str


class Counting(Scene):
    """A state with a whole number and a word; all that may be given in more than one form."""

    steps: int = parameter(3, "number of time steps")
    dt = 1
    push: float = control(1.0, "how far")

    def initial(self) -> Any:
        return Counted(np.zeros(2), 0, "plain")

    def step(self, state: Any, t: Any) -> Any:
        return Counted(state.place + self.dt * self.push, state.count + 1, state.kind)

    def loss(self, final: Any) -> Any:
        return final.count

    def tracks(self, state: Any) -> Any:
        from rosephys import Track

        yield Track((state.place[0], 0.5), "dim")


def test_counters_words_and_generators_are_right() -> None:
    problem = Problem(Counting())
    run(problem)
    assert problem.trajectory(problem.values).count.tolist() == [0, 1, 2, 3]
    assert problem.loss(problem.values) == 3.0
    assert problem.dt == 1.0
    (track,) = problem.tracks(problem.values)
    np.testing.assert_array_equal(track.point, [[0, 0.5], [1, 0.5], [2, 0.5], [3, 0.5]])


def test_check_takes_a_whole_number_in_a_state() -> None:
    from rosephys.command.check import check

    found = {f.check: f.verdict for f in check(Problem(Counting()))}
    assert found["compiled against interpreted"] == "ok"
