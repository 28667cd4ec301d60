"""What is kept of a motion: films, pictures and numbers, complete and the same every time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_cli import HERE, SCENE
from test_gif import decode

import rose_ad as ra
from rosephys.command.cli import main
from rosephys.errors import FilmError
from rosephys.files.atomic import replacing
from rosephys.files.film import Film, record, still
from rosephys.files.mp4 import check_size, encoder, write_mp4
from rosephys.files.png import write_png
from rosephys.files.values import load, save_motion
from rosephys.scene.fields import control
from rosephys.scene.finding import find_scene
from rosephys.scene.scene import Scene
from rosephys.sdl import pygame
from rosephys.solve.problem import Problem


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


def test_a_file_appears_at_the_end(tmp_path: Path) -> None:
    with replacing(tmp_path / "film.gif") as beside:
        beside.write_bytes(b"half")
        assert beside.suffix == ".gif" and not (tmp_path / "film.gif").exists()
        beside.write_bytes(b"whole")
    assert [p.name for p in tmp_path.iterdir()] == ["film.gif"]
    assert (tmp_path / "film.gif").read_bytes() == b"whole"


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError, SystemExit])
def test_an_old_file_stays_where_a_new_one_fails(
    tmp_path: Path, fault: type[BaseException]
) -> None:
    (tmp_path / "film.gif").write_bytes(b"old")
    with pytest.raises(fault), replacing(tmp_path / "film.gif") as beside:
        beside.write_bytes(b"half")
        raise fault
    assert [p.name for p in tmp_path.iterdir()] == ["film.gif"]
    assert (tmp_path / "film.gif").read_bytes() == b"old"


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


# ---- Numbers ----


def test_the_numbers_are_those_of_the_motion(problem: Problem, tmp_path: Path) -> None:
    values = {**problem.values, "speed": np.array([0.7, 0.5])}
    save_motion(tmp_path / "motion.npz", problem, values)
    with np.load(tmp_path / "motion.npz", allow_pickle=False) as found:
        names = {"trajectory/place", "times", "loss", "tracks/walker"}
        assert set(found.files) == names | {f"values/{n}" for n in problem.scene.fields}
        np.testing.assert_allclose(found["times"], 0.05 * np.arange(21))
        np.testing.assert_allclose(
            found["trajectory/place"], found["times"][:, None] * (0.7, 0.5), atol=1e-15
        )
        np.testing.assert_array_equal(found["tracks/walker"], found["trajectory/place"])
        assert found["loss"] == problem.loss(values)
        assert found["values/steps"] == 20


def test_what_record_wrote_can_be_loaded(walk: Path, tmp_path: Path, capsys: Any) -> None:
    path = str(tmp_path / "motion.npz")
    assert main(["record", str(walk), "--set", "steps=30", "--out", path]) == 0
    settings = load(Path(path))
    assert settings["steps"] == 30 and set(settings) == {"steps", "dt", "memory", "goal", "speed"}
    capsys.readouterr()
    assert main(["record", str(walk), "--load", path, "--out", str(tmp_path / "end.png")]) == 0
    assert "0 iterations" in capsys.readouterr().out


@ra.struct
class Arm:
    angle: float
    tip: ra.Vec


@ra.struct
class Hands:
    arms: tuple[Arm, Arm]
    extra: dict[str, float]


class Juggler(Scene):
    """A state with parts, and no picture."""

    steps: int = 3
    push: float = control(1.0, "turn")

    def initial(self) -> Hands:
        arms = (Arm(0.0, ra.array([1.0, 0.0])), Arm(1.0, ra.array([0.0, 1.0])))
        return Hands(arms, {"mass": 2.0})

    def step(self, state: Hands, t: Any) -> Hands:
        first, second = state.arms
        return Hands((Arm(first.angle + self.push, first.tip), second), state.extra)

    def loss(self, final: Hands) -> Any:
        return final.arms[0].angle


def test_parts_of_a_state_have_paths_and_no_picture_is_needed(tmp_path: Path) -> None:
    problem = Problem(Juggler())
    save_motion(tmp_path / "motion.npz", problem, problem.values)
    with np.load(tmp_path / "motion.npz") as found:
        assert {n for n in found.files if n.startswith("trajectory")} == {
            "trajectory/arms/0/angle",
            "trajectory/arms/0/tip",
            "trajectory/arms/1/angle",
            "trajectory/arms/1/tip",
            "trajectory/extra/mass",
        }
        assert found["trajectory/arms/0/angle"].tolist() == [0, 1, 2, 3]


# ---- MP4 ----


def test_an_encoder_that_is_not_installed_names_the_extra(
    walk: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert main(["record", str(walk), "--out", str(tmp_path / "walk.mp4")]) == 1
    told = capsys.readouterr()
    assert told.out == "" and 'pip install "rosephys[video]"' in told.err
    assert list(tmp_path.iterdir()) == []


def test_an_mp4_has_an_even_size() -> None:
    check_size((720, 460))
    for size in ((721, 460), (720, 459)):
        with pytest.raises(FilmError, match=r"720x460|722x460"):
            check_size(size)


def balls(count: int = 12) -> Iterator[np.ndarray]:
    """A bright disc that moves to the right over a dark ground."""
    y, x = np.mgrid[0:96, 0:160]
    for k in range(count):
        frame = np.full((96, 160, 3), (20, 25, 33), np.uint8)
        frame[(x - 20 - 10 * k) ** 2 + (y - 48) ** 2 < 150] = (242, 184, 75)
        yield frame


def decoded(path: Path, size: tuple[int, int]) -> tuple[str, np.ndarray]:
    """What ffmpeg says of a film, and its frames."""
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    done = subprocess.run([encoder(), "-i", path, *raw], capture_output=True, check=True)
    frames = np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0], 3)
    return done.stderr.decode().split("Output #0")[0], frames


def test_a_film_comes_back_nearly_as_it_was_and_twice_the_same(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    for name in ("one.mp4", "two.mp4"):
        write_mp4(tmp_path / name, balls(), 24)
    about, frames = decoded(tmp_path / "one.mp4", (160, 96))
    assert "h264" in about and "160x96" in about and "24 fps" in about and "bt709" in about
    sent = np.array(list(balls()))
    assert frames.shape == sent.shape
    assert np.abs(frames.astype(int) - sent).mean() < 2, "as a film may"
    # Edges of a colour are a pixel wide in it; a wrong colour space would be off everywhere.
    flat = np.abs(frames[:, 44:52, :4].astype(int) - (20, 25, 33))
    disc = np.abs(frames[0, 44:52, 16:24].astype(int) - (242, 184, 75))
    assert flat.max() < 6 and disc.max() < 10
    np.testing.assert_array_equal(frames, decoded(tmp_path / "two.mp4", (160, 96))[1])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.mp4", "two.mp4"]


def test_a_film_that_fails_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")

    def broken(fault: BaseException) -> Iterator[np.ndarray]:
        yield from balls(3)
        raise fault

    for fault in (KeyboardInterrupt(), RuntimeError("the scene broke")):
        with pytest.raises(type(fault)):
            write_mp4(tmp_path / "film.mp4", broken(fault), 24)
    with pytest.raises(ValueError, match="at least one"):
        write_mp4(tmp_path / "film.mp4", [], 24)
    with pytest.raises(ValueError, match="a frame is"):
        write_mp4(tmp_path / "film.mp4", [*balls(2), np.zeros((4, 4, 3), np.uint8)], 24)
    with pytest.raises(OSError, match="no folder"):
        write_mp4(tmp_path / "nowhere" / "film.mp4", balls(), 24)
    assert list(tmp_path.iterdir()) == []


def test_what_ffmpeg_cannot_do_is_told_in_its_words(tmp_path: Path, monkeypatch: Any) -> None:
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setattr("rosephys.files.mp4.QUALITY", "very high")
    with pytest.raises(FilmError, match=r"(?s)could not write the film: .*crf"):
        write_mp4(tmp_path / "film.mp4", balls(), 24)
    assert list(tmp_path.iterdir()) == []


def test_record_writes_an_mp4(walk: Path, tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    look = ["--size", "240x160", "--fps", "10", "--iterations", "1"]
    assert main(["record", str(walk), "--out", str(tmp_path / "walk.mp4"), *look]) == 0
    about, frames = decoded(tmp_path / "walk.mp4", (240, 160))
    assert "240x160" in about and "10 fps" in about and len(frames) == 11 + 16
