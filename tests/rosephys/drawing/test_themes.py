"""The light and the dark theme: chosen by hand, by command and by scene; legible, and for all eyes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys.command.cli import main
from rosephys.drawing.colourmap import COLOUR_MAPS, LIGHT_MAPS, colour_table
from rosephys.drawing.palette import DARK, LIGHT, THEMES, colour, theme, themed, use_theme
from rosephys.sdl import pygame
from rosephys.window.viewer import Window, view
from tests.support.window import ThrowProblem, key, session, turn

GROUNDS = ("panel", "canvas", "window")
WRITTEN = ("text", "dim", "faint", "accent", "curve", "good", "bad", "first", "second", "third")


@pytest.fixture(autouse=True)
def _dark_again() -> Iterator[None]:
    yield
    use_theme("dark")


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.quit()
    pygame.display.init()
    pygame.display.set_mode((900, 600), pygame.RESIZABLE)
    yield Window(session(iterations=15))
    pygame.display.quit()


def rgb(name: str, of: str) -> np.ndarray:
    return np.array(pygame.Color(THEMES[of].get(name, name)))[:3]


def light_of(colours: Any) -> Any:
    """Relative luminance, as WCAG 2 defines it, of colours (..., 3) in 0 .. 255."""
    part = np.asarray(colours) / 255.0
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one: Any, other: Any) -> float:
    """The contrast ratio of WCAG 2, 1 to 21."""
    low, high = sorted((light_of(one), light_of(other)))
    return float((high + 0.05) / (low + 0.05))


# ---- Choosing ----


def test_t_goes_from_dark_to_light_and_back(window: Window) -> None:
    turn(window, frames=30)
    dark = turn(window, key(pygame.K_HOME))
    light = turn(window, key(pygame.K_t))
    assert theme() == "light"
    assert (dark[300, 890] == rgb("panel", "dark")).all()
    assert (light[300, 890] == rgb("panel", "light")).all()
    assert (light[5, 5] == rgb("canvas", "light")).all()
    for image, name in ((dark, "dark"), (light, "light")):
        for shade in ("text", "dim", "good"):
            assert (image == rgb(shade, name)).all(axis=2).sum() > 10, (name, shade)
    np.testing.assert_array_equal(turn(window, key(pygame.K_t)), dark)


def test_view_opens_in_the_theme_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    frames = iter([[], [key(pygame.K_ESCAPE)]])
    monkeypatch.setattr(pygame.event, "get", lambda: next(frames))
    problem: Any = ThrowProblem()
    view(problem, iterations=1, rate=0.2, optimizer="gd", size=(400, 300), theme="light")
    assert theme() == "light"


SCENE = """
import rose_ad as ra
from rosephys import Picture, Scene, control

class Still(Scene):
    \"\"\"Nothing moves.\"\"\"
    theme = "light"
    steps = 2
    push: float = control(1.0, "not used")

    def initial(self):
        return self.push

    def step(self, state, t):
        return state

    def loss(self, final):
        return final * final

    def picture(self, state):
        return Picture((), (0, 0, 1, 1))
"""


@pytest.mark.parametrize(("asked", "shown"), [((), "light"), (("--theme", "dark"), "dark")])
def test_a_scene_says_which_it_likes_and_a_command_says_otherwise(
    tmp_path: Path, asked: tuple[str, ...], shown: str
) -> None:
    (tmp_path / "still.py").write_text(SCENE)
    out = tmp_path / "still.png"
    command = ["record", str(tmp_path / "still.py"), "--iterations", "0", "--out", str(out), *asked]
    assert main(command) == 0 and theme() == "dark"
    image = pygame.surfarray.array3d(pygame.image.load(out))
    assert (image[5, 5] == rgb("canvas", shown)).all()


def test_themed_is_left_however_it_ends() -> None:
    with pytest.raises(ZeroDivisionError), themed("light"):
        assert colour("panel") == tuple(rgb("panel", "light"))
        raise ZeroDivisionError
    assert theme() == "dark" and colour("panel") == tuple(rgb("panel", "dark"))


def test_what_lies_on_felt_is_the_same_in_both(window: Window) -> None:
    from rosephys.drawing.paint import backdrop, lamp, paint_shapes
    from rosephys.scene.picture import Circles, Cross, Picture

    shapes = (Cross((0.3, 0.5), "accent"), Circles(np.array([[0.6, 0.5]]), 0.1, ("good",)))
    picture, found = Picture(shapes, (0, 0, 1, 1), "felt"), []
    for name in THEMES:
        surface = pygame.Surface((300, 300), 0, 32)
        with themed(name):
            at = backdrop(surface, picture, surface.get_rect(), 1.0)
            with lamp(picture):
                paint_shapes(surface, picture, at)
        found.append(pygame.surfarray.array3d(surface))
    np.testing.assert_array_equal(found[0][60:240, 60:240], found[1][60:240, 60:240])
    assert (found[0][0, 0] != found[1][0, 0]).any(), "the room about the table is not"


# ---- For all eyes ----


def test_both_themes_have_the_same_names() -> None:
    assert list(THEMES) == ["dark", "light"] and DARK.keys() == LIGHT.keys()


@pytest.mark.parametrize("name", THEMES)
def test_text_stands_out_from_its_ground(name: str) -> None:
    pairs = [(shade, ground) for shade in WRITTEN for ground in GROUNDS]
    pairs += [("text", "line"), ("ink", "ivory")]
    if name == "dark":  # on a table, in either theme
        pairs += [("text", "felt"), ("ivory", "felt")]
    weak = {p: round(contrast(*(rgb(n, name) for n in p)), 2) for p in pairs}
    assert {p: c for p, c in weak.items() if c < 4.5} == {}


# full colour blindness of each kind, in linear RGB: Machado, Oliveira, Fernandes, "A physiologically-based
# model for simulation of color vision deficiency", IEEE TVCG 15, 2009
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen(colours: np.ndarray, kind: str) -> np.ndarray:
    """What colours (n, 3) in 0 .. 255 look like to such eyes, in linear RGB, 0 .. 1."""
    return np.clip((colours / 255.0) ** 2.2 @ np.transpose(BLINDNESS[kind]), 0, 1)


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("name", THEMES)
def test_maps_can_be_read_by_all_eyes(name: str, kind: str) -> None:
    assert COLOUR_MAPS.keys() == LIGHT_MAPS.keys()
    up = 1 if name == "dark" else -1  # away from the canvas
    for colours in COLOUR_MAPS:
        with themed(name):
            table = seen(colour_table(colours).astype(float), kind)
        light = np.cbrt(table @ [0.2126, 0.7152, 0.0722])  # as the eye ranks it
        halves = [light] if colours != "waves" else [light[128:], light[127::-1]]
        for half in halves:
            smooth = np.convolve(half, np.ones(9) / 9, "valid")
            assert (up * np.diff(smooth) > 0).all(), (colours, "one step is as light as the next")
            assert up * (half[-1] - half[0]) > 0.3, colours
    with themed(name):
        waves = seen(colour_table("waves").astype(float), kind)
    for k in (16, 48, 80):
        apart = np.abs(np.cbrt(waves[k]) - np.cbrt(waves[-1 - k])).max()
        assert apart > 0.15, "the same distance up and down has two colours"


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("name", THEMES)
def test_the_controls_can_be_told_apart(name: str, kind: str) -> None:
    shades = np.array([rgb(shade, name) for shade in ("first", "second", "third")], float)
    look = np.cbrt(seen(shades, kind))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(look[one] - look[other]).max() > 0.08
