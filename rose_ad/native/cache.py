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
    setting = os.environ.get("ROSE_AD_CACHE", "")
    if setting == "off":
        return None
    if setting:
        path = Path(setting)
    elif sys.platform == "win32":
        path = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "rose_ad" / "cache"
    else:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rose_ad"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path if _is_private(path) else None
    except (OSError, RuntimeError):
        return None


def _is_private(path: Path) -> bool:
    """Ours, and not writable by others: what lies here is run as machine code."""
    if not hasattr(os, "getuid"):
        return True
    info = path.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        return False
    return not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


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


def _trim(path: Path) -> None:
    files = [p for p in path.iterdir() if not p.name.startswith(".")]
    if len(files) > _KEEP:
        files.sort(key=lambda p: p.stat().st_mtime)
        for p in files[: len(files) - _KEEP]:
            p.unlink()
