"""The Array API standard's own suite, run over rose_ad: `python -m tests.support.array_api SUITE [pytest's
options]`.

SUITE is a checkout of data-apis/array-api-tests, with data-apis/array-api in its folder `array-api`, and what
its requirements.txt names is installed. Every function and operator is traced for the arguments of a test and
interpreted; with ROSE_AD_COMPILED=1 it is compiled, which takes some fifty times as long. What is not there,
and why, is a table in docs/coming_from.md.

This module is also what the suite is given: an array, and a namespace.
"""

from __future__ import annotations

import builtins
import functools
import operator
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import rose_ad as ra
from rose_ad.ir.interp import interpret
from rose_ad.ir.types import scalar_of

COMPILED = bool(os.environ.get("ROSE_AD_COMPILED"))


def unwrapped(x: Any) -> Any:
    return x.value if isinstance(x, Array) else x


class Array:
    """An array as the suite has it: one of numpy, on which operators are rose_ad's."""

    __array_priority__ = 100

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)

    dtype = property(lambda self: self.value.dtype)
    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    device = property(lambda self: "cpu")
    T = property(lambda self: run(lambda x: x.T, self))
    mT = property(lambda self: run(ra.matrix_transpose, self))

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        return sys.modules[__name__]

    def to_device(self, device: Any, /, *, stream: Any = None) -> Array:
        return self

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, Array) and key.dtype == bool:
            return Array(self.value[key.value])  # a shape that values decide: not for a trace
        plain = mapped(unwrapped, key)
        return run(lambda x: x[plain], self)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.value[key.value if isinstance(key, Array) else key] = (
            value.value if isinstance(value, Array) else value
        )

    def __bool__(self) -> builtins.bool:
        return builtins.bool(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __complex__(self) -> complex:
        return complex(self.value)

    def __index__(self) -> int:
        return operator.index(self.value[()])

    def __len__(self) -> int:
        return len(self.value)

    def __repr__(self) -> str:
        return f"Array({self.value!r})"

    __hash__ = None  # type: ignore[assignment]


def mapped(f: Callable[[Any], Any], x: Any) -> Any:
    """f over what tuples, lists and dicts hold."""
    if isinstance(x, dict):
        return {k: mapped(f, v) for k, v in x.items()}
    if isinstance(x, tuple | list):
        parts = [mapped(f, v) for v in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return f(x)


def run(f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """f of these arrays, traced; Python numbers, shapes and the like are part of the program."""
    arrays: list[Any] = []
    mapped(lambda x: arrays.append(x.value) if isinstance(x, Array) else None, (args, options))

    def traced(*values: Any) -> Any:
        given = iter(values)
        a, o = mapped(lambda x: next(given) if isinstance(x, Array) else x, (args, options))
        return f(*a, **o)

    fn = ra.fn(traced)
    if COMPILED:
        return mapped(wrapped, fn(*arrays))
    ir = fn.trace(*arrays)
    (special,) = fn._specialised.values()
    dtypes = [scalar_of(r.type).dtype for r in ir.results]
    found = [np.asarray(x, d) for x, d in zip(interpret(ir, arrays), dtypes, strict=True)]
    return mapped(wrapped, ra.unflatten(special.result, found))


def wrapped(x: Any) -> Any:
    numbers = np.ndarray | np.generic | int | float
    return Array(np.asarray(x)) if isinstance(x, numbers) else x


def _unary(name: str) -> Callable[..., Any]:
    f = getattr(operator, name)
    return lambda self: run(f, self)


def _binary(name: str) -> Callable[..., Any]:
    f = getattr(operator, name)

    def method(self: Array, other: Any) -> Any:
        if not isinstance(other, Array | int | float):
            return NotImplemented
        return run(f, self, other)

    return method


def _reflected(name: str) -> Callable[..., Any]:
    f = getattr(operator, name)
    return lambda self, other: run(f, other, self)


def _in_place(name: str) -> Callable[..., Any]:
    f = getattr(operator, name)

    def method(self: Array, other: Any) -> Array:
        self.value[...] = run(f, self, other).value
        return self

    return method


for _name in "neg pos abs invert".split():
    setattr(Array, f"__{_name}__", _unary(f"__{_name}__"))
for _name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    setattr(Array, f"__{_name}__", _binary(f"__{_name}__"))
    setattr(Array, f"__r{_name}__", _reflected(f"__{_name}__"))
    setattr(Array, f"__i{_name}__", _in_place(f"__{_name}__"))
for _name in "eq ne lt le gt ge".split():
    setattr(Array, f"__{_name}__", _binary(f"__{_name}__"))


def _public(f: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(f)
    def g(*args: Any, **options: Any) -> Any:
        return run(f, *args, **options)

    return g


def _of_literals(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes arrays, or tells of types: nothing is traced."""

    @functools.wraps(f)
    def g(*args: Any, **options: Any) -> Any:
        args, options = mapped(unwrapped, (args, options))
        return mapped(lambda x: Array(x) if isinstance(x, np.ndarray) else x, f(*args, **options))

    return g


_LITERALS = "asarray empty zeros ones full eye arange linspace finfo iinfo result_type can_cast isdtype".split()
__version__ = ra.__version__
__array_api_version__ = "2024.12"
bool = np.dtype("bool")
int64, float32, float64 = (np.dtype(t) for t in ("int64", "float32", "float64"))


@functools.cache  # and not among the globals, where `any` would no longer be Python's
def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in ra.__all__:
        raise AttributeError(name)
    found = getattr(ra, name)
    if name in _LITERALS:
        return _of_literals(found)
    return _public(found) if callable(found) and not isinstance(found, type) else found


class _Linalg:
    """The extension: functions of `ra.linalg`."""

    def __getattr__(self, name: str) -> Any:
        if name not in ra.linalg.__all__:
            raise AttributeError(name)
        return _public(getattr(ra.linalg, name))


linalg = _Linalg()

# what a test needs that there is not, by what is in its name; of the table in docs/coming_from.md
NOT_APPLICABLE = {
    "imag(": "complex numbers",
    "conj": "complex numbers",
    "[imag]": "complex numbers",
    "[real]": "complex numbers",
    "-imag]": "complex numbers",
    "-real]": "complex numbers",
    "complex": "complex numbers",
    "has_names[fft": "complex numbers",
    "dlpack": "other libraries' memory",
    "unique_": "shapes that values decide",
    "nonzero]": "shapes that values decide",
    "setitem": "arrays that are changed in place",
    "masking": "shapes that values decide",
    "namespace_info": "devices",
}
INSPECTION = "array_api_tests/test_inspection_functions.py"  # of devices


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """As a plugin of pytest: leave out what is not applicable."""
    left_out = [i for i in items if any(part in i.nodeid for part in NOT_APPLICABLE)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [i for i in items if i not in left_out]


# what is changed in a copy of the suite: a line takes complex types for granted, and failures are made smaller,
# which takes minutes
CHANGES = {
    "array_api_tests/dtype_helpers.py": (
        "[(dt, dtype_nbits[dt]) for dt in complex_dtypes]",
        "[(dt, 0) for dt in complex_dtypes] or [(None, 0)]",
    ),
    "conftest.py": (
        "deadline=deadline,",
        "deadline=deadline, phases=[__import__('hypothesis').Phase.generate],",
    ),
}


def main(suite: str, *options: str) -> int:
    """The suite's exit code."""
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "suite"
        shutil.copytree(suite, copy, ignore=shutil.ignore_patterns(".git"))
        for file, change in CHANGES.items():
            (copy / file).write_text((copy / file).read_text().replace(*change))
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
            "ARRAY_API_TESTS_MODULE": __spec__.name,
            "ARRAY_API_TESTS_SKIP_DTYPES": "complex64,complex128",
            "ARRAY_API_TESTS_VERSION": __array_api_version__,
        }
        command = [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "0", "-q"),
            *("-p", __spec__.name, "--ignore", INSPECTION, "--disable-extension", "fft"),
            *("--disable-data-dependent-shapes", "--hypothesis-disable-deadline"),
            *("array_api_tests", *options),
        ]
        return subprocess.run(command, cwd=copy, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
