"""The object cache: machine code on disk, by the hash of the program and of what else it depends on.

A file is written whole under another name, then moved into place, in a directory only its owner may use. It
carries a checksum; one that does not fit is compiled again in silence. Nothing here can fail a program: a
directory that cannot be used is not used. ROSE_AD_CACHE names another directory, or is "off".
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

_MAGIC = b"rose_ad object 1\n"
_KEEP = 512  # objects; the oldest go first


def directory() -> Path | None:
    """The cache's directory, made private; None where there is none to be used."""
    return look()[0]


def look() -> tuple[Path | None, str]:
    """The cache's directory, made private, or why there is none to be used."""
    if os.environ.get("ROSE_AD_CACHE") == "off":
        return None, "ROSE_AD_CACHE is off"
    try:
        path = _place()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        unsafe = _unsafe(path)
    except (OSError, RuntimeError) as error:  # a home that cannot be found is a RuntimeError
        return None, str(error)
    return (None, f"{path} {unsafe}") if unsafe else (path, "")


def _place() -> Path:
    setting = os.environ.get("ROSE_AD_CACHE")
    if setting:
        return Path(setting)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "rose_ad" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rose_ad"


def _unsafe(path: Path) -> str:
    """Why others may write to a directory, from which machine code is run; "" where they may not."""
    if not hasattr(os, "getuid"):
        return ""
    info = path.lstat()
    if not stat.S_ISDIR(info.st_mode):
        return "is a link or a file, not a directory"
    if info.st_uid != os.getuid():
        return "belongs to somebody else"
    return "may be written to by others" if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH) else ""


def key(*parts: str) -> str:
    """A name for what these texts determine."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def load(name: str) -> bytes | None:
    """The object of that name, if there is one and it is whole."""
    path = directory()
    if path is None:
        return None
    try:
        data = (path / name).read_bytes()
    except OSError:
        return None
    n = len(_MAGIC)
    head, digest, body = data[:n], data[n : n + 32], data[n + 32 :]
    if head != _MAGIC or digest != _checksum(name, body):
        return None
    return body


def store(name: str, body: bytes) -> None:
    """Keep an object; does nothing where that cannot be done."""
    path = directory()
    if path is None:
        return
    with contextlib.suppress(OSError):
        handle, temporary = tempfile.mkstemp(dir=path, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as f:
                f.write(_MAGIC + _checksum(name, body) + body)
            os.replace(temporary, path / name)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        _trim(path)


def _checksum(name: str, body: bytes) -> bytes:
    return hashlib.sha256(name.encode() + body).digest()


def objects(path: Path) -> list[Path]:
    """The objects in the cache's directory."""
    return [p for p in path.iterdir() if not p.name.startswith(".")]


def _trim(path: Path) -> None:
    files = objects(path)
    if len(files) > _KEEP:
        files.sort(key=lambda p: p.stat().st_mtime)
        for p in files[: len(files) - _KEEP]:
            p.unlink()
