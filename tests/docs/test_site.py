"""The documentation builds as a site, in which every link and anchor resolves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_site_builds(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for page in (
        *ROOT.glob("docs/*.md"),
        ROOT / "docs/contributing.md",
        ROOT / "docs/benchmarks.md",
    ):
        built = tmp_path / ("" if page.stem == "README" else page.stem) / "index.html"
        assert built.exists(), page.stem
    assert "WebAssembly" in (tmp_path / "live" / "billiards.html").read_text(encoding="utf-8")
    assert 'src="../live/billiards.html"' in (tmp_path / "browser" / "index.html").read_text()
