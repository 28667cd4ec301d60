"""What is loaded when it is first asked for: linear algebra, random numbers, the library, the exporters, and
their place among numpy's functions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .tracing.values import INSTALLED


def attribute(name: str) -> Any:
    """A public name of `rose_ad` that is not loaded with it; AttributeError where there is none."""
    if name == "linalg":
        import rose_ad.linalg

        return rose_ad.linalg
    if name in ("export_c", "export_wasm", "javascript_runtime", "WasmModule", "wasm_module"):
        import rose_ad.export

        return getattr(rose_ad.export, name)
    if name == "machine":
        from rose_ad.native.machine import machine

        return machine
    import rose_ad.library

    if name in rose_ad.library.__all__:
        return getattr(rose_ad.library, name)
    raise AttributeError(f"module 'rose_ad' has no attribute {name!r}", name=name)


def _numpy_function(func: Any) -> Callable[..., Any] | None:
    from .library.as_numpy import FUNCTIONS as of_library
    from .linalg.as_numpy import FUNCTIONS as of_linalg

    return of_linalg.get(func) or of_library.get(func)


def _named(name: str) -> str:
    """What is to be written instead of np.name, np.fft.name or np.linalg.name."""
    package = sys.modules[__package__]
    *group, last = name.split(".")[1:]
    for of in (*group, ""):
        place = getattr(package, of, None) if of else package
        if last in dir(place):
            return ".".join(("ra", *filter(None, (of,)), last))
    return "other functions, for rose_ad has none of that name"


INSTALLED["late_function"] = _numpy_function
INSTALLED["named"] = _named
