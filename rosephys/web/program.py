"""A scene as a WebAssembly module: what a page asks of it, and what it must know to draw and to solve.

gradient    the loss and its gradient in each control; and the states of the motion, where there is room for all
            (of a scene that draws circles that move, it takes more: a step, the number of a circle, and weights
            of the loss and of where that circle then is, x and y; what it differentiates is their weighed sum,
            and it gives the place as well)
motion      else the states of so many frames, each so many steps after the one before, the last the final state
tracks      the points whose paths are drawn, of all frames
picture     the picture of a state

Each takes the controls and the constants, as a `Problem` does; the last two take states before them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import rose_ad as ra

from ..drawing.colourmap import COLOUR_MAPS
from ..drawing.palette import blend
from ..errors import SceneError
from ..scene.circles import centres
from ..scene.colours import DARK
from ..scene.picture import Circles
from ..scene.scene import Scene, constrained
from ..solve.problem import Problem
from ..window.slider import sliders_of
from .numbers import FEW, packed

SECTION = "rosephys"  # of the module, in which its description is
NUMBERS = "numbers"  # of the module, in which those of fields are that have many
FRAMES = 1100  # of a motion at most
MEMORY = 32 << 20  # bytes that they may take
LARGE = 32 << 10  # bytes of a state from which on vectors are used
_COLOURS = frozenset(
    {"colour", "colours", "outline", "low", "high", "background"}
)  # fields of shapes


@dataclass(frozen=True)
class Frames:
    """How a motion is told: `count` frames, `every` so many steps."""

    count: int
    every: int


def scene_module(problem: Problem, title: str, summary: str) -> bytes:
    """The module of a scene, with its description in a section of its own.

    Raises SceneError for a scene that has no picture, or that has constraints, and what `ra.wasm_module`
    raises.
    """
    scene = problem.scene
    if not scene.pictured:
        raise SceneError(f"{scene.name} has no picture: a page has nothing to draw")
    if constrained(scene):
        raise SceneError(
            f"{scene.name} has constraints, which a page cannot keep: its optimiser descends along the gradient"
        )
    problem.rollout["budget"] = min(scene.memory, MEMORY)
    first = first_state(problem)
    frames = frames_of(problem, first)
    made = ra.wasm_module(functions(problem, first, frames), simd=is_large(first))
    many = [value for value in problem.values.values() if value.size > FEW]
    numbers = _section(NUMBERS, b"".join(map(packed, many))) if many else b""
    described = {
        **_described(problem, frames, made.description),
        "title": title,
        "summary": summary,
        **({"numbers": len(numbers)} if many else {}),
    }
    return made.code + numbers + _section(SECTION, _text(described))


def description(module: bytes) -> dict[str, Any]:
    """What a module says of its scene; ValueError where it is not one of a scene."""
    start = module.index(SECTION.encode() + b"{") + len(SECTION)
    found: dict[str, Any] = json.loads(module[start:])
    return found


def frames_of(problem: Problem, first: Any) -> Frames:
    """As many frames as there are states, or as find room."""
    most = max(2, min(FRAMES, MEMORY // max(_size(first), 1)))
    every = max(1, -(-problem.steps // (most - 1)))
    return Frames(-(-problem.steps // every) + 1, every)


def code_of(module: bytes) -> tuple[bytes, int]:
    """A module without its description, and the bytes of memory that it has."""
    told = description(module)
    end = len(module) - len(_section(SECTION, _text(told)))
    return module[: end - told.get("numbers", 0)], told["module"]["bytes"]


def _text(described: Mapping[str, Any]) -> bytes:
    return json.dumps(described, separators=(",", ":")).encode()


def first_state(problem: Problem) -> Any:
    """The state before the first step, of numbers."""
    return ra.fn(lambda c, k: problem.bound(c, k).initial())(*problem.split(problem.values))


def is_large(state: Any) -> bool:
    """Whether it has grids, on which vectors help."""
    return _size(state) > LARGE


def draws_circles(problem: Problem, first: Any) -> bool:
    """Whether the picture has circles that are somewhere else from state to state."""
    found = []

    def look(state: Any, controls: Any, constants: Any) -> Any:
        shapes = problem.bound(controls, constants).picture(state).shapes
        circles = (shape for shape in shapes if isinstance(shape, Circles))
        found.append(any(not isinstance(circle.centres, np.ndarray) for circle in circles))
        return state

    ra.fn(look).trace(first, *problem.split(problem.values))
    return found[0]


def _size(state: Any) -> int:
    """The bytes of a state."""
    return sum(np.asarray(leaf).nbytes for leaf in ra.flatten(state)[0])


def functions(
    problem: Problem, first: Any, frames: Frames
) -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """What a page asks, each with an example of its arguments; see the top of this file."""
    args = problem.split(problem.values)

    whole, circled = frames.every == 1, draws_circles(problem, first)

    def loss(controls: Any, constants: Any, *asked: Any) -> Any:
        scene = problem.bound(controls, constants)
        steps = ra.clip(asked[0], 0, problem.steps) if asked else problem.steps
        told: dict[str, Any] = {}
        if whole:
            told["loss"], told["states"] = problem.traced_motion(controls, constants)
            state = ra.map_leaves(lambda leaf: leaf[steps], told["states"])
        else:
            state, told["loss"] = problem.run(scene, scene.initial(), steps)
        if not asked:
            return told["loss"], told
        places = centres(scene.picture(state))
        told["place"] = places[ra.clip(asked[1], 0, len(places) - 1)]
        weights = asked[2]
        return weights[0] * told["loss"] + ra.dot(weights[1:], told["place"]), told

    def motion(controls: Any, constants: Any) -> Any:
        scene = problem.bound(controls, constants)
        start = scene.initial()
        step = scene.stepping(start)

        def moved(state: Any, frame: Any) -> Any:
            def one(k: Any, s: Any) -> Any:
                t = frame * frames.every + k
                return ra.cond(t < problem.steps, lambda: step(s, t), lambda: s)

            return ra.fori_loop(0, frames.every, one, state), state

        return ra.scan(moved, start, np.arange(frames.count))[1]

    def picture(state: Any, controls: Any, constants: Any) -> Any:
        return problem.bound(controls, constants).picture(state)

    def tracks(states: Any, controls: Any, constants: Any) -> Any:
        scene = problem.bound(controls, constants)
        return ra.build(
            frames.count, lambda k: scene.tracks(ra.map_leaves(lambda leaf: leaf[k], states))
        )

    state = ra.map_leaves(lambda leaf: leaf, first)
    out: dict[str, tuple[Any, tuple[Any, ...]]] = {"picture": (picture, (state, *args))}
    asked = (problem.steps, 0, np.array([1.0, 0.0, 0.0])) if circled else ()
    out["gradient"] = ra.value_and_grad(loss, has_aux=True), (*args, *asked)
    if not whole:
        out["motion"] = motion, args
    if problem.scene.tracks(first):
        many = ra.map_leaves(lambda leaf: np.stack([np.asarray(leaf)] * frames.count), first)
        out["tracks"] = (tracks, (many, *args))
    return out


def _described(problem: Problem, frames: Frames, module: Mapping[str, Any]) -> dict[str, Any]:
    """What a page knows of a scene besides its functions."""
    scene, values = problem.scene, problem.values
    fields = [_field(scene, name, value) for name, value in values.items()]
    shown = plainly_coloured(module)
    return {
        "module": shown,
        "fields": fields,
        "rate": scene.rate,
        "clip": scene.clip if np.isfinite(scene.clip) else None,
        "iterations": scene.iterations,
        "steps": problem.steps,
        "frames": frames.count,
        "every": frames.every,
        "theme": scene.theme,
    }


def _field(scene: Scene, name: str, value: Any) -> dict[str, Any]:
    """What a page knows of a field; what is not so is left out."""
    field = scene.fields[name]
    told = {
        "unit": field.unit,
        "control": field.control,
        "handle": field.handle,
        "anchor": field.anchor,
        "bounds": field.bounds,
        "rate": field.rate,
        "rows": field.handle and value.ndim == 2,
    }
    sliders = [
        {"index": s.index, "label": s.label, "low": s.low, "high": s.high}
        for s in sliders_of(scene, name)
    ]
    numbers = {"many": value.size} if value.size > FEW else {"value": value.ravel().tolist()}
    shown = {key: what for key, what in told.items() if what}
    return {"name": name, "doc": field.doc, **shown, **numbers, "sliders": sliders}


def plainly_coloured(tree: Any, key: str = "") -> Any:
    """A description in which common names of colours, which browsers read otherwise, are numbers."""
    if isinstance(tree, dict):
        return {k: plainly_coloured(v, key if k == "is" else k) for k, v in tree.items()}
    if isinstance(tree, list):
        return [plainly_coloured(v, key) for v in tree]
    named = isinstance(tree, str) and tree and key in _COLOURS
    plain = not named or tree in DARK or tree in COLOUR_MAPS or tree.startswith("#")
    return tree if plain else blend(tree, tree, 0.0)


def _section(name: str, data: bytes) -> bytes:
    """A section of a module for what is not code."""
    content = bytes([len(name)]) + name.encode() + data
    size, length = bytearray(), len(content)
    while length >= 0x80:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return b"\0" + bytes([*size, length]) + content
