"""Writes MP4 films (H.264) by the ffmpeg that comes with the package imageio-ffmpeg.

Frames go to it through a pipe as they are drawn, so a long film needs no memory. The number of its
threads is fixed and it writes no dates, so one version of it writes the same bytes every time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rosephys.errors import FilmError
from rosephys.files.atomic import replacing

THREADS = 4
QUALITY = 18  # x264's constant rate factor: the eye sees no difference from the frames
SPACE = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")


def encoder() -> str:
    """The path of ffmpeg. Raises FilmError where there is none."""
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError:
        raise FilmError(
            'an MP4 needs imageio-ffmpeg: pip install "rosephys[video]", or write a .gif'
        ) from None
    try:
        return str(get_ffmpeg_exe())
    except RuntimeError as error:
        raise FilmError(f"imageio-ffmpeg has no ffmpeg for this machine: {error}") from None


def check_size(size: tuple[int, int]) -> None:
    """Raises FilmError for a film that is not an even number of pixels wide and high."""
    wide, high = size
    if wide % 2 or high % 2:
        even = f"{wide + wide % 2}x{high + high % 2}"
        raise FilmError(f"an MP4 is an even number of pixels wide and high: {even}, for example")


def write_mp4(path: str | Path, frames: Iterable[NDArray[np.uint8]], fps: float) -> None:
    """Write `frames`, each (h, w, 3) of 0 .. 255 and all of one size, `fps` of them a second.

    The file appears complete or not at all. Raises FilmError if it cannot be encoded, OSError if it
    cannot be written, ValueError for no frames or one of another shape.
    """
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError("a film needs at least one frame")
    high, wide = first.shape[:2]
    check_size((wide, high))
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(f"there is no folder {Path(path).parent}")
    with replacing(path) as beside:
        _encode(chain([first], frames), (high, wide, 3), _command((wide, high), fps, beside))


def _command(size: tuple[int, int], fps: float, path: Path) -> list[str]:
    pipe = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "{}x{}".format(*size), "-r", f"{fps:g}")
    shades = ("-vf", "scale=out_color_matrix=bt709", "-pix_fmt", "yuv420p", *SPACE)
    quality = ("-c:v", "libx264", "-crf", str(QUALITY), "-threads", str(THREADS))
    # the index goes first, so that a browser can begin to play before it has it all
    file = ("-movflags", "+faststart", "-fflags", "+bitexact", "-flags:v", "+bitexact")
    head = (encoder(), "-y", "-nostdin", "-loglevel", "error")
    return [*head, *pipe, "-i", "pipe:0", *shades, *quality, *file, f"file:{path}"]


def _encode(
    frames: Iterator[NDArray[np.uint8]], shape: tuple[int, ...], command: list[str]
) -> None:
    import subprocess  # here, since all else does without it

    with tempfile.TemporaryFile() as told:
        # in a session of its own Ctrl-C is for us alone, and the end of the pipe for ffmpeg
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=told, start_new_session=True
        )
        assert process.stdin is not None
        try:
            for frame in frames:
                if frame.shape != shape or frame.dtype != np.uint8:
                    raise ValueError(f"a frame is {shape} of uint8, got {frame.shape}")
                process.stdin.write(np.ascontiguousarray(frame).data)
            process.stdin.close()
            process.wait()
        except BrokenPipeError:  # it has ended, and says why
            process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            with process:  # closes the pipe
                pass
        if process.returncode:
            told.seek(0)
            words = told.read().decode(errors="replace").strip()
            raise FilmError(f"ffmpeg could not write the film: {words or process.returncode}")
