"""What the site needs beyond the pages: three that lie outside docs/, and scenes that are live in a page.

`make site` builds it into build/site with MkDocs, which calls these functions (mkdocs.yml, `hooks`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

from rosephys.command.exporting import summary
from rosephys.scene.finding import find_scene
from rosephys.solve.problem import Problem
from rosephys.web.pages import page
from rosephys.web.program import scene_module

ROOT = Path(__file__).parents[1]
OUTSIDE = {
    "../CONTRIBUTING.md": "contributing.md",
    "../CHANGELOG.md": "changelog.md",
    "../benchmarks/README.md": "benchmarks.md",
}
LIVE = ("billiards",)  # scenes as pages, which other pages show in a frame


def on_files(files: Files, config: Any) -> Files:
    """The pages outside docs/ among the others."""
    for path, name in OUTSIDE.items():
        text = (ROOT / "docs" / path).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=re.sub(r"\]\((\.\./)?docs/", "](", text)))
    for name in LIVE:
        scene = find_scene(name)
        title, about = name.capitalize(), summary(type(scene))
        source = page(scene_module(Problem(scene), title, about), title, about)
        files.append(File.generated(config, f"live/{name}.html", content=source))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A page with its links to those pages where the site has them, and to others by words: `rigid bodies`."""
    markdown = re.sub(r"\[(\w+)\.md\]", lambda m: f"[{m[1].replace('_', ' ')}]", markdown)
    for path, name in OUTSIDE.items():
        markdown = markdown.replace(f"]({path}", f"]({name}")
    return markdown
