"""What a scene's author can do wrong: generated from a scene that works, one slip at a time."""

from __future__ import annotations

import io
import random
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

HEAD = """\
import numpy as np
import rose_ad as ra
from rosephys import (
    Arrow, Circles, Constraint, Cross, Fluid, Image, Limit, Lines, Picture, Polygon, Polygons, Polyline, Scene,
    Text, Track, control, parameter,
)


@ra.struct
class State:
    position: ra.Vec
    count: int


class Walk(Scene):
"""
MEMBERS = {
    "iterations": "1",
    "rate": "0.1",
    "optimizer": '"adam"',
    "clip": "10.0",
    "theme": '"dark"',
    "steps": 'parameter(3, "number of time steps")',
    "dt": 'parameter(0.1, "time step", unit="s", bounds=(0.0, 1.0))',
    "wind": 'parameter(0.5, "speed of the wind", unit="m/s")',
    "kind": 'parameter("calm", "the air", choices=("calm", "rough"))',
    "goal": 'parameter((0.8, 0.3), "where to end", unit="m", handle=True)',
    "speed": 'control((0.1, 0.2), "how fast", rate=1.0, anchor="goal")',
}
METHODS = {
    "initial": ("self", "State(ra.array([0.1, 0.2]), 0)"),
    "step": ("self, state, t", "State(state.position + self.dt * self.speed, state.count + 1)"),
    "loss": ("self, final", "ra.sum((final.position - self.goal) ** 2)"),
    "picture": ("self, state", "Picture((Cross(self.goal, 'good'),), (-1.0, -1.0, 2.0, 2.0))"),
    "tracks": ("self, state", "(Track(state.position, 'accent', 'walker'),)"),
    "limits": ("self, state", "(Limit('the limit', self.dt, 1.0),)"),
    "invariants": ("self, state", "{'energy': state.position[0]}"),
}
OPTIONAL = {  # methods that the scene has where they are given a body
    "cost": ("self, state, t", "ra.sum(self.speed**2)"),
    "residuals": ("self, final", "final.position - self.goal"),
    "constraints": ("self, state, t", "(Constraint('inside', state.position, -1.0, 1.0),)"),
    "end_constraints": (
        "self, final",
        "(Constraint('there', final.position, self.goal, self.goal),)",
    ),
}
SHAPES = {
    "Circles": ("[(0.1, 0.2)]", "0.1", "('accent',)", "('a',)", "'disc'"),
    "Fluid": ("[(0.1, 0.2)]", "0.1", "('accent',)", "(0.0, 0.0, 1.0, 1.0)"),
    "Lines": ("[(0.1, 0.2)]", "[(0.5, 0.6)]", "'dim'", "2.0", "(0.3,)", "'low'", "'high'"),
    "Polyline": ("[(0.1, 0.2), (0.5, 0.6)]", "'dim'", "2.0", "True"),
    "Polygon": ("[(0.1, 0.2), (0.5, 0.6), (0.5, 0.1)]", "'dim'", "'line'", "2.0"),
    "Polygons": ("np.zeros((1, 3, 2))", "np.zeros(1)", "'dim'", "'low'", "'high'"),
    "Arrow": ("(0.1, 0.2)", "(0.5, 0.6)", "'dim'", "2.0"),
    "Cross": ("(0.1, 0.2)", "'dim'", "9.0"),
    "Text": ("(0.1, 0.2)", "'word'", "'dim'", "14.0"),
    "Image": ("np.zeros((3, 4))", "(0.0, 0.0, 1.0, 1.0)", "'heat'", "0.0", "1.0"),
}
VALUES = (
    """\
None|3|-1|0|2.5|True|'word'|''|b'x'|()|[]|{}|set()|(1.0,)|(1.0, 2.0)|[1.0, 2.0, 3.0]|[[1.0], [2.0, 3.0]]
ra.array([1.0, 2.0, 3.0])|np.zeros((2, 2))|np.zeros(0)|np.zeros((2, 2, 2))|np.array(['a', 'b'])
np.array([None, 1])|1j|np.nan|np.inf|lambda: 0|lambda scene: 0|lambda scene: undefined|len|object()|Scene
iter(())|(x for x in ())|range(3)|{'a': 1.0}|{1: None}|10**30|-10**30|np.float32(1.0)|np.int64(3)|np.bool_(True)
np.datetime64(0, 's')|...|NotImplemented|ra|State|Exception('x')|Picture|Cross|Cross((0.0, 0.0), 'dim')
Track((0.0, 0.0), 'dim')|(None,)|('a', 'b')|(1.0, 2.0), 'x'|1 / 0|undefined|int('x')|open('/nowhere/x')
parameter|parameter(1.0, 'x')|np.ma.masked|(0.5, 0.1)|(np.nan, 1.0)|'#12345'|'grene'|exit('bye')|print
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
ERRORS = (
    "ValueError('no')|KeyError('no')|IndexError('no')|TypeError()|RuntimeError('a\\nb')|OSError(2, 'no', 'f')"
    "|SystemExit(3)|SystemExit('bye')|AssertionError()|StopIteration()|RecursionError()|MemoryError()"
    "|NotImplementedError()|UnicodeDecodeError('utf-8', b'x', 0, 1, 'no')|Exception(object())"
).split("|")
SIGNATURES = (
    "",
    "self",
    "self, a",
    "self, a, b",
    "self, a, b, c",
    "self, *, state",
    "state",
    "t, state",
)


@dataclass(frozen=True)
class Slip:
    """A scene with something in it that is wrong, or may be: of which member, and what it is."""

    member: str
    what: str
    text: str


def scene(
    members: dict[str, str] | None = None,
    bodies: dict[str, str] | None = None,
    signatures: dict[str, str] | None = None,
    before: dict[str, str] | None = None,
) -> str:
    """The scene with other members, bodies of methods, signatures and lines before a method."""
    lines = [f"    {name} = {value}" for name, value in {**MEMBERS, **(members or {})}.items()]
    for name, (takes, result) in {**METHODS, **OPTIONAL}.items():
        body = (bodies or {}).get(name, f"return {result}" if name in METHODS else "")
        if body:
            takes = (signatures or {}).get(name, takes)
            kind = (before or {}).get(name, "def")
            lines += ["", f"    {kind} {name}({takes}):", f"        {body}"]
    return HEAD + "\n".join(lines) + "\n"


def slips() -> Iterator[Slip]:
    """All of them, family by family."""
    for value in VALUES:
        yield from _values(value)
    for method in METHODS:
        yield Slip(method, "missing", scene(bodies={method: ""}))
        yield Slip(method, "no return", scene(bodies={method: "pass"}))
        for error in ERRORS:
            yield Slip(method, error, scene(bodies={method: f"raise {error}"}))
        for takes in SIGNATURES:
            yield Slip(method, takes, scene(signatures={method: takes}))
        for kind in (
            "async def",
            "@staticmethod\n    def",
            "@classmethod\n    def",
            "@property\n    def",
        ):
            yield Slip(method, kind, scene(before={method: kind}))
        yield Slip(method, "yield", scene(bodies={method: f"yield {METHODS[method][1]}"}))
        yield Slip(method, "again", scene(bodies={method: f"return self.{method}()"}))
    yield Slip(
        "__init__", "own", scene(before={"initial": "def __init__(self):\n        pass\n\n    def"})
    )


def _values(value: str) -> Iterator[Slip]:
    """A value in every place where one can be."""
    for method in METHODS:
        yield Slip(method, value, scene(bodies={method: f"return {value}"}))
    for method, other in (("initial", "0"), ("step", "state.count")):
        yield Slip(method, value, scene(bodies={method: f"return State({value}, {other})"}))
        yield Slip(
            method, value, scene(bodies={method: f"return State(ra.array([0.1, 0.2]), {value})"})
        )
    for name, declared in MEMBERS.items():
        yield Slip(name, value, scene({name: value}))
        if "(" in declared:
            kind = declared.partition("(")[0]
            yield Slip(name, value, scene({name: f"{kind}({value}, 'what it is')"}))
    for word in ("unit", "bounds", "rate", "anchor", "handle"):
        yield Slip("speed", value, scene({"speed": f"control((0.1, 0.2), 'x', {word}={value})"}))
    yield Slip("kind", value, scene({"kind": f"parameter('calm', 'the air', choices={value})"}))
    for name in ("allowed_drift", "name", "fields", "live", "controls", "bound", "pictured"):
        yield Slip(name, value, scene({name: value}))
    for method, form in (
        ("picture", "Picture({}, (-1.0, -1.0, 2.0, 2.0))"),
        ("picture", "Picture((Cross(self.goal, 'good'),), {})"),
        ("picture", "Picture((), (-1.0, -1.0, 2.0, 2.0), {})"),
        ("tracks", "(Track({}, 'dim'),)"),
        ("tracks", "(Track(state.position, {}),)"),
        ("tracks", "(Track(state.position, 'dim', {}),)"),
        ("limits", "(Limit({}, 1.0, 2.0),)"),
        ("limits", "(Limit('the limit', {}, 2.0),)"),
        ("limits", "(Limit('the limit', 1.0, {}),)"),
        ("invariants", "{{'energy': {}}}"),
        ("invariants", "{{{}: 1.0}}"),
    ):
        yield Slip(method, value, scene(bodies={method: "return " + form.format(value)}))
    for shape, good in SHAPES.items():
        for k in range(len(good)):
            given = ", ".join([*good[:k], f"({value})", *good[k + 1 :]])
            picture = f"return Picture(({shape}({given}),), (-1.0, -1.0, 2.0, 2.0))"
            yield Slip("picture", f"{shape}, {k}: {value}", scene(bodies={"picture": picture}))


def optional_slips() -> Iterator[Slip]:
    """Those of the methods that a scene may have beside its loss."""
    keeps = {"optimizer": '"slsqp"'}
    forms = {
        "cost": ("{}",),
        "residuals": ("{}", "({},)"),
        "constraints": ("{}", "(Constraint({}, 1.0, 0.0),)", "(Constraint('a', {}, 0.0),)"),
        "end_constraints": ("(Constraint('a', 1.0, {}),)", "(Constraint('a', 1.0, 0.0, {}),)"),
    }
    for method, some in forms.items():
        members = keeps if "constraints" in method else {}
        other = {"loss": ""} if method == "residuals" else {}
        for form in some:
            for value in VALUES:
                bodies = {method: f"return {form.format(value)}", **other}
                yield Slip(method, f"{form}: {value}", scene(members, bodies))
        for takes in SIGNATURES:
            bodies = {method: f"return {OPTIONAL[method][1]}", **other}
            yield Slip(method, takes, scene(members, bodies, {method: takes}))
        for error in ERRORS:
            yield Slip(method, error, scene(members, {method: f"raise {error}", **other}))
        for kind in (
            "async def",
            "@staticmethod\n    def",
            "@classmethod\n    def",
            "@property\n    def",
        ):
            bodies = {method: f"return {OPTIONAL[method][1]}", **other}
            yield Slip(method, kind, scene(members, bodies, before={method: kind}))


def torn(seed: int) -> Slip:
    """The scene with a token left out, doubled, or exchanged with another."""
    draw, text = random.Random(seed), scene()
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.string.strip()]
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:k])) for k in range(len(lines) + 1)]
    token, other = draw.choice(tokens), draw.choice(tokens).string
    first, last = (starts[row - 1] + column for row, column in (token.start, token.end))
    new = draw.choice(("", f"{token.string} {token.string}", other))
    return Slip("", f"{token.string} is {new}", text[:first] + new + text[last:])
