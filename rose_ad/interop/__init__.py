"""Compiled functions in other programs: `ra.interop.torch`, `.jax`, `.scipy` and `.c`, imported when used."""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = ("c", "jax", "scipy", "torch")


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"rose_ad.interop has no {name!r}, but {', '.join(_MODULES)}")
    return importlib.import_module(f".{name}", __name__)


def __dir__() -> list[str]:
    return list(_MODULES)


def missing(package: str) -> ImportError:
    """What to say where a package that a module here is for is not installed."""
    return ImportError(
        f"ra.interop.{package} needs {package}, which is not installed: "
        f"pip install rosephys[{package}]",
        name=package,
    )
