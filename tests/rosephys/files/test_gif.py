"""The GIF writer, read back by a decoder of its own written from the format's specification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rosephys.files.gif import write_gif
from tests.support.gif import Frame, Image, decode


def shown(images: list[Image], every: int) -> Iterator[Frame]:
    """The screen in each frame of `every` hundredths of a second."""
    for image in images:
        assert image.delay % every == 0
        for _ in range(image.delay // every):
            yield image.screen


@st.composite
def films(draw: st.DrawFn) -> list[Frame]:
    """Small films of few colours in which parts change, and sometimes nothing does."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    high, wide = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    palette = rng.integers(0, 256, (draw(st.integers(1, 255)), 3), np.uint8)
    frame = palette[rng.integers(0, len(palette), (high, wide))]
    film = [frame]
    for _ in range(draw(st.integers(0, 5))):
        frame = frame.copy()
        y, x = rng.integers(0, high + 1), rng.integers(0, wide + 1)
        part = frame[: int(y), : int(x)]
        part[:] = palette[rng.integers(0, len(palette), part.shape[:2])]
        film.append(frame)
    return film


@settings(max_examples=60, deadline=None)
@given(film=films())
def test_few_colours_come_back_exactly(film: list[Frame], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("gif") / "film.gif"
    write_gif(path, film, 0.05)
    images, loops = decode(path)
    assert loops
    for frame, screen in zip(film, shown(images, 5), strict=True):
        np.testing.assert_array_equal(screen, frame)


def test_a_full_code_table_is_begun_anew(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    palette = rng.integers(0, 256, (200, 3), np.uint8)
    picked = rng.integers(0, 200, (270, 250))  # noise: over 4096 codes, several times
    # Of one colour, each code is the newest in the table, also where the table is just full.
    picked[15:255] = 0
    frame = palette[picked]
    write_gif(tmp_path / "noise.gif", [frame], 1.0)
    images, _ = decode(tmp_path / "noise.gif")
    np.testing.assert_array_equal(images[0].screen, frame)


def test_many_colours_keep_their_local_mean(tmp_path: Path) -> None:
    y, x = np.mgrid[0:192, 0:256]
    smooth = np.stack([x / 2, 30 + y / 2, 60 + (x + y) / 8], axis=2).astype(np.uint8)
    assert len(np.unique(smooth.reshape(-1, 3), axis=0)) > 4000
    write_gif(tmp_path / "smooth.gif", [smooth], 1.0)
    error = decode(tmp_path / "smooth.gif")[0][0].screen - smooth.astype(float)
    means = error.reshape(24, 8, 32, 8, 3).mean(axis=(1, 3))
    # Dithering trades noise of single pixels for the right shade of every small area; without
    # it the areas are off by 0.94.
    assert np.abs(error).max() < 12 and np.abs(error).mean() < 2.5
    assert np.abs(means).mean() < 0.5


def test_what_stands_still_does_not_flicker(tmp_path: Path) -> None:
    y, x = np.mgrid[0:64, 0:64]
    first = np.stack([4 * x, 4 * y, 2 * (x + y)], axis=2).clip(0, 255).astype(np.uint8)
    second = first.copy()
    second[20:30, 40:45] = 255
    write_gif(tmp_path / "still.gif", [first, second], 0.1)
    one, two = decode(tmp_path / "still.gif")[0]
    assert two.box == (40, 20, 5, 10)
    differs = (one.screen != two.screen).any(axis=2)
    assert differs[20:30, 40:45].any() and not differs[:20].any() and not differs[:, 45:].any()


def test_a_frame_without_change_prolongs_the_one_before(tmp_path: Path) -> None:
    black, white = np.zeros((4, 5, 3), np.uint8), np.full((4, 5, 3), 255, np.uint8)
    write_gif(tmp_path / "hold.gif", [black, white, white, white], 0.2)
    images, _ = decode(tmp_path / "hold.gif")
    assert [image.delay for image in images] == [20, 60]


def test_delays_add_up_to_the_film(tmp_path: Path) -> None:
    film = [np.full((2, 2, 3), shade, np.uint8) for shade in range(30)]
    write_gif(tmp_path / "second.gif", film, 1 / 30)
    images, _ = decode(tmp_path / "second.gif")
    assert sum(image.delay for image in images) == 100
    assert {image.delay for image in images} == {3, 4}


@pytest.mark.parametrize(
    ("film", "seconds", "says"),
    [
        ([], 0.1, "at least one frame"),
        ([np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)], 0.1, "differ in size"),
        ([np.zeros((2, 2, 3))], 0.1, "uint8"),
        ([np.zeros((2, 2), np.uint8)], 0.1, r"\(h, w, 3\)"),
        ([np.zeros((0, 2, 3), np.uint8)], 0.1, r"\(h, w, 3\)"),
        ([np.zeros((2, 2, 3), np.uint8)], 0.001, "0.01 s"),
        ([np.zeros((2, 2, 3), np.uint8)], float("nan"), "0.01 s"),
    ],
)
def test_what_cannot_be_a_gif(film: list[Frame], seconds: float, says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=says):
        write_gif(tmp_path / "no.gif", film, seconds)
    assert list(tmp_path.iterdir()) == []


def test_an_old_file_stays_if_the_new_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    path.write_bytes(b"old")

    def broken() -> Iterator[Frame]:
        yield np.zeros((2, 2, 3), np.uint8)
        raise RuntimeError("the scene broke")

    with pytest.raises(RuntimeError, match="the scene broke"):
        write_gif(path, broken(), 0.1)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match="nowhere"):
        write_gif(tmp_path / "nowhere" / "film.gif", [np.zeros((2, 2, 3), np.uint8)], 0.1)
