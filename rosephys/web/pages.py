"""Pages of scenes: one file each that needs nothing else, an element to embed them by, a gallery of all."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files

import rose_ad as ra

from ..drawing.colourmap import COLOUR_MAPS, LIGHT_MAPS
from ..scene.colours import THEMES
from ..solve.trust import TITLES

_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Ccircle cx='16' "
    "cy='16' r='14' fill='%23d8432f'/%3E%3Ccircle cx='11' cy='10' r='4' fill='%23ffffffaa'/%3E%3C/svg%3E"
)
_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="description" content="{summary}">
<link rel="icon" href="{icon}">
"""
_PAGE = """<style>html, body {{ height: 100%; margin: 0; background: #0e1116; }}</style>
<rosephys-scene address></rosephys-scene>
<script type="module">
{script}
const packed = Uint8Array.from(atob(document.getElementById("module").textContent), (c) => c.charCodeAt(0));
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
const scene = document.querySelector("rosephys-scene");
scene.bytes = new Response(unpacked).arrayBuffer();
{define}
</script>
<script type="text/plain" id="module">{module}</script>
"""
_GALLERY = """<style>
{style}</style>
<h1>Rosephys</h1>
{groups}
<script type="module">
import "./rosephys-scene.js";
const seen = new IntersectionObserver((all) => {{
  for (const {{ target, isIntersecting }} of all) {{
    if (!isIntersecting) {{ target.replaceChildren(); continue; }}
    const scene = document.createElement("rosephys-scene");
    scene.setAttribute("src", target.dataset.src);
    scene.setAttribute("plain", "");
    target.replaceChildren(scene);
  }}
}}, {{ rootMargin: "80px" }});
document.querySelectorAll(".ahead").forEach((place) => seen.observe(place));
</script>
"""


# what few scenes need: the word that tells of it in a module's description, and what stands in its place
_RARE = {
    "table.js": (b'"felt"', "const table = null, TABLE_MARGIN = 0;"),
    "fluid.js": (b'"Fluid"', "const liquid = null;"),
}


def page(module: bytes, title: str, summary: str) -> str:
    """One file: the scene of a module, and all that shows it."""
    packed = base64.b64encode(gzip.compress(module, 9, mtime=0)).decode()
    script, define = element(module).rsplit("customElements.define", 1)
    return _head(f"{title} · Rosephys", summary) + _PAGE.format(
        script=script, define=f"customElements.define{define}", module=packed
    )


def embedding(name: str) -> str:
    """A page that shows how a scene is embedded: two lines of it are what others need."""
    return _head(name, f"{name}, embedded") + (
        '<script type="module" src="rosephys-scene.js"></script>\n'
        f'<rosephys-scene src="{html.escape(name)}.wasm" style="height: 600px"></rosephys-scene>\n'
    )


def gallery(groups: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]) -> str:
    """A page of scenes, live: groups of (name, title, summary), whose modules and pages lie beside it."""
    parts = []
    for title, entries in groups:
        items = "\n".join(
            f'<li><a href="{name}.html"><div class="ahead" data-src="{name}.wasm"></div>'
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
    working = ("landscape.js", "reach.js", "trust.js", "solver.js")
    solver = "\n".join(map(_plain, (ra.javascript_runtime(), *map(_file, working))))
    # a worker has the same source: side by side they are packed as one
    parts = [solver, f"const SOLVER = {_literal(solver)};"]
    for name, (word, instead) in _RARE.items():
        parts.append(_plain(_file(name)) if module is None or word in module else instead)
    parts += [_plain(_file(name)) for name in ("painter.js", "scene.js")]
    maps = {"dark": COLOUR_MAPS, "light": LIGHT_MAPS}
    style = re.sub(r"\s*([{};:,])\s+|\s+", lambda m: m[1] or " ", _file("style.css"))
    given = {"style": style, "palettes": THEMES, "maps": maps, "reasons": TITLES}
    parts += [f"RosephysScene.{name} = {json.dumps(value)};" for name, value in given.items()]
    return "\n".join([*parts, 'customElements.define("rosephys-scene", RosephysScene);', ""])


def _head(title: str, summary: str) -> str:
    return _HEAD.format(title=html.escape(title), summary=html.escape(summary), icon=_ICON)


def _file(name: str) -> str:
    return files("rosephys.web").joinpath("page").joinpath(name).read_text(encoding="utf-8")


def _plain(source: str) -> str:
    """A module's source, to stand in one file with the others: without imports, comments and indents,
    and with fewer spaces: no text in them has such signs."""
    source = re.sub(r"^import .*?;\n", "", source, flags=re.MULTILINE | re.DOTALL)
    source = re.sub(r"^ *(//[^\n]*\n|/\*\*.*?\*/\n)", "", source, flags=re.MULTILINE | re.DOTALL)
    source = re.sub(r"^(export | +)|\n(?=\n)", "", source, flags=re.MULTILINE)
    return re.sub(r" (=>|===?|&&|\|\|) |(?<=[;{]) ", r"\1", source)


def _literal(text: str) -> str:
    """Text as a literal of JavaScript that may stand in HTML."""
    escaped = text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
    return f"`{escaped}`".replace("</script", "<\\/script")
