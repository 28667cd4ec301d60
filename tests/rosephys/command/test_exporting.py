"""The command `export`: what it writes, and what it says of what cannot be exported."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from rosephys.command import exporting
from rosephys.command.cli import main
from rosephys.scene import catalogue

SCENE = '''import rose_ad as ra
from rosephys import Circles, Picture, Scene, control


@ra.struct
class State:
    place: ra.Vec


class Thrown(Scene):
    """It flies.

    And falls.
    """

    steps: int = 20
    speed: float = control(1.0, "at the start")

    def initial(self):
        return State(ra.array([0.0, 0.0]))

    def step(self, state, t):
        return State(state.place + self.dt * ra.array([self.speed, 1.0]))

    def loss(self, final):
        return (final.place[0] - 1.0) ** 2

    def picture(self, state):
        return Picture((Circles(ra.stack([state.place]), {radius}, ("red",)),), (-1, -1, 2, 2))
'''


def written(folder: Path, radius: str = "0.1", before: str = "") -> Path:
    path = folder / "thrown.py"
    path.write_text(before + SCENE.replace("{radius}", radius))
    return path


def test_a_scene_becomes_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out" / "deep"
    assert main(["export", str(written(tmp_path)), "--web", str(out), "--set", "steps=5"]) == 0
    assert capsys.readouterr().out == f"{out / 'thrown.html'}\n"
    assert [p.name for p in out.iterdir()] == ["thrown.html"]
    assert "It flies." in (out / "thrown.html").read_text()


def test_a_scene_is_embedded(tmp_path: Path) -> None:
    assert main(["export", str(written(tmp_path)), "--web", str(tmp_path / "o"), "--embed"]) == 0
    names = {p.name for p in (tmp_path / "o").iterdir()}
    assert names == {"thrown.html", "thrown.wasm", "rosephys-scene.js"}


def test_a_python_callback_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = "import rose_ad as ra\nslow = ra.opaque(lambda x: 2 * x, ra.Real)\n"
    file = written(tmp_path, "slow(0.1 * self.speed)", before)
    assert main(["export", str(file), "--web", str(tmp_path / "o")]) == 1
    told = capsys.readouterr().err
    assert "calls the Python function" in told and f"{file}:" in told
    assert not list((tmp_path / "o").iterdir())


@pytest.mark.parametrize("given", [[], ["billiards", "--all"]])
def test_a_scene_or_all_are_asked_for(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *given, "--web", str(tmp_path)]) != 0
    assert "a scene, or --all" in capsys.readouterr().err


def test_all_scenes_become_a_site_though_one_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path)
    (tmp_path / "wrong.py").write_text("class Wrong(Scene):\n    pass\n")
    own: Callable[..., list[catalogue.Group]] = catalogue.groups
    monkeypatch.setattr(catalogue, "groups", lambda: own(tmp_path))
    out = tmp_path / "site"
    assert main(["export", "--all", "--web", str(out)]) == 1
    assert "wrong" in capsys.readouterr().err
    names = {p.name for p in out.iterdir()}
    assert names == {"index.html", "rosephys-scene.js", "thrown.html", "thrown.wasm"}
    assert 'data-src="thrown.wasm"' in (out / "index.html").read_text()


def test_a_folder_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.html").write_text("here")
    found: list[bytes] = []
    opened = threading.Event()

    def open_page(address: str) -> None:
        with urllib.request.urlopen(address) as page:
            found.append(page.read())
        opened.set()

    monkeypatch.setattr(exporting.webbrowser, "open", open_page)
    threading.Thread(target=exporting.serve, args=(tmp_path, "a.html"), daemon=True).start()
    assert opened.wait(20) and found == [b"here"]
