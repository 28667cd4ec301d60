"""The command line: in this process where that is quick, in one of its own where it matters."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys.command.arguments import parser
from rosephys.command.cli import RUNS, main
from rosephys.console import Bar
from rosephys.errors import OptimizeError
from rosephys.scene.optimizers import OPTIMIZERS
from rosephys.solve.iterate import Iterate
from tests.support.commands import HERE, SCENE, run

SMALL = ["--set", "layers=1", "--set", "steps=150", "--set", "dt=0.02"]

RUN_FILES = {"run.json", "metrics.jsonl", "evaluations.bin", "best.npz", "last.npz"}


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """A user's own scene file."""
    path = tmp_path / "walk.py"
    path.write_text(SCENE, encoding="utf-8")
    return path


def one_object(text: str) -> dict[str, Any]:
    """The one JSON object that standard output holds; NaN and Infinity are not JSON."""
    assert text.count("\n") == 1

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is not JSON")

    found = json.loads(text, parse_constant=refuse)
    assert isinstance(found, dict)
    return found


# ---- list, help, version ----


def test_list_names_the_scenes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    names = one_object(capsys.readouterr().out)["scenes"]
    assert "billiards" in names
    assert main(["list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == names


def test_help_shows_commands_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("scene", "optimize", "gradient", "list", "python -m rosephys scene billiards"):
        assert word in text
    assert all(len(line) <= 96 for line in text.splitlines())


def test_version_has_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"rosephys \d+\.\d+\S*\n", capsys.readouterr().out)


# ---- gradient ----


def test_gradient_as_json_has_the_golden_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradient", "billiards", "--set", "contact=toi-position", "--json"]) == 0
    found = one_object(capsys.readouterr().out)
    assert found["scene"] == "billiards" and found["steps"] == 1024
    assert found["loss"] == pytest.approx(0.0453761001035251, rel=1e-11)
    gradient = found["gradient"]
    assert gradient["cue_position"] == pytest.approx((-0.518853086523, 1.129672200248), rel=1e-9)
    assert gradient["cue_velocity"] == pytest.approx((-0.697515235201, 1.281048275081), rel=1e-9)
    for name in ("compile_seconds", "gradient_seconds", "forward_seconds"):
        assert 0 < found[name] < 60
    assert found["scratch_bytes"] > 0 and isinstance(found["from_cache"], bool)
    assert "central_differences" not in found and "state_gradient" not in found


def test_gradient_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradient", "billiards", *SMALL, "--check", "--by-state", "--repeat", "2"]) == 0
    text = capsys.readouterr().out
    assert "billiards, 150 steps" in text and "agree" in text
    assert re.search(r"cue_velocity +0\.3, 0 +-?\d", text)
    assert "initial state: position" in text and "initial state: velocity" in text
    assert re.search(r"^gradient +\S+ ms", text, re.MULTILINE)


def test_gradient_by_state_begins_with_the_controls(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gradient", "billiards", *SMALL, "--by-state", "--check", "--json"]) == 0
    found = one_object(capsys.readouterr().out)
    state = found["state_gradient"]
    assert np.shape(state["position"]) == np.shape(state["velocity"]) == (2, 2)
    assert state["position"][0] == pytest.approx(found["gradient"]["cue_position"], rel=1e-9)
    assert state["velocity"][0] == pytest.approx(found["gradient"]["cue_velocity"], rel=1e-9)
    assert found["max_relative_difference"] < 1e-4
    assert found["central_differences"]["cue_position"] == pytest.approx(
        found["gradient"]["cue_position"], rel=1e-4
    )


def test_a_wrong_gradient_fails_the_check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rosephys.solve.problem import Problem

    right = Problem.central_differences
    for factor, code in ((1 + 3e-5, 0), (1 + 3e-4, 1), (float("nan"), 1)):

        def off(self: Problem, values: Any, factor: float = factor) -> dict[str, Any]:
            return {name: factor * value for name, value in right(self, values).items()}

        monkeypatch.setattr(Problem, "central_differences", off)
        assert main(["gradient", "billiards", *SMALL, "--check"]) == code
        assert ("DISAGREE" in capsys.readouterr().out) == bool(code)
    assert main(["gradient", "billiards", *SMALL, "--check", "--json"]) == 1
    assert one_object(capsys.readouterr().out)["max_relative_difference"] is None


def test_a_small_gradient_is_checked_as_closely(
    walk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rosephys.solve.problem import Problem

    walk.write_text(SCENE.replace("return ra.dot", "return 0.001 * ra.dot"), encoding="utf-8")
    right = Problem.central_differences
    assert main(["gradient", str(walk), "--check"]) == 0
    monkeypatch.setattr(
        Problem,
        "central_differences",
        lambda self, values: {n: 1.001 * d for n, d in right(self, values).items()},
    )
    assert main(["gradient", str(walk), "--check"]) == 1


# ---- optimize ----


def test_optimize_as_json_tells_the_whole_descent(walk: Path, capsys: Any) -> None:
    code = main(["optimize", str(walk), "--iterations", "30", "--rate", "0.3", "--json"])
    told = capsys.readouterr()
    found = one_object(told.out)
    assert code == 0 and told.err == ""
    assert found["scene"] == "walk" and len(found["losses"]) == 31
    assert found["losses"][0] == pytest.approx(0.7**2 + 0.2**2)
    assert found["loss"] == found["losses"][-1] < 1e-9
    assert found["controls"]["speed"] == pytest.approx((0.8, 0.3), abs=1e-4)
    assert found["gradient"]["speed"] == pytest.approx((0, 0), abs=1e-3)
    assert {"compile_seconds", "gradient_seconds", "forward_seconds", "scratch_bytes"} <= set(found)


def test_optimize_as_json_says_how_it_was_made(walk: Path, capsys: Any) -> None:
    typed = ["--set", "goal=0.5,0.5", "--set", "steps=10", "--iterations", "4", "--rate", "0.02"]
    typed += ["--optimizer", "adam", "--starts", "3", "--seed", "5", "--json"]
    assert main(["optimize", str(walk), *typed]) == 0
    found = one_object(capsys.readouterr().out)
    assert found["settings"] == {"goal": "0.5,0.5", "steps": "10"} and found["steps"] == 10
    assert (found["optimizer"], found["rate"], found["iterations"]) == ("adam", 0.02, 4)
    assert (found["starts"], found["seed"]) == (3, 5)
    assert found["verdict"] == "trusted" and found["outcome"]["state"] == "not there yet"
    assert found["outcome"]["help"] == {"option": "iterations", "value": "8"}
    assert main(["optimize", str(walk), *typed]) == 0
    again = one_object(capsys.readouterr().out)
    assert again["losses"] == found["losses"], "the same command finds the same"


def test_the_numbers_that_moved_are_shown(capsys: Any) -> None:
    """Of a control with many; a table of numbers that stay tells nothing."""
    assert main(["optimize", "push", "--iterations", "3"]) == 0
    told = capsys.readouterr().out
    assert "of 960 numbers that moved most: [" in told
    (row,) = (line for line in told.splitlines() if line.startswith("push  "))
    before, after = row.removeprefix("push  ").split("  ")[:2]
    assert before.split(", ") != after.split(" (")[0].split(", ")
    assert main(["optimize", "billiards", *SMALL, "--iterations", "0"]) == 0
    assert capsys.readouterr().out.count("the same") == 2


def test_what_a_scene_prefers_is_used_unless_something_is_asked(walk: Path, capsys: Any) -> None:
    def losses(*arguments: str) -> list[float]:
        assert main(["optimize", str(walk), "--json", *arguments]) == 0
        found: list[float] = one_object(capsys.readouterr().out)["losses"]
        return found

    preferred = losses()
    assert len(preferred) == 13
    assert preferred == losses("--iterations", "12", "--rate", "0.1", "--optimizer", "gd")
    assert losses("--optimizer", "adam")[2] != preferred[2]
    assert losses("--rate", "0.2")[1] < preferred[1]
    assert len(losses("--iterations", "0")) == 1


def test_every_optimizer_may_be_typed() -> None:
    for name in OPTIMIZERS:
        assert parser(RUNS).parse_args(["optimize", "drop", "--optimizer", name]).optimizer == name


def test_optimize_writes_its_result(walk: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "some" / "where"
    assert main(["optimize", str(walk), "--out", str(out), "--set", "goal=0.5,0.5"]) == 0
    told = capsys.readouterr()
    assert re.search(r"walk: 12 iterations in \d", told.out) and "speed" in told.out
    assert {p.name for p in out.iterdir()} == {"walk.json", "walk.npz", "walk.gif", *RUN_FILES}
    found = one_object((out / "walk.json").read_text(encoding="utf-8"))
    with np.load(out / "walk.npz") as values:
        assert values["speed"] == pytest.approx(found["controls"]["speed"])
        assert values["goal"].tolist() == [0.5, 0.5]
    assert (out / "walk.gif").read_bytes()[:6] == b"GIF89a"


def test_a_scene_without_a_picture_is_solved_all_the_same(
    walk: Path, tmp_path: Path, capsys: Any
) -> None:
    plain = SCENE[: SCENE.index("    def picture")]
    walk.write_text(plain, encoding="utf-8")
    assert main(["optimize", str(walk), "--out", str(tmp_path / "out")]) == 0
    written = {p.name for p in (tmp_path / "out").iterdir()}
    assert written == {"walk.json", "walk.npz", *RUN_FILES}
    assert "no picture" in capsys.readouterr().err
    assert main(["scene", str(walk), "--headless"]) == 0
    assert "no picture" in capsys.readouterr().err


def ending(error: BaseException | None = None) -> Any:
    """A descent of three iterates, the second the best, that ends with `error`."""

    def descend(problem: Any, **how: Any) -> Iterator[Iterate]:
        for k, speed in enumerate([(0.1, 0.1), (0.7, 0.3), (0.9, 0.9)]):
            values = {**problem.values, "speed": np.array(speed)}
            loss, gradient = problem.value_and_gradient(values)
            yield Iterate(k, loss, values, gradient)
        if error is not None:
            raise error

    return descend


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (OptimizeError("the loss is nan after 3 updates"), 1, "the loss is nan"),
    ],
)
def test_an_early_end_keeps_the_result_so_far(
    error: BaseException, code: int, says: str, walk: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("rosephys.solve.starts.descend", ending(error))
    assert main(["optimize", str(walk), "--json"]) == code
    told = capsys.readouterr()
    found = one_object(told.out)
    assert len(found["losses"]) == 3 and says in found["stopped"] and says in told.err
    assert "the result is that of iteration 1" in told.err
    assert main(["optimize", str(walk)]) == code
    assert "walk: 2 iterations" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code"), [(None, 0), (KeyboardInterrupt(), 130), (OptimizeError("nan"), 1)]
)
def test_the_best_iterate_is_what_is_told_saved_and_drawn(
    error: Any, code: int, walk: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    drawn = []
    monkeypatch.setattr("rosephys.files.keep.record", lambda film, *_: drawn.append(film.values))
    monkeypatch.setattr("rosephys.solve.starts.descend", ending(error))
    assert main(["optimize", str(walk), "--out", str(tmp_path)]) == code
    told = capsys.readouterr().out
    assert "loss 0.53 to 0.01, that of iteration 1; the last is 0.37" in told and "0.7, 0.3" in told
    found = one_object((tmp_path / "walk.json").read_text(encoding="utf-8"))
    assert found["loss"] == pytest.approx(0.01) and found["iteration"] == 1
    assert found["losses"] == pytest.approx([0.53, 0.01, 0.37])
    assert found["controls"]["speed"] == [0.7, 0.3]
    assert found["gradient"]["speed"] == pytest.approx([-0.2, 0.0])
    with np.load(tmp_path / "walk.npz") as values:
        assert values["speed"].tolist() == [0.7, 0.3]
    assert [values["speed"].tolist() for values in drawn] == [[0.7, 0.3]]
    assert main(["record", str(walk), "--out", str(tmp_path / "walk.gif")]) == code
    assert drawn[1]["speed"].tolist() == [0.7, 0.3]


def test_a_later_nan_does_not_lose_what_was_found(walk: Path, tmp_path: Path, capsys: Any) -> None:
    # the loss falls towards a wall, beyond which there is none
    loss = "return ra.log(0.6 - final.place[0])"
    walk.write_text(SCENE.replace("return ra.dot(miss, miss)", loss), encoding="utf-8")
    assert main(["optimize", str(walk), "--out", str(tmp_path), "--json"]) == 1
    told = capsys.readouterr()
    found = one_object(told.out)
    assert "the loss is nan after" in told.err and len(found["losses"]) > 1
    with np.load(tmp_path / "walk.npz") as values:
        assert values["speed"].tolist() == found["controls"]["speed"]


def test_what_was_found_is_saved_before_anything_else(
    walk: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rosephys.command.cli.costs", interrupted)
    assert main(["optimize", str(walk), "--out", str(tmp_path)]) == 130
    assert (tmp_path / "walk.npz").exists()


def test_a_loss_that_is_not_finite_at_once_is_an_error(walk: Path, capsys: Any) -> None:
    walk.write_text(SCENE.replace("return ra.dot(miss, miss)", "return ra.log(0.0 * miss[0] - 1)"))
    assert main(["optimize", str(walk)]) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("error: the loss is nan")


def test_ctrl_c_is_obeyed_by_the_real_process(walk: Path) -> None:
    told = "import sys; print('traced', file=sys.stderr, flush=True); miss ="
    walk.write_text(SCENE.replace("miss =", told), encoding="utf-8")
    code = (
        "import runpy, signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background\n"
        "runpy.run_module('rosephys', run_name='__main__')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "optimize", walk, "--iterations", "100000000"],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None and process.stderr.readline() == "traced\n"
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err and "interrupted" in err
    assert re.search(r"walk: \d{2,} iterations", out)


def test_a_progress_bar_is_only_for_a_terminal(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    bar = Bar(200)
    bar.show(100, "loss 1.0e-3")
    shown = capsys.readouterr().err
    assert "100/200" in shown and "loss 1.0e-3" in shown and shown.startswith("\r")
    assert shown.count("━") == shown.count("─") == 15
    bar.show(101, "too soon after the last")
    assert capsys.readouterr().err == ""
    bar.show(200, "the end is always shown")
    assert "200/200" in capsys.readouterr().err
    bar.clear()
    assert capsys.readouterr().err == "\r\x1b[K"


def test_json_is_quiet_on_a_terminal(walk: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert main(["optimize", str(walk)]) == 0
    assert "12/12" in capsys.readouterr().err
    assert main(["optimize", str(walk), "--json"]) == 0
    assert capsys.readouterr().err == ""


# ---- scene ----


def test_scene_without_a_display_says_so_and_writes_a_gif(walk: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "rosephys", "scene", walk.name],
        cwd=tmp_path,
        env={**os.environ, "SDL_VIDEODRIVER": "dummy", "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "no window can be opened" in told.stderr and "walk.gif" in told.stderr
    assert re.search(r"loss 0\.53 to \S+", told.stdout) and "pygame" not in told.stdout
    assert (tmp_path / "walk.gif").read_bytes()[:6] == b"GIF89a"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([], "so the scene is solved without one"),
        (["--load", "found/walk.npz"], "so what was loaded is shown without one"),
        (["--load", "found/walk.npz", "--iterations", "1"], "so the scene is solved without one"),
    ],
)
def test_without_a_display_it_is_said_what_is_done_instead(
    typed: list[str], said: str, walk: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr("rosephys.window.viewer.display_problem", lambda: "no screen")
    monkeypatch.chdir(walk.parent)
    assert main(["optimize", walk.name, "--out", "found"]) == 0
    capsys.readouterr()
    assert main(["scene", walk.name, *typed]) == 0
    assert f"no window can be opened (no screen), {said}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "out", "file"),
    [
        ("--out", "made.gif", "made.gif"),
        ("--save", "made.gif", "made.gif"),
        ("--out", "new/folder", "new/folder/walk.gif"),
    ],
)
def test_scene_writes_the_gif_where_it_is_asked(
    walk: Path, tmp_path: Path, option: str, out: str, file: str, capsys: Any
) -> None:
    assert main(["scene", str(walk), "--headless", option, str(tmp_path / out)]) == 0
    assert (tmp_path / file).stat().st_size > 1000
    assert "no window" not in capsys.readouterr().err


def test_scene_opens_the_window_where_there_is_a_display(walk: Path, monkeypatch: Any) -> None:
    seen = {}
    monkeypatch.setattr("rosephys.window.viewer.display_problem", lambda: None)
    monkeypatch.setattr("rosephys.window.viewer.view", lambda problem, **how: seen.update(how))
    assert main(["scene", str(walk), "--rate", "0.5"]) == 0
    source = seen.pop("source")
    assert seen.pop("theme") == "dark"
    assert seen == {"iterations": 12, "rate": 0.5, "optimizer": "gd", "starts": 1, "seed": 0}
    assert source.file == walk and source.load()[1] == seen


def test_what_was_loaded_is_replayed_or_gone_on_from(
    walk: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    assert main(["optimize", str(walk), "--set", "steps=30", "--out", str(tmp_path)]) == 0
    load = ["--load", str(tmp_path / "walk.npz")]
    seen: list[tuple[Any, int]] = []
    monkeypatch.setattr("rosephys.window.viewer.display_problem", lambda: None)
    monkeypatch.setattr(
        "rosephys.window.viewer.view",
        lambda problem, iterations, **_: seen.append((problem, iterations)),
    )
    for more, iterations, steps in (
        ([], 0, 30),
        (["--iterations", "7"], 7, 30),
        (["--set", "steps=40"], 0, 40),
    ):
        assert main(["scene", str(walk), *load, *more]) == 0
        problem, asked = seen[-1]
        assert asked == iterations and problem.steps == steps
        with np.load(load[1]) as found:
            np.testing.assert_array_equal(problem.values["speed"], found["speed"])
    capsys.readouterr()
    assert main(["optimize", str(walk), *load, "--json"]) == 0
    assert len(one_object(capsys.readouterr().out)["losses"]) == 13


def test_record_writes_a_moment_as_a_png(walk: Path, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "new" / "walk.png"
    images = []
    for at in ("0", "1", "1"):
        assert main(["record", str(walk), "--out", str(path), "--at", at]) == 0
        images.append(path.read_bytes())
    assert images[0].startswith(b"\x89PNG") and images[0] != images[1] == images[2]


@pytest.mark.parametrize("at", ["2", "-0.1", "noon", "nan"])
def test_a_moment_that_is_none(walk: Path, at: str, capsys: Any) -> None:
    assert main(["record", str(walk), "--out", "x.png", f"--at={at}"]) == 2
    assert "from 0 to 1" in capsys.readouterr().err


def test_optimize_draws_the_end_before_and_after(walk: Path, tmp_path: Path, capsys: Any) -> None:
    from rosephys.sdl import pygame

    path = tmp_path / "new" / "walk.png"
    assert main(["optimize", str(walk), "--picture", str(path)]) == 0
    assert f"wrote {path}" in capsys.readouterr().err
    pixels = pygame.surfarray.array3d(pygame.image.load(path))
    before, after = pixels[:720], pixels[720:]
    assert pixels.shape == (1440, 460, 3)
    white = [np.argwhere((half > 250).all(axis=2))[:, 0].mean() for half in (before, after)]
    assert white[1] > white[0] + 100  # the walker has come to the goal
    assert main(["optimize", str(walk), "--picture", "walk.gif"]) == 2
    assert "ends in .png" in capsys.readouterr().err


def test_record_solves_and_writes_a_gif(walk: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["record", str(walk), "--out", str(tmp_path / "new" / "walk.gif")]) == 0
    assert (tmp_path / "new" / "walk.gif").read_bytes()[:6] == b"GIF89a"
    assert "12 iterations" in capsys.readouterr().out


# ---- What goes wrong ----


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["gradient", "biliards"], "did you mean billiards"),
        (["gradient", "./no_such_file.py"], "no_such_file.py"),
        (["gradient", "billiards", "--set", "stpes=3"], "did you mean steps"),
        (["gradient", "billiards", "--set", "steps=many"], "steps takes a whole number"),
        (["gradient", "billiards", "--set", "contact=toi-positron"], "toi-position"),
        (["gradient", "billiards", "--set", "steps"], "NAME=VALUE"),
        (["gradient", "billiards", "--repeat", "-1"], "whole number"),
        (["optimize", "billiards", "--rate", "-1"], "above 0"),
        (["optimize", "billiards", "--rate", "quick"], "above 0"),
        (["optimize", "billiards", "--iterations", "1.5"], "whole number"),
        (["optimize", "billiards", "--optimizer", "sgd"], "'adam'"),
        (["optimize", "billiards", "--optimizer", "adma"], "; did you mean adam?"),
        (["record", "billiards", "--theme", "drak"], "; did you mean dark?"),
        (["optimise"], "; did you mean optimize?"),
        (["fly"], "invalid choice: 'fly'"),
        ([], "required"),
    ],
)
def test_a_command_that_cannot_be_understood(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == "" and says in told.err and "Traceback" not in told.err


BROKEN = {
    "raises": ("return State(ra.array([0.0, 0.0]))", "raise RuntimeError('on purpose')"),
    "misspelt": ("self.dt * self.speed", "self.dt * self.sped"),
    "python": ("import rose_ad as ra", "import rose_ad as ra\nimport no_such_module"),
    "syntax": ("def initial(self):", "def initial(self:"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_in_a_users_scene_shows_the_users_line(
    fault: str, walk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = BROKEN[fault]
    walk.write_text(SCENE.replace(before, after))
    line = walk.read_text()[: walk.read_text().index(after)].count("\n") + 1
    line += after.count("\n")
    assert main(["gradient", str(walk)]) == 1
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("error: ")
    assert "Traceback" not in told.err and f"walk.py:{line}" in told.err
    assert after.splitlines()[-1].strip() in told.err
    assert "cli.py" not in told.err and len(told.err.splitlines()) < 12


def test_a_fault_of_ours_is_called_a_bug(capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("rosephys.command.cli.costs", lambda *_: 1 / 0)
    assert main(["gradient", "billiards", *SMALL]) == 1
    error = capsys.readouterr().err
    assert "ZeroDivisionError" in error and "Traceback" not in error


def test_a_file_that_cannot_be_written(walk: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["optimize", str(walk), "--out", str(tmp_path / "file" / "below")]) == 1
    assert "file" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rosephys", "gradient", "billiards", *SMALL],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


# ---- What it costs ----


def test_lbfgs_needs_no_further_package(walk: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("rosephys.solve.optimize.find_spec", lambda name: None)
    assert main(["optimize", str(walk), "--optimizer", "lbfgs"]) == 0
    assert "loss" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["list", "gradient billiards --json", "optimize billiards"])
def test_only_the_painters_import_pygame(command: str) -> None:
    arguments = [*command.split(), *(SMALL if "billiards" in command else [])]
    code = (
        "import sys; from rosephys.command.cli import main; code = main(sys.argv[1:]);"
        "sys.exit(code or 'pygame' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=HERE, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_gradient_from_the_shell_is_compiled_once() -> None:
    run("gradient", "billiards", "--json")
    again = one_object(run("gradient", "billiards", "--json").stdout)
    assert again["from_cache"] is True


def test_a_gradient_from_the_shell_opens_no_window() -> None:
    code = (
        "import sys, rosephys.command.cli as cli; cli.main(['gradient', 'billiards', '--json']); "
        "sys.exit('pygame' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=HERE, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
