"""Pages of scenes: one file each that needs nothing else, an element to embed them by, a gallery of all."""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from collections.abc import Sequence
from importlib.resources import files
from urllib.parse import quote

import rose_ad as ra

from ..drawing.colourmap import COLOUR_MAPS, LIGHT_MAPS
from ..scene.colours import THEMES
from ..solve.trust import TITLES
from .shorter import shorter

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="description" content="{summary}">
<link rel="icon" href="data:,">
"""
_PAGE = """<style>html, body {{ height: 100%; margin: 0; background: #0e1116; }}</style>
<rosephys-scene address></rosephys-scene>
<script type="text/plain" id="module">{module}</script>
<script type="module">
{script}
const packed = Uint8Array.from(atob(document.getElementById("module").textContent), (c) => c.charCodeAt(0));
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const scene = document.querySelector("rosephys-scene");
scene.bytes = new Response(unpacked).arrayBuffer();
{define}
</script>
"""
_GALLERY = """<style>
{style}</style>
<h1>Rosephys</h1>
{groups}
<script type="module">
import "./rosephys-scene.js";
const theme = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
const seen = new IntersectionObserver((all) => {{
  for (const {{ target, isIntersecting }} of all) {{
    if (!isIntersecting) {{ target.replaceChildren(); continue; }}
    const scene = document.createElement("rosephys-scene");
    scene.setAttribute("src", target.dataset.src);
    scene.setAttribute("plain", "");
    scene.setAttribute("theme", theme);
    target.replaceChildren(scene);
  }}
}}, {{ rootMargin: "80px" }});
document.querySelectorAll(".ahead").forEach((place) => seen.observe(place));
</script>
"""


GZIP = 31  # for zlib: with the header of gzip
# what solves, and what of it a page uses
_SOLVER = ("landscape.js", "reach.js", "trust.js", "solver.js")
_EXPORTED = ("answering", "program", "leaves", "view", "decode", "framed", "placed", "steepest")
# what not all scenes need: words that tell of it in a module's description, and what stands in its place
_RARE = {
    "table.js": ((b'"felt"',), "const table = null, TABLE_MARGIN = 0;"),
    "fluid.js": ((b'"Fluid"',), "const liquid = null;"),
    "lines.js": ((b'"Lines"', b'"Poly'), "const lines = {};"),
    "image.js": ((b'"Image"',), "const images = {};"),
    "numbers.js": ((b'"numbers":',), "const unpack = null;"),
}
_SETTLING = b'"rows":true'  # of a module whose answer a hand may hold a part of


def page(module: bytes, title: str, summary: str) -> str:
    """One file: the scene of a module, and all that shows it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, GZIP, memLevel=7)  # which packs code best
    packed = base64.b64encode(packer.compress(module) + packer.flush()).decode()
    script, define = element(module).rsplit("customElements.define", 1)
    return _head(f"{title} · Rosephys", summary) + _PAGE.format(
        script=script, define=f"customElements.define{define}", module=packed
    )


def embedding(name: str) -> str:
    """A page that shows how a scene is embedded: two lines of it are what others need."""
    return _head(name, f"{name}, embedded") + (
        '<script type="module" src="rosephys-scene.js"></script>\n'
        f'<rosephys-scene src="{quote(name)}.wasm" style="height: 600px"></rosephys-scene>\n'
    )


def gallery(groups: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]) -> str:
    """A page of scenes, live: groups of (name, title, summary), whose modules and pages lie beside it."""
    parts = []
    for title, entries in groups:
        items = "\n".join(
            f'<li><a href="{quote(name)}.html"><div class="ahead" data-src="{quote(name)}.wasm"></div>'
            f"<b>{html.escape(word)}</b><span>{html.escape(summary)}</span></a></li>"
            for name, word, summary in entries
        )
        parts.append(f"<h2>{html.escape(title)}</h2>\n<ul>\n{items}\n</ul>")
    return _head("Rosephys", "Differentiable physics, live.") + _GALLERY.format(
        style=_file("gallery.css"), groups="\n".join(parts)
    )


def element(module: bytes | None = None) -> str:
    """The source of `rosephys-scene.js`, which defines the element <rosephys-scene>; for one module's scene
    alone, without what draws other scenes."""
    solver = [ra.javascript_runtime(), *map(_file, _SOLVER)]
    if module is None or _SETTLING in module:
        solver.append(_file("settle.js"))
    exported = ", ".join(_EXPORTED)
    parts = [f"const {{ {exported} }} = SOLVER();"]
    for name, (told, instead) in _RARE.items():
        needed = module is None or any(word in module for word in told)
        parts.append(_file(name) if needed else instead)
    parts.append(_file("painter.js"))
    if module is None or b'"Ellipses"' in module:
        parts.append(_file("ellipses.js"))
    parts.append(_file("scene.js"))
    if module is None or _SETTLING in module:
        parts.append(_file("rows.js"))
    if module is None:
        parts.append(_file("embedded.js"))
    style = re.sub(r"\s*([{};:,])\s+|\s+", lambda m: m[1] or " ", _file("style.css"))
    style = style.replace(";}", "}")
    maps = {"dark": COLOUR_MAPS, "light": LIGHT_MAPS}
    used = "".join(parts).encode() + module if module else None
    palettes = {
        theme: {name: shade for name, shade in palette.items() if not used or name.encode() in used}
        for theme, palette in THEMES.items()
    }
    given = {"style": style, "palettes": palettes, "reasons": TITLES}
    if module is None or b'"Image"' in module:
        given["maps"] = maps
    parts += [f"RosephysScene.{name} = {json.dumps(value)};" for name, value in given.items()]
    again = "" if module else 'customElements.get("rosephys-scene") ?? '  # a page may have it twice
    parts.append(f'{again}customElements.define("rosephys-scene", RosephysScene);')
    # a function, so that a worker can be given its source
    source = _joined([*solver, f"return {{ {exported} }};"])
    return f"const SOLVER=()=>{{{source}}};\n{_joined(parts)}\n".replace("</script", "<\\/script")


def _joined(sources: Sequence[str]) -> str:
    """Modules as one program, without what they import and export, in few characters."""
    imports = re.compile(r"^import .*?;\n|^export (?=\w)", re.MULTILINE | re.DOTALL)
    return shorter("\n".join(imports.sub("", source) for source in sources))


def _head(title: str, summary: str) -> str:
    return _HEAD.format(title=html.escape(title), summary=html.escape(summary))


def _file(name: str) -> str:
    return files("rosephys.web").joinpath("page").joinpath(name).read_text(encoding="utf-8")
