"""Scenes in other programs: as environments of Gymnasium, layers of torch, functions of JAX.

Each file is one program's, imported by who wants it, for its package may not be installed.
"""

from __future__ import annotations


def missing(package: str, extra: str) -> ImportError:
    """What to say where a package that a module here is for is not installed."""
    return ImportError(
        f'this needs {package}, which is not installed: pip install "rosephys[{extra}]"', name=extra
    )
