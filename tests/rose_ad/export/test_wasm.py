"""Functions as WebAssembly give in Node what they give here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

import rose_ad as ra
from rose_ad.export.exported import exported
from rose_ad.export.libm_text import without_libm
from rose_ad.export.wasm_link import module, placed
from rose_ad.export.wasm_object import read
from rose_ad.native.cross import Target, object_file
from tests.support.tools import needs_node, node

V = np.array([0.3, -0.4, 1.5])


@ra.struct
class Pair:
    left: ra.Vec
    right: ra.Real


@ra.fn
def loss(pair: Pair, k: ra.Int) -> Any:
    return ra.sum(ra.sin(pair.left) * ra.exp(pair.right)) + ra.pow(pair.right, pair.left[k])


def rollout(x: Any, steps: Any) -> Any:
    """Carries, branches, accumulators, and a table in constants."""
    table = ra.array(np.linspace(0, 1, 50) ** 2)
    total = ra.accum(3)
    for i in ra.range(50):
        with ra.when(ra.sin(x[i % 3]) > table[i]):
            total[i % 3] += table[i] * x[i % 3]
    return ra.fori_loop(0, 20, lambda t, y: y - 0.1 * ra.tanh(y) * ra.max(y), total + x)


CASES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "value": (loss, (Pair(V, 1.5), 2)),
    "gradient": (ra.grad(loss), (Pair(V, 1.5), 0)),
    "valueAndGradient": (ra.value_and_grad(loss), (Pair(V, 1.5), 1)),
    "hessian_product": (lambda x, v: ra.hvp(lambda y: ra.sum(y**4), (x,), (v,)), (V, V)),
    "loops": (rollout, (V, 3)),
    "derivative_of_loops": (ra.jacrev(lambda x: rollout(x, 3)), (V,)),
    "batch": (
        ra.vmap(lambda x: ra.cond(x > 0, lambda: ra.log(x), lambda: x * x)),
        (np.tile(V, 5),),
    ),
    "bools_and_ints": (lambda x, k, b: ((x > 0) & b, k // 3, ra.where(b, k, -k)), (V, -7, True)),
    "singles": (lambda x: ra.sin(x) * x, (V.astype(np.float32),)),
    "remainders": (lambda x: ra.remainder(x, 0.7), (V,)),
    "names": (lambda d: {"é b": d["x y"], "more": [d["x y"], (d["x y"],)]}, ({"x y": 2.0},)),
}


def given(x: Any) -> str:
    """Arguments as JavaScript writes them."""
    if isinstance(x, Pair):
        return given({"left": x.left, "right": x.right})
    if isinstance(x, dict):
        return "{" + ", ".join(f'"{k}": {given(v)}' for k, v in x.items()) + "}"
    if isinstance(x, np.ndarray):
        return str(x.astype(float).tolist())
    return str(x).lower()


def plain(x: Any) -> Any:
    """A result as JSON has it: what is nested is flat, but tuples and dicts are not."""
    if isinstance(x, Pair):
        return {"left": plain(x.left), "right": plain(x.right)}
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, tuple | list):
        return [plain(v) for v in x]
    if isinstance(x, np.ndarray):
        return [int(v) if v.dtype == bool else v.item() for v in x.ravel()]
    return x.item() if isinstance(x, np.generic) else x


def close(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return list(found) == list(wanted) and all(close(found[k], wanted[k]) for k in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(close, found, wanted))
    return bool(found == pytest.approx(wanted, rel=1e-12, abs=1e-14))


@needs_node
@pytest.mark.parametrize("simd", [True, False])
def test_functions_give_in_node_what_they_give_here(simd: bool, tmp_path: Path) -> None:
    imports, calls = [], []
    for name, (f, example) in CASES.items():
        ra.export_wasm({name: f}, tmp_path / f"{name}.wasm", *example, simd=simd)
        imports.append(f'import {{ {name} }} from "./{name}.js";')
        calls.append(f"{name}: {name}({', '.join(map(given, example))})")
    found = node(tmp_path, "\n".join([*imports, f"done({{ {', '.join(calls)} }});"]))
    for name, (f, example) in CASES.items():
        wanted = plain(ra.fn(f)(*example) if not isinstance(f, ra.Fn) else f(*example))
        assert close(found[name], wanted), (name, found[name], wanted)


@needs_node
def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    ra.export_wasm({"loss": loss}, tmp_path / "loss.wasm", Pair(V, 1.5), 2)
    calls = {
        "{left: [1, 2, 3], right: 1}, 3": "RangeError: loss: an index is outside its array of length 3: "
        f"test_wasm.py:{loss.python.__code__.co_firstlineno + 2}",
        "{left: [1, 2], right: 1}, 1": "TypeError: pair.left takes numbers of shape [3], not an array of [2]",
        "{left: [1, 2, 3]}, 1": "TypeError: pair.right takes a number, not nothing",
        '{left: ["a", 2, 3], right: 1}, 1': 'TypeError: pair.left takes numbers of shape [3], not "a"',
    }
    tried = ", ".join(f"attempt(() => loss({call}))" for call in calls)
    source = 'import { loss } from "./loss.js";\n'
    source += "const attempt = (f) => { try { return f(); } catch (e) { return String(e); } };\n"
    assert node(tmp_path, f"{source}done([{tried}]);") == list(calls.values())


MATRIX = (lambda m: ra.sum(m, axis=0), (np.zeros((2, 3)),))
FLAGS = (lambda b, k: (~b, k * 2), (np.array([True, False]), 3))
GIVEN = {  # what is called, and what it gives or the error says
    "nested": (MATRIX, "[[1, 2, 3], [4, 5, 6]]", [5, 7, 9]),
    "rows that are typed": (MATRIX, "[Float64Array.of(1, 2, 3), [4, 5, 6]]", [5, 7, 9]),
    "one list": (MATRIX, "[1, 2, 3, 4, 5, 6]", [5, 7, 9]),
    "turned": (MATRIX, "[[1, 4], [2, 5], [3, 6]]", "numbers of shape [2,3], not an array of [3,2]"),
    "ragged": (MATRIX, "[[1, 2], [3, 4, 5, 6]]", "numbers of shape [2,3]"),
    "too few": (MATRIX, "[1, 2, 3]", "not an array of [3]"),
    "a hole": (MATRIX, "[1, , 3, 4, 5, 6]", "not nothing"),
    "text in it": (MATRIX, '[1, "2", 3, 4, 5, 6]', 'not "2"'),
    "text": (MATRIX, '"123456"', 'not "123456"'),
    "an object": (MATRIX, "{}", "not an object"),
    "true and false": (FLAGS, "[true, false], 3", [[0, 1], 6]),
    "what counts as true": (FLAGS, "[256, 0.5], 3", [[0, 0], 6]),
    "beyond 32 bits": (FLAGS, "[1, 1], 2 ** 40", [[0, 0], 2**41]),
    "a large integer": (FLAGS, "[1, 1], 10n", [[0, 0], 20]),
    "no integer": (FLAGS, "[1, 1], 0.5", "k takes an integer, not 0.5"),
    "NaN": (FLAGS, "[1, 1], NaN", "k takes an integer, not NaN"),
    "beyond 64 bits": (FLAGS, "[1, 1], 2 ** 63", "k takes an integer"),
    "nothing": (FLAGS, "[1, 1]", "k takes an integer, not nothing"),
}


@needs_node
def test_arguments_are_of_any_kind_that_fits(tmp_path: Path) -> None:
    for k, (f, example) in enumerate((MATRIX, FLAGS)):
        ra.export_wasm({"f": f}, tmp_path / f"f{k}.wasm", *example)
    calls = ", ".join(f"() => f{int(f is FLAGS)}({given})" for f, given, _ in GIVEN.values())
    found = node(
        tmp_path,
        'import { f as f0 } from "./f0.js";\nimport { f as f1 } from "./f1.js";\n'
        "const tried = (call) => { try { return call(); } catch (e) { return e.name + e.message; } };\n"
        f"done([{calls}].map(tried));",
    )
    for (case, (_, _, wanted)), told in zip(GIVEN.items(), found, strict=True):
        good = wanted in told if isinstance(wanted, str) else told == wanted
        assert good and (not isinstance(wanted, str) or told.startswith("TypeError")), (case, told)


@needs_node
@pytest.mark.parametrize("stem", ["plain", "two words", "ü ñ#50%?"])
def test_a_module_may_have_any_name_that_a_file_has(stem: str, tmp_path: Path) -> None:
    ra.export_wasm({"f": lambda x: 2 * x}, tmp_path / f"{stem}.wasm", 1.0)
    source = f"const {{ f }} = await import('./{quote(stem)}.js'); done(f(2));"
    assert node(tmp_path, source) == 4


# what the loader has names for, or JavaScript a meaning
INSIDE = ["bind", "view", "decode", "functions", "description", "here", "files", "fetch", "Object"]


@needs_node
def test_functions_may_have_the_names_that_their_loader_uses(tmp_path: Path) -> None:
    ra.export_wasm({n: lambda x: 2 * x for n in INSIDE}, tmp_path / "m.wasm", V)
    found = node(
        tmp_path, 'const m = await import("./m.js"); done([Object.keys(m), m.here([1, 2, 3])]);'
    )
    assert found == [sorted([*INSIDE, "load"]), [2, 4, 6]]


@pytest.mark.parametrize(
    "name", ["delete", "class", "await", "static", "arguments", "load", "then"]
)
def test_a_name_that_javascript_has_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ra.TypeMismatch, match="no name of a function in JavaScript"):
        ra.export_wasm({name: lambda x: x}, tmp_path / "m.wasm", 1.0)
    assert not list(tmp_path.iterdir())


def test_no_functions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ra.TypeMismatch, match="nothing to export"):
        ra.export_wasm({}, tmp_path / "m.wasm", 1.0)


def test_declared_arguments_have_names_that_javascript_can_have(tmp_path: Path) -> None:
    def f(function: Any, delete: Any, this: Any) -> Any:
        return function + delete + this

    ra.export_wasm(f, tmp_path / "f.wasm", 1.0, 2.0, 3.0)
    assert (
        "f(function_1: number, delete_1: number, this_1: number)"
        in (tmp_path / "f.d.ts").read_text()
    )


def test_a_loader_names_no_module_that_bundlers_for_browsers_lack(tmp_path: Path) -> None:
    ra.export_wasm({"f": lambda x: x}, tmp_path / "f.wasm", 1.0)
    assert not re.search(r"""import\((/\*.*\*/)?\s*["']""", (tmp_path / "f.js").read_text())


@needs_node
def test_a_response_that_is_none_is_told(tmp_path: Path) -> None:
    ra.export_wasm({"f": lambda x: x}, tmp_path / "f.wasm", 1.0)
    source = """import { load } from "./f.js";
    const said = await load(new Response("<p>", { status: 404 })).catch((error) => error.message);
    done(said);"""
    assert "404" in node(tmp_path, source)


@needs_node
def test_a_module_is_loaded_from_bytes(tmp_path: Path) -> None:
    ra.export_wasm({"f": lambda x: 2 * x}, tmp_path / "f.wasm", 1.0, package=True)
    source = 'import { load } from "./f.js";\nimport { readFile } from "node:fs/promises";\n'
    source += (
        "const m = await load(await readFile(new URL('f.wasm', import.meta.url)));\ndone(m.f(3));"
    )
    assert node(tmp_path, source) == 6


def test_declarations_say_shapes_and_names(tmp_path: Path) -> None:
    ra.export_wasm(
        {"valueAndGradient": ra.value_and_grad(loss)}, tmp_path / "a.wasm", Pair(V, 1.5), 1
    )
    told = (tmp_path / "a.d.ts").read_text()
    pair = "{ left: %s /* [3] */; right: number }"
    given, found = pair % "Numbers", pair % "Float64Array"
    assert f"function valueAndGradient(pair: {given}, k: number): [number, {found}];" in told


def test_a_python_callback_is_refused_with_its_line(tmp_path: Path) -> None:
    host = ra.opaque(lambda x: x + 1, ra.Real)
    with pytest.raises(ra.TraceError, match=r"calls the Python function.*\n.*test_wasm.py:\d+"):
        ra.export_wasm({"f": lambda x: host(x)}, tmp_path / "f.wasm", 1.0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a b", "2a", "a-b", "", "ä"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ra.TypeMismatch, match="is no name of a function"):
        ra.export_wasm({name: lambda x: x}, tmp_path / "f.wasm", 1.0)


def test_a_path_without_its_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ra.TypeMismatch, match=r"f\.wasm"):
        ra.export_wasm(lambda x: x, tmp_path / "f.js", 1.0)


def test_what_needs_more_than_32_bits_is_refused(tmp_path: Path) -> None:
    huge = ra.fn(lambda x: ra.sum(ra.cumsum(ra.zeros(10) + x)))
    with pytest.raises(ra.MemoryLimit, match="4 GiB"):
        ra.export_wasm(lambda v: huge(v[0]), tmp_path / "f.wasm", np.broadcast_to(1.0, (1 << 29,)))


# ---- The linker ----

WASM = Target("wasm32-unknown-unknown", "generic", "+bulk-memory", small=True)
PROGRAM = """@table = private constant [3 x double] [double 1.0, double 2.5, double 4.0], align 64
@word = private constant i32 7
@where = constant [2 x ptr] [ptr @word, ptr getelementptr (i8, ptr @table, i32 8)]

declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

define internal double @inner(i64 %k) noinline {
  %room = alloca [3 x double]
  call void @llvm.memcpy.p0.p0.i64(ptr %room, ptr @table, i64 24, i1 false)
  %p = getelementptr double, ptr %room, i64 %k
  %x = load volatile double, ptr %p
  ret double %x
}
define double @outer(i64 %k) {
  %x = call double @inner(i64 %k)
  %a = getelementptr ptr, ptr @where, i64 1
  %p = load volatile ptr, ptr %a
  %y = load double, ptr %p
  %sum = fadd double %x, %y
  ret double %sum
}
"""
RUN = """import {{ readFile }} from "node:fs/promises";
const {{ instance }} = await WebAssembly.instantiate(await readFile("{file}"), {{}});
done([0n, 1n, 2n].map((k) => instance.exports.outer(k)));
"""


@needs_node
def test_constants_stack_and_addresses_are_placed(tmp_path: Path) -> None:
    linked = placed(object_file([PROGRAM], WASM))
    file = tmp_path / "own.wasm"
    file.write_bytes(module(linked, ["outer"], linked.heap))
    assert node(tmp_path, RUN.format(file=file)) == [3.5, 5.0, 6.5]


@needs_node
@pytest.mark.skipif(shutil.which("wasm-ld") is None, reason="there is no wasm-ld here")
@pytest.mark.parametrize("name", ["loops", "derivative_of_loops"])
def test_modules_do_what_those_of_wasm_ld_do(name: str, tmp_path: Path) -> None:
    f, example = CASES[name]
    found = exported(name, f, example)
    data = object_file([without_libm(found.text)], WASM)
    linked = placed(data)
    (tmp_path / "a.o").write_bytes(data)
    (tmp_path / "own.wasm").write_bytes(module(linked, [found.symbol], linked.heap + (1 << 20)))
    said = ["wasm-ld", "--no-entry", "--stack-first", f"--export={found.symbol}"]
    said += ["-z", "stack-size=1048576", "--initial-memory=4194304", "a.o", "-o", "other.wasm"]
    subprocess.run(said, cwd=tmp_path, check=True)
    results = [
        node(tmp_path, _bytes_of(found, tmp_path / m, linked.heap))
        for m in ("own.wasm", "other.wasm")
    ]
    assert results[0] == results[1]
    assert any(results[0])


def _bytes_of(f: Any, file: Path, heap: int) -> str:
    """A program that calls a module with numbers from 0.1 up, and says the bits of what it gives."""
    sizes = [t.size for t in (*f.params, *f.results)]
    places = [heap + 4096 * (k + 1) for k in range(len(sizes))]
    first = len(f.params)
    return f"""import {{ readFile }} from "node:fs/promises";
const {{ instance }} = await WebAssembly.instantiate(await readFile("{file}"), {{}});
const memory = instance.exports.memory.buffer, places = {places}, sizes = {sizes};
new Uint32Array(memory, {heap}, places.length).set(places);
new Float64Array(memory, places[0], 3).set([0.1, 0.7, 1.3]);
const status = instance.exports.{f.symbol}({heap}, {heap + (1 << 19)});
done([Number(status), ...places.slice({first}).flatMap((p, k) =>
  [...new Uint8Array(memory, p, sizes[k + {first}])])]);
"""


def test_a_call_of_nothing_is_refused() -> None:
    text = "declare double @nowhere(double)\ndefine double @f(double %x) {\n"
    text += "  %y = call double @nowhere(double %x)\n  ret double %y\n}\n"
    with pytest.raises(ValueError, match="nowhere"):
        placed(object_file([text], WASM))


@pytest.mark.parametrize("data", [b"", b"\0asm", b"\x7fELF" + bytes(60)])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a WebAssembly object"):
        read(data)
