"""The solver of a page, in Node: what it finds is what is found here."""

from __future__ import annotations

import json
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rosephys.scene.finding import find_scene
from rosephys.solve.problem import Problem
from rosephys.solve.reach import Aim, Reacher
from rosephys.solve.trust import judge
from rosephys.web.numbers import packed
from rosephys.web.program import scene_module
from tests.support.tools import needs_node

RUN = """import fs from "node:fs";
import { Follower, program } from "./solver.js";
import { explored, framed, placed, steepest } from "./landscape.js";
import { Reacher } from "./reach.js";
import { judged } from "./trust.js";
const module = new WebAssembly.Module(fs.readFileSync("scene.wasm"));
const [told] = WebAssembly.Module.customSections(module, "rosephys");
const spec = JSON.parse(new TextDecoder().decode(told));
const made = program(new WebAssembly.Instance(module, {}), spec);
const given = JSON.parse(fs.readFileSync("given.json"));
const values = (x) => Object.fromEntries(Object.entries(x).map(([k, v]) => [k, Float64Array.from(v)]));
const end = (steps) => { for (;;) { const next = steps.next(); if (next.done) return next.value; } };
const plain = (x) => Object.fromEntries(Object.entries(x).map(([k, v]) => [k, [...v]]));
"""


def in_node(folder: Path, problem: Problem, given: Any, asked: str) -> Any:
    """What a piece of JavaScript says of a scene's module, as `said`."""
    for file in files("rosephys.web").joinpath("page").iterdir():
        if file.name.endswith(".js"):
            (folder / file.name).write_text(file.read_text(encoding="utf-8"))
    (folder / "runtime.js").write_text(ra.javascript_runtime())
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "scene.wasm").write_bytes(scene_module(problem, "", ""))
    (folder / "given.json").write_text(json.dumps(given))
    end = 'fs.writeFileSync("said.json", JSON.stringify(said));\n'
    (folder / "run.js").write_text(f"{RUN}{asked}\n{end}")
    subprocess.run(["node", "run.js"], cwd=folder, check=True, timeout=300)
    return json.loads((folder / "said.json").read_text())


def plain(values: Any) -> dict[str, list[float]]:
    return {name: np.ravel(value).tolist() for name, value in values.items()}


def some_values(problem: Problem, n: int) -> list[dict[str, Any]]:
    """The scene's own values, and others of its controls."""
    draw, out = np.random.default_rng(3), [dict(problem.values)]
    for _ in range(n - 1):
        moved = {
            name: problem.values[name]
            * (1 + 0.3 * draw.standard_normal(problem.values[name].shape))
            for name in problem.controls
        }
        out.append({**problem.values, **problem.within(moved)})
    return out


@needs_node
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("billiards", {}),
        # whose loss jumps
        pytest.param("billiards", {"contact": "toi-position"}, marks=pytest.mark.slow),
        # which is chaotic
        pytest.param("pendulum", {"steps": "3000"}, marks=pytest.mark.slow),
        ("bounce", {}),
    ],
    ids=["billiards", "jumps", "chaos", "smooth"],
)
def test_gradients_are_judged_as_here(name: str, settings: dict[str, str], tmp_path: Path) -> None:
    problem = Problem(find_scene(name, settings))
    tried = some_values(problem, 8)
    asked = "const said = given.map((x) => end(judged(made.gradient, made.gradient(values(x)))));"
    found = in_node(tmp_path, problem, [plain(values) for values in tried], asked)
    verdicts = [judge(problem, values) for values in tried]
    assert [one["reason"] for one in found] == [verdict.reason for verdict in verdicts]


@needs_node
@pytest.mark.parametrize(
    "name", ["bounce", pytest.param("billiards", marks=pytest.mark.slow), "orbit"]
)
def test_circles_are_brought_where_they_are_here(name: str, tmp_path: Path) -> None:
    problem = Problem(find_scene(name, {"steps": 200}))
    place, _ = Reacher(problem).place(problem.values, 0, 120)
    aims = [Aim(0, 120, tuple((place + by).tolist())) for by in ([0.0, 0.0], [0.02, -0.01])]
    given = {
        "values": plain(problem.values),
        "aims": [{"circle": a.circle, "step": a.step, "goal": list(a.goal)} for a in aims],
    }
    asked = """const said = given.aims.map((aim) => {
      const all = [...new Reacher(made, spec).reach(values(given.values), aim, 50)];
      return [all.map((at) => at.loss), plain(all.at(-1).values)];
    });"""
    for aim, (losses, values) in zip(aims, in_node(tmp_path, problem, given, asked), strict=True):
        here = list(Reacher(problem).reach(problem.values, aim, 50))[-1]
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] == pytest.approx(here.loss, abs=1e-18)
        for control in problem.controls:
            wanted = np.ravel(here.values[control])
            np.testing.assert_allclose(values[control], wanted, rtol=1e-6, atol=1e-9)


DRAGS = """let evaluations = 0;
const drawn = (seed) => () => (seed = (seed * 16807) % 2147483647) / 2147483647, said = [];
const counted = { ...made, gradient: (...x) => { evaluations++; return made.gradient(...x); } };
for (const seed of given.seeds) {
  const follower = new Follower(counted, spec, drawn(seed)), draw = drawn(seed);
  const follow = (best, goal) =>
    follower.follow({ ...best.values, goal: Float64Array.from(goal) }, spec.iterations, true);
  let best = { values: values(given.values) }, from = given.values.goal;
  const until = (steps, enough) => {
    for (const at of steps) { best = at; if (enough()) return; }
  };
  evaluations = 0;
  until(follow(best, from), () => best.loss < given.back || evaluations >= 20000);
  for (let move = 0; move < 10; move++) {
    const to = given.values.goal.map((x) => x + given.reach * (2 * draw() - 1)), begun = from;
    for (let k = 1; k <= given.frames; k++) {
      from = begun.map((x, c) => x + ((to[c] - x) * k) / given.frames);
      evaluations = 0;
      if (k < given.frames) until(follow(best, from), () => evaluations >= given.each);
    }
    until(follow(best, from), () => best.loss < given.back || evaluations >= given.frames * given.each);
    said.push(best.loss);
  }
}"""


@needs_node
@pytest.mark.parametrize(
    "seeds", [[1, 2], pytest.param(list(range(3, 13)), marks=pytest.mark.slow)]
)
def test_a_loss_is_back_soon_after_the_goal_was_dragged(seeds: list[int], tmp_path: Path) -> None:
    """Ten moves of 3 cm for each seed, each of 30 frames and 30 of rest, with 30 evaluations a frame: half of
    what a page makes in 8 ms. At most one of ten may stay above."""
    problem = Problem(find_scene("billiards"))
    asked = {"values": plain(problem.values), "seeds": seeds, "reach": 0.03, "each": 30}
    losses = in_node(tmp_path, problem, {**asked, "frames": 30, "back": 1e-3}, DRAGS)
    back = np.reshape(losses, (len(seeds), 10)) < 1e-3
    assert (back.sum(axis=1) >= 9).all()


# a loss of one control x, and its slope; and where it begins
LOSSES = {
    "flat": ("1", "0", 0.5),
    "flat about it": ("x < 1 ? 1 : (x - 1.5) ** 2", "x < 1 ? 0 : 2 * (x - 1.5)", 0.5),
    "nowhere at first": ("x > 0.5 ? NaN : (x + 2) ** 2", "x > 0.5 ? NaN : 2 * (x + 2)", 1),
    "nowhere at all": ("NaN", "NaN", 1),
    "infinite beyond": ("x < 0.4 ? Infinity : x * x", "x < 0.4 ? 1 : 2 * x", 0.5),
    "negative": ("x * x - 5", "2 * x", 0.5),
    "best at infinity": ("Math.exp(-x)", "-Math.exp(-x)", 0.5),
    "steep": ("1e200 * x * x", "2e200 * x", 0.5),
    "at nought": ("x * x", "2 * x", 0),
}
FOLLOWED = """const said = {};
for (const [name, [loss, slope, start]] of Object.entries(given.losses)) {
  const f = new Function("x", `return ${loss}`), df = new Function("x", `return ${slope}`);
  const gradient = (v) => ({ values: v, loss: f(v.x[0]), slope: { x: Float64Array.of(df(v.x[0])) } });
  const x = { name: "x", rate: 1, value: [start], bounds: given.bounds };
  const spec = { rate: 0.01, clip: null, fields: [x] };
  let seed = 1;
  const draw = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const follower = new Follower({ gradient, controls: ["x"] }, spec, draw), at = [];
  for (const best of follower.follow({ x: Float64Array.of(start) }, 50, true)) {
    at.push([best.values.x[0], best.loss].map((y) => (Number.isFinite(y) ? y : String(y))));
    if (at.length > 5000) break;
  }
  said[name] = { at, stride: follower.stride };
}"""


@needs_node
@pytest.mark.parametrize("bounds", [None, [-3.0, 3.0]], ids=["free", "bounded"])
def test_throws_that_land_nowhere_are_left_alone(bounds: Any, tmp_path: Path) -> None:
    """What is shown is a number, never gets worse, and the length of the next step stays one."""
    given = {"losses": LOSSES, "bounds": bounds}
    said = in_node(tmp_path, Problem(find_scene("bounce")), given, FOLLOWED)
    for name, found in said.items():
        places, losses = zip(*found["at"], strict=True)
        lost = [loss == "Infinity" for loss in losses]
        assert all(isinstance(x, float | int) for x in places), name
        assert lost == sorted(lost, reverse=True), name
        known = [loss for loss in losses if loss != "Infinity"]
        assert known == sorted(known, reverse=True) and 0 < found["stride"] < 1e3, name
        assert bool(known) == (name != "nowhere at all"), name
    best = {name: found["at"][-1][1] for name, found in said.items()}
    assert (
        best["flat about it"] < 1e-3 and best["nowhere at first"] < 9 and best["negative"] < -4.99
    )


@needs_node
def test_a_solve_that_is_left_while_it_hops_leaves_the_step_as_it_was(tmp_path: Path) -> None:
    problem = Problem(find_scene("billiards"))
    asked = """const follower = new Follower(made, spec), { hops } = follower;
    let before = null, hopped = 0;
    follower.hops = function* (at) {
      before ??= follower.stride;
      for (const next of hops.call(follower, at)) { hopped++; yield next; }
    };
    const steps = follower.follow(values(given), spec.iterations, true);
    for (const _ of steps) if (hopped > 100) break;
    const said = [hopped > 100, before === follower.stride];"""
    assert in_node(tmp_path, problem, plain(problem.values), asked) == [True, True]


@needs_node
def test_the_landscape_is_that_of_the_loss(tmp_path: Path) -> None:
    problem = Problem(find_scene("bounce"))
    asked = """const now = values(given), at = made.gradient(now);
    const axes = framed(spec, steepest(spec, at.slope), [now]);
    const [first] = [...explored(made.gradient, now, axes)].filter(Boolean);
    const said = { axes, n: first.n, losses: [...first.losses] };"""
    said = in_node(tmp_path, problem, plain(problem.values), asked)
    n, axes = said["n"], said["axes"]
    assert n == 9 and len(axes) == 2
    for i, j in ((0, 0), (3, 7), (8, 2)):
        values = {k: v.copy() for k, v in problem.values.items()}
        for axis, share in zip(axes, (i / (n - 1), j / (n - 1)), strict=True):
            moved = axis["low"] + share * (axis["high"] - axis["low"])
            values[axis["name"]].reshape(-1)[axis["index"]] = moved
        assert said["losses"][j * n + i] == pytest.approx(problem.loss(values), rel=1e-12)


NUMBERS = {
    "zeros": np.zeros((30, 30)),
    "all different": np.random.default_rng(0).standard_normal(400),
    "odd ones": np.resize([-0.0, 0.0, np.inf, -np.inf, 5e-324, 1e308], 300),
}


@needs_node
@pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS)
def test_packed_numbers_are_read_as_they_were(numbers: Any, tmp_path: Path) -> None:
    source = files("rosephys.web").joinpath("page").joinpath("numbers.js").read_text("utf-8")
    (tmp_path / "numbers.js").write_text(source)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "packed").write_bytes(packed(numbers) * 2)
    (tmp_path / "run.js").write_text(
        'import fs from "node:fs";\nimport { unpack } from "./numbers.js";\n'
        "WebAssembly.Module.customSections = () => [Uint8Array.from(fs.readFileSync('packed')).buffer];\n"
        f"const fields = [{{}}, {{ many: {numbers.size} }}, {{ many: {numbers.size} }}];\n"
        "unpack({ fields }, null);\n"
        "fs.writeFileSync('read', new Uint8Array(Float64Array.from(fields[2].value).buffer));\n"
    )
    subprocess.run(["node", "run.js"], cwd=tmp_path, check=True)
    read = np.frombuffer((tmp_path / "read").read_bytes(), np.uint64)
    np.testing.assert_array_equal(read, numbers.ravel().view(np.uint64))
