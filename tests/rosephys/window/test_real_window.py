"""The windows on a real X display, driven from outside by a real mouse and keyboard.

Xvfb is the display and xdotool moves the mouse; without either these tests are left out. What a window
shows is read from what it writes: S writes its picture, C prints its command.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rosephys.drawing.palette import colour
from rosephys.sdl import pygame
from tests.support.commands import HERE, SCENE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool"
    ),
]

SIZE = (1400, 900)
WINDOW = (1200, 720)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A display of its own, named as DISPLAY names it."""
    read, write = os.pipe()
    command = [
        "Xvfb",
        "-noreset",
        "-displayfd",
        str(write),
        "-screen",
        "0",
        "{}x{}x24".format(*SIZE),
    ]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(command, pass_fds=[write], **quiet)  # type: ignore[call-overload]
    os.close(write)
    try:
        with os.fdopen(read) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


class Hand:
    """A program with a window on a display, and a hand on its mouse and keys."""

    def __init__(self, display: str, folder: Path, *arguments: object) -> None:
        self.folder = folder
        self.env = os.environ | {"DISPLAY": display, "SDL_VIDEODRIVER": "x11"}
        self.env |= {"PYTHONPATH": str(HERE)}
        self.env.pop("ROSE_AD_CHECK", None)
        self.out = (folder / "out.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "rosephys", *map(str, arguments)],
            cwd=folder,
            env=self.env,
            stdout=self.out,
            stderr=subprocess.STDOUT,
        )
        self.window = ""

    def do(self, *words: object) -> str:
        """Have xdotool do something."""
        command = ["xdotool", *map(str, words)]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def sees(self, title: str) -> Hand:
        """Wait for the window of this title, and turn to it."""

        def window() -> str:
            found = self.do("search", "--onlyvisible", "--pid", self.process.pid)
            return found if found and self.do("getwindowname", found) == title else ""

        self.window = self.until(window, f"{title} opens")
        self.move((20, 20))
        time.sleep(0.3)
        return self

    def until(self, ready: Callable[[], object], what: str) -> str:
        """Wait for this."""
        end = time.perf_counter() + 120  # a busy machine
        while not (found := ready()):
            assert time.perf_counter() < end and self.process.poll() is None, (what, self.told())
            time.sleep(0.03)
        return str(found)

    def told(self) -> str:
        """What the program has printed."""
        return (self.folder / "out.txt").read_text()

    def corner(self) -> np.ndarray:
        """Where the window lies on the screen."""
        told = self.do("getwindowgeometry", "--shell", self.window)
        numbers = dict(line.split("=") for line in told.splitlines())
        return np.array([int(numbers["X"]), int(numbers["Y"])])

    def move(self, pixel: np.ndarray | tuple[float, float]) -> None:
        """Move the mouse to a pixel of the window."""
        x, y = np.rint(self.corner() + pixel).astype(int)
        self.do("mousemove", x, y)
        time.sleep(0.02)

    def key(self, *names: str) -> None:
        """Press keys, by the names that X has for them."""
        self.do("key", "--delay", 60, *names)

    def picture(self) -> np.ndarray:
        """What the window shows, (h, w, 3), by S."""
        time.sleep(0.3)  # until what was done before is drawn
        before = set(self.folder.glob("walk-*.png"))
        self.key("s")
        self.until(lambda: set(self.folder.glob("walk-*.png")) - before, "S writes a picture")
        (path,) = set(self.folder.glob("walk-*.png")) - before
        return np.asarray(pygame.surfarray.array3d(pygame.image.load(path)).swapaxes(0, 1), int)

    def command(self) -> list[str]:
        """What C prints."""
        before = self.told().count("python -m rosephys")
        self.key("c")
        self.until(lambda: self.told().count("python -m rosephys") > before, "C prints a command")
        return shlex.split(self.told().strip().splitlines()[-1])

    def ended(self) -> int:
        """Wait until the program has ended; its exit code."""
        return self.process.wait(timeout=60)

    def ask_to_close(self) -> None:
        """What a window manager does when the cross of a window is clicked."""
        subprocess.run(
            [sys.executable, "-c", CLOSE, self.window], env=self.env, check=True, timeout=60
        )


# The message of the inter-client conventions (ICCCM, 4.2.8.1), by Xlib.
CLOSE = """
import ctypes, sys
class Message(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("sent", ctypes.c_int),
                ("display", ctypes.c_void_p), ("window", ctypes.c_ulong),
                ("message", ctypes.c_ulong), ("format", ctypes.c_int), ("data", ctypes.c_long * 5),
                ("room", ctypes.c_long * 24)]
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
x.XInternAtom.restype = ctypes.c_ulong
x.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
x.XSendEvent.argtypes = [ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
x.XCloseDisplay.argtypes = [ctypes.c_void_p]
display, window = x.XOpenDisplay(None), int(sys.argv[1])
atoms = [x.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")]
data = (ctypes.c_long * 5)(atoms[1])
event = Message(33, 0, 1, display, window, atoms[0], 32, data)
x.XSendEvent(display, window, 0, 0, ctypes.byref(event))
x.XCloseDisplay(display)
"""


@pytest.fixture
def start(display: str, tmp_path: Path) -> Iterator[Callable[..., Hand]]:
    """Starts a program in a folder of its own with two scenes; ends it after the test."""
    (tmp_path / "walk.py").write_text(SCENE)
    (tmp_path / "zebra.py").write_text(SCENE.replace("class Walk", "class Zebra"))
    hands: list[Hand] = []

    def begin(*arguments: object) -> Hand:
        hands.append(Hand(display, tmp_path, *arguments))
        return hands[-1]

    yield begin
    for hand in hands:
        hand.process.kill()
        hand.process.wait()
        hand.out.close()


def setting(command: list[str], name: str) -> np.ndarray:
    """The numbers that a command gives to a field."""
    (found,) = (word for word in command if word.startswith(f"{name}="))
    return np.array([float(number) for number in found.split("=")[1].split(",")])


def goal_at(value: np.ndarray) -> np.ndarray:
    """The pixel of a world point in the window as it opens: walk.py's view in its canvas of 900 x 720."""
    view, canvas, margin = np.array([-0.2, -0.2, 1.2, 0.8]), np.array([900, 720]), 24
    scale = ((canvas - 2 * margin) / (view[2:] - view[:2])).min()
    middle = (view[2:] + view[:2]) / 2
    return canvas / 2 + scale * (value - middle) * (1, -1)


def differs(one: np.ndarray, other: np.ndarray) -> int:
    """How many pixels of the scene differ, without the line at its top that tells what was done."""
    return int((one[60:, :880] != other[60:, :880]).any(axis=2).sum())


def test_a_scene_is_dragged_walked_through_resized_and_closed(start: Callable[..., Hand]) -> None:
    hand = start("scene", "walk.py").sees("Walk · Rosephys")
    begin, end = goal_at(np.array([0.8, 0.3])), goal_at(np.array([0.3, 0.5]))
    hand.move(begin)
    time.sleep(1.5)  # it has been compiled by then
    hand.do("mousedown", 1)
    for share in np.linspace(0.1, 1, 10):
        hand.move(begin + share * (end - begin))
    time.sleep(0.3)
    hand.do("mouseup", 1)
    time.sleep(2.5)  # a solve after a drag lasts 1.2
    command = hand.command()
    np.testing.assert_allclose(setting(command, "goal"), (0.3, 0.5), atol=0.01)
    np.testing.assert_allclose(setting(command, "speed"), (0.3, 0.5), atol=0.05)

    hand.key("Home")
    first = hand.picture()
    assert first.shape == (WINDOW[1], WINDOW[0], 3)
    hand.key("End")
    last = hand.picture()
    assert differs(first, last) > 500, "the ball is elsewhere"
    hand.key("h")
    assert (hand.picture()[60:, :880] == colour("panel")).all(axis=2).mean() > 0.1
    hand.key("h", "Home")
    assert differs(hand.picture(), first) == 0
    hand.key("shift+Right")
    assert differs(hand.picture(), first) > 50

    for wide, high in ((700, 500), (1300, 850)):
        hand.do("windowsize", hand.window, wide, high)
        time.sleep(0.5)
        image = hand.picture()
        assert image.shape == (high, wide, 3)
        assert (image[high - 3, 3] == colour("canvas")).all(), "and fills it"
    hand.ask_to_close()
    assert hand.ended() == 0, hand.told()


def test_the_gallery_opens_a_scene_and_is_there_again(start: Callable[..., Hand]) -> None:
    hand = start("gallery", ".").sees("Rosephys")
    hand.do("type", "--delay", 60, "zeb")
    hand.key("Return")
    hand.sees("Zebra · Rosephys")
    assert hand.command()[4].endswith("zebra.py")
    hand.key("Escape")
    hand.sees("Rosephys")
    hand.key("Escape")  # the filter
    time.sleep(0.3)
    hand.move((170, 230))
    hand.do("click", 1)
    hand.sees("Walk · Rosephys")
    assert hand.command()[4].endswith("walk.py")
    hand.ask_to_close()
    hand.sees("Rosephys").ask_to_close()
    assert hand.ended() == 0, hand.told()
