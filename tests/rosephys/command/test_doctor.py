"""`doctor` says what is here, and whether what is made on this machine is right."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from rosephys.command import doctor
from rosephys.command.cli import main


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_everything_works_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    found = told(capsys)
    assert [t["check"] for t in found["tests"]] == list(doctor.TESTS) and found["failed"] == 0
    assert {"system", "processor", "vectors", "cache"} <= set(found["this machine"])
    assert found["installed"]["numpy"] == metadata.version("numpy")


def test_what_is_wrong_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compiler that gives other numbers than the program means, and a test that cannot be made at all."""
    right = doctor.ra.interpret
    monkeypatch.setattr(doctor.ra, "interpret", lambda *a: [r * (1 + 1e-9) for r in right(*a)])
    monkeypatch.setitem(doctor.TESTS, "pictures", lambda: 1 / 0)
    monkeypatch.setattr(doctor, "_scene", lambda: "")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out
    assert "differs by" in lines and "from the interpreter" in lines and "2 of" in lines
    assert "division by zero" in lines


def test_what_cannot_be_is_no_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    open_to_all = tmp_path / "cache"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    for cache, why in (("off", "ROSE_AD_CACHE is off"), (str(open_to_all), "written to by others")):
        monkeypatch.setenv("ROSE_AD_CACHE", cache)
        assert main(["doctor", "--json"]) == 0
        found = told(capsys)
        verdicts = {t["check"]: t["verdict"] for t in found["tests"]}
        assert verdicts["cache"] == "note" and why in found["this machine"]["cache"]
        assert verdicts["compiled code"] == "ok"


def test_how_an_extra_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["numpy>=1.24", "cma>=3.3; extra == 'cma'", "pytest>=8; extra == 'test'"]
    monkeypatch.setattr(metadata, "requires", lambda _: needed)

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert doctor._extras() == [("cma: cma", 'not installed: pip install "rosephys[cma]"')]
