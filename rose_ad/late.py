"""What is loaded when it is first asked for: linear algebra, and what it is among numpy's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .tracing.values import INSTALLED


def attribute(name: str) -> Any:
    """A public name of `rose_ad` that is not loaded with it; AttributeError where there is none."""
    if name == "linalg":
        import rose_ad.linalg

        return rose_ad.linalg
    raise AttributeError(f"module 'rose_ad' has no attribute {name!r}")


def _numpy_function(func: Any) -> Callable[..., Any] | None:
    from .linalg.as_numpy import FUNCTIONS

    return FUNCTIONS.get(func)


INSTALLED["late_function"] = _numpy_function
