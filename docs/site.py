"""What the site needs beyond the pages: three pages that lie outside docs/, with links to and from them.

`make site` builds it into build/site with MkDocs, which calls these functions (mkdocs.yml, `hooks`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
OUTSIDE = {
    "../CONTRIBUTING.md": "contributing.md",
    "../CHANGELOG.md": "changelog.md",
    "../benchmarks/README.md": "benchmarks.md",
}


def on_files(files: Files, config: Any) -> Files:
    """The pages outside docs/ among the others."""
    for path, name in OUTSIDE.items():
        text = (ROOT / "docs" / path).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=re.sub(r"\]\((\.\./)?docs/", "](", text)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A page with its links to those pages where the site has them, and to others by words: `rigid bodies`."""
    markdown = re.sub(r"\[(\w+)\.md\]", lambda m: f"[{m[1].replace('_', ' ')}]", markdown)
    for path, name in OUTSIDE.items():
        markdown = markdown.replace(f"]({path}", f"]({name}")
    return markdown
