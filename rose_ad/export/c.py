"""Functions as C: an object file, and the header that declares what is in it.

    int64_t f(const double x[3], double k, double *result, double *result_1, void *scratch);

Scalars are given as values, arrays by their address, row by row; results are written to where their pointers
say. `scratch` is memory of the call's own on a boundary of 64 bytes, as large as the header says; nothing is
allocated. What comes back is 0, or which index left its array: then results are of no use, but no memory that
was not given has been touched.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from ..base.tree import paths
from ..ir.types import F32, F64, I64, Bool, Scalar, Value, scalar_of, shape_of
from ..lower.memory_layout import memory_type
from ..native.cross import Target, host, object_file
from .exported import Exported, by_name, exported
from .libm_text import without_libm
from .names import C_FUNCTIONS, C, free, not_taken

_KINDS: Final[dict[Scalar, str]] = {F64: "double", F32: "float", I64: "int64_t", Bool: "bool"}


def export_c(
    f: Any,
    path: str | Path,
    *example: Any,
    target: str | None = None,
    cpu: str = "",
    features: str = "",
    libm: bool | None = None,
) -> None:
    """Write functions as C: the object file `path`, "out/loss.o" say, and the header `out/loss.h` beside it.

    `f` is a function, or a dict of functions by the names they are to have, for arguments such as the example;
    transforms of functions are functions. The header says how they are called.

    Without a `target` the object is for this machine, and does to the last bit what the function does here.
    A target is a triple of LLVM's, "aarch64-linux-gnu", "riscv64-linux-gnu", "thumbv7em-none-eabihf" or
    "x86_64-linux-gnu" for any such machine, with a `cpu` and `features` as LLVM names them. Nothing is needed
    beside the object but memset and memcpy and, with `libm`, the C library's functions of numbers; without
    it their place is taken by our own (rose_ad/export/libm.py). It is used by default where there is no target.

    Raises TraceError, with the line, where a function calls Python back; TypeMismatch for a target that LLVM
    does not know here, and for a name that C cannot have; OSError where the files cannot be written.
    """
    named = by_name(f)
    for name in named:
        not_taken(name, C | C_FUNCTIONS, "C")
    functions = [exported(name, g, example) for name, g in named.items()]
    texts = [text for g in functions for text in (g.text, _entry(g))]
    if not (target is None if libm is None else libm):
        texts = [without_libm(text) for text in texts]
    data = object_file(texts, Target(target, cpu, features) if target else host())
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    place.with_suffix(".h").write_text(header(functions, place.stem), encoding="utf-8")


# ---------------------------------------------------------------------------------------- in LLVM


def _entry(f: Exported) -> str:
    """The function as C calls it: it gives the program's own entry the pointers that it wants."""
    given, lines = [], []
    pointers = len(f.params) + len(f.results)
    lines.append(f"  %pointers = alloca [{max(pointers, 1)} x ptr]")
    for k, t in enumerate((*f.params, *f.results)):
        by_value = k < len(f.params) and isinstance(t, Scalar)
        kind = memory_type(t)
        given.append(
            (f"i8 zeroext %v{k}" if t is Bool else f"{kind} %v{k}") if by_value else f"ptr %p{k}"
        )
        if by_value:
            lines += [f"  %p{k} = alloca {kind}", f"  store {kind} %v{k}, ptr %p{k}"]
        lines.append(f"  %a{k} = getelementptr ptr, ptr %pointers, i32 {k}")
        lines.append(f"  store ptr %p{k}, ptr %a{k}")
    known = f"declare i64 @{f.symbol}(ptr, ptr)\n\n"
    head = f"{known}define i64 @{f.name}({', '.join([*given, 'ptr %scratch'])}) {{"
    call = f"  %status = call i64 @{f.symbol}(ptr %pointers, ptr %scratch)"
    return "\n".join([head, *lines, call, "  ret i64 %status", "}"]) + "\n"


# ------------------------------------------------------------------------------------------- in C


def header(functions: Iterable[Exported], name: str) -> str:
    """The header of an object file."""
    guard = re.sub(r"\W", "_", f"{name}_H".upper(), flags=re.ASCII)
    guard = f"H_{guard}" if guard[0].isdigit() else guard
    return "\n".join(
        [
            f"#ifndef {guard}",
            f"#define {guard}",
            "",
            "#include <stdbool.h>",
            "#include <stdint.h>",
            "",
            "#ifdef __cplusplus",
            'extern "C" {',
            "#endif",
            "",
            *map(_declared, functions),
            "#ifdef __cplusplus",
            "}",
            "#endif",
            "",
            "#endif",
            "",
        ]
    )


def _declared(f: Exported) -> str:
    """A function's declaration, and what there is to know of it."""
    taken = set(C)
    children = zip(f.names, f.arguments.children, strict=True)
    names = [_name(n, path, taken) for n, s in children for path in paths(s)]
    given = [_parameter(n, t, True) for n, t in zip(names, f.params, strict=True)]
    given += [
        _parameter(_name("result", path, taken), t, False)
        for path, t in zip(paths(f.result), f.results, strict=True)
    ]
    failures = ", ".join(json.dumps(text, ensure_ascii=False) for text in f.failures)
    told = [f"#define {f.name}_FAILURES {{ {failures} }}"] if failures else []
    status = f"0, or k where {f.name}_FAILURES[k - 1]" if failures else "0"
    parameters = ",\n    ".join([*given, "void *scratch"])
    room = f"#define {f.name}_SCRATCH {max(f.program.scratch_bytes, 1)}"
    what = f"/* `scratch`: {f.name}_SCRATCH bytes, on a boundary of 64. Returns {status}. */"
    return "\n".join([room, *told, what, f"int64_t {f.name}(\n    {parameters});\n"])


def _parameter(name: str, t: Value, given: bool) -> str:
    kind = ("const " if given else "") + _KINDS[scalar_of(t)]
    if isinstance(t, Scalar):
        return f"{_KINDS[t]} {name}" if given else f"{kind} *{name}"
    shape = shape_of(t)
    return f"{kind} {name}[{math.prod(shape) or 1}]" + (f" /* {shape} */" if len(shape) > 1 else "")


def _name(base: str, path: str, taken: set[str]) -> str:
    """A leaf's name in C: that of its argument, and where it is in that."""
    plain = re.sub(r"\W+", "_", base + path, flags=re.ASCII).strip("_")
    out = free(plain, taken)
    taken.add(out)
    return out
