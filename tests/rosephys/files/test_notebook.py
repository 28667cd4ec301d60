"""A motion in a notebook: HTML that needs nothing but itself."""

from __future__ import annotations

import base64
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rosephys import Animation, Problem, SceneError, descend, find_scene, show
from rosephys.files.film import Film, record
from tests.support.commands import HERE, SCENE
from tests.support.gif import decode
from tests.support.scenes import Juggler


@pytest.fixture(scope="module")
def problem(tmp_path_factory: Any) -> Problem:
    path: Path = tmp_path_factory.mktemp("scene") / "walk.py"
    path.write_text(SCENE, encoding="utf-8")
    return Problem(find_scene(str(path)))


class Images(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_html_holds_the_film_that_record_writes(problem: Problem, tmp_path: Path) -> None:
    animation = show(problem, size=(240, 160), fps=10)
    ((tag, attributes),) = Images(animation._repr_html_()).found
    assert tag == "img" and (attributes["width"], attributes["height"]) == ("240", "160")
    head, data = (attributes["src"] or "").split(",")
    assert head == "data:image/gif;base64"
    record(Film(problem, problem.values, (240, 160), 10), tmp_path / "walk.gif")
    assert base64.b64decode(data, validate=True) == (tmp_path / "walk.gif").read_bytes()
    animation.save(tmp_path / "same.gif")
    images, loops = decode(tmp_path / "same.gif")
    assert loops and images[0].screen.shape == (160, 240, 3) and len(images) > 5
    assert repr(animation) == "Animation(name='walk', size=(240, 160))"


def test_a_scene_its_problem_and_what_was_found_can_be_shown(problem: Problem) -> None:
    small: dict[str, Any] = {"size": (120, 80), "fps": 5}
    plain = show(problem, **small)
    assert show(problem.scene, **small) == plain
    *_, last = descend(problem, iterations=5, rate=0.2)
    found = show(problem, last.values, **small)
    assert found.gif != plain.gif
    assert show(problem, {"speed": last.values["speed"]}, **small) == found
    np.testing.assert_array_equal(problem.values["speed"], (0.1, 0.1))
    assert show("drop", **small).name == "drop"


def test_a_name_is_no_html() -> None:
    html = Animation('<b>"', (2, 2), b"")._repr_html_()
    assert len(Images(html).found) == 1 and Images(html).found[0][1]["alt"] == '<b>"'


def test_what_cannot_be_shown(problem: Problem) -> None:
    with pytest.raises(SceneError, match="juggler has no picture"):
        show(Juggler())
    with pytest.raises(SceneError, match="no live field 'sped'"):
        show(problem, {"sped": (1.0, 2.0)})
    with pytest.raises(SceneError, match="between 1 and 100"):
        show(problem, fps=0)
    with pytest.raises(SceneError, match="did you mean billiards"):
        show("biliards")


def test_it_needs_neither_ipython_nor_pygame_before_something_is_shown() -> None:
    code = "import sys, rosephys; sys.exit(bool({'IPython', 'pygame'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=HERE, check=False).returncode == 0
