"""Pages of scenes: what is in them, and how large they are."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

import pytest

from rosephys.command.cli import main
from rosephys.web.pages import element, embedding, gallery, page
from rosephys.web.program import code_of
from tests.support.browser import module
from tests.support.tools import needs_node

# bytes of billiards, gzipped; the module without what it says of itself
PAGE, MODULE = 30_000, 12_000


def script(source: str) -> str:
    """The JavaScript in a page."""
    return source.split('<script type="module">', 1)[1].split("</script>", 1)[0]


def test_billiards_is_small(tmp_path: Path) -> None:
    assert main(["export", "billiards", "--web", str(tmp_path)]) == 0
    assert len(gzip.compress((tmp_path / "billiards.html").read_bytes(), 9)) < PAGE
    assert len(gzip.compress(code_of(module("billiards"))[0], 9)) < MODULE


def test_a_page_needs_nothing_else() -> None:
    source = page(module("pendulum"), "Pendulum", "A scene & <its> page")
    assert not re.search(r"(?:src|href)=\"(?!data:)", source) and "http" not in script(source)
    assert "A scene &amp; &lt;its&gt; page" in source


@needs_node
@pytest.mark.parametrize("what", ["element", "page", "gallery"])
def test_scripts_are_javascript(what: str, tmp_path: Path) -> None:
    entries = [("the scenes", [("pendulum", "Pendulum", "It swings.")])]
    sources = {"element": element, "page": lambda: script(page(module("pendulum"), "P", ""))}
    source = sources.get(what, lambda: script(gallery(entries)))()
    (tmp_path / "script.mjs").write_text(source)
    subprocess.run(["node", "--check", "script.mjs"], cwd=tmp_path, check=True)
    kept = source if what != "gallery" else ""
    assert not re.search(r"^(import|export) ", kept, re.MULTILINE)


def test_what_a_scene_does_not_draw_is_left_out() -> None:
    assert len(element(module("pendulum"))) < len(element(module("billiards"))) < len(element())


def test_an_embedding_takes_two_lines() -> None:
    source = embedding("pendulum")
    assert '<rosephys-scene src="pendulum.wasm"' in source and "rosephys-scene.js" in source
