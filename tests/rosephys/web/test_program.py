"""What a page asks of a scene is what the scene says here: loss, gradient, motion, paths and picture."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.errors import SceneError
from rosephys.scene.finding import find_scene, scene_names
from rosephys.solve.problem import Problem
from rosephys.web import program
from tests.support.scenes import Juggler
from tests.support.tools import needs_node

STEPS = (
    30  # of each scene: contacts amplify what rounding leaves, from some step on beyond any bound
)
QUICK = ("billiards", "pendulum", "bounce", "orbit")  # to compile; the others are marked as slow
# what has neither sines nor sums of many terms; and what is then the same to the bit without fused operations
EXACT = ("bounce", "billiards")
TOLERANCE = 1e-12  # of the largest number of a leaf, or of all states
# a layout that was found is at rest: what slopes cancel to there has fewer digits
BEGIN: dict[str, dict[str, Any]] = {"diagram": {"settled": False}}
NOISE = 1e-15  # what rounding makes of numbers that are zero
RUN = """import fs from "node:fs";
const [d, inputs] = JSON.parse(fs.readFileSync("given.json"));
const { instance } = await WebAssembly.instantiate(fs.readFileSync("scene.wasm"));
const A = { f64: Float64Array, f32: Float32Array, i64: BigInt64Array, bool: Uint8Array }, out = {};
const leaves = (t) => Array.isArray(t) ? t.flatMap(leaves) :
  "at" in t ? [t] : "is" in t ? [] : Object.values(t.fields).flatMap(leaves);
const memory = instance.exports.memory.buffer;
const view = (l) => new A[l.type](memory, l.at, l.shape.reduce((a, b) => a * b, 1));
for (const [name, f] of Object.entries(d.functions)) {
  leaves(f.arguments).forEach((l, k) =>
    view(l).set(l.type === "i64" ? inputs[name][k].map(BigInt) : inputs[name][k]));
  const places = leaves([f.arguments, f.result]).map((l) => l.at);
  new Uint32Array(memory, f.pointers, places.length).set(places);
  const status = Number(instance.exports[f.entry](f.pointers, f.scratch));
  if (status) throw new Error(f.failures[status - 1]);
  out[name] = leaves(f.result).map((l) => Buffer.from(memory, l.at, view(l).byteLength).toString("base64"));
}
fs.writeFileSync("found.json", JSON.stringify(out));
"""


def asked(name: str, steps: int = STEPS) -> tuple[Problem, Any, dict[str, Any]]:
    """A scene's problem, its first state, and the functions of a page with what they are given."""
    problem = Problem(find_scene(name, {"steps": steps, **BEGIN.get(name, {})}))
    first = program.first_state(problem)
    return problem, first, program.functions(problem, first, program.frames_of(problem, first))


def flat(x: Any) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(leaf) for leaf in ra.flatten(x)[0]]


def in_node(functions: dict[str, Any], folder: Path, simd: bool) -> dict[str, list[bytes]]:
    """The bytes of the results' leaves, as WebAssembly gives them."""
    module = ra.wasm_module(functions, simd=simd)
    inputs = {n: [a.ravel().tolist() for a in flat(given)] for n, (_, given) in functions.items()}
    (folder / "scene.wasm").write_bytes(module.code)
    (folder / "given.json").write_text(json.dumps([module.description, inputs]))
    (folder / "run.mjs").write_text(RUN)
    subprocess.run(["node", "run.mjs"], cwd=folder, check=True, timeout=300)
    found = json.loads((folder / "found.json").read_text())
    return {n: [base64.b64decode(leaf) for leaf in leaves] for n, leaves in found.items()}


def grouped(function: str, result: Any) -> list[tuple[list[np.ndarray[Any, Any]], float]]:
    """The leaves of a result, those of states together, for their parts may be small beside each other; and how
    many times the tolerance they may be off: strains of stiff bodies lose a digit more."""
    if function == "motion":
        return [(flat(result), 10.0)]
    if function == "gradient":
        (value, told), slopes = result
        parts = [(flat(x), 10.0 if name == "states" else 1.0) for name, x in told.items()]
        return [(flat(value), 1.0), *parts, *(([leaf], 1.0) for leaf in flat(slopes))]
    return [([leaf], 1.0) for leaf in flat(result)]


def compare(name: str, folder: Path, tolerance: float, fma: bool) -> None:
    problem, first, functions = asked(name)
    states = problem.trajectory(problem.values)
    picture, given = functions["picture"]
    functions["picture"] = picture, (ra.map_leaves(lambda leaf: leaf[-1], states), *given[1:])
    f, given = functions["gradient"]
    if len(given) > 2:  # a circle is asked for as well as the loss
        functions["gradient"] = f, (*given[:2], STEPS // 2, 0, np.array([0.3, 1.0, -0.7]))
    found = in_node(functions, folder, simd=program.is_large(first))
    for function, (f, given) in functions.items():
        wanted = (ra.fn(lambda *x, f=f: f(*x), fma=False) if not fma else ra.fn(f))(*given)
        others = iter(found[function])
        for group, times in grouped(function, wanted):
            floats = [leaf[np.isfinite(leaf)] for leaf in group if leaf.dtype.kind == "f"]
            size = max((np.abs(leaf).max(initial=0.0) for leaf in floats), default=0.0)
            bound = max(times * tolerance * size, NOISE) if tolerance else 0.0
            for leaf in group:
                other = np.frombuffer(next(others), leaf.dtype).reshape(leaf.shape)
                atol = bound if leaf.dtype.kind == "f" else 0.0
                np.testing.assert_allclose(other, leaf, rtol=0, atol=atol, err_msg=function)


@needs_node
@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in scene_names()]
)
def test_scenes_are_in_node_what_they_are_here(name: str, tmp_path: Path) -> None:
    compare(name, tmp_path, TOLERANCE, fma=True)


@needs_node
@pytest.mark.parametrize("name", EXACT)
def test_exact_arithmetic_is_the_same_to_the_bit(name: str, tmp_path: Path) -> None:
    compare(name, tmp_path, 0.0, fma=False)


@pytest.mark.parametrize("steps", [1, 2, 7, 1024])
def test_frames_begin_and_end_where_the_motion_does(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "FRAMES", 5)
    problem, first, functions = asked("pendulum", steps)
    frames = program.frames_of(problem, first)
    assert 2 <= frames.count <= 5
    f, given = functions["motion" if frames.every > 1 else "gradient"]
    told = ra.fn(f)(*given)
    states = told if frames.every > 1 else told[0][1]["states"]
    every = problem.trajectory(problem.values)
    places = [min(k * frames.every, steps) for k in range(frames.count)]
    for leaf, whole in zip(flat(states), flat(every), strict=True):
        assert np.array_equal(leaf, whole[places]) and len(leaf) == frames.count


def test_a_module_describes_its_scene() -> None:
    problem = Problem(find_scene("pendulum", {"steps": 20}))
    told = program.description(program.scene_module(problem, "A title", "What it is"))
    assert told["title"] == "A title" and told["summary"] == "What it is"
    assert [f["name"] for f in told["fields"]] == list(problem.values)
    assert {"gradient", "picture"} <= set(told["module"]["functions"])


def test_colours_have_no_names_that_browsers_read_otherwise() -> None:
    tree = {
        "kind": "Circles",
        "fields": {"colours": [{"is": "green"}, {"is": "felt"}, {"is": "#123456"}]},
    }
    plain = program.plainly_coloured(tree)["fields"]["colours"]
    assert [leaf["is"] for leaf in plain] == ["#00ff00", "felt", "#123456"]


def test_a_scene_without_a_picture_is_refused() -> None:
    with pytest.raises(SceneError, match="juggler has no picture"):
        program.scene_module(Problem(Juggler()), "", "")
