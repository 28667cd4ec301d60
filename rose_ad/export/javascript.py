"""A module's loader for JavaScript, and its types for TypeScript."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..base.errors import TypeMismatch
from ..base.source import here
from .exported import by_name
from .names import JAVASCRIPT, free, not_taken
from .wasm import WasmModule, wasm_module

_NUMBERS = {"f64": "number", "f32": "number", "i64": "number", "bool": "boolean"}
_ARRAYS = {
    "f64": "Float64Array",
    "f32": "Float32Array",
    "i64": "Float64Array",
    "bool": "Uint8Array",
}
_NESTED = """/** Numbers in a plain or typed array, row by row or nested. */
export type Numbers = ArrayLike<number> | ArrayLike<bigint> | ArrayLike<boolean> | ArrayLike<Numbers>;
"""
# names of Python have no $, so that none of a function's is one of the loader's
_LOADER = """const $bind = (() => {{
{runtime}return bind;
}})();

const $description = {description};

/** The functions of a module that was loaded in some other way: bytes, or a response of fetch. */
export async function load(source) {{
  if (source.ok === false) throw new Error(`${{source.url}}: ${{source.status}} ${{source.statusText}}`);
  const bytes = source instanceof Response ? await source.arrayBuffer() : source;
  const {{ instance }} = await WebAssembly.instantiate(bytes);
  return $bind(instance, $description);
}}

const $here = new URL({name}, import.meta.url);
const $files = "node:fs/promises"; // a name that bundlers for browsers do not look for
const $functions = await load(
  $here.protocol === "file:" && globalThis.process?.versions?.node
    ? await (await import(/* webpackIgnore: true */ /* @vite-ignore */ $files)).readFile($here)
    : await fetch($here),
);
{exports}
"""
_IMPORTED = re.compile(r"^import .*;\n|^export ", re.MULTILINE)
_OF_LOADERS = frozenset(("load", "then"))  # a module with `then` is taken for a promise


def export_wasm(
    f: Any, path: str | Path, *example: Any, simd: bool = True, package: bool = False
) -> None:
    """Write functions as WebAssembly: `name.wasm`, its loader `name.js`, and `name.d.ts` for TypeScript.

    `f` is a function, or a dict of functions by the names they are to have, for arguments such as the example;
    transforms of functions are functions. JavaScript imports them and calls them with numbers, plain or typed
    arrays, and objects:

        ra.export_wasm({"valueAndGradient": ra.value_and_grad(loss)}, "out/loss.wasm", {"x": 1.0})

        import { valueAndGradient } from "./loss.js";
        const [value, { x }] = valueAndGradient({ x: 2 });

    The module imports nothing, and has its own sin, exp and pow (see rose_ad/export/libm.py for how exact they
    are). It uses vectors of 128 bits, which browsers have since 2023; without `simd` it does not. With
    `package` a package.json is written beside it, for npm.

    Raises TraceError, with the line, where a function calls Python back; TypeMismatch for a name that
    JavaScript cannot have; MemoryLimit beyond 4 GiB; OSError where the files cannot be written.
    """
    target = Path(path)
    if target.suffix != ".wasm":
        wanted = target.with_suffix(".wasm").name
        raise TypeMismatch(f"{target.name} is no name of a module", here(), wanted)
    named = by_name(f)
    for name in named:
        not_taken(name, JAVASCRIPT | _OF_LOADERS, "JavaScript")
    module = wasm_module({n: (g, example) for n, g in named.items()}, simd)
    texts = {".js": loader(module, target.name), ".d.ts": declarations(module)}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(module.code)
    for suffix, text in texts.items():
        target.with_suffix(suffix).write_text(text, encoding="utf-8")
    if package:
        target.with_name("package.json").write_text(_package(target.stem), encoding="utf-8")


def _package(name: str) -> str:
    """What npm must know."""
    return json.dumps(
        {
            "name": re.sub("[^a-z0-9.-]+", "-", name.lower()).strip("-.") or "module",
            "version": "0.1.0",
            "type": "module",
            "main": f"{name}.js",
            "types": f"{name}.d.ts",
            "files": [f"{name}.wasm", f"{name}.js", f"{name}.d.ts"],
        },
        indent=2,
    )


def javascript_runtime() -> str:
    """The source of an ES module whose `programs(instance, description)` gives a module's functions, to be
    given numbers that fit."""
    return _file("runtime.js")


def _file(name: str) -> str:
    return files("rose_ad.export").joinpath(name).read_text(encoding="utf-8")


def loader(module: WasmModule, name: str) -> str:
    """An ES module that loads `name`, which lies beside it, and exports its functions."""
    functions = module.description["functions"]
    exports = [f"const ${k} = $functions.{f};" for k, f in enumerate(functions)]
    exports += [f"export {{ ${k} as {f} }};" for k, f in enumerate(functions)]
    return _LOADER.format(
        runtime=_IMPORTED.sub("", javascript_runtime() + _file("calls.js")),
        description=json.dumps(module.description, separators=(",", ":")),
        name=json.dumps(f"./{quote(name)}"),
        exports="\n".join(exports),
    )


def declarations(module: WasmModule) -> str:
    """What a loader exports, for TypeScript."""
    out = [_NESTED]
    for name, f in module.description["functions"].items():
        names = [free(n, JAVASCRIPT) for n in f["names"]]
        given = ", ".join(
            f"{n}: {_type(t, True)}" for n, t in zip(names, f["arguments"], strict=True)
        )
        out.append(f"export function {name}({given}): {_type(f['result'], False)};")
    every = ", ".join(f"{n}: typeof {n}" for n in module.description["functions"])
    out.append(f"export function load(source: BufferSource | Response): Promise<{{ {every} }}>;")
    return "\n".join(out) + "\n"


def _type(tree: Any, given: bool) -> str:
    """A tree as a type; shapes are told in comments. What is given may be any kind of array."""
    if isinstance(tree, list):
        return "[" + ", ".join(_type(t, given) for t in tree) + "]"
    if "at" in tree:
        if not tree["shape"]:
            return _NUMBERS[tree["type"]]
        array = "Numbers" if given else _ARRAYS[tree["type"]]
        return f"{array} /* {tree['shape']} */"
    if "is" in tree:
        return "unknown" if given else json.dumps(tree["is"])
    fields = tree["fields"].items()
    return "{ " + "; ".join(f"{_key(n)}: {_type(t, given)}" for n, t in fields) + " }"


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else json.dumps(name)
