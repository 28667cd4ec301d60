"""Other programs' packages are imported when they are used, and named where they are missing."""

from __future__ import annotations

import importlib
import sys

import pytest

import rose_ad as ra


def test_only_what_is_used_is_imported() -> None:
    assert set(dir(ra.interop)) == {"c", "jax", "scipy", "torch"}
    with pytest.raises(AttributeError, match="no 'tensorflow'"):
        _ = ra.interop.tensorflow


@pytest.mark.parametrize("package", ["torch", "jax"])
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"rose_ad.interop.{package}", raising=False)
    with pytest.raises(ImportError, match=rf"pip install rosephys\[{package}\]"):
        importlib.import_module(f"rose_ad.interop.{package}")
