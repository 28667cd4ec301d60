"""The command `export`: scenes as pages for the browser."""

from __future__ import annotations

import argparse
import functools
import http.server
import threading
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rosephys.console import say, working
from rosephys.errors import SceneError, describe
from rosephys.files.atomic import replacing


def export(arguments: argparse.Namespace) -> int:
    """Write the page of a scene, or of all; then serve them, if that is asked for."""
    if arguments.all == (arguments.scene is not None):
        raise SceneError("export takes a scene, or --all")
    folder: Path = arguments.web
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.all:
        failed, first = _all(folder), "index.html"
    else:
        name = Path(arguments.scene).stem
        module = _module(arguments.scene, dict(arguments.settings))
        failed, first = 0, f"{name}.html"
        _write_page(folder, name, module, arguments.embed)
    print(folder / first)
    if arguments.serve:
        serve(folder, first)
    return 1 if failed else 0


def _all(folder: Path) -> int:
    """The pages of all scenes, and a gallery of them; how many could not be written."""
    from rosephys.scene.catalogue import groups
    from rosephys.web.pages import element, gallery

    failed, shown = 0, []
    for group in groups():
        entries = []
        for entry in group.entries:
            try:
                module = _module(entry.typed, {})
            except (Exception, SystemExit) as error:  # a scene's own code runs here
                say(f"{entry.name}: {describe(error)}")
                failed += 1
                continue
            _write_page(folder, entry.name, module, embed=False)
            _write(folder / f"{entry.name}.wasm", module)
            entries.append((entry.name, _title(entry.name), entry.summary))
        shown.append((group.title, entries))
    _write(folder / "rosephys-scene.js", element().encode())
    _write(folder / "index.html", gallery(shown).encode())
    return failed


def _module(typed: str, settings: Mapping[str, Any]) -> bytes:
    from rosephys.scene.finding import find_scene
    from rosephys.solve.problem import Problem
    from rosephys.web.program import scene_module

    name = Path(typed).stem
    with working(f"exporting {name}"):
        scene = find_scene(typed, settings)
        return scene_module(Problem(scene), _title(name), summary(type(scene)))


def summary(kind: type) -> str:
    """The first paragraph of a scene's docstring, in one line."""
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _write_page(folder: Path, name: str, module: bytes, embed: bool) -> None:
    from rosephys.web.pages import element, embedding, page

    if embed:
        _write(folder / f"{name}.wasm", module)
        _write(folder / "rosephys-scene.js", element().encode())
        _write(folder / f"{name}.html", embedding(name).encode())
    else:
        from rosephys.web.program import description

        told = description(module)
        _write(folder / f"{name}.html", page(module, told["title"], told["summary"]).encode())


def _write(path: Path, data: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def serve(folder: Path, first: str) -> None:
    """Show a folder of pages on this machine, until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        address = f"http://127.0.0.1:{server.server_port}/{quote(first)}"
        say(f"{address} (Ctrl-C ends it)")
        threading.Timer(0.2, webbrowser.open, (address,)).start()
        server.serve_forever()
