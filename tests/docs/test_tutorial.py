"""The tutorial, followed literally: each file written, each command typed, in a folder that was empty."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.docs.test_examples import example

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INSTALL = (
    "python -m pip install -e .",
    "mkdir -p ../my_scenes && cd ../my_scenes",
)  # done here, otherwise
FILES = re.compile(r"`(\w+\.py)`\.[^`]*\Z")  # the last that is named before a block


def typed(line: str, here: Path) -> subprocess.CompletedProcess[str]:
    """A line of a shell, in a process of its own and without a display."""
    python, *rest = shlex.split(line)
    assert python == "python"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SDL_VIDEODRIVER": "dummy"}
    return subprocess.run(
        [sys.executable, *rest],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_followed_literally(tmp_path: Path) -> None:
    losses: list[str] = []
    commands: list[str] = []
    for block in BLOCK.finditer(PAGE):
        kind, text = block.groups()
        if kind == "sh":
            for line in text.splitlines():
                commands.append(line)
                if line not in INSTALL:
                    done = typed(line, tmp_path)
                    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                    losses += re.findall(r"^loss \S+ to ([^\s,]+)", done.stdout, re.MULTILINE)
        elif kind == "python":
            named = FILES.search(PAGE[: block.start()])
            name = "probe.py" if "class Probe" in text else "program.py"
            assert name == "program.py" or (named and named[1] == name)
            (tmp_path / name).write_text(text, encoding="utf-8")
            if name == "program.py":
                done = typed("python program.py", tmp_path)
                assert done.returncode == 0, done.stderr
    assert commands[:2] == list(INSTALL), "it is installed before the empty folder is entered"
    assert max(float(loss) for loss in losses) < 1e-3, "every solve of the page arrives"
    table = np.loadtxt(tmp_path / "probe.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(table[-1, 1:], (-1.2, 0.5), atol=1e-2)
    for made in ("my_scene.gif", "probe.gif", "probe.png"):
        assert (tmp_path / made).stat().st_size > 300, made
    for path in (tmp_path / "found").iterdir():
        named = path.suffix == ".gif" or f"`{path.name}`" in PAGE
        assert path.stat().st_size > 200 and named, path


def test_the_slip_on_the_page_is_told_as_it_says(tmp_path: Path) -> None:
    (text,) = (b[2] for b in BLOCK.finditer(PAGE) if "class Probe" in b[2])
    (told,) = (b[2].strip() for b in BLOCK.finditer(PAGE) if b[1] == "text")
    (step,) = re.findall(r"^        return State\(\*verlet.*$", text, re.MULTILINE)
    (tmp_path / "probe.py").write_text(text.replace(step, "        return state.position"))
    done = typed("python -m rosephys check ./probe.py", tmp_path)
    assert done.stderr.strip().replace(f"{tmp_path}/", "") == f"error: {told}"


def test_the_pictures_have_every_shape_and_every_colour() -> None:
    from rosephys.scene.colours import DARK
    from rosephys.scene.drawable import SHAPES, wrong_picture

    module = example("shapes")
    shapes, colours = module.shapes(), module.colours()
    assert wrong_picture(shapes) == wrong_picture(colours) == ""
    assert {type(shape) for shape in shapes.shapes} == set(SHAPES)
    assert {shape.text for shape in colours.shapes if hasattr(shape, "text")} == set(DARK)
    assert module.drawn(shapes).std() > 20
