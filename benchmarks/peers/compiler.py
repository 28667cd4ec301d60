"""The C compiler, for peers whose adjoint is written by hand or generated as C."""

from __future__ import annotations

import ctypes
import shutil

from .program import Array

FLAGS = ("-O3", "-march=native", "-shared", "-fPIC", "-lm")


def require_compiler() -> str:
    compiler = shutil.which("gcc")
    if compiler is None:
        raise RuntimeError("the C peer needs gcc on the PATH (apt install gcc)")
    return compiler


def address(array: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
