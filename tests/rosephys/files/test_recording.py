"""Films and pictures of a motion: complete, the same every time, of the size that is asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys.command.cli import main
from rosephys.files.film import Film, record, still
from rosephys.files.png import write_png
from rosephys.files.values import save_motion
from rosephys.scene.finding import find_scene
from rosephys.sdl import pygame
from rosephys.solve.problem import Problem
from tests.support.commands import HERE, SCENE
from tests.support.gif import decode


@pytest.fixture(scope="module")
def walk(tmp_path_factory: Any) -> Path:
    """A scene file of a walker; its motion lasts a second."""
    path: Path = tmp_path_factory.mktemp("scene") / "walk.py"
    path.write_text(SCENE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def problem(walk: Path) -> Problem:
    return Problem(find_scene(str(walk)))


# ---- Whole files ----


@pytest.mark.parametrize("name", ["film.gif", "end.png", "motion.npz"])
def test_the_same_bytes_twice(problem: Problem, name: str, tmp_path: Path) -> None:
    written = []
    for folder in ("one", "two"):
        path = tmp_path / folder / name
        path.parent.mkdir()
        if name.endswith(".gif"):
            record(Film(problem, problem.values, (240, 160), 10), path)
        elif name.endswith(".png"):
            still(Film(problem, problem.values, at=0.5), path)
        else:
            save_motion(path, problem, problem.values)
        written.append(path.read_bytes())
        time.sleep(0.01)
    assert written[0] == written[1] and len(written[0]) > 1000


@pytest.mark.parametrize("name", ["film.gif", "end.png", "motion.npz"])
def test_what_fails_leaves_nothing(problem: Problem, name: str, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise OSError("the disk is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="disk is full"):
            if name.endswith(".gif"):
                record(Film(problem, problem.values, (240, 160), 10), tmp_path / name)
            elif name.endswith(".png"):
                still(Film(problem, problem.values), tmp_path / name)
            else:
                save_motion(tmp_path / name, problem, problem.values)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to be sent")
def test_ctrl_c_while_a_film_is_drawn_leaves_no_file(walk: Path, tmp_path: Path) -> None:
    code = (
        "import rosephys.drawing.motion as r, rosephys.command.cli as cli, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background\n"
        "draw = r.MotionPicture.draw\n"
        "def told(*args): print('drawing', flush=True); draw(*args)\n"
        "r.MotionPicture.draw = told\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "record", walk, "--size", "2000x2000", "--fps", "100"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        while process.stdout.readline() != "drawing\n":
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130 and "interrupted" in err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_picture_comes_back_as_it_was(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (31, 20, 3)).astype(np.uint8)
    write_png(tmp_path / "noise.png", picture)
    read = pygame.surfarray.array3d(pygame.image.load(tmp_path / "noise.png"))
    np.testing.assert_array_equal(read.swapaxes(0, 1), picture)
    with pytest.raises(OSError, match=r"nowhere/noise\.png cannot be written: No such file"):
        write_png(tmp_path / "nowhere" / "noise.png", picture)


# ---- Sizes, rates, progress ----


def test_a_film_has_the_size_and_the_rate_it_is_asked_for(problem: Problem, tmp_path: Path) -> None:
    record(Film(problem, problem.values, (250, 90), 25), tmp_path / "film.gif")
    images, _ = decode(tmp_path / "film.gif")
    assert images[0].screen.shape == (90, 250, 3)
    assert {image.delay % 4 for image in images} == {0}, "of hundredths of a second"
    assert sum(image.delay for image in images) == pytest.approx(100 + 160, abs=5)


def test_progress_reaches_the_end_of_both_parts(problem: Problem, tmp_path: Path) -> None:
    told: dict[str, list[tuple[int, int]]] = {}
    record(
        Film(problem, problem.values, (240, 160), 10),
        tmp_path / "film.gif",
        lambda what, *numbers: told.setdefault(what, []).append(numbers),  # type: ignore[arg-type]
    )
    assert list(told) == ["drawing", "packing"]
    for numbers in told.values():
        done = [d for d, _ in numbers]
        assert done == list(range(len(done))) and len({total for _, total in numbers}) == 1
        assert numbers[-1][1] - done[-1] <= 1


# ---- By the command ----


def test_record_writes_each_kind_in_the_size_that_is_asked(walk: Path, tmp_path: Path) -> None:
    look = ["--size", "320x200", "--iterations", "1"]
    for name in ("walk.gif", "walk.png"):
        assert main(["record", str(walk), "--out", str(tmp_path / name), *look]) == 0
        assert pygame.image.load(tmp_path / name).get_size() == (320, 200)
    assert main(["record", str(walk), "--out", str(tmp_path / "walk.npz"), *look]) == 0
    with np.load(tmp_path / "walk.npz") as found:
        assert found["trajectory/place"].shape == (21, 2)


@pytest.mark.parametrize("command", ["record", "scene"])
def test_scene_writes_what_record_does(command: str, walk: Path, tmp_path: Path) -> None:
    for name in ("walk.png", "walk.npz", "walk.gif"):
        assert main([command, str(walk), "--iterations", "1", "--out", str(tmp_path / name)]) == 0
    assert main([command, str(walk), "--iterations", "1", "--out", str(tmp_path / "sub")]) == 0
    assert (tmp_path / "sub" / "walk.gif").read_bytes() == (tmp_path / "walk.gif").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "walk.avi"], ".gif, .mp4, .png, .npz"),
        (["--size", "720"], "WIDTHxHEIGHT"),
        (["--size", "720x"], "WIDTHxHEIGHT"),
        (["--size", "8x8"], "from 64 to 8192"),
        (["--size", "720x90000"], "from 64 to 8192"),
        (["--fps", "0"], "from 1 to 100"),
        (["--fps", "240"], "from 1 to 100"),
    ],
)
def test_what_cannot_be_recorded(walk: Path, arguments: list[str], says: str, capsys: Any) -> None:
    assert main(["record", str(walk), *arguments]) == 2
    told = capsys.readouterr()
    assert says in told.err and told.out == "", "and it is told before anything is solved"
