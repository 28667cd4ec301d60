"""Functions as a WebAssembly module, and what JavaScript must know to call them.

An export `name` takes the address of a list of pointers, to each argument's leaf and then to each result's, and
that of scratch memory; all of it is planned here, and the module's memory is as large as that needs. Nothing
is imported: what a C library would have is in the module. An i64 comes back: 0, or the number of the check that
failed, an index outside its array.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..base.errors import MemoryLimit
from ..base.source import here
from ..base.tree import Static, Structure
from ..ir.types import F32, F64, I64, Bool, Scalar, Value, scalar_of, shape_of
from ..native.cross import Target, object_file
from .exported import Exported, exported
from .libm_text import without_libm
from .wasm_link import ALIGN, module, placed

_FEATURES = "+bulk-memory,+bulk-memory-opt,+mutable-globals,+nontrapping-fptoint,+sign-ext"
_LIMIT = 1 << 32  # bytes that 32 bits address
KINDS: Final[dict[Scalar, str]] = {F64: "f64", F32: "f32", I64: "i64", Bool: "bool"}


@dataclass(frozen=True)
class WasmModule:
    """A module and its description: plain values, to be written as JSON.

    Of each function by its name: `arguments` and `result`, trees whose leaves say of what type and shape they
    are and at which address they lie; `pointers` and `scratch`, what the export is called with, and how many
    `bytes` of scratch it uses; `failures`, what a status says. In a tree a list stands for a tuple or list,
    {"fields": ...} for a dict or class, {"is": ...} for a constant.
    """

    code: bytes
    description: dict[str, Any]


class _Plan:
    """Memory being given out, from an address up."""

    def __init__(self, start: int) -> None:
        self.end = start

    def take(self, size: int) -> int:
        at = self.end
        self.end = -(-(at + size) // ALIGN) * ALIGN
        return at


def wasm_module(
    functions: Mapping[str, tuple[Any, tuple[Any, ...]]], simd: bool = True
) -> WasmModule:
    """One WebAssembly module of functions by their names, each with an example of its arguments.

    `javascript_runtime` has what calls them. Raises what `export_wasm` raises.
    """
    return _module([exported(n, f, example) for n, (f, example) in functions.items()], simd)


def _module(functions: Sequence[Exported], simd: bool) -> WasmModule:
    features = _FEATURES + (",+simd128" if simd else "")
    target = Target("wasm32-unknown-unknown", "generic", features, small=True, vectors=simd)
    data = object_file([without_libm(f.text) for f in functions], target)
    linked = placed(data)
    plan = _Plan(linked.heap)
    described = {f.name: _described(f, plan) for f in functions}
    scratch = plan.take(max((f.program.scratch_bytes for f in functions), default=0))
    if plan.end > _LIMIT:
        raise MemoryLimit(
            f"WebAssembly's memory ends at 4 GiB; these functions need {plan.end:,} bytes",
            here(),
            "fewer steps, or a checkpoint= that keeps fewer of them",
        )
    for entry in described.values():
        entry["scratch"] = scratch
    code = module(linked, [f.symbol for f in functions], plan.end)
    return WasmModule(code, {"functions": described, "bytes": plan.end})


def _described(f: Exported, plan: _Plan) -> dict[str, Any]:
    leaves = [_leaf(t, plan) for t in (*f.params, *f.results)]
    given = iter(leaves)
    arguments = _tree(f.arguments, given)
    result = _tree(f.result, given)
    return {
        "entry": f.symbol,
        "names": list(f.names),
        "arguments": arguments,
        "result": result,
        "pointers": plan.take(4 * len(leaves)),
        "bytes": f.program.scratch_bytes,
        "failures": f.failures,
    }


def _leaf(t: Value, plan: _Plan) -> dict[str, Any]:
    kind = KINDS[scalar_of(t)]
    return {"type": kind, "shape": list(shape_of(t)), "at": plan.take(t.size)}


def _tree(s: Structure, leaves: Iterator[dict[str, Any]]) -> Any:
    """A structure as plain values; see WasmModule."""
    if s.kind is None:
        return next(leaves)
    if s.kind is Static:
        return {"is": _plain(s.keys[0])}
    children = [_tree(c, leaves) for c in s.children]
    if s.children and all(c.kind is Static for c in s.children) and s.kind in (tuple, list):
        return {"is": [child["is"] for child in children]}  # shorter, and read as the same
    if issubclass(s.kind, tuple | list) and not hasattr(s.kind, "_fields"):
        return children
    keys = s.keys or getattr(s.kind, "_fields", ())
    fields = dict(zip(map(str, keys), children, strict=True))
    return {"kind": s.kind.__name__, "fields": fields} if _is_class(s.kind) else {"fields": fields}


def _is_class(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or hasattr(kind, "_fields")


def _plain(x: Any) -> Any:
    """A constant as JSON has it; what JSON has not is told in words."""
    if isinstance(x, tuple | list):
        return [_plain(y) for y in x]
    if isinstance(x, np.generic):
        return x.item()
    return x if x is None or isinstance(x, str | int | float | bool) else str(x)
