"""The example of randomised gradients: it runs, and finds what it seeks."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "reaction_diffusion.py"


def test_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    example = runpy.run_path(str(EXAMPLE))
    example["main"](draws=40, descent=40)
    out = capsys.readouterr().out
    memory = [int(m.replace(",", "")) for m in re.findall(r"([\d,]+) B", out)]
    exact, checkpointed, *sampled = memory
    assert checkpointed < exact / 5 and sampled == sorted(sampled, reverse=True)
    assert sampled[0] < exact / 5 and sampled[-1] < exact / 25
    assert all(float(e) < 5 for e in re.findall(r"([\d.]+) s\.e\.", out))
    losses = [float(x) for x in re.findall(r"loss (\d\S*e\S+)$", out, re.MULTILINE)]
    assert len(losses) == 4 and max(losses) < 0.05


def test_the_gradient_is_the_difference() -> None:
    example = runpy.run_path(str(EXAMPLE))
    target = np.zeros((example["N"], example["N"])) + 0.1
    theta, u = 0.3 * np.ones(7), np.linspace(-1.0, 1.0, 7)
    f = example["exact"]()
    slope = f(theta, target)[1] @ u
    near = (f(theta + 1e-5 * u, target)[0] - f(theta - 1e-5 * u, target)[0]) / 2e-5
    assert slope == pytest.approx(near, rel=1e-7)
