"""Programs of other languages, run where their tools are there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc here")


def node(folder: Path, source: str) -> Any:
    """What a module in that folder, which ends with `done(value)`, gives; as JSON has it."""
    said = "const done = (x) => process.stdout.write(JSON.stringify(x, plain));\n"
    said += "const plain = (_, x) => ArrayBuffer.isView(x) ? Array.from(x, plainly) : plainly(x);\n"
    said += "const plainly = (x) => Number.isFinite(x) || typeof x !== 'number' ? x : String(x);\n"
    file = folder / "run.mjs"
    file.write_text(said + source)  # imports are hoisted
    ran = subprocess.run(["node", str(file)], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)
