"""The examples of docs/interop.md run, where what they need is installed, and print what they should."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import rose_ad as ra

DOCUMENT = Path(ra.__file__).parents[1] / "docs" / "interop.md"


EXAMPLES = re.findall(r"^## (.+?)\n(?:.*?)^```python\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)


@pytest.mark.parametrize(("title", "code"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_examples_of_the_document(
    title: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("torch", "jax", "scipy", "gymnasium"):
        if f"import {package}" in code or f"interop.{package[:3]}" in code:
            pytest.importorskip(package)
    exec(compile(code, f"interop.md, {title}", "exec"), {"__name__": "example"})
    shown = capsys.readouterr().out
    expected = {
        "As text": [9.0],
        "In other processes": [2 * np.cos(0.5)],
        "torch": 2 * np.cos([0.2, 0.4]),
        "JAX": np.sin([0.2, 0.4]),
        "scipy": [2.0, 1.0],
        "C": [1.0, 0.0, 2.0, 4.0, 6.0],
        "Scenes in Gymnasium": [0.0989],
        "Scenes in torch": [1.0],
        "Scenes in JAX": [8.0],
    }[title]
    numbers = [
        float(x) for x in re.findall(r"-?\d+\.\d*(?:e[+-]?\d+)?|(?<![\w.])\d\b(?![\d.])", shown)
    ]
    assert numbers[: len(expected)] == pytest.approx(np.asarray(expected), abs=1e-4)
    assert len(EXAMPLES) == 9
