"""`new`: the scene it writes runs with every command, and no file is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rosephys.command.cli import main


@pytest.fixture
def scene(tmp_path: Path) -> str:
    path = tmp_path / "my_first-scene.py"
    assert main(["new", str(path)]) == 0
    return str(path)


def test_the_scene_it_writes_has_its_name_and_about_forty_lines(scene: str) -> None:
    text = Path(scene).read_text()
    assert "class MyFirstScene(Scene)" in text and "scene my_first-scene.py" in text
    assert "Starter" not in text and "FILE" not in text
    assert 35 <= len([line for line in text.splitlines() if line.strip()]) <= 45


def test_nothing_is_wrong_with_it(scene: str, capsys: Any) -> None:
    assert main(["check", scene, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["failed"] == 0
    assert {f["verdict"] for f in found["checks"]} == {"ok"}, found


def test_it_runs_with_every_command(scene: str, tmp_path: Path, capsys: Any) -> None:
    assert main(["gradient", scene, "--check"]) == 0
    capsys.readouterr()
    assert main(["optimize", scene, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["loss"] < 1e-6
    assert main(["record", scene, "--out", str(tmp_path / "end.png")]) == 0
    assert main(["scene", scene, "--headless", "--out", str(tmp_path / "shot.gif")]) == 0
    assert (tmp_path / "end.png").stat().st_size > 2000
    assert (tmp_path / "shot.gif").stat().st_size > 2000


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("there.py", "already"),
        ("scene.txt", "a Python file"),
        ("3d.py", "begin with a letter"),
        ("no/such/folder.py", "no folder"),
    ],
)
def test_what_cannot_be_written_is_told(tmp_path: Path, capsys: Any, name: str, says: str) -> None:
    kept = tmp_path / "there.py"
    kept.write_text("precious = True\n")
    assert main(["new", str(tmp_path / name)]) == 2
    assert says in capsys.readouterr().err
    assert kept.read_text() == "precious = True\n"
    assert [p.name for p in tmp_path.iterdir()] == ["there.py"]


def test_it_needs_no_display_and_no_pygame(tmp_path: Path) -> None:
    code = "import sys; from rosephys.command.cli import main; main(['new', 'a.py'])"
    code += "; assert 'pygame' not in sys.modules"
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert (tmp_path / "a.py").is_file()
