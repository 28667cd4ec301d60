"""The floor plan holds: an import goes down, or stays in its folder; no files import each other in a ring."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import rose_ad

ROOT = Path(__file__).parents[1]

# lower first; the folders of one set know nothing of each other. A name without a folder is a file.
LAYERS: dict[str, list[set[str]]] = {
    "rose_ad": [
        {"base"},
        {"ir"},
        {"tracing", "ad", "rewrite", "lower"},
        {"native"},
        {"api"},
        {"linalg"},
        {"library"},
        {"diagnostics", "interop"},
        {"export"},
        {"late"},
        {"__init__"},
        {"cli"},
        {"__main__"},
    ],
    "rosephys": [
        {"errors"},
        {"console", "sdl", "limit", "given", "constraint"},
        {"asked"},
        {"scene", "physics"},
        {"worlds"},
        {"solve"},
        {"drawing"},
        {"files"},  # what is kept is drawn first: a film is pictures in a file
        {"sweeps"},
        {"interop"},
        {"__init__"},
        {"window"},
        {"web"},
        {"diagrams"},
        {"command"},
        {"__main__"},
    ],
}
# (importing file, imported file): why
EXCEPTIONS: dict[tuple[str, str], str] = {}
# only these files, or those of these folders, may import these packages
ALONE = {
    "llvmlite": "rose_ad/native",
    "pygame": "rosephys/sdl.py",
}
# files that import by a name which is computed: why
COMPUTED = {
    "rose_ad/interop/__init__.py": "its own modules, each when it is first asked for",
    "rose_ad/ir/pickling.py": "the user's module, from which a function was pickled",
}
PACKAGES = sorted(LAYERS)


def modules(root: Path) -> dict[str, Path]:
    """The modules of the packages, by their dotted names; a package is its `__init__`."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(module: str, path: Path) -> Iterator[tuple[str, str]]:
    """What a file imports, wherever in it: (module, name), the name empty where it is the module."""
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            source = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            yield from ((source, alias.name) for alias in node.names)


def arrows(root: Path) -> dict[str, set[str]]:
    """Which modules of the packages each module imports."""
    known = modules(root)
    found: dict[str, set[str]] = {}
    for module, path in known.items():
        targets = found[module] = set()
        for source, name in imports(module, path):
            target = f"{source}.{name}" if f"{source}.{name}" in known else source
            if target in known and target != module:
                targets.add(target)
    return found


def layer(module: str) -> tuple[int, str]:
    """The layer of a module in its package, and its folder."""
    package, *rest = module.split(".")
    folder = rest[0] if rest else "__init__"
    for level, folders in enumerate(LAYERS[package]):
        if folder in folders:
            return level, folder
    raise AssertionError(f"{module} is in no layer: add {folder} to LAYERS")


def upward(root: Path) -> list[str]:
    """The imports that go up or sideways, but for the exceptions."""
    wrong = []
    for module, targets in arrows(root).items():
        for target in sorted(targets):
            if target.split(".")[0] != module.split(".")[0]:
                continue  # between the packages: see below
            (level, folder), (other, room) = layer(module), layer(target)
            down = other < level or folder == room
            if not down and (module, target) not in EXCEPTIONS:
                wrong.append(f"{module} -> {target}")
    return wrong


def rings(root: Path) -> list[set[str]]:
    """The sets of files that import each other, directly or not (Tarjan 1972)."""
    graph = arrows(root)
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(m: str) -> None:
        order[m] = low[m] = len(order)
        stack.append(m)
        for t in graph[m]:
            if (m, t) in EXCEPTIONS:
                continue
            if t not in order:
                visit(t)
            if t in stack:
                low[m] = min(low[m], low[t])
        if low[m] == order[m]:
            k = stack.index(m)
            ring = {stack.pop() for _ in stack[k:]}
            if len(ring) > 1:
                found.append(ring)

    for m in graph:
        if m not in order:
            visit(m)
    return found


def test_imports_go_down() -> None:
    assert not upward(ROOT)


def test_no_files_import_each_other() -> None:
    assert not rings(ROOT)


def test_rose_ad_knows_nothing_of_rosephys() -> None:
    wrong = [
        m
        for m, targets in arrows(ROOT).items()
        if m.startswith("rose_ad") and any(t.startswith("rosephys") for t in targets)
    ]
    assert not wrong


def private(module: str, path: Path) -> Iterator[str]:
    """The names of rose_ad that a file uses and that are not public, imported or as attributes."""
    known = {"rose_ad"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            known |= {a.asname for a in node.names if a.name == "rose_ad" and a.asname}
    for source, name in imports(module, path):
        if source.split(".")[0] == "rose_ad" and (source != "rose_ad" or name):
            if source != "rose_ad" or name not in rose_ad.__all__:
                yield f"{source} {name}".rstrip()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id in known and node.attr not in {*rose_ad.__all__, "__file__"}:
                yield f"rose_ad.{node.attr}"


def scenes() -> dict[str, Path]:
    """The built-in scenes, which are what users write."""
    return {f"scenes.{path.stem}": path for path in sorted((ROOT / "scenes").glob("*.py"))}


def test_rosephys_and_scenes_use_the_public_names_of_rose_ad() -> None:
    files = {m: p for m, p in modules(ROOT).items() if m.startswith("rosephys")} | scenes()
    assert not [f"{m}: {name}" for m, path in files.items() for name in private(m, path)]


def computed(path: Path) -> bool:
    """Whether a file imports something by a name which this test cannot follow."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name) and node.id in {"__import__", "import_module"}:
            return True
        if isinstance(node, ast.Attribute) and node.attr == "import_module":
            return True
        if isinstance(node, ast.alias) and node.name == "import_module":
            return True
    return False


def test_names_of_modules_are_written_out() -> None:
    found = {str(p.relative_to(ROOT)) for p in modules(ROOT).values() if computed(p)}
    assert found == set(COMPUTED)


@pytest.mark.parametrize("package", ALONE)
def test_one_place_imports(package: str) -> None:
    wrong = [
        module
        for module, path in (modules(ROOT) | scenes()).items()
        if any(source.split(".")[0] == package for source, _ in imports(module, path))
        and not path.relative_to(ROOT).is_relative_to(ALONE[package])
    ]
    assert not wrong


# ---- The tests themselves: an import that is planted is found ----

PLANTED = {
    "upward": ("rose_ad/ir/core.py", "from ..api import function"),
    "upward, in a function": ("rose_ad/base/tree.py", "def f():\n    from ..ir.core import Var"),
    "upward, for types only": (
        "rose_ad/ir/types.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import rose_ad.native.jit",
    ),
    "sideways": ("rose_ad/ad/linearize.py", "from ..rewrite.schedule import SCHEDULE"),
    "between siblings of rosephys": (
        "rosephys/physics/quantities.py",
        "import rosephys.scene.fields",
    ),
}


def planted(folder: Path, file: str, text: str) -> Path:
    """A copy of the packages with some lines more at the end of a file."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    with (folder / file).open("a") as f:
        f.write(f"\n{text}\n")
    return folder


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_import_is_found(name: str, tmp_path: Path) -> None:
    file, text = PLANTED[name]
    (wrong,) = upward(planted(tmp_path, file, text))
    assert wrong.startswith(file.removesuffix(".py").replace("/", ".") + " -> ")


@pytest.mark.parametrize(
    "text",
    [
        "import importlib\nimportlib.import_module('rose_ad.api')",
        "__import__('rose_ad.api.function')",
        "from importlib import import_module as im",
    ],
)
def test_a_computed_import_is_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(text)
    assert computed(tmp_path / "a.py")


@pytest.mark.parametrize(
    "text",
    ["import rose_ad as ra\nra.ir.core.Var", "import rose_ad.ir.core", "from rose_ad import ir"],
)
def test_a_private_name_is_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(text)
    assert list(private("rosephys.a", tmp_path / "a.py"))


def test_a_planted_ring_is_found(tmp_path: Path) -> None:
    root = planted(tmp_path, "rose_ad/ir/types.py", "def f():\n    from .queries import uses")
    (ring,) = rings(root)
    assert {"rose_ad.ir.types", "rose_ad.ir.core", "rose_ad.ir.queries"} <= ring
