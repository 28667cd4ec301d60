"""MP4 films, by the encoder that may be installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys.command.cli import main
from rosephys.errors import FilmError
from rosephys.files.mp4 import check_size, encoder, write_mp4
from rosephys.scene.finding import find_scene
from rosephys.solve.problem import Problem
from tests.support.commands import SCENE


@pytest.fixture(scope="module")
def walk(tmp_path_factory: Any) -> Path:
    """A scene file of a walker; its motion lasts a second."""
    path: Path = tmp_path_factory.mktemp("scene") / "walk.py"
    path.write_text(SCENE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def problem(walk: Path) -> Problem:
    return Problem(find_scene(str(walk)))


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
