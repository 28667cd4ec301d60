"""The cache of objects: compiled once, shared, and never trusted blindly."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.native import cache
from rose_ad.native.program import Program
from tests.support.processes import in_threads, python


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ra.fn(lambda x: x)(1.0)  # what a process compiles once is not to be among the files
    path = tmp_path / "cache"
    monkeypatch.setenv("ROSE_AD_CACHE", str(path))
    return path


def compiled() -> Program:
    """A function compiled anew, from the cache if it is there."""
    f = ra.fn(lambda x: ra.sin(x) * 3.0)
    program = f.lower(0.5).program
    assert f(0.5) == np.sin(0.5) * 3.0
    return program


def test_an_object_is_compiled_once(directory: Path) -> None:
    assert not compiled().from_cache
    assert compiled().from_cache
    (file,) = directory.iterdir()
    assert directory.stat().st_mode & 0o077 == 0
    assert file.stat().st_mode & 0o077 == 0


CORRUPTIONS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "one byte changed": lambda data: data[:-100] + bytes([data[-100] ^ 1]) + data[-99:],
    "wrong checksum": lambda data: data[:20] + bytes(32) + data[52:],
    "something else": lambda data: b"\x7fELF" + bytes(1000),
    "another version": lambda data: data.replace(b"rose_ad object", b"rose_ad obJect", 1),
}


@pytest.mark.parametrize("corrupt", CORRUPTIONS.values(), ids=CORRUPTIONS)
def test_a_corrupt_object_is_compiled_again(
    directory: Path, corrupt: Callable[[bytes], bytes]
) -> None:
    compiled()
    (file,) = directory.iterdir()
    whole = file.read_bytes()
    file.write_bytes(corrupt(whole))
    assert not compiled().from_cache
    assert file.read_bytes() == whole  # mended
    assert compiled().from_cache


def test_an_object_of_another_program_is_not_taken(directory: Path) -> None:
    compiled()
    (file,) = directory.iterdir()
    ra.fn(lambda x: ra.cos(x))(1.0)
    (other,) = set(directory.iterdir()) - {file}
    other.replace(file)
    assert not compiled().from_cache


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o702])
def test_a_directory_that_others_may_write_is_refused(directory: Path, mode: int) -> None:
    directory.mkdir()
    directory.chmod(mode)
    compiled()
    assert not compiled().from_cache
    assert not list(directory.iterdir())


def test_a_link_is_refused(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    directory.symlink_to(tmp_path / "real")
    compiled()
    assert not compiled().from_cache


def test_a_directory_that_cannot_be_made_or_written(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ROSE_AD_CACHE", str(tmp_path / "file" / "below"))
    assert cache.directory() is None
    assert not compiled().from_cache

    monkeypatch.setenv("ROSE_AD_CACHE", str(directory))

    def full(*_: Any, **__: Any) -> Any:
        raise OSError("no space left, or a read-only file system")

    with monkeypatch.context() as broken:
        broken.setattr("tempfile.mkstemp", full)
        assert not compiled().from_cache
    with monkeypatch.context() as broken:
        broken.setattr("os.replace", full)
        assert not compiled().from_cache
    assert not list(directory.iterdir())  # nothing half-written is left


def test_the_cache_can_be_off(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROSE_AD_CACHE", "off")
    compiled()
    assert not compiled().from_cache
    assert not directory.exists()


def test_old_objects_go(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_KEEP", 3)
    for k in range(6):
        cache.store(f"{k:064}", b"body")
        os.utime(directory / f"{k:064}", (k, k))
    assert sorted(p.name[-1] for p in directory.iterdir()) == ["3", "4", "5"]


def test_processes_share_the_cache(directory: Path) -> None:
    code = (
        "import rose_ad as ra\n"
        "f = ra.fn(lambda x: ra.sin(x) * 5.0)\n"
        "print(f(0.5), f.lower(0.5).program.from_cache)"
    )
    found: list[str] = []
    in_threads(4, lambda _: found.append(python(code)))  # at once, none finds it or a part of it
    assert {line.split()[0] for line in found} == {str(np.sin(0.5) * 5.0)}
    assert python(code).split()[1] == "True"
    names = [p.name for p in directory.iterdir()]
    assert len(names) == 2  # the function, and what calls it
    assert not any(name.startswith(".") for name in names)


def test_a_file_in_place_of_the_directory(directory: Path) -> None:
    directory.write_text("something of the user's")
    compiled()
    assert not compiled().from_cache and directory.read_text() == "something of the user's"


def test_a_directory_in_place_of_an_object(directory: Path) -> None:
    compiled()
    (file,) = directory.iterdir()
    file.unlink()
    file.mkdir()
    (file / "inside").write_text("")
    assert not compiled().from_cache
    assert not [p for p in directory.iterdir() if p.name.startswith(".")]


def test_a_full_disk(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.fdopen

    class Full:
        """A file that takes half of what is written, then no more."""

        def __init__(self, handle: int, mode: str) -> None:
            self.file = opened(handle, mode)

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: Any) -> None:
            self.file.close()

        def write(self, data: bytes) -> None:
            self.file.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("os.fdopen", Full)
        assert not compiled().from_cache
    assert not list(directory.iterdir())  # not the half either
    assert not compiled().from_cache and compiled().from_cache


def test_a_directory_that_is_removed_while_running(directory: Path) -> None:
    f = ra.fn(lambda x: ra.sin(x) * 7.0)
    assert f(0.5) == np.sin(0.5) * 7.0
    shutil.rmtree(directory)
    assert f(0.5) == np.sin(0.5) * 7.0
    assert not compiled().from_cache and compiled().from_cache  # made anew

    def work(k: int) -> None:
        for n in range(5):
            shutil.rmtree(directory, ignore_errors=True)
            assert ra.fn(lambda x, c=k + 8 * n: x * c)(2.0) == 2.0 * (k + 8 * n)

    in_threads(4, work)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written(directory: Path) -> None:
    directory.mkdir(mode=0o500)
    compiled()
    assert not compiled().from_cache
    directory.chmod(0o700)


def test_a_relative_cache_and_another_working_directory(tmp_path: Path) -> None:
    code = (
        "import os, rose_ad as ra\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "print(ra.fn(lambda x: x + 1.0)(1.0))\n"
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
        "print(ra.fn(lambda x: x + 2.0)(1.0))"
    )
    assert python(code, ROSE_AD_CACHE="below").split() == ["2.0", "3.0"]


def test_a_home_that_is_unknown() -> None:
    code = "import rose_ad as ra; print(ra.fn(lambda x: x + 1.0)(1.0))"
    nowhere = {"ROSE_AD_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "/proc/nowhere"}
    assert python(code, **nowhere).split() == ["2.0"]


def test_no_home_at_all() -> None:
    code = (
        "import pathlib\n"
        "def home(): raise RuntimeError('no home directory')\n"
        "pathlib.Path.home = home\n"
        "import rose_ad as ra\n"
        "print(ra.fn(lambda x: x + 1.0)(1.0), ra.machine().why_no_cache, sep='|')"
    )
    assert python(code, ROSE_AD_CACHE="", XDG_CACHE_HOME="").strip() == "2.0|no home directory"
