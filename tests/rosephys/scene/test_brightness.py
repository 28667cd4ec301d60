"""Pictures as fields: which way up, how bright, how large; and what is said of files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rosephys.errors import SceneError
from rosephys.scene.brightness import brightness
from rosephys.scene.finding import find_scene
from rosephys.sdl import pygame


def saved(path: Path, surface: pygame.Surface) -> str:
    pygame.image.save(surface, str(path))
    return str(path)


def test_a_picture_is_upright_and_resized(tmp_path: Path) -> None:
    surface = pygame.Surface((300, 200))
    surface.fill("white", (150, 0, 150, 100))  # to the right, above
    found = brightness(saved(tmp_path / "corner.png", surface), (12, 8))
    assert found.shape == (12, 8)
    assert (found[7:, 5:] > 0.99).all() and (found[:5] == 0).all() and (found[:, :3] == 0).all()


def test_colours_have_their_luminance_and_what_is_clear_is_dark(tmp_path: Path) -> None:
    surface = pygame.Surface((40, 10), pygame.SRCALPHA)
    for k, shade in enumerate(("red", "lime", "blue")):
        surface.fill(shade, (10 * k, 0, 10, 10))
    found = brightness(saved(tmp_path / "stripes.png", surface), (4, 1))
    np.testing.assert_allclose(found[:, 0], (0.2126, 0.7152, 0.0722, 0.0), atol=0.02)


def test_a_scene_takes_one_as_its_target(tmp_path: Path) -> None:
    surface = pygame.Surface((30, 30))
    pygame.draw.circle(surface, "white", (15, 15), 9)
    path = saved(tmp_path / "disc.png", surface)
    for name in ("smoke", "wave", "heat", "patterns"):
        target = find_scene(name, {"cells": "15", "target": path}).live["target"]
        assert target.shape == (15, 15) and target[7, 7] > 0.99 and target[0, 0] == 0


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    for path, told in ((text, "no picture that can be read"), (tmp_path / "a.png", "there is no")):
        with pytest.raises(SceneError, match=told):
            find_scene("smoke", {"target": str(path)})
    with pytest.raises(SceneError, match="is for a grid"):
        find_scene("boat", {"goal": "a.png"})


DRAW = np.random.default_rng(8)


def test_a_field_may_come_from_a_file(tmp_path: Path) -> None:
    target = DRAW.random((12, 12))
    np.save(tmp_path / "target.npy", target)
    scene = find_scene("wave", {"cells": "12", "target": str(tmp_path / "target.npy")})
    np.testing.assert_array_equal(scene.target, target)  # type: ignore[attr-defined]
    with pytest.raises(SceneError, match="cannot be read"):
        find_scene("wave", {"target": str(tmp_path / "none.npy")})
